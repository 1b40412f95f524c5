"""What breaks, and the phone line in front, on days of a few posts."""

from __future__ import annotations

from typing import Any

import pytest
from small import agents, case, desk, extra, play, pool, post, scenario, starts, states, taken_by, trace, turns

from scenarios.names import Platform, Visibility, code
from sim import reference
from sim.outcome import CaseState, Outcome, TurnKind, TurnState

pytestmark = pytest.mark.exact

INF = float("inf")
LAST_TURN: dict[str, Any] = {"turns": [0.0, 1.0]}


def fault(kind: str, from_min: float, to_min: float, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "from_h": from_min / 60, "to_h": to_min / 60, **more}


def staff(outcome: Outcome) -> list[tuple[int, float, float]]:
    s = outcome.staff
    return [(int(a), float(x) / 60, float(y) / 60) for a, x, y in zip(s["agent"], s["on_s"], s["off_s"], strict=True)]


# ---- the customer system ---------------------------------------------------------------------------


def test_work_that_starts_while_the_customer_system_is_slow_takes_longer() -> None:
    world = scenario(faults=[fault("crm", 15, 45, factor=2.0), fault("crm", 30, 90, factor=1.5)])
    outcome = play([post(n) for n in (14, 15, 30, 45, 90)], desk(pool(heads=9)), world)
    assert [t.end - t.start for t in turns(outcome)] == [10, 20, 30, 15, 10]


def test_reading_does_not_need_the_customer_system() -> None:
    world = scenario(faults=[fault("crm", 0, 60, factor=2.0)])
    outcome = play([post(0)], desk(triage={"mode": "people", "reading_s": 60.0}), world)
    assert [t.end for t in turns(outcome)] == [1, 21]


def test_while_the_customer_system_is_down_a_follow_up_opens_a_case_of_its_own() -> None:
    world = scenario(faults=[fault("crm", 15, 45, factor=1.0, duplicates=1.0)])
    posts = [post(0), post(14, "follow_up", case=0), post(30, "follow_up", case=0)]
    outcome = play(posts, desk(), world)
    assert [(t.case, t.k, t.queued, t.end) for t in turns(outcome)] == [(0, 0, 0, 10), (0, 1, 14, 18), (1, 0, 30, 34)]
    double = case(outcome, 1)
    assert (double.row, double.origin, double.posted, double.turns) == (-1, 0, 30, 1)
    assert extra(outcome) == []  # the trace holds the post


def test_a_share_of_the_follow_ups_opens_a_case_of_its_own() -> None:
    # Five errors of sqrt(300 * 0.3 * 0.7) = 7.9 are 40.
    world = scenario(handling=0.1, extra_turn_min=0.1, faults=[fault("crm", 300, 600, factor=1.0, duplicates=0.3)])
    posts = [post(n) for n in range(300)] + [post(300 + n / 2, "follow_up", case=n) for n in range(300)]
    assert play(posts, desk(), world).cases["row"].size - 300 == pytest.approx(90, abs=40)


# ---- a platform held -------------------------------------------------------------------------------


def test_posts_of_a_held_platform_are_seen_at_one_instant_in_the_order_of_the_trace() -> None:
    world = scenario(faults=[fault("platform_held", 5, 60, platforms=["x"])])
    posts = [post(4), post(6, platform="facebook"), post(7), post(8, "follow_up", case=2), post(9)]
    outcome = play(posts, desk(pool(heads=2)), world)
    assert [(t.case, t.queued, t.key, t.start, t.agent) for t in turns(outcome)] == [
        (0, 4, 64, 4, 0),
        (1, 6, 66, 6, 1),
        (2, 60, 67, 60, 0),
        (3, 60, 69, 60, 1),
    ]


def test_what_is_released_at_once_is_taken_by_key_and_never_blocked() -> None:
    # Case 1 is urgent: though case 0 comes first out of the trace, the only head takes case 1.
    classes = [
        {"name": "urgent", "when": {"topics": ["care"]}, "promise_min": 5.0},
        {"name": "rest", "promise_min": 60.0},
    ]
    world = scenario(faults=[fault("platform_held", 0, 30, platforms=["x"])])
    floor = desk(classes=classes, routing={"limits": [{"places": 0}]})
    assert starts(play([post(0), post(1, topic="care")], floor, world)) == [40, 30]


def test_a_platform_held_twice_is_seen_when_the_last_hold_ends() -> None:
    holds = [fault("platform_held", 0, 15, platforms=["x"]), fault("platform_held", 10, 30, platforms=["vk", "x"])]
    posts = [post(1), post(12, platform="vk"), post(13), post(20)]
    outcome = play(posts, desk(pool(heads=9)), scenario(faults=holds))
    assert [(t.case, t.queued) for t in turns(outcome)] == [(0, 30), (1, 30), (2, 30), (3, 30)]


def test_a_message_out_of_a_hold_goes_to_the_agent_who_knows_the_case() -> None:
    # The second message of case 0 is released at 30, while its customer is to think until 50.
    world = scenario(**LAST_TURN, think_min=45.0, faults=[fault("platform_held", 20, 30, platforms=["x"])])
    floor = desk(pool(heads=2), routing={"sticky_min": 60.0, "idle": ["longest_idle"]})
    outcome = play([post(0), post(25, "follow_up", case=0)], floor, world)
    assert [(t.k, t.queued, t.key, t.start, t.agent, t.route) for t in turns(outcome)] == [
        (0, 0, 60, 0, 0, 0),
        (1, 30, 85, 30, 0, -2),
    ]


def test_what_is_still_held_at_the_end_is_parked() -> None:
    world = scenario(faults=[fault("platform_held", 0, 900, platforms=["x"])])
    posts = [post(0), post(1, platform="vk"), post(2, "follow_up", case=0, platform="vk"), post(3)]
    # The follow-up on another platform finds case 0 before its own post is seen.
    assert states(play(posts, desk(), world)) == [CaseState.RESOLVED, CaseState.RESOLVED, CaseState.PARKED]


# ---- the payment provider --------------------------------------------------------------------------


def test_turns_that_need_the_payment_provider_take_longer_while_it_is_slow() -> None:
    world = scenario(faults=[fault("payment", 0, 60, factor=1.5)])
    outcome = play(
        [post(0, topic="payment"), post(0, topic="info"), post(60, topic="payment")], desk(pool(heads=3)), world
    )
    assert [t.end - t.start for t in turns(outcome)] == [15, 10, 10]


def test_a_payment_that_fails_costs_one_turn_more() -> None:
    # Tried at 10, 29 and 48, when the provider is down, and at 67, when it works: each try takes 4 minutes.
    world = scenario(payment_share=1.0, payment_eur=80.0, faults=[fault("payment", 0, 60, fails=1.0)])
    outcome = play([post(0, topic="payment")], desk(), world)
    assert [(t.k, t.queued, t.end) for t in turns(outcome)] == [(0, 0, 10), (1, 25, 29), (2, 44, 48), (3, 63, 67)]
    assert outcome.cases["pay_eur"].tolist() == [80.0]


# ---- people ----------------------------------------------------------------------------------------


def test_at_a_dark_site_nobody_works_and_what_was_in_hand_is_handed_back() -> None:
    # One agent of the dark site works on in his own time, one is at the desk; the other site goes on.
    world = scenario(faults=[fault("site_dark", 15, 60, sites=["A"])])
    floor = desk(
        agents("a", "mon 00:00-00:12", "mon 00:00-08:00", site="A"),
        pool("heads", site="A"),
        pool("b", site="B"),
    )
    outcome = play([post(9), post(10), post(11), post(12), post(13)], floor, world)
    assert [(t.case, t.agent, t.start, t.end, t.state) for t in turns(outcome)] == [
        (0, 0, 9, 15, TurnState.HANDED_BACK),
        (1, 1, 10, 15, TurnState.HANDED_BACK),
        (2, 2, 11, 15, TurnState.HANDED_BACK),
        (3, 3, 12, 22, TurnState.DONE),
        (4, 3, 37, 47, TurnState.DONE),
        (0, 3, 22, 26, TurnState.DONE),
        (1, 3, 26, 31, TurnState.DONE),
        (2, 3, 31, 37, TurnState.DONE),
    ]
    assert [row for row in staff(outcome) if row[0] < 3] == [
        (0, 0, 15),
        (1, 0, 15),
        (1, 60, 480),
        (2, 0, 15),
        (2, 60, 600),
    ]


def test_a_share_of_the_shifts_that_start_in_the_window_is_missed() -> None:
    # Five errors of sqrt(200 / 4) = 7.1 are 35.
    people = ["mon 01:00-05:00"] * 200 + ["mon 02:00-05:00"]
    world = scenario(faults=[fault("staff_absent", 60, 120, share=0.5)])
    outcome = play([], desk(agents("a", *people)), world)
    assert staff(outcome)[-1] == (200, 120, 300)
    assert outcome.staff["agent"].size - 1 == pytest.approx(100, abs=35)


def test_staff_may_come_late() -> None:
    world = scenario(faults=[fault("staff_absent", 0, 60, share=1.0, late_h=0.5, sites=["A"])])
    floor = desk(agents("a", "mon 00:30-02:00", site="A"), agents("b", "mon 00:30-02:00", site="B"))
    assert staff(play([], floor, world)) == [(0, 60, 120), (1, 30, 120)]


def test_of_a_head_count_pool_the_share_of_heads_is_missing() -> None:
    world = scenario(faults=[fault("staff_absent", 60, 120, share=0.5)])
    outcome = play([], desk(pool(heads=5)), world)  # 2.5 heads are 3
    assert staff(outcome) == [
        (0, 0, 600),
        (1, 0, 600),
        (2, 0, 600),
        (3, 0, 60),
        (3, 120, 600),
        (4, 0, 60),
        (4, 120, 600),
    ]


# ---- no answer, new rules --------------------------------------------------------------------------


def test_cases_without_an_answer_are_parked_and_queued_at_one_instant() -> None:
    world = scenario(patience_h=0.5, faults=[fault("no_answer", 10, 90, topics=["care"])])
    posts = [post(9, topic="care"), post(11, topic="care"), post(12), post(13, topic="care")]
    outcome = play(posts, desk(pool(heads=9)), world)
    assert [(t.case, t.queued, t.key, t.start) for t in turns(outcome)] == [
        (0, 9, 69, 9),
        (2, 12, 72, 12),
        (1, 90, 71, 90),
        (3, 90, 73, 90),
    ]
    assert case(outcome, 1).seen == 11


def test_a_follow_up_of_a_parked_case_is_merged() -> None:
    world = scenario(faults=[fault("no_answer", 0, 30, topics=["care"])])
    outcome = play([post(0, topic="care"), post(10, "follow_up", case=0)], desk(), world)
    assert [(t.k, t.queued, t.end) for t in turns(outcome)] == [(0, 30, 40)]


def test_cases_parked_twice_wait_for_the_second_release_and_to_the_end_if_there_is_none() -> None:
    both = [fault("no_answer", 0, 30, topics=["care"]), fault("no_answer", 20, 60, topics=["care", "refund"])]
    posts = [post(25, topic="refund"), post(26, topic="care")]
    outcome = play([post(1, topic="care"), *posts], desk(pool(heads=3)), scenario(faults=both))
    assert [(t.case, t.queued) for t in turns(outcome)] == [(0, 60), (1, 60), (2, 60)]
    world = scenario(faults=[fault("no_answer", 0, 900, topics=["care"])])
    assert states(play([post(0, topic="care")], desk(), world)) == [CaseState.PARKED]


def test_a_share_of_what_was_resolved_comes_back_when_the_rules_change() -> None:
    # Resolved at 10, 100 and 110; only what was resolved within the last hour comes back.
    change = {"kind": "rule_change", "at_h": 2.0, "back_h": 1.0, "wrong_share": 1.0, "delay_h": 0.5}
    outcome = play([post(0), post(90), post(95)], desk(), scenario(faults=[change]))
    assert [(t.case, t.k, t.queued) for t in turns(outcome)][3:] == [(1, 1, 150), (2, 1, 150)]
    # 0.5 of 200: five errors of sqrt(200 / 4) = 7.1 are 35.
    change = {**change, "back_h": 24.0, "wrong_share": 0.5}
    outcome = play([post(n / 2) for n in range(200)], desk(), scenario(handling=0.1, faults=[change]))
    assert int(outcome.cases["reopened"].sum()) == pytest.approx(100, abs=35)


def test_a_change_of_the_rules_does_not_put_off_who_comes_back_anyway() -> None:
    # On its own the case, resolved at 10, comes back at 130; over the rules it would at 360.
    change = {"kind": "rule_change", "at_h": 1.0, "wrong_share": 1.0, "delay_h": 5.0}
    world = scenario(reopening={"probability": 1.0, "delay_h": 2.0}, faults=[change])
    outcome = play([post(0)], desk(), world, window_min=(0, 200))
    assert [t.queued for t in turns(outcome)] == [0, 130]


def test_faults_before_the_window_are_over_and_those_across_its_start_are_on() -> None:
    faults = [
        {"kind": "rule_change", "at_h": -5.0, "wrong_share": 1.0},
        fault("crm", -300, -120, factor=9.0),
        fault("crm", -120, 30, factor=2.0),
        fault("site_dark", -90, 20, sites=["A"]),
        fault("platform_held", -500, -60, platforms=["x"]),
    ]
    outcome = play([post(-60), post(40)], desk(pool(site="A")), scenario(faults=faults), window_min=(-60, 100))
    assert [(t.start, t.end) for t in turns(outcome)] == [(20, 40), (40, 50)]


# ---- the phone -------------------------------------------------------------------------------------


def phone(lines: int, people: int, **more: Any) -> dict[str, Any]:
    quick = {"handling_min": 10.0, "patience_min": 5.0}
    return {"calls_per_h": 1.0, "lines": lines, "agents": people, **quick, **more}


def calls(posts: list[dict[str, Any]], line: dict[str, Any], floor: Any = None) -> Outcome:
    return play(posts, floor, scenario(phone=line))


def test_calls_find_a_line_and_an_agent_or_wait_or_are_blocked() -> None:
    outcome = calls([post(n, "call") for n in (0, 6, 7, 20)], phone(2, 1))
    assert [(t.kind, t.post, t.start, t.end, t.wait, t.state) for t in turns(outcome)] == [
        (TurnKind.CALL, 0, 0, 10, 0, TurnState.DONE),
        (TurnKind.CALL, 1, 10, 20, 4, TurnState.DONE),
        (TurnKind.CALL, 2, INF, 7, 0, TurnState.BLOCKED),
        (TurnKind.CALL, 3, 20, 30, 0, TurnState.DONE),
    ]
    assert outcome.cases["row"].size == 0 and outcome.about["calls"] == 4 and outcome.about["mentions"] == 0


def test_callers_hang_up_when_their_patience_ends() -> None:
    outcome = calls([post(0, "call"), post(2, "call"), post(5, "call")], phone(9, 1))
    assert [(t.end, t.wait, t.state) for t in turns(outcome)] == [
        (10, 0, TurnState.DONE),
        (7, 5, TurnState.ABANDONED),
        (20, 5, TurnState.DONE),  # the agent is free at the instant when the patience ends
    ]


def test_callers_call_again_but_not_for_ever() -> None:
    same = [{"to": "same", "probability": 1.0, "delay_min": 1.0}]
    outcome = calls([post(0, "call"), post(1, "call")], phone(1, 1, on_blocked=same, max_attempts=3))
    assert [(t.post, t.k, t.queued, t.state) for t in turns(outcome)] == [
        (0, 0, 0, TurnState.DONE),
        (1, 0, 1, TurnState.BLOCKED),
        (1, 1, 2, TurnState.BLOCKED),
        (1, 2, 3, TurnState.BLOCKED),
    ]


def test_callers_who_fail_write_and_their_posts_are_counted_apart() -> None:
    line = phone(
        2,
        1,
        on_blocked=[{"to": "whatsapp", "probability": 1.0, "delay_min": 3.0}],
        on_abandoned=[{"to": "public", "probability": 1.0, "delay_min": 4.0}],
    )
    triage = {"mode": "people", "reading_s": 60.0}
    posts = [post(0, "call"), post(2, "call", visibility="private"), post(3, "call", departure_h=2.0)]
    outcome = calls(posts, line, desk(triage=triage))
    assert extra(outcome) == [(6, 0, 3), (11, 1, 3)]
    blocked, tired = case(outcome, 0), case(outcome, 1)
    assert (blocked.row, blocked.origin, blocked.posted, blocked.departure) == (-1, 2, 6, 3 + 120)
    assert (blocked.platform, blocked.visibility) == (code(Platform.WHATSAPP), code(Visibility.PRIVATE))
    assert (tired.origin, tired.posted, tired.visibility) == (1, 11, code(Visibility.PUBLIC))
    assert [t.end for t in turns(outcome, TurnKind.READING)] == [7, 18]
    assert states(outcome) == [CaseState.RESOLVED, CaseState.RESOLVED]
    assert outcome.about["mentions"] == 0


def test_callers_may_write_where_nobody_looks() -> None:
    line = phone(0, 0, on_blocked=[{"to": "whatsapp", "probability": 1.0, "delay_min": 3.0}])
    outcome = calls([post(0, "call")], line, desk(platforms=["x"]))
    assert (extra(outcome), states(outcome)) == ([(3, 0, 3)], [CaseState.UNREAD])


def test_a_run_drains_for_callers_who_will_try_again() -> None:
    line = phone(0, 0, on_blocked=[{"to": "x", "probability": 1.0, "delay_min": 100.0}])
    outcome = play([post(0, "call")], desk(), scenario(phone=line), window_min=(0, 60), drain_min=600)
    assert states(outcome) == [CaseState.RESOLVED]


def test_all_faults_together_leave_every_case_in_one_state() -> None:
    faults = [
        fault("crm", 0, 200, factor=1.5, duplicates=0.5),
        fault("crm", 100, 300, factor=1.1, duplicates=0.2),
        fault("platform_held", 50, 90, platforms=["x"]),
        fault("payment", 0, 300, factor=1.3, fails=0.5),
        fault("site_dark", 120, 150, sites=[""]),
        fault("staff_absent", 200, 300, share=0.5),
        fault("no_answer", 30, 140, topics=["info"]),
        {"kind": "rule_change", "at_h": 3.0, "wrong_share": 0.5},
    ]
    posts = [post(n, topic=("info", "payment", "rebooking")[n % 3]) for n in range(120)]
    posts += [post(120 + n, "follow_up", case=n) for n in range(60)]
    world = scenario(handling=3.0, faults=faults, patience_h=1.0, silent_share=0.5)
    outcome = reference.run(world, desk(pool(heads=3)), trace(posts), seed=1)
    assert len(states(outcome)) == outcome.cases["row"].size >= 120
    assert taken_by(outcome) == taken_by(reference.run(world, desk(pool(heads=3)), trace(posts), seed=1))
