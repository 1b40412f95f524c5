"""Finished blocks of runs in a folder, so that an interrupted sweep can go on where it was.

A file holds what came of some runs, all but their rows, under the number of the first. It is there
when it is whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from scenarios.storage import write_atomic
from sim.measures import Row

FORMAT = 1


@dataclass(frozen=True)
class Replication:
    """What one run gave, without its rows.

    Attributes
    ----------
    number : int
        0 for the first; with the seed it names all chance of the run.
    size_u : float or None
        Quantile of the size of the surges, None for the likely size.
    trace, outcome : str
        Digests.
    row : dict
        Measures by id, as `sim.measures.measure` gives them.
    languages, classes : dict of str to dict
        The same of the cases of one language, of one promise class.
    seconds : dict
        What `generate`, `simulate`, `measure` and `save` took.
    stored : bool
        Whether its rows were written, see `trace_file` and `outcome_file`.
    """

    number: int
    size_u: float | None
    trace: str
    outcome: str
    row: Row
    languages: Mapping[str, Row]
    classes: Mapping[str, Row]
    seconds: Mapping[str, float]
    stored: bool


def trace_file(folder: Path, number: int) -> Path:
    """Where the trace of a run lies in a run folder."""
    return folder / f"trace_{number:03d}.npz"


def outcome_file(folder: Path, number: int) -> Path:
    """Where the outcome of a run lies in a run folder."""
    return folder / f"outcome_{number:03d}.npz"


def save(folder: Path, replications: Sequence[Replication]) -> None:
    """Write a block of finished runs, at least one; the folder is made if need be.

    Raises
    ------
    InputError
        If it cannot be written.
    """
    folder.mkdir(exist_ok=True)
    value = {"format": FORMAT, "runs": [asdict(replication) for replication in replications]}
    text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    write_atomic(folder / f"{replications[0].number:06d}.json", text.encode() + b"\n")


def load(folder: Path, rows: Path | None = None) -> dict[int, Replication]:
    """Finished runs by number; none if there is no such folder.

    A block that is damaged, and a run whose rows have gone from the folder `rows`, count as not done:
    doing them again gives the same.
    """
    found: dict[int, Replication] = {}
    for path in sorted(folder.glob("[0-9]*.json")):
        found |= {replication.number: replication for replication in _read(path)}
    if rows is None:
        return found
    files = (trace_file, outcome_file)
    return {n: r for n, r in found.items() if not r.stored or all(file(rows, n).is_file() for file in files)}


def _read(path: Path) -> list[Replication]:
    try:
        value: Any = json.loads(path.read_bytes())
        return [Replication(**run) for run in value["runs"]] if value["format"] == FORMAT else []
    except (OSError, ValueError, KeyError, TypeError):
        return []
