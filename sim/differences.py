"""How far two alternatives lie apart, run by run, and which rankings hold all together.

A difference is the value of one alternative minus that of another on the same day. Its interval is
Student's t over the runs in which both have a value. Where a time was not reached before the end of a
run, there is no number to subtract, but an order: not reached is later than any time. So runs are also
counted, and a pair with such runs is judged by a sign test on the counts, not by the mean.

Verdicts are meant to be read side by side, so they hold jointly: each of the C comparisons that are ranked
is made at a level of 1 - 0.05 / C (Bonferroni), and all of them together are right with 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

from sim.compare import COMPARED, KEY, Day
from sim.estimate import LEVEL, Estimate, estimate
from sim.measures import Measure, Row

BEST_IN = 0.80
"""Share of the worlds in which an alternative must be the best one to be called so."""

Order = Literal["lower", "higher", "same", "unclear"]


@dataclass(frozen=True)
class Difference:
    """One alternative against another in one measure.

    Attributes
    ----------
    measure : str
    alternative, against : int
        Their places; the difference is that of the first minus that of the second.
    runs : int
        Runs in which the measure has a meaning for both.
    both : int
        Runs in which both have a value; the mean is over these.
    mean, low, high : float or None
        With the 95 % interval of this difference alone.
    joint : (float, float) or None
        The interval that holds together with those of all other ranked comparisons.
    lower, higher, same, neither : int
        Runs in which the first has the lower value, the higher one, the same one, and in which neither
        reached it before the end; they add up to `runs`. Not reached counts as higher than any value.
    order : {"lower", "higher", "same", "unclear"}
        What can be said jointly; "same" if no run differs at all.
    by : {"mean", "signs"}
        Whether that was judged by the joint interval or, as somebody did not reach it in some run, by a
        sign test on the counts.
    """

    measure: str
    alternative: int
    against: int
    runs: int
    both: int
    mean: float | None
    low: float | None
    high: float | None
    joint: tuple[float, float] | None
    lower: int
    higher: int
    same: int
    neither: int
    order: Order
    by: Literal["mean", "signs"]

    @property
    def better(self) -> bool | None:
        """Whether the first is clearly better (True) or clearly worse (False); None: neither can be said."""
        good = COMPARED[self.measure].better
        if good is None or self.order in ("same", "unclear"):
            return None
        return (self.order == "lower") == (good == "low")

    def reversed(self) -> Difference:
        """The same, seen from the other alternative."""
        flip: dict[Order, Order] = {"lower": "higher", "higher": "lower", "same": "same", "unclear": "unclear"}
        return Difference(
            self.measure, self.against, self.alternative, self.runs, self.both,
            _minus(self.mean), _minus(self.high), _minus(self.low),
            None if self.joint is None else (0.0 - self.joint[1], 0.0 - self.joint[0]),
            self.higher, self.lower, self.same, self.neither, flip[self.order], self.by,
        )  # fmt: skip


def _minus(value: float | None) -> float | None:
    return None if value is None else 0.0 - value


def comparisons(alternatives: int) -> int:
    """Number of comparisons that are ranked: pairs of alternatives times key measures."""
    return math.comb(alternatives, 2) * len(KEY)


def differences(days: Sequence[Day]) -> dict[str, tuple[Difference, ...]]:
    """All pairs in each measure: (1, 0), (2, 0), ..., (2, 1), ...; the first alternative is the baseline."""
    count = len(days[0].rows)
    pairs = sorted((other, one) for one, other in combinations(range(count), 2))
    pairs.sort(key=lambda pair: pair[1])
    return {name: tuple(difference(name, days, one, other) for one, other in pairs) for name in COMPARED}


def difference(name: str, days: Sequence[Day], alternative: int, against: int) -> Difference:
    """One alternative against another in one measure, over the days."""
    measure = COMPARED[name]
    values = [(value(measure, day.rows[alternative]), value(measure, day.rows[against])) for day in days]
    known = [(a, b) for a, b in values if not (math.isnan(a) or math.isnan(b))]
    gaps = [a - b for a, b in known if math.isfinite(a) and math.isfinite(b)]
    neither = sum(math.isinf(a) and math.isinf(b) for a, b in known)
    lower, higher = sum(a < b for a, b in known), sum(a > b for a, b in known)
    bounds = (-1.0, 1.0) if measure.unit == "share" else (-math.inf, math.inf)
    alone = estimate(gaps, LEVEL, bounds)
    spare = (1.0 - LEVEL) / comparisons(len(days[0].rows))
    together = estimate(gaps, 1.0 - spare, bounds)
    by: Literal["mean", "signs"] = "mean" if len(gaps) == len(known) else "signs"
    order = _by_mean(together) if by == "mean" else _by_signs(lower, higher, spare)
    return Difference(
        name, alternative, against, len(known), len(gaps), alone.mean, alone.low, alone.high,
        None if together.low is None or together.high is None else (together.low, together.high),
        lower, higher, len(known) - lower - higher - neither, neither,
        "same" if known and not lower and not higher else order, by,
    )  # fmt: skip


def value(measure: Measure, row: Row) -> float:
    """The value of a run: inf where it was not reached before the end, nan where it has no meaning."""
    found = row[measure.id]
    if found is not None:
        return found
    return math.inf if measure.open_ended and row["cases"] != 0 else math.nan


def _by_mean(joint: Estimate) -> Order:
    if joint.low is None or joint.high is None:
        return "unclear"
    return "lower" if joint.high < 0 else "higher" if joint.low > 0 else "unclear"


def _by_signs(lower: int, higher: int, spare: float) -> Order:
    """Two-sided sign test: runs that are the same on both sides say nothing.

    Source: Conover (1999), Practical Nonparametric Statistics, section 3.4.
    """
    n = lower + higher
    tail = sum(math.comb(n, k) for k in range(min(lower, higher) + 1)) / 2**n
    if 2.0 * tail > spare:
        return "unclear"
    return "lower" if lower > higher else "higher"


# --- worlds -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Best:
    """In how many of the worlds each alternative was the best in one measure.

    Attributes
    ----------
    measure : str
    worlds : int
        Worlds that could be judged.
    wins : tuple of int
        By alternative; worlds in which several were equally good count for none.
    tied : int
        Worlds in which the best ones were equally good.
    """

    measure: str
    worlds: int
    wins: tuple[int, ...]
    tied: int

    @property
    def first(self) -> int | None:
        """The alternative that is best in most worlds; None if none ever is."""
        return None if not any(self.wins) else self.wins.index(max(self.wins))

    @property
    def share(self) -> float:
        """The share of the worlds in which that one is the best."""
        return max(self.wins, default=0) / self.worlds if self.worlds else 0.0

    @property
    def clear(self) -> bool:
        """Whether that is often enough to call it the best."""
        return self.share >= BEST_IN


def best(name: str, worlds: Mapping[int, Sequence[Day]]) -> Best:
    """Judge the worlds by a measure that has a good direction.

    In a world the best one is that which fails to reach it in the fewest runs; among equals that with the
    best mean over the runs in which all of them have a value.
    """
    measure = COMPARED[name]
    sign = 1.0 if measure.better == "low" else -1.0
    count = len(next(iter(worlds.values()))[0].rows) if worlds else 0
    wins, tied, judged = [0] * count, 0, 0
    for days in worlds.values():
        table = [[value(measure, row) for row in day.rows] for day in days]
        table = [row for row in table if not any(map(math.isnan, row))]
        if not table:
            continue
        judged += 1
        late = [sum(math.isinf(row[at]) for row in table) for at in range(count)]
        reached = [row for row in table if all(map(math.isfinite, row))]
        scores = [(late[at], sign * math.fsum(row[at] for row in reached)) for at in range(count)]
        top = [at for at in range(count) if scores[at] == min(scores)]
        if len(top) == 1:
            wins[top[0]] += 1
        else:
            tied += 1
    return Best(name, judged, tuple(wins), tied)
