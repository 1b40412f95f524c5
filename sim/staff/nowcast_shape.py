"""What may be different about a surge than its scenario says likely: size, decay, onset; and the counts it then brings.

A point of the unit cube is one possible surge: the quantile of the scenario's size, that of the stretch of
its decay, that of its onset within a span. What the scenario marks as assumed about its surges, with a
range, is drawn into a few variants. All of it has a uniform prior, so a quantile is its own weight.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from scenarios.arrivals import HOUR_S
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.surges import Boost, Curve, Pulse, Size, Surge, Table
from sim.staff.nowcast_law import Law
from sim.worlds import survey

STRETCH_SD = 0.25
"""Standard deviation of the logarithm of the stretch of a decay: an assumption, as no scenario gives a range."""
STRETCHES = 7
STEP_H = 0.25
MOST_STEPS = 60
VARIANTS = 8
DIMENSIONS = 3
SIZE, STRETCH, ONSET = range(DIMENSIONS)
_END = 0.005  # quantile at which the net of stretches ends


@dataclass(frozen=True)
class Prior:
    """Which surges are possible: variants of a scenario, and the span of the onset.

    Attributes
    ----------
    variants : tuple of Scenario
        The scenario, or the scenario with what it assumes about its surges set to draws from their ranges.
    onset_h : (float, float)
        Earliest and latest onset, in hours from where the scenario puts it.
    drawn : tuple of str
        Places that differ between variants.
    decays : bool
        Whether the decay is stretched: not where the scenario gives the decay a range of its own.
    """

    variants: tuple[Scenario, ...]
    onset_h: tuple[float, float]
    drawn: tuple[str, ...]
    decays: bool

    def stretch(self, u: FloatArray) -> FloatArray:
        """Factor on the length of the decay at quantiles; 1 where it is not stretched."""
        if not self.decays:
            return np.ones_like(u)
        normal = NormalDist()
        return np.exp([STRETCH_SD * normal.inv_cdf(min(max(x, _END), 1.0 - _END)) for x in u.tolist()])

    def onset(self, u: FloatArray) -> FloatArray:
        """Hours by which the onset lies later, at quantiles."""
        low, high = self.onset_h
        return low + u * (high - low)


def prior(scenario: Scenario, onset_h: tuple[float, float], seed: int) -> Prior:
    """All that may be different about the surges of a scenario."""
    own = tuple(row for row in scenario.assumed if row.what.startswith("surges["))
    found = survey(scenario.model_copy(update={"assumed": own}), ())
    drawn = tuple(each.what for each in found.ranges)
    variants = tuple(world.scenario for world in found.draw(seed, VARIANTS)) if drawn else (scenario,)
    has_range = any(what.endswith(("tau_h", "tail_h", "power")) for what in drawn)
    return Prior(variants, onset_h, drawn, any(_decays(s) for s in scenario.surges) and not has_range)


def _decays(surge: Surge) -> bool:
    return not isinstance(surge, Boost)


def stretched(surges: Sequence[Surge], factor: float) -> tuple[Surge, ...]:
    """Surges whose decay takes `factor` times as long: of a table all that comes after its highest row of cases."""
    return tuple(_stretched(surge, factor) for surge in surges)


def _stretched(surge: Surge, factor: float) -> Surge:
    if isinstance(surge, Pulse):
        return surge.model_copy(update={"tau_h": surge.tau_h * factor})
    if isinstance(surge, Table):
        top = max(surge.rows, key=lambda row: (row.cases, row.mentions)).at_h
        rows = tuple(
            row.model_copy(update={"at_h": top + max(row.at_h - top, 0.0) * factor + min(row.at_h - top, 0.0)})
            for row in surge.rows
        )
        return surge.model_copy(update={"rows": rows, "tail_h": surge.tail_h * factor})
    return surge


@dataclass(frozen=True)
class Means:
    """Expected counts of every possible surge, ready to be looked up.

    The counts are a sum: what comes without a surge, and for each surge its size times what it brings at size
    1. These are worked out on a net of stretches and onsets, and taken linearly between.

    Attributes
    ----------
    prior : Prior
    net : (variants, stretches, onsets, 1 + surges, streams, n) float64
    ordinary : (streams, n) float64
        Without any surge.
    """

    prior: Prior
    net: FloatArray
    ordinary: FloatArray

    def at(self, points: FloatArray, variant: np.ndarray) -> FloatArray:
        """Expected counts of some surges: (p, streams, n).

        Parameters
        ----------
        points : (p, 3) float64
            In the unit cube: quantiles of the size, the stretch, the onset.
        variant : (p,) int
        """
        stretches, onsets = self.net.shape[1:3]
        i, left = _between(_normal(points[:, STRETCH]), stretches)
        j, early = _between(points[:, ONSET], onsets)
        parts = sum(
            (weight[:, None, None, None] * self.net[variant, a, b])
            for a, b, weight in (
                (i, j, left * early),
                (np.minimum(i + 1, stretches - 1), j, (1 - left) * early),
                (i, np.minimum(j + 1, onsets - 1), left * (1 - early)),
                (np.minimum(i + 1, stretches - 1), np.minimum(j + 1, onsets - 1), (1 - left) * (1 - early)),
            )
        )
        sizes = self._sizes(points[:, SIZE], variant)
        out: FloatArray = np.maximum(np.einsum("pj,pjsn->psn", sizes, parts), 1e-9)
        return out

    def _sizes(self, u: FloatArray, variant: np.ndarray) -> FloatArray:
        out = np.ones((u.size, self.net.shape[3]))
        grid = np.linspace(0.0, 1.0, 513)
        for v, scenario in enumerate(self.prior.variants):
            mine = variant == v
            for j, surge in enumerate(_with_size(scenario.surges), start=1):
                out[mine, j] = np.interp(u[mine], grid, [surge.size.at(x) for x in grid])
        return out


def _normal(u: FloatArray) -> FloatArray:
    """Quantiles of the stretch to places on its net, which is even in the logarithm."""
    normal = NormalDist()
    top = normal.inv_cdf(1.0 - _END)
    z = np.array([normal.inv_cdf(x) for x in np.clip(u, _END, 1.0 - _END).tolist()])
    out: FloatArray = (z / top + 1.0) / 2.0
    return out


def _between(part: FloatArray, nodes: int) -> tuple[np.ndarray, FloatArray]:
    """Node to the left, and its weight, of places in [0, 1] on an even net."""
    place = np.clip(part, 0.0, 1.0) * (nodes - 1)
    left = np.minimum(place.astype(np.intp), max(nodes - 2, 0))
    return left, 1.0 - (place - left)


def _with_size(surges: Sequence[Surge]) -> list[Table | Pulse]:
    return [surge for surge in surges if not isinstance(surge, Boost)]


def means(prior: Prior, law: Law) -> Means:
    """Work out the expected counts of all surges of a prior; some 0.1 ms for each node of the net and surge."""
    low, high = prior.onset_h
    onsets = min(max(math.ceil((high - low) / STEP_H) + 1, 2), MOST_STEPS) if high > low else 1
    top = NormalDist().inv_cdf(1.0 - _END) * STRETCH_SD
    factors = np.exp(np.linspace(-top, top, STRETCHES)) if prior.decays else np.ones(1)
    shifts = np.linspace(low, high, onsets)
    areas = np.stack(
        [
            np.stack([np.stack([_areas(stretched(v.surges, f), law, shift) for shift in shifts]) for f in factors])
            for v in prior.variants
        ]
    )
    net = np.einsum("vfojcm,scnm->vfojsn", areas, law.of_curves, optimize=True)
    flat = np.einsum("m,scnm->sn", np.diff(law.edges_h), law.of_curves)
    return Means(prior, net, np.maximum(flat, 1e-9))


def _areas(surges: Sequence[Surge], law: Law, shift_h: float) -> FloatArray:
    """Areas under the curves in each quarter hour: (1 + surges, curves, quarters)."""
    edges = law.edges_h - shift_h
    boosts = tuple(surge for surge in surges if isinstance(surge, Boost))

    def totals(*chosen: Surge) -> FloatArray:
        curve = Curve(surges=(*boosts, *chosen))
        return np.stack([curve.totals(edges, "mentions"), curve.totals(edges, "cases")])

    base = totals()
    rest = [totals(surge.model_copy(update={"size": Size()})) - base for surge in _with_size(surges)]
    return np.stack([base, *rest])


def surge_at(prior: Prior, point: FloatArray, variant: int) -> tuple[Scenario, float]:
    """The scenario with the surge of a point, and the seconds by which its onset lies later."""
    scenario = prior.variants[variant]
    factor = float(prior.stretch(point[STRETCH : STRETCH + 1])[0])
    later_s = float(prior.onset(point[ONSET : ONSET + 1])[0]) * HOUR_S
    return scenario.model_copy(update={"surges": stretched(scenario.surges, factor)}), later_s
