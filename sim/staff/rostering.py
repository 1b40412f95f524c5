"""A roster from seats, as a desk that can be played, and mended until the roster itself keeps the promise.

Seats are covered by whole shifts, the shifts go to agents, and the days are played against what that gives. Where
the promise fails the need is raised there, and all is done again, a bounded number of rounds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from sim.desk import DAYS, Agent, Desk, Pool
from sim.staff.assign import Assigned, assign
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.duty import Duty
from sim.staff.lines import assign_lines
from sim.staff.rules import Rules
from sim.staff.seats import HOUR_S, Seats
from sim.staff.shifts import QUARTER, Cover, Refused, at_work, cover, library, refused, scaled
from sim.staff.sizing import Question, Sized
from sim.staff.standing import Group, failing, groups
from sim.staff.thin import thin

IntArray = NDArray[np.int64]
ROUNDS = 4
WEEK_H = 168.0
WIDE = 3  # intervals before a part that fails in which the need is raised too
RAISE = 0.05
SEARCH = 0.7  # of the time for shifts; the rest gives them to agents


@dataclass(frozen=True)
class Roster:
    """Who works when, and how that stands.

    Attributes
    ----------
    rules : Rules
    start : datetime
        Of the window, in UTC.
    need : Seats
        Heads that were to be at work, with what repair added.
    covers : tuple of Cover
        By pool of the desk.
    assigned : tuple of Assigned
        By pool of the desk.
    desk : Desk
        What is played: the roster in the place of the desk's shifts.
    groups : tuple of Group
        How it stands on fresh days; empty before it was played.
    rounds : int
        How often it was repaired.
    dropped : int
        Shifts that the promise can do without, left out again.
    """

    rules: Rules
    start: datetime
    need: Seats
    covers: tuple[Cover, ...]
    assigned: tuple[Assigned, ...]
    desk: Desk
    groups: tuple[Group, ...] = ()
    rounds: int = 0
    dropped: int = 0

    @property
    def duties(self) -> tuple[Duty, ...]:
        """All duties, pool by pool."""
        return tuple(duty for each in self.assigned for duty in each.duties)

    @property
    def agents(self) -> int:
        """How many have a duty."""
        return sum(each.agents for each in self.assigned)

    @property
    def paid_hours(self) -> float:
        """Hours of all duties, with holidays and training on top."""
        return sum(duty.hours for duty in self.duties) / (1.0 - self.rules.planned_share)

    @property
    def cost(self) -> float:
        """What the paid hours cost, in euros."""
        paid = [sum(d.hours for d in each.duties) for each in self.assigned]
        each = [pool.cost_per_h for pool in self.desk.pools]
        return float(np.dot(paid, each)) / (1.0 - self.rules.planned_share)

    @property
    def keeps(self) -> bool:
        """Whether no promise is missed by more than its interval allows, for all and for each language."""
        return bool(self.groups) and all(_holds(group) for group in self.groups if group.kind != "part")

    @property
    def missing(self) -> tuple[str, ...]:
        """What is short or open, and what stands in the way."""
        out = []
        for pool, found, given in zip(self.desk.pools, self.covers, self.assigned, strict=True):
            out += [f"{pool.name}: {why}" for why in found.why]
            if given.open:
                binds = ", ".join(f"{rule} ({n} times)" for rule, n in given.binding)
                out.append(
                    f"{pool.name}: {len(given.open)} shifts have nobody among {given.agents}; what binds: {binds}"
                )
        return tuple(out)


def _holds(group: Group) -> bool:
    found = group.estimate()
    return (found.high if found.high is not None else group.share) >= group.promise.share


def make(question: Question, sized: Sized, rules: Rules, budget: Budget, most: Sequence[int] | None = None) -> Roster:
    """The roster for the seats of a plan, repaired and judged on fresh days.

    Parameters
    ----------
    question : Question
    sized : Sized
    rules : Rules
    budget : Budget
        Of the whole; at least one round is made.
    most : sequence of int, optional
        Agents at most, by pool; None: as many as needed.
    """
    days = question.days(sized.effort.mend, sized.size)
    whole, budget = budget, budget.part(SEARCH)
    best: Roster | None = None
    made: Roster | None = None
    need = sized.seats
    for k in range(ROUNDS + 1):
        made = build(question, need, rules, budget.part(0.7 if k == 0 else 0.4), most, made)
        played = stand(question, days, made)
        missed = failing(played)
        this = replace(made, groups=tuple(played), rounds=k)
        best = this if best is None else min(best, this, key=_merit)
        budget.tell(f"roster, round {k}: {this.paid_hours:,.0f} paid hours, {len(missed)} promises missed")
        if not missed or budget.is_over:
            break
        need = raised(need, missed, question.desk)
    assert best is not None  # there is always a first round
    if not failing(best.groups):
        best = thinned(question, days, best, budget, most)
    best = _fewest(question, best, whole, most)
    fresh = question.days(sized.effort.fresh, sized.size, fresh=True)
    return replace(best, groups=tuple(stand(question, fresh, best)))


def _fewest(question: Question, roster: Roster, budget: Budget, most: Sequence[int] | None) -> Roster:
    """The same shifts, given to as few agents as can be found in the time."""
    given: list[Assigned] = []
    for p, before in enumerate(roster.assigned):
        shifts = [replace(duty, agent="") for duty in (*before.duties, *before.open)]
        time = budget.part(1.0 / (len(roster.assigned) - p))
        first = 1 + sum(each.agents for each in given)
        given.append(assign_lines(shifts, roster.rules, time, None if most is None else most[p], first))
    desk = to_desk(question.desk, given, roster.rules, roster.start, roster.need)
    return replace(roster, assigned=tuple(given), desk=desk)


def thinned(
    question: Question, days: Days, roster: Roster, budget: Budget, most: Sequence[int] | None = None
) -> Roster:
    """The roster without shifts that its promises can do without on some days."""

    def given(shifts: Sequence[Sequence[Duty]]) -> Roster:
        there = _assigned(shifts, roster.rules, most)
        desk = to_desk(question.desk, there, roster.rules, roster.start, roster.need)
        return replace(roster, assigned=tuple(there), desk=desk)

    shifts = [each.shifts for each in roster.covers]
    left = thin(
        shifts,
        scaled(roster.need.heads, roster.rules),
        roster.start,
        lambda fewer: not failing(stand(question, days, given(fewer))),
        budget,
    )
    dropped = sum(len(each) for each in shifts) - sum(len(each) for each in left)
    return replace(given(left), dropped=dropped) if dropped else roster


def _merit(roster: Roster) -> tuple[float, float]:
    return sum(max(-group.margin, 0.001) for group in failing(roster.groups)), roster.cost


def stand(question: Question, days: Days, roster: Roster) -> list[Group]:
    """How the roster's desk stands on some days."""
    kept = days.play(roster.desk, question.promises)
    return groups(kept, question.promises, question.per_language)


def build(
    question: Question, need: Seats, rules: Rules, budget: Budget, most: Sequence[int] | None = None,
    before: Roster | None = None,
) -> Roster:  # fmt: skip
    """A roster that covers heads, not played yet; pools whose need is as `before` keep their shifts."""
    start = question.scenario.clock(need.start_s, "UTC")
    end = start + need.heads.shape[1] * QUARTER
    covers: list[Cover] = []
    kinds: dict[str, list[Duty]] = {}
    left_out: dict[str, list[Refused]] = {}
    for p, pool in enumerate(question.desk.pools):
        if before is not None and np.array_equal(before.need.heads[p], need.heads[p]):
            found = before.covers[p]
        else:
            zone = question.desk.zone(pool)
            if zone not in kinds:
                kinds[zone] = library("", "", zone, rules, start, end)
                left_out[zone] = refused(zone, rules, start, end)
            mine = [replace(kind, pool=pool.name, site=pool.site) for kind in kinds[zone]]
            time = budget.part(1.0 / (len(question.desk.pools) - p))
            found = cover(scaled(need.heads[p], rules), mine, start, time, left_out[zone])
        covers.append(found)
    given = _assigned([found.shifts for found in covers], rules, most)
    desk = to_desk(question.desk, given, rules, start, need)
    return Roster(rules, start, need, tuple(covers), tuple(given), desk)


def _assigned(shifts: Sequence[Sequence[Duty]], rules: Rules, most: Sequence[int] | None) -> list[Assigned]:
    """Agents for the shifts of each pool, coded from the first pool to the last."""
    out: list[Assigned] = []
    for p, mine in enumerate(shifts):
        out.append(assign(mine, rules, None if most is None else most[p], 1 + sum(each.agents for each in out)))
    return out


def raised(need: Seats, missed: Sequence[Group], desk: Desk) -> Seats:
    """More heads where a promise fails: in a part's time, in a language's cheapest pool, or everywhere."""
    heads = need.heads.copy()
    parts = sorted(int(group.name) for group in missed if group.kind == "part")
    for group in missed:
        if group.kind == "part":
            begin = int(group.name)
            a, b = max(begin - WIDE, 0), begin + 2
            p = int(heads[:, a:b].sum(axis=1).argmax())
            heads[p, a:b] += np.maximum(np.ceil(RAISE * heads[:, a:b].sum(axis=0)).astype(np.int64), 1)
        elif group.kind == "language":
            speak = [p for p, pool in enumerate(desk.pools) if any(lang.value == group.name for lang in pool.languages)]
            if not speak:
                continue  # nobody can be added who speaks it: the groups say that its promise fails
            p = min(speak, key=lambda p: (desk.pools[p].cost_per_h, len(desk.pools[p].languages)))
            busy = heads[p] > 0 if heads[p].any() else np.ones(heads.shape[1], dtype=np.bool_)
            heads[p, busy] += 1
        elif not parts:
            p = int(heads.sum(axis=1).argmax())
            heads[p] += np.maximum(np.ceil(RAISE * heads.sum(axis=0)).astype(np.int64), 1)
    return replace(need, heads=heads)


def to_desk(desk: Desk, given: Sequence[Assigned], rules: Rules, start: datetime, need: Seats) -> Desk:
    """The desk with a roster in the place of its shifts, and without a call-in ladder.

    Up to a week the agents are named, each time between two breaks a span of the week, cut at the window. A longer
    window cannot be said in weekly spans: its pools have heads by quarter of an hour, with sickness taken off.
    """
    intervals = need.heads.shape[1]
    end = start + intervals * QUARTER
    named = (end - start) <= timedelta(hours=WEEK_H)
    pools = tuple(
        _named(pool, each, rules, start, end) if named and each.duties else _counted(pool, each, rules, start, need)
        for pool, each in zip(desk.pools, given, strict=True)
    )
    plan = desk.plan.model_copy(update={"ladder": ()}) if desk.plan is not None else None
    return desk.model_copy(update={"pools": pools, "plan": plan})


def _named(pool: Pool, given: Assigned, rules: Rules, start: datetime, end: datetime) -> Pool:
    spans: dict[str, list[str]] = {}
    for duty in given.duties:
        for a, b in work(duty):
            a, b = max(a, start), min(b, end)
            if a < b:
                begin, until = duty.local(a), duty.local(b)
                text = f"{DAYS[begin.weekday()]} {begin:%H:%M}-{until:%H:%M}"
                if f"{begin:%H:%M}" != f"{until:%H:%M}":  # else the clocks went back between them
                    spans.setdefault(duty.agent, []).append(text)
    agents = tuple(Agent(code=code, shifts=tuple(texts)) for code, texts in spans.items())
    if not agents:
        return pool.model_copy(update={"shifts": (), "agents": (), "steps": ((0.0, 0),)})
    return pool.model_copy(update={"shifts": (), "agents": agents, "steps": (), "absent_share": rules.unplanned_share})


def _counted(pool: Pool, given: Assigned, rules: Rules, start: datetime, need: Seats) -> Pool:
    heads = np.zeros(need.heads.shape[1], dtype=np.int64)
    for duty in given.duties:
        heads += at_work(duty, start, heads.size)
    come = np.floor(heads * (1.0 - rules.unplanned_share) + 0.5).astype(np.int64)
    changes = np.flatnonzero(np.diff(come, prepend=-1)).tolist()
    steps = tuple(((need.start_s + i * need.interval_s) / HOUR_S, int(come[i])) for i in changes)
    return pool.model_copy(update={"shifts": (), "agents": (), "steps": steps, "absent_share": 0.0})


def work(duty: Duty) -> list[tuple[datetime, datetime]]:
    """When a duty is at the desk: from break to break."""
    out, at = [], duty.start
    for begin, minutes in sorted(duty.breaks):
        if begin > at:
            out.append((at, begin))
        at = max(at, begin + timedelta(minutes=minutes))
    return [*out, (at, duty.end)] if duty.end > at else out
