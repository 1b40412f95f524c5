"""The reference engine against exact answers of queueing theory.

Every comparison is made over independent replications and passes within 3.3 standard errors of
their mean; at most 200,000 customers a case. What the window's start from empty would bend is cut.
"""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
from exact import (
    MANY_MIN,
    MINUTE_S,
    TOPICS,
    assert_near,
    busy_minutes,
    desk,
    exact,
    exponential,
    heads,
    play,
    poisson,
    scenario,
)

from scenarios.names import Topic
from sim.outcome import TurnState

RUNS = 20


def test_v01_mm12_stationary_and_one_day_from_empty() -> None:
    want = exact("V01")["stationary"]
    floor = desk([heads("all", [(0, 12)])])
    rng = np.random.default_rng(101)
    found: dict[str, list[float]] = defaultdict(list)
    horizon, warm = 1300.0, 100.0
    for run in range(RUNS):
        outcome = play(
            scenario(horizon, exponential(2.0)), floor, {Topic.INFO: poisson(4.2, horizon, rng)}, horizon, run
        )
        arrived = outcome.turns["queued_s"] / MINUTE_S
        late = (arrived >= warm) & (arrived < horizon - 50)
        waits = outcome.turns["wait_s"][late] / MINUTE_S
        found["p_wait"].append(float(np.mean(waits > 0)))
        found["mean_wait_min"].append(float(waits.mean()))
        found["p_wait_le_awt"].append(float(np.mean(waits <= 1 / 3)))
        found["occupancy"].append(busy_minutes(outcome, warm, horizon) / 12 / (horizon - warm))
    for name, values in found.items():
        assert_near(values, want[name], name)

    want = exact("V01")["day_from_empty"]
    found.clear()
    for day in range(45):
        outcome = play(
            scenario(480.0, exponential(2.0)), floor, {Topic.INFO: poisson(4.2, 480.0, rng)}, 480.0, day, 120.0
        )
        waits = outcome.turns["wait_s"] / MINUTE_S
        found["expected_answered_within_awt"].append(float(np.sum(waits <= 1 / 3)))
        found["occupancy"].append(busy_minutes(outcome, 0.0, 480.0) / 12 / 480.0)
        found["waited"].append(float(waits.sum()) / (4.2 * 480.0))
    assert_near(found["expected_answered_within_awt"], want["expected_answered_within_awt"], "answered within AWT")
    assert_near(found["occupancy"], want["occupancy"], "occupancy")
    assert_near(found["waited"], want["mean_wait"], "mean wait")


@pytest.mark.parametrize(("case", "servers", "load"), [(0, 10, 7.0), (1, 150, 140.0)])
def test_v02_erlang_b_by_simulation(case: int, servers: int, load: float) -> None:
    # No waiting place: who finds all agents busy is blocked and gives up.
    floor = desk([heads("all", [(0, servers)])], routing={"idle": ["ordered"], "limits": [{"places": 0}]})
    rng = np.random.default_rng(102 + case)
    horizon = 5000.0 / load + 10.0
    blocked = []
    for run in range(RUNS):
        streams = {Topic.INFO: poisson(load, horizon, rng)}
        outcome = play(scenario(horizon, exponential(1.0)), floor, streams, horizon, run)
        after = outcome.turns["queued_s"] > 10 * MINUTE_S
        blocked.append(float(np.mean(outcome.turns["state"][after] == TurnState.BLOCKED)))
    assert_near(blocked, exact("V02")["p_block"][case], f"{servers} servers")


LAWS = {
    "deterministic": {"kind": "constant", "value": 8.0},
    "erlang_2": {"kind": "gamma", "mean": 8.0, "cv": 0.5**0.5},
    "exponential": {"kind": "exponential", "mean": 8.0},
    "lognormal_scv4": {"kind": "lognormal", "mean": 8.0, "cv": 2.0},
    "gamma_shape_0.25": {"kind": "gamma", "mean": 8.0, "cv": 2.0},
}


@pytest.mark.parametrize("law", LAWS)
def test_v04_mg1_by_law_of_service(law: str) -> None:
    want = exact("V04")[law]
    floor = desk([heads("one", [(0, 1)])])
    rng = np.random.default_rng(104)
    horizon, warm = 100_000.0, 4000.0
    waits_by_run, delayed = [], []
    for run in range(RUNS):
        streams = {Topic.INFO: poisson(0.1, horizon, rng)}
        outcome = play(scenario(horizon, LAWS[law]), floor, streams, horizon, run, drain_min=20_000.0)
        waits = outcome.turns["wait_s"][outcome.turns["queued_s"] >= warm * MINUTE_S] / MINUTE_S
        waits_by_run.append(float(waits.mean()))
        delayed.append(float(np.mean(waits > 0)))
    assert_near(waits_by_run, want["mean_wait"], law)
    assert_near(delayed, want["p_wait"], law)


def test_v07_erlang_a_and_the_same_without_abandonment() -> None:
    want = exact("V07")
    rng = np.random.default_rng(107)
    floor = desk([heads("all", [(0, 50)])])
    horizon, warm = 110.0, 10.0
    patient = scenario(horizon, exponential(1.0))
    leaving = scenario(horizon, exponential(1.0), patience_h=exponential(2.0, 60.0))
    found: dict[str, list[float]] = defaultdict(list)
    for run in range(RUNS):
        outcome = play(leaving, floor, {Topic.INFO: poisson(48.0, horizon, rng)}, horizon, run, 30.0)
        t = outcome.turns
        after = t["queued_s"] >= warm * MINUTE_S
        waits, served = t["wait_s"][after] / MINUTE_S, t["state"][after] == TurnState.DONE
        found["p_wait"].append(float(np.mean(waits > 0)))
        found["p_abandon"].append(float(np.mean(~served)))
        found["mean_wait_all"].append(float(waits.mean()))
        found["mean_wait_served"].append(float(waits[served].mean()))
        found["mean_queue"].append(float(waits.sum()) / (horizon - warm))
        found["occupancy"].append(busy_minutes(outcome, warm, horizon) / 50 / (horizon - warm))
        found["within"].append(float(np.mean(served & (waits <= 1 / 3))))
    found["p_served_within"] = found.pop("within")
    for name, values in found.items():
        exactly = want["n50"][name]
        assert_near(values, exactly["value"] if isinstance(exactly, dict) else exactly, name)

    # Without leaving the queue has a long memory: a longer warm-up and fewer, longer runs.
    horizon, warm = 260.0, 60.0
    found.clear()
    for run in range(7):
        outcome = play(patient, floor, {Topic.INFO: poisson(48.0, horizon, rng)}, horizon, run, 60.0)
        waits = outcome.turns["wait_s"][outcome.turns["queued_s"] >= warm * MINUTE_S] / MINUTE_S
        found["p_wait"].append(float(np.mean(waits > 0)))
        found["mean_wait_min"].append(float(waits.mean()))
    for name, values in found.items():
        assert_near(values, want["n50_without_abandonment"][name], name)


def test_v09_three_priority_classes() -> None:
    want = exact("V09")
    topics = (Topic.INFO, Topic.BAGGAGE, Topic.REFUND)
    classes = [
        {"name": f"class {i}", "when": {"topics": [topic]}, "promise_min": 1.0 + i * MANY_MIN}
        for i, topic in enumerate(topics[:2])
    ] + [{"name": "class 2", "promise_min": 1.0 + 2 * MANY_MIN}]
    floor = desk([heads("all", [(0, 5)])], classes=classes)
    rng = np.random.default_rng(109)
    horizon, warm = 2200.0, 200.0
    means: list[list[float]] = [[], [], []]
    delayed = []
    for run in range(RUNS):
        streams = {topic: poisson(rate, horizon, rng) for topic, rate in zip(topics, (1.5, 1.5, 1.2), strict=True)}
        outcome = play(scenario(horizon, exponential(1.0)), floor, streams, horizon, run, 500.0)
        t = outcome.turns
        after = t["queued_s"] >= warm * MINUTE_S
        cls = outcome.cases["cls"][t["case"]]
        for i in range(3):
            means[i].append(float(t["wait_s"][after & (cls == i)].mean()) / MINUTE_S)
        delayed.append(float(np.mean(t["wait_s"][after] > 0)))
    for i in range(3):
        assert_near(means[i], want["mean_wait_min"][i], f"class {i + 1}")
    assert_near(delayed, want["p_wait_any"], "p_wait")


def test_v12_n_model_with_a_flexible_pool() -> None:
    want = exact("V12")
    first, second = Topic.INFO, Topic.BAGGAGE
    groups = {"first": [first], "second": [t for t in TOPICS if t not in (first, "joke", "outrage", "repost")]}
    classes = [
        {"name": "second", "when": {"topics": [second]}, "promise_min": 1.0},
        {"name": "first", "promise_min": MANY_MIN},
    ]
    floor = desk(
        [heads("dedicated", [(0, 4)], topics=["first"]), heads("flexible", [(0, 5)])],
        classes=classes,
        routing={"idle": ["fewest_skills"], "topic_groups": groups},
    )
    rng = np.random.default_rng(112)
    horizon, warm = 5000.0, 200.0
    leaving = scenario(
        horizon,
        exponential(4.0),
        patience_h=1.0,
        patience_by_topic_h={first: exponential(20.0, 60.0), second: exponential(100 / 3, 60.0)},
    )
    found: dict[tuple[str, int], list[float]] = defaultdict(list)
    for run in range(RUNS):
        streams = {first: poisson(1.2, horizon, rng), second: poisson(0.8, horizon, rng)}
        outcome = play(leaving, floor, streams, horizon, run, 300.0)
        t = outcome.turns
        after = t["queued_s"] >= warm * MINUTE_S
        topic = outcome.cases["topic"][t["case"]]
        for i, member in enumerate((first, second)):
            mine = after & (topic == TOPICS.index(member))
            found["p_wait", i].append(float(np.mean(t["wait_s"][mine] > 0)))
            found["p_abandon", i].append(float(np.mean(t["state"][mine] == TurnState.ABANDONED)))
            found["mean_wait_all_min", i].append(float(t["wait_s"][mine].mean()) / MINUTE_S)
            found["mean_queue", i].append(float(t["wait_s"][mine].sum()) / MINUTE_S / (horizon - warm))
    for (name, i), values in found.items():
        assert_near(values, want[name][i], f"{name} of class {i + 1}")


def test_v14_blocked_customers_try_again() -> None:
    want = exact("V14")
    floor = desk([heads("all", [(0, 4)])], routing={"idle": ["ordered"], "limits": [{"places": 0}]})
    rng = np.random.default_rng(114)
    horizon, warm = 3300.0, 300.0
    again = scenario(
        horizon,
        exponential(1.0),
        after_blocked=[{"to": "same", "probability": 1.0, "delay_min": exponential(2.0)}],
        max_attempts=1000,
    )
    found: dict[str, list[float]] = defaultdict(list)
    for run in range(RUNS):
        outcome = play(again, floor, {Topic.INFO: poisson(3.0, horizon, rng)}, horizon, run, 600.0)
        t = outcome.turns
        first = np.unique(t["case"], return_index=True)[1]
        first = first[t["queued_s"][first] >= warm * MINUTE_S]
        found["p_block_fresh"].append(float(np.mean(t["state"][first] == TurnState.BLOCKED)))
        inside = (t["queued_s"] >= warm * MINUTE_S) & (t["queued_s"] < horizon * MINUTE_S)
        found["attempts_per_min"].append(float(inside.sum()) / (horizon - warm))
        posted, started = outcome.cases["posted_s"], outcome.cases["first_start_s"]
        orbit = (started - posted)[posted >= warm * MINUTE_S] / MINUTE_S
        found["mean_time_in_orbit_min"].append(float(orbit.mean()))
        found["mean_busy"].append(busy_minutes(outcome, warm, horizon) / (horizon - warm))
    for name, values in found.items():
        assert_near(values, want[name], name)


@pytest.mark.parametrize("semantics", ["interrupt", "finish_then_leave"])
def test_v21_shift_end_of_a_head_count_pool(semantics: str) -> None:
    want = exact("V21")
    shift_end = "hand_back" if semantics == "interrupt" else "finish"
    floor = desk([heads("all", [(0, 40), (60, 20)], shift_end=shift_end)])
    horizon = 90.5
    leaving = scenario(horizon, exponential(5.0), patience_h=exponential(20.0, 60.0))
    rng = np.random.default_rng(121)
    before: list[float] = []
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    times = [key for key in want if key.replace(".", "").isdigit()]
    for run in range(300):
        outcome = play(leaving, floor, {Topic.INFO: poisson(5.0, horizon, rng)}, horizon, run)
        t = outcome.turns
        waits_until = np.where(np.isfinite(t["start_s"]), t["start_s"], t["end_s"])
        works_until = np.where(np.isfinite(t["start_s"]), t["end_s"], -np.inf)
        before.append(float(np.sum((t["start_s"] < 3600.0) & (works_until >= 3600.0))))
        for key in times:
            now = float(key) * MINUTE_S
            queue = np.sum((t["queued_s"] <= now) & (waits_until > now))
            working = np.sum((t["start_s"] <= now) & (works_until > now))
            found[key, "mean_queue"].append(float(queue))
            found[key, "p_wait"].append(float(working >= 20))
            found[key, "mean_working"].append(float(working))
    assert_near(before, want["mean_busy_at_60_before"], "busy just before 60")
    for key in times:
        for name, value in want[key][semantics].items():
            assert_near(found[key, name], value, f"{name} at {key}")
