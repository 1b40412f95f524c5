"""Laws of handling times and patience from lengths of which some are only known to be longer, or are rounded.

By likelihood: a length that ended counts with the probability of what it is rounded to, one that did not with
that of being longer. Equal lengths are counted once, many different ones by classes of a hundredth.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scenarios.history.least import least_squares
from scenarios.history.series import BoolArray, Lengths
from scenarios.laws import FloatArray, Lognormal, Weibull
from scenarios.names import Topic, code, members

FEWEST = 30
"""Lengths that ended from which on a law is fitted."""
FEWEST_OF_TOPIC = 200
CLASSES = 2_000
WIDTH = 0.01
FAR_SE = 3.0
FAR = 0.05
_erfc = np.frompyfunc(math.erfc, 1, 1)


@dataclass(frozen=True)
class FittedLaw:
    """A law with the errors of its two numbers.

    Attributes
    ----------
    law : Law
        In the unit that was asked for.
    numbers, errors : mapping of str to float
        Median and standard deviation of the logarithm, or mean and shape, and their standard errors.
    n, ended : int
        Lengths, and those of them that came to their end.
    gap : float
        Largest distance between the law and the share that the lengths themselves tell (Kaplan and Meier).
    """

    law: Lognormal | Weibull
    numbers: dict[str, float]
    errors: dict[str, float]
    n: int
    ended: int
    gap: float


@dataclass(frozen=True)
class _Classes:
    """Lengths in classes: edges of each, how many ended in it, how many were left at `value` without an end."""

    low: FloatArray
    high: FloatArray
    value: FloatArray
    ended: FloatArray
    open: FloatArray


def fitted_law(lengths: Lengths, unit_s: float) -> FittedLaw | None:
    """The likelier of a lognormal and a Weibull law; None if fewer than 30 lengths came to an end.

    Parameters
    ----------
    unit_s : float
        Seconds in the unit of the law.
    """
    ended = int(np.count_nonzero(lengths.ended))
    if ended < FEWEST:
        return None
    classes = _classes(lengths.value_s / unit_s, lengths.ended, unit_s)
    fits = [_likeliest(classes, longer) for longer in (_lognormal, _weibull)]
    (numbers, errors, _), which = min(((fit, i) for i, fit in enumerate(fits)), key=lambda pair: pair[0][2])
    n = int(lengths.ended.size)
    if which == 0:
        median, sd_log = math.exp(numbers[0]), math.exp(numbers[1])
        law: Lognormal | Weibull = Lognormal(kind="lognormal", median=median, sd_log=sd_log)
        told = {"median": median, "sd_log": sd_log}
        strays = {"median": median * errors[0], "sd_log": sd_log * errors[1]}
        gap = _gap(classes, _lognormal(classes.value, numbers))
    else:
        shape = math.exp(numbers[1])
        factor = math.gamma(1.0 + 1.0 / shape)
        mean = math.exp(numbers[0]) * factor
        law = Weibull(kind="weibull", mean=mean, shape=shape)
        told = {"mean": mean, "shape": shape}
        strays = {"mean": mean * errors[0], "shape": shape * errors[1]}
        gap = _gap(classes, _weibull(classes.value, numbers))
    return FittedLaw(law, told, {name: float(x) for name, x in strays.items()}, n, ended, gap)


def laws_by_topic(lengths: Lengths, unit_s: float) -> tuple[FittedLaw | None, dict[Topic, FittedLaw]]:
    """The law of most topics, and those of the topics that differ from it.

    The topic whose mean lies furthest from that of all the others, by three errors and a twentieth at least, gets
    a law of its own and leaves the rest; and so on, while something is left.
    """
    own: dict[Topic, FittedLaw] = {}
    single = {topic: found for topic in members(Topic) if (found := _of_topic(lengths, topic, unit_s)) is not None}
    while True:
        rest = np.isin(lengths.topic, [code(topic) for topic in own], invert=True)
        whole = fitted_law(_picked(lengths, rest), unit_s)
        if whole is None:
            return fitted_law(lengths, unit_s), own
        far = {topic: _apart(found, whole) for topic, found in single.items() if topic not in own}
        furthest = max(far, key=lambda topic: far[topic], default=None)
        if furthest is None or far[furthest] <= 0 or len(far) == 1:
            return whole, own
        own[furthest] = single[furthest]


def _of_topic(lengths: Lengths, topic: Topic, unit_s: float) -> FittedLaw | None:
    mine = lengths.topic == code(topic)
    enough = np.count_nonzero(mine & lengths.ended) >= FEWEST_OF_TOPIC
    return fitted_law(_picked(lengths, mine), unit_s) if enough else None


def _picked(lengths: Lengths, mine: BoolArray) -> Lengths:
    return Lengths(lengths.value_s[mine], lengths.ended[mine], lengths.topic[mine])


def _apart(found: FittedLaw, whole: FittedLaw) -> float:
    """How far apart the logarithms of the means are; 0 where that may be chance or is little."""
    ratio = abs(math.log(found.law.mean() / whole.law.mean()))
    error = math.hypot(*(found.errors[name] / found.numbers[name] for name in found.numbers))
    return ratio if ratio > FAR_SE * error and ratio > FAR else 0.0


def _classes(value: FloatArray, ended: BoolArray, unit_s: float) -> _Classes:
    """Count equal lengths, with what they are rounded to; join them where they are many."""
    rounded = _rounding(value[ended] * unit_s) / unit_s
    values, place = np.unique(value, return_inverse=True)
    if values.size > CLASSES:
        least = max(float(values[values > 0].min()), 1e-6)
        number = np.floor(np.log(np.maximum(value, least) / least) / WIDTH).astype(np.int64)
        present, place = np.unique(number, return_inverse=True)
        low, high = least * np.exp(WIDTH * present), least * np.exp(WIDTH * (present + 1))
        values = np.sqrt(low * high)
        low[0] = 0.0 if (value <= 0).any() else low[0]
    else:
        low, high = np.maximum(values - rounded / 2.0, 0.0), values + rounded / 2.0
    done = np.bincount(place[ended], minlength=values.size).astype(np.float64)
    left = np.bincount(place[~ended], minlength=values.size).astype(np.float64)
    return _Classes(low, high, values, done, left)


def _rounding(seconds: FloatArray) -> float:
    """What lengths are rounded to: an hour, a quarter, a minute, a second or less."""
    for unit in (3600.0, 900.0, 300.0, 60.0, 1.0):
        if np.mean(np.abs(seconds / unit - np.round(seconds / unit)) < 1e-6) > 0.99:
            return unit
    return 1e-3


Longer = Callable[[FloatArray, FloatArray], FloatArray]
"""Probability of being longer than given lengths, for two numbers of a law."""


def _lognormal(x: FloatArray, numbers: FloatArray) -> FloatArray:
    z = (np.log(np.maximum(x, 1e-12)) - numbers[0]) / math.exp(numbers[1])
    out: FloatArray = _erfc(z / math.sqrt(2.0)).astype(np.float64) / 2.0
    return np.where(x > 0, out, 1.0)


def _weibull(x: FloatArray, numbers: FloatArray) -> FloatArray:
    power = math.exp(numbers[1]) * (np.log(np.maximum(x, 1e-12)) - numbers[0])
    out: FloatArray = np.exp(-np.exp(np.minimum(power, 50.0)))
    return np.where(x > 0, out, 1.0)


def _likeliest(classes: _Classes, longer: Longer) -> tuple[FloatArray, FloatArray, float]:
    """Numbers of a law with the greatest likelihood, their errors, and minus its logarithm."""
    ended, left = classes.ended > 0, classes.open > 0
    roots = np.sqrt(np.concatenate([classes.ended[ended], classes.open[left]]))

    def deviance(numbers: FloatArray) -> FloatArray:
        inside = longer(classes.low[ended], numbers) - longer(classes.high[ended], numbers)
        beyond = longer(classes.value[left], numbers)
        chance = np.concatenate([inside, beyond])
        out: FloatArray = roots * np.sqrt(-np.log(np.clip(chance, 1e-300, 1.0)) + 1e-12)
        return out

    seen = np.log(np.maximum(classes.value[ended], np.maximum(classes.high[ended] / 4.0, 1e-6)))
    weight = classes.ended[ended]
    middle = float(seen @ weight / weight.sum())
    spread = max(math.sqrt(float(np.square(seen - middle) @ weight / weight.sum())), 0.05)
    share = float(classes.ended.sum() / (classes.ended.sum() + classes.open.sum()))
    shift = -math.log(max(share, 1e-3))  # what is cut off lies above
    second = math.log(spread) if longer is _lognormal else -math.log(spread)
    start = np.array([middle + shift * spread, second])
    wide = np.array([math.log(1e-7), -4.0]), np.array([math.log(1e7), 4.0])
    numbers, cost = least_squares(deviance, start, *wide, rounds=100)
    return numbers, _errors(deviance, numbers), cost


def _errors(deviance: Callable[[FloatArray], FloatArray], at: FloatArray) -> FloatArray:
    """Standard errors from the curvature of the likelihood."""

    def minus(x: FloatArray) -> float:
        return float(np.square(deviance(x)).sum())

    step = 1e-3
    curve = np.empty((2, 2))
    for i in range(2):
        for j in range(2):
            a, b = step * np.eye(2)[i], step * np.eye(2)[j]
            corners = minus(at + a + b) - minus(at + a - b) - minus(at - a + b) + minus(at - a - b)
            curve[i, j] = corners / (4.0 * step * step)
    try:
        spread = np.linalg.inv((curve + curve.T) / 2.0)
    except np.linalg.LinAlgError:
        return np.full(2, np.inf)
    out: FloatArray = np.sqrt(np.maximum(np.diag(spread), 0.0))
    return out


def _gap(classes: _Classes, beyond: FloatArray) -> float:
    """Largest distance of a law from the estimate of Kaplan and Meier, where lengths ended."""
    everybody = classes.ended + classes.open
    at_risk = np.cumsum(everybody[::-1])[::-1]
    kept = np.cumprod(1.0 - classes.ended / np.maximum(at_risk, 1.0))
    before = np.concatenate([[1.0], kept[:-1]])
    middle = (kept + before) / 2.0
    told = (classes.ended > 0) & (at_risk >= FEWEST)
    return float(np.abs(middle - beyond)[told].max(initial=0.0))
