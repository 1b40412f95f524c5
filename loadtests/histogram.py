"""Times counted in buckets of 1 %: small, exact to the bucket, and mergeable across workers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOW_S = 1e-6
STEP = math.log(1.01)
CELLS = 2100  # up to LOW_S * 1.01**2100, some 1,200 s


@dataclass(frozen=True)
class Histogram:
    """Counts of times in buckets that are 1 % wide, from a microsecond to twenty minutes.

    Attributes
    ----------
    cells : (2100,) int64
        Times below a microsecond are in the first, those above 1,200 s in the last.
    total_s, max_s : float
        Sum and maximum of the times themselves, so that a mean is exact; `max_s` is 0 if there are none.
    """

    cells: NDArray[np.int64]
    total_s: float = 0.0
    max_s: float = 0.0

    @classmethod
    def of(cls, times_s: ArrayLike) -> Histogram:
        """Count times; what never ended (nan, inf) is left out."""
        times = np.asarray(times_s, dtype=np.float64)
        times = times[np.isfinite(times)]
        if times.size == 0:
            return cls.empty()
        places = np.log(np.maximum(times, LOW_S) / LOW_S) / STEP
        cells = np.bincount(np.minimum(places.astype(np.int64), CELLS - 1), minlength=CELLS)
        return cls(cells.astype(np.int64), float(times.sum()), float(max(times.max(), 0.0)))

    @classmethod
    def empty(cls) -> Histogram:
        return cls(np.zeros(CELLS, dtype=np.int64))

    def __add__(self, other: Histogram) -> Histogram:
        return Histogram(
            self.cells + other.cells, self.total_s + other.total_s, max(self.max_s, other.max_s)
        )  # fmt: skip

    @property
    def count(self) -> int:
        return int(self.cells.sum())

    @property
    def mean_s(self) -> float:
        """Exact mean; nan if nothing was counted."""
        return self.total_s / self.count if self.count else math.nan

    def quantile_s(self, q: float) -> float:
        """Upper end of the bucket that holds the quantile, 1 % too high at most; nan if nothing was counted."""
        count = self.count
        if not count:
            return math.nan
        need = max(1, math.ceil(q * count - 1e-9))
        place = int(np.searchsorted(np.cumsum(self.cells), need))
        return min(LOW_S * math.exp((place + 1) * STEP), self.max_s)

    def above(self, limit_s: float) -> int:
        """How many lie above a limit, exact to the bucket that holds it."""
        place = int(math.log(max(limit_s, LOW_S) / LOW_S) / STEP)
        return int(self.cells[min(place + 1, CELLS) :].sum())

    def below(self, bounds_s: Sequence[float]) -> list[int]:
        """How many lie at or below each bound; of the bucket that holds a bound none: they are at most 1 % below it."""
        sums = np.concatenate(([0], np.cumsum(self.cells)))
        places = [int(math.log(max(bound_s, LOW_S) / LOW_S) / STEP) for bound_s in bounds_s]
        return [int(sums[min(place, CELLS)]) for place in places]

    def to_dict(self) -> dict[str, Any]:
        """Sparse, ready for JSON and for a message."""
        places = np.flatnonzero(self.cells)
        return {
            "places": places.tolist(),
            "counts": self.cells[places].tolist(),
            "total_s": self.total_s,
            "max_s": self.max_s,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Histogram:
        """The histogram that `to_dict` told."""
        cells = np.zeros(CELLS, dtype=np.int64)
        cells[np.asarray(data["places"], dtype=np.int64)] = data["counts"]
        return cls(cells, float(data["total_s"]), float(data["max_s"]))


@dataclass
class Times:
    """A histogram in the making, a time after the other: as small after a day as after a minute."""

    places: Counter[int] = field(default_factory=Counter)
    total_s: float = 0.0
    max_s: float = 0.0

    def add(self, time_s: float) -> None:
        """Count a time."""
        self.places[min(int(math.log(max(time_s, LOW_S) / LOW_S) / STEP), CELLS - 1)] += 1
        self.total_s += time_s
        self.max_s = max(self.max_s, time_s)

    def counted(self) -> Histogram:
        """What was counted so far."""
        cells = np.zeros(CELLS, dtype=np.int64)
        cells[list(self.places)] = list(self.places.values())
        return Histogram(cells, self.total_s, self.max_s)
