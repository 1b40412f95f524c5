"""An auditor goes over random small days and over hours of the library: nothing is lost, nobody is in two places."""

from __future__ import annotations

import numpy as np
import pytest
from auditor import audit
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from small_worlds import World, worlds

from scenarios import library
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.traces import Trace
from sim import draws, reference
from sim import library as desks
from sim.desk import Desk
from sim.outcome import CaseState, Outcome
from sim.roster import realise


def wrong(outcome: Outcome, scenario: Scenario, desk: Desk, trace: Trace, drain_h: float = 0.0) -> list[str]:
    start_s, end_s = trace.about["window_s"]
    key = draws.key(outcome.about["seed"], outcome.about["replication"])
    return audit(outcome, trace, scenario, desk, realise(desk, scenario, key, start_s, end_s + drain_h * 3600))


@given(worlds(), st.sampled_from([0.0, 0.0, 3.0]), st.integers(0, 2**64 - 1))
@settings(max_examples=1500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_books_of_any_small_day_are_clean(world: World, drain_h: float, seed: int) -> None:
    scenario, desk, trace = world
    outcome = reference.run(scenario, desk, trace, seed, drain_h=drain_h)
    for state in np.unique(outcome.cases["state"]).tolist():
        event(CaseState(state).name)
    assert wrong(outcome, scenario, desk, trace, drain_h) == []


@pytest.mark.parametrize("name", ["volcano", "platform_loss"])
def test_the_books_of_six_hours_of_the_library_are_clean(name: str) -> None:
    scenario, desk = library.load(name), desks.load("klm_2015")
    trace = generate(scenario, seed=1, hours=6)
    assert wrong(reference.run(scenario, desk, trace, 1), scenario, desk, trace) == []
