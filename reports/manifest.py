"""What a run folder says about itself: what was run, with what, when, and what came out."""

from __future__ import annotations

import json
import platform
import re
import shlex
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError

from scenarios.errors import Fault, InputError, RunError
from scenarios.laws import Frozen
from scenarios.names import Language
from scenarios.storage import redact, write_atomic
from sim.crew import cores
from sim.engines import EngineName
from sim.replicate import Replication, Size
from sim.stopping import FIRST, MAX_RUNS, targets

NAME = "manifest.json"
FORMAT = 1
COMPARISON: Literal["comparison"] = "comparison"
LOAD: Literal["load"] = "load"
DRILL: Literal["drill"] = "drill"
UNKNOWN = "0+unknown"
LIBRARIES = ("ashcloud", "numpy", "numba", "simpy", "pydantic")


class Settings(Frozen):
    """What was asked for beside the scenario and the desk.

    `hours` cuts the window (None: whole), `drain_h` goes on beyond it, its first `warm_up_h` are not
    measured, `backlog` waits already when it opens (a word like ``en=85,nl=40``, or nothing), `size` is
    that of the surges, `workers` the threads or processes at most (None: one a core), `executor` where
    they are (None: what suits the engine), `engine` the one that simulates. With `until` (words of
    `sim.stopping.targets`) `runs` is the number at which it is first looked whether to stop, and
    `max_runs` that at which to stop in any case.
    """

    runs: int = 4
    seed: int = 1
    hours: float | None = None
    drain_h: float = 0.0
    warm_up_h: float = 0.0
    backlog: str = ""
    size: Size = "drawn"
    workers: int | None = None
    executor: str | None = None
    engine: EngineName = "compiled"
    until: tuple[str, ...] = ()
    max_runs: int = MAX_RUNS

    @property
    def most(self) -> int:
        """Number of runs at most."""
        return self.max_runs if self.until else self.runs

    def asked(self) -> dict[str, Any]:
        """What `sim.replicate.replicate` is asked for, all but the rule for stopping."""
        found = self.model_dump(exclude={"runs", "until", "max_runs"})
        return {**found, "backlog": cases_of(self.backlog), "runs": self.most, "first": self.runs}

    def check(self) -> None:
        """Raise `InputError` if they do not go together."""
        wrong: list[Fault] = []
        for read in (lambda: targets(self.until), lambda: cases_of(self.backlog)):
            try:
                read()
            except InputError as error:
                wrong += error.faults
        if self.until and self.runs < FIRST:
            wrong.append(
                Fault("--runs", f"is {self.runs}; with --until the first look needs {FIRST} runs or more, as fewer "
                      "say too little about their own spread")
            )  # fmt: skip
        elif self.until and self.max_runs < self.runs:
            wrong.append(Fault("--max-runs", f"is {self.max_runs}, below the {self.runs} runs of the first look"))
        if wrong:
            raise InputError(None, wrong)


def cases_of(backlog: str) -> dict[Language, int]:
    """Numbers of cases by language, of a word like ``en=85,nl=40``; raises `InputError` with all its faults."""
    found: dict[Language, int] = {}
    wrong = []
    for part in [part.strip() for part in backlog.split(",")] if backlog.strip() else []:
        name, _, number = part.partition("=")
        if name not in set(Language):
            wrong.append(f"{name} is no language; they are {', '.join(Language)}")
        elif not re.fullmatch(r"\d{1,7}", number):
            wrong.append(f"{part} is no number of cases; write it like {name}=40")
        elif Language(name) in found:
            wrong.append(f"{name} stands there twice")
        else:
            found[Language(name)] = int(number)
    if wrong:
        raise InputError(None, [Fault("--backlog", what) for what in wrong])
    return found


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
    """The whole manifest. Times are ISO 8601 in UTC; `timings_s` are seconds by the clock on the wall.

    `page`: whether a page was asked for.
    """

    format: int = FORMAT
    status: Literal["finished", "interrupted"]
    command: str
    page: bool = False
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


def begun(command: Sequence[str], page: bool, scenario: Source, desk: Source, settings: Settings) -> Manifest:
    """The manifest of runs that begin now, interrupted until something has finished.

    Secrets in the command and in names of files are hidden.
    """
    now = utc(datetime.now(UTC))
    return Manifest(
        status="interrupted",
        command=shlex.join(redact(word) for word in command),
        page=page,
        scenario=scenario.model_copy(update={"asked": redact(scenario.asked)}),
        desk=desk.model_copy(update={"asked": redact(desk.asked)}),
        settings=settings,
        started=now,
        ended=now,
        timings_s={},
        versions=versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
        replications=(),
    )


def noted(
    manifest: Manifest,
    status: Literal["finished", "interrupted"],
    timings_s: Mapping[str, float],
    replications: Sequence[Replication],
) -> Manifest:
    """The manifest with what there is now."""
    entries = tuple(
        Entry(number=r.number, size_u=r.size_u, trace=r.trace, outcome=r.outcome, seconds=dict(r.seconds))
        for r in replications
    )
    return manifest.model_copy(
        update={
            "status": status,
            "ended": utc(datetime.now(UTC)),
            "timings_s": {name: round(seconds, 3) for name, seconds in timings_s.items()},
            "replications": entries,
        }
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
        if data.get("kind") == LOAD:
            raise RunError(f"{folder}: is a load test, not a run; what it says is in load.json and locust.html")
        if data.get("kind") == DRILL:
            raise RunError(f"{folder}: is a drill, not a run; what it says is in drill.json and drill.svg")
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
