"""The first rows of the compiled engine and the last: cases of the trace before a run, columns after it."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import compiled, part
from sim.kernel_cases import copy_post, new_case
from sim.kernel_control import arm
from sim.kernel_memory import row
from sim.kernel_phone import ABANDONED, BLOCKED, CALL
from sim.kernel_posts import close_posts
from sim.kernel_staff import close_staff
from sim.kernel_tables import (
    BYTE,
    CASE,
    CASE_COLUMNS,
    CLASS,
    FLOAT,
    INT,
    LONG,
    SHORT,
    SINGLE,
    STATE,
    TURN,
    TURN_COLUMNS,
)
from sim.kernel_turns import BALKED, IN_HAND
from sim.kernel_work import ANSWER
from sim.phone import CALLS_FROM
from sim.turns import EXTRA_FROM, INF


@compiled
def begin(state: Any) -> Any:
    """The cases that the posts of the trace open; nobody has read them yet."""
    s = row(state, 0, STATE)
    for i in range(s.case_rows_n):
        number = row(s.case_rows, i, LONG).v
        c = row(s.cases, new_case(s, i, row(s.post_time, number, FLOAT).v), CASE)
        copy_post(s, c, number)
        c.row, c.cls, c.like = number, row(s.case_classes, i, BYTE).v, i
    if s.buckets > 0:
        arm(s)


@compiled
def close(state: Any) -> Any:
    """The run stops; returns as `sim.kernel.advance` does."""
    s = row(state, 0, STATE)
    close_staff(s)
    close_posts(s)
    return s.stopped


@compiled
def write_turns(state: Any, columns: Any) -> Any:
    """Write all turns into columns, whose addresses are given."""
    s, o = row(state, 0, STATE), row(columns, 0, TURN_COLUMNS)
    for i in range(s.turns_n):
        t = row(s.turns, i, TURN)
        row(o.case, i, INT).v = t.number if t.kind == ANSWER else NONE
        row(o.post, i, INT).v = _post_of(t)
        row(o.k, i, SHORT).v = t.k
        row(o.kind, i, BYTE).v = t.kind
        row(o.language, i, BYTE).v = t.language
        row(o.queued_s, i, FLOAT).v = t.queued
        row(o.key_s, i, FLOAT).v = t.key
        row(o.start_s, i, FLOAT).v = t.start
        row(o.end_s, i, FLOAT).v = INF if t.state == IN_HAND else t.end
        row(o.wait_s, i, FLOAT).v = _wait_of(t)
        row(o.left_s, i, FLOAT).v = t.left
        row(o.agent, i, INT).v = t.agent
        row(o.route, i, BYTE).v = t.route
        row(o.state, i, BYTE).v = t.state


@part
def _post_of(t: Any) -> Any:
    """Row of the trace that is read, or of the call."""
    if t.kind == CALL:
        return t.number - CALLS_FROM
    return t.number if t.kind != ANSWER and t.number < EXTRA_FROM else NONE


@part
def _wait_of(t: Any) -> Any:
    if t.start < INF:
        return t.start - t.queued
    if t.state == ABANDONED:
        return t.end - t.queued
    return 0.0 if t.state in (BLOCKED, BALKED) else INF


@compiled
def write_cases(state: Any, columns: Any) -> Any:
    """The same for cases."""
    s, o = row(state, 0, STATE), row(columns, 0, CASE_COLUMNS)
    for i in range(s.cases_n):
        c = row(s.cases, i, CASE)
        row(o.row, i, INT).v = c.row
        row(o.origin, i, INT).v = c.origin
        row(o.language, i, BYTE).v = c.language
        row(o.platform, i, BYTE).v = c.platform
        row(o.visibility, i, BYTE).v = c.visibility
        row(o.topic, i, BYTE).v = c.topic
        row(o.tier, i, BYTE).v = c.tier
        row(o.sentiment, i, BYTE).v = c.sentiment
        row(o.cls, i, BYTE).v = c.cls
        row(o.posted_s, i, FLOAT).v = c.posted
        row(o.due_s, i, FLOAT).v = c.posted + row(s.classes, c.cls, CLASS).promise_s
        row(o.departure_s, i, FLOAT).v = c.departure
        row(o.seen_s, i, FLOAT).v = c.seen
        row(o.first_start_s, i, FLOAT).v = c.first_start
        row(o.first_reply_s, i, FLOAT).v = c.first_reply
        row(o.closed_s, i, FLOAT).v = c.closed
        row(o.left_s, i, FLOAT).v = c.left
        row(o.turns, i, SHORT).v = c.turns
        row(o.attempts, i, SHORT).v = c.attempts
        row(o.recontacts, i, SHORT).v = c.recontacts
        row(o.reopened, i, SHORT).v = c.reopened
        row(o.escalated, i, BYTE).v = c.escalated
        row(o.work_s, i, FLOAT).v = c.work
        row(o.pay_eur, i, SINGLE).v = s.payment_eur if c.pays else 0.0
        row(o.state, i, BYTE).v = c.state
