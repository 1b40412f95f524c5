"""What cells of a table mean: numbers, lengths of time, and clock times in a zone on both clock changes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.history.table import cell_shown

FloatArray = NDArray[np.float64]
Dates = Literal["day_first", "month_first"]
DAY_S = 86_400
_CLOCK = (
    r"(?:[T ,]+(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<part>\d{1,9}))?)?"
    r"\s*(?P<half>[AaPp]\.?[Mm]\.?)?)?"
)
_ZONE = r"\s*(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)?"
_YEAR_FIRST = re.compile(rf"(?P<year>\d{{4}})[-/.](?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}}){_CLOCK}{_ZONE}")
_YEAR_LAST = re.compile(rf"(?P<a>\d{{1,2}})[-/.](?P<b>\d{{1,2}})[-/.](?P<year>\d{{4}}){_CLOCK}{_ZONE}")
_LENGTH = re.compile(r"(?:(\d+):)?(\d{1,2}):(\d\d)(?:[.,]\d+)?")
_NUMBER = re.compile(r"[+-]?(\d+([.,' \u00a0]\d{3})*|\d*)([.,]\d+)?(e[+-]?\d+)?", re.IGNORECASE)


def number(text: str, comma: bool = True) -> float:
    """The number in a cell; with `comma` a single comma is a decimal one, as in 12,5.

    Of a point and a comma the last one is the decimal sign. Raises ValueError if it is none.
    """
    bare = text.replace("\u00a0", "").replace(" ", "").replace("'", "")
    if not bare or _NUMBER.fullmatch(text) is None:
        raise ValueError(f"is {cell_shown(text)}, which is no number")
    point, sign = bare.rfind("."), bare.rfind(",")
    if point >= 0 and sign >= 0:
        thousands = "," if point > sign else "."
        bare = bare.replace(thousands, "")
    elif sign >= 0 and (not comma or bare.count(",") > 1):
        bare = bare.replace(",", "")
    elif bare.count(".") > 1:
        bare = bare.replace(".", "")
    return float(bare.replace(",", "."))


def seconds(text: str, unit_s: float, comma: bool = True) -> float:
    """A length of time in a cell: a number of units, or hours:minutes:seconds; ValueError if it is neither."""
    match = _LENGTH.fullmatch(text)
    if match is not None:
        return int(match[1] or 0) * 3600.0 + int(match[2]) * 60.0 + int(match[3])
    value = number(text, comma) * unit_s
    if value < 0:
        raise ValueError(f"is {cell_shown(text)}, below 0")
    return value


@dataclass(frozen=True)
class Moments:
    """A column of clock times.

    Attributes
    ----------
    utc_s : (rows,) float64
        Seconds after 1970 in UTC; nan: an empty cell, or one with a fault.
    faults : list of (row, what)
        What cannot be read, or is no time because the clocks were put forward over it.
    twice : (rows,) bool
        Whether the time lies in the hour that the clocks ran through twice; it is taken for the first.
    jumped : frozenset of int
        Rows, all of them with a fault, whose time the clocks jumped over.
    """

    utc_s: FloatArray
    faults: list[tuple[int, str]]
    twice: NDArray[np.bool_]
    jumped: frozenset[int] = frozenset()


def moments(texts: Sequence[str], zone: ZoneInfo, dates: Dates = "day_first") -> Moments:
    """Read a column of clock times.

    A cell with an offset, Z or UTC means what it says; the others are local to `zone`. Of a date like 5/12/2025
    the day comes first, or the month where `dates` says so.

    Notes
    -----
    In the hour that comes twice the first one is meant, unless rows in order of time run back: see
    `in_order`.
    """
    out, faults, jumped = np.full(len(texts), np.nan), [], set()
    twice = np.zeros(len(texts), dtype=np.bool_)
    hours: dict[datetime, tuple[float, float] | None] = {}  # of each local hour: UTC of its start, first and second
    for row, text in enumerate(texts):
        if not text:
            continue
        try:
            local = _clock(text, dates)
            if local.tzinfo is not None:
                out[row] = local.timestamp()
                continue
            quarter = local.replace(minute=local.minute // 15 * 15, second=0, microsecond=0)
            if quarter not in hours:
                hours[quarter] = _both(quarter, zone)
            both = hours[quarter]
            if both is None:
                jumped.add(row)
                raise ValueError(f"is {cell_shown(text)}, which did not exist in {zone.key}: the clocks went forward")
            out[row] = both[0] + (local - quarter).total_seconds()
            twice[row] = both[0] != both[1]
        except ValueError as error:
            faults.append((row, str(error)))
    return Moments(out, faults, twice, frozenset(jumped))


def in_order(read: Moments, zone: ZoneInfo, once: bool = False) -> FloatArray:
    """(rows,) times with the hour that came twice told apart by the order of the rows, where that tells.

    If the rows ascend apart from one step back inside that hour, what follows the step is its second run. With
    `once` no time may be there twice, so that a repeated one is such a step too.
    """
    utc = read.utc_s.copy()
    rows = np.flatnonzero(read.twice)
    if rows.size < 2:
        return utc
    rest = utc[np.isfinite(utc) & ~read.twice]
    if np.any(np.diff(rest) < 0):
        return utc  # not in order of time
    for night in np.split(rows, np.flatnonzero(np.diff(utc[rows]) > DAY_S) + 1):
        steps = np.diff(utc[night])
        back = np.flatnonzero(steps <= 0 if once else steps < 0)
        if back.size == 1:
            shift = _fold_s(float(utc[night[0]]), zone)
            utc[night[back[0] + 1 :]] += shift
    return utc


def after(read: Moments, earliest: FloatArray, zone: ZoneInfo) -> FloatArray:
    """(rows,) times, in the hour that came twice the first run that is not before `earliest`."""
    utc = read.utc_s.copy()
    for row in np.flatnonzero(read.twice & (read.utc_s < earliest)):
        utc[row] += _fold_s(float(utc[row]), zone)
    return utc


def _fold_s(utc_s: float, zone: ZoneInfo) -> float:
    """How far apart the two runs of a local time are."""
    local = datetime.fromtimestamp(utc_s, zone).replace(fold=0)
    return local.replace(fold=1).timestamp() - local.timestamp()


def _both(local: datetime, zone: ZoneInfo) -> tuple[float, float] | None:
    """UTC of a local time in its first and its second run; None if the clocks jumped over it."""
    first = local.replace(tzinfo=zone)
    back = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
    if back != local:
        return None
    return first.timestamp(), first.replace(fold=1).timestamp()


def _clock(text: str, dates: Dates) -> datetime:
    """The clock time in a cell, with its zone if it has one."""
    match = _YEAR_FIRST.fullmatch(text)
    year_first = match is not None
    match = match or _YEAR_LAST.fullmatch(text)
    if match is None:
        raise ValueError(f"is {cell_shown(text)}, which is no time; write it like 2025-12-05 06:12")
    a, b = int(match["a"]), int(match["b"])
    month, day = (a, b) if year_first or dates == "month_first" else (b, a)
    hour = int(match["hour"] or 0)
    if match["half"]:
        if not 1 <= hour <= 12:
            raise ValueError(f"is {cell_shown(text)}, which is no time of the day")
        hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
    part = int((match["part"] or "0").ljust(6, "0")[:6])
    try:
        local = datetime(
            int(match["year"]), month, day, hour, int(match["minute"] or 0), int(match["second"] or 0), part
        )
    except ValueError:
        hint = "" if year_first else f"; the {'month' if dates == 'month_first' else 'day'} is read first: see dates"
        raise ValueError(f"is {cell_shown(text)}, which is no day or time that there is{hint}") from None
    zone = match["zone"]
    if zone is None:
        return local
    if zone[0] in "ZUG":
        return local.replace(tzinfo=UTC)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return (local - (size if zone[0] == "+" else -size)).replace(tzinfo=UTC)
