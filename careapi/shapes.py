"""What requests of people and programs look like: strict, no unknown members, no letters that no store keeps."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from careapi.bodies import MOST_NUMBER
from careapi.model import Case, Status
from scenarios.names import Language

CODE = r"^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$"


def _clean(text: str) -> str:
    if "\0" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise ValueError("holds a zero character or half a letter, which no store keeps")
    return text


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("says nothing")
    return _clean(text)


Number = Annotated[int, Field(ge=1, le=MOST_NUMBER)]
Code = Annotated[str, Field(pattern=CODE, description="Code of an agent or the like: no names of people")]
_SAID: Any = {"json_schema_extra": {"pattern": r"^[^\x00]*[^\x00\s][^\x00]*$"}}
Said = Annotated[str, Field(min_length=1, max_length=5000, **_SAID), AfterValidator(_said)]
Line = Annotated[str, Field(min_length=1, max_length=200, **_SAID), AfterValidator(_said)]
Flight = Annotated[str, Field(pattern=r"^[A-Z0-9]{2}[0-9]{1,4}$", examples=["KL1234"])]
Day = Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])$", examples=["2010-04-15"])]
Seat = Annotated[str, Field(pattern=r"^[1-9][0-9]?[A-K]$", examples=["12A"])]
Tongue = Annotated[Language, Field(strict=False)]


def _there(name: str) -> dict[str, Any]:
    return {"required": [name], "properties": {name: {"type": "string"}}}


class Strict(BaseModel):
    """Base of all that is taken in: nothing unknown, nothing converted, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, frozen=True)


class ClaimIn(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An agent asks for a case. Without languages those of his presence hold; so for how many he may have."""

    agent: Annotated[str, msgspec.Meta(pattern=CODE)]
    langs: Annotated[list[Language], msgspec.Meta(min_length=1, max_length=len(Language))] | None = None
    max: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None


class Acting(Strict):
    """Who acts."""

    agent: Code


class ReplyIn(Acting):
    """An answer, and what becomes of the case after it."""

    text: Said
    then: Literal["wait", "resolve", "keep"] = "wait"


class TransferIn(Acting):
    """To whom a case goes: an agent, a language, or both."""

    model_config = ConfigDict(json_schema_extra={"anyOf": [_there("to_agent"), _there("to_lang")]})

    to_agent: Code | None = None
    to_lang: Tongue | None = None


class ResolveIn(Acting):
    """Why a case is closed."""

    reason: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")] = "answered"


class MergeIn(Acting):
    """Into which case another one is closed."""

    into: Number


class CaseOut(BaseModel):
    """A case as it stands; times in seconds of the Unix clock."""

    id: int
    customer_id: int
    thread: str
    lang: Language
    private: bool
    status: Status
    agent: str | None
    version: int
    opened_s: float
    waiting_since_s: float
    due_s: float
    resolved_s: float | None


def case_out(case: Case) -> dict[str, object]:
    """A case as JSON has it."""
    return {
        "id": case.id, "customer_id": case.customer_id, "thread": case.thread, "lang": case.language.value,
        "private": case.private, "status": case.status.value, "agent": case.agent, "version": case.version,
        "opened_s": case.opened_s, "waiting_since_s": case.waiting_since_s, "due_s": case.due_s,
        "resolved_s": case.resolved_s,
    }  # fmt: skip


class CasePage(BaseModel):
    """Some cases, and after which number the next ones begin; null at the end."""

    items: list[CaseOut]
    next: int | None


class Post(BaseModel):
    """A post of a customer."""

    id: int
    platform: str
    external_id: str
    lang: Language
    text: str
    private: bool
    posted_s: float
    received_s: float
    kind: str
    label: str | None
    score: float
    case_id: int | None


class PostPage(BaseModel):
    """Some posts, and after which number the next ones begin; null at the end."""

    items: list[Post]
    next: int | None


class ReplyOut(BaseModel):
    """An answer that was given."""

    id: int
    case_id: int
    agent: str
    text: str
    sent_s: float
    delivered_s: float | None


class Replied(BaseModel):
    """What an answer did."""

    reply_id: int
    case: CaseOut


class EventOut(BaseModel):
    """One thing that happened; `data` holds codes and numbers."""

    seq: int
    case_id: int | None
    kind: str
    at_s: float
    actor: str
    data: str


class EventPage(BaseModel):
    """Some events, and after which number the next ones begin; null at the end."""

    items: list[EventOut]
    next: int | None


class CaseView(CaseOut):
    """A case with all that an agent wants to see."""

    topic: str | None
    stage: str | None
    first_reply_s: float | None
    closed_reason: str | None
    merged_into: int | None
    posts: list[Post]
    replies: list[ReplyOut]
    customer: dict[str, Any] | None = None
    paylinks: list[dict[str, Any]] = []
    notices: list[dict[str, Any]] = []
    lost_items: list[dict[str, Any]] = []
    tickets: list[dict[str, Any]] = []


class ProblemOut(BaseModel):
    """A problem, RFC 9457; `type` does not change."""

    type: str
    title: str
    status: int
    detail: str | None = None
