"""A part of a replay as one step of load: counts, latencies, requests in flight, the trend of the backlog."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.result import LoadResult, Outcome
from loadtests.steps import Generator, Step

FloatArray = NDArray[np.float64]
BINS = 10
T_99 = 2.896  # one-sided 99 % of Student's t with BINS - 2 degrees of freedom


def measured(result: LoadResult, asked_per_s: float, from_s: float, to_s: float) -> Step:
    """Measure the part of a replay that was due in [from_s, to_s).

    Parameters
    ----------
    result : LoadResult
    asked_per_s : float
    from_s, to_s : float
        Seconds from the start of the replay; what comes before is warm-up.
    """
    where = result.between(from_s, to_s)
    counts = result.counts(where)
    times = result.histograms(where)
    latency, lag = times["latency"], times["lag"]
    window_s = to_s - from_s
    ends = _ends_s(result)
    done = result.of(Outcome.ANSWERED) & (result["done_s"] >= from_s) & (result["done_s"] < to_s)
    levels = _mean_levels(result["due_s"], ends, np.linspace(from_s, to_s, BINS + 1))
    growth, growing = _trend(levels)
    was_sent = np.isfinite(result["sent_s"])
    flying = _mean_levels(result["sent_s"][was_sent], ends[was_sent], np.array([from_s, to_s]))
    return Step(
        asked_per_s=asked_per_s,
        window_s=window_s,
        offered=counts["rows"],
        **{name: counts[name] for name in ("answered", "failed", "shed", "dropped", "unsent", "abandoned")},
        answered_per_s=float(done.sum()) / window_s,
        in_flight=float(flying[0]),
        growth=growth,
        growing=growing,
        p50_s=latency.quantile_s(0.5) if latency.count else None,
        p99_s=latency.quantile_s(0.99) if latency.count else None,
        mean_s=latency.mean_s if latency.count else None,
        lag_p99_s=lag.quantile_s(0.99) if lag.count else None,
        generator=_generator(result),
    )


def _generator(result: LoadResult) -> Generator:
    """The worst of the processes that sent; what one of them could not measure is not known."""
    workers: Sequence[Mapping[str, Any]] = result.about.get("workers") or []

    def worst(name: str) -> float | None:
        shares = [None if w.get(name) is None else w[name] / w["wall_s"] for w in workers]
        known = [share for share in shares if share is not None]
        return max(known) if known and len(known) == len(shares) else None

    return Generator(worst("cpu_s"), worst("waited_s"), worst("held_back_s"))


def _ends_s(result: LoadResult) -> FloatArray:
    """(n,) when each row stopped waiting; what was abandoned waits on, what was dropped or unsent never did."""
    done = result["done_s"]
    gone = result.of(Outcome.DROPPED, Outcome.UNSENT)
    out: FloatArray = np.where(gone, result["due_s"], np.where(np.isfinite(done), done, np.inf))
    return out


def _mean_levels(starts_s: FloatArray, ends_s: FloatArray, edges_s: FloatArray) -> FloatArray:
    """(bins,) mean number of open intervals [start, end) in each bin: exact, by their overlap."""
    until = np.array(
        [np.clip(np.minimum(ends_s, edge) - np.minimum(starts_s, edge), 0.0, None).sum() for edge in edges_s]
    )
    out: FloatArray = np.diff(until) / np.diff(edges_s)
    return out


def _trend(levels: FloatArray) -> tuple[float, bool]:
    """Growth over the whole window by a straight line, and whether its slope is above 0 at 1 %."""
    x = np.arange(levels.size) - (levels.size - 1) / 2.0
    squares = float(x @ x)
    slope = float(x @ levels) / squares
    rest = levels - levels.mean() - slope * x
    error = math.sqrt(float(rest @ rest) / (levels.size - 2) / squares)
    growth = slope * levels.size
    return growth, slope > T_99 * error and growth > 1e-6
