"""Plans under sizes: regret, risk, what it is worth to know, and plans in two stages."""

import numpy as np
import pytest
from small_staff import PROMISE, desk

from scenarios.model import Scenario
from sim.staff.budget import Budget
from sim.staff.seats import Seats
from sim.staff.unknown_size import SIZES, Table, play_sizes, then, two_stage

TABLE = Table(
    plans=("small", "large"),
    sizes=(0.1, 0.3, 0.5, 0.7, 0.9),
    missed=np.array([[0.0, 0.0, 10.0, 50.0, 200.0], [0.0, 0.0, 0.0, 0.0, 40.0]]),
    staff=np.array([[100.0] * 5, [300.0] * 5]),
    miss_eur=5.0,
)


def test_regret_is_what_a_plan_costs_more_than_the_best_for_the_size() -> None:
    assert TABLE.total.tolist() == [[100, 100, 150, 350, 1100], [300, 300, 300, 300, 500]]
    assert TABLE.regret.tolist() == [[0, 0, 0, 50, 600], [200, 200, 150, 0, 0]]
    assert TABLE.mean.tolist() == [360.0, 340.0]
    assert TABLE.best == 1
    assert TABLE.cvar.tolist() == [1100.0, 500.0]
    assert TABLE.perfect_information == pytest.approx(340.0 - (100 + 100 + 150 + 300 + 500) / 5)


def test_the_second_plan_begins_when_others_can_be_there() -> None:
    a, b = Seats(0.0, np.full((1, 8), 3, dtype=np.int64)), Seats(0.0, np.full((1, 8), 9, dtype=np.int64))
    assert then(a, b, 3600.0).heads.tolist() == [[3, 3, 3, 3, 9, 9, 9, 9]]
    assert then(a, b, 3601.0).heads.tolist() == [[3, 3, 3, 3, 3, 9, 9, 9]]
    assert then(a, b, 1e9).heads.tolist() == a.heads.tolist()


def test_larger_plans_miss_less_and_two_stages_are_never_better_than_knowing() -> None:
    volcano = Scenario.load("volcano").model_copy(update={"window_h": (24.0, 36.0)})
    data = volcano.model_dump(by_alias=True)
    data["mix"] |= {"languages": {"en": 0.7, "nl": 0.25, "es": 0.05}}
    world = Scenario.model_validate({**data, "mix_changes": []})
    plans = {
        name: Seats(24 * 3600.0, np.full((3, 48), heads, dtype=np.int64))
        for name, heads in (("small", 25), ("large", 60))
    }
    table = play_sizes(world, desk(), plans, (PROMISE,), 5.0, 3, Budget(), runs=1)
    assert table.missed.shape == (2, len(SIZES))
    assert np.all(table.missed[1] <= table.missed[0]) and table.missed[0, -1] > table.missed[0, 0]
    assert table.staff[1, 0] == pytest.approx(plans["large"].cost(desk()))
    made_for = {"small": (0.5, plans["small"]), "large": (0.95, plans["large"])}
    stages = two_stage(world, desk(), made_for, table, (PROMISE,), 3, Budget(), known_h=26.0, lead_h=2.0, runs=1)
    assert stages.first in plans
    assert stages.saved == pytest.approx(float(table.mean.min()) - stages.mean)
