"""Iterative staffing finds the exact answer of a queue that is Poisson whatever its staffing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from exact import desk, exact, exponential, heads, scenario, side_by_side, trace
from numpy.typing import NDArray

from scenarios.names import Topic
from scenarios.traces import Trace
from sim import compiled
from sim.outcome import Outcome
from sim.staff.isa import least_servers, staffing
from sim.waits import under_way

PERIOD_H = 2.0 * math.pi
IN_PERIOD = 12 * 4  # intervals: each of the twelve times of the case begins one
PERIODS, WARM = 500, 2
RUNS = 4


def arrivals_s(rng: np.random.Generator) -> NDArray[np.float64]:
    """Arrival times in seconds at 100 + 20 sin t an hour, by thinning."""
    hours = PERIOD_H * PERIODS
    t = np.sort(rng.uniform(0.0, hours, rng.poisson(120.0 * hours)))
    kept = rng.uniform(0.0, 120.0, t.size) < 100.0 + 20.0 * np.sin(t)
    out: NDArray[np.float64] = t[kept] * 3600.0
    return out


@pytest.fixture(scope="module")
def days() -> list[Trace]:
    rngs = [np.random.default_rng([22, run]) for run in range(RUNS)]
    return [trace({Topic.INFO: arrivals_s(rng) / 60.0}, PERIOD_H * 60.0 * PERIODS) for rng in rngs]


WORLD = scenario(exponential(60.0), patience_h={"kind": "exponential", "mean": 1.0})
AT_S = 3600.0 * PERIOD_H * (np.arange(WARM, PERIODS)[:, None] + np.arange(IN_PERIOD) / IN_PERIOD)


def number_in_system(days: list[Trace], servers: NDArray[np.int64]) -> NDArray[np.int64]:
    """Customers there at the start of each interval of every period, (samples, intervals)."""
    starts_min = 60.0 * PERIOD_H * np.arange(PERIODS * IN_PERIOD) / IN_PERIOD
    steps = list(zip(starts_min.tolist(), np.tile(servers, PERIODS).tolist(), strict=True))
    floor = desk([heads("all", steps)])

    def one(run: int) -> NDArray[np.int64]:
        outcome: Outcome = compiled.run(WORLD, floor, days[run], 22, run)
        ends = np.where(np.isfinite(outcome.turns["end_s"]), outcome.turns["end_s"], np.inf)
        return under_way(outcome.turns["queued_s"], ends, AT_S.ravel()).reshape(AT_S.shape)

    return np.concatenate(side_by_side(one, RUNS))


@pytest.mark.parametrize(("target", "at_zero"), [(0.1, 103), (0.5, 91), (0.9, 79)])
def test_the_staffing_of_v22(days: list[Trace], target: float, at_zero: int) -> None:
    found = staffing(lambda servers: number_in_system(days, servers), IN_PERIOD, target, ample=400)
    assert found.settled and found.rounds <= 8
    assert found.servers[0] == at_zero
    rows = exact("V22")["staffing_and_achieved"][f"alpha_{target}"]
    # Samples a period apart are next to independent: the relaxation time is an hour, a period six.
    error = 3.3 * math.sqrt(target * (1.0 - target) / AT_S.shape[0] / RUNS)
    for i, (servers, achieved) in enumerate(rows.values()):
        here = int(found.servers[i * IN_PERIOD // 12])
        assert found.p_wait[i * IN_PERIOD // 12] <= target
        if here == servers:
            assert found.p_wait[i * IN_PERIOD // 12] == pytest.approx(achieved, abs=error)
        else:  # one server more or fewer only where the exact probability is within noise of the target
            assert abs(here - servers) == 1 and target - achieved <= error


def test_the_least_number_leaves_no_more_than_allowed() -> None:
    number = np.array([[3], [5], [5], [9], [1], [2], [0], [4], [6], [7]])
    assert least_servers(number, 0.1).tolist() == [8]  # only the 9 reaches it
    assert least_servers(number, 0.5).tolist() == [5]  # 5, 5, 6, 7 and 9 do
    assert least_servers(number, 0.99).tolist() == [1]


def test_a_search_that_goes_round_ends_on_the_safe_side() -> None:
    # The system holds 10 when there are few servers, 4 when there are many: no number is its own answer.
    def there(servers: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.full((10, 1), 10 if servers[0] < 8 else 4)

    found = staffing(there, 1, 0.1)
    assert found.servers.tolist() == [11] and found.rounds < 10


def test_steps_may_be_damped() -> None:
    asked: list[int] = []

    def there(servers: NDArray[np.int64]) -> NDArray[np.int64]:
        asked.append(int(servers[0]))
        return np.full((10, 1), 20 if len(asked) == 1 else 10)

    found = staffing(there, 1, 0.1, step=2)
    assert found.settled and found.servers.tolist() == [11]
    assert asked == [1_000_000, 21, 19, 17, 15, 13, 11]


def test_a_target_that_is_no_probability_is_refused() -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        staffing(lambda servers: servers[None], 1, 1.0)
