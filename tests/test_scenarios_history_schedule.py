"""A schedule is read: who was at the desk when, what takes him from it, and what is wrong, without a name."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from scenarios.errors import InputError
from scenarios.history.columns import Map
from scenarios.history.schedule import Schedule, merged, read_schedule, without
from scenarios.names import Language

HEAD = "agent;start;end;activity;languages"
DAY = "2025-12-05"


def read(
    folder: Path, *rows: str, head: str = HEAD, given: Map | None = None, skills: str = "", **more: str
) -> Schedule:
    (folder / "schedule.csv").write_text("\n".join([head, *rows]) + "\n", "utf-8")
    if skills:
        (folder / "agents.csv").write_text(skills, "utf-8")
    beside = folder / "agents.csv" if skills else None
    return read_schedule(folder / "schedule.csv", given or Map(), beside, **more)


def faults(folder: Path, *rows: str, **more: object) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(folder, *rows, **more)  # type: ignore[arg-type]
    return [str(fault) for fault in caught.value.faults]


def hours(schedule: Schedule, n: int = 0) -> list[tuple[float, float]]:
    zero = datetime(2025, 12, 5, tzinfo=UTC).timestamp()
    return [((a - zero) / 3600.0, (b - zero) / 3600.0) for a, b in schedule.members[n].spans]


def test_spans_are_joined_and_cut() -> None:
    assert merged([(5.0, 7.0), (1.0, 2.0), (2.0, 3.0), (6.0, 6.5)]) == ((1.0, 3.0), (5.0, 7.0))
    assert without(((0.0, 10.0),), ((2.0, 3.0), (9.0, 12.0))) == ((0.0, 2.0), (3.0, 9.0))
    assert without(((0.0, 1.0), (4.0, 6.0)), ((0.0, 5.0),)) == ((5.0, 6.0),)


def test_breaks_and_meetings_take_time_from_a_shift(tmp_path: Path) -> None:
    rows = [
        f"Jan;{DAY} 08:00;{DAY} 16:00;Social media;nl",
        f"Jan;{DAY} 12:00;{DAY} 12:30;Lunch;",
        f"Jan;{DAY} 15:00;{DAY} 17:00;Team meeting;",
    ]
    given = Map(values={"activity": {"Team meeting": "away"}})
    read_ = read(tmp_path, *rows, given=given)
    assert hours(read_) == [(8.0, 12.0), (12.5, 15.0)]
    assert read_.unknown == {}


def test_without_a_column_of_activities_every_row_is_work(tmp_path: Path) -> None:
    assert hours(read(tmp_path, f"Jan;{DAY} 08:00;{DAY} 16:00;nl", head="agent;start;end;languages")) == [(8.0, 16.0)]


def test_rows_that_overlap_count_once(tmp_path: Path) -> None:
    rows = [f"Jan;{DAY} 10:00;{DAY} 16:00;Work;nl", f"Jan;{DAY} 08:00;{DAY} 12:00;Work;nl"]
    assert hours(read(tmp_path, *rows, rows[0])) == [(8.0, 16.0)]


def test_activities_that_are_not_known_are_listed_with_their_hours_and_no_name(tmp_path: Path) -> None:
    rows = [
        f"Jan Jansen;{DAY} 08:00;{DAY} 12:00;Work;nl",
        f"Jan Jansen;{DAY} 12:00;{DAY} 14:00;Juggling;nl",
        f"Ann;{DAY} 12:00;{DAY} 13:00;Juggling;nl",
        f"Ann;{DAY} 14:00;{DAY} 14:30;Talk with Jan Jansen jan@example.org;nl",
        f"Ann;{DAY} 15:00;{DAY} 16:00;Work;nl",
    ]
    read_ = read(tmp_path, *rows)
    assert read_.unknown == {"'Juggling'": 3.0, "'Talk with <agent> <address>'": 0.5}
    assert hours(read_) == [(8.0, 12.0)]
    work = Map(other={"activity": "work"})
    assert hours(read(tmp_path, *rows, given=work)) == [(8.0, 14.0)]


def test_agents_are_codes_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = [f"{who};{DAY} 08:00;{DAY} 12:00;Work;nl" for who in ("zoe@example.org", "ann@example.org")]
    assert [each.code for each in read(tmp_path, *rows).members] == ["a-001", "a-002"]
    assert "example" not in repr(read(tmp_path, *rows))


@pytest.mark.parametrize("cell", ["nl, en", "Dutch/English", "nl en", "NL|en-GB", "Nederlands and English"])
def test_languages_of_a_cell_are_read_however_they_are_parted(cell: str, tmp_path: Path) -> None:
    members = read(tmp_path, f"Jan;{DAY} 08:00;{DAY} 12:00;Work;{cell}").members
    assert set(members[0].languages) == {Language.NL, Language.EN}


def test_skills_come_from_a_table_of_their_own(tmp_path: Path) -> None:
    rows = [f"Jan;{DAY} 08:00;{DAY} 12:00;Work", f"ANN;{DAY} 08:00;{DAY} 12:00;Work"]
    head, skills = "agent;start;end;activity", "agent,languages\njan,nl\nann,de\nann,fr\n"
    members = read(tmp_path, *rows, head=head, skills=skills).members
    assert [set(each.languages) for each in members] == [{Language.NL}, {Language.DE, Language.FR}]
    told = faults(tmp_path, *rows, head=head, skills="agent,languages\njan,nl\n")
    assert told == ["line 3, agent has no language in the tables; add a row for it to that of --skills"]
    assert "give --skills" in faults(tmp_path, *rows, head=head)[0]


def test_a_skill_that_is_no_language_is_told_and_a_map_may_leave_it_out(tmp_path: Path) -> None:
    row = f"Jan;{DAY} 08:00;{DAY} 12:00;Work;nl, Rebooking"
    assert "has 'Rebooking' (1 rows), which is no language" in faults(tmp_path, row)[0]
    given = Map(values={"languages": {"Rebooking": "none"}})
    assert read(tmp_path, row, given=given).members[0].languages == (Language.NL,)


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    rows = [
        f"Jan;{DAY} 08:00;{DAY} 07:00;Work;nl",
        f";{DAY} 08:00;{DAY} 12:00;Work;nl",
        f"Jan;soon;{DAY} 12:00;Work;nl",
        f"Jan;{DAY} 08:00;;Work;nl",
        f"Jan;{DAY} 08:00;2025-12-07 08:00;Work;nl",
    ]
    told = faults(tmp_path, *rows)
    assert [each.split(" ")[1].rstrip(",") for each in told] == ["2", "3", "4", "5", "6"]
    assert "is not after the start" in told[0] and "is empty" in told[1] and "48 h after the start" in told[4]
    assert "Jan" not in " ".join(told)


def test_a_schedule_that_puts_nobody_at_the_desk_says_what_to_do(tmp_path: Path) -> None:
    told = faults(tmp_path, f"Jan;{DAY} 08:00;{DAY} 12:00;Juggling;nl")
    assert "puts nobody at the desk" in told[0] and "[values.activity] 'Juggling'" in told[0]


def test_local_times_keep_the_length_of_a_night_over_both_clock_changes(tmp_path: Path) -> None:
    rows = [
        "Jan;2025-10-25 22:00;2025-10-26 06:00;Work;nl",
        "Ann;2025-03-29 22:00;2025-03-30 06:00;Work;nl",
    ]
    members = read(tmp_path, *rows, zone="Europe/Amsterdam").members
    assert [(b - a) / 3600.0 for each in members for a, b in each.spans] == [9.0, 7.0]
