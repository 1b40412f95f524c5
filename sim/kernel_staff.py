"""Who comes to the desk and goes in the compiled engine (rule 5, shift ends of rule 6), as `sim.attendance`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import let_fall, settle_everybody, settle_seat
from sim.kernel_chance import STREAM, uniform
from sim.kernel_events import GO_HOME, STAFF_OFF, about, order, push
from sim.kernel_idle import update, withdraw
from sim.kernel_memory import row
from sim.kernel_queues import take_any
from sim.kernel_tables import BYTE, CASE, HEADS, INT, LEVER, NO_ROOM, PAID_ROW, POOL, SEAT, STAFF_ROW, TURN, WORK
from sim.kernel_turns import new_turn, stand_open, wait_for_settling
from sim.kernel_work import ANSWER
from sim.outcome import CaseState, TurnState
from sim.turns import INF

HANDED_BACK, CASE_WAITING = int(TurnState.HANDED_BACK), int(CaseState.WAITING)


@part
def come(s: Any, seat: Any, off_s: Any, worked_s: Any) -> Any:
    """A stretch at the desk begins."""
    a = row(s.seats, seat, SEAT)
    a.stretched, a.on_s, a.worked_s = 1, s.now, worked_s
    _switch_on(s, seat, off_s)


@part
def _switch_on(s: Any, seat: Any, off_s: Any) -> Any:
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    withdraw(s, seat)
    a.on, a.off_s = 1, off_s
    if a.present_from == INF:
        a.present_from = a.idle_since = s.now
    p.on += 1
    if a.in_hand > 0:
        p.busy += 1
    update(s, seat)
    settle_seat(s, seat)
    if p.reserve > 0:
        p.settles = 1


@part
def end_stretch(s: Any, a: Any) -> Any:
    """A stretch of the roster ends; at the end of a shift some stay longer (levers on heads)."""
    if a.worked_s > 0.0:  # the shift ends, too
        seat = a.who
        pool = row(s.seats, seat, SEAT).pool
        for i in range(s.levers_n):
            lever = row(s.levers, i, LEVER)
            if lever.on and lever.changes == HEADS and row(s.lever_pools, i * s.pools_n + pool, BYTE).v:
                until = s.now + lever.extend_s
                if a.off_s > until and uniform(s, STREAM.STAY, seat, a.heads * 64 + i) < lever.effect:
                    _stay(s, seat, until)
                    return
    go(s, a.who)


@part
def _stay(s: Any, seat: Any, until: Any) -> Any:
    row(s.seats, seat, SEAT).off_s = until
    pay(s, seat, s.now, min(until, s.until_s))
    push(s, WORK, until, order(STAFF_OFF, seat, 0), about(GO_HOME, seat, 0))
    settle_seat(s, seat)


@part
def pay(s: Any, seat: Any, start_s: Any, end_s: Any) -> Any:
    """Time that is paid over and above the roster."""
    if s.paid_n >= s.paid_room:
        s.stopped = NO_ROOM
        return
    r = row(s.paid, s.paid_n, PAID_ROW)
    s.paid_n += 1
    r.agent, r.start_s, r.end_s = seat, start_s, end_s


@part
def go(s: Any, seat: Any) -> Any:
    """A stretch at the desk ends."""
    a = row(s.seats, seat, SEAT)
    _switch_off(s, seat)
    if row(s.pools, a.pool, POOL).hands_back:
        _hand_back_all(s, seat)
    if a.in_hand == 0:
        _leave(s, seat)


@part
def _switch_off(s: Any, seat: Any) -> Any:
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    withdraw(s, seat)
    a.on = 0
    p.on -= 1
    if a.in_hand > 0:
        p.busy -= 1
    a.held = 0
    a.stay += 1  # what it held is nobody's from now on
    if p.private > 0:
        for queue in range(s.private_queues + 2 * seat, s.private_queues + 2 * seat + 2):
            turn = take_any(s, queue)
            while turn != NONE:
                stand_open(s, turn)
                settle_everybody(s)
                turn = take_any(s, queue)


@part
def _leave(s: Any, seat: Any) -> Any:
    """The seat is empty from now on."""
    if s.staff_n >= s.staff_room:
        s.stopped = NO_ROOM
        return
    a, r = row(s.seats, seat, SEAT), row(s.staff, s.staff_n, STAFF_ROW)
    s.staff_n += 1
    r.agent, r.pool, r.on_s, r.off_s = seat, a.pool, a.present_from, s.now
    a.present_from = INF


@part
def _hand_back_all(s: Any, seat: Any) -> Any:
    """The turns in hand return to their queues with what is left of them, the first started first."""
    a = row(s.seats, seat, SEAT)
    while a.in_hand > 0:
        _hand_back(s, a.first)


@part
def _hand_back(s: Any, turn: Any) -> Any:
    t = row(s.turns, turn, TURN)
    left = t.end - s.now
    let_fall(s, turn)
    t.state, t.end = HANDED_BACK, s.now
    again = new_turn(s, t.kind, t.language, t.arrival, t.key, t.number)
    g = row(s.turns, again, TURN)
    g.subject, g.k, g.queue, g.patience_left = t.subject, t.k, t.queue, t.patience_left
    g.base_s, g.remaining, g.left = left, 1, t.left
    if t.kind != ANSWER:
        g.aside = t.aside
    else:
        c = row(s.cases, t.number, CASE)
        c.turn = again
        c.work += s.now - t.start
        if t.left == INF:
            c.state = CASE_WAITING
    wait_for_settling(s, again)


@part
def set_level(s: Any, pool: Any, heads: Any) -> Any:
    """A head-count pool wants so many heads from now on."""
    p = row(s.pools, pool, POOL)
    p.level = heads
    for seat in range(p.first, p.first + p.n):
        if p.on >= heads:
            break
        if not row(s.seats, seat, SEAT).on:
            _switch_on(s, seat, INF)
    seat = p.first + p.n - 1
    while p.on > heads and seat >= p.first:  # idle heads leave first, the highest number first
        a = row(s.seats, seat, SEAT)
        if a.on and a.in_hand == 0:
            _switch_off(s, seat)
            _leave(s, seat)
        seat -= 1
    while p.on > heads and p.hands_back:
        seat = _last_started(s, p)
        _switch_off(s, seat)
        _hand_back_all(s, seat)
        _leave(s, seat)


@part
def _last_started(s: Any, p: Any) -> Any:
    """The agent at the desk who started last; at equal times the highest number."""
    best, latest = NONE, -INF
    for seat in range(p.first, p.first + p.n):
        a = row(s.seats, seat, SEAT)
        if a.on and row(s.turns, a.last, TURN).start >= latest:
            best, latest = seat, row(s.turns, a.last, TURN).start
    return best


@part
def done(s: Any, seat: Any) -> Any:
    """The agent has ended a turn: do too many heads work, is this the end of his shift?"""
    a = row(s.seats, seat, SEAT)
    p = row(s.pools, a.pool, POOL)
    if p.head_count and a.on and p.on > p.level:
        _switch_off(s, seat)
    if not a.on and a.in_hand == 0:
        _leave(s, seat)


@part
def go_dark(s: Any, fault: Any) -> Any:
    """What the agents of a site have in hand is handed back; the roster sends them away."""
    for pool in range(s.pools_n):
        p = row(s.pools, pool, POOL)
        if row(s.dark, fault * s.pools_n + pool, INT).v:
            for seat in range(p.first, p.first + p.n):
                a = row(s.seats, seat, SEAT)
                if a.in_hand > 0:
                    if a.on:
                        p.busy -= 1
                    withdraw(s, seat)
                    _hand_back_all(s, seat)
                    done(s, seat)
                    update(s, seat)


@part
def close_staff(s: Any) -> Any:
    """The run stops: whoever is still at the desk has been there until now."""
    for seat in range(s.seats_n):
        if row(s.seats, seat, SEAT).present_from < INF:
            _leave(s, seat)
