"""Rules 7 and 9 on days of a few posts: patience, what follows it, conversations, the end of the run."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from small import case, desk, extra, play, pool, post, scenario, starts, states, turns

from scenarios.names import Platform, Sentiment, Visibility, code
from sim.outcome import CaseState, TurnKind, TurnState

pytestmark = pytest.mark.exact

INF = float("inf")
NOBODY = desk(pool(steps=[(0, 0)]))
RECONTACTED, ESCALATED, SWITCHED, FROM_PHONE = range(4)


def late(minute: float, heads: int = 1, **more: Any) -> Any:
    return desk(pool(steps=[(0, 0), (minute, heads)]), **more)


def again(to: str = "same", delay_min: float = 20.0, probability: float = 1.0) -> list[dict[str, Any]]:
    return [{"to": to, "probability": probability, "delay_min": delay_min}]


# ---- patience --------------------------------------------------------------------------------------


def test_whose_patience_ends_leaves_the_queue_and_says_so() -> None:
    outcome = play([post(0)], NOBODY, scenario(patience_h=0.5))
    assert [(t.end, t.wait, t.state) for t in turns(outcome)] == [(30, 30, TurnState.ABANDONED)]
    first = case(outcome, 0)
    assert (first.state, first.left, first.attempts) == (CaseState.GAVE_UP, 30, 1)


def test_each_wait_has_a_patience_of_its_own() -> None:
    # Exponential patience: the three waits of a case have three lengths, another case has others.
    law = {"kind": "exponential", "mean": 0.5}
    world = scenario(patience_h=law, after_abandoned=again(), max_attempts=3)
    outcome = play([post(0), post(0)], NOBODY, world)
    waits = [t.wait for t in turns(outcome)]
    assert len(waits) == 6 and len(set(waits)) == 6
    assert all(t.state is TurnState.ABANDONED for t in turns(outcome))


def test_patience_does_not_run_while_a_turn_is_in_hand() -> None:
    outcome = play([post(0)], desk(), scenario(handling=60.0, patience_h=0.5))
    assert states(outcome) == [CaseState.RESOLVED]


def test_silent_leavers_stay_in_the_queue_and_cost_a_share_of_the_work() -> None:
    world = scenario(patience_h=0.5, silent_share=1.0, silent_cost=0.6)
    outcome = play([post(0), post(35)], late(40), world)
    assert [(t.case, t.left, t.start, t.end, t.state) for t in turns(outcome)] == [
        (0, 30, 40, 46, TurnState.GHOST),
        (1, INF, 46, 56, TurnState.DONE),
    ]
    gone = case(outcome, 0)
    assert (gone.state, gone.left, gone.turns, gone.work) == (CaseState.SILENT, 30, 1, 6)
    assert (gone.first_start, gone.first_reply, gone.closed) == (40, 46, INF)  # the desk has answered all the same


def test_a_share_leaves_without_a_sign() -> None:
    # Five errors of sqrt(300 * 0.71 * 0.29) = 7.9 are 39.
    outcome = play([post(0)] * 300, NOBODY, scenario(patience_h=0.5, silent_share=0.71))
    assert states(outcome).count(CaseState.SILENT) == pytest.approx(213, abs=39)
    assert states(outcome).count(CaseState.GAVE_UP) == 300 - states(outcome).count(CaseState.SILENT)


# ---- turning elsewhere -----------------------------------------------------------------------------


def test_who_gave_up_may_come_back_on_the_same_channel() -> None:
    outcome = play([post(0)], late(60), scenario(patience_h=0.5, after_abandoned=again()))
    assert [(t.k, t.queued, t.key, t.start) for t in turns(outcome)] == [(0, 0, 60, INF), (0, 50, 110, 60)]
    assert extra(outcome) == [(50, 0, RECONTACTED)]
    back = case(outcome, 0)
    assert (back.state, back.attempts, back.recontacts, back.left) == (CaseState.RESOLVED, 1, 1, 30)


def test_who_is_blocked_may_come_back_too_and_the_lists_differ() -> None:
    world = scenario(patience_h=0.5, after_blocked=again(delay_min=7.0))
    outcome = play([post(0), post(1)], desk(routing={"limits": [{"places": 0}]}), world)
    assert [(t.case, t.queued, t.state) for t in turns(outcome)] == [
        (0, 0, TurnState.DONE),
        (1, 1, TurnState.BLOCKED),
        (1, 8, TurnState.BLOCKED),
        (1, 15, TurnState.DONE),
    ]


def test_nobody_comes_back_more_often_than_he_may() -> None:
    world = scenario(patience_h=0.5, after_abandoned=again(delay_min=1.0), max_attempts=3)
    outcome = play([post(0)], NOBODY, world)
    assert [t.queued for t in turns(outcome)] == [0, 31, 62]
    assert (case(outcome, 0).attempts, case(outcome, 0).recontacts) == (3, 2)


def test_attempts_count_anew_for_the_next_turn() -> None:
    # Two attempts for the first turn, two for the second: with at most two none of the four is too many.
    world = scenario(turns=[0.0, 1.0], patience_h=0.5, after_abandoned=again(delay_min=10.0), max_attempts=2)
    floor = desk(pool(steps=[(0, 0), (45, 1), (46, 0), (95, 0), (110, 1)]))
    outcome = play([post(0)], floor, world)
    assert [(t.k, t.queued, t.state) for t in turns(outcome)] == [
        (0, 0, TurnState.ABANDONED),
        (0, 40, TurnState.DONE),
        (1, 65, TurnState.ABANDONED),
        (1, 105, TurnState.DONE),
    ]
    assert case(outcome, 0).attempts == 1


def test_an_escalation_is_public_and_negative() -> None:
    routing = {"limits": [{"places": 0, "visibility": "private"}]}
    floor = desk(pool(steps=[(0, 0), (60, 1)]), routing=routing)
    outcome = play([post(0, visibility="private")], floor, scenario(after_blocked=again("public")))
    assert extra(outcome) == [(20, 0, ESCALATED)]
    loud = case(outcome, 0)
    assert (loud.visibility, loud.sentiment) == (code(Visibility.PUBLIC), code(Sentiment.NEGATIVE))
    assert (loud.escalated, loud.state) == (True, CaseState.RESOLVED)


def test_the_class_of_a_case_stays_whatever_becomes_of_it() -> None:
    classes = [
        {"name": "apart", "when": {"visibility": "private"}, "promise_min": 5.0},
        {"name": "rest", "promise_min": 60.0},
    ]
    world = scenario(patience_h=0.5, after_abandoned=again("public"))
    outcome = play([post(0, visibility="private")], late(60, classes=classes), world)
    assert [(t.queued, t.key) for t in turns(outcome)] == [(0, 5), (50, 55)]


def test_who_comes_back_after_giving_up_is_free_for_all() -> None:
    # Agent 0 has answered at first, and leads the queue again from 25 on with case 1; agent 1 comes at 66.
    world = scenario(
        turns=[0.0, 1.0], patience_h=0.5, after_abandoned=again(), handling_min={"default": 10.0, "care": 300.0}
    )
    floor = desk(pool(steps=[(0, 1), (66, 2)]), routing={"sticky_min": 240.0})
    outcome = play([post(0), post(5, topic="care")], floor, world)
    mine = turns(outcome, where=lambda t: t.case == 0)
    assert [(t.k, t.queued, t.start, t.agent) for t in mine] == [(0, 0, 0, 0), (1, 20, INF, -1), (1, 70, 70, 1)]


def test_a_switch_of_platform_goes_to_the_kind_of_channel_usual_there() -> None:
    world = scenario(patience_h=0.5, after_abandoned=again("whatsapp"))
    outcome = play([post(0, platform="x")], late(60), world)
    assert extra(outcome) == [(50, 0, SWITCHED)]
    moved = case(outcome, 0)
    assert (moved.platform, moved.visibility) == (code(Platform.WHATSAPP), code(Visibility.PRIVATE))
    assert moved.state is CaseState.RESOLVED


def test_who_switches_to_where_the_desk_does_not_look_is_lost() -> None:
    world = scenario(patience_h=0.5, after_abandoned=again("whatsapp"))
    outcome = play([post(0, platform="x")], late(60, platforms=["x"]), world, drain_min=600)
    assert extra(outcome) == [(50, 0, SWITCHED)]
    assert states(outcome) == [CaseState.GAVE_UP]
    assert outcome.about["end_s"] == 600 * 60  # nothing waits: no need to run on


def test_who_turns_to_the_phone_writes_no_post() -> None:
    outcome = play([post(0)], late(60), scenario(patience_h=0.5, after_abandoned=again("phone")))
    assert (extra(outcome), states(outcome), case(outcome, 0).recontacts) == ([], [CaseState.GAVE_UP], 0)


def test_a_post_written_again_is_read_where_people_read() -> None:
    triage = {"mode": "people", "reading_s": 60.0, "promise_min": 10.0}
    floor = desk(pool(steps=[(0, 1), (1.5, 0), (60, 1)]), triage=triage, routing={"limits": [{"places": 0}]})
    # The opener is read by minute 2, when nobody is free: blocked, and back at 22. Read from 60 to 61.
    outcome = play([post(1)], floor, scenario(after_blocked=again()))
    assert [(t.kind, t.post, t.queued, t.key, t.start, t.state) for t in turns(outcome)] == [
        (TurnKind.READING, 0, 1, 11, 1, TurnState.DONE),
        (TurnKind.ANSWER, -1, 2, 61, INF, TurnState.BLOCKED),
        (TurnKind.READING, -1, 22, 32, 60, TurnState.DONE),
        (TurnKind.ANSWER, -1, 61, 82, 61, TurnState.DONE),
    ]


# ---- writing again while waiting -------------------------------------------------------------------


def impatient(separate: float = 0.0, probability: float = 0.9, **more: Any) -> Any:
    rule = {"after_h": 1.0, "probability": probability, "gap_min": 20.0, "separate_share": separate, "extra_work": 0.1}
    return scenario(recontact=rule, **more)


def test_whoever_waits_long_writes_again_and_again_and_adds_to_the_work() -> None:
    # One hour and a gap, then gap after gap until 135, if chance wills: seed 2 wills.
    outcome = play([post(0)], late(135), impatient(), seed=2)
    assert extra(outcome) == [(80, 0, RECONTACTED), (100, 0, RECONTACTED), (120, 0, RECONTACTED)]
    (turn,) = turns(outcome)
    assert (turn.key, turn.start) == (60, 135)
    assert turn.end - turn.start == pytest.approx(10 * 1.3, rel=1e-12)
    assert case(outcome, 0).recontacts == 3


def test_writing_again_is_a_chance_each_time() -> None:
    # 400 cases wait 95 minutes: a chance of a half each for the posts of minute 80 and 100 of their wait.
    # Five errors of sqrt(400 / 4) = 10 are 50.
    outcome = play([post(0)] * 400, NOBODY, impatient(probability=0.5), window_min=(0, 115))
    times = [minute for minute, _, _ in extra(outcome)]
    assert times.count(80) == pytest.approx(200, abs=50)
    assert times.count(100) == pytest.approx(100, abs=45)
    assert set(times) == {80, 100}


def test_nobody_writes_again_within_the_first_hour_or_once_the_turn_is_in_hand() -> None:
    assert extra(play([post(0)], late(79), impatient(handling=60.0), seed=2)) == []


def test_a_post_apart_is_a_case_of_its_own_with_one_turn() -> None:
    outcome = play([post(0, language="en", topic="care")], late(81), impatient(separate=1.0), seed=2)
    assert states(outcome) == [CaseState.RESOLVED, CaseState.RESOLVED]
    new = case(outcome, 1)
    assert (new.row, new.origin, new.posted, new.due, new.topic) == (-1, 0, 80, 140, case(outcome, 0).topic)
    assert (new.turns, new.work) == (1, 4)
    assert extra(outcome) == [(80, 1, RECONTACTED)]
    assert case(outcome, 0).work == 10


def test_a_post_that_joins_is_read_and_then_put_with_the_case() -> None:
    triage = {"mode": "people", "reading_s": 60.0, "promise_min": 10.0}
    pools = [pool("reads", topics=["refund"]), pool("answers", reads=False, steps=[(0, 0), (90, 1)])]
    topics = ["info", "rebooking", "baggage", "checkin", "payment", "care", "assistance", "lost_item", "complaint"]
    groups = {"refund": ["refund"], "rest": [*topics, "praise"]}
    outcome = play([post(0)], desk(*pools, triage=triage, routing={"topic_groups": groups}), impatient(), seed=2)
    reading = turns(outcome, TurnKind.READING)
    assert [(t.case, t.post, t.queued, t.end) for t in reading] == [(-1, 0, 0, 1), (-1, -1, 81, 82)]
    (turn,) = turns(outcome, TurnKind.ANSWER)
    assert turn.end - turn.start == pytest.approx(11, rel=1e-12)


# ---- conversations ---------------------------------------------------------------------------------


def test_the_turns_of_a_case_share_its_work() -> None:
    world = scenario(turns=[0.0, 0.0, 1.0], turn_sd_log=0.4, think_min=15.0)
    rows = turns(play([post(0)], desk(), world))
    lengths = [t.end - t.start for t in rows]
    assert sum(lengths) == pytest.approx(10, rel=1e-12) and len(set(lengths)) == 3
    assert [b.queued - a.end for a, b in pairwise(rows)] == pytest.approx([15, 15], rel=1e-12)


def test_the_number_of_turns_is_drawn() -> None:
    # Five errors of sqrt(400 * 0.25 * 0.75) = 8.7 are 43.
    world = scenario(turns=[0.25, 0.75], handling=0.1, think_min=0.5)
    outcome = play([post(n) for n in range(400)], desk(), world)
    assert outcome.cases["turns"].tolist().count(1) == pytest.approx(100, abs=43)
    assert set(outcome.cases["turns"].tolist()) == {1, 2}


def test_another_department_is_waited_for_after_the_first_turn_alone() -> None:
    world = scenario(turns=[0.0, 0.0, 1.0], handling=15.0, back_office={"share": 1.0, "delay_h": 2.0})
    assert [t.start for t in turns(play([post(0)], desk(), world))] == [0, 125, 145]


def test_a_resolved_case_may_come_back_on_its_own() -> None:
    # Always, until the window ends: the extra turns take 4 minutes each.
    world = scenario(reopening={"probability": 1.0, "delay_h": 2.0})
    outcome = play([post(0)], desk(), world, window_min=(0, 300))
    assert [(t.k, t.queued, t.end) for t in turns(outcome)] == [(0, 0, 10), (1, 130, 134), (2, 254, 258)]
    assert (case(outcome, 0).reopened, case(outcome, 0).closed) == (2, 258)


def test_payment_is_asked_for_with_the_last_turn_of_a_case_that_has_one() -> None:
    world = scenario(turns=[0.0, 1.0], payment_share=1.0, payment_eur=80.0)
    outcome = play([post(0, topic="rebooking"), post(0, topic="info")], desk(pool(heads=2)), world)
    assert outcome.cases["pay_eur"].tolist() == [80.0, 0.0]
    outcome = play([post(0, topic="rebooking")], desk(), world, window_min=(0, 15))
    assert outcome.cases["pay_eur"].tolist() == [0.0]


# ---- the end ---------------------------------------------------------------------------------------


def test_at_the_end_each_case_is_in_the_state_in_which_it_was_left() -> None:
    world = scenario(turns=[0.0, 1.0], handling_min={"default": 10.0, "care": 100.0})
    floor = desk(pool(heads=2), platforms=["x"])
    posts = [post(0), post(0, topic="care"), post(22), post(26), post(26), post(27, platform="vk")]
    outcome = play(posts, floor, world, window_min=(0, 32))
    assert states(outcome) == [
        CaseState.RESOLVED,
        CaseState.IN_HAND,
        CaseState.WITH_CUSTOMER,
        CaseState.IN_HAND,
        CaseState.WAITING,
        CaseState.UNREAD,
    ]


def test_a_run_that_drains_goes_on_until_nothing_waits() -> None:
    posts = [post(n) for n in range(20)]
    cut = play(posts, desk(), window_min=(0, 60))
    assert states(cut).count(CaseState.WAITING) == 14 and cut.about["end_s"] == 3600
    drained = play(posts, desk(), window_min=(0, 60), drain_min=600)
    assert set(states(drained)) == {CaseState.RESOLVED}
    assert drained.about["end_s"] == 4 * 3600  # done at 200; it looks at each full hour
    assert starts(drained)[:6] == starts(cut)[:6]


def test_a_run_drains_for_who_has_left_or_will_come_back_and_for_posts_that_ask_nothing() -> None:
    world = scenario(patience_h=0.25, silent_share=1.0)
    ghost = play([post(0)], late(100), world, window_min=(0, 60), drain_min=600)
    assert [t.state for t in turns(ghost)] == [TurnState.GHOST]
    world = scenario(patience_h=0.25, after_abandoned=again(delay_min=100.0))
    back = play([post(0)], late(110), world, window_min=(0, 60), drain_min=600)
    assert states(back) == [CaseState.RESOLVED]
    triage = {"mode": "people", "reading_s": 60.0}
    read = play([post(0, "chatter")], late(100, triage=triage), window_min=(0, 60), drain_min=600)
    assert [t.state for t in turns(read)] == [TurnState.DONE]


def test_a_run_drains_no_longer_than_it_may() -> None:
    outcome = play([post(0)], NOBODY, window_min=(0, 60), drain_min=90)
    assert (states(outcome), outcome.about["end_s"]) == ([CaseState.WAITING], 150 * 60)
