"""Rosters as CSV: there and back, and what is refused."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from scenarios.errors import InputError
from sim.staff.duty import Duty, read_csv, to_csv

START = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)


def made() -> list[Duty]:
    # The night of the change to winter time: 02:30 comes twice, and the file tells the two apart.
    pauses = ((START + timedelta(hours=2, minutes=30), 15), (START + timedelta(hours=3, minutes=30), 15))
    return [Duty("a001", "=cmd()", "@site", "Europe/Amsterdam", START, START + timedelta(hours=8), pauses, given=START)]


def test_a_roster_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(to_csv(made()))
    assert read_csv(path) == made()


def test_no_cell_begins_like_a_formula() -> None:
    cells = to_csv(made()).decode().splitlines()[1].split(",")
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'=cmd()" in cells and "'@site" in cells


def test_all_faults_are_told_and_no_name_is_repeated(tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(
        "agent,timezone,start,end,breaks\n"
        "jane@example.org,Europe/Amsterdam,2026-05-04T07:00,2026-05-04T15:00,\n"
        "a002,Mars/Crater,2026-05-04T07:00,2026-05-04T15:00,\n"
        "a003,UTC,yesterday,2026-05-04T15:00,\n"
        "a004,UTC,2026-05-04T15:00,2026-05-04T07:00,lunch\n"
        "a005,UTC\n"
    )
    with pytest.raises(InputError) as caught:
        read_csv(path)
    places = [fault.place for fault in caught.value.faults]
    assert places == [
        "line 2, agent", "line 3, timezone", "line 4, start", "line 5, end", "line 5, breaks", "line 6"
    ]  # fmt: skip
    assert "jane" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"agent,start\n", b"\xff\xfea", b"agent,timezone,start,end\n", b"a\0b\n"])
def test_what_is_no_roster_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roster.csv"
    path.write_bytes(content)
    with pytest.raises(InputError):
        read_csv(path)
