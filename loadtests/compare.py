"""Two replays held against each other: is the second one worse, by more than a margin, beyond chance?

What happens in one minute of a replay goes on into the next request, but hardly into the next
minute; so minutes, not requests, are drawn anew (a bootstrap by blocks). Where both runs sent the
same schedule the same minutes are drawn in both, and what they share drops out of the difference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from loadtests.histogram import CELLS, LOW_S, STEP
from loadtests.result import LoadResult, Outcome
from scenarios.errors import AshcloudError

FloatArray = NDArray[np.float64]
Kind = Literal["latency", "share"]
Verdict = Literal["worse", "better", "no worse", "cannot tell"]
LEVEL = 0.95
BLOCK_S, MIN_BLOCKS, BLOCKS, LEAST_BLOCK_S = 60.0, 10, 20, 1.0
DRAWS = 2000


class CompareError(AshcloudError):
    """Two runs that cannot be compared."""


@dataclass(frozen=True)
class Measure:
    """What is compared: a latency by its ratio, a share by its difference."""

    name: str
    title: str
    kind: Kind


MEASURES = (
    Measure("p50", "latency, median", "latency"),
    Measure("p95", "latency, p95", "latency"),
    Measure("p99", "latency, p99", "latency"),
    Measure("mean", "latency, mean", "latency"),
    Measure("errors", "failed", "share"),
    Measure("shed", "shed", "share"),
)
QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99}


@dataclass(frozen=True)
class Margins:
    """How much worse is still accepted: a share of the latency, points of a share."""

    latency: float = 0.10
    share: float = 0.001

    def of(self, measure: Measure) -> float:
        return self.latency if measure.kind == "latency" else self.share


@dataclass(frozen=True)
class Difference:
    """A measure of both runs; `change` is relative for a latency, absolute for a share, with its 95 % interval.

    Latencies are in seconds. `change` and its interval are None where one run has no value.
    """

    measure: Measure
    first: float | None
    second: float | None
    change: float | None
    low: float | None
    high: float | None
    margin: float

    @property
    def verdict(self) -> Verdict:
        if self.low is None or self.high is None:
            return "cannot tell"
        if self.low > self.margin:
            return "worse"
        if self.high < 0.0:
            return "better"
        return "no worse" if self.high <= self.margin else "cannot tell"

    def to_dict(self) -> dict[str, Any]:
        shown = ("first", "second", "change", "low", "high", "margin", "verdict")
        return {"measure": self.measure.name, **{name: getattr(self, name) for name in shown}}


@dataclass(frozen=True)
class Compared:
    """All measures, how long a block was, how many each run has, and whether they were drawn in pairs."""

    differences: tuple[Difference, ...]
    block_s: float
    blocks: tuple[int, int]
    paired: bool

    @property
    def worse(self) -> tuple[Difference, ...]:
        return tuple(each for each in self.differences if each.verdict == "worse")

    def to_dict(self) -> dict[str, Any]:
        return {
            "level": LEVEL,
            "block_s": self.block_s,
            "blocks": list(self.blocks),
            "paired": self.paired,
            "differences": [each.to_dict() for each in self.differences],
            "worse": [each.measure.name for each in self.worse],
        }


def compare(first: LoadResult, second: LoadResult, margins: Margins, rng: np.random.Generator) -> Compared:
    """Compare two runs; the first is the one that the second must not be worse than.

    Raises
    ------
    CompareError
        If a run is shorter than ten blocks of a second.
    """
    block_s = _block_s(first, second)
    blocks = _Blocks.of(first, block_s), _Blocks.of(second, block_s)
    sizes = blocks[0].rows.size, blocks[1].rows.size
    paired = first.about.get("schedule") == second.about.get("schedule") and sizes[0] == sizes[1]
    draws = [_draws(sizes[0], rng)]
    draws.append(draws[0] if paired else _draws(sizes[1], rng))
    whole = [each.measured(np.ones((1, each.rows.size))) for each in blocks]
    drawn = [each.measured(weights) for each, weights in zip(blocks, draws, strict=True)]
    return Compared(
        tuple(
            _difference(m, [each[m.name] for each in whole], [each[m.name] for each in drawn], margins.of(m))
            for m in MEASURES
        ),
        block_s,
        sizes,
        paired,
    )


@dataclass(frozen=True)
class _Blocks:
    """Sums over blocks of due time: latencies in buckets of 1 %, their sum and number, failed, shed, all rows."""

    cells: FloatArray
    total_s: FloatArray
    ended: FloatArray
    failed: FloatArray
    shed: FloatArray
    rows: FloatArray

    @classmethod
    def of(cls, result: LoadResult, block_s: float) -> _Blocks:
        place = (result["due_s"] / block_s).astype(np.int64)
        n = int(_span_s(result) / block_s + 1e-9)
        place = np.minimum(place, n - 1)  # the rest at the end joins the last block
        ended = result.of(Outcome.ANSWERED, Outcome.FAILED) & np.isfinite(result.latency_s)
        latency = result.latency_s[ended]
        cell = np.minimum(np.log(np.maximum(latency, LOW_S) / LOW_S) / STEP, CELLS - 1).astype(np.int64)
        cells = np.bincount(place[ended] * CELLS + cell, minlength=n * CELLS).reshape(n, CELLS)

        def count(where: NDArray[np.bool_]) -> FloatArray:
            return np.bincount(place[where], minlength=n).astype(np.float64)

        return cls(
            cells.astype(np.float64),
            np.bincount(place[ended], weights=latency, minlength=n).astype(np.float64),
            count(ended),
            count(result.of(Outcome.FAILED)),
            count(result.of(Outcome.SHED)),
            count(~result.of(Outcome.DROPPED, Outcome.UNSENT)),
        )

    def measured(self, weights: FloatArray) -> dict[str, FloatArray]:
        """Each measure for (draws, blocks) weights: (draws,) values, nan where nothing was counted."""
        used = np.flatnonzero(self.cells.any(axis=0))
        summed = np.cumsum(weights @ self.cells[:, used], axis=1)
        rows = weights @ self.rows
        out = {
            "mean": _ratio(weights @ self.total_s, weights @ self.ended),
            "errors": _ratio(weights @ self.failed, rows),
            "shed": _ratio(weights @ self.shed, rows),
        }
        for name, q in QUANTILES.items():
            out[name] = np.full(weights.shape[0], math.nan)
            if used.size:
                place = (summed < np.ceil(q * summed[:, -1:] - 1e-9)).sum(axis=1)
                at = LOW_S * np.exp((used[np.minimum(place, used.size - 1)] + 0.5) * STEP)
                out[name] = np.where(summed[:, -1] > 0.0, at, math.nan)
        return out


def _difference(measure: Measure, whole: list[FloatArray], drawn: list[FloatArray], margin: float) -> Difference:
    def change(runs: list[FloatArray]) -> FloatArray:
        first, second = runs
        return _ratio(second, first) - 1.0 if measure.kind == "latency" else second - first

    first, second = (None if math.isnan(each[0]) else float(each[0]) for each in whole)
    changes = change(drawn)
    changes = changes[np.isfinite(changes)]
    if first is None or second is None or changes.size < DRAWS // 2:
        return Difference(measure, first, second, None, None, None, margin)
    low, high = np.quantile(changes, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Difference(measure, first, second, float(change(whole)[0]), float(low), float(high), margin)


def _ratio(above: FloatArray, below: FloatArray) -> FloatArray:
    out: FloatArray = np.divide(above, below, out=np.full_like(above, math.nan), where=below > 0.0)
    return out


def _draws(blocks: int, rng: np.random.Generator) -> FloatArray:
    """(DRAWS, blocks) how often each block is drawn."""
    return rng.multinomial(blocks, np.full(blocks, 1.0 / blocks), size=DRAWS).astype(np.float64)


def _span_s(result: LoadResult) -> float:
    return float(result["due_s"][-1]) if len(result) else 0.0


def _block_s(first: LoadResult, second: LoadResult) -> float:
    """A minute; less if a run is shorter than ten of them, but at least a second."""
    span_s = min(_span_s(first), _span_s(second))
    if span_s < MIN_BLOCKS * LEAST_BLOCK_S:
        least_s = MIN_BLOCKS * LEAST_BLOCK_S
        raise CompareError(f"the shorter run lasts {span_s:.1f} s; a comparison needs at least {least_s:g} s of both")
    return BLOCK_S if span_s >= MIN_BLOCKS * BLOCK_S else max(LEAST_BLOCK_S, span_s / BLOCKS)
