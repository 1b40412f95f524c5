"""Each kind of breach is found, and nothing else."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sim.desk import Desk
from sim.staff import rules as sets
from sim.staff.duty import Duty
from sim.staff.roster_check import breaches, night_h

RULES = sets.load("dutch")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def duty(day: int, hour: float, hours: float = 8.0, **other: object) -> Duty:
    """A duty on a day of March 2026 by the clock of Amsterdam, with its breaks."""
    local = datetime(2026, 3, 1, tzinfo=AMSTERDAM) + timedelta(days=day - 1, hours=hour)
    start = local.astimezone(UTC)
    pauses = tuple((start + timedelta(hours=h), m) for h, m in ((2.0, 15), (4.0, 30), (6.0, 15)))
    made = Duty("a001", "nl", "Amstelveen", "Europe/Amsterdam", start, start + timedelta(hours=hours), pauses)
    return replace(made, **other)  # type: ignore[arg-type]


def found(*duties: Duty) -> set[str]:
    return {breach.rule for breach in breaches(duties, RULES)}


def test_a_week_of_five_days_is_clean() -> None:
    assert found(*[duty(d, 7.0) for d in range(2, 7)]) == set()


@pytest.mark.parametrize(
    ("rule", "duties"),
    [
        ("overlap", [duty(2, 7.0), duty(2, 14.5)]),
        ("rest_h", [duty(2, 14.0), duty(3, 8.5)]),
        ("rest_after_night_h", [duty(2, 22.0), duty(3, 19.0)]),
        ("call_in_rest_h", [duty(2, 7.0), duty(3, 6.0, kind="call_in")]),
        ("call_in_max_h", [duty(2, 7.0, 9.0, kind="call_in")]),
        ("max_shift_h", [duty(2, 7.0, 12.5, breaks=((duty(2, 12.0).start, 30), (duty(2, 15.0).start, 30)))]),
        ("night_max_h", [duty(2, 20.0, 10.5)]),
        ("breaks", [duty(2, 7.0, breaks=((duty(2, 11.0).start, 30),))]),
        ("max_without_break_h", [duty(2, 7.0, breaks=((duty(2, 7.5).start, 60),))]),
        ("notice_h", [duty(5, 7.0, given=duty(2, 7.0).start)]),
        ("max_week_h", [duty(d, 7.0, 10.5) for d in range(2, 8)]),
    ],
)  # fmt: skip
def test_each_kind_of_breach_is_found_alone(rule: str, duties: list[Duty]) -> None:
    assert found(*duties) == {rule}


def test_seven_days_in_a_row_leave_no_weekly_rest() -> None:
    listed = breaches([duty(d, 7.0) for d in range(2, 9)], RULES)
    assert [(b.rule, b.day.day) for b in listed] == [("weekly_rest_h", 2), ("max_days_in_row", 8)]


def test_eight_nights_in_a_row_are_one_too_many() -> None:
    assert "max_nights_in_row" in found(*[duty(d, 22.0) for d in range(2, 10)])
    assert "max_nights_in_row" not in found(*[duty(d, 22.0) for d in range(2, 9)])


def test_exactly_the_rest_that_is_asked_for_is_no_breach() -> None:
    assert found(duty(2, 14.0), duty(3, 9.0)) == set()


def test_the_rest_counts_by_the_clock_that_passes_when_clocks_change() -> None:
    # On 29 March 2026 clocks go from 02:00 to 03:00: from 20:00 to 07:00 there are 10 hours, not 11.
    assert found(duty(28, 12.0), duty(29, 7.0)) == {"rest_h"}
    assert found(duty(27, 12.0), duty(28, 7.0)) == set()


def test_a_night_of_the_change_to_summer_time_is_an_hour_shorter() -> None:
    assert night_h(duty(28, 22.0), RULES) == 5.0
    assert night_h(duty(27, 22.0), RULES) == 6.0


def test_a_pool_that_the_desk_does_not_have_is_named() -> None:
    desk = Desk.load("klm_2015")
    listed = breaches([duty(2, 7.0), duty(4, 7.0, pool="mars"), duty(6, 7.0, zone="Asia/Dubai")], RULES, desk)
    assert [b.rule for b in listed] == ["pool", "timezone"]
