"""For those who run the service: is it alive, is it ready, how is it doing, what may be turned or broken."""

from __future__ import annotations

from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from pydantic import Field

from careapi import knobs, metrics
from careapi.knobs import Faults, Knobs
from careapi.model import EventKind, Unavailable
from careapi.shapes import Strict
from careapi.web import Admin, router, the, told
from scenarios.names import Platform

ops = APIRouter(tags=["operation"])
levers = router("operation")


Share = Annotated[float, Field(ge=0, le=1)]


class FaultsIn(Strict):
    """What is to be broken; what is not named is mended."""

    crm: Literal["ok", "slow", "down"] = "ok"
    payments: Literal["ok", "slow", "failing", "duplicate"] = "ok"
    payments_slow: Share = 0.0
    payments_failing: Share = 0.0
    payments_duplicate: Share = 0.0
    disk: Literal["ok", "full"] = "ok"
    platform: Literal["ok", "held"] = "ok"
    platforms: list[Annotated[Platform, Field(strict=False)]] = Field([], max_length=len(Platform))
    delay_s: Annotated[float, Field(ge=0, le=60)] = 2.0


class KnobsIn(Strict):
    """New limits; what is not named stays as it is."""

    max_inflight: Annotated[int, Field(ge=1, le=100_000)] | None = None
    commit_delay_s: Annotated[float, Field(ge=0, le=10)] | None = None
    most_waiting: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    timeout_s: Annotated[float, Field(ge=0.1, le=600)] | None = None


@ops.get("/healthz")
async def healthz() -> dict[str, str]:
    """Say that the process answers."""
    return {"status": "ok"}


@ops.get("/readyz", responses=told("unavailable"))
async def readyz(request: Request) -> Response:
    """Say whether requests should be sent here: the store takes writes, and not too many wait."""
    why = await the(request).unready()
    headers = {"Retry-After": "1"} if why else {}
    body = {"status": "unready" if why else "ready", **({"why": why} if why else {})}
    return Response(msgspec.json.encode(body), 503 if why else 200, headers, "application/json")


@ops.get("/metrics", response_class=Response)
async def read_metrics(request: Request) -> Response:
    """The metrics in the form that Prometheus reads."""
    care = the(request)
    with suppress(Unavailable):  # what this process counted is worth more now than ever
        care.metrics.queues(await care.read(metrics.levels))
    care.metrics.waiting.set(care.store.waiting())
    care.metrics.inflight.set(request.app.state.gate.inflight)
    care.metrics.streams.set(request.app.state.gate.streams)
    return Response(care.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@levers.get("/v1/faults", response_model=FaultsIn)
async def read_faults(request: Request, token: Admin) -> Any:
    """Tell what is broken on purpose."""
    return knobs.told(the(request).faults)


@levers.put("/v1/faults", response_model=FaultsIn)
async def set_faults(request: Request, token: Admin, body: FaultsIn) -> Any:
    """Break things on purpose, for a drill, in this process alone; nothing of it outlives the process."""
    care = the(request)
    asked = body.model_dump() | {"platforms": tuple(dict.fromkeys(body.platforms))}
    was_full, care.faults = care.faults.disk == "full", Faults(**asked)
    if not was_full and care.faults.disk == "ok":
        data = care.faults.differing()
        await care.write(lambda tx: tx.note(None, EventKind.FAULTS, token.name, data))
    return knobs.told(care.faults)


@levers.get("/v1/knobs", response_model=KnobsIn)
async def read_knobs(request: Request, token: Admin) -> Any:
    """Tell the limits of this process."""
    return knobs.told(the(request).knobs)


@levers.put("/v1/knobs", response_model=KnobsIn)
async def set_knobs(request: Request, token: Admin, body: KnobsIn) -> Any:
    """Turn the limits of this process."""
    care = the(request)
    turn(care.knobs, body)
    care.store.slow_down(care.knobs.commit_delay_s)
    return knobs.told(care.knobs)


def turn(now: Knobs, body: KnobsIn) -> None:
    """Set what is named."""
    for name, value in body.model_dump(exclude_none=True).items():
        setattr(now, name, value)
