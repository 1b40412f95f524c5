"""Doing a stored run again, to see whether it gives the same rows."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from reports import manifest as manifests
from reports.make import Voice
from reports.runs import Run, load
from scenarios.digest import digest
from sim.replicate import outcome_file, replicate, trace_file

HEAD = "_head"
UNREADABLE = (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error)


@dataclass(frozen=True)
class Comparison:
    """Which columns of which files differ, and which versions.

    Attributes
    ----------
    compared : int
        Number of runs done again, of `stored`.
    differences : dict of str to list of str
        By file of the run folder: names of columns like `turns.wait_s`, of entries like `about.seed`,
        or one sentence if the file cannot be compared. Files that do not differ are left out.
    versions : dict of str to (str, str)
        Then and now, where they differ.
    """

    folder: Path
    compared: int
    stored: int
    differences: Mapping[str, list[str]]
    versions: Mapping[str, tuple[str, str]]

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON."""
        return {
            "run": str(self.folder),
            "compared": self.compared,
            "stored": self.stored,
            "same": not self.differences,
            "differences": dict(self.differences),
            "versions": {name: {"then": then, "now": now} for name, (then, now) in self.versions.items()},
        }


def rerun(folder: Path, workers: int | None, voice: Voice, executor: str | None = None) -> Comparison:
    """Generate and simulate the stored scenario, desk and seed again, and compare all rows.

    Raises
    ------
    RunError
        If the folder is no run, or if its manifest, scenario or desk is damaged. Rows that are
        damaged are differences.
    """
    run = load(folder)
    now = manifests.versions()
    versions = {
        name: (then, now.get(name, "none"))
        for name, then in run.manifest.versions.items()
        if then != now.get(name, "none")
    }
    for name, (then, here) in versions.items():
        voice.say(f"note: the run was made with {name} {then}, this is {here}")
    differences = _changed_files(run, same_version="ashcloud" not in versions)
    numbers = [entry.number for entry in run.manifest.replications]
    compared = 0
    where = {"workers": workers, "executor": executor}
    asked = run.manifest.settings.model_copy(update=where).asked()
    with TemporaryDirectory(prefix="ashcloud-") as name, voice.waiting(f"{folder} again", len(numbers)) as watch:
        again = Path(name)
        made = replicate(run.scenario, run.desk, **asked, folder=again, numbers=numbers, watch=watch)
        for replication in made:
            for file in (trace_file, outcome_file):
                stored, new = file(folder, replication.number), file(again, replication.number)
                found = differing(stored, new, run.manifest.versions.get("ashcloud") == now["ashcloud"])
                if found:
                    differences[stored.name] = found
                new.unlink()
            compared += 1
    return Comparison(folder, compared, len(numbers), differences, versions)


def _changed_files(run: Run, same_version: bool) -> dict[str, list[str]]:
    """The scenario and the desk, if somebody changed them since; another version may read them differently."""
    if not same_version:
        return {}
    pairs = (
        ("scenario.json", run.scenario, run.manifest.scenario),
        ("desk.json", run.desk, run.manifest.desk),
    )
    return {name: ["is not as it was run"] for name, value, source in pairs if digest(value) != source.digest}


def differing(stored: Path, new: Path, same_version: bool = True) -> list[str]:
    """Names of the columns and entries in which two files of rows differ; a sentence if one is unreadable.

    Digests and versions are compared only between files of the same version.
    """
    if not stored.is_file():
        return ["is missing"]
    try:
        (old_columns, old_about), (columns, about) = _contents(stored), _contents(new)
    except UNREADABLE as error:
        return [f"is damaged ({error})"]
    names = dict.fromkeys([*columns, *old_columns])
    found = [name for name in names if not _same(old_columns.get(name), columns.get(name))]
    free = set() if same_version else {"version", "trace", "scenario_digest", "desk_digest"}
    entries = dict.fromkeys([*about, *old_about])
    found += [f"about.{key}" for key in entries if key not in free and old_about.get(key) != about.get(key)]
    return found


def _contents(path: Path) -> tuple[dict[str, np.ndarray[Any, Any]], dict[str, Any]]:
    with np.load(path, allow_pickle=False) as file:
        about = json.loads(bytes(file[HEAD]).decode())["about"]
        return {name: file[name] for name in file.files if name != HEAD}, about


def _same(old: np.ndarray[Any, Any] | None, new: np.ndarray[Any, Any] | None) -> bool:
    return old is not None and new is not None and old.dtype == new.dtype and old.tobytes() == new.tobytes()
