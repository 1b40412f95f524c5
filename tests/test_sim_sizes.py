"""How much of the variance between runs comes from the unknown size: known answers, and nothing where none is known."""

from __future__ import annotations

import numpy as np
import pytest

from sim.sizes import of_size


@pytest.mark.parametrize("share", [0.0, 0.5, 0.9])
def test_the_share_is_that_of_the_law_of_total_variance(share: float) -> None:
    # A measure that grows with the cube of the size, whose variance is 1/7 - 1/16, plus chance: together 1.
    # With 100 runs the second differences have some 0.51 * 98 = 50 degrees of freedom: the chance part has a
    # relative error of sqrt(2 / 50 + 2 / 99) = 0.25, the mean over 40 sweeps 0.039, and 5 of them are 0.19.
    # A share cannot be below 0: without any of the size half of the estimates are cut, which adds 0.4 * 0.25.
    rng = np.random.default_rng(20100415)
    slope, noise = np.sqrt(share / (1 / 7 - 1 / 16)), np.sqrt(1.0 - share)
    found = []
    for _ in range(40):
        u = rng.random(100)
        told = of_size(u.tolist(), (slope * u**3 + noise * rng.normal(size=100)).tolist())
        assert told is not None and 0.0 <= told.low <= told.share <= told.high <= 1.0
        found.append(told)
    cut = 0.1 if share == 0.0 else 0.0
    assert np.mean([told.share for told in found]) == pytest.approx(share + cut, abs=0.19 * (1.0 - share) + 1e-9)
    # At 95 % fewer than 33 of 40 have a probability below 0.001.
    assert sum(told.low <= share <= told.high for told in found) >= 33


def test_a_measure_without_chance_is_all_of_the_size() -> None:
    u = [(7 * i % 30 + 0.5) / 30 for i in range(30)]
    told = of_size(u, [5.0 + 2.0 * x for x in u])
    assert told is not None
    assert told.n == 30
    assert [told.share, told.low] == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("sizes", "values"),
    [
        (9, [1.0, 2.0, 3.0] * 3),  # too few
        (12, [7.0] * 12),  # all alike
        (0, [1.0, 2.0] * 10),  # all of one size
    ],
)
def test_where_nothing_can_be_told_nothing_is(sizes: int, values: list[float]) -> None:
    u = [i / sizes for i in range(sizes)] if sizes else [0.5] * len(values)
    assert of_size(u, values) is None


def test_the_order_of_the_runs_does_not_matter() -> None:
    rng = np.random.default_rng(7)
    u, y = rng.random(20), rng.random(20)
    order = rng.permutation(20)
    assert of_size(u.tolist(), y.tolist()) == of_size(u[order].tolist(), y[order].tolist())
