"""Rows of tickets as a trace that an engine can play, and what became of them beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Fault, InputError
from scenarios.generate import made_by
from scenarios.history.actual import Actual
from scenarios.history.cells import FloatArray
from scenarios.history.columns import Map
from scenarios.history.contacts import THINGS, Contacts, read_contacts
from scenarios.history.table import Table, read_table
from scenarios.names import NONE, PostKind, code
from scenarios.traces import COLUMNS, Trace

QUARTER_S, DAY_S = 900.0, 86_400.0
LONGEST_D = 366
UNTOLD = {
    "first_reply_s": "the first reply: a hindcast takes all cases for unanswered",
    "closed_s": "when a case was closed",
    "handling_s": "the handling time",
    "agent": "the agent",
}


@dataclass(frozen=True)
class Imported:
    """A trace, what became of its cases, and what to know about the way there."""

    trace: Trace
    actual: Actual
    notes: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """From when to when a trace goes and its second 0, in seconds after 1970 in UTC, and where people read it."""

    start_s: float
    end_s: float
    zero_s: float
    onset: datetime
    zone: ZoneInfo


def read_tickets(
    path: Path | str, given: Map, zone: str | None = None, local: str | None = None, onset: datetime | None = None
) -> Imported:
    """Read a table of tickets.

    Parameters
    ----------
    path : Path or str
        As for `scenarios.history.table.read_table`.
    given : Map
        Which column is what. `created` is needed; the other `THINGS` are taken if they are there.
    zone : str, optional
        Zone of times without an offset, in the place of that of the map.
    local : str, optional
        Zone in which people read the trace, in the place of that of the map; by default that of the times.
    onset : datetime, optional
        Local time that is second 0 of the trace; by default the midnight before the first row.

    Raises
    ------
    InputError
        With all that is wrong in the table.

    Notes
    -----
    What is known ends with the last row; so does the window, at the next quarter of an hour.
    Memory: about 1 kB a row with ten columns; columns that the map does not name are not kept.
    """
    table = read_table(path, given.keeps(THINGS))
    clocks = ZoneInfo(zone or given.zone)
    contacts = read_contacts(table, given, clocks)
    return _imported(table, contacts, _window(table, contacts, ZoneInfo(local or given.local or clocks.key), onset))


def _imported(table: Table, contacts: Contacts, window: Window) -> Imported:
    first = openers(contacts)
    about = {
        "scenario": "tickets", "scenario_digest": table.digest, "source": table.digest, "seed": 0, "replication": 0,
        "size_u": None, "window_s": [window.start_s - window.zero_s, window.end_s - window.zero_s],
        "timezone": window.zone.key, "onset_local": window.onset.isoformat(), "version": made_by(),
    }  # fmt: skip
    trace = Trace(_columns(contacts, first, window), about)
    if not trace.cases:
        raise InputError(table.path, [Fault("", "has no row that opens a case")])
    known = sorted(contacts.known)
    told = {"trace": trace.digest, "source": table.digest, "known": known, "version": made_by()}
    actual = Actual(_became(contacts, first, window), told)
    notes = [*contacts.notes, *(f"no column says {words}" for name, words in UNTOLD.items() if name not in known)]
    later = int(np.count_nonzero(trace["kind"] == code(PostKind.FOLLOW_UP)))
    if later:
        notes.append(f"{later:,} rows are later messages of the {trace.cases:,} cases")
    return Imported(trace, actual, tuple(notes))


def _window(table: Table, contacts: Contacts, local: ZoneInfo, onset: datetime | None) -> Window:
    low, high = float(contacts.created_s.min()), float(contacts.created_s.max())
    if high - low > LONGEST_D * DAY_S:
        first, last = (datetime.fromtimestamp(t, local).date() for t in (low, high))
        days = (high - low) / DAY_S
        what = f"has rows from {first} to {last}, {days:,.0f} days; the longest time is a year"
        raise InputError(table.path, [Fault("", f"{what}: look for a wrong date")])
    day = datetime.fromtimestamp(low, local).date()
    midnight = datetime(day.year, day.month, day.day)
    start = _utc_s(midnight, local)
    end = start + QUARTER_S * (np.floor((high - start) / QUARTER_S) + 1)
    return Window(start, float(end), _utc_s(onset or midnight, local), onset or midnight, local)


def openers(contacts: Contacts) -> NDArray[np.bool_]:
    """(rows,) whether a row, in order of time, is the first of its ticket that wants an answer."""
    order = contacts.order
    wants = np.flatnonzero(contacts.words["kind"][order] == code(PostKind.CASE))
    _, at = np.unique(contacts.ticket[order][wants], return_index=True)
    out = np.zeros(order.size, dtype=np.bool_)
    out[wants[at]] = True
    return out


def _columns(contacts: Contacts, first: NDArray[np.bool_], window: Window) -> dict[str, NDArray[Any]]:
    """Columns of the trace, rows in order of time."""
    order, n = contacts.order, contacts.order.size
    ticket = contacts.ticket[order]
    number = np.full(int(ticket.max()) + 1, NONE)
    number[ticket[first]] = np.arange(np.count_nonzero(first))
    row_of = np.full(number.size, NONE)
    row_of[ticket[first]] = np.flatnonzero(first)
    kind = contacts.words["kind"][order]
    is_case = kind == code(PostKind.CASE)
    again = is_case & ~first
    columns: dict[str, NDArray[Any]] = {name: np.zeros(n, dtype=kind_) for name, kind_ in COLUMNS.items()}
    columns |= {
        "time_s": contacts.created_s[order] - window.zero_s,
        "author": contacts.author[order],
        "case": np.where(is_case, number[ticket], NONE),
        "parent": np.where(again, row_of[ticket], NONE),
        "kind": np.where(again, code(PostKind.FOLLOW_UP), kind),
        "customer": np.ones(n, dtype=np.bool_),
        "departure_h": np.full(n, np.inf),
        "flight": np.full(n, NONE),
    }
    for what in ("language", "platform", "visibility", "topic", "sentiment", "stage", "tier"):
        mine = contacts.words[what][order]
        columns[what] = np.where(again, mine[np.maximum(columns["parent"], 0)], mine)
    return columns


def _became(contacts: Contacts, first: NDArray[np.bool_], window: Window) -> dict[str, NDArray[Any]]:
    """Columns of the actual, one value a case, in the order of the cases."""
    ticket, tickets = contacts.ticket, int(contacts.ticket.max()) + 1
    cases = ticket[contacts.order][first]
    posted = contacts.created_s[contacts.order][first]

    def gathered(values: FloatArray, how: np.ufunc, start: float, none: float) -> FloatArray:
        out = np.full(tickets, start)
        told = np.isfinite(values)
        how.at(out, ticket[told], values[told])
        has = np.zeros(tickets, dtype=np.bool_)
        has[ticket[told]] = True
        return np.where(has, out, none)[cases]

    def when(what: str, how: np.ufunc, start: float) -> FloatArray:
        return np.maximum(gathered(contacts.told[what], how, start, np.inf), posted) - window.zero_s

    spent = contacts.handling_s
    work, most = gathered(spent, np.add, 0.0, np.nan), gathered(spent, np.maximum, -np.inf, np.nan)
    least = gathered(spent, np.minimum, np.inf, np.nan)
    who = np.full(tickets, NONE)
    named = np.flatnonzero(contacts.agent != NONE)[::-1]
    who[ticket[named]] = contacts.agent[named]
    return {
        "first_reply_s": when("first_reply", np.minimum, np.inf),
        "closed_s": when("closed", np.maximum, -np.inf),
        "left_s": when("left", np.minimum, np.inf),
        # The time of the whole ticket on each of its rows, or that of each message.
        "handling_s": np.where(most == least, most, work),
        "agent": who[cases],
    }


def _utc_s(local: datetime, zone: ZoneInfo) -> float:
    return (local.replace(tzinfo=zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)
