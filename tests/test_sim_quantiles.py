"""Quantiles over runs and shares of runs: tables of order statistics, and how often the intervals hold."""

from __future__ import annotations

import math

import numpy as np
import pytest

from sim.quantiles import Quantile, quantile, share_interval


def test_the_interval_of_the_median_lies_between_the_ranks_of_the_sign_test() -> None:
    # Tables of the sign test at 95 %: n = 6 takes 1 and 6, n = 10 takes 2 and 9, n = 30 takes 10 and 21.
    for n, low, high in ((6, 1, 6), (10, 2, 9), (30, 10, 21)):
        values = [float(i) for i in range(1, n + 1)]
        assert quantile(values[::-1], 0.5) == Quantile(math.ceil(n / 2), low, high)


def test_too_few_runs_have_no_interval() -> None:
    assert quantile([1.0, 2.0, 3.0, 4.0, 5.0], 0.5) == Quantile(3.0, None, None)
    assert quantile([], 0.5) == Quantile(None, None, None)
    # 0.9^35 = 0.0250 is just above 2.5 %, 0.9^36 = 0.0225 below.
    assert quantile([float(i) for i in range(35)], 0.1).low is None
    assert quantile([float(i) for i in range(36)], 0.1).low == 0.0
    assert quantile([float(i) for i in range(36)], 0.9).high == 35.0


def test_what_was_never_reached_lies_above_all() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, math.inf, math.inf, math.inf, math.inf]
    assert quantile(values, 0.5) == Quantile(5.0, 2.0, None)
    assert quantile(values, 0.9).value is None


def test_the_interval_holds_the_quantile_at_least_as_often_as_it_says() -> None:
    # For 40 exponential values and the upper tenth it is between 95 and 99 %; the standard error of 2000 sweeps is
    # below 0.005, and 4 of them are 0.02.
    rng = np.random.default_rng(5)
    true = math.log(10.0)
    held = 0
    for _ in range(2000):
        found = quantile(rng.exponential(size=40).tolist(), 0.9)
        assert found.low is not None and found.high is not None
        held += found.low <= true <= found.high
    assert 0.95 - 0.02 <= held / 2000 <= 1.0


def test_a_share_of_runs_has_the_interval_of_clopper_and_pearson() -> None:
    # Closed forms at the ends: 0 of n has the upper end 1 - 0.025^(1/n). 3 of 10: tables give 0.0667 and 0.6525.
    assert share_interval(0, 10) == pytest.approx((0.0, 1.0 - 0.025**0.1))
    assert share_interval(10, 10) == pytest.approx((0.025**0.1, 1.0))
    assert share_interval(3, 10) == pytest.approx((0.0667, 0.6525), abs=5e-5)
    # 300 of 1000 by the normal approximation of Wilson, which is within 0.001 here.
    assert share_interval(300, 1000) == pytest.approx((0.2724, 0.3291), abs=1e-3)
