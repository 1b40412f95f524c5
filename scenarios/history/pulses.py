"""Surges in a history: found where far more comes than noise makes, and fitted as pulses.

A window of 3, 12 or 24 hours is suspicious if the logarithm of what came over what was expected lies four of
its standard deviations above 0, which are measured over all windows by their quartiles. What lies far below is
a dip, by five: it is held out of the ordinary week too, but not modelled.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from scenarios.history.series import BoolArray, Series
from scenarios.history.shape import Found, Stretch, Weights, excess
from scenarios.laws import FloatArray
from scenarios.model import Noise

WINDOWS_H = (3.0, 12.0, 24.0)
SUSPICIOUS = 4.0
DIPPED = 5.0
LEAST_RATIO = 1.5
LEFT = 0.7
LEAST_CONTACTS = 20.0
LEAST_OF_DIP = 60.0
"""Expected in a window from which on too few can be told from chance, whose logarithm has a long tail below."""
BEFORE_H, AFTER_H = 12.0, 36.0
MOST = 30
LONGEST_H = 60 * 24.0  # what stands out for longer is another level, not a surge
ROUGHLY = 6  # rounds from each start, to find the best one
FEWEST = 8  # intervals that a pulse is fitted to
QUARTILES = 1.349  # of the normal law, apart, in its standard deviations


@dataclass(frozen=True)
class Suspect:
    """Windows that stand out: (n,) whether an interval lies in one above, and in one below."""

    above: BoolArray
    below: BoolArray


def suspects(total: FloatArray, expected: FloatArray, known: BoolArray, step_h: float) -> Suspect:
    """Find what is far more, or far less, than noise makes around what is expected."""
    above, below = np.zeros(total.size, dtype=np.bool_), np.zeros(total.size, dtype=np.bool_)
    for window_h in WINDOWS_H:
        width = max(round(window_h / step_h), 1)
        came, due, seen = (_sums(x, width) for x in (total * known, expected * known, known.astype(np.float64)))
        whole = (seen >= 0.75 * width) & (due >= LEAST_CONTACTS)
        if np.count_nonzero(whole) < 20:
            continue
        with np.errstate(divide="ignore", invalid="ignore"):
            off = np.log((came + 0.5) / (due + 0.5))
        low, middle, high = np.quantile(off[whole], (0.25, 0.5, 0.75))
        spread = ((high - low) / QUARTILES) ** 2
        noise = max(spread - float(np.mean(1.0 / due[whole])), 0.0)
        z = (off - middle) / np.sqrt(noise + 1.0 / np.maximum(due, 1.0))
        far = math.log(LEAST_RATIO)
        low_enough = whole & (due >= LEAST_OF_DIP) & (z < -DIPPED) & (off < -far)
        for out, which in ((above, whole & (z > SUSPICIOUS) & (off > far)), (below, low_enough)):
            for at in np.flatnonzero(which).tolist():
                out[at : at + width] = True
    return Suspect(above, below)


def _sums(x: FloatArray, width: int) -> FloatArray:
    """(n,) sum of the `width` values from each on; those that are cut off by the end are 0."""
    upto = np.concatenate([[0.0], np.cumsum(x)])
    out = np.zeros(x.size)
    if x.size >= width:
        out[: x.size - width + 1] = upto[width:] - upto[:-width]
    return out


@dataclass(frozen=True)
class Surges:
    """What stands out in a history.

    Attributes
    ----------
    pulses : tuple of Found
        In order of time.
    odd : (n,) bool
        Intervals far above what is expected, in a shape that no pulse explains.
    dips : (n,) bool
        Intervals far below it.
    """

    pulses: tuple[Found, ...]
    odd: BoolArray
    dips: BoolArray

    def held_out(self, series: Series) -> BoolArray:
        """(n,) whether a pulse stands above a twentieth of the base or begins within the hour, or all else strays."""
        hours = np.arange(series.n) * series.step_h
        out = self.odd | self.dips
        for each in self.pulses:
            out = out | ((hours > each.at_h - 1.0 - series.step_h) & (hours < each.end_h))
        return out


def no_surges(series: Series) -> Surges:
    """Nothing stands out."""
    nowhere = np.zeros(series.n, dtype=np.bool_)
    return Surges((), nowhere, nowhere)


def fitted_surges(series: Series, expected: FloatArray, noise: Noise) -> Surges:
    """Find pulses one after the other, each where most stands out still.

    A pulse stays if it is half as high as the base at least, and leaves at most 0.7 of what strays from the expected
    in the windows that it was found in.

    Parameters
    ----------
    series : Series
    expected : (n,) float64
        Contacts without surges.
    noise : Noise
        Busyness, which strays in a surge as it does otherwise.
    """
    pulses: tuple[Found, ...] = ()
    odd = np.zeros(series.n, dtype=np.bool_)
    for tries in range(MOST + 1):
        more = series.total - expected * (1.0 + excess(pulses, series))
        above = suspects(series.total, series.total - more, series.known, series.step_h).above & ~odd
        if not above.any():
            break
        if tries == MOST:  # a history in which so much stands out has no ordinary week
            odd |= above
            break
        stretch = _stretch(above, more)
        brief = (stretch[1] - stretch[0]) * series.step_h <= LONGEST_H
        new = _fit_one(series, expected, pulses, stretch, noise) if brief else None
        tried = () if new is None else refitted((*pulses, new), series, expected, noise, new)
        if tried and _explains(tried, series, expected, more, stretch):
            pulses = tried
        else:
            odd[slice(*stretch)] = True
    due = expected * (1.0 + excess(pulses, series))
    dips = suspects(series.total, due, series.known, series.step_h).below
    return Surges(tuple(sorted(pulses, key=lambda each: each.at_h)), odd, dips)


def _explains(
    tried: tuple[Found, ...], series: Series, expected: FloatArray, more: FloatArray, stretch: tuple[int, int]
) -> bool:
    here = slice(*stretch)
    left = series.total - expected * (1.0 + excess(tried, series))
    return tried[-1].excess >= LEAST_RATIO - 1.0 and bool(np.abs(left[here]).sum() <= LEFT * np.abs(more[here]).sum())


def _stretch(above: BoolArray, more: FloatArray) -> tuple[int, int]:
    """First interval and end of the stretch that holds most contacts beyond what is expected."""
    edge = np.flatnonzero(np.diff(np.concatenate([[False], above, [False]]).astype(np.int8)))
    pairs = list(zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True))
    return max(pairs, key=lambda pair: float(more[pair[0] : pair[1]].sum()))


def _fit_one(
    series: Series, expected: FloatArray, others: tuple[Found, ...], stretch: tuple[int, int], noise: Noise
) -> Found | None:
    """The pulse that fits a stretch best, from several starts; None if nothing stands out after all."""
    step = series.step_h
    a, b = max(stretch[0] - round(BEFORE_H / step), 0), min(stretch[1] + round(AFTER_H / step), series.n)
    width = max(round(1.0 / step), 1)
    base = expected[a:b] * series.known[a:b]
    came = np.convolve(series.total[a:b] * series.known[a:b], np.ones(width), "same")
    due = np.convolve(base, np.ones(width), "same")
    height = came / np.maximum(due, 1e-9) - 1.0 - excess(others, series)[a:b]
    height[due < 1.0] = 0.0
    inside = slice(stretch[0] - a, stretch[1] - a)
    top = inside.start + int(np.argmax(height[inside]))
    peak = float(height[top])
    if peak <= 0.1:
        return None
    past = np.flatnonzero(height[top:] < peak / math.e)
    fall = max((float(past[0]) if past.size else float(height.size - top)) * step, 0.5)
    early = np.flatnonzero(height[: top + 1] < 0.1 * peak)
    rise = max((top - float(early[-1]) if early.size else float(top)) * step, 0.25)
    tops = (a + top) * step
    starts = [
        Found(tops - rise * r, max(rise * r - flat / 2.0, 0.1), flat, fall * t, peak)
        for r, t, flat in product((0.4, 1.0), (0.5, 1.0, 2.0), (0.3, 3.0))
    ]
    here = Stretch.of(series, expected, others, (a, b))
    weights = here.weights(here.smooth, noise)
    tried = [here.fitted(start, weights, ROUGHLY) for start in starts]
    best, _ = min(tried, key=lambda pair: pair[1])
    return here.polished(best, noise)


def refitted(
    pulses: tuple[Found, ...], series: Series, expected: FloatArray, noise: Noise, near: Found
) -> tuple[Found, ...]:
    """Each pulse that overlaps with one that is new fitted again beside the others, twice over."""
    out = list(pulses)
    for _ in range(2):
        for i, each in enumerate(out):
            if each.at_h > near.end_h + AFTER_H or near.at_h > each.end_h + AFTER_H:
                continue
            span = _span(each, series)
            if span[1] - span[0] > FEWEST:
                out[i] = Stretch.of(series, expected, _others(out, i), span).polished(each, noise)
    return tuple(out)


class Again:
    """Fits the pulses of a history again to others that were drawn from it, with the weights of what is true there."""

    def __init__(self, pulses: tuple[Found, ...], series: Series, expected: FloatArray, noise: Noise) -> None:
        self._pulses = pulses
        self._spans = [_span(each, series) for each in pulses]
        self._weights: list[Weights | None] = []
        for i, (each, span) in enumerate(zip(pulses, self._spans, strict=True)):
            enough = span[1] - span[0] > FEWEST
            here = Stretch.of(series, expected, _others(pulses, i), span) if enough else None
            self._weights.append(None if here is None else here.weights(here.means(each), noise))

    def fitted(self, series: Series, expected: FloatArray) -> tuple[Found, ...]:
        """The pulses as they come out of another history."""
        out = list(self._pulses)
        for i, (span, weights) in enumerate(zip(self._spans, self._weights, strict=True)):
            if weights is not None:
                out[i] = Stretch.of(series, expected, _others(out, i), span).fitted(out[i], weights)[0]
        return tuple(out)


def _span(each: Found, series: Series) -> tuple[int, int]:
    """Intervals from some time before a pulse to some time after it."""
    a = max(int((each.at_h - BEFORE_H) / series.step_h), 0)
    return a, min(int((each.end_h + AFTER_H) / series.step_h) + 1, series.n)


def _others(pulses: Sequence[Found], i: int) -> tuple[Found, ...]:
    return tuple(other for j, other in enumerate(pulses) if j != i)
