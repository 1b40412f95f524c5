"""Shifts to coded agents, so that nobody breaks a rule; what nobody may take is left open, with the reason."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from sim.staff.duty import Duty
from sim.staff.roster_check import of_agent, rest_needed_h
from sim.staff.rules import Rules

WEEK_H = 168.0
THUMB = "rule of thumb"


@dataclass(frozen=True)
class Assigned:
    """Who takes which shift.

    Attributes
    ----------
    duties : tuple of Duty
        Each with the code of its agent.
    open : tuple of Duty
        Shifts that nobody may take.
    agents : int
        How many have a duty.
    binding : tuple of (rule, count)
        Rules that kept agents from the open shifts, the most frequent first. ``contract_h`` is the week of the
        contract.
    least : int
        Fewer agents cannot take all shifts: as many work or rest at once, or the hours need as many contracts.
    by : str
        How they were given: ``rule of thumb`` or ``HiGHS``, see `sim.staff.lines`.
    """

    duties: tuple[Duty, ...]
    open: tuple[Duty, ...]
    agents: int
    binding: tuple[tuple[str, int], ...]
    least: int = 0
    by: str = THUMB


def held(rules: Rules) -> Rules:
    """The rules as they are planned by: nobody has more hours in 168 than his contract."""
    return rules.model_copy(update={"max_week_h": min(rules.contract_h, rules.max_week_h)})


def least_agents(shifts: Sequence[Duty], rules: Rules) -> int:
    """Fewer agents cannot take all shifts: those who work or rest at one moment, and the hours of 168 by contract."""
    if not shifts:
        return 0
    week = timedelta(hours=WEEK_H)
    until = [d.end + timedelta(hours=rest_needed_h(d, d, rules)[1]) for d in shifts]
    at_once = max(sum(d.start <= s.start < end for d, end in zip(shifts, until, strict=True)) for s in shifts)
    most_h = held(rules).max_week_h

    def hours(begin: datetime) -> float:
        inside = [d for d in shifts if begin <= d.start < begin + week]
        return sum((min(d.end, begin + week) - d.start).total_seconds() for d in inside) / 3600.0

    # Whole shifts: nobody has a part of one, so a contract of 36 hours takes four of eight.
    shortest = min(d.hours for d in shifts)
    contracts = max(hours(begin) for begin in {s.start for s in shifts}) / most_h
    number = max(sum(b <= d.start and d.end <= b + week for d in shifts) for b in {s.start for s in shifts})
    by_number = number / max(most_h // shortest, 1.0)
    return max(at_once, math.ceil(contracts - 1e-9), math.ceil(by_number - 1e-9))


def _cannot(mine: Sequence[Duty], shift: Duty, rules: Rules) -> bool:
    """Whether rest or hours forbid a shift at a glance; what is not seen here is found by the rules themselves."""
    if (shift.start - mine[-1].end).total_seconds() < rules.rest_h * 3600.0:
        return True
    week = timedelta(hours=WEEK_H)
    return shift.hours + sum(d.hours for d in mine if d.start + week >= shift.end) > rules.max_week_h + 1e-9


def assign(shifts: Sequence[Duty], rules: Rules, most: int | None = None, first: int = 1) -> Assigned:
    """Give shifts to agents in order of time: to who came off duty last and may, else to somebody new.

    Parameters
    ----------
    shifts : sequence of Duty
        Of one pool.
    rules : Rules
        Nobody has more hours in 168 than his contract, even where the law would let him.
    most : int, optional
        Agents at most; None: as many as needed.
    first : int
        Number of the first agent: 1 is a001.

    Notes
    -----
    A rule of thumb, not the fewest agents that can be: see `sim.staff.lines`. Grows with shifts times agents.
    """
    planned = held(rules)
    agents: list[list[Duty]] = []
    left: list[Duty] = []
    binding: Counter[str] = Counter()
    for shift in sorted(shifts, key=lambda s: (s.start, s.end, s.breaks)):
        refused: Counter[str] = Counter()
        for number in sorted(range(len(agents)), key=lambda n: agents[n][-1].end, reverse=True):
            if most is None and _cannot(agents[number], shift, planned):
                continue  # which rule binds is asked for only where agents are few
            broken = {b.rule for b in of_agent([*agents[number], shift], planned)}
            if not broken:
                agents[number].append(shift)
                break
            refused.update("contract_h" if rule == "max_week_h" else rule for rule in broken)
        else:
            if most is None or len(agents) < most:
                agents.append([shift])
            else:
                left.append(shift)
                binding += refused
    duties = tuple(replace(d, agent=f"a{first + n:03d}") for n, mine in enumerate(agents) for d in mine)
    return Assigned(duties, tuple(left), len(agents), tuple(binding.most_common()), least_agents(shifts, rules))
