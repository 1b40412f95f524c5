"""Rule 4 on days of a few posts: which turn goes first, what is overdue, who is turned away."""

from __future__ import annotations

from typing import Any

import pytest
from small import agents, case, desk, play, pool, post, scenario, starts, states, turns

from sim.outcome import CaseState, TurnKind, TurnState

pytestmark = pytest.mark.exact

INF = float("inf")
LATE = pool(steps=[(0, 0), (100, 1)])  # one head from minute 100 on
URGENT = [
    {"name": "urgent", "when": {"topics": ["rebooking"]}, "promise_min": 10.0},
    {"name": "rest", "promise_min": 20.0},
]


def test_the_smallest_key_goes_first() -> None:
    # Keys: 0 + 20, 5 + 10, 30 + 10.
    posts = [post(0), post(5, topic="rebooking"), post(30, topic="rebooking")]
    assert starts(play(posts, desk(LATE, classes=URGENT))) == [110, 100, 120]


def test_at_equal_keys_the_earlier_post_goes_first_then_the_smaller_case() -> None:
    # Keys 20, 20, 20: arrivals 0, 10, 10.
    posts = [post(0), post(10, topic="rebooking"), post(10, topic="rebooking")]
    assert starts(play(posts, desk(LATE, classes=URGENT))) == [100, 110, 120]


def test_equal_promises_serve_who_has_waited_longest() -> None:
    posts = [post(0, topic="baggage"), post(1, topic="refund"), post(2, tier="platinum")]
    assert starts(play(posts, desk(LATE))) == [100, 110, 120]


def test_promises_far_apart_are_strict_priority() -> None:
    classes = [{**URGENT[0], "promise_min": 1.0}, {"name": "rest", "promise_min": 1e6}]
    posts = [post(0), post(1), post(100, topic="rebooking"), post(105, topic="rebooking")]
    assert starts(play(posts, desk(LATE, classes=classes))) == [100, 130, 110, 120]


@pytest.mark.parametrize(
    ("when", "post_with", "post_without"),
    [
        ({"departure_below_h": 4.0}, {"departure_h": 3.9}, {"departure_h": 4.0}),
        ({"tiers": ["gold", "platinum"]}, {"tier": "gold"}, {"tier": "silver"}),
        ({"topics": ["care"]}, {"topic": "care"}, {"topic": "info"}),
        ({"sentiments": ["negative"]}, {"sentiment": "negative"}, {"sentiment": "positive"}),
        ({"influence_from": 1000.0}, {"influence": 1000.0}, {"influence": 999.0}),
        ({"visibility": "private"}, {"visibility": "private"}, {"visibility": "public"}),
        ({"languages": ["nl"]}, {"language": "nl"}, {"language": "en"}),
        ({"tiers": ["gold"], "topics": ["care"]}, {"tier": "gold", "topic": "care"}, {"tier": "gold"}),
    ],
    ids=["departure", "tier", "topic", "sentiment", "influence", "visibility", "language", "all of them"],
)
def test_the_first_class_that_fits_gives_the_promise(
    when: dict[str, Any], post_with: dict[str, Any], post_without: dict[str, Any]
) -> None:
    classes = [
        {"name": "special", "when": when, "promise_min": 5.0},
        {"name": "the same again", "when": when, "promise_min": 6.0},
        {"name": "rest", "promise_min": 90.0},
    ]
    outcome = play([post(0, **post_with), post(0, **post_without)], desk(pool(languages=["en", "nl"]), classes=classes))
    assert [(case(outcome, n).cls, case(outcome, n).due) for n in (0, 1)] == [(0, 5), (2, 90)]
    assert [t.key for t in turns(outcome)] == [5, 90]


def test_later_turns_have_a_promise_of_their_own() -> None:
    # Five minutes of work, then fifteen of thought: the second turn is wanted at 20.
    world = scenario(turns=[0.0, 1.0])
    classes = [{"name": "all", "promise_min": 60.0, "next_min": 7.0}]
    assert [t.key for t in turns(play([post(0)], desk(classes=classes), world))] == [60, 27]
    classes = [{"name": "all", "promise_min": 60.0}]
    assert [t.key for t in turns(play([post(0)], desk(classes=classes), world))] == [60, 80]


def test_the_promise_of_an_answer_to_a_message_counts_from_the_message() -> None:
    world = scenario(handling=50.0)
    outcome = play([post(0), post(20, "follow_up", case=0), post(30, "follow_up", case=0)], desk(), world)
    assert [(t.queued, t.key) for t in turns(outcome)] == [(0, 60), (50, 80)]


OVERDUE = [post(0), post(1), post(95, topic="rebooking"), post(96, topic="rebooking")]
KEYS = [
    {"name": "soon", "when": {"topics": ["rebooking"]}, "promise_min": 10.0},
    {"name": "rest", "promise_min": 20.0},
]


def overdue(mode: str, seats: int = 0, heads: int = 1) -> list[float]:
    """Starts of four posts: at minute 100 the first two are overdue, the others are due at 105 and 106."""
    rule = {"mode": mode, "seats": seats}
    floor = desk(pool(steps=[(0, 0), (100, heads)]), classes=KEYS, routing={"overdue": rule})
    return starts(play(OVERDUE, floor, scenario(handling=5.0)))


def test_overdue_turns_keep_their_place() -> None:
    assert overdue("keep") == [100, 105, 110, 115]


def test_overdue_turns_go_last_if_fresh_ones_go_first() -> None:
    assert overdue("fresh_first") == [110, 115, 100, 105]


def test_in_a_lane_of_their_own_only_so_many_overdue_turns_are_in_hand() -> None:
    # Two heads take the fresh ones; of the overdue one at a time, though the other head is idle.
    assert overdue("own_lane", seats=1, heads=2) == [105, 110, 100, 100]
    assert overdue("own_lane", seats=2, heads=2) == [105, 105, 100, 100]
    assert overdue("own_lane", seats=0, heads=2) == [INF, INF, 100, 100]


def test_an_agent_who_waits_at_a_full_lane_starts_when_it_frees() -> None:
    # The nl head has the lane until 105; the en head has nothing to do, but case 1 is overdue too.
    steps = [(0, 0), (100, 1)]
    pools = [pool("nl", languages=["nl"], steps=steps), pool("en", steps=steps)]
    floor = desk(*pools, classes=KEYS, routing={"overdue": {"mode": "own_lane", "seats": 1}})
    outcome = play([post(0, language="nl"), post(1)], floor, scenario(handling=5.0))
    assert starts(outcome) == [100, 105]


def test_who_waits_at_a_full_lane_does_not_pass_on_what_he_could_not_start() -> None:
    # At 101 the nl agent has read a post and goes; its case is overdue. The lane is free for the other agent,
    # who has waited to read the en post: that is due first.
    floor = desk(
        agents("nl", "mon 01:40-01:41", languages=["nl"]),
        pool("both", languages=["en", "nl"], steps=[(0, 0), (100, 1)]),
        classes=[{"name": "all", "promise_min": 20.0}],
        triage={"mode": "people", "reading_s": 60.0, "promise_min": 5.0},
        routing={"overdue": {"mode": "own_lane", "seats": 1}},
    )
    outcome = play([post(0, language="nl"), post(1, language="en")], floor)
    assert [(t.kind, t.post, t.case, t.start) for t in turns(outcome)][:3] == [
        (TurnKind.READING, 0, -1, 100),
        (TurnKind.READING, 1, -1, 101),
        (TurnKind.ANSWER, -1, 0, 102),
    ]


def test_a_case_that_is_overdue_when_it_has_been_read_does_not_pass_the_fresh() -> None:
    # At 101 the first post has been read, its case was due at 70; the other post is due to be read at 159.
    floor = desk(
        pool(steps=[(0, 0), (100, 1)]),
        triage={"mode": "people", "reading_s": 60.0, "promise_min": 60.0},
        classes=KEYS,
        routing={"overdue": {"mode": "fresh_first"}},
    )
    outcome = play([post(50), post(99)], floor)
    assert starts(outcome) == [112, 102]


def test_without_places_to_wait_a_turn_is_blocked_unless_somebody_is_free() -> None:
    floor = desk(routing={"limits": [{"places": 0}]})
    outcome = play([post(0), post(5), post(10)], floor)
    assert [(t.state, t.wait) for t in turns(outcome)] == [
        (TurnState.DONE, 0),
        (TurnState.BLOCKED, 0),
        (TurnState.DONE, 0),
    ]
    assert states(outcome) == [CaseState.RESOLVED, CaseState.GAVE_UP, CaseState.RESOLVED]


def test_a_limit_counts_the_queues_that_it_names_together() -> None:
    groups = {"money": ["refund", "payment"], "rest": []}
    topics = ["info", "rebooking", "baggage", "checkin", "care", "assistance", "lost_item", "complaint", "praise"]
    groups["rest"] = topics
    limits = [{"places": 2, "groups": ["money"], "languages": ["en"], "visibility": "private"}]
    floor = desk(pool(steps=[(0, 0)]), routing={"topic_groups": groups, "limits": limits})
    posts = [
        post(0, topic="refund", visibility="private"),
        post(1, topic="payment", visibility="private"),
        post(2, topic="payment", visibility="public"),
        post(3, topic="info", visibility="private"),
        post(4, topic="refund", visibility="private"),
    ]
    assert [t.state == TurnState.BLOCKED for t in turns(play(posts, floor))] == [False, False, False, False, True]


def test_whoever_balks_gives_up_rather_than_wait() -> None:
    floor = desk(routing={"limits": [{"balk": 1.0}]})
    outcome = play([post(0), post(5), post(10)], floor)
    assert [t.state for t in turns(outcome)] == [TurnState.DONE, TurnState.BALKED, TurnState.DONE]


def test_a_share_of_those_who_must_wait_balks() -> None:
    # One head all day long: 199 of 200 must wait. Five errors of sqrt(199 * 0.21) = 6.5 are 32.
    floor = desk(routing={"limits": [{"balk": 0.3}]})
    outcome = play([post(n) for n in range(200)], floor, scenario(handling=1000.0))
    balked = sum(t.state == TurnState.BALKED for t in turns(outcome))
    assert balked == pytest.approx(0.3 * 199, abs=32)


def test_a_queue_is_served_by_those_with_its_language_and_topic_group_alone() -> None:
    topics = ["rebooking", "baggage", "checkin", "payment", "care", "assistance", "lost_item", "complaint", "praise"]
    groups = {"info": ["info"], "refund": ["refund"], "rest": topics}
    floor = desk(
        pool("a", languages=["en"], topics=["info", "rest"]),
        pool("b", languages=["nl"]),
        pool("c", languages=["en"], topics=["refund"], steps=[(0, 0), (60, 1)]),
        routing={"topic_groups": groups},
    )
    posts = [post(0, topic="refund"), post(0, topic="info", language="nl"), post(0, topic="info")]
    outcome = play(posts, floor)
    assert [(t.start, t.agent) for t in turns(outcome)] == [(60, 2), (0, 1), (0, 0)]


def test_languages_and_topics_of_the_trace_alone_have_queues_too() -> None:
    # The scenario's mix has English only.
    outcome = play([post(0, language="th", topic="care")], desk(pool(languages=["en", "th"])))
    assert starts(outcome) == [0]
