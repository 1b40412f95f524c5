"""Free agents of the compiled engine: a heap a pool, and who takes a new turn (rule 5).

Those who have just got a hand free and not looked at the queues yet stand apart, see `turn_to`: what
waits may go before the new turn.
"""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_bits import mark
from sim.kernel_events import earliest
from sim.kernel_memory import row
from sim.kernel_tables import (
    AGENDA,
    ALL_AT_RANDOM,
    FEWEST_SKILLS,
    HEAP,
    INT,
    LONGEST_IDLE,
    ORDERED,
    POOL,
    QUEUE,
    SEAT,
    TURN,
    WORK,
)
from sim.turns import ROOM


@part
def has_room(s: Any, seat: Any) -> Any:
    """Whether a turn more fits into the agent's capacity."""
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    return p.active * (a.in_hand + 1) + p.waiting * a.held <= p.capacity + ROOM


@part
def _sooner(s: Any, one: Any, other: Any) -> Any:
    """Whether, of two agents of a pool, the first takes a new turn before the other."""
    a, b = row(s.seats, one, SEAT), row(s.seats, other, SEAT)
    if a.in_hand != b.in_hand:
        return a.in_hand < b.in_hand
    if s.by_idle and a.idle_since != b.idle_since:
        return a.idle_since < b.idle_since
    return one < other


@part
def _put(s: Any, p: Any, at: Any, seat: Any) -> Any:
    row(s.idle, p.first + at, INT).v = seat
    row(s.seats, seat, SEAT).place = at


@part
def _rise(s: Any, p: Any, at: Any, seat: Any) -> Any:
    """Put an agent at a place or above it."""
    while at > 0:
        above = (at - 1) >> 1
        parent = row(s.idle, p.first + above, INT).v
        if not _sooner(s, seat, parent):
            break
        _put(s, p, at, parent)
        at = above
    _put(s, p, at, seat)
    return at


@part
def _sink(s: Any, p: Any, at: Any, seat: Any) -> Any:
    """Put an agent at a place or below it."""
    while True:
        least = 2 * at + 1
        if least >= p.idle:
            break
        child = row(s.idle, p.first + least, INT).v
        if least + 1 < p.idle:
            other = row(s.idle, p.first + least + 1, INT).v
            if _sooner(s, other, child):
                least, child = least + 1, other
        if not _sooner(s, child, seat):
            break
        _put(s, p, at, child)
        at = least
    _put(s, p, at, seat)


@part
def withdraw(s: Any, seat: Any) -> Any:
    """The agent is no longer among the free; call it before his rank changes."""
    a = row(s.seats, seat, SEAT)
    if a.place == NONE:
        return
    p = row(s.pools, a.pool, POOL)
    at = a.place
    a.place = NONE
    if s.choice == ALL_AT_RANDOM:
        mark(s, seat, False)
    p.idle -= 1
    s.agents_free -= 1
    if at < p.idle:
        last = row(s.idle, p.first + p.idle, INT).v
        if _rise(s, p, at, last) == at:
            _sink(s, p, at, last)


@part
def update(s: Any, seat: Any) -> Any:
    """The agent is among the free if he is at the desk and has room, and is not about to look at the queues."""
    withdraw(s, seat)
    a = row(s.seats, seat, SEAT)
    if a.on and a.turning == 0 and has_room(s, seat):
        p = row(s.pools, a.pool, POOL)
        p.idle += 1
        s.agents_free += 1
        _rise(s, p, p.idle - 1, seat)
        if s.choice == ALL_AT_RANDOM:
            mark(s, seat, True)


@part
def may_start(s: Any, turn: Any, pool: Any) -> Any:
    """Whether reserve and lane leave room for a turn in a pool."""
    t, p = row(s.turns, turn, TURN), row(s.pools, pool, POOL)
    if p.reserve > 0 and row(s.queues, t.queue, QUEUE).deferred and p.busy >= p.on - p.reserve:
        return False
    return s.lane_seats == NONE or t.key >= s.now or s.lane < s.lane_seats


@part
def ranks_before(s: Any, one: Any, other: Any) -> Any:
    """Whether, of two free agents of any pools, the first takes a new turn."""
    rank = _compared(s, one, other)
    return rank < 0 or (rank == 0 and one < other)


@part
def ranks_equal(s: Any, one: Any, other: Any) -> Any:
    """Whether nothing but chance or their numbers decides between two free agents."""
    return _compared(s, one, other) == 0


@part
def _compared(s: Any, one: Any, other: Any) -> Any:
    """Below 0 if the first of two free agents goes before the other, above 0 if he goes behind."""
    a, b = row(s.seats, one, SEAT), row(s.seats, other, SEAT)
    if a.in_hand != b.in_hand:
        return a.in_hand - b.in_hand
    for i in range(s.orders_n):
        order = row(s.orders, i, INT).v
        if order == FEWEST_SKILLS:
            x, y = row(s.pools, a.pool, POOL).skills, row(s.pools, b.pool, POOL).skills
            if x != y:
                return x - y
        elif order == LONGEST_IDLE:
            if a.idle_since != b.idle_since:
                return -1 if a.idle_since < b.idle_since else 1
        elif order == ORDERED and a.pool != b.pool:
            return a.pool - b.pool
    return 0


@part
def somebody_leaves_now(s: Any) -> Any:
    """Whether this instant has shift ends that are still to come, so that not all who are free may start."""
    if row(s.agenda, s.agenda_at, AGENDA).time == s.now:
        return True
    if s.buckets == 0:
        return False
    # Those who were called in, or stay longer, leave by events.
    return earliest(row(s.heaps, WORK, HEAP)) == s.now
