"""What a desk with its ladder reaches: nobody before his time, nobody beyond the heads, from when it is enough."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.model import Scenario
from sim.desk import Desk
from sim.plan import Plan
from sim.staff.days import LANGUAGES, Days, Kept
from sim.staff.promise import Promise
from sim.staff.reachable import an_hour_later, attend, called_later, kept_from_s, reachable

PROMISE = Promise.read("80% in 60 min")
VOLCANO = Scenario.load("volcano")
PLAN = Plan.model_validate(
    {
        "name": "forty",
        "declaration_min": 0.0,
        "interval_min": 15.0,
        "triggers": [{"signal": "posts_per_h", "enter": 1.0, "leave": 0.0}],
        "ladder": [
            {"name": "standby", "groups": [{"heads": 40, "languages": ["en", "nl", "es", "pt"]}], "lead_h": 8.0,
             "acceptance": 1.0, "max_h": 12.0, "rest_h": 11.0}
        ],
    }
)  # fmt: skip


@pytest.fixture(scope="module")
def days() -> Days:
    return Days.draw(VOLCANO, 4, 2, hours=40.0, size="likely")


def test_nobody_comes_before_his_lead_time_and_nobody_beyond_the_heads(days: Days) -> None:
    found = reachable(days, Desk.load("klm_2015").with_plan(PLAN), (PROMISE,))
    assert found.heads == 40
    assert found.first_ladder_s >= 8 * 3600.0
    assert found.ladder[: 8 * 4].max() == 0.0
    assert 0 < found.most_called <= 40
    assert found.ladder.max() <= 40.0
    assert not found.keeps


def test_a_desk_without_a_ladder_calls_nobody(days: Days) -> None:
    desk = Desk.load("klm_2015").with_plan(None)
    found = reachable(days, desk, (PROMISE,))
    assert found.heads == found.most_called == 0
    assert np.isinf(found.first_ladder_s) and np.isinf(found.stood_down_s)
    assert an_hour_later(days, desk, (PROMISE,)) is None


def test_the_own_heads_are_those_of_the_roster(days: Days) -> None:
    (run, *_) = attend(days, Desk.load("klm_2015").with_plan(None), (PROMISE,))
    hours = run.row["agent_hours"]
    assert hours is not None and run.own.sum() * 0.25 == pytest.approx(hours)


def test_an_hour_later_is_the_same_plan_an_hour_later() -> None:
    later = called_later(PLAN, 1.0)
    assert later.ladder[0].after_h == 1.0 and later.ladder[0].lead_h == PLAN.ladder[0].lead_h
    assert called_later(later, -1.0) == PLAN
    with pytest.raises(ValueError, match="cannot be asked earlier"):
        called_later(PLAN, -1.0)


def test_an_hours_delay_is_paired_by_day(days: Days) -> None:
    hour = an_hour_later(days, Desk.load("klm_2015").with_plan(PLAN), (PROMISE,))
    assert hour is not None and hour.missed.n == 4
    assert hour.missed.mean is not None and hour.missed.mean > 0.0


def test_the_promise_counts_as_kept_from_when_every_day_ahead_keeps_it() -> None:
    def run(kept: list[int]) -> Kept:
        cases, good = np.zeros((2, len(LANGUAGES), len(kept)), dtype=np.int64)
        cases[0], good[0] = 10, kept
        return Kept(cases, good[None])

    bad, well = [0] * 8, [10] * 200
    # Of the 96 intervals ahead eight are missed at first: 92 % are kept, so it counts from the start.
    assert kept_from_s([run(bad + well)], (PROMISE,), 0.0) == 0.0
    # Of 48 missed ones at most 19 may lie ahead: from interval 29 on.
    assert kept_from_s([run([0] * 48 + well)], (PROMISE,), 900.0) == 900.0 + 29 * 900.0
    # The last whole day has 20 missed intervals, one too many; with 19 it is kept.
    assert kept_from_s([run(well + [0] * 20)], (PROMISE,), 0.0) == np.inf
    assert kept_from_s([run(well + [0] * 19)], (PROMISE,), 0.0) == 0.0
    # A window of less than a day is looked at as a whole.
    assert kept_from_s([run([10] * 8 + [0] * 2)], (PROMISE,), 0.0) == 0.0
    assert kept_from_s([run([10] * 7 + [0] * 3)], (PROMISE,), 0.0) == np.inf


def test_each_promised_language_has_to_keep_it() -> None:
    cases, kept = np.zeros((len(LANGUAGES), 120), dtype=np.int64), np.zeros((1, len(LANGUAGES), 120), dtype=np.int64)
    cases[0], kept[0, 0] = 100, 100
    cases[1], kept[0, 1, 50:] = 1, 1
    runs = [Kept(cases, kept)]
    assert kept_from_s(runs, (PROMISE,), 0.0) == 0.0
    assert kept_from_s(runs, (PROMISE,), 0.0, [1]) == np.inf  # the last day begins at interval 24, and misses 26 of 96
    kept[0, 1, 40:] = 1
    assert kept_from_s(runs, (PROMISE,), 0.0, [1]) == 21 * 900.0  # from there on 19 of 96 are missed
