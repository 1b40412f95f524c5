"""Days of a few posts, in minutes, for tests worked by hand.

Unless a test says otherwise every case takes one turn of ten minutes, customers wait for ever, the
promise is an hour, everybody speaks English, and nobody triages.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import numpy as np
from engines import run_both

from scenarios.model import Scenario
from scenarios.names import NONE, Language, Platform, PostKind, Sentiment, Tier, Topic, Visibility, code
from scenarios.traces import COLUMNS, Trace
from sim.desk import Desk
from sim.outcome import CaseState, Outcome, TurnKind, TurnState
from sim.policies import IdleOrder

MINUTE_S = 60.0
DAY_MIN = (0.0, 600.0)
ENUMS: Mapping[str, type[StrEnum]] = {
    "language": Language, "platform": Platform, "visibility": Visibility, "topic": Topic, "tier": Tier,
    "sentiment": Sentiment, "kind": PostKind,
}  # fmt: skip
ROUTING = {"idle": ["ordered"]}


def post(minute: float, kind: str = "case", case: int | None = None, **more: Any) -> dict[str, Any]:
    """A row of the trace: members of enumerations by name; `case` for follow-ups."""
    return {"minute": minute, "kind": kind, "case": case, **more}


def trace(posts: Sequence[Mapping[str, Any]], window_min: tuple[float, float] = DAY_MIN) -> Trace:
    """Posts in the order given, which is that of time; those that open cases are numbered."""
    n = len(posts)
    columns = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["departure_h"][:] = np.inf
    columns["sentiment"][:] = code(Sentiment.NEUTRAL)
    columns["parent"][:] = NONE
    opened: list[int] = []
    for row, given in enumerate(posts):
        for name, value in given.items():
            if name in ENUMS:
                columns[name][row] = code(ENUMS[name](value))
            elif name not in ("minute", "case"):
                columns[name][row] = value
        columns["time_s"][row] = given["minute"] * MINUTE_S
        columns["case"][row] = NONE if given["case"] is None else given["case"]
        if given["kind"] == "case":
            columns["case"][row] = len(opened)
            opened.append(row)
        elif given["kind"] == "follow_up" and given["case"] is not None:
            columns["parent"][row] = opened[given["case"]]
    window = [minute * MINUTE_S for minute in window_min]
    return Trace(columns, {"window_s": window, "version": "test", "size_u": None})


def scenario(
    handling: Any = 10.0,
    faults: Sequence[Mapping[str, Any]] = (),
    phone: Mapping[str, Any] | None = None,
    **behaviour: Any,
) -> Scenario:
    """Customers by the law of their handling time in minutes; what is not said about them does not happen.

    Monday 00:00 in Amsterdam is minute 0.
    """
    quiet: dict[str, Any] = {
        "handling_min": {"default": handling},
        "turns": [1.0],
        "turn_sd_log": 0.0,
        "extra_turn_min": 4.0,
        "think_min": 15.0,
        "back_office": {"share": 0.0},
        "patience_h": "endless",
        "silent_share": 0.0,
        "recontact": {"probability": 0.0},
        "payment_share": 0.0,
    }
    return Scenario.model_validate(
        {
            "name": "small",
            "title": "a few posts",
            "mix": {"languages": {"en": 1.0}},
            "behaviour": {**quiet, **behaviour},
            "faults": faults,
            "phone": phone,
        }
    )


def pool(name: str = "all", heads: int = 1, **more: Any) -> dict[str, Any]:
    """A head-count pool that is there from the start; `steps` in minutes, or `agents`, or `shifts` instead."""
    data: dict[str, Any] = {"name": name, "languages": ["en"], **more}
    if not {"steps", "agents", "shifts"} & set(more):
        data["steps"] = [(-1000.0, heads)]
    if "steps" in data:
        data["steps"] = [(minute / 60.0, n) for minute, n in data["steps"]]
    return data


def agents(name: str, *spans: str, **more: Any) -> dict[str, Any]:
    """A named pool: an agent for each weekly shift like `mon 01:00-02:00`."""
    people = [{"code": f"{name}-{i}", "shifts": [span]} for i, span in enumerate(spans)]
    return pool(name, agents=people, **more)


def desk(*pools: Mapping[str, Any], routing: Mapping[str, Any] | None = None, **more: Any) -> Desk:
    """A desk of these pools; one head if there are none."""
    data: dict[str, Any] = {"name": "small", "title": "a few agents", "triage": {"mode": "none"}}
    data["routing"] = {**ROUTING, **(routing or {})}
    return Desk.model_validate({**data, "pools": pools or (pool(),), **more})


def play(
    posts: Sequence[Mapping[str, Any]],
    floor: Desk | None = None,
    world: Scenario | None = None,
    seed: int = 1,
    drain_min: float = 0.0,
    window_min: tuple[float, float] = DAY_MIN,
    idle: IdleOrder | None = None,
) -> Outcome:
    """One run over the window, on both engines."""
    return run_both(
        world if world is not None else scenario(),
        floor if floor is not None else desk(),
        trace(posts, window_min),
        seed,
        drain_h=drain_min / 60.0,
        idle=idle,
    )


def turns(outcome: Outcome, *kinds: TurnKind, where: Callable[[Any], bool] = lambda row: True) -> list[Any]:
    """Rows of turns in the order of the outcome, times in minutes without the `_s`."""
    t = outcome.turns
    rows = []
    for i in range(t["case"].size):
        row = SimpleNamespace(**{name: t[name][i].item() for name in ("case", "post", "k", "agent", "route")})
        row.kind, row.state = TurnKind(t["kind"][i]), TurnState(t["state"][i])
        for name in ("queued", "key", "start", "end", "wait", "left"):
            setattr(row, name, t[f"{name}_s"][i].item() / MINUTE_S)
        if (not kinds or row.kind in kinds) and where(row):
            rows.append(row)
    return rows


def case(outcome: Outcome, number: int) -> Any:
    """A row of the cases, times in minutes without the `_s`, its state named."""
    row = SimpleNamespace()
    for name, column in outcome.cases.items():
        value = column[number].item()
        setattr(row, name.removesuffix("_s"), value / MINUTE_S if name.endswith("_s") else value)
    row.state = CaseState(row.state)
    return row


def states(outcome: Outcome) -> list[CaseState]:
    """State of each case."""
    return [CaseState(state) for state in outcome.cases["state"]]


def starts(outcome: Outcome) -> list[float]:
    """Minute at which the first turn of each case was started, inf: never."""
    return [float(t) / MINUTE_S for t in outcome.cases["first_start_s"]]


def taken_by(outcome: Outcome) -> list[int]:
    """Agent of each turn row, in the order of the outcome."""
    return [int(agent) for agent in outcome.turns["agent"]]


def extra(outcome: Outcome) -> list[tuple[float, int, int]]:
    """Posts that the simulation made: minute, case, kind."""
    e = outcome.extra
    return [(float(t) / MINUTE_S, int(c), int(k)) for t, c, k in zip(e["time_s"], e["case"], e["kind"], strict=True)]
