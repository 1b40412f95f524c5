"""The parts of a staffing answer: a plan that is dearer than its alternative and no better is given up."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_staff import question

from reports.staff_manifest import StaffSettings
from reports.staff_search import _less_and_more, _no_dearer
from sim.staff.budget import Budget
from sim.staff.promise import Promise
from sim.staff.seats import Seats
from sim.staff.sizing import Effort, judged, size_plan


def test_the_requirement_takes_the_seats_of_a_cheaper_plan_that_keeps_as_much() -> None:
    asked = replace(question(), hours=6.0)
    good = size_plan("safer", asked, Budget(), effort=Effort(4, 12, 12), candidates=1)
    fresh = asked.days(12, "likely", fresh=True)
    many = Seats(good.seats.start_s, good.seats.heads * 2)
    none = Seats(good.seats.start_s, good.seats.heads * 0 + np.array([[1], [0], [0]]))
    dear, bad = (
        judged(name, asked, asked.promises, "likely", seats, good.need, fresh, good.effort, True, 1)
        for name, seats in (("requirement", many), ("cheaper", none))
    )
    settings = StaffSettings(seed=asked.seed)
    found = _no_dearer(asked, dear, [bad, good], settings)
    assert found.name == "requirement" and np.array_equal(found.seats.heads, good.seats.heads)
    assert found.keeps and found.promises == asked.promises
    assert _no_dearer(asked, dear, [bad], settings) is dear  # it is cheaper, but keeps nothing
    assert _no_dearer(asked, good, [dear], settings) is good


@pytest.mark.parametrize(
    ("share", "less", "more"), [(0.8, 0.7, 0.9), (0.9, 0.8, 0.95), (0.99, 0.89, 0.995), (0.1, 0.05, 0.2)]
)
def test_the_alternatives_promise_less_and_more_whatever_the_promise(share: float, less: float, more: float) -> None:
    found = _less_and_more(Promise(share, 600.0))
    assert [each.share for each in found] == pytest.approx([less, more])
    assert {each.within_s for each in found} == {600.0}
