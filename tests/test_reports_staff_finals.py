"""Words on the plan that was selected, with its guarantee, and on what an hour of the ladder is worth."""

from __future__ import annotations

from reports.staff_finals import earlier_facts, earlier_lines, finals_facts, finals_lines
from sim.estimate import Estimate
from sim.staff.earlier import Earlier
from sim.staff.finalists import Finals
from sim.staff.selection import Selection


def told(alive: tuple[int, ...]) -> Finals:
    return Finals(("requirement", "safer"), Selection(1, 14, alive, 0.95, 120.0), (9000.0, 8500.0), (14, 14), 10.0)


def plain(lines: list[str]) -> str:
    return " ".join(lines).replace("\xa0", " ")


def test_who_is_selected_comes_with_the_guarantee() -> None:
    assert plain(finals_lines(told((1,)))) == (
        "Ranking and selection (Kim and Nelson) among 2 plans, all on the same fresh days: with a missed case at "
        "EUR 10 'safer' costs least, EUR 8,500 a run, decided after 14 days. If the best is cheaper than each other "
        "one by EUR 120 or more, this is it with a probability of at least 95 %."
    )
    assert finals_facts(told((1,)))["decided"] is True


def test_an_undecided_selection_says_that_the_guarantee_does_not_hold() -> None:
    text = plain(finals_lines(told((0, 1))))
    assert "one cannot tell after 14 days which of 'requirement' and 'safer' costs least" in text
    assert "guarantee of 95 % for differences of EUR 120 or more does not hold" in text
    assert [row["left"] for row in finals_facts(told((0, 1)))["finalists"]] == [True, True]


def test_what_an_hour_is_worth_has_its_interval_and_is_said_for_each_hour() -> None:
    found = [
        Earlier(1.0, 1.0, Estimate(8, 70.0, 60.0, 80.0), Estimate(8, 0.0, 0.0, 0.0)),
        Earlier(4.0, 3.0, Estimate(8, 180.0, 150.0, 210.0), Estimate(8, 5.0, 1.0, 9.0)),
    ]
    assert plain(earlier_lines(found)) == (
        "Were all who are called in there 1 h earlier, 70 (60 to 80) fewer promises would be missed; 4 h earlier: 180 "
        "(150 to 210). That is 70 for the first hour and 60 an hour over 4 h (3.0 h of 4 h on average: some lead times "
        "are too short to be shortened as much)."
    )
    assert earlier_facts(found)[1]["per_hour"] == 60.0
    assert earlier_lines([]) == []
