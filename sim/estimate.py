"""From the values of several runs to a mean with an interval.

Runs are independent, so the interval is Student's t. It holds for the mean over runs, not for one
more run: single weeks vary more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from sim.measures import MEASURES, measure
from sim.outcome import Outcome

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Mean of `n` values with the ends of its interval, None where they are not defined."""

    n: int
    mean: float | None
    low: float | None
    high: float | None


def estimate(
    values: Sequence[float], level: float = LEVEL, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> Estimate:
    """Mean and Student-t interval; one value has no interval, none has no mean.

    The interval is cut at `bounds`, outside of which the mean cannot lie.
    """
    n = len(values)
    if n == 0:
        return Estimate(0, None, None, None)
    mean = math.fsum(values) / n
    if n == 1:
        return Estimate(1, mean, None, None)
    spread = math.sqrt(math.fsum((v - mean) ** 2 for v in values) / (n - 1))
    half = t_quantile((1.0 + level) / 2.0, n - 1) * spread / math.sqrt(n)
    return Estimate(n, mean, max(mean - half, bounds[0]), min(mean + half, bounds[1]))


def summarise(runs: Sequence[Outcome | Mapping[str, float | None]], level: float = LEVEL) -> dict[str, dict[str, Any]]:
    """Mean and interval of each measure over replications, ready for JSON.

    Parameters
    ----------
    runs : sequence of Outcome, or of rows as `sim.measures.measure` gives them
    level : float
        Of the interval, between 0 and 1.

    Returns
    -------
    dict of str to dict
        By id of the measure: `mean`, `low`, `high`, `runs`. The mean is over the runs that have a
        value. `beyond_window` is the share of the runs in which it was not reached before the end,
        `undefined` the share in which it has no meaning (no such cases); both are left out if 0.
        `single_run` is true if the mean stands on one value: then `low` and `high` are None.
    """
    if not 0.0 < level < 1.0:
        raise ValueError(f"level is {level}, not between 0 and 1")
    rows = [measure(run) if isinstance(run, Outcome) else run for run in runs]
    return {name: _summary(name, rows, level) for name in MEASURES if any(name in row for row in rows)}


def _summary(name: str, rows: Sequence[Mapping[str, float | None]], level: float) -> dict[str, Any]:
    values = [value for row in rows if (value := row.get(name)) is not None]
    bounds = (0.0, 1.0 if MEASURES[name].unit == "share" else math.inf)
    found = estimate(values, level, bounds)
    out: dict[str, Any] = {"mean": found.mean, "low": found.low, "high": found.high, "runs": len(rows)}
    open_ended = MEASURES[name].open_ended
    beyond = sum(open_ended and row.get(name) is None and row.get("cases") != 0 for row in rows)
    undefined = len(rows) - len(values) - beyond
    if beyond:
        out["beyond_window"] = beyond / len(rows)
    if undefined:
        out["undefined"] = undefined / len(rows)
    if found.n == 1:
        out["single_run"] = True
    return out


@lru_cache(maxsize=1024)
def t_quantile(p: float, df: int) -> float:
    """Value that Student's t with `df` degrees of freedom stays below with probability `p`.

    Raises
    ------
    ValueError
        If `p` is not in (0, 1) or `df` is not a whole number of at least 1.

    Notes
    -----
    For whole `df` the distribution function is a finite sum of powers of a cosine. It is inverted
    by halving, in the angle theta = atan(t / sqrt(df)); the relative error is below 1e-10 for p in
    [1e-6, 1 - 1e-6]. Cost grows with `df`. Source: Abramowitz and Stegun (1964), 26.7.3, 26.7.4.
    """
    if not 0.0 < p < 1.0 or df < 1 or df != int(df):
        raise ValueError(f"t_quantile needs 0 < p < 1 and a whole df >= 1, not {p} and {df}")
    if p == 0.5:
        return 0.0
    wanted = abs(2.0 * p - 1.0)
    ratios = _ratios(df)
    low, high = 0.0, math.pi / 2.0
    for _ in range(80):
        middle = (low + high) / 2.0
        if _within(middle, df, ratios) < wanted:
            low = middle
        else:
            high = middle
    return math.copysign(math.sqrt(df) * math.tan((low + high) / 2.0), p - 0.5)


def _ratios(df: int) -> Any:
    """Coefficients of the sum: products of 1/2, 3/4, ... for even df, of 2/3, 4/5, ... for odd."""
    first = 1 if df % 2 == 0 else 2
    upper = np.arange(first, df - 2, 2, dtype=np.float64)
    return np.concatenate([[1.0], np.cumprod(upper / (upper + 1.0))])


def _within(theta: float, df: int, ratios: Any) -> float:
    """P(|T| <= t) at t = sqrt(df) tan(theta)."""
    sine, cosine = math.sin(theta), math.cos(theta)
    if df == 1:
        return 2.0 * theta / math.pi
    powers = np.cumprod(np.full(ratios.size, cosine * cosine)) / (cosine * cosine)
    total = float(np.dot(ratios, powers))
    if df % 2 == 0:
        return sine * total
    return 2.0 / math.pi * (theta + sine * cosine * total)
