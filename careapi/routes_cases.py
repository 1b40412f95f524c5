"""Cases and posts as agents read them, and what agents do with a case."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from fastapi import Query, Request, Response

from careapi import customers, views, work
from careapi.model import Status
from careapi.problems import Refused
from careapi.shapes import (
    CODE,
    Acting,
    CaseOut,
    CasePage,
    CaseView,
    EventPage,
    MergeIn,
    PostPage,
    Replied,
    ReplyIn,
    ResolveIn,
    TransferIn,
    case_out,
)
from careapi.tx import Tx
from careapi.web import (
    After,
    AnyAgent,
    IfMatch,
    Key,
    Limit,
    NeededMatch,
    Number,
    RequiredKey,
    Worker,
    acting,
    answer,
    done_once,
    optional_version,
    router,
    the,
    told,
    version_of,
)
from scenarios.names import Language

cases = router("cases")
_CHANGES: Any = told("not-found", "stale", "unavailable", "precondition-required")


@cases.get("/v1/cases", response_model=CasePage)
async def list_cases(
    request: Request, token: AnyAgent, status: Status | None = None, lang: Language | None = None,
    agent: Annotated[str | None, Query(pattern=CODE)] = None, after: After = 0, limit: Limit = 50,
) -> Any:  # fmt: skip
    """List cases by number."""
    return await the(request).read(lambda tx: views.cases(tx, status, lang, agent, after, limit))


@cases.get("/v1/cases/{case_id}", response_model=CaseView, responses=told("not-found"))
async def read_case(request: Request, token: AnyAgent, case_id: Number) -> Response:
    """Read a case with its posts, replies and, if those can be had, its customer's data; the ETag is its version."""
    care = the(request)
    if care.faults.crm == "slow":
        await asyncio.sleep(care.faults.delay_s)

    def job(tx: Tx) -> dict[str, Any]:
        case = views.case(tx, case_id)
        customer = None if care.faults.crm == "down" else customers.profile(tx, case["customer_id"])
        return {**case, "customer": customer, **views.around(tx, case_id)}

    return answer(await care.read(job))


@cases.get("/v1/cases/{case_id}/events", response_model=EventPage)
async def audit_case(request: Request, token: AnyAgent, case_id: Number, after: After = 0, limit: Limit = 200) -> Any:
    """Tell all that happened to a case, and who did it."""
    return await the(request).read(lambda tx: views.events(tx, after, limit, case_id))


@cases.get("/v1/audit", response_model=EventPage)
async def audit(
    request: Request, token: AnyAgent, actor: Annotated[str | None, Query(pattern=CODE)] = None,
    after: After = 0, limit: Limit = 200,
) -> Any:  # fmt: skip
    """Tell all that happened, or all that somebody did; nothing of it is ever changed."""
    return await the(request).read(lambda tx: views.events(tx, after, limit, actor=actor))


@cases.get("/v1/mentions", response_model=PostPage)
async def list_posts(
    request: Request, token: AnyAgent, lang: Language | None = None,
    kind: Literal["query", "other", "brand", "praise", "spam"] | None = None, after: After = 0, limit: Limit = 50,
) -> Any:  # fmt: skip
    """List posts by number."""
    return await the(request).read(lambda tx: views.posts(tx, lang, kind, after, limit))


@cases.post("/v1/cases/{case_id}/reply", response_model=Replied, responses=_CHANGES | told("not-now", "key-reused"))
async def reply(
    request: Request, token: Worker, case_id: Number, body: ReplyIn, key: RequiredKey, if_match: IfMatch = None
) -> Response:
    """Answer the customer, then wait for him, close the case or keep it."""
    agent, version, crisis = acting(token, body.agent), optional_version(if_match), the(request).crisis
    if crisis.on and crisis.templates_only and body.text not in crisis.templates:
        raise Refused("not-now", "in this crisis only the agreed texts are sent; see GET /v1/crisis")

    def job(tx: Tx) -> dict[str, Any]:
        number, case = work.reply(tx, case_id, agent, version, body.text, body.then)
        return {"reply_id": number, "case": case_out(case)}

    return await done_once(request, token, key, job)


@cases.post("/v1/cases/{case_id}/release", response_model=CaseOut, responses=_CHANGES)
async def release(
    request: Request, token: Worker, case_id: Number, body: Acting, if_match: NeededMatch = None, key: Key = None
) -> Response:
    """Put a case back with its age."""
    agent, version = acting(token, body.agent), version_of(if_match)
    return await done_once(request, token, key, lambda tx: case_out(work.release(tx, case_id, agent, version)))


@cases.post("/v1/cases/{case_id}/transfer", response_model=CaseOut, responses=_CHANGES)
async def transfer(
    request: Request, token: Worker, case_id: Number, body: TransferIn, if_match: NeededMatch = None, key: Key = None
) -> Response:
    """Pass a case to another agent, or to the queue of another language, with its age."""
    agent, version = acting(token, body.agent), version_of(if_match)
    if body.to_agent is None and body.to_lang is None:
        raise Refused("bad-request", "name to_agent, to_lang or both")
    return await done_once(
        request, token, key,
        lambda tx: case_out(work.transfer(tx, case_id, agent, version, body.to_agent, body.to_lang)),
    )  # fmt: skip


@cases.post("/v1/cases/{case_id}/resolve", response_model=CaseOut, responses=_CHANGES)
async def resolve(
    request: Request, token: Worker, case_id: Number, body: ResolveIn, if_match: NeededMatch = None, key: Key = None
) -> Response:
    """Close a case that the agent holds, or one that waits for its customer."""
    agent, version = acting(token, body.agent), version_of(if_match)
    return await done_once(
        request, token, key, lambda tx: case_out(work.resolve(tx, case_id, agent, version, body.reason))
    )


@cases.post("/v1/cases/{case_id}/reopen", response_model=CaseOut, responses=_CHANGES)
async def reopen(
    request: Request, token: Worker, case_id: Number, body: Acting, if_match: NeededMatch = None, key: Key = None
) -> Response:
    """Put a closed or waiting case into its queue once more."""
    agent, version = acting(token, body.agent), version_of(if_match)
    return await done_once(request, token, key, lambda tx: case_out(work.reopen(tx, case_id, agent, version)))


@cases.post("/v1/cases/{case_id}/merge", response_model=CaseOut, responses=_CHANGES)
async def merge(
    request: Request, token: Worker, case_id: Number, body: MergeIn, if_match: NeededMatch = None, key: Key = None
) -> Response:
    """Close a case into another one of the same customer; the answer is the one that stays."""
    agent, version = acting(token, body.agent), version_of(if_match)
    return await done_once(request, token, key, lambda tx: case_out(work.merge(tx, case_id, agent, version, body.into)))
