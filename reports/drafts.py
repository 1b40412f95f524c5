"""Run folders in the making: there when they are whole, never overwritten, gone on with after an interruption.

A new one is written beside its place under a hidden name and renamed at the end. What has finished is
stored as it finishes (`sim.blocks`), so that whatever is left behind by a process that was killed can
be taken up again.
"""

from __future__ import annotations

import contextlib
import glob
import os
import re
import shutil
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from reports import manifest as manifests
from reports.locks import Lock
from reports.manifest import Source
from scenarios import files
from scenarios.digest import digest
from scenarios.errors import RunError
from scenarios.model import Scenario
from scenarios.storage import write_atomic
from sim.desk import Desk
from sim.plan import Plan
from sim.replicate import outcome_file, trace_file

ROOT = Path("runs")
LATEST = "latest"
BLOCKS = "blocks"

_ADDRESS = re.compile(r"[A-Za-z][\w+.\-]+:/")


class Folder:
    """A run folder that this process writes, nobody else.

    Attributes
    ----------
    folder : Path
        Where to write meanwhile.
    target : Path
        Where it will be.
    """

    def __init__(self, folder: Path, wanted: Path, target: Path) -> None:
        self.folder, self.wanted, self.target = folder, wanted, target
        self._lock = Lock(folder)

    @property
    def blocks(self) -> Path:
        """Folder for what has finished."""
        return self.folder / BLOCKS

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
        for path in [*self.folder.glob("*.npz"), *self.folder.glob(".*.part"), *self.blocks.glob(".*.part")]:
            if path.name not in kept:
                path.unlink()

    def finish(self, whole: bool = True, latest: bool = True) -> Path:
        """Give the folder its name and, if it is a run, point `runs/latest` at it. Blocks go if it is whole."""
        if whole:
            shutil.rmtree(self.blocks, ignore_errors=True)
        while self.folder != self.target:
            try:
                if self.target.is_dir():
                    self.target.rmdir()  # empty, else _free had not given it
                os.rename(self.folder, self.target)
                self.folder = self.target
            except OSError as error:
                if not os.path.lexists(self.target):
                    raise RunError(f"{self.target}: cannot be made: {(error.strerror or str(error)).lower()}") from None
                self.target = _free(self.wanted)  # somebody else was quicker
        if latest and self.target.absolute().parent == ROOT.absolute():
            _point_at(self.target)
        return self.target


class Draft(Folder):
    """A new run folder. Leaving its `with` block without `finish` leaves nothing behind.

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
    target : Path
        `out`, or `out` with a number behind it if there is a run already.

    Raises
    ------
    RunError
        If `out` is a file or a folder with other things in it, or if it cannot be made.
    """

    def __init__(self, out: Path | None, scenario: str, now: datetime) -> None:
        wanted = out or ROOT / f"{now:%Y-%m-%dT%H%M%S}-{scenario}"
        target = _free(wanted)
        self._made = _missing_parents(target)
        folder = target.absolute().with_name(f".{target.name}-{os.urandom(4).hex()}.part")
        try:
            folder.mkdir(parents=True)
        except OSError as error:
            raise RunError(f"{wanted}: cannot be made: {(error.strerror or str(error)).lower()}") from None
        super().__init__(folder, wanted, target)

    def __enter__(self) -> Draft:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release(self.folder)
        if self.folder == self.target:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        for parent in self._made:
            with contextlib.suppress(OSError):  # not ours alone any more
                parent.rmdir()


class Reopened(Folder):
    """A run folder that was interrupted, or what a killed process left of one; it stays if this fails too.

    Parameters
    ----------
    run : Path
        The folder, or the place where it should have come to be.

    Raises
    ------
    RunError
        If there is neither, or if another process is at work in it.
    """

    def __init__(self, run: Path) -> None:
        if manifests.is_run(run):
            run = run.parent / os.readlink(run) if run.is_symlink() else run
            super().__init__(run, run, run)
            return
        left = _left_behind(run)
        if not left:
            others = sorted({name for name in map(_named, _hidden(run.parent, "*")) if name})
            hint = f"; there are {', '.join(str(run.parent / name) for name in others)}" if others else ""
            raise RunError(f"{run}: there is no run to go on with{hint}")
        super().__init__(left[-1], run, _free(run))

    def __enter__(self) -> Reopened:
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release(self.folder)


def _left_behind(run: Path) -> list[Path]:
    """Hidden folders that were to become this one, the last one used at the end."""
    found = [path for path in _hidden(run.parent, glob.escape(run.name)) if _named(path) == run.name]
    return sorted(found, key=lambda path: (path / manifests.NAME).stat().st_mtime)


def _hidden(parent: Path, name: str) -> list[Path]:
    return [path for path in parent.absolute().glob(f".{name}-????????.part") if manifests.is_run(path)]


def _named(path: Path) -> str:
    match = re.fullmatch(r"\.(.+)-[0-9a-f]{8}\.part", path.name)
    return match[1] if match else ""


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
