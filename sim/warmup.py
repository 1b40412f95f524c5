"""A warm-up: the first hours of a window are simulated, and not measured."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scenarios.errors import ScenarioError
from scenarios.model import Scenario
from scenarios.names import PostKind, code
from scenarios.traces import Trace
from sim.outcome import Outcome

HOUR_S = 3600.0


def check(scenario: Scenario, hours: float | None, warm_up_h: float) -> None:
    """Raise `ScenarioError` if a warm-up leaves nothing to measure; `hours` cut the window."""
    start_s, end_s = scenario.window_s
    length_h = (end_s - start_s) / HOUR_S if hours is None else min(hours, (end_s - start_s) / HOUR_S)
    if warm_up_h >= length_h:
        raise ScenarioError(
            f"a warm-up of {warm_up_h:g} hours leaves nothing to measure of a window of {length_h:g}; make it shorter"
        )


def warmed(outcome: Outcome, trace: Trace, warm_up_h: float) -> Outcome:
    """The same rows, which say that they are measured only after so many hours.

    Cases posted since then count, whenever the turns that wait then were queued; waits of turns count
    if they were queued since; times at the desk, costs and posts are those since then. `sim.waits.Rows`
    reads that off `about`: `measured_from_s`, and of the trace `measured_mentions` and `measured_suppressed`,
    those of them that a crisis plan kept people from making.
    """
    if warm_up_h <= 0.0:
        return outcome
    from_s = float(outcome.about["window_s"][0]) + warm_up_h * HOUR_S
    posts = (trace["time_s"] >= from_s) & (trace["kind"] != code(PostKind.CALL))
    about = {
        **outcome.about,
        "measured_from_s": from_s,
        "measured_mentions": int(np.count_nonzero(posts)),
        "measured_suppressed": int(np.count_nonzero(posts[outcome.suppressed["row"]])),
    }
    return replace(outcome, about=about)
