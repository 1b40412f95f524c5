"""Residuals in rescaled time: whether contacts come as the model says, given all that came before.

Under the right model the integral of the rate from one contact to the next is exponential with mean 1. The rate
is not known, as busyness is not: at each moment it is what the contacts so far tell of it. A filter follows the
logarithms of the day's and the hour's factor as a Gaussian pair; within an interval the unknown rate has a gamma
law of the same mean and variance, for which the integral is known in closed form.

Source: Brown, Barbieri, Ventura, Kass and Frank (2002), Neural Computation 14(2), 325-346.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenarios.history.busy import fitted_noise, interval_law, moments
from scenarios.history.curve import fitted_base
from scenarios.history.fitting import Fit
from scenarios.history.series import IntArray, Series
from scenarios.laws import FloatArray
from scenarios.model import Noise

FINE_S = 300.0
WARM_UP_D = 3
NEWTON = 40
NODES = [(float(x), float(w)) for x, w in zip(*np.polynomial.hermite_e.hermegauss(7), strict=True)]


@dataclass(frozen=True)
class Rescaled:
    """The test of Kolmogorov and Smirnov on residuals of the last third.

    Attributes
    ----------
    n : int
        Contacts.
    distance : float
        Largest distance of their law from the exponential.
    p : float
        How likely it is that large, if the model is right.
    serial : float
        Correlation of one residual, made normal, with the next.
    """

    n: int
    distance: float
    p: float
    serial: float


def rescaled(fit: Fit, seed: int = 1) -> Rescaled | None:
    """Test the last third with week and noise of the first two; None with fewer than 30 contacts.

    Surges of the last third are taken as they were fitted: nobody can foretell them. Contacts that are only
    counted, or have whole minutes, are spread evenly over their interval or minute, by chance.
    """
    series = fit.series
    split = int(np.searchsorted(series.day, (int(series.day[-1]) + 1) * 2 // 3))
    early, used = series.before(split), fit.used[:split]
    if used.sum() < 7 * 86_400 / series.step_s:
        return None
    base = fitted_base(early, used, fit.noise)
    due = base.expected(early).sum(axis=1)
    noise = fitted_noise(moments(early.total, due, used, early.day, early.step_s), early.step_s)
    # What the fits of draws tell of the whole holds here too: noise comes out too small by as much.
    first = fitted_noise(moments(series.total, fit.expected, fit.used, series.day, series.step_s), series.step_s)
    noise = _lifted(noise, first, fit.noise)
    rate = base.week.rates().sum(axis=1)[series.slot] * base.level.now * (1.0 + fit.excess) / 3600.0
    times, step_s = _times(series, np.random.default_rng(seed))
    begin = int(np.searchsorted(series.day, int(series.day[split]) - WARM_UP_D))
    residuals = _residuals(series, rate, noise, times, step_s, begin, split)
    if residuals.size < 30:
        return None
    u = -np.expm1(-residuals)
    distance, p = kolmogorov(u)
    return Rescaled(int(u.size), distance, p, _serial(u))


def _lifted(noise: Noise, raw: Noise, corrected: Noise) -> Noise:
    def ratio(name: str) -> float:
        below = getattr(raw, name)
        return float(getattr(corrected, name) / below) if below > 0 else 1.0

    return Noise(
        day_sd=noise.day_sd * ratio("day_sd"), day_ar=corrected.day_ar, hour_sd=noise.hour_sd * ratio("hour_sd"),
        hour_memory_h=noise.hour_memory_h * ratio("hour_memory_h"),
    )  # fmt: skip


def _times(series: Series, rng: np.random.Generator) -> tuple[FloatArray, float]:
    """Contacts in order of time, in seconds from the start, and the steps that the filter goes in."""
    if series.times_s is None:
        counts = series.counts.sum(axis=1)
        place = np.repeat(np.arange(series.n), counts)
        return np.sort((place + rng.random(place.size)) * series.step_s), series.step_s
    times = series.times_s
    for unit in (60.0, 1.0):
        if np.mean(np.mod(times, unit) == 0) > 0.9:
            return np.sort(times + unit * rng.random(times.size)), FINE_S
    return times, FINE_S


def _residuals(
    series: Series, rate: FloatArray, noise: Noise, times: FloatArray, step_s: float, begin: int, split: int
) -> FloatArray:
    """Integrals of the rate from contact to contact, from interval `split` on; the filter starts at `begin`."""
    per = round(series.step_s / step_s)
    low, high = begin * series.step_s, series.n * series.step_s
    mine = times[(times >= low) & (times < high)]
    due = np.repeat(rate[begin:] * step_s * series.known[begin:], per)
    day = np.repeat(series.day[begin:], per)
    place = np.minimum(((mine - low) / step_s).astype(np.int64), due.size - 1)
    mine, place = mine[due[place] > 0], place[due[place] > 0]
    counts = np.bincount(place, minlength=due.size)
    shape, mean = filtered(counts, due, day, noise, step_s)
    ahead = shape / np.where(mean > 0, mean, 1.0)  # of the gamma law: in lengths of the interval
    start = np.concatenate([[0], np.cumsum(counts)])[:-1]
    order = np.arange(mine.size) - start[place]  # of the contacts in their interval
    part = (mine - low) / step_s - place
    before = np.where(order > 0, np.concatenate([[0.0], part[:-1]]), 0.0)
    steps = (shape[place] + order) * np.log((ahead[place] + part) / (ahead[place] + before))
    last = np.zeros(due.size)
    last[place] = part  # in order of time: the last one stays
    rest = (shape + counts) * np.log((ahead + 1.0) / (ahead + last))
    rest[due <= 0] = 0.0
    within = np.bincount(place, steps, due.size)
    upto = np.concatenate([[0.0], np.cumsum(within + rest)])
    run = np.cumsum(steps)
    inside = run - np.concatenate([[0.0], run])[start[place]]
    clock = upto[place] + inside
    gaps = np.diff(clock)
    out: FloatArray = gaps[mine[:-1] >= split * series.step_s]
    return np.maximum(out, 0.0)


def filtered(
    counts: IntArray, due: FloatArray, day: IntArray, noise: Noise, step_s: float
) -> tuple[FloatArray, FloatArray]:
    """Shape and mean of the gamma law that what comes in each interval has, given all before it.

    Parameters
    ----------
    counts, due : (n,)
        What came, and what is expected with busyness 1; 0: not known.
    day : (n,) int64
    """
    law = interval_law(noise, step_s, 1)
    day_var = noise.day_sd**2
    hour_var = math.log1p(float(law[0]))
    keep = math.log1p(float(law[1])) / hour_var if hour_var > 0 else 0.0
    centre_d, centre_h = -day_var / 2.0, -hour_var / 2.0
    d, h = centre_d, centre_h
    dd, hh, dh = day_var, hour_var, 0.0
    shape, mean = np.empty(due.size), np.empty(due.size)
    today = int(day[0])
    for i, (n, expected, now) in enumerate(zip(counts.tolist(), due.tolist(), day.tolist(), strict=True)):
        h = centre_h + keep * (h - centre_h)
        hh, dh = keep * keep * hh + (1.0 - keep * keep) * hour_var, keep * dh
        if now != today:
            ar = noise.day_ar ** (now - today)
            d, dd, dh, today = centre_d + ar * (d - centre_d), ar * ar * dd + (1.0 - ar * ar) * day_var, ar * dh, now
        var = max(dd + hh + 2.0 * dh, 1e-9)
        m = d + h
        shape[i], mean[i] = 1.0 / math.expm1(var), expected * math.exp(m + var / 2.0)
        if expected <= 0:
            continue
        centre, left = _updated(m, var, n, expected)
        gain_d, gain_h = (dd + dh) / var, (hh + dh) / var
        d, h = d + gain_d * (centre - m), h + gain_h * (centre - m)
        shrunk = var - left
        dd, hh, dh = dd - gain_d**2 * shrunk, hh - gain_h**2 * shrunk, dh - gain_d * gain_h * shrunk
    return shape, mean


def _updated(m: float, var: float, n: int, expected: float) -> tuple[float, float]:
    """Mean and variance of a normal logarithm after a Poisson count, by quadrature around the likeliest value."""
    s = m if n == 0 else m + var * (n - expected * math.exp(m)) / (1.0 + var * n)
    for _ in range(NEWTON):
        rate = expected * math.exp(s)
        step = (n - rate - (s - m) / var) / (rate + 1.0 / var)
        s += min(max(step, -1.0), 1.0)
        if abs(step) < 1e-6:
            break
    wide = math.sqrt(1.0 / (1.0 / var + expected * math.exp(s)))
    top = n * s - expected * math.exp(s) - (s - m) ** 2 / (2.0 * var)
    total = first = second = 0.0
    for x, weight in NODES:
        at = s + wide * x
        off = n * at - expected * math.exp(at) - (at - m) ** 2 / (2.0 * var) - top + x * x / 2.0
        mass = weight * math.exp(min(off, 50.0))
        total, first, second = total + mass, first + mass * x, second + mass * x * x
    mean = first / total
    return s + wide * mean, wide * wide * max(second / total - mean * mean, 1e-6)


def kolmogorov(u: FloatArray) -> tuple[float, float]:
    """Largest distance of numbers from the uniform law on (0, 1), and how likely one is that large.

    Source: Stephens (1970), J. R. Statist. Soc. B 32(1), 115-122, for the correction for small numbers.
    """
    n = u.size
    ordered = np.sort(u)
    above = float((np.arange(1, n + 1) / n - ordered).max())
    below = float((ordered - np.arange(n) / n).max())
    distance = max(above, below)
    x = distance * (math.sqrt(n) + 0.12 + 0.11 / math.sqrt(n))
    if x < 0.2:
        return distance, 1.0
    p = 2.0 * sum((-1) ** (k - 1) * math.exp(-2.0 * k * k * x * x) for k in range(1, 101))
    return distance, min(max(p, 0.0), 1.0)


def _serial(u: FloatArray) -> float:
    """Correlation of neighbours' ranks."""
    ranks = np.argsort(np.argsort(u)).astype(np.float64)
    return float(np.corrcoef(ranks[:-1], ranks[1:])[0, 1])
