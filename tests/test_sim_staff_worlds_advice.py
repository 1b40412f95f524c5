"""The advice in worlds: it holds where nothing changes, flips where work takes longer, and says what matters."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from small_staff import question

from scenarios.model import Assumption, Scenario
from sim.crew import Watch
from sim.staff.budget import Budget
from sim.staff.reachable import Reachable, attend, reachable
from sim.staff.seats import Seats
from sim.staff.sizing import Effort, Question, Sized, judged, size_plan
from sim.staff.worlds_advice import FEWER, WorldsAdvice, advise, fewer_by

HANDLING = "behaviour.handling_min.default.mean"
OWN = question().scenario.behaviour.handling_min["default"].mean()


def asked(low: float, high: float) -> Question:
    """The small question in a scenario in which one thing is assumed: how long a case takes."""
    one = Assumption(what=HANDLING, reason="nobody has measured it", low=low, high=high)
    data = question().scenario.model_dump(by_alias=True)
    made = Scenario.model_validate({**data, "assumed": [one.model_dump()]})
    return replace(question(), scenario=made)


@pytest.fixture(scope="module")
def found() -> tuple[Sized, Sized, Reachable]:
    """The requirement, the same with half as many seats more, and what the desk itself reaches."""
    small = question()
    main = size_plan("requirement", small, Budget(), effort=Effort(8, 24, 24))
    more = Seats(main.seats.start_s, np.ceil(main.seats.heads * 1.5).astype(np.int64))
    days = small.days(24, "likely", fresh=True)
    safer = judged("safer", small, small.promises, "likely", more, main.need, days, main.effort, True, 0)
    runs = attend(days, small.desk, small.promises)
    return main, safer, reachable(days, small.desk, small.promises, True, runs)


def told(found: tuple[Sized, Sized, Reachable], low: float, high: float, worlds: int = 4) -> WorldsAdvice:
    main, safer, reached = found
    return advise(asked(low, high), main, [safer], reached, Budget(), worlds)


def test_where_nothing_changes_the_advice_holds_in_every_world(found: tuple[Sized, Sized, Reachable]) -> None:
    same = told(found, OWN, OWN)
    assert same.plans[0] in dict(FEWER) and same.plans[1:] == ("requirement", "safer") and same.advised == 1
    assert (same.worlds, same.ranges, same.why) == (4, 1, None)
    assert same.keeps.tolist() == [[False, True, True]] * 4
    assert same.holds == 1.0 and same.too_much == 0.0 and same.reachable_holds == 1.0
    assert same.matters is None  # all worlds are alike


def test_where_work_takes_longer_the_advice_flips_to_the_safer_plan(found: tuple[Sized, Sized, Reachable]) -> None:
    longer = told(found, 1.25 * OWN, 1.25 * OWN)
    assert longer.keeps.tolist() == [[False, False, True]] * 4
    assert longer.holds == 0.0 and longer.kept.tolist() == [0.0, 0.0, 1.0]


def test_where_work_is_shorter_a_cheaper_plan_would_do(found: tuple[Sized, Sized, Reachable]) -> None:
    shorter = told(found, 0.7 * OWN, 0.7 * OWN)
    assert shorter.too_much == 1.0 and shorter.holds == 0.0
    assert shorter.kept[shorter.advised] == 1.0


def test_what_matters_most_is_named_beyond_chance(found: tuple[Sized, Sized, Reachable]) -> None:
    assert told(found, 0.7 * OWN, 1.3 * OWN, 8).matters == HANDLING


def test_without_ranges_there_is_no_world_and_it_is_said_why(found: tuple[Sized, Sized, Reachable]) -> None:
    main, safer, reached = found
    bare = question().scenario.model_copy(update={"assumed": ()})
    none = advise(replace(question(), scenario=bare), main, [safer], reached, Budget())
    assert none.worlds == 0 and none.why is not None and "no [[assumed]] entry" in none.why


def test_six_worlds_are_played_even_without_time_and_none_for_who_has_had_enough(
    found: tuple[Sized, Sized, Reachable],
) -> None:
    main, safer, reached = found
    assert advise(asked(15.0, 22.0), main, [safer], reached, Budget(0.0)).worlds == 6
    watch = Watch()
    watch.stopped = lambda: True  # type: ignore[method-assign]
    none = advise(asked(15.0, 22.0), main, [safer], reached, Budget(0.0, watch))
    assert none.worlds == 0 and none.why is None


def test_a_tenth_fewer_is_rounded_up_and_small_pools_keep_theirs() -> None:
    seats = Seats(0.0, np.array([[20, 20, 4], [1, 0, 4], [4, 2, 1]]))
    assert fewer_by(seats, 0.1).heads.tolist() == [[18, 18, 4], [1, 0, 4], [4, 2, 1]]
    few = Seats(0.0, np.array([[2], [1]]))
    assert fewer_by(few, 0.1).heads.tolist() == [[2], [1]]
