"""The tables of a crisis plan that the compiled engine reads: levers, triggers, rungs, room for signals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE, Language, code, members
from sim.crisis import HOUR_S, MINUTE_S, POSTS, Crisis, lead_s
from sim.kernel_memory import Record
from sim.kernel_tables import (
    ARRIVALS,
    BACKLOG,
    BYTE,
    CLASS,
    FILTER,
    FRESH_FIRST,
    HANDLING,
    HEADS,
    INT,
    KEEP,
    LEVER,
    OLDEST,
    OVERDUE,
    OVERFLOW_RULE,
    OWN_LANE,
    PARK,
    PATIENCE_OF,
    POSTS_PER_H,
    PROMISE,
    RATIO,
    RECONTACT,
    REST,
    RUNG,
    SEPARATE,
    SHORT,
    TRIGGER,
    UNREAD_POSTS,
)
from sim.levers import (
    AnyLever,
    ArrivalsLever,
    FilterLever,
    HeadsLever,
    OverdueLever,
    ParkLever,
    PromiseLever,
    StrengthLever,
    Trigger,
)
from sim.world import World

Table = NDArray[Any]
INF = float("inf")
CHANGES = {
    "arrivals": ARRIVALS, "recontact": RECONTACT, "separate": SEPARATE, "handling": HANDLING, "patience": PATIENCE_OF,
    "promise": PROMISE, "heads": HEADS, "filter": FILTER, "overdue": OVERDUE, "overflow": OVERFLOW_RULE, "park": PARK,
}  # fmt: skip
SIGNALS = {
    "backlog": BACKLOG, "unread": UNREAD_POSTS, "oldest_wait_min": OLDEST, "posts_per_h": POSTS_PER_H,
    "mention_to_case_ratio": RATIO,
}  # fmt: skip
OVERDUE_MODES = {"keep": KEEP, "fresh_first": FRESH_FIRST, "own_lane": OWN_LANE}
LISTS_BEFORE = 4  # of onwards, those of customers and callers


def levers_of_rules(world: World) -> list[int]:
    """The lever that each overflow rule belongs to; NONE: the desk's own."""
    out = [NONE] * len(world.desk.routing.overflow)
    for lever, rule in enumerate(world.crisis.rules if world.crisis is not None else ()):
        if rule != NONE:
            out[rule] = lever
    return out


def _rows(of: Record, values: Sequence[tuple[Any, ...]], least: int = 1) -> Table:
    made = np.zeros(max(len(values), least), dtype=of.dtype)
    if values:
        made[: len(values)] = values
    return made


def _plain(values: NDArray[np.int8]) -> Table:
    """As one column, with a row at least: a table has an address."""
    return values.ravel() if values.size else _rows(BYTE, ())


def crisis(world: World) -> dict[str, Table]:
    """All tables of the plan; without one they are empty, but for a row where an address is needed."""
    it = world.crisis
    n = len(world.trace)
    if it is None:
        return {
            "levers": np.zeros(0, LEVER.dtype), "triggers": _rows(TRIGGER, ()), "rungs": np.zeros(0, RUNG.dtype),
            "rests": _rows(REST, ()), "lever_classes": _rows(CLASS, ()), "lever_pools": _rows(BYTE, ()),
            "lever_promise": _rows(BYTE, ()), "call_promise": _rows(BYTE, ()), "signals": _rows(INT, ()),
            "post_gone": np.full(1, NONE, dtype=np.int16),
        }  # fmt: skip
    triggers = _Triggers()
    triggers.add(it.plan.triggers)
    thins = any(isinstance(lever, ArrivalsLever) for lever in it.plan.levers)
    return {
        **_levers(world, it, triggers),
        **_rungs(world, it, triggers),
        "triggers": _rows(TRIGGER, triggers.rows),
        "signals": _signals(it),
        "post_gone": np.full(n if thins else 1, NONE, dtype=SHORT.dtype["v"]),
    }


class _Triggers:
    """Triggers of the plan, then those of each lever and rung."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    def add(self, triggers: Sequence[Trigger]) -> tuple[int, int]:
        begin = len(self.rows)
        self.rows += [
            (t.enter, t.leave, SIGNALS[t.signal], NONE if t.language is None else code(t.language)) for t in triggers
        ]
        return begin, len(self.rows)


def _signals(it: Crisis) -> Table:
    languages = len(members(Language))
    made = np.zeros((4 + 2 * it.buckets) * languages, dtype=INT.dtype)
    made["v"][2 * languages : 4 * languages] = NONE
    return made


def _levers(world: World, it: Crisis, triggers: _Triggers) -> dict[str, Table]:
    made = np.zeros(len(it.plan.levers), dtype=LEVER.dtype)
    classes: list[tuple[Any, ...]] = []
    pools = np.zeros((max(made.size, 1), len(world.desk.pools)), dtype=BYTE.dtype)
    lists = np.cumsum([0, *(len(world.chance.onward.get(name, ())) for name in _lists(made.size))])
    for i, lever in enumerate(it.plan.levers):
        row, who = made[i], it.who[i]
        row["topics"], row["classes"], row["languages"] = who.topics, who.classes, who.languages
        row["platforms"], row["visibility"] = who.platforms, who.visibility
        row["changes"], row["probability"] = CHANGES[lever.changes], -1.0
        row["lead_s"], row["after_s"] = lead_s(lever.lead_min, it.interval_s), lever.after_h * HOUR_S
        row["triggers"], row["triggers_end"] = triggers.add(lever.when)
        row["half_s"] = row["renew_s"] = INF
        row["onwards"], row["onwards_end"] = lists[LISTS_BEFORE + i], lists[LISTS_BEFORE + i + 1]
        _fill(world, i, lever, row)
        if isinstance(lever, PromiseLever):
            row["promises"], row["promise"] = len(classes), it.places[i]
            classes += [
                (c.promise_min * MINUTE_S, (c.promise_min if c.next_min is None else c.next_min) * MINUTE_S, c.deferred)
                for c in lever.classes
            ]
        elif isinstance(lever, HeadsLever):
            pools["v"][i] = [not lever.pools or pool.name in lever.pools for pool in world.desk.pools]
    return {
        "levers": made,
        "lever_classes": _rows(CLASS, classes),
        "lever_pools": pools.ravel(),
        "lever_promise": _plain(it.promise),
        "call_promise": _plain(it.call_promise),
    }


def _lists(levers: int) -> list[str]:
    return ["abandoned", "blocked", "call_blocked", "call_abandoned", *(f"lever_{i}" for i in range(levers))]


def _fill(world: World, i: int, lever: AnyLever, row: Any) -> None:
    """What only some kinds of levers have."""
    if isinstance(lever, ArrivalsLever | StrengthLever):
        row["half_s"] = INF if lever.half_life_h is None else lever.half_life_h * HOUR_S
        row["renew_s"] = INF if lever.renew_h is None else lever.renew_h * HOUR_S
    if isinstance(lever, ArrivalsLever | StrengthLever | HeadsLever | FilterLever | ParkLever):
        row["effect"] = lever.effect[1]
    match lever:
        case ArrivalsLever():
            row["posts"] = sum(1 << kind for kind in POSTS[lever.posts])
            if lever.wrong is not None:
                row["probability"], row["wave"] = lever.wrong.probability, lever.wrong.wave
                row["back_s"], row["law"] = lever.wrong.back_h * HOUR_S, world.chance.number[f"wave_{i}"]
        case StrengthLever():
            row["up"] = lever.direction == "up"
        case HeadsLever():
            row["extend_s"] = lever.extend_h * HOUR_S
        case FilterLever():
            row["false_positive"], row["delay_s"] = lever.false_positive, lever.delay_s
        case OverdueLever():
            row["overdue"] = OVERDUE_MODES[lever.overdue.mode]
            row["seats"] = lever.overdue.seats if lever.overdue.mode == "own_lane" else NONE


def _rungs(world: World, it: Crisis, triggers: _Triggers) -> dict[str, Table]:
    made = np.zeros(len(it.plan.ladder), dtype=RUNG.dtype)
    rests: list[tuple[float, float]] = []
    for r, (rung, seats) in enumerate(zip(it.plan.ladder, it.seats, strict=True)):
        row = made[r]
        row["after_s"], row["acceptance"], row["ramp_s"] = (
            rung.after_h * HOUR_S,
            rung.acceptance,
            rung.ramp_up_h * HOUR_S,
        )
        row["max_s"], row["rest_s"], row["until"] = rung.max_h * HOUR_S, rung.rest_h * HOUR_S, -INF
        row["for_s"] = INF if rung.for_h is None else rung.for_h * HOUR_S
        row["triggers"], row["triggers_end"] = triggers.add(rung.when)
        row["law"], row["rests"] = world.chance.number[f"lead_{r}"], len(rests)
        rests += [(b.after_h * HOUR_S, b.minutes * MINUTE_S) for b in sorted(rung.breaks, key=lambda b: b.after_h)]
        row["rests_end"] = len(rests)
        row["seats"], row["seats_end"] = (seats[0], seats[-1] + 1) if seats else (0, 0)
    return {"rungs": made, "rests": _rows(REST, rests)}
