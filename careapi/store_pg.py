"""The store in PostgreSQL: several processes may serve it at once.

One connection writes, one claims, one listens, the others read. The rules are those of the SQLite store (see
`pg_bridge`); only intake and claims, which are hot, have statements of their own.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, TypeVar

import asyncpg

from careapi import cases, invariants, journal
from careapi.database import Database
from careapi.intake import take_in
from careapi.model import Case, Event, Mention, Receipt, Rules, StoreError, Unavailable
from careapi.pg_bridge import PgDatabase, bridged
from careapi.pg_claims import PassedOver, SideBySide, lock_agents
from careapi.pg_intake import take_in_many
from careapi.pg_link import Link, Links, Lost
from careapi.pg_listener import Listener
from careapi.pg_migrations import migrate
from careapi.pg_writer import TOGETHER, PgWriter
from careapi.tx import Job, Tx
from scenarios.names import Language

POOL = 8
_SNAPSHOT = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
T = TypeVar("T")


class PostgresStore:
    """A `Store` in a PostgreSQL database; made by `PostgresStore.open`."""

    def __init__(self, dsn: str, rules: Rules, clock: Callable[[], float]) -> None:
        self.rules, self._clock = rules, clock
        self.writer = PgWriter(Link(dsn), clock, at_one_go=self._take_in_many)
        self.claimer = PgWriter(Link(dsn), clock, begin=TOGETHER, first=lock_agents)
        self._readers = Links(dsn, POOL - 3)
        self._listener = Listener(dsn)

    @classmethod
    async def open(cls, dsn: str, rules: Rules | None = None, clock: Callable[[], float] = time.time) -> PostgresStore:
        """Bring the tables of a database up to date, then serve.

        Parameters
        ----------
        dsn : str
            ``postgresql://user:password@host:port/database``.
        rules : Rules
            Promises, lease, reopening; the same in each process that serves the database.
        clock : callable
            Seconds of the Unix clock.

        Raises
        ------
        StoreError
            If there is no such database, it cannot be entered, or a later version made its tables.
        """
        link = Link(dsn)
        try:
            await link.ready()
            await migrate(link, clock())
        except (Unavailable, Lost) as fault:
            raise StoreError(f"{fault}; see that PostgreSQL runs there and the database exists") from None
        finally:
            await link.close()
        return cls(dsn, rules or Rules(), clock)

    async def add_mentions(self, mentions: Sequence[Mention]) -> list[Receipt | Exception]:
        """Keep mentions; see `Store.add_mentions`. Raises `Unavailable` if none could be kept."""
        jobs = [self.writer.put(partial(self._take_in, mention), mention) for mention in mentions]
        results: list[Receipt | Exception] = []
        for result in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(result, Unavailable) or not isinstance(result, Receipt | Exception):
                raise result  # some of them may be kept; sent again, those are duplicates
            results.append(result)
        return results

    async def claim(self, agent: str, languages: Sequence[Language], capacity: int = 1) -> Case | None:
        """See `Store.claim`."""
        return await self.hand_out(agent, lambda tx: tx.claim(agent, languages, capacity))

    async def release(self, case_id: int, agent: str, version: int) -> Case:
        """See `Store.release`."""
        return await self._put(lambda db, now_s: cases.release(db, case_id, agent, version, now_s))

    async def resolve(self, case_id: int, agent: str, version: int, reason: str) -> Case:
        """See `Store.resolve`."""
        return await self._put(lambda db, now_s: cases.resolve(db, case_id, agent, version, reason, now_s))

    async def write(self, job: Job[T]) -> T:
        """See `Store.write`."""
        return await self._put(lambda db, now_s: job(Tx(db, self.rules, now_s)))

    async def hand_out(self, agent: str, job: Job[T]) -> T:
        """See `Store.hand_out`."""
        try:
            return await self.claimer.put(lambda db, now_s: job(SideBySide(db, self.rules, now_s)), agent)
        except PassedOver:  # others held the heads of all his queues for a moment: once more without them
            return await self.write(job)

    async def read(self, job: Job[T]) -> T:
        """See `Store.read`."""
        return await self._read(lambda db: job(Tx(db, self.rules, self._clock())))

    def listen(self, poke: Callable[[], None]) -> None:
        """See `Store.listen`."""
        self.writer.on_commit = self.claimer.on_commit = poke
        self._listener.start(poke)

    def measure(self, told: Callable[[int, float], None]) -> None:
        """See `Store.measure`."""
        self.writer.on_batch = self.claimer.on_batch = told

    def waiting(self) -> int:
        """See `Store.waiting`."""
        return self.writer.waiting() + self.claimer.waiting()

    def slow_down(self, commit_s: float) -> None:
        """See `Store.slow_down`."""
        self.writer.delay_s = self.claimer.delay_s = commit_s

    async def vacuum(self) -> None:
        """See `Store.vacuum`. Old rows that another transaction can still see stay until the next time."""
        async with self._readers.one() as link:
            await link.ready()
            await link.run("VACUUM (FULL)")

    async def end_leases(self) -> int:
        """See `Store.end_leases`."""
        return await self._put(cases.end_leases)

    async def case(self, case_id: int) -> Case | None:
        """See `Store.case`."""
        return await self._read(lambda db: cases.case(db, case_id))

    async def events_after(self, seq: int, limit: int = 200) -> list[Event]:
        """See `Store.events_after`."""
        return await self._read(lambda db: journal.events_after(db, seq, limit))

    async def broken(self) -> list[str]:
        """See `Store.broken`."""
        return await self._read(invariants.broken)

    async def close(self) -> None:
        """See `Store.close`."""
        await self.writer.close()
        await self.claimer.close()
        await self._listener.close()
        await self._readers.close()

    def _take_in(self, mention: Mention, db: Database, now_s: float) -> Receipt:
        return take_in(db, mention, self.rules, now_s)

    def _take_in_many(self, db: PgDatabase, mentions: list[Any], now_s: float) -> list[Receipt]:
        return take_in_many(db, mentions, self.rules, now_s)

    async def _put(self, job: Callable[[Database, float], T]) -> T:
        return await self.writer.put(job)

    async def _read(self, query: Callable[[Database], T]) -> T:
        """Run a query on one snapshot; once more on a new connection if the old one was lost."""
        async with self._readers.one() as link:
            for again in (True, False):
                try:
                    await link.ready()
                    await link.run(_SNAPSHOT)
                    result = await bridged(query, PgDatabase(link))
                    await link.run("COMMIT")
                    return result
                except Lost as fault:
                    if not again:
                        raise Unavailable(f"the connection to the database was lost: {fault}") from fault
                except asyncpg.PostgresError as fault:
                    await link.drop()
                    raise Unavailable(str(fault)) from fault
                except BaseException:
                    await link.drop()
                    raise
        raise AssertionError("not reached")
