"""Promises that nobody can keep are found, with what would do; those that somebody can keep are not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from small_staff import PROMISE, question

from sim.staff.days import count
from sim.staff.possible import impossible
from sim.staff.promise import Promise
from sim.staff.workload import ample
from sim.waits import Rows

SHORT = Promise.read("90% in 2 min")


def test_a_promise_that_people_can_keep_is_none_of_them() -> None:
    assert impossible(question(), "likely") == []


def test_a_promise_below_the_work_itself_is_found_for_all_and_in_each_language() -> None:
    asked = replace(question(), promises=(PROMISE, SHORT))
    found = impossible(asked, "likely")
    assert {each.name for each in found} >= {"all", "en", "nl"}
    assert {each.promise for each in found} == {SHORT}
    assert [each.name for each in impossible(replace(asked, per_language=False), "likely")] == ["all"]


def test_what_would_do_is_the_response_of_so_many_where_nobody_waits() -> None:
    asked = replace(question(), promises=(SHORT,))
    whole = next(each for each in impossible(asked, "likely") if each.name == "all")
    days = asked.days(4, "likely")
    desk = ample(days, asked.desk)
    waits, kept = [], []
    for response_s, one in days.each(
        desk, lambda o: (Rows(o).response_s, count(o, (SHORT,), days.intervals)), 1.0
    ):  # fmt: skip
        waits.append(response_s)
        kept.append(one.kept.sum() / one.cases.sum())
    response_s = np.concatenate(waits)
    # Four days of some 1,400 cases: a share of 0.9 has a standard error of 0.4 points, and four are 1.6.
    assert abs(np.mean(response_s <= whole.within_s) - SHORT.share) < 0.016
    assert abs(np.mean(kept) - whole.share) < 0.016
