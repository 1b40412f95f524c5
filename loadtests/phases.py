"""The parts of a crisis, by how much more is written than on a usual day: before, rise, peak, decline, after."""

from __future__ import annotations

import numpy as np

from scenarios.expected import rates
from scenarios.model import Scenario

RAISED = 1.5  # times as much as usual: with less a day is a usual one
PEAK = 0.5  # of the highest factor
QUIET = "quiet"
Phase = tuple[str, float, float]


def phases(scenario: Scenario, size_u: float | None = None) -> tuple[Phase, ...]:
    """Name, and hours from onset from and to, of each part; together they are the window.

    The rise begins when the expected mentions first reach 1.5 times the usual, the peak when they first reach
    half of their highest factor; it ends when they last do, and the decline when 1.5 is last reached. A
    scenario that never reaches 1.5 has a single part, ``quiet``.
    """
    start_h, end_h = scenario.window_h
    found = rates(scenario, flat=True, size_u=size_u)
    factor = found.mentions_per_h / scenario.base.mentions_per_h
    highest = float(factor.max(initial=0.0))
    if highest < RAISED:
        return ((QUIET, start_h, end_h),)
    raised = np.flatnonzero(factor >= RAISED)
    high = np.flatnonzero(factor >= max(PEAK * highest, RAISED))
    ends_h = found.start_h + found.length_h
    edges_h = [
        start_h,
        float(found.start_h[raised[0]]),
        float(found.start_h[high[0]]),
        float(ends_h[high[-1]]),
        float(ends_h[raised[-1]]),
        end_h,
    ]
    names = ("before", "rise", "peak", "decline", "after")
    parts = zip(names, edges_h[:-1], edges_h[1:], strict=True)
    return tuple((name, from_h, to_h) for name, from_h, to_h in parts if from_h < to_h)
