"""A desk's crisis plan laid out for a run: seats of the ladder, rules of the levers, who is concerned.

Those who may be called in are agents like all others, in pools behind those of the desk, but without shifts;
overflow rules of levers stand behind those of the desk. Engines read this, so that they differ in nothing
but the way they walk through it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE, PostKind, code
from sim import policies
from sim.desk import Agent, Desk, Pool
from sim.levers import AnyLever, Contacts, FilterLever, OverflowLever, PromiseLever
from sim.plan import Plan

EVERYBODY = -1  # all bits set
MINUTE_S, HOUR_S = 60.0, 3600.0
ASKING = frozenset({code(PostKind.CASE), code(PostKind.CALL)})
POSTS = {
    "cases": ASKING,
    "chatter": frozenset({code(PostKind.CHATTER), code(PostKind.REPOST)}),
    "fake": frozenset({code(PostKind.FAKE)}),
    "all": frozenset(code(kind) for kind in PostKind if kind is not PostKind.FOLLOW_UP),
}
"""Kinds of rows that a lever on arrivals concerns; follow-ups go with the post they follow."""


@dataclass(frozen=True)
class Who:
    """Contacts as sets of codes, each set as bits; all bits set: everybody."""

    topics: int
    classes: int
    languages: int
    platforms: int
    visibility: int

    def fits(self, topic: int, cls: int, language: int, platform: int, visibility: int) -> bool:
        """Whether a contact is concerned; a post without a class (`NONE`) only if all classes are."""
        return bool(
            self.topics >> topic & 1
            and (self.classes == EVERYBODY or (cls != NONE and self.classes >> cls & 1))
            and self.languages >> language & 1
            and self.platforms >> platform & 1
            and self.visibility >> visibility & 1
        )


@dataclass(frozen=True)
class Crisis:
    """What of a plan does not change during a run.

    Attributes
    ----------
    plan : Plan
    who : tuple of Who
        Whom each lever concerns.
    rules : tuple of int
        Overflow rule of each lever in the expanded desk, `NONE` for those without.
    seats : tuple of tuples of int
        Agents of each rung, ascending.
    places : tuple of int
        Row of each lever in the next two, `NONE` for those that leave promises alone.
    promise : (levers that change promises, cases) int8
        Class of each case by the classes of each such lever.
    call_promise : (levers that change promises, rows of the trace) int8
        The same of each call; other rows hold 0.
    """

    plan: Plan
    who: tuple[Who, ...]
    rules: tuple[int, ...]
    seats: tuple[tuple[int, ...], ...]
    places: tuple[int, ...]
    promise: NDArray[np.int8]
    call_promise: NDArray[np.int8]

    @property
    def interval_s(self) -> float:
        """Time between two looks at the signals."""
        return self.plan.interval_min * MINUTE_S

    @property
    def buckets(self) -> int:
        """Control intervals in an hour."""
        return round(HOUR_S / self.interval_s)


def expand(desk: Desk) -> Desk:
    """The desk with the pools of its ladder and the overflow rules of its levers behind its own."""
    plan = desk.plan
    if plan is None:
        return desk
    taken = [pool.name for pool in desk.pools]
    pools = tuple(
        Pool(
            name=_free(f"{rung.name} {j + 1}" if len(rung.groups) > 1 else rung.name, taken),
            languages=group.languages,
            topics=group.topics,
            reads=rung.reads,
            agents=tuple(Agent(code=f"ladder {r}.{j}.{n}", shifts=()) for n in range(group.heads)),
            speed=rung.speed,
            cost_per_h=rung.cost_per_h,
        )
        for r, rung in enumerate(plan.ladder)
        for j, group in enumerate(rung.groups)
        if group.heads
    )
    more = tuple(lever.overflow for lever in plan.levers if isinstance(lever, OverflowLever))
    routing = desk.routing.model_copy(update={"overflow": desk.routing.overflow + more})
    return desk.model_copy(update={"pools": desk.pools + pools, "routing": routing})


def _free(name: str, taken: list[str]) -> str:
    while name in taken:
        name += " (ladder)"
    taken.append(name)
    return name


def reads(desk: Desk) -> bool:
    """Whether posts may stand in reading queues: by the desk's triage, or as a lever changes it."""
    levers = desk.plan.levers if desk.plan is not None else ()
    return desk.triage.mode != "none" or any(isinstance(lever, FilterLever) for lever in levers)


def lay_out(
    desk: Desk,
    pool_of: Sequence[int],
    cases: dict[str, NDArray[Any]],
    calls: dict[str, NDArray[Any]],
    call_row: NDArray[np.intp],
    rows: int,
) -> Crisis | None:
    """The crisis plan of a desk, None without one.

    Parameters
    ----------
    desk : Desk
        As it is in its file, not expanded.
    pool_of : sequence of int
        Pool of each agent of the expanded desk.
    cases, calls : dict of columns
        What `sim.policies.classify` reads, of all cases and all calls.
    call_row : (calls,) int
        Row of each call.
    rows : int
        Number of rows of the trace.
    """
    plan = desk.plan
    if plan is None:
        return None
    rules, rule = [], len(desk.routing.overflow)
    for lever in plan.levers:
        rules.append(rule if isinstance(lever, OverflowLever) else NONE)
        rule += isinstance(lever, OverflowLever)
    changing = [lever for lever in plan.levers if isinstance(lever, PromiseLever)]
    places = tuple(changing.index(lever) if isinstance(lever, PromiseLever) else NONE for lever in plan.levers)
    promise = np.zeros((len(changing), cases["topic"].size), dtype=np.int8)
    call_promise = np.zeros((len(changing), rows), dtype=np.int8)
    for place, lever in enumerate(changing):
        promise[place] = policies.classify(lever.classes, cases)
        call_promise[place, call_row] = policies.classify(lever.classes, calls)
    who = tuple(_who(desk, lever) for lever in plan.levers)
    return Crisis(plan, who, tuple(rules), _seats(desk, plan, pool_of), places, promise, call_promise)


def _seats(desk: Desk, plan: Plan, pool_of: Sequence[int]) -> tuple[tuple[int, ...], ...]:
    pool, out = len(desk.pools), []
    for rung in plan.ladder:
        many = sum(group.heads > 0 for group in rung.groups)
        out.append(tuple(agent for agent, p in enumerate(pool_of) if pool <= p < pool + many))
        pool += many
    return tuple(out)


def _who(desk: Desk, lever: AnyLever) -> Who:
    contacts: Contacts = getattr(lever, "contacts", Contacts())
    names = [cls.name for cls in desk.classes]
    return Who(
        _bits(contacts.topics),
        sum(1 << names.index(name) for name in contacts.classes) or EVERYBODY,
        _bits(contacts.languages),
        _bits(contacts.platforms),
        EVERYBODY if contacts.visibility is None else 1 << code(contacts.visibility),
    )


def _bits(chosen: Sequence[StrEnum]) -> int:
    return sum(1 << code(each) for each in set(chosen)) or EVERYBODY


def lead_s(minutes: float, interval_s: float) -> float:
    """Seconds from a decision until it acts: never in the same instant, at least one control interval."""
    return minutes * MINUTE_S or interval_s
