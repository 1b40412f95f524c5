"""A desk's shifts as intervals: weeks, nights, clock changes, breaks, absences and faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from scenarios.model import Scenario
from sim import draws, library
from sim.desk import Desk
from sim.roster import Roster, realise

HOUR_S = 3600.0
WEEK_S = 168 * HOUR_S


def scenario(onset: str = "2015-06-01T00:00", **more: Any) -> Scenario:
    return Scenario.model_validate({"name": "days", "title": "days", "onset_local": onset, **more})


def desk(*pools: dict[str, Any]) -> Desk:
    rows = [{"name": f"p{i}", "languages": ["en"], **pool} for i, pool in enumerate(pools)]
    return Desk.model_validate({"name": "desk", "title": "desk", "pools": rows})


def roster(desk: Desk, world: Scenario, start_h: float = 0.0, until_h: float = 168.0, replication: int = 0) -> Roster:
    return realise(desk, world, draws.key(1, replication), start_h * HOUR_S, until_h * HOUR_S)


def hours(found: Roster, agent: int) -> list[tuple[float, float]]:
    return [(s.on_s / HOUR_S, s.off_s / HOUR_S) for s in found.stretches[agent]]


def test_a_weekly_shift_is_at_its_clock_time_and_a_night_ends_the_next_day() -> None:
    made = desk({"agents": [{"code": "a", "shifts": ["mon 07:00-16:00", "tue 22:00-06:30"]}]})
    assert hours(roster(made, scenario()), 0) == [(7.0, 16.0), (46.0, 54.5)]  # 1 June 2015 is a Monday


def test_a_shift_that_began_before_the_window_is_under_way() -> None:
    made = desk({"agents": [{"code": "a", "shifts": ["sun 20:00-04:00"]}]})
    found = roster(made, scenario(), until_h=24.0)
    assert hours(found, 0) == [(0.0, 4.0)]
    assert found.stretches[0][0].worked_s == 4 * HOUR_S  # fatigue counts what came before
    assert (found.shifts[0].start_s, found.shifts[0].end_s) == (0.0, 4 * HOUR_S)


def test_clock_times_are_local_to_the_pool() -> None:
    made = desk({"timezone": "Asia/Dubai", "agents": [{"code": "a", "shifts": ["mon 10:00-12:00"]}]})
    assert hours(roster(made, scenario()), 0) == [(8.0, 10.0)]  # Dubai is two hours ahead of Amsterdam in summer


@pytest.mark.parametrize(("onset", "elapsed"), [("2015-03-28T00:00", 8.0), ("2015-10-24T00:00", 10.0)])
def test_over_a_clock_change_a_span_keeps_its_clock_times_and_a_shift_its_hours(onset: str, elapsed: float) -> None:
    # Saturday night, the clocks change at 02:00 or 03:00 on Sunday: 23:00-08:00 is 8 or 10 hours long.
    span = {"agents": [{"code": "a", "shifts": ["sat 23:00-08:00"]}]}
    shift = {"shifts": [{"name": "n", "start": "23:00", "heads": 1, "length_h": 9.0, "days_on": 7}]}
    found = roster(desk(span, shift), scenario(onset), until_h=40.0)
    assert hours(found, 0) == [(23.0, 23.0 + elapsed)]
    assert (23.0, 32.0) in hours(found, 1)


def test_four_days_of_seven_are_spread_evenly_over_the_week() -> None:
    made = desk({"shifts": [{"name": "day", "start": "08:00", "heads": 7, "length_h": 9.0}]})
    found = roster(made, scenario())
    per_day = np.zeros(7, dtype=int)
    for agent in range(7):
        days = [int(on // 24) for on, _ in hours(found, agent)]
        assert len(days) == 4
        per_day[days] += 1
    assert per_day.tolist() == [4] * 7


def test_breaks_are_cut_out_and_do_not_count_as_worked() -> None:
    pause = {"after_h": 2.0, "minutes": 30.0}
    made = desk(
        {"shifts": [{"name": "d", "start": "08:00", "heads": 1, "length_h": 8.0, "days_on": 7, "breaks": [pause]}]}
    )
    found = roster(made, scenario(), until_h=24.0)
    assert hours(found, 0) == [(8.0, 10.0), (10.5, 16.0)]
    assert [s.worked_s / HOUR_S for s in found.stretches[0]] == [0.0, 2.0]
    assert (found.shifts[0].end_s - found.shifts[0].start_s) / HOUR_S == 8.0


def test_the_share_of_missed_shifts_is_as_stated() -> None:
    shift = {"name": "d", "start": "08:00", "heads": 200, "days_on": 7}
    made = desk({"absent_share": 0.12, "shifts": [shift]})
    found = roster(made, scenario(), until_h=8 * 168.0)
    missed = np.mean([not s.worked for s in found.shifts])
    # 200 x 56 shifts: standard error sqrt(0.12 x 0.88 / 11,200) = 0.0031; 4 of them.
    assert missed == pytest.approx(0.12, abs=0.0124)


def test_an_agent_more_at_the_end_changes_nobodys_days() -> None:
    shift = {"name": "d", "start": "08:00", "heads": 5, "days_on": 4}
    pool = {"absent_share": 0.3, "shifts": [shift]}
    one, two = roster(desk(pool), scenario()), roster(desk(pool, pool), scenario())
    assert two.stretches[:5] == one.stretches


def test_a_dark_site_sends_everybody_away_and_only_there() -> None:
    fault = {"kind": "site_dark", "from_h": 9.0, "to_h": 11.0, "sites": ["A"]}
    named = {"agents": [{"code": "a", "shifts": ["mon 08:00-16:00"]}], "site": "A"}
    away = {"agents": [{"code": "b", "shifts": ["mon 08:00-16:00"]}], "site": "B"}
    heads = {"steps": [[0.0, 5]], "site": "A"}
    found = roster(desk(named, away, heads), scenario(faults=[fault]), until_h=24.0)
    assert hours(found, 0) == [(8.0, 9.0), (11.0, 16.0)]
    assert hours(found, 1) == [(8.0, 16.0)]
    assert found.levels[2] == ((0.0, 5), (9 * HOUR_S, 0), (11 * HOUR_S, 5))


def test_absent_staff_miss_the_shifts_that_start_in_the_window_and_late_ones_come_late() -> None:
    shift = {"name": "d", "start": "08:00", "heads": 400, "length_h": 8.0, "days_on": 7}
    heads = {"steps": [[0.0, 10]]}
    gone = {"kind": "staff_absent", "from_h": 0.0, "to_h": 24.0, "share": 0.3}
    found = roster(desk({"shifts": [shift]}, heads), scenario(faults=[gone]), until_h=48.0)
    first = [s.worked for s in found.shifts if s.start_s < 24 * HOUR_S]
    second = [s.worked for s in found.shifts if s.start_s >= 24 * HOUR_S]
    assert np.mean(first) == pytest.approx(0.7, abs=4 * (0.21 / 400) ** 0.5)
    assert all(second)
    assert found.levels[1] == ((0.0, 7), (24 * HOUR_S, 10))
    late = {**gone, "late_h": 2.0}
    found = roster(desk({"shifts": [shift]}), scenario(faults=[late]), until_h=24.0)
    starts = {stretches[0].on_s / HOUR_S for stretches in found.stretches}
    assert starts == {8.0, 10.0}


def test_the_model_desk_has_its_seats() -> None:
    # 150 heads x 36 h x 82 % at the desk x 88 % present / 168 h = 23.2 seats on average; over 8 weeks the
    # absences of 4,800 shifts of 7.4 h give a standard error of 0.12 seats.
    made = library.load("klm_2015")
    found = roster(made, scenario(), until_h=8 * 168.0)
    seats = sum(s.off_s - s.on_s for mine in found.stretches for s in mine) / (8 * WEEK_S)
    assert made.heads == 150
    assert seats == pytest.approx(23.2, abs=0.5)
