"""Who waited when and who was at work when, in scenario seconds: what a drill leaves behind beside its counts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Spans:
    """Stretches of time.

    Attributes
    ----------
    of : (n,) int64
        Whose: number of a case, or of an agent.
    from_s, until_s : (n,) float64
        inf: it had no end.
    """

    of: NDArray[np.int64]
    from_s: FloatArray
    until_s: FloatArray

    @classmethod
    def made(cls, rows: Iterable[tuple[int, float, float]]) -> Spans:
        """From rows of (whose, from, until)."""
        table = np.array(list(rows), dtype=np.float64).reshape(-1, 3)
        return cls(table[:, 0].astype(np.int64), table[:, 1], table[:, 2])


class Ledger:
    """Notes the waits of customers and the turns of agents as they begin and end."""

    def __init__(self) -> None:
        self._waiting: dict[int, float] = {}
        self._waited: list[tuple[int, float, float]] = []

    @property
    def waiting(self) -> int:
        """Cases that wait now."""
        return len(self._waiting)

    def waits(self, case: int, at_s: float) -> None:
        """A case begins to wait for an agent; one that waits already goes on."""
        self._waiting.setdefault(case, at_s)

    def waits_no_more(self, case: int, at_s: float) -> None:
        """It does not wait any more, if it did."""
        since_s = self._waiting.pop(case, None)
        if since_s is not None:
            self._waited.append((case, since_s, max(at_s, since_s)))

    def waits_of(self) -> Spans:
        """All waits; those that go on have no end."""
        return Spans.made([*self._waited, *((case, since_s, math.inf) for case, since_s in self._waiting.items())])
