"""The hours seen, as somebody in the middle of a crisis writes them down: `05:00=120/18 06:00=340/41`, or a CSV file.

A time is the start of an hour: a clock time of the scenario's zone, a date with a clock time, or hours from
the onset (`+6h`). The counts are mentions and cases; `?/?` is an hour that nobody counted. All that is wrong is said
at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from scenarios.arrivals import HOUR_S
from scenarios.errors import Fault, InputError
from scenarios.model import Scenario
from sim.staff.nowcast_clock import Clock, Moment, read_time

MOST_COUNT = 10_000_000
MOST_BYTES = 1_000_000
UNKNOWN = ("?", "-", "")
MOST_HOURS = 72  # back from now: what is older says little and costs much
COLUMNS = ("time", "mentions", "cases")


@dataclass(frozen=True)
class Row:
    """One entry as it was written: where it stands, and its three words."""

    place: str
    time: str
    mentions: str
    cases: str


@dataclass(frozen=True)
class Hour:
    """Counts of a stretch that was seen: mentions, and the cases among them."""

    from_s: float
    to_s: float
    mentions: int
    cases: int


@dataclass(frozen=True)
class Seen:
    """What was seen, on the Unix clock.

    Attributes
    ----------
    now_s : float
    onset_s : float or None
        None: nobody knows the onset.
    hours : tuple of Hour
        In order of time, none of them after now; there may be gaps.
    left_out : int
        Hours that were given and lie more than 72 hours back.
    """

    now_s: float
    onset_s: float | None
    hours: tuple[Hour, ...]
    left_out: int = 0


def read_rows(so_far: str) -> list[Row]:
    """Split what was given: entries, or the lines of a CSV file of that name.

    Raises
    ------
    InputError
        If it is neither; with all the entries that cannot be split.
    """
    if not so_far.strip():
        raise InputError(
            None, [Fault("--so-far", "is empty; write it like '05:00=120/18 06:00=340/41', or name a file")]
        )
    return _of_words(so_far) if "=" in so_far else _of_file(Path(so_far.strip()))


def _of_words(text: str) -> list[Row]:
    rows, wrong = [], []
    for word in re.split(r"[\s;]+", text.strip()):
        found = re.fullmatch(r"([^=]+)=([^=/]*)/([^=/]*)", word)
        if found is None:
            wrong.append(
                Fault(f"--so-far {word[:40]}", "cannot be read; write it like 06:00=340/41, mentions before cases")
            )
        else:
            rows.append(Row(f"--so-far {found[1][:30]}", *found.groups()))
    if wrong:
        raise InputError(None, wrong)
    return rows


def _of_file(path: Path) -> list[Row]:
    """Lines of a CSV file: time, mentions, cases, with or without a line of names, `,` or `;` or tabs between."""
    lines = [(number, line) for number, line in enumerate(_text(path).splitlines(), start=1) if line.strip()]
    if not lines:
        raise InputError(path, [Fault("", "is empty; it needs lines like 05:00,120,18")])
    mark = next((mark for mark in ";\t," if mark in lines[0][1]), ",")
    cells = [(number, [cell.strip().strip('"') for cell in line.split(mark)]) for number, line in lines]
    order = [0, 1, 2]
    names = [cell.lower() for cell in cells[0][1]]
    if "time" in names:
        lacking = [name for name in COLUMNS if name not in names]
        if lacking:
            raise InputError(
                path, [Fault("line 1", f"has no {' and no '.join(lacking)}; the columns are {', '.join(COLUMNS)}")]
            )
        order, cells = [names.index(name) for name in COLUMNS], cells[1:]
    short = [
        Fault(f"line {number}", f"has {len(row)} column{'s' * (len(row) != 1)}; it needs time, mentions and cases")
        for number, row in cells
        if len(row) <= max(order)
    ]
    if short or not cells:
        raise InputError(path, short or [Fault("", "has names, but no hours below them")])
    return [Row(f"{path} line {number}", *(row[at] for at in order)) for number, row in cells]


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise InputError(path, [Fault("", "is larger than 1 MB; a table of hours is not")])
        content = path.read_bytes()
    except FileNotFoundError:
        hint = "no such file; hours are written like 05:00=120/18, with a = before the counts"
        raise InputError(path, [Fault("", hint)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise InputError(path, [Fault("", f"cannot be read: {reason.lower()}")]) from None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("cp1252", errors="replace")
    if any(ord(letter) < 32 and letter not in "\t\r\n" for letter in text):
        raise InputError(path, [Fault("", "is no CSV file; it needs lines like 05:00,120,18")])
    return text


def see(scenario: Scenario, now: str, so_far: str, onset: str | None = None) -> Seen:
    """Read what somebody has seen of a scenario.

    Parameters
    ----------
    scenario : Scenario
        Gives the zone and, where no date is named, the day: that of its onset.
    now, onset : str
        Times; without an onset it is to be found in the counts, unless hours are counted from it.
    so_far : str
        Entries, or the name of a CSV file.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    wrong: list[Fault] = []
    rows: list[Row] = []
    try:
        rows = read_rows(so_far)
    except InputError as error:
        wrong += [replace(fault, path=fault.path or error.path) for fault in error.faults]

    def time(place: str, text: str) -> Moment | None:
        try:
            return read_time(text)
        except ValueError as error:
            wrong.append(Fault(place, str(error)))
            return None

    given = [(row, time(row.place, row.time)) for row in rows]
    at, begins = time("--now", now), None if onset is None else time("--onset", onset)
    counts = [_counts(row, wrong) for row in rows]
    times = [moment for _, moment in given if moment is not None]
    seen = None
    if at is not None and (onset is None or begins is not None):
        clock = Clock.of(scenario, at, begins, times, wrong)
        if clock is not None:
            hours = _hours(given, counts, clock, wrong)
            recent = tuple(hour for hour in hours if hour.to_s > clock.now_s - MOST_HOURS * HOUR_S)
            seen = Seen(clock.now_s, clock.onset_s, recent, len(hours) - len(recent))
    if wrong or seen is None:
        raise InputError(None, dict.fromkeys(wrong))
    return seen


def _counts(row: Row, wrong: list[Fault]) -> tuple[int, int] | None:
    """Mentions and cases of an entry; None if nobody counted them, or if they cannot be."""
    if row.mentions in UNKNOWN and row.cases in UNKNOWN:
        return None
    found = []
    for name, word in (("mentions", row.mentions), ("cases", row.cases)):
        text = word.strip()
        if not re.fullmatch(r"-?\d{1,12}", text):
            wrong.append(Fault(row.place, f"has {text[:20]!r} {name}; give a whole number"))
        elif int(text) < 0:
            wrong.append(Fault(row.place, f"has {text} {name}; a count cannot be below 0"))
        elif int(text) > MOST_COUNT:
            wrong.append(Fault(row.place, f"has {text} {name}; more than {MOST_COUNT:,} in an hour cannot be"))
        else:
            found.append(int(text))
    if len(found) < 2:
        return None
    if found[1] > found[0]:
        wrong.append(
            Fault(
                row.place,
                f"has {found[1]} cases, more than its {found[0]} mentions; each case is a mention, which comes first",
            )
        )
    return found[0], found[1]


def _hours(
    given: Sequence[tuple[Row, Moment | None]],
    counts: Sequence[tuple[int, int] | None],
    clock: Clock,
    wrong: list[Fault],
) -> list[Hour]:
    """The hours that stand in order, and the faults of all others."""
    hours: list[Hour] = []
    before: tuple[float, str] | None = None
    for (row, moment), count in zip(given, counts, strict=True):
        start = None if moment is None else clock.at(row.place, moment, before, wrong)
        if start is None:
            continue
        if start >= clock.now_s:
            wrong.append(
                Fault(row.place, f"is after now, {clock.shown(clock.now_s)}: nothing of it can have been seen")
            )
            continue
        if clock.onset_s is not None and start + HOUR_S <= clock.onset_s:
            end = f"ends before the onset, {clock.shown(clock.onset_s)}"
            wrong.append(Fault(row.place, f"{end}; leave it out, or leave --onset out to have it found in the counts"))
            continue
        if before is not None and start < before[0] + HOUR_S - 1e-6:
            wrong.append(Fault(row.place, _disorder(start, before)))
            continue
        if before is not None and start > before[0] + HOUR_S + 1e-6:
            wrong.append(Fault(row.place, _gap(start, before, clock)))
        before = start, row.time
        if count is not None:
            hours.append(Hour(start, min(start + HOUR_S, clock.now_s), *count))
    return hours


def _gap(start: float, before: tuple[float, str], clock: Clock) -> str:
    missing = clock.shown(before[0] + HOUR_S)
    hours = (start - before[0]) / HOUR_S - 1.0
    text = f"has a gap of {hours:.3g} h before it, from {missing} on"
    return f"{text}; give these hours as well, as ?/? if nobody counted them"


def _disorder(start: float, before: tuple[float, str]) -> str:
    if start == before[0]:
        return "stands there twice; give each hour once"
    if start < before[0]:
        return f"stands after {before[1]} and lies before it; put the hours in order of time, with dates beyond a day"
    return f"begins less than an hour after {before[1]}; each entry is a whole hour"
