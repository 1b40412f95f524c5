"""The search for the breaking point, against services that are a function of the rate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests.breakpoint import Found, Plan, search
from loadtests.steps import Criteria, Generator, Judged, Limits, Phase, Step, judged

SERVICE_S = 0.02


def step(rate: float, capacity: float, lag_p99_s: float = 0.001) -> Step:
    """Ten seconds of a service that answers at most so many a second."""
    offered = round(10.0 * rate)
    done = min(rate, capacity)
    growth = max(0.0, rate - capacity) * 10.0
    return Step(
        asked_per_s=rate, window_s=10.0, offered=offered, answered=offered, failed=0, shed=0, dropped=0, unsent=0,
        abandoned=0, answered_per_s=done, in_flight=done * SERVICE_S + growth / 2.0, growth=growth,
        growing=growth > 0.0, p50_s=SERVICE_S, p99_s=SERVICE_S + growth / capacity, mean_s=SERVICE_S,
        lag_p99_s=lag_p99_s, generator=Generator(0.1, 0.0),
    )  # fmt: skip


def run(
    capacity: float | Callable[[], float], lag_p99_s: Callable[[float], float] = lambda rate: 0.001, **plan: float
) -> Found:
    def measure(rate: float, phase: Phase) -> Judged:
        at = capacity() if callable(capacity) else capacity
        return judged(step(rate, at, lag_p99_s(rate)), Criteria(), Limits(), phase)

    asked = Plan(**{"guess_per_s": 500.0, **plan})  # type: ignore[arg-type]
    return search(measure, asked, np.random.default_rng(2))


def rates(found: Found, phase: Phase) -> list[float]:
    return [j.step.asked_per_s for j in found.steps if j.phase == phase]


def test_capacity_lies_between_the_ends_and_the_gap_is_narrow() -> None:
    found = run(300.0)
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    # A backlog that grows by up to 1 % of what is offered still passes, so 303 is where it breaks.
    assert found.low_per_s <= 300.0 / 0.99 <= found.high_per_s
    assert found.high_per_s <= 1.05 * found.low_per_s


def test_the_climb_begins_at_a_tenth_of_the_guess_and_grows_by_a_quarter() -> None:
    climb = rates(run(300.0), "climb")
    assert climb[0] == 50.0
    assert np.diff(np.log(climb)) == pytest.approx(np.full(len(climb) - 1, math.log(1.25)))
    assert climb[-2] <= 300.0 < climb[-1]


def test_each_end_is_confirmed_three_times_in_random_order() -> None:
    found = run(300.0)
    order = rates(found, "confirm")
    assert Counter(order) == {found.low_per_s: 3, found.high_per_s: 3}
    assert order not in (sorted(order), [*order[:2]] * 3)
    assert rates(run(300.0), "confirm") == order, "the same seed gives the same order"


@given(st.floats(1e3, 1e5), st.floats(0.01, 1e3))
def test_any_capacity_is_found_from_any_guess_not_too_low(capacity: float, ratio: float) -> None:
    guess = capacity * ratio
    found = run(capacity, guess_per_s=guess)
    if Plan(guess).floor_per_s * 1.25 > 0.99 * capacity and found.status == "below":
        return
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    assert found.low_per_s * 0.98 <= capacity <= found.high_per_s


def test_a_guess_far_too_high_is_climbed_down_from() -> None:
    found = run(300.0, guess_per_s=30_000.0)
    climb = rates(found, "climb")
    assert climb[0] == 3000.0 and climb[-1] < 300.0 and climb == sorted(climb, reverse=True)
    assert found.status == "found"


def test_a_service_that_takes_all_that_is_allowed_is_not_said_to_break() -> None:
    found = run(1e9, most_per_s=700.0)
    assert (found.status, found.low_per_s, found.high_per_s) == ("above", 700.0, None)
    assert max(rates(found, "climb")) == 700.0


def test_a_service_that_answers_nothing_is_said_so() -> None:
    found = run(1e-9)
    assert (found.status, found.low_per_s) == ("below", None)
    assert "it failed even at" in found.why


def test_a_generator_that_is_always_late_ends_the_search_as_invalid() -> None:
    found = run(300.0, lag_p99_s=lambda rate: 0.030)
    assert found.status == "invalid"
    assert found.why == "the generator could not lay 50/s: sends late: p99 30.0 ms, at most 5 ms"
    assert [j.verdict for j in found.steps] == ["void"] * 3
    told = found.to_dict()
    assert told["usl"] is None
    assert {s["p99_s"] for s in told["steps"]} == {None}


def test_a_generator_that_cannot_reach_the_service_says_how_far_it_came() -> None:
    found = run(300.0, lag_p99_s=lambda rate: 0.020 if rate > 200.0 else 0.001)
    assert found.status == "invalid"
    assert found.low_per_s == pytest.approx(50.0 * 1.25**6) and found.high_per_s is None


def test_a_step_that_is_void_by_chance_is_tried_again() -> None:
    lags = iter([0.020] * 2)
    found = run(300.0, lag_p99_s=lambda rate: next(lags, 0.001))
    assert [j.verdict for j in found.steps[:4]] == ["void", "void", "pass", "pass"]
    assert found.status == "found"


def test_a_hiccup_in_the_climb_does_not_lower_the_capacity() -> None:
    seen = [0]

    def capacity() -> float:
        seen[0] += 1
        return 1.0 if seen[0] == 4 else 300.0

    found = run(capacity)
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    assert found.low_per_s <= 300.0 / 0.99 <= found.high_per_s


def test_a_service_that_tires_is_followed_down() -> None:
    seen = [0]

    def capacity() -> float:
        seen[0] += 1
        return 300.0 if seen[0] < 12 else 120.0

    found = run(capacity)
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    assert found.low_per_s <= 120.0 / 0.99 <= found.high_per_s


def test_rates_that_pass_at_one_time_and_fail_at_another_lie_inside_the_gap() -> None:
    draws = np.random.default_rng(3)
    found = run(lambda: float(draws.uniform(290.0, 310.0)), precision=0.02)
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    confirmed = [(j.step.asked_per_s, j.verdict) for j in found.steps if j.phase == "confirm"]
    assert {v for rate, v in confirmed if rate == found.low_per_s} == {"pass"}
    assert {v for rate, v in confirmed if rate == found.high_per_s} == {"fail"}
    assert found.high_per_s > 1.02 * found.low_per_s


def test_a_service_without_a_steady_capacity_is_unsettled() -> None:
    draws = np.random.default_rng(3)
    found = run(lambda: float(draws.choice([100.0, 1000.0])), rounds=2)
    assert found.status == "unsettled"
    assert "passed at one time and failed at another" in found.why


def test_an_interrupted_search_keeps_its_steps() -> None:
    def lag(rate: float) -> float:
        if rate > 100.0:
            raise KeyboardInterrupt
        return 0.001

    found = run(300.0, lag_p99_s=lag)
    assert found.status == "interrupted"
    assert [j.step.asked_per_s for j in found.steps] == [50.0, 62.5, 78.125, 97.65625]


def test_the_law_is_fitted_to_what_passed_and_the_lowest_failure() -> None:
    law = run(300.0).law
    assert law is not None
    # Below capacity the service is a pure delay: N / 20 ms, one in flight gives 50 a second.
    assert law.rate_one_per_s == pytest.approx(50.0, rel=0.1)
    assert len(law.in_flight) >= 6


def test_nothing_is_fitted_to_few_steps() -> None:
    assert run(300.0, start_share=0.8, confirmations=0, precision=0.3).law is None
