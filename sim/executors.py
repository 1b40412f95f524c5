"""Where blocks of a job are done: threads or processes here, or a cluster (`sim.cluster`).

The seam is that of `concurrent.futures`: a block goes out, a future comes back. What differs is how
a piece says how far it is, how it hears that it should stop, and what is lost when a worker dies.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, Protocol, TypeVar

R = TypeVar("R")
R_co = TypeVar("R_co", covariant=True)
Tick = Callable[[float], None]
"""Hears the share done of one piece of the job, 0-1; raises to end it."""
Job = Callable[[int, Tick], R]
"""Does one piece by its place, from 0; can be pickled; calls its tick a few times a second."""


@dataclass(frozen=True)
class Block(Generic[R]):
    """What came of some pieces: the results by place, and the seconds that they took.

    Pieces that were given up because somebody stopped the crew are left out.
    """

    done: dict[int, R]
    seconds: float


class StoppedError(Exception):
    """The piece was given up because nobody wants it any more."""


class Hands(Protocol[R]):
    """Workers that are ready for one job.

    `at_once` is how many blocks they do at a time, `lost` are the errors of a future whose worker
    died, or was lost.
    """

    at_once: int
    lost: tuple[type[BaseException], ...]

    def submit(self, places: tuple[int, ...]) -> Future[Block[R]]:
        """Send out a block."""

    def share(self, place: int) -> float:
        """How much of a piece is done, 0-1, as far as that is known here."""

    def look(self) -> None:
        """Called a few times a second; raises an error of `lost` if there is nobody left to wait for."""

    def stop(self) -> None:
        """Let no block begin and each piece end at its next tick; returns when all have."""


class Executor(Protocol):
    """A place where a job can be done."""

    def hands(self, job: Job[R], pieces: int) -> AbstractContextManager[Hands[R]]:
        """Workers for a job of so many pieces; they end with the block."""

    def after_loss(self) -> Executor | None:
        """What to go on with when a worker has died: with fewer; None: this was the last attempt."""

    def words(self) -> str:
        """What there is of it, such as "2 processes"."""


def work(job: Job[R], places: Sequence[int], tick_of: Callable[[int], Tick]) -> Block[R]:
    """Do the pieces of a block one after the other, up to the one that is stopped."""
    begun, done = time.perf_counter(), {}
    try:
        for place in places:
            tick = tick_of(place)
            tick(0.0)
            done[place] = job(place, tick)
    except StoppedError:
        pass
    return Block(done, time.perf_counter() - begun)


# --- threads ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Threads:
    """Threads of this process: nothing to start, nothing to send; compiled code lets them run at once."""

    count: int

    @contextmanager
    def hands(self, job: Job[R], pieces: int) -> Iterator[Hands[R]]:
        hands = _Threaded(job, self.count)
        try:
            yield hands
        finally:
            hands.stop()

    def after_loss(self) -> Executor | None:
        return None

    def words(self) -> str:
        return _counted(self.count, "thread", "threads")


class _Threaded(Generic[R]):
    lost: tuple[type[BaseException], ...] = ()

    def __init__(self, job: Job[R], count: int) -> None:
        self.at_once, self._job = count, job
        self._shares: dict[int, float] = {}
        self._ending = threading.Event()
        self._pool = ThreadPoolExecutor(count, "ashcloud")

    def submit(self, places: tuple[int, ...]) -> Future[Block[R]]:
        return self._pool.submit(work, self._job, places, self._tick_of)

    def _tick_of(self, place: int) -> Tick:
        def tick(share: float) -> None:
            self._shares[place] = share
            if self._ending.is_set():
                raise StoppedError

        return tick

    def share(self, place: int) -> float:
        return self._shares.get(place, 0.0)

    def look(self) -> None:
        """Threads do not get lost."""

    def stop(self) -> None:
        self._ending.set()
        self._pool.shutdown(wait=True, cancel_futures=True)


# --- processes ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Processes:
    """Processes of this machine: one that dies costs what it has in hand; when the parent dies they end."""

    count: int

    @contextmanager
    def hands(self, job: Job[R], pieces: int) -> Iterator[Hands[R]]:
        with TemporaryDirectory(prefix="ashcloud-") as folder:
            # Through a file: what is larger than a pipe would stop the parent for ever, should a process
            # die before it has read all of it.
            told = Path(folder) / "job"
            told.write_bytes(pickle.dumps(job))
            hands: _Forked[R] = _Forked(told, pieces, self.count)
            try:
                yield hands
            finally:
                hands.stop()

    def after_loss(self) -> Executor | None:
        return Processes(max(1, self.count // 2))

    def words(self) -> str:
        return _counted(self.count, "process", "processes")


class _Forked(Generic[R]):
    """What the parent sees of each piece is on a board of plain numbers.

    The board holds the share done of each piece, and at its end whether all should stop. It needs no
    lock, so that a process that dies can never leave it locked.
    """

    lost: tuple[type[BaseException], ...] = (BrokenProcessPool,)

    def __init__(self, told: Path, pieces: int, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self.at_once = count
        self._board = context.RawArray("d", pieces + 1)
        self._pool = ProcessPoolExecutor(count, context, _begin, (self._board, told))

    def submit(self, places: tuple[int, ...]) -> Future[Block[R]]:
        with _interrupts_held():  # what starts now inherits this, and so dies of no Ctrl-C
            return self._pool.submit(_work, places)

    def share(self, place: int) -> float:
        return float(self._board[place])

    def look(self) -> None:
        """A process that dies breaks the pool, and so its futures."""

    def stop(self) -> None:
        """A second Ctrl-C does not wait for the next ticks."""
        self._board[-1] = 1.0
        try:
            self._pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            for process in list((getattr(self._pool, "_processes", None) or {}).values()):
                process.terminate()
            raise


_BOARD: Any = None
_JOB: Any = None


def _begin(board: Any, told: Path) -> None:
    """In a new process: what to do, no Ctrl-C here, and an end when the parent's has come."""
    global _BOARD, _JOB
    _BOARD, _JOB = board, pickle.loads(told.read_bytes())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(places: tuple[int, ...]) -> Any:
    return work(_JOB, places, _tick_of)


def _tick_of(place: int) -> Tick:
    def tick(share: float) -> None:
        _BOARD[place] = share
        if _BOARD[-1]:
            raise StoppedError

    return tick


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Keep a Ctrl-C that comes meanwhile until afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _counted(n: int, one: str, many: str) -> str:
    return f"1 {one}" if n == 1 else f"{n} {many}"
