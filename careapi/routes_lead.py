"""For who leads the desk: how it is doing, the crisis switch, the stream of what happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

import msgspec
from fastapi import Header, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import Field

from careapi import board, crisis, hub, kpis
from careapi.bodies import MOST_NUMBER
from careapi.care import Care
from careapi.crisis import Crisis
from careapi.model import Unavailable
from careapi.shapes import Acting, Said, Tongue
from careapi.web import Lead, Viewer, acting, router, the, told
from scenarios.names import Visibility

lead = router("lead")
KEEP_ALIVE_S = 15.0
PAUSE_S = 0.05  # a wallboard need not be told more often
_Promise = Annotated[float, Field(gt=0, le=30 * 86_400)]
_Channel = Annotated[Visibility, Field(strict=False)]


class CrisisIn(Acting):
    """The switch, and what goes with it; see the guide."""

    on: bool
    open_cases: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    oldest_wait_s: Annotated[float, Field(gt=0, le=30 * 86_400)] | None = None
    promise_s: dict[_Channel, _Promise] = Field(default_factory=dict)
    relaxed: list[Tongue] = Field(default_factory=list, max_length=14)
    templates_only: bool = False
    templates: list[Said] = Field(default_factory=list, max_length=100)


@lead.get("/v1/kpis")
async def read_kpis(
    request: Request, token: Viewer,
    window: Annotated[float, Query(ge=60, le=30 * 86_400, allow_inf_nan=False, description="Seconds back")] = 86_400.0,
) -> dict[str, Any]:  # fmt: skip
    """Measure how the desk is doing, by language, with the measures of the simulation."""
    care = the(request)
    return {**await care.read(lambda tx: kpis.kpis(tx, window)), "backlog": care.backlog.told()}


@lead.get("/v1/crisis")
async def read_crisis(request: Request, token: Viewer) -> dict[str, Any]:
    """Tell whether a crisis is declared, and whether the thresholds advise it."""
    level = await the(request).read(crisis.level)
    return {**crisis.told(level.crisis), "advised": level.advised}


@lead.put("/v1/crisis", responses=told("unavailable"))
async def set_crisis(request: Request, token: Lead, body: CrisisIn) -> dict[str, Any]:
    """Declare a crisis, or its end: promises of new cases, languages that others help out with, agreed replies."""
    agent, care = acting(token, body.agent), the(request)
    asked = body.model_dump(exclude={"agent"}, mode="json")
    new = msgspec.convert(asked, Crisis)
    await care.write(lambda tx: crisis.save(tx, new, agent))
    care.turn(new)
    return await read_crisis(request, token)


@lead.get("/v1/events", response_class=StreamingResponse,
          responses={200: {"content": {"text/event-stream": {}}}})  # fmt: skip
async def stream_events(
    request: Request, token: Viewer,
    last: Annotated[str | None, Header(alias="Last-Event-ID", pattern="^[0-9]{1,15}$")] = None,
    after: Annotated[int | None, Query(ge=0, le=MOST_NUMBER)] = None,
) -> StreamingResponse:  # fmt: skip
    """Stream what happens, from after an event that was seen, else from now on."""
    care = the(request)
    seq = int(last) if last is not None else after
    if seq is None:
        seq = await care.read(hub.last_seq)
    head = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_events(care, seq), media_type="text/event-stream", headers=head)


async def _events(care: Care, seq: int) -> AsyncIterator[bytes]:
    yield b"retry: 2000\n\n"
    while not care.hub.stopping.is_set():
        mark = care.hub.mark()
        try:
            events = await care.store.events_after(seq, 200)
            cases = {event.case_id for event in events if event.case_id is not None}
            langs = await care.read(lambda tx: board.languages(tx, cases)) if cases else {}  # noqa: B023
        except Unavailable:
            events = []
        for event in events:
            seq = event.seq
            told: dict[str, Any] = {"case_id": event.case_id, "at_s": event.at_s, "actor": event.actor}
            told |= {"data": event.data, "lang": langs.get(event.case_id or 0)}
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (seq, event.kind.encode(), msgspec.json.encode(told))
        if events:
            await asyncio.sleep(PAUSE_S)
        elif not await care.hub.after(mark, KEEP_ALIVE_S):
            yield b": still here\n\n"
