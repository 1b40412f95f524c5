"""Quantiles over runs and shares of runs, with intervals that hold whatever the law.

The interval of a quantile lies between two of the ordered values: how many of n values lie below a
quantile is binomial. So is the number of runs in which something happens.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sim.estimate import LEVEL


@dataclass(frozen=True)
class Quantile:
    """A quantile of the values with the ends of its interval; None: not reached, or too few values to tell."""

    value: float | None
    low: float | None
    high: float | None


def quantile(values: Sequence[float], p: float, level: float = LEVEL) -> Quantile:
    """The smallest value that a share `p` of all does not exceed; `inf` among them is what was never reached.

    Notes
    -----
    The interval takes at most (1 - level) / 2 on either side. The median needs 6 values for one at
    95 %, the tenths 36. Source: David and Nagaraja (2003), Order Statistics, section 7.1.
    """
    if not values:
        return Quantile(None, None, None)
    ordered = sorted(values)
    n = len(ordered)
    low, high = _ranks(n, p, level)
    value = ordered[max(math.ceil(p * n - 1e-9), 1) - 1]
    ends = (ordered[low - 1] if low >= 1 else None, ordered[high - 1] if high <= n else None)
    return Quantile(*(None if x is None or math.isinf(x) else x for x in (value, *ends)))


@lru_cache(maxsize=1024)
def _ranks(n: int, p: float, level: float) -> tuple[int, int]:
    """Ranks from 1 of the ends; 0 and n + 1 stand for none."""
    tail = (1.0 - level) / 2.0
    below = [_at_most(k, n, p) for k in range(n + 1)]  # that at most k values lie below the quantile
    low = sum(1 for k in range(n) if below[k] <= tail)
    high = next((k + 1 for k in range(n) if 1.0 - below[k] <= tail), n + 1)
    return low, high


def share_interval(k: int, n: int, level: float = LEVEL) -> tuple[float, float]:
    """Ends of the interval for the share of which k of n independent runs are a sample.

    Source: Clopper and Pearson (1934), Biometrika 26, 404-413; never too narrow.
    """
    tail = (1.0 - level) / 2.0
    low = 0.0 if k == 0 else _solved(lambda p: 1.0 - _at_most(k - 1, n, p) < tail)
    high = 1.0 if k == n else _solved(lambda p: _at_most(k, n, p) > tail)
    return low, high


def _solved(below: Callable[[float], bool]) -> float:
    """Where a condition on [0, 1] that holds up to some point ends to hold."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2.0
        low, high = (middle, high) if below(middle) else (low, middle)
    return (low + high) / 2.0


def _at_most(k: int, n: int, p: float) -> float:
    """P(B <= k) for a binomial B of n and p, 0 < p < 1."""
    logs = math.log(p), math.log1p(-p)
    whole = math.lgamma(n + 1)
    return math.fsum(
        math.exp(whole - math.lgamma(i + 1) - math.lgamma(n - i + 1) + i * logs[0] + (n - i) * logs[1])
        for i in range(k + 1)
    )
