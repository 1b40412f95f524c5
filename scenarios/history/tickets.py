"""Rows of tickets as a trace, and what became of them beside it.

A row is a contact: a ticket, or one message of a ticket where several rows share a number. Only codes,
times and counts go on: no text, no name, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
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
from scenarios.history.cells import FloatArray, Moments, after, in_order, moments, seconds
from scenarios.history.columns import Map, members_of, raise_all
from scenarios.history.table import Table, read_table
from scenarios.names import NONE, Language, Platform, PostKind, Sentiment, Stage, Tier, Topic, Visibility, code
from scenarios.traces import COLUMNS, Trace

IntArray = NDArray[np.int64]
QUARTER_S, DAY_S = 900.0, 86_400.0
LONGEST_D = 366
EARLY_S = 60.0  # clocks of two systems differ by so much
PRIVATE = (Platform.MESSENGER, Platform.WHATSAPP, Platform.WECHAT, Platform.KAKAO)
WORDS: Mapping[str, tuple[Any, Any]] = {  # what a column may say, and what is taken where it says nothing
    "language": (Language, Language.EN),
    "platform": (Platform, Platform.GENERIC),
    "visibility": (Visibility, Visibility.PUBLIC),
    "topic": (Topic, Topic.INFO),
    "sentiment": (Sentiment, Sentiment.NEUTRAL),
    "stage": (Stage, Stage.ENJOY),
    "tier": (Tier, Tier.NONE),
    "kind": (PostKind, PostKind.CASE),
}


@dataclass(frozen=True)
class Imported:
    """A trace, what became of its cases, and what to know about the way there."""

    trace: Trace
    actual: Actual
    notes: tuple[str, ...]


def read_tickets(
    path: Path | str, given: Map, zone: str | None = None, local: str | None = None, onset: datetime | None = None
) -> Imported:
    """Read a table of tickets.

    Parameters
    ----------
    path : Path or str
        As for `scenarios.history.table.read_table`.
    given : Map
        Which column is what. `created` is needed; `first_reply` (or `first_reply_min`), `closed`, `left`,
        `handling_s` (or `handling_min`), `agent`, `ticket`, `author` and those of `WORDS` are taken if there.
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
    """
    table = read_table(path)
    rows = _Rows(table, given, ZoneInfo(zone or given.zone))
    return rows.imported(ZoneInfo(local or given.local or rows.zone.key), onset)


class _Rows:
    """A table of tickets on its way to a trace."""

    def __init__(self, table: Table, given: Map, zone: ZoneInfo) -> None:
        self.table, self.map, self.zone = table, given, zone
        self.faults = given.need(table, ["created"])
        raise_all(table.path, self.faults)
        self.notes: list[str] = []
        self.known: list[str] = []
        created = self._moments("created")
        self._empty("created", created)
        self.created = in_order(created, zone)
        self.told = {name: self._later(name) for name in ("first_reply", "closed", "left")}
        self._from_lengths()
        self.handling_s = self._lengths("handling")
        self.words = {what: self._words(what) for what in WORDS}
        self._in_private()
        self._order_of_events()
        raise_all(table.path, sorted(self.faults, key=_line))
        self._say_twice(created)

    # ---- cells ----------------------------------------------------------------------------------

    def _column(self, what: str) -> tuple[str, Any] | None:
        name = self.map.find(self.table, what)
        return None if name is None else (name, self.table.columns[name])

    def _fault(self, row: int, name: str, what: str) -> None:
        self.faults.append(Fault(f"{self.table.place(row)}, {name}", what))

    def _moments(self, what: str) -> Moments:
        column = self._column(what)
        if column is None:
            return moments([""] * len(self.table), self.zone)
        read = moments(column[1], self.zone, self.map.dates)
        for row, fault in read.faults:
            self._fault(row, column[0], fault)
        return read

    def _empty(self, what: str, read: Moments) -> None:
        wrong = {row for row, _ in read.faults}
        name = self._column(what)
        for row in np.flatnonzero(np.isnan(read.utc_s)).tolist():
            if row not in wrong and name is not None:
                self._fault(row, name[0], "is empty; every row needs the time of its post")

    def _later(self, what: str) -> FloatArray:
        """Times of something that comes after the post; nan: not, or not told."""
        if self._column(what) is not None:
            self.known.append({"first_reply": "first_reply_s", "closed": "closed_s", "left": "left_s"}[what])
        return after(self._moments(what), self.created, self.zone)

    def _from_lengths(self) -> None:
        """The first reply from the time that it took, where the table tells that and not when it was."""
        took_s = self._lengths("first_reply")
        if "first_reply_s" not in self.known and np.isfinite(took_s).any():
            self.told["first_reply"] = self.created + took_s
            self.known.append("first_reply_s")

    def _lengths(self, what: str) -> FloatArray:
        """Seconds of a length that has its unit in its name: handling_s, handling_min."""
        for ending, unit_s in (("_s", 1.0), ("_min", 60.0)):
            column = self._column(what + ending)
            if column is None:
                continue
            out = np.full(len(self.table), np.nan)
            for row, text in enumerate(column[1]):
                try:
                    out[row] = seconds(text, unit_s, self.table.delimiter != ",") if text else np.nan
                except ValueError as error:
                    self._fault(row, column[0], str(error))
            if what == "handling":
                self.known.append("handling_s")
            return out
        return np.full(len(self.table), np.nan)

    def _words(self, what: str) -> NDArray[Any]:
        kind, default = WORDS[what]
        codes, faults = members_of(self.table, self.map, what, kind, default)
        self.faults += faults
        if self._column(what) is None and what != "visibility":
            meant = self.map.defaults.get(what, default)
            if what not in ("kind", "stage"):
                self.notes.append(f"no column says the {what}: all rows are taken as {meant}")
        return codes

    def _in_private(self) -> None:
        """Where no column tells who reads along, the platform does."""
        if self._column("visibility") is None:
            private = np.isin(self.words["platform"], [code(platform) for platform in PRIVATE])
            self.words["visibility"] = np.where(private, code(Visibility.PRIVATE), code(Visibility.PUBLIC))
            names = ", ".join(PRIVATE)
            self.notes.append(f"no column says the visibility: {names} are taken as private, all else as public")

    def _order_of_events(self) -> None:
        """Nothing ends before it begins; clocks of two systems may differ by a minute."""
        for what, words in (("first_reply", "is answered"), ("closed", "is closed"), ("left", "is given up")):
            early = self.told[what] - self.created
            for row in np.flatnonzero(early < -EARLY_S).tolist():
                name = self._column(what)
                place = what if name is None else name[0]
                self._fault(row, place, f"{words} {-early[row] / 60.0:,.0f} min before it was posted; check the zones")
            self.told[what] = np.maximum(self.told[what], self.created)

    def _say_twice(self, created: Moments) -> None:
        n = int(np.count_nonzero(created.twice))
        if n:
            told = "told apart by their order" if np.any(self.created != created.utc_s) else "taken for the first one"
            self.notes.append(f"{n:,} rows lie in the hour that came twice when the clocks were put back: {told}")

    # ---- cases ----------------------------------------------------------------------------------

    def imported(self, local: ZoneInfo, onset: datetime | None) -> Imported:
        order = np.argsort(self.created, kind="stable")
        ticket = self._numbers("ticket", order)
        is_case = self.words["kind"] == code(PostKind.CASE)
        first = _first_of(ticket, order, is_case)
        start, end, zero, written = self._window(local, onset)
        columns = self._columns(order, first, ticket, is_case, zero)
        trace = Trace(columns, {
            "scenario": "tickets", "scenario_digest": self.table.digest, "source": self.table.digest, "seed": 0,
            "replication": 0, "size_u": None, "window_s": [start - zero, end - zero], "timezone": local.key,
            "onset_local": written, "version": made_by(),
        })  # fmt: skip
        if not trace.cases:
            raise InputError(self.table.path, [Fault("", "has no row that opens a case")])
        about = {"trace": trace.digest, "source": self.table.digest, "known": sorted(self.known), "version": made_by()}
        actual = Actual(self._became(order, first, ticket, zero), about)
        self._missing()
        later = len(trace) - int(np.count_nonzero(first))
        if later:
            self.notes.append(f"{later:,} rows are later messages of {int(np.count_nonzero(first)):,} cases")
        return Imported(trace, actual, tuple(self.notes))

    def _missing(self) -> None:
        names = {"first_reply_s": "the first reply", "closed_s": "when a case was closed",
                 "handling_s": "the handling time", "agent": "the agent"}  # fmt: skip
        for name, words in names.items():
            if name not in self.known:
                taken = "" if name != "first_reply_s" else ": a hindcast takes all cases for unanswered"
                self.notes.append(f"no column says {words}{taken}")

    def _numbers(self, what: str, order: IntArray) -> IntArray:
        """(rows,) numbers in order of time for the words of a column; a row without one has a number of its own."""
        column = self._column(what)
        out = np.empty(len(self.table), dtype=np.int64)
        known: dict[str, int] = {}
        for n, row in enumerate(order.tolist()):
            text = column[1][row] if column is not None else ""
            out[row] = known.setdefault(text, n) if text else n
        _, numbers = np.unique(out, return_inverse=True)
        return numbers.astype(np.int64)

    def _window(self, local: ZoneInfo, onset: datetime | None) -> tuple[float, float, float, str]:
        """Start, end and second 0 in UTC, and the local onset."""
        low, high = float(self.created.min()), float(self.created.max())
        if high - low > LONGEST_D * DAY_S:
            first, last = (datetime.fromtimestamp(t, local).date() for t in (low, high))
            days = (high - low) / DAY_S
            what = f"has rows from {first} to {last}, {days:,.0f} days; the longest time is a year"
            raise InputError(self.table.path, [Fault("", f"{what}: look for a wrong date")])
        day = datetime.fromtimestamp(low, local).date()
        midnight = datetime(day.year, day.month, day.day)
        zero = onset or midnight
        start, zero_s = _utc_s(midnight, local), _utc_s(zero, local)
        end = start + QUARTER_S * (np.floor((high - start) / QUARTER_S) + 1)
        return start, float(end), zero_s, zero.isoformat()

    def _columns(
        self, order: IntArray, first: NDArray[np.bool_], ticket: IntArray, is_case: NDArray[np.bool_], zero: float
    ) -> dict[str, NDArray[Any]]:
        """Columns of the trace, rows in order of time."""
        n = order.size
        opens = first[order]
        number = np.full(int(ticket.max()) + 1, NONE)
        number[ticket[order][opens]] = np.arange(np.count_nonzero(opens))
        row_of = np.full(number.size, NONE)
        row_of[ticket[order][opens]] = np.flatnonzero(opens)
        case = np.where(is_case[order], number[ticket[order]], NONE)
        again = is_case[order] & ~opens
        kind = np.where(again, code(PostKind.FOLLOW_UP), self.words["kind"][order])
        columns: dict[str, NDArray[Any]] = {name: np.zeros(n, dtype=kind_) for name, kind_ in COLUMNS.items()}
        columns |= {
            "time_s": self.created[order] - zero,
            "author": self._numbers("author", order)[order],
            "case": case,
            "parent": np.where(again, row_of[ticket[order]], NONE),
            "kind": kind,
            "customer": np.ones(n, dtype=np.bool_),
            "departure_h": np.full(n, np.inf),
            "flight": np.full(n, NONE),
        }
        for what in ("language", "platform", "visibility", "topic", "sentiment", "stage", "tier"):
            mine = self.words[what][order]
            columns[what] = np.where(again, mine[np.maximum(columns["parent"], 0)], mine)
        return columns

    def _became(
        self, order: IntArray, first: NDArray[np.bool_], ticket: IntArray, zero: float
    ) -> dict[str, NDArray[Any]]:
        """Columns of the actual, one value a case, in the order of the cases."""
        cases = ticket[order][first[order]]
        agents = self._agents()

        def gathered(values: FloatArray, how: np.ufunc, start: float, none: float) -> FloatArray:
            out = np.full(int(ticket.max()) + 1, start)
            told = np.isfinite(values)
            how.at(out, ticket[told], values[told])
            has = np.zeros(out.size, dtype=np.bool_)
            has[ticket[told]] = True
            return np.where(has, out, none)[cases]

        work = gathered(self.handling_s, np.add, 0.0, np.nan)
        most = gathered(self.handling_s, np.maximum, -np.inf, np.nan)
        least = gathered(self.handling_s, np.minimum, np.inf, np.nan)
        who = np.full(int(ticket.max()) + 1, NONE)
        named = np.flatnonzero(agents != NONE)[::-1]
        who[ticket[named]] = agents[named]
        return {
            "first_reply_s": gathered(self.told["first_reply"], np.minimum, np.inf, np.inf) - zero,
            "closed_s": gathered(self.told["closed"], np.maximum, -np.inf, np.inf) - zero,
            "left_s": gathered(self.told["left"], np.minimum, np.inf, np.inf) - zero,
            # The time of the whole ticket on each of its rows, or that of each message.
            "handling_s": np.where(most == least, most, work),
            "agent": who[cases],
        }

    def _agents(self) -> IntArray:
        """(rows,) numbers of agents in the order in which they come in the file; NONE: nobody."""
        column = self._column("agent")
        if column is None:
            return np.full(len(self.table), NONE)
        self.known.append("agent")
        known: dict[str, int] = {}
        return np.array([known.setdefault(text, len(known)) if text else NONE for text in column[1]])


def _first_of(ticket: IntArray, order: IntArray, is_case: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """(rows,) whether a row is the first of its ticket that wants an answer."""
    seen = np.zeros(int(ticket.max(initial=0)) + 1, dtype=np.bool_)
    out = np.zeros(order.size, dtype=np.bool_)
    for row in order.tolist():
        if is_case[row] and not seen[ticket[row]]:
            seen[ticket[row]] = out[row] = True
    return out


def _utc_s(local: datetime, zone: ZoneInfo) -> float:
    return (local.replace(tzinfo=zone).astimezone(UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(seconds=1)


def _line(fault: Fault) -> int:
    digits = fault.place.removeprefix("line ").split(",")[0]
    return int(digits) if digits.isdigit() else 0
