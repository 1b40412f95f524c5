"""Run folders: everything about some runs in one place, there when it is whole, never overwritten.

    runs/volcano/
        manifest.json                       what was run, with what, when, and the digests
        scenario.json, desk.json            as they were checked, with every default
        scenario.toml, desk.toml            the user's own files as they were, if they were his own
        trace_000.npz, outcome_000.npz      the rows of the first run, and so on
        measures.json                       means with intervals, and the measures of each run
        report.html                         the page, once it was made
        figures/arrivals.svg ...            its figures, one file each

A folder is written beside its place under a hidden name and renamed at the end.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from pydantic import BaseModel

from reports import manifest as manifests
from reports.manifest import Manifest, Source
from scenarios import files
from scenarios.digest import digest
from scenarios.errors import RunError
from scenarios.model import Scenario
from scenarios.storage import write_atomic
from scenarios.traces import Trace
from scenarios.traces import load as load_trace
from sim.desk import Desk
from sim.outcome import Outcome
from sim.outcome import load as load_outcome
from sim.plan import Plan
from sim.replicate import outcome_file, trace_file

if TYPE_CHECKING:
    from reports.words import Verdict

ROOT = Path("runs")
LATEST = "latest"
REPORT = "report.html"
FIGURES = "figures"
MEASURES = "measures.json"
CACHED_BYTES = 1_500_000_000

_ADDRESS = re.compile(r"[A-Za-z][\w+.\-]+:/")

T = TypeVar("T", Trace, Outcome)
M = TypeVar("M", bound=BaseModel)


class Draft:
    """A run folder in the making. Leaving its `with` block without `finish` leaves nothing behind.

    Parameters
    ----------
    out : Path, optional
        Where it should be; by default below `runs`, named after the time and the scenario.
    scenario : str
        Name of the scenario.
    now : datetime
        Local time, for the default name.

    Attributes
    ----------
    folder : Path
        Where to write meanwhile.
    target : Path
        Where it will be: `out`, or `out` with a number behind it if there is a run already.

    Raises
    ------
    RunError
        If `out` is a file or a folder with other things in it, or if it cannot be made.
    """

    def __init__(self, out: Path | None, scenario: str, now: datetime) -> None:
        self.wanted = out or ROOT / f"{now:%Y-%m-%dT%H%M%S}-{scenario}"
        self.target = _free(self.wanted)
        self._made = _missing_parents(self.target)
        hidden = f".{self.target.name}-{os.urandom(4).hex()}.part"
        self.folder = self.target.absolute().with_name(hidden)
        try:
            self.folder.mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{self.wanted}: cannot be made: {(error.strerror or str(error)).lower()}") from None

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        for parent in self._made:
            with contextlib.suppress(OSError):  # not ours alone any more
                parent.rmdir()

    def copy(self, what: str, value: Scenario | Desk | Plan, asked: str, library: Path) -> Source:
        """Write the checked scenario, desk or plan, and the user's own files that it was read from."""
        write_atomic(self.folder / f"{what}.json", value.model_dump_json(by_alias=True, indent=1).encode() + b"\n")
        read = [path for path, _ in files.read(asked, library, what).layers]
        layers = [path for path in read if path.resolve().parent != library.resolve()]
        names = [f"{what}.toml", *(f"{what}.base{i}.toml" for i in range(1, len(layers)))][: len(layers)]
        for path, name in zip(layers, names, strict=True):
            write_atomic(self.folder / name, path.read_bytes())
        return Source(name=value.name, digest=digest(value), asked=asked, copies=tuple(names))

    def tidy(self, numbers: Sequence[int]) -> None:
        """Remove the rows of all other runs: those that somebody ended in the middle."""
        kept = {file(self.folder, number).name for number in numbers for file in (trace_file, outcome_file)}
        for path in [*self.folder.glob("*.npz"), *self.folder.glob(".*.part")]:
            if path.name not in kept:
                path.unlink()

    def finish(self, latest: bool = True) -> Path:
        """Give the folder its name and, if it is a run, point `runs/latest` at it; returns where it is."""
        while True:
            try:
                if self.target.is_dir():
                    self.target.rmdir()  # empty, else _free had not given it
                os.rename(self.folder, self.target)
                break
            except OSError as error:
                if not os.path.lexists(self.target):
                    raise RunError(f"{self.target}: cannot be made: {(error.strerror or str(error)).lower()}") from None
                self.target = _free(self.wanted)  # somebody else was quicker
        self._made = []
        if latest and self.target.absolute().parent == ROOT.absolute():
            _point_at(self.target)
        return self.target


def _free(out: Path) -> Path:
    """The folder itself, or with the first number behind it that nobody has."""
    if _ADDRESS.match(str(out)):
        raise RunError("--out is an address; give the name of a folder")
    if not os.path.lexists(out):
        return out
    if not out.is_dir():
        raise RunError(f"{out}: is a file, not a folder; give --out another name")
    if out.resolve() == Path.cwd():
        raise RunError(f"{out}: is the folder you are in; give --out the name of a new one")
    if not any(out.iterdir()):
        return out
    if not manifests.is_run(out):
        raise RunError(f"{out}: is a folder with other things in it; nothing is overwritten, give --out another name")
    number = 2
    while os.path.lexists(numbered := out.with_name(f"{out.name}-{number}")):
        number += 1
    return numbered


def _missing_parents(path: Path) -> list[Path]:
    return [parent for parent in path.absolute().parents if not parent.exists()]


def _point_at(target: Path) -> None:
    link = target.with_name(LATEST)
    if link.exists() and not link.is_symlink():
        return
    new = target.with_name(f".{LATEST}-{os.urandom(4).hex()}")
    with contextlib.suppress(OSError):  # where links cannot be made there is none
        new.symlink_to(target.name, target_is_directory=True)
        os.replace(new, link)


# --- reading ------------------------------------------------------------------------------------


class Stored(Sequence[T], Generic[T]):
    """Traces or outcomes of a run folder, read when they are asked for; the last ones are held.

    Some 160 MB for a run of a million posts: what is held stays below 1.5 GB or is a single one.
    """

    def __init__(self, paths: Sequence[Path], read: Callable[[Path], T], held_bytes: int = CACHED_BYTES) -> None:
        self._paths, self._held_bytes = tuple(paths), held_bytes
        self._read: Callable[[Path], T] = read
        self._held: OrderedDict[int, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Stored[T]: ...
    def __getitem__(self, place: int | slice) -> T | Stored[T]:
        if isinstance(place, slice):
            return Stored(self._paths[place], self._read, self._held_bytes)
        at = range(len(self))[place]
        if at not in self._held:
            value = self._read(self._paths[at])
            self._held[at] = value, _bytes(value)
            while len(self._held) > 1 and sum(size for _, size in self._held.values()) > self._held_bytes:
                self._held.popitem(last=False)
        self._held.move_to_end(at)
        return self._held[at][0]


def _bytes(value: Trace | Outcome) -> int:
    tables = [value.columns] if isinstance(value, Trace) else [value.cases, value.turns, value.staff, value.extra]
    return sum(column.nbytes for table in tables for column in table.values())


@dataclass(frozen=True)
class Run:
    """A run folder, read: rows are loaded when they are asked for."""

    folder: Path
    manifest: Manifest
    scenario: Scenario
    desk: Desk
    outcomes: Stored[Outcome] = field(init=False)
    traces: Stored[Trace] = field(init=False)

    def __post_init__(self) -> None:
        numbers = [entry.number for entry in self.manifest.replications]
        outcomes = [outcome_file(self.folder, number) for number in numbers]
        traces = [trace_file(self.folder, number) for number in numbers]
        object.__setattr__(self, "outcomes", Stored(outcomes, load_outcome))
        object.__setattr__(self, "traces", Stored(traces, load_trace))

    @property
    def report(self) -> Path:
        """Where its page is, or will be."""
        return self.folder / REPORT


def load(folder: Path) -> Run:
    """Read a run folder, whatever is in its `.npz` files.

    Raises
    ------
    RunError
        If it is no run, or if its manifest, scenario or desk is damaged.
    """
    manifest = manifests.read(folder)
    return Run(folder, manifest, read_value(Scenario, folder / "scenario.json"), read_value(Desk, folder / "desk.json"))


def read_value(model: type[M], path: Path) -> M:
    """A scenario or a desk as `Draft.copy` wrote it; raises `RunError`, or `InputError` with its faults."""
    try:
        return files.check(model, json.loads(path.read_bytes()), path)
    except FileNotFoundError:
        raise RunError(f"{path}: is missing; run it anew") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: is damaged ({error}); run it anew") from None


def make_page(run: Run, name: str = REPORT) -> Verdict:
    """Make the page of a run folder, anew if there is one; returns what it says.

    Raises
    ------
    RunError
        If rows are missing or damaged.
    """
    from reports.data import collect
    from reports.drawing import alone, drawings
    from reports.page import page
    from reports.words import verdict

    data = collect(run.scenario, run.desk, run.outcomes, run.traces, run.manifest.model_dump(mode="json"))
    drawn = drawings(data)
    write_atomic(run.folder / name, page(data, drawn).encode())
    (run.folder / FIGURES).mkdir(exist_ok=True)
    for each in drawn:
        write_atomic(run.folder / FIGURES / f"{each.name}.svg", alone(each).encode())
    return verdict(data)
