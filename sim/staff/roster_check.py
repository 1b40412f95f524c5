"""What a roster breaks: each breach by agent and date, with what it is and what it should be."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import pairwise

from sim.desk import Desk, clock_s
from sim.staff.duty import Duty
from sim.staff.rules import Rules

WEEK = timedelta(hours=168)
NIGHT_ENDS_S = 2 * 3600  # a night duty that ends later needs the longer rest


@dataclass(frozen=True)
class Breach:
    """One rule that one agent's duties break.

    Attributes
    ----------
    agent : str
    day : date
        Local date on which the duty starts that breaks it.
    rule : str
        Key of the set of rules, or ``overlap``, ``pool``.
    what : str
        What it is and what it should be.
    """

    agent: str
    day: date
    rule: str
    what: str

    def __str__(self) -> str:
        return f"{self.agent} {self.day.isoformat()} {self.rule}: {self.what}"


def breaches(duties: Iterable[Duty], rules: Rules, desk: Desk | None = None) -> list[Breach]:
    """All breaches, in order of agent and date.

    Parameters
    ----------
    duties : iterable of Duty
        In any order; call-ins count like shifts, with their own notice, length and rest.
    rules : Rules
    desk : Desk, optional
        Its pools must know the pools of the duties and their zones.

    Notes
    -----
    What lies before the first and after the last duty is not known, and taken to be free.
    """
    by_agent: dict[str, list[Duty]] = {}
    for duty in duties:
        by_agent.setdefault(duty.agent, []).append(duty)
    found: list[Breach] = []
    for mine in by_agent.values():
        mine.sort(key=lambda d: (d.start, d.end))
        found += of_agent(mine, rules)
        found += _against(mine, desk) if desk is not None else []
    return sorted(found, key=lambda b: (b.agent, b.day, b.rule, b.what))


def of_agent(mine: Sequence[Duty], rules: Rules) -> list[Breach]:
    """Breaches of one agent, whose duties are in order of time."""
    found = [breach for duty in mine for breach in _alone(duty, rules)]
    for before, after in pairwise(mine):
        found += _between(before, after, rules)
    return found + list(_weeks(mine, rules)) + list(_in_row(mine, rules))


def is_night(duty: Duty, rules: Rules) -> bool:
    """Whether a duty has more of the night in it than the rules leave free."""
    return night_h(duty, rules) > rules.night_above_h + 1e-9


def night_h(duty: Duty, rules: Rules) -> float:
    """Hours of a duty that lie in the night at its site, by the clock that passes."""
    begin_s, end_s = clock_s(rules.night_from), clock_s(rules.night_to)
    zone = duty.local(duty.start).tzinfo
    day, total = duty.local(duty.start).date() - timedelta(days=1), 0.0
    while day <= duty.local(duty.end).date():
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        a = (midnight + timedelta(seconds=begin_s)).timestamp()
        b = (midnight + timedelta(seconds=end_s + (86_400 if end_s <= begin_s else 0))).timestamp()
        total += max(min(b, duty.end.timestamp()) - max(a, duty.start.timestamp()), 0.0)
        day += timedelta(days=1)
    return total / 3600.0


def rest_needed_h(before: Duty, after: Duty, rules: Rules) -> tuple[str, float]:
    """Which rule says how long the rest between two duties is, and how long that is."""
    needs = [("rest_h", rules.rest_h)]
    if is_night(before, rules) and _after_two(before):
        needs.append(("rest_after_night_h", rules.rest_after_night_h))
    if "call_in" in (before.kind, after.kind):
        needs.append(("call_in_rest_h", rules.call_in_rest_h))
    return max(needs, key=lambda need: need[1])


def _after_two(duty: Duty) -> bool:
    end = duty.local(duty.end)
    seconds = end.hour * 3600 + end.minute * 60 + end.second
    return seconds > NIGHT_ENDS_S


def _alone(duty: Duty, rules: Rules) -> Iterator[Breach]:
    day = _day(duty)
    called = duty.kind == "call_in"
    key, most = ("call_in_max_h", rules.call_in_max_h) if called else ("max_shift_h", rules.max_shift_h)
    if duty.hours > most + 1e-9:
        yield Breach(duty.agent, day, key, f"the duty has {duty.hours:g} h; at most {most:g}")
    if is_night(duty, rules) and duty.hours > rules.night_max_h + 1e-9:
        yield Breach(
            duty.agent, day, "night_max_h", f"the night duty has {duty.hours:g} h; at most {rules.night_max_h:g}"
        )
    key, least = ("call_in_notice_h", rules.call_in_notice_h) if called else ("notice_h", rules.notice_h)
    if duty.given is not None:
        told_h = (duty.start - duty.given).total_seconds() / 3600.0
        if told_h < least - 1e-9:
            yield Breach(duty.agent, day, key, f"told {told_h:.4g} h before the start; at least {least:g}")
    wanted = sum(rule.minutes for rule in rules.breaks if duty.hours >= rule.from_h - 1e-9)
    has = sum(minutes for _, minutes in duty.breaks)
    if has < wanted - 1e-9:
        yield Breach(duty.agent, day, "breaks", f"breaks of {has:g} min in {duty.hours:g} h; at least {wanted:g}")
    longest = _longest_h(duty)
    if longest > rules.max_without_break_h + 1e-9:
        what = f"{longest:.4g} h without a break; at most {rules.max_without_break_h:g}"
        yield Breach(duty.agent, day, "max_without_break_h", what)


def _longest_h(duty: Duty) -> float:
    at, longest = duty.start, 0.0
    for begin, minutes in sorted(duty.breaks):
        longest = max(longest, (begin - at).total_seconds())
        at = max(at, begin + timedelta(minutes=minutes))
    return max(longest, (duty.end - at).total_seconds()) / 3600.0


def _between(before: Duty, after: Duty, rules: Rules) -> Iterator[Breach]:
    gap_h = (after.start - before.end).total_seconds() / 3600.0
    if gap_h < 0.0:
        what = f"starts {-gap_h:.4g} h before the duty before it ends; nobody works twice at a time"
        yield Breach(after.agent, _day(after), "overlap", what)
        return
    key, least = rest_needed_h(before, after, rules)
    if gap_h < least - 1e-9:
        yield Breach(after.agent, _day(after), key, f"{gap_h:.4g} h of rest before it; at least {least:g}")


def _weeks(mine: Sequence[Duty], rules: Rules) -> Iterator[Breach]:
    """Hours and the longest rest in the 168 hours from each start; no other 168 hours are worse."""
    for i, first in enumerate(mine):
        until = first.start + WEEK
        inside = [d for d in mine[i:] if d.start < until]
        hours = sum((min(d.end, until) - d.start).total_seconds() for d in inside) / 3600.0
        if hours > rules.max_week_h + 1e-9:
            what = f"{hours:.4g} h in the 168 h from its start; at most {rules.max_week_h:g}"
            yield Breach(first.agent, _day(first), "max_week_h", what)
        at, rest = first.start, timedelta(0)
        for duty in inside:
            rest, at = max(rest, duty.start - at), max(at, duty.end)
        rest_h = max(rest, until - at).total_seconds() / 3600.0
        if rest_h < rules.weekly_rest_h - 1e-9:
            what = f"{rest_h:.4g} h of rest at most in the 168 h from its start; at least {rules.weekly_rest_h:g}"
            yield Breach(first.agent, _day(first), "weekly_rest_h", what)


def _in_row(mine: Sequence[Duty], rules: Rules) -> Iterator[Breach]:
    for key, most, chosen in (
        ("max_days_in_row", rules.max_days_in_row, mine),
        ("max_nights_in_row", rules.max_nights_in_row, [d for d in mine if is_night(d, rules)]),
    ):
        run, last = 0, None
        for duty in chosen:
            day = _day(duty)
            if day != last:
                run = run + 1 if last is not None and day - last == timedelta(days=1) else 1
                if run > most:
                    yield Breach(duty.agent, day, key, f"is day {run} in a row; at most {most}")
            last = day


def _against(mine: Sequence[Duty], desk: Desk) -> Iterator[Breach]:
    pools = {pool.name: pool for pool in desk.pools}
    for duty in mine:
        pool = pools.get(duty.pool)
        if pool is None:
            what = f"the desk {desk.name} has no such pool; there are {', '.join(pools)}"
            yield Breach(duty.agent, _day(duty), "pool", what)
        elif desk.zone(pool) != duty.zone:
            what = f"its times are of {duty.zone}, the pool's of {desk.zone(pool)}"
            yield Breach(duty.agent, _day(duty), "timezone", what)


def _day(duty: Duty) -> date:
    return duty.local(duty.start).date()
