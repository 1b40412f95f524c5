"""The simulation beside a drill: the same posts and the same desk, without what a drill does not have.

Nobody reads posts to find the cases among them, the telephone is silent, there is no crisis plan, nobody tires, all
platforms are watched; faults of the service count only if they were played on it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.drilled import Drilled
from reports.drill_paired import Paired, paired
from scenarios.behaviour import SiteDark, StaffAbsent
from scenarios.model import Scenario
from scenarios.names import NONE, Language, PostKind, code, members
from scenarios.traces import Trace
from sim.desk import Desk, Fatigue, Triage
from sim.engines import engine
from sim.intervals import edges_of
from sim.outcome import Outcome, TurnKind, TurnState
from sim.waits import Rows, seconds_within, under_way, waiting

FloatArray = NDArray[np.float64]
Stretches = tuple[FloatArray, FloatArray]
HOUR_S = 3600.0
STEPS_S = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 4 * 3600.0)
MOST_STEPS = 120
AT_THE_END = (int(TurnState.WAITING), int(TurnState.IN_HAND))


@dataclass(frozen=True)
class Lane:
    """How it went, by the clock: cases waiting at the start of each interval, share of the heads there at work (nan:
    nobody was there)."""

    waiting: FloatArray
    occupancy: FloatArray


@dataclass(frozen=True)
class Series:
    """Both, in intervals between `edges_h` (n + 1,), hours from onset; `drilled` is None if it was not in order."""

    edges_h: FloatArray
    drilled: Lane | None
    simulated: Lane

    def to_dict(self) -> dict[str, Any]:
        """Columns, ready for JSON; null: nobody was there, or it is not told."""
        out: dict[str, Any] = {"from_h": self.edges_h[:-1].tolist(), "to_h": self.edges_h[1:].tolist()}
        for name, lane in (("", self.drilled), ("simulated_", self.simulated)):
            for column in ("waiting", "occupancy"):
                values = None if lane is None else getattr(lane, column)
                out[name + column] = None if values is None else [None if math.isnan(v) else v for v in values.tolist()]
        return out


@dataclass(frozen=True)
class Beside:
    """What the simulation says of the cases of a drill.

    Attributes
    ----------
    first_response_s : (n,) float64
        Of the cases of the drill, in their order, in scenario seconds; inf: not until the drill ended.
    waiting : mapping of Language to int
        Cases that wait when the drill ends, those in hand included.
    by_clock : Series
    paired : Paired
        Case by case.
    """

    first_response_s: FloatArray
    waiting: Mapping[Language, int]
    by_clock: Series
    paired: Paired


def alike(scenario: Scenario, faults: bool) -> Scenario:
    """The scenario as a drill plays it: without calls, and without faults of the service unless they are played."""
    stands = scenario.faults if faults else tuple(f for f in scenario.faults if isinstance(f, StaffAbsent | SiteDark))
    return scenario.model_copy(update={"faults": stands, "phone": None})


def simulated(scenario: Scenario, desk: Desk, trace: Trace, drain_h: float) -> Outcome:
    """Simulate what a drill plays, on the compiled engine.

    Parameters
    ----------
    scenario : Scenario
        As it is played, see `alike`.
    trace : Trace
        The same, without calls.

    Raises
    ------
    DeskError
        If nobody serves a language in which posts come.
    """
    plain = {"triage": Triage(mode="none"), "fatigue": Fatigue(), "platforms": ()}
    return engine("compiled")(
        scenario, desk.with_plan(None).model_copy(update=plain), trace, int(trace.about["seed"]),
        replication=int(trace.about["replication"]), drain_h=drain_h,
    )  # fmt: skip


def beside(outcome: Outcome, trace: Trace, drilled: Drilled, valid: bool) -> Beside:
    """Lay the simulation beside a drill, as far as that went; `valid` False: nothing is told of the drill."""
    end_s = drilled.window_s[1]
    rows = outcome.cases["row"]
    known = (rows != NONE) & (outcome.cases["first_reply_s"] <= end_s)
    waits_s = np.full(trace.cases, math.inf)
    waits_s[trace["case"][rows[known]]] = (outcome.cases["first_reply_s"] - outcome.cases["posted_s"])[known]
    simulated_s = waits_s[drilled.number]
    posted_s = trace["time_s"][trace["kind"] == code(PostKind.CASE)][drilled.number]
    return Beside(
        simulated_s, waiting_at(outcome, end_s), series(drilled, outcome, valid),
        paired(posted_s, drilled.first_response_s, simulated_s, int(trace.about["seed"])),
    )  # fmt: skip


def waiting_at(outcome: Outcome, at_s: float) -> dict[Language, int]:
    """Turns of cases that wait at a time, or are in hand, by language."""
    turns = outcome.turns
    lasts = (turns["end_s"] > at_s) | np.isin(turns["state"], AT_THE_END)
    here = (turns["kind"] == TurnKind.ANSWER) & (turns["queued_s"] <= at_s) & lasts
    counts = np.bincount(turns["language"][here], minlength=len(members(Language)))
    return {language: int(count) for language, count in zip(members(Language), counts, strict=True) if count}


def series(drilled: Drilled, outcome: Outcome, valid: bool) -> Series:
    """Both by the clock, as far as the drill went."""
    start_s, end_s = drilled.window_s
    step_s = next((s for s in STEPS_S if (end_s - start_s) / s <= MOST_STEPS), STEPS_S[-1])
    edges_s = edges_of(start_s, max(end_s, start_s + 1.0), step_s)
    rows, staff = Rows(outcome), outcome.staff
    there = staff["on_s"], np.minimum(staff["off_s"], rows.end_s)
    expected = _lane(edges_s, waiting(outcome.turns, (TurnKind.ANSWER,)), rows.busy, there)
    if not valid:
        return Series(edges_s / HOUR_S, None, expected)
    parts = [(each.from_s, each.until_s) for each in (drilled.waits, drilled.busy, drilled.desk)]
    return Series(edges_s / HOUR_S, _lane(edges_s, *parts), expected)


def _lane(edges_s: FloatArray, waits: Stretches, busy: Stretches, there: Stretches) -> Lane:
    there_s, busy_s = seconds_within(*there, edges_s), seconds_within(*busy, edges_s)
    share = np.divide(busy_s, there_s, out=np.full(there_s.shape, math.nan), where=there_s > 0.0)
    return Lane(under_way(*waits, edges_s[:-1]).astype(np.float64), share)
