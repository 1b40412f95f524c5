"""Shapes of load: their totals, their due times, and how they are written."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import shapes
from loadtests.shapes import Shape, ShapeError, read

SHAPES = [
    shapes.soak(20.0, 30.0),
    shapes.ramp(5.0, 50.0, 20.0, 4.0),
    shapes.ramp(50.0, 0.0, 20.0),
    shapes.spike(5.0, 100.0, 10.0, 2.0),
    shapes.stress(10.0, 40.0, 4, 5.0),
    shapes.breakpoint_(100.0, 12.0),
]


def rng() -> np.random.Generator:
    return np.random.default_rng(20100415)


@pytest.mark.parametrize(
    ("shape", "total"),
    [
        (SHAPES[0], 600.0),  # 20 * 30
        (SHAPES[1], 750.0),  # (5 + 50) / 2 * 20 + 50 * 4
        (SHAPES[2], 500.0),
        (SHAPES[3], 300.0),  # 5 * 20 + 100 * 2
        (SHAPES[4], 500.0),  # (10 + 20 + 30 + 40) * 5
        (SHAPES[5], 600.0),
    ],
)
def test_the_total_is_the_area_below_the_rate(shape: Shape, total: float) -> None:
    assert shape.total == pytest.approx(total)
    t = (np.arange(200_000) + 0.5) * shape.horizon_s / 200_000
    assert np.mean(shape.rate_per_s(t)) * shape.horizon_s == pytest.approx(total, rel=1e-4)
    assert shape.rate_per_s(np.append(0.0, t)).max() == pytest.approx(shape.peak_per_s, rel=1e-4)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
@pytest.mark.parametrize("spacing", ["even", "poisson"])
def test_due_times_ascend_inside_the_window(shape: Shape, spacing: shapes.Spacing) -> None:
    due = shape.due_s(spacing, rng())
    assert np.all(np.diff(due) >= 0.0)
    assert due[0] >= 0.0 and due[-1] < shape.horizon_s


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_even_due_times_follow_the_rate_to_half_a_request(shape: Shape) -> None:
    due = shape.due_s("even", rng())
    assert due.size == math.floor(shape.total + 0.5)
    for end in np.linspace(0.0, shape.horizon_s, 41)[1:-1]:
        t = (np.arange(100_000) + 0.5) * end / 100_000
        expected = float(np.mean(shape.rate_per_s(t))) * end
        assert np.sum(due < end) == pytest.approx(expected, abs=0.51)


def test_a_steady_rate_is_evenly_spaced() -> None:
    assert shapes.soak(4.0, 1.0).due_s("even", rng()) == pytest.approx([0.125, 0.375, 0.625, 0.875])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_poisson_counts_have_mean_and_variance_of_the_total(shape: Shape) -> None:
    # 400 draws: the mean has a standard error of sqrt(total / 400); the ratio of variance to mean one of
    # sqrt(2 / 399) = 0.071. Five of each.
    draws = rng()
    counts = np.array([shape.due_s("poisson", draws).size for _ in range(400)])
    assert counts.mean() == pytest.approx(shape.total, abs=5.0 * math.sqrt(shape.total / 400))
    assert counts.var(ddof=1) / shape.total == pytest.approx(1.0, abs=5.0 * 0.071)


def test_poisson_due_times_are_uniform_in_what_was_expected_before_them() -> None:
    # Kolmogorov-Smirnov: given their number they are uniform in the share of the area; 1.95 / sqrt(n) is 0.1 %.
    shape = shapes.ramp(10.0, 400.0, 50.0)
    due = shape.due_s("poisson", rng())
    share = (10.0 * due + 390.0 / 50.0 * due**2 / 2.0) / shape.total
    steps = np.arange(1, due.size + 1) / due.size
    assert max(np.max(steps - share), np.max(share - steps + 1.0 / due.size)) < 1.95 / math.sqrt(due.size)


def test_the_same_seed_gives_the_same_times_and_another_seed_others() -> None:
    shape = shapes.soak(50.0, 4.0)
    assert np.array_equal(shape.due_s("poisson", rng()), shape.due_s("poisson", rng()))
    assert not np.array_equal(shape.due_s("poisson", rng()), shape.due_s("poisson", np.random.default_rng(1)))


@given(st.lists(st.tuples(st.floats(0.01, 50.0), st.floats(0.0, 200.0)), min_size=2, max_size=8))
def test_any_polyline_gives_its_total_in_order(pieces: list[tuple[float, float]]) -> None:
    times = np.concatenate(([0.0], np.cumsum([gap for gap, _ in pieces])[:-1]))
    shape = Shape("any", tuple(zip(times.tolist(), [rate for _, rate in pieces], strict=True)))
    due = shape.due_s("even", rng())
    assert due.size == math.floor(shape.total + 0.5)
    assert np.all(np.diff(due) >= 0.0) and np.all((due >= 0.0) & (due < shape.horizon_s))


@pytest.mark.parametrize(
    ("words", "shape"),
    [
        ("soak:20,30s", SHAPES[0]),
        ("ramp:5,50,20s,4s", SHAPES[1]),
        ("spike:5,100,10s,2000ms", SHAPES[3]),
        ("stress:10,40,4,5s", SHAPES[4]),
        ("breakpoint:100,0.2m", SHAPES[5]),
    ],
)
def test_a_shape_is_read_as_it_is_written(words: str, shape: Shape) -> None:
    assert read(words) == shape


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("wave:1,2", "'wave' is no shape; there are soak:RATE,TIME"),
        ("soak", "has 0 numbers; write it like soak:RATE,TIME"),
        ("soak:20,30", "'30' is no time; write it like 30s"),
        ("soak:-1,30s", "'-1' is no rate per second"),
        ("soak:nan,30s", "'nan' is no rate per second"),
        ("stress:1,2,2.5,1s", "'2.5' is no whole number"),
        ("stress:1,2,1,1s", "1 steps, should be at least 2"),
        ("ramp:1,2,0s", "times [0.0, 0.0] should ascend"),
        ("soak:0,30s", "has 0 requests, should have from 1 to 20,000,000"),
        ("soak:1000000,1h", "has 3,600,000,000 requests"),
    ],
)
def test_a_shape_that_cannot_be_read_is_explained(words: str, said: str) -> None:
    with pytest.raises(ShapeError) as error:
        read(words)
    assert said in str(error.value)
