"""Rule 2 on days of a few posts: what happens first when several things happen at one instant."""

from __future__ import annotations

import pytest
from small import agents, case, desk, play, pool, post, scenario, starts, states, taken_by, turns

from sim.outcome import CaseState, TurnState

pytestmark = pytest.mark.exact


def test_who_comes_at_the_instant_when_patience_ends_still_answers() -> None:
    world = scenario(patience_h=0.5)
    outcome = play([post(0)], desk(pool(steps=[(0, 0), (30, 1)])), world)
    assert starts(outcome) == [30]
    assert states(outcome) == [CaseState.RESOLVED]


def test_a_turn_that_ends_when_patience_ends_makes_the_agent_free_in_time() -> None:
    world = scenario(handling=30.0, patience_h=0.5)
    outcome = play([post(0), post(0)], desk(), world)
    assert starts(outcome) == [0, 30]


def test_two_agents_who_come_at_one_instant_look_at_the_queue_in_ascending_number() -> None:
    floor = desk(agents("all", "mon 01:00-05:00", "mon 01:00-05:00"))
    outcome = play([post(10), post(20)], floor)
    assert starts(outcome) == [60, 60]
    assert taken_by(outcome) == [0, 1]


def test_all_who_come_and_go_at_an_instant_have_done_so_before_anybody_takes_a_turn() -> None:
    # Agent 0 leaves when 1 comes: the released post goes to 1, although 0 is on and has the lower number.
    fault = {"kind": "platform_held", "from_h": 0.0, "to_h": 1.0, "platforms": ["x"]}
    floor = desk(agents("all", "mon 00:00-01:00", "mon 01:00-02:00"))
    outcome = play([post(10)], floor, scenario(faults=[fault]))
    assert (starts(outcome), taken_by(outcome)) == ([60], [1])


def test_nothing_is_started_at_the_very_end_of_a_shift() -> None:
    floor = desk(agents("all", "mon 00:00-00:10", "mon 00:30-01:00"))
    outcome = play([post(0), post(5), post(10)], floor)
    assert starts(outcome) == [0, 30, 40]
    assert taken_by(outcome) == [0, 1, 1]


def test_a_place_that_patience_frees_is_there_for_a_post_of_the_same_instant() -> None:
    world = scenario(handling=60.0, patience_h=0.5)
    floor = desk(routing={"limits": [{"places": 1}]})
    outcome = play([post(0), post(0), post(29), post(30)], floor, world)
    assert [t.state for t in turns(outcome)] == [
        TurnState.DONE,
        TurnState.ABANDONED,
        TurnState.BLOCKED,
        TurnState.DONE,
    ]


def test_who_tries_again_comes_before_a_post_of_the_same_instant() -> None:
    # Blocked at 5, back at 25, when the only place is free; the post of minute 25 finds it taken.
    again = [{"to": "same", "probability": 1.0, "delay_min": 20.0}]
    world = scenario(handling=20.0, after_blocked=again)
    floor = desk(routing={"limits": [{"places": 1}]})
    outcome = play([post(0), post(1), post(5), post(25)], floor, world)
    rows = turns(outcome)
    assert [(t.case, t.queued, t.state) for t in rows[2:5]] == [
        (2, 5, TurnState.BLOCKED),
        (2, 25, TurnState.DONE),
        (3, 25, TurnState.BLOCKED),
    ]


def test_patience_ends_before_a_customer_of_the_same_instant_writes() -> None:
    # Case 0 thinks from 10 to 25; the only place is taken by case 1 until its patience ends at 25.
    world = scenario(turns=[0.0, 1.0], handling=20.0, think_min=15.0, patience_h=0.25)
    floor = desk(pool(steps=[(0, 1), (10, 0), (27, 1)]), routing={"limits": [{"places": 1}]})
    outcome = play([post(0), post(10)], floor, world, window_min=(0, 40))
    rows = turns(outcome)
    assert [(t.case, t.k, t.queued, t.state) for t in rows] == [
        (0, 0, 0, TurnState.DONE),
        (1, 0, 10, TurnState.ABANDONED),
        (0, 1, 25, TurnState.DONE),
    ]


def test_overflow_opens_before_patience_ends_at_the_same_instant() -> None:
    rule = {"after_min": 30.0, "to_pools": ["others"]}
    floor = desk(pool("own", steps=[(0, 0), (500, 1)]), pool("others", languages=["nl"]), routing={"overflow": [rule]})
    outcome = play([post(0)], floor, scenario(patience_h=0.5))
    assert starts(outcome) == [30]


def test_two_turns_of_an_agent_that_end_at_one_instant_end_in_the_order_of_their_starts() -> None:
    # Case 0 is parked until 5 and takes 15 minutes, case 1 starts at 0 and takes 20. Both customers have
    # written again: whose turn ends first is queued again first.
    fault = {"kind": "no_answer", "from_h": 0.0, "to_h": 5 / 60, "topics": ["baggage"]}
    world = scenario(handling_min={"default": 20.0, "baggage": 15.0}, faults=[fault])
    posts = [post(0, topic="baggage"), post(0), post(10, "follow_up", case=0), post(10, "follow_up", case=1)]
    outcome = play(posts, desk(pool(capacity=2.0)), world)
    assert [(t.case, t.k, t.queued, t.end) for t in turns(outcome)] == [
        (1, 0, 0, 20),
        (0, 0, 5, 20),
        (1, 1, 20, 24),
        (0, 1, 20, 24),
    ]


def test_turn_ends_of_one_instant_are_settled_by_agent() -> None:
    outcome = play([post(0), post(0), post(1), post(2)], desk(pool(heads=2)))
    assert starts(outcome) == [0, 0, 10, 10]
    assert taken_by(outcome) == [0, 1, 0, 1]


def test_a_follow_up_comes_after_the_end_of_the_turn_of_the_same_instant() -> None:
    # At minute 10 the turn ends first: the case is resolved, and the post opens it again.
    outcome = play([post(0), post(10, "follow_up", case=0)])
    assert [(t.k, t.queued) for t in turns(outcome)] == [(0, 0), (1, 10)]
    assert case(outcome, 0).reopened == 1


def test_a_head_whose_turn_ends_at_the_instant_of_a_step_takes_the_next_before_the_step() -> None:
    outcome = play([post(0), post(1), post(2)], desk(pool(steps=[(0, 1), (10, 0)])))
    assert starts(outcome) == [0, 10, float("inf")]
    assert outcome.staff["off_s"].tolist() == [20 * 60]


def test_what_is_due_at_the_very_end_of_the_window_has_not_happened() -> None:
    outcome = play([post(0)], window_min=(0, 10))
    (turn,) = turns(outcome)
    assert (turn.state, turn.end) == (TurnState.IN_HAND, float("inf"))
    assert states(outcome) == [CaseState.IN_HAND]
