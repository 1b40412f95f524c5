"""A history of one row a contact: counts by quarter of an hour, mixes, and lengths of time.

Of rows that share a ticket the first that asks for something counts: what follows is the conversation,
which the model makes itself.
"""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import QUARTER_S
from scenarios.clocks import midnight_s
from scenarios.errors import Fault, InputError
from scenarios.history.cells import FloatArray
from scenarios.history.columns import Map
from scenarios.history.contacts import Contacts, read_contacts
from scenarios.history.rows import Rows
from scenarios.history.series import LANGUAGES, BoolArray, History, Lengths, Means, Series
from scenarios.history.table import Table, cell_shown
from scenarios.history.tickets import openers
from scenarios.names import NEVER_CASES, Platform, PostKind, Topic, Visibility, code, members

YES = frozenset({"1", "yes", "y", "true", "t", "x", "ja", "j", "oui", "si", "abandoned", "left", "waar", "wahr"})
NO = frozenset({"", "0", "no", "n", "false", "f", "nee", "nein", "non", "answered", "handled", "onwaar", "falsch"})
UNUSED = tuple(f"no column says the {what}" for what in ("sentiment", "tier", "visibility"))
OFF_TOPIC = sorted(code(topic) for topic in NEVER_CASES)


def read_single(table: Table, given: Map, zone: ZoneInfo, local: ZoneInfo) -> History:
    """Read a table with one row a contact.

    Raises
    ------
    InputError
        With all that is wrong in it.
    """
    faults: list[Fault] = []
    contacts: Contacts | None = None
    try:
        contacts = read_contacts(table, given, zone)
    except InputError as error:
        faults += error.faults
    rows = Rows(table, given, zone)
    wait, left = rows.lengths("wait"), _left(rows)
    faults += rows.faults
    if faults or contacts is None:
        raise InputError(table.path, faults)
    asks = contacts.words["kind"] == code(PostKind.CASE)
    opens = np.zeros(len(rows), dtype=np.bool_)
    opens[contacts.order[openers(contacts)]] = True
    if not opens.any():
        raise InputError(table.path, [Fault("", "has no row that asks for something")])
    notes = [note for note in contacts.notes if not note.startswith(UNUSED)]
    if later := int(np.count_nonzero(asks & ~opens)):
        notes.append(f"{later:,} rows are later messages of tickets: left out, the model makes conversations itself")
    off = opens & np.isin(contacts.words["topic"], OFF_TOPIC)
    if off.any():
        notes.append(f"{np.count_nonzero(off):,} rows are on topics that are never cases: they count, but in no mix")
    return History(
        _series(contacts, opens, local), _mixes(rows, contacts, opens & ~off), _handling(contacts, opens),
        _patience(contacts, opens, wait, left), Means(), len(rows), table.digest, tuple(notes),
    )  # fmt: skip


def _left(rows: Rows) -> BoolArray | None:
    """(rows,) whether the contact was abandoned; None without a column."""
    texts = rows.texts("abandoned")
    if texts is None:
        return None
    out = np.zeros(len(rows), dtype=np.bool_)
    wrong: dict[str, int] = {}
    for row, text in enumerate(texts):
        word = text.casefold()
        if word in YES:
            out[row] = True
        elif word not in NO:
            wrong.setdefault(text, row)
    for text, row in wrong.items():
        rows.fault(row, "abandoned", f"is {cell_shown(text)}, should be yes or no, 1 or 0")
    return out


def _series(contacts: Contacts, opens: BoolArray, local: ZoneInfo) -> Series:
    created = contacts.created_s
    low, high = float(created.min()), float(created.max())
    start = midnight_s(low, local)
    n = int((high - start) // QUARTER_S) + 1
    place = ((created - start) // QUARTER_S).astype(np.int64)
    counts = np.zeros(n * LANGUAGES, dtype=np.int64)
    np.add.at(counts, place[opens] * LANGUAGES + contacts.words["language"][opens], 1)
    known = np.ones(n, dtype=np.bool_)
    known[: int((low - start) // QUARTER_S) + 1] = low == start  # what came before the first row is not known
    known[-1] = False  # nor what comes after the last
    posts = np.bincount(place, minlength=n).astype(np.int64)
    chatter = bool((contacts.words["kind"] != code(PostKind.CASE)).any())
    return Series(
        local, start, QUARTER_S, counts.reshape(n, LANGUAGES), known, posts if chatter else None,
        np.sort(created[opens]) - start,
    )  # fmt: skip


def _mixes(rows: Rows, contacts: Contacts, chosen: BoolArray) -> dict[str, FloatArray]:
    out: dict[str, FloatArray] = {}
    for what, kind in (("platform", Platform), ("topic", Topic)):
        if rows.name(what) is not None or what in rows.map.defaults:
            out[what] = _tally(contacts.words[what][chosen], len(members(kind)))
    if rows.name("visibility") is not None:
        mine = chosen & (contacts.words["visibility"] == code(Visibility.PRIVATE))
        out["private"] = _tally(contacts.words["platform"][mine], len(Platform))
        out["seen"] = _tally(contacts.words["platform"][chosen], len(Platform))
    return out


def _tally(codes: NDArray[Any], size: int) -> FloatArray:
    return np.bincount(codes, minlength=size).astype(np.float64)


def _handling(contacts: Contacts, opens: BoolArray) -> Lengths | None:
    """Work on each case: what its rows tell, the same on all or that of each message. Open cases go on.

    Cases without any work are left out: nobody took them in hand.
    """
    told = np.isfinite(contacts.handling_s)
    if not told.any():
        return None
    ticket, n = contacts.ticket, int(contacts.ticket.max()) + 1
    total = np.bincount(ticket[told], contacts.handling_s[told], n)
    most, least = np.full(n, -np.inf), np.full(n, np.inf)
    np.maximum.at(most, ticket[told], contacts.handling_s[told])
    np.minimum.at(least, ticket[told], contacts.handling_s[told])
    work = np.where(most == least, most, total)
    mine = np.flatnonzero(opens & np.isfinite(most[ticket]) & (work[ticket] > 0))
    ended = np.ones(mine.size, dtype=np.bool_)
    if "closed_s" in contacts.known:
        closed = np.zeros(n, dtype=np.bool_)
        closed[ticket[np.isfinite(contacts.told["closed"])]] = True
        ended = closed[ticket[mine]]
    return Lengths(work[ticket[mine]], ended, contacts.words["topic"][mine])


def _patience(contacts: Contacts, opens: BoolArray, wait: FloatArray | None, left: BoolArray | None) -> Lengths | None:
    """Waits of the cases: those who gave up had had enough, of the others it is known that they had not yet."""
    waited = np.full(contacts.created_s.size, np.nan) if wait is None else wait.copy()
    gone = np.zeros(waited.size, dtype=np.bool_) if left is None else left.copy()
    for what in ("left", "first_reply"):
        took = contacts.told[what] - contacts.created_s
        new = np.isnan(waited) & np.isfinite(took)
        waited[new] = took[new]
        if what == "left":
            gone |= new
    if not gone[opens].any():
        return None
    if "first_reply_s" in contacts.known:  # who has no answer yet waits to the end of what is known
        still = np.isnan(waited)
        waited[still] = contacts.created_s.max() - contacts.created_s[still]
        gone[still] = False
    mine = np.flatnonzero(opens & np.isfinite(waited) & (waited >= 0))
    return Lengths(waited[mine], gone[mine], contacts.words["topic"][mine])
