"""Surges: how far a curve stands above the base, as values with a rate and a closed-form total.

A curve is the number of posts (or cases) per hour as a multiple of the base at the same hour of
the week. `multiple(t) = boost(t) * (1 + sum of size * excess(t))`; hours count from onset.

Sources of the shapes: pulses with exponential decay fit sudden crises, power-law decay
(1 + t/c)^-p the public's tail; see Crane and Sornette (2008), PNAS 105, 15649.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator

from scenarios.errors import Faults
from scenarios.laws import Frozen, NonNegative, Number, Positive

FloatArray = NDArray[np.float64]
Bounds = tuple[FloatArray, FloatArray]
Stream = Literal["mentions", "cases"]


class Size(Frozen):
    """How large the surge may turn out, as factors on its excess over the base.

    A replication draws one size from the triangular law (low, likely, high).
    """

    low: NonNegative = 1.0
    likely: NonNegative = 1.0
    high: NonNegative = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> Size:
        if not self.low <= self.likely <= self.high:
            raise ValueError(f"low, likely, high must not fall; they are {self.low:g}, {self.likely:g}, {self.high:g}")
        return self

    def at(self, u: float) -> float:
        """Size below which the surge stays with probability `u`, 0 <= u <= 1."""
        if self.high == self.low:
            return self.likely
        split = (self.likely - self.low) / (self.high - self.low)
        if u <= split:
            return self.low + math.sqrt(u * (self.high - self.low) * (self.likely - self.low))
        return self.high - math.sqrt((1 - u) * (self.high - self.low) * (self.high - self.likely))


class TableRow(Frozen):
    """One point of a table: hour, multiple of the mentions, multiple of the cases."""

    at_h: Number
    mentions: NonNegative
    cases: NonNegative


class Table(Frozen):
    """Multiples of the base at given hours, linear between; before the first row 1.

    After the last row the curve runs back to 1 in `tail_h` hours.
    """

    kind: Literal["table"]
    rows: tuple[TableRow, ...] = Field(min_length=1)
    tail_h: Positive = 24.0
    shift_h: Number = 0.0
    size: Size = Size()

    @model_validator(mode="after")
    def _rising_hours(self) -> Table:
        hours = [row.at_h for row in self.rows]
        high = self.size.high
        late = [
            (f"rows[{i}].at_h", f"is {b:g}, not after {a:g} of the row before; put the rows in order of time")
            for i, (a, b) in enumerate(pairwise(hours), start=1)
            if b <= a
        ]
        sunk = [
            (f"rows[{i}].{stream}", f"is {x:g}: at the high size of {high:g} the curve would fall below zero")
            for i, row in enumerate(self.rows)
            for stream, x in (("mentions", row.mentions), ("cases", row.cases))
            if 1 + high * (x - 1) < 0
        ]
        if late or sunk:
            raise Faults(late + sunk)
        return self

    def knots(self) -> list[float]:
        """Hours between which the excess is monotone."""
        hours = [row.at_h + self.shift_h for row in self.rows]
        return [*hours, hours[-1] + self.tail_h]

    def _heights(self, stream: Stream) -> list[float]:
        return [getattr(row, stream) - 1.0 for row in self.rows] + [0.0]

    def rate(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Excess over the base at `hours`, in multiples of the base; same shape."""
        first = self.rows[0].at_h + self.shift_h
        value = np.interp(hours, self.knots(), self._heights(stream), right=0.0)
        return np.where(hours < first, 0.0, value)

    def area(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Integral of the excess from the first row to `hours`, in multiples of the base times hours."""
        x, y = np.array(self.knots()), np.array(self._heights(stream))
        before = np.concatenate([[0.0], np.cumsum(np.diff(x) * (y[1:] + y[:-1]) / 2)])
        at = np.clip(hours, x[0], x[-1])
        i = np.clip(np.searchsorted(x, at, side="right") - 1, 0, x.size - 2)
        part = at - x[i]
        slope = (y[i + 1] - y[i]) / (x[i + 1] - x[i])
        out: FloatArray = before[i] + part * (y[i] + slope * part / 2)
        return out

    def bounds(self, edges_h: FloatArray, stream: Stream) -> Bounds:
        """Least and greatest excess between neighbouring edges; no knot lies between two of them."""
        value = self.rate(edges_h, stream)
        return np.minimum(value[:-1], value[1:]), np.maximum(value[:-1], value[1:])


def _above_base(peak: float) -> float:
    if peak < 1:
        raise ValueError(f"is {peak:g}: the peak lies below the base rate of 1; raise the peak or drop the surge")
    return peak


Peak = Annotated[NonNegative, AfterValidator(_above_base)]


class Pulse(Frozen):
    """Rise, plateau, decay. `mentions` and `cases` are the multiples of the base at the peak."""

    kind: Literal["pulse"]
    at_h: Number
    mentions: Peak
    cases: Peak
    rise_h: NonNegative = 0.0
    rise: Literal["linear", "sine"] = "linear"
    plateau_h: NonNegative = 0.0
    decay: Literal["exponential", "omori"] = "exponential"
    tau_h: Positive = 6.0
    power: Positive = 1.5
    extensions_h: tuple[Positive, ...] = ()
    extension_share: NonNegative = 0.4
    echoes_h: tuple[Positive, ...] = ()
    echo_share: NonNegative = 0.3
    size: Size = Size()

    def _copies(self) -> list[tuple[float, float]]:
        """Start and height of the pulse itself, its extensions and its echoes."""
        return (
            [(self.at_h, 1.0)]
            + [(self.at_h + h, self.extension_share) for h in self.extensions_h]
            + [(self.at_h + h, self.echo_share) for h in self.echoes_h]
        )

    def knots(self) -> list[float]:
        """Hours between which each copy of the pulse is monotone."""
        shape = (0.0, self.rise_h, self.rise_h + self.plateau_h)
        return sorted({start + part for start, _ in self._copies() for part in shape})

    def _unit(self, x: FloatArray) -> FloatArray:
        """Height 0-1 of a pulse that starts at 0, at `x` hours."""
        up = np.zeros_like(x)
        if self.rise_h > 0:
            part = np.clip(x / self.rise_h, 0.0, 1.0)
            up = part if self.rise == "linear" else np.sin(part * np.pi / 2)
        past = np.maximum(x - self.rise_h - self.plateau_h, 0.0)
        exponential = self.decay == "exponential"
        down = np.exp(-past / self.tau_h) if exponential else (1 + past / self.tau_h) ** -self.power
        return np.where(x < 0, 0.0, np.where(x < self.rise_h, up, down))

    def _unit_area(self, x: FloatArray) -> FloatArray:
        """Integral of `_unit` from 0 to `x` hours."""
        area = np.clip(x - self.rise_h, 0.0, self.plateau_h)
        if self.rise_h > 0:
            part = np.clip(x / self.rise_h, 0.0, 1.0)
            share = part**2 / 2 if self.rise == "linear" else (1 - np.cos(part * np.pi / 2)) * 2 / np.pi
            area = area + self.rise_h * share
        past = np.maximum(x - self.rise_h - self.plateau_h, 0.0) / self.tau_h
        if self.decay == "exponential":
            return area - self.tau_h * np.expm1(-past)
        # (1 - (1 + x)^(1 - p)) / (p - 1), written so that it holds at p = 1 as well
        grown = np.log1p(past)
        less = self.power - 1
        return area + self.tau_h * (grown if less == 0 else -np.expm1(-less * grown) / less)

    def rate(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Excess over the base at `hours`, in multiples of the base; same shape."""
        out = np.zeros_like(hours)
        for start, share in self._copies():
            out += share * self._unit(hours - start)
        return self._peak(stream) * out

    def area(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Integral of the excess from its start to `hours`, in multiples of the base times hours."""
        out = np.zeros_like(hours)
        for start, share in self._copies():
            out += share * self._unit_area(hours - start)
        return self._peak(stream) * out

    def bounds(self, edges_h: FloatArray, stream: Stream) -> Bounds:
        """Bounds of the excess between neighbouring edges; no knot lies between two of them.

        A copy that starts without a rise jumps at its edge: the bound counts it on both sides.
        """
        low, high = np.zeros(edges_h.size - 1), np.zeros(edges_h.size - 1)
        for start, share in self._copies():
            value = share * self._unit(edges_h - start)
            low += np.minimum(value[:-1], value[1:])
            high += np.maximum(value[:-1], value[1:])
        return self._peak(stream) * low, self._peak(stream) * high

    def _peak(self, stream: Stream) -> float:
        return (self.mentions if stream == "mentions" else self.cases) - 1.0


class Boost(Frozen):
    """For `length_h` hours from each of `at_h` the whole curve is multiplied."""

    kind: Literal["boost"]
    at_h: tuple[Number, ...] = Field(min_length=1)
    length_h: Positive
    mentions: NonNegative
    cases: NonNegative

    def knots(self) -> list[float]:
        """Hours at which a boost starts or ends."""
        return [edge for start in self.at_h for edge in (start, start + self.length_h)]

    def factor(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Factor on the curve at `hours`; overlapping boosts multiply."""
        value: float = getattr(self, stream)
        out = np.ones_like(hours)
        for start in self.at_h:
            out = np.where((hours >= start) & (hours < start + self.length_h), out * value, out)
        return out


Surge = Annotated[Table | Pulse | Boost, Field(discriminator="kind")]


class Curve(Frozen):
    """The multiple of the base over time: what all surges of a scenario do together."""

    surges: tuple[Surge, ...] = ()
    size_u: float | None = None  # one draw for all surges; None is the likely size

    def _parts(self) -> list[tuple[Table | Pulse, float]]:
        return [
            (s, s.size.likely if self.size_u is None else s.size.at(self.size_u))
            for s in self.surges
            if not isinstance(s, Boost)
        ]

    def _boosts(self) -> list[Boost]:
        return [s for s in self.surges if isinstance(s, Boost)]

    def knots(self) -> list[float]:
        """All hours between which every part is monotone, ascending."""
        return sorted({knot for surge in self.surges for knot in surge.knots()})

    def unboosted(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Multiple of the base at `hours` before boosts; below zero if tables go too deep together."""
        out = np.ones_like(hours)
        for part, size in self._parts():
            out += size * part.rate(hours, stream)
        return out

    def rate(self, hours: FloatArray, stream: Stream) -> FloatArray:
        """Multiple of the base at `hours`; same shape."""
        out = self.unboosted(hours, stream)
        return np.maximum(out * self._boosted(hours, stream), 0.0)

    def totals(self, edges_h: FloatArray, stream: Stream) -> FloatArray:
        """Integral of the multiple between neighbouring edges, in hours, in closed form.

        Parameters
        ----------
        edges_h : (n + 1,) float64
            Ascending hours.

        Returns
        -------
        (n,) float64
        """
        inner = [k for b in self._boosts() for k in b.knots() if edges_h[0] < k < edges_h[-1]]
        fine = np.union1d(edges_h, inner)
        area = np.diff(fine)
        for part, size in self._parts():
            area += size * np.diff(part.area(fine, stream))
        area *= self._boosted((fine[1:] + fine[:-1]) / 2, stream)
        upto = np.concatenate([[0.0], np.cumsum(area)])
        return np.diff(upto[np.searchsorted(fine, edges_h)])

    def total(self, a_h: float, b_h: float, stream: Stream) -> float:
        """Integral of the multiple over [a_h, b_h], in hours, in closed form."""
        return float(self.totals(np.array([a_h, b_h]), stream)[0])

    def bounds(self, edges_h: FloatArray, stream: Stream) -> Bounds:
        """Bounds of the multiple between neighbouring edges, which hold all knots that lie among them.

        Returns
        -------
        low, high : (n,) float64
            The rate lies between them everywhere in the cell.
        """
        low, high = np.ones(edges_h.size - 1), np.ones(edges_h.size - 1)
        for part, size in self._parts():
            lower, upper = part.bounds(edges_h, stream)
            low += size * lower
            high += size * upper
        boosted = self._boosted((edges_h[1:] + edges_h[:-1]) / 2, stream)
        return np.maximum(low * boosted, 0.0), np.maximum(high * boosted, 0.0)

    def _boosted(self, hours: FloatArray, stream: Stream) -> FloatArray:
        out = np.ones_like(hours)
        for boost in self._boosts():
            out *= boost.factor(hours, stream)
        return out
