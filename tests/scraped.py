"""What the tests of a load test's own metrics share: samples as a mapping, and what holds for them at any moment."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser

from loadtests.result import Outcome

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]
COUNTS = ("_total", "_bucket", "_count", "_sum")


def samples(text: str | bytes) -> Samples:
    """Every sample of OpenMetrics text, which its own parser must take."""
    told = text if isinstance(text, str) else text.decode()
    return flat(parser.text_string_to_metric_families(told))  # type: ignore[no-untyped-call]


def flat(families: Iterable[Metric]) -> Samples:
    return {(s.name, frozenset(s.labels.items())): s.value for family in families for s in family.samples}


def total(told: Samples, name: str, **labels: str) -> float:
    return sum(value for (each, has), value in told.items() if each == name and labels.items() <= set(has))


def adds_up(told: Samples) -> None:
    """What holds at each moment of a run."""
    ends = {outcome: total(told, "ashcloud_load_rows_total", outcome=outcome.name.lower()) for outcome in Outcome}
    handed, in_flight = (told[f"ashcloud_load_{name}", frozenset()] for name in ("handed_total", "in_flight"))
    assert handed == sum(ends.values()) - ends[Outcome.UNSENT] + in_flight
    assert told["ashcloud_load_due_total", frozenset()] >= handed
    assert sum(ends.values()) <= total(told, "ashcloud_load_planned_rows")
    for name in ("latency", "service"):
        count = total(told, f"ashcloud_load_{name}_seconds_count")
        assert count == ends[Outcome.ANSWERED] + ends[Outcome.FAILED]
        assert count == total(told, f"ashcloud_load_{name}_seconds_bucket", le="+Inf")


def went_back(before: Samples, after: Samples) -> list[Any]:
    counts = {key: value for key, value in before.items() if key[0].endswith(COUNTS)}
    return [key for key, value in counts.items() if after[key] < value]
