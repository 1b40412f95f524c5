"""How long a turn takes in the compiled engine: fixed when it starts (rule 6), as `sim.work`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_levers import changed
from sim.kernel_memory import row
from sim.kernel_tables import CASE, CRM, FAULT, FLOAT, HANDLING, INT, PAYMENT, POOL, RUNG, SEAT, TURN
from sim.outcome import TurnKind
from sim.turns import INF
from sim.world import HOUR_S

ANSWER = int(TurnKind.ANSWER)


@part
def seconds(s: Any, turn: Any, seat: Any, factor: Any) -> Any:
    """Time that this agent needs; `factor` is that of the queue. What was handed back keeps what is left."""
    t = row(s.turns, turn, TURN)
    if t.remaining:
        return t.base_s
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    time = t.base_s * factor * _tired(s, a)
    if a.rung != NONE:
        ramp_s = row(s.rungs, a.rung, RUNG).ramp_s
        if ramp_s > 0.0:
            time *= 2.0 - min((s.now - a.first_on) / ramp_s, 1.0)
    time *= row(s.concurrency, p.concurrency + min(a.in_hand, p.concurrency_n - 1), FLOAT).v
    if t.kind == ANSWER:
        for i in range(how_many(s, CRM)):
            time *= in_force(s, CRM, i).factor
        for i in range(how_many(s, PAYMENT)):
            fault = in_force(s, PAYMENT, i)
            if concerns(fault, row(s.cases, t.number, CASE).topic):
                time *= fault.factor
        time = changed(s, HANDLING, time, row(s.cases, t.number, CASE))
        time *= 1.0 + t.extra
        if t.left < INF:
            time *= s.silent_cost
    return time


@part
def _tired(s: Any, a: Any) -> Any:
    if not a.stretched or (s.fatigue_per_h == 0.0 and s.fatigue_beyond_h == 0.0):
        return 1.0
    hours = (a.worked_s + s.now - a.on_s) / HOUR_S
    return 1.0 + s.fatigue_per_h * min(hours, 8.0) + s.fatigue_beyond_h * max(hours - 8.0, 0.0)


@part
def how_many(s: Any, which: Any) -> Any:
    """How many faults of a list are in force."""
    return row(s.fault_counts, which, INT).v


@part
def in_force(s: Any, which: Any, i: Any) -> Any:
    """The `i`-th fault of a list of those in force."""
    return row(s.faults, row(s.fault_lists, which * s.faults_n + i, INT).v, FAULT)


@part
def concerns(fault: Any, topic: Any) -> Any:
    """Whether cases on this topic meet the fault."""
    return (fault.topics >> topic) & 1 == 1
