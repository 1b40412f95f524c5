"""What a replay left behind: a row for each row that was due, in that order, and what the machines did meanwhile."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from loadtests.histogram import Histogram
from scenarios.storage import write_atomic
from scenarios.stored import Kept, Stored

FORMAT = 1
FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
LAG = "lag"
TIMES = ("latency", LAG, "service")
LATER = "later"  # the part of the rows that are due in no phase
QUANTILES = (0.5, 0.9, 0.95, 0.99, 0.999)


class Outcome(IntEnum):
    """What became of a row: exactly one of these."""

    UNSENT = 0  # the replay was stopped before it was sent
    ANSWERED = 1  # the answer counts as a success
    FAILED = 2  # any other answer, a broken connection, or none in time
    SHED = 3  # the server said that it has too much to do: 429, or 503 with Retry-After
    DROPPED = 4  # due, but no connection was left, or the budget was spent: never the server's fault
    ABANDONED = 5  # sent, but the replay ended, or its worker was lost, before there was an answer


SENT = (Outcome.ANSWERED, Outcome.FAILED, Outcome.SHED)
"""Sent, and known how it ended. With what is abandoned, dropped and unsent they are all rows."""

COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "replication": np.int32,  # of the scenario, 0 is the trace itself; amplified runs have more
        "row": np.int32,  # in the trace of that replication
        "time_s": np.float64,  # of the post, seconds from the scenario's onset
        "due_s": np.float64,  # seconds from the start of the replay, ascending
        "sent_s": np.float64,  # the (first) request was handed to its connection, which may still be opening, or
        # stood in line until another row of its author was through; nan: never
        "first_byte_s": np.float64,  # of the answer; nan: never
        "done_s": np.float64,  # the answer was complete, or it was clear that there will be none; nan: never
        "status": np.int16,  # of HTTP, 0: no answer
        "outcome": np.int8,  # Outcome
        "error": np.int16,  # place in about["errors"], -1: none
        "worker": np.int16,  # number of the worker that had it, from 0
    }
)

FILE = Stored(
    "_load", FORMAT, COLUMNS,
    version="a load result of format",
    absent="`ashcloud load` writes one",
    other="is no load result of ashcloud",
    damaged="no load result",
    remedy="run the load test again",
)  # fmt: skip


@dataclass(frozen=True)
class LoadResult(Kept):
    """One row a request that was due, in the order of the trace, and where it came from.

    Attributes
    ----------
    columns : mapping of str to (n,) array
        As in `COLUMNS`, read-only.
    about : mapping, ready for JSON
        `scenario`, `scenario_digest`, `traces` (digest of each replication), `schedule` (digest of what was
        due), `seed`, `version`; `target` and `options`, without secrets; `started` (UTC), `status` (finished,
        interrupted, aborted); `due` and `handed` (rows that were due by its end, and taken up); `max_lag_s`
        (how late it was allowed to be); `errors` (texts that the column `error` points at); `phases` (name,
        from_s, to_s by due time); `workers` (a mapping each, see `loadtests.health`; of several also how far
        their clocks are from the master's, see `loadtests.clock`); `server` (times_s, series: the metrics of
        the server, by name); `mishaps`, where something was broken on purpose, see
        `loadtests.mischief.Mischief.told`.
    digest : str
        SHA-256 over columns and `about`.
    """

    KIND: ClassVar[Stored] = FILE

    @property
    def latency_s(self) -> FloatArray:
        """(n,) From the due time to the end: what whoever was due at that moment has waited; nan: no end."""
        out: FloatArray = self["done_s"] - self["due_s"]
        return out

    @property
    def lag_s(self) -> FloatArray:
        """(n,) From the due time to the send: the error of the generator itself; nan: not sent."""
        out: FloatArray = self["sent_s"] - self["due_s"]
        return out

    @property
    def service_s(self) -> FloatArray:
        """(n,) From the send to the end: what a closed loop would report; nan: not sent or no end."""
        out: FloatArray = self["done_s"] - self["sent_s"]
        return out

    def of(self, *outcomes: Outcome) -> BoolArray:
        """(n,) Which rows ended so."""
        out: BoolArray = np.isin(self["outcome"], outcomes)
        return out

    def between(self, from_s: float, to_s: float) -> BoolArray:
        """(n,) Which rows were due from `from_s` to before `to_s`, seconds from the start of the replay."""
        out: BoolArray = (self["due_s"] >= from_s) & (self["due_s"] < to_s)
        return out

    def counts(self, where: BoolArray | None = None) -> dict[str, int]:
        """Rows by outcome, with `rows` and `sent`; rows = sent + abandoned + dropped + unsent."""
        found = self["outcome"] if where is None else self["outcome"][where]
        each = np.bincount(found, minlength=len(Outcome))
        return {
            "rows": int(found.size),
            "sent": int(each[list(SENT)].sum()),
            **{outcome.name.lower(): int(each[outcome]) for outcome in Outcome},
        }

    def histograms(self, where: BoolArray | None = None) -> dict[str, Histogram]:
        """Latency and service time of the rows that were answered or failed, lag of all that were sent."""
        chosen = np.ones(len(self), dtype=bool) if where is None else where
        ended = chosen & self.of(Outcome.ANSWERED, Outcome.FAILED)
        return {
            "latency": Histogram.of(self.latency_s[ended]),
            LAG: Histogram.of(self.lag_s[chosen]),
            "service": Histogram.of(self.service_s[ended]),
        }

    def summary(self, where: BoolArray | None = None, in_order: bool = True) -> dict[str, Any]:
        """Counts and times, ready for JSON; None where nothing was counted, or nothing may be told.

        Of a generator that was not in order (see `loadtests.health`) only the lag is told: all other times are
        its own as much as the service's.
        """
        out: dict[str, Any] = self.counts(where)
        for name, times in self.histograms(where).items():
            some = times.count > 0 and (in_order or name == LAG)
            out[f"{name}_ms"] = {
                "mean": 1e3 * times.mean_s if some else None,
                **{f"p{100 * q:g}": 1e3 * times.quantile_s(q) if some else None for q in QUANTILES},
                "max": 1e3 * times.max_s if some else None,
            }
        return out

    def to_dict(self, in_order: bool = True) -> dict[str, Any]:
        """Everything but the rows, ready for JSON; histograms can be merged with those of other runs.

        `in_order`: of the generator, see `summary`.
        """
        phases = [
            {**phase, **self.summary(self.between(phase["from_s"], phase["to_s"]), in_order)}
            for phase in self.about["phases"]
        ]
        if (beyond := later(self["due_s"], self.about["phases"])).any():
            phases.append({"name": LATER, **self.summary(beyond, in_order)})
        told = {name: times for name, times in self.histograms().items() if in_order or name == LAG}
        histograms = {name: times.to_dict() for name, times in told.items()}
        about = {**self.about, "phases": phases}
        return {"digest": self.digest, **self.summary(in_order=in_order), "histograms": histograms, **about}

    def save(self, path: Path, in_order: bool = True) -> None:
        """Write `.npz` and a `.json` beside it, each under a new name, then renamed; raises `InputError`."""
        super().save(path)
        text = json.dumps(self.to_dict(in_order), indent=1, allow_nan=False)
        write_atomic(path.with_suffix(".json"), text.encode() + b"\n")


def later(due_s: FloatArray, phases: Sequence[Mapping[str, Any]]) -> BoolArray:
    """(n,) Which rows are due in none of the phases, held back beyond the last one; without phases none is."""
    inside = np.full(due_s.size, not phases)
    for phase in phases:
        inside |= (due_s >= phase["from_s"]) & (due_s < phase["to_s"])
    out: BoolArray = ~inside
    return out


def load(path: Path) -> LoadResult:
    """Read a load result from its `.npz`; raises `TraceError` if it is missing, something else, or damaged."""
    return LoadResult.read(path)
