"""Shifts from fractions."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.staff.rounding import filled, rounded

COVERS = np.array([[1, 1, 0, 0, 0, 0], [0, 1, 1, 0, 0, 0], [0, 0, 1, 1, 0, 0], [0, 0, 0, 1, 1, 0]])
HOURS = np.full(4, 2.0)


def test_what_nobody_needs_is_dropped_again() -> None:
    # The second one doubles the first and the third.
    assert filled(np.array([1, 1, 1, 0]), np.array([1, 1, 1, 1, 0, 0]), COVERS, HOURS).tolist() == [1, 0, 1, 0]


def test_what_nothing_covers_ends_the_filling() -> None:
    assert filled(np.zeros(4, dtype=np.int64), np.array([0, 0, 0, 0, 0, 3]), COVERS, HOURS).sum() == 0


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 5), min_size=5, max_size=5), st.lists(st.floats(0.0, 4.0), min_size=4, max_size=4))
def test_all_that_can_be_covered_is(need: list[int], fractions: list[float]) -> None:
    wanted = np.array([*need, 0])
    counts = rounded(np.array(fractions), wanted, COVERS, HOURS)
    assert np.all(counts @ COVERS >= wanted)
    for k in np.flatnonzero(counts):  # and none is too many
        assert np.any(counts @ COVERS - COVERS[k] < wanted)
