"""The table by the clock: by hand, and against counting one by one."""

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_outcome import by_hand, trace, weekend

from scenarios.names import Language, code
from sim.intervals import Intervals, edges_of, intervals
from sim.outcome import Outcome, TurnKind, TurnState
from sim.waits import levels, seconds_within, under_way, waiting

INF = math.inf
NL = code(Language.NL)


def test_an_hour_by_hand() -> None:
    outcome = by_hand(
        cases=[
            {"posted_s": 0.0, "first_reply_s": 1000.0, "due_s": 900.0},
            {"posted_s": 899.0, "first_reply_s": 4000.0, "due_s": 4000.0},
            {"posted_s": 900.0, "first_reply_s": INF},
            {"posted_s": 3599.0, "first_reply_s": 3599.0 + 3601.0},
        ],
        turns=[
            {"queued_s": 0.0, "start_s": 900.0, "end_s": 1800.0, "agent": 0, "state": TurnState.DONE},
            {"queued_s": 100.0, "start_s": 1350.0, "end_s": 1400.0, "agent": 1, "state": TurnState.GHOST},
            {"queued_s": 100.0, "end_s": 2000.0, "language": NL, "state": TurnState.ABANDONED},
            {"queued_s": 2700.0, "language": NL},
            {
                "queued_s": 1.0,
                "start_s": 901.0,
                "end_s": 931.0,
                "kind": TurnKind.READING,
                "agent": 1,
                "state": TurnState.DONE,
            },
            {"queued_s": 1.0, "start_s": 2000.0, "end_s": 2010.0, "kind": TurnKind.CALL},
        ],
        staff=[{"on_s": 0.0, "off_s": 2250.0}, {"agent": 1, "on_s": -500.0, "off_s": 9000.0}],
        window_s=[0.0, 3600.0],
        end_s=3600.0,
    )
    found = intervals(outcome)
    assert found.starts_s.tolist() == [0.0, 900.0, 1800.0, 2700.0]
    assert found.posts is None
    assert found.cases.tolist() == [2, 1, 0, 1]
    assert found.within_20min.tolist() == [1, 0, 0, 0]
    assert found.within_60min.tolist() == [2, 0, 0, 0]
    assert found.within_promise.tolist() == [1, 0, 0, 1]
    assert found.staffed.tolist() == [2.0, 2.0, 1.5, 1.0]
    assert found.busy == pytest.approx([0.0, (900 + 50 + 30) / 900, 0.0, 0.0])
    assert found.waiting[:, code(Language.EN)].tolist() == [1, 1, 0, 0]
    assert found.waiting[:, NL].tolist() == [0, 1, 1, 1]
    assert found.backlog.tolist() == [1, 2, 1, 1]
    assert found.unread.tolist() == [0, 1, 0, 0]
    assert found.share(found.within_60min) == pytest.approx([1.0, 0.0, math.nan, 0.0], nan_ok=True)


def test_posts_are_those_of_the_trace_and_those_of_the_simulation() -> None:
    posts = trace((0.0, 1.0), 100.0, 10, seed=1)
    outcome = by_hand(extra=[{"time_s": 950.0}, {"time_s": 3599.0}], window_s=[0.0, 3600.0], end_s=3600.0)
    found = intervals(outcome, posts).posts
    assert found is not None
    own = np.histogram(posts["time_s"], np.arange(5) * 900.0)[0]
    assert (found - own).tolist() == [0, 1, 0, 1]


def test_the_intervals_go_on_for_as_long_as_the_run() -> None:
    outcome = by_hand(window_s=[-900.0, 1800.0], end_s=2000.0)
    assert intervals(outcome).edges_s.tolist() == [-900.0, 0.0, 900.0, 1800.0, 2000.0]
    assert intervals(outcome, until_s=1800.0).edges_s.tolist() == [-900.0, 0.0, 900.0, 1800.0]
    assert intervals(outcome, step_s=3600.0).cases.size == 1


@pytest.mark.parametrize(("start", "end", "step"), [(0.0, 0.0, 900.0), (0.0, 900.0, 0.0), (10.0, 0.0, 5.0)])
def test_an_empty_clock_is_refused(start: float, end: float, step: float) -> None:
    with pytest.raises(ValueError, match="no intervals"):
        edges_of(start, end, step)


def test_a_whole_run_adds_up() -> None:
    outcome, posts = weekend(seed=2)
    found = intervals(outcome, posts)
    assert found.posts is not None
    assert found.cases.sum() == outcome.cases["posted_s"].size
    assert found.posts.sum() == posts.mentions + outcome.extra["time_s"].size
    assert found.staffed.sum() * 900.0 == pytest.approx(np.sum(outcome.staff["off_s"] - outcome.staff["on_s"]))
    assert np.all(found.within_20min <= found.within_60min) and np.all(found.within_60min <= found.cases)
    assert np.all(found.busy <= found.staffed + 1e-6)


# ---- against counting one by one ----------------------------------------------------------------


def brute(outcome: Outcome, edges: list[float]) -> dict[str, list[Any]]:
    """The same table by loops over rows and intervals."""
    t, c, end_s = outcome.turns, outcome.cases, outcome.about["end_s"]
    out: dict[str, list[Any]] = {name: [] for name in ("cases", "within_60min", "backlog", "unread", "staffed", "busy")}
    rows = range(t["case"].size)
    last = edges[-1]

    def waits(i: int, at: float) -> bool:
        until = t["start_s"][i] if t["start_s"][i] < INF else t["end_s"][i]
        return bool(t["queued_s"][i] <= at < until)

    for low, high in itertools.pairwise(edges):
        inside = [
            i for i in range(c["posted_s"].size) if low <= c["posted_s"][i] < high or c["posted_s"][i] == last == high
        ]
        out["cases"].append(len(inside))
        out["within_60min"].append(sum(c["first_reply_s"][i] - c["posted_s"][i] <= 3600.0 for i in inside))
        out["backlog"].append(sum(waits(i, low) for i in rows if t["kind"][i] == TurnKind.ANSWER))
        out["unread"].append(sum(waits(i, low) for i in rows if t["kind"][i] in (TurnKind.READING, TurnKind.DISMISS)))
        staffed = busy = 0.0
        seconds = np.arange(low, high) + 0.5  # all times are whole seconds
        for agent in set(outcome.staff["agent"].tolist()):
            at_desk = np.zeros(seconds.size, bool)
            for j in np.flatnonzero(outcome.staff["agent"] == agent):
                at_desk |= (seconds > outcome.staff["on_s"][j]) & (seconds < min(outcome.staff["off_s"][j], end_s))
            at_work = np.zeros(seconds.size, bool)
            for i in rows:
                if t["agent"][i] == agent and t["kind"][i] != TurnKind.CALL:
                    at_work |= (seconds > t["start_s"][i]) & (seconds < min(t["end_s"][i], end_s))
            staffed += at_desk.sum()
            busy += (at_desk & at_work).sum()
        out["staffed"].append(staffed / (high - low))
        out["busy"].append(busy / (high - low))
    return out


whole = st.integers(-100, 700).map(float)
lengths = st.integers(0, 300).map(float)


@st.composite
def runs(draw: st.DrawFn) -> Outcome:
    cases = [
        {"posted_s": t, "first_reply_s": draw(st.one_of(st.just(INF), st.just(t + 20 * draw(lengths))))}
        for t in draw(st.lists(whole, max_size=6))
    ]
    turns: list[dict[str, Any]] = []
    for queued in draw(st.lists(whole, max_size=8)):
        start = queued + draw(lengths)
        fate = draw(st.sampled_from([TurnState.DONE, TurnState.ABANDONED, TurnState.WAITING, TurnState.IN_HAND]))
        turn: dict[str, Any] = {"queued_s": queued, "kind": draw(st.sampled_from(TurnKind)), "state": fate}
        turn["language"] = draw(st.integers(0, 13))
        if fate in (TurnState.DONE, TurnState.IN_HAND):
            turn |= {"start_s": start, "agent": draw(st.integers(0, 2))}
            turn["end_s"] = start + draw(lengths) if fate == TurnState.DONE else INF
        elif fate == TurnState.ABANDONED:
            turn["end_s"] = start
        turns.append(turn)
    staff = []
    for agent in range(draw(st.integers(0, 3))):
        on = draw(whole)
        off = on + draw(lengths)
        staff += [{"agent": agent, "on_s": on, "off_s": off}, {"agent": agent, "on_s": off + 5.0, "off_s": off + 50.0}]
    return by_hand(cases, turns, staff, window_s=[0.0, 500.0], end_s=600.0)


@given(runs(), st.sampled_from([50.0, 100.0, 170.0]))
def test_the_table_is_what_counting_one_by_one_gives(outcome: Outcome, step_s: float) -> None:
    found: Intervals = intervals(outcome, step_s=step_s)
    expected = brute(outcome, found.edges_s.tolist())
    for name, column in expected.items():
        assert getattr(found, name) == pytest.approx(column, abs=1e-6), name


stretches = st.lists(st.tuples(whole, lengths).map(lambda x: (x[0], x[0] + x[1])), max_size=10)


@given(stretches)
def test_levels_count_what_is_under_way(pairs: list[tuple[float, float]]) -> None:
    begin, end = (np.array([p[i] for p in pairs], dtype=float) for i in (0, 1))
    times, number = levels(begin, end)
    assert number.tolist() == [sum(a <= t < b for a, b in pairs) for t in times]
    assert under_way(begin, end, times).tolist() == number.tolist()
    assert not pairs or number[-1] == 0


@given(stretches, st.lists(whole, min_size=2, max_size=5, unique=True).map(sorted))
def test_seconds_within_are_the_overlaps(pairs: list[tuple[float, float]], edges: list[float]) -> None:
    begin, end = (np.array([p[i] for p in pairs], dtype=float) for i in (0, 1))
    expected = [sum(max(0.0, min(b, high) - max(a, low)) for a, b in pairs) for low, high in itertools.pairwise(edges)]
    assert seconds_within(begin, end, np.array(edges)) == pytest.approx(expected, abs=1e-6)


def test_what_still_waits_at_the_end_waits_without_end() -> None:
    turns = by_hand(turns=[{"queued_s": 1.0, "end_s": 50.0, "state": TurnState.WAITING}]).turns
    assert waiting(turns, (TurnKind.ANSWER,))[1].tolist() == [INF]
