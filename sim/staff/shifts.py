"""Shifts that cover seats at least paid hours: each with a date, from a set of rules, chosen by HiGHS.

A seat that no shift covers is bought at a price far above any shift: there is always an answer, the least bad
one, and it says what is short where and why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import highspy
import numpy as np
from numpy.typing import NDArray

from sim.staff.budget import Budget
from sim.staff.duty import Duty
from sim.staff.roster_check import of_agent
from sim.staff.rounding import rounded
from sim.staff.rules import Rules

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
QUARTER = timedelta(minutes=15)
PLACES = (0.0, 0.5, 1.0)  # where in its time a break lies: at the earliest, in the middle, at the latest
SHORT_PRICE = 1_000.0  # of an uncovered seat in one interval, in hours of a shift
GAP = 0.01  # shifts may have so much more paid hours than the fewest
LIMIT_S = 20.0


@dataclass(frozen=True)
class Cover:
    """Shifts of one pool.

    Attributes
    ----------
    shifts : tuple of Duty
        Without an agent, in order of time; one that is needed twice stands twice.
    hours : float
        Paid hours, breaks in.
    bound_hours : float
        No shifts that cover as much have fewer; nan if something is short or the time was over at once.
    short : (intervals,) int64
        Heads that are missing.
    proven : bool
        Whether the hours are within 1 % of the fewest; False: the time was over before.
    why : tuple of str
        What stands in the way where heads are missing.
    """

    shifts: tuple[Duty, ...]
    hours: float
    bound_hours: float
    short: IntArray
    proven: bool
    why: tuple[str, ...]


def scaled(heads: IntArray, rules: Rules) -> IntArray:
    """(intervals,) heads to plan so that as many as needed come in the mean, to the nearest; the rest is for repair."""
    out: IntArray = np.floor(heads / (1.0 - rules.unplanned_share) + 0.5).astype(np.int64)
    return out


Refused = tuple[Duty, tuple[str, ...]]
"""A shift that breaks rules by itself, and which."""


def library(pool: str, site: str, zone: str, rules: Rules, start: datetime, end: datetime) -> list[Duty]:
    """Every shift of a set of rules that has time between two instants, in order of start.

    Starts are clock times of the zone; one that the clocks skip or show twice counts once. A shift that breaks a
    rule by itself, such as a night that is too long, is not among them, see `refused`.
    """
    return [duty for duty in _every(pool, site, zone, rules, start, end) if not of_agent([duty], rules)]


def refused(zone: str, rules: Rules, start: datetime, end: datetime) -> list[Refused]:
    """The shifts that `library` leaves out, with the rules that they break by themselves."""
    broken = ((duty, {b.rule for b in of_agent([duty], rules)}) for duty in _every("", "", zone, rules, start, end))
    return [(duty, tuple(sorted(names))) for duty, names in broken if names]


def _every(pool: str, site: str, zone: str, rules: Rules, start: datetime, end: datetime) -> Iterator[Duty]:
    first = start.astimezone(ZoneInfo(zone)).date() - timedelta(days=1)
    last = end.astimezone(ZoneInfo(zone)).date()
    begins = {
        _at(first + timedelta(days=day), minute, zone)
        for day in range((last - first).days + 1)
        for minute in range(0, 1440, rules.start_every_min)
    }
    for begin in sorted(begins):
        for hours in rules.lengths_h:
            finish = begin + timedelta(hours=hours)
            if begin >= end or finish <= start:
                continue
            for breaks in sorted({_breaks(begin, hours, rules, place) for place in PLACES}):
                yield Duty("", pool, site, zone, begin, finish, breaks)


def _at(day: date, minute: int, zone: str) -> datetime:
    return datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=ZoneInfo(zone)).astimezone(UTC)


def _breaks(begin: datetime, hours: float, rules: Rules, place: float) -> tuple[tuple[datetime, int], ...]:
    """Breaks at a place in their time, on quarters of an hour where there is one in it."""
    out = []
    for rule in rules.breaks:
        if hours >= rule.from_h - 1e-9:
            after_h = rule.earliest_h + place * (rule.latest_h - rule.earliest_h)
            quarter_h = round(4.0 * after_h) / 4.0
            if rule.earliest_h <= quarter_h <= rule.latest_h:
                after_h = quarter_h
            out.append((begin + timedelta(hours=after_h), round(rule.minutes)))
    return tuple(sorted(out))


def at_work(duty: Duty, start: datetime, intervals: int) -> IntArray:
    """(intervals,) 1 where a duty has the whole quarter of an hour without a break, 0 elsewhere."""
    out = np.zeros(intervals, dtype=np.int64)
    a, b = -((start - duty.start) // QUARTER), (duty.end - start) // QUARTER
    out[max(a, 0) : max(b, 0)] = 1
    for begin, minutes in duty.breaks:
        a, b = (begin - start) // QUARTER, -((start - begin - timedelta(minutes=minutes)) // QUARTER)
        out[max(a, 0) : max(b, 0)] = 0
    return out


def cover(
    wanted: IntArray,
    kinds: Sequence[Duty],
    start: datetime,
    budget: Budget | None = None,
    left_out: Sequence[Refused] = (),
) -> Cover:
    """The shifts with the fewest paid hours that cover a need.

    Parameters
    ----------
    wanted : (intervals,) int64
        Heads to plan in each quarter of an hour from `start` on, see `scaled`.
    kinds : sequence of Duty
        What may be chosen, see `library`; may be empty.
    start : datetime
    budget : Budget, optional
        At most 20 seconds of it are used.
    left_out : sequence of Refused
        Shifts that the rules refuse, to say which rule binds where none reaches.
    """
    budget = budget or Budget()
    if not kinds or not wanted.any():
        why = _why(wanted, np.zeros(wanted.size, dtype=np.int64), kinds, start, left_out)
        return Cover((), 0.0, 0.0 if not wanted.any() else float("nan"), wanted.copy(), True, why)
    covers = np.array([at_work(kind, start, wanted.size) for kind in kinds])
    paid = np.array([kind.hours for kind in kinds])
    limit_s = min(max(budget.left_s, 0.1), LIMIT_S)
    solver = _programme(wanted, covers, paid.tolist())
    fractions, least = _fractions(wanted, covers, paid, limit_s)
    counts = rounded(fractions, wanted, covers, paid)
    begin = highspy.HighsSolution()
    begin.col_value = [*counts.tolist(), *np.maximum(wanted - counts @ covers, 0).tolist()]
    solver.setSolution(begin)
    solver.setOptionValue("time_limit", min(max(budget.left_s, 0.1), LIMIT_S))
    solver.run()
    counts = _fewer(counts, np.array(solver.getSolution().col_value), wanted, covers, paid)
    short = np.maximum(wanted - counts @ covers, 0)
    shifts = tuple(kind for kind, n in zip(kinds, counts.tolist(), strict=True) for _ in range(n))
    proven = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    bound = float("nan") if short.any() else max(float(solver.getInfo().mip_dual_bound), least)
    hours = sum(shift.hours for shift in shifts)
    budget.tell(f"{kinds[0].pool}: {hours:,.0f} paid hours in {len(shifts)} shifts, {short.sum() / 4:g} hours short")
    return Cover(shifts, hours, bound, short, proven, _why(short, covers.sum(axis=0), kinds, start, left_out))


def _fractions(wanted: IntArray, covers: IntArray, hours: FloatArray, limit_s: float) -> tuple[FloatArray, float]:
    """(kinds,) how often each shift is taken if fractions may be, and their hours; zeros if the time is over before."""
    solver = _programme(wanted, covers, hours.tolist())
    solver.setOptionValue("solve_relaxation", True)
    solver.setOptionValue("time_limit", limit_s)
    solver.run()
    done = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
    found = np.array(solver.getSolution().col_value)[: hours.size] if done else np.zeros(hours.size)
    return found, float(hours @ found)


def _fewer(counts: IntArray, values: FloatArray, wanted: IntArray, covers: IntArray, hours: FloatArray) -> IntArray:
    """The better one of some counts and what the solver found, which may be nothing."""
    if not values.size:
        return counts
    found = np.round(values[: hours.size]).astype(np.int64)
    prices = [float(np.maximum(wanted - c @ covers, 0).sum()) * SHORT_PRICE + float(hours @ c) for c in (found, counts)]
    return found if prices[0] <= prices[1] else counts


def _programme(wanted: IntArray, covers: IntArray, hours: Sequence[float]) -> highspy.Highs:
    """Columns: how often each shift, then what is short in each interval; a row for each interval."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", GAP), ("random_seed", 1)):
        solver.setOptionValue(name, value)
    inf, k = highspy.kHighsInf, len(hours)
    for column in range(k + wanted.size):
        solver.addVar(0.0, inf)
        solver.changeColCost(column, hours[column] if column < k else SHORT_PRICE)
        if column < k:
            solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    for i, need in enumerate(wanted.tolist()):
        mine = np.append(np.flatnonzero(covers[:, i]), k + i)
        solver.addRow(float(need), inf, mine.size, mine, np.ones(mine.size))
    return solver


def _why(
    short: IntArray, reach: IntArray, kinds: Sequence[Duty], start: datetime, left_out: Sequence[Refused]
) -> tuple[str, ...]:
    """Spans that nothing reaches, in words, with what binds; then whether something else is short."""
    some = [*kinds, *(duty for duty, _ in left_out)]
    zone = ZoneInfo(some[0].zone) if some else UTC
    out, i = [], 0
    bare = (short > 0) & (reach == 0)
    while i < bare.size:
        if bare[i]:
            j = i
            while j < bare.size and bare[j]:
                j += 1
            a, b = ((start + n * QUARTER).astimezone(zone) for n in (i, j))
            binds = _binding(i, j, start, left_out)
            out.append(f"no shift of the set covers {a:%a %d %b %H:%M} to {b:%a %d %b %H:%M}; {binds}")
            i = j
        i += 1
    if np.any((short > 0) & ~bare):
        out.append("the time for the search was over before all was covered")
    return tuple(out)


def _binding(begin: int, end: int, start: datetime, left_out: Sequence[Refused]) -> str:
    """Which rules stand in the way of some intervals: that refuse shifts which reach them, most frequent first."""
    rules: Counter[str] = Counter()
    for duty, names in left_out:
        if at_work(duty, start, end)[begin:].any():
            rules.update(names)
    if rules:
        return f"what binds: {', '.join(name for name, _ in rules.most_common())}"
    return "what binds: start_every_min and lengths_h, by which there is no shift at that time"
