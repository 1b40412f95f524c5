"""Last December played again: trusted with its own desk, and not with one that lacks a fifth of the heads."""

from __future__ import annotations

from functools import cache

import december
import numpy as np
import pytest
from small import desk as small_desk
from small import pool, post, scenario, trace

from scenarios.errors import DeskError, TraceError
from scenarios.history.actual import Actual
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim import compiled
from sim.desk import Desk
from sim.levers import ArrivalsLever
from sim.staff import recorded
from sim.staff.hindcast import Hindcast, hindcast

SEED = 1


@cache
def played(share: float) -> Hindcast:
    """The past of a whole desk, in the light of one with a share of the heads."""
    past, actual = december.one_more_run(SEED, december.desk())
    return hindcast(past, actual, december.storm(), december.desk(share))


def test_its_own_desk_is_trusted() -> None:
    found = played(1.0)
    assert found.verdict == "trust"
    assert found.agreement.p > 0.05
    assert found.seen is not None and found.seen >= 0.8
    # Each interval lies inside the 80 % band with a probability of 0.8 at least; they hang together over hours.
    assert found.covered["backlog", 0.8] > 0.6
    assert found.covered["backlog", 0.95] > 0.85


def test_a_desk_without_a_fifth_of_its_heads_is_not_and_it_says_by_how_many() -> None:
    found = played(0.8)
    assert found.verdict == "do not trust"
    assert ("backlog", None) in [(part.what, part.language) for part in found.agreement.fails]
    # The past had 1.25 times the heads of the model.
    assert found.as_if is not None
    assert found.as_if.low <= 1.25 <= found.as_if.high
    assert found.agreement.part("backlog").bias > 0


def test_it_says_where_it_fails() -> None:
    found = played(0.8)
    first = found.stretches[0]
    edges_h = found.clock.edges_s / 3600.0
    # The storm lasts from hour 30 to hour 40 or so, and the ordinary day before it is too much for four heads.
    assert 12.0 <= edges_h[first.first] <= 50.0
    assert first.simulated > first.actual + 5.0


def test_a_lull_tells_nothing_about_the_heads() -> None:
    past, actual = december.one_more_run(SEED, december.desk(3.0))
    found = hindcast(past, actual, december.storm(), december.desk(3.0))
    assert found.verdict == "cannot tell"
    assert found.agreement.p > 0.05
    assert found.seen is not None and found.seen < 0.8


def small_past(posts: list[dict[str, object]], replies_min: list[float]) -> tuple[Trace, Actual]:
    past = trace(posts, (0.0, 600.0))
    past = Trace(past.columns, {**past.about, "timezone": "Europe/Amsterdam", "onset_local": "2015-06-01T00:00:00"})
    n = len(replies_min)
    columns = {
        "first_reply_s": np.array(replies_min) * 60.0, "closed_s": np.array(replies_min) * 60.0,
        "left_s": np.full(n, np.inf), "handling_s": np.full(n, np.nan), "agent": np.full(n, NONE),
    }  # fmt: skip
    return past, Actual(columns, {"trace": past.digest, "source": "", "known": [], "version": "test"})


def test_a_few_cases_tell_nothing() -> None:
    past, actual = small_past([post(10), post(50)], [20.0, 60.0])
    assert hindcast(past, actual, scenario(), small_desk()).verdict == "cannot tell"


def test_a_language_that_nobody_speaks_is_named() -> None:
    past, actual = small_past([post(10), post(50, language="nl")], [20.0, 60.0])
    with pytest.raises(DeskError, match="nl"):
        hindcast(past, actual, scenario(), small_desk())


def test_only_the_languages_of_the_trace_need_speakers() -> None:
    past, actual = small_past([post(10, language="nl")], [20.0])
    assert hindcast(past, actual, december.storm(), small_desk(pool(languages=["nl"]))).verdict == "cannot tell"


def test_nothing_to_compare_is_refused() -> None:
    past, actual = small_past([post(10, "chatter")], [])
    with pytest.raises(TraceError, match="no cases"):
        hindcast(past, actual, scenario(), small_desk())
    past, actual = small_past([post(10)], [20.0])
    with pytest.raises(TraceError, match="warm-up of 10 h leaves nothing"):
        hindcast(past, actual, scenario(), small_desk(), warm_up_h=10.0)


def test_rows_make_no_second_cases() -> None:
    # Customers who wait write again; what of that opened a case has a row, so a run must not open it too.
    past, _ = december.happened(SEED)
    days = recorded.behaviour(december.storm(), past)
    outcome = compiled.run(days, december.desk(0.6), recorded.posts(past), SEED)
    assert outcome.cases["recontacts"].sum() > 0
    assert outcome.cases["row"].size == past.cases
    again = compiled.run(december.storm(), december.desk(0.6), past, SEED)
    assert again.cases["row"].size > past.cases


def test_later_messages_are_left_out_of_play_and_rows_still_point_at_rows() -> None:
    posts = [post(0), post(5, "follow_up", 0), post(6), post(7, "chatter"), post(9, "follow_up", 1)]
    past = trace(posts)
    columns = dict(past.columns)
    columns["parent"] = np.array([NONE, 0, NONE, 2, 2])  # the chatter was set off by the second case
    kept = recorded.posts(Trace(columns, past.about))
    assert kept["time_s"].tolist() == [0.0, 360.0, 420.0]
    assert kept["parent"].tolist() == [NONE, NONE, 1]
    assert kept["kind"].tolist() == [code(PostKind.CASE), code(PostKind.CASE), code(PostKind.CHATTER)]


def test_levers_that_keep_people_from_writing_are_left_out() -> None:
    given = Desk.load("klm_2015")
    plan = recorded.staff(given).plan
    assert plan is not None and given.plan is not None
    assert any(isinstance(lever, ArrivalsLever) for lever in given.plan.levers)
    assert not any(isinstance(lever, ArrivalsLever) for lever in plan.levers)
    assert plan.ladder == given.plan.ladder
