"""The application: addresses, guards, problems, the description of the API."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from careapi import pages, problems
from careapi.access import Access
from careapi.care import Care
from careapi.described import describe, methods_of
from careapi.guards import Gate, Guard
from careapi.knobs import Knobs
from careapi.logs import LOG
from careapi.metrics import Metrics
from careapi.model import Stale, Unavailable
from careapi.problems import Refused
from careapi.routes_agents import agents
from careapi.routes_cases import cases
from careapi.routes_customers import people
from careapi.routes_hot import hot, schemas
from careapi.routes_lead import lead
from careapi.routes_learning import learn
from careapi.routes_loop import hook, loop
from careapi.routes_ops import levers, ops
from careapi.store import Store

_SLUGS = {404: "no-such-address", 405: "wrong-method", 413: "too-large", 422: "bad-body"}


def create_app(
    opener: Callable[[], Awaitable[Store]],
    access: Access,
    knobs: Knobs | None = None,
    clock: Callable[[], float] = time.time,
) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    opener : callable
        Opens the store when the application starts; it is closed when that stops.
    access : Access
        Tokens and secrets.
    knobs : Knobs
        Limits; may be turned later.
    clock : callable
        Seconds of the Unix clock, for the times of signatures.

    Returns
    -------
    app : FastAPI
        ``app.state.care`` is the `Care` of a started one.
    """
    knobs, metrics = knobs or Knobs(), Metrics()
    gate = Gate(knobs, metrics)

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        store = await opener()
        try:
            care = app.state.care = Care(store, access, knobs, metrics, clock)
            gate.store = store
            store.slow_down(knobs.commit_delay_s)
            store.measure(metrics.commit)
            care.start()
            try:
                yield
            finally:
                await care.stop()
        finally:
            await store.close()

    app = FastAPI(
        title="ashcloud care service", version=version("ashcloud"), lifespan=life, docs_url=None, redoc_url=None,
        summary="Takes posts in, queues them, hands them to agents.", separate_input_output_schemas=False,
    )  # fmt: skip
    own = (ops, hook, hot, cases, people, agents, loop, learn, lead, levers)  # /hooks/pay before /hooks/{platform}
    for each in (*own, pages.session, pages.routes):
        app.include_router(each)
    app.state.gate = gate
    app.add_middleware(pages.SessionCookie)
    app.add_middleware(Guard, gate=gate)
    _handle(app)
    describe(app, schemas())
    return app


def problem(slug: str, detail: str = "", **more: Any) -> Response:
    """A problem as an answer."""
    body, status = problems.encoded(slug, detail, more), problems.PROBLEMS[slug][0]
    return Response(body, status, problems.headers(slug), problems.MEDIA)


def _handle(app: FastAPI) -> None:
    """Let every error leave as a problem."""

    async def refused(_: Request, fault: Exception) -> Response:
        known = cast(Refused, fault)
        return problem(known.slug, known.detail, **known.more)

    async def stale(_: Request, fault: Exception) -> Response:
        return problem("stale", str(fault))

    async def unavailable(_: Request, fault: Exception) -> Response:
        LOG.warning("unavailable", extra={"told": {"why": str(fault)}})
        return problem("unavailable", "nothing of this request was kept; send it again")

    async def invalid(_: Request, fault: Exception) -> Response:
        found = cast(RequestValidationError, fault).errors()
        faults = [{"at": ".".join(map(str, each["loc"])), "why": each["msg"]} for each in found[:20]]
        return problem("bad-request", faults=faults)

    async def http(request: Request, fault: Exception) -> Response:
        known = cast(HTTPException, fault)
        slug = _SLUGS.get(known.status_code, "bad-request" if known.status_code < 500 else "internal")
        answer = problem(slug, known.detail if slug == "bad-body" else "")
        answer.headers.update(known.headers or {})
        if known.status_code == 405:
            answer.headers["Allow"] = methods_of(request)
        return answer

    async def failed(request: Request, fault: Exception) -> Response:
        LOG.error("failed", extra={"told": {"path": _route(request)}}, exc_info=fault)
        return problem("internal")

    for kind, handler in (
        (Refused, refused), (Stale, stale), (Unavailable, unavailable), (RequestValidationError, invalid),
        (HTTPException, http), (Exception, failed),
    ):  # fmt: skip
        app.add_exception_handler(kind, handler)


def _route(request: Request) -> str:
    return str(getattr(request.scope.get("route"), "path", "?"))
