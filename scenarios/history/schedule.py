"""A schedule as people export it: who was at the desk from when to when, and who speaks what, by codes.

A row is a span of an activity. Work puts an agent at the desk; breaks, meetings and days off take him from
it, also where they lie inside a span of work. Names and addresses end here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.errors import Fault, InputError
from scenarios.history.cells import FloatArray, Moments, after
from scenarios.history.columns import Map, plain
from scenarios.history.rows import IntArray, Rows
from scenarios.history.skills import Skills, read_skills, spoken
from scenarios.history.table import ADDRESS, cell_shown, read_table
from scenarios.names import Language

WORK, AWAY = "work", "away"
MEANT = {
    WORK: ("", "work", "working", "shift", "desk", "at the desk", "on queue", "on queue work", "available", "social",
           "social media", "social care", "messaging", "chat", "overtime", "care", "interacting", "production"),
    AWAY: ("away", "break", "paid break", "unpaid break", "lunch", "meal", "meeting", "training", "coaching", "off",
           "day off", "time off", "leave", "vacation", "holiday", "sick", "sick leave", "absent", "unavailable",
           "off queue work", "off queue", "pause", "rest", "standby"),
}  # fmt: skip
THINGS = ("agent", "start", "end", "activity", "languages", "language", "site")
LONGEST_H, MOST_D = 24.0, 366.0
HOUR_S, DAY_S = 3600.0, 86_400.0

Spans = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Member:
    """One agent by code: when at the desk, in seconds after 1970 in UTC, in order; languages and site."""

    code: str
    spans: Spans
    languages: tuple[Language, ...]
    site: str


@dataclass(frozen=True)
class Schedule:
    """Who was at the desk, where times are read, and what was taken for granted.

    `unknown` has, for each activity that was not known, its hours: they are not at the desk.
    """

    members: tuple[Member, ...]
    zone: ZoneInfo
    digest: str
    unknown: dict[str, float]
    notes: tuple[str, ...]


def read_schedule(
    path: Path | str, given: Map, skills: Path | str | None = None, zone: str | None = None, local: str | None = None
) -> Schedule:
    """Read a table with the columns agent, start, end, and any of activity, languages, site.

    Parameters
    ----------
    path : Path or str
        As for `scenarios.history.table.read_table`.
    given : Map
        Which column is what; `[values.activity]` says ``work`` or ``away`` for words of one's own.
    skills : Path or str, optional
        A table with the columns agent and languages; those of both tables are joined.
    zone, local : str, optional
        Zone of times without an offset, and that in which people read the desk; by default those of the map.

    Raises
    ------
    InputError
        With all that is wrong in a table.
    """
    table = read_table(path, given.keeps(THINGS))
    rows = Rows(table, given, ZoneInfo(zone or given.zone))
    rows.need("agent", "start", "end")
    agent = _agents(rows)
    start, end, twice = _times(rows)
    meant, unknown = _activities(rows, end - start)
    known = _skills(rows, agent, skills)
    rows.check()
    members = _members(rows, agent, start, end, meant == WORK, known)
    if not any(each.spans for each in members):
        raise InputError(table.path, [Fault("", f"puts nobody at the desk; {_what_to_do(list(unknown))}")])
    here = tuple(each for each in members if each.spans)
    notes = _notes(len(members) - len(here), twice)
    return Schedule(here, ZoneInfo(local or given.local or rows.zone.key), table.digest, unknown, notes)


def _agents(rows: Rows) -> IntArray:
    """(rows,) numbers of agents by first appearance; an empty cell is a fault."""
    for row, text in enumerate(rows.texts("agent") or ()):
        if not text:
            rows.fault(row, "agent", "is empty; every row needs its agent")
    return rows.codes("agent")


def _times(rows: Rows) -> tuple[FloatArray, FloatArray, int]:
    """Start and end of each row, and how many lie in an hour that came twice."""
    read: Moments = rows.moments("start", "is empty; every row needs its start")
    start = read.utc_s
    ends = rows.moments("end", "is empty; every row needs its end")
    end = after(ends, start, rows.zone)
    for row in np.flatnonzero(end <= start).tolist():
        rows.fault(row, "end", "is not after the start; a shift over midnight ends on the next date")
    if np.isfinite(start).any() and np.nanmax(end) - np.nanmin(start) > MOST_D * DAY_S:
        first, last = (datetime.fromtimestamp(t, rows.zone).date() for t in (np.nanmin(start), np.nanmax(end)))
        rows.faults.append(Fault("", f"goes from {first} to {last}, more than a year; look for a wrong date"))
    return start, end, int(np.count_nonzero(read.twice | ends.twice))


def _activities(rows: Rows, length_s: FloatArray) -> tuple[np.ndarray[tuple[int], np.dtype[np.str_]], dict[str, float]]:
    """(rows,) work or away, and hours of the activities that nobody knows, which are away."""
    words = {plain(word): meant for meant, known in MEANT.items() for word in known}
    for word, meant in rows.map.values.get("activity", {}).items():
        words[plain(word)] = _meant(rows, f"values.activity.{word}", meant)
    words[""] = _meant(rows, "defaults.activity", rows.map.defaults.get("activity", WORK))
    other = rows.map.other.get("activity")
    if other is not None:
        other = _meant(rows, "other.activity", other)
    texts = rows.texts("activity") or [""] * len(rows)
    names = set(rows.texts("agent") or ())
    out, unknown = np.full(len(rows), AWAY), dict[str, float]()
    for row, text in enumerate(texts):
        meant_here = words.get(plain(text), other)
        out[row] = meant_here or AWAY
        if meant_here is None:
            shown = _without(text, names)
            unknown[shown] = unknown.get(shown, 0.0) + float(length_s[row]) / HOUR_S
        if meant_here == WORK and length_s[row] > LONGEST_H * HOUR_S:
            rows.fault(row, "end", f"is {length_s[row] / HOUR_S:,.0f} h after the start; nobody works so long at once")
    return out, dict(sorted(unknown.items(), key=lambda item: -item[1]))


def _meant(rows: Rows, place: str, word: str) -> str:
    if word not in MEANT:
        rows.faults.append(Fault(f"the map's {place}", f"is {cell_shown(word)}, should be work or away"))
    return word


def _without(text: str, names: set[str]) -> str:
    """An activity fit to be shown: no name of an agent, no address."""
    for name in names:
        if name and name in text:
            text = text.replace(name, "<agent>")
    return cell_shown(ADDRESS.sub("<address>", text))


def _skills(rows: Rows, agent: IntArray, path: Path | str | None) -> Skills:
    """Languages of each agent by his word in the file; without any a fault."""
    known = spoken(rows)
    if path is not None:
        for word, languages in read_skills(path, rows.map).items():
            known.setdefault(word, set()).update(languages)
    elif rows.name("languages") is None and rows.name("language") is None and "languages" not in rows.map.defaults:
        rows.faults.append(Fault("", "has no column of languages; give --skills, a table of agents and languages"))
        return known
    default = rows.map.defaults.get("languages")
    if default is not None and default not in list(Language):
        rows.faults.append(Fault("the map's defaults.languages", f"is {cell_shown(default)}, which is no language"))
        return known
    texts = rows.texts("agent") or ()
    _, at = np.unique(agent, return_index=True)
    for row in at.tolist():
        if texts[row] and not known.get(plain(texts[row])):
            if default is not None:
                known[plain(texts[row])] = {Language(default)}
                continue
            rows.fault(row, "agent", "has no language in the tables; add a row for it to that of --skills")
    return known


def _members(
    rows: Rows, agent: IntArray, start: FloatArray, end: FloatArray, works: np.ndarray[tuple[int], np.dtype[np.bool_]],
    known: Skills,
) -> list[Member]:  # fmt: skip
    texts, sites = rows.texts("agent") or (), rows.texts("site")
    count = int(agent.max()) + 1
    width = max(3, len(str(count)))
    out = []
    order = np.argsort(agent, kind="stable")
    for n, mine in enumerate(np.split(order, np.flatnonzero(np.diff(agent[order])) + 1)):
        at_work, away = mine[works[mine]], mine[~works[mine]]
        spans = without(
            merged(zip(start[at_work].tolist(), end[at_work].tolist(), strict=True)),
            merged(zip(start[away].tolist(), end[away].tolist(), strict=True)),
        )
        site = "" if sites is None else next((sites[row] for row in mine.tolist() if sites[row]), "")
        languages = tuple(sorted(known[plain(texts[int(mine[0])])], key=list(Language).index))
        out.append(Member(f"a-{n + 1:0{width}}", spans, languages, ADDRESS.sub("", site).strip()))
    return out


def merged(spans: Sequence[tuple[float, float]] | zip[tuple[float, float]]) -> Spans:
    """Spans in order, those that touch or overlap joined."""
    out: list[tuple[float, float]] = []
    for a, b in sorted(spans):
        if out and a <= out[-1][1]:
            out[-1] = (out[-1][0], max(b, out[-1][1]))
        else:
            out.append((a, b))
    return tuple(out)


def without(spans: Spans, away: Spans) -> Spans:
    """Spans with other spans cut out, both as `merged` gives them."""
    out = []
    for a, b in spans:
        for x, y in away:
            if y <= a or x >= b:
                continue
            if x > a:
                out.append((a, x))
            a = min(y, b)
        if a < b:
            out.append((a, b))
    return tuple(out)


def _notes(idle: int, twice: int) -> tuple[str, ...]:
    notes = []
    if idle:
        notes.append(f"{idle:,} agents are never at the desk, and left out")
    if twice:
        notes.append(
            f"{twice:,} rows lie in the hour that came twice when the clocks were put back: taken for the first"
        )
    return tuple(notes)


def _what_to_do(unknown: Sequence[str]) -> str:
    if not unknown:
        return "no row is work"
    return f'say in the map what is work: [values.activity] {unknown[0]} = "work"'


def local_clock(t_s: float, zone: ZoneInfo) -> datetime:
    """Local time of seconds after 1970."""
    return datetime.fromtimestamp(t_s, UTC).astimezone(zone)
