"""A window of a replay as a step: counted, integrated and tested for a trend by hand-made rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests.result import COLUMNS, LoadResult, Outcome
from loadtests.steps import Generator
from loadtests.windows import measured


def result(
    due_s: np.ndarray, service_s: np.ndarray | float, lag_s: float = 0.0, outcome: int = 1, workers: object = ()
) -> LoadResult:
    n = due_s.size
    columns = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["due_s"], columns["sent_s"] = due_s, due_s + lag_s
    columns["done_s"] = columns["first_byte_s"] = due_s + lag_s + service_s
    columns["outcome"] = np.full(n, outcome)
    return LoadResult(columns, {"phases": [], "workers": workers})


def even(rate: float, seconds: float) -> np.ndarray:
    return (np.arange(round(rate * seconds)) + 0.5) / rate


def test_in_flight_is_rate_times_service_time() -> None:
    step = measured(result(even(50.0, 20.0), 0.3), 50.0, 5.0, 15.0)
    assert step.offered == step.answered == 500
    assert step.in_flight == pytest.approx(50.0 * 0.3)  # Little
    assert step.answered_per_s == pytest.approx(50.0)
    assert step.mean_s == pytest.approx(0.3)
    assert (step.growing, round(step.growth, 9)) == (False, 0.0)


def test_latency_counts_from_the_due_time_and_in_flight_from_the_send() -> None:
    step = measured(result(even(50.0, 20.0), 0.3, lag_s=0.1), 50.0, 5.0, 15.0)
    assert step.mean_s == pytest.approx(0.4)
    assert step.in_flight == pytest.approx(15.0)
    assert step.lag_p99_s == pytest.approx(0.1, rel=0.011)  # buckets of 1 %


def test_a_backlog_that_grows_is_measured_from_the_first_request() -> None:
    due = even(50.0, 20.0)
    # Served at 40/s: 10 more wait each second.
    served = (np.arange(due.size) + 1) / 40.0
    step = measured(result(due, np.maximum(served - due, 0.001)), 50.0, 5.0, 15.0)
    assert step.growing
    assert step.growth == pytest.approx(100.0, rel=0.02)
    assert step.answered_per_s == pytest.approx(40.0, rel=0.01)


def test_a_backlog_that_comes_and_goes_by_chance_is_not_called_growing() -> None:
    # M/M/infinity at 200/s, 50 ms: at a level of 1 % one of 100 runs is called growing; five or more of
    # 100 have a probability of 0.3 %.
    rng = np.random.default_rng(5)
    growing = 0
    for _ in range(100):
        due = np.sort(rng.uniform(0.0, 20.0, rng.poisson(4000)))
        step = measured(result(due, rng.exponential(0.05, due.size)), 200.0, 5.0, 15.0)
        growing += step.growing and step.growth > 0.01 * step.offered
    assert growing < 5


def test_what_was_never_answered_stays_in_the_backlog() -> None:
    due = even(50.0, 20.0)
    never = result(due, math.nan, outcome=Outcome.ABANDONED)
    step = measured(never, 50.0, 5.0, 15.0)
    assert (step.abandoned, step.answered, step.p99_s) == (500, 0, None)
    assert step.growth == pytest.approx(500.0)
    assert step.in_flight == pytest.approx(500.0)  # 250 at the start, 750 at the end


def test_what_was_dropped_is_no_backlog_of_the_service() -> None:
    step = measured(result(even(50.0, 20.0), math.nan, lag_s=math.nan, outcome=Outcome.DROPPED), 50.0, 5.0, 15.0)
    assert (step.dropped, step.growth, step.in_flight, step.lag_p99_s) == (500, 0.0, 0.0, None)


def test_the_worst_of_the_senders_counts_and_what_one_does_not_know_is_not_known() -> None:
    one = {"wall_s": 20.0, "cpu_s": 4.0, "waited_s": 0.2, "held_back_s": None}
    other = {"wall_s": 10.0, "cpu_s": 6.0, "waited_s": 0.1, "held_back_s": 0.0}
    step = measured(result(even(50.0, 20.0), 0.3, workers=[one, other]), 50.0, 5.0, 15.0)
    assert step.generator == Generator(0.6, 0.01, None)
    assert measured(result(even(50.0, 20.0), 0.3), 50.0, 5.0, 15.0).generator == Generator(None, None, None)
