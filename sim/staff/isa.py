"""Iterative staffing of one pool: the least servers at each time with which few enough have to wait.

Begin with so many that nobody waits; play; look how many are in the system at each time; take the least number that
is exceeded no more often than promised; play again with those. After a few rounds nothing changes any more. Source:
Feldman, Mandelbaum, Massey and Whitt (2008), Management Science 54(2), 324-338.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
DOWN = 4  # rounds in which servers may become fewer: later they could go up and down by one for ever
NumberInSystem = Callable[[IntArray], IntArray]
"""Servers in each interval, (intervals,) -> customers in the system, (samples, intervals), on the same days."""


@dataclass(frozen=True)
class Staffing:
    """Servers in each interval, and what comes of them.

    Attributes
    ----------
    servers : (intervals,) int64
    p_wait : (intervals,) float64
        Share of the samples in which all servers are busy.
    rounds : int
        Times that the days were played.
    settled : bool
        Whether the last round changed nothing.
    """

    servers: IntArray
    p_wait: FloatArray
    rounds: int
    settled: bool


def least_servers(number: IntArray, p_wait: float) -> IntArray:
    """(intervals,) least s with a share of at most `p_wait` of the samples at s or above."""
    ordered = np.sort(number, axis=0)
    n = ordered.shape[0]
    allowed = int(np.floor(p_wait * n + 1e-9))  # samples that may be at s or above
    if allowed >= n:
        return np.zeros(number.shape[1], dtype=np.int64)
    out: IntArray = ordered[n - 1 - allowed] + 1
    return out


def staffing(
    number_in_system: NumberInSystem,
    intervals: int,
    p_wait: float,
    *,
    ample: int = 1_000_000,
    step: int | None = None,
    most: int = 30,
) -> Staffing:
    """Servers in each interval with which the probability of waiting is at most `p_wait`.

    Parameters
    ----------
    number_in_system : callable
        Plays the days with certain servers.
    intervals : int
    p_wait : float
        Target, 0 < p_wait < 1.
    ample : int
        Servers of the first round.
    step : int, optional
        Most that an interval changes from the second round to the next: a damper where waiting in one
        interval is due to those before.
    most : int
        Rounds at most.
    """
    if not 0.0 < p_wait < 1.0:
        raise ValueError(f"a probability of waiting of {p_wait}: must lie between 0 and 1")
    servers = np.full(intervals, ample, dtype=np.int64)
    for k in range(1, most + 1):
        number = number_in_system(servers)
        wanted = least_servers(number, p_wait)
        if step is not None and k > 1:
            wanted = np.clip(wanted, servers - step, servers + step)
        if k > DOWN and step is None:
            wanted = np.maximum(wanted, servers)
        if np.array_equal(wanted, servers):
            return Staffing(servers, (number >= servers).mean(axis=0), k, True)
        servers = wanted
    number = number_in_system(servers)
    return Staffing(servers, (number >= servers).mean(axis=0), most + 1, False)
