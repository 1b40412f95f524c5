"""A trace: columns, one row a post from outside, in time order; frozen, with a digest.

The digest, not the seed, is the unit of reproduction: numpy promises the same streams for one
build only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from scenarios.names import NONE, PostKind, code
from scenarios.stored import Kept, Stored

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


FILE = Stored(
    "_head", FORMAT, COLUMNS,
    version="a trace of format",
    absent="write one with `ashcloud trace generate`",
    other="is no trace of ashcloud; generate one",
    damaged="no trace",
    remedy="generate it anew",
)  # fmt: skip


@dataclass(frozen=True)
class Trace(Kept):
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

    KIND: ClassVar[Stored] = FILE

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


def load(path: Path) -> Trace:
    """Read a trace and check that it is whole.

    Raises
    ------
    TraceError
        If the file is missing, no trace, of another format, or damaged.
    """
    return Trace.read(path)


__all__ = ["COLUMNS", "FORMAT", "NONE", "Trace", "load"]
