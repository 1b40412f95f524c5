"""A roster from seats: within the rules, as a desk, and raised where it fails."""

from datetime import timedelta

import numpy as np
import pytest
from small_staff import desk, question

from sim.roster import realise
from sim.staff import rules as sets
from sim.staff.budget import Budget
from sim.staff.promise import Promise
from sim.staff.roster_check import breaches
from sim.staff.rostering import Roster, build, raised, stand, work
from sim.staff.seats import Seats
from sim.staff.shifts import at_work
from sim.staff.standing import Group

RULES = sets.load("dutch").model_copy(update={"unplanned_share": 0.0})
ASKED = question()
START_S = float(ASKED.days(1, "likely").window_s[0])


def seats(intervals: int = 48) -> Seats:
    heads = np.repeat([[4], [2], [1]], intervals, axis=1)
    heads[0, intervals // 2 :] = 6
    return Seats(START_S, heads)


@pytest.fixture(scope="module")
def roster() -> Roster:
    return build(ASKED, seats(), RULES, Budget(60.0))


def test_the_roster_covers_its_seats_and_breaks_no_rule(roster: Roster) -> None:
    assert roster.missing == () and breaches(roster.duties, RULES, ASKED.desk) == []
    for p, pool in enumerate(ASKED.desk.pools):
        there = sum(at_work(d, roster.start, 48) for d in roster.duties if d.pool == pool.name)
        assert np.all(there >= seats().heads[p])
    assert len({d.agent for d in roster.duties}) == roster.agents


def test_the_desk_has_at_each_quarter_whom_the_roster_has(roster: Roster) -> None:
    end_s = START_S + 48 * 900.0
    there = realise(roster.desk, ASKED.scenario, np.uint64(7), START_S, end_s)
    for i in range(48):
        middle = START_S + (i + 0.5) * 900.0
        at = roster.start + timedelta(seconds=(i + 0.5) * 900.0)
        planned = sum(a <= at < b for d in roster.duties for a, b in work(d))
        assert sum(s.on_s <= middle < s.off_s for mine in there.stretches for s in mine) == planned


def test_a_window_above_a_week_is_played_by_heads() -> None:
    long = build(ASKED, seats(8 * 96), RULES, Budget(0.0))
    assert all(pool.head_count for pool in long.desk.pools)


def test_too_few_agents_leave_shifts_open_and_name_what_binds() -> None:
    made = build(ASKED, seats(4 * 96), RULES, Budget(6.0), most=(3, 9, 9))
    assert any("english" in text and "what binds" in text for text in made.missing)
    assert breaches(made.duties, RULES) == [] and made.assigned[0].agents == 3


def test_the_need_is_raised_where_it_fails_and_nowhere_else() -> None:
    few = np.array([10, 10])
    part = Group("20", "part", few, few // 2, Promise(0.8, 60.0))
    more = raised(seats(), [part], desk()).heads - seats().heads
    assert np.flatnonzero(more.sum(axis=0)).tolist() == [17, 18, 19, 20, 21]
    spanish = Group("es", "language", few, few // 2, Promise(0.8, 60.0))
    assert (raised(seats(), [spanish], desk()).heads - seats().heads).sum(axis=1).tolist() == [0, 0, 48]
    nobody = Group("ko", "language", few, few // 2, Promise(0.8, 60.0))  # no pool speaks it: no head helps
    assert np.array_equal(raised(seats(), [nobody], desk()).heads, seats().heads)


def test_more_heads_keep_more_promises(roster: Roster) -> None:
    days = ASKED.days(4, "likely")
    twice = build(ASKED, Seats(START_S, 3 * seats().heads), RULES, Budget(60.0))
    assert stand(ASKED, days, twice)[0].share > stand(ASKED, days, roster)[0].share
