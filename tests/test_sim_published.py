"""Published runs of others, as scenario and desk files, on the compiled engine.

The models are examples of ContactCenters (Buist and L'Ecuyer, Université de Montréal); what they print is in
tests/data/published/printed.toml. Ours and theirs are both estimates, so they may lie 3.3 of their joint
standard errors apart, and half a unit of the last decimal that is printed. Definitions are theirs: "in
target" counts who is served within 20 seconds (bilingual: a minute, over all attempts together), whenever he
came; a service level and a speed are ratios of sums; work after closing counts in an occupancy, over the
hours planned (bilingual) or all hours at the desk until the last call of the day is done (simplemsk).

One rule differs: in bilingual a caller keeps his patience when he calls again, in ashcloud it is drawn afresh.
What that changes is taken from a simulation of its own, `bilingual.py`, with its error.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bilingual import week
from exact import FloatArray, side_by_side

from scenarios import library as scenarios
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Topic, code
from scenarios.surges import Boost
from sim import compiled
from sim import library as desks
from sim.desk import Desk
from sim.outcome import Outcome, TurnState

pytestmark = pytest.mark.exact

FOLDER = Path(__file__).parent / "data" / "published"
PRINTED: dict[str, dict[str, list[float]]] = tomllib.loads((FOLDER / "printed.toml").read_text())
T_999 = 1.9623  # 97.5 % quantile of Student's t, of the printed intervals
RUNS, PERIODS = 40, 25  # as many replications as theirs: 40 windows of 25 days, or weeks
PATIENCE_WEEKS = 60
MINUTE_S, DAY_S = 60.0, 86_400.0

Sums = dict[str, FloatArray]
"""(replications,) sums by name; a pair in `RATIOS` is divided."""


def play(scenario: Scenario, desk: Desk, number: int) -> Outcome:
    """Periods of the length of the scenario's window, one behind the other, with the same staff in each."""
    length_h = scenario.window_h[1]
    pools = [
        pool.model_copy(update={"steps": tuple((h + i * length_h, n) for i in range(PERIODS) for h, n in pool.steps)})
        for pool in desk.pools
    ]
    changes = [
        change.model_copy(update={"at_h": change.at_h + i * length_h})
        for i in range(PERIODS)
        for change in scenario.mix_changes
    ]
    world = scenario.model_copy(update={"window_h": (0.0, PERIODS * length_h), "mix_changes": tuple(changes)})
    posts = generate(world, seed=2005, replication=number)
    return compiled.run(world, desk.model_copy(update={"pools": tuple(pools)}), posts, 2005, number)


class Rows:
    """Turns of an outcome with the period that each belongs to."""

    def __init__(self, outcome: Outcome, period_s: float = DAY_S) -> None:
        self.outcome, self.t, self.period_s = outcome, outcome.turns, period_s
        self.period = (self.t["queued_s"] // period_s).astype(np.int64)
        self.served = np.isin(self.t["state"], (TurnState.DONE, TurnState.IN_HAND))
        self.abandoned = self.t["state"] == TurnState.ABANDONED
        assert np.all(self.t["end_s"][np.isfinite(self.t["end_s"])] // period_s == self._ended()), "not done overnight"

    def _ended(self) -> Any:
        return self.period[np.isfinite(self.t["end_s"])]

    def count(self, which: Any, weight: Any = None) -> FloatArray:
        """Number of turns of each period, or the sum of a weight over them."""
        found = np.bincount(self.period[which], None if weight is None else weight[which], PERIODS)
        return found.astype(np.float64)

    def work(self, of: Any, until_s: float = math.inf) -> FloatArray:
        """Minutes of work on turns of each period, up to a time of the period."""
        end = np.minimum(self.t["end_s"], self.period * self.period_s + until_s)
        return self.count(of, np.maximum(end - self.t["start_s"], 0.0) / MINUTE_S)


def day_of_one_type(outcome: Outcome) -> Sums:
    rows = Rows(outcome)
    wait_s = rows.t["wait_s"]
    good, served = rows.count(rows.served & (wait_s < 20.0)), rows.count(rows.served)
    late = rows.count(rows.abandoned & (wait_s >= 20.0))
    blocked = rows.count(rows.t["state"] == TurnState.BLOCKED)
    return {
        "in_target": good,
        "served": served,
        "waited_min": rows.count(rows.served, wait_s / MINUTE_S),
        "busy_min": rows.work(rows.served, 8 * 3600.0),
        "agent_min": np.full(PERIODS, 12 * 480.0),
        "abandoned": rows.count(rows.abandoned),
        "blocked": blocked,
        "served_or_late": served + late,
        "served_or_blocked": served + blocked,
    }


TYPES = (
    (Topic.INFO, Topic.REBOOKING, Topic.BAGGAGE),
    (Topic.CHECKIN, Topic.PAYMENT, Topic.REFUND),
    (Topic.COMPLAINT, Topic.ASSISTANCE, Topic.LOST_ITEM),
)


def day_of_three_types(outcome: Outcome) -> Sums:
    rows = Rows(outcome)
    t, starts = rows.t, DAY_S * np.arange(PERIODS)
    good = rows.served & (t["wait_s"] < 20.0)
    topic = outcome.cases["topic"][t["case"]]
    ends = np.full(PERIODS, 6 * 3600.0) + starts
    np.maximum.at(ends, rows.period, t["end_s"])
    staff = {name: column[outcome.staff["pool"] == 0] for name, column in outcome.staff.items()}
    there = [np.minimum(staff["off_s"], b) - np.maximum(staff["on_s"], a) for a, b in zip(starts, ends, strict=True)]
    served = rows.count(rows.served)
    return {
        "in_target": rows.count(good),
        "served": served,
        "abandoned": rows.count(rows.abandoned),
        "served_or_late": served + rows.count(rows.abandoned & (t["wait_s"] >= 20.0)),
        "busy_min_0": rows.work(rows.served & np.isin(t["agent"], staff["agent"])),
        "agent_min_0": np.array([np.maximum(each, 0.0).sum() / MINUTE_S for each in there]),
        **{
            f"in_target_type_{k}_period_{p}": rows.count(good & (topic == code(TYPES[k][p])))
            for k in range(3)
            for p in range(3)
        },
    }


def busy_days(scenario: Scenario, number: int) -> Scenario:
    """Each day has a gamma factor of its own on all rates, of mean 1 and shape 28.7."""
    factors = np.random.default_rng([2005, number]).gamma(28.7, 1 / 28.7, PERIODS).tolist()
    surges = [
        Boost(kind="boost", at_h=(24.0 * day,), length_h=6.0, mentions=factor, cases=factor)
        for day, factor in enumerate(factors)
    ]
    return scenario.model_copy(update={"surges": tuple(surges)})


def week_of_two_languages(outcome: Outcome) -> Sums:
    rows = Rows(outcome, 7 * DAY_S)
    t, cases = rows.t, outcome.cases
    closing = (t["queued_s"] // DAY_S) * DAY_S + 17 * 3600.0
    # Who still waits when the agents go home is told so, and does not call again.
    left = rows.abandoned & (t["end_s"] < closing)
    came = t["queued_s"] < closing
    first = np.zeros(t["case"].size, dtype=bool)
    first[np.unique(t["case"], return_index=True)[1]] = True
    waited = np.bincount(t["case"][came], t["wait_s"][came], cases["row"].size)[t["case"]]
    good = rows.served & (waited < 60.0)
    pool = np.repeat(np.arange(3), (7, 7, 4))
    out: Sums = {}
    for name, topic in (("english", Topic.INFO), ("spanish", Topic.BAGGAGE)):
        mine = came & (cases["topic"][t["case"]] == code(topic))
        out |= {
            f"arrivals_{name}": rows.count(mine),
            f"retrials_{name}": rows.count(mine & ~first),
            f"served_{name}": rows.count(mine & rows.served),
            f"abandoned_{name}": rows.count(mine & left),
            f"in_target_{name}": rows.count(mine & good),
        }
    for i, (name, heads) in enumerate((("english_only", 7), ("spanish_only", 7), ("bilingual", 4))):
        by_pool = rows.served & (pool[t["agent"]] == i)
        out[f"occupancy_{name}_pct"] = rows.work(by_pool) / (5 * 540.0 * heads) * 100.0
    out["occupancy_all_pct"] = rows.work(rows.served) / (5 * 540.0 * 18) * 100.0
    return out


def by_patience_kept() -> dict[str, tuple[float, float]]:
    """What each count of a week gains if callers keep their patience, and its standard error."""
    rng = np.random.default_rng(2005)
    weeks = [week(rng) for _ in range(PATIENCE_WEEKS)]
    gains = {
        name: np.array([kept.get(name, 0.0) - fresh.get(name, 0.0) for kept, fresh in weeks]) for name in weeks[0][0]
    }
    return {name: (float(x.mean()), float(x.std(ddof=1)) / math.sqrt(x.size)) for name, x in gains.items()}


RATIOS = {
    "service_level": ("in_target", "served"),
    "service_level_with_abandonment": ("in_target", "served_or_late"),
    "service_level_with_blocked": ("in_target", "served_or_blocked"),
    "speed_of_answer_min": ("waited_min", "served"),
    "occupancy": ("busy_min", "agent_min"),
}
RATIOS_MSK = {"service_level": ("in_target", "served_or_late"), "occupancy_of_group_0": ("busy_min_0", "agent_min_0")}


def estimated(sums: Sums, name: str, ratios: Mapping[str, tuple[str, str]]) -> tuple[float, float]:
    """Estimate and standard error; of a ratio of means by the delta method."""
    if name not in ratios:
        x = sums[name]
        return float(x.mean()), float(x.std(ddof=1)) / math.sqrt(x.size)
    x, y = (sums[each] for each in ratios[name])
    ratio = float(x.mean() / y.mean())
    return ratio, float((x - ratio * y).std(ddof=1) / y.mean()) / math.sqrt(x.size)


MODELS: dict[str, tuple[str, str, Callable[[Outcome], Sums]]] = {
    "mmc": ("mmc", "mmc_desk", day_of_one_type),
    "mmcab": ("mmcab", "mmc_desk", day_of_one_type),
    "mmcblocked": ("mmc", "mmcblocked_desk", day_of_one_type),
    "simplemsk": ("simplemsk", "simplemsk_desk", day_of_three_types),
    "bilingual": ("bilingual", "bilingual_desk", week_of_two_languages),
}


@pytest.mark.parametrize("model", MODELS)
def test_a_published_run_is_met_within_both_errors(model: str) -> None:
    world, floor, read = MODELS[model]
    scenario, desk = scenarios.load(FOLDER / f"{world}.toml"), desks.load(FOLDER / f"{floor}.toml")

    def job(number: int) -> Sums:
        days = busy_days(scenario, number) if model == "simplemsk" else scenario
        return read(play(days, desk, number))

    runs = side_by_side(job, RUNS)
    sums = {name: np.concatenate([run[name] for run in runs]) for name in runs[0]}
    moved = by_patience_kept() if model == "bilingual" else {}
    for name, (printed, low, high) in PRINTED[model].items():
        ours, error = estimated(sums, name, RATIOS_MSK if model == "simplemsk" else RATIOS)
        more, of_more = moved.get(name, (0.0, 0.0))
        theirs = (high - low) / 2.0 / T_999
        ours, error = ours + more, math.hypot(error, of_more)
        apart = 3.3 * math.hypot(error, theirs) + 0.0005
        assert abs(ours - printed) <= apart, f"{name}: {ours:.6g} +- {error:.2g}, printed {printed} +- {theirs:.2g}"
