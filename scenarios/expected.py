"""What a scenario is expected to bring: integrals and peaks of its rates, without chance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scenarios.arrivals import HOUR_S, Grid, Traffic
from scenarios.laws import FloatArray
from scenarios.model import Scenario


@dataclass(frozen=True)
class Rates:
    """Expected rates of a scenario, one entry for each quarter hour of its window.

    Attributes
    ----------
    start_h, length_h : (n,) float64
        Hours from onset, and hours; the first and the last stretch may be shorter than a quarter.
    mentions_per_h, cases_per_h, calls_per_h : (n,) float64
        Means over each stretch.
    language_share : (n, languages) float64
        Share of each language; rows sum to 1, or are 0 where nobody posts.
    """

    start_h: FloatArray
    length_h: FloatArray
    mentions_per_h: FloatArray
    cases_per_h: FloatArray
    calls_per_h: FloatArray
    language_share: FloatArray


def rates(scenario: Scenario, flat: bool = False, size_u: float | None = None) -> Rates:
    """Expected rates over the window.

    Parameters
    ----------
    scenario : Scenario
    flat : bool
        Leave out the profile of hours and weekdays.
    size_u : float, optional
        Quantile of the size of the surges; None is the likely size.

    Notes
    -----
    The curve is integrated in closed form over each quarter hour of UTC, on which the profile stands
    still. Noise has mean 1 and clusters add nothing.
    """
    start_s, end_s = scenario.window_s
    grid = Grid.over(scenario, start_s, end_s)
    traffic = Traffic(scenario, grid, size_u)
    edges_h = np.clip(grid.edges_s, start_s, end_s) / HOUR_S
    length_h = np.diff(edges_h)
    kept = length_h > 0
    languages = traffic.mixes.shares("languages") + np.zeros((grid.n, 1)) if flat else traffic.languages
    weight = np.ones(grid.n) if flat else traffic.profile
    mentions = weight * traffic.curve.totals(edges_h, "mentions")
    cases = weight * traffic.curve.totals(edges_h, "cases")
    calls = 0.0 if scenario.phone is None else scenario.phone.calls_per_h
    hours = length_h[kept]
    total = languages.sum(axis=1, keepdims=True)
    return Rates(
        edges_h[:-1][kept],
        hours,
        scenario.base.mentions_per_h * mentions[kept] / hours,
        scenario.base.cases_per_h * cases[kept] / hours,
        calls * cases[kept] / hours,
        (languages / np.where(total > 0, total, 1.0))[kept],
    )


def expected(scenario: Scenario, flat: bool = False, size_u: float | None = None) -> dict[str, float]:
    """Expected totals and peaks of a scenario.

    Parameters
    ----------
    scenario, flat, size_u
        As for `rates`.

    Returns
    -------
    dict
        `hours` of the window; `mentions`, `cases`, `calls` in it, cases being mentions too and calls
        apart; `peak_mentions_per_h`, `peak_cases_per_h`, `peak_calls_per_h`, the busiest quarter
        hours, and the hours from onset at which the first two of these begin.
    """
    r = rates(scenario, flat, size_u)
    per_h = {"mentions": r.mentions_per_h, "cases": r.cases_per_h, "calls": r.calls_per_h}
    out = {"hours": float(r.length_h.sum())}
    out |= {name: float(value @ r.length_h) for name, value in per_h.items()}
    out |= {f"peak_{name}_per_h": float(value.max()) for name, value in per_h.items()}
    out |= {f"peak_{name}_at_h": float(r.start_h[per_h[name].argmax()]) for name in ("mentions", "cases")}
    return out
