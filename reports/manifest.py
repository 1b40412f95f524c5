"""What a run folder says about itself: what was run, with what, when, and what came out."""

from __future__ import annotations

import json
import platform
import shlex
from collections.abc import Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from scenarios.errors import RunError
from scenarios.laws import Frozen
from scenarios.storage import redact, write_atomic
from sim.crew import cores
from sim.engines import EngineName
from sim.replicate import Replication, Size

NAME = "manifest.json"
FORMAT = 1
COMPARISON: Literal["comparison"] = "comparison"
UNKNOWN = "0+unknown"
LIBRARIES = ("ashcloud", "numpy", "numba", "simpy", "pydantic")


class Settings(Frozen):
    """What was asked for beside the scenario and the desk.

    `hours` cuts the window (None: whole), `drain_h` goes on beyond it, `size` is that of the surges,
    `workers` the processes at most (None: one a core), `engine` the one that simulates.
    """

    runs: int = 4
    seed: int = 1
    hours: float | None = None
    drain_h: float = 0.0
    size: Size = "drawn"
    workers: int | None = None
    engine: EngineName = "compiled"


class Source(Frozen):
    """A scenario or a desk: its name and digest, the word it was asked for by, the copies of its files.

    `json` files hold the checked value with every default; `copies` the user's own files as they
    were, none if it comes from the library.
    """

    name: str
    digest: str
    asked: str
    copies: tuple[str, ...] = ()


class Entry(Frozen):
    """One run: its number, its size, its digests, and the seconds of each phase."""

    number: int
    size_u: float | None
    trace: str
    outcome: str
    seconds: dict[str, float]


class Contender(Frozen):
    """One alternative of a comparison: its name, its desk and plan, and the digest of both together."""

    name: str
    desk: str
    plan: str | None
    digest: str


class ComparisonManifest(Frozen):
    """What the folder of a comparison says about itself; see `Manifest`.

    `settings` are those of `reports.compared.CompareSettings`; the digests of each run are in
    `comparison.json`.
    """

    kind: Literal["comparison"] = COMPARISON
    format: int = FORMAT
    status: Literal["finished", "interrupted"]
    command: str
    scenario: Source
    desks: tuple[Source, ...]
    plans: tuple[Source, ...]
    alternatives: tuple[Contender, ...]
    settings: dict[str, Any]
    finished: int
    started: str
    ended: str
    timings_s: dict[str, float]
    versions: dict[str, str]
    python: str
    platform: str
    cores: int

    def save(self, folder: Path) -> None:
        """Write it into the folder, whole or not at all."""
        write_atomic(folder / NAME, self.model_dump_json(indent=1).encode() + b"\n")


class Manifest(Frozen):
    """The whole manifest. Times are ISO 8601 in UTC; `timings_s` are seconds by the clock on the wall."""

    format: int = FORMAT
    status: Literal["finished", "interrupted"]
    command: str
    scenario: Source
    desk: Source
    settings: Settings
    started: str
    ended: str
    timings_s: dict[str, float]
    versions: dict[str, str]
    python: str
    platform: str
    cores: int
    replications: tuple[Entry, ...]

    def save(self, folder: Path) -> None:
        """Write it into a run folder, whole or not at all."""
        write_atomic(folder / NAME, self.model_dump_json(indent=1).encode() + b"\n")


def write_down(
    status: Literal["finished", "interrupted"],
    command: Sequence[str],
    scenario: Source,
    desk: Source,
    settings: Settings,
    started: datetime,
    timings_s: dict[str, float],
    replications: Sequence[Replication],
) -> Manifest:
    """Make the manifest of runs that end now. Secrets in the command and in names of files are hidden."""
    return Manifest(
        status=status,
        command=shlex.join(redact(word) for word in command),
        scenario=scenario.model_copy(update={"asked": redact(scenario.asked)}),
        desk=desk.model_copy(update={"asked": redact(desk.asked)}),
        settings=settings,
        started=utc(started),
        ended=utc(datetime.now(UTC)),
        timings_s={name: round(seconds, 3) for name, seconds in timings_s.items()},
        versions=versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
        replications=tuple(
            Entry(number=r.number, size_u=r.size_u, trace=r.trace, outcome=r.outcome, seconds=dict(r.seconds))
            for r in replications
        ),
    )


def read(folder: Path) -> Manifest:
    """Read the manifest of a run folder.

    Raises
    ------
    RunError
        If there is none, if it is not readable, or if a later version wrote it.
    """
    path = folder / NAME
    if not folder.is_dir():
        raise RunError(f"{folder}: no such run folder; `ashcloud run` makes one, runs/latest is the last")
    if not path.is_file():
        raise RunError(f"{folder}: is no run folder, it has no {NAME}")
    try:
        data = json.loads(path.read_bytes())
        if data.get("kind") == COMPARISON:
            raise RunError(f"{folder}: is a comparison, not a run; what it says is in comparison.html")
        if data["format"] != FORMAT:
            raise RunError(f"{path}: is of format {data['format']}, this version reads {FORMAT}; run it anew")
        return Manifest.model_validate(data)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else None
        where = "" if first is None else f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise RunError(f"{path}: is damaged ({where or error}); run it anew") from None


def is_run(folder: Path) -> bool:
    """Whether a folder looks like a run, readable or not."""
    return (folder / NAME).is_file()


def versions() -> dict[str, str]:
    """Versions of what has a say in the numbers."""
    return {name: _version(name) for name in LIBRARIES}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return UNKNOWN


def utc(at: datetime) -> str:
    """2010-04-15T17:00:00Z."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
