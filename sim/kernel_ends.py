"""The end of a turn in the compiled engine: what its agent and its case do next (rules 3 and 5)."""

from __future__ import annotations

from typing import Any

from sim.codecache import part
from sim.kernel_agents import let_fall, look, look_everywhere, look_up, turn_to
from sim.kernel_cases import answered
from sim.kernel_memory import row
from sim.kernel_posts import READING, read
from sim.kernel_staff import done
from sim.kernel_tables import OWN_LANE, POOL, SEAT, TURN
from sim.kernel_turns import IN_HAND
from sim.kernel_work import ANSWER
from sim.outcome import TurnState
from sim.turns import INF

DONE, GHOST = int(TurnState.DONE), int(TurnState.GHOST)


@part
def end_turn(s: Any, turn: Any) -> Any:
    """An agent has ended a turn, unless he has handed it back before."""
    t = row(s.turns, turn, TURN)
    if t.state != IN_HAND:
        return
    seat = t.agent
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    freed_lane = t.late
    turn_to(s, seat)
    let_fall(s, turn)
    t.state = GHOST if t.left < INF else DONE
    if a.in_hand == 0 and a.on:
        p.busy -= 1
    a.idle_since = s.now
    done(s, seat)
    if t.kind == ANSWER:
        answered(s, turn, seat)
    elif t.kind == READING:
        read(s, t)
    look_up(s, seat)
    if freed_lane and s.overdue == OWN_LANE:
        look_everywhere(s)
    elif p.reserve > 0:
        look(s, a.pool)
