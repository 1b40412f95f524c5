"""Shifts that the promise can do without: whole shifts cover more than seats ask for, so some are dropped.

The least useful shifts go together; if the days that are played then miss a promise, half as many are tried.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from sim.staff.budget import Budget
from sim.staff.duty import Duty
from sim.staff.shifts import at_work

IntArray = NDArray[np.int64]
FIRST = 0.1  # share of all shifts that is tried first
MOST_TRIES = 24


def useless(shifts: Sequence[Sequence[Duty]], wanted: IntArray, start: datetime, n: int) -> list[list[Duty]]:
    """The shifts by pool without the `n` that do least: seats that only they cover, for each paid hour.

    Parameters
    ----------
    shifts : by pool, the duties
    wanted : (pools, intervals) int64
        Heads to plan.
    start : datetime
        Of the first interval.
    n : int
    """
    left = [list(mine) for mine in shifts]
    covers = [[at_work(duty, start, wanted.shape[1]) for duty in mine] for mine in left]
    have = np.array([np.sum(rows, axis=0) if rows else np.zeros(wanted.shape[1], dtype=np.int64) for rows in covers])
    for _ in range(min(n, sum(len(mine) for mine in left))):
        use = [
            (float(row[have[p] <= wanted[p]].sum()) / left[p][i].hours, p, i)
            for p, rows in enumerate(covers)
            for i, row in enumerate(rows)
        ]
        _, p, i = min(use)
        have[p] -= covers[p].pop(i)
        left[p].pop(i)
    return left


def thin(
    shifts: Sequence[Sequence[Duty]],
    wanted: IntArray,
    start: datetime,
    holds: Callable[[Sequence[Sequence[Duty]]], bool],
    budget: Budget,
) -> list[list[Duty]]:
    """Drop shifts as long as all promises hold.

    Parameters
    ----------
    shifts, wanted, start
        As for `useless`; the shifts as they are hold.
    holds : callable
        Whether all promises hold with some shifts.
    budget : Budget
    """
    best = [list(mine) for mine in shifts]
    batch = max(round(FIRST * sum(len(mine) for mine in best)), 1)
    for _ in range(MOST_TRIES):
        if budget.is_over or not any(best):
            break
        fewer = useless(best, wanted, start, batch)
        if holds(fewer):
            best = fewer
            budget.tell(f"roster, {sum(len(mine) for mine in best)} shifts keep the promise")
        elif batch == 1:
            break
        else:
            batch //= 2
    return best
