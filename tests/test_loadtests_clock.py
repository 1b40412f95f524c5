"""Clocks that are apart are found to be, never further from the truth than is said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from loadtests.clock import Offset


def asked(true_s: float, ways_s: list[tuple[float, float]]) -> Offset:
    """What is found if the other's clock is `true_s` ahead and each question takes so long there and back."""
    found, here_s = Offset(), 1000.0
    for there_s, back_s in ways_s:
        found.answered(here_s, here_s + there_s + true_s, here_s + there_s + back_s)
        here_s += there_s + back_s + 0.03
    return found


def test_equal_ways_give_the_true_offset() -> None:
    assert asked(-86_400.0, [(0.004, 0.004)]).offset_s == pytest.approx(-86_400.0, abs=1e-9)


@pytest.mark.parametrize("true_s", [-3_600.0, -0.002, 0.0, 0.5, 1e6])
def test_the_truth_is_never_further_away_than_the_bound(true_s: float) -> None:
    rng = np.random.default_rng(20100415)
    for _ in range(200):
        found = asked(true_s, [(float(a), float(b)) for a, b in rng.exponential(0.01, (8, 2))])
        # 1e-9: differences of numbers near 1e6 are rounded to 1.2e-10
        assert abs(found.offset_s - true_s) <= found.bound_s + 1e-9


def test_the_bound_is_reached_when_one_way_takes_all_the_time() -> None:
    found = asked(0.0, [(0.02, 0.0)])
    assert found.offset_s == pytest.approx(found.bound_s) == pytest.approx(0.01)


def test_the_shortest_trip_is_believed() -> None:
    found = asked(7.0, [(0.3, 0.0), (0.001, 0.001), (0.0, 0.3)])
    assert found.offset_s == pytest.approx(7.0, abs=1e-9)
    assert found.bound_s == pytest.approx(0.001)


def test_what_is_told_bounds_what_is_told() -> None:
    found = asked(0.0, [(0.0000123, 0.0)]).to_dict()
    assert abs(found["clock_offset_s"]) <= found["clock_bound_s"] < 1e-5
    assert found["clock_answers"] == 1


def test_without_an_answer_nothing_is_known() -> None:
    found = Offset()
    assert math.isinf(found.bound_s) and found.to_dict()["clock_bound_s"] is None
