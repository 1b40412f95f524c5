"""The reference engine: the rules of the simulation, readable, on SimPy.

One run walks a `World` from the start of its window to the end (or until nothing waits, at most
`drain_h` hours longer) and returns an `Outcome`. The rules are stated in docs/simulation.md; the
desk's side of them is in `sim.floor` and `sim.attendance`, what comes in in `sim.triage`, the customers
in `sim.customers`, the phone in `sim.phone`, faults in `sim.breakdowns`.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.digest import digest
from scenarios.model import Scenario
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim import world as worlds
from sim.attendance import Attendance
from sim.breakdowns import Breakdowns
from sim.clock import Clock, Kind, order
from sim.control import Control
from sim.customers import Customers
from sim.desk import Desk
from sim.floor import Floor
from sim.outcome import CASES, EXTRA, PLAN, SHIFTS, STAFF, SUPPRESSED, TURNS, Outcome, TurnState
from sim.phone import PhoneLine
from sim.plan import Plan
from sim.policies import IdleOrder
from sim.triage import Triage
from sim.world import World

ENGINE = "reference"
OPEN = frozenset({TurnState.WAITING, TurnState.IN_HAND})


def run(
    scenario: Scenario,
    desk: Desk,
    trace: Trace,
    seed: int,
    replication: int = 0,
    drain_h: float = 0.0,
    idle: IdleOrder | None = None,
    progress: Callable[[float], None] | None = None,
) -> Outcome:
    """Simulate one trace against one desk.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
        Customers' behaviour and faults come from the scenario; the posts from the trace.
    trace : Trace
        Its window is the window of the run.
    seed, replication : int
        Name the draws of the run, 0 <= seed < 2^64.
    drain_h : float
        How many hours beyond the window the run may go on while anything waits; 0 cuts at its end.
    idle : callable, optional
        A policy of one's own for the choice among free agents, instead of the desk's.
    progress : callable, optional
        Called with 0 when the world is laid out, then now and then with the share of the window done, to 1.

    Returns
    -------
    Outcome

    Raises
    ------
    DeskError
        If posts come in a language that no agent serves.
    """
    world = worlds.build(scenario, desk, trace, seed, replication, drain_h)
    clock = Clock(initial_time=world.start_s)
    floor = Floor(world, clock, idle)
    attendance = Attendance(world, clock, floor)
    customers = Customers(world, clock, floor)
    triage = Triage(world, clock, floor, customers)
    breakdowns = Breakdowns(world, clock, floor, customers, triage)
    control = None
    if world.crisis is not None:
        control = Control(world.crisis, world, clock, floor, customers, breakdowns, attendance, triage.thinning)
    phone = PhoneLine(scenario.phone, world, clock, floor, customers, triage) if scenario.phone is not None else None
    _Posts(world, clock, triage)

    def waits() -> bool:
        calls = phone is not None and phone.coming > 0
        return calls or triage.waits or customers.wait or any(turn.state in OPEN for turn in floor.rows)

    with _collector_off():
        end_s = _walk(world, clock, waits, progress)
    attendance.close()
    triage.close()
    steps = control.rows if control is not None else []
    return _outcome(world, floor, attendance, customers, triage.thinning.rows, steps, seed, replication, end_s)


class _Posts:
    """Rows of the trace, one event ahead: they are sorted, so they need no place in the queue."""

    def __init__(self, world: World, clock: Clock, triage: Triage) -> None:
        self.clock, self.triage = clock, triage
        self.times: list[float] = world.trace["time_s"].tolist()
        self.row = 0
        self._arm()

    def _arm(self) -> None:
        if self.row < len(self.times):
            self.clock.at(self.times[self.row], order(Kind.POST, self.row), self._happens, None)

    def _happens(self, _: Any) -> None:
        row = self.row
        self.row += 1
        self._arm()
        self.triage.post(row)


@contextmanager
def _collector_off() -> Iterator[None]:
    """Rows live to the end of the run: looking through them for garbage only costs time."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _walk(world: World, clock: Clock, waits: Callable[[], bool], progress: Callable[[float], None] | None) -> float:
    """Run to the end of the window, then hour by hour while anything waits; returns when it stopped."""
    steps = 50
    if progress is not None:
        progress(0.0)
    for i in range(1, steps + 1):
        clock.run_to(world.end_s if i == steps else world.start_s + (world.end_s - world.start_s) * i / steps)
        if progress is not None:
            progress(i / steps)
    at = world.end_s
    while at < world.until_s and waits():
        at = min(at + worlds.HOUR_S, world.until_s)
        clock.run_to(at)
    return at


def _outcome(
    world: World,
    floor: Floor,
    attendance: Attendance,
    customers: Customers,
    suppressed: list[tuple[int, int]],
    steps: list[tuple[float, int, int, int]],
    seed: int,
    replication: int,
    end_s: float,
) -> Outcome:
    turns = {
        "case": _column((t.case.number if t.case is not None else NONE for t in floor.rows), np.int32),
        **_attributes(
            floor.rows, {name: name for name in ("post", "k", "kind", "language", "agent", "route", "state")}
        ),
        **_attributes(
            floor.rows,
            {
                "queued_s": "queued",
                "key_s": "key",
                "start_s": "start",
                "end_s": "end",
                "wait_s": "wait",
                "left_s": "left",
            },
        ),
    }
    turns["end_s"] = np.where(turns["state"] == TurnState.IN_HAND, np.inf, turns["end_s"])
    names = {
        "due_s": "due", "departure_s": "departure", "posted_s": "posted", "seen_s": "seen",
        "first_start_s": "first_start", "first_reply_s": "first_reply", "closed_s": "closed", "left_s": "left",
        "work_s": "work", "pay_eur": "pay",
    }  # fmt: skip
    names.update({name: name for name in CASES if name not in names})
    roster = world.roster
    shifts = [
        (s.agent, roster.pool_of[s.agent], s.start_s, min(s.end_s, end_s), s.worked)
        for s in (*roster.shifts, *attendance.paid)
        if s.start_s < end_s
    ]
    return Outcome(
        cases=_attributes(customers.cases, names),
        turns=turns,
        staff=_rows(sorted(attendance.rows), list(STAFF)),
        shifts=_rows(sorted(shifts), list(SHIFTS)),
        extra=_rows(customers.extra, list(EXTRA)),
        suppressed=_rows(suppressed, list(SUPPRESSED)),
        plan=_rows(steps, list(PLAN)),
        about=about(world, seed, replication, end_s, [row for row, _ in suppressed]),
    )


def _column(values: Any, kind: Any) -> NDArray[Any]:
    return np.fromiter(values, dtype=kind)


def _attributes(things: Sequence[Any], names: dict[str, str]) -> dict[str, NDArray[Any]]:
    kinds = {**TURNS, **CASES}
    return {
        column: _column((getattr(thing, name) for thing in things), kinds[column]) for column, name in names.items()
    }


def _rows(rows: Sequence[tuple[Any, ...]], names: list[str]) -> dict[str, NDArray[Any]]:
    columns = list(zip(*rows, strict=True)) or [()] * len(names)
    return {name: np.array(column) for name, column in zip(names, columns, strict=True)}


def _plan(plan: Plan) -> dict[str, Any]:
    """What measures and reports need to know of the plan: names and costs of its levers, the rungs."""
    return {
        "name": plan.name,
        "levers": [{"name": x.name, "cost": x.cost, "cost_per_h": x.cost_per_h} for x in plan.levers],
        "rungs": [{"name": x.name, "heads": x.heads} for x in plan.ladder],
    }


def about(world: World, seed: int, replication: int, end_s: float, suppressed: Sequence[int]) -> dict[str, Any]:
    """What an outcome says of itself; `suppressed` are rows of the trace that were not made."""
    desk, scenario = world.desk, world.scenario
    return {
        "trace": world.trace.digest,
        "scenario": scenario.name,
        "desk": desk.name,
        "desk_digest": digest(world.given),
        "plan": None if world.given.plan is None else _plan(world.given.plan),
        "seed": seed,
        "replication": replication,
        "size_u": world.trace.about.get("size_u"),
        "engine": ENGINE,
        "version": world.trace.about["version"],
        "window_s": [world.start_s, world.end_s],
        "end_s": end_s,
        "mentions": world.trace.mentions,
        "calls_suppressed": int(np.count_nonzero(world.trace["kind"][list(suppressed)] == code(PostKind.CALL))),
        "calls": len(world.trace) - world.trace.mentions,
        "agents": len(world.roster.pool_of),
        "pools": [
            {"name": p.name, "site": p.site, "cost_per_h": p.cost_per_h, "heads": p.heads, "head_count": p.head_count,
             "capacity": p.capacity, "ladder": i >= len(world.given.pools)}
            for i, p in enumerate(desk.pools)
        ],
        "classes": [{"name": c.name, "promise_min": c.promise_min} for c in desk.classes],
        "timezone": scenario.timezone,
        "onset_local": scenario.onset_local.isoformat(),
    }  # fmt: skip
