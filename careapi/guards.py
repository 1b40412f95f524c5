"""Around the application: too large is 413, too slow is 408, too much at once is 503; all told to the metrics.

Nobody is let in whose request could not be served: a refusal costs no reading of a body, so what is
served stays about the same however much more is asked for. Under pressure those who only look are turned
away first, then agents, and last what platforms bring, because that cannot be asked for again.
"""

from __future__ import annotations

import asyncio
import math
import time
from enum import StrEnum

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from careapi import problems
from careapi.knobs import Knobs
from careapi.metrics import Metrics
from careapi.store import Store

BODY_BYTES = 64 * 1024
INTAKE_BYTES = 1024 * 1024
BODY_S = 2.0
MOST_STREAMS = 200
_LENGTH = b"content-length"


class Kind(StrEnum):
    """What a request is for; `free` is never turned away."""

    FREE = "free"
    INTAKE = "intake"
    WORK = "work"
    READ = "read"
    STREAM = "stream"


SHARE = {Kind.INTAKE: 1.0, Kind.WORK: 0.9, Kind.READ: 0.7}
"""Of the limit, at which each kind is turned away."""
_FREE = frozenset({"/healthz", "/readyz", "/metrics", "/v1/faults", "/v1/knobs"})


def kind_of(method: str, path: str) -> Kind:
    """What a request is for."""
    if path.startswith("/hooks/") or (path == "/v1/mentions" and method == "POST"):
        return Kind.INTAKE
    if path in _FREE:
        return Kind.FREE
    if path == "/v1/events":
        return Kind.STREAM
    return Kind.READ if method in ("GET", "HEAD") else Kind.WORK


class Gate:
    """Who is in hand, and who is turned away; one for an application.

    Parameters
    ----------
    knobs : Knobs
        Read anew for each request.
    metrics : Metrics
        Where requests are counted.
    """

    store: Store | None = None  # set when it is open

    def __init__(self, knobs: Knobs, metrics: Metrics) -> None:
        self.knobs, self.metrics = knobs, metrics
        self.inflight = self.streams = 0

    def refused(self, kind: Kind) -> str:
        """Why a request of this kind is turned away now; empty if it is let in."""
        if kind is Kind.STREAM and self.streams >= MOST_STREAMS:
            return "too many streams"
        if kind not in SHARE:
            return ""
        share = SHARE[kind]
        if self.inflight >= max(1, math.ceil(self.knobs.max_inflight * share)):
            return "too many requests in hand"
        if self.store is not None and self.store.waiting() > self.knobs.most_waiting * share:
            return "too many writes waiting"
        return ""


class Slot:
    """The place of one request among those in hand; given back while it only waits."""

    __slots__ = ("_gate", "_taken")

    def __init__(self, gate: Gate) -> None:
        self._gate, self._taken = gate, False

    def take(self) -> None:
        """Count as being in hand."""
        if not self._taken:
            self._taken = True
            self._gate.inflight += 1

    def give(self) -> None:
        """Count no more."""
        if self._taken:
            self._taken = False
            self._gate.inflight -= 1


class _Cut(Exception):
    """The body is too large or too slow."""

    def __init__(self, slug: str) -> None:
        self.slug = slug


class Guard:
    """Admission, limits of bodies and times, and counting, around an application."""

    def __init__(self, app: ASGIApp, gate: Gate) -> None:
        self.app, self.gate = app, gate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or refuse it."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        kind = kind_of(scope["method"], scope["path"])
        why = self.gate.refused(kind)
        if why:
            self.gate.metrics.shed.labels(kind, why).inc()
            self.gate.metrics.requests.labels(kind, "503").inc()
            return await _answer(send, "overloaded", why)
        slot = scope["care.slot"] = Slot(self.gate)
        if kind in SHARE:
            slot.take()
        self.gate.streams += kind is Kind.STREAM
        try:
            await self._serve(scope, receive, send, kind)
        finally:
            self.gate.streams -= kind is Kind.STREAM
            slot.give()

    async def _serve(self, scope: Scope, receive: Receive, send: Send, kind: Kind) -> None:
        began_s, status, started = time.perf_counter(), 499, False

        async def sent(message: Message) -> None:
            nonlocal status, started
            if message["type"] == "http.response.start":
                status, started = message["status"], True
            await send(message)

        try:
            limit = INTAKE_BYTES if kind is Kind.INTAKE else BODY_BYTES
            inside = await _with_body(scope, receive, limit)
            if kind is Kind.STREAM or _polls(scope):
                await self.app(scope, inside, sent)
            else:
                async with asyncio.timeout(self.gate.knobs.timeout_s):
                    await self.app(scope, inside, sent)
        except _Cut as cut:
            status = problems.PROBLEMS[cut.slug][0]
            await _answer(send, cut.slug, close=True)
        except TimeoutError:
            if started:
                raise
            status = 503
            await _answer(send, "overloaded", "it took too long; it may still be done")
        finally:
            self.gate.metrics.requests.labels(kind, str(status)).inc()
            self.gate.metrics.seconds.labels(kind).observe(time.perf_counter() - began_s)


async def _with_body(scope: Scope, receive: Receive, limit: int) -> Receive:
    """Read the whole body, within limits; what comes after it is passed on."""
    for name, value in scope["headers"]:
        if name == _LENGTH and (not value.isdigit() or len(value) > 12 or int(value) > limit):
            raise _Cut("too-large")
    body = await _body(receive, limit)
    given = False

    async def inside() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return inside


async def _body(receive: Receive, limit: int) -> bytes:
    parts: list[bytes] = []
    size, more = 0, True
    try:
        async with asyncio.timeout(BODY_S):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise _Cut("too-slow")
                part = message.get("body", b"")
                size += len(part)
                if size > limit:
                    raise _Cut("too-large")
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        raise _Cut("too-slow") from None
    return parts[0] if len(parts) == 1 else b"".join(parts)


def _polls(scope: Scope) -> bool:
    return scope["path"] == "/v1/claims" and b"wait=" in scope["query_string"]


async def _answer(send: Send, slug: str, detail: str = "", close: bool = False) -> None:
    body = problems.encoded(slug, detail)
    headers = [(name.lower().encode(), value.encode()) for name, value in problems.headers(slug).items()]
    headers += [(b"content-type", problems.MEDIA.encode()), (b"content-length", str(len(body)).encode())]
    if close:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": problems.PROBLEMS[slug][0], "headers": headers})
    await send({"type": "http.response.body", "body": body})
