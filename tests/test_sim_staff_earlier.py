"""Who is called in comes earlier: by the hours asked for, never before he is asked, and it saves misses."""

from __future__ import annotations

import math

import numpy as np
import pytest
from commands import DATA, TINY_DESK
from pydantic import TypeAdapter

from scenarios.laws import Law
from scenarios.model import Scenario
from sim.desk import Desk
from sim.plan import Plan, load_plan
from sim.staff.days import Days
from sim.staff.earlier import called_earlier, shorter, value_of_earlier
from sim.staff.promise import Promise
from sim.staff.reachable import attend

PROMISE = Promise.read("80% in 60 min")


def law(data: object) -> Law:
    made: Law = TypeAdapter(Law).validate_python(data)
    return made


@pytest.mark.parametrize(
    "data",
    [
        8.0,
        {"kind": "uniform", "low": 3.0, "high": 15.0},
        {"kind": "empirical", "quantiles": [4.0, 6.0, 11.0]},
        {"kind": "exponential", "mean": 5.0},
        {"kind": "gamma", "mean": 5.0, "cv": 0.5},
        {"kind": "lognormal", "median": 5.0, "sd_log": 0.4},
        {"kind": "lognormal", "mean": 5.0, "cv": 0.4},
        {"kind": "weibull", "mean": 5.0, "shape": 2.0},
        {"kind": "mixture", "parts": [{"weight": 0.5, "law": {"kind": "constant", "value": 3.0}},
                                      {"weight": 0.5, "law": {"kind": "uniform", "low": 4.0, "high": 6.0}}]},
    ],
)  # fmt: skip
def test_a_lead_time_is_shorter_by_the_hours_on_average(data: object) -> None:
    before = law(data)
    assert shorter(before, 2.0).mean() == pytest.approx(before.mean() - 2.0)
    assert shorter(before, 0.0) is before
    assert shorter(law(1.0), 2.0).mean() == 0.0
    assert shorter(law({"kind": "gamma", "mean": 1.0, "cv": 0.5}), 2.0).mean() == 0.0


def test_a_uniform_lead_time_is_cut_at_nothing() -> None:
    # Of 2 to 26 hours four less: a twelfth comes at once, the rest after 0 to 22 h; the mean is 22 * 22 / 24 / 2.
    cut = shorter(law({"kind": "uniform", "low": 2.0, "high": 26.0}), 4.0)
    assert cut.mean() == pytest.approx(22.0 * 22.0 / 48.0, rel=1e-3)
    assert cut.draw(np.random.default_rng(1), 1000).min() == 0.0


def test_who_is_asked_late_is_asked_earlier_first() -> None:
    rung = {"name": "a", "groups": [{"heads": 2, "languages": ["en"]}], "after_h": 1.5, "lead_h": 3.0}
    triggers = [{"signal": "backlog", "enter": 9.0, "leave": 1.0}]
    plan = Plan.model_validate({"name": "p", "triggers": triggers, "ladder": [rung]})
    (one,) = called_earlier(plan, 1.0).ladder
    assert (one.after_h, one.lead_h.mean()) == (0.5, 3.0)
    (two,) = called_earlier(plan, 2.0).ladder
    assert (two.after_h, two.lead_h.mean()) == (0.0, 2.5)
    (all_,) = called_earlier(plan, 99.0).ladder
    assert (all_.after_h, all_.lead_h.mean()) == (0.0, 0.0)


def test_earlier_saves_misses_and_each_difference_is_paired_by_day() -> None:
    desk = Desk.load(TINY_DESK).with_plan(load_plan(DATA / "forty.toml"))
    days = Days.draw(Scenario.load(DATA / "storm.toml"), 6, 2, size="likely")
    runs = attend(days, desk, (PROMISE,))
    one, many = value_of_earlier(days, desk, (PROMISE,), runs, (1.0, 9.0))
    assert (one.comes, many.comes) == (1.0, 8.0)  # a lead of eight hours cannot be nine hours shorter
    assert one.saved.n == 6 and one.saved.low is not None and one.saved.low > 0.0
    assert many.saved.mean is not None and one.saved.mean is not None and many.saved.mean > one.saved.mean
    assert many.per_hour == pytest.approx(many.saved.mean / 8.0)


def test_where_nobody_is_called_in_nothing_is_said() -> None:
    desk = Desk.load(TINY_DESK)
    days = Days.draw(Scenario.load(DATA / "storm.toml"), 1, 2, hours=3.0, size="likely")
    runs = attend(days, desk, (PROMISE,))
    assert all(math.isinf(run.first_ladder_s) for run in runs)
    assert value_of_earlier(days, desk, (PROMISE,), runs) == ()
