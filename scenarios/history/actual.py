"""What became of the cases of an imported trace: when each was answered, closed, given up, by whom.

A trace holds posts alone, so that a desk of any size can be played against it. What the real desk did
lies beside it, in a file of its own that names the trace by its digest.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar

import numpy as np

from scenarios.errors import TraceError
from scenarios.stored import Kept, Stored
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
class Actual(Kept):
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

    KIND: ClassVar[Stored] = FILE

    def knows(self, name: str) -> bool:
        """Whether the source told this column."""
        return name in self.about["known"]


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
    actual = Actual.read(path)
    if actual.about["trace"] != trace.digest or len(actual) != trace.cases:
        raise TraceError(
            f"{path}: belongs to the trace {actual.about['trace'][:12]}, not to {trace.digest[:12]}; "
            "give the trace that was imported with it, or import the tickets anew"
        )
    return actual
