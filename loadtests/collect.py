"""Rows as they end: packed by workers, put into their places in the order of the trace, counted as they come."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.histogram import Histogram
from loadtests.result import COLUMNS, LATER, TIMES, Outcome, later
from loadtests.schedule import Schedule
from loadtests.sender import Ended

MOST_ERRORS = 1000
OTHER = "other errors"
LOST = "lost with its worker"
_ROW = struct.Struct("<idddhbh")
_DTYPE = np.dtype(
    [("place", "<i4"), ("sent_s", "<f8"), ("first_byte_s", "<f8"), ("done_s", "<f8"), ("status", "<i2"),
     ("outcome", "<i1"), ("error", "<i2")]
)  # fmt: skip


class Packer:
    """Rows of a worker on their way to the collector: 33 bytes each."""

    def __init__(self, start_s: float) -> None:
        self._start_s = start_s
        self._rows = bytearray()
        self._errors: dict[str, int] = {}
        self._told = 0

    def add(self, row: Ended) -> None:
        error = self._place(row.error) if row.error else -1
        start_s = self._start_s
        self._rows += _ROW.pack(
            row.place, row.sent_s - start_s, row.first_s - start_s, row.done_s - start_s, row.status, row.outcome, error
        )

    def take(self) -> dict[str, Any]:
        """What was added since the last time, as a message: `rows` and the `errors` that are new."""
        rows, self._rows = bytes(self._rows), bytearray()
        errors = list(self._errors)[self._told :]
        self._told = len(self._errors)
        return {"rows": rows, "errors": errors}

    def _place(self, error: str) -> int:
        if error not in self._errors and len(self._errors) >= MOST_ERRORS:
            error = OTHER
        return self._errors.setdefault(error, len(self._errors))


class Collector:
    """Puts rows of all workers into the order of the schedule; each has those of `Schedule.of_part`."""

    def __init__(self, schedule: Schedule, workers: int, by_author: bool = False) -> None:
        n = len(schedule)
        self._due_s: NDArray[np.float64] = schedule["due_s"]
        self._rows = [schedule.of_part(worker, workers, by_author) for worker in range(workers)]
        self._known = np.zeros(n, dtype=bool)
        self._columns: dict[str, NDArray[Any]] = {
            "replication": schedule["replication"], "row": schedule["row"], "time_s": schedule["time_s"],
            "due_s": schedule["due_s"],
            **{name: np.full(n, np.nan) for name in ("sent_s", "first_byte_s", "done_s")},
            "status": np.zeros(n, dtype=np.int16),
            "outcome": np.full(n, Outcome.UNSENT, dtype=np.int8),
            "error": np.full(n, -1, dtype=np.int16),
            "worker": np.zeros(n, dtype=np.int16),
        }  # fmt: skip
        for worker, mine in enumerate(self._rows):
            self._columns["worker"][mine] = worker
        self.errors: list[str] = []
        self._texts: list[list[int]] = [[] for _ in range(workers)]
        phases = schedule.about["phases"] or []
        self._edges = [(str(p["name"]), float(p["from_s"]), float(p["to_s"])) for p in phases]
        self.tallies = [Tally(name) for name in ("all", *(name for name, _, _ in self._edges))]
        self.later = Tally(LATER) if later(self._due_s, phases).any() else None

    def add(self, worker: int, message: dict[str, Any]) -> None:
        """Take in what a `Packer` has told."""
        self._texts[worker] += [self._error(text) for text in message["errors"]]
        rows = np.frombuffer(message["rows"], dtype=_DTYPE)
        places = self._rows[worker][rows["place"]]
        for name in ("sent_s", "first_byte_s", "done_s", "status", "outcome"):
            self._columns[name][places] = rows[name]
        texts = np.array([*self._texts[worker], -1], dtype=np.int16)
        self._columns["error"][places] = texts[rows["error"]]
        self._known[places] = True
        self._tell(places)

    def lose(self, worker: int, at_s: float) -> int:
        """Close the books of a worker that is gone since `at_s`; how many rows of it nobody knows.

        Those due by then may have been sent, so they are abandoned; the others were not sent.
        """
        mine = (self._columns["worker"] == worker) & ~self._known
        due = mine & (self._due_s <= at_s)
        self._columns["outcome"][due] = Outcome.ABANDONED
        self._columns["error"][mine] = self._error(LOST)
        self._known |= mine
        self._tell(np.flatnonzero(mine))
        return int(np.count_nonzero(mine))

    def begun(self, worker: int) -> int:
        """Rows of a worker that have an end, or were abandoned."""
        return int(np.count_nonzero(self._columns["outcome"][self._rows[worker]] != Outcome.UNSENT))

    def close(self) -> None:
        """Nothing more will come: what is not known was not sent."""
        rest = np.flatnonzero(~self._known)
        self._known[rest] = True
        self._tell(rest)

    def columns(self) -> dict[str, NDArray[Any]]:
        """As in `loadtests.result.COLUMNS`."""
        return {name: self._columns[name] for name in COLUMNS}

    def due(self, at_s: float) -> int:
        """How many rows were due by then."""
        return int(np.searchsorted(self._due_s, at_s, side="right"))

    def _error(self, text: str) -> int:
        if text not in self.errors:
            self.errors.append(text)
        return self.errors.index(text)

    def _tell(self, places: NDArray[np.int64]) -> None:
        due_s = self._due_s[places]
        chosen = [np.ones(places.size, dtype=bool)]
        chosen += [(due_s >= from_s) & (due_s < to_s) for _, from_s, to_s in self._edges]
        tallies = self.tallies
        if self.later is not None:
            tallies, chosen = [*tallies, self.later], [*chosen, ~np.any(chosen[1:], axis=0)]
        for tally, some in zip(tallies, chosen, strict=True):
            if some.any():
                tally.add(
                    {name: self._columns[name][places[some]] for name in ("due_s", "sent_s", "done_s", "outcome")}
                )


class Tally:
    """Counts and times of a phase so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._outcomes = np.zeros(len(Outcome), dtype=np.int64)
        self._times = {name: Histogram.empty() for name in TIMES}

    def add(self, rows: dict[str, NDArray[Any]]) -> None:
        self._outcomes += np.bincount(rows["outcome"], minlength=len(Outcome))
        ended = np.isin(rows["outcome"], (Outcome.ANSWERED, Outcome.FAILED))
        self._times["latency"] += Histogram.of((rows["done_s"] - rows["due_s"])[ended])
        self._times["lag"] += Histogram.of(rows["sent_s"] - rows["due_s"])
        self._times["service"] += Histogram.of((rows["done_s"] - rows["sent_s"])[ended])

    def to_dict(self) -> dict[str, Any]:
        """As `loadtests.result.LoadResult.counts`, with sparse histograms."""
        each: Sequence[int] = self._outcomes.tolist()
        return {
            "name": self.name,
            **{outcome.name.lower(): each[outcome] for outcome in Outcome},
            **{name: times.to_dict() for name, times in self._times.items()},
        }
