"""Rule 3 on days of a few posts: who finds the cases, and what becomes of a follow-up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from small import agents, case, desk, play, pool, post, scenario, starts, states, trace, turns

from scenarios.errors import DeskError
from sim import reference
from sim.outcome import CaseState, TurnKind, TurnState

pytestmark = pytest.mark.exact

INF = float("inf")
READ = {"mode": "people", "reading_s": 60.0, "promise_min": 10.0}
FILTER = {"mode": "automatic", "reading_s": 60.0}


# ---- by people -------------------------------------------------------------------------------------


def test_each_post_is_read_first_with_a_promise_of_its_own() -> None:
    outcome = play([post(0), post(3, "chatter"), post(3, "repost"), post(3, "fake")], desk(triage=READ))
    # Case 0 is read from 0 to 1 and answered from 1 to 11; then the others, due at 13, are read by row.
    assert [(t.kind, t.post, t.case, t.key, t.start, t.end) for t in turns(outcome)] == [
        (TurnKind.READING, 0, -1, 10, 0, 1),
        (TurnKind.ANSWER, -1, 0, 60, 1, 11),
        (TurnKind.READING, 1, -1, 13, 11, 12),
        (TurnKind.READING, 2, -1, 13, 12, 13),
        (TurnKind.READING, 3, -1, 13, 13, 14),
    ]
    assert case(outcome, 0).seen == 1


def test_a_case_is_queued_when_read_but_due_from_the_time_of_the_post() -> None:
    outcome = play([post(0)], desk(pool(steps=[(0, 0), (30, 1)]), triage=READ))
    (turn,) = turns(outcome, TurnKind.ANSWER)
    assert (turn.queued, turn.key, turn.wait) == (31, 60, 0)


def test_nobody_loses_patience_before_the_post_is_read() -> None:
    outcome = play([post(0)], desk(pool(steps=[(0, 0), (120, 1)]), triage=READ), scenario(patience_h=0.5))
    assert (states(outcome), starts(outcome)) == ([CaseState.RESOLVED], [121])


def test_posts_are_read_by_those_who_read_and_speak_the_language() -> None:
    floor = desk(pool("answers", reads=False), pool("reads", languages=["en", "nl"]), triage=READ)
    outcome = play([post(0), post(0, language="nl")], floor)
    assert {t.agent for t in turns(outcome, TurnKind.READING)} == {1}


def test_an_opener_that_nobody_has_read_is_found_by_its_follow_up() -> None:
    # Chatter keeps its language's only reader away from the opener: here the follow-up is in another language.
    pools = [pool("nl", languages=["nl"], steps=[(0, 0), (60, 1)]), pool("en")]
    posts = [post(0, language="nl"), post(20, "follow_up", case=0, language="en")]
    outcome = play(posts, desk(*pools, triage=READ))
    answer = turns(outcome, TurnKind.ANSWER)
    assert [(t.queued, t.key, t.start) for t in answer] == [(21, 60, 61)]  # read at 21, due from minute 0
    assert [t.end for t in turns(outcome, TurnKind.READING)] == [61, 21]


def test_an_unread_case_stays_unread() -> None:
    outcome = play([post(0)], desk(pool(steps=[(0, 0)]), triage=READ))
    assert states(outcome) == [CaseState.UNREAD]
    assert case(outcome, 0).seen == INF


# ---- automatic -------------------------------------------------------------------------------------


def test_the_filter_passes_on_what_it_finds_after_its_delay() -> None:
    outcome = play([post(0), post(1, "chatter")], desk(triage={**FILTER, "delay_s": 120.0}))
    assert [(t.kind, t.queued, t.key) for t in turns(outcome)] == [(TurnKind.ANSWER, 2, 60)]


def test_the_filter_finds_a_share_of_the_cases() -> None:
    # Five errors of sqrt(400 * 0.8 * 0.2) = 8 are 40.
    outcome = play([post(n) for n in range(400)], desk(triage={**FILTER, "recall": 0.8}), scenario(handling=0.5))
    found = states(outcome)
    assert set(found) == {CaseState.RESOLVED, CaseState.MISSED}
    assert found.count(CaseState.RESOLVED) == pytest.approx(320, abs=40)


def test_what_the_filter_takes_wrongly_for_a_case_is_looked_at_and_put_aside() -> None:
    triage = {**FILTER, "false_positive": 1.0, "promise_min": 15.0, "delay_s": 60.0}
    outcome = play([post(0, "chatter"), post(0)], desk(triage=triage))
    rows = [(t.kind, t.post, t.case, t.queued, t.key, t.end) for t in turns(outcome)]
    assert rows[0] == (TurnKind.DISMISS, 0, -1, 1, 15, 2)
    assert rows[1] == (TurnKind.ANSWER, -1, 0, 1, 60, 12)


def test_a_case_that_the_filter_missed_is_found_by_its_follow_up() -> None:
    posts = [post(2 * n) for n in range(20)] + [post(100 + n, "follow_up", case=n) for n in range(20)]
    outcome = play(posts, desk(triage={**FILTER, "recall": 0.5}), scenario(handling=0.5))
    late = [n for n in range(20) if 100 <= case(outcome, n).seen < INF]
    missed = [n for n in range(20) if case(outcome, n).state is CaseState.MISSED]
    assert late and missed
    for n in late:
        assert case(outcome, n).seen == 100 + n
        assert [t.key for t in turns(outcome) if t.case == n] == [2 * n + 60]


# ---- follow-ups ------------------------------------------------------------------------------------


def rows(posts: list[dict[str, Any]], floor: Any = None, **behaviour: Any) -> list[Any]:
    outcome = play(posts, floor, scenario(**behaviour))
    assert outcome.cases["row"].size == sum(p["kind"] == "case" for p in posts), "a follow-up is never a new case"
    return [(t.case, t.k, t.queued, t.key, t.start) for t in turns(outcome)]


def test_a_follow_up_of_a_case_that_waits_is_merged_and_the_key_stays() -> None:
    late = desk(pool(steps=[(0, 0), (30, 1)]))
    assert rows([post(0), post(20, "follow_up", case=0)], late) == [(0, 0, 0, 60, 30)]


def test_a_follow_up_of_a_turn_in_hand_is_answered_when_that_has_ended() -> None:
    # However many came; the first of them counts for the promise.
    posts = [post(0), post(3, "follow_up", case=0), post(5, "follow_up", case=0)]
    assert rows(posts) == [(0, 0, 0, 60, 0), (0, 1, 10, 63, 10)]


def test_a_follow_up_of_a_turn_in_hand_brings_the_next_turn_forward() -> None:
    # Three turns are planned, of 5 minutes each: the second needs no thought, the third does.
    posts = [post(0), post(3, "follow_up", case=0)]
    found = rows(posts, turns=[0.0, 0.0, 1.0], handling=15.0)
    assert found == [(0, 0, 0, 60, 0), (0, 1, 5, 63, 5), (0, 2, 25, 85, 25)]


def test_a_follow_up_while_the_customer_thinks_is_the_message() -> None:
    posts = [post(0), post(9, "follow_up", case=0)]
    assert rows(posts, turns=[0.0, 1.0]) == [(0, 0, 0, 60, 0), (0, 1, 9, 69, 9)]


def test_a_follow_up_does_not_hurry_another_department() -> None:
    posts = [post(0), post(9, "follow_up", case=0)]
    found = rows(posts, turns=[0.0, 1.0], back_office={"share": 1.0, "delay_h": 2.0})
    assert found == [(0, 0, 0, 60, 0), (0, 1, 125, 185, 125)]


def test_a_follow_up_reopens_a_resolved_case_for_some_days_and_not_after() -> None:
    within = {"within_days": 100 / 60 / 24}
    posts = [post(0), post(110, "follow_up", case=0)]
    assert rows(posts, reopening=within) == [(0, 0, 0, 60, 0), (0, 1, 110, 170, 110)]
    posts = [post(0), post(111, "follow_up", case=0)]
    assert rows(posts, reopening=within) == [(0, 0, 0, 60, 0)]


def test_days_to_reopen_count_to_the_post_not_to_its_reading() -> None:
    within = {"within_days": 100 / 60 / 24}
    floor = desk(pool(steps=[(0, 1), (15, 0), (200, 1)]), triage=READ)
    outcome = play([post(0), post(111, "follow_up", case=0)], floor, scenario(reopening=within))
    assert case(outcome, 0).reopened == 1


def test_a_follow_up_brings_back_who_has_given_up() -> None:
    late = desk(pool(steps=[(0, 0), (100, 1)]))
    found = rows([post(0), post(90, "follow_up", case=0)], late, patience_h=0.5)
    assert found == [(0, 0, 0, 60, INF), (0, 0, 90, 150, 100)]


def test_a_follow_up_of_who_had_left_without_a_sign_is_answered() -> None:
    # He leaves at 30; the turn is done from 40 to 50 and meets nobody. Posts of minute 45 and of minute 60
    # find him there again; one of minute 35 joins the turn that still waits.
    gone: dict[str, Any] = {"patience_h": 0.5, "silent_share": 1.0, "silent_cost": 1.0}
    late = desk(pool(steps=[(0, 0), (40, 1)]))
    for minute, want in ((35, None), (45, (0, 1, 50, 105, 50)), (60, (0, 1, 60, 120, 60))):
        outcome = play([post(0), post(minute, "follow_up", case=0)], late, scenario(**gone))
        found = [(t.case, t.k, t.queued, t.key, t.start) for t in turns(outcome)]
        assert found == [(0, 0, 0, 60, 40)] + ([want] if want else [])
        assert turns(outcome)[0].state is TurnState.GHOST
        assert states(outcome) == [CaseState.RESOLVED if want else CaseState.SILENT]
        assert case(outcome, 0).first_reply == turns(outcome)[0].end


# ---- what the desk sees ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["people", "automatic", "none"])
def test_posts_on_platforms_that_nobody_watches_stay_unread(mode: str) -> None:
    floor = desk(platforms=["facebook"], triage={"mode": mode})
    outcome = play([post(0, platform="x"), post(0, platform="facebook"), post(5, "follow_up", case=0)], floor)
    assert states(outcome) == [CaseState.UNREAD, CaseState.RESOLVED]


def test_a_post_that_nobody_can_serve_is_an_error_that_names_the_language() -> None:
    with pytest.raises(DeskError, match=r"desk small serves nobody in: th"):
        reference.run(scenario(), desk(), trace([post(0, language="th")]), seed=1)
    # Without people who read, only cases need somebody.
    play([post(0, "chatter", language="th")], desk())
    with pytest.raises(DeskError, match=r"th \(reading\)"):
        play([post(0, "chatter", language="th")], desk(triage=READ))


def test_a_day_without_posts_is_a_day() -> None:
    outcome = play([], desk(agents("a", "mon 01:00-02:00"), pool("b", heads=2)), drain_min=60)
    assert outcome.turns["case"].size == 0
    assert outcome.staff["agent"].tolist() == [0, 1, 2]
    assert np.all(outcome.staff["off_s"] <= outcome.about["end_s"])


def test_quiet_hours_before_onset_are_like_any_other() -> None:
    outcome = play([post(-50), post(-5)], desk(agents("a", "sun 23:00-00:30")), window_min=(-60, 60))
    assert starts(outcome) == [-50, -5]
    assert float(outcome.staff["on_s"][0]) == -3600.0
