"""The three addresses that carry the load: hooks of platforms, the generic intake, claims.

They take the raw bytes: signatures are over those, one bad post must not spoil the others, and it saves
two fifths of the time of a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import PlainTextResponse

from careapi import bodies, crisis, signatures
from careapi.access import Scope, Token
from careapi.bodies import BadBody, Rejected
from careapi.care import Care
from careapi.deliveries import read_delivery
from careapi.guards import Slot
from careapi.model import Mention, Receipt
from careapi.once import Kept, digest, once
from careapi.platforms import CALLERS, FAMILY, Family, Form
from careapi.problems import Refused
from careapi.routes_loop import Payment
from careapi.shapes import CaseOut, ClaimIn, case_out
from careapi.tx import Tx
from careapi.web import JSON, Key, acting, allowed, kept_answer, the, told
from scenarios.names import Language, Platform

MOST_WAIT_S = 30.0
LOOK_AGAIN_S = 5.0
"""Should a wake-up be lost, nobody waits longer than this."""
hot = APIRouter(tags=["intake"])
_claim = msgspec.json.Decoder(ClaimIn)
_encode = msgspec.json.Encoder().encode
_NONE: dict[int | str, Any] = {204: {"description": "Nothing waits, or the agent's hands are full"}}
_TAKEN = told("bad-signature", "bad-body", "too-slow", "too-large", "overloaded")


class Refusal(msgspec.Struct):
    """A post that was not kept: its place in the delivery, from 0, and why."""

    place: int
    why: str


class Taken(msgspec.Struct):
    """What became of a delivery; `cases` has a case or null for each post, in its order."""

    accepted: int
    duplicates: int
    rejected: list[Refusal]
    cases: list[int | None]


def _described(body: type, answer: type) -> dict[str, Any]:
    return {
        "requestBody": {
            "required": True,
            "content": {JSON: {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}},
        },
        "responses": {"202": {"content": {JSON: {"schema": {"$ref": f"#/components/schemas/{answer.__name__}"}}}}},
    }


def schemas() -> dict[str, Any]:
    """Descriptions of what is read and written here, for the description of the API."""
    _, found = msgspec.json.schema_components(
        [bodies.Delivery, bodies.Generic, Taken, ClaimIn, Payment], ref_template="#/components/schemas/{name}"
    )
    parts: dict[str, Any] = dict(found)
    posts = parts[bodies.Delivery.__name__]["properties"]["mentions"]  # which are read one by one, later
    posts["items"] = {"$ref": f"#/components/schemas/{bodies.Generic.__name__}"}
    return parts


@hot.get("/hooks/x", response_class=Response, responses=told("bad-request", "too-many"))
async def challenge_x(request: Request, crc_token: Annotated[str, Query(min_length=1, max_length=500)]) -> Response:
    """Show X that we know the secret."""
    secret = the(request).access.secrets[Family.X]
    return Response(_encode({"response_token": signatures.answer_x(secret, crc_token)}), media_type=JSON)


@hot.get("/hooks/meta", response_class=PlainTextResponse, responses=told("bad-request", "not-allowed"))
async def challenge_meta(
    request: Request,
    verify_token: Annotated[str, Query(alias="hub.verify_token", max_length=500)],
    challenge: Annotated[str, Query(alias="hub.challenge", max_length=500)],
    mode: Annotated[str, Query(alias="hub.mode", pattern="^subscribe$")],
) -> Response:
    """Give Meta its challenge back, if it knows the token that was agreed."""
    back = signatures.answer_meta(the(request).access.verify_token, verify_token, challenge)
    if back is None:
        raise Refused("not-allowed", "hub.verify_token is not the one that was agreed")
    return PlainTextResponse(back)


@hot.post(
    "/v1/mentions", status_code=202, response_class=Response, responses=_TAKEN,
    openapi_extra=_described(bodies.Delivery, Taken),
)  # fmt: skip
async def take_mentions(request: Request) -> Response:
    """Take in posts of any platform, signed as Standard Webhooks are; 202 is on disk."""
    return await _take(request, None)


@hot.post(
    "/hooks/{platform}", status_code=202, response_class=Response, responses=told("no-such-address") | _TAKEN,
    openapi_extra=_described(bodies.Delivery, Taken),
)  # fmt: skip
async def take_hook(request: Request, platform: Annotated[str, Path(pattern="^[a-z]{1,20}$")]) -> Response:
    """Take in what one platform brings, signed in its own way; 202 is on disk."""
    if platform not in Platform.__members__.values():
        raise Refused("no-such-address", f"platforms are {', '.join(Platform)}")
    return await _take(request, Platform(platform))


async def _take(request: Request, platform: Platform | None) -> Response:
    care, body = the(request), await request.body()
    family = Family.STANDARD if platform is None else FAMILY[platform]
    headers = dict(request.scope["headers"])
    if not signatures.signed(family, care.access.secrets[family], headers, body, care.clock()):
        raise Refused("bad-signature")
    try:
        posts = bodies.read(body) if platform is None else read_delivery(platform, body)
    except BadBody as fault:
        raise Refused("bad-body", str(fault)) from None
    taken = await _kept(care, posts)
    own = platform is not None and CALLERS[platform].form is not Form.GENERIC
    if taken.rejected and not (taken.accepted or taken.duplicates or own):  # X and Meta would send it for days
        raise Refused("nothing-kept", rejected=taken.rejected)
    return Response(_encode(taken), 202, media_type=JSON)


async def _kept(care: Care, posts: Sequence[Mention | Rejected]) -> Taken:
    mentions = [post for post in posts if isinstance(post, Mention)]
    receipts = iter(await care.take_in(mentions) if mentions else [])
    taken = Taken(0, 0, [], [])
    count = care.metrics.mentions.labels
    for place, post in enumerate(posts):
        told = post if isinstance(post, Rejected) else next(receipts)
        if isinstance(told, Receipt):
            taken.accepted += not told.duplicate
            taken.duplicates += told.duplicate
            taken.cases.append(told.case_id)
            count(post.platform, "duplicate" if told.duplicate else "accepted").inc()  # type: ignore[union-attr]
            continue
        why = told.why if isinstance(told, Rejected) else "it cannot be stored"
        taken.rejected.append(Refusal(place, why))
        taken.cases.append(None)
        count("any", "rejected").inc()
    return taken


@hot.post(
    "/v1/claims", response_model=CaseOut, tags=["cases"],
    responses=_NONE
    | told("bad-body", "bad-token", "not-allowed", "key-reused", "too-slow", "too-large", "too-many", "overloaded"),
    openapi_extra={"requestBody": _described(ClaimIn, ClaimIn)["requestBody"], "security": [{"token": []}]},
)  # fmt: skip
async def claim(
    request: Request,
    wait: Annotated[float, Query(ge=0, le=MOST_WAIT_S, allow_inf_nan=False, description="Seconds")] = 0.0,
    key: Key = None,
) -> Response:
    """Give an agent the case that is due first over the queues that he may serve."""
    token, body = allowed(request, Scope.WORK), await request.body()
    try:
        asked = bodies.as_said(_claim, body)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as fault:
        raise Refused("bad-body", str(fault)) from None
    acting(token, asked.agent)
    care = the(request)
    claiming = _Claiming(care, token, asked, key, digest(body) if key else "")
    kept = await claiming.try_once() if not wait else await _wait(request, claiming, wait)
    care.metrics.claims.labels("none" if kept is None else "given").inc()
    return Response(status_code=204) if kept is None else kept_answer(kept)


class _NoneWaits(Exception):
    """Nothing to claim; undoes what the job did, so that the key stays free."""


class _Claiming:
    """One claim, which may be tried several times until there is something."""

    def __init__(self, care: Care, token: Token, asked: ClaimIn, key: str | None, of: str) -> None:
        self.care, self.asked, self.key, self.of = care, asked, key, of
        self.scope = f"{token.name} claim"
        self.languages: frozenset[Language] = frozenset(asked.langs or ())

    async def try_once(self) -> Kept | None:
        """The case as it was kept, or None."""
        try:
            return await self.care.hand_out(self.asked.agent, self._job)
        except _NoneWaits:
            return None

    def _job(self, tx: Tx) -> Kept:
        return once(tx, self.scope, self.key, self.of, self._claim)

    def _claim(self, tx: Tx) -> Kept:
        languages, capacity = served(tx, self.asked)
        languages = crisis.served(self.care.crisis, languages)
        self.languages = frozenset(languages)
        case = tx.claim(self.asked.agent, languages, capacity)
        if case is None:
            raise _NoneWaits
        return Kept(200, _encode(case_out(case)).decode())


def served(tx: Tx, asked: ClaimIn) -> tuple[list[Language], int]:
    """Which languages an agent serves now and how many cases he may have: as asked, else as he signed in."""
    languages, capacity = list(asked.langs or ()), asked.max
    if not languages or capacity is None:
        row = tx.row("SELECT langs, capacity FROM agent WHERE id = ?", asked.agent)
        if row is None and not languages:
            raise Refused("not-now", f"agent {asked.agent} is not signed in: name langs, or set his presence")
        if row is not None:
            languages = languages or [Language(each) for each in row[0].split(",")]
            capacity = int(row[1]) if capacity is None else capacity
    return languages, 1 if capacity is None else capacity


async def _wait(request: Request, claiming: _Claiming, wait_s: float) -> Kept | None:
    """Try, and try again whenever something may have come, until the time is over."""
    care, slot = claiming.care, request.scope.get("care.slot")
    end_s = asyncio.get_running_loop().time() + wait_s
    kept = await claiming.try_once()
    if kept is not None:
        return kept
    async with care.hub.waiting(claiming.languages) as waiter:
        while not await request.is_disconnected():  # nobody would answer a case that is given to somebody who left
            kept = await claiming.try_once()
            left_s = end_s - asyncio.get_running_loop().time()
            if kept is not None or left_s <= 0 or care.hub.stopping.is_set():
                break
            if isinstance(slot, Slot):
                slot.give()
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left_s, LOOK_AGAIN_S)):
                    await waiter.woken.wait()
            waiter.woken.clear()
            if isinstance(slot, Slot):
                slot.take()
    if kept is not None:
        care.hub.wake(claiming.languages)
    return kept
