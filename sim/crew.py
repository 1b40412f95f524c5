"""The same job done several times, here or in several processes, with somebody watching.

Results come back in order. A Ctrl-C reaches the parent only, which may stop early and keep what has
finished; a process that dies is replaced; and if the parent dies, its processes end.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Generic, TypeVar

from scenarios.errors import RunError

MAX_LOSSES = 3
POLL_S = 0.2

R = TypeVar("R")
Tick = Callable[[float], None]
"""Hears the share done of one piece of the job, 0-1; raises to end it."""
Job = Callable[[int, Tick], R]
"""Does one piece by its place, from 0; can be pickled; calls its tick a few times a second."""


class WorkersLostError(RunError):
    """Worker processes were ended from outside, again and again."""

    exit_code = 3


class Watch:
    """What somebody who waits wants to know, and whether he has had enough. This one is silent."""

    def progress(self, share: float, finished: int) -> None:
        """Called now and then with the share done, 0-1, and the number of finished pieces."""

    def notice(self, text: str) -> None:
        """Called with what is worth saying while it goes on."""

    def stopped(self) -> bool:
        """Whether to end early; asked several times a second."""
        return False


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def each(job: Job[R], pieces: int, processes: int, watch: Watch) -> Iterator[R]:
    """Do all pieces of a job and hand over what they gave, in order.

    With one process all happens here. If `watch` stops it, only pieces that have finished are handed
    over, and there may be gaps. What a piece raises comes through.

    Raises
    ------
    WorkersLostError
        If processes die more than three times. Until then the unfinished pieces are done again, in
        half as many processes, as the usual reason is a lack of memory.
    """
    return _here(job, pieces, watch) if min(processes, pieces) <= 1 else _Crew(job, pieces, processes, watch).results()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ignore Ctrl-C meanwhile: for what takes a moment and must not be lost."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


class _StoppedError(Exception):
    """The piece was given up because nobody wants it any more."""


def _here(job: Job[R], pieces: int, watch: Watch) -> Iterator[R]:
    for place in range(pieces):

        def tick(share: float, place: int = place) -> None:
            watch.progress((place + share) / pieces, place)
            if watch.stopped():
                raise _StoppedError

        try:
            tick(0.0)
            done = job(place, tick)
        except _StoppedError:
            return
        watch.progress((place + 1) / pieces, place + 1)
        yield done


class _Crew(Generic[R]):
    """Processes that do a job; what the parent sees of each is on a board of plain numbers.

    The board holds the share done of each piece, and at its end whether all should stop. It needs no
    lock, so that a process that dies can never leave it locked.
    """

    def __init__(self, job: Job[R], pieces: int, processes: int, watch: Watch) -> None:
        self.job, self.pieces, self.watch = job, pieces, watch
        self.processes = min(processes, pieces)
        self.context = multiprocessing.get_context("spawn")
        self.board = self.context.RawArray("d", pieces + 1)
        self.done: dict[int, R] = {}
        self.given = 0

    def results(self) -> Iterator[R]:
        losses = 0
        interrupt: KeyboardInterrupt | None = None
        while self._missing() and not self.watch.stopped() and losses <= MAX_LOSSES:
            try:
                yield from self._shift()
            except BrokenProcessPool:
                losses += not self.watch.stopped()
                self._lost(losses)
            except KeyboardInterrupt as second:  # raised further only when all that has finished is handed over
                interrupt = second
                break
        yield from (self.done[place] for place in sorted(self.done) if place >= self.given)
        if interrupt is not None:
            raise interrupt
        if losses > MAX_LOSSES:
            raise WorkersLostError(
                f"worker processes were ended from outside {losses} times, {self._left()} are not done; the usual "
                "reason is too little memory: use --workers 1, or a shorter window with --hours"
            )

    def _missing(self) -> list[int]:
        return [place for place in range(self.pieces) if place not in self.done]

    def _shift(self) -> Iterator[R]:
        """Work with one pool until all is done, it breaks, or somebody stops it."""
        with TemporaryDirectory(prefix="ashcloud-") as folder:
            # Through a file: what is larger than a pipe would stop the parent for ever, should a process
            # die before it has read all of it.
            told = Path(folder) / "job"
            told.write_bytes(pickle.dumps(self.job))
            yield from self._work_with(ProcessPoolExecutor(self.processes, self.context, _begin, (self.board, told)))

    def _work_with(self, pool: ProcessPoolExecutor) -> Iterator[R]:
        try:
            with _interrupts_held():  # what starts now inherits this, and so dies of no Ctrl-C
                places = {pool.submit(_work, place): place for place in self._missing()}
            pending: set[Future[R]] = set(places)
            while pending and not self.watch.stopped():
                ended, pending = wait(pending, POLL_S, FIRST_COMPLETED)
                self._note({future: places[future] for future in ended})
                self._tell()
                yield from self._in_order()
            self._stop(pool)
            self._note({future: places[future] for future in pending if not future.cancelled()})
        except KeyboardInterrupt:
            self._stop(pool)
            self._keep({future: place for future, place in places.items() if future.done() and not future.cancelled()})
            raise
        finally:
            self._stop(pool)

    def _keep(self, ended: Mapping[Future[R], int]) -> None:
        self.done |= {place: future.result() for future, place in ended.items() if future.exception() is None}

    def _note(self, ended: Mapping[Future[R], int]) -> None:
        """Keep what has finished, then raise what went wrong."""
        self._keep(ended)
        wrong = [error for future in ended if (error := future.exception()) is not None]
        for error in wrong:
            if not isinstance(error, _StoppedError):
                raise error

    def _in_order(self) -> Iterator[R]:
        while self.given in self.done:
            self.given += 1
            yield self.done[self.given - 1]

    def _tell(self) -> None:
        shares = sum(1.0 if place in self.done else self.board[place] for place in range(self.pieces))
        self.watch.progress(shares / self.pieces, len(self.done))

    def _stop(self, pool: ProcessPoolExecutor) -> None:
        """Let no piece begin and each end at its next tick; a second Ctrl-C does not wait for that."""
        self.board[-1] = 1.0
        try:
            pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            raise
        self.board[-1] = 0.0

    def _left(self) -> str:
        return f"{len(self._missing())} of {self.pieces} runs"

    def _lost(self, losses: int) -> None:
        if self.watch.stopped() or losses > MAX_LOSSES:
            return
        self.processes = max(1, self.processes // 2)
        self.board[:] = [0.0] * len(self.board)
        many = "1 process" if self.processes == 1 else f"{self.processes} processes"
        self.watch.notice(f"a worker process was ended from outside; {self._left()} are done again, in {many}")


# --- inside a worker ----------------------------------------------------------------------------

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


def _work(place: int) -> Any:
    def tick(share: float) -> None:
        _BOARD[place] = share
        if _BOARD[-1]:
            raise _StoppedError

    tick(0.0)
    return _JOB(place, tick)


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
