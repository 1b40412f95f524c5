"""How likely a law's value is above x: what is still going on after that time."""

from __future__ import annotations

import math
from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from scenarios.laws import Constant, Empirical, Exponential, Gamma, Law, Lognormal, Mixture, Uniform, Weibull

FloatArray = NDArray[np.float64]
TERMS = 600
_erfc = np.frompyfunc(math.erfc, 1, 1)


@singledispatch
def tail(law: Law, x: FloatArray) -> FloatArray:
    """P(value > x) at each x, in the law's own unit: (n,) float64.

    Raises
    ------
    TypeError
        For what is no law.
    """
    raise TypeError(f"{law!r} is no law")


@tail.register
def _(law: Constant, x: FloatArray) -> FloatArray:
    return (x < law.value).astype(np.float64)


@tail.register
def _(law: Exponential, x: FloatArray) -> FloatArray:
    return np.exp(-np.maximum(x, 0.0) / law.mean_value)


@tail.register
def _(law: Gamma, x: FloatArray) -> FloatArray:
    return upper_gamma(law.shape, np.maximum(x, 0.0) * law.shape / law.mean_value)


@tail.register
def _(law: Lognormal, x: FloatArray) -> FloatArray:
    z = (np.log(np.maximum(x, 1e-300)) - law.mu) / (law.sigma * math.sqrt(2.0))
    return 0.5 * np.asarray(_erfc(z), dtype=np.float64)


@tail.register
def _(law: Weibull, x: FloatArray) -> FloatArray:
    return np.exp(-((np.maximum(x, 0.0) / law.scale) ** law.shape))


@tail.register
def _(law: Uniform, x: FloatArray) -> FloatArray:
    width = law.high - law.low
    return np.clip((law.high - x) / width, 0.0, 1.0) if width > 0 else (x < law.low).astype(np.float64)


@tail.register
def _(law: Empirical, x: FloatArray) -> FloatArray:
    below = np.interp(x, law.quantiles, np.linspace(0.0, 1.0, len(law.quantiles)), left=0.0, right=1.0)
    return 1.0 - np.asarray(below, dtype=np.float64)


@tail.register
def _(law: Mixture, x: FloatArray) -> FloatArray:
    out: FloatArray = np.sum([part.weight * tail(part.law, x) for part in law.parts], axis=0)
    return out


def jumps(law: Law) -> list[float]:
    """Values at which the tail has a corner or falls at once, where a quadrature has to be split."""
    if isinstance(law, Constant):
        return [law.value]
    if isinstance(law, Uniform):
        return [law.low, law.high]
    if isinstance(law, Empirical):
        return list(law.quantiles)
    if isinstance(law, Mixture):
        return [x for part in law.parts for x in jumps(part.law)]
    return []


def upper_gamma(a: float, x: FloatArray) -> FloatArray:
    """Regularised upper incomplete gamma Q(a, x), a > 0, x >= 0: (n,) float64.

    A series below a + 1 and a continued fraction above, to some 1e-13. Source: Abramowitz and Stegun (1964),
    6.5.29 and 6.5.31.
    """
    x = np.asarray(x, dtype=np.float64)
    out = np.ones_like(x)
    low = (x > 0.0) & (x < a + 1.0)
    high = x >= a + 1.0
    if low.any():
        out[low] = 1.0 - _series(a, x[low])
    if high.any():
        out[high] = _fraction(a, x[high])
    return out


def _front(a: float, x: FloatArray) -> FloatArray:
    return np.exp(-x + a * np.log(x) - math.lgamma(a))


def _series(a: float, x: FloatArray) -> FloatArray:
    term = np.full_like(x, 1.0 / a)
    total = term.copy()
    for n in range(1, TERMS):
        term *= x / (a + n)
        total += term
        if np.all(term < total * 1e-16):
            break
    return total * _front(a, x)


def _fraction(a: float, x: FloatArray) -> FloatArray:
    b = x + 1.0 - a
    c = np.full_like(x, 1e300)
    d = 1.0 / b
    h = d.copy()
    for n in range(1, TERMS):
        an = -n * (n - a)
        b = b + 2.0
        d = 1.0 / (an * d + b)
        c = b + an / c
        step = c * d
        h *= step
        if np.all(np.abs(step - 1.0) < 1e-16 * 8):
            break
    return h * _front(a, x)
