"""Conversations of the compiled engine: a case opens, asks, is answered, resolved, reopened (rules 3, 6 and 7)."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import hold, let_go, look_up, turn_to
from sim.kernel_chance import STREAM, child_subject, law, share, uniform
from sim.kernel_events import CUSTOMER, REOPEN, RETURN, THINK, about, order, push
from sim.kernel_levers import parked_by, promise_s
from sim.kernel_memory import row
from sim.kernel_signals import see_case
from sim.kernel_tables import (
    AFTER_BLOCKED,
    BYTE,
    CASE,
    CRM,
    FLOAT,
    INT,
    LATER,
    NO_ANSWER,
    NO_QUEUE,
    ONWARD,
    PAYMENT,
    SINGLE,
    TOPIC,
    TURN,
)
from sim.kernel_turns import BALKED, BLOCKED, IN_HAND, enqueue, new_turn
from sim.kernel_work import ANSWER, concerns, how_many, in_force
from sim.outcome import CaseState
from sim.turns import INF
from sim.world import HOUR_S

THINKS, REOPENS, RETURNS = 0, 2, 3  # places among a customer's actions, see sim.customers
RESOLVED, GAVE_UP, SILENT, WAITING, CASE_IN_HAND, WITH_CUSTOMER, PARKED, UNREAD, MISSED, SUPPRESSED = (
    int(state) for state in CaseState
)


@part
def open_case(s: Any, case: Any) -> Any:
    """A case becomes known: its first turn is due from the time of the post."""
    c = row(s.cases, case, CASE)
    c.seen = s.now
    see_case(s, c.language)
    if c.planned == 0:
        _plan(s, c)
    ask(s, case, c.posted, False)


@part
def _plan(s: Any, c: Any) -> Any:
    """How many turns the case will take and the work in each."""
    u = uniform(s, STREAM.TURNS, c.subject, 0) if s.edges_n > 1 else 0.0
    n = 1
    while n < s.edges_n and u >= row(s.edges, n - 1, FLOAT).v:
        n += 1
    work = law(s, row(s.topics, c.topic, TOPIC).handling, STREAM.HANDLING, c.subject, 0)
    c.base, c.base_n, c.planned = s.shares_n, n, n
    s.shares_n += n
    whole = 0.0
    for j in range(n):
        weight = share(s, c.subject, j)
        row(s.shares, c.base + j, FLOAT).v = weight
        whole += weight
    for j in range(n):
        each = row(s.shares, c.base + j, FLOAT)
        each.v = work * each.v / whole


@part
def ask(s: Any, case: Any, arrival: Any, goes_on: Any) -> Any:
    """The case's next turn wants an agent, with the promise counted from `arrival`."""
    c = row(s.cases, case, CASE)
    if goes_on:
        c.attempts = 0
    c.version += 1
    c.asked, c.key = arrival, arrival + promise_s(s, c)
    c.turn = NONE
    if not parks(s, c):
        queue_up(s, case, c.last_seat if goes_on else NONE)


@part
def parks(s: Any, c: Any) -> Any:
    """Whether a fault or a lever keeps the case from being answered; it is parked then."""
    for i in range(how_many(s, NO_ANSWER)):
        if concerns(in_force(s, NO_ANSWER, i), c.topic):
            c.state, c.parked = PARKED, 1
            c.parked_by = row(s.fault_lists, NO_ANSWER * s.faults_n + i, INT).v
            s.parked += 1
            return True
    lever = parked_by(s, c)
    if lever == NONE:
        return False
    c.state, c.parked, c.parked_by = PARKED, 1, s.faults_n + lever
    s.parked += 1
    return True


@part
def queue_up(s: Any, case: Any, last_seat: Any) -> Any:
    """The turn that the case asks for is queued."""
    c = row(s.cases, case, CASE)
    turn = new_turn(s, ANSWER, c.language, c.asked, c.key, case)
    t = row(s.turns, turn, TURN)
    t.subject, t.k = c.subject, c.k
    if c.k < c.base_n:
        t.base_s = row(s.shares, c.base + c.k, FLOAT).v
    else:
        t.base_s = law(s, s.law_extra_turn, STREAM.EXTRA_TURN, c.subject, c.k)
    where = (c.language * 2 + c.visibility) * s.topics_n + c.topic
    t.queue = row(s.answer_queue, where * s.classes_n + c.cls, INT).v
    c.turn = turn
    c.parked = 0
    c.waits += 1
    c.state = WAITING
    if t.queue == NONE:
        s.stopped = NO_QUEUE
        return
    state = enqueue(s, turn, last_seat)
    if state in (BLOCKED, BALKED):
        turned_away(s, case, AFTER_BLOCKED)


@part
def turned_away(s: Any, case: Any, how: Any) -> Any:
    """Blocked, balked or tired of waiting: the customer gives up or turns elsewhere."""
    c = row(s.cases, case, CASE)
    c.turn = NONE
    c.state = GAVE_UP
    c.attempts += 1
    c.version += 1
    onward = where_to(s, how, c.subject, c.waits)
    c.returning = onward != NONE and c.attempts < s.max_attempts
    if c.returning:
        c.onward = onward
        delay = law(s, row(s.onwards, onward, ONWARD).law, STREAM.ONWARD_DELAY, c.subject, c.waits)
        will(s, case, RETURNS, RETURN, delay)


@part
def where_to(s: Any, how: Any, subject: Any, k: Any) -> Any:
    """Row of `onwards` that says where somebody turns next; NONE: nowhere."""
    u = uniform(s, STREAM.ONWARD, subject, k)
    total = 0.0
    for i in range(row(s.onward_lists, how, INT).v, row(s.onward_lists, how + 1, INT).v):
        total += row(s.onwards, i, ONWARD).probability
        if u < total:
            return i
    return NONE


@part
def will(s: Any, case: Any, what: Any, operation: Any, delay: Any) -> Any:
    """The customer will do something, unless something else happens to the case before."""
    version = row(s.cases, case, CASE).version
    push(s, LATER, s.now + delay, order(CUSTOMER, case, what), about(operation, case, version))


@part
def message(s: Any, case: Any, arrival: Any, post: Any) -> Any:
    """The customer writes again: it joins the case, whatever state that is in (rule 3)."""
    if duplicates(s, post):
        open_case(s, split(s, case, arrival))
        return
    c = row(s.cases, case, CASE)
    if c.state == CASE_IN_HAND:
        c.pending = min(c.pending, arrival)
    elif c.state == WITH_CUSTOMER:
        if not c.back_office:
            next_message(s, case, arrival)
    elif c.state == RESOLVED:
        if arrival - c.closed <= s.within_s:
            reopen(s, case, arrival)
    elif c.state == GAVE_UP:
        ask(s, case, arrival, False)
    elif c.state == SILENT:
        if c.turn == NONE:
            ask(s, case, arrival, False)
        elif row(s.turns, c.turn, TURN).state == IN_HAND:
            c.pending = min(c.pending, arrival)


@part
def duplicates(s: Any, subject: Any) -> Any:
    """Whether what should join a case opens one of its own, because the customer system is down."""
    for i in range(how_many(s, CRM)):
        fault = in_force(s, CRM, i)
        if fault.duplicates > 0.0 and uniform(s, STREAM.DUPLICATE, subject, 0) < fault.duplicates:
            return True
    return False


@part
def next_message(s: Any, case: Any, arrival: Any) -> Any:
    """The customer's next message: the next turn is wanted."""
    row(s.cases, case, CASE).back_office = 0
    seat = let_go(s, case)
    if seat != NONE:
        turn_to(s, seat)
    ask(s, case, arrival, True)
    if seat != NONE:
        look_up(s, seat)


@part
def split(s: Any, case: Any, posted: Any) -> Any:
    """A case of its own with one turn, out of a post that should have joined this one."""
    c = row(s.cases, case, CASE)
    c.extra_posts += 1
    made = new_case(s, child_subject(c.subject, c.extra_posts), posted)
    n = row(s.cases, made, CASE)
    n.language, n.platform, n.visibility, n.topic = c.language, c.platform, c.visibility, c.topic
    n.tier, n.sentiment, n.cls, n.departure = c.tier, c.sentiment, c.cls, c.departure
    n.origin, n.like = case, c.like
    n.planned, n.base, n.base_n = 1, s.shares_n, 1
    row(s.shares, n.base, FLOAT).v = law(s, s.law_extra_turn, STREAM.EXTRA_TURN, n.subject, 0)
    s.shares_n += 1
    return made


@part
def new_case(s: Any, subject: Any, posted: Any) -> Any:
    """A row for a case that the simulation makes."""
    case = s.cases_n
    s.cases_n += 1
    c = row(s.cases, case, CASE)
    c.posted, c.subject = posted, subject
    c.departure = c.seen = c.first_start = c.first_reply = c.closed = c.left = c.pending = c.asked = c.key = INF
    c.work = 0.0
    c.row = c.origin = c.turn = c.holder = c.last_seat = c.onward = c.parked_by = c.kept_by = NONE
    c.version = c.tests = c.waits = c.extra_posts = c.holder_stay = c.k = c.planned = c.base = c.base_n = 0
    c.turns = c.attempts = c.recontacts = c.reopened = 0
    c.language = c.platform = c.visibility = c.topic = c.tier = c.sentiment = c.cls = 0
    c.escalated = c.pays = c.back_office = c.parked = c.returning = 0
    c.state, c.like = UNREAD, 0
    return case


@part
def copy_post(s: Any, c: Any, number: Any) -> Any:
    """The case is about what a row of the trace says."""
    c.language, c.platform = row(s.post_language, number, BYTE).v, row(s.post_platform, number, BYTE).v
    c.visibility, c.topic = row(s.post_visibility, number, BYTE).v, row(s.post_topic, number, BYTE).v
    c.tier, c.sentiment = row(s.post_tier, number, BYTE).v, row(s.post_sentiment, number, BYTE).v
    c.departure = row(s.post_time, number, FLOAT).v + row(s.post_departure, number, SINGLE).v * HOUR_S


@part
def reopen(s: Any, case: Any, arrival: Any) -> Any:
    """A resolved case comes back."""
    c = row(s.cases, case, CASE)
    c.reopened += 1
    c.closed = INF
    ask(s, case, arrival, True)


@part
def answered(s: Any, turn: Any, seat: Any) -> Any:
    """A turn of a case has ended: what the case does next."""
    t = row(s.turns, turn, TURN)
    c = row(s.cases, t.number, CASE)
    ghost = t.left < INF
    c.turns += 1
    c.work += t.end - t.start
    c.turn, c.last_seat = NONE, seat
    c.k += 1
    c.first_reply = min(c.first_reply, s.now)
    if not ghost:
        _payment(s, c, t.k)
    if c.pending < INF:
        arrival = c.pending
        c.pending = INF
        ask(s, t.number, arrival, True)
    elif ghost:
        c.state = SILENT
    elif c.k < c.planned:
        _wait_for_customer(s, t.number, seat)
    else:
        _resolve(s, t.number)


@part
def _payment(s: Any, c: Any, k: Any) -> Any:
    """The last planned turn may ask for a payment by link; a failing provider costs a turn more."""
    for i in range(how_many(s, PAYMENT)):
        fault = in_force(s, PAYMENT, i)
        if concerns(fault, c.topic) and uniform(s, STREAM.PAYMENT, c.subject, 64 + k) < fault.fails:
            c.planned = max(c.planned, c.k) + 1
            return
    asks = c.k == c.planned and row(s.topics, c.topic, TOPIC).pays and not c.pays
    if asks and uniform(s, STREAM.PAYMENT, c.subject, 0) < s.payment_share:
        c.pays = 1


@part
def _wait_for_customer(s: Any, case: Any, seat: Any) -> Any:
    c = row(s.cases, case, CASE)
    c.state = WITH_CUSTOMER
    c.version += 1
    if c.k == 1 and uniform(s, STREAM.BACK_OFFICE, c.subject, 0) < s.back_office_share:
        c.back_office = 1
        delay = law(s, s.law_back_office, STREAM.BACK_OFFICE_DELAY, c.subject, 0)
    else:
        delay = law(s, s.law_think, STREAM.THINK, c.subject, c.k)
        hold(s, case, seat)
    will(s, case, THINKS, THINK, delay)


@part
def _resolve(s: Any, case: Any) -> Any:
    c = row(s.cases, case, CASE)
    c.state, c.closed = RESOLVED, s.now
    c.version += 1
    if s.reopen_p > 0.0 and uniform(s, STREAM.REOPEN, c.subject, c.reopened) < s.reopen_p:
        will(s, case, REOPENS, REOPEN, law(s, s.law_reopen, STREAM.REOPEN_DELAY, c.subject, c.reopened))
