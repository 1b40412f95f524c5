"""Do the 95 % intervals of `sim.estimate` hold the true value 95 times in 100?

200 experiments of 15 replications each, on models whose expectation is known exactly. A replication is a
fixed number of customers who come to an empty desk, so there is no warm-up and no bias: what the k-th
customer finds is a Markov chain over customers, which is solved here step by step. They are many (70 times the
relaxation time of the queue), so that the value of a replication is nearly normal. Of 200 intervals that hold
with probability 0.95 between 180 and 198 do, but for one case in 600 (binomial).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from exact import FloatArray, by, desk, exponential, heads, scenario, side_by_side, trace

from scenarios.names import Topic
from sim import compiled
from sim.desk import Desk
from sim.estimate import summarise
from sim.measures import measure
from sim.waits import Rows

pytestmark = pytest.mark.exact

EXPERIMENTS, REPLICATIONS, CUSTOMERS = 200, 15, 400
EVERY_MIN = 1000.0  # between the replications of an experiment, which lie in one window
RATE, MU, SERVERS = 1.0, 1.0, 2
THETA = 0.5  # of patience, a minute
Found = list[dict[str, dict[str, Any]]]


def found_by_each(death: FloatArray) -> FloatArray:
    """(CUSTOMERS, states) law of the number in the system that each customer finds, from empty.

    `death[m]` is the rate at which the number falls when it is m. Between two arrivals it only falls: from
    m the next event is a fall with probability death / (death + RATE), else the next arrival.
    """
    falls = death / (death + RATE)
    laws = np.zeros((CUSTOMERS, CUSTOMERS + 1))
    laws[0, 0] = 1.0
    for k in range(1, CUSTOMERS):
        passing = 0.0
        for m in range(k, -1, -1):  # one more than the customer before has found, or fewer
            passing = (laws[k - 1, m - 1] if m > 0 else 0.0) + passing * (falls[m + 1] if m < k else 0.0)
            laws[k, m] = passing * (1.0 - falls[m])
    assert np.allclose(laws.sum(axis=1), 1.0)
    return laws


NUMBERS = np.arange(CUSTOMERS + 1)


def mean_wait_s() -> float:
    """Mean wait of the first customers of M/M/c: whoever finds j waits for j - c + 1 ends of work."""
    laws = found_by_each(MU * np.minimum(NUMBERS, SERVERS))
    waits_min = np.maximum(NUMBERS - SERVERS + 1, 0) / (SERVERS * MU)
    return float((laws @ waits_min).mean()) * 60.0


def share_who_leave() -> float:
    """Share of the first customers of M/M/c+M who leave, by who is ahead of them."""
    laws = found_by_each(MU * np.minimum(NUMBERS, SERVERS) + THETA * np.maximum(NUMBERS - SERVERS, 0))
    leaves = np.zeros(CUSTOMERS + 1)
    before = 0.0
    for j in range(SERVERS, CUSTOMERS + 1):
        others = SERVERS * MU + (j - SERVERS) * THETA
        before = leaves[j] = (THETA + others * before) / (others + THETA)
    return float((laws @ leaves).mean())


def median_and_p90_s() -> list[float]:
    """Order statistics of the work of all: the k-th smallest of n exponentials has mean 1/n + 1/(n-1) + ..."""
    n, mean_s = CUSTOMERS, 60.0 / MU
    return [mean_s * sum(1.0 / (n - i) for i in range(k)) for k in (n // 2, round(0.9 * n))]


def experiments(floor: Desk, ids: tuple[str, ...], salt: int, **behaviour: Any) -> Found:
    """Estimates of each experiment by id of the measure."""
    world = scenario(exponential(1.0 / MU), **behaviour)

    def experiment(number: int) -> dict[str, dict[str, Any]]:
        rng = np.random.default_rng([salt, number])
        starts = np.arange(REPLICATIONS, dtype=np.float64) * EVERY_MIN
        gaps = rng.exponential(1.0 / RATE, (REPLICATIONS, CUSTOMERS))
        times: FloatArray = (starts[:, None] + np.cumsum(gaps, axis=1)).ravel()
        posts = trace({Topic.INFO: times}, EVERY_MIN * REPLICATIONS)
        outcome = compiled.run(world, floor, posts, number, salt)
        assert np.all(by(starts, outcome.turns["queued_s"]) == by(starts, outcome.turns["end_s"])), "not empty"
        of = np.arange(REPLICATIONS * CUSTOMERS) // CUSTOMERS
        rows: list[Mapping[str, float | None]] = [
            measure(Rows(outcome).part(of == r), ids) for r in range(REPLICATIONS)
        ]
        return summarise(rows)

    return side_by_side(experiment, EXPERIMENTS)


def covered(found: Found, name: str, exact: float) -> int:
    return sum(one[name]["low"] <= exact <= one[name]["high"] for one in found)


def test_intervals_of_a_mean_wait_hold_the_exact_value() -> None:
    found = experiments(desk([heads("all", [(0, SERVERS)])]), ("wait_mean_s",), 61)
    assert 180 <= covered(found, "wait_mean_s", mean_wait_s()) <= 198


def test_intervals_of_a_share_hold_the_exact_value() -> None:
    patience = exponential(1.0 / THETA, 60.0)
    found = experiments(desk([heads("all", [(0, SERVERS)])]), ("gave_up_share",), 62, patience_h=patience)
    assert 180 <= covered(found, "gave_up_share", share_who_leave()) <= 198


def test_intervals_of_quantiles_hold_the_exact_value() -> None:
    # An agent for everybody: the time to the answer is the work alone.
    names = ("first_response_p50_s", "first_response_p90_s")
    found = experiments(desk([heads("all", [(0, CUSTOMERS)])]), names, 63)
    for name, exact in zip(names, median_and_p90_s(), strict=True):
        assert 180 <= covered(found, name, exact) <= 198


def test_the_chain_over_customers_agrees_with_a_day_worked_by_hand() -> None:
    # One server, work of mean a minute, an arrival a minute: the second customer finds the first one at work
    # if the next arrival comes before the end of work, with probability 1/2.
    laws = found_by_each(MU * np.minimum(NUMBERS, 1))
    assert laws[1, :2] == pytest.approx([1 / 2, 1 / 2])
    # The third finds two if both gaps end first. He finds nobody if the second found nobody and is done, or
    # found one and both are done: 1/2 * 1/2 + 1/2 * 1/4.
    assert laws[2, :3] == pytest.approx([3 / 8, 3 / 8, 1 / 4])
