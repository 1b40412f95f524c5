"""What a replay says in words: the generator first, then the service, then what there is to know."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from loadtests.health import Verdict
from loadtests.result import LATER, LoadResult, Outcome, later
from loadtests.slo import Check
from reports.load_files import reached
from reports.load_live import in_ms

MOST_ERRORS = 5
STOPPED = {"interrupted": "it was interrupted", "aborted": "it was ended, as an objective was broken"}


def headline(result: LoadResult, checks: Sequence[Check], verdict: Verdict) -> str:
    """The one sentence."""
    broken = [check for check in checks if check.state == "broken"]
    if not verdict.valid:
        return "The run is invalid: the generator was not in order, so nothing is said about the service."
    if broken:
        one = broken[0]
        more = f", and {len(broken) - 1} more" if len(broken) > 1 else ""
        where = "" if one.phase == "all" else f" in the phase {one.phase}"
        return f"Objective broken: {one.objective.text}{where} reached {reached(one)}{more}."
    counts = result.counts()
    kept = sum(check.state == "kept" for check in checks)
    words = f"{counts['answered']:,} of {counts['rows']:,} rows were answered"
    told = "the objective is kept" if kept == 1 else f"all {kept} objectives are kept"
    return f"{words}; {told}." if kept else f"{words}."


def remarks(result: LoadResult, checks: Sequence[Check], verdict: Verdict) -> Iterator[str]:
    """All else there is to hear, a sentence each."""
    if result.about["status"] in STOPPED:
        yield f"{STOPPED[result.about['status']]}; what had ended until then is kept"
    yield from (f"generator: {reason}" for reason in verdict.reasons)
    if verdict.unknown:
        yield f"not measurable here: {', '.join(verdict.unknown)}"
    counts = result.counts()
    parts = ("sent", "abandoned", "dropped", "unsent")
    told = ", ".join(f"{counts[name]:,} {name}" for name in parts if counts[name])
    yield f"every row is accounted for: {told or 'there are none'}"
    if batched := result.about.get("batched"):
        n = batched["requests"]
        yield f"{n:,} request{'s' * (n != 1)} carried them, up to {batched['most']} in each"
    yield from clocks(result.about["workers"])
    yield from (f"{n:,} row{'s' * (n != 1)}: {text}" for text, n in errors(result))
    yield from (mishap(result, each) for each in result.about.get("mishaps", ()))
    few = [check for check in checks if check.state == "too few rows"]
    if few:
        names = ", ".join(f"{check.objective.text} in {check.phase} ({check.rows})" for check in few)
        yield f"too few rows to tell: {names}"
    if result.about["server"]["url"] and not result.about["server"]["times_s"]:
        yield f"the server told no metrics at {result.about['server']['url']}"


def clocks(workers: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Within how much workers have started together; nothing where there is one, or none told its clock."""
    bounds = [worker["clock_bound_s"] for worker in workers if worker.get("clock_bound_s") is not None]
    if bounds:
        yield f"{len(bounds)} workers are set by the master's clock, to {1e3 * max(bounds):.2f} ms at worst"


def mishap(result: LoadResult, told: Mapping[str, Any]) -> str:
    """What went wrong on purpose, when, and what became of the rows that were due meanwhile."""
    if told["error"]:
        return f"{told['name']} failed: {told['error']}"
    from_s, to_s = told["began_s"], told["ended_s"]
    if from_s is None:
        return f"{told['name']} did not come about; it was to be at {told['from_s']:,.1f} s"
    counts = result.counts(result.between(from_s, math.inf if to_s is None else to_s))
    ends = ", ".join(f"{counts[each.name.lower()]:,} {each.name.lower()}" for each in Outcome
                     if counts[each.name.lower()])  # fmt: skip
    until = "the end" if to_s is None else f"{to_s:,.1f} s"
    return f"{told['name']} from {from_s:,.1f} s to {until}; of the rows due meanwhile: {ends or 'there are none'}"


def errors(result: LoadResult) -> list[tuple[str, int]]:
    """The most frequent errors with their numbers."""
    texts = result.about["errors"]
    found = [(text, int((result["error"] == place).sum())) for place, text in enumerate(texts)]
    return sorted((each for each in found if each[1]), key=lambda each: -each[1])[:MOST_ERRORS]


def table(result: LoadResult, verdict: Verdict) -> list[tuple[str, ...]]:
    """A head, a row a phase, one of what is due later than these, and one of all; `lag ms` is its 99th percentile.

    Of a generator that was not in order no time of the service is shown.
    """
    head = ("phase", "rows", "answered", "failed", "shed", "p50 ms", "p95 ms", "p99 ms", "lag ms")
    parts = [(str(p["name"]), result.between(p["from_s"], p["to_s"])) for p in result.about["phases"]]
    rows: list[tuple[str, ...]] = [head]
    if (rest := later(result["due_s"], result.about["phases"])).any():
        parts.append((LATER, rest))
    for name, where in (*parts, ("all", None)):
        counts, times = result.counts(where), result.histograms(where)
        latency = times["latency"]
        shown = [latency.quantile_s(q) for q in (0.5, 0.95, 0.99)]
        rows.append(
            (name, *(f"{counts[key]:,}" for key in ("rows", "answered", "failed", "shed")),
             *(in_ms(each) if verdict.valid else "-" for each in shown), in_ms(times["lag"].quantile_s(0.99)))
        )  # fmt: skip
    return rows
