"""What the rows of a table of tickets say: when each was posted, answered, closed, of which kind it is.

A row is a contact: a ticket, or one message of a ticket where several rows share a number. Only codes,
times and counts go on: no text, no name, no address.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.history.cells import FloatArray, Moments, after, in_order
from scenarios.history.columns import Map
from scenarios.history.rows import IntArray, Rows
from scenarios.history.table import Table
from scenarios.names import Language, Platform, PostKind, Sentiment, Stage, Tier, Topic, Visibility, code

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
UNSAID = ("kind", "stage", "visibility")  # nobody needs to be told that no column says them
EVENTS = {"first_reply": "is answered", "closed": "is closed", "left": "is given up"}
THINGS = ("created", "first_reply_s", "first_reply_min", "handling_s", "handling_min", "ticket", "author", "agent",
          *EVENTS, *WORDS)  # fmt: skip
"""All that is read from a table of tickets."""


@dataclass(frozen=True)
class Contacts:
    """Rows of tickets, in the order of the file.

    Attributes
    ----------
    created_s : (rows,) float64
        Seconds after 1970 in UTC.
    told : mapping of str to (rows,) float64
        The same of `first_reply`, `closed` and `left`; nan: never, or not told.
    handling_s : (rows,) float64
        nan: not told.
    words : mapping of str to (rows,) int8
        Codes of the members of `WORDS`.
    order : (rows,) int64
        Rows in order of time.
    ticket, author : (rows,) int64
        Numbers in order of time.
    agent : (rows,) int64
        Numbers in the order of the file; NONE: nobody.
    known : tuple of str
        Columns of an `Actual` that the table told.
    notes : tuple of str
        What was taken for granted.
    """

    created_s: FloatArray
    told: Mapping[str, FloatArray]
    handling_s: FloatArray
    words: Mapping[str, NDArray[Any]]
    order: IntArray
    ticket: IntArray
    author: IntArray
    agent: IntArray
    known: tuple[str, ...]
    notes: tuple[str, ...]


def read_contacts(table: Table, given: Map, zone: ZoneInfo) -> Contacts:
    """Read the rows of a table of tickets.

    Raises
    ------
    InputError
        With all that is wrong in the table and the map.
    """
    rows = Rows(table, given, zone)
    rows.need("created")
    read = rows.moments("created", "is empty; every row needs the time of its post")
    created = in_order(read, zone)
    order = np.argsort(created, kind="stable")
    ticket = rows.numbers("ticket", order)
    opened = _opened(created, ticket)
    told, known = _events(rows, created, opened)
    handling = rows.lengths("handling")
    if handling is not None:
        known.append("handling_s")
    if rows.name("agent") is not None:
        known.append("agent")
    words, notes = _words(rows)
    rows.check()
    return Contacts(
        created, told, np.full(len(rows), np.nan) if handling is None else handling, words, order, ticket,
        rows.numbers("author", order), rows.codes("agent"), tuple(known), (*notes, *_twice(read, created)),
    )  # fmt: skip


def _opened(created: FloatArray, ticket: IntArray) -> FloatArray:
    """(rows,) when the first row of the ticket was posted."""
    first = np.full(int(ticket.max(initial=0)) + 1, np.inf)
    np.fmin.at(first, ticket, created)
    opened: FloatArray = first[ticket]
    return opened


def _events(rows: Rows, created: FloatArray, opened: FloatArray) -> tuple[dict[str, FloatArray], list[str]]:
    """Times of what follows a post, and the names of those that the table tells.

    A row of a ticket may repeat what became of the whole ticket: only its first post must come before.
    """
    told, known = {}, []
    for what in EVENTS:
        told[what] = after(rows.moments(what), opened, rows.zone)
        if rows.name(what) is not None:
            known.append(f"{what}_s")
    took = rows.lengths("first_reply")
    if "first_reply_s" not in known and took is not None:
        told["first_reply"] = created + took
        known.append("first_reply_s")
    for what, words in EVENTS.items():
        early = told[what] - opened
        for row in np.flatnonzero(early < -EARLY_S).tolist():
            rows.fault(row, what, f"{words} {-early[row] / 60.0:,.0f} min before it was posted; check the zones")
        told[what] = np.maximum(told[what], opened)
    return told, known


def _words(rows: Rows) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """Codes of all words, and what is taken for granted where no column tells."""
    words, notes = {}, []
    for what, (kind, default) in WORDS.items():
        words[what] = rows.members(what, kind, default)
        if rows.name(what) is None and what not in UNSAID:
            meant = rows.map.defaults.get(what, default)
            notes.append(f"no column says the {what}: all rows are taken as {meant}")
    if rows.name("visibility") is None and "visibility" not in rows.map.defaults:
        private = np.isin(words["platform"], [code(platform) for platform in PRIVATE])
        words["visibility"] = np.where(private, code(Visibility.PRIVATE), code(Visibility.PUBLIC))
        notes.append(f"no column says the visibility: {', '.join(PRIVATE)} are taken as private, all else as public")
    return words, notes


def _twice(read: Moments, created: FloatArray) -> list[str]:
    n = int(np.count_nonzero(read.twice))
    if not n:
        return []
    told = "told apart by their order" if np.any(created != read.utc_s) else "taken for the first one"
    return [f"{n:,} rows lie in the hour that came twice when the clocks were put back: {told}"]
