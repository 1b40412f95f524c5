"""Rule 5 on days of a few posts: who takes a new turn, what fits, who helps out, who alone may."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from small import agents, desk, play, pool, post, scenario, starts, states, taken_by, turns

from sim.outcome import CaseState, TurnKind, TurnState
from sim.policies import AgentView
from sim.world import BRIDGE, OWN, STICKY

pytestmark = pytest.mark.exact

INF = float("inf")
TOPICS = ["rebooking", "baggage", "checkin", "payment", "care", "assistance", "lost_item", "complaint", "praise"]
GROUPS = {"info": ["info"], "refund": ["refund"], "rest": TOPICS}


def idle(*order: str) -> dict[str, Any]:
    return {"idle": list(order)}


# ---- who takes a new turn --------------------------------------------------------------------------


def test_the_agent_with_the_fewest_skills_takes_a_new_turn() -> None:
    # Skills are languages times topic groups: 3 x 1, 1 x 3, 2 x 1.
    pools = [
        pool("many languages", languages=["en", "nl", "de"], topics=["info"]),
        pool("many topics", languages=["en"]),
        pool("few", languages=["en", "nl"], topics=["info"]),
    ]
    outcome = play([post(0), post(1), post(2)], desk(*pools, routing={**idle("fewest_skills"), "topic_groups": GROUPS}))
    assert taken_by(outcome) == [2, 0, 1]


def test_the_agent_who_has_been_idle_longest_takes_a_new_turn() -> None:
    # Agents 0 and 1 end at 10 and 11; agent 2 has been idle from the start, then 0 and 1 in turn.
    outcome = play([post(n) for n in (0, 1, 20, 21, 22)], desk(pool(heads=3), routing=idle("longest_idle")))
    assert taken_by(outcome) == [0, 1, 2, 0, 1]


def test_a_break_starts_idle_time_anew() -> None:
    people = [
        {"code": "a", "shifts": ["mon 00:00-00:30", "mon 00:35-08:00"]},
        {"code": "b", "shifts": ["mon 00:05-08:00"]},
    ]
    outcome = play(
        [post(34), post(40)], desk(pool(agents=people), routing=idle("longest_idle")), scenario(handling=1.0)
    )
    assert taken_by(outcome) == [1, 0]


def test_pools_take_turns_in_the_order_of_the_desk_file() -> None:
    outcome = play([post(0), post(0), post(0)], desk(pool("a"), pool("b", heads=2), routing=idle("ordered")))
    assert taken_by(outcome) == [0, 1, 2]


def test_each_order_narrows_the_choice_and_ties_go_to_the_lowest_number() -> None:
    pools = [pool("both", heads=2, languages=["en", "nl"]), pool("en", heads=2)]
    floor = desk(*pools, routing=idle("fewest_skills", "longest_idle"))
    outcome = play([post(n) for n in (0, 1, 20, 40, 41, 42, 43)], floor)
    assert taken_by(outcome) == [2, 3, 2, 3, 2, 0, 1]


def test_a_random_choice_is_fair_and_named_by_the_case() -> None:
    # 300 cases among three heads: five errors of sqrt(300 * 1/3 * 2/3) = 8.2 are 41.
    posts = [post(2 * n) for n in range(300)]
    floor = desk(pool(heads=3), routing=idle("random"))
    world = scenario(handling=1.0)
    chosen = taken_by(play(posts, floor, world))
    assert [chosen.count(n) for n in range(3)] == pytest.approx([100, 100, 100], abs=41)
    assert taken_by(play(posts[:150], floor, world)) == chosen[:150]


def test_whoever_has_fewer_turns_in_hand_takes_a_new_one() -> None:
    outcome = play([post(0), post(1), post(2), post(3), post(4)], desk(pool(heads=2, capacity=2.0)))
    assert taken_by(outcome) == [0, 1, 0, 1, 0]
    assert starts(outcome) == [0, 1, 2, 3, 10]


def test_a_policy_of_ones_own_is_a_short_function() -> None:
    def youngest(agent: AgentView) -> float:
        return -agent.number

    outcome = play([post(0), post(1)], desk(pool(heads=3)), idle=youngest)
    assert taken_by(outcome) == [2, 1]


# ---- capacity --------------------------------------------------------------------------------------


def test_work_on_several_turns_at_once_is_slower_by_the_number_in_hand_at_the_start() -> None:
    floor = desk(pool(capacity=3.0, concurrency=[1.0, 1.5, 2.0]))
    outcome = play([post(0), post(1), post(2), post(3)], floor)
    assert [(t.start, t.end) for t in turns(outcome)] == [(0, 10), (1, 16), (2, 22), (10, 30)]


def test_a_turn_starts_only_if_its_weight_fits() -> None:
    floor = desk(pool(capacity=1.0, weights={"active": 0.4}))
    assert starts(play([post(0), post(1), post(2)], floor)) == [0, 1, 10]


def test_an_agent_does_other_things_while_the_customer_thinks() -> None:
    world = scenario(turns=[0.0, 1.0])  # 5 minutes, then 15 of thought, then 5
    assert [t.start for t in turns(play([post(0), post(6)], desk(), world), where=lambda t: t.k == 0)] == [0, 6]


def test_a_conversation_may_keep_its_place_while_the_customer_thinks() -> None:
    # The place is kept from 5 to 20; then the conversation goes on, though case 1 has waited since 6: it is
    # due at 80, case 1 at 6 + 600.
    world = scenario(turns=[0.0, 1.0])
    classes = [{"name": "all", "promise_min": 600.0, "next_min": 60.0}]
    floor = desk(pool(weights={"active": 1.0, "waiting": 1.0}), classes=classes)
    outcome = play([post(0), post(6)], floor, world)
    assert [(t.case, t.k, t.start) for t in turns(outcome)[:3]] == [(0, 0, 0), (1, 0, 25), (0, 1, 20)]


def test_a_place_given_free_by_a_message_goes_to_the_smallest_key() -> None:
    world = scenario(turns=[0.0, 1.0])
    floor = desk(pool(weights={"active": 1.0, "waiting": 1.0}))
    outcome = play([post(0), post(6)], floor, world)
    assert [(t.case, t.k, t.start) for t in turns(outcome)[:3]] == [(0, 0, 0), (1, 0, 20), (0, 1, 40)]


# ---- overflow and bridge ---------------------------------------------------------------------------


def overflow(**rule: Any) -> dict[str, Any]:
    return {"overflow": [{"languages": ["nl"], "after_min": 20.0, **rule}]}


def test_after_a_wait_others_take_a_turn_more_slowly() -> None:
    pools = [pool("nl", languages=["nl"], steps=[(0, 0), (500, 1)]), pool("en")]
    outcome = play([post(0, language="nl")], desk(*pools, routing=overflow(to_language="en", factor=1.5)))
    (turn,) = turns(outcome)
    assert (turn.start, turn.end, turn.agent, turn.route) == (20, 35, 1, 2)


def test_a_turn_that_overflows_keeps_its_key_and_its_place_in_both_queues() -> None:
    # The en head is busy until 30 and then takes the smallest key: the nl turn of minute 5, not that of 25.
    pools = [pool("nl", languages=["nl"], steps=[(0, 0), (60, 1)]), pool("en")]
    floor = desk(*pools, routing=overflow(to_pools=["en"], factor=1.0))
    posts = [post(0), post(5, language="nl"), post(10), post(39, language="nl")]
    outcome = play(posts, floor, scenario(handling=30.0))
    assert [(t.case, t.start, t.route) for t in turns(outcome)] == [(0, 0, OWN), (1, 30, 2), (2, 60, OWN), (3, 60, OWN)]


def test_who_has_overflowed_is_taken_once() -> None:
    pools = [pool("nl", languages=["nl"], steps=[(0, 0), (40, 2)]), pool("en", steps=[(0, 0), (40, 2)])]
    outcome = play([post(0, language="nl")], desk(*pools, routing=overflow(to_pools=["en"])))
    assert [(t.start, t.agent, t.route) for t in turns(outcome)] == [(40, 0, OWN)]


def test_overflow_does_not_open_to_those_without_the_topic() -> None:
    nobody = [(0, 0)]
    pools = [pool("nl", languages=["nl"], steps=nobody), pool("en", topics=["refund"]), pool("rest", steps=nobody)]
    routing = {**overflow(to_language="en"), "topic_groups": GROUPS}
    outcome = play([post(0, language="nl"), post(0, language="nl", topic="refund")], desk(*pools, routing=routing))
    assert [(t.start, t.route) for t in turns(outcome)] == [(INF, OWN), (20, 2)]


def test_a_language_that_nobody_speaks_is_served_over_the_bridge_at_once() -> None:
    routing = {"unserved": "bridge", "bridge_language": "en", "bridge_factor": 1.3}
    floor = desk(pool(languages={"en": 2.0}), routing=routing, triage={"mode": "people", "reading_s": 60.0})
    outcome = play([post(0, language="th")], floor)
    assert [(t.kind, t.start, t.end, t.route) for t in turns(outcome)] == [
        (TurnKind.READING, 0, 0.65, BRIDGE),
        (TurnKind.ANSWER, 0.65, 0.65 + 6.5, BRIDGE),
    ]


# ---- sticky ----------------------------------------------------------------------------------------

TWO_TURNS: dict[str, Any] = {"turns": [0.0, 1.0]}  # 5 minutes, 15 of thought, 5


def sticky(minutes: float, *pools: Any, posts: Sequence[Any] = (), handling: float = 10.0, **routing: Any) -> list[Any]:
    floor = desk(*(pools or (pool(heads=2),)), routing={"sticky_min": minutes, **routing})
    return turns(play([post(0), *posts], floor, scenario(handling=handling, **TWO_TURNS)))


def test_the_last_agent_takes_the_next_turn_if_he_is_free() -> None:
    # At 20 both are free, and case 1 of minute 10 had agent 0 again: the second turn goes to 0 by name.
    rows = sticky(60.0)
    assert [(t.agent, t.start, t.route) for t in rows] == [(0, 0, OWN), (0, 20, STICKY)]


def test_a_sticky_turn_waits_for_its_agent_though_others_are_free() -> None:
    # Agent 0 is busy with case 1 from 18 to 23.
    rows = sticky(60.0, posts=[post(18)])
    assert [(t.case, t.k, t.agent, t.start, t.route) for t in rows[:3]] == [
        (0, 0, 0, 0, OWN),
        (1, 0, 0, 18, OWN),
        (0, 1, 0, 23, STICKY),
    ]


def test_a_sticky_turn_is_free_for_all_at_its_time_out() -> None:
    rows = sticky(2.0, posts=[post(18)])
    assert (rows[2].case, rows[2].agent, rows[2].start, rows[2].route) == (0, 1, 22, OWN)


def test_a_sticky_turn_is_free_for_all_at_once_when_its_agent_leaves() -> None:
    people = agents("all", "mon 00:00-00:19", "mon 00:01-08:00")
    assert [(t.agent, t.start) for t in sticky(60.0, people)] == [(0, 0), (1, 20)]
    # Here he goes at 21, with case 1 in hand, while the turn waits for him.
    people = agents("all", "mon 00:00-00:21", "mon 00:19-08:00")
    rows = sticky(60.0, people, posts=[post(18)])
    assert [(t.case, t.agent, t.start, t.route) for t in rows[:3]] == [(0, 0, 0, OWN), (1, 0, 18, OWN), (0, 1, 21, OWN)]


def test_an_agent_takes_his_sticky_turns_by_key_among_his_queues() -> None:
    # At 25 agent 0 ends case 1. Case 2 of minute 18 is due before the second turn of case 0, of minute 20.
    rows = sticky(60.0, pool(), posts=[post(15), post(18)], handling=20.0)
    assert [(t.case, t.k, t.start) for t in rows if t.start < 50] == [
        (0, 0, 0),
        (1, 0, 15),
        (2, 0, 25),
        (0, 1, 35),
        (1, 1, 45),
    ]


def test_after_the_time_out_the_last_agent_has_no_claim_any_more() -> None:
    # The overflow pool has answered first, over a rule that opens after 1 minute. When the sticky time is
    # over, its agent is busy; the turn opens to the language's own pool, which comes at 60, and to the
    # overflow pool only by the rule.
    pools = [pool("nl", languages=["nl"], steps=[(0, 0), (60, 1)]), pool("en")]
    rule = {"languages": ["nl"], "after_min": 25.0, "to_pools": ["en"], "factor": 1.0}
    floor = desk(*pools, routing={"sticky_min": 5.0, "overflow": [rule]})
    posts = [post(0, language="nl"), post(40, topic="care")]
    world = scenario(**TWO_TURNS, handling_min={"default": 10.0, "care": 36.0})
    rows = [t for t in turns(play(posts, floor, world)) if t.case == 0]
    # Answered from 25 to 30, wanted again at 45; at 58 agent 1 ends case 1 and may not take it before 70.
    assert [(t.k, t.queued, t.agent, t.start, t.route) for t in rows] == [(0, 0, 1, 25, 2), (1, 45, 0, 60, OWN)]


def test_overflow_waits_for_the_end_of_the_sticky_time() -> None:
    # Wanted again at 20 by agent 0 alone, who is busy; overflow is due at 30, the time-out at 35.
    pools = [pool("en"), pool("others", languages=["nl"])]
    rule = {"after_min": 10.0, "to_pools": ["others"], "factor": 1.0}
    floor = desk(*pools, routing={"sticky_min": 15.0, "overflow": [rule]})
    world = scenario(**TWO_TURNS, handling_min={"default": 10.0, "care": 180.0})
    rows = turns(play([post(0), post(5, topic="care")], floor, world), where=lambda t: t.case == 0)
    assert [(t.k, t.agent, t.start, t.route) for t in rows] == [(0, 0, 0, OWN), (1, 1, 35, 2)]


# ---- reserve ---------------------------------------------------------------------------------------

DEFERRED = [
    {"name": "later", "when": {"topics": ["refund"]}, "promise_min": 5.0, "deferred": True},
    {"name": "now", "promise_min": 60.0},
]


def test_a_deferred_turn_leaves_the_reserve_alone() -> None:
    posts = [post(0, topic="refund"), post(1, topic="refund"), post(2, topic="refund"), post(3)]
    # At 10 two of the three are still busy.
    outcome = play(posts, desk(pool(heads=3, reserve=1), classes=DEFERRED))
    assert starts(outcome) == [0, 1, 11, 3]


def test_an_agent_more_lets_a_deferred_turn_start() -> None:
    outcome = play([post(0, topic="refund")], desk(pool(steps=[(0, 1), (20, 2)], reserve=1), classes=DEFERRED))
    assert (starts(outcome), taken_by(outcome)) == ([20], [0])


def test_the_reserve_holds_for_sticky_turns_too() -> None:
    # Agent 0 is free when the refund's second turn comes at 20, but agent 1 is busy until 40: one of two stays free.
    world = scenario(**TWO_TURNS, handling_min={"default": 10.0, "care": 80.0})
    floor = desk(pool(heads=2, reserve=1), classes=DEFERRED, routing={"sticky_min": 60.0})
    rows = turns(play([post(0, topic="refund"), post(1, topic="care")], floor, world))
    assert [(t.case, t.agent, t.start, t.route) for t in rows[:3]] == [
        (0, 0, 0, OWN),
        (1, 1, 1, OWN),
        (0, 0, 41, STICKY),
    ]


def test_a_desk_without_heads_answers_nobody() -> None:
    outcome = play(
        [post(0)],
        desk(pool("none", steps=[(0, 0)]), pool("empty", shifts=[{"name": "s", "start": "07:00", "heads": 0}])),
    )
    assert states(outcome) == [CaseState.WAITING]
    assert [t.state for t in turns(outcome)] == [TurnState.WAITING]
