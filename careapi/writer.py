"""One thread writes; whoever waits is answered after the commit, and commits are shared.

Up to 64 jobs go into one transaction, each inside a savepoint of its own: a job that fails takes
nothing of the others with it. While the disk is busy with one batch, the next one fills up.
"""

from __future__ import annotations

import queue
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from careapi.model import Unavailable

MOST_JOBS = 64
Job = Callable[[sqlite3.Connection, float], Any]
T = TypeVar("T")


@dataclass(frozen=True)
class _Order:
    job: Job
    answer: Future[Any] = field(default_factory=Future)
    alone: bool = False
    since_s: float = field(default_factory=time.monotonic)


def nobody(*_: object) -> None:
    """Nobody is told of a commit."""


class Writer:
    """Runs jobs on the one connection that writes.

    Parameters
    ----------
    connect : callable
        Opens that connection, called once, in the thread that uses it.
    clock : callable
        Seconds of the Unix clock. A step back is not followed: no job sees an earlier time than the last.
    last_s : float
        The latest time that the store holds already.
    """

    def __init__(
        self, connect: Callable[[], sqlite3.Connection], clock: Callable[[], float], last_s: float = 0.0
    ) -> None:
        self._connect, self._clock, self._last_s = connect, clock, last_s
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._kept: list[_Order] = []  # at most one, taken from the queue for the batch after this one
        self._closed = False
        self.batches = self.jobs = 0
        self.delay_s = 0.0  # a knob: each batch takes at least so long, as on a slow disk
        self.on_commit: Callable[[], None] = nobody  # called in the thread of the writer
        self.on_batch: Callable[[int, float], None] = nobody  # the same, with number of jobs and seconds
        self._oldest_s: float | None = None
        self._thread = threading.Thread(target=self._run, name="care-writer", daemon=True)
        self._thread.start()

    def waiting(self) -> int:
        """Number of jobs that no transaction has taken up yet."""
        return self._orders.qsize()

    def oldest_s(self) -> float:
        """Seconds for which the batch in hand has kept its first job waiting; 0 if none is in hand."""
        since_s = self._oldest_s
        return 0.0 if since_s is None else time.monotonic() - since_s

    def alone(self, job: Callable[[sqlite3.Connection], T]) -> Future[T]:
        """Hand in what cannot run inside a transaction; it runs between two batches."""
        return self._hand_in(_Order(lambda db, _: job(db), alone=True))

    def put(self, job: Callable[[sqlite3.Connection, float], T]) -> Future[T]:
        """Hand in a job; its future is done after the commit, or holds what went wrong.

        Raises `Unavailable` in the future if nothing of the job was kept. Thread-safe.
        """
        return self._hand_in(_Order(job))

    def _hand_in(self, order: _Order) -> Future[Any]:
        with self._lock:  # after close nothing may come behind the end mark, where nobody would answer it
            if self._closed:
                order.answer.set_exception(Unavailable("the store is closed"))
            else:
                self._orders.put(order)
        return order.answer

    def close(self) -> None:
        """Write what was handed in before, then stop; a second call does nothing."""
        with self._lock:
            first, self._closed = not self._closed, True
        if first:
            self._orders.put(None)
        self._thread.join()

    def _run(self) -> None:
        db = self._connect()
        going = True
        while going:
            batch, going = self._next_batch()
            if batch:
                self._oldest_s = min(order.since_s for order in batch)
                self._write(db, batch)
                self._oldest_s = None
        db.close()

    def _next_batch(self) -> tuple[list[_Order], bool]:
        batch: list[_Order] = []
        order = self._kept.pop() if self._kept else self._orders.get()
        while order is not None:
            if order.alone and batch:
                self._kept.append(order)
                return batch, True
            if order.answer.set_running_or_notify_cancel():
                batch.append(order)
            if len(batch) == MOST_JOBS or order.alone:
                return batch, True
            try:
                order = self._orders.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _write(self, db: sqlite3.Connection, batch: list[_Order]) -> None:
        done: list[tuple[_Order, Any, Exception | None]] = []
        if batch[0].alone:
            return self._run_alone(db, batch[0])
        began_s = time.perf_counter()
        if self.delay_s:
            time.sleep(self.delay_s)
        try:
            db.execute("BEGIN IMMEDIATE")
            self._last_s = max(self._last_s, self._clock())
            done = [(order, *_try(db, order.job, self._last_s)) for order in batch]
            db.execute("COMMIT")
        except sqlite3.Error as fault:
            if db.in_transaction:
                db.execute("ROLLBACK")
            done = [(order, None, Unavailable(str(fault))) for order in batch]
        self.batches += 1
        self.jobs += len(batch)
        self.on_batch(len(batch), time.perf_counter() - began_s)
        for order, result, error in done:
            if error is None:
                order.answer.set_result(result)
            else:
                order.answer.set_exception(error)
        self.on_commit()

    def _run_alone(self, db: sqlite3.Connection, order: _Order) -> None:
        try:
            order.answer.set_result(order.job(db, self._last_s))
        except sqlite3.Error as fault:
            order.answer.set_exception(Unavailable(str(fault)))


def _try(db: sqlite3.Connection, job: Job, now_s: float) -> tuple[Any, Exception | None]:
    db.execute("SAVEPOINT job")
    try:
        result, error = job(db, now_s), None
    except Exception as fault:
        if not db.in_transaction:
            raise sqlite3.OperationalError(str(fault)) from fault  # a full disk has undone the whole batch
        if isinstance(fault, sqlite3.OperationalError):
            raise
        db.execute("ROLLBACK TO job")
        result, error = None, fault
    db.execute("RELEASE job")
    return result, error
