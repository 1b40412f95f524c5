"""A schedule in, a desk file out, and what there is to say about the way there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from reports.desk_toml import desk_toml
from reports.traces import checked_times
from scenarios.errors import Fault, InputError
from scenarios.history.columns import Map
from scenarios.history.schedule import read_schedule
from scenarios.storage import write_atomic
from sim.staff.scheduled import desk_of

ENDING = ".toml"


def write_desk(
    schedule: Path, skills: Path | None, given: str, out: Path, zone: str | None, local: str | None, onset: str | None
) -> dict[str, Any]:
    """Read a schedule into a desk file; returns what is in it.

    Raises
    ------
    AshcloudError
        With all that is wrong in the tables or the map, or if the file cannot be written.
    """
    wrong = [] if out.suffix == ENDING else [Fault(f"--out {out}", f"should end in {ENDING}")]
    at, more = checked_times(zone, local, onset)
    if wrong or more:
        raise InputError(None, [*wrong, *more])
    read = read_schedule(schedule, Map.load(given), skills, zone, local)
    name = re.sub(r"[^a-z0-9_\-]+", "-", out.stem.casefold()).strip("-_") or "desk"
    desk, times = desk_of(read, name, at)
    write_atomic(out, desk_toml(desk))
    hours = sum(b - a for member in read.members for a, b in member.spans) / 3600.0
    return {
        "desk": desk.name,
        "file": str(out),
        "source": read.digest,
        "timezone": desk.timezone,
        "agents": len(read.members),
        "hours_at_the_desk": round(hours, 2),
        "pools": [{"name": pool.name, "site": pool.site, "heads": pool.heads} for pool in desk.pools],
        "unknown_activities": {word: round(value, 2) for word, value in read.unknown.items()},
        "notes": [times, *read.notes],
    }


def print_desk(console: Console, info: Mapping[str, Any]) -> None:
    """Print who is in the desk file, and what was not known."""
    lines = [
        f"desk      {info['desk']} in {info['file']}",
        f"agents    {info['agents']:,} with {info['hours_at_the_desk']:,.1f} hours at the desk",
        *(f"pool      {pool['name']}: {pool['heads']:,} heads" for pool in info["pools"]),
        *(
            f'unknown   {word}: {hours:,.1f} h, taken as not at the desk; [values.activity] {word} = "work" or "away"'
            for word, hours in info["unknown_activities"].items()
        ),
        *(f"note      {note}" for note in info["notes"]),
    ]
    for line in lines:
        console.print(line, soft_wrap=True, markup=False)
