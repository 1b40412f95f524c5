"""Surge shapes: closed forms against quadrature, times read off by hand, faults."""

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scenarios.surges import Boost, Curve, FloatArray, Pulse, Size, Stream, Surge, Table, TableRow

NODES, WEIGHTS = np.polynomial.legendre.leggauss(16)


def table(*rows: tuple[float, float, float], **more: object) -> Table:
    points = [{"at_h": h, "mentions": m, "cases": c} for h, m, c in rows]
    return Table.model_validate({"kind": "table", "rows": points, **more})


def pulse(**more: object) -> Pulse:
    return Pulse.model_validate({"kind": "pulse", "at_h": 0, "mentions": 5, "cases": 3, **more})


def quadrature(curve: Curve, a_h: float, b_h: float, stream: Stream) -> float:
    """Gauss-Legendre between the knots, in pieces of at most an hour: next to exact for these shapes."""
    inner = [k for k in curve.knots() if a_h < k < b_h]
    area = 0.0
    for lo, hi in pairwise([a_h, *inner, b_h]):
        edges = np.linspace(lo, hi, math.ceil(hi - lo) + 1)
        half = np.diff(edges)[:, None] / 2
        hours = edges[:-1, None] + half * (NODES + 1)
        area += float((curve.rate(hours.ravel(), stream).reshape(hours.shape) * half * WEIGHTS).sum())
    return area


hours = st.floats(-20, 60)
multiples = st.floats(1, 40)
tables = st.lists(st.floats(-20, 60), min_size=1, max_size=6, unique_by=lambda h: round(h, 2)).flatmap(
    lambda at: st.tuples(*[st.tuples(st.just(h), st.floats(0, 40), st.floats(0, 40)) for h in sorted(at)])
)
surges: st.SearchStrategy[Surge] = st.one_of(
    st.builds(lambda rows, tail: table(*rows, tail_h=tail), tables, st.floats(1, 30)),
    st.builds(
        pulse,
        at_h=hours,
        mentions=multiples,
        cases=multiples,
        rise_h=st.one_of(st.just(0.0), st.floats(0.1, 10)),
        rise=st.sampled_from(["linear", "sine"]),
        plateau_h=st.floats(0, 10),
        decay=st.sampled_from(["exponential", "omori"]),
        tau_h=st.floats(1, 30),
        power=st.sampled_from([0.5, 1.0, 1.0 + 1e-9, 1.5, 2.5]),
        extensions_h=st.lists(st.floats(0.5, 40), max_size=2),
        echoes_h=st.lists(st.floats(0.5, 40), max_size=2),
    ),
    st.builds(
        lambda at, length, m: Boost(kind="boost", at_h=tuple(at), length_h=length, mentions=m, cases=m / 2),
        st.lists(hours, min_size=1, max_size=3),
        st.floats(0.5, 10),
        st.floats(0, 3),
    ),
)
# One table at most: two that go below the base could take the curve below zero together.
curves = st.builds(
    lambda some: Curve(
        surges=tuple(s for i, s in enumerate(some) if not isinstance(s, Table) or i == 0),
    ),
    st.lists(surges, max_size=4),
)
streams: st.SearchStrategy[Stream] = st.sampled_from(["mentions", "cases"])


@given(curves, streams, hours, st.floats(0.01, 60))
def test_the_total_is_the_integral_of_the_rate(curve: Curve, stream: Stream, a_h: float, length: float) -> None:
    # The rule is exact for the pieces that are polynomials; of exp(-x) and (1 + x)^-p over one
    # time constant it misses less than 1e-12. The rest is rounding over some hundred pieces.
    area = quadrature(curve, a_h, a_h + length, stream)
    assert curve.total(a_h, a_h + length, stream) == pytest.approx(area, rel=1e-9, abs=1e-9)


@given(curves, streams, hours, st.lists(st.floats(0, 20), min_size=2, max_size=8))
def test_totals_of_neighbouring_stretches_add_up(curve: Curve, stream: Stream, a_h: float, steps: list[float]) -> None:
    edges = a_h + np.cumsum(steps)
    parts = curve.totals(edges, stream)
    assert parts.shape == (len(steps) - 1,)
    assert parts.sum() == pytest.approx(curve.total(edges[0], edges[-1], stream), rel=1e-9, abs=1e-9)


@given(curves, streams, st.integers(0, 2**32 - 1))
def test_the_rate_lies_within_its_bounds_in_every_cell(curve: Curve, stream: Stream, seed: int) -> None:
    edges = np.unique([*np.arange(-25.0, 80.0, 2.5), *curve.knots()])
    low, high = curve.bounds(edges, stream)
    at = edges[:-1] + np.random.default_rng(seed).random((20, edges.size - 1)) * np.diff(edges)
    inside = at < edges[1:]  # rounding may put a point on the next edge, behind a jump
    rate = curve.rate(at.ravel(), stream).reshape(at.shape)
    slack = 1e-9 * (1 + high)
    assert ((rate >= low - slack) | ~inside).all()
    assert ((rate <= high + slack) | ~inside).all()


def crossing(curve: Curve, value: float, lo: float, hi: float) -> float:
    """Hour between `lo` and `hi` at which the excess passes a value, by bisection."""

    def above(hour: float) -> bool:
        return bool(curve.rate(np.array([hour]), "mentions")[0] - 1 >= value)

    start = above(lo)
    for _ in range(80):
        middle = (lo + hi) / 2
        lo, hi = (middle, hi) if above(middle) == start else (lo, middle)
    return hi


@pytest.mark.parametrize(
    ("shape", "rise_h", "half_h", "tenth_h"),
    [
        # 4 above the base at the peak; half of it is gone after tau ln 2, nine tenths after tau ln 10
        ({"tau_h": 6}, 0.0, 6 * math.log(2), 6 * math.log(10)),
        ({"tau_h": 18, "plateau_h": 3}, 0.0, 3 + 18 * math.log(2), 3 + 18 * math.log(10)),
        # (1 + x / 6)^-2 is a half at 6 (sqrt 2 - 1), a tenth at 6 (sqrt 10 - 1)
        ({"decay": "omori", "tau_h": 6, "power": 2.0}, 0.0, 6 * (2**0.5 - 1), 6 * (10**0.5 - 1)),
        # a linear rise is half way up at half its length, a quarter of a sine at a third
        ({"rise_h": 3, "tau_h": 6}, 1.5, 3 + 6 * math.log(2), 3 + 6 * math.log(10)),
        ({"rise_h": 3, "rise": "sine", "tau_h": 6}, 1.0, 3 + 6 * math.log(2), 3 + 6 * math.log(10)),
    ],
)
def test_a_pulse_rises_and_falls_on_time(
    shape: dict[str, object], rise_h: float, half_h: float, tenth_h: float
) -> None:
    curve = Curve(surges=(pulse(**shape),))
    peak_h = float(shape.get("rise_h", 0)) + float(shape.get("plateau_h", 0))  # type: ignore[arg-type]
    assert curve.rate(np.array([peak_h]), "mentions")[0] == pytest.approx(5)
    assert crossing(curve, 2.0, -1.0, peak_h) == pytest.approx(rise_h, abs=1e-6)
    assert crossing(curve, 2.0, peak_h, 200.0) == pytest.approx(half_h, abs=1e-6)
    assert crossing(curve, 0.4, peak_h, 200.0) == pytest.approx(tenth_h, abs=1e-6)


def test_extensions_and_echoes_are_smaller_copies() -> None:
    curve = Curve(surges=(pulse(tau_h=1, extensions_h=[100], echoes_h=[200], extension_share=0.4, echo_share=0.25),))
    at = np.array([0.0, 100.0, 200.0])
    assert curve.rate(at, "mentions") == pytest.approx([5, 1 + 4 * 0.4, 1 + 4 * 0.25])
    # exp(-x / tau) has area tau, so the three have (1 + 0.4 + 0.25) times 4 above the base.
    assert curve.total(-1, 300, "mentions") == pytest.approx(301 + 1.65 * 4, abs=1e-9)


def test_a_table_is_the_base_before_its_first_row_and_runs_back_after_the_last() -> None:
    curve = Curve(surges=(table((2, 3, 1), (4, 5, 1), tail_h=10),))
    at = np.array([1.999, 2.0, 3.0, 4.0, 9.0, 14.0, 30.0])
    assert curve.rate(at, "mentions") == pytest.approx([1, 3, 4, 5, 3, 1, 1])
    assert (curve.rate(at, "cases") == 1).all()
    # Above the base: a trapezoid of 2 hours between 2 and 4, a triangle of 10 hours from 4.
    assert curve.total(0, 30, "mentions") == pytest.approx(30 + 2 * (2 + 4) / 2 + 10 * 4 / 2)


def test_a_shift_moves_a_table_as_a_whole() -> None:
    at = np.linspace(-5, 40, 91)
    here, there = Curve(surges=(table((0, 2, 2), (8, 6, 3)),)), Curve(surges=(table((0, 2, 2), (8, 6, 3), shift_h=5),))
    assert there.rate(at + 5, "mentions") == pytest.approx(here.rate(at, "mentions"))


def test_boosts_multiply_the_whole_curve_and_each_other() -> None:
    boost = Boost(kind="boost", at_h=(1.0, 2.0), length_h=2.0, mentions=1.5, cases=2.0)
    curve = Curve(surges=(table((0, 3, 3), (10, 3, 3)), boost))
    at = np.array([0.5, 1.5, 2.5, 3.5, 4.5])
    assert curve.rate(at, "mentions") == pytest.approx([3, 4.5, 6.75, 4.5, 3])
    assert curve.total(0, 5, "cases") == pytest.approx(3 * (1 + 2 + 4 + 2 + 1))


def test_the_size_acts_on_what_lies_above_the_base() -> None:
    rows = table((0, 5, 3), (10, 5, 3), size={"low": 0.5, "likely": 1, "high": 2})
    at = np.array([5.0])

    def rate(u: float | None) -> float:
        return float(Curve(surges=(rows,), size_u=u).rate(at, "mentions")[0])

    assert [rate(0.0), rate(None), rate(1.0)] == pytest.approx([3, 5, 9])


@given(st.lists(st.floats(0, 20), min_size=3, max_size=3).map(sorted))
def test_sizes_follow_the_triangular_law(bounds: list[float]) -> None:
    low, likely, high = bounds
    size = Size(low=low, likely=likely, high=high)
    u = np.linspace(0.0, 1.0, 4001)
    drawn = np.array([size.at(x) for x in u])
    assert (np.diff(drawn) >= -1e-9).all()
    assert [drawn[0], drawn[-1]] == pytest.approx([low, high], abs=1e-6)
    # The mean of the law is the mean of the three; midpoints of 4,000 steps of a monotone function
    # are off by at most half a step of its range.
    middle: FloatArray = (drawn[1:] + drawn[:-1]) / 2
    assert middle.mean() == pytest.approx((low + likely + high) / 3, abs=(high - low) / 4000 + 1e-6)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: table((4, 2, 2), (4, 3, 3)), ["rows[1].at_h is 4, not after 4"]),
        (lambda: table((0, 0.4, 2), size={"high": 3}), ["rows[0].mentions is 0.4", "below zero"]),
        (lambda: table((4, 2, 0), (3, 1, 1), size={"high": 2}), ["rows[1].at_h", "rows[0].cases"]),
        (
            lambda: pulse(mentions=0.5, cases=0.9),
            ["is 0.5: the peak lies below", "is 0.9: the peak lies below", "raise the peak"],
        ),
        (lambda: Size(low=2, likely=1, high=3), ["must not fall"]),
    ],
)
def test_a_shape_that_cannot_be_says_why(build: object, words: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        build()  # type: ignore[operator]
    assert [word for word in words if word not in str(caught.value)] == []


def test_a_row_of_a_table_reads_as_written() -> None:
    assert TableRow.model_validate({"at_h": 0, "mentions": 1, "cases": 2}).cases == 2.0
