"""What became of the cases of an imported trace: when each was answered, closed, given up, by whom.

A trace holds posts alone, so that a desk of any size can be played against it. What the real desk did
lies beside it, in a file of its own that names the trace by its digest.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import TraceError
from scenarios.files import write_atomic
from scenarios.traces import Trace

FORMAT = 1
ENDING = ".actual.npz"

COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "first_reply_s": np.float64,  # seconds from onset, inf: never, as far as the rows know
        "closed_s": np.float64,  # inf: never
        "left_s": np.float64,  # when the customer gave up, inf: never, or not known
        "handling_s": np.float64,  # all work on the case, nan: not known
        "agent": np.int32,  # number of the agent, NONE: nobody, or not known
    }
)
"""Columns with one value a case, in the order of the numbers of the cases in the trace."""


@dataclass(frozen=True)
class Actual:
    """What really happened to each case of one trace.

    Attributes
    ----------
    columns : mapping of str to (cases,) array
        As in `COLUMNS`. Arrays are read-only.
    about : mapping
        `trace` (digest of the trace), `source` (digest of the file that it was read from), `known` (names
        of the columns that the file told), `version`.
    digest : str
        SHA-256 over columns and `about`, in hexadecimal.
    """

    columns: Mapping[str, NDArray[Any]]
    about: Mapping[str, Any]
    digest: str = field(default="")

    def __post_init__(self) -> None:
        columns = {}
        for name, kind in COLUMNS.items():
            column = np.ascontiguousarray(self.columns[name], dtype=kind)
            column.flags.writeable = False
            columns[name] = column
        object.__setattr__(self, "columns", MappingProxyType(columns))
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))
        object.__setattr__(self, "digest", _digest(columns, self.about))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return int(self.columns["first_reply_s"].size)

    def knows(self, name: str) -> bool:
        """Whether the source told this column."""
        return name in self.about["known"]

    def save(self, path: Path) -> None:
        """Write it as `.npz`: whole, under a new name, then renamed; raises `InputError` if that fails."""
        head = {"format": FORMAT, "digest": self.digest, "about": dict(self.about)}

        def write(file: BinaryIO) -> None:
            text = np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8)
            np.savez_compressed(file, **{"_actual": text}, **self.columns)  # type: ignore[arg-type]

        write_atomic(path, write)


def beside(trace: Path) -> Path:
    """Where the actual lies that belongs to the trace in a file: december.npz has december.actual.npz."""
    return trace.with_name(trace.name.removesuffix(".npz") + ENDING)


def load(path: Path, trace: Trace) -> Actual:
    """Read what became of the cases of a trace.

    Raises
    ------
    TraceError
        If the file is missing, something else, of another format, damaged, or belongs to another trace.
    """
    if not path.is_file():
        raise TraceError(
            f"{path}: no such file; `ashcloud trace import` writes it beside the trace: only an imported trace "
            "has anything to be compared with"
        )
    try:
        with path.open("rb") as file:
            actual, digest = _read(path, file)
    except TraceError:
        raise
    except Exception as error:  # a damaged archive makes numpy and zipfile raise nearly anything
        raise TraceError(f"{path}: is damaged, or holds no replies ({error}); import the tickets anew") from error
    if actual.digest != digest:
        raise TraceError(f"{path}: is damaged, its digest does not match its columns; import the tickets anew")
    if actual.about["trace"] != trace.digest or len(actual) != trace.cases:
        raise TraceError(
            f"{path}: belongs to the trace {actual.about['trace'][:12]}, not to {trace.digest[:12]}; "
            "give the trace that was imported with it, or import the tickets anew"
        )
    return actual


def _read(path: Path, file: BinaryIO) -> tuple[Actual, str]:
    """The actual in an open file, and the digest that it should have."""
    stored = np.load(file, allow_pickle=False)
    names = set(stored.files) if isinstance(stored, np.lib.npyio.NpzFile) else set()
    if "_actual" not in names:
        raise TraceError(f"{path}: does not hold what became of a trace; import tickets to have it")
    head = json.loads(bytes(stored["_actual"]).decode())
    if head["format"] != FORMAT:
        raise TraceError(
            f"{path}: is of format {head['format']}, this version reads format {FORMAT}; import the tickets anew"
        )
    lacking = sorted(set(COLUMNS) - names)
    if lacking:
        raise TraceError(f"{path}: lacks the columns {', '.join(lacking)}; import the tickets anew")
    return Actual({name: stored[name] for name in COLUMNS}, head["about"]), head["digest"]


def _digest(columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    h = hashlib.sha256(json.dumps([FORMAT, dict(about)], sort_keys=True).encode())
    for name, column in columns.items():
        h.update(name.encode())
        h.update(column.data)
    return h.hexdigest()
