"""One surge in a history: a pulse, and its fit to a stretch of intervals.

Fitted by generalised least squares: what comes strays from the mean by Poisson's chance and by busyness, which
lasts, so that an hour that is busy by chance is not taken for a shape. Where the counts do not tell rise, plateau
and decay apart, they are drawn towards those of measured crises (3, 3 and 10 hours, within a factor of four or so).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from scenarios.history.least import least_squares
from scenarios.history.series import BoolArray, IntArray, Series
from scenarios.laws import FloatArray
from scenarios.model import Noise
from scenarios.surges import Pulse

FADED = 0.05
WIDEST = 256
"""Intervals of a fit: those of a longer stretch are joined."""
USUAL = np.log([3.0, 3.0, 10.0])
USUAL_SD = 1.5
LOW = (math.log(0.05), math.log(0.02), math.log(0.1), math.log(0.05))
HIGH = (math.log(72.0), math.log(24.0 * 7), math.log(24.0 * 30), math.log(1000.0))


@dataclass(frozen=True)
class Found:
    """A pulse in a history.

    Attributes
    ----------
    at_h : float
        Start, in hours from the start of the series.
    rise_h, plateau_h, tau_h : float
    excess : float
        At the peak, in multiples of the base.
    """

    at_h: float
    rise_h: float
    plateau_h: float
    tau_h: float
    excess: float

    def pulse(self, shift_h: float = 0.0, mentions: float | None = None) -> Pulse:
        """The pulse as a scenario has it, its start moved."""
        return Pulse(
            kind="pulse", at_h=self.at_h + shift_h, cases=1.0 + self.excess,
            mentions=1.0 + (self.excess if mentions is None else mentions),
            rise_h=self.rise_h, plateau_h=self.plateau_h, tau_h=self.tau_h,
        )  # fmt: skip

    @property
    def end_h(self) -> float:
        """When it has faded to a twentieth of the base."""
        return self.at_h + self.rise_h + self.plateau_h + self.tau_h * math.log(max(self.excess / FADED, 1.0))

    def mean(self, edges_h: FloatArray) -> FloatArray:
        """(n,) mean excess between neighbouring edges, in multiples of the base."""
        out: FloatArray = np.diff(self.pulse().area(edges_h, "cases")) / np.diff(edges_h)
        return out

    def numbers(self) -> FloatArray:
        """(5,) what is fitted: start, and logarithms of the others."""
        rest = (self.rise_h, self.plateau_h, self.tau_h, self.excess)
        return np.array([self.at_h, *(math.log(max(x, 0.01)) for x in rest)])

    @classmethod
    def of(cls, numbers: FloatArray) -> Found:
        """The pulse that has these numbers."""
        at, *rest = (float(x) for x in numbers)
        return cls(at, *(math.exp(x) for x in rest))


def excess(pulses: tuple[Found, ...], series: Series) -> FloatArray:
    """(n,) what all pulses add, in multiples of the base."""
    edges = np.arange(series.n + 1, dtype=np.float64) * series.step_h
    out = np.zeros(series.n)
    for each in pulses:
        a, b = max(int(each.at_h / series.step_h), 0), series.n
        out[a:b] += each.mean(edges[a : b + 1])
    return out


@dataclass(frozen=True)
class Weights:
    """A level to set deviations into relation to, and the matrix that makes them independent, of variance 1."""

    level: FloatArray
    whiten: FloatArray


@dataclass(frozen=True)
class Stretch:
    """Intervals that a pulse is fitted to, joined where they are many.

    Attributes
    ----------
    edges_h : (n per + 1,) float64
        Hours from the start of the series.
    base, below : (n per,) float64
        Contacts without surges, and the multiple of them that the other pulses make.
    came, smooth : (n,) float64
        Contacts, and their mean over three neighbours.
    told : (n,) bool
    hours, day : (n,)
    per : int
        How many intervals are joined to one.
    """

    edges_h: FloatArray
    base: FloatArray
    below: FloatArray
    came: FloatArray
    smooth: FloatArray
    told: BoolArray
    hours: FloatArray
    day: IntArray
    per: int

    @classmethod
    def of(cls, series: Series, expected: FloatArray, others: tuple[Found, ...], span: tuple[int, int]) -> Stretch:
        """Take the intervals of a span from a series."""
        a, b = span
        per = -(-(b - a) // WIDEST)
        b = a + (b - a) // per * per
        edges = np.arange(a, b + 1, dtype=np.float64) * series.step_h
        known = series.known[a:b]
        came = _joined(series.total[a:b] * known, per)
        smooth = np.convolve(came, np.ones(3) / 3.0, "same")
        smooth[[0, -1]] = came[[0, -1]]
        return cls(
            edges, expected[a:b] * known, 1.0 + excess(others, series)[a:b], came, smooth,
            _joined(known.astype(np.float64), per) > 0, edges[:-1:per], series.day[a:b:per], per,
        )  # fmt: skip

    def means(self, pulse: Found) -> FloatArray:
        """(n,) contacts expected with a pulse."""
        return _joined(self.base * (self.below + pulse.mean(self.edges_h)), self.per)

    def polished(self, start: Found, noise: Noise) -> Found:
        """The pulse that fits best from a start, weighed by what it makes itself."""
        first, _ = self.fitted(start, self.weights((self.means(start) + self.smooth) / 2.0, noise))
        return self.fitted(first, self.weights(self.means(first), noise))[0]

    def weights(self, level: FloatArray, noise: Noise) -> Weights:
        """How deviations from a level are weighed."""
        level = np.maximum(level, 0.5)
        told = self.told
        return Weights(level, _whitening(level[told], self.hours[told], self.day[told], noise))

    def fitted(self, start: Found, weights: Weights, rounds: int = 40) -> tuple[Found, float]:
        """A pulse fitted from a start in so many rounds at most, and the sum of its squared residuals."""

        def residuals(numbers: FloatArray) -> FloatArray:
            off = ((self.came - self.means(Found.of(numbers))) / weights.level)[self.told]
            # Without BLAS, whose threads wait for each other longer than such a product takes.
            return np.concatenate([np.einsum("ij,j->i", weights.whiten, off), (numbers[1:4] - USUAL) / USUAL_SD])

        low, high = np.array([self.edges_h[0] - 1.0, *LOW]), np.array([self.edges_h[-1], *HIGH])
        numbers, cost = least_squares(residuals, start.numbers(), low, high, rounds)
        return Found.of(numbers), cost


def _joined(x: FloatArray, per: int) -> FloatArray:
    """Sums of `per` neighbours."""
    out: FloatArray = x.reshape(-1, per).sum(axis=1)
    return out


def _whitening(level: FloatArray, hours: FloatArray, day: IntArray, noise: Noise) -> FloatArray:
    """Matrix that makes relative deviations independent and of variance 1."""
    apart_h, apart_d = np.abs(hours[:, None] - hours), np.abs(day[:, None] - day)
    of_days = noise.day_sd**2 * np.where(apart_d == 0, 1.0, noise.day_ar ** np.maximum(apart_d, 1))
    of_hours = noise.hour_sd**2 * np.exp(-apart_h / noise.hour_memory_h)
    spread = np.expm1(of_days + of_hours) + np.diag(1.0 / level)
    out: FloatArray = np.linalg.inv(np.linalg.cholesky(spread))
    return out
