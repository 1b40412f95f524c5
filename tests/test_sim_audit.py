"""An auditor goes over random small days and days of the library: nothing is lost, nobody is in two places.

That it finds what is wrong with a crisis is in `test_sim_audit_plan.py`.

Other scenarios of the library, a day each, in a minute:

    .venv/bin/python -m pytest -m bench tests/test_sim_audit.py
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from audited import changed, done, wrong
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from small import agents, desk, pool, post, scenario, trace
from small_plans import plans, with_plan
from small_worlds import World, worlds

from scenarios import library
from scenarios.generate import generate
from scenarios.names import NONE
from sim import compiled, reference
from sim import library as desks
from sim.outcome import CaseState, Outcome, PlanStep, TurnState
from sim.plan import Plan, load_plan

pytestmark = pytest.mark.exact

FROM_H = {
    "crm_down_in_surge": 60,
    "global_stop": 40,
    "power_cut": 0,
    "security_incident": 40,
    "snowstorm": 56,
}
"""Hour from which a day has what the scenario is about; of the others the first day."""
IN_CI = (  # each kind of fault and of surge, and the phone line
    "quiet_week",
    "crm_down_in_surge",
    "it_outage",
    "payment_rush",
    "platform_loss",
    "security_incident",
    "viral_product",
    "volcano",
)


@given(worlds(), st.sampled_from([0.0, 0.0, 3.0]), st.integers(0, 2**64 - 1))
@settings(max_examples=500, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_books_of_any_small_day_are_clean(world: World, drain_h: float, seed: int) -> None:
    scenario, desk, trace = world
    outcome = compiled.run(scenario, desk, trace, seed, drain_h=drain_h)
    for state in np.unique(outcome.cases["state"]).tolist():
        event(CaseState(state).name)
    assert wrong(outcome, scenario, desk, trace, drain_h) == []


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in IN_CI else pytest.mark.bench) for name in library.names()]
)
def test_the_books_of_a_day_of_the_library_are_clean(name: str) -> None:
    scenario, desk = library.load(name), desks.load("klm_2015")
    begin = FROM_H.get(name, scenario.window_h[0])
    scenario = scenario.model_copy(update={"window_h": (begin, begin + 24.0)})
    trace = generate(scenario, seed=1)
    assert wrong(compiled.run(scenario, desk, trace, 1), scenario, desk, trace) == []


@pytest.mark.parametrize("plan", [None, "all_hands", "answer_all", "broadcast_only"])
def test_the_books_of_a_crisis_are_clean_with_any_plan(plan: str | None) -> None:
    # klm_crisis, the plan of the desk, has its days above.
    scenario = library.load("volcano").model_copy(update={"window_h": (16.0, 30.0)})
    desk = desks.load("klm_2015").with_plan(None if plan is None else load_plan(plan))
    trace = generate(scenario, seed=1)
    outcome = compiled.run(scenario, desk, trace, 1)
    acts = desk.plan is not None and bool(desk.plan.levers or desk.plan.ladder)
    assert bool(outcome.plan["step"].size) == acts
    assert wrong(outcome, scenario, desk, trace) == []


@given(worlds(), plans(), st.sampled_from([0.0, 0.0, 3.0]), st.integers(0, 2**64 - 1))
@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_the_books_of_any_small_crisis_are_clean(world: World, plan: Plan, drain_h: float, seed: int) -> None:
    scenario, desk, trace = world
    desk = with_plan(desk, plan)
    outcome = compiled.run(scenario, desk, trace, seed, drain_h=drain_h)
    for step in np.unique(outcome.plan["step"]).tolist():
        event(PlanStep(step).name)
    assert wrong(outcome, scenario, desk, trace, drain_h) == []


def test_the_books_of_the_reference_engine_are_clean() -> None:
    scenario, desk = library.load("volcano"), desks.load("klm_2015")
    trace = generate(scenario, seed=1, hours=6)
    assert wrong(reference.run(scenario, desk, trace, 1), scenario, desk, trace) == []


# ---- the auditor finds what is wrong --------------------------------------------------------------------------

WORLD = scenario(patience_h={"kind": "exponential", "mean": 0.5})
FLOOR = desk(
    agents("dutch", "mon 00:00-02:00", "mon 01:00-03:00", languages=["nl"]),
    pool("english", heads=2, languages=["en"]),
    classes=[
        {"name": "soon", "when": {"departure_below_h": 6.0}, "promise_min": 10.0},
        {"name": "rest", "promise_min": 60.0},
    ],
)
POSTS = trace(
    [
        post(minute, language="nl" if minute % 3 == 0 else "en", departure_h=3.0 if minute % 4 == 0 else 50.0)
        for minute in range(1, 240, 2)
    ]
)


@pytest.fixture(scope="module")
def day() -> Outcome:
    """An afternoon with two languages and two classes, more than the desk can take."""
    outcome = compiled.run(WORLD, FLOOR, POSTS, 4)
    assert wrong(outcome, WORLD, FLOOR, POSTS) == []
    states = outcome.turns["state"]
    assert np.sum(states == TurnState.DONE) > 40 and np.sum(states == TurnState.ABANDONED) > 10
    return outcome


def two_in_a_row(outcome: Outcome) -> tuple[int, int]:
    """Two turns of one class and language, the later one queued before the earlier one was started."""
    t, cls = outcome.turns, outcome.cases["cls"]
    rows = done(outcome)
    for i in rows.tolist():
        for j in rows.tolist():
            same = t["language"][i] == t["language"][j] and cls[t["case"][i]] == cls[t["case"][j]]
            if same and t["key_s"][i] < t["key_s"][j] and t["queued_s"][j] < t["start_s"][i] < t["start_s"][j]:
                return i, j
    raise AssertionError("no two turns that waited together")


def swap_two_starts(o: Outcome) -> Outcome:
    i, j = two_in_a_row(o)
    t = o.turns
    rows, other = [i, j], [j, i]
    queued = t["queued_s"][rows]
    return changed(
        o,
        "turns",
        start_s=(rows, t["start_s"][other]),
        end_s=(rows, t["end_s"][other]),
        wait_s=(rows, t["start_s"][other] - queued),
        agent=(rows, t["agent"][other]),
    )


def put_on_another_agent(o: Outcome) -> Outcome:
    """One more turn for somebody who has one in hand."""
    t = o.turns
    i, j = next(
        (i, j)
        for i in done(o).tolist()
        for j in done(o, int(t["language"][i])).tolist()
        if t["agent"][i] != t["agent"][j] and t["start_s"][j] < t["start_s"][i] < t["end_s"][j]
    )
    return changed(o, "turns", agent=(i, t["agent"][j]))


def put_on_somebody_without_the_language(o: Outcome) -> Outcome:
    t = o.turns
    i = done(o)[0]
    other = next(int(t["agent"][j]) for j in done(o) if t["language"][j] != t["language"][i])
    return changed(o, "turns", agent=(i, other))


def start_after_the_shift(o: Outcome) -> Outcome:
    """The first Dutch agent goes at two; his last turn is said to start a minute later."""
    t = o.turns
    i = next(i for i in done(o)[::-1].tolist() if t["agent"][i] == 0)
    start = 2 * 3600.0 + 60.0
    return changed(o, "turns", start_s=(i, start), end_s=(i, start + 600.0), wait_s=(i, start - t["queued_s"][i]))


def come_later(o: Outcome) -> Outcome:
    """The first agent of the roster is said to be there half an hour late, with the work that he did."""
    i = int(np.flatnonzero(o.staff["agent"] == 0)[0])
    return changed(o, "staff", on_s=(i, o.staff["on_s"][i] + 1800.0))


def start_later(o: Outcome) -> Outcome:
    """Somebody who is free lets a turn wait for a minute."""
    t = o.turns
    i = int(done(o)[0])
    start = t["start_s"][i] + 60.0
    return changed(o, "turns", start_s=(i, start), wait_s=(i, start - t["queued_s"][i]))


def leave_out_a_turn(o: Outcome) -> Outcome:
    keep = np.delete(np.arange(o.turns["case"].size), done(o)[3])
    return replace(o, turns={name: column[keep] for name, column in o.turns.items()})


def leave_out_a_case(o: Outcome) -> Outcome:
    keep = np.arange(o.cases["row"].size - 1)
    where = o.turns["case"] < keep.size
    return replace(
        o,
        cases={name: column[keep] for name, column in o.cases.items()},
        turns={name: column[where] for name, column in o.turns.items()},
    )


def resolve_who_gave_up(o: Outcome) -> Outcome:
    i = int(np.flatnonzero(o.cases["state"] == CaseState.GAVE_UP)[0])
    return changed(o, "cases", state=(i, CaseState.RESOLVED))


def forget_who_waits(o: Outcome) -> Outcome:
    """A turn in hand at the end is said to be done before."""
    i = int(done(o)[-1])
    return changed(o, "turns", state=(i, TurnState.WAITING), start_s=(i, np.inf), agent=(i, NONE))


FAULTS: dict[Callable[[Outcome], Outcome], str] = {
    swap_two_starts: "keys_are_kept",
    put_on_another_agent: "nobody_works_beyond_capacity",
    put_on_somebody_without_the_language: "work_is_done_by_those_who_can_and_are_there",
    start_after_the_shift: "work_is_done_by_those_who_can_and_are_there",
    come_later: "attendance_follows_the_roster",
    start_later: "nobody_is_idle_while_a_turn_waits",
    leave_out_a_turn: "conversations_hang_together",
    leave_out_a_case: "cases_are_those_of_the_trace",
    resolve_who_gave_up: "conversations_hang_together",
    forget_who_waits: "end_states_add_up",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_the_auditor_finds(fault: Callable[[Outcome], Outcome], day: Outcome) -> None:
    assert any(line.startswith(FAULTS[fault]) for line in wrong(fault(day), WORLD, FLOOR, POSTS))


def test_the_auditor_finds_a_skill_that_the_desk_does_not_give(day: Outcome) -> None:
    # The same rows, but the desk says that the Dutch agents speak German.
    pools = (FLOOR.pools[0].model_copy(update={"languages": {"de": 1.0}}), *FLOOR.pools[1:])
    lines = wrong(day, WORLD, FLOOR.model_copy(update={"pools": pools}), POSTS)
    assert any("has no skill" in line for line in lines)


def test_the_auditor_finds_deferred_work_that_took_the_reserve() -> None:
    # Two heads, no reserve; read against a desk with a reserve of one, whose second head has to stay free.
    classes = [{"name": "later", "promise_min": 60.0, "deferred": True}]
    posts = trace([post(1), post(2)])
    outcome = compiled.run(scenario(), desk(pool(heads=2), classes=classes), posts, 1)
    strict = desk(pool(heads=2, reserve=1), classes=classes)
    assert any(line.startswith("reserves_are_kept") for line in wrong(outcome, scenario(), strict, posts))
