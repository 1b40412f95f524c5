"""A trace: columns, one row a post from outside, in time order; frozen, with a digest.

The digest, not the seed, is the unit of reproduction: numpy promises the same streams for one
build only.
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
from scenarios.names import NONE, PostKind, code

FORMAT = 1

COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "time_s": np.float64,  # seconds from onset, ascending
        "author": np.int32,  # number of the person; several posts of one author share it
        "case": np.int32,  # number of the case in order of opening, NONE for chatter and calls
        "parent": np.int32,  # row that set this one off, NONE for none
        "kind": np.int8,  # PostKind
        "language": np.int8,
        "platform": np.int8,  # of a call: where its caller would write
        "visibility": np.int8,
        "topic": np.int8,
        "stage": np.int8,
        "sentiment": np.int8,
        "tier": np.int8,
        "form": np.int8,  # TextForm
        "customer": np.bool_,
        "influence": np.float32,  # followers
        "departure_h": np.float32,  # hours from the post to the flight, 0: it has left, inf: no booking
        "flight": np.int16,  # number of the flight, NONE: no booking
        "text": np.int32,  # code of the text, see scenarios.text
    }
)
"""Columns of a trace with their types; enumerated columns hold codes of `scenarios.names`."""


@dataclass(frozen=True)
class Trace:
    """Posts from outside, in time order, and where they came from.

    Attributes
    ----------
    columns : mapping of str to (n,) array
        As in `COLUMNS`. Arrays are read-only.
    about : mapping
        `scenario` (name), `scenario_digest`, `seed`, `replication`, `size_u` (the size drawn for the
        surges, as its quantile, or None for the likely size), `window_s` ([start, end]), `timezone` and
        `onset_local` (for clock times), `version`.
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
        return int(self.columns["time_s"].size)

    @property
    def mentions(self) -> int:
        """Number of posts; calls are counted apart."""
        return int(np.count_nonzero(self["kind"] != code(PostKind.CALL)))

    @property
    def cases(self) -> int:
        """Number of cases that the posts open."""
        return int(np.count_nonzero(self["kind"] == code(PostKind.CASE)))

    def info(self) -> dict[str, Any]:
        """Counts and provenance, ready for JSON."""
        kinds = np.bincount(self["kind"], minlength=len(PostKind))
        return {
            **self.about,
            "digest": self.digest,
            "rows": len(self),
            "mentions": self.mentions,
            "cases": self.cases,
            "kinds": {kind.value: int(kinds[code(kind)]) for kind in PostKind},
            "bytes_per_row": sum(c.itemsize for c in self.columns.values()),
        }

    def save(self, path: Path) -> None:
        """Write the trace as `.npz`: whole, under a new name, then renamed.

        Raises
        ------
        InputError
            If the folder does not exist or cannot be written.
        """
        head = {"format": FORMAT, "digest": self.digest, "about": dict(self.about)}

        def write(file: BinaryIO) -> None:
            text = np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8)
            np.savez_compressed(file, **{"_head": text}, **self.columns)  # type: ignore[arg-type]

        write_atomic(path, write)


def load(path: Path) -> Trace:
    """Read a trace and check that it is whole.

    Raises
    ------
    TraceError
        If the file is missing, no trace, of another format, or damaged.
    """
    if not path.is_file():
        raise TraceError(f"{path}: no such file; write one with `ashcloud trace generate`")
    try:
        with path.open("rb") as file:
            trace, digest = _read(path, file)
    except TraceError:
        raise
    except Exception as error:  # a damaged archive makes numpy and zipfile raise nearly anything
        raise TraceError(f"{path}: is damaged or no trace ({error}); generate it anew") from error
    if trace.digest != digest:
        raise TraceError(f"{path}: is damaged, its digest does not match its columns; generate it anew")
    return trace


def _read(path: Path, file: BinaryIO) -> tuple[Trace, str]:
    """The trace in an open file, and the digest that it should have."""
    stored = np.load(file, allow_pickle=False)
    names = set(stored.files) if isinstance(stored, np.lib.npyio.NpzFile) else set()
    if "_head" not in names:
        raise TraceError(f"{path}: is no trace of ashcloud; generate one")
    head = json.loads(bytes(stored["_head"]).decode())
    if head["format"] != FORMAT:
        raise TraceError(
            f"{path}: is a trace of format {head['format']}, this version reads format {FORMAT}; generate it anew"
        )
    lacking = sorted(set(COLUMNS) - names)
    if lacking:
        raise TraceError(f"{path}: lacks the columns {', '.join(lacking)}; generate it anew")
    return Trace({name: stored[name] for name in COLUMNS}, head["about"]), head["digest"]


def _digest(columns: Mapping[str, NDArray[Any]], about: Mapping[str, Any]) -> str:
    h = hashlib.sha256(json.dumps([FORMAT, dict(about)], sort_keys=True).encode())
    for name, column in columns.items():
        h.update(name.encode())
        h.update(column.data)
    return h.hexdigest()


__all__ = ["COLUMNS", "FORMAT", "NONE", "Trace", "load"]
