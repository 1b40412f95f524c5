"""The reachable plan: what the desk and its call-in ladder can really do, and from when it is enough.

The desk is played as its file says: its own shifts, and the people that its crisis plan calls in, with their
lead times, acceptance, hours and rest. What is missed before they come is missed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.crisis import expand
from sim.desk import Desk
from sim.estimate import Estimate, estimate
from sim.measures import MEASURES, Row
from sim.outcome import Outcome, PlanStep
from sim.plan import Plan
from sim.staff.days import Days, Kept, count, drain_h
from sim.staff.promise import Promise
from sim.staff.seats import QUARTER_S
from sim.staff.standing import ENOUGH, Group, groups, promised_languages
from sim.waits import Rows, seconds_within

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
DAY = 96  # intervals
LOOKED_AT = ("cost", "agent_hours", "occupancy", "time_to_recover_s")


@dataclass(frozen=True)
class Attended:
    """One run: what was kept, what it cost, who was there.

    Attributes
    ----------
    kept : Kept
    row : Row
        The measures of `LOOKED_AT`, see `sim.measures`.
    own, ladder : (intervals,) float64
        People at the desk on average: of the desk's shifts, and called in.
    most : (intervals,) int64
        The most that were called in and there at one moment.
    first_ladder_s : float
        When the first who was called in sat down, inf: nobody did.
    stood_down_s : float
        When the last of them had gone, inf: somebody is there to the end.
    """

    kept: Kept
    row: Row
    own: FloatArray
    ladder: FloatArray
    most: IntArray
    first_ladder_s: float
    stood_down_s: float


@dataclass(frozen=True)
class Reachable:
    """What the plan reaches.

    Attributes
    ----------
    groups : tuple of Group
        See `sim.staff.standing.groups`.
    kept_from_s : float
        Time from onset from which on every 24 hours keep the promise, see `kept_from_s`; inf: none do.
    missed_before : Estimate
        Cases a run whose promise was missed before that (all of them, if it is never kept).
    cost : Estimate
        In euros a run.
    own, ladder : (intervals,) float64
        People at the desk, means over runs.
    most : (intervals,) int64
        The most that were called in and there at one moment of any run.
    heads : int
        How many the ladder has.
    first_ladder_s, stood_down_s : float
        The earliest arrival of all runs, and the mean time at which the last had gone; inf: never.
    """

    groups: tuple[Group, ...]
    kept_from_s: float
    missed_before: Estimate
    cost: Estimate
    own: FloatArray
    ladder: FloatArray
    most: IntArray
    heads: int
    first_ladder_s: float
    stood_down_s: float

    @property
    def most_called(self) -> int:
        """The most that are called in and there at one moment."""
        return int(self.most.max(initial=0))

    @property
    def keeps(self) -> bool:
        """Whether every promise holds over the whole window, for all and for each promised language."""
        return all(group.margin >= 0.0 for group in self.groups if group.kind != "part")


def reachable(
    days: Days,
    desk: Desk,
    promises: Sequence[Promise],
    per_language: bool = True,
    runs: Sequence[Attended] | None = None,
) -> Reachable:
    """What the desk as it is reaches, with the ladder of its plan; `runs` are its days if they were played already."""
    runs = attend(days, desk, promises) if runs is None else runs
    promised = promised_languages([run.kept for run in runs]) if per_language else []
    kept_from = kept_from_s([run.kept for run in runs], promises, days.window_s[0], promised)
    before = [_missed_before(run.kept, kept_from, days.window_s[0]) for run in runs]
    gone = [run.stood_down_s for run in runs if run.first_ladder_s < np.inf]
    ladder = desk.plan.ladder if desk.plan is not None else ()
    return Reachable(
        groups=tuple(groups([run.kept for run in runs], promises, per_language)),
        kept_from_s=kept_from,
        missed_before=estimate(before),
        cost=estimate([run.row["cost"] or 0.0 for run in runs]),
        own=np.mean([run.own for run in runs], axis=0),
        ladder=np.mean([run.ladder for run in runs], axis=0),
        most=np.max([run.most for run in runs], axis=0),
        heads=sum(rung.heads for rung in ladder),
        first_ladder_s=min(run.first_ladder_s for run in runs),
        stood_down_s=float(np.mean(gone)) if gone else np.inf,
    )


def attend(days: Days, desk: Desk, promises: Sequence[Promise]) -> list[Attended]:
    """Play the days and look who was there."""
    own_pools = len(desk.pools)
    assert len(expand(desk).pools) >= own_pools

    def look(outcome: Outcome) -> Attended:
        staff, end_s = outcome.staff, float(outcome.about["end_s"])
        edges = days.window_s[0] + QUARTER_S * np.arange(days.intervals + 1, dtype=np.float64)
        called = staff["pool"] >= own_pools
        on, off = staff["on_s"], np.minimum(staff["off_s"], end_s)
        steps = outcome.plan["step"]
        active = bool(np.isin(steps, (PlanStep.CALLED,)).any()) and bool(called.any())
        last = float(off[called].max()) if active else np.inf
        return Attended(
            kept=count(outcome, promises, days.intervals),
            row=_row(outcome),
            own=seconds_within(on[~called], off[~called], edges) / QUARTER_S,
            ladder=seconds_within(on[called], off[called], edges) / QUARTER_S,
            most=_at_once(on[called], off[called], edges),
            first_ladder_s=float(on[called].min()) if active else np.inf,
            stood_down_s=last if last < end_s else np.inf,
        )

    return days.each(desk, look, drain_h(promises))


def _at_once(on: FloatArray, off: FloatArray, edges: FloatArray) -> IntArray:
    """(intervals,) the most that are there at one moment: the number changes upwards only when somebody sits down."""
    moments = np.sort(np.concatenate([edges[:-1], on[(on >= edges[0]) & (on < edges[-1])]]))
    there = np.searchsorted(np.sort(on), moments, "right") - np.searchsorted(np.sort(off), moments, "right")
    out = np.zeros(edges.size - 1, dtype=np.int64)
    np.maximum.at(out, np.searchsorted(edges, moments, "right") - 1, there)
    return out


def _row(outcome: Outcome) -> Row:
    rows = Rows(outcome)
    return {name: MEASURES[name](rows) for name in LOOKED_AT}


def kept_from_s(
    runs: Sequence[Kept], promises: Sequence[Promise], start_s: float, languages: Sequence[int] = ()
) -> float:
    """First quarter of an hour from which on every 24 hours that lie in the window keep all promises.

    A window of less than a day counts as one. Shares are of all runs together, over all cases and over those of each
    language given (by number), where a day has enough of them; inf if there is no such time.
    """
    cases = np.sum([run.cases for run in runs], axis=0)
    n = cases.shape[1]
    last = max(n - DAY, 0) + 1  # days that begin later reach beyond the window
    good = np.ones(last, dtype=bool)
    for i, promise in enumerate(promises):
        kept = np.sum([run.kept[i] for run in runs], axis=0)
        rows = [(cases.sum(axis=0), kept.sum(axis=0)), *((cases[k], kept[k]) for k in languages)]
        for of, well in rows:
            ahead_cases, ahead_kept = _ahead(of)[:last], _ahead(well)[:last]
            good &= (ahead_kept >= promise.share * ahead_cases) | (ahead_cases < ENOUGH)
    bad = np.flatnonzero(~good)
    first = int(bad[-1]) + 1 if bad.size else 0
    return start_s + first * QUARTER_S if first < last else np.inf


def _ahead(values: IntArray) -> IntArray:
    """Sum of each interval and those of the 24 hours from it on."""
    sums = np.concatenate([[0], np.cumsum(values)])
    n = values.size
    out: IntArray = sums[np.minimum(np.arange(n) + DAY, n)] - sums[:n]
    return out


def _missed_before(kept: Kept, until_s: float, start_s: float) -> float:
    end = kept.cases.shape[1] if until_s == np.inf else round((until_s - start_s) / QUARTER_S)
    return float((kept.cases[:, :end].sum() - kept.kept[:, :, :end].sum(axis=(1, 2))).max())


def called_later(plan: Plan, hours: float) -> Plan:
    """The same plan, in which every rung is asked so many hours later; negative: earlier, where that is possible.

    Raises
    ------
    ValueError
        If a rung cannot be asked so much earlier.
    """
    if any(rung.after_h + hours < 0.0 for rung in plan.ladder):
        raise ValueError(f"a rung is asked less than {-hours:g} h after the declaration: it cannot be asked earlier")
    ladder = tuple(rung.model_copy(update={"after_h": rung.after_h + hours}) for rung in plan.ladder)
    return plan.model_copy(update={"ladder": ladder})


@dataclass(frozen=True)
class Hour:
    """What an hour's delay of all calls costs: missed promises and euros a run, on the same days."""

    missed: Estimate
    cost: Estimate


def an_hour_later(
    days: Days, desk: Desk, promises: Sequence[Promise], runs: Sequence[Attended] | None = None
) -> Hour | None:
    """Paired differences between calling everybody an hour later and as the plan says; None without a ladder."""
    if desk.plan is None or not desk.plan.ladder:
        return None
    now = attend(days, desk, promises) if runs is None else runs
    later = attend(days, desk.with_plan(called_later(desk.plan, 1.0)), promises)
    more = [missed(b.kept) - missed(a.kept) for a, b in zip(now, later, strict=True)]
    cost = [(b.row["cost"] or 0.0) - (a.row["cost"] or 0.0) for a, b in zip(now, later, strict=True)]
    return Hour(estimate(more), estimate(cost))


def missed(kept: Kept) -> float:
    """Cases of a run whose promise was missed; of several promises that which is missed most."""
    return float((kept.cases.sum() - kept.kept.sum(axis=(1, 2))).max())
