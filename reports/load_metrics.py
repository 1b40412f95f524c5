"""What a load test tells Prometheus of itself, while it runs and in the file that it leaves: the same names in both."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from loadtests import health, slo
from loadtests.health import Verdict
from loadtests.histogram import Histogram
from loadtests.result import LAG, LATER, QUANTILES, TIMES, BoolArray, FloatArray, LoadResult, Outcome, later
from loadtests.schedule import Schedule
from loadtests.slo import Check

BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
            60.0)  # fmt: skip
MEANING = {
    "latency": "From the due time to the end of the answer, of rows that were answered or failed.",
    LAG: "From the due time to the send: how late the generator itself was.",
    "service": "From the send to the end of the answer, of rows that were answered or failed.",
}


@dataclass(frozen=True)
class Part:
    """A phase: rows that it has, how many ended how (by `Outcome.name`, small), and their times by `TIMES`."""

    name: str
    rows: int
    counts: Mapping[str, int]
    times: Mapping[str, Histogram]


@dataclass(frozen=True)
class Seen:
    """How far a load test is. The parts together are all rows, each in one part.

    Attributes
    ----------
    about : mapping of str to str
        What is played and against whom; empty: not known yet.
    due : int
        Rows that were due so far.
    handed : int
        Rows that were taken up when they were due.
    in_flight : int
        Those of them of which it is not known yet how they end.
    lost : int
        Workers that are gone.
    max_lag_s : float
        How late 1 % of the rows may be sent.
    verdict, checks
        Of a test that is over.
    """

    about: Mapping[str, str]
    parts: tuple[Part, ...]
    due: int = 0
    handed: int = 0
    in_flight: int = 0
    lost: int = 0
    max_lag_s: float = health.LAG_P99_S
    verdict: Verdict | None = None
    checks: Sequence[Check] = ()

    @property
    def doubts(self) -> dict[str, bool]:
        """What makes the test invalid if it stays so; whether a processor was lacking is only known at the end."""
        whole = sum((part.times[LAG] for part in self.parts), Histogram.empty())
        lags = [("", whole), *((part.name, part.times[LAG]) for part in self.parts if part.name != LATER)]
        return {
            "late": health.late(lags, self.max_lag_s) is not None,
            "dropped": any(part.counts["dropped"] for part in self.parts),
            "lost worker": self.lost > 0,
        }


def unbegun(schedule: Schedule, max_lag_s: float) -> Seen:
    """Before the first row, when it may not be known yet where the service listens."""
    counts = {outcome.name.lower(): 0 for outcome in Outcome}
    times = {time: Histogram.empty() for time in TIMES}
    places = _places(schedule["due_s"], schedule.about["phases"])
    parts = tuple(Part(name, int(np.count_nonzero(where)), counts, times) for name, where in places)
    return Seen({}, parts, max_lag_s=max_lag_s)


def of_status(before: Seen, status: Mapping[str, Any]) -> Seen:
    """While it runs: what `loadtests.runner.Watch` is told."""
    whole, *phases = status["tallies"]
    phases += [status["later"]] if status["later"] else []
    tallies = phases or [whole]
    parts = tuple(
        Part(part.name, part.rows, tally, {time: Histogram.from_dict(tally[time]) for time in TIMES})
        for part, tally in zip(before.parts, tallies, strict=True)
    )
    return Seen(
        before.about, parts, status["due"], status["handed"], status["in_flight"], status["lost"], before.max_lag_s
    )


def of_result(result: LoadResult, checks: Sequence[Check], verdict: Verdict) -> Seen:
    """When it is over."""
    about = result.about
    parts = tuple(
        Part(name, int(np.count_nonzero(where)), result.counts(where), result.histograms(where))
        for name, where in _places(result["due_s"], about["phases"])
    )
    lost = sum(bool(worker.get("lost")) for worker in about["workers"])
    told = described(about, about["target"]["url"], about["options"]["workers"])
    return Seen(told, parts, about["due"], about["handed"], 0, lost, about["max_lag_s"], verdict, checks)


def _places(due_s: FloatArray, phases: Sequence[Mapping[str, Any]]) -> list[tuple[str, BoolArray]]:
    """Which rows are in each part; each row is in one."""
    if not phases:
        return [(slo.ALL, np.ones(due_s.size, dtype=bool))]
    places = [(str(p["name"]), (due_s >= p["from_s"]) & (due_s < p["to_s"])) for p in phases]
    rest = later(due_s, phases)
    return [*places, (LATER, rest)] if rest.any() else places


def described(about: Mapping[str, Any], url: str, workers: int) -> dict[str, str]:
    """Labels that say what is played; `about` of the schedule or of the result."""
    kept = {name: about[name] for name in ("scenario", "speed", "times", "seed", "version")}
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in kept.items()} | {
        "target": url, "workers": str(workers)
    }  # fmt: skip


def families(seen: Seen) -> Iterator[Metric]:
    """The metrics, each with its unit and what it means."""
    info = InfoMetricFamily("ashcloud_load", "What is played, and against whom.")
    if seen.about:
        info.add_metric([], dict(seen.about))
    yield info
    planned = GaugeMetricFamily("ashcloud_load_planned_rows", "Rows that the plan has.", labels=["phase"])
    rows = CounterMetricFamily("ashcloud_load_rows", "Rows by how they ended.", labels=["phase", "outcome"])
    for part in seen.parts:
        planned.add_metric([part.name], part.rows)
        for outcome in Outcome:
            rows.add_metric([part.name, outcome.name.lower()], part.counts[outcome.name.lower()])
    yield planned
    yield CounterMetricFamily("ashcloud_load_due", "Rows that were due so far.", seen.due)
    yield CounterMetricFamily("ashcloud_load_handed", "Rows that were taken up when they were due.", seen.handed)
    yield rows
    yield GaugeMetricFamily("ashcloud_load_in_flight", "Rows that were taken up and have not ended.", seen.in_flight)
    yield CounterMetricFamily("ashcloud_load_lost_workers", "Processes that sent and are gone.", seen.lost)
    for name in TIMES:
        if name == LAG or seen.verdict is None or seen.verdict.valid:
            yield from _times(name, seen.parts)
    yield from _judged(seen)


def _times(name: str, parts: Sequence[Part]) -> Iterator[Metric]:
    meaning = MEANING[name]
    counted = HistogramMetricFamily(f"ashcloud_load_{name}_seconds", meaning, labels=["phase"], unit="seconds")
    exact = GaugeMetricFamily(
        f"ashcloud_load_{name}_percentile_seconds", f"{meaning} Percentiles so far, at most 1 % too high.",
        labels=["phase", "percentile"], unit="seconds",
    )  # fmt: skip
    for part in parts:
        times = part.times[name]
        bounds = [*(str(bound_s) for bound_s in BOUNDS_S), "+Inf"]
        buckets = list(zip(bounds, [*times.below(BOUNDS_S), times.count], strict=True))
        counted.add_metric([part.name], buckets, round(max(times.total_s, 0.0), 6))
        for q in QUANTILES if times.count else ():
            exact.add_metric([part.name, f"{100 * q:g}"], round(max(times.quantile_s(q), 0.0), 9))
    yield counted
    yield exact


def _judged(seen: Seen) -> Iterator[Metric]:
    doubt = GaugeMetricFamily(
        "ashcloud_load_generator_doubt", "1: this makes the test invalid if it stays so.", labels=["why"]
    )
    for why, is_so in seen.doubts.items():
        doubt.add_metric([why], int(is_so))
    yield doubt
    in_order = GaugeMetricFamily(
        "ashcloud_load_generator_in_order", "1 or 0 at the end; without it: not known.", labels=()
    )
    if seen.verdict is not None and seen.verdict.state != "not measurable":
        in_order.add_metric([], int(seen.verdict.valid))
    yield in_order
    kept = GaugeMetricFamily("ashcloud_load_slo_kept", "1 or 0 at the end, by objective.", labels=["phase", "slo"])
    for check in seen.checks:
        if check.state in ("kept", "broken"):
            kept.add_metric([check.phase, check.objective.text], int(check.state == "kept"))
    yield kept


class Told(Collector):
    """Asks for the state each time that somebody wants to know."""

    def __init__(self, seen: Seen) -> None:
        self.seen = seen

    def collect(self) -> Iterator[Metric]:
        return families(self.seen)


def registry(told: Told) -> CollectorRegistry:
    """A registry of nothing else."""
    own = CollectorRegistry(auto_describe=True)  # so that some can be asked for by name
    own.register(told)
    return own


def text(seen: Seen) -> bytes:
    """In OpenMetrics' text form."""
    encode, _ = choose_encoder("application/openmetrics-text; version=1.0.0")
    return encode(registry(Told(seen)))
