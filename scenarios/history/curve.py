"""The ordinary week in a history: what comes at each hour and weekday of each language, and how high weeks stand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.history.series import LANGUAGES, SLOTS, BoolArray, IntArray, Series
from scenarios.laws import FloatArray
from scenarios.model import Noise

ROUNDS = 30
OWN = 300
"""Contacts from which on a language has a profile of its own."""
LENT = 100.0
"""Contacts on the profile of all that a language's own is mixed with: a tenth of its own at 900."""
SMOOTHING = (0.1, 0.2, 0.3, 0.5)
FEWEST_WEEKS = 6
BEYOND_CHANCE = 1.8
"""Times the degrees of freedom that cells may stray beyond hours times weekdays by chance; it strays by 0.1 to 0.3."""
CLOSED = 20.0
"""Contacts that would come in an hour of the week over all weeks; if none did, the desk was closed."""
LUCK = 1.2
"""Over the root of the number of weeks: by how much of its squared error a moving level must foretell better."""


@dataclass(frozen=True)
class Week:
    """An ordinary week.

    Attributes
    ----------
    per_h : (languages,) float64
        Contacts an hour, on average over a week, at level 1.
    hours, weekdays : (languages, 24) and (languages, 7) float64
        Relative to their mean, which is 1.
    own : (languages,) bool
        Whether a language has a profile of its own, not that of all.
    cross : (languages, 7, 24) float64
        What is left of the week beyond the product of hours and weekdays; 1 where that is all.
    all_hours, all_weekdays, all_cross : (24,), (7,) and (7, 24) float64
        Profile of all languages together.
    """

    per_h: FloatArray
    hours: FloatArray
    weekdays: FloatArray
    cross: FloatArray
    own: BoolArray
    all_hours: FloatArray
    all_weekdays: FloatArray
    all_cross: FloatArray

    def shapes(self) -> FloatArray:
        """(languages, 168) contacts by hour of the week, relative to their mean."""
        shape = (self.weekdays[:, :, None] * self.hours[:, None, :] * self.cross).reshape(LANGUAGES, SLOTS)
        out: FloatArray = shape / shape.mean(axis=1, keepdims=True)
        return out

    def rates(self) -> FloatArray:
        """(168, languages) contacts an hour by hour of the week."""
        out: FloatArray = (self.per_h[:, None] * self.shapes()).T
        return out


def fitted_week(counts: IntArray, slot: IntArray, exposure_h: FloatArray, noise_var: float = 0.0) -> Week:
    """Fit hours and weekdays, which multiply, to counts by maximum likelihood, and what their product leaves.

    Parameters
    ----------
    counts : (n, languages) int64
    slot : (n,) int64
        Hour of the week of each interval.
    exposure_h : (n,) float64
        Hours at level 1 that each interval counts for: its length times its level; 0 leaves it out.
    noise_var : float
        Relative variance of busyness in an hour, which tells chance from hours that differ between weekdays.

    Notes
    -----
    The estimates are those of a Poisson model, which stay right in the mean under noise of any kind.
    """
    kept = exposure_h > 0
    exposed = np.bincount(slot[kept], exposure_h[kept], SLOTS).astype(np.float64).reshape(7, 24)
    here = slot[kept]
    columns = [np.bincount(here, counts[kept, i], SLOTS) for i in range(LANGUAGES)]
    tables = np.stack(columns).astype(np.float64).reshape(-1, 7, 24)
    whole = tables.sum(axis=0)
    every = _separated(whole, exposed)
    crossed = _crossed(whole, exposed, every, noise_var)
    per_h, hours, weekdays = np.zeros(LANGUAGES), np.ones((LANGUAGES, 24)), np.ones((LANGUAGES, 7))
    cross = np.ones((LANGUAGES, 7, 24))
    own = tables.sum(axis=(1, 2)) >= OWN
    for i in range(LANGUAGES):
        table, n = tables[i], float(tables[i].sum())
        hours[i], weekdays[i], cross[i] = *every, crossed
        if own[i]:
            mine, lent = _separated(table, exposed), LENT / (n + LENT)
            hours[i] = (1.0 - lent) * mine[0] + lent * every[0]
            weekdays[i] = (1.0 - lent) * mine[1] + lent * every[1]
            cross[i] = _crossed(table, exposed, (hours[i], weekdays[i]), noise_var)
        shape = np.outer(weekdays[i], hours[i]) * cross[i]
        per_h[i] = n / float((shape / shape.mean() * exposed).sum())
    return Week(per_h, hours, weekdays, cross, own, *every, crossed)


def _crossed(
    table: FloatArray, exposed: FloatArray, product: tuple[FloatArray, FloatArray], noise_var: float
) -> FloatArray:
    """Factors (7, 24) beyond the product of hours and weekdays: 1 if chance explains them, else drawn towards 1.

    Source: DerSimonian and Laird (1986), Controlled Clin. Trials 7(3), 177-188, for the variance between cells.
    """
    hours, weekdays = product
    due = np.outer(weekdays, hours) * exposed
    due *= table.sum() / max(float(due.sum()), 1e-300)
    told = due > 0
    chance = np.ones((7, 24))
    chance[told] = 1.0 / due[told] + noise_var / np.maximum(exposed[told], 1.0)
    off = np.where(told, table / np.where(told, due, 1.0) - 1.0, 0.0)
    weight = np.where(told, 1.0 / chance, 0.0)
    freedom = (np.count_nonzero(told.any(axis=1)) - 1) * (np.count_nonzero(told.any(axis=0)) - 1)
    spread = float((weight * off**2).sum())
    if freedom < 1 or spread < BEYOND_CHANCE * freedom:
        return np.ones((7, 24))
    total = float(weight.sum())
    between = (spread - freedom) / max(total - float((weight**2).sum()) / total, 1e-300)
    drawn = np.maximum(1.0 + off * between / (between + chance), 0.0)
    return np.where((table == 0) & (due >= CLOSED), 0.0, drawn)


def _separated(table: FloatArray, exposed: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Hours and weekdays of mean 1 that explain a table (7, 24) best as their product."""
    hours, weekdays = np.ones(24), np.ones(7)
    by_hour, by_day = table.sum(axis=0), table.sum(axis=1)
    for _ in range(ROUNDS):
        hours = _ratio(by_hour, weekdays @ exposed)
        hours /= hours.mean()
        weekdays = _ratio(by_day, exposed @ hours)
        weekdays /= weekdays.mean()
    return hours, weekdays


def _ratio(count: FloatArray, expected: FloatArray) -> FloatArray:
    """Contacts over what is expected; where nothing was seen, the mean of the others."""
    out = np.full(count.size, np.nan)
    np.divide(count, expected, out=out, where=expected > 0)
    mean = float(np.nanmean(out))
    filled = np.where(np.isnan(out), mean, out)
    return filled if mean > 0 else np.ones(count.size)


@dataclass(frozen=True)
class Level:
    """How high the weeks stood, as factors on the mean.

    Attributes
    ----------
    weeks : (weeks,) float64
        Smoothed factor of each week; all 1 if they stood still.
    now : float
        That which is expected to go on.
    smoothing : float
        Weight of the last week against all before it; 0: the level stands still.
    """

    weeks: FloatArray
    now: float
    smoothing: float


def fitted_level(total: FloatArray, expected: FloatArray, week: IntArray) -> Level:
    """Find out whether the level of the weeks moves, by which smoothing would have foretold them best.

    Parameters
    ----------
    total, expected : (n,) float64
        Contacts that count for this, and what is expected of them at level 1; both 0 where they do not.
    week : (n,) int64

    Notes
    -----
    The mean of all stays unless another way foretells the weeks much better than chance would have it.
    """
    n = int(week[-1]) + 1
    came, due = np.bincount(week, total, n), np.bincount(week, expected, n)
    told = np.flatnonzero(due > 0.2 * due.max())
    flat = Level(np.ones(n), 1.0, 0.0)
    if told.size < FEWEST_WEEKS:
        return flat
    ratio = came[told] / due[told]
    mean = np.cumsum(ratio) / np.arange(1, ratio.size + 1)
    best, error = 0.0, float(np.square(ratio[2:] - mean[1:-1]).sum())
    limit = (1.0 - LUCK / np.sqrt(ratio.size - 2)) * error
    for weight in SMOOTHING:
        missed = float(np.square(ratio[2:] - _smoothed(ratio, weight)[1:-1]).sum())
        if missed < limit:
            best, limit = weight, missed
    if not best:
        return flat
    forward, backward = _smoothed(ratio, best), _smoothed(ratio[::-1], best)[::-1]
    both = np.interp(np.arange(n), told, (forward + backward) / 2.0)
    return Level(both / both.mean(), float(forward[-1] / both.mean()), best)


def _smoothed(ratio: FloatArray, weight: float) -> FloatArray:
    out = np.empty(ratio.size)
    at = float(ratio[:2].mean())
    for i, value in enumerate(ratio.tolist()):
        at += weight * (value - at)
        out[i] = at
    return out


@dataclass(frozen=True)
class Base:
    """An ordinary week and the level of the weeks."""

    week: Week
    level: Level

    @property
    def now_per_h(self) -> float:
        """Contacts an hour in all languages at the level that is expected to go on."""
        return float(self.week.per_h.sum()) * self.level.now

    def expected(self, series: Series) -> FloatArray:
        """(n, languages) contacts expected in each interval without surges."""
        weeks = self.level.weeks
        level = weeks[np.minimum(series.week, weeks.size - 1)]
        out: FloatArray = self.week.rates()[series.slot] * (level * series.step_h)[:, None]
        return out


def fitted_base(series: Series, used: BoolArray, noise: Noise) -> Base:
    """Fit week and level to the intervals that are used; `noise` tells chance from hours that differ."""
    hours = np.where(used, series.step_h, 0.0)
    var = float(np.expm1(noise.day_sd**2 + noise.hour_sd**2))
    week = fitted_week(series.counts, series.slot, hours, var)
    total = np.where(used, series.total, 0.0)
    due = week.rates().sum(axis=1)[series.slot] * hours
    level = fitted_level(total, due, series.week)
    if level.smoothing:
        week = fitted_week(series.counts, series.slot, hours * level.weeks[series.week], var)
    return Base(week, level)
