"""Replications of one scenario against one desk: the same question, asked of several days by chance.

Each run draws a trace of its own, with a size of the surge of its own, and is simulated. Runs do not
know of each other, so they go to workers, in blocks (`sim.crew`). What comes back is small: the
measures, digests and times of a run. Its rows are written by the worker that made them, and can be
loaded one run after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, get_args

import numpy as np

from scenarios.carried import carry_in
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language
from scenarios.storage import write_atomic
from sim import blocks, stopping, warmup
from sim.blocks import Replication, outcome_file, trace_file
from sim.cluster import Cluster
from sim.crew import Tick, Watch, cores, each
from sim.desk import Desk
from sim.engines import EngineName, engine, prepare
from sim.executors import Executor, Processes, Threads
from sim.measures import Row, by_class, by_language, measure
from sim.stopping import Target

__all__ = ["Replication", "Size", "executor_named", "outcome_file", "replicate", "size_u", "trace_file"]

Size = Literal["drawn", "likely", "low", "high"]
SIZES: tuple[Size, ...] = get_args(Size)
SIZE_DRAW = 1_000_000  # far from the numbers of the trace's own columns


def size_u(size: Size, seed: int, number: int) -> float | None:
    """Quantile of the size of the surges in a run: None for the likely one, drawn by name otherwise."""
    if size == "drawn":
        source = np.random.SeedSequence(seed, spawn_key=(number, SIZE_DRAW))
        return float(np.random.Generator(np.random.PCG64DXSM(source)).random())
    fixed: dict[str, float | None] = {"likely": None, "low": 0.0, "high": 1.0}
    return fixed[size]


def executor_named(name: str | None, workers: int | None, engine: EngineName) -> Executor:
    """Where runs are done: ``threads``, ``processes``, ``dask://HOST:PORT``; None is what suits the engine.

    `workers` threads or processes, by default one a core.
    """
    if name is not None and name.startswith("dask://"):
        return Cluster(name.removeprefix("dask://"))
    count = workers or cores()
    chosen = name or ("threads" if engine == "compiled" else "processes")
    return Threads(count) if chosen == "threads" else Processes(count)


def replicate(
    scenario: Scenario,
    desk: Desk,
    runs: int,
    seed: int,
    *,
    hours: float | None = None,
    drain_h: float = 0.0,
    warm_up_h: float = 0.0,
    backlog: Mapping[Language, int] | None = None,
    size: Size = "drawn",
    engine: EngineName = "compiled",
    workers: int | None = None,
    executor: str | None = None,
    until: Sequence[Target] = (),
    first: int = stopping.FIRST,
    folder: Path | None = None,
    keep: int | None = None,
    kept: Path | None = None,
    numbers: Sequence[int] | None = None,
    watch: Watch | None = None,
) -> Iterator[Replication]:
    """Run a scenario several times and hand over the runs in the order of their numbers.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
    runs, seed : int
        Number of runs, >= 1, at most so many with `until`; root of all chance, 0 <= seed < 2^64.
    hours : float, optional
        Length to cut the window to, from its start, in hours.
    drain_h : float
        How many hours beyond the window a run may go on while anything waits.
    warm_up_h : float
        Hours from the start of the window that are simulated and not measured, see `sim.warmup`.
    backlog : mapping of Language to int, optional
        Cases that wait already when the window opens, see `scenarios.carried`.
    size : {"drawn", "likely", "low", "high"}
        Size of the surges: a draw a run, or the same for all.
    engine : {"compiled", "reference"}
        What plays the runs; both give the same rows.
    workers : int, optional
        Threads or processes at most, by default one a core. With one, or for one run, all happens here.
    executor : str, optional
        Where: see `executor_named`.
    until : sequence of Target
        Stop after the first run at which all are settled, see `sim.stopping`.
    first : int
        Number of runs, with `until`, from which on it is looked whether to stop.
    folder : Path, optional
        Folder for the rows of the runs numbered below `keep` (None: of all): a file for each trace and
        each outcome.
    kept : Path, optional
        Folder for what has finished, see `sim.blocks`; what is there already is not done again.
    numbers : sequence of int, optional
        Do only these of the runs.
    watch : Watch, optional
        Hears of the progress of what is still to do; may end it early: then only runs that have
        finished are handed over, and numbers may be missing.

    Raises
    ------
    ScenarioError, DeskError
        As `scenarios.generate.generate` and `sim.reference.run` raise them.
    RunError
        If a cluster does not answer, see `sim.cluster`.
    WorkersLostError
        If workers are ended from outside again and again, see `sim.crew.each`.

    Notes
    -----
    The same arguments give the same digests whatever the number of workers, and wherever they are.
    Memory: one run a worker, some 1.3 kB a post.
    """
    if runs < 1 or size not in SIZES:
        raise ValueError(f"no replications: runs {runs}, size {size!r}")
    wanted = tuple(range(runs)) if numbers is None else tuple(numbers)
    stored = {} if kept is None else {n: r for n, r in blocks.load(kept, folder).items() if n in set(wanted)}
    todo = tuple(number for number in wanted if number not in stored)
    warmup.check(scenario, hours, warm_up_h)
    job = _Job(
        scenario, desk, todo, seed, hours, drain_h, warm_up_h, dict(backlog or {}), size, engine, folder,
        runs if keep is None else keep,
    )  # fmt: skip
    place = executor_named(executor, workers, engine)
    made = _made(job, place, watch or Watch(), kept)
    return _until(until, first, _merged(wanted, stored, made))


def _made(job: _Job, place: Executor, watch: Watch, kept: Path | None) -> Iterator[Replication]:
    """Do all runs of a job; each block is stored as soon as it is done."""
    if not job.numbers:
        return

    def finished(parcels: Sequence[_Parcel]) -> None:
        for parcel in parcels:
            parcel.unpack(job.folder)
        if kept is not None:
            blocks.save(kept, [parcel.replication for parcel in parcels])

    if not isinstance(place, Cluster):
        prepare(job.engine, watch.notice)
    sent = _Sent(job) if isinstance(place, Cluster) else _Parceled(job)
    for parcel in each(sent, len(job.numbers), place, watch, finished):
        yield parcel.replication


def _merged(
    wanted: Sequence[int], stored: Mapping[int, Replication], made: Iterator[Replication]
) -> Iterator[Replication]:
    """Those that are stored and those that are made, in the order of their numbers."""
    left = dict(stored)
    for number in wanted:
        if number in left:
            yield left.pop(number)
        elif (new := next(made, None)) is not None:
            yield new
        else:
            break
    yield from left.values()


def _until(wanted: Sequence[Target], first: int, made: Iterator[Replication]) -> Iterator[Replication]:
    """Up to the run at which all targets are settled; all of them without targets."""
    rows: list[Row] = []
    for replication in made:
        yield replication
        if wanted and replication.number == len(rows):  # after a gap, left by whoever stopped it, nothing is decided
            rows.append(replication.row)
            if stopping.enough(wanted, rows, first):
                return


@dataclass(frozen=True)
class _Job:
    scenario: Scenario
    desk: Desk
    numbers: tuple[int, ...]
    seed: int
    hours: float | None
    drain_h: float
    warm_up_h: float
    backlog: Mapping[Language, int]
    size: Size
    engine: EngineName
    folder: Path | None
    keep: int

    def __call__(self, place: int, tick: Tick) -> Replication:
        """One run, from the draw of its size to its measures."""
        number = self.numbers[place]
        times = [time.perf_counter()]
        u = size_u(self.size, self.seed, number)
        trace = generate(self.scenario, self.seed, number, u, self.hours)
        trace = carry_in(self.scenario, trace, self.backlog, self.seed, number)
        times.append(time.perf_counter())
        play = engine(self.engine)
        outcome = play(self.scenario, self.desk, trace, self.seed, number, self.drain_h, progress=tick)
        outcome = warmup.warmed(outcome, trace, self.warm_up_h)
        times.append(time.perf_counter())
        row, languages, classes = measure(outcome), by_language(outcome), by_class(outcome)
        times.append(time.perf_counter())
        stored = self.folder is not None and number < self.keep
        if self.folder is not None and stored:
            trace.save(trace_file(self.folder, number))
            outcome.save(outcome_file(self.folder, number))
        times.append(time.perf_counter())
        seconds = (round(b - a, 3) for a, b in pairwise(times))
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


@dataclass(frozen=True)
class _Parcel:
    """A run, and the files that it made where its folder is out of reach."""

    replication: Replication
    files: dict[str, bytes] = field(default_factory=dict)

    def unpack(self, folder: Path | None) -> None:
        """Write the files; they are not held any longer."""
        if folder is not None:
            for name, content in self.files.items():
                write_atomic(folder / name, content)
        self.files.clear()


@dataclass(frozen=True)
class _Parceled:
    """The job where its folder is."""

    job: _Job

    def __call__(self, place: int, tick: Tick) -> _Parcel:
        return _Parcel(self.job(place, tick))


@dataclass(frozen=True)
class _Sent:
    """The job on another machine: what it writes comes back with the result."""

    job: _Job

    def __call__(self, place: int, tick: Tick) -> _Parcel:
        if self.job.folder is None:
            return _Parcel(self.job(place, tick))
        with TemporaryDirectory(prefix="ashcloud-") as name:
            replication = replace(self.job, folder=Path(name))(place, tick)
            return _Parcel(replication, {path.name: path.read_bytes() for path in Path(name).iterdir()})
