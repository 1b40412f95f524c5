"""The same desk in another simulator: Ciw, with skills, priorities and callers who leave.

Two languages, each with agents of its own: in Ciw two nodes, a skill each. In both languages some cases are
urgent and go first; work on a turn is lognormal and patience a gamma law, so that no formula knows the
answer. Both sides are estimates from independent replications and may lie 3.3 of their joint standard
errors apart. The queue is short: Ciw looks at all who wait at each event.
"""

from __future__ import annotations

import math
from typing import Any

import ciw  # type: ignore[import-untyped]
import numpy as np
import pytest
from exact import MANY_MIN, MINUTE_S, TOPICS, busy_minutes, desk, exponential, heads, poisson, scenario, trace

from scenarios.names import Language, Topic, code
from scenarios.traces import Trace
from sim import compiled
from sim.outcome import TurnState

pytestmark = pytest.mark.exact

RUNS, WARM_MIN, END_MIN = 20, 60.0, 660.0
URGENT, CALM = Topic.REBOOKING, Topic.INFO
RATES = {("en", URGENT): 0.4, ("en", CALM): 1.0, ("nl", URGENT): 0.2, ("nl", CALM): 0.5}  # a minute
SERVERS = {"en": 8, "nl": 4}
WORK = {URGENT: (4.0, 1.5), CALM: (6.0, 0.8)}  # lognormal: mean in minutes, coefficient of variation
PATIENCE = {URGENT: (20.0, 0.7), CALM: (10.0, 1.4)}  # gamma, in the same way
Values = dict[str, float]


def lognormal(mean: float, cv: float) -> Any:
    sd_log = math.sqrt(math.log1p(cv * cv))
    return ciw.dists.Lognormal(mean=math.log(mean) - sd_log**2 / 2, sd=sd_log)


def gamma(mean: float, cv: float) -> Any:
    return ciw.dists.Gamma(shape=1 / cv**2, scale=mean * cv**2)


def network() -> Any:
    topics, nodes = (URGENT, CALM), tuple(SERVERS)
    return ciw.create_network(
        arrival_distributions={t: [ciw.dists.Exponential(rate=RATES[n, t]) for n in nodes] for t in topics},
        service_distributions={t: [lognormal(*WORK[t]) for _ in nodes] for t in topics},
        reneging_time_distributions={t: [gamma(*PATIENCE[t]) for _ in nodes] for t in topics},
        number_of_servers=list(SERVERS.values()),
        priority_classes={URGENT: 0, CALM: 1},
        routing={t: [[0.0 for _ in nodes] for _ in nodes] for t in topics},
    )


def of_ciw(number: int) -> Values:
    ciw.seed(number)
    run = ciw.Simulation(network())
    run.simulate_until_max_time(END_MIN + 60.0)
    found: Values = {}
    records = run.get_all_records()
    for i, node in enumerate(SERVERS, start=1):
        busy = 0.0
        for topic in (URGENT, CALM):
            mine = [r for r in records if r.node == i and r.customer_class == topic]
            watched = [r for r in mine if WARM_MIN <= r.arrival_date < END_MIN]
            served = [r.waiting_time for r in watched if r.record_type == "service"]
            found[f"wait of {topic} in {node}"] = float(np.mean(served))
            found[f"share of {topic} in {node} who leave"] = 1.0 - len(served) / len(watched)
            busy += sum(
                max(min(r.service_end_date, END_MIN) - max(r.service_start_date, WARM_MIN), 0.0)
                for r in mine
                if r.record_type == "service"
            )
        found[f"utilisation in {node}"] = busy / SERVERS[node] / (END_MIN - WARM_MIN)
    return found


def posts(number: int) -> Trace:
    rng = np.random.default_rng([3, number])
    times = {name: poisson(rate, END_MIN, rng) for name, rate in RATES.items()}
    of_topic = {t: np.concatenate([times[n, t] for n in SERVERS]) for t in (URGENT, CALM)}
    made = trace(of_topic, END_MIN)
    columns = dict(made.columns)
    dutch = np.concatenate([times["nl", t] for t in (URGENT, CALM)]) * MINUTE_S
    codes = [code(Language.EN), code(Language.NL)]
    columns["language"] = np.array(codes, dtype=np.int8)[np.isin(made["time_s"], dutch).astype(int)]
    return Trace(columns, made.about)


WORLD = scenario(
    exponential(1.0),
    handling_min={
        "default": 1.0,
        **{t: {"kind": "lognormal", "mean": mean, "cv": cv} for t, (mean, cv) in WORK.items()},
    },
    patience_by_topic_h={t: {"kind": "gamma", "mean": mean / 60, "cv": cv} for t, (mean, cv) in PATIENCE.items()},
)
FLOOR = desk(
    [heads(name, [(0, n)], languages=[name]) for name, n in SERVERS.items()],
    classes=[
        {"name": "urgent", "when": {"topics": [URGENT]}, "promise_min": 1.0},
        {"name": "calm", "promise_min": MANY_MIN},
    ],
)


def of_ashcloud(number: int) -> Values:
    outcome = compiled.run(WORLD, FLOOR, posts(number), number, drain_h=1.0)
    t, found = outcome.turns, {}
    after = (t["queued_s"] >= WARM_MIN * MINUTE_S) & (t["queued_s"] < END_MIN * MINUTE_S)
    topics, first = outcome.cases["topic"][t["case"]], 0
    for node, servers in SERVERS.items():
        for topic in (URGENT, CALM):
            mine = after & (topics == TOPICS.index(topic)) & (t["language"] == code(Language(node)))
            served = mine & (t["state"] == TurnState.DONE)
            found[f"wait of {topic} in {node}"] = float(t["wait_s"][served].mean()) / MINUTE_S
            found[f"share of {topic} in {node} who leave"] = 1.0 - float(served.sum() / mine.sum())
        agents = range(first, first + servers)
        busy = busy_minutes(outcome, WARM_MIN, END_MIN, list(agents))
        found[f"utilisation in {node}"] = busy / servers / (END_MIN - WARM_MIN)
        first += servers
    return found


@pytest.fixture(scope="module")
def both() -> tuple[list[Values], list[Values]]:
    return [of_ciw(number) for number in range(RUNS)], [of_ashcloud(number) for number in range(4 * RUNS)]


def test_ciw_and_the_compiled_engine_agree_on_waits_leavers_and_utilisation(
    both: tuple[list[Values], list[Values]],
) -> None:
    theirs, ours = both
    for name in ours[0]:
        a, b = (np.array([row[name] for row in rows]) for rows in (ours, theirs))
        error = math.hypot(a.std(ddof=1) / math.sqrt(a.size), b.std(ddof=1) / math.sqrt(b.size))
        assert abs(a.mean() - b.mean()) <= 3.3 * error, (
            f"{name}: ashcloud {a.mean():.4g}, Ciw {b.mean():.4g} +- {error:.2g}"
        )


def test_the_model_has_something_to_compare(both: tuple[list[Values], list[Values]]) -> None:
    mean = {name: float(np.mean([row[name] for row in both[0]])) for name in both[0][0]}
    for node in SERVERS:
        assert mean[f"utilisation in {node}"] > 0.75
        assert mean[f"wait of {CALM} in {node}"] > 1.2 * mean[f"wait of {URGENT} in {node}"] > 0.1
        assert mean[f"share of {CALM} in {node} who leave"] > 0.05
