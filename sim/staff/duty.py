"""Duties: who works from when to when, and a roster of them as CSV.

Agents are codes. Times are instants; the file has them in local time with the distance to UTC.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from scenarios.errors import Fault, InputError

COLUMNS = ("agent", "pool", "site", "timezone", "kind", "start", "end", "breaks", "given")
KINDS = ("shift", "call_in")
MAX_BYTES = 50_000_000
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,39}")
PAUSE = re.compile(r"(\S+)/(\d+)min")
FORMULAS = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would work out instead of showing


@dataclass(frozen=True)
class Duty:
    """One shift or call-in of one agent.

    Attributes
    ----------
    agent, pool, site, zone : str
        `agent` is a code; `zone` is the time zone of the site.
    start, end : datetime
        In UTC.
    breaks : tuple of (datetime, minutes)
    kind : str
        ``shift`` or ``call_in``.
    given : datetime or None
        When the agent was told; None: not known.
    """

    agent: str
    pool: str
    site: str
    zone: str
    start: datetime
    end: datetime
    breaks: tuple[tuple[datetime, int], ...] = ()
    kind: str = "shift"
    given: datetime | None = field(default=None)

    @property
    def hours(self) -> float:
        """Paid hours, breaks in."""
        return (self.end - self.start).total_seconds() / 3600.0

    def local(self, at: datetime) -> datetime:
        """A time as the clock at the site shows it."""
        return at.astimezone(ZoneInfo(self.zone))


def safe(cell: str) -> str:
    """A cell in one line that no spreadsheet takes for a formula; a line break would begin a row of its own."""
    line = cell.replace("\r", " ").replace("\n", " ")
    return f"'{line}" if cell.startswith(FORMULAS) or line.lstrip(" ").startswith(FORMULAS) else line


def rows(duties: Sequence[Duty]) -> Iterator[list[str]]:
    """Rows of a table of duties, the head first, in order of pool, agent and time; no cell is a formula."""
    yield list(COLUMNS)
    for d in sorted(duties, key=lambda d: (d.pool, d.agent, d.start)):
        cells = [
            d.agent, d.pool, d.site, d.zone, d.kind, _shown(d, d.start), _shown(d, d.end),
            " ".join(f"{_shown(d, at)}/{minutes}min" for at, minutes in d.breaks),
            _shown(d, d.given) if d.given else "",
        ]  # fmt: skip
        yield [safe(cell) for cell in cells]


def to_csv(duties: Sequence[Duty]) -> bytes:
    """The duties as CSV in UTF-8."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows(duties))
    return text.getvalue().encode()


def _shown(duty: Duty, at: datetime) -> str:
    return duty.local(at).isoformat(timespec="minutes")


def read_csv(path: Path | str) -> list[Duty]:
    """The duties of a file.

    Raises
    ------
    InputError
        With all that is wrong with it. What stands in the column of agents is never repeated: it may be a name.
    """
    path = Path(path)
    lines = list(csv.reader(io.StringIO(_text(path))))
    if not lines:
        raise InputError(path, [Fault("", "is empty")])
    head = [cell.strip() for cell in lines[0]]
    lacking = [name for name in ("agent", "timezone", "start", "end") if name not in head]
    if lacking:
        raise InputError(path, [Fault("line 1", f"lacks the columns {', '.join(lacking)}; see docs/roster.md")])
    faults: list[Fault] = []
    found: list[Duty] = []
    for number, cells in enumerate(lines[1:], 2):
        if not any(cells):
            continue
        if len(cells) != len(head):
            faults.append(Fault(f"line {number}", f"has {len(cells)} cells, the first line {len(head)}"))
            continue
        duty, wrong = _duty({k: _plain(v) for k, v in zip(head, cells, strict=True)})
        faults += [Fault(f"line {number}, {column}", what) for column, what in wrong]
        found += [duty] if duty else []
    if not found and not faults:
        faults.append(Fault("", "has no duty in it"))
    if faults:
        raise InputError(path, faults)
    return found


def _text(path: Path) -> str:
    try:
        if not path.is_file():
            what = "is no regular file" if path.exists() else "does not exist"
            raise InputError(path, [Fault("", what)])
        if path.stat().st_size > MAX_BYTES:
            raise InputError(path, [Fault("", f"is too large: at most {MAX_BYTES / 1e6:g} MB are read")])
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(path, [Fault("", "is not UTF-8; save the file as UTF-8")]) from None
    except (OSError, ValueError) as error:
        raise InputError(path, [Fault("", f"cannot be read: {error.__class__.__name__}")]) from None
    if "\0" in text:
        raise InputError(path, [Fault("", "has a NUL byte; this is not a text file")])
    return text


def _plain(cell: str) -> str:
    """A cell without what `safe` put before it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULAS) else cell.strip()


def _duty(cells: dict[str, str]) -> tuple[Duty | None, list[tuple[str, str]]]:
    wrong: list[tuple[str, str]] = []
    if not CODE.fullmatch(cells["agent"]):
        wrong.append(("agent", "is no code; write letters, digits, '.', '_' and '-', such as a001, and no names"))
    kind = cells.get("kind") or "shift"
    if kind not in KINDS:
        wrong.append(("kind", f"is {kind[:40]!r}; write {' or '.join(KINDS)}"))
    try:
        zone: ZoneInfo | None = ZoneInfo(cells["timezone"])
    except (OSError, ValueError, KeyError):
        zone = None
        wrong.append(
            ("timezone", f"is {cells['timezone'][:40]!r}, which is no time zone; write it like Europe/Amsterdam")
        )

    def when(column: str, text: str) -> datetime | None:
        try:
            at = datetime.fromisoformat(text)
            at = at if at.tzinfo else at.replace(tzinfo=zone or UTC)
            return at.astimezone(UTC)
        except (ValueError, OverflowError):
            wrong.append((column, f"is {text[:40]!r}, which is no time; write it like 2026-05-04T07:00+02:00"))
            return None

    start, end = when("start", cells["start"]), when("end", cells["end"])
    given = when("given", cells["given"]) if cells.get("given") else None
    if start and end and not start < end <= start + timedelta(days=2):
        wrong.append(("end", "is not after the start and within two days of it"))
    breaks = []
    for text in cells.get("breaks", "").split():
        match = PAUSE.fullmatch(text)
        at = when("breaks", match[1]) if match else None
        if match is None:
            wrong.append(("breaks", f"has {text[:40]!r}; write a break like 2026-05-04T11:00+02:00/30min"))
        elif at is not None and start and end:
            if not start <= at <= at + timedelta(minutes=int(match[2][:6])) <= end:
                wrong.append(("breaks", f"has {text[:40]!r}, which lies outside the duty"))
            breaks.append((at, int(match[2][:6])))
    if wrong or start is None or end is None:
        return None, wrong
    texts: dict[str, Any] = {"pool": cells.get("pool", ""), "site": cells.get("site", ""), "zone": cells["timezone"]}
    return Duty(agent=cells["agent"], start=start, end=end, breaks=tuple(breaks), kind=kind, given=given, **texts), []
