"""With how many of its heads the simulated desk would have fared as the real one did.

All pools work at a factor of their speed: a desk with 0.8 of its speed is one that lacks a fifth of its
heads, or needs 1.25 times as long for a case, and the backlog alone cannot tell the two apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.desk import Desk

FloatArray = NDArray[np.float64]
SLOWER = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
FASTER = (1.0, 1.1, 1.25, 1.5, 2.0)

Levels = Callable[[float], FloatArray]
"""(runs,) mean backlog of the same runs with the desk at this factor."""


@dataclass(frozen=True)
class AsIf:
    """The factor on the heads at which runs meet the real backlog.

    Attributes
    ----------
    factor : float
        Median over the runs; 0.8: as if a fifth of the heads were missing.
    low, high : float
        The runs with the second lowest and second highest factor: some 80 % of ten.
    beyond : bool
        Whether most runs do not meet it within the factors that were tried: then `factor` is the last.
    """

    factor: float
    low: float
    high: float
    beyond: bool


def scaled(desk: Desk, factor: float) -> Desk:
    """The same desk with all pools at a factor of their speed; the ladder of its plan as well."""
    pools = tuple(pool.model_copy(update={"speed": pool.speed * factor}) for pool in desk.pools)
    plan = desk.plan
    if plan is not None:
        ladder = tuple(rung.model_copy(update={"speed": rung.speed * factor}) for rung in plan.ladder)
        plan = plan.model_copy(update={"ladder": ladder})
    return desk.model_copy(update={"pools": pools, "plan": plan})


def as_if(actual: float, levels: Levels) -> AsIf:
    """Find the factor at which each run has the real mean backlog.

    Parameters
    ----------
    actual : float
        Real mean backlog.
    levels : callable
        Called with one factor after the other, away from 1, until nearly all runs have passed `actual`.
    """
    first = levels(1.0)
    tried = SLOWER if actual > float(np.median(first)) else FASTER
    found = [first]
    enough = first.size - first.size // 10
    for factor in tried[1:]:
        found.append(levels(factor))
        passed = found[-1] >= actual if tried is SLOWER else found[-1] <= actual
        if np.count_nonzero(passed) >= enough:
            break
    met = np.sort([_met(actual, tried, [float(row[run]) for row in found]) for run in range(first.size)])
    n = first.size
    middle = float(np.median(met))
    last = tried[len(found) - 1]
    return AsIf(middle, float(met[min(1, n - 1)]), float(met[max(n - 2, 0)]), math.isclose(middle, last))


def _met(actual: float, factors: Sequence[float], levels: Sequence[float]) -> float:
    """Where one run meets the real level, on a line through the logarithms; the last factor if it does not."""
    logs = [math.log1p(level) for level in levels]
    aim = math.log1p(actual)
    for i in range(1, len(logs)):
        a, b = logs[i - 1], logs[i]
        if min(a, b) <= aim <= max(a, b) and a != b:
            return factors[i - 1] + (aim - a) / (b - a) * (factors[i] - factors[i - 1])
    slower = factors[1] < factors[0]
    met_at_once = logs[0] >= aim if slower else logs[0] <= aim
    return factors[0] if met_at_once else factors[len(logs) - 1]
