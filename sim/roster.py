"""Who is at the desk when: a desk's shifts, breaks, absences and faults as intervals in seconds.

A roster is realised for one replication; every chance in it is named by agent and day, so that an
agent more changes nobody else's absences.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.behaviour import SiteDark, StaffAbsent
from scenarios.model import Scenario
from sim import draws
from sim.desk import Break, Desk, Pool, span_s
from sim.draws import Stream

UTC = ZoneInfo("UTC")
HOUR_S = 3600.0


class Stretch(NamedTuple):
    """Time at the desk without a break, in seconds from onset.

    `worked_s` is what the agent has worked in this shift before, breaks out (for fatigue).
    """

    on_s: float
    off_s: float
    worked_s: float


class PaidShift(NamedTuple):
    """A planned shift, breaks in; `worked` is False if the agent was absent."""

    agent: int
    start_s: float
    end_s: float
    worked: bool


@dataclass(frozen=True)
class Roster:
    """One replication's attendance.

    Attributes
    ----------
    pool_of : tuple of int
        Pool of each agent, by agent number; agents are numbered in the order of the desk file, a
        head-count pool has a number for each head of its largest step.
    stretches : tuple of tuples of Stretch
        Of each agent of a named pool, in order of time; empty for head-count pools.
    levels : tuple of tuples of (seconds, heads)
        Of each head-count pool, in order of time; empty for named pools.
    shifts : tuple of PaidShift
    """

    pool_of: tuple[int, ...]
    stretches: tuple[tuple[Stretch, ...], ...]
    levels: tuple[tuple[tuple[float, int], ...], ...]
    shifts: tuple[PaidShift, ...]


def realise(desk: Desk, scenario: Scenario, key: np.uint64, start_s: float, until_s: float) -> Roster:
    """The roster of one replication between two times, in seconds from onset."""
    pool_of: list[int] = []
    stretches: list[tuple[Stretch, ...]] = []
    levels: list[tuple[tuple[float, int], ...]] = []
    shifts: list[PaidShift] = []
    calendars: dict[str, _Calendar] = {}
    for p, pool in enumerate(desk.pools):
        plans = _plans(pool)
        pool_of += [p] * (pool.heads if pool.head_count else len(plans))
        if pool.head_count:
            stretches += [()] * pool.heads
            levels.append(_levels(pool, scenario, start_s, until_s))
            continue
        levels.append(())
        if not any(plan.days for plan in plans):  # seats of a ladder
            stretches += [()] * len(plans)
            continue
        zone = desk.zone(pool)
        calendar = calendars.get(zone) or calendars.setdefault(zone, _Calendar(scenario, zone, start_s, until_s))
        dark = dark_s(pool, scenario)
        for plan in plans:
            agent = len(stretches)
            mine, paid = _attendance(agent, pool, plan, scenario, calendar, key)
            stretches.append(tuple(_without(_joined(mine), [(-np.inf, start_s), (until_s, np.inf), *dark])))
            shifts += paid
    return Roster(tuple(pool_of), tuple(stretches), tuple(levels), tuple(shifts))


@dataclass(frozen=True)
class _Plan:
    """Which days an agent works and when: (cycle in days, days worked in it, seconds after midnight, length)."""

    cycle: int
    days: tuple[tuple[int, int, float], ...]  # day of the cycle, start after midnight, length, in seconds
    breaks: tuple[Break, ...]
    by_clock: bool = False  # a span ends at its clock time, a shift after its hours, whatever the clocks do


def _plans(pool: Pool) -> list[_Plan]:
    """A plan for each agent of a named pool, in the order of the desk file."""
    plans = []
    for shift in pool.shifts:
        start = int(shift.start[:2]) * 3600 + int(shift.start[3:]) * 60
        for i in range(shift.heads):
            first = i * shift.of_days // shift.heads
            days = tuple(((first + d) % shift.of_days, start, shift.length_h * HOUR_S) for d in range(shift.days_on))
            plans.append(_Plan(shift.of_days, days, shift.breaks))
    for agent in pool.agents:
        spans = [span_s(text) for text in agent.shifts]
        plans.append(_Plan(7, tuple((a // 86_400, a % 86_400, float(b - a)) for a, b in spans), (), True))
    return plans


class _Calendar:
    """Local dates around the window, and when a local clock time is, in seconds from onset."""

    def __init__(self, scenario: Scenario, zone: str, start_s: float, until_s: float) -> None:
        self.zone = ZoneInfo(zone)
        self.onset = scenario.clock(0.0, "UTC")
        self.start_s, self.until_s = start_s, until_s
        self.first = scenario.clock(start_s, zone).date() - timedelta(days=2)
        last = scenario.clock(until_s, zone).date() + timedelta(days=1)
        self.dates = [self.first + timedelta(days=d) for d in range((last - self.first).days + 1)]
        self.known: dict[tuple[date, int], float] = {}  # many agents begin at the same time

    def at(self, day: date, after_midnight_s: int) -> float:
        time = self.known.get((day, after_midnight_s))
        if time is None:
            local = datetime(day.year, day.month, day.day, tzinfo=self.zone) + timedelta(seconds=after_midnight_s)
            time = self.known[(day, after_midnight_s)] = (local.astimezone(UTC) - self.onset).total_seconds()
        return time


def _attendance(
    agent: int, pool: Pool, plan: _Plan, scenario: Scenario, calendar: _Calendar, key: np.uint64
) -> tuple[list[Stretch], list[PaidShift]]:
    """Stretches at the desk and paid shifts of one agent that touch the calendar's window."""
    stretches: list[Stretch] = []
    paid: list[PaidShift] = []
    by_day: dict[int, list[tuple[int, float]]] = {}
    for weekday, clock_s, shift_s in sorted(plan.days):
        by_day.setdefault(weekday, []).append((clock_s, shift_s))
    for day in calendar.dates:
        ordinal = day.toordinal() - 1  # 0 is a Monday
        for n, (clock, length) in enumerate(by_day.get(ordinal % plan.cycle, ())):
            start = calendar.at(day, clock)
            end = calendar.at(day, clock + int(length)) if plan.by_clock else start + length
            if end <= calendar.start_s or start >= calendar.until_s:
                continue
            name = ordinal * 8 + n
            here = draws.uniform(key, Stream.ABSENCE, agent, name) >= pool.absent_share
            late = _late_s(agent, pool, name, start, scenario, key) if here else None
            worked = late is not None and late < end - start
            paid.append(PaidShift(agent, max(start, calendar.start_s), min(end, calendar.until_s), worked))
            if worked and late is not None:
                stretches += _stretches(agent, name, start, start + late, end, plan.breaks, key)
    return stretches, paid


def free_until_s(stretches: Sequence[Stretch], n: int, dark: Sequence[tuple[float, float]]) -> float:
    """Until when somebody could stay after his n-th stretch: he comes again, or his site goes dark; inf: neither."""
    again = stretches[n + 1].on_s if n + 1 < len(stretches) else np.inf
    return min([again, *(begin for begin, _ in dark if begin >= stretches[n].off_s)])


def dark_s(pool: Pool, scenario: Scenario) -> list[tuple[float, float]]:
    """When nobody can work at a pool's site, in seconds from onset."""
    return [
        (f.from_h * HOUR_S, f.to_h * HOUR_S)
        for f in scenario.faults
        if isinstance(f, SiteDark) and pool.site in f.sites
    ]


def _late_s(agent: int, pool: Pool, name: int, start: float, scenario: Scenario, key: np.uint64) -> float | None:
    """Seconds by which faults make this shift start late; None: it is not worked at all."""
    late = 0.0
    for f, fault in enumerate(scenario.faults):
        if not isinstance(fault, StaffAbsent) or (fault.sites and pool.site not in fault.sites):
            continue
        if not fault.from_h * HOUR_S <= start < fault.to_h * HOUR_S:
            continue
        k = name * 64 + f
        if draws.uniform(key, Stream.SITE_ABSENCE, agent, k) < fault.share:
            if fault.late_h is None:
                return None
            law = draws.encode([(fault.late_h, HOUR_S)])
            late = max(late, float(draws.draw(law, 0, key, Stream.LATENESS, agent, k)))
    return late


def _stretches(
    agent: int,
    name: int,
    paid_from: float,
    come: float,
    end: float,
    breaks: tuple[Break, ...],
    key: np.uint64,
) -> list[Stretch]:
    """A shift cut at its breaks, from the moment the agent comes."""
    cuts = []
    for i, pause in enumerate(breaks):
        shift = (2.0 * draws.uniform(key, Stream.BREAK_JITTER, agent, name * 16 + i) - 1.0) * pause.jitter_min * 60.0
        begin = min(max(paid_from + pause.after_h * HOUR_S + shift, paid_from), end)
        cuts.append((begin, min(begin + pause.minutes * 60.0, end)))
    return without_breaks(come, end, sorted(cuts))


def without_breaks(at: float, end: float, breaks: Sequence[tuple[float, float]]) -> list[Stretch]:
    """Time at the desk between two times, cut at breaks (begin, end) in order of time."""
    out, worked = [], 0.0
    for begin, finish in breaks:
        if begin > at:
            out.append(Stretch(at, begin, worked))
            worked += begin - at
        at = max(at, finish)
    if end > at:
        out.append(Stretch(at, end, worked))
    return out


def _joined(stretches: list[Stretch]) -> list[Stretch]:
    """In order of time, overlaps and touching ends joined: nobody stands at the desk twice."""
    out: list[Stretch] = []
    for s in sorted(stretches, key=lambda s: (s.on_s, s.off_s)):
        if out and s.on_s <= out[-1].off_s:
            out[-1] = Stretch(out[-1].on_s, max(out[-1].off_s, s.off_s), out[-1].worked_s)
        else:
            out.append(s)
    return out


def _without(stretches: list[Stretch], holes: list[tuple[float, float]]) -> list[Stretch]:
    """Stretches less the holes; what was worked before a hole still counts for fatigue."""
    for a, b in holes:
        if all(s.off_s <= a or s.on_s >= b for s in stretches):
            continue
        rest = []
        for s in stretches:
            if s.on_s < a:
                rest.append(Stretch(s.on_s, min(s.off_s, a), s.worked_s))
            if s.off_s > b:
                on = max(s.on_s, b)
                rest.append(Stretch(on, s.off_s, s.worked_s + on - s.on_s))
        stretches = [s for s in rest if s.off_s > s.on_s]
    return stretches


def _levels(pool: Pool, scenario: Scenario, start_s: float, until_s: float) -> tuple[tuple[float, int], ...]:
    """Heads over time of a head-count pool, faults taken off."""
    faults = [
        f for f in scenario.faults
        if (isinstance(f, SiteDark) and pool.site in f.sites)
        or (isinstance(f, StaffAbsent) and f.late_h is None and (not f.sites or pool.site in f.sites))
    ]  # fmt: skip
    times = {start_s} | {h * HOUR_S for h, _ in pool.steps} | {x * HOUR_S for f in faults for x in (f.from_h, f.to_h)}
    begins = [h * HOUR_S for h, _ in pool.steps]
    out: list[tuple[float, int]] = []
    for t in sorted(time for time in times if start_s <= time < until_s):
        place = bisect_right(begins, t)
        heads = pool.steps[place - 1][1] if place else 0
        for f in faults:
            if f.from_h * HOUR_S <= t < f.to_h * HOUR_S:
                heads = 0 if isinstance(f, SiteDark) else int(np.floor(heads * (1 - f.share) + 0.5))
        if not out or out[-1][1] != heads:
            out.append((t, heads))
    return tuple(out)
