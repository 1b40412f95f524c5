"""Who waits for something to happen: agents for a case, streams for the next event.

A case that becomes free wakes one agent who speaks its language; an agent who got one wakes the next,
who may find another: so a case never lies there while somebody waits for it, and a post does not wake
a hundred agents. Commits of other processes come by `Store.listen`, or are found within a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from careapi.model import EventKind, Unavailable
from careapi.store import Store
from careapi.tx import Tx
from scenarios.names import Language

FREED = frozenset(
    {EventKind.OPENED, EventKind.REOPENED, EventKind.RELEASED, EventKind.LEASE_ENDED, EventKind.TRANSFERRED,
     EventKind.OFFER_ENDED}
)  # fmt: skip
LOOK_AGAIN_S = 1.0
PAUSE_S = 0.01  # commits in so short a time are looked at together


@dataclass(eq=False)
class Waiter:
    """Somebody who waits for a case in one of his languages."""

    languages: frozenset[Language]
    woken: asyncio.Event = field(default_factory=asyncio.Event)


class Hub:
    """Tells waiters what was committed; `run` has to be running."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.stopping = asyncio.Event()
        self._committed = asyncio.Event()
        self._changed = asyncio.Event()
        self._waiters: list[Waiter] = []
        self._seq = 0

    async def run(self) -> None:
        """Look at what was committed and wake whom it concerns, until cancelled."""
        self.store.listen(self._committed.set)
        while not self.stopping.is_set():
            with suppress(TimeoutError):  # not wait_for: before Python 3.12 that may swallow a cancellation
                async with asyncio.timeout(LOOK_AGAIN_S):
                    await self._committed.wait()
            if self._committed.is_set():
                self._committed.clear()
                self._changed.set()
                self._changed = asyncio.Event()
            if self._waiters:
                with suppress(Unavailable):
                    await self._look()
            await asyncio.sleep(PAUSE_S)

    def mark(self) -> asyncio.Event:
        """A mark to look from: what is committed after it is not missed by `after`."""
        return self._changed

    async def after(self, mark: asyncio.Event, most_s: float) -> bool:
        """Wait until something may have been committed since the mark, or the service stops; False after so long."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await mark.wait()
                return True
        return False

    def stop(self) -> None:
        """Send everybody home who waits."""
        self.stopping.set()
        self._changed.set()
        for waiter in self._waiters:
            waiter.woken.set()

    @asynccontextmanager
    async def waiting(self, languages: Collection[Language]) -> AsyncIterator[Waiter]:
        """Stand in line; what is committed from here on is not missed."""
        if not self._waiters:
            self._seq = await self.store.read(last_seq)
        waiter = Waiter(frozenset(languages))
        self._waiters.append(waiter)
        try:
            yield waiter
        finally:
            self._waiters.remove(waiter)

    def wake(self, languages: Collection[Language]) -> None:
        """Wake the first who waits for one of these and was not woken yet."""
        for waiter in self._waiters:
            if not waiter.woken.is_set() and not waiter.languages.isdisjoint(languages):
                waiter.woken.set()
                return

    async def _look(self) -> None:
        while events := await self.store.events_after(self._seq, 500):
            self._seq = events[-1].seq
            freed = sorted({event.case_id for event in events if event.kind in FREED and event.case_id is not None})
            if freed:
                for language in await self.store.read(lambda tx: free_languages(tx, freed)):  # noqa: B023
                    self.wake((language,))


def last_seq(tx: Tx) -> int:
    """Number of the last event."""
    row = tx.row("SELECT coalesce(max(seq), 0) FROM event")
    assert row is not None
    return int(row[0])


def free_languages(tx: Tx, case_ids: list[int]) -> list[Language]:
    """The language of each of these cases that waits for an agent."""
    marks = ", ".join("?" * len(case_ids))
    rows = tx.rows(f"SELECT lang FROM \"case\" WHERE id IN ({marks}) AND status = 'open'", *case_ids)
    return [Language(row[0]) for row in rows]
