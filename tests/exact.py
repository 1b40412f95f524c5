"""Textbook queues as scenario, desk and trace, for tests against exact answers.

Times are in minutes here, as in the cases of tests/data/validation_cases.json.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from engines import run_both
from numpy.typing import NDArray

from scenarios.model import Scenario
from scenarios.names import Topic, code, members
from scenarios.traces import COLUMNS, Trace
from sim.desk import Desk
from sim.outcome import Outcome

FloatArray = NDArray[np.float64]
MINUTE_S = 60.0
CASES = Path(__file__).parent / "data" / "validation_cases.json"
TOPICS = members(Topic)
MANY_MIN = 1e6  # promises this far apart are strict priorities


@lru_cache(maxsize=1)
def _cases() -> dict[str, Any]:
    return {case["id"]: case for case in json.loads(CASES.read_text())["cases"]}


def exact(case: str) -> dict[str, Any]:
    """Exact values of a validation case by its id, like V07."""
    values: dict[str, Any] = _cases()[case]["exact"]
    return values


def exponential(mean_min: float, unit_min: float = 1.0) -> dict[str, Any]:
    """An exponential law with this mean, in units of `unit_min` minutes."""
    return {"kind": "exponential", "mean": mean_min / unit_min}


def scenario(horizon_min: float, handling: Mapping[str, Any], **behaviour: Any) -> Scenario:
    """A scenario whose customers have one turn and do nothing but wait.

    `handling` is a law in minutes; `behaviour` overrides, for instance patience_h.
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
            "window_h": [0.0, horizon_min / 60.0],
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
    return {"name": name, "steps": [[minute / 60.0, n] for minute, n in steps], **more}


def poisson(rate_per_min: float, horizon_min: float, rng: np.random.Generator) -> FloatArray:
    """Arrival minutes of a Poisson stream on [0, horizon)."""
    return np.sort(rng.uniform(0.0, horizon_min, rng.poisson(rate_per_min * horizon_min)))


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


def play(
    world: Scenario,
    desk: Desk,
    streams: Mapping[Topic, FloatArray],
    horizon_min: float,
    seed: int,
    drain_min: float = 0.0,
) -> Outcome:
    """One replication, on both engines; `drain_min` lets it run on until nothing waits."""
    return run_both(world, desk, trace(streams, horizon_min), seed, drain_h=drain_min / 60.0)


def busy_minutes(outcome: Outcome, from_min: float, to_min: float) -> float:
    """Minutes of work between two times, over all agents."""
    t = outcome.turns
    worked = np.isfinite(t["start_s"])
    end = np.where(np.isfinite(t["end_s"][worked]), t["end_s"][worked], outcome.about["end_s"])
    overlap = np.minimum(end, to_min * MINUTE_S) - np.maximum(t["start_s"][worked], from_min * MINUTE_S)
    return float(np.maximum(overlap, 0.0).sum()) / MINUTE_S


def assert_near(found: Sequence[float], want: float, what: str) -> None:
    """The mean of independent replications lies within 3.3 standard errors of the exact value."""
    values = np.asarray(found)
    error = values.std(ddof=1) / math.sqrt(values.size)
    assert abs(values.mean() - want) <= 3.3 * error, f"{what}: {values.mean():.6g} +- {error:.2g}, exact {want:.6g}"
