"""The same job done several times, here or by workers elsewhere, with somebody watching.

Results come back in order. Work goes out in blocks of about a second. A Ctrl-C reaches the parent
only, which may stop early and keep what has finished; a worker that dies is replaced.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import contextmanager
from typing import Generic

from scenarios.errors import RunError
from sim.executors import Block, Executor, Hands, Job, Processes, R, StoppedError, Threads, Tick, work

__all__ = ["Job", "Processes", "Threads", "Tick", "Watch", "WorkersLostError", "cores", "each", "undisturbed"]

MAX_LOSSES = 3
POLL_S = 0.2
BLOCK_S = 1.0  # long beside what sending it costs, short beside what is lost with it
AHEAD = 2  # blocks sent for each that can be done at once, so that nobody waits for the next


class WorkersLostError(RunError):
    """Workers were ended from outside, again and again, or all that there were."""

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


def each(
    job: Job[R],
    pieces: int,
    executor: Executor,
    watch: Watch,
    finished: Callable[[Sequence[R]], None] = lambda results: None,
) -> Iterator[R]:
    """Do all pieces of a job and hand over what they gave, in order.

    Threads or processes that are one, or would have one piece to do, are spared: all happens here. If
    `watch` stops it, only pieces that have finished are handed over, and there may be gaps. What a
    piece raises comes through.

    Parameters
    ----------
    job : callable
    pieces : int
        The job is called with the places 0 to `pieces` - 1.
    executor : Executor
    watch : Watch
    finished : callable
        Called here with the results of each block as soon as it is done, in any order.

    Raises
    ------
    WorkersLostError
        If processes die more than three times, or a cluster has lost its workers. Until then the
        unfinished pieces are done again, in half as many processes, as the usual reason is a lack of
        memory.
    """
    if isinstance(executor, Threads | Processes) and min(executor.count, pieces) <= 1:
        return _here(job, pieces, watch, finished)
    return _Crew(job, pieces, executor, watch, finished).results()


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


def _here(job: Job[R], pieces: int, watch: Watch, finished: Callable[[Sequence[R]], None]) -> Iterator[R]:
    def tick_of(place: int) -> Tick:
        def tick(share: float) -> None:
            watch.progress((place + share) / pieces, place)
            if watch.stopped():
                raise StoppedError

        return tick

    for place in range(pieces):
        block = work(job, [place], tick_of)
        if place not in block.done:
            return
        finished([block.done[place]])
        watch.progress((place + 1) / pieces, place + 1)
        yield block.done[place]


class _Crew(Generic[R]):
    """Keeps workers busy with blocks, and what they give until it is its turn."""

    def __init__(
        self, job: Job[R], pieces: int, executor: Executor, watch: Watch, finished: Callable[[Sequence[R]], None]
    ) -> None:
        self.job, self.pieces, self.executor, self.watch, self.finished = job, pieces, executor, watch, finished
        self.done: dict[int, R] = {}
        self.given = 0  # so many are handed over, in order, and forgotten
        self.piece_s: float | None = None

    def results(self) -> Iterator[R]:
        losses = 0
        interrupt: KeyboardInterrupt | None = None
        lost: WorkersLostError | None = None
        while self._missing() and not self.watch.stopped() and lost is None:
            try:
                yield from self._shift()
            except _LossError as loss:
                losses += not self.watch.stopped()
                lost = self._lost(losses, loss)
            except KeyboardInterrupt as second:  # raised further only when all that has finished is handed over
                interrupt = second
                break
        yield from (self.done[place] for place in sorted(self.done))
        if interrupt is not None:
            raise interrupt
        if lost is not None:
            raise lost

    def _missing(self) -> list[int]:
        return [place for place in range(self.given, self.pieces) if place not in self.done]

    def _shift(self) -> Iterator[R]:
        """Work with one set of workers until all is done, they are lost, or somebody stops it."""
        missing = self._missing()[::-1]
        pending: dict[Future[Block[R]], tuple[int, ...]] = {}
        with self.executor.hands(self.job, self.pieces) as hands:
            try:
                while (missing or pending) and not self.watch.stopped():
                    while missing and len(pending) < AHEAD * hands.at_once:
                        places = tuple(missing.pop() for _ in range(self._size(len(missing), hands.at_once)))
                        pending[hands.submit(places)] = places
                    ended, _ = wait(pending, POLL_S, FIRST_COMPLETED)
                    for future in ended:
                        del pending[future]
                    self._note(ended)
                    self._tell(hands, pending)
                    yield from self._in_order()
                    hands.look()
                hands.stop()
                self._note([future for future in pending if future.done() and not future.cancelled()])
            except hands.lost as error:
                raise _LossError from error
            except KeyboardInterrupt:
                hands.stop()
                self._keep([future for future in pending if future.done()])
                raise

    def _size(self, missing: int, at_once: int) -> int:
        """Pieces of the next block: about a second's work, and something left for everybody at the end."""
        if self.piece_s is None:
            return 1
        fair = max(1, missing // (AHEAD * at_once))
        return max(1, min(int(BLOCK_S / max(self.piece_s, 1e-6)), fair))

    def _keep(self, ended: Iterable[Future[Block[R]]]) -> None:
        whole = [future for future in ended if not future.cancelled() and future.exception() is None]
        for block in [future.result() for future in whole]:
            if not block.done:
                continue
            # In this order, so that a Ctrl-C in between leaves out what is not stored.
            self.finished([block.done[place] for place in sorted(block.done)])
            self.done |= block.done
            self.piece_s = block.seconds / len(block.done)

    def _note(self, ended: Collection[Future[Block[R]]]) -> None:
        """Keep what has finished, then raise what went wrong."""
        self._keep(ended)
        for future in ended:
            future.result()

    def _in_order(self) -> Iterator[R]:
        while self.given in self.done:
            self.given += 1
            yield self.done.pop(self.given - 1)

    def _tell(self, hands: Hands[R], pending: Mapping[Future[Block[R]], tuple[int, ...]]) -> None:
        whole = self.given + len(self.done)
        shares = whole + sum(hands.share(place) for places in pending.values() for place in places)
        self.watch.progress(min(shares / self.pieces, 1.0), whole)

    def _lost(self, losses: int, loss: _LossError) -> WorkersLostError | None:
        """Go on with fewer workers; or the error with which to end."""
        if self.watch.stopped():
            return None
        fewer = self.executor.after_loss()
        left = f"{len(self._missing())} of {self.pieces} runs"
        if fewer is None:
            why = str(loss.__cause__) or type(loss.__cause__).__name__
            return WorkersLostError(f"{self.executor.words()}: workers were lost ({why}); {left} are not done")
        if losses > MAX_LOSSES:
            return WorkersLostError(
                f"worker processes were ended from outside {losses} times, {left} are not done; the usual "
                "reason is too little memory: use --workers 1, or a shorter window with --hours"
            )
        self.executor = fewer
        self.watch.notice(f"a worker process was ended from outside; {left} are done again, in {fewer.words()}")
        return None


class _LossError(Exception):
    """A worker has died with a block in hand; the cause says how that showed."""
