"""The same days played against one desk after the other, and what came of the promise in each interval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

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
T = TypeVar("T")


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

    def part(self, begin: int, end: int) -> Days:
        """Some of the days."""
        return Days(self.scenario, self.traces[begin:end], self.seed, self.numbers[begin:end])

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

    def each(self, desk: Desk, look: Callable[[Outcome], T], drain_h: float) -> list[T]:
        """Play the days against a desk, two at a time, and keep of each outcome what `look` sees in it."""

        def one(day: tuple[Trace, int]) -> T:
            return look(compiled.run(self.scenario, desk, day[0], self.seed, day[1], drain_h))

        days = list(zip(self.traces, self.numbers, strict=True))
        if len(days) == 1:
            return [one(days[0])]
        with ThreadPoolExecutor(cores()) as crew:
            return list(crew.map(one, days))

    def play(self, desk: Desk, promises: Sequence[Promise]) -> list[Kept]:
        """Play the days against a desk; each run goes on until every case had its time."""
        return self.each(desk, lambda outcome: count(outcome, promises, self.intervals), drain_h(promises))


def drain_h(promises: Sequence[Promise]) -> float:
    """Hours beyond the window after which every case has had its time."""
    return max(promise.within_s for promise in promises) / HOUR_S + 1.0


def count(outcome: Outcome, promises: Sequence[Promise], intervals: int) -> Kept:
    """Cases and kept promises of one run by language and quarter of an hour."""
    rows = Rows(outcome)
    place = place_of(rows)
    inside = (place >= 0) & (place < intervals)
    cell = rows.cases["language"].astype(np.int64) * intervals + place
    shape = (len(LANGUAGES), intervals)

    def counted(mask: NDArray[np.bool_]) -> IntArray:
        return np.bincount(cell[mask & inside], minlength=shape[0] * shape[1]).reshape(shape)

    # A run's cases with an answer at the very moment of the promise have kept it.
    kept = [counted(rows.response_s <= promise.within_s) for promise in promises]
    return Kept(counted(np.ones(cell.size, dtype=np.bool_)), np.stack(kept))


def place_of(rows: Rows) -> IntArray:
    """(cases,) quarter of an hour, from the start of the window, in which each case was posted."""
    out: IntArray = ((rows.cases["posted_s"] - rows.window_s[0]) // QUARTER_S).astype(np.int64)
    return out
