"""Rule 6 on days of a few posts: how long a turn takes, and what becomes of it when the shift ends."""

from __future__ import annotations

from typing import Any

import pytest
from small import agents, case, desk, play, pool, post, scenario, starts, states, taken_by, turns

from sim.outcome import CaseState, Outcome, TurnKind, TurnState

pytestmark = pytest.mark.exact

INF = float("inf")


def staff(outcome: Outcome) -> list[tuple[int, float, float]]:
    """Agent, minute of coming and minute of leaving of each stretch of attendance."""
    s = outcome.staff
    return [(int(a), float(x) / 60, float(y) / 60) for a, x, y in zip(s["agent"], s["on_s"], s["off_s"], strict=True)]


# ---- handling time ---------------------------------------------------------------------------------


def test_speed_of_the_pool_and_of_the_language_shorten_the_work() -> None:
    floor = desk(pool(speed=0.8, languages={"en": 0.5}))
    (turn,) = turns(play([post(0)], floor))
    assert turn.end == pytest.approx(10 / 0.8 / 0.5, rel=1e-12)


def test_fatigue_grows_with_the_hours_since_the_start_of_the_shift() -> None:
    floor = desk(agents("all", "mon 00:00-10:00"), fatigue={"per_h": 0.1, "beyond_8h_per_h": 0.5})
    rows = turns(play([post(0), post(120), post(570)], floor))
    # 9.5 hours: 8 at 10 % and 1.5 at 50 %.
    assert [t.end - t.start for t in rows] == pytest.approx([10, 12, 10 * (1 + 0.8 + 0.75)], rel=1e-12)


def test_breaks_do_not_tire() -> None:
    shift = {"name": "day", "start": "00:00", "heads": 1, "days_on": 7, "breaks": [{"after_h": 1.0, "minutes": 60.0}]}
    floor = desk(pool(shifts=[shift]), fatigue={"per_h": 0.1})
    rows = turns(play([post(60), post(180)], floor))
    assert [t.start for t in rows] == [120, 180]
    assert [t.end - t.start for t in rows] == pytest.approx([11, 12], rel=1e-12)


def test_who_has_worked_before_the_window_is_as_tired_as_he_would_be() -> None:
    floor = desk(agents("all", "mon 00:00-10:00"), fatigue={"per_h": 0.1})
    (turn,) = turns(play([post(300)], floor, window_min=(240, 600)))
    assert turn.end - turn.start == pytest.approx(15, rel=1e-12)


def test_heads_of_a_head_count_pool_do_not_tire() -> None:
    (turn,) = turns(play([post(500)], desk(fatigue={"per_h": 0.1})))
    assert turn.end == 510


# ---- the end of a shift ----------------------------------------------------------------------------


def test_named_agents_finish_what_they_have_and_leave() -> None:
    floor = desk(agents("all", "mon 00:00-00:05"))
    outcome = play([post(0), post(1)], floor)
    assert [(t.start, t.end, t.state) for t in turns(outcome)] == [
        (0, 10, TurnState.DONE),
        (INF, INF, TurnState.WAITING),
    ]
    assert staff(outcome) == [(0, 0, 10)]


def test_a_turn_that_outlasts_a_break_shortens_it() -> None:
    people = [{"code": "a", "shifts": ["mon 00:00-00:05", "mon 00:08-01:00"]}]
    outcome = play([post(0)], desk(pool(agents=people)))
    assert staff(outcome) == [(0, 0, 60)]


def test_a_turn_handed_back_keeps_its_key_and_what_is_left_of_its_time() -> None:
    # Four of ten minutes are done; the second agent is half as fast, but what is left is fixed.
    slow = agents("slow", "mon 00:20-08:00", speed=0.5)
    floor = desk(agents("all", "mon 00:00-00:04", shift_end="hand_back"), slow)
    outcome = play([post(0), post(1)], floor)
    assert [(t.case, t.queued, t.key, t.start, t.end, t.state) for t in turns(outcome)] == [
        (0, 0, 60, 0, 4, TurnState.HANDED_BACK),
        (1, 1, 61, 26, 46, TurnState.DONE),
        (0, 4, 60, 20, 26, TurnState.DONE),
    ]
    first = case(outcome, 0)
    assert (first.turns, first.work, first.first_start, first.first_reply) == (1, 10, 0, 26)


def test_a_reading_handed_back_goes_on_as_well() -> None:
    floor = desk(
        agents("all", "mon 00:00-00:01", "mon 00:10-01:00", shift_end="hand_back"),
        triage={"mode": "people", "reading_s": 120.0},
    )
    outcome = play([post(0)], floor)
    assert [(t.kind, t.start, t.end) for t in turns(outcome)] == [
        (TurnKind.READING, 0, 1),
        (TurnKind.READING, 10, 11),
        (TurnKind.ANSWER, 11, 21),
    ]


def test_the_clock_of_patience_goes_on_where_it_stopped() -> None:
    # 20 minutes of patience: 5 before the first start, 15 from minute 8 on.
    floor = desk(agents("all", "mon 00:05-00:08", shift_end="hand_back"))
    outcome = play([post(0)], floor, scenario(patience_h=20 / 60))
    assert [(t.queued, t.end, t.state) for t in turns(outcome)] == [
        (0, 8, TurnState.HANDED_BACK),
        (8, 23, TurnState.ABANDONED),
    ]


def test_a_case_handed_back_waits_again() -> None:
    # The message of minute 6 meets a turn that waits: it is merged. That of minute 2 met one in hand.
    floor = desk(agents("all", "mon 00:00-00:04", shift_end="hand_back"))
    posts = [post(0), post(6, "follow_up", case=0)]
    outcome = play(posts, floor, window_min=(0, 30))
    assert states(outcome) == [CaseState.WAITING]
    floor = desk(agents("all", "mon 00:00-00:04", "mon 00:10-02:00", shift_end="hand_back"))
    assert [(t.k, t.end) for t in turns(play(posts, floor))] == [(0, 4), (0, 16)]
    posts = [post(0), post(2, "follow_up", case=0)]
    assert [(t.k, t.queued, t.end) for t in turns(play(posts, floor))] == [(0, 0, 4), (0, 4, 16), (1, 16, 20)]


def test_a_customer_whose_turn_was_handed_back_may_write_again() -> None:
    world = scenario(recontact={"after_h": 0.25, "probability": 0.9, "gap_min": 5.0, "separate_share": 0.0})
    floor = desk(agents("all", "mon 00:00-00:04", shift_end="hand_back"))
    outcome = play([post(0)], floor, world, seed=1, window_min=(0, 60))
    assert float(outcome.extra["time_s"][0]) / 60 == 4 + 15 + 5


def test_what_is_handed_back_is_never_blocked() -> None:
    floor = desk(
        agents("all", "mon 00:00-00:04", "mon 00:10-02:00", shift_end="hand_back"), routing={"limits": [{"places": 0}]}
    )
    assert [t.state for t in turns(play([post(0)], floor))] == [TurnState.HANDED_BACK, TurnState.DONE]


def test_of_a_head_count_pool_the_idle_leave_first_and_the_highest_numbers_of_them() -> None:
    outcome = play([post(0), post(1)], desk(pool(steps=[(0, 4), (5, 1)])))
    assert taken_by(outcome) == [0, 1]
    assert staff(outcome) == [(0, 0, 10), (1, 0, 600), (2, 0, 5), (3, 0, 5)]


def test_each_completion_while_too_many_work_retires_that_seat() -> None:
    outcome = play([post(0), post(1), post(2), post(3)], desk(pool(steps=[(0, 3), (5, 1)])))
    assert staff(outcome) == [(0, 0, 10), (1, 0, 11), (2, 0, 600)]
    assert starts(outcome) == [0, 1, 2, 12]


def test_of_a_head_count_pool_those_who_started_last_hand_back() -> None:
    outcome = play([post(0), post(1), post(2)], desk(pool(steps=[(0, 3), (5, 1)], shift_end="hand_back")))
    assert [(t.case, t.start, t.end) for t in turns(outcome)] == [
        (0, 0, 10),
        (1, 1, 5),
        (2, 2, 5),
        (2, 16, 23),  # handed back first, but its key is larger
        (1, 10, 16),
    ]


def test_who_started_at_the_same_instant_hands_back_by_the_highest_number() -> None:
    outcome = play([post(0), post(0), post(0)], desk(pool(steps=[(0, 3), (5, 2)], shift_end="hand_back")))
    assert [(t.case, t.agent, t.end) for t in turns(outcome)][:3] == [(0, 0, 10), (1, 1, 10), (2, 2, 5)]


def test_heads_that_come_take_the_lowest_seats() -> None:
    outcome = play([post(0)], desk(pool(steps=[(0, 0), (5, 2), (10, 1), (15, 3)])))
    assert staff(outcome) == [(0, 5, 600), (1, 5, 10), (1, 15, 600), (2, 15, 600)]


def test_a_seat_with_several_turns_takes_no_more_once_it_is_one_too_many() -> None:
    # At 10 seat 0 ends one turn and retires with another in hand: case 4 goes to seat 1.
    posts = [post(0), post(1), post(4), post(5), post(7)]
    outcome = play(posts, desk(pool(steps=[(0, 2), (6, 1)], capacity=2.0)))
    assert [(t.case, t.agent, t.start, t.end) for t in turns(outcome)] == [
        (0, 0, 0, 10),
        (1, 1, 1, 11),
        (2, 0, 4, 14),
        (3, 1, 5, 15),
        (4, 1, 11, 21),
    ]
    assert staff(outcome) == [(0, 0, 14), (1, 0, 600)]


def test_a_seat_about_to_leave_stays_if_heads_come() -> None:
    posts = [post(0), post(1), post(4), post(5), post(13), post(13), post(13)]
    outcome = play(posts, desk(pool(steps=[(0, 2), (6, 1), (12, 2)], capacity=2.0)))
    assert [(t.case, t.agent, t.start) for t in turns(outcome)][4:] == [(4, 0, 13), (5, 1, 13), (6, 0, 14)]
    assert staff(outcome) == [(0, 0, 600), (1, 0, 600)]


def rows_of(outcome: Outcome) -> list[Any]:
    return [(t.case, t.start, t.end) for t in turns(outcome)]


def test_a_break_hands_back_too() -> None:
    people = [{"code": "a", "shifts": ["mon 00:00-00:05", "mon 00:20-01:00"]}]
    outcome = play([post(0)], desk(pool(agents=people, shift_end="hand_back")))
    assert rows_of(outcome) == [(0, 0, 5), (0, 20, 25)]


def test_an_agent_is_absent_on_a_share_of_his_shifts() -> None:
    # 60 agents: five errors of sqrt(60 / 4) = 3.9 are 20.
    floor = desk(agents("all", *["mon 00:00-08:00"] * 60, absent_share=0.5))
    outcome = play([], floor)
    assert len(outcome.shifts["worked"]) == 60
    assert int(outcome.shifts["worked"].sum()) == pytest.approx(30, abs=20)
    assert outcome.staff["agent"].tolist() == outcome.shifts["agent"][outcome.shifts["worked"]].tolist()
