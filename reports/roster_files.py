"""A roster as files: CSV, a workbook, a calendar, and a desk that can be simulated."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

from icalendar import Calendar, Event
from openpyxl import Workbook

from reports.desk_toml import desk_toml
from sim.desk import Desk
from sim.staff.duty import COLUMNS, Duty, rows, to_csv
from sim.staff.rostering import Roster

CSV, XLSX, ICS, DESK = "roster.csv", "roster.xlsx", "roster.ics", "roster.toml"
PRODUCT = "-//ashcloud//roster//EN"


def files(roster: Roster, name: str) -> dict[str, bytes]:
    """Content by name of the file; `name` is that of the scenario."""
    note = roster.rules.note
    return {
        CSV: to_csv(roster.duties),
        XLSX: workbook(roster.duties, note),
        ICS: calendar(roster.duties, name, note),
        DESK: desk_file(roster.desk, name),
    }


def workbook(duties: Sequence[Duty], note: str | None) -> bytes:
    """The duties as a workbook: all cells are text, and none is a formula."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None  # a new workbook has one sheet
    sheet.title = "roster"
    for row in rows(duties):
        sheet.append(row)
    sheet.freeze_panes = "A2"
    for i in range(len(COLUMNS)):
        sheet.column_dimensions["ABCDEFGHI"[i]].width = 24
    if note:
        book.create_sheet("note").append([note])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def calendar(duties: Sequence[Duty], name: str, note: str | None, sequence: int = 0) -> bytes:
    """The duties as iCalendar, with the rules of their time zones.

    The UID of a duty is made of scenario, agent, local date and its number on that date: a duty that moves within
    the day keeps it, so that a calendar updates it. The stamp is the duty's start: equal duties give equal bytes.
    """
    out = Calendar()
    out.add("prodid", PRODUCT)
    out.add("version", "2.0")
    seen: Counter[tuple[str, str]] = Counter()
    for duty in sorted(duties, key=lambda d: (d.agent, d.start)):
        begin = duty.local(duty.start)
        day = begin.date().isoformat()
        seen[duty.agent, day] += 1
        event = Event()
        event.add("uid", f"{name}-{duty.agent}-{day}-{seen[duty.agent, day]}@ashcloud")
        event.add("dtstamp", duty.start)
        event.add("sequence", sequence)
        event.add("dtstart", begin)
        event.add("dtend", duty.local(duty.end))
        event.add("summary", f"{duty.agent} {duty.pool}")
        if duty.site:
            event.add("location", duty.site)
        pauses = [
            f"break {duty.local(at):%H:%M}-{duty.local(at + timedelta(minutes=n)):%H:%M}" for at, n in duty.breaks
        ]
        event.add("description", "\n".join([*pauses, *([note] if note else [])]))
        out.add_component(event)
    out.add_missing_timezones()
    return bytes(out.to_ical())


def desk_file(desk: Desk, name: str) -> bytes:
    """The roster as a desk file."""
    named = desk.model_copy(update={
        "name": f"{desk.name}-roster", "title": f"{desk.title}: roster for {name}", "assumed": ()
    })  # fmt: skip
    return desk_toml(named)
