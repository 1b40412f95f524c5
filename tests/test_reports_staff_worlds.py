"""What is said on worlds: 'holds' from four of five on, 'cannot tell' below, nothing with too few."""

from __future__ import annotations

import json

import numpy as np

from reports.staff_worlds import worlds_facts, worlds_lines, worlds_rows
from sim.staff.worlds_advice import WorldsAdvice


def advice(keeps: list[list[bool]], **changes: object) -> WorldsAdvice:
    values: dict[str, object] = {
        "plans": ("a tenth fewer", "requirement", "safer"), "costs": (900.0, 1000.0, 1300.0), "advised": 1,
        "keeps": np.array(keeps, dtype=np.bool_).reshape(-1, 3),
        "reachable": np.zeros(len(keeps), dtype=np.bool_), "reachable_as_is": False, "ranges": 7, "left_out": 2,
        "runs": 3,
    }  # fmt: skip
    return WorldsAdvice(**{**values, **changes})  # type: ignore[arg-type]


HOLDS, MISSES, TOO_MUCH = [False, True, True], [False, False, True], [True, True, True]


def test_four_of_five_worlds_are_enough_to_tell() -> None:
    first, *rest = worlds_lines(advice([HOLDS] * 8 + [MISSES, TOO_MUCH]))
    assert first.replace("\xa0", " ") == (
        "The advice holds in 80 % of the 10 worlds drawn from 7 assumed ranges: over the whole window the "
        "seats miss the promise in 10 %, and a tenth fewer would do in 10 % "
        "(a share of 10 worlds may be off by 32 points)."
    )
    assert [line.replace("\xa0", " ") for line in rest] == [
        "That the desk and its ladder do not keep the promise holds in 100 % of these worlds."
    ]


def test_below_that_one_cannot_tell_and_the_safe_side_is_named() -> None:
    found = advice([HOLDS] * 7 + [MISSES] * 3, matters="triage.reading_s")
    lines = [line.replace("\xa0", " ") for line in worlds_lines(found)]
    assert lines[0].startswith("The assumed ranges may flip the advice, which holds in 70 % of the 10 worlds")
    assert "cannot tell" in lines[0]
    assert lines[1] == (
        "To be on the safe side of the assumed ranges take 'safer', EUR 300 more: it keeps the promise in 100 % of "
        "these worlds."
    )
    assert lines[-1] == "Of all that is assumed triage.reading_s matters most: measure it first."
    assert worlds_rows(found) == [
        ("a tenth fewer", "900", "0 of 10"),
        ("requirement", "1,000", "7 of 10"),
        ("safer", "1,300", "10 of 10"),
    ]
    facts = worlds_facts(found)
    assert facts["advice_holds"] == 0.7 and facts["can_tell"] is False
    assert facts["plans"][2] == {"name": "safer", "cost": 1300.0, "keeps": 1.0}


def test_where_no_plan_is_safe_that_is_said() -> None:
    lines = worlds_lines(advice([HOLDS] * 5 + [[False] * 3] * 5, reachable=np.array([True] * 5 + [False] * 5)))
    assert lines[1].replace("\xa0", " ").startswith("No plan here keeps the promise in 80 % of these worlds; ")
    assert lines[2].endswith("one cannot tell.")
    assert worlds_lines(advice([[False] * 3] * 9))[1] == "No plan here keeps the promise in any of these worlds."


def test_too_few_worlds_and_none_say_so() -> None:
    assert "enough for 4 worlds; give a larger --budget" in worlds_lines(advice([HOLDS] * 4))[0]
    assert worlds_rows(advice([HOLDS] * 4)) == []
    none = advice([], why="nothing to draw worlds from: no range; leave it out")
    assert worlds_lines(none) == [
        "Whether the advice survives the assumed ranges is not known: nothing to draw worlds from: no range."
    ]
    facts = worlds_facts(none)
    assert facts["advice_holds"] is None and json.dumps(facts, allow_nan=False)
