"""Shifts that cover a need, and their agents."""

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.staff import rules as sets
from sim.staff.assign import assign
from sim.staff.duty import Duty
from sim.staff.roster_check import breaches
from sim.staff.shifts import at_work, cover, library, refused, scaled

RULES = sets.load("dutch")
START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = 96


def kinds(hours: float = 24.0, zone: str = "UTC", start: datetime = START, **changed: object) -> list[Duty]:
    rules = RULES.model_copy(update=changed)
    return library("nl", "s", zone, rules, start, start + timedelta(hours=hours))


def test_paid_hours_are_the_fewest_that_enumeration_finds() -> None:
    # Four shifts without breaks, at most three of each: 256 choices, all looked at.
    four = [Duty("", "p", "", "UTC", START + timedelta(hours=h), START + timedelta(hours=h + n))
            for h, n in ((0, 4), (2, 4), (4, 4), (0, 8))]  # fmt: skip
    wanted = np.repeat([2, 2, 3, 1], 8)
    covers = np.array([at_work(kind, START, wanted.size) for kind in four])
    hours = np.array([kind.hours for kind in four])
    fewest = min(
        float(hours @ counts)
        for counts in itertools.product(range(4), repeat=4)
        if np.all(np.array(counts) @ covers >= wanted)
    )
    found = cover(wanted, four, START)
    assert found.hours == fewest == 20.0
    assert not found.short.any() and found.proven and found.why == ()


def test_a_break_is_not_at_work() -> None:
    duty = Duty("", "p", "", "UTC", START, START + timedelta(hours=2), ((START + timedelta(minutes=40), 15),))
    # The break from 00:40 to 00:55 touches the quarters from 00:30 and from 00:45.
    assert at_work(duty, START, 10).tolist() == [1, 1, 0, 0, 1, 1, 1, 1, 0, 0]


def test_a_library_without_nights_says_what_it_does_not_cover() -> None:
    by_day = [kind for kind in kinds() if 6 <= kind.start.hour <= 14 and kind.start.date() == START.date()]
    found = cover(np.ones(DAY, dtype=np.int64), by_day, START)
    bare = "no shift of the set covers Mon 02 Mar 00:00 to Mon 02 Mar 06:00; "
    assert found.why[0] == f"{bare}what binds: start_every_min and lengths_h, by which there is no shift at that time"
    assert found.short[:24].all() and not found.short[24:80].any()


def test_the_rule_that_keeps_the_night_without_a_shift_is_named() -> None:
    rules = RULES.model_copy(update={"night_max_h": 6.0})  # no shift is as short
    end = START + timedelta(hours=24)
    left_out = refused("UTC", rules, START, end)
    assert {rule for _, names in left_out for rule in names} == {"night_max_h"}
    found = cover(np.ones(DAY, dtype=np.int64), kinds(night_max_h=6.0), START, None, left_out)
    # Shifts with more than an hour after 00:00 or before 06:00 are nights: the day's begin at 05:00 and end by 01:00.
    assert found.why[0] == "no shift of the set covers Mon 02 Mar 01:00 to Mon 02 Mar 05:00; what binds: night_max_h"
    assert found.short.sum() == 16 and not found.short[20:].any()


def test_no_shift_at_all_is_told_too() -> None:
    found = cover(np.ones(DAY, dtype=np.int64), [], START)
    assert found.short.sum() == DAY and len(found.why) == 1


def test_nights_above_their_most_hours_are_no_shifts() -> None:
    assert not [kind for kind in kinds(lengths_h=(10.5,)) if kind.start.hour in (22, 23, 0, 1, 2)]


@pytest.mark.parametrize(("day", "starts"), [(28, 24), (29, 23)])
def test_a_start_that_the_clocks_skip_counts_once(day: int, starts: int) -> None:
    begin = datetime(2026, 3, day - 1, 23, tzinfo=UTC)  # midnight in Amsterdam
    end = begin + timedelta(hours=24 if day == 28 else 23)
    found = library("nl", "s", "Europe/Amsterdam", RULES, begin, end)
    assert len({kind.start for kind in found if kind.start >= begin}) == starts


def test_sickness_raises_the_heads_to_plan() -> None:
    assert scaled(np.array([0, 1, 47]), RULES).tolist() == [0, 1, 50]


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 3), st.integers(0, 3), st.sampled_from(["Europe/Amsterdam", "Asia/Kolkata"]), st.integers(1, 9))
def test_no_roster_breaks_a_rule_and_none_loses_a_shift(low: int, high: int, zone: str, most: int) -> None:
    begin = datetime(2026, 3, 27, tzinfo=UTC)  # the clocks of Amsterdam change on the 29th
    shifts = [k for k in kinds(96.0, zone, begin) if k.start.hour % 6 == 0 and k.hours == 8.0][::3]
    chosen = [shift for i, shift in enumerate(shifts) for _ in range(low if i % 2 else high)]
    found = assign(chosen, RULES, most)
    assert breaches(found.duties, RULES) == []
    assert len(found.duties) + len(found.open) == len(chosen)
    assert found.agents <= most and bool(found.open) == bool(found.binding)


def test_open_shifts_name_the_rule_that_binds() -> None:
    days = [k for k in kinds(168.0) if k.start.hour == 8 and k.hours == 9.0 and k.start >= START][::3]
    days = list({k.start: k for k in days}.values())
    found = assign(days, RULES, most=1)
    # Four days of nine hours are a contract of 36; the other three days stay open.
    assert (len(found.duties), len(found.open), found.binding[0][0]) == (4, 3, "contract_h")
    assert assign(days, RULES).agents == 2
