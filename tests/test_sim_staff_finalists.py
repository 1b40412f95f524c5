"""Finalists meet the same days; the cheapest is selected where the days can tell, else it is said that they cannot."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_staff import question

from sim.staff.budget import Budget
from sim.staff.days import LANGUAGES
from sim.staff.finalists import FIRST, finals
from sim.staff.need import Need
from sim.staff.seats import Seats
from sim.staff.sizing import Effort, Question, Sized

SMALL = replace(question(), hours=4.0)


def plan(name: str, *heads: int) -> Sized:
    """Seats all day, of which only cost and service matter here."""
    start_s, n = SMALL.days(1, "likely").window_s[0], 16
    zeros = np.zeros((len(LANGUAGES), n))
    seats = Seats(start_s, np.repeat([[h] for h in heads], n, axis=1))
    need = Need(zeros, zeros[0], zeros[:, 0], zeros[:, 0])
    return Sized(name, SMALL.promises, "likely", seats, need, (), None, (), Effort(2, 2), True)


FEW, WELL, MANY = plan("few", 8, 2, 1), plan("well", 22, 9, 5), plan("many", 80, 40, 20)


def select(plans: list[Sized], miss_eur: float, budget: Budget | None = None, asked: Question = SMALL):  # type: ignore[no-untyped-def]
    return finals(asked, plans, "likely", miss_eur, budget or Budget())


def test_the_price_of_a_missed_case_decides_between_few_and_many() -> None:
    cheap = select([WELL, FEW, MANY], 0.0)
    assert cheap.plans[cheap.selection.best] == "few" and cheap.selection.decided
    # Without a price only staff counts, which is the same every day: the first days are enough.
    assert cheap.selection.days == FIRST and cheap.played == (FIRST,) * 3
    assert cheap.means == pytest.approx([each.seats.cost(SMALL.desk) for each in (WELL, FEW, MANY)])
    dear = select([WELL, FEW, MANY], 20.0)
    assert dear.selection.decided and dear.plans[dear.selection.best] == "well"
    assert dear.means[1] > dear.means[0]


def test_the_difference_worth_detecting_is_a_twentieth_of_the_requirement() -> None:
    assert select([WELL, FEW], 0.0).selection.indifference == pytest.approx(0.05 * WELL.seats.cost(SMALL.desk))


def test_time_that_is_over_leaves_it_undecided_after_the_first_days() -> None:
    # At this price what the few cost less is about what they miss more, and that differs much from day to day.
    found = select([WELL, FEW], 10.0, Budget(0.0))
    assert found.selection.days == FIRST
    assert found.selection.alive == (0, 1) and not found.selection.decided


def test_equal_plans_are_no_endless_search() -> None:
    found = select([WELL, replace(WELL, name="twin")], 10.0)
    assert found.selection.decided and found.selection.days == FIRST and found.means[0] == found.means[1]
