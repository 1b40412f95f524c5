"""Busyness in a history: how far days and hours stray from the ordinary week together, and for how long.

Moments: of two intervals the covariance of the contacts over the product of their means is that of the noise
alone, as Poisson counts of different intervals add nothing to it. Within a day it falls from the variance of
day and hour to that of the day; from day to day it is that of the days.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenarios.arrivals import QUARTER_S, STEPS
from scenarios.history.series import BoolArray, IntArray
from scenarios.laws import FloatArray
from scenarios.model import Noise

STEP_S = QUARTER_S / STEPS
LONGEST_LAG_H = 16.0
MEMORIES_H = np.geomspace(0.15, 12.0, 24)
FINER = 21
MOST_SD = 2.0
MOST_AR = 0.95
TOLD_SD = 0.03
"""Below this noise of the hours cannot be told from none, and its memory is not told."""


@dataclass(frozen=True)
class Moments:
    """Covariances of relative busyness.

    Attributes
    ----------
    within : (lags + 1,) float64
        Of two intervals of a day, by how many intervals lie between their starts; lag 0 without Poisson's.
    weight : (lags + 1,) float64
        How well each is known.
    days : (3,) float64
        Of a day with itself, with the next and the one after; nan: no such pairs.
    """

    within: FloatArray
    weight: FloatArray
    days: FloatArray


def moments(total: FloatArray, expected: FloatArray, used: BoolArray, day: IntArray, step_s: float) -> Moments:
    """Covariances of what came around what was expected.

    Parameters
    ----------
    total, expected : (n,) float64
    used : (n,) bool
    day : (n,) int64
        Number of the local day, ascending.
    """
    off = np.where(used, total - expected, 0.0)
    due = np.where(used, expected, 0.0)
    lags = round(LONGEST_LAG_H * 3600.0 / step_s)
    within, weight = np.zeros(lags + 1), np.zeros(lags + 1)
    for lag in range(lags + 1):
        same = day[lag:] == day[: day.size - lag]
        a, b = due[: due.size - lag] * same, due[lag:]
        weight[lag] = float(a @ b)
        top = float((off[: off.size - lag] * same) @ off[lag:])
        top -= float(due.sum()) if lag == 0 else 0.0
        within[lag] = top / weight[lag] if weight[lag] > 0 else 0.0
    off_d, due_d = np.bincount(day, off), np.bincount(day, due)
    days = np.full(3, np.nan)
    for lag in range(3):
        below = float(due_d[: due_d.size - lag] @ due_d[lag:])
        if below > 0 and due_d.size > lag:
            top = float(off_d[: off_d.size - lag] @ off_d[lag:]) - (float(due.sum()) if lag == 0 else 0.0)
            days[lag] = top / below
    return Moments(within, weight, days)


def interval_law(noise: Noise, step_s: float, lags: int) -> FloatArray:
    """Covariance of the hours' noise averaged over intervals, by lag: (lags + 1,) float64."""
    per = round(step_s / STEP_S)
    memory = math.exp(-STEP_S / 3600.0 / noise.hour_memory_h)
    apart = np.abs(np.arange(lags + 1)[:, None, None] * per + np.arange(per)[:, None] - np.arange(per)[None, :])
    out: FloatArray = np.expm1(noise.hour_sd**2 * memory**apart).mean(axis=(1, 2))
    return out


def fitted_noise(found: Moments, step_s: float) -> Noise:
    """The noise that explains the moments best, by weighted least squares."""
    weight = found.weight / max(float(found.weight.max()), 1e-300)
    weight[0] *= 0.5  # it alone has Poisson's noise taken off
    memory_h, hour, day = _best(found.within, weight, step_s, MEMORIES_H)
    near = MEMORIES_H[np.abs(np.log(MEMORIES_H / memory_h)) < 1.5 * np.log(MEMORIES_H[1] / MEMORIES_H[0])]
    memory_h, hour, day = _best(found.within, weight, step_s, np.geomspace(near[0], near[-1], FINER))
    hour_sd = min(math.sqrt(math.log1p(hour)), MOST_SD)
    day_sd = min(math.sqrt(math.log1p(day)), MOST_SD)
    told = hour_sd >= TOLD_SD
    return Noise(
        day_sd=day_sd, day_ar=_memory_of_days(found.days, day), hour_sd=hour_sd if told else 0.0,
        hour_memory_h=memory_h if told else 1.0,
    )  # fmt: skip


def _best(within: FloatArray, weight: FloatArray, step_s: float, memories_h: FloatArray) -> tuple[float, float, float]:
    """Memory of the hours, their variance and that of the days, with the least squared misses."""
    found, least = (1.0, 0.0, 0.0), math.inf
    for memory_h in memories_h.tolist():
        shape = interval_law(Noise(hour_sd=0.3, hour_memory_h=memory_h), step_s, within.size - 1) / math.expm1(0.09)
        hour, day = _two(shape, within, weight)
        missed = float(weight @ np.square(within - hour * shape - day))
        if missed < least - 1e-15:
            found, least = (memory_h, hour, day), missed
    return found


def _two(shape: FloatArray, within: FloatArray, weight: FloatArray) -> tuple[float, float]:
    """Least squares of within = hour * shape + day, neither below 0."""
    ss, s1, n = float(weight @ shape**2), float(weight @ shape), float(weight.sum())
    sy, y = float(weight @ (shape * within)), float(weight @ within)
    if n <= 0:
        return 0.0, 0.0
    below = ss * n - s1 * s1
    hour, day = ((sy * n - y * s1) / below, (ss * y - s1 * sy) / below) if below > 1e-12 else (0.0, y / n)
    if hour < 0:
        return 0.0, max(y / n, 0.0)
    if day < 0:
        return max(sy / ss, 0.0), 0.0
    return hour, day


def _memory_of_days(days: FloatArray, day: float) -> float:
    """Correlation from one day to the next."""
    if day <= TOLD_SD**2 or not np.isfinite(days[1]):
        return 0.0
    ratio = math.log1p(max(float(days[1]), -0.5)) / math.log1p(day)
    return min(max(ratio, 0.0), MOST_AR)
