"""Shifts that can be done without."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np

from sim.staff.budget import Budget
from sim.staff.duty import Duty
from sim.staff.thin import thin, useless

START = datetime(2026, 3, 2, tzinfo=UTC)


def shift(hour: int, pool: str = "p") -> Duty:
    begin = START + timedelta(hours=hour)
    return Duty("", pool, "", "UTC", begin, begin + timedelta(hours=4))


def test_the_shift_that_covers_no_seat_alone_goes_first() -> None:
    mine = [shift(0), shift(2), shift(4)]  # the second one only doubles the others
    assert useless([mine], np.ones((1, 32), dtype=np.int64), START, 1) == [[shift(0), shift(4)]]


def test_what_is_left_holds_and_one_fewer_does_not() -> None:
    mine = [[shift(0)] * 7, [shift(4, "q")] * 6]

    def holds(shifts: Sequence[Sequence[Duty]]) -> bool:
        first, second = (len(each) for each in shifts)
        return first >= 3 and first + second >= 8

    left = thin(mine, np.ones((2, 32), dtype=np.int64), START, holds, Budget())
    assert holds(left)
    assert sum(len(each) for each in left) == 8 or len(left[0]) == 3


def test_without_time_nothing_is_dropped() -> None:
    assert thin([[shift(0)]], np.zeros((1, 32), dtype=np.int64), START, lambda _: True, Budget(0.0)) == [[shift(0)]]


def test_with_a_promise_that_always_holds_nothing_is_left() -> None:
    assert thin([[shift(0)] * 5], np.zeros((1, 32), dtype=np.int64), START, lambda _: True, Budget()) == [[]]
