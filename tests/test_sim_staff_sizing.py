"""Plans hold on days that had no part in finding them, have no seat to spare, and beat the usual ways."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_staff import HOURS, PROMISE, desk, question

from scenarios.model import Scenario
from sim.desk import Desk
from sim.staff.baselines import at_service, proportional, stationary
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.promise import Promise
from sim.staff.seats import Seats
from sim.staff.sizing import Effort, Sized, size_plan


@pytest.fixture(scope="module")
def found() -> Sized:
    return size_plan("small", question(), Budget(), effort=Effort(24, 160, 160))


def test_the_promise_holds_on_fresh_days_for_all_and_in_each_language(found: Sized) -> None:
    assert found.finished and found.keeps
    held = [group for group in found.groups if group.kind != "part"]
    assert {group.name for group in held} >= {"all", "en", "nl", "es"}
    for group in held:
        assert group.cases.size == 160
        assert (group.estimate().high or 0.0) >= PROMISE.share


def test_one_seat_fewer_in_the_binding_pool_does_not_keep_it(found: Sized) -> None:
    assert found.binding is not None and found.binding.fails
    before, after = found.binding.worst
    more_parts = found.binding.parts[1] > found.binding.parts[0]
    assert more_parts or after.share < PROMISE.share <= (before.estimate().high or 0.0)
    loss = found.binding.loss()
    assert loss.low is not None and loss.low > 0.0  # beyond chance: both met the same days


def test_a_plan_that_begins_with_another_one_holds_as_well(found: Sized) -> None:
    asked = question()
    safer = size_plan(
        "safer", asked, Budget(), promises=[Promise(0.93, 1800.0)], begin=found.need, effort=Effort(6, 12)
    )
    assert safer.promises == (Promise(0.93, 1800.0),)
    assert safer.seats.hours > found.seats.hours
    assert safer.groups[0].promise.share == 0.93


def test_the_requirement_takes_fewer_hours_than_the_usual_ways_at_the_same_service(found: Sized) -> None:
    asked = question()
    days = asked.days(8, "likely", first=100)
    erlang = at_service(
        "erlang", stationary(desk(), asked.scenario, (PROMISE,), days, None), found.seats, days, desk(), (PROMISE,)
    )
    quiet = Scenario.load("quiet_week")
    scaled = proportional(desk(), quiet, asked.scenario, days, None)
    today = at_service("today", scaled, found.seats, days, desk(), (PROMISE,))
    for usual in (erlang, today):
        assert usual.hours.n == 4 and usual.saving.low is not None
        assert usual.saving.mean is not None and usual.saving.mean > 0.0


def test_days_are_drawn_once_for_all_plans_and_anew_for_another_scenario() -> None:
    asked = question()
    days, again = asked.days(3, "likely", first=2), asked.days(2, "likely", first=3)
    assert all(a is b for a, b in zip(days.traces[1:], again.traces, strict=True)) and again.numbers == (3, 4)
    assert asked.days(1, "likely", first=2, fresh=True).traces[0] is not days.traces[0]
    assert asked.days(1, 0.5, first=2).traces[0] is not days.traces[0]
    other = replace(asked, hours=2.0)
    assert other.days(1, "likely", first=2).window_s != days.window_s


def test_where_all_batches_agree_the_interval_is_that_of_the_factors_tried() -> None:
    days = question().days(4, "likely")
    start_s = days.window_s[0]
    plan = Seats(start_s, np.full((3, days.intervals), 40, dtype=np.int64))

    def scaled(factor: float) -> Seats:
        # All batches need a factor of 1.
        return Seats(start_s, np.full((3, days.intervals), 40 if factor >= 1.0 else 0, dtype=np.int64))

    found = at_service("steps", scaled, plan, days, desk(), (PROMISE,))
    assert found.hours.mean == found.hours.high == plan.hours and found.hours.n == 4
    assert found.hours.low == 0.0  # factors below 1 are not enough, and have nobody: nothing between was tried
    assert found.saving.mean == found.saving.high == 0.0 and found.saving.low is not None and found.saving.low < 0.0


def test_the_scaled_desk_has_its_own_heads_times_what_comes_more() -> None:
    asked = question()
    days = asked.days(1, "likely")
    quiet = Scenario.load("quiet_week")
    heads = proportional(desk(), quiet, asked.scenario, days, None)(1.0).heads
    # 120 cases an hour for 41.67 are 2.88 times as many: 4, 3 and 1 heads become 12, 9 and 3, rounded up.
    assert heads.shape == (3, round(HOURS * 4))
    assert heads[:, 0].tolist() == [12, 9, 3]


def test_the_named_agents_of_a_desk_are_counted_at_the_desk() -> None:
    klm, quiet = Desk.load("klm_2015"), Scenario.load("quiet_week")
    days = Days.draw(quiet, 1, 1, hours=24.0)
    heads = proportional(klm, quiet, quiet, days, None)(1.0).heads
    # 150 heads at 36 hours a week, 72 % at the desk: 23 on average; each pool and quarter is rounded up.
    assert 23 <= heads.sum(axis=0).mean() <= 23 + len(klm.pools)


def test_a_service_that_no_scale_gives_is_said() -> None:
    days = question().days(4, "likely")
    full = Seats(0.0, np.full((3, days.intervals), 60, dtype=np.int64))
    nobody = at_service("nobody", lambda factor: Seats(0.0, 0 * full.heads), full, days, desk(), (PROMISE,), 2)
    assert nobody.hours.mean is None and nobody.factor == np.inf
