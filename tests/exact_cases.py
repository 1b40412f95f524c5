"""The exact cases of tests/data/validation_cases.json as models: what is played, what is read off, what is exact.

A replication of a stationary case is a window from empty of which the first minutes are left out. One of a
transient case is a day; many days lie in one window, so far apart that each begins empty, which is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from exact import (
    MANY_MIN,
    MINUTE_S,
    TOPICS,
    FloatArray,
    Play,
    busy_minutes,
    by,
    desk,
    exact,
    exponential,
    heads,
    overlap_min,
    poisson,
    scenario,
    steps_of_poisson,
    trace,
)

from scenarios.model import Scenario
from scenarios.names import Topic
from sim.desk import Desk
from sim.outcome import Outcome, TurnState

Values = dict[str, float]
Streams = dict[Topic, FloatArray]
OTHER = (Topic.INFO, Topic.BAGGAGE, Topic.REFUND)


@dataclass(frozen=True)
class Case:
    """A model with exact answers.

    `replicate(play, number, minutes)` gives the values of replications from the seed `number`: one for
    a stationary case, of a window of `minutes` after the warm-up; one a day for a transient case, of
    which `minutes` is the number of days. `heavy` is (seeds, minutes or days) on the compiled engine
    with the stated tolerance, `light` the same on both engines; None where another case shows as much.
    """

    replicate: Callable[[Play, int, float], list[Values]]
    want: Mapping[str, float]
    heavy: tuple[int, float]
    light: tuple[int, float] | None
    transient: bool = False


@dataclass(frozen=True)
class Stationary:
    """A queue that is watched after its warm-up."""

    world: Scenario
    floor: Desk
    streams: Callable[[float, np.random.Generator], Streams]
    read: Callable[[Outcome, float, float], Values]  # from one minute to another
    warm_min: float
    drain_min: float
    salt: int = 0

    def __call__(self, play: Play, number: int, minutes: float) -> list[Values]:
        end = self.warm_min + minutes
        rng = np.random.default_rng([2015, self.salt, number])
        posts = trace(self.streams(end, rng), end)
        outcome = play(self.world, self.floor, posts, number, drain_h=self.drain_min / 60.0)
        return [self.read(outcome, self.warm_min, end)]


@dataclass(frozen=True)
class Days:
    """Days that begin empty, `every_min` apart, read at minutes of the day."""

    behaviour: dict[str, Any]
    rates: Sequence[tuple[float, float]]
    staff: Sequence[tuple[float, int]]
    shift_end: str
    length_min: float
    every_min: float
    read: Callable[[Outcome, FloatArray], list[Values]]  # starts of the days, in minutes
    salt: int = 0

    def __call__(self, play: Play, number: int, days: float) -> list[Values]:
        rng = np.random.default_rng([2015, self.salt, number])
        starts = np.arange(int(days), dtype=np.float64) * self.every_min
        end = float(self.every_min * int(days))
        times = np.concatenate([start + steps_of_poisson(self.rates, self.length_min, rng) for start in starts])
        steps = [(start + minute, n) for start in starts.tolist() for minute, n in self.staff]
        floor = desk([heads("all", steps, shift_end=self.shift_end)])
        world = scenario(**self.behaviour)
        outcome = play(world, floor, trace({Topic.INFO: times}, end), number)
        t = outcome.turns
        left = np.where(np.isfinite(t["end_s"]), t["end_s"], np.inf)
        assert np.all(by(starts, t["queued_s"]) == by(starts, left)), "a day does not begin empty"
        return self.read(outcome, starts)


def _after(outcome: Outcome, warm: float, end: float) -> Any:
    """Which turns were queued between two minutes."""
    queued = outcome.turns["queued_s"]
    return (queued >= warm * MINUTE_S) & (queued < end * MINUTE_S)


def _of(outcome: Outcome, topic: Topic) -> Any:
    return outcome.cases["topic"][outcome.turns["case"]] == TOPICS.index(topic)


def _waits(outcome: Outcome, where: Any) -> FloatArray:
    waits: FloatArray = outcome.turns["wait_s"][where] / MINUTE_S
    return waits


# ---- V01 ----------------------------------------------------------------------------------------------------


def _v01(o: Outcome, warm: float, end: float) -> Values:
    waits = _waits(o, _after(o, warm, end))
    return {
        "p_wait": float(np.mean(waits > 0)),
        "mean_wait_min": float(waits.mean()),
        "mean_queue": float(waits.sum()) / (end - warm),
        "occupancy": busy_minutes(o, warm, end) / 12 / (end - warm),
        "p_wait_le_awt": float(np.mean(waits <= 1 / 3)),
    }


V01 = Stationary(
    scenario(exponential(2.0)),
    desk([heads("all", [(0, 12)])]),
    lambda end, rng: {Topic.INFO: poisson(4.2, end, rng)},
    _v01, warm_min=100.0, drain_min=120.0, salt=1,
)  # fmt: skip

V01_DAY_MIN, V01_CUSTOMERS = 480.0, 4.2 * 480.0


def _v01_day(o: Outcome, starts: FloatArray) -> list[Values]:
    t, begin, work = o.turns, starts * MINUTE_S, 12 * V01_DAY_MIN
    day = np.searchsorted(begin, t["queued_s"], side="right") - 1
    good = np.bincount(day[t["wait_s"] <= 20.0], minlength=starts.size)
    waited = np.bincount(day, t["wait_s"] / MINUTE_S, starts.size)
    inside = np.minimum(t["end_s"], begin[day] + V01_DAY_MIN * MINUTE_S) - t["start_s"]
    busy = np.bincount(day, np.maximum(inside, 0.0) / MINUTE_S, starts.size)
    return [
        {
            "expected_answered_within_awt": float(good[i]),
            "service_level": float(good[i]) / V01_CUSTOMERS,
            "mean_wait": float(waited[i]) / V01_CUSTOMERS,
            "occupancy": float(busy[i]) / work,
        }
        for i in range(starts.size)
    ]


V01_DAY = Days(
    {"handling": exponential(2.0)}, [(0, 4.2)], [(0, 12)], "finish", V01_DAY_MIN, 600.0, _v01_day, salt=2
)  # fmt: skip

# ---- V02, V04 -----------------------------------------------------------------------------------------------


def _loss(servers: int, load: float) -> Stationary:
    """No waiting place: who finds all agents busy is blocked and gives up."""
    return Stationary(
        scenario(exponential(1.0)),
        desk([heads("all", [(0, servers)])], routing={"idle": ["ordered"], "limits": [{"places": 0}]}),
        lambda end, rng: {Topic.INFO: poisson(load, end, rng)},
        lambda o, warm, end: {
            "p_block": float(np.mean(o.turns["state"][_after(o, warm, end)] == TurnState.BLOCKED))
        },
        warm_min=15.0, drain_min=0.0, salt=100 + servers,
    )  # fmt: skip


LAWS = {
    "deterministic": {"kind": "constant", "value": 8.0},
    "erlang_2": {"kind": "gamma", "mean": 8.0, "cv": 0.5**0.5},
    "exponential": {"kind": "exponential", "mean": 8.0},
    "lognormal_scv4": {"kind": "lognormal", "mean": 8.0, "cv": 2.0},
    "gamma_shape_0.25": {"kind": "gamma", "mean": 8.0, "cv": 2.0},
}


LIGHT_LAWS = ("deterministic", "lognormal_scv4")


def _mg1(law: str) -> Stationary:
    def read(o: Outcome, warm: float, end: float) -> Values:
        waits = _waits(o, _after(o, warm, end))
        return {"mean_wait": float(waits.mean()), "p_wait": float(np.mean(waits > 0))}

    return Stationary(
        scenario(LAWS[law]),
        desk([heads("one", [(0, 1)])]),
        lambda end, rng: {Topic.INFO: poisson(0.1, end, rng)},
        read, warm_min=20_000.0, drain_min=60_000.0, salt=40 + list(LAWS).index(law),
    )  # fmt: skip


# ---- V07 ----------------------------------------------------------------------------------------------------


def _v07(o: Outcome, warm: float, end: float) -> Values:
    after = _after(o, warm, end)
    waits, served = _waits(o, after), o.turns["state"][after] == TurnState.DONE
    return {
        "p_wait": float(np.mean(waits > 0)),
        "p_abandon": float(np.mean(~served)),
        "mean_wait_all": float(waits.mean()),
        "mean_wait_served": float(waits[served].mean()),
        "mean_queue": float(waits.sum()) / (end - warm),
        "occupancy": busy_minutes(o, warm, end) / 50 / (end - warm),
        "p_served_within": float(np.mean(served & (waits <= 1 / 3))),
    }


def _v07_patient(o: Outcome, warm: float, end: float) -> Values:
    found = _v07(o, warm, end)
    names = {"p_wait": "p_wait", "mean_wait_all": "mean_wait_min", "mean_queue": "mean_queue", "occupancy": "occupancy"}
    return {names[name]: value for name, value in found.items() if name in names}


def _erlang(read: Any, warm_min: float, **behaviour: Any) -> Stationary:
    return Stationary(
        scenario(exponential(1.0), **behaviour),
        desk([heads("all", [(0, 50)])]),
        lambda end, rng: {Topic.INFO: poisson(48.0, end, rng)},
        read, warm_min=warm_min, drain_min=120.0, salt=7,
    )  # fmt: skip


V07 = _erlang(_v07, 20.0, patience_h=exponential(2.0, 60.0))
V07_PATIENT = _erlang(_v07_patient, 500.0)
V07_WANT = {**exact("V07")["n50"], "p_served_within": exact("V07")["n50"]["p_served_within"]["value"]}

# ---- V09, V11, V12 ------------------------------------------------------------------------------------------

V09_RATES = (1.5, 1.5, 1.2)


def _v09(o: Outcome, warm: float, end: float) -> Values:
    after = _after(o, warm, end)
    found = {
        f"mean_wait_min of class {i + 1}": float(_waits(o, after & _of(o, OTHER[i])).mean())
        for i in range(len(V09_RATES))
    }
    return {**found, "p_wait_any": float(np.mean(_waits(o, after) > 0))}


def _by_class(read: Any, classes: Sequence[Mapping[str, Any]], salt: int) -> Stationary:
    return Stationary(
        scenario(exponential(1.0)),
        desk([heads("all", [(0, 5)])], classes=classes),
        lambda end, rng: {topic: poisson(rate, end, rng) for topic, rate in zip(OTHER, V09_RATES, strict=True)},
        read, warm_min=300.0, drain_min=600.0, salt=salt,
    )  # fmt: skip


V09 = _by_class(
    _v09,
    [{"name": f"class {i}", "when": {"topics": [OTHER[i]]}, "promise_min": 1.0 + i * MANY_MIN} for i in range(2)]
    + [{"name": "class 2", "promise_min": 1.0 + 2 * MANY_MIN}],
    salt=9,
)
V09_FIFO = _by_class(
    lambda o, warm, end: {"mean_wait_fifo_min": float(_waits(o, _after(o, warm, end)).mean())},
    [{"name": "all", "promise_min": 60.0}],
    salt=90,
)
V09_WANT = {f"mean_wait_min of class {i + 1}": w for i, w in enumerate(exact("V09")["mean_wait_min"])} | {
    "p_wait_any": exact("V09")["p_wait_any"]
}


V11_TAIL_MIN = 60.0  # who comes that late may still wait at the end


def _v11(reserve: int) -> Stationary:
    """Deferred work lies there from the start, more than can be done; urgent work comes."""
    urgent, deferred = OTHER[:2]

    def streams(end: float, rng: np.random.Generator) -> Streams:
        done = exact("V11")[f"reserve_{reserve}"]["deferred_completed_per_min"] * end
        return {urgent: poisson(0.9, end, rng), deferred: np.zeros(int(done + 10 * done**0.5))}

    def read(o: Outcome, warm: float, end: float) -> Values:
        t, late = o.turns, _of(o, deferred)
        assert np.any(t["state"][late] == TurnState.WAITING), "the deferred work has run out"
        waits = _waits(o, _after(o, warm, end - V11_TAIL_MIN) & ~late)
        assert np.all(np.isfinite(waits))
        done = late & (t["end_s"] >= warm * MINUTE_S) & (t["end_s"] < end * MINUTE_S)
        return {
            "urgent_mean_wait_min": float(waits.mean()),
            "urgent_p_wait": float(np.mean(waits > 0)),
            "deferred_completed_per_min": float(np.count_nonzero(done)) / (end - warm),
        }

    return Stationary(
        scenario(exponential(6.0)),
        desk(
            [heads("all", [(0, 8)], reserve=reserve)],
            classes=[
                {"name": "urgent", "when": {"topics": [urgent]}, "promise_min": 1.0},
                {"name": "deferred", "promise_min": MANY_MIN, "deferred": True},
            ],
        ),
        streams, read, warm_min=200.0, drain_min=0.0, salt=110 + reserve,
    )  # fmt: skip


V12_GROUPS = {"first": [OTHER[0]], "second": [t for t in TOPICS if t not in (OTHER[0], "joke", "outrage", "repost")]}


def _v12(o: Outcome, warm: float, end: float) -> Values:
    after, state = _after(o, warm, end), o.turns["state"]
    found: Values = {}
    for i in range(2):
        mine = after & _of(o, OTHER[i])
        waits = _waits(o, mine)
        found[f"p_wait of class {i + 1}"] = float(np.mean(waits > 0))
        found[f"p_abandon of class {i + 1}"] = float(np.mean(state[mine] == TurnState.ABANDONED))
        found[f"mean_wait_all_min of class {i + 1}"] = float(waits.mean())
        found[f"mean_queue of class {i + 1}"] = float(waits.sum()) / (end - warm)
    for i, pool in enumerate((range(4), range(4, 9))):
        found[f"occupancy of pool {i + 1}"] = busy_minutes(o, warm, end, list(pool)) / len(pool) / (end - warm)
    return found


V12 = Stationary(
    scenario(
        exponential(4.0),
        patience_h=1.0,
        patience_by_topic_h={OTHER[0]: exponential(20.0, 60.0), OTHER[1]: exponential(100 / 3, 60.0)},
    ),
    desk(
        [heads("dedicated", [(0, 4)], topics=["first"]), heads("flexible", [(0, 5)])],
        classes=[
            {"name": "second", "when": {"topics": [OTHER[1]]}, "promise_min": 1.0},
            {"name": "first", "promise_min": MANY_MIN},
        ],
        routing={"idle": ["fewest_skills"], "topic_groups": V12_GROUPS},
    ),
    lambda end, rng: {OTHER[0]: poisson(1.2, end, rng), OTHER[1]: poisson(0.8, end, rng)},
    _v12, warm_min=200.0, drain_min=300.0, salt=12,
)  # fmt: skip
V12_WANT = {
    f"{name} of {'pool' if name == 'occupancy' else 'class'} {i + 1}": value
    for name, values in exact("V12").items()
    for i, value in enumerate(values)
}

# ---- V14 ----------------------------------------------------------------------------------------------------


def _v14(o: Outcome, warm: float, end: float) -> Values:
    t, cases = o.turns, o.cases
    first = np.unique(t["case"], return_index=True)[1]
    first = first[_after(o, warm, end)[first]]
    orbit = (cases["first_start_s"] - cases["posted_s"])[cases["posted_s"] >= warm * MINUTE_S] / MINUTE_S
    inside = overlap_min(cases["posted_s"], cases["first_start_s"], warm, end)
    return {
        "p_block_fresh": float(np.mean(t["state"][first] == TurnState.BLOCKED)),
        "attempts_per_min": float(np.count_nonzero(_after(o, warm, end))) / (end - warm),
        "mean_time_in_orbit_min": float(orbit.mean()),
        "mean_orbit": inside / (end - warm),
        "mean_busy": busy_minutes(o, warm, end) / (end - warm),
    }


V14 = Stationary(
    scenario(
        exponential(1.0),
        after_blocked=[{"to": "same", "probability": 1.0, "delay_min": exponential(2.0)}],
        max_attempts=1000,
    ),
    desk([heads("all", [(0, 4)])], routing={"idle": ["ordered"], "limits": [{"places": 0}]}),
    lambda end, rng: {Topic.INFO: poisson(3.0, end, rng)},
    _v14, warm_min=300.0, drain_min=1200.0, salt=14,
)  # fmt: skip

# ---- V19, V21 -----------------------------------------------------------------------------------------------


def _at(o: Outcome, starts: FloatArray, minutes: Sequence[float]) -> dict[str, Any]:
    """(days, minutes) counts of rows by what they are in at minutes of each day."""
    t = o.turns
    at = (starts[:, None] + np.array(minutes)[None, :]).ravel()
    shape = starts.size, len(minutes)
    began = np.isfinite(t["start_s"])
    gone = ~began & np.isfinite(t["end_s"])
    came, taken, done, lost = (
        by(at, t["queued_s"]), by(at, t["start_s"][began]), by(at, t["end_s"][began]), by(at, t["end_s"][gone])
    )  # fmt: skip
    counts = {"queue": came - taken - lost, "busy": taken - done, "came": came, "served": done, "lost": lost}
    found = {name: count.reshape(shape) for name, count in counts.items()}
    for name in ("came", "served", "lost"):
        before = found[name][:, :1] if minutes[0] == 0.0 else 0
        found[name] = found[name] - before
    return found


def _v19(times: Sequence[str]) -> Callable[[Outcome, FloatArray], list[Values]]:
    want = exact("V19")["at_min"]
    minutes = [0.0, *(float(key) for key in times)]

    def read(o: Outcome, starts: FloatArray) -> list[Values]:
        at, rows = _at(o, starts, minutes), []
        for d in range(starts.size):
            row: Values = {}
            for j, key in enumerate(times, start=1):
                queue, busy = float(at["queue"][d, j]), float(at["busy"][d, j])
                row |= {
                    f"p_all_busy at {key}": float(busy >= want[key]["servers"]),
                    f"mean_queue at {key}": queue,
                    f"mean_busy at {key}": busy,
                    f"cum_abandoned at {key}": float(at["lost"][d, j]),
                    f"cum_served at {key}": float(at["served"][d, j]),
                    f"cum_arrived at {key}": float(at["came"][d, j]),
                    f"p_queue_empty at {key}": float(queue == 0.0),
                }
            rows.append(row)
        if "480.0" in times:
            t, begin = o.turns, starts * MINUTE_S
            day = np.searchsorted(begin, t["queued_s"], side="right") - 1
            for d, minutes_waited in enumerate(np.bincount(day, t["wait_s"] / MINUTE_S, starts.size).tolist()):
                rows[d]["cum_queue_minutes"] = minutes_waited
        return rows

    return read


V19_TIMES = tuple(exact("V19")["at_min"])
V19_RATES = [(0.0, 2.0), (60.0, 20.0), (180.0, 6.0), (300.0, 2.0)]
V19_BEHAVIOUR = {"handling": exponential(6.0), "patience_h": exponential(30.0, 60.0)}
V19 = Days(
    V19_BEHAVIOUR, V19_RATES, [(0.0, 15), (105.0, 40), (150.0, 90)], "finish", 480.0, 720.0, _v19(V19_TIMES), salt=19
)
V19_HOUR = Days(V19_BEHAVIOUR, V19_RATES[:1], [(0.0, 15)], "finish", 60.0, 420.0, _v19(V19_TIMES[:2]), salt=190)
V19_WANT = {
    f"{name} at {key}": value
    for key, row in exact("V19")["at_min"].items()
    for name, value in row.items()
    if name != "servers"
} | {"cum_queue_minutes": exact("V19")["cum_queue_minutes"]}


def _of_hour(want: Mapping[str, float], first: bool) -> dict[str, float]:
    """What is asked of the first hour, which needs more days than the rest, or of the rest."""
    return {name: x for name, x in want.items() if name.endswith(("at 30.0", "at 60.0")) == first}


V21_TIMES = tuple(key for key in exact("V21") if key.replace(".", "").isdigit())


def _v21(o: Outcome, starts: FloatArray) -> list[Values]:
    at = _at(o, starts, [60.0 - 1e-6, *(float(key) for key in V21_TIMES)])
    rows = []
    for d in range(starts.size):
        row = {"mean_busy_at_60_before": float(at["busy"][d, 0])}
        for j, key in enumerate(V21_TIMES, start=1):
            busy = float(at["busy"][d, j])
            row |= {
                f"mean_queue at {key}": float(at["queue"][d, j]),
                f"p_wait at {key}": float(busy >= 20),
                f"mean_working at {key}": busy,
            }
        rows.append(row)
    return rows


def _drop(shift_end: str) -> Days:
    behaviour = {"handling": exponential(5.0), "patience_h": exponential(20.0, 60.0)}
    staff = [(0.0, 40), (60.0, 20), (91.0, 40)]
    return Days(behaviour, [(0.0, 5.0)], staff, shift_end, 90.5, 300.0, _v21, salt=21)


def _v21_want(semantics: str) -> dict[str, float]:
    want = {f"{name} at {key}": x for key in V21_TIMES for name, x in exact("V21")[key][semantics].items()}
    return {**want, "mean_busy_at_60_before": exact("V21")["mean_busy_at_60_before"]}


CASES: dict[str, Case] = {
    "V01 stationary": Case(V01, exact("V01")["stationary"], (20, 66_000.0), (20, 250.0)),
    "V01 day from empty": Case(V01_DAY, exact("V01")["day_from_empty"], (20, 115), None),
    **{
        f"V02 {servers} servers": Case(
            _loss(servers, load),
            {"p_block": exact("V02")["p_block"][i]},
            (20, 20_000.0 / load),
            None if i else (20, 1000.0 / load),
        )
        for i, (servers, load) in enumerate([(10, 7.0), (150, 140.0)])
    },
    **{
        f"V04 {law}": Case(_mg1(law), exact("V04")[law], (runs, 500_000.0), (20, 5e3) if law in LIGHT_LAWS else None)
        for law, runs in zip(LAWS, (20, 24, 26, 190, 64), strict=True)
    },
    "V07 Erlang A": Case(V07, V07_WANT, (20, 4000.0), (20, 30.0)),
    "V07 without leaving": Case(V07_PATIENT, exact("V07")["n50_without_abandonment"], (165, 5000.0), None),
    "V09 three classes": Case(V09, V09_WANT, (20, 84_000.0), (20, 200.0)),
    "V09 in order of arrival": Case(
        V09_FIFO, {"mean_wait_fifo_min": exact("V09")["mean_wait_fifo_min"]}, (20, 44_000.0), None
    ),
    **{
        f"V11 reserve of {r}": Case(
            _v11(r), exact("V11")[f"reserve_{r}"], (20, minutes), (20, 500.0) if r == 2 else None
        )
        for r, minutes in enumerate((38_000.0, 38_000.0, 85_000.0, 125_000.0))
    },
    "V12 flexible pool": Case(V12, V12_WANT, (20, 57_000.0), (20, 400.0)),
    "V14 trying again": Case(V14, exact("V14"), (20, 29_000.0), (20, 100.0)),
    "V19 first hour": Case(V19_HOUR, _of_hour(V19_WANT, True), (20, 450), (20, 5), transient=True),
    "V19 surge and ladder": Case(V19, _of_hour(V19_WANT, False), (20, 100), (12, 1), transient=True),
    **{
        f"V21 {semantics}": Case(_drop(shift_end), _v21_want(semantics), (20, 170), (20, 4), transient=True)
        for semantics, shift_end in (("interrupt", "hand_back"), ("finish_then_leave", "finish"))
    },
}


def allowed(name: str, want: float, transient: bool) -> float:
    """Half-width that a case states: a share of the exact value, or a floor for probabilities and counts."""
    probability = name.startswith(("p_", "urgent_p_"))
    if transient:
        return max(0.03 * abs(want), 0.01 if probability else 0.05)
    return 0.005 if probability else 0.02 * abs(want)


def values(rows: Sequence[Values]) -> dict[str, FloatArray]:
    """Columns of the replications' values."""
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}
