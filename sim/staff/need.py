"""What seats are made of: work by language, a total, and how much each language needs of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.staff.allot import Allotment
from sim.staff.days import LANGUAGES
from sim.staff.seats import Seats

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
PER_HOUR = 4
SMALL = 0.5  # of a seat: a language that needs less may be without one for some hours


@dataclass(frozen=True)
class Need:
    """What the seats are made of.

    Attributes
    ----------
    work : (languages, intervals) float64
        Offered load in erlangs.
    total : (intervals,) float64
        Seats in all.
    factor : (languages,) float64
        Seats that a language needs for an erlang of its work.
    idle : (languages,) float64
        Share of a small language's work for which nobody need be there.
    """

    work: FloatArray
    total: FloatArray
    factor: FloatArray
    idle: FloatArray

    def is_small(self) -> NDArray[np.bool_]:
        """(languages,) whether a language never has half a seat's work."""
        out: NDArray[np.bool_] = self.work.max(axis=1) < SMALL
        return out

    def by_language(self) -> FloatArray:
        """(languages, intervals) seats that each language needs."""
        need: FloatArray = self.factor[:, None] * self.work
        for number in np.flatnonzero((self.idle > 0.0) & self.is_small()):
            need[number, self._idle_hours(int(number))] = 0.0
        return need

    def _idle_hours(self, number: int) -> IntArray:
        """Intervals of the hours with the least work of a language, together at most its share `idle`."""
        hour = np.arange(self.work.shape[1]) // PER_HOUR
        mass = np.bincount(hour, self.work[number])
        order = np.argsort(mass, kind="stable")
        off = order[np.cumsum(mass[order]) <= self.idle[number] * mass.sum()]
        return np.flatnonzero(np.isin(hour, off))

    def seats(self, allotment: Allotment, start_s: float) -> Seats:
        """Heads of pools, whole; what languages need holds for an hour, the total for each interval."""
        need = self.by_language()[[LANGUAGES.index(language) for language in allotment.languages]]
        padded = np.pad(need, ((0, 0), (0, -need.shape[1] % PER_HOUR)), mode="edge")
        by_hour = padded.reshape(need.shape[0], -1, PER_HOUR).max(axis=2)
        return Seats(start_s, allotment.heads(by_hour, PER_HOUR, self.total))
