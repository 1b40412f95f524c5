"""The service as a process: a socket, a line that says where it listens, a graceful end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI

from careapi import logs
from careapi.access import Access, drawn
from careapi.app import create_app
from careapi.care import Care
from careapi.deadline import Deadline
from careapi.knobs import Knobs
from careapi.stores import open_store
from careapi.workers import supervise
from scenarios.errors import Fault, InputError

GRACE_S = 5


@dataclass(frozen=True)
class Served:
    """What to serve and where.

    Attributes
    ----------
    store : str
        ``sqlite:PATH`` or ``postgresql://...``.
    host, port : str, int
        Where to listen; port 0: a free one.
    tokens : Path or None
        A file of tokens and secrets; None: one of each for development.
    workers : int
        Processes; above 1 on PostgreSQL alone. Each has limits, metrics and faults of its own.
    """

    store: str
    host: str = "127.0.0.1"
    port: int = 8080
    tokens: Path | None = None
    workers: int = 1
    knobs: Knobs = field(default_factory=Knobs)


def serve(what: Served, ready: Callable[[dict[str, Any]], None]) -> None:
    """Serve until SIGTERM or SIGINT, then finish what is in hand and return.

    Parameters
    ----------
    ready : callable
        Told once, when requests are answered: ``url``, ``store``, ``pid``, and for development ``token``, ``secret``.

    Raises
    ------
    AshcloudError
        If the address is taken, the file of tokens is wrong, or the store cannot be used.
    """
    told: dict[str, Any] = {}
    if what.tokens is None:
        token, secret = drawn()
        access, told = Access.for_development(token, secret), {"token": token, "secret": secret}
    else:
        access = Access.load(what.tokens)
    if what.workers > 1:
        _check_shared(what.store)
    listening = listen(what.host, what.port)
    host, port = listening.getsockname()[:2]
    told = {"url": f"http://{host}:{port}", "store": shown(what.store), "pid": os.getpid(), **told}

    def work(is_ready: Callable[[], None]) -> None:
        run(create_app(partial(open_store, what.store), access, what.knobs), listening, is_ready)

    try:
        if what.workers > 1:
            supervise(what.workers, work, partial(ready, told))
        else:
            work(partial(ready, told))
    finally:
        listening.close()


def _check_shared(store: str) -> None:
    """See that several processes may have the store, and bring its tables up to date before they start."""
    if store.startswith("sqlite:"):
        what = "a SQLite file has one process; take --workers 1, or a store in PostgreSQL"
        raise InputError(None, [Fault("--workers", what)])

    async def look() -> None:
        await (await open_store(store)).close()

    asyncio.run(look())


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; raises `InputError` if it cannot."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as fault:
        listening.close()
        why = fault.strerror or str(fault)
        raise InputError(
            None, [Fault("", f"{host}:{port} cannot be listened at ({why}); choose another --port")]
        ) from None
    listening.set_inheritable(True)
    return listening


def run(app: FastAPI, listening: socket.socket, ready: Callable[[], None]) -> None:
    """Run an application on a socket until a signal; what made its start fail is raised."""
    logs.to_stderr()
    config = uvicorn.Config(
        app, http=Deadline, lifespan="on", access_log=False, log_config=None, server_header=False,
        timeout_keep_alive=30, timeout_graceful_shutdown=GRACE_S, backlog=2048, ws="none",
    )  # fmt: skip
    failed: list[BaseException] = []
    app.router.lifespan_context = _keeping(app.router.lifespan_context, failed)
    server = _Server(config, app, ready)
    try:
        server.run(sockets=[listening])
    except SystemExit:
        if not failed:
            raise
    if failed:
        raise failed[0]


def _keeping(life: Any, failed: list[BaseException]) -> Any:
    """Keep what a start or a stop raised: the server tells only that there was something."""

    @contextlib.asynccontextmanager
    async def kept(app: FastAPI) -> Any:
        try:
            async with life(app) as state:
                yield state
        except Exception as fault:
            failed.append(fault)
            raise

    return kept


class _Server(uvicorn.Server):
    """Tells when it is ready; sends home who waits when it is to stop; ends without raising the signal again."""

    def __init__(self, config: uvicorn.Config, app: FastAPI, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._app, self._ready = app, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.should_exit:
            self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {each: signal.signal(each, self.handle_exit) for each in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for each, handler in before.items():
                signal.signal(each, handler)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        care = getattr(self._app.state, "care", None)
        if isinstance(care, Care):
            care.hub.stop()
        super().handle_exit(sig, frame)


def shown(store: str) -> str:
    """An address of a store without its password."""
    head, at, tail = store.rpartition("@")
    kind, _, user = head.partition("://")
    return f"{kind}://{user.partition(':')[0]}@{tail}" if at else store


def line(told: dict[str, Any]) -> str:
    """The ready line for machines."""
    return json.dumps(told)
