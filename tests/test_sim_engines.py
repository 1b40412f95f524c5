"""The compiled engine against the reference engine: the same rows, to the last bit.

The days worked by hand (`test_sim_rules_*`) and the textbook queues (`test_sim_exact`) run on both engines,
too: see `engines.run_both`. Whole windows of the library, half an hour:

    .venv/bin/python -m pytest -m bench tests/test_bench_engines.py -k whole
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import pytest
import small_worlds
from engines import run_both
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from small import agents, desk, pool, scenario, trace
from small_worlds import GROUPS, HOURS, World, worlds

from scenarios import library
from scenarios.errors import DeskError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.traces import Trace
from sim import compiled, kernel_layout, reference
from sim import library as desks
from sim.desk import Desk
from sim.outcome import CaseState, Outcome, TurnState
from sim.policies import AgentView

pytestmark = pytest.mark.exact

TROUBLE_H = {
    "bot_flood": (0, 4),
    "crm_down_in_surge": (68, 80),
    "double_crisis": (60, 70),
    "global_stop": (44, 54),
    "security_incident": (44, 56),
    "snowstorm": (60, 70),
    "strike_notice": (4, 14),
}
"""Hours of a scenario that have what it is about; of the others the first nine."""


@cache
def hours(name: str) -> tuple[Scenario, Trace]:
    """Hours of a scenario of the library, and what is posted in them."""
    world = library.load(name).model_copy(update={"window_h": TROUBLE_H.get(name, (0, 9))})
    return world, generate(world, seed=5)


@pytest.mark.parametrize("floor", desks.names())
@pytest.mark.parametrize("name", library.names())
def test_the_library_gives_the_same_rows_on_both_engines(name: str, floor: str) -> None:
    world, posts = hours(name)
    outcome = run_both(world, desks.load(floor), posts, seed=5)
    assert outcome.turns["case"].size > 500


EXPONENTIAL = {"kind": "exponential", "mean": 12.0}
LATER = {"kind": "exponential", "mean": 0.5}
CLASSES: list[dict[str, Any]] = [
    {"name": "soon", "when": {"departure_below_h": 6.0}, "promise_min": 10.0, "next_min": 5.0},
    {"name": "later", "when": {"topics": ["refund", "info"]}, "promise_min": 90.0, "deferred": True},
    {"name": "rest", "promise_min": 30.0},
]
OTHERS = [
    {"languages": ["nl"], "after_min": 5.0, "to_pools": ["all"], "factor": 1.5},
    {"after_min": 20.0, "to_language": "de"},
]
NAMED = ["sun 23:00-01:00", "mon 00:00-03:00", "mon 00:30-04:30", "mon 02:00-05:00", "mon 01:00-01:30"]
LANGUAGES = {"en": 1.0, "nl": 0.8, "de": 1.25}


def heads(*steps: tuple[float, int], **more: Any) -> dict[str, Any]:
    return pool(steps=list(steps) or [(-1000, 4)], **{"languages": LANGUAGES, "site": "A", **more})


def people(name: str = "all", **more: Any) -> dict[str, Any]:
    return agents(name, *NAMED, **{"languages": LANGUAGES, "site": "A", **more})


TWO_POOLS = [
    heads((-1000, 2), name="few", languages=["en", "nl"], topics=["talk"]),
    heads((-1000, 2), name="all", site="B"),
]
ROUTES = {"topic_groups": GROUPS, "overflow": OTHERS, "sticky_min": 30.0}

IDLE = [
    ["random"],
    ["longest_idle"],
    ["fewest_skills", "longest_idle"],
    ["fewest_skills", "random"],
    ["ordered", "random"],
    ["longest_idle", "random"],
    ["random", "longest_idle"],
]
LANE = {"sticky_min": 30.0, "overdue": {"mode": "own_lane", "seats": 2}}

DESKS: dict[str, Desk] = {
    "head-count": desk(heads((-60, 4), (60, 2), (90, 5), (200, 0), (220, 3))),
    "head-count, handing back": desk(heads((-60, 4), (60, 2), (90, 5), (200, 1), shift_end="hand_back")),
    "named": desk(people()),
    "named, handing back": desk(people(shift_end="hand_back", absent_share=0.2)),
    "classes": desk(heads(), classes=CLASSES),
    "overdue last": desk(heads(), classes=CLASSES, routing={"overdue": {"mode": "fresh_first"}}),
    "overdue in a lane": desk(heads(), classes=CLASSES, routing={"overdue": {"mode": "own_lane", "seats": 1}}),
    "overflow": desk(*TWO_POOLS, routing={**ROUTES, "sticky_min": 0.0}),
    "sticky": desk(people(), routing={"sticky_min": 20.0}),
    "overflow and sticky": desk(*TWO_POOLS, routing=ROUTES, classes=CLASSES),
    "reserve": desk(heads(reserve=2), heads((-60, 3), name="more", reserve=1), classes=CLASSES),
    "reserve in a lane": desk(people(reserve=1), classes=CLASSES, routing=LANE),
    "limits": desk(heads(), routing={"limits": [{"places": 2, "languages": ["en"]}, {"places": 4}]}),
    "no places": desk(heads(), routing={"limits": [{"places": 0}]}),
    "balking": desk(heads(), routing={"limits": [{"balk": 0.3}, {"balk": 0.3, "visibility": "public", "places": 5}]}),
    "bridge": desk(heads(languages=["en"]), routing={"unserved": "bridge", "bridge_factor": 1.4}),
    "several in hand": desk(heads(capacity=3.0, concurrency=[1.0, 1.3, 1.9])),
    "weights": desk(people(capacity=2.0, weights={"active": 1.0, "waiting": 0.5}, shift_end="hand_back")),
    "fatigue": desk(people(), fatigue={"per_h": 0.1, "beyond_8h_per_h": 0.2}),
    "people read": desk(
        people(), heads((-1000, 1), name="readers"), triage={"mode": "people", "reading_s": EXPONENTIAL}
    ),
    "a filter": desk(
        heads(),
        triage={"mode": "automatic", "recall": 0.7, "false_positive": 0.4, "delay_s": 120.0, "reading_s": 30.0},
    ),
    "a quick filter": desk(heads(), triage={"mode": "automatic", "recall": 0.7, "false_positive": 0.4}),
    "few platforms": desk(heads(), platforms=["x", "facebook"], triage={"mode": "people"}),
    **{
        f"idle agents by {' and '.join(idle)}": desk(
            *TWO_POOLS, people(name="people"), routing={"topic_groups": GROUPS, "idle": idle}
        )
        for idle in IDLE
    },
    "chance and several in hand": desk(
        *TWO_POOLS, heads(name="more", capacity=2.0), routing={"topic_groups": GROUPS, "idle": ["random"]}
    ),
    "chance and a reserve": desk(heads(reserve=1), classes=CLASSES, routing={"idle": ["random"]}),
}

ELSEWHERE = [
    {"to": to, "probability": 0.24, "delay_min": EXPONENTIAL} for to in ("same", "public", "phone", "whatsapp")
]
WINDOW = {"from_h": 1.0, "to_h": 2.5}
FAULTS: dict[str, dict[str, Any]] = {
    "crm": {**WINDOW, "factor": 1.5, "duplicates": 0.5},
    "platform_held": {**WINDOW, "platforms": ["x"]},
    "payment": {**WINDOW, "factor": 2.0, "fails": 0.4},
    "site_dark": {**WINDOW, "sites": ["A"]},
    "staff_absent": {"from_h": -2.0, "to_h": 1.0, "share": 0.5, "late_h": LATER},
    "no_answer": {**WINDOW, "topics": ["care", "refund"]},
    "rule_change": {"at_h": 2.0, "wrong_share": 0.6, "delay_h": LATER},
}
PHONE = {"calls_per_h": 1.0, "lines": 4, "agents": 2, "handling_min": EXPONENTIAL, "patience_min": EXPONENTIAL}
SCENARIOS: dict[str, Any] = {
    "patient": scenario(handling=EXPONENTIAL),
    "talkative": scenario(
        handling=EXPONENTIAL,
        turns=[0.2, 0.3, 0.5],
        turn_sd_log=0.4,
        think_min=EXPONENTIAL,
        back_office={"share": 0.3, "delay_h": LATER},
        reopening={"probability": 0.3, "delay_h": LATER, "within_days": 0.05},
        payment_share=0.5,
    ),
    "impatient": scenario(
        handling=EXPONENTIAL,
        turns=[0.5, 0.5],
        patience_h=LATER,
        silent_share=0.5,
        recontact={"after_h": 0.1, "probability": 0.6, "gap_min": 5.0, "separate_share": 0.5},
        after_abandoned=ELSEWHERE,
        after_blocked=ELSEWHERE,
    ),
    "phone": scenario(phone={**PHONE, "on_blocked": ELSEWHERE, "on_abandoned": ELSEWHERE}),
    **{
        kind: scenario(handling=EXPONENTIAL, turns=[0.5, 0.5], faults=[{"kind": kind, **fault}], patience_h=LATER)
        for kind, fault in FAULTS.items()
    },
    "all faults": scenario(
        handling=EXPONENTIAL,
        turns=[0.5, 0.5],
        patience_h=LATER,
        after_abandoned=ELSEWHERE,
        faults=[{"kind": kind, **fault} for kind, fault in FAULTS.items()],
    ),
}


@cache
def busy(grid_s: int = 0) -> Trace:
    """Five hours with more posts than a small desk can take."""
    return trace(small_worlds.posts(3, 400, grid_s), (HOURS[0] * 60, HOURS[1] * 60))


@pytest.mark.parametrize("world", SCENARIOS)
@pytest.mark.parametrize("floor", DESKS)
def test_each_rule_gives_the_same_rows_on_both_engines(floor: str, world: str) -> None:
    # By turns at any time, and many at the same time: each desk and each scenario meets both.
    odd = (list(DESKS).index(floor) + list(SCENARIOS).index(world)) % 2
    run_both(SCENARIOS[world], DESKS[floor], busy(300 * odd), seed=11, drain_h=3.0)


@given(worlds(), st.sampled_from([0.0, 0.0, 3.0]), st.integers(0, 2**64 - 1))
@settings(max_examples=1000, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_any_small_day_gives_the_same_rows_on_both_engines(world: World, drain_h: float, seed: int) -> None:
    world_, floor, posts = world
    outcome = run_both(world_, floor, posts, seed, drain_h)
    for state in set(outcome.cases["state"].tolist()):
        event(CaseState(state).name)


def test_what_is_said_about_a_run_differs_in_the_engine_alone() -> None:
    world = SCENARIOS["talkative"], DESKS["named"], busy(), 1
    one, other = dict(reference.run(*world).about), dict(compiled.run(*world).about)
    assert (one.pop("engine"), other.pop("engine")) == ("reference", "compiled")
    assert one == other


def test_a_trace_without_posts_is_a_quiet_day() -> None:
    outcome = run_both(scenario(), desk(people()), trace([], (0, 300)), seed=1)
    assert outcome.turns["case"].size == 0 and outcome.staff["agent"].size > 0


def retries() -> tuple[Any, Desk, Trace]:
    """Nobody is there, and everybody comes back again and again: far more turns than a trace lets expect."""
    again = [{"to": "same", "probability": 1.0, "delay_min": 0.05}]
    world = scenario(after_blocked=again, max_attempts=1000)
    rows = [{"minute": minute, "kind": "case", "case": None} for minute in range(1, 41)]
    return world, desk(heads((-1000, 0)), routing={"limits": [{"places": 0}]}), trace(rows, (0, 120))


def test_a_run_that_needs_more_room_than_expected_is_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    rooms = []

    class Watched(kernel_layout.Memory):
        def __init__(self, world: Any, room: int) -> None:
            rooms.append(room)
            super().__init__(world, room)

    monkeypatch.setattr(compiled, "Memory", Watched)
    monkeypatch.setattr(kernel_layout._SHELF, "tables", {})
    world, floor, posts = retries()
    outcome = run_both(world, floor, posts, seed=1)
    assert (outcome.turns["state"] == TurnState.BLOCKED).sum() > 30_000
    assert rooms == [1, 2, 4]


def test_the_share_done_is_reported_and_may_end_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiled, "STEP_ROWS", len(busy()) // 12)
    shares: list[float] = []
    compiled.run(SCENARIOS["talkative"], DESKS["named"], busy(), 1, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0 and len(shares) > 10

    def enough(share: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compiled.run(SCENARIOS["talkative"], DESKS["named"], busy(), 1, progress=enough)


def test_two_threads_do_not_meet() -> None:
    def play(seed: int) -> Outcome:
        return compiled.run(SCENARIOS["impatient"], DESKS["people read"], busy(), seed)

    alone = [play(seed).digest for seed in range(20)]
    with ThreadPoolExecutor(4) as threads:
        assert [outcome.digest for outcome in threads.map(play, range(20))] == alone


def youngest_number(agent: AgentView) -> float:
    return -agent.number


def test_a_policy_of_ones_own_is_refused_by_name() -> None:
    with pytest.raises(DeskError, match="the policy youngest_number is a function"):
        compiled.run(scenario(), desk(), busy(), 1, idle=youngest_number)


def test_more_overflow_rules_than_bits_are_refused() -> None:
    rules = [{"after_min": float(minute), "to_pools": ["all"]} for minute in range(63)]
    with pytest.raises(DeskError, match="63 overflow rules"):
        compiled.run(scenario(), desk(heads(), routing={"overflow": rules}), busy(), 1)


@pytest.mark.parametrize("play", [reference.run, compiled.run])
def test_both_refuse_a_language_that_nobody_speaks(play: Callable[..., Outcome]) -> None:
    with pytest.raises(DeskError, match="serves nobody in"):
        play(scenario(), desk(heads(languages=["en"])), busy(), 1)
