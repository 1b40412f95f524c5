"""Replications of one scenario against one desk: the same question, asked of several days by chance.

Each run draws a trace of its own, with a size of the surge of its own, and is simulated. Runs do not
know of each other, so they go to as many processes as there are cores. What comes back is small: the
measures, digests and times of a run. Its rows are written by the process that made them and can be
loaded one run after the other.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np

from scenarios.errors import RunError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.trace import Trace
from sim import reference
from sim.desk import Desk
from sim.measures import Row, by_class, by_language, measure
from sim.outcome import Outcome

Size = Literal["drawn", "likely", "low", "high"]
SIZES: tuple[Size, ...] = get_args(Size)
SIZE_DRAW = 1_000_000  # far from the numbers of the trace's own columns
MAX_LOSSES = 3
POLL_S = 0.2


class WorkersLostError(RunError):
    """Worker processes were ended from outside, again and again."""

    exit_code = 3


@dataclass(frozen=True)
class Replication:
    """What one run gave, without its rows.

    Attributes
    ----------
    number : int
        0 for the first; with the seed it names all chance of the run.
    size_u : float or None
        Quantile of the size of the surges, None for the likely size.
    trace, outcome : str
        Digests.
    row : dict
        Measures by id, as `sim.measures.measure` gives them.
    languages, classes : dict of str to dict
        The same of the cases of one language, of one promise class.
    seconds : dict
        What `generate`, `simulate`, `measure` and `save` took.
    stored : bool
        Whether its rows were written, see `trace_file` and `outcome_file`.
    """

    number: int
    size_u: float | None
    trace: str
    outcome: str
    row: Row
    languages: Mapping[str, Row]
    classes: Mapping[str, Row]
    seconds: Mapping[str, float]
    stored: bool


class Watch:
    """What somebody who waits wants to know, and whether he has had enough. This one is silent."""

    def progress(self, share: float, finished: int) -> None:
        """Called now and then with the share done, 0-1, and the number of finished runs."""

    def notice(self, text: str) -> None:
        """Called with what is worth saying while it goes on."""

    def stopped(self) -> bool:
        """Whether to end early; asked several times a second."""
        return False


def trace_file(folder: Path, number: int) -> Path:
    """Where the trace of a run lies in a run folder."""
    return folder / f"trace_{number:03d}.npz"


def outcome_file(folder: Path, number: int) -> Path:
    """Where the outcome of a run lies in a run folder."""
    return folder / f"outcome_{number:03d}.npz"


def size_u(size: Size, seed: int, number: int) -> float | None:
    """Quantile of the size of the surges in a run: None for the likely one, drawn by name otherwise."""
    if size == "drawn":
        source = np.random.SeedSequence(seed, spawn_key=(number, SIZE_DRAW))
        return float(np.random.Generator(np.random.PCG64DXSM(source)).random())
    fixed: dict[str, float | None] = {"likely": None, "low": 0.0, "high": 1.0}
    return fixed[size]


def cores() -> int:
    """Number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def replicate(
    scenario: Scenario,
    desk: Desk,
    runs: int,
    seed: int,
    *,
    hours: float | None = None,
    drain_h: float = 0.0,
    size: Size = "drawn",
    workers: int | None = None,
    folder: Path | None = None,
    keep: int | None = None,
    watch: Watch | None = None,
) -> Iterator[Replication]:
    """Run a scenario several times and hand over the runs in the order of their numbers.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
    runs, seed : int
        Number of runs, >= 1; root of all chance, 0 <= seed < 2^64.
    hours : float, optional
        Length to cut the window to, from its start, in hours.
    drain_h : float
        How many hours beyond the window a run may go on while anything waits.
    size : {"drawn", "likely", "low", "high"}
        Size of the surges: a draw a run, or the same for all.
    workers : int, optional
        Processes at most, by default one a core. With one worker or one run all happens here.
    folder : Path, optional
        Folder for the rows of the first `keep` runs (None: of all), one file a trace and an outcome.
    watch : Watch, optional
        Hears of the progress; may end it early: then only runs that have finished are handed over,
        and numbers may be missing.

    Raises
    ------
    ScenarioError, DeskError
        As `scenarios.generate.generate` and `sim.reference.run` raise them.
    WorkersLostError
        If worker processes die more than three times. Until then the unfinished runs are done again,
        on half as many processes, as the usual reason is a lack of memory.

    Notes
    -----
    The same arguments give the same digests whatever the number of workers. Memory: one run a
    process, some 1.3 kB a post.
    """
    if runs < 1 or size not in SIZES:
        raise ValueError(f"no replications: runs {runs}, size {size!r}")
    job = _Job(scenario, desk, runs, seed, hours, drain_h, size, folder, runs if keep is None else keep)
    watch = watch or Watch()
    processes = min(workers or cores(), runs)
    return _here(job, watch) if processes == 1 else _Crew(job, watch, processes).results()


@dataclass(frozen=True)
class _Job:
    scenario: Scenario
    desk: Desk
    runs: int
    seed: int
    hours: float | None
    drain_h: float
    size: Size
    folder: Path | None
    keep: int


class _StoppedError(Exception):
    """The run was given up because nobody wants it any more."""


def _here(job: _Job, watch: Watch) -> Iterator[Replication]:
    for number in range(job.runs):

        def tick(share: float, number: int = number) -> None:
            watch.progress((number + share) / job.runs, number)
            if watch.stopped():
                raise _StoppedError

        try:
            tick(0.0)
            done = _run(job, number, tick)
        except _StoppedError:
            return
        watch.progress((number + 1) / job.runs, number + 1)
        yield done


def _run(job: _Job, number: int, tick: Any) -> Replication:
    """One run, from the draw of its size to its measures; `tick` hears its share done."""
    times = [time.perf_counter()]
    u = size_u(job.size, job.seed, number)
    trace = generate(job.scenario, job.seed, number, u, job.hours)
    times.append(time.perf_counter())
    outcome = reference.run(job.scenario, job.desk, trace, job.seed, number, job.drain_h, progress=tick)
    times.append(time.perf_counter())
    row, languages, classes = measure(outcome), by_language(outcome), by_class(outcome)
    times.append(time.perf_counter())
    stored = job.folder is not None and number < job.keep
    if stored:
        _save(job, number, trace, outcome)
    times.append(time.perf_counter())
    seconds = [round(b - a, 3) for a, b in pairwise(times)]
    return Replication(
        number=number,
        size_u=u,
        trace=trace.digest,
        outcome=outcome.digest,
        row=row,
        languages={language.value: each for language, each in languages.items()},
        classes=classes,
        seconds=dict(zip(("generate", "simulate", "measure", "save"), seconds, strict=True)),
        stored=stored,
    )


def _save(job: _Job, number: int, trace: Trace, outcome: Outcome) -> None:
    assert job.folder is not None
    trace.save(trace_file(job.folder, number))
    outcome.save(outcome_file(job.folder, number))


# --- in several processes -----------------------------------------------------------------------


class _Crew:
    """Processes that run a job; what the others see of each is on a board of plain numbers.

    The board holds the share done of each run, and at its end whether all should stop. It needs no
    lock, so that a process that dies can never leave it locked.
    """

    def __init__(self, job: _Job, watch: Watch, processes: int) -> None:
        self.job, self.watch, self.processes = job, watch, processes
        self.context = multiprocessing.get_context("spawn")
        self.board = self.context.RawArray("d", job.runs + 1)
        self.done: dict[int, Replication] = {}
        self.given = 0

    def results(self) -> Iterator[Replication]:
        losses = 0
        while len(self.done) < self.job.runs and not self.watch.stopped():
            try:
                yield from self._shift()
            except BrokenProcessPool:
                if self.watch.stopped():
                    break
                losses += 1
                self._lost(losses)
        yield from (self.done[number] for number in sorted(self.done) if number >= self.given)

    def _shift(self) -> Iterator[Replication]:
        """Work with one pool until all is done, it breaks, or somebody stops it."""
        pool = ProcessPoolExecutor(self.processes, self.context, _begin, (self.board,))
        try:
            with _interrupts_held():  # what starts now inherits this, and so dies of no Ctrl-C
                missing = [number for number in range(self.job.runs) if number not in self.done]
                futures = {pool.submit(_work, self.job, number): number for number in missing}
            pending: set[Future[Replication]] = set(futures)
            while pending and not self.watch.stopped():
                ended, pending = wait(pending, POLL_S, FIRST_COMPLETED)
                self._note({future: futures[future] for future in ended})
                yield from self._in_order()
                self._tell()
            self._stop(pool)
            self._note({future: futures[future] for future in pending if not future.cancelled()})
        finally:
            self._stop(pool)

    def _note(self, ended: Mapping[Future[Replication], int]) -> None:
        """Keep what has finished, then raise what went wrong."""
        wrong = [error for future in ended if (error := future.exception()) is not None]
        self.done |= {number: future.result() for future, number in ended.items() if future.exception() is None}
        for error in wrong:
            if not isinstance(error, _StoppedError):
                raise error

    def _in_order(self) -> Iterator[Replication]:
        while self.given in self.done:
            self.given += 1
            yield self.done[self.given - 1]

    def _tell(self) -> None:
        shares = sum(1.0 if number in self.done else self.board[number] for number in range(self.job.runs))
        self.watch.progress(shares / self.job.runs, len(self.done))

    def _stop(self, pool: ProcessPoolExecutor) -> None:
        """Let no run begin and each running one end at its next step; the second Ctrl-C does not wait."""
        self.board[self.job.runs] = 1.0
        try:
            pool.shutdown(wait=True, cancel_futures=True)
        except KeyboardInterrupt:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.terminate()
            raise
        self.board[self.job.runs] = 0.0

    def _lost(self, losses: int) -> None:
        left = self.job.runs - len(self.done)
        if losses > MAX_LOSSES:
            raise WorkersLostError(
                f"worker processes were ended from outside {losses} times, {left} of {self.job.runs} runs are not "
                "done; the usual reason is too little memory: use --workers 1, or a shorter window with --hours"
            )
        self.processes = max(1, self.processes // 2)
        self.board[:] = [0.0] * len(self.board)
        self.watch.notice(
            f"a worker process was ended from outside; {left} runs are done again on {self.processes} of them"
        )


_BOARD: Any = None


def _begin(board: Any) -> None:
    """In a new process: no Ctrl-C here, and an end when the parent's has come."""
    global _BOARD
    _BOARD = board
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _work(job: _Job, number: int) -> Replication:
    def tick(share: float) -> None:
        _BOARD[number] = share
        if _BOARD[job.runs]:
            raise _StoppedError

    tick(0.0)
    return _run(job, number, tick)


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
