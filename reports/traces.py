"""What there is to read about a trace: where it came from, what is in it, what some of its posts say."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

import numpy as np
from rich.console import Console

from reports import formats as fm
from reports.tables import show
from scenarios import library
from scenarios.checks import shown
from scenarios.clocks import local_time
from scenarios.errors import Fault, InputError, ScenarioError
from scenarios.generate import generate
from scenarios.history.actual import beside
from scenarios.history.columns import Map
from scenarios.history.tickets import read_tickets
from scenarios.names import NONE, Language, Platform, PostKind, Topic, code, members
from scenarios.text import handle, render
from scenarios.traces import Trace, load
from sim.replicate import Size, size_u

ENDING = ".npz"
Clock = Callable[[float], datetime]
Post = Mapping[str, str]


def write(scenario: str, seed: int, out: Path, hours: float | None, size: Size) -> dict[str, Any]:
    """Generate the first replication of a scenario into a file; returns `Trace.info`.

    Raises
    ------
    AshcloudError
        If the scenario is not usable or the file cannot be written; nothing is left behind.
    """
    if out.suffix != ENDING:
        raise InputError(None, [Fault(f"--out {out}", f"should end in {ENDING}")])
    trace = generate(library.load(scenario), seed, 0, size_u(size, seed, 0), hours)
    trace.save(out)
    return trace.info()


def write_imported(
    tickets: Path, given: str, out: Path, zone: str | None, local: str | None, onset: str | None
) -> dict[str, Any]:
    """Read tickets into a trace file, with what became of them beside it; returns `Trace.info` and the notes.

    Raises
    ------
    AshcloudError
        With all that is wrong in the table or the map, or if a file cannot be written.
    """
    wrong = [] if out.suffix == ENDING else [Fault(f"--out {out}", f"should end in {ENDING}")]
    at, more = checked_times(zone, local, onset)
    if wrong or more:
        raise InputError(None, [*wrong, *more])
    imported = read_tickets(tickets, Map.load(given), zone, local, at)
    beside_it = beside(out)
    imported.trace.save(out)
    imported.actual.save(beside_it)
    told = np.isfinite(imported.actual["first_reply_s"])
    return {
        **imported.trace.info(),
        "answered": int(np.count_nonzero(told)),
        "actual": str(beside_it),
        "known": list(imported.actual.about["known"]),
        "notes": list(imported.notes),
    }


def checked_times(zone: str | None, local: str | None, onset: str | None) -> tuple[datetime | None, list[Fault]]:
    """The onset that was asked for, and what is wrong with it and the two zones."""
    at, wrong = None, []
    try:
        at = None if onset is None else datetime.fromisoformat(onset)
        if at is not None and at.tzinfo is not None:
            raise ValueError
    except ValueError:
        wrong.append(Fault(f"--onset {shown(onset)}", "is no local time; write it like 2025-12-05T06:00"))
    wrong += [
        Fault(f"{option} {shown(name)}", "is no time zone; write it like Europe/Amsterdam")
        for option, name in (("--zone", zone), ("--local", local))
        if name is not None and name not in available_timezones()
    ]
    return at, wrong


def print_imported(console: Console, info: Mapping[str, Any]) -> None:
    """Print what was read, and what was taken for granted."""
    print_info(console, info)
    console.print(f"answered  {info['answered']:,} of {info['cases']:,} cases; see {info['actual']}", soft_wrap=True)
    for note in info["notes"]:
        console.print(f"note      {note}", soft_wrap=True)


def print_info(console: Console, info: Mapping[str, Any]) -> None:
    """Print counts and provenance."""
    start_s, end_s = info["window_s"]
    size = "likely size" if info["size_u"] is None else f"size at quantile {info['size_u']:.3f}"
    kinds = ", ".join(f"{name} {n:,}" for name, n in info["kinds"].items() if n)
    made = f"of {info['scenario']}, seed {info['seed']}, run {info['replication']}, surge of {size}"
    console.print(f"trace     {made}" if "source" not in info else "trace     of tickets that were imported")
    console.print(f"window    {start_s / 3600:g} to {end_s / 3600:g} hours from onset")
    console.print(f"mentions  {info['mentions']:,}; {info['cases']:,} of them open a case")
    console.print(f"rows      {info['rows']:,}: {kinds}", soft_wrap=True)
    console.print(f"version   {info['version']}")
    console.print(f"digest    {info['digest']}")


def sample(source: str, number: int, seed: int, language: str | None = None, topic: str | None = None) -> list[Post]:
    """Some posts at random, in order of time, with their texts.

    Parameters
    ----------
    source : str
        A trace, by a name that ends in .npz, or a scenario by name or file: then its first trace.
    number, seed : int
    language, topic : str, optional
        Only those.

    Returns
    -------
    list of dict
        `time` (local, or hours from onset where the trace does not tell the zone), `language`,
        `platform`, `kind`, `topic`, `handle`, `text`.

    Raises
    ------
    InputError, TraceError
        If the source is not usable, or the language or topic unknown.
    ScenarioError
        If there is no such post.
    """
    wanted = _members(("--language", language, Language), ("--topic", topic, Topic))
    trace, clock = _opened(source, seed)
    rows = trace["kind"] != code(PostKind.CALL)
    for column, member in wanted.items():
        rows &= trace[column] == code(member)
    found = np.flatnonzero(rows)
    if not found.size:
        raise ScenarioError(f"{source}: has no such post among its {len(trace):,} rows")
    chosen = np.random.default_rng(seed).choice(found, min(number, found.size), replace=False)
    return [_post(trace, int(row), clock) for row in np.sort(chosen)]


def _members(*given: tuple[str, str | None, type[StrEnum]]) -> dict[str, StrEnum]:
    """Members by column; all words that are none at once."""
    wrong = [
        Fault(option, f"is {shown(word)}, should be one of {', '.join(kind)}")
        for option, word, kind in given
        if word is not None and word not in list(kind)
    ]
    if wrong:
        raise InputError(None, wrong)
    return {option.lstrip("-"): kind(word) for option, word, kind in given if word is not None}


def _opened(source: str, seed: int) -> tuple[Trace, Clock | None]:
    if not source.endswith(ENDING):
        scenario = library.load(source)
        return generate(scenario, seed), scenario.clock
    trace = load(Path(source))
    try:
        onset, zone = datetime.fromisoformat(trace.about["onset_local"]), ZoneInfo(trace.about["timezone"])
    except (KeyError, ValueError, TypeError, ZoneInfoNotFoundError):
        return trace, None  # made by hand: hours from onset will do
    return trace, partial(local_time, onset, zone.key)


def _post(trace: Trace, row: int, clock: Clock | None) -> Post:
    def name(column: str, kind: type[StrEnum]) -> str:
        return str(members(kind)[int(trace[column][row])])

    at_s = float(trace["time_s"][row])
    language, topic = name("language", Language), name("topic", Topic)
    return {
        "time": f"{at_s / 3600:+.2f} h" if clock is None else fm.clock(clock(at_s)),
        "language": language,
        "platform": name("platform", Platform),
        "kind": name("kind", PostKind),
        "topic": topic,
        "handle": f"@{handle(language, int(trace['author'][row]))}",
        "text": render(
            language, topic, int(trace["form"][row]), int(trace["text"][row]), bool(trace["case"][row] != NONE)
        ),
    }


def print_posts(console: Console, posts: Sequence[Post]) -> None:
    """Print posts as a table."""
    columns = ("time", "language", "platform", "topic", "handle", "text")
    show(console, columns, [[post[name] for name in columns] for post in posts], numbers=())
