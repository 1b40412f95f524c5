"""The service behind the addresses: the store, who waits, what is broken on purpose, what is done now and then."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from careapi import board, crisis, learning, once, payments, presence
from careapi.access import Access
from careapi.crisis import Crisis
from careapi.hub import Hub
from careapi.knobs import Faults, Knobs
from careapi.logs import LOG
from careapi.metrics import Metrics
from careapi.model import Mention, Receipt, Unavailable
from careapi.store import Store
from careapi.tx import Job, Tx

T = TypeVar("T")
TICK_S = 0.5
FORGET_S = 600.0
REFUSED_S = 2.0


class Care:
    """One running service.

    Parameters
    ----------
    store : Store
        Open; closed by whoever opened it.
    access : Access
        Tokens and secrets.
    knobs : Knobs
    clock : callable
        Seconds of the Unix clock, for signatures.
    """

    def __init__(
        self, store: Store, access: Access, knobs: Knobs, metrics: Metrics, clock: Callable[[], float] = time.time
    ) -> None:
        self.store, self.access, self.knobs, self.metrics, self.clock = store, access, knobs, metrics, clock
        self.faults = Faults()
        self.crisis = Crisis()
        self.backlog = board.Backlog()
        self._usual = store.rules
        self.hub = Hub(store)
        self._tasks: list[asyncio.Task[None]] = []
        self._refused_s = -math.inf
        self._ready: tuple[float, str] = (-1.0, "")

    async def write(self, job: Job[T]) -> T:
        """Run a job that changes something; raises `Unavailable` if nothing could be kept."""
        return await self._watched(lambda: self.store.write(job))

    async def hand_out(self, agent: str, job: Job[T]) -> T:
        """Run a job that changes no case but by claiming for that agent."""
        return await self._watched(lambda: self.store.hand_out(agent, job))

    async def read(self, job: Job[T]) -> T:
        """Run a job that only reads."""
        return await self.store.read(job)

    async def take_in(self, mentions: Sequence[Mention]) -> list[Receipt | Exception]:
        """Keep mentions; see `Store.add_mentions`."""
        return await self._watched(lambda: self.store.add_mentions(mentions))

    async def _watched(self, work: Callable[[], Awaitable[T]]) -> T:
        """Remember when a write was refused, until one succeeds: a probe is small and may fit where a post does not."""
        try:
            self._check_disk()
            done = await work()
        except Unavailable:
            self._refused_s = time.monotonic()
            raise
        self._refused_s = -math.inf
        return done

    def _check_disk(self) -> None:
        if self.faults.disk == "full":
            raise Unavailable("the disk is full (a fault switched on)")

    def turn(self, new: Crisis) -> None:
        """Work by the switch from here on."""
        self.crisis, self.store.rules = new, crisis.rules(self._usual, new)

    async def unready(self) -> str:
        """Why the service should get no traffic; empty if it should. Writes something, at most once a second."""
        if self.hub.stopping.is_set():
            return "stopping"
        if time.monotonic() - self._refused_s < REFUSED_S:
            return "a write was refused just now"
        at_s, why = self._ready
        if time.monotonic() - at_s > 1.0 or why:
            why = ""
            try:
                async with asyncio.timeout(2.0):
                    self._check_disk()
                    await self.store.write(_mark)
            except Unavailable as fault:
                why = f"nothing can be written: {fault}"
            except TimeoutError:
                why = "writing takes too long"
            self._ready = (time.monotonic(), why)
        if not why and self.store.waiting() > self.knobs.most_waiting:
            return "too many writes waiting"
        return why

    def start(self) -> None:
        """Begin what is done in the background."""
        for name, work in (("hub", self.hub.run), ("tick", self._tick)):
            self._tasks.append(asyncio.create_task(work(), name=f"care-{name}"))

    async def stop(self) -> None:
        """Send home who waits and end what was begun by `start`."""
        self.hub.stop()
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks.clear()

    async def _tick(self) -> None:
        forgot_s = time.monotonic()
        while True:
            await asyncio.sleep(TICK_S)
            try:
                await self._do_now_and_then()
                if time.monotonic() - forgot_s > FORGET_S:
                    forgot_s = time.monotonic()
                    await self.store.write(once.forget)
            except Unavailable as fault:
                LOG.warning("unavailable", extra={"told": {"why": str(fault)}})
            except Exception:
                LOG.exception("tick failed")

    async def _do_now_and_then(self) -> None:
        self.turn(await self.read(crisis.load))  # another process may have turned it
        offered = await self.store.write(lambda tx: presence.push(tx, lambda langs: crisis.served(self.crisis, langs)))
        ended = await self.store.end_leases()
        if offered:
            LOG.info("cases offered", extra={"told": {"cases": offered}})
        if ended:
            LOG.info("leases ended", extra={"told": {"cases": ended}})
        await self.store.write(payments.expire)
        held = self.faults.held
        await self.store.write(lambda tx: learning.deliver(tx, held))
        if self.backlog.is_due(self.clock()):
            self.backlog.add(await self.read(board.sample))


def _mark(tx: Tx) -> None:
    changed = tx.run("UPDATE setting SET at_s = ? WHERE name = 'ready'", tx.now_s)
    if not changed:
        tx.run(
            "INSERT INTO setting (name, value, at_s, actor) VALUES ('ready', '{}', ?, 'service')"
            " ON CONFLICT DO NOTHING",
            tx.now_s,
        )
