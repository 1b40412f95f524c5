"""Writes to PostgreSQL: many jobs in one transaction, and none of them done twice if the connection breaks.

The processes of a service take turns: a transaction that changes anything holds one advisory lock until its
commit, so the rules may read and then write as if they were alone. Claims hold it together (see `pg_claims`).
Commits are shared by up to 64 jobs; each has a savepoint of its own, so one that fails takes nothing along.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import asyncpg

from careapi.model import Unavailable
from careapi.pg_bridge import PgDatabase, bridged
from careapi.pg_link import Link, Lost
from careapi.writer import nobody

MOST_JOBS = 64
CHANNEL = "care_events"
TURN = 7_203_001  # the advisory lock by which writers take turns
ALONE = f"BEGIN; SELECT pg_advisory_xact_lock({TURN})"
TOGETHER = f"BEGIN; SELECT pg_advisory_xact_lock_shared({TURN})"
JOURNAL = """
WITH last AS (
    UPDATE journal SET seq = seq + cardinality($2::text[]), at_s = greatest(at_s, $5) RETURNING seq, at_s
), told AS (
    INSERT INTO event (seq, case_id, kind, at_s, actor, data)
    SELECT last.seq - cardinality($2::text[]) + e.n, e.case_id, e.kind, last.at_s, e.actor, e.data
    FROM last, unnest($1::bigint[], $2::text[], $3::text[], $4::text[]) WITH ORDINALITY
        AS e (case_id, kind, actor, data, n)
)
SELECT pg_current_xact_id()::text, pg_notify($6, '') FROM last"""
FINISH = """
SELECT number::text, CASE WHEN number IS NOT NULL THEN pg_notify($1, '') END
FROM (SELECT pg_current_xact_id_if_assigned() AS number) AS this"""
_SAVE, _NEXT, _UNDO = "SAVEPOINT job", "RELEASE SAVEPOINT job; SAVEPOINT job", "ROLLBACK TO SAVEPOINT job"
_BUSY = (
    asyncpg.InsufficientResourcesError,
    asyncpg.LockNotAvailableError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
)
T = TypeVar("T")
Job = Callable[[PgDatabase, float], Any]


@dataclass(frozen=True)
class Order:
    """A job, and the future of what it returns; `topic` is what jobs done at one go have in common."""

    job: Job
    answer: asyncio.Future[Any]
    topic: Any = None
    since_s: float = field(default_factory=time.monotonic)


Done = list[tuple[Order, Any, Exception | None]]


class PgWriter:
    """Runs jobs on a connection of its own, in the order in which they came.

    Parameters
    ----------
    link : Link
        The connection.
    clock : callable
        Seconds of the Unix clock. No job sees an earlier time than the last event of the store.
    begin : str
        How a transaction begins: `ALONE` or `TOGETHER`.
    first : callable or None
        Called with the topics of a batch before its jobs.
    at_one_go : callable or None
        Does all orders with a topic together; called with the database, their topics and the time.
    """

    def __init__(
        self,
        link: Link,
        clock: Callable[[], float],
        begin: str = ALONE,
        first: Callable[[PgDatabase, list[Any]], None] | None = None,
        at_one_go: Callable[[PgDatabase, list[Any], float], list[Any]] | None = None,
    ) -> None:
        self._link, self._clock, self._begin = link, clock, begin
        self._first, self._at_one_go = first, at_one_go
        self._orders: deque[Order] = deque()
        self._come = asyncio.Event()
        self._closed = False
        self._changed = False  # whether the last transaction changed anything
        self._touched = False  # whether a job has done something since the savepoint
        self.batches = self.jobs = 0
        self.delay_s = 0.0  # a knob: each batch takes at least so long, as on a slow disk
        self.on_commit: Callable[[], None] = nobody
        self.on_batch: Callable[[int, float], None] = nobody  # with number of jobs and seconds
        self._oldest_s: float | None = None
        self._task = asyncio.get_running_loop().create_task(self._run(), name="care-writer")

    def waiting(self) -> int:
        """Number of jobs that no transaction has taken up yet."""
        return len(self._orders)

    def oldest_s(self) -> float:
        """Seconds for which the batch in hand has kept its first job waiting; 0 if none is in hand."""
        return 0.0 if self._oldest_s is None else time.monotonic() - self._oldest_s

    def put(self, job: Callable[[PgDatabase, float], T], topic: Any = None) -> asyncio.Future[T]:
        """Hand in a job; its future is done after the commit, or holds what went wrong."""
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        if self._closed:
            answer.set_exception(Unavailable("the store is closed"))
        else:
            self._orders.append(Order(job, answer, topic))
            self._come.set()
        return answer

    async def close(self) -> None:
        """Write what was handed in before, then stop."""
        self._closed = True
        self._come.set()
        await self._task
        await self._link.close()

    async def _run(self) -> None:
        while self._orders or not self._closed:
            if not self._orders:
                self._come.clear()
                await self._come.wait()
                continue
            batch = [self._orders.popleft() for _ in range(min(MOST_JOBS, len(self._orders)))]
            batch = [order for order in batch if not order.answer.done()]  # whoever asked has gone away
            if batch:
                self._oldest_s = min(order.since_s for order in batch)
                began_s = time.perf_counter()
                await asyncio.sleep(self.delay_s)
                _answer(await self._write(batch))
                self._oldest_s = None
                self.batches += 1
                self.jobs += len(batch)
                self.on_batch(len(batch), time.perf_counter() - began_s)
                if self._changed:
                    self.on_commit()

    async def _write(self, batch: list[Order]) -> Done:
        fault: Exception = Unavailable("nothing was tried")
        for _ in range(2):  # once more on a new connection
            try:
                return await self._transaction(batch)
            except Lost as lost:
                fault = Unavailable(f"the connection to the database was lost: {lost}")
            except asyncpg.DeadlockDetectedError as knot:  # of two keys at two processes, crosswise
                await self._link.drop()
                fault = Unavailable(str(knot))
            except Unavailable as away:
                await self._link.drop()
                fault = away
                break
            except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                await self._link.drop()
                fault = Unavailable(str(error))
                break
            except Exception as bug:  # of a rule, outside any job's own savepoint: told, and the writer lives on
                await self._link.drop()
                fault = bug
                break
        return [(order, None, fault) for order in batch]

    async def _transaction(self, batch: list[Order]) -> Done:
        await self._link.ready()
        await self._link.run(self._begin)
        ((last_s,),) = await self._link.fetch("SELECT at_s FROM journal")
        now_s = max(self._clock(), last_s)
        db = PgDatabase(self._link)
        if self._first is not None:
            await bridged(self._first, db, [order.topic for order in batch])
        await self._link.run(_SAVE)
        self._touched = False
        done = await self._jobs(db, batch, now_s)
        number = await self._journal(db.events, now_s)
        self._changed = number is not None
        try:
            status = await self._link.run("COMMIT")
        except Lost:
            if not await self._was_committed(number):
                raise
        else:
            if status != "COMMIT":  # a transaction that failed ends by being rolled back, without a fault
                raise Unavailable("the transaction failed")
        return done

    async def _jobs(self, db: PgDatabase, batch: list[Order], now_s: float) -> Done:
        if self._at_one_go is None:
            return [await self._one(db, order, now_s) for order in batch]
        done: Done = []
        while batch:
            run = next((n for n, order in enumerate(batch) if order.topic is None), len(batch))
            if run:
                done += await self._together(db, batch[:run], now_s)
            else:
                run, one = 1, await self._one(db, batch[0], now_s)
                done.append(one)
            batch = batch[run:]
        return done

    async def _together(self, db: PgDatabase, orders: list[Order], now_s: float) -> Done:
        assert self._at_one_go is not None
        try:
            results = await self._saved(db, self._at_one_go, [order.topic for order in orders], now_s)
        except (Lost, Unavailable, *_BUSY):
            raise
        except (asyncpg.PostgresError, asyncpg.InterfaceError):  # a bad one among them: each by itself
            return [await self._one(db, order, now_s) for order in orders]
        return [(order, result, None) for order, result in zip(orders, results, strict=True)]

    async def _one(self, db: PgDatabase, order: Order, now_s: float) -> tuple[Order, Any, Exception | None]:
        for again in (True, False):
            try:
                return order, await self._saved(db, order.job, now_s), None
            except asyncpg.UniqueViolationError as fault:  # somebody else was quicker: what he wrote is seen now
                if not again:
                    return order, None, fault
            except (Lost, Unavailable, *_BUSY):
                raise
            except asyncpg.DataError:  # its words hold the value
                return order, None, ValueError("a value that the database cannot keep")
            except Exception as fault:
                return order, None, fault
        raise AssertionError("not reached")

    async def _saved(self, db: PgDatabase, job: Callable[..., Any], *given: Any) -> Any:
        """Run a job inside a savepoint; what it did and told is undone if it fails."""
        told = len(db.events)
        if self._touched:
            await self._link.run(_NEXT)
        try:
            self._touched = True
            return await bridged(job, db, *given)
        except (Lost, Unavailable, *_BUSY):
            raise
        except Exception:
            del db.events[told:]
            await self._link.run(_UNDO)
            self._touched = False
            raise

    async def _journal(self, events: list[Sequence[Any]], now_s: float) -> str | None:
        """Number and store the events, and wake who listens; returns the number of the transaction, if it has one."""
        if not events:
            ((number, _),) = await self._link.fetch(FINISH, (CHANNEL,))
        else:
            cases, kinds, _, actors, data = (list(column) for column in zip(*events, strict=True))
            ((number, _),) = await self._link.fetch(JOURNAL, (cases, kinds, actors, data, now_s, CHANNEL))
        return None if number is None else str(number)

    async def _was_committed(self, number: str | None) -> bool:
        """Ask the server what became of a transaction whose commit got no answer."""
        if number is None:
            return True  # it had changed nothing
        for _ in range(20):
            await self._link.ready()
            try:
                ((status,),) = await self._link.fetch(f"SELECT pg_xact_status('{int(number)}'::xid8)")
            except asyncpg.InvalidParameterValueError:  # the server came back without having heard of it
                return False
            except Lost:
                continue
            if status != "in progress":
                return bool(status == "committed")
            await asyncio.sleep(0.1)
        raise Unavailable("the database does not say whether the last transaction was committed")


def _answer(done: Done) -> None:
    for order, result, error in done:
        if order.answer.done():
            continue
        if error is None:
            order.answer.set_result(result)
        else:
            order.answer.set_exception(error)
