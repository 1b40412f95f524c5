"""A history of counts by interval: a row an interval, or one for each language, platform and topic in it.

Clock changes keep the total: the second run of the hour that comes twice is told from the first by the order
of the rows, or, where the table has that hour once, its contacts are shared between both runs. A row for the
hour that does not exist may say 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.errors import Fault, InputError
from scenarios.history.cells import DAY_S, FloatArray, Moments, in_order, moments, number
from scenarios.history.columns import Map
from scenarios.history.contacts import WORDS
from scenarios.history.rows import Rows
from scenarios.history.series import LANGUAGES, BoolArray, History, IntArray, Means, Series
from scenarios.history.table import Table, cell_shown
from scenarios.names import Platform, Topic

STEPS_S = (900.0, 1800.0, 3600.0)
LONGEST_D = 3 * 366
TOLD = 20
KEYS = ("language", "platform", "topic")


@dataclass(frozen=True)
class _Read:
    """Columns of the table: times in UTC, counts, the number of the series that a row belongs to."""

    utc_s: FloatArray
    count: FloatArray
    key: IntArray
    once: BoolArray  # in the hour that came twice, before any second run


def read_counted(table: Table, given: Map, zone: ZoneInfo, local: ZoneInfo, gaps: str) -> History:
    """Read a table of counts.

    Parameters
    ----------
    gaps : str
        What an interval without a row means: ``refuse`` it, ``zero``, ``unknown``.

    Raises
    ------
    InputError
        With all that is wrong in it.
    """
    rows = Rows(table, given, zone)
    rows.need("created")
    words = {what: rows.members(what, *WORDS[what]) for what in KEYS}
    key = np.zeros(len(rows), dtype=np.int64)
    for what in KEYS:
        key = key * 32 + words[what]
    count = _counts(rows, "contacts")
    posts = _counts(rows, "mentions") if rows.name("mentions") is not None else None
    if posts is not None:
        for row in np.flatnonzero(posts < count).tolist():
            rows.fault(row, "mentions", f"is {posts[row]:g}, fewer than the {count[row]:g} contacts in it")
    read = _times(rows, count, key)
    rows.check()
    step_s = _step(rows, read)
    _ordered(rows, read)
    rows.check()
    series, notes = _series(rows, read, posts, words["language"], step_s, local, gaps)
    rows.check()
    kept = np.isfinite(read.utc_s)
    mixes = {
        what: np.bincount(words[what][kept], count[kept], len(kind)).astype(np.float64)
        for what, kind in (("platform", Platform), ("topic", Topic))
        if rows.name(what) is not None or what in given.defaults
    }
    for what in KEYS:
        if rows.name(what) is None:
            notes.append(f"no column says the {what}: {_taken(rows, what)}")
    means = _means(rows, np.where(kept, count, 0.0))
    rows.check()
    return History(series, mixes, None, None, means, len(rows), table.digest, tuple(notes))


def _taken(rows: Rows, what: str) -> str:
    if what == "language" or what in rows.map.defaults:
        return f"all contacts are taken as {rows.map.defaults.get(what, WORDS[what][1])}"
    return "the mix is that of an ordinary week"


def _counts(rows: Rows, what: str) -> FloatArray:
    """(rows,) whole numbers, 0 or more; a fault for each cell that is none."""
    out, known = np.zeros(len(rows)), dict[str, float]()
    for row, text in enumerate(rows.texts(what) or ()):
        if text in known:
            out[row] = known[text]
            continue
        try:
            if not text:
                raise ValueError("is empty; write 0 where nothing came")
            value = number(text, rows.table.delimiter != ",")
            if value < 0:
                raise ValueError(f"is {cell_shown(text)}, below 0")
            if value != round(value):
                raise ValueError(f"is {cell_shown(text)}, should be a whole number; without a sign for thousands")
            known[text] = out[row] = value
        except ValueError as error:
            rows.fault(row, what, str(error))
    return out


def _times(rows: Rows, count: FloatArray, key: IntArray) -> _Read:
    """Times of the rows; nan where the clocks jumped over a row without contacts."""
    texts = rows.texts("created") or ()
    read: Moments = moments(texts, rows.zone, rows.map.dates)
    for row, words in read.faults:
        if row not in read.jumped or count[row]:
            rows.fault(row, "created", words)
    for row, text in enumerate(texts):
        if not text:
            rows.fault(row, "created", "is empty; every row needs the start of its interval")
    utc = read.utc_s.copy()
    for group in _groups(key):
        mine = Moments(read.utc_s[group], [], read.twice[group])
        utc[group] = in_order(mine, rows.zone, once=True)
    return _Read(utc, count, key, read.twice & (utc == read.utc_s))


def _groups(key: IntArray) -> list[IntArray]:
    order = np.argsort(key, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(key[order])) + 1)


def _step(rows: Rows, read: _Read) -> float:
    """Length of an interval: the least distance of two starts."""
    starts = np.unique(read.utc_s[np.isfinite(read.utc_s)])
    if starts.size < 2:
        raise InputError(rows.table.path, [Fault("", "has a single interval; give some weeks")])
    if (starts[-1] - starts[0]) > LONGEST_D * DAY_S:
        first, last = (datetime.fromtimestamp(t, rows.zone).date() for t in (starts[0], starts[-1]))
        raise InputError(rows.table.path, [Fault("", f"goes from {first} to {last}; look for a wrong date")])
    step = float(np.diff(starts).min())
    odd = starts % min(step, 900.0) != starts[0] % min(step, 900.0)
    if step not in STEPS_S or odd.any():
        shown = f"{step / 60.0:g} min"
        what = f"has starts {shown} apart; intervals of 15, 30 or 60 min are read. A row for each contact needs no"
        raise InputError(rows.table.path, [Fault("", f"{what} column of counts ({rows.name('contacts')})")])
    return step


def _ordered(rows: Rows, read: _Read) -> None:
    """A fault for each row that repeats an interval of its series, or runs back in time."""
    for group in _groups(read.key):
        mine = group[np.isfinite(read.utc_s[group])]
        gap = np.diff(read.utc_s[mine])
        for at in np.flatnonzero(gap < 0).tolist():
            rows.fault(int(mine[at + 1]), "created", "is before the row above it; put the rows in order of time")
        if not np.any(gap < 0):
            for at in np.flatnonzero(gap == 0).tolist():
                line = rows.table.lines[int(mine[at])]
                rows.fault(int(mine[at + 1]), "created", f"is there twice, also in line {line}")


def _series(
    rows: Rows, read: _Read, posts: FloatArray | None, language: IntArray, step_s: float, local: ZoneInfo, gaps: str
) -> tuple[Series, list[str]]:
    kept = np.flatnonzero(np.isfinite(read.utc_s))
    start = float(read.utc_s[kept].min())
    place = ((read.utc_s[kept] - start) / step_s).round().astype(np.int64)
    off = np.flatnonzero(start + place * step_s != read.utc_s[kept])
    for at in off.tolist():
        rows.fault(int(kept[at]), "created", f"is not a multiple of {step_s / 60.0:g} min after the first row")
    n = int(place.max()) + 1
    flat = np.zeros(n * LANGUAGES, dtype=np.int64)
    np.add.at(flat, place * LANGUAGES + language[kept], read.count[kept].astype(np.int64))
    counts = flat.reshape(n, LANGUAGES)
    known = np.bincount(place, minlength=n) > 0
    mentions = None if posts is None else np.bincount(place, posts[kept], n).astype(np.int64)
    shared = _shared(known, place[read.once[kept]], step_s)
    for first, second in shared:
        counts[second] = counts[first] // 2
        counts[first] -= counts[second]
        if mentions is not None:
            mentions[second] = mentions[first] // 2
            mentions[first] -= mentions[second]
        known[second] = True
    notes = []
    if shared:
        hours = len(shared) * step_s / 3600.0
        notes.append(f"{hours:g} h that came twice when the clocks were put back are in the table once: shared out")
    if read.once.size and np.isnan(read.utc_s).any():
        notes.append(f"{np.count_nonzero(np.isnan(read.utc_s))} rows of 0 lie in an hour that did not exist: left out")
    missing = int(np.count_nonzero(~known))
    if missing and gaps == "refuse":
        rows.faults += _gap_faults(known, start, step_s, local)
    elif missing:
        notes.append(f"{missing:,} of {n:,} intervals have no row: taken as {gaps}")
        known = known if gaps == "unknown" else np.ones(n, dtype=np.bool_)
    return Series(local, start, step_s, counts, known, mentions), notes


def _shared(known: BoolArray, once: IntArray, step_s: float) -> list[tuple[int, int]]:
    """Intervals of the first run whose second run, an hour later, has no row in the table."""
    later = round(3600.0 / step_s)
    firsts = np.unique(once).tolist()
    return [(at, at + later) for at in firsts if at + later < known.size and not known[at + later]]


def _gap_faults(known: BoolArray, start: float, step_s: float, local: ZoneInfo) -> list[Fault]:
    """A fault for each stretch without rows."""
    edge = np.flatnonzero(np.diff(np.concatenate([[True], known, [True]]).astype(np.int8)))
    out = []
    for a, b in zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True):
        begin, end = (datetime.fromtimestamp(start + i * step_s, UTC).astimezone(local) for i in (a, b))
        out.append(Fault(f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}", f"has no row ({b - a:,} intervals)"))
    hint = Fault("", "has gaps; if nothing came then, say --gaps zero, if the table lacks it, --gaps unknown")
    more = [Fault("", f"has {len(out) - TOLD:,} more gaps")] if len(out) > TOLD else []
    return [*out[:TOLD], *more, hint]


def _means(rows: Rows, count: FloatArray) -> Means:
    """Sums over the contacts of all intervals that tell of lengths of time."""
    out = Means()
    handling, wait = rows.lengths("handling"), rows.lengths("wait")
    if handling is not None:
        told = np.isfinite(handling) & (count > 0)
        out = replace(out, handled=float(count[told].sum()), handling_s=float(handling[told] @ count[told]))
    if wait is not None:
        told = np.isfinite(wait) & (count > 0)
        out = replace(out, waited=float(count[told].sum()), wait_s=float(wait[told] @ count[told]))
    if rows.name("abandoned") is not None:
        gone = _counts(rows, "abandoned")
        for row in np.flatnonzero(gone > count).tolist():
            rows.fault(row, "abandoned", f"is {gone[row]:g}, more than the {count[row]:g} contacts of the interval")
        out = replace(out, abandoned=float(gone.sum()))
    return out
