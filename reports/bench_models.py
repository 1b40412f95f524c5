"""What the benchmark plays: a textbook queue, a surge on a desk of many skills, windows of the library.

Of the first two, all that is drawn is laid out beforehand by customer (`Customers`), so that every tool meets
the same people and one answer can be held against the other bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios import library
from scenarios.generate import generate
from scenarios.laws import Law
from scenarios.model import Scenario
from scenarios.names import Language, Topic, code, members
from scenarios.traces import COLUMNS, Trace
from sim import draws
from sim import library as desks
from sim.codecache import compiled
from sim.desk import Desk
from sim.draws import Stream

MINUTE_S, HOUR_S = 60.0, 3600.0
SEED = 1
ENDLESS_H = 1000.0  # runs on until nothing waits
FloatArray = NDArray[np.float64]

SPOKEN = ("nl", "en", "de", "fr", "es", "it", "pt", "no")
SHARES = (0.30, 0.20, 0.14, 0.10, 0.09, 0.07, 0.06, 0.04)
TRIES = 4
URGENT, OTHER = Topic.REBOOKING, Topic.INFO


@dataclass(frozen=True)
class Customers:
    """What tools are told of n customers, a agents, l languages; times in seconds.

    Attributes
    ----------
    arrival_s, service_s : (n,) float64
        In order of arrival.
    language : (n,) int64
    urgent : (n,) bool
        Urgent ones go first, whoever has waited longest first among them.
    patience_s, back_s : (n, tries) float64
        Of each try: how long he waits, and if he gives up, how long until he comes back.
    returns : (n, tries) bool
        Whether he comes back after giving up.
    speaks : (a, l) bool
    """

    arrival_s: FloatArray
    service_s: FloatArray
    language: NDArray[np.int64]
    urgent: NDArray[np.bool_]
    patience_s: FloatArray
    back_s: FloatArray
    returns: NDArray[np.bool_]
    speaks: NDArray[np.bool_]

    def first(self, n: int) -> Customers:
        """The first n of them: if nobody comes back, what befalls them does not depend on those behind."""
        return Customers(
            self.arrival_s[:n], self.service_s[:n], self.language[:n], self.urgent[:n],
            self.patience_s[:n], self.back_s[:n], self.returns[:n], self.speaks,
        )  # fmt: skip


@dataclass(frozen=True)
class Model:
    """One thing to play. `customers` is None where it takes a desk of ashcloud to say what it is."""

    name: str
    title: str
    scenario: Scenario
    desk: Desk
    trace: Trace
    drain_h: float = 0.0
    customers: Customers | None = None

    @property
    def has_skills(self) -> bool:
        return self.customers is not None and self.customers.speaks.shape[1] > 1


def erlang_a(servers: int, n: int, idle: str = "ordered") -> Model:
    """M/M/s+M at a load of 0.952, first come first served: n customers, 6 minutes of work, 30 of patience.

    `idle` is the desk's order of free agents, which has no influence on who waits how long.
    """
    rng = np.random.default_rng(SEED)
    rate_per_s = servers / 105 * 1000 / HOUR_S
    times = np.cumsum(rng.exponential(1.0 / rate_per_s, n))
    scenario = _scenario(
        times, ["en"], exponential(6.0), {"patience_h": exponential(0.5), "max_attempts": 1, "after_abandoned": []}
    )
    desk = Desk.model_validate(
        {
            "name": "servers",
            "title": "servers who are all alike",
            "triage": {"mode": "none"},
            "routing": {"idle": [idle]},
            "pools": [{"name": "all", "languages": ["en"], "steps": [[0.0, servers]]}],
        }
    )
    language = np.zeros(n, dtype=np.int64)
    urgent = np.zeros(n, dtype=np.bool_)
    customers = _customers(scenario, times, language, urgent, np.ones((servers, 1), dtype=np.bool_), 1)
    title = f"M/M/{servers}+M, {_many(n)} arrivals"
    return Model("mm105", title, scenario, desk, _trace(times, ["en"], language, urgent), ENDLESS_H, customers)


def multi_skill(days: int, agents: int = 150) -> Model:
    """Days of agents who speak one to three of 8 languages each, with three hours of ten times as many customers."""
    rng = np.random.default_rng(SEED + 6)
    quarter = np.arange(days * 96)
    hour = (quarter % 96) / 4
    awake = (hour >= 6) & (hour < 22)
    per_h = agents / 150 * 1.15 * (620 + 560 * np.clip(np.sin((hour - 6) / 16 * np.pi), 0, None) * awake)
    begin = (days // 2) * 96 + 40  # at ten o'clock
    per_h[begin : begin + 12] *= 10.0
    counts = rng.poisson(per_h[:, None] * np.array(SHARES) / 4)
    quarters, language = np.nonzero(counts)
    many = counts[quarters, language]
    quarters, language = np.repeat(quarters, many), np.repeat(language, many)
    times = (quarters + rng.random(quarters.size)) * HOUR_S / 4
    order = np.argsort(times, kind="stable")
    times, language = times[order], language[order].astype(np.int64)
    urgent = rng.random(times.size) < 0.1
    scenario = _scenario(
        times,
        SPOKEN,
        {"kind": "lognormal", "median": 6.0 * float(np.exp(-0.32)), "sd_log": 0.8},
        {
            "patience_h": exponential(1.0),
            "after_abandoned": [{"to": "same", "probability": 0.3, "delay_min": exponential(120.0)}],
            "max_attempts": TRIES,
        },
    )
    desk, speaks = _polyglots(agents, rng)
    customers = _customers(scenario, times, language, urgent, speaks, TRIES)
    title = f"{len(speaks)} agents, 8 languages, a surge, {_many(times.size)} customers"
    trace = _trace(times, SPOKEN, language, urgent)
    return Model("multiskill", title, scenario, desk, trace, ENDLESS_H, customers)


def window(name: str, hours: float | None) -> Model:
    """The first hours of a scenario of the library, on the desk of 2015 with its plan."""
    scenario = library.load(name)
    trace = generate(scenario, seed=SEED, hours=hours)
    title = f"{name} on klm_2015, {'whole' if hours is None else f'{hours:g} h'}, {_many(trace.mentions)} mentions"
    return Model(name, title, scenario, desks.load("klm_2015"), trace)


def _many(n: int) -> str:
    return f"{n:,}".replace(",", " ")


def exponential(mean: float) -> dict[str, Any]:
    """An exponential law, as in a scenario file."""
    return {"kind": "exponential", "mean": mean}


def _scenario(
    times: FloatArray, languages: Sequence[str], handling: dict[str, Any], behaviour: dict[str, Any]
) -> Scenario:
    """Customers of one turn, who do nothing but wait, and what `behaviour` adds."""
    quiet: dict[str, Any] = {
        "handling_min": {"default": handling},
        "turns": [1.0],
        "turn_sd_log": 0.0,
        "silent_share": 0.0,
        "recontact": {"probability": 0.0},
        "back_office": {"share": 0.0},
        "reopening": {"probability": 0.0},
        "payment_share": 0.0,
        "after_blocked": [],
    }
    return Scenario.model_validate(
        {
            "name": "bench",
            "title": "a queue to measure by",
            "window_h": [0.0, float(times[-1]) / HOUR_S + 1.0],
            "mix": {"languages": dict.fromkeys(languages, 1.0 / len(languages))},
            "behaviour": {**quiet, **behaviour},
        }
    )


def _polyglots(agents: int, rng: np.random.Generator) -> tuple[Desk, NDArray[np.bool_]]:
    """Agents of one to three languages, those with the same ones in a pool; who speaks what, by agent number.

    For each language there is somebody who speaks nothing else, so there may be a few more.
    """
    drawn = [sorted(rng.choice(len(SPOKEN), 1 + a % 3, replace=False, p=SHARES).tolist()) for a in range(agents)]
    sets = sorted({tuple(languages) for languages in drawn} | {(i,) for i in range(len(SPOKEN))})
    pools, speaks = [], []
    for languages in sets:
        heads = max(drawn.count(list(languages)), 1)
        names = [SPOKEN[i] for i in languages]
        pools.append({"name": "-".join(names), "languages": names, "steps": [[0.0, heads]]})
        speaks += [[i in languages for i in range(len(SPOKEN))]] * heads
    desk = {
        "name": "polyglots",
        "title": "agents of one to three languages",
        "triage": {"mode": "none"},
        "routing": {"idle": ["longest_idle"]},
        "classes": [
            {"name": "urgent", "promise_min": 1.0, "when": {"topics": [URGENT.value]}},
            {"name": "other", "promise_min": 1e6},  # so far apart that it is a strict priority
        ],
        "pools": pools,
    }
    return Desk.model_validate(desk), np.array(speaks, dtype=np.bool_)


def _trace(
    times: FloatArray, languages: Sequence[str], language: NDArray[np.int64], urgent: NDArray[np.bool_]
) -> Trace:
    n = times.size
    columns: dict[str, NDArray[Any]] = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["time_s"] = times
    columns["language"] = np.array([code(Language(name)) for name in languages])[language]
    columns["topic"] = np.where(urgent, code(URGENT), code(OTHER))
    columns["case"] = columns["author"] = np.arange(n)
    columns["parent"][:] = -1
    columns["departure_h"][:] = np.inf
    return Trace(columns, {"window_s": [0.0, float(times[-1]) + HOUR_S], "version": "bench", "size_u": None})


def _customers(
    scenario: Scenario,
    times: FloatArray,
    language: NDArray[np.int64],
    urgent: NDArray[np.bool_],
    speaks: NDArray[np.bool_],
    tries: int,
) -> Customers:
    """All that our engines will draw, by customer and try: the same named draws."""
    n, b = times.size, scenario.behaviour
    patience, topic = b.patience(OTHER), members(Topic).index(OTHER)
    assert patience is not None
    onward = b.after_abandoned[0] if b.after_abandoned else None
    return Customers(
        times,
        _column(b.handling(members(Topic)[topic]), MINUTE_S, Stream.HANDLING, n, 0),
        language,
        urgent,
        np.stack([_column(patience, HOUR_S, Stream.PATIENCE, n, k) for k in range(tries)], axis=1),
        np.stack(
            [
                np.zeros(n) if onward is None else _column(onward.delay_min, MINUTE_S, Stream.ONWARD_DELAY, n, k + 1)
                for k in range(tries)
            ],
            axis=1,
        ),
        np.stack([_comes_back(n, k, 0.0 if onward is None else onward.probability, tries) for k in range(tries)], 1),
        speaks,
    )


def _comes_back(n: int, k: int, probability: float, tries: int) -> NDArray[np.bool_]:
    if k + 1 >= tries:
        return np.zeros(n, dtype=np.bool_)
    uniforms: FloatArray = _uniforms(draws.key(SEED, 0), Stream.ONWARD, n, k + 1)
    return uniforms < probability


def _column(law: Law, unit_s: float, stream: int, n: int, k: int) -> FloatArray:
    values: FloatArray = _drawn(draws.encode([(law, unit_s)]), draws.key(SEED, 0), stream, n, k)
    return values


@compiled
def _drawn(laws: Any, key: Any, stream: Any, n: Any, k: Any) -> Any:
    out = np.empty(n)
    for i in range(n):
        out[i] = draws.draw(laws, 0, key, stream, i, k)
    return out


@compiled
def _uniforms(key: Any, stream: Any, n: Any, k: Any) -> Any:
    out = np.empty(n)
    for i in range(n):
        out[i] = draws.uniform(key, stream, i, k)
    return out
