"""Everything that a user can cause, as one tree of exceptions.

    AshcloudError        exit code 2; the command prints it without a traceback
    |-- InputError       a file or a name that the user gave: its path and all its faults at once
    |-- ScenarioError    a scenario that reads well but cannot become a trace
    |-- TraceError       a trace that is damaged, too new, or not the one that was meant
    |-- DeskError        a desk or a plan that this engine cannot run
    |-- RunError         a run folder that is taken, unfinished or not a run
    `-- ComponentError   something that was to be used does not work: nobody listens, a process died; exit code 3

Our own bugs are none of these: they keep their traceback. `Faults` is the odd one out: a
`ValueError` for the validators of models, which `scenarios.files.check` turns into an `InputError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_SHOWN = 100
# A sentence that begins with one of these goes on from the place: "surges[1].peak is 900".
_CONTINUES = re.compile(
    r"(is|are|was|has|have|had|must|may|can|cannot|should|does|needs|names|ends|starts|begins|lies"
    r"|adds|sums|says|stands|goes) "
)


class AshcloudError(Exception):
    """Base of all that a user can cause; `str()` is fit to be printed as it is."""

    exit_code = 2


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a file: the place in the user's words, and what is wrong there.

    `place` is a key such as ``pools[2].shifts[0].start``, a line, or empty for the whole file.
    `what` says what it is, what it should be, what to do. `path` is set when the fault sits in
    another file than the one that was asked for, such as the one it extends.
    """

    place: str
    what: str
    path: Path | None = None

    def __str__(self) -> str:
        if not self.place:
            return self.what
        return f"{self.place}{'' if _continues(self.what) else ':'} {self.what}"


class InputError(AshcloudError):
    """A file or a name that the user gave is not usable.

    Attributes
    ----------
    path : Path or None
        The file as the user wrote it; None for a word that never became a file.
    faults : list of Fault
        All of them, in the order of the file where known; at least one.
    """

    def __init__(self, path: Path | str | None, faults: Iterable[Fault]) -> None:
        self.path = None if path is None else Path(path)
        self.faults = list(faults)
        super().__init__(self.path, self.faults)

    def __str__(self) -> str:
        lines = [self._line(fault) for fault in self.faults[:_SHOWN]]
        if len(self.faults) > _SHOWN:
            lines.append(f"... and {len(self.faults) - _SHOWN} more")
        return "\n".join(lines)

    def _line(self, fault: Fault) -> str:
        path = fault.path or self.path
        if path is None:
            return _printable(str(fault))
        joint = " " if not fault.place and _continues(fault.what) else ": "
        return _printable(f"{path}{joint}{fault}")


class ScenarioError(AshcloudError):
    """A scenario that reads well but cannot become a trace: a rate below zero, say."""


class TraceError(AshcloudError):
    """A trace that is damaged, written by a later version, or not the one that was meant."""


class DeskError(AshcloudError):
    """A desk or a plan that cannot be run: nobody speaks a language, an engine lacks a rule."""


class RunError(AshcloudError):
    """A run folder that is already taken, unfinished, or not a run at all."""


class ComponentError(AshcloudError):
    """Something that was to be used does not work: a service that is down, a process that died."""

    exit_code = 3


class Faults(ValueError):
    """Several faults found by one validator of a model, each with its place inside that model.

    Raise it from a model validator so that the user sees all of them together::

        raise Faults([("turns", "the probabilities sum to 1.2, not to 1"),
                      ("shifts[2].end_h", "is 4, not after start_h, which is 8")])

    A place is relative to the model that raises, empty for the model itself.
    """

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self.pairs = list(pairs)
        super().__init__("; ".join(str(Fault(place, what)) for place, what in self.pairs))


def _continues(sentence: str) -> bool:
    return _CONTINUES.match(sentence) is not None


def _printable(line: str) -> str:
    """A name or a value from a file must not move the cursor or break the line."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)
