"""Laws from lengths that are cut off, rounded, or both, against the laws that they were drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from scenarios.history.durations import fitted_law, laws_by_topic
from scenarios.history.least import least_squares
from scenarios.history.series import Lengths
from scenarios.laws import FloatArray
from scenarios.names import Topic, code


def lengths(value: FloatArray, ended: FloatArray | None = None, topic: FloatArray | None = None) -> Lengths:
    n = value.size
    done = np.ones(n, dtype=np.bool_) if ended is None else ended.astype(np.bool_)
    return Lengths(value, done, np.zeros(n, dtype=np.int8) if topic is None else topic.astype(np.int8))


@pytest.mark.parametrize("round_s", [0.0, 60.0, 300.0])
def test_a_lognormal_law_is_found_from_lengths_of_which_most_are_cut_off(round_s: float) -> None:
    # Of 20,000 patiences of median an hour those beyond an exponential wait of 20 min are not seen to their end.
    rng = np.random.default_rng(1)
    patience, wait = rng.lognormal(np.log(3600.0), 1.2, 20_000), rng.exponential(1200.0, 20_000)
    value = np.minimum(patience, wait)
    value = np.round(value / round_s) * round_s if round_s else value
    law = fitted_law(lengths(value, (patience < wait).astype(float)), 3600.0)
    assert law is not None and law.law.kind == "lognormal"
    assert law.ended / law.n < 0.3
    assert law.numbers["median"] == pytest.approx(1.0, abs=4 * law.errors["median"])
    assert law.numbers["sd_log"] == pytest.approx(1.2, abs=4 * law.errors["sd_log"])
    assert law.errors["median"] < 0.05


def test_the_errors_of_a_law_are_those_of_the_normal_theory() -> None:
    # Without cuts the errors of mean and deviation of the logarithms are sd / sqrt(n) and sd / sqrt(2 n).
    rng = np.random.default_rng(2)
    law = fitted_law(lengths(rng.lognormal(np.log(600.0), 0.8, 10_000)), 60.0)
    assert law is not None
    assert law.errors["median"] == pytest.approx(law.numbers["median"] * 0.8 / 100.0, rel=0.05)
    assert law.errors["sd_log"] == pytest.approx(0.8 / np.sqrt(20_000), rel=0.05)
    assert law.gap < 1.63 / 100.0  # Kolmogorov's 1 % point


def test_a_weibull_law_is_told_from_a_lognormal_one() -> None:
    rng = np.random.default_rng(3)
    law = fitted_law(lengths(600.0 * rng.weibull(1.5, 5_000)), 60.0)
    assert law is not None and law.law.kind == "weibull"
    assert law.numbers["shape"] == pytest.approx(1.5, abs=4 * law.errors["shape"])
    assert law.law.mean() == pytest.approx(9.0275, rel=4 * law.errors["mean"] / law.numbers["mean"])


def test_few_lengths_make_no_law() -> None:
    assert fitted_law(lengths(np.full(29, 60.0)), 60.0) is None


def test_equal_lengths_make_a_narrow_law_and_no_fault() -> None:
    law = fitted_law(lengths(np.full(500, 600.0)), 60.0)
    assert law is not None and law.numbers["median"] == pytest.approx(10.0, rel=0.3)


def test_a_topic_that_differs_has_its_own_law_and_does_not_bend_that_of_the_others() -> None:
    rng = np.random.default_rng(4)
    topic = rng.choice([code(Topic.INFO), code(Topic.BAGGAGE), code(Topic.REFUND)], 9_000)
    value = rng.lognormal(np.log(900.0), 0.8, topic.size) * np.where(topic == code(Topic.REFUND), 2.0, 1.0)
    whole, own = laws_by_topic(lengths(value, None, topic), 60.0)
    assert set(own) == {Topic.REFUND}
    assert whole is not None
    assert whole.numbers["median"] == pytest.approx(15.0, abs=4 * whole.errors["median"])
    refund = own[Topic.REFUND]
    assert refund.numbers["median"] == pytest.approx(30.0, abs=4 * refund.errors["median"])


def test_least_squares_finds_the_bottom_of_a_bent_valley() -> None:
    # Rosenbrock's function: its least value, 0, lies at (1, 1).
    def residuals(x: FloatArray) -> FloatArray:
        return np.array([10.0 * (x[1] - x[0] ** 2), 1.0 - x[0]])

    at, cost = least_squares(residuals, np.array([-1.2, 1.0]), np.full(2, -5.0), np.full(2, 5.0), rounds=200)
    assert at == pytest.approx([1.0, 1.0], abs=1e-3) and cost < 1e-8


def test_least_squares_stays_between_its_bounds() -> None:
    at, _ = least_squares(lambda x: x - 3.0, np.zeros(2), np.zeros(2), np.array([1.0, 5.0]))
    assert at == pytest.approx([1.0, 3.0], abs=1e-6)
