"""Tags, insights, improvement tickets, broadcasts, and what a person says that a post is."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from fastapi import Query, Request, Response
from pydantic import Field

from careapi import labels, learning
from careapi.shapes import CODE, Acting, Code, Line, Said, Tongue
from careapi.web import (
    After,
    AnyAgent,
    Key,
    Lead,
    Limit,
    Number,
    Viewer,
    Worker,
    acting,
    answer,
    done_once,
    router,
    the,
    told,
)
from scenarios.names import Stage, Topic

learn = router("learning")


class TagsIn(Acting):
    """What a case is about, and the phase of the journey."""

    topic: Annotated[Topic, Field(strict=False)] | None = None
    stage: Annotated[Stage, Field(strict=False)] | None = None


class TicketIn(Acting):
    """What a department should improve."""

    department: Code
    title: Line
    text: Said


class BroadcastIn(Acting):
    """One text a language; with `close` it answers all waiting cases of its language (and topic)."""

    texts: Annotated[dict[Tongue, Said], Field(min_length=1)]
    topic: Annotated[Topic, Field(strict=False)] | None = None
    close: bool = False


class LabelIn(Acting):
    """What a post is, as a person sees it."""

    kind: Literal["query", "brand", "praise", "spam"]


@learn.post("/v1/cases/{case_id}/tags", responses=told("not-found", "key-reused", "unavailable"))
async def tag(request: Request, token: Worker, case_id: Number, body: TagsIn, key: Key = None) -> Response:
    """Say what a case is about and in which phase of the journey."""
    agent = acting(token, body.agent)
    topic, stage = (None if each is None else each.value for each in (body.topic, body.stage))
    return await done_once(request, token, key, lambda tx: learning.tag(tx, case_id, agent, topic, stage))


@learn.get(
    "/v1/insights", response_class=Response,
    responses={200: {"content": {"application/json": {}, "text/csv": {}}}},
)  # fmt: skip
async def read_insights(
    request: Request, token: Viewer, form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    window: Annotated[float, Query(ge=60, le=30 * 86_400, allow_inf_nan=False, description="Seconds back")] = 86_400.0,
) -> Response:  # fmt: skip
    """Count cases by topic, stage of the journey and language, as JSON or as a table for a spreadsheet."""
    rows = await the(request).read(lambda tx: learning.insights(tx, window))
    if form == "json":
        return answer({"items": rows})
    head = {"Content-Disposition": 'attachment; filename="insights.csv"'}
    return Response(learning.as_csv(rows), media_type="text/csv; charset=utf-8", headers=head)


@learn.post("/v1/cases/{case_id}/tickets", status_code=201,
            responses=told("not-found", "key-reused", "unavailable"))  # fmt: skip
async def raise_ticket(request: Request, token: Worker, case_id: Number, body: TicketIn, key: Key = None) -> Response:
    """Tell a department what to improve."""
    agent = acting(token, body.agent)
    return await done_once(
        request, token, key,
        lambda tx: learning.raise_ticket(tx, case_id, agent, body.department, body.title, body.text), 201,
    )  # fmt: skip


@learn.get("/v1/tickets")
async def list_tickets(
    request: Request, token: AnyAgent, state: Literal["open", "done"] | None = None,
    department: Annotated[str | None, Query(pattern=CODE)] = None, after: After = 0, limit: Limit = 50,
) -> dict[str, Any]:  # fmt: skip
    """List what is to be improved."""
    return await the(request).read(lambda tx: learning.tickets(tx, state, department, after, limit))


@learn.post("/v1/tickets/{ticket_id}/done", responses=told("not-found", "key-reused", "unavailable"))
async def finish_ticket(request: Request, token: Worker, ticket_id: Number, body: Acting, key: Key = None) -> Response:
    """Say that it was improved."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: learning.finish_ticket(tx, ticket_id, agent))


@learn.get("/v1/broadcasts")
async def list_broadcasts(request: Request, token: AnyAgent, after: After = 0, limit: Limit = 50) -> dict[str, Any]:
    """List broadcasts."""
    return await the(request).read(lambda tx: learning.broadcasts(tx, after, limit))


@learn.post("/v1/broadcasts", status_code=201, responses=told("key-reused", "unavailable"))
async def broadcast(request: Request, token: Lead, body: BroadcastIn, key: Key = None) -> Response:
    """Answer many at once, one text a language; the cases are closed in batches, between which others get through."""
    agent, care = acting(token, body.agent), the(request)
    texts = {language.value: text for language, text in body.texts.items()}
    topic = None if body.topic is None else body.topic.value
    made = await done_once(request, token, key, lambda tx: learning.broadcast(tx, agent, texts, topic), 201)
    numbers: list[int] = msgspec.json.decode(bytes(made.body))["ids"]
    for number in numbers if body.close else ():
        while await care.write(lambda tx: learning.close_by(tx, number)):  # noqa: B023
            pass
    told_all = await care.read(lambda tx: learning.broadcasts(tx, min(numbers) - 1, 200))
    return answer({"items": [each for each in told_all["items"] if each["id"] in numbers]}, 201)


@learn.post("/v1/mentions/{post_id}/kind", responses=told("not-found", "key-reused", "unavailable"))
async def label(request: Request, token: Worker, post_id: Number, body: LabelIn, key: Key = None) -> Response:
    """Correct what a post was taken for; a query gets a case if it has none."""
    agent = acting(token, body.agent)
    return await done_once(request, token, key, lambda tx: labels.label(tx, post_id, agent, body.kind))
