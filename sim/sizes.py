"""Two kinds of uncertainty apart: how large the surge will be, which nobody knows, and chance within a size.

Each run draws a size of its own. The variance of a measure between runs is that of its mean at each
size, plus the mean of its variance within a size (law of total variance). No two runs share a size,
but runs of neighbouring sizes nearly do: how far a run lies from the line between its neighbours tells
the variance within.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.estimate import LEVEL, t_quantile
from sim.waits import FloatArray

FEWEST = 10


@dataclass(frozen=True)
class OfSize:
    """Share of the variance between `n` runs that comes from the size, with the ends of its interval."""

    n: int
    share: float
    low: float
    high: float


def of_size(sizes: Sequence[float], values: Sequence[float], level: float = LEVEL) -> OfSize | None:
    """Share of the variance of a measure between runs that comes from the size of the surge.

    Parameters
    ----------
    sizes : (n,) float
        Quantile of the size of each run, drawn independently.
    values : (n,) float
        The measure in each run.
    level : float
        Of the interval.

    Returns
    -------
    OfSize or None
        None for fewer than ten runs, or if they are all alike.

    Notes
    -----
    The variance within a size is estimated by differences of second order, without bias where the mean
    is linear between neighbours: Gasser, Sroka and Jennen-Steinmetz (1986), Biometrika 73, 625-633.
    The interval is a jackknife on the logarithm of the share that is chance. Cost: n^2.
    """
    n = len(values)
    if n < FEWEST:
        return None
    order = np.argsort(np.array(sizes), kind="stable")
    u, y = np.array(sizes)[order], np.array(values)[order]
    y = y - y.mean()
    if not np.any(y) or len(set(u)) < n:
        return None
    logs = np.log(np.maximum(np.array([_chance(np.delete(u, i), np.delete(y, i)) for i in range(n)]), 1e-12))
    whole = math.log(max(_chance(u, y), 1e-12))
    error = math.sqrt((n - 1) / n * float(np.sum((logs - logs.mean()) ** 2)))
    reach = t_quantile((1.0 + level) / 2.0, n - 1) * error
    share, low, high = (min(max(1.0 - math.exp(x), 0.0), 1.0) for x in (whole, whole + reach, whole - reach))
    return OfSize(n, share, low, high)


def _chance(u: FloatArray, y: FloatArray) -> float:
    """Share of the variance that is within a size; may be above 1 by chance."""
    right = (u[1:-1] - u[:-2]) / (u[2:] - u[:-2])
    left = 1.0 - right
    away = left * y[:-2] + right * y[2:] - y[1:-1]
    within = float(np.mean(away**2 / (left**2 + right**2 + 1.0)))
    return within / float(np.var(y, ddof=1))
