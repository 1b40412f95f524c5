"""What agents of the compiled engine do: start a turn, look at the queues, hold a conversation (rule 5)."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.clock import LAST
from sim.codecache import part
from sim.kernel_choice import factor_in, next_turn
from sim.kernel_events import END_TURN, SETTLE, STAFF_OFF, TURN_END, about, order, push
from sim.kernel_idle import has_room, update, withdraw
from sim.kernel_memory import prefetch, row
from sim.kernel_queues import drop
from sim.kernel_signals import see_leaving
from sim.kernel_tables import CASE, INT, LIMIT, POOL, QUEUE, SEAT, SERVES, SPILL, TURN, WORK
from sim.kernel_work import ANSWER, seconds
from sim.outcome import CaseState, TurnState
from sim.turns import INF
from sim.world import STICKY

TURN_IN_HAND, CASE_IN_HAND = int(TurnState.IN_HAND), int(CaseState.IN_HAND)


@part
def count_places(s: Any, turn: Any, step: Any) -> Any:
    """The turn takes its waiting places (1) or gives them free (-1)."""
    q = row(s.queues, row(s.turns, turn, TURN).queue, QUEUE)
    for i in range(q.limits, q.limits_end):
        row(s.limits, row(s.queue_limits, i, INT).v, LIMIT).taken += step


@part
def leave_queue(s: Any, turn: Any, state: Any) -> Any:
    """The turn no longer waits; what of it still stands in queues is dropped there."""
    t = row(s.turns, turn, TURN)
    t.state = state
    if t.standing:
        t.standing = 0
        count_places(s, turn, -1)
        if s.buckets > 0:
            see_leaving(s, t)
        if t.sticky != NONE:
            row(s.pools, row(s.seats, t.sticky, SEAT).pool, POOL).private -= 1


@part
def start(s: Any, turn: Any, seat: Any, route: Any, factor: Any) -> Any:
    """The agent takes the turn in hand."""
    leave_queue(s, turn, TURN_IN_HAND)
    t, a = row(s.turns, turn, TURN), row(s.seats, seat, SEAT)
    t.start = s.now
    if t.patience_left == t.patience_left:  # it is not nan: it has waited
        t.patience_left -= s.now - t.queued
    t.agent, t.route = seat, route
    t.end = s.now + seconds(s, turn, seat, factor)
    withdraw(s, seat)
    if a.in_hand == 0:
        row(s.pools, a.pool, POOL).busy += 1
        a.first = turn
    else:
        row(s.turns, a.last, TURN).next = turn
    a.last, t.next = turn, NONE
    a.in_hand += 1
    a.started += 1
    if t.key < s.now:
        t.late = 1
        s.lane += 1
    update(s, seat)
    if t.kind == ANSWER:
        c = row(s.cases, t.number, CASE)
        if c.first_start == INF:
            c.first_start = s.now
        if t.left == INF:
            c.state = CASE_IN_HAND
    elif t.number < s.post_case_n:
        prefetch(row(s.post_case, t.number, INT))
    s.in_hand += 1
    push(s, WORK, t.end, order(TURN_END, seat, a.started), about(END_TURN, turn, 0))


@part
def let_fall(s: Any, turn: Any) -> Any:
    """The turn is no longer in its agent's hands, nor in the lane."""
    t = row(s.turns, turn, TURN)
    a = row(s.seats, t.agent, SEAT)
    before, at = NONE, a.first
    while at != turn:
        before, at = at, row(s.turns, at, TURN).next
    if before == NONE:
        a.first = t.next
    else:
        row(s.turns, before, TURN).next = t.next
    if a.last == turn:
        a.last = before
    a.in_hand -= 1
    s.in_hand -= 1
    s.lane -= t.late
    t.late = 0


@part
def sticky_factor(s: Any, turn: Any, seat: Any) -> Any:
    """Time factor of a turn for its own agent: as in the queue through which he serves it."""
    queue = row(s.turns, turn, TURN).queue
    pool = row(s.seats, seat, SEAT).pool
    factor = factor_in(s, queue, pool)
    q = row(s.queues, queue, QUEUE)
    for i in range(q.spills, q.spills_end):
        if factor != factor:  # it is nan
            factor = factor_in(s, row(s.spills, i, SPILL).queue, pool)
    return factor if factor == factor else 1.0 / row(s.pools, pool, POOL).speed


@part
def offer(s: Any, seat: Any) -> Any:
    """The agent takes turns with the smallest keys as long as they fit."""
    a = row(s.seats, seat, SEAT)
    while a.on and s.now < a.off_s and has_room(s, seat):
        turn, through = next_turn(s, a.pool, seat)
        if turn == NONE:
            return
        if through == NONE:
            start(s, turn, seat, STICKY, sticky_factor(s, turn, seat))
        else:
            served = row(s.pool_serves, through, SERVES)
            start(s, turn, seat, row(s.queues, served.queue, QUEUE).route, served.factor)
            drop(s, served.queue, turn)


@part
def look(s: Any, pool: Any) -> Any:
    """All free agents of a pool look at the queues, in ascending number."""
    p = row(s.pools, pool, POOL)
    if p.idle == 0:
        return
    for seat in range(p.first, p.first + p.n):
        if row(s.seats, seat, SEAT).place != NONE:
            if p.private == 0 and next_turn(s, pool, NONE)[0] == NONE:
                return
            offer(s, seat)


@part
def look_everywhere(s: Any) -> Any:
    """All free agents look at the queues, in ascending number."""
    for pool in range(s.pools_n):
        look(s, pool)


@part
def settle_soon(s: Any) -> Any:
    """Once all of this instant's faults and shift changes are applied, agents look at the queues."""
    if not s.settling_now:
        s.settling_now = 1
        push(s, WORK, s.now, order(STAFF_OFF, LAST, 0), about(SETTLE, 0, 0))


@part
def settle_everybody(s: Any) -> Any:
    """All who are free then."""
    s.settle_all = 1
    settle_soon(s)


@part
def settle_seat(s: Any, seat: Any) -> Any:
    """One agent."""
    a = row(s.seats, seat, SEAT)
    if not a.settles:
        a.settles = 1
        row(s.settling, s.settling_n, INT).v = seat
        s.settling_n += 1
    settle_soon(s)


@part
def settle(s: Any) -> Any:
    """This instant's changes are applied: agents look at the queues, in ascending number."""
    everybody, n = s.settle_all, s.settling_n
    s.settle_all = s.settling_now = s.settling_n = 0
    for i in range(n):  # they have come in ascending number but for a few
        seat, at = row(s.settling, i, INT).v, i
        row(s.seats, seat, SEAT).settles = 0
        while at > 0 and row(s.settling, at - 1, INT).v > seat:
            row(s.settling, at, INT).v = row(s.settling, at - 1, INT).v
            at -= 1
        row(s.settling, at, INT).v = seat
    done = 0
    for pool in range(s.pools_n):
        p = row(s.pools, pool, POOL)
        if everybody or p.settles:
            look(s, pool)
        while done < n and row(s.settling, done, INT).v < p.first + p.n:
            if not everybody and not p.settles:
                offer(s, row(s.settling, done, INT).v)
            done += 1
        p.settles = 0


@part
def turn_to(s: Any, seat: Any) -> Any:
    """The agent has a hand free; what is queued until `look_up` meets what waits already."""
    a = row(s.seats, seat, SEAT)
    withdraw(s, seat)
    a.turning += 1
    if s.turning == NONE:
        s.turning = seat
    else:
        s.other_turning = seat


@part
def look_up(s: Any, seat: Any) -> Any:
    """The agent who has a hand free looks at the queues."""
    row(s.seats, seat, SEAT).turning -= 1
    if s.other_turning != NONE:
        s.other_turning = NONE
    else:
        s.turning = NONE
    if s.releasing:
        settle_seat(s, seat)
    else:
        offer(s, seat)
    update(s, seat)


@part
def hold(s: Any, case: Any, seat: Any) -> Any:
    """A conversation waits for its customer and takes the stated weight of its agent."""
    a, c = row(s.seats, seat, SEAT), row(s.cases, case, CASE)
    if a.on and row(s.pools, a.pool, POOL).waiting > 0:
        withdraw(s, seat)
        a.held += 1
        c.holder, c.holder_stay = seat, a.stay
        update(s, seat)


@part
def let_go(s: Any, case: Any) -> Any:
    """The conversation no longer waits for the customer: the agent whose capacity that frees, or NONE."""
    c = row(s.cases, case, CASE)
    seat = c.holder
    c.holder = NONE
    if seat == NONE or row(s.seats, seat, SEAT).stay != c.holder_stay:
        return NONE
    row(s.seats, seat, SEAT).held -= 1
    return seat
