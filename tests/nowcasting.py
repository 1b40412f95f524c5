"""What the tests of nowcasts share: counts by hour of generated traces."""

from __future__ import annotations

import numpy as np

from scenarios.generate import generate
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import PostKind, code
from sim.staff.nowcast_law import Bins


def counts_of(scenario: Scenario, seed: int, number: int, size_u: float) -> FloatArray:
    """Cases and all other mentions of each hour of a trace: (2, hours), from the window's start."""
    trace = generate(scenario, seed, number, size_u)
    start, end = scenario.window_s
    hour = ((trace["time_s"] - start) // 3600).astype(np.int64)
    n = round((end - start) / 3600)
    case, call = (trace["kind"] == code(kind) for kind in (PostKind.CASE, PostKind.CALL))
    return np.stack([np.bincount(hour[mask], minlength=n) for mask in (case, ~case & ~call)]).astype(np.float64)


def whole_hours(first: int, last: int) -> Bins:
    """The hours from `first` to `last` after onset."""
    edges = np.arange(first, last + 1, dtype=np.float64)
    return Bins(edges[:-1], edges[1:])
