"""For those who run the service: is it alive, is it ready, how is it doing, what may be turned or broken."""

from __future__ import annotations

import html
from contextlib import suppress
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import Field

from careapi import knobs, metrics
from careapi.knobs import Faults, Knobs
from careapi.model import EventKind, Unavailable
from careapi.shapes import Strict
from careapi.web import COOKIE, Admin, AnyAgent, router, the, told

ops = APIRouter(tags=["operation"])
levers = router("operation")


class FaultsIn(Strict):
    """What is to be broken; what is not named is mended."""

    crm: Literal["ok", "slow", "down"] = "ok"
    payments: Literal["ok", "slow", "failing", "duplicate"] = "ok"
    disk: Literal["ok", "full"] = "ok"
    platform: Literal["ok", "held"] = "ok"
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
    return Response(care.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


@ops.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    """List the addresses, from the description of the API, with nothing from elsewhere."""
    described: dict[str, Any] = request.app.openapi()
    rows = [
        f"<tr><td>{method.upper()}</td><td><code>{html.escape(path)}</code></td>"
        f"<td>{html.escape(one.get('description', one.get('summary', '')))}</td></tr>"
        for path, methods in described["paths"].items()
        for method, one in methods.items()
    ]
    return HTMLResponse(_PAGE.format(title=html.escape(described["info"]["title"]), rows="\n".join(rows)))


@levers.post("/v1/session", status_code=204, response_class=Response)
async def session(request: Request, token: AnyAgent) -> Response:
    """Keep the token in a cookie, which event streams of browsers send; good for reading alone."""
    letters = request.headers["authorization"].partition(" ")[2].strip() if "authorization" in request.headers else ""
    answer = Response(status_code=204)
    if letters:
        answer.set_cookie(COOKIE, letters, httponly=True, samesite="strict", path="/v1")
    return answer


@levers.get("/v1/faults", response_model=FaultsIn)
async def read_faults(request: Request, token: Admin) -> Any:
    """Tell what is broken on purpose."""
    return knobs.told(the(request).faults)


@levers.put("/v1/faults", response_model=FaultsIn)
async def set_faults(request: Request, token: Admin, body: FaultsIn) -> Any:
    """Break things on purpose, for a drill, in this process alone; nothing of it outlives the process."""
    care = the(request)
    was_full, care.faults = care.faults.disk == "full", Faults(**body.model_dump())
    if not was_full and care.faults.disk == "ok":
        data = ",".join(f"{name}={value}" for name, value in body.model_dump().items() if value not in ("ok", 2.0))
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


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>body{{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}}
td{{padding:.3rem .8rem .3rem 0;vertical-align:top;border-top:1px solid #ddd}}</style></head>
<body><main><h1>{title}</h1><p>The whole description, for programs: <a href="/openapi.json">/openapi.json</a>.</p>
<table>{rows}</table></main></body></html>
"""
