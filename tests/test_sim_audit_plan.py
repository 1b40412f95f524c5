"""The auditor finds what is wrong with a crisis: rows that break its plan, and plans that the rows do not follow."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from audited import changed, done, more, wrong
from small import agents, desk, post, scenario, trace

from scenarios.names import Topic, code
from sim import compiled
from sim.desk import Desk
from sim.outcome import CaseState, Outcome, PlanStep, TurnKind, TurnState
from sim.plan import Plan

pytestmark = pytest.mark.exact

FILTER, PROMISE, PINNED, CLOSED, STAY, LANE, BRIDGE, PARK = range(8)  # levers
STANDBY, DUTCH = range(2)  # rungs
PLAN: dict[str, Any] = {
    "name": "small",
    "interval_min": 15.0,
    "declaration_min": 15.0,
    "triggers": [{"signal": "backlog", "enter": 6.0, "leave": 1.0}],
    "levers": [
        {"name": "filter", "changes": "filter", "effect": 1.0, "false_positive": 1.0, "delay_s": 60.0},
        {
            "name": "rebooking first",
            "changes": "promise",
            "lead_min": 20.0,
            "classes": [
                {"name": "first", "when": {"topics": ["rebooking"]}, "promise_min": 5.0},
                {"name": "rest", "promise_min": 240.0},
            ],
        },
        {
            "name": "pinned answer",
            "changes": "arrivals",
            "effect": 0.5,
            "lead_min": 30.0,
            "contacts": {"topics": ["info"]},
            "returns": [{"to": "public", "probability": 0.3, "delay_min": 40.0}],
        },
        {"name": "closed", "changes": "arrivals", "effect": 1.0, "contacts": {"languages": ["de"]}},
        {"name": "stay", "changes": "heads", "effect": 1.0, "extend_h": 1.0},
        {"name": "lane", "changes": "overdue", "overdue": {"mode": "own_lane", "seats": 1}, "after_h": 0.75},
        {
            "name": "bridge",
            "changes": "overflow",
            "overflow": {"languages": ["nl"], "after_min": 20.0, "to_language": "en"},
        },
        {"name": "later", "changes": "park", "effect": 1.0, "contacts": {"topics": ["refund"]}},
    ],
    "ladder": [
        {
            "name": "standby",
            "groups": [{"heads": 2, "languages": ["en"]}],
            "lead_h": 0.5,
            "acceptance": 1.0,
            "max_h": 1.0,
            "rest_h": 0.5,
            "breaks": [{"after_h": 0.5, "minutes": 6.0}],
        },
        {
            "name": "dutch",
            "groups": [{"heads": 4, "languages": ["nl"]}],
            "when": [{"signal": "oldest_wait_min", "enter": 30.0, "leave": 10.0}],
            "lead_h": {"kind": "uniform", "low": 0.25, "high": 0.75},
            "acceptance": 0.5,
            "max_h": 2.0,
        },
    ],
}
WORLD = scenario(handling={"kind": "exponential", "mean": 11.0}, patience_h={"kind": "exponential", "mean": 6.0})
TOPICS = ("info", "rebooking", "refund", "care")
POSTS = trace(
    [
        post(minute, topic=TOPICS[minute // 3 % 4], language="nl" if minute % 15 == 0 else "en")
        if minute % 3 == 0
        else post(minute, "case" if minute % 25 == 0 else "chatter", topic="care", language="de")
        for minute in range(1, 420)
        if minute % 3 == 0 or minute % 7 == 0 or minute % 25 == 0
    ],
    (0.0, 720.0),
)


def planned(plan: dict[str, Any]) -> Desk:
    """A desk of three, with this plan."""
    return desk(
        agents("early", "mon 00:00-03:00", "mon 00:00-06:00", languages=["en", "nl"]),
        agents("late", "mon 05:00-12:00", languages=["en", "nl", "de"]),
        triage={"mode": "people", "reading_s": 30.0, "promise_min": 5.0},
        classes=[
            {"name": "soon", "when": {"topics": ["care"]}, "promise_min": 30.0},
            {"name": "rest", "promise_min": 120.0},
        ],
    ).with_plan(Plan.model_validate(plan))


@pytest.fixture(scope="module")
def crisis() -> Outcome:
    """Three crises in a day, in which every lever is on and both rungs are called."""
    outcome = compiled.run(WORLD, planned(PLAN), POSTS, 1)
    assert wrong(outcome, WORLD, planned(PLAN), POSTS) == []
    p = outcome.plan
    assert set(p["number"][p["step"] == PlanStep.LEVER_ON].tolist()) == set(range(8))
    assert np.count_nonzero(p["step"] == PlanStep.STOOD_DOWN) == 2 * np.count_nonzero(p["step"] == PlanStep.LEFT) > 2
    return outcome


# ---- rows that break the plan ---------------------------------------------------------------------------------


def times(o: Outcome, step: PlanStep, number: int) -> list[float]:
    """When a lever or a rung was switched."""
    at: list[float] = o.plan["time_s"][(o.plan["step"] == step) & (o.plan["number"] == number)].tolist()
    return at


def on(o: Outcome, lever: int, at: Any) -> Any:
    """Whether a lever is on."""
    spans = zip(times(o, PlanStep.LEVER_ON, lever), times(o, PlanStep.LEVER_OFF, lever), strict=True)
    return np.any([(a < at) & (at < b) for a, b in spans], axis=0)


def duty(o: Outcome, which: int) -> tuple[int, float]:
    """Row and beginning of a shift of the first agent on standby."""
    row = int(np.flatnonzero(o.shifts["agent"] == 3)[which])
    return row, float(o.shifts["start_s"][row])


def work_before_he_is_there(o: Outcome) -> Outcome:
    """The first turn of somebody called in is said to have begun before he came."""
    t, (_, begin) = o.turns, duty(o, 0)
    i = int(np.flatnonzero((t["agent"] == 3) & (t["start_s"] >= begin))[0])
    start = begin - 300.0
    queued = min(float(t["queued_s"][i]), start)
    return changed(o, "turns", queued_s=(i, queued), start_s=(i, start), wait_s=(i, start - queued))


def come_before_the_lead_is_over(o: Outcome) -> Outcome:
    row, begin = duty(o, 0)
    return changed(o, "shifts", start_s=(row, begin - 600.0), end_s=(row, begin + 3000.0))


def come_after_the_stand_down(o: Outcome) -> Outcome:
    row, _ = duty(o, -1)
    last = times(o, PlanStep.STOOD_DOWN, STANDBY)[-1]
    return more(o, "shifts", row, start_s=last + 1800.0, end_s=last + 5400.0)


def come_again_before_he_has_rested(o: Outcome) -> Outcome:
    row, begin = duty(o, 2)
    return changed(o, "shifts", start_s=(row, begin - 600.0), end_s=(row, begin + 3000.0))


def stay_at_home(o: Outcome) -> Outcome:
    """Somebody on standby, where all accept, does not come the first time."""
    row, begin = duty(o, 0)
    attended = np.flatnonzero((o.staff["agent"] == 3) & (o.staff["on_s"] < begin + 3600.0))
    o = changed(o, "shifts", agent=(row, 0))
    return changed(o, "staff", agent=(attended, 0))


def accept_fewer(o: Outcome) -> Outcome:
    called = np.flatnonzero((o.plan["step"] == PlanStep.CALLED) & (o.plan["number"] == DUTCH))
    return changed(o, "plan", heads=(called, 0))


def answer_who_was_kept_away(o: Outcome) -> Outcome:
    """A turn that was answered is said to be about a suppressed case."""
    case = int(np.flatnonzero(o.cases["state"] == CaseState.SUPPRESSED)[0])
    return changed(o, "turns", case=(int(done(o)[-1]), case))


def count_who_was_kept_away(o: Outcome) -> Outcome:
    case = int(np.flatnonzero(o.cases["state"] == CaseState.SUPPRESSED)[0])
    return changed(o, "cases", state=(case, CaseState.UNREAD))


def read_what_the_filter_reads(o: Outcome) -> Outcome:
    """A post that came while the filter was on is said to have been read, by somebody who read another."""
    passed = np.flatnonzero(on(o, FILTER, POSTS["time_s"]) & (POSTS["case"] >= 0))
    passed = np.setdiff1d(passed, o.suppressed["row"])
    i = int(np.flatnonzero(o.turns["kind"] == TurnKind.READING)[-1])
    return changed(o, "turns", post=(i, int(passed[0])))


def put_aside_what_people_read(o: Outcome) -> Outcome:
    i = int(np.flatnonzero(o.turns["kind"] == TurnKind.READING)[0])
    return changed(o, "turns", kind=(i, TurnKind.DISMISS))


def know_before_the_filter_has_passed_it(o: Outcome) -> Outcome:
    i = int(np.flatnonzero(on(o, FILTER, o.cases["posted_s"]) & np.isfinite(o.cases["seen_s"]))[0])
    return changed(o, "cases", seen_s=(i, o.cases["seen_s"][i] - 60.0))


def swap_by_the_promises_of_the_desk(o: Outcome) -> Outcome:
    """Two turns of the lever's promises are taken in the order in which the desk's would have had them."""
    t, due = o.turns, o.cases["due_s"]
    rows = np.flatnonzero((t["kind"] == TurnKind.ANSWER) & (t["state"] == TurnState.DONE))
    first, then = next(
        (i, j)
        for i in rows[on(o, PROMISE, t["queued_s"][rows])].tolist()
        for j in rows[on(o, PROMISE, t["queued_s"][rows])].tolist()
        if t["key_s"][i] < t["key_s"][j] and due[t["case"][i]] > due[t["case"][j]]
        if max(t["queued_s"][i], t["queued_s"][j]) < t["start_s"][i] < t["start_s"][j]
        if t["language"][i] == t["language"][j] == 0 and not on(o, LANE, t["start_s"][i])
    )
    both, other = [first, then], [then, first]
    start = t["start_s"][other]
    return changed(
        o,
        "turns",
        start_s=(both, start),
        end_s=(both, t["end_s"][other]),
        wait_s=(both, start - t["queued_s"][both]),
        agent=(both, t["agent"][other]),
    )


def keep_the_promises_of_the_desk(o: Outcome) -> Outcome:
    """Turns asked for under other promises are due by the desk's, as if the lever had not been on."""
    t = o.turns
    rows = np.flatnonzero((t["kind"] == TurnKind.ANSWER) & on(o, PROMISE, t["queued_s"]))
    return changed(o, "turns", key_s=(rows, o.cases["due_s"][t["case"][rows]]))


def measure_by_the_promises_of_the_lever(o: Outcome) -> Outcome:
    rows = np.flatnonzero(on(o, PROMISE, o.cases["posted_s"]))
    return changed(o, "cases", due_s=(rows, o.cases["posted_s"][rows] + 240 * 60.0))


def overflow_too_early(o: Outcome) -> Outcome:
    """A turn taken by the rule of a lever is said to have been queued ten minutes before, not twenty."""
    i = int(np.flatnonzero(o.turns["route"] >= 2)[0])
    return changed(o, "turns", queued_s=(i, o.turns["start_s"][i] - 600.0), wait_s=(i, 600.0))


def answer_what_is_put_aside(o: Outcome) -> Outcome:
    """A case whose turn was queued while its topic was parked."""
    t = o.turns
    rows = np.flatnonzero((t["kind"] == TurnKind.ANSWER) & on(o, PARK, t["queued_s"]))
    return changed(o, "cases", topic=(t["case"][rows[0]], code(Topic.REFUND)))


def put_aside_without_a_lever(o: Outcome) -> Outcome:
    i = int(np.flatnonzero(o.cases["state"] == CaseState.RESOLVED)[0])
    return changed(o, "cases", state=(i, CaseState.PARKED))


def go_when_all_stay(o: Outcome) -> Outcome:
    """The hour beyond the shift is left out."""
    begins = {(int(a), float(b)) for a, b in zip(o.shifts["agent"], o.shifts["end_s"], strict=True)}
    pairs = list(zip(o.shifts["agent"].tolist(), o.shifts["start_s"].tolist(), strict=True))
    row = next(i for i, pair in enumerate(pairs) if pair in begins)
    return changed(o, "shifts", start_s=(row, pairs[row][1] + 60.0))


def switch_a_lever_on_earlier(o: Outcome) -> Outcome:
    i = int(np.flatnonzero((o.plan["step"] == PlanStep.LEVER_ON) & (o.plan["number"] == PINNED))[0])
    return changed(o, "plan", time_s=(i, o.plan["time_s"][i] - 300.0))


def leave_the_crisis_later(o: Outcome) -> Outcome:
    rows = np.flatnonzero(o.plan["time_s"] == o.plan["time_s"][o.plan["step"] == PlanStep.LEFT][-1])
    return changed(o, "plan", time_s=(rows, o.plan["time_s"][rows] + 900.0))


def send_a_wrong_message(o: Outcome) -> Outcome:
    i = int(np.flatnonzero(o.plan["step"] == PlanStep.LEVER_OFF)[0])
    return changed(o, "plan", step=(i, PlanStep.WRONG))


ROWS: dict[Callable[[Outcome], Outcome], str] = {
    work_before_he_is_there: "work_is_done_by_those_who_can_and_are_there",
    come_before_the_lead_is_over: "who_was_called_comes_and_rests",
    come_after_the_stand_down: "who_was_called_comes_and_rests",
    come_again_before_he_has_rested: "who_was_called_comes_and_rests",
    stay_at_home: "who_was_called_comes_and_rests",
    accept_fewer: "who_was_called_comes_and_rests",
    answer_who_was_kept_away: "the_suppressed_are_out",
    count_who_was_kept_away: "the_suppressed_are_out",
    read_what_the_filter_reads: "posts_are_read",
    put_aside_what_people_read: "posts_are_read",
    know_before_the_filter_has_passed_it: "cases_become_known",
    swap_by_the_promises_of_the_desk: "keys_are_kept",
    keep_the_promises_of_the_desk: "keys_are_promises",
    measure_by_the_promises_of_the_lever: "classes_are_those_of_the_desk",
    overflow_too_early: "work_is_done_by_those_who_can_and_are_there",
    answer_what_is_put_aside: "what_is_put_aside_waits",
    put_aside_without_a_lever: "what_is_put_aside_waits",
    go_when_all_stay: "who_stays_longer_is_kept_by_a_lever",
    switch_a_lever_on_earlier: "levers_and_rungs_follow_the_plan",
    leave_the_crisis_later: "the_crisis_is_declared_by_its_signals",
    send_a_wrong_message: "messages_go_out",
}


@pytest.mark.parametrize("fault", ROWS, ids=lambda fault: fault.__name__)
def test_the_auditor_finds_rows_that_break_the_plan(fault: Callable[[Outcome], Outcome], crisis: Outcome) -> None:
    lines = wrong(fault(crisis), WORLD, planned(PLAN), POSTS)
    assert any(line.startswith(ROWS[fault]) for line in lines), lines


# ---- plans that the rows do not follow ------------------------------------------------------------------------

PLANS: list[tuple[str, Any, str]] = [
    ("interval_min", 5.0, "the_crisis_is_declared_by_its_signals"),
    ("declaration_min", 30.0, "the_crisis_is_declared_by_its_signals"),
    ("triggers.0.enter", 7.0, "the_crisis_is_declared_by_its_signals"),
    ("triggers.0.leave", 4.0, "the_crisis_is_declared_by_its_signals"),
    (f"levers.{PROMISE}.lead_min", 35.0, "levers_and_rungs_follow_the_plan"),
    (f"levers.{LANE}.after_h", 0.25, "levers_and_rungs_follow_the_plan"),
    (f"levers.{LANE}.when", [{"signal": "unread", "enter": 90.0, "leave": 1.0}], "levers_and_rungs_follow_the_plan"),
    (f"ladder.{DUTCH}.when", [{"signal": "backlog", "enter": 90.0, "leave": 1.0}], "levers_and_rungs_follow_the_plan"),
    (f"levers.{FILTER}.delay_s", 120.0, "posts_are_read"),
    (f"levers.{FILTER}.false_positive", 0.0, "posts_are_read"),
    (f"levers.{PROMISE}.classes.0.promise_min", 10.0, "keys_are_promises"),
    (f"levers.{PROMISE}.classes.0.when", {"topics": ["care"]}, "keys_are_promises"),
    (f"levers.{PINNED}.contacts", {"topics": ["care"]}, "levers_keep_away_whom_they_concern"),
    (f"levers.{PINNED}.posts", "chatter", "levers_keep_away_whom_they_concern"),
    (f"levers.{CLOSED}.contacts", {"languages": ["de", "nl"]}, "levers_keep_away_whom_they_concern"),
    (f"levers.{PINNED}.returns", [], "the_suppressed_are_out"),
    (f"levers.{PINNED}.returns.0.to", "same", "the_suppressed_are_out"),
    (f"levers.{PINNED}.wrong", {"probability": 1.0, "wave": 0.0}, "messages_go_out"),
    (f"levers.{STAY}.extend_h", 0.5, "who_stays_longer_is_kept_by_a_lever"),
    (f"levers.{STAY}.pools", ["late"], "who_stays_longer_is_kept_by_a_lever"),
    (f"levers.{LANE}.overdue", {"mode": "own_lane", "seats": 0}, "lanes_hold"),
    (f"levers.{LANE}.overdue", {"mode": "own_lane", "seats": 9}, "nobody_is_idle_while_a_turn_waits"),
    (f"levers.{BRIDGE}.overflow.after_min", 60.0, "work_is_done_by_those_who_can_and_are_there"),
    (f"levers.{BRIDGE}.overflow.after_min", 1.0, "keys_are_kept"),
    (f"levers.{PARK}.contacts", {"topics": ["refund", "care"]}, "what_is_put_aside_waits"),
    (f"ladder.{STANDBY}.max_h", 1.5, "shifts_are_those_of_the_roster"),
    (f"ladder.{STANDBY}.rest_h", 0.75, "who_was_called_comes_and_rests"),
    (f"ladder.{STANDBY}.lead_h", 0.75, "who_was_called_comes_and_rests"),
    (f"ladder.{STANDBY}.for_h", 0.75, "who_was_called_comes_and_rests"),
    (f"ladder.{DUTCH}.acceptance", 1.0, "who_was_called_comes_and_rests"),
    (f"ladder.{STANDBY}.breaks", [], "attendance_follows_the_roster"),
    (f"ladder.{STANDBY}.groups.0.languages", ["de"], "work_is_done_by_those_who_can_and_are_there"),
    (f"ladder.{DUTCH}.reads", False, "work_is_done_by_those_who_can_and_are_there"),
]


def with_another(place: str, value: Any) -> dict[str, Any]:
    """The plan with another value in one place."""
    plan = copy.deepcopy(PLAN)
    *way, last = (int(key) if key.isdigit() else key for key in place.split("."))
    at: Any = plan
    for key in way:
        at = at[key]
    at[last] = value
    return plan


@pytest.mark.parametrize(("place", "value", "check"), PLANS, ids=[f"{place}-{check}" for place, _, check in PLANS])
def test_the_auditor_finds_plans_that_the_rows_do_not_follow(
    place: str, value: Any, check: str, crisis: Outcome
) -> None:
    lines = wrong(crisis, WORLD, planned(with_another(place, value)), POSTS)
    assert any(line.startswith(check) for line in lines), lines


# ---- what the engines do wrong --------------------------------------------------------------------------------

ALWAYS = {"signal": "posts_per_h", "enter": 1.0, "leave": 0.0}


def test_whoever_stays_longer_does_not_work_at_a_dark_site() -> None:
    # The shift ends at 60, the lever would keep him to 120, the site is dark from 75 on: he goes.
    stay = {"name": "stay", "changes": "heads", "effect": 1.0, "extend_h": 1.0}
    plan = {"name": "stay", "interval_min": 5.0, "declaration_min": 0.0, "triggers": [ALWAYS], "levers": [stay]}
    floor = desk(agents("a", "mon 00:00-01:00", site="A")).with_plan(Plan.model_validate(plan))
    world = scenario(faults=[{"kind": "site_dark", "from_h": 1.25, "to_h": 3.0, "sites": ["A"]}])
    posts = trace([post(minute) for minute in range(2, 120, 4)])
    assert wrong(compiled.run(world, floor, posts, 1), world, floor, posts) == []


def test_a_break_with_which_the_time_of_a_rung_ends_is_refused() -> None:
    rung = {
        "name": "standby",
        "groups": [{"heads": 1, "languages": ["en"]}],
        "max_h": 1.0,
        "breaks": [{"after_h": 0.5, "minutes": 30.0}],
    }
    with pytest.raises(ValueError, match="lower max_h instead"):
        Plan.model_validate({"name": "call", "triggers": [ALWAYS], "ladder": [rung]})
