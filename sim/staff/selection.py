"""Ranking and selection: which of a few finalists is best, with a stated probability.

All finalists meet the same days, one day after the other; whoever has fallen behind by more than chance could
explain drops out. Source: Kim and Nelson (2001), ACM Transactions on Modeling and Computer Simulation 11(3),
251-273, with common random numbers.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

Sample = Callable[[int, int], float]
"""Finalist and number of the day -> its value, the larger the better; means of a run, so close to normal."""


@dataclass(frozen=True)
class Selection:
    """Who was selected.

    Attributes
    ----------
    best : int
    days : int
        So many were played by the last two.
    alive : tuple of int
        Who is left: more than one if the days ran out.
    confidence, indifference : float
        If the best is better than each other one by at least `indifference`, it is selected with at least
        this probability; else one that is worse by less than that may be selected.
    decided : bool
        Whether one is left.
    """

    best: int
    days: int
    alive: tuple[int, ...]
    confidence: float
    indifference: float

    @property
    def decided(self) -> bool:
        """Whether the guarantee holds: only one is left."""
        return len(self.alive) == 1


def select(
    sample: Sample,
    finalists: int,
    indifference: float,
    *,
    confidence: float = 0.95,
    first: int = 10,
    most: int = 400,
    stop: Callable[[], bool] = lambda: False,
) -> Selection:
    """The finalist with the largest mean.

    Parameters
    ----------
    sample : callable
    finalists : int
        >= 1.
    indifference : float
        Difference of means that is worth detecting, > 0.
    confidence : float
        Between 1 / finalists and 1.
    first : int
        Days on which variances are estimated, >= 2.
    most : int
        Days at most; then the best so far is returned, undecided.
    stop : callable
        Asked after each day; True: the best so far is returned, undecided.
    """
    if indifference <= 0.0 or first < 2 or finalists < 1:
        raise ValueError(f"cannot select: indifference {indifference}, first {first}, finalists {finalists}")
    values = [[sample(i, r) for r in range(first)] for i in range(finalists)]
    if finalists == 1:
        return Selection(0, first, (0,), confidence, indifference)
    eta = 0.5 * ((2.0 * (1.0 - confidence) / (finalists - 1)) ** (-2.0 / (first - 1)) - 1.0)
    h2 = 2.0 * eta * (first - 1)
    spread = {
        (i, k): float(np.var(np.subtract(values[i], values[k]), ddof=1))
        for i in range(finalists)
        for k in range(finalists)
        if i != k
    }
    alive = list(range(finalists))
    days = first
    while True:
        means = {i: math.fsum(values[i]) / days for i in alive}

        def behind(i: int, k: int, n: int = days, at: dict[int, float] = means) -> bool:
            slack = max(indifference / (2.0 * n) * (h2 * spread[i, k] / indifference**2 - n), 0.0)
            return bool(at[i] < at[k] - slack)

        alive = [i for i in alive if not any(behind(i, k) for k in alive if k != i)]
        best = max(alive, key=means.__getitem__)
        if all(h2 * spread[i, k] <= indifference**2 * days for i in alive for k in alive if i != k):
            alive = [best]  # as many days as the procedure may take: who is left is equal
        if len(alive) == 1 or days >= most or stop():
            return Selection(best, days, tuple(alive), confidence, indifference)
        for i in alive:
            values[i].append(sample(i, days))
        days += 1
