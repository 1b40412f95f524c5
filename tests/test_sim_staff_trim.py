"""Seats that can go do go; the last one that cannot is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from small_staff import PROMISE, desk

from sim.desk import Desk
from sim.staff.budget import Budget
from sim.staff.seats import Seats
from sim.staff.standing import Group, failing
from sim.staff.trim import OneFewer, fewer, one_fewer, tight_pools, trim

N = 96


@dataclass
class Rule:
    """Keeps the promise while each pool has so many seats in each third of the window; counts how often it is asked."""

    least: list[list[int]]
    asked: int = 0

    @property
    def desk(self) -> Desk:
        return desk()

    def __call__(self, seats: Seats) -> list[Group]:
        self.asked += 1
        short = 0
        for pool, row in enumerate(self.least):
            for third, least in enumerate(row):
                short += int(np.maximum(least - seats.heads[pool, third * 32 : (third + 1) * 32], 0).sum())
        kept = np.maximum(np.array([80, 80]) - short, 0)
        hundred, ten = np.array([100, 100]), np.array([10, 10])
        return [
            Group("all", "all", hundred, kept, PROMISE),
            Group("es", "language", ten, np.full(2, 9), PROMISE),
        ]

    def keeps(self, seats: Seats) -> bool:
        return not failing(self(seats))


LEAST = [[3, 3, 3], [2, 1, 2], [1, 1, 0]]


def test_all_that_can_go_goes_and_nothing_else() -> None:
    begin = Seats(0.0, np.full((3, N), 5, dtype=np.int64))
    found = trim(begin, Rule(LEAST), Budget())  # type: ignore[arg-type]
    wanted = np.repeat(np.array(LEAST), 32, axis=1)
    # The shortest stretch that is tried is a third, so each third ends at its least.
    assert found.heads[0].tolist() == wanted[0].tolist()
    assert found.heads.sum() <= begin.heads.sum() - 96 * 3
    assert np.all(found.heads >= wanted)


def test_a_budget_that_is_over_takes_nothing() -> None:
    begin = Seats(0.0, np.full((3, N), 5, dtype=np.int64))
    rule = Rule(LEAST)
    assert trim(begin, rule, Budget(0.0)) is begin and rule.asked == 0  # type: ignore[arg-type]


def test_one_fewer_is_tried_where_there_is_somebody() -> None:
    seats = Seats(0.0, np.array([[2, 0, 1], [0, 0, 0], [1, 1, 1]], dtype=np.int64))
    less = fewer(seats, 0)
    assert less is not None and less.heads[0].tolist() == [1, 0, 0]
    part = fewer(seats, 2, 1, 2)
    assert part is not None and part.heads[2].tolist() == [1, 0, 1]
    assert fewer(seats, 1) is None


def test_the_pool_that_hurts_most_comes_first() -> None:
    seats = Seats(0.0, np.repeat(np.array(LEAST), 32, axis=1))
    found = one_fewer(seats, Rule(LEAST))  # type: ignore[arg-type]
    assert [each.pool for each in found] == ["english", "dutch", "spanish"]
    assert all(each.fails for each in found)
    before, after = found[0].worst
    assert before.share == 0.8 and after.margin < 0.0
    assert found[0].loss().mean is not None


def test_a_seat_that_is_spare_does_not_fail() -> None:
    seats = Seats(0.0, np.full((3, N), 5, dtype=np.int64))
    assert not any(each.fails for each in one_fewer(seats, Rule(LEAST)))  # type: ignore[arg-type]


def test_tight_pools_speak_the_language_that_stands_worst() -> None:
    seats = Seats(0.0, np.array([[9], [4], [2]], dtype=np.int64))
    ten = np.array([100, 100])
    found = [Group("all", "all", ten, ten, PROMISE), Group("nl", "language", ten, np.array([81, 81]), PROMISE)]
    assert tight_pools(found, seats, desk()) == [1]
    assert tight_pools(found[:1], seats, desk(), 2) == [2, 1]


def test_groups_are_matched_by_name_and_promise() -> None:
    ten = np.array([10, 10])
    a = Group("all", "all", ten, ten, PROMISE)
    es = Group("es", "language", ten, np.array([8, 8]), PROMISE)
    each = OneFewer("p", (a, es), (a, Group("es", "language", ten, np.array([4, 5]), PROMISE)))
    assert each.worst[0] is es and each.fails
    assert each.loss().mean == 0.35
