"""Whether a real past could be one more run of the model, and by how much it is not.

If model and desk were the same, the real curve would be one more draw beside the simulated ones: all
orders of the N + 1 curves would be equally likely. So each curve gets a distance from the mean of all of
them, in units that treat all alike, and the share of the curves that lie as far out as the real one is a
p-value that is exact whatever the curves look like. The largest distance over all parts (everybody and
each language, backlog and response) is ranked in the same way, so that many parts give no more false
alarms than one.
Source: Barnard (1963), J. R. Statist. Soc. B 25, 294 (Monte Carlo tests); Westfall and Young (1993),
Resampling-Based Multiple Testing, 2.3 (single-step maxT).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sim.measures import FEW_CASES
from sim.staff.curves import Clock, Curves

FloatArray = NDArray[np.float64]
LEVEL = 0.05
FEWEST_RUNS = 19  # with fewer runs nothing can be as rare as 5 %
SLACK = 0.10  # of the real level: what a planner would not mind
LEAST_CASES = 1.0  # waiting on average, and
LEAST_S = 60.0  # of the mean wait: less than that is nobody's business

What = Literal["backlog", "response"]


@dataclass(frozen=True)
class Part:
    """One thing that is compared: the backlog or the response, of everybody or of one language.

    Attributes
    ----------
    what : {"backlog", "response"}
    language : int or None
        Code of the language; None for all together.
    actual, simulated : float
        Level over the window: cases waiting on average, or the mean wait for the first answer in seconds.
    low, high : float
        Where that level lies in 95 % of the runs.
    wape, by_chance : float
        Sum of the distances between the real curve and the mean of the runs over the sum of the real one;
        and the median of what runs have that are held against the others. inf: the real one is 0.
    p : float
        Share of all curves with any part as far out as this one, itself included.
    matters : bool
        Whether the miss is more than chance makes by a tenth of the real level, and by a case or a minute.
    """

    what: What
    language: int | None
    actual: float
    simulated: float
    low: float
    high: float
    wape: float
    by_chance: float
    p: float
    matters: bool

    @property
    def fails(self) -> bool:
        return self.p <= LEVEL and self.matters

    @property
    def bias(self) -> float:
        """Simulated less actual."""
        return self.simulated - self.actual


@dataclass(frozen=True)
class Agreement:
    """All parts, and what holds for them together."""

    parts: tuple[Part, ...]
    p: float

    @property
    def fails(self) -> tuple[Part, ...]:
        """Parts that fail, those furthest out first."""
        failed = [part for part in self.parts if part.fails]
        return tuple(sorted(failed, key=lambda part: (part.language is not None, part.p, -part.wape)))

    def part(self, what: What, language: int | None = None) -> Part:
        return next(part for part in self.parts if part.what == what and part.language == language)


def agreement(clock: Clock, actual: Curves, runs: Sequence[Curves]) -> Agreement:
    """Hold the real curves against simulated ones.

    Raises ValueError with fewer than 19 runs: then no rank is as rare as 5 %.
    """
    if len(runs) < FEWEST_RUNS:
        raise ValueError(f"{len(runs)} runs are fewer than {FEWEST_RUNS}")
    counts = clock.counts().sum(axis=1)
    wanted = _wanted(counts)
    stacks = [_stack(what, place, [actual, *runs]) for what, place in wanted]
    far = np.stack([_far(stack) for stack in stacks])
    furthest = far.max(axis=0)
    parts = []
    for (what, place), stack, outlying in zip(wanted, stacks, far[:, 0], strict=True):
        cases = int(counts.sum() if place is None else counts[place])
        language = None if place is None else clock.languages[place]
        parts.append(_part(what, language, stack, cases, _share_beyond(furthest[1:], float(outlying))))
    return Agreement(tuple(parts), _share_beyond(furthest[1:], float(furthest[0])))


def _wanted(counts: NDArray[np.int64]) -> list[tuple[What, int | None]]:
    """Parts to compare, languages by their place: one needs cases enough, and another one beside it."""
    many = [i for i in range(counts.size) if counts[i] >= FEW_CASES and counts.size > 1]
    whats: tuple[What, ...] = ("backlog", "response")
    return [(what, place) for place in (None, *many) for what in whats]


def _stack(what: What, place: int | None, pasts: Sequence[Curves]) -> FloatArray:
    """(1 + runs, n) values that are compared, the real ones first.

    Of the response these are the seconds that the cases of an interval waited together, so that an
    interval weighs as much as there are people in it.
    """
    rows = [past.backlog if what == "backlog" else past.waited_s for past in pasts]
    return np.stack([row.sum(axis=0) if place is None else row[place] for row in rows]).astype(np.float64)


def _far(stack: FloatArray) -> FloatArray:
    """(1 + runs,) how far out each curve lies, in quartile ranges of all of them.

    All curves, the real one too, make the mean, the middle and the range: so it is one of many.
    """
    distance = np.abs(stack - stack.mean(axis=0)).mean(axis=1)
    low, middle, high = np.quantile(distance, (0.25, 0.5, 0.75))
    out: FloatArray = (distance - middle) / max(high - low, 0.01 * middle, 1e-9)
    return out


def _share_beyond(others: FloatArray, value: float) -> float:
    """Share of all, `value` itself included, that lie as far out."""
    return float(1 + np.count_nonzero(others >= value)) / (others.size + 1)


def _part(what: What, language: int | None, stack: FloatArray, cases: int, p: float) -> Part:
    per = stack.shape[1] if what == "backlog" else max(cases, 1)  # from the sum of a curve to its level
    real, runs = stack[0], stack[1:]
    total = float(real.sum())
    mean = runs.mean(axis=0)
    missed = float(np.abs(real - mean).sum())
    n = runs.shape[0]
    others = (n * mean - runs) / (n - 1)  # the mean of the other runs, for each
    chance = float(np.median(np.abs(runs - others).sum(axis=1)))
    level = runs.sum(axis=1) / per
    low, high = band(level, 0.95)
    least = LEAST_CASES if what == "backlog" else LEAST_S
    excess = missed - chance
    return Part(
        what=what,
        language=language,
        actual=total / per,
        simulated=float(level.mean()),
        low=float(low),
        high=float(high),
        wape=_over(missed, total),
        by_chance=_over(chance, total),
        p=p,
        matters=excess >= SLACK * total and excess >= least * per,
    )


def _over(part: float, whole: float) -> float:
    if whole > 0:
        return part / whole
    return float("inf") if part > 0 else 0.0


def band(runs: FloatArray, share: float) -> tuple[FloatArray, FloatArray]:
    """Values between which one more run lies with a probability of `share`, or a little more.

    Parameters
    ----------
    runs : (runs, ...) float64
    share : float
        With too few runs for it the lowest and the highest one are what there is.

    Returns
    -------
    low, high : (...) float64
        The r-th lowest and highest: one more run lies outside with 2 r / (runs + 1), ties aside.
    """
    n = runs.shape[0]
    r = max(int((1.0 - share) / 2.0 * (n + 1) + 1e-9), 1)
    ordered = np.sort(runs, axis=0)
    return ordered[r - 1], ordered[n - r]


def coverage(real: FloatArray, runs: FloatArray, share: float) -> float:
    """Share of the intervals in which the real value lies inside the band; intervals without one are left out."""
    known = np.isfinite(real) & np.isfinite(runs).all(axis=0)
    if not known.any():
        return float("nan")
    low, high = band(runs[:, known], share)
    return float(np.mean((real[known] >= low) & (real[known] <= high)))


@dataclass(frozen=True)
class Stretch:
    """Intervals in a row in which the real backlog lies outside of where 95 % of the runs lie.

    `first` and `last` are their places; `actual` and `simulated` the mean backlog in them.
    """

    first: int
    last: int
    actual: float
    simulated: float


def outside(real: FloatArray, runs: FloatArray, gap: int = 4, most: int = 3) -> tuple[Stretch, ...]:
    """Where the real backlog leaves the band, the stretches with most misses in front.

    Stretches with less than `gap` intervals between them are one.
    """
    low, high = band(runs, 0.95)
    out = np.flatnonzero((real < low) | (real > high))
    if not out.size:
        return ()
    cuts = np.flatnonzero(np.diff(out) > gap) + 1
    mean = runs.mean(axis=0)
    found = []
    for places in np.split(out, cuts):
        a, b = int(places[0]), int(places[-1])
        missed = float(np.abs(real[a : b + 1] - mean[a : b + 1]).sum())
        found.append((missed, Stretch(a, b, float(real[a : b + 1].mean()), float(mean[a : b + 1].mean()))))
    return tuple(stretch for _, stretch in sorted(found, key=lambda each: -each[0])[:most])
