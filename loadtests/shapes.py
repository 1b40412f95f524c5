"""Shapes of load besides the replay of a trace: ramp, spike, soak, stress, breakpoint.

A shape is a rate that is linear between points and may jump at them, so that its integral, and from
that the due times, have closed forms. Requests are due evenly or by chance (Poisson); either way
request k is due when the integral reaches a number drawn for k, whatever the service does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import AshcloudError

FloatArray = NDArray[np.float64]
Spacing = Literal["even", "poisson"]


class ShapeError(AshcloudError):
    """A shape that cannot be read or has no meaning."""


@dataclass(frozen=True)
class Shape:
    """A rate over time, linear in pieces.

    Attributes
    ----------
    name : str
    points : tuple of (time in s, requests per second)
        Times ascend from 0; two points at one time are a jump.
    """

    name: str
    points: tuple[tuple[float, float], ...]

    def __post_init__(self) -> None:
        times = [t for t, _ in self.points]
        if len(times) < 2 or times[0] != 0.0 or sorted(times) != times or times[-1] <= 0.0:
            raise ShapeError(f"{self.name}: times {times} should ascend from 0 to the end, which is above 0")
        wrong = [r for _, r in self.points if not (math.isfinite(r) and r >= 0.0)]
        if wrong:
            raise ShapeError(f"{self.name}: the rate is {wrong[0]:g}, should be a number of at least 0 per second")

    @property
    def horizon_s(self) -> float:
        return self.points[-1][0]

    @property
    def peak_per_s(self) -> float:
        return max(rate for _, rate in self.points)

    @property
    def total(self) -> float:
        """Requests expected over the whole shape."""
        return float(self._cumulated()[-1])

    def rate_per_s(self, times_s: FloatArray) -> FloatArray:
        """(n,) rates at (n,) times; at a jump the later one, 0 outside."""
        t, r = self._columns()
        i = np.clip(np.searchsorted(t, times_s, side="right") - 1, 0, t.size - 2)
        length = t[i + 1] - t[i]
        part = np.divide(times_s - t[i], length, out=np.zeros_like(times_s), where=length > 0.0)
        out: FloatArray = np.where((times_s < 0.0) | (times_s > t[-1]), 0.0, r[i] + part * (r[i + 1] - r[i]))
        return out

    def due_s(self, spacing: Spacing, rng: np.random.Generator) -> FloatArray:
        """Due times, ascending, in [0, horizon_s).

        Parameters
        ----------
        spacing : "even" or "poisson"
            Even: request k is due when k + 1/2 are expected, so their number is the total, rounded.
        rng : numpy.random.Generator
            Draws the gaps of a Poisson stream; not touched by even spacing.
        """
        total = self.total
        if spacing == "even":
            return self._when(np.arange(math.floor(total + 0.5), dtype=np.float64) + 0.5)
        marks = np.cumsum(rng.exponential(size=round(total + 10.0 * math.sqrt(total) + 10.0)))
        return self._when(marks[marks < total])

    def _columns(self) -> tuple[FloatArray, FloatArray]:
        table = np.array(self.points, dtype=np.float64)
        return table[:, 0], table[:, 1]

    def _cumulated(self) -> FloatArray:
        """(points,) requests expected until each point."""
        t, r = self._columns()
        return np.concatenate(([0.0], np.cumsum(np.diff(t) * (r[1:] + r[:-1]) / 2.0)))

    def _when(self, marks: FloatArray) -> FloatArray:
        """(n,) times at which so many requests were expected."""
        t, r = self._columns()
        until = self._cumulated()
        i = np.clip(np.searchsorted(until, marks, side="right") - 1, 0, t.size - 2)
        length = t[i + 1] - t[i]
        slope = np.divide(r[i + 1] - r[i], length, out=np.zeros_like(length), where=length > 0.0)
        rest = marks - until[i]
        # The root of slope/2 x^2 + rate x = rest in the form that also holds for a slope of 0.
        root = np.sqrt(np.maximum(r[i] ** 2 + 2.0 * slope * rest, 0.0))
        below = r[i] + root
        inside = np.divide(2.0 * rest, below, out=np.zeros_like(rest), where=below > 0.0)
        out: FloatArray = np.minimum(t[i] + np.clip(inside, 0.0, length), np.nextafter(t[-1], 0.0))
        return out


def soak(rate_per_s: float, for_s: float) -> Shape:
    """The same rate for long: what leaks or fills up."""
    return Shape("soak", ((0.0, rate_per_s), (for_s, rate_per_s)))


def ramp(from_per_s: float, to_per_s: float, over_s: float, hold_s: float = 0.0) -> Shape:
    """From one rate to another, then held."""
    held = ((over_s + hold_s, to_per_s),) if hold_s > 0.0 else ()
    return Shape("ramp", ((0.0, from_per_s), (over_s, to_per_s), *held))


def spike(base_per_s: float, peak_per_s: float, base_s: float, peak_s: float) -> Shape:
    """Base, at once the peak, at once the base again: whether the service comes back."""
    base, peak = base_per_s, peak_per_s
    up, down, end = base_s, base_s + peak_s, 2.0 * base_s + peak_s
    return Shape("spike", ((0.0, base), (up, base), (up, peak), (down, peak), (down, base), (end, base)))


def stress(from_per_s: float, to_per_s: float, steps: int, step_s: float) -> Shape:
    """Equal steps up from one rate to another."""
    if steps < 2:
        raise ShapeError(f"stress: {steps} steps, should be at least 2")
    rates = [from_per_s + (to_per_s - from_per_s) * k / (steps - 1) for k in range(steps)]
    return Shape("stress", tuple(p for k, r in enumerate(rates) for p in ((k * step_s, r), ((k + 1) * step_s, r))))


def breakpoint_(to_per_s: float, over_s: float) -> Shape:
    """A ramp from nothing to more than the service can take; `ashcloud breakpoint` finds the place."""
    return Shape("breakpoint", ((0.0, 0.0), (over_s, to_per_s)))


@dataclass(frozen=True)
class _Kind:
    """How a shape is written: `form` for people, `units` one letter a number (r rate, s seconds, n count)."""

    form: str
    units: str
    make: Callable[..., Shape]
    least: int


KINDS = {
    "soak": _Kind("soak:RATE,TIME", "rs", soak, 2),
    "ramp": _Kind("ramp:FROM,TO,TIME[,HOLD]", "rrss", ramp, 3),
    "spike": _Kind("spike:BASE,PEAK,BASE_TIME,PEAK_TIME", "rrss", spike, 4),
    "stress": _Kind("stress:FROM,TO,STEPS,STEP_TIME", "rrns", stress, 4),
    "breakpoint": _Kind("breakpoint:TO,TIME", "rs", breakpoint_, 2),
}
_TIME = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


MOST = 20_000_000  # requests in a shape: beyond, it was a slip of the pen


def is_shape(words: str) -> bool:
    """Whether words are meant as a shape, not as a name of a scenario or a file."""
    name, colon, _ = words.partition(":")
    return bool(colon) and name in KINDS


def read(words: str) -> Shape:
    """Read a shape as a user writes it, such as ``ramp:10,200,60s``.

    Raises
    ------
    ShapeError
        With the form that was expected.
    """
    name, _, rest = words.partition(":")
    kind = KINDS.get(name)
    if kind is None:
        forms = ", ".join(known.form for known in KINDS.values())
        raise ShapeError(f"shape '{words}': '{name}' is no shape; there are {forms}")
    parts = [part.strip() for part in rest.split(",")] if rest else []
    if not kind.least <= len(parts) <= len(kind.units):
        raise ShapeError(f"shape '{words}' has {len(parts)} numbers; write it like {kind.form}")
    made = kind.make(*_numbers(words, kind, parts))
    if not 1.0 <= made.total <= MOST:
        raise ShapeError(f"shape '{words}' has {made.total:,.0f} requests, should have from 1 to {MOST:,}")
    return made


def seconds(word: str) -> float | None:
    """Seconds of a time such as ``30s``, ``500ms``, ``10m``; None if it is none."""
    found = _TIME.fullmatch(word)
    return float(found[1]) * _SECONDS[found[2]] if found else None


def _numbers(words: str, kind: _Kind, parts: Sequence[str]) -> list[float]:
    found: list[float] = []
    for unit, part in zip(kind.units, parts, strict=False):
        value: float | None = None
        if unit == "s":
            value = seconds(part)
        elif re.fullmatch(r"\d+" if unit == "n" else r"\d+(\.\d+)?", part):
            value = int(part) if unit == "n" else float(part)
        if value is None:
            what = {"s": "time; write it like 30s", "r": "rate per second", "n": "whole number"}[unit]
            raise ShapeError(f"shape '{words}': '{part}' is no {what}, as in {kind.form}")
        found.append(value)
    return found
