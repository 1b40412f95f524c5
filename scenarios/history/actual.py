"""What became of the cases of an imported trace: when each was answered, closed, given up, by whom.

A trace holds posts alone, so that a desk of any size can be played against it. What the real desk did
lies beside it, in a file of its own that names the trace by its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import TraceError
from scenarios.stored import Stored
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


FILE = Stored(
    "_actual", FORMAT, COLUMNS,
    version="of format",
    absent="`ashcloud trace import` writes it beside the trace: only an imported one has anything to be compared with",
    other="does not hold what became of a trace; import tickets to have it",
    damaged="holds no replies",
    remedy="import the tickets anew",
)  # fmt: skip


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
        columns = FILE.frozen(self.columns)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))
        object.__setattr__(self, "digest", FILE.digest(columns, self.about))

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self.columns[name]

    def __len__(self) -> int:
        return int(self.columns["first_reply_s"].size)

    def knows(self, name: str) -> bool:
        """Whether the source told this column."""
        return name in self.about["known"]

    def save(self, path: Path) -> None:
        """Write it as `.npz`: whole, under a new name, then renamed; raises `InputError` if that fails."""
        FILE.save(path, self.columns, self.about, self.digest)


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
    columns, about, digest = FILE.load(path)
    actual = Actual(columns, about)
    FILE.checked(path, actual.digest, digest)
    if actual.about["trace"] != trace.digest or len(actual) != trace.cases:
        raise TraceError(
            f"{path}: belongs to the trace {actual.about['trace'][:12]}, not to {trace.digest[:12]}; "
            "give the trace that was imported with it, or import the tickets anew"
        )
    return actual
