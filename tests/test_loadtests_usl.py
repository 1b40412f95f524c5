"""The scalability law: known laws come back, noise stays in the residuals, too few levels say nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests import usl

LEVELS = np.array([0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])


def rates(one: float, contention: float, coherency: float) -> list[float]:
    n = LEVELS
    out: list[float] = (one * n / (1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0))).tolist()
    return out


@pytest.mark.parametrize(
    ("one", "contention", "coherency"),
    [(995.6, 0.02671, 0.000769), (40.0, 0.2, 0.0), (3.0, 0.0, 0.001), (120.0, 0.0, 0.0)],
)
def test_a_law_without_noise_comes_back(one: float, contention: float, coherency: float) -> None:
    law = usl.fit(LEVELS.tolist(), rates(one, contention, coherency))
    assert law is not None
    assert law.rate_one_per_s == pytest.approx(one, rel=1e-6)
    assert law.contention == pytest.approx(contention, abs=1e-7)
    assert law.coherency == pytest.approx(coherency, abs=1e-9)
    assert np.abs(law.residual_per_s).max() < 1e-6 * one


def test_the_peak_is_where_the_law_turns_down() -> None:
    law = usl.fit(LEVELS.tolist(), rates(995.6, 0.02671, 0.000769))
    assert law is not None and law.peak_in_flight is not None
    assert law.peak_in_flight == pytest.approx(math.sqrt((1.0 - 0.02671) / 0.000769), rel=1e-6)
    around = law.rate_per_s(law.peak_in_flight + np.array([-1.0, 0.0, 1.0]))
    assert around[1] > around[0] and around[1] > around[2]
    assert law.peak_is_seen


def test_a_law_without_coherency_has_no_peak() -> None:
    law = usl.fit(LEVELS.tolist(), rates(40.0, 0.2, 0.0))
    assert law is not None
    assert law.coherency < 1e-9
    assert law.peak_in_flight is None or not law.peak_is_seen


def test_the_fit_is_the_least_of_the_squares() -> None:
    rng = np.random.default_rng(7)
    measured = np.array(rates(100.0, 0.05, 0.001)) * rng.normal(1.0, 0.03, LEVELS.size)
    law = usl.fit(LEVELS.tolist(), measured.tolist())
    assert law is not None
    squares = sum(r * r for r in law.residual_per_s)

    def others(one: float, contention: float, coherency: float) -> float:
        n = LEVELS
        fitted = one * n / (1.0 + contention * (n - 1.0) + coherency * n * (n - 1.0))
        return float(np.sum((measured - fitted) ** 2))

    here = law.rate_one_per_s, law.contention, law.coherency
    assert others(*here) == pytest.approx(squares)
    for i in range(3):
        for factor in (0.999, 1.001):
            moved = [value * (factor if i == k else 1.0) for k, value in enumerate(here)]
            assert others(*moved) >= squares


def test_costs_never_go_below_zero() -> None:
    # Rates that rise faster than in proportion would have a contention below zero.
    law = usl.fit(LEVELS.tolist(), (10.0 * LEVELS**1.2).tolist())
    assert law is not None
    assert (law.contention, law.coherency) == (0.0, 0.0)
    assert law.rms_residual_share > 0.05


def test_fewer_than_six_levels_are_not_fitted() -> None:
    known = rates(100.0, 0.05, 0.001)
    assert usl.fit(LEVELS[:5].tolist(), known[:5]) is None
    assert usl.fit([*LEVELS[:5].tolist(), LEVELS[0]], [*known[:5], known[0]]) is None
    assert usl.fit(LEVELS[:6].tolist(), known[:6]) is not None


def test_levels_without_traffic_are_left_out() -> None:
    law = usl.fit([0.0, *LEVELS.tolist()], [0.0, *rates(100.0, 0.05, 0.001)])
    assert law is not None and len(law.in_flight) == LEVELS.size
