"""Service-level objectives in a line: ``p99<500ms,errors<0.1%``, or as k6 has them, ``p(99)<500``.

Each holds in every phase of the scenario by itself, as a good night makes up for no bad evening; with a phase
in front, ``peak:p99<2s``, in that one alone.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from loadtests.histogram import Histogram
from loadtests.result import LATER, LoadResult, later
from scenarios.errors import Fault, InputError

ALL = "all"
_TERM = re.compile(
    r"(?:(?P<phase>[a-z][\w-]*)\s*:)?\s*(?P<metric>p\(?\d{1,2}(?:\.\d+)?\)?|mean|avg|med|max|errors|rate|shed)"
    r"\s*(?P<op><=?)\s*(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>ms|s|%)?"
)
_SHARES = {"errors": "errors", "rate": "errors", "shed": "shed"}
_SAME = {"avg": "mean", "med": "p50"}
State = Literal["kept", "broken", "too few rows", "not told"]


@dataclass(frozen=True)
class Objective:
    """One limit.

    Attributes
    ----------
    text : str
        As it was written.
    phase : str
        In which it holds; empty: in each.
    metric : str
        ``p99``, ``mean``, ``max``, in seconds; ``errors``, ``shed``, shares of what was sent and has ended.
    limit : float
        In seconds, or a share.
    inclusive : bool
        Whether the limit itself is still kept.
    """

    text: str
    phase: str
    metric: str
    limit: float
    inclusive: bool

    @property
    def least_rows(self) -> int:
        """Fewer rows say nothing about it."""
        if self.metric.startswith("p"):
            return math.ceil(1.0 / (1.0 - _share(self.metric)) - 1e-9)
        return 1

    def value(self, counts: Mapping[str, Any], latency: Histogram) -> float | None:
        """What was reached; None if there are too few rows to tell."""
        ended = counts["answered"] + counts["failed"] + counts["shed"]
        rows = ended if self.metric in ("errors", "shed") else latency.count
        if rows < self.least_rows:
            return None
        if self.metric in ("errors", "shed"):
            return float(counts["failed" if self.metric == "errors" else "shed"]) / float(ended)
        if self.metric == "mean":
            return latency.mean_s
        return latency.max_s if self.metric == "max" else latency.quantile_s(_share(self.metric))

    def lost(self, rows: int, counts: Mapping[str, Any], latency: Histogram) -> bool:
        """Whether it is broken for good, however well the rest of the `rows` of a phase may go."""
        if self.metric in ("errors", "shed"):
            return not self.keeps(counts["failed" if self.metric == "errors" else "shed"] / max(rows, 1))
        if latency.count < self.least_rows:
            return False
        if self.metric == "mean":
            return not self.keeps(latency.total_s / max(rows, 1))
        if self.metric == "max":
            return not self.keeps(latency.max_s)
        may_be_above = rows - math.ceil(_share(self.metric) * rows - 1e-9)
        return latency.above(self.limit) > may_be_above

    def keeps(self, value: float) -> bool:
        return value <= self.limit if self.inclusive else value < self.limit


@dataclass(frozen=True)
class Check:
    """What became of an objective in a phase; of a generator that was not in order nothing is told."""

    objective: Objective
    phase: str
    value: float | None
    rows: int
    in_order: bool = True

    @property
    def state(self) -> State:
        if not self.in_order:
            return "not told"
        if self.value is None:
            return "too few rows"
        return "kept" if self.objective.keeps(self.value) else "broken"

    def to_dict(self) -> dict[str, Any]:
        o = self.objective
        value = self.value if self.in_order else None
        return {"slo": o.text, "phase": self.phase, "metric": o.metric, "limit": o.limit, "value": value,
                "rows": self.rows, "state": self.state}  # fmt: skip


def parse(words: str, phases: Sequence[str] = ()) -> tuple[Objective, ...]:
    """Read objectives.

    Parameters
    ----------
    words : str
        Separated by commas. Times without a unit are milliseconds, shares without one are shares.
    phases : sequence of str
        Names that may stand in front; empty: any.

    Raises
    ------
    InputError
        With all that cannot be read.
    """
    found, wrong = [], []
    for part in [part.strip() for part in words.split(",") if part.strip()]:
        match = _TERM.fullmatch(part)
        fault = (
            "reads like p99<500ms, mean<200ms, errors<0.1% or peak:p99<2s" if match is None else _fault(match, phases)
        )
        if match is None or fault:
            wrong.append(Fault(f"--slo {part}", fault))
        else:
            found.append(_objective(part, match))
    if not found and not wrong:
        wrong.append(Fault("--slo", "is empty; write it like p99<500ms,errors<0.1%"))
    if wrong:
        raise InputError(None, wrong)
    return tuple(found)


def _fault(match: re.Match[str], phases: Sequence[str]) -> str:
    share = match["metric"] in _SHARES
    if match["phase"] and phases and match["phase"] not in phases:
        return f"names the phase {match['phase']}; those that are played are {', '.join(phases)}"
    if match["unit"] is not None and share != (match["unit"] == "%"):
        return "is a share, as in errors<0.1%" if share else "is a time, as in p99<500ms"
    if share and float(match["number"]) > (100.0 if match["unit"] else 1.0):
        return "is above all; a share is at most 1 or 100 %"
    if match["metric"].startswith("p") and not 0.0 < float(match["metric"].strip("p()")) < 100.0:
        return "is no percentile; they lie between 0 and 100"
    return ""


def _objective(text: str, match: re.Match[str]) -> Objective:
    metric = match["metric"]
    metric = _SHARES.get(metric) or _SAME.get(metric) or metric.replace("(", "").replace(")", "")
    divisor = {"s": 1.0, "ms": 1e3, "%": 100.0}.get(match["unit"] or ("" if metric in _SHARES else "ms"), 1.0)
    return Objective(text, match["phase"] or "", metric, float(match["number"]) / divisor, match["op"] == "<=")


def judge(objectives: Iterable[Objective], result: LoadResult, in_order: bool = True) -> list[Check]:
    """Hold a result against objectives, phase by phase; a result without phases is one, ``all``.

    What was held back beyond the last phase is a part of its own, ``later``.

    `in_order`: whether the generator was, see `loadtests.health`.
    """
    parts = [(str(p["name"]), result.between(p["from_s"], p["to_s"])) for p in result.about["phases"]]
    if (rest := later(result["due_s"], result.about["phases"])).any():
        parts.append((LATER, rest))
    told = [(name, result.counts(where), result.histograms(where)["latency"]) for name, where in parts]
    if not told:
        told = [(ALL, result.counts(), result.histograms()["latency"])]
    return [
        Check(each, name, each.value(counts, latency), latency.count, in_order)
        for each in objectives
        for name, counts, latency in told
        if each.phase in ("", name)
    ]


def lost(
    objectives: Sequence[Objective], tallies: Sequence[Mapping[str, Any]], rows: Mapping[str, int]
) -> list[Objective]:
    """While a replay runs: the objectives that the rest of it can no longer mend.

    Parameters
    ----------
    tallies : sequence of mapping
        Those of `loadtests.collect.Tally`, that of all first.
    rows : mapping of str to int
        Rows that are due in each phase, or in ``all``.
    """
    parts = tallies[1:] or [{**tallies[0], "name": ALL}]
    found = [(p["name"], p, Histogram.from_dict(p["latency"])) for p in parts]
    return [
        each
        for each in objectives
        if any(each.lost(rows[name], counts, latency) for name, counts, latency in found if each.phase in ("", name))
    ]


def _share(metric: str) -> float:
    return float(metric[1:]) / 100.0
