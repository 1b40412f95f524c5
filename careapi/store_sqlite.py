"""The store in one SQLite file: one thread writes, two read-only connections read, one process owns it."""

from __future__ import annotations

import asyncio
import fcntl
import os
import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TypeVar

from careapi import cases, invariants, journal
from careapi.intake import take_in
from careapi.migrations import migrate
from careapi.model import Case, Event, Mention, Receipt, Rules, StoreError, Unavailable
from careapi.tx import Job, Tx
from careapi.writer import Writer
from scenarios.names import Language

READERS = 2
T = TypeVar("T")


class SqliteStore:
    """A `Store` in a file. Takes the file for itself, brings its tables up to date, then serves.

    Parameters
    ----------
    path : Path
        The database; made if it is not there. ``<path>.lock`` beside it is held while the store is open.
    rules : Rules
        Promises, lease, reopening.
    clock : callable
        Seconds of the Unix clock.

    Raises
    ------
    StoreError
        If another process has the store, the file is no store, or a later version made it.
    """

    def __init__(self, path: Path, rules: Rules | None = None, clock: Callable[[], float] = time.time) -> None:
        self._path, self.rules, self._clock = path, rules or Rules(), clock
        self._lock = _take(path)
        try:
            last_s = _prepare(path, clock)
        except BaseException:
            os.close(self._lock)
            raise
        self.writer = Writer(partial(_connect, path), clock, last_s)
        self._here = threading.local()
        self._reading: list[sqlite3.Connection] = []  # one a thread that reads, closed with the store
        self._readers = ThreadPoolExecutor(READERS, "care-reader")

    async def add_mentions(self, mentions: Sequence[Mention]) -> list[Receipt | Exception]:
        """Keep mentions; see `Store.add_mentions`. Raises `Unavailable` if none could be kept."""
        jobs = [self._put(partial(_take_in, mention, self.rules)) for mention in mentions]
        results: list[Receipt | Exception] = []
        for result in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(result, Unavailable) or not isinstance(result, Receipt | Exception):
                raise result  # some of them may be kept; sent again, those are duplicates
            results.append(result)
        return results

    async def claim(self, agent: str, languages: Sequence[Language], capacity: int = 1) -> Case | None:
        """See `Store.claim`."""
        return await self._put(lambda db, now_s: cases.claim(db, agent, languages, capacity, self.rules, now_s))

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
        return await self.write(job)

    async def read(self, job: Job[T]) -> T:
        """See `Store.read`."""
        return await self._read(lambda db: _at_once(db, lambda: job(Tx(db, self.rules, self._clock()))))

    def listen(self, poke: Callable[[], None]) -> None:
        """See `Store.listen`."""
        loop = asyncio.get_running_loop()

        def committed() -> None:
            with suppress(RuntimeError):  # the loop may be gone before the last batch is written
                loop.call_soon_threadsafe(poke)

        self.writer.on_commit = committed

    def measure(self, told: Callable[[int, float], None]) -> None:
        """See `Store.measure`."""
        self.writer.on_batch = told

    def waiting(self) -> int:
        """See `Store.waiting`."""
        return self.writer.waiting()

    def slow_down(self, commit_s: float) -> None:
        """See `Store.slow_down`."""
        self.writer.delay_s = commit_s

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
        return await self._read(_broken)

    async def vacuum(self) -> None:
        """See `Store.vacuum`."""
        await asyncio.wrap_future(self.writer.alone(_vacuum))

    async def close(self) -> None:
        """See `Store.close`."""
        await asyncio.to_thread(self.writer.close)
        await asyncio.to_thread(self._readers.shutdown)
        while self._reading:
            self._reading.pop().close()
        os.close(self._lock)

    async def _put(self, job: Callable[[sqlite3.Connection, float], T]) -> T:
        return await asyncio.wrap_future(self.writer.put(job))

    async def _read(self, query: Callable[[sqlite3.Connection], T]) -> T:
        return await asyncio.wrap_future(self._readers.submit(self._query, query))

    def _query(self, query: Callable[[sqlite3.Connection], T]) -> T:
        if not hasattr(self._here, "db"):
            self._here.db = _connect(self._path, read_only=True)
            self._reading.append(self._here.db)
        try:
            return query(self._here.db)
        except sqlite3.OperationalError as fault:
            raise Unavailable(str(fault)) from fault


def _at_once(db: sqlite3.Connection, query: Callable[[], T]) -> T:
    """Let a query of several statements see one state of the store."""
    db.execute("BEGIN")
    try:
        return query()
    finally:
        db.execute("ROLLBACK")


def _vacuum(db: sqlite3.Connection) -> None:
    """Old pages lie in the log and in free pages of the file until both are written anew."""
    db.execute("VACUUM")
    (busy, _, _) = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    if busy:
        raise sqlite3.OperationalError("somebody reads the log; try again")


def _take_in(mention: Mention, rules: Rules, db: sqlite3.Connection, now_s: float) -> Receipt:
    return take_in(db, mention, rules, now_s)


def _broken(db: sqlite3.Connection) -> list[str]:
    faults = invariants.broken(db)
    (integrity,) = db.execute("PRAGMA quick_check(1)").fetchone()
    return faults if integrity == "ok" else [*faults, f"the file is damaged: {integrity}"]


def _take(path: Path) -> int:
    """Hold the lock file as long as the process lives; the system lets go of it when that is killed."""
    try:
        lock = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as fault:
        raise StoreError(
            f"{path} cannot be used: {fault.strerror}; name a file in a folder that can be written"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise StoreError(f"{path} is in use by another process; stop that one, or name another file") from None
    return lock


def _connect(path: Path, read_only: bool = False) -> sqlite3.Connection:
    uri = f"{path.absolute().as_uri()}?mode={'ro' if read_only else 'rwc'}"
    db = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, cached_statements=256)
    db.execute("PRAGMA busy_timeout = 5000")
    db.execute("PRAGMA foreign_keys = ON")
    if not read_only:
        db.execute("PRAGMA journal_mode = WAL")
        db.execute("PRAGMA synchronous = FULL")  # a commit is on disk, also if the machine loses power
        db.execute("PRAGMA secure_delete = ON")
    return db


def _prepare(path: Path, clock: Callable[[], float]) -> float:
    """Bring the tables up to date; returns the latest time that the store holds."""
    try:
        db = _connect(path)
        try:
            migrate(db, clock())
            (last_s,) = db.execute("SELECT coalesce(max(at_s), 0) FROM event").fetchone()
        finally:
            db.close()
    except sqlite3.DatabaseError as fault:
        raise StoreError(f"{path} is not a store: {fault}; name another file, or one that is not there yet") from None
    return float(last_s)
