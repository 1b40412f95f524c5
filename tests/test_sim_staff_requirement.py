"""The requirement: waits show where seats are missing, rounds settle, and in the end nothing fails."""

import numpy as np
import pytest
from small_staff import HOURS, PROMISE, desk, question, scenario

from sim.staff.budget import Budget
from sim.staff.days import LANGUAGES, Days, Kept
from sim.staff.requirement import Requirement, Seen, changed, excess_s
from sim.staff.standing import failing
from sim.staff.trim import least_margin
from sim.staff.workload import offered_load

NOBODY = Kept(np.zeros((len(LANGUAGES), 4), dtype=np.int64), np.zeros((1, len(LANGUAGES), 4), dtype=np.int64))


def test_the_excess_is_by_how_much_the_promised_share_waits_too_long() -> None:
    # Four of five must be answered in 30 minutes. In the interval alone: the fourth of five waits 40 minutes.
    response = np.array([60.0, 600.0, 1800.0, 2400.0, np.inf])
    seen = Seen(NOBODY, np.full(5, 3), response)
    found = excess_s([seen], (PROMISE,), 4)
    assert found.tolist() == [0.0, 0.0, 600.0, 600.0]  # neighbours are looked at together


def test_what_is_never_answered_waits_for_a_day_and_not_for_ever() -> None:
    seen = Seen(NOBODY, np.zeros(3, dtype=np.int64), np.full(3, np.inf))
    assert excess_s([seen], (PROMISE,), 4)[0] == 86_400.0


def test_seats_are_added_where_the_backlog_grows_and_taken_where_it_shrinks() -> None:
    total = np.full(40, 100.0)
    excess = np.zeros(40)
    excess[20:30] = 90.0  # 90 s at 100 seats: 9,000 seat seconds too many from interval 20 to 30
    step = changed(total, excess, 0.12) - total
    assert step[18:22].max() > 0 and step[28:32].min() < 0
    # Ten seats for a quarter of an hour are 9,000 seat seconds; half of that is added in one round, and what
    # stays for ten intervals is worked off within four hours on top.
    assert step[15:25].sum() == pytest.approx(0.5 * 10.0 + 7 * 9000 / 14400, abs=1.5)
    assert np.abs(changed(total, excess * 1e6, 0.12) - total).max() == pytest.approx(12.0)


@pytest.fixture(scope="module")
def days() -> Days:
    return Days.draw(scenario(), 12, 3, hours=HOURS)


def test_the_offered_load_is_the_work_that_comes(days: Days) -> None:
    load = offered_load(days, desk())
    made = sum(float(t["time_s"].size) for t in days.traces)
    assert made > 0 and load.shape == (len(LANGUAGES), 48)
    assert set(np.flatnonzero(load.sum(axis=1) > 0)) == {LANGUAGES.index(x) for x in ("en", "nl", "es")}
    # Played again with twice the heads nothing changes: nobody waited.
    assert offered_load(days, desk()) == pytest.approx(load)


def test_in_the_end_every_promise_is_kept_and_not_by_far(days: Days) -> None:
    search = Requirement(days, desk(), (PROMISE,), True)
    found = search.find(Budget())
    assert found.failing == []
    assert 0.0 <= least_margin(found.groups) < 0.05
    load = search.work.sum() * 0.25
    assert load < found.seats.hours < 1.6 * load


def test_a_search_whose_budget_is_over_gives_its_best_so_far(days: Days) -> None:
    search = Requirement(days, desk(), (PROMISE,), True)
    found = search.find(Budget(0.0))
    assert found.seats.heads.shape == (3, 48)
    assert failing(found.groups) == found.failing


def test_questions_draw_fresh_days_that_share_nothing() -> None:
    asked = question()
    first, fresh = asked.days(2, "likely"), asked.days(2, "likely", fresh=True)
    assert not {t.digest for t in first.traces} & {t.digest for t in fresh.traces}
    assert [t.digest for t in asked.days(1, "likely", first=1).traces] == [first.traces[1].digest]
