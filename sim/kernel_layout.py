"""The memory of one run of the compiled engine: tables that it reads, room for those that it writes, the state."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from scenarios.names import NONE, Platform, code
from sim.kernel_contents import Table, contents, most_in_hand, orders, table
from sim.kernel_memory import CACHE_LINE, Record
from sim.kernel_tables import (
    ALL_AT_RANDOM,
    AT_ONCE,
    AUTOMATIC,
    BY_LOOKING,
    BY_RANK,
    ENTRY,
    FRESH_FIRST,
    GROWING,
    HEAP,
    KEEP,
    LATER,
    OWN_LANE,
    PEOPLE,
    SLOT,
    STATE,
    TABLES,
    TIES_AT_RANDOM,
    WORK,
)
from sim.levers import ArrivalsLever, OverdueLever
from sim.world import HOUR_S, MINUTE_S, World

KEPT_BYTES = 1 << 28  # of the rows of a table that were used: the others take no memory
MANY = 1000  # turns in hand: more than this and chance has to look at each agent
TRIAGE = {"people": PEOPLE, "automatic": AUTOMATIC, "none": AT_ONCE}
OVERDUE = {"keep": KEEP, "fresh_first": FRESH_FIRST, "own_lane": OWN_LANE}


class Memory:
    """The tables of one run, alive as long as this is.

    `address` is what compiled code is given; `room` multiplies the estimate of how many rows it makes.
    """

    def __init__(self, world: World, room: int) -> None:
        self.state = np.zeros(1, dtype=STATE.dtype)
        self.address = self.state.ctypes.data
        self.tables = contents(world)
        self.event_tables: list[str] = []
        self._make_room(world, room)
        for name, record in TABLES.items():
            assert self.tables[name].itemsize == record.dtype.itemsize, name
            self.state[name] = self.tables[name].ctypes.data
            if name not in GROWING:
                self.state[f"{name}_n"] = self.tables[name].size
        self.laws = world.chance.laws
        for name, value in {**_start(world), **_rules(world), **_behaviour(world), **_crisis(world)}.items():
            self.state[name] = value

    def made(self, name: str) -> Table:
        """The rows of a growing table that are in use."""
        return self.tables[name][: int(self.state[f"{name}_n"][0])]

    def _make_room(self, world: World, room: int) -> None:
        """Much room costs nothing until it is used."""
        posts, cases, turns = len(world.trace), world.case_row.size, len(world.turn_edges)
        spills = min(len(world.desk.routing.overflow), 3)
        stays = sum(map(len, world.roster.stretches)) + sum(n for steps in world.roster.levels for _, n in steps)
        many_cases = 2 * cases + posts // 4 + 10_000
        many_turns = 2 * posts + (2 * turns + 8) * cases + 10_000
        sizes = {
            "turns": many_turns,
            "cases": many_cases,
            "shares": many_cases * turns,
            "nodes": many_turns * (1 + spills),
            "extra": many_turns,
            "staff": 2 * stays + 2 * len(world.roster.pool_of) + 100,
            "plan": 1000,
            "paid": 4 * len(world.roster.pool_of) + 100,
        }
        for name, size in sizes.items():
            self.tables[name] = _borrowed(name, TABLES[name], room * size)
            self.state[f"{name}_room"] = self.tables[name].size
        heaps = table(HEAP, n=2, free=NONE)
        for which, size in ((WORK, posts // 4 + 10_000), (LATER, (4 + spills) * cases + posts + 10_000)):
            entries = _borrowed(f"entries {which}", ENTRY, room * size)
            slots = _borrowed(f"slots {which}", SLOT, room * size)
            heaps["room"][which] = min(entries.size, slots.size)
            heaps["entries"][which], heaps["slots"][which] = entries.ctypes.data, slots.ctypes.data
            self.tables |= {f"entries {which}": entries, f"slots {which}": slots}
            self.event_tables += [f"entries {which}", f"slots {which}"]
        self.tables["heaps"] = heaps

    def give_back(self, *names: str) -> None:
        """Tables that are no longer read: the next run of this thread writes where this one did.

        Memory that has been written to before is a good deal faster than new memory. A lot of it is not
        kept: it goes back to the system.
        """
        for name in names or [name for name in self.tables if name in GROWING or name in self.event_tables]:
            rows = self.made(name) if name in GROWING and name in self.tables else self.tables.get(name)
            made = self.tables.pop(name, None)
            if made is not None and rows is not None and rows.nbytes <= KEPT_BYTES:
                _SHELF.tables[name] = made


class _Shelf(threading.local):
    """Tables that the last run of a thread has left."""

    def __init__(self) -> None:
        self.tables: dict[str, Table] = {}


_SHELF = _Shelf()


def _borrowed(name: str, record: Record, size: int) -> Table:
    kept = _SHELF.tables.pop(name, None)
    return kept if kept is not None and kept.size >= size else _aligned(record, size)


def _aligned(record: Record, size: int) -> Table:
    """A table that begins with a cache line; of events, the four that follow upon one share a line."""
    width = record.dtype.itemsize
    begin = CACHE_LINE - width if record is ENTRY else 0
    raw = np.empty(size * width + 2 * CACHE_LINE, dtype=np.uint8)
    skip = -raw.ctypes.data % CACHE_LINE + begin
    return raw[skip : skip + size * width].view(record.dtype)


def _start(world: World) -> dict[str, Any]:
    laws = world.chance.laws
    nobody = dict.fromkeys(("free_node", "call_first", "call_last", "turning", "other_turning"), NONE)
    return {
        "key": world.key,
        "law_kind": laws.kind.ctypes.data,
        "law_a": laws.a.ctypes.data,
        "law_b": laws.b.ctypes.data,
        "law_points": laws.points.ctypes.data,
        "laws_n": laws.kind.size,
        "points_n": laws.points.size,
        "now": world.start_s,
        "private_queues": len(world.queues),
        "settling_n": 0,
        **nobody,
    }


def _rules(world: World) -> dict[str, Any]:
    """How the desk works."""
    desk, routing = world.desk, world.desk.routing
    overdue = routing.overdue
    watched = desk.platforms
    return {
        "triage": TRIAGE[desk.triage.mode],
        "recall": desk.triage.recall,
        "false_positive": desk.triage.false_positive,
        "delay_s": desk.triage.delay_s,
        "reading_promise_s": desk.triage.promise_min * MINUTE_S,
        "unwatched": sum(1 << code(p) for p in Platform if watched and p not in watched),
        "overdue": OVERDUE[overdue.mode],
        "lane_seats": overdue.seats if overdue.mode == "own_lane" else NONE,
        "desk_triage": TRIAGE[desk.triage.mode],
        "desk_recall": desk.triage.recall,
        "desk_false_positive": desk.triage.false_positive,
        "desk_delay_s": desk.triage.delay_s,
        "desk_overdue": OVERDUE[overdue.mode],
        "desk_seats": overdue.seats if overdue.mode == "own_lane" else NONE,
        "sticky_s": routing.sticky_min * MINUTE_S,
        **_choice(world),
        "fatigue_per_h": desk.fatigue.per_h,
        "fatigue_beyond_h": desk.fatigue.beyond_8h_per_h,
    }


def _crisis(world: World) -> dict[str, Any]:
    """When the desk looks at its signals; without a plan never."""
    it = world.crisis
    if it is None:
        return {"buckets": 0}
    return {
        "start_s": world.start_s,
        "until_s": world.until_s,
        "interval_s": it.interval_s,
        "declaration_s": it.plan.declaration_min * MINUTE_S,
        "own_triggers": len(it.plan.triggers),
        "buckets": it.buckets,
        "thins": any(isinstance(lever, ArrivalsLever) for lever in it.plan.levers),
    }


def _choice(world: World) -> dict[str, Any]:
    """How one of the free agents is chosen; what follows a random choice in the desk's list decides nothing."""
    idle, desk = orders(world), world.desk
    by_idle = "longest_idle" in idle
    if "random" not in idle:
        choice = BY_RANK
    elif any(p.reserve or most_in_hand(p) > MANY for p in desk.pools) or _may_have_lane(world):
        choice = BY_LOOKING  # free agents may be kept from what waits: each has to be asked
    else:
        choice = TIES_AT_RANDOM if by_idle else ALL_AT_RANDOM
    return {"choice": choice, "by_idle": by_idle}


def _may_have_lane(world: World) -> bool:
    """Whether overdue turns may have a lane of their own, by the desk or by a lever."""
    levers = world.crisis.plan.levers if world.crisis is not None else ()
    rules = [world.desk.routing.overdue, *(lever.overdue for lever in levers if isinstance(lever, OverdueLever))]
    return any(rule.mode == "own_lane" for rule in rules)


def _behaviour(world: World) -> dict[str, Any]:
    """What customers and callers do."""
    b, number, phone = world.scenario.behaviour, world.chance.number, world.scenario.phone
    laws = {
        "extra_turn": "extra_turn", "think": "think", "back_office": "back_office", "gap": "recontact_gap",
        "reopen": "reopen", "reading": "reading", "call_handling": "call_handling", "call_patience": "call_patience",
    }  # fmt: skip
    return {
        "silent_share": b.silent_share,
        "silent_cost": b.silent_cost,
        "recontact_after_s": b.recontact.after_h * HOUR_S,
        "recontact_p": b.recontact.probability,
        "separate_share": b.recontact.separate_share,
        "extra_work": b.recontact.extra_work,
        "reopen_p": b.reopening.probability,
        "within_s": b.reopening.within_days * 24 * HOUR_S,
        "back_office_share": b.back_office.share,
        "payment_share": b.payment_share,
        "payment_eur": b.payment_eur,
        "turn_sd_log": b.turn_sd_log,
        "max_attempts": b.max_attempts,
        **{f"law_{short}": number.get(name, NONE) for short, name in laws.items()},
        "phone_lines": phone.lines if phone is not None else NONE,
        "phone_agents": phone.agents if phone is not None else 0,
        "call_attempts": phone.max_attempts if phone is not None else 0,
    }
