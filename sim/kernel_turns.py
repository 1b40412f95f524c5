"""New turns of the compiled engine: an agent takes one, or it waits, or it is turned away (rules 4, 5 and 7)."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import count_places, settle_everybody, start, sticky_factor
from sim.kernel_chance import STREAM, law, uniform
from sim.kernel_choice import chosen, factor_in, takes
from sim.kernel_events import CUSTOMER, END_PATIENCE, OPENING, OVERFLOW, PATIENCE, REPEAT, UNSTICK, about, order, push
from sim.kernel_levers import changed
from sim.kernel_memory import row
from sim.kernel_queues import WAITING, stand
from sim.kernel_signals import see_waiting
from sim.kernel_tables import (
    CASE,
    INT,
    LATER,
    LEVER,
    LIMIT,
    PATIENCE_OF,
    POOL,
    QUEUE,
    RECONTACT,
    SEAT,
    SPILL,
    TOPIC,
    TURN,
)
from sim.kernel_work import ANSWER
from sim.outcome import TurnState
from sim.turns import INF
from sim.world import STICKY

IN_HAND, BLOCKED, BALKED = (int(x) for x in (TurnState.IN_HAND, TurnState.BLOCKED, TurnState.BALKED))
REPEATS = 1  # place of writing again among a customer's actions, see sim.customers
NAN = float("nan")


@part
def new_turn(s: Any, kind: Any, language: Any, arrival: Any, key: Any, number: Any) -> Any:
    """A row for a turn that is queued now."""
    turn = s.turns_n
    s.turns_n += 1
    t = row(s.turns, turn, TURN)
    t.key, t.arrival, t.queued = key, arrival, s.now
    t.start = t.end = t.left = INF
    t.base_s, t.patience_left, t.extra = 0.0, NAN, 0.0
    t.number = t.subject = number
    t.aside = t.k = 0
    t.agent = t.queue = t.sticky = t.next = t.younger = NONE
    t.state, t.kind, t.language = WAITING, kind, language
    t.route = t.remaining = t.standing = t.late = 0
    return turn


@part
def enqueue(s: Any, turn: Any, last_seat: Any) -> Any:
    """A new turn; says in which state it is then. Blocked and balked turns are the customer's affair."""
    t = row(s.turns, turn, TURN)
    if last_seat != NONE and s.sticky_s > 0.0 and row(s.seats, last_seat, SEAT).on:
        t.sticky = last_seat
    if s.releasing:
        wait_for_settling(s, turn)
        return WAITING
    if t.sticky != NONE:
        if takes(s, t.sticky, turn):
            start(s, turn, t.sticky, STICKY, sticky_factor(s, turn, t.sticky))
            return IN_HAND
    elif _given_out(s, turn, t.queue):
        return IN_HAND
    refused = _refused(s, turn)
    if refused != WAITING:
        t.state, t.end = refused, s.now
        return refused
    _wait(s, turn)
    return WAITING


@part
def wait_for_settling(s: Any, turn: Any) -> Any:
    """What is released or handed back waits, whatever the limits, until agents look at the queues."""
    _wait(s, turn)
    settle_everybody(s)


@part
def _given_out(s: Any, turn: Any, queue: Any) -> Any:
    """Whether a free agent who serves the queue starts it."""
    seat = chosen(s, turn, queue)
    if seat == NONE:
        return False
    factor = factor_in(s, queue, row(s.seats, seat, SEAT).pool)
    start(s, turn, seat, row(s.queues, queue, QUEUE).route, factor)
    return True


@part
def _refused(s: Any, turn: Any) -> Any:
    """Whether a turn that would have to wait is turned away, blocked before balked; WAITING if not."""
    t = row(s.turns, turn, TURN)
    q = row(s.queues, t.queue, QUEUE)
    for i in range(q.limits, q.limits_end):
        limit = row(s.limits, row(s.queue_limits, i, INT).v, LIMIT)
        if limit.places != NONE and limit.taken >= limit.places:
            return BLOCKED
    for i in range(q.limits, q.limits_end):
        number = row(s.queue_limits, i, INT).v
        balk = row(s.limits, number, LIMIT).balk
        if balk > 0.0 and uniform(s, STREAM.BALK, t.subject, row(s.cases, t.number, CASE).waits * 64 + number) < balk:
            return BALKED
    return WAITING


@part
def _wait(s: Any, turn: Any) -> Any:
    t = row(s.turns, turn, TURN)
    q = row(s.queues, t.queue, QUEUE)
    t.standing = 1
    count_places(s, turn, 1)
    if s.buckets > 0:
        see_waiting(s, turn)
    if t.sticky != NONE:
        row(s.pools, row(s.seats, t.sticky, SEAT).pool, POOL).private += 1
        stand(s, 2 * (s.private_queues + 2 * t.sticky + q.deferred), turn)
        push(s, LATER, s.now + s.sticky_s, order(OPENING, t.number, t.k * 64), about(UNSTICK, turn, 0))
    else:
        stand_open(s, turn)
    for i in range(q.spills, q.spills_end):
        spill = row(s.spills, i, SPILL)
        where = order(OPENING, t.number, t.k * 64 + 1 + spill.rule)
        push(s, LATER, s.now + spill.after_s, where, about(OVERFLOW, turn, i - q.spills))
    if t.patience_left != t.patience_left:  # it is nan: the first wait
        t.patience_left = _patience(s, t)
    if t.left == INF:
        if t.patience_left < INF:
            push(s, LATER, s.now + t.patience_left, order(PATIENCE, t.number, t.k), about(END_PATIENCE, turn, 0))
        if t.kind == ANSWER:
            may_repeat(s, turn, t.queued + s.recontact_after_s)


@part
def _patience(s: Any, t: Any) -> Any:
    if t.kind != ANSWER:
        return INF
    c = row(s.cases, t.number, CASE)
    patience = row(s.topics, c.topic, TOPIC).patience
    if patience == NONE:
        return INF
    return changed(s, PATIENCE_OF, law(s, patience, STREAM.PATIENCE, t.subject, c.waits - 1), c)


@part
def may_repeat(s: Any, turn: Any, since: Any) -> Any:
    """Whoever waits beyond `since` may write again, after a gap."""
    t = row(s.turns, turn, TURN)
    c = row(s.cases, t.number, CASE)
    j = c.tests
    c.tests += 1
    if s.recontact_p > 0.0 and uniform(s, STREAM.RECONTACT, c.subject, j) < changed(s, RECONTACT, s.recontact_p, c):
        at = since + law(s, s.law_gap, STREAM.RECONTACT_GAP, c.subject, j)
        push(s, LATER, at, order(CUSTOMER, t.number, REPEATS), about(REPEAT, turn, j))


@part
def stand_open(s: Any, turn: Any) -> Any:
    """The turn stands in its own queue, and in those to which it has overflowed meanwhile."""
    t = row(s.turns, turn, TURN)
    if t.sticky != NONE and t.standing:
        row(s.pools, row(s.seats, t.sticky, SEAT).pool, POOL).private -= 1
    t.sticky = NONE
    stand(s, 2 * t.queue, turn)
    q = row(s.queues, t.queue, QUEUE)
    for i in range(q.spills, q.spills_end):
        if (t.aside >> (i - q.spills)) & 1:
            stand(s, 2 * row(s.spills, i, SPILL).queue, turn)


@part
def unstick(s: Any, turn: Any) -> Any:
    """The turn is for all from now on."""
    t = row(s.turns, turn, TURN)
    if t.state != WAITING or t.sticky == NONE:
        return
    row(s.pools, row(s.seats, t.sticky, SEAT).pool, POOL).private -= 1
    t.sticky = NONE
    if _given_out(s, turn, t.queue):
        return
    q = row(s.queues, t.queue, QUEUE)
    for i in range(q.spills, q.spills_end):
        if (t.aside >> (i - q.spills)) & 1 and _given_out(s, turn, row(s.spills, i, SPILL).queue):
            return
    stand_open(s, turn)


@part
def overflow(s: Any, turn: Any, i: Any) -> Any:
    """The `i`-th overflow rule of its queue opens the turn to others, if it is in force."""
    t = row(s.turns, turn, TURN)
    if t.state != WAITING:
        return
    lever = row(s.spills, row(s.queues, t.queue, QUEUE).spills + i, SPILL).lever
    if lever != NONE and not row(s.levers, lever, LEVER).on:
        return
    if t.sticky != NONE:
        t.aside |= 1 << i  # later: so far it is for one agent alone
        return
    queue = row(s.spills, row(s.queues, t.queue, QUEUE).spills + i, SPILL).queue
    if not _given_out(s, turn, queue):
        stand(s, 2 * queue, turn)
