"""Replications of one scenario against one desk: the same question, asked of several days by chance.

Each run draws a trace of its own, with a size of the surge of its own, and is simulated. Runs do not
know of each other, so they go to as many processes as there are cores. What comes back is small: the
measures, digests and times of a run. Its rows are written by the process that made them, and can be
loaded one run after the other.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from scenarios.generate import generate
from scenarios.model import Scenario
from sim.crew import Tick, Watch, cores, each
from sim.desk import Desk
from sim.engines import EngineName, engine
from sim.measures import Row, by_class, by_language, measure

Size = Literal["drawn", "likely", "low", "high"]
SIZES: tuple[Size, ...] = get_args(Size)
SIZE_DRAW = 1_000_000  # far from the numbers of the trace's own columns


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


def replicate(
    scenario: Scenario,
    desk: Desk,
    runs: int,
    seed: int,
    *,
    hours: float | None = None,
    drain_h: float = 0.0,
    size: Size = "drawn",
    engine: EngineName = "compiled",
    workers: int | None = None,
    folder: Path | None = None,
    keep: int | None = None,
    numbers: Sequence[int] | None = None,
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
    engine : {"compiled", "reference"}
        What plays the runs; both give the same rows.
    workers : int, optional
        Processes at most, by default one a core. With one worker or one run all happens here.
    folder : Path, optional
        Folder for the rows of the runs numbered below `keep` (None: of all): a file for each trace and
        each outcome.
    numbers : sequence of int, optional
        Do only these of the runs.
    watch : Watch, optional
        Hears of the progress; may end it early: then only runs that have finished are handed over,
        and numbers may be missing.

    Raises
    ------
    ScenarioError, DeskError
        As `scenarios.generate.generate` and `sim.reference.run` raise them.
    WorkersLostError
        If worker processes are ended from outside again and again, see `sim.crew.each`.

    Notes
    -----
    The same arguments give the same digests whatever the number of workers. Memory: one run a
    process, some 1.3 kB a post.
    """
    if runs < 1 or size not in SIZES:
        raise ValueError(f"no replications: runs {runs}, size {size!r}")
    wanted = tuple(range(runs)) if numbers is None else tuple(numbers)
    job = _Job(scenario, desk, wanted, seed, hours, drain_h, size, engine, folder, runs if keep is None else keep)
    return each(job, len(wanted), workers or cores(), watch or Watch())


@dataclass(frozen=True)
class _Job:
    scenario: Scenario
    desk: Desk
    numbers: tuple[int, ...]
    seed: int
    hours: float | None
    drain_h: float
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
        times.append(time.perf_counter())
        play = engine(self.engine)
        outcome = play(self.scenario, self.desk, trace, self.seed, number, self.drain_h, progress=tick)
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
