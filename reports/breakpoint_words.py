"""What a search for the breaking point says, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from loadtests.breakpoint import Found
from loadtests.rates import Broken
from loadtests.steps import Judged, Verdict
from loadtests.usl import MIN_LEVELS, Usl


def rate(per_s: float) -> str:
    """A rate to three digits."""
    return f"{per_s:.3g}" if per_s < 1000 else f"{per_s:,.0f}"


def headline(found: Found) -> str:
    """The finding."""
    low, high = found.low_per_s, found.high_per_s
    if found.status == "found" and low is not None and high is not None:
        return f"Capacity between {rate(low)} and {rate(high)} requests/s"
    if found.status == "invalid":
        start = "Invalid, the generator was not up to it"
        return f"{start}: {'nothing is known of the service' if low is None else f'it kept up at {rate(low)}/s'}"
    if found.status == "above" and low is not None:
        return f"Capacity of {rate(low)} requests/s or more"
    if found.status == "below" and high is not None:
        return f"Capacity below {rate(high)} requests/s"
    known = [f"it kept up at {rate(low)}/s"] if low is not None else []
    known += [f"it failed at {rate(high)}/s"] if high is not None else []
    start = {"interrupted": "Interrupted", "failed": "Broken off"}.get(found.status, "Not settled")
    return f"{start}: {', '.join(known) or 'nothing is known yet'}"


def lines(broken: Broken) -> Iterator[str]:
    """All there is to say, the finding first."""
    found = broken.found
    yield f"{headline(found)}."
    if found.why:
        yield f"{found.why[0].upper()}{found.why[1:]}."
    yield from _ends(found)
    if broken.recovery is not None:
        yield _recovery(broken)
    if found.status != "invalid":
        yield _law(found.law)
    void = sum(judged.verdict == "void" for judged in found.steps)
    if void and found.status != "invalid":
        yield f"{void} of {len(found.steps)} steps were void: the generator was not up to them, and they do not count."


def _ends(found: Found) -> Iterator[str]:
    if found.status != "found":
        return
    low, high = _at(found, found.low_per_s, "pass"), _at(found, found.high_per_s, "fail")
    slowest = max((j.step.p99_s for j in low if j.step.p99_s is not None), default=None)
    told = "" if slowest is None else f", with a p99 of {1e3 * slowest:,.0f} ms at most"
    yield f"It kept up {times(len(low))} at {rate(low[0].step.asked_per_s)}/s{told}."
    yield f"It failed {times(len(high))} at {rate(high[0].step.asked_per_s)}/s: {'; '.join(high[-1].reasons)}."


def _at(found: Found, per_s: float | None, verdict: Verdict) -> list[Judged]:
    return [j for j in found.steps if j.step.asked_per_s == per_s and j.verdict == verdict]


def times(n: int) -> str:
    return {1: "once", 2: "twice"}.get(n, f"{n} times")


def _recovery(broken: Broken) -> str:
    told = broken.recovery
    assert told is not None
    surge = f"After {told.surge_s:g} s at {rate(told.surge_per_s)}/s"
    if told.limit_s is None:
        return f"{surge} nothing can be said of its recovery: it was not in order before."
    normal = f"its p99 below {1e3 * told.limit_s:,.0f} ms"
    if told.seconds is None:
        return f"{surge} it was not itself again within {told.watched_s:g} s at {rate(told.quiet_per_s)}/s ({normal})."
    return f"{surge} it was itself again, {normal}, after {told.seconds:.1f} s at {rate(told.quiet_per_s)}/s."


def _law(law: Usl | None) -> str:
    if law is None:
        return f"The scalability law is not fitted: it needs at least {MIN_LEVELS} levels."
    told = (
        f"Scalability law over {len(law.in_flight)} levels: contention {100 * law.contention:.2g} %, coherency "
        f"{100 * law.coherency:.2g} %, residuals {100 * law.rms_residual_share:.1f} % of the mean rate"
    )
    if law.peak_in_flight is None:
        return f"{told}; it has no peak."
    where = "" if law.peak_is_seen else ", beyond what was measured"
    return f"{told}; most answers with {law.peak_in_flight:,.0f} in flight{where}."
