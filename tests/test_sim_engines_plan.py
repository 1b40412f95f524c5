"""Both engines play crisis plans to the same rows: those of the library, and random ones on random small days."""

from __future__ import annotations

import pytest
from engines import run_both
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from small_plans import plans, with_plan
from small_worlds import World, worlds

from scenarios import library
from scenarios.generate import generate
from sim import library as desks
from sim.outcome import PlanStep
from sim.plan import Plan, load_plan, plan_names

pytestmark = pytest.mark.exact


@pytest.mark.parametrize("name", plan_names())
def test_the_plans_of_the_library_give_the_same_rows_on_both_engines(name: str) -> None:
    world = library.load("volcano").model_copy(update={"window_h": (4, 22)})
    plan = load_plan(name)
    outcome = run_both(world, desks.load("klm_2015").with_plan(plan), generate(world, seed=5), seed=5)
    acts = {PlanStep.LEVER_ON, PlanStep.CALLED} & set(outcome.plan["step"].tolist())
    assert bool(acts) == bool(plan.levers or plan.ladder)


@given(worlds(), plans(), st.sampled_from([0.0, 0.0, 3.0]), st.integers(0, 2**64 - 1))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_plan_on_any_small_day_gives_the_same_rows_on_both_engines(
    world: World, plan: Plan, drain_h: float, seed: int
) -> None:
    scenario, desk, posts = world
    outcome = run_both(scenario, with_plan(desk, plan), posts, seed, drain_h)
    for step in set(outcome.plan["step"].tolist()):
        event(PlanStep(step).name)
