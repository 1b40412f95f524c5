"""The arrivals of a history: ordinary week, noise and surges, each held out of the others, and their errors.

Errors, and how far the noise is taken too small because the week was fitted to the same days, come from
histories that are drawn from what was fitted and fitted again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from scenarios.arrivals import QUARTER_S, STEPS, Grid, busyness
from scenarios.history.busy import MOST_AR, MOST_SD, fitted_noise, moments
from scenarios.history.curve import Base, fitted_base
from scenarios.history.pulses import Again, Surges, fitted_surges, no_surges
from scenarios.history.series import SLOTS, BoolArray, Series
from scenarios.history.shape import Found, excess
from scenarios.laws import FloatArray
from scenarios.model import Noise

ROUNDS = 3
FIRST_NOISE = Noise()
Watch = Callable[[str], None]


@dataclass(frozen=True)
class Fit:
    """What was fitted to a series.

    Attributes
    ----------
    base : Base
    noise : Noise
    surges : Surges
        Pulses, and what else stands out.
    used : (n,) bool
        Intervals that week and noise were fitted to.
    """

    series: Series
    base: Base
    noise: Noise
    surges: Surges
    used: BoolArray

    @property
    def pulses(self) -> tuple[Found, ...]:
        """Surges found, in order of time."""
        return self.surges.pulses

    @cached_property
    def by_language(self) -> FloatArray:
        """(n, languages) contacts expected without surges."""
        return self.base.expected(self.series)

    @cached_property
    def expected(self) -> FloatArray:
        """(n,) contacts expected without surges."""
        out: FloatArray = self.by_language.sum(axis=1)
        return out

    @cached_property
    def excess(self) -> FloatArray:
        """(n,) what surges add, in multiples of that."""
        return excess(self.pulses, self.series)


def fitted(series: Series) -> Fit:
    """Fit week, noise and surges in turn, each with the last of the others."""
    expected, noise = _first_guess(series), FIRST_NOISE
    fit: Fit | None = None
    for _ in range(ROUNDS):
        surges = fitted_surges(series, expected, noise)
        used = series.known & ~surges.held_out(series)
        if np.count_nonzero(used) < 0.3 * np.count_nonzero(series.known):  # what is most of the time is no surge
            surges, used = no_surges(series), series.known
        base = fitted_base(series, used, noise)
        expected = base.expected(series).sum(axis=1)
        noise = fitted_noise(moments(series.total, expected, used, series.day, series.step_s), series.step_s)
        fit = Fit(series, base, noise, surges, used)
    assert fit is not None
    return fit


def _first_guess(series: Series) -> FloatArray:
    """(n,) contacts by hour of the week, by medians over the weeks, which surges leave alone."""
    total, slot = series.total[series.known], series.slot[series.known]
    order = np.argsort(slot, kind="stable")
    parts = np.split(total[order], np.cumsum(np.bincount(slot, minlength=SLOTS))[:-1])
    middle = np.array([np.median(part) if part.size else 0.0 for part in parts])
    mean = np.array([part.mean() if part.size else 0.0 for part in parts])
    blended = 0.5 * middle + 0.5 * np.minimum(mean, 2.0 * middle + 1.0)
    out: FloatArray = np.maximum(blended, 0.05 * float(mean.mean()))[series.slot]
    return out


@dataclass(frozen=True)
class Errors:
    """Standard errors of what was fitted.

    Attributes
    ----------
    cases_per_h : float
    hours, weekdays : (24,) and (7,) float64
        Of the profile of all languages.
    noise : mapping of str to float
    pulses : (pulses, 5) float64
        Of start, rise, plateau and tau in hours, and of the excess.
    chance_wape : float
        What noise alone makes a perfect forecast of single hours miss, as a share of all contacts.
    draws : int
    """

    cases_per_h: float
    hours: FloatArray
    weekdays: FloatArray
    noise: dict[str, float]
    pulses: FloatArray
    chance_wape: float
    draws: int


NOISE = ("day_sd", "day_ar", "hour_sd", "hour_memory_h")


def with_errors(fit: Fit, draws: int = 40, seed: int = 1, watch: Watch | None = None) -> tuple[Fit, Errors]:
    """Draw histories from what was fitted, fit each again, and tell how far they stray.

    Returns
    -------
    fit : Fit
        With its noise corrected for what the fits of the draws come out too small by.
    errors : Errors
    """
    rng = np.random.default_rng(seed)
    pulses_again = Again(fit.pulses, fit.series, fit.expected, fit.noise)
    again: list[Fit] = []
    missed = []
    if watch is not None:
        watch(f"errors, from {draws} histories drawn from what was fitted")
    for _ in range(draws):
        drawn = _drawn(fit, rng)
        again.append(_fitted_again(drawn, fit, pulses_again))
        missed.append(_hourly_wape(drawn.total, fit, fit.used))
    table = np.array([[getattr(each.noise, name) for name in NOISE] for each in again])
    mean, sd = table.mean(axis=0), table.std(axis=0, ddof=1)
    pulses = np.array([[_plain(each) for each in one.pulses] for one in again]).reshape(draws, len(fit.pulses), 5)
    errors = Errors(
        float(np.std([each.base.now_per_h for each in again], ddof=1)),
        np.std([each.base.week.all_hours for each in again], axis=0, ddof=1),
        np.std([each.base.week.all_weekdays for each in again], axis=0, ddof=1),
        {name: float(value) for name, value in zip(NOISE, sd, strict=True)},
        pulses.std(axis=0, ddof=1) if fit.pulses else np.zeros((0, 5)),
        float(np.mean(missed)),
        draws,
    )
    return replace(fit, noise=_corrected(fit.noise, mean)), errors


def _plain(each: Found) -> tuple[float, ...]:
    return each.at_h, each.rise_h, each.plateau_h, each.tau_h, each.excess


def _corrected(noise: Noise, mean: FloatArray) -> Noise:
    """Noise by what its estimate comes to on average when it is true; no more than a half is put on."""

    def scaled(value: float, seen: float, most: float) -> float:
        return min(value * min(max(value / seen, 1.0 / 1.5), 1.5), most) if seen > 0 else value

    return Noise(
        day_sd=scaled(noise.day_sd, float(mean[0]), MOST_SD),
        day_ar=min(max(2.0 * noise.day_ar - float(mean[1]), 0.0), MOST_AR) if noise.day_ar else 0.0,
        hour_sd=scaled(noise.hour_sd, float(mean[2]), MOST_SD),
        hour_memory_h=scaled(noise.hour_memory_h, float(mean[3]), 24.0),
    )


def busy_intervals(noise: Noise, series: Series, rng: np.random.Generator) -> FloatArray:
    """(n,) factor on all rates, drawn, as a mean over each interval."""
    per = round(series.step_s / QUARTER_S)
    grid = Grid(series.start_s, 0.0, series.n * per)
    busy = busyness(noise, series.zone.key, grid, rng, rng)
    out: FloatArray = busy.reshape(series.n, per * STEPS).mean(axis=1)
    return out


def _drawn(fit: Fit, rng: np.random.Generator) -> Series:
    rate = fit.by_language * ((1.0 + fit.excess) * busy_intervals(fit.noise, fit.series, rng))[:, None]
    there = np.flatnonzero(rate.sum(axis=0) > 0)
    counts = np.zeros(rate.shape, dtype=np.int64)
    counts[:, there] = rng.poisson(rate[:, there])
    s = fit.series
    return Series(s.zone, s.start_s, s.step_s, counts, s.known)


def _fitted_again(series: Series, fit: Fit, again: Again) -> Fit:
    base = fitted_base(series, fit.used, fit.noise)
    expected = base.expected(series).sum(axis=1)
    noise = fitted_noise(moments(series.total, expected, fit.used, series.day, series.step_s), series.step_s)
    return Fit(series, base, noise, replace(fit.surges, pulses=again.fitted(series, expected)), fit.used)


def _hourly_wape(total: FloatArray, fit: Fit, used: BoolArray) -> float:
    per = max(round(1.0 / fit.series.step_h), 1)
    n = fit.series.n // per * per
    came, due, seen = (x[:n].reshape(-1, per).sum(axis=1) for x in (total, fit.expected, used.astype(np.float64)))
    whole = seen == per
    return float(np.abs(came - due)[whole].sum() / max(float(came[whole].sum()), 1.0))
