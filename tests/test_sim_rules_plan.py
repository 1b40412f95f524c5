"""The crisis plan on days of a few posts (rule 8): triggers, levers, call-in, on both engines."""

from __future__ import annotations

from typing import Any

import pytest
from small import agents, case, desk, extra, play, pool, post, scenario, starts, states, turns

from scenarios.names import Platform, Visibility, code
from sim.desk import Desk
from sim.outcome import CaseState, Outcome, PlanStep, TurnKind

pytestmark = pytest.mark.exact

INF = float("inf")
POSTS = {"signal": "posts_per_h", "enter": 3.0, "leave": 2.0}
RUSH = [post(n) for n in (1, 2, 3)]
"""Three posts: a crisis is declared at minute 15, and left at 75, unless three more have come in the hour before."""
WINDOW = (0.0, 240.0)


def floor(*levers: dict[str, Any], ladder: tuple[dict[str, Any], ...] = (), heads: int = 3, **more: Any) -> Desk:
    """A desk whose crisis is declared at the first look after three posts in an hour; levers act 15 minutes later."""
    pools = more.pop("pools", (pool(heads=heads),))
    plan = {
        "name": "p", "interval_min": 15.0, "declaration_min": 0.0, "triggers": [POSTS], "levers": levers,
        "ladder": ladder,
    }  # fmt: skip
    return desk(*pools, plan=plan, **more)


def lever(changes: str, effect: float | None = 1.0, **more: Any) -> dict[str, Any]:
    return {"name": changes, "changes": changes, **({} if effect is None else {"effect": effect}), **more}


def rung(**more: Any) -> dict[str, Any]:
    groups = [{"heads": more.pop("heads", 1), "languages": more.pop("languages", ["en"])}]
    return {"name": "help", "groups": groups, "acceptance": 1.0, "lead_h": 0.5, "max_h": 1.0, "rest_h": 0.5, **more}


def steps(outcome: Outcome) -> list[tuple[float, str, int]]:
    p = outcome.plan
    rows = zip(p["time_s"].tolist(), p["step"].tolist(), p["number"].tolist(), strict=True)
    return [(time / 60, PlanStep(step).name, number) for time, step, number in rows]


def lengths(outcome: Outcome) -> list[float]:
    return [round(t.end - t.start, 9) for t in turns(outcome, TurnKind.ANSWER)]


def staff(outcome: Outcome, agent: int) -> list[tuple[float, float]]:
    s = outcome.staff
    rows = zip(s["agent"].tolist(), s["on_s"].tolist(), s["off_s"].tolist(), strict=True)
    return [(on / 60, off / 60) for number, on, off in rows if number == agent]


# ---- declaring and leaving ---------------------------------------------------------------------------


def test_a_crisis_is_declared_when_a_trigger_is_entered_and_left_when_all_are_left() -> None:
    outcome = play(RUSH, floor(lever("handling", 0.5)), window_min=WINDOW)
    assert steps(outcome) == [
        (15, "DECIDED", -1), (15, "DECLARED", -1), (30, "LEVER_ON", 0), (75, "LEFT", -1), (75, "LEVER_OFF", 0),
    ]  # fmt: skip


def test_the_declaration_takes_its_time_and_happens_at_a_look() -> None:
    plan = {"name": "p", "interval_min": 15.0, "declaration_min": 20.0, "triggers": [POSTS]}
    outcome = play(RUSH, desk(plan=plan), window_min=WINDOW)
    assert steps(outcome) == [(15, "DECIDED", -1), (45, "DECLARED", -1), (75, "LEFT", -1)]


def test_a_post_at_the_very_look_is_seen_by_the_next_one() -> None:
    outcome = play([post(1), post(2), post(15)], floor(), window_min=WINDOW)
    assert steps(outcome)[0] == (30, "DECIDED", -1)


def test_a_post_counts_for_an_hour() -> None:
    outcome = play([post(1), post(2), post(59.9), post(61), post(62)], floor(), window_min=WINDOW)
    # At 60: 1, 2 and 59.9. At 75 the first two are too old, but 61 and 62 have come. At 120 these two are left.
    assert [time for time, step, _ in steps(outcome) if step in ("DECLARED", "LEFT")] == [60, 120]


@pytest.mark.parametrize(
    ("signal", "enter", "declared"),
    [
        # One head, ten minutes a turn: after 1, 2, 3, 4 three turns wait until 11, two until 21, one until 31.
        ("backlog", 2.0, [15]),
        ("backlog", 3.0, []),
        ("oldest_wait_min", 12.0, [15]),  # the third post waits since 3
        ("oldest_wait_min", 12.5, [30]),  # then the fourth, since 4
        ("oldest_wait_min", 26.5, []),
        ("posts_per_h", 4.0, [15]),
        ("posts_per_h", 5.0, []),
        ("mention_to_case_ratio", 1.0, [15]),
        ("mention_to_case_ratio", 1.5, []),
        ("unread", 1.0, []),
    ],
)
def test_what_the_desk_sees(signal: str, enter: float, declared: list[float]) -> None:
    plan = {
        "name": "p", "interval_min": 15.0, "declaration_min": 0.0,
        "triggers": [{"signal": signal, "enter": enter, "leave": 0.0}],
    }  # fmt: skip
    outcome = play([post(n) for n in (1, 2, 3, 4)], desk(plan=plan), window_min=(0.0, 40.0))
    assert [time for time, step, _ in steps(outcome) if step == "DECLARED"] == declared


def test_a_signal_may_look_at_one_language_alone() -> None:
    trigger = {"signal": "posts_per_h", "language": "nl", "enter": 1.0, "leave": 0.0}
    plan = {"name": "p", "interval_min": 15.0, "declaration_min": 0.0, "triggers": [trigger]}
    both = desk(pool(languages=["en", "nl"]), plan=plan)
    outcome = play([post(1), post(20, language="nl")], both, window_min=WINDOW)
    assert steps(outcome)[0] == (30, "DECIDED", -1)


def test_unread_posts_are_a_signal_where_people_read() -> None:
    trigger = {"signal": "unread", "enter": 2.0, "leave": 0.0}
    plan = {"name": "p", "interval_min": 15.0, "declaration_min": 0.0, "triggers": [trigger]}
    reading = desk(triage={"mode": "people", "reading_s": 600.0}, plan=plan)
    outcome = play([post(1), post(2), post(3)], reading, window_min=WINDOW)
    # 1 is in hand to 11, 2 to 21; at 15 only 3 is unread, and the answer to 1 waits.
    assert steps(outcome) == []
    outcome = play([post(1), post(2), post(3), post(4)], reading, window_min=WINDOW)
    assert steps(outcome)[0] == (15, "DECIDED", -1)


# ---- levers -----------------------------------------------------------------------------------------


def test_a_lever_acts_after_its_lead_time_and_not_before() -> None:
    quick = lever("handling", 0.5, lead_min=20.0)
    outcome = play([*RUSH, post(34), post(36), post(80)], floor(quick, heads=9), window_min=WINDOW)
    assert lengths(outcome) == [10, 10, 10, 10, 5, 10]  # from 35 to the end of the crisis at 75, or later


def test_a_lever_without_lead_acts_one_interval_later() -> None:
    outcome = play([*RUSH, post(29), post(31)], floor(lever("handling", 0.5), heads=9), window_min=WINDOW)
    assert lengths(outcome) == [10, 10, 10, 10, 5]


def test_a_lever_may_have_a_time_and_triggers_of_its_own() -> None:
    late = lever("handling", 0.5, after_h=0.5)
    careful = lever("patience", 0.5, when=[{"signal": "posts_per_h", "enter": 5.0, "leave": 2.0}])
    outcome = play([*RUSH, post(46), post(47)], floor(late, careful, heads=9), window_min=WINDOW)
    ons = [row for row in steps(outcome) if row[1].startswith("LEVER")]
    # Declared at 15, so from 45 on the first one is wanted. At 60 there are five posts in the hour before, and
    # the second one is; at 75 there are two, and the crisis is left before it has acted.
    assert ons == [(60, "LEVER_ON", 0), (75, "LEVER_OFF", 0)]


def test_an_effect_halves_and_is_renewed() -> None:
    fading = lever("handling", 0.8, half_life_h=0.5, renew_h=1.0)
    busy = [post(n) for n in range(60, 235, 5)]  # keeps the crisis declared
    outcome = play([*RUSH, post(30), post(45), *busy], floor(fading, heads=99), window_min=WINDOW)
    long = {round(t.start, 6): t.end - t.start for t in turns(outcome)}
    assert long[30] == pytest.approx(10 * (1 - 0.8))
    assert long[45] == pytest.approx(10 * (1 - 0.8 * 0.5**0.5))
    assert long[60] == pytest.approx(10 * (1 - 0.4))
    assert long[85] == pytest.approx(10 * (1 - 0.8 * 0.5 ** (55 / 30)))
    assert long[90] == pytest.approx(10 * (1 - 0.8))


def test_a_lever_concerns_the_contacts_that_it_names() -> None:
    one = lever("handling", 0.5, contacts={"topics": ["refund"], "languages": ["en"], "platforms": ["x"]})
    posts = [post(31, topic="refund"), post(32, topic="info"), post(33, topic="refund", platform="vk")]
    outcome = play([*RUSH, *posts], floor(one, heads=9), window_min=WINDOW)
    assert lengths(outcome)[3:] == [5, 10, 10]


def test_levers_multiply_and_may_make_longer() -> None:
    up = {**lever("handling", 0.5, direction="up"), "name": "checked twice"}
    outcome = play([*RUSH, post(31)], floor(lever("handling", 0.2), up, heads=9), window_min=WINDOW)
    assert lengths(outcome)[3:] == [12]


def test_a_suppressed_case_and_its_follow_ups_never_happen() -> None:
    quiet = lever("arrivals", contacts={"topics": ["info"]})
    posts = [
        post(31, topic="info"), post(32, topic="refund"), post(33, "follow_up", case=3, topic="info"),
        post(34, "chatter", topic="info"), post(80, topic="info"),
    ]  # fmt: skip
    outcome = play([*RUSH, *posts], floor(quiet, heads=9), window_min=WINDOW)
    assert states(outcome)[3:] == [CaseState.SUPPRESSED, CaseState.RESOLVED, CaseState.RESOLVED]
    assert list(zip(outcome.suppressed["row"], outcome.suppressed["lever"], strict=True)) == [(3, 0), (5, 0)]
    assert starts(outcome)[3:] == [INF, 32, 80]


def test_a_child_of_a_suppressed_post_by_somebody_else_stays() -> None:
    quiet = lever("arrivals", contacts={"topics": ["info"]})
    outcome = play([*RUSH, post(31, topic="info"), post(32, topic="care", parent=3)], floor(quiet), window_min=WINDOW)
    assert states(outcome)[3:] == [CaseState.SUPPRESSED, CaseState.RESOLVED]


def test_a_lever_on_arrivals_says_which_posts_it_means() -> None:
    posts = [post(31, "chatter"), post(32, "fake"), post(33, "call"), post(34, "repost"), post(35)]
    kept = {
        which: play([*RUSH, *posts], floor(lever("arrivals", posts=which)), window_min=WINDOW)
        .suppressed["row"]
        .tolist()
        for which in ("cases", "chatter", "fake", "all")
    }
    assert kept == {"cases": [5, 7], "chatter": [3, 6], "fake": [4], "all": [3, 4, 5, 6, 7]}


def test_calls_that_are_not_made_hold_no_line() -> None:
    world = scenario(phone={"calls_per_h": 1.0, "lines": 9, "agents": 9})
    outcome = play([*RUSH, post(31, "call"), post(90, "call")], floor(lever("arrivals")), world, window_min=WINDOW)
    assert [t.queued for t in turns(outcome, TurnKind.CALL)] == [90]
    assert outcome.about["calls_suppressed"] == 1


def test_a_share_of_the_contacts_is_kept_away_by_name() -> None:
    # Five errors of sqrt(400 * 0.3 * 0.7) = 9.2 are 46.
    posts = [post(30 + n / 10) for n in range(400)]
    quiet = floor(lever("arrivals", 0.3, contacts={"topics": ["info"]}), heads=99)
    kept = play([*RUSH, *posts], quiet, window_min=WINDOW).suppressed["row"]
    assert kept.size == pytest.approx(120, abs=46)
    more = floor(lever("arrivals", 0.5, contacts={"topics": ["info"]}), heads=99)
    assert set(kept) <= set(play([*RUSH, *posts], more, window_min=WINDOW).suppressed["row"])


def test_who_was_kept_away_may_come_after_all_and_elsewhere() -> None:
    closed = lever(
        "arrivals", contacts={"platforms": ["x"]}, returns=[{"to": "public", "probability": 1.0, "delay_min": 50.0}]
    )
    outcome = play([*RUSH, post(31, platform="x", visibility="private")], floor(closed), window_min=WINDOW)
    late = case(outcome, 3)
    assert (late.posted, late.first_start, late.state) == (81, 81, CaseState.RESOLVED)
    assert late.due == 81 + 60
    assert (late.visibility, late.escalated) == (code(Visibility.PUBLIC), True)
    assert extra(outcome) == [(81, 3, 4)]


def test_who_turns_to_another_platform_is_seen_there() -> None:
    closed = lever(
        "arrivals", contacts={"platforms": ["x"]}, returns=[{"to": "vk", "probability": 1.0, "delay_min": 20.0}]
    )
    outcome = play([*RUSH, post(31, platform="x")], floor(closed), window_min=WINDOW)
    assert (case(outcome, 3).platform, starts(outcome)[3]) == (code(Platform.VK), 51)


def test_a_wrong_message_brings_back_those_it_kept_away_and_those_who_were_answered() -> None:
    wrong = {"probability": 1.0, "wave": 1.0, "back_h": 24.0, "delay_min": 5.0}
    quiet = lever("arrivals", contacts={"topics": ["info"]}, wrong=wrong, renew_h=0.5)
    outcome = play([*RUSH, post(31, topic="info")], floor(quiet, heads=9), window_min=WINDOW)
    # On at 30: the three answered come back at 35. Renewed at 60: the three again, and the one kept away, at 65.
    assert [row for row in steps(outcome) if row[1] == "WRONG"] == [(30, "WRONG", 0), (60, "WRONG", 0)]
    assert [t.queued for t in turns(outcome)] == [1, 2, 3, 35, 35, 35, 65, 65, 65, 65]
    assert outcome.cases["reopened"].tolist() == [2, 2, 2, 0]
    assert extra(outcome) == [(65, 3, 4)]


def test_fewer_write_again_while_they_wait() -> None:
    world = scenario(recontact={"after_h": 0.25, "probability": 0.9, "gap_min": 5.0, "separate_share": 1.0})
    posts = [*RUSH, *(post(31 + n / 100) for n in range(100))]
    nobody = floor(lever("recontact"), heads=0)
    outcome = play(posts, nobody, world, window_min=(0.0, 70.0))
    assert outcome.cases["recontacts"][3:103].sum() == 0  # the chance is taken when the wait begins, after 30
    joins = floor(lever("separate"), heads=0)
    outcome = play(posts, joins, world, window_min=(0.0, 70.0))
    assert outcome.cases["recontacts"][3:103].sum() > 50
    assert set(outcome.cases["origin"][103:].tolist()) <= {0, 1, 2}  # these wrote before 30, in cases of their own


def test_more_write_again_where_a_lever_says_so() -> None:
    # Of 100 who wait half would write again, and with the lever all of them.
    world = scenario(recontact={"after_h": 0.25, "probability": 0.5, "gap_min": 5.0})
    posts = [*RUSH, *(post(31 + n / 100) for n in range(100))]
    louder = floor(lever("recontact", direction="up"), heads=0)
    outcome = play(posts, louder, world, window_min=(0.0, 54.0))
    assert (outcome.cases["recontacts"][3:103] == 1).all()


def test_patience_is_shorter_or_longer_for_waits_that_begin_then() -> None:
    world = scenario(patience_h=1.0)
    for direction, left in (("down", 31 + 30), ("up", 31 + 90)):
        change = lever("patience", 0.5, direction=direction)
        outcome = play([*RUSH, post(31)], floor(change, heads=0), world, window_min=WINDOW)
        assert [case(outcome, n).left for n in (0, 3)] == [61, left]


def test_turns_queue_by_the_promises_of_a_lever_while_it_is_on() -> None:
    soon = [
        {"name": "flies", "when": {"departure_below_h": 4.0}, "promise_min": 5.0},
        {"name": "r", "promise_min": 99.0},
    ]
    order = lever("promise", None, classes=soon)
    posts = [post(31), post(32), post(33, departure_h=2.0)]
    outcome = play([*RUSH, *posts], floor(order, heads=1), window_min=WINDOW)
    assert starts(outcome)[3:] == [31, 51, 41]
    assert [t.key for t in turns(outcome)][3:] == [31 + 99, 32 + 99, 33 + 5]
    assert [case(outcome, n).due for n in (3, 4, 5)] == [91, 92, 93]  # what is measured stays the desk's promise


def test_a_filter_reads_instead_of_people_from_then_on() -> None:
    machine = lever("filter", 1.0, false_positive=0.0, delay_s=60.0)
    people = {"mode": "people", "reading_s": 60.0}
    outcome = play([*RUSH, post(31), post(32, "chatter")], floor(machine, triage=people), window_min=WINDOW)
    assert [t.post for t in turns(outcome, TurnKind.READING)] == [0, 1, 2]
    assert case(outcome, 3).seen == 32


def test_what_the_filter_of_a_lever_misses_is_missed() -> None:
    machine = lever("filter", 0.0, false_positive=0.0)
    outcome = play([*RUSH, post(31)], floor(machine, triage={"mode": "people", "reading_s": 6.0}), window_min=WINDOW)
    assert states(outcome)[3] is CaseState.MISSED


def test_overdue_turns_go_last_while_a_lever_says_so() -> None:
    rule = lever("overdue", None, overdue={"mode": "fresh_first"})
    classes = [{"name": "all", "promise_min": 25.0}]
    # One head; 4 waits from 4 on and is overdue from 29. At 31 its place is before that of 30.5, but it is overdue.
    outcome = play([*RUSH, post(4), post(30.5)], floor(rule, heads=1, classes=classes), window_min=WINDOW)
    assert starts(outcome) == [1, 11, 21, 41, 31]


def test_a_lane_of_their_own_opens_and_closes() -> None:
    rule = lever("overdue", None, overdue={"mode": "own_lane", "seats": 0})
    classes = [{"name": "all", "promise_min": 1.0}]
    outcome = play([*RUSH, post(4)], floor(rule, heads=1, classes=classes), window_min=WINDOW)
    # The fourth is overdue when a head is free at 31; it is taken when the crisis is left, at 75.
    assert starts(outcome) == [1, 11, 21, 75]


def test_others_may_take_a_turn_by_a_rule_of_a_lever() -> None:
    rule = lever("overflow", None, overflow={"after_min": 20.0, "to_language": "en", "factor": 2.0})
    pools = (pool("en"), pool("nl", steps=[(-1000, 0)], languages=["nl"]))
    posts = [*RUSH, post(5, language="nl"), post(25, language="nl")]
    outcome = play(posts, floor(rule, pools=pools), window_min=WINDOW)
    # Both wait when the rule comes into force at 30: the first for 25 minutes already, the second for 5. The head
    # is free at 31, after the third turn.
    assert starts(outcome)[3:] == [31, 51]
    assert lengths(outcome)[3:] == [20, 20]
    late = play([*RUSH, post(70, language="nl")], floor(rule, pools=pools), window_min=WINDOW)
    assert starts(late)[3] == INF  # at 90, when it has waited long enough, the rule is no longer in force


def test_what_is_put_aside_is_queued_when_the_lever_is_off() -> None:
    aside = lever("park", contacts={"topics": ["refund"]})
    outcome = play([*RUSH, post(31, topic="refund"), post(32)], floor(aside), window_min=WINDOW)
    assert starts(outcome)[3:] == [75, 32]
    assert [t.queued for t in turns(outcome)] == [1, 2, 3, 32, 75]
    cut = play([*RUSH, post(31, topic="refund")], floor(aside), window_min=(0.0, 60.0))
    assert states(cut)[3] is CaseState.PARKED


def test_agents_stay_longer_and_are_paid_for_it() -> None:
    stay = lever("heads", 1.0, extend_h=0.5)
    pools = (agents("day", "mon 00:00-00:40", "mon 00:00-01:30", shift_end="hand_back"),)
    outcome = play([*RUSH, post(35), post(36)], floor(stay, pools=pools), window_min=WINDOW)
    assert staff(outcome, 0) == [(0, 70)]
    assert staff(outcome, 1) == [(0, 90)]  # the crisis was left at 75
    paid = outcome.shifts["end_s"][outcome.shifts["agent"] == 0] / 60
    assert paid.tolist() == [40, 70]


def test_nobody_stays_who_comes_again_soon() -> None:
    stay = lever("heads", 1.0, extend_h=0.5)
    day = [{"code": "a", "shifts": ["mon 00:00-00:40", "mon 01:00-02:00"]}]
    outcome = play(RUSH, floor(stay, pools=(pool("day", agents=day),)), window_min=WINDOW)
    assert staff(outcome, 0) == [(0, 40), (60, 120)]


# ---- the ladder --------------------------------------------------------------------------------------


def test_who_is_called_in_comes_works_rests_and_comes_again() -> None:
    busy = [post(n) for n in range(20, 200, 10)]
    outcome = play([*RUSH, *busy], floor(ladder=(rung(),), heads=1), window_min=WINDOW)
    assert (15, "CALLED", 0) in steps(outcome)
    # Asked at 15, half an hour of lead, an hour of work, half an hour of rest.
    assert staff(outcome, 1) == [(45, 105), (135, 195), (225, 240)]
    assert (outcome.shifts["start_s"] / 60).tolist() == [45, 135, 225]
    assert outcome.about["pools"][1]["ladder"] and not outcome.about["pools"][0]["ladder"]


def test_after_the_crisis_nobody_begins_and_who_is_there_stays_to_the_end() -> None:
    outcome = play(RUSH, floor(ladder=(rung(),)), window_min=WINDOW)
    assert (75, "STOOD_DOWN", 0) in steps(outcome)
    assert staff(outcome, 3) == [(45, 105)]
    slow = play(RUSH, floor(ladder=(rung(lead_h=2.0),)), window_min=WINDOW)
    assert staff(slow, 3) == []  # on the way at 75: stays at home


def test_breaks_of_those_who_were_called_in() -> None:
    help_ = rung(breaks=[{"after_h": 0.25, "minutes": 5.0}, {"after_h": 0.5, "minutes": 10.0}])
    outcome = play(RUSH, floor(ladder=(help_,)), window_min=WINDOW)
    assert staff(outcome, 3) == [(45, 60), (65, 75), (85, 105)]


def test_a_rung_ends_after_its_time() -> None:
    busy = [post(n) for n in range(20, 200, 10)]
    outcome = play([*RUSH, *busy], floor(ladder=(rung(for_h=2.0),)), window_min=WINDOW)
    assert staff(outcome, 3) == [(45, 105), (135, 195)]  # asked at 15: nobody begins after 135


def test_some_decline_by_name() -> None:
    # Five errors of sqrt(200 * 0.3 * 0.7) = 6.5 are 33.
    outcome = play(RUSH, floor(ladder=(rung(heads=200, acceptance=0.3),)), window_min=WINDOW)
    called = outcome.plan["heads"][outcome.plan["step"] == PlanStep.CALLED]
    assert called[0] == pytest.approx(60, abs=33)
    assert set(outcome.staff["agent"].tolist()) - {0, 1, 2} == set(outcome.shifts["agent"].tolist())
    assert len(set(outcome.shifts["agent"].tolist())) == called[0]


def test_at_first_work_takes_twice_the_time() -> None:
    help_ = rung(ramp_up_h=1.0, languages=["nl"], max_h=3.0)
    posts = [*RUSH, *(post(n, language="nl") for n in (45, 75, 110)), *(post(n) for n in (50, 100, 130))]
    pools = (pool(heads=9), pool("nobody", languages=["nl"], steps=[(-1000, 0)]))
    outcome = play(posts, floor(ladder=(help_,), pools=pools), window_min=WINDOW)
    dutch = [t for t in turns(outcome) if t.agent == 9]
    assert [round(t.end - t.start, 9) for t in dutch] == [20, 15, 10]


def test_a_language_that_only_the_ladder_speaks_is_served_by_nobody() -> None:
    with pytest.raises(Exception, match="serves nobody in: nl"):
        play([*RUSH, post(4, language="nl")], floor(ladder=(rung(languages=["nl"]),)), window_min=WINDOW)


def test_a_rung_that_is_asked_again_respects_the_rest() -> None:
    again = [post(100 + n) for n in range(3)]
    outcome = play([*RUSH, *again], floor(ladder=(rung(rest_h=1.0, lead_h=0.25),)), window_min=WINDOW)
    # Asked at 15, there from 30 to 90, rested at 150. The crisis is declared again at 105.
    assert [row for row in steps(outcome) if row[1] == "CALLED"] == [(15, "CALLED", 0), (105, "CALLED", 0)]
    assert staff(outcome, 3) == [(30, 90), (150, 210)]


def test_a_plan_that_never_acts_changes_no_row() -> None:
    never = [{"signal": "backlog", "enter": 1e9, "leave": 0.0}]
    plan = {"name": "p", "triggers": never, "levers": [lever("handling", 0.5)], "ladder": [rung()]}
    posts = [post(n, language="en") for n in range(60)]
    with_it, without = (play(posts, desk(plan=each)) for each in (plan, None))
    assert [column for column in with_it.differences(without)] == []
