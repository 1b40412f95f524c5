"""The same days played against one desk after the other, and what came of the promise in each interval."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language, members
from scenarios.traces import Trace
from sim import compiled
from sim.crew import cores
from sim.desk import Desk
from sim.outcome import Outcome
from sim.replicate import Size, size_u
from sim.staff.promise import Promise
from sim.staff.seats import QUARTER_S
from sim.waits import Rows

IntArray = NDArray[np.int64]
HOUR_S = 3600.0
LANGUAGES = members(Language)


@dataclass(frozen=True)
class Kept:
    """Of one run: how many cases came in each interval, and how many of them met each promise.

    Attributes
    ----------
    cases : (languages, intervals) int64
        By language in the order of `scenarios.names.Language` and interval of the post. Cases that a
        crisis plan kept people from writing do not count.
    kept : (promises, languages, intervals) int64
        Those that had a first human answer in time; what was never answered is missed.
    """

    cases: IntArray
    kept: IntArray


@dataclass(frozen=True)
class Days:
    """Runs of a scenario with posts and chance fixed: every desk meets the same days.

    Attributes
    ----------
    scenario : Scenario
    traces : tuple of Trace
    seed : int
    numbers : tuple of int
        Replication of each trace.
    """

    scenario: Scenario
    traces: tuple[Trace, ...]
    seed: int
    numbers: tuple[int, ...]

    @classmethod
    def draw(
        cls,
        scenario: Scenario,
        runs: int,
        seed: int,
        *,
        first: int = 0,
        hours: float | None = None,
        size: Size | float = "drawn",
    ) -> Days:
        """Draw `runs` traces with the numbers from `first` on; `size` as in `sim.replicate`, or a quantile."""
        numbers = tuple(range(first, first + runs))

        def one(number: int) -> Trace:
            u = size if isinstance(size, float) else size_u(size, seed, number)
            return generate(scenario, seed, number, u, hours)

        with ThreadPoolExecutor(cores()) as crew:
            return cls(scenario, tuple(crew.map(one, numbers)), seed, numbers)

    @property
    def window_s(self) -> tuple[float, float]:
        """Start and end of the days, in seconds from onset."""
        start, end = self.traces[0].about["window_s"]
        return float(start), float(end)

    @property
    def intervals(self) -> int:
        """Number of quarters of an hour in the window, a last one that is cut included."""
        start, end = self.window_s
        return int(np.ceil((end - start) / QUARTER_S - 1e-9))

    def play(self, desk: Desk, promises: Sequence[Promise], runs: slice = slice(None)) -> list[Kept]:
        """Play the days, or some of them, against a desk; each run goes on until every case had its time."""
        drain_h = max(promise.within_s for promise in promises) / HOUR_S + 1.0
        which = list(zip(self.traces, self.numbers, strict=True))[runs]
        one = partial(self._one, desk, promises, drain_h)
        if len(which) == 1:
            return [one(which[0])]
        with ThreadPoolExecutor(cores()) as crew:
            return list(crew.map(one, which))

    def _one(self, desk: Desk, promises: Sequence[Promise], drain_h: float, day: tuple[Trace, int]) -> Kept:
        trace, number = day
        return count(compiled.run(self.scenario, desk, trace, self.seed, number, drain_h), promises, self.intervals)


def count(outcome: Outcome, promises: Sequence[Promise], intervals: int) -> Kept:
    """Cases and kept promises of one run by language and quarter of an hour."""
    rows = Rows(outcome)
    place = ((rows.cases["posted_s"] - rows.window_s[0]) // QUARTER_S).astype(np.int64)
    inside = (place >= 0) & (place < intervals)
    cell = rows.cases["language"].astype(np.int64) * intervals + place
    shape = (len(LANGUAGES), intervals)

    def counted(mask: NDArray[np.bool_]) -> IntArray:
        return np.bincount(cell[mask & inside], minlength=shape[0] * shape[1]).reshape(shape)

    # A run's cases with an answer at the very moment of the promise have kept it.
    kept = [counted(rows.response_s <= promise.within_s) for promise in promises]
    return Kept(counted(np.ones(cell.size, dtype=np.bool_)), np.stack(kept))
