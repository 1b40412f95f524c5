"""How well weeks that were kept back are foretold, against the mean of the same weekday's last four weeks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.history.curve import fitted_base
from scenarios.history.fitting import Fit
from scenarios.history.series import BoolArray, Series
from scenarios.laws import FloatArray

MOST_WEEKS = 4
BASELINE_WEEKS = 4
WEEK_D = 7


@dataclass(frozen=True)
class Forecast:
    """Errors of a forecast, as shares of all that came.

    Attributes
    ----------
    wape : float
        Sum of the absolute errors of single hours.
    bias : float
        Sum of the errors: above 0 it foretold too much.
    """

    wape: float
    bias: float


@dataclass(frozen=True)
class HeldBack:
    """Forecasts of the last weeks, each from all weeks before it.

    Attributes
    ----------
    model, baseline : Forecast
    weeks, hours, contacts : int
        What was compared: hours outside of surges and dips that both could foretell.
    behind : int
        Weeks at least that the baseline has the mean of: four, in a short history fewer.
    """

    model: Forecast
    baseline: Forecast
    weeks: int
    hours: int
    contacts: int
    behind: int


def held_back(fit: Fit) -> HeldBack | None:
    """Foretell the last quarter of the weeks, four at most, one after the other; None if there is no whole week.

    Surges found in the whole history are left out of both forecasts, and of what they are held against.
    """
    series = fit.series
    whole = int(series.day[-1] + 1) // WEEK_D
    kept_back = max(min(MOST_WEEKS, whole // 4), 1)
    behind = min(BASELINE_WEEKS, whole - kept_back)
    if behind < 1:
        return None
    parts = [_week(fit, series, whole - kept_back + i, behind) for i in range(kept_back)]
    came, model, base = (np.concatenate([part[i] for part in parts]) for i in range(3))
    if not came.sum() > 0:
        return None
    return HeldBack(
        _forecast(model, came), _forecast(base, came), kept_back, int(came.size), int(came.sum()), behind
    )  # fmt: skip


def _forecast(told: FloatArray, came: FloatArray) -> Forecast:
    total = float(came.sum())
    return Forecast(float(np.abs(told - came).sum()) / total, float((told - came).sum()) / total)


def _week(fit: Fit, series: Series, number: int, behind: int) -> tuple[FloatArray, FloatArray, FloatArray]:
    """By hour of one week: what came, what the model foretold, what the baseline did."""
    first = int(np.searchsorted(series.day, number * WEEK_D))
    end = int(np.searchsorted(series.day, (number + 1) * WEEK_D))
    past = series.before(first)
    base = fitted_base(past, fit.used[:first], fit.noise)
    rate = base.week.rates().sum(axis=1)[series.slot[first:end]]
    told = rate * base.level.now * series.step_h
    hour = _hours(series)
    mine = slice(first, end)
    came, model, lengths, whole = (
        np.bincount(hour[mine] - hour[first], x)
        for x in (series.total[mine], told, np.ones(end - first), _f(fit.used[mine]))
    )
    local = np.bincount(hour[mine] - hour[first], series.local_s[mine]) / np.maximum(lengths, 1.0)
    before = _baseline(fit, series, first, local, behind)
    good = (whole == lengths) & (lengths > 0) & np.isfinite(before)
    return came[good], model[good], before[good]


def _f(x: BoolArray) -> FloatArray:
    return x.astype(np.float64)


def _hours(series: Series) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """(n,) number of the hour of UTC that each interval lies in."""
    out = ((series.start_s + np.arange(series.n) * series.step_s) // 3600.0).astype(np.int64)
    return out


def _baseline(fit: Fit, series: Series, first: int, local: FloatArray, behind: int) -> FloatArray:
    """Mean over the last weeks of the same local hour of the same weekday, surges left out; nan: none left."""
    place = (series.local_s[:first] // 3600.0).astype(np.int64)
    low = int(place[0])
    size = int(place[-1]) - low + 1
    came = np.bincount(place - low, series.total[:first], size)
    used = np.bincount(place - low, _f(fit.used[:first]), size)
    there = np.bincount(place - low, minlength=size)
    # An hour that came twice counts as one of twice the length: scaled to an hour.
    per_h = np.full(size, np.nan)
    good = (used == there) & (there > 0)
    per_h[good] = came[good] / (there[good] * series.step_h)
    wanted = (local // 3600.0).astype(np.int64) - low
    back = wanted[:, None] - 168 * np.arange(1, behind + 1)
    picked = np.where((back >= 0) & (back < size), per_h[np.clip(back, 0, size - 1)], np.nan)
    n = np.isfinite(picked).sum(axis=1)
    total = np.nansum(picked, axis=1)
    return np.where(n > 0, total / np.maximum(n, 1), np.nan)
