"""Two usual ways to staff, to be compared at the same service: Erlang per interval, and today's desk scaled up.

*Stationary Erlang*: each quarter of an hour is taken for a queue that has gone on for ever at that moment's rate, each
language for itself; the largest of what the promises need. *Proportional*: the desk of the quiet week, as many times
as there are more cases. Both are scaled by one factor until they keep as much of the promise as the plan that they
are compared with, so that what is left is the difference in agent hours. Whole heads are rounded up.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import Grid, Traffic
from scenarios.model import Scenario
from sim.crew import Watch
from sim.desk import Desk
from sim.draws import key
from sim.estimate import Estimate, estimate
from sim.executors import StoppedError
from sim.roster import realise
from sim.staff.allot import Allotment
from sim.staff.days import LANGUAGES, Days
from sim.staff.erlang import erlang_c
from sim.staff.need import PER_HOUR
from sim.staff.offered_load import offered_load
from sim.staff.promise import Promise
from sim.staff.seats import QUARTER_S, Seats
from sim.waits import seconds_within

FloatArray = NDArray[np.float64]
HALVINGS = 6
WIDEST = 8.0  # factor at which the search for the scale gives up
MOST_SEATS = 5_000

Scaled = Callable[[float], Seats]
"""A factor -> seats; more with a larger one."""


def stationary(desk: Desk, scenario: Scenario, promises: Sequence[Promise], days: Days, size_u: float | None) -> Scaled:
    """Seats by Erlang C per quarter of an hour and language, times a factor.

    The load of the moment is that of the curves with the whole of a case's work at once (a stationary formula knows
    no threads): cases an hour times work a case, reading included. Each language is a queue of its own.
    """
    flat = offered_load(scenario, desk, size_u)[:, : days.intervals]
    work_s = mean_turn_s(scenario)
    allotment = Allotment(desk, [LANGUAGES[n] for n in np.flatnonzero(flat.sum(axis=1) > 0.0)])
    rows = [LANGUAGES.index(language) for language in allotment.languages]
    need = np.zeros_like(flat)
    for number in rows:
        for i, load in enumerate(_by_hour(flat[number])):
            need[number, i] = max(_servers(float(load), work_s, promise) for promise in promises) if load > 0 else 0.0

    def scaled(factor: float) -> Seats:
        return Seats(
            days.window_s[0], allotment.heads(need[rows][:, ::PER_HOUR] * factor, PER_HOUR, np.zeros(flat.shape[1]))
        )

    return scaled


def _by_hour(values: FloatArray) -> FloatArray:
    """The largest of each hour, at each of its quarters."""
    n = values.size
    padded = np.pad(values, (0, -n % PER_HOUR), mode="edge").reshape(-1, PER_HOUR).max(axis=1)
    out: FloatArray = np.repeat(padded, PER_HOUR)[:n]
    return out


def mean_turn_s(scenario: Scenario) -> float:
    """Mean work of a turn in seconds, over the topics alike."""
    b = scenario.behaviour
    turns = float(np.dot(np.arange(1, len(b.turns) + 1), b.turns))
    return 60.0 * b.handling_min["default"].mean() / turns


def _servers(load: float, work_s: float, promise: Promise) -> float:
    """Seats with which a turn begins early enough to end within the promise, by Erlang C."""
    within = max(promise.within_s - work_s, 0.0)
    servers = int(np.floor(load)) + 1
    while servers < MOST_SEATS:
        if erlang_c(servers, load / work_s, 1.0 / work_s).served_within(within) >= promise.share:
            break
        servers += 1
    return float(servers)


def proportional(desk: Desk, quiet: Scenario, scenario: Scenario, days: Days, size_u: float | None) -> Scaled:
    """The desk's own heads of a quiet week at that hour of the week, times how much more comes, times a factor."""
    start_s, end_s = days.window_s
    week = _at_desk(desk, scenario, start_s, end_s)
    grid = Grid.over(scenario, start_s, end_s)
    curve = Traffic(scenario, grid, size_u).curve
    times = curve.rate(grid.middles_h, "cases")[: week.shape[1]] * scenario.base.cases_per_h / quiet.base.cases_per_h

    def scaled(factor: float) -> Seats:
        return Seats(start_s, np.ceil(week * times * factor - 1e-9).astype(np.int64))

    return scaled


def _at_desk(desk: Desk, scenario: Scenario, start_s: float, end_s: float) -> FloatArray:
    """(pools, intervals) heads at the desk by the desk's own roster, one draw of its absences."""
    n = int(np.ceil((end_s - start_s) / QUARTER_S - 1e-9))
    edges = start_s + QUARTER_S * np.arange(n + 1, dtype=np.float64)
    roster = realise(desk, scenario, key(1, 0), start_s, end_s)
    out = np.zeros((len(desk.pools), n))
    for agent, stretches in enumerate(roster.stretches):
        spans = np.array([(s.on_s, s.off_s) for s in stretches]).reshape(-1, 2)
        out[roster.pool_of[agent]] += seconds_within(spans[:, 0], spans[:, 1], edges) / QUARTER_S
    for p, levels in enumerate(roster.levels):
        ends = [*(t for t, _ in levels[1:]), end_s][: len(levels)]
        for (at, heads), end in zip(levels, ends, strict=True):
            out[p] += heads * seconds_within(np.array([at]), np.array([end]), edges) / QUARTER_S
    return out


@dataclass(frozen=True)
class Baseline:
    """A usual way to staff, at the service of a plan.

    Attributes
    ----------
    name : str
    hours, cost : Estimate
        Agent hours and euros, over batches of days on each of which it is scaled anew; without values if no factor
        up to eight gives that service. The interval begins with the largest factors that were not enough: what lies
        between those and the ones that were was not looked at, so it has a width where all batches agree.
    saving : Estimate
        Share of its agent hours that the plan saves, over the same batches.
    factor : float
        Mean factor by which it is scaled.
    batches : int
        How many batches there are; the estimates are over those in which a factor was found.
    """

    name: str
    hours: Estimate
    cost: Estimate
    saving: Estimate
    factor: float
    batches: int


def at_service(
    name: str,
    scaled: Scaled,
    plan: Seats,
    days: Days,
    desk: Desk,
    promises: Sequence[Promise],
    batches: int = 4,
    watch: Watch | None = None,
) -> Baseline:
    """Scale a usual way until it keeps as much of each promise as the plan, batch by batch of the days.

    Both meet the same days. The interval is that of the batches: what is left of chance in the factor. Raises
    `sim.executors.StoppedError` if `watch` says between two batches that somebody has had enough.
    """
    batches = min(batches, len(days.traces))
    size = len(days.traces) // batches
    found = []
    for b in range(batches):
        if watch is not None and watch.stopped():
            raise StoppedError
        found.append(_factor(scaled, plan, days.part(b * size, (b + 1) * size), desk, promises))
    reached = [pair for pair in found if pair is not None]
    under, over = ([scaled(pair[end]) for pair in reached] for end in (0, 1))
    return Baseline(
        name=name,
        hours=_between([each.hours for each in under], [each.hours for each in over]),
        cost=_between([each.cost(desk) for each in under], [each.cost(desk) for each in over]),
        saving=_between(*([1.0 - plan.hours / max(each.hours, 1e-9) for each in ends] for ends in (under, over))),
        factor=float(np.mean([high for _, high in reached])) if reached else np.inf,
        batches=batches,
    )


def _between(under: Sequence[float], over: Sequence[float]) -> Estimate:
    """The mean of what was enough; its interval begins with that of what was not."""
    least, found = estimate(under), estimate(over)
    return Estimate(found.n, found.mean, least.low, found.high)


def _factor(
    scaled: Scaled, plan: Seats, days: Days, desk: Desk, promises: Sequence[Promise]
) -> tuple[float, float] | None:
    """Factors with which promises are just not and just kept as often as by the plan, None: none up to eight."""
    target = _shares(plan, days, desk, promises)

    def enough(factor: float) -> bool:
        return bool(np.all(_shares(scaled(factor), days, desk, promises) >= target - 1e-12))

    low, high = 0.0, 1.0
    while not enough(high):
        low, high = high, high * 1.4
        if high > WIDEST:
            return None
    for _ in range(HALVINGS):
        middle = (low + high) / 2.0
        low, high = (low, middle) if enough(middle) else (middle, high)
    return low, high


def _shares(seats: Seats, days: Days, desk: Desk, promises: Sequence[Promise]) -> FloatArray:
    """(promises,) share of all cases for which each promise was kept."""
    runs = days.play(seats.desk(desk), promises)
    kept = np.sum([run.kept.sum(axis=(1, 2)) for run in runs], axis=0)
    out: FloatArray = kept / max(sum(int(run.cases.sum()) for run in runs), 1)
    return out
