"""A load result in the forms that pipelines read: JUnit XML, k6's summary, a step summary."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

import numpy as np

from loadtests.health import Verdict
from loadtests.histogram import Histogram
from loadtests.result import LoadResult
from loadtests.slo import Check
from reports.load_live import ms


def junit(checks: Sequence[Check], verdict: Verdict, seconds: float) -> bytes:
    """A test case an objective and phase, and one for the generator.

    A broken objective is a failure; a generator that was not in order an error, as the others then say nothing.
    """
    suite = ElementTree.Element("testsuite", name="ashcloud load", time=f"{seconds:.3f}")
    generator = ElementTree.SubElement(suite, "testcase", classname="load.generator", name="the generator was in order")
    if not verdict.valid:
        ElementTree.SubElement(generator, "error", message="; ".join(verdict.reasons))
    elif verdict.unknown:
        words = "not measurable here: " + ", ".join(verdict.unknown)
        ElementTree.SubElement(generator, "system-out").text = words
    failures = skipped = 0
    for check in checks:
        case = ElementTree.SubElement(suite, "testcase", classname=f"load.{check.phase}", name=check.objective.text)
        if check.state == "broken":
            failures += 1
            ElementTree.SubElement(case, "failure", message=f"{check.objective.metric} was {reached(check)}")
        elif check.state != "kept":
            skipped += 1
            few = f"{check.rows} rows are too few to tell"
            why = few if check.in_order else "nothing is told, as the generator was not in order"
            ElementTree.SubElement(case, "skipped", message=why)
    suite.set("tests", str(len(checks) + 1))
    suite.set("failures", str(failures))
    suite.set("errors", str(int(not verdict.valid)))
    suite.set("skipped", str(skipped))
    return bytes(ElementTree.tostring(suite, encoding="utf-8", xml_declaration=True)) + b"\n"


def reached(check: Check) -> str:
    """What an objective reached, for people."""
    if check.value is None:
        return "-"
    return f"{check.value:.2%}" if check.objective.metric in ("errors", "shed") else ms(check.value)


def k6_summary(result: LoadResult, checks: Sequence[Check], verdict: Verdict) -> bytes:
    """The numbers under the names that k6 gives them in its summary export; times are milliseconds.

    `http_req_duration` counts from the due time, `http_req_service` from the send; a threshold is true if it
    was broken, as in k6. Of a generator that was not in order neither times of the service nor thresholds are told.
    """
    counts, times = result.counts(), result.histograms()
    span_s = max(float(np.nanmax(result["done_s"], initial=0.0)), 1e-9)
    ended = counts["sent"]
    metrics: dict[str, Any] = {
        "http_reqs": {"count": ended, "rate": ended / span_s},
        "http_req_duration": _trend(times["latency"]) if verdict.valid else {},
        "http_req_service": _trend(times["service"]) if verdict.valid else {},
        "http_req_lag": _trend(times["lag"]),
        "http_req_failed": {
            "passes": counts["failed"],
            "fails": ended - counts["failed"],
            "value": counts["failed"] / max(ended, 1),
        },
        "http_req_shed": {"count": counts["shed"], "rate": counts["shed"] / span_s},
        "dropped_iterations": {"count": counts["dropped"], "rate": counts["dropped"] / span_s},
    }
    for check in checks if verdict.valid else ():
        name = {"errors": "http_req_failed", "shed": "http_req_shed"}.get(check.objective.metric, "http_req_duration")
        key = f"{check.phase}:{check.objective.text.removeprefix(check.phase + ':')}"
        metrics[name].setdefault("thresholds", {})[key] = check.state == "broken"
    return json.dumps({"metrics": metrics}, indent=1, allow_nan=False).encode() + b"\n"


def _trend(times: Histogram) -> dict[str, float]:
    if not times.count:
        return {}
    quantiles = {"med": 0.5, "p(90)": 0.9, "p(95)": 0.95, "p(99)": 0.99}
    return {
        "avg": 1e3 * times.mean_s,
        "max": 1e3 * times.max_s,
        **{name: 1e3 * times.quantile_s(q) for name, q in quantiles.items()},
    }


def step_summary(headline: str, rows: Sequence[Sequence[str]], remarks: Sequence[str]) -> str:
    """A table in Markdown, for the page of a pipeline's run; the first row is the head."""
    head, *body = rows
    lines = [f"### {headline}", "", f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in body]
    return "\n".join([*lines, "", *(f"- {remark}" for remark in remarks), ""])
