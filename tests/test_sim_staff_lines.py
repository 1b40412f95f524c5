"""Shifts to agents by whole lines: never more agents than the rule of thumb, no rule broken, fewest where provable."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sim.staff import rules as sets
from sim.staff.assign import THUMB, assign, held, least_agents
from sim.staff.budget import Budget
from sim.staff.duty import Duty
from sim.staff.lines import assign_lines
from sim.staff.roster_check import breaches, of_agent

RULES = sets.load("dutch")
START = datetime(2026, 3, 2, tzinfo=UTC)


def shift(day: int, hour: float, hours: float = 8.0) -> Duty:
    begin = START + timedelta(days=day, hours=hour)
    return Duty("", "p", "s", "UTC", begin, begin + timedelta(hours=hours), ((begin + timedelta(hours=4), 60),))


def week(times: int) -> list[Duty]:
    """The shifts of a week: nights, days and evenings, so many times each."""
    hours = (0, 6, 8, 8, 11, 14, 14, 16)
    return [shift(day, (hour + day) % 24) for day in range(7) for hour in hours for _ in range(times)]


def fewest(shifts: Sequence[Duty]) -> int:
    """The fewest agents, by looking at all ways to split the shifts."""
    rules = held(RULES)
    may = {
        frozenset(mine)
        for k in range(1, len(shifts) + 1)
        for mine in itertools.combinations(range(len(shifts)), k)
        if not of_agent([shifts[i] for i in mine], rules)
    }

    def needed(left: frozenset[int]) -> int:
        if not left:
            return 0
        first = min(left)
        return 1 + min(needed(left - line) for line in may if first in line and line <= left)

    return needed(frozenset(range(len(shifts))))


def test_the_fewest_agents_are_those_that_enumeration_finds() -> None:
    # Early and late on some days: who comes off late may not come early the next day.
    shifts = [
        shift(0, 14),
        shift(1, 6),
        shift(1, 14),
        shift(2, 7),
        shift(2, 15),
        shift(3, 8),
        shift(4, 6),
        shift(5, 14),
    ]
    found = assign_lines(shifts, RULES, Budget(10.0))
    assert found.agents == fewest(shifts) and not found.open
    assert found.least <= found.agents


def test_a_week_takes_no_more_agents_than_hours_and_presence_ask_for() -> None:
    shifts = week(3)
    thumb, found = assign(shifts, RULES), assign_lines(shifts, RULES, Budget(20.0))
    assert thumb.by == THUMB and found.by == "HiGHS"
    assert found.agents == found.least == least_agents(shifts, RULES) < thumb.agents
    assert Counter(replace(duty, agent="") for duty in found.duties) == Counter(shifts)
    assert breaches(found.duties, held(RULES)) == []
    assert {duty.agent for duty in found.duties} == {f"a{n:03d}" for n in range(1, found.agents + 1)}


def test_with_few_agents_fewer_hours_stay_open_than_by_the_rule_of_thumb() -> None:
    shifts = week(1)
    most = assign(shifts, RULES).agents - 3
    thumb, found = assign(shifts, RULES, most), assign_lines(shifts, RULES, Budget(20.0), most)
    assert found.agents <= most and len(found.open) < len(thumb.open)
    assert len(found.open) + len(found.duties) == len(shifts)
    assert breaches(found.duties, held(RULES)) == []


def test_without_time_the_rule_of_thumb_stays() -> None:
    found = assign_lines(week(1), RULES, Budget(0.0))
    assert found.by == THUMB and found == assign(week(1), RULES)


@pytest.mark.parametrize(
    ("shifts", "least"),
    [
        ([], 0),
        ([shift(0, 6), shift(0, 6), shift(0, 10)], 3),  # at once
        ([shift(0, 6), shift(0, 15), shift(1, 0)], 3),  # the first rests until 01:00, the second is at work
        ([shift(0, 6), shift(1, 1)], 1),
        ([shift(day, 6) for day in range(5)], 2),  # a contract of 36 hours takes four of eight
        ([shift(day, 6, 9.0) for day in range(5)], 2),
        ([shift(0, 6), shift(9, 6)], 1),
    ],
)
def test_fewer_agents_are_impossible_by_hours_and_presence(shifts: list[Duty], least: int) -> None:
    assert least_agents(shifts, RULES) == least


def test_no_shift_takes_nobody() -> None:
    assert assign_lines([], RULES, Budget(1.0)).agents == 0
