"""Textbook queues as scenario, desk and trace, for tests against exact answers.

Times are in minutes here, as in the cases of tests/data/validation_cases.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from scenarios.model import Scenario
from scenarios.names import Topic, code, members
from scenarios.traces import COLUMNS, Trace
from sim.desk import Desk
from sim.estimate import t_quantile
from sim.outcome import Outcome

FloatArray = NDArray[np.float64]
T = TypeVar("T")
Play = Callable[..., Outcome]
"""An engine: scenario, desk, trace, seed and `drain_h` in, an outcome out."""

MINUTE_S = 60.0
CASES = Path(__file__).parent / "data" / "validation_cases.json"
TOPICS = members(Topic)
MANY_MIN = 1e6  # promises this far apart are strict priorities
CORES = 2  # compiled code frees the interpreter: replications run side by side


@lru_cache(maxsize=1)
def _cases() -> dict[str, Any]:
    return {case["id"]: case for case in json.loads(CASES.read_text())["cases"]}


def exact(case: str) -> dict[str, Any]:
    """Exact values of a validation case by its id, like V07."""
    values: dict[str, Any] = _cases()[case]["exact"]
    return values


def parameters(case: str) -> dict[str, Any]:
    """Parameters of a validation case by its id."""
    values: dict[str, Any] = _cases()[case]["parameters"]
    return values


def exponential(mean_min: float, unit_min: float = 1.0) -> dict[str, Any]:
    """An exponential law with this mean, in units of `unit_min` minutes."""
    return {"kind": "exponential", "mean": mean_min / unit_min}


def scenario(handling: Mapping[str, Any], **behaviour: Any) -> Scenario:
    """A scenario whose customers have one turn and do nothing but wait.

    `handling` is a law in minutes; `behaviour` overrides, for instance patience_h. The window of a run
    is that of its trace.
    """
    quiet: dict[str, Any] = {
        "handling_min": {"default": handling},
        "turns": [1.0],
        "patience_h": "endless",
        "silent_share": 0.0,
        "recontact": {"probability": 0.0},
        "back_office": {"share": 0.0},
    }
    return Scenario.model_validate(
        {
            "name": "exact",
            "title": "a textbook queue",
            "mix": {"languages": {"en": 1.0}},
            "behaviour": {**quiet, **behaviour},
        }
    )


def desk(pools: Sequence[Mapping[str, Any]], **more: Any) -> Desk:
    """A desk without triage; every pool speaks English."""
    data = {"name": "exact", "title": "a textbook queue", "triage": {"mode": "none"}, "routing": {"idle": ["ordered"]}}
    rows = [{"languages": ["en"], **pool} for pool in pools]
    return Desk.model_validate({**data, "pools": rows, **more})


def heads(name: str, steps: Sequence[tuple[float, int]], **more: Any) -> dict[str, Any]:
    """A head-count pool with steps (minute, heads)."""
    return {"name": name, "steps": [(minute / 60.0, n) for minute, n in steps], **more}


def poisson(rate_per_min: float, horizon_min: float, rng: np.random.Generator) -> FloatArray:
    """Arrival minutes of a Poisson stream on [0, horizon)."""
    return np.sort(rng.uniform(0.0, horizon_min, rng.poisson(rate_per_min * horizon_min)))


def steps_of_poisson(rates: Sequence[tuple[float, float]], end_min: float, rng: np.random.Generator) -> FloatArray:
    """Arrival minutes of a Poisson stream whose rate per minute changes in steps (minute, rate)."""
    edges = [minute for minute, _ in rates] + [end_min]
    parts = [a + poisson(rate, b - a, rng) for (a, rate), b in zip(rates, edges[1:], strict=True)]
    return np.concatenate(parts)


def trace(streams: Mapping[Topic, FloatArray], horizon_min: float) -> Trace:
    """Cases at given minutes, by topic."""
    times = np.concatenate(list(streams.values())) * MINUTE_S
    topics = np.concatenate([np.full(t.size, code(topic)) for topic, t in streams.items()])
    order = np.argsort(times, kind="stable")
    n = times.size
    columns: dict[str, NDArray[Any]] = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["time_s"], columns["topic"] = times[order], topics[order]
    columns["case"] = columns["author"] = np.arange(n)
    columns["parent"][:] = -1
    columns["departure_h"][:] = np.inf
    return Trace(columns, {"window_s": [0.0, horizon_min * MINUTE_S], "version": "test", "size_u": None})


# ---- what is read off an outcome ------------------------------------------------------------------------------


def busy_minutes(outcome: Outcome, from_min: float, to_min: float, agents: ArrayLike | None = None) -> float:
    """Minutes of work between two times, over all agents or those given."""
    t = outcome.turns
    worked = np.isfinite(t["start_s"])
    if agents is not None:
        worked &= np.isin(t["agent"], agents)
    end = np.where(np.isfinite(t["end_s"][worked]), t["end_s"][worked], outcome.about["end_s"])
    return overlap_min(t["start_s"][worked], end, from_min, to_min)


def overlap_min(begin_s: FloatArray, end_s: FloatArray, from_min: float, to_min: float) -> float:
    """Minutes of all stretches together that lie between two times."""
    length = np.minimum(end_s, to_min * MINUTE_S) - np.maximum(begin_s, from_min * MINUTE_S)
    return float(np.maximum(length, 0.0).sum()) / MINUTE_S


def by(at_min: FloatArray, times_s: FloatArray) -> NDArray[np.int64]:
    """How many of the times have come by each of some minutes."""
    return np.searchsorted(np.sort(times_s), at_min * MINUTE_S, side="right")


# ---- replications and what is asked of them -------------------------------------------------------------------


def side_by_side(job: Callable[[int], T], runs: int) -> list[T]:
    """Results of the runs 0, 1, ... in their order, some at the same time."""
    with ThreadPoolExecutor(CORES) as threads:
        return list(threads.map(job, range(runs)))


def standard_error(found: ArrayLike, want: float) -> float:
    """Standard error of the mean of independent replications.

    What is expected fewer than five times in all replications is rare: its sample says nothing about
    its spread, so the spread is that of a Poisson count.
    """
    values = np.asarray(found, dtype=np.float64)
    error = float(values.std(ddof=1)) / math.sqrt(values.size)
    away = min(abs(want), abs(1.0 - want))
    return max(error, math.sqrt(away / values.size)) if away * values.size < 5.0 else error


def assert_near(found: ArrayLike, want: float, what: str) -> None:
    """The mean of independent replications lies within 3.3 standard errors of the exact value."""
    mean, error = float(np.asarray(found, dtype=np.float64).mean()), standard_error(found, want)
    assert abs(mean - want) <= 3.3 * error, f"{what}: {mean:.6g} +- {error:.2g}, exact {want:.6g}"


def assert_narrow(found: ArrayLike, allowed: float, what: str) -> None:
    """The 95 % interval of the mean reaches no further than allowed to either side."""
    values = np.asarray(found, dtype=np.float64)
    half = t_quantile(0.975, values.size - 1) * float(values.std(ddof=1)) / math.sqrt(values.size)
    assert half <= allowed, f"{what}: half-width {half:.3g} of {values.size} runs, allowed {allowed:.3g}"
