"""A roster as files: no formulas, stable calendars."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from icalendar import Calendar
from openpyxl import load_workbook

from reports.roster_files import calendar, workbook
from sim.staff.duty import Duty, to_csv

START = datetime(2026, 10, 24, 22, 0, tzinfo=UTC)  # the clocks of Amsterdam go back at 01:00 UTC
DUTY = Duty(
    "a001", "=1+1", "@site", "Europe/Amsterdam", START, START + timedelta(hours=8), ((START + timedelta(hours=4), 30),)
)


def test_a_workbook_has_no_formula_and_all_columns() -> None:
    sheet: Any = load_workbook(io.BytesIO(workbook([DUTY], "not confirmed")))["roster"]
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert all(cell.data_type != "f" and not str(cell.value).startswith(("=", "@")) for cell in cells)
    assert [cell.value for cell in sheet[2]][:3] == ["a001", "'=1+1", "'@site"]


def test_a_calendar_knows_its_zone_and_both_instants() -> None:
    read: Any = Calendar.from_ical(calendar([DUTY], "volcano", None))
    (event,) = read.walk("VEVENT")
    assert [zone["TZID"] for zone in read.walk("VTIMEZONE")] == ["Europe/Amsterdam"]
    assert event["DTSTART"].params["TZID"] == "Europe/Amsterdam"
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (DUTY.start, DUTY.end)


def test_a_duty_that_moves_within_its_day_keeps_its_uid() -> None:
    moved = replace(DUTY, start=START + timedelta(hours=2))
    uids = [
        Calendar.from_ical(calendar([d], "volcano", None)).walk("VEVENT")[0]["UID"] for d in (DUTY, moved)
    ]  # fmt: skip
    assert uids[0] == uids[1]
    assert calendar([DUTY], "volcano", None) == calendar([DUTY], "volcano", None)
    assert len(set(calendar([DUTY, replace(DUTY, agent="a002")], "volcano", None).decode().split("UID:"))) == 3


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", " =", "x\r="])
def test_no_cell_begins_what_a_spreadsheet_works_out(begin: str) -> None:
    duty = replace(DUTY, pool=f"{begin}1+1", site=f"{begin}2")
    lines = list(csv.reader(io.StringIO(to_csv([duty]).decode())))
    sheet: Any = load_workbook(io.BytesIO(workbook([duty], None)))["roster"]
    assert len(lines) == 2 and sheet.max_row == 2  # a line break in a cell begins no row
    for cell in (lines[1][1], lines[1][2], sheet["B2"].value, sheet["C2"].value):
        assert not cell.lstrip().startswith(("=", "+", "-", "@"))
        assert "\r" not in cell and "\n" not in cell
