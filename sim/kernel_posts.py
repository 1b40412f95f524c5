"""Posts as they come in to the compiled engine: who reads, what the filter finds (rule 3), as `sim.triage`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE, PostKind, code
from sim.codecache import part
from sim.kernel_cases import MISSED, PARKED, RETURNS, UNREAD, ask, message, open_case
from sim.kernel_chance import STREAM, child_subject, law, uniform
from sim.kernel_events import ASK_LATER, CUSTOMER, FOUND, OPEN_LATER, POST_EVENT, about, order, push
from sim.kernel_memory import row
from sim.kernel_signals import see_post
from sim.kernel_tables import (
    ASK,
    AT_ONCE,
    AUTOMATIC,
    BYTE,
    CASE,
    EXTRA_ROW,
    FLOAT,
    HELD,
    INT,
    LATER,
    NO_QUEUE,
    NOTHING,
    OPEN,
    PEOPLE,
    SHORT,
    TURN,
)
from sim.kernel_turns import enqueue, new_turn
from sim.kernel_work import how_many, in_force
from sim.outcome import TurnKind
from sim.turns import EXTRA_FROM

READING, DISMISS = int(TurnKind.READING), int(TurnKind.DISMISS)
OPENS, FOLLOWS_UP = code(PostKind.CASE), code(PostKind.FOLLOW_UP)


@part
def is_unwatched(s: Any, platform: Any) -> Any:
    """Whether the desk does not look at a platform."""
    return (s.unwatched >> platform) & 1 == 1


@part
def post(s: Any, number: Any) -> Any:
    """A row of the trace that is no call happens."""
    platform = row(s.post_platform, number, BYTE).v
    if is_unwatched(s, platform):
        return
    for i in range(how_many(s, HELD)):
        if (in_force(s, HELD, i).platforms >> platform) & 1:
            row(s.post_held, number, SHORT).v = row(s.fault_lists, HELD * s.faults_n + i, INT).v
            s.held_posts += 1
            return
    see_post(s, row(s.post_language, number, BYTE).v)
    if s.triage == PEOPLE:
        _read_row(s, READING, number)
        return
    kind, case = row(s.post_kind, number, BYTE).v, row(s.post_case, number, INT).v
    asks = kind == OPENS or (kind == FOLLOWS_UP and case != NONE)
    if s.triage == AT_ONCE:
        if asks:
            know(s, number)
    elif asks and uniform(s, STREAM.FILTER, number, 0) >= s.recall:
        c = row(s.cases, case, CASE)
        if c.state == UNREAD:
            c.state = MISSED
    elif asks or (s.false_positive > 0.0 and uniform(s, STREAM.FILTER, number, 0) < s.false_positive):
        if s.delay_s > 0.0:
            s.filtering += 1
            push(s, LATER, s.now + s.delay_s, order(POST_EVENT, number, 0), about(FOUND, number, int(asks)))
        else:
            found(s, number, asks)


@part
def found(s: Any, number: Any, asks: Any) -> Any:
    """The filter passes on what it has found."""
    if asks:
        know(s, number)
    else:
        _read_row(s, DISMISS, number)


@part
def _read_row(s: Any, kind: Any, number: Any) -> Any:
    posted, language = row(s.post_time, number, FLOAT).v, row(s.post_language, number, BYTE).v
    enqueue(s, _reading(s, kind, number, language, posted, number), NONE)


@part
def _reading(s: Any, kind: Any, number: Any, language: Any, posted: Any, subject: Any) -> Any:
    """A turn to read a post, or to put it aside."""
    turn = new_turn(s, kind, language, posted, posted + s.reading_promise_s, number)
    t = row(s.turns, turn, TURN)
    t.subject, t.k = subject, -1
    stream = STREAM.READING if kind == READING else STREAM.DISMISS
    t.base_s = law(s, s.law_reading, stream, subject, 0)
    t.queue = row(s.reading_queue, language, INT).v
    if t.queue == NONE:
        s.stopped, t.queue = NO_QUEUE, 0
    return turn


@part
def read(s: Any, t: Any) -> Any:
    """A post has been read: what happens then."""
    if t.number < EXTRA_FROM:
        know(s, t.number)
    else:
        after_reading(s, t.number - EXTRA_FROM, t.aside & 0xFF, t.aside >> 8)


@part
def know(s: Any, number: Any) -> Any:
    """The desk knows what this post is."""
    case = row(s.post_case, number, INT).v
    if case == NONE:
        return
    state = row(s.cases, case, CASE).state
    if state in (UNREAD, MISSED):
        open_case(s, case)
    elif row(s.post_kind, number, BYTE).v == FOLLOWS_UP:
        message(s, case, row(s.post_time, number, FLOAT).v, number)


@part
def post_again(s: Any, case: Any, kind: Any, then: Any) -> Any:
    """A post that the trace does not hold: it is counted, read if people read, then something happens to its case."""
    x = row(s.extra, s.extra_n, EXTRA_ROW)
    s.extra_n += 1
    x.time, x.case, x.kind = s.now, case, kind
    c = row(s.cases, case, CASE)
    if is_unwatched(s, c.platform):
        c.returning = 0
        return
    see_post(s, c.language)
    if s.triage == PEOPLE:
        c.extra_posts += 1
        subject = child_subject(c.subject, c.extra_posts)
        turn = _reading(s, READING, EXTRA_FROM + case, c.language, s.now, subject)
        row(s.turns, turn, TURN).aside = (c.version << 8) | then
        enqueue(s, turn, NONE)
    elif s.triage == AUTOMATIC and s.delay_s > 0.0:
        if then != NOTHING:
            where = order(CUSTOMER, case, RETURNS)
            operation = OPEN_LATER if then == OPEN else ASK_LATER
            push(s, LATER, s.now + s.delay_s, where, about(operation, case, c.version))
    else:
        after_reading(s, case, then, c.version)


@part
def after_reading(s: Any, case: Any, then: Any, version: Any) -> Any:
    """A post that the trace does not hold is known: the case opens, or asks if nothing else has happened to it."""
    c = row(s.cases, case, CASE)
    if then == OPEN:
        open_case(s, case)
    elif then == ASK and c.version == version:
        ask(s, case, c.asked, False)


@part
def release_posts(s: Any, fault: Any) -> Any:
    """Posts that a fault has held are seen now, in the order of the trace."""
    for number in range(s.post):
        held = row(s.post_held, number, SHORT)
        if held.v == fault:
            held.v = NONE
            s.held_posts -= 1
            post(s, number)


@part
def close_posts(s: Any) -> Any:
    """The run stops: posts still held were never seen."""
    if s.held_posts == 0:
        return
    for number in range(s.post):
        if row(s.post_held, number, SHORT).v != NONE and row(s.post_kind, number, BYTE).v == OPENS:
            c = row(s.cases, row(s.post_case, number, INT).v, CASE)
            if c.state in (UNREAD, MISSED):
                c.state = PARKED
