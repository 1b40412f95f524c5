"""The phone line of the compiled engine: lines, agents, patience; whoever fails turns elsewhere, as `sim.phone`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.customers import FROM_PHONE
from sim.kernel_cases import copy_post, new_case, where_to
from sim.kernel_chance import STREAM, child_subject, law
from sim.kernel_customers import move
from sim.kernel_events import CALL_AGAIN, CUSTOMER, END_CALL, HANG_UP, PATIENCE, TURN_END, about, order, push
from sim.kernel_memory import row
from sim.kernel_posts import post_again
from sim.kernel_queues import WAITING
from sim.kernel_tables import (
    AFTER_CALL_ABANDONED,
    AFTER_CALL_BLOCKED,
    BYTE,
    CASE,
    LATER,
    ONWARD,
    OPEN,
    PHONE,
    SAME,
    TURN,
    WORK,
)
from sim.kernel_turns import new_turn
from sim.outcome import TurnKind, TurnState
from sim.phone import CALLS_FROM

CALL = int(TurnKind.CALL)
DONE, ABANDONED, BLOCKED, IN_HAND = (
    int(x) for x in (TurnState.DONE, TurnState.ABANDONED, TurnState.BLOCKED, TurnState.IN_HAND)
)


@part
def call(s: Any, number: Any, attempt: Any) -> Any:
    """Somebody calls, for the first time (attempt 0) or again; nothing happens if there is no phone."""
    if s.phone_lines == NONE:
        return
    turn = new_turn(s, CALL, row(s.post_language, number, BYTE).v, s.now, s.now, CALLS_FROM + number)
    t = row(s.turns, turn, TURN)
    t.subject, t.k = number, attempt
    if s.calls_in_hand + s.calls_waiting >= s.phone_lines:
        t.state, t.end = BLOCKED, s.now
        _turn_elsewhere(s, turn, AFTER_CALL_BLOCKED)
    elif s.calls_in_hand < s.phone_agents:
        _start(s, turn)
    else:
        if s.call_last == NONE:
            s.call_first = turn
        else:
            row(s.turns, s.call_last, TURN).next = turn
        s.call_last = turn
        s.calls_waiting += 1
        ends = s.now + law(s, s.law_call_patience, STREAM.CALL_PATIENCE, number, attempt)
        push(s, LATER, ends, order(PATIENCE, t.number, attempt), about(HANG_UP, turn, 0))


@part
def _start(s: Any, turn: Any) -> Any:
    t = row(s.turns, turn, TURN)
    s.calls_in_hand += 1
    t.state, t.start = IN_HAND, s.now
    t.end = s.now + law(s, s.law_call_handling, STREAM.CALL_HANDLING, t.subject, t.k)
    push(s, WORK, t.end, order(TURN_END, t.number, t.k), about(END_CALL, turn, 0))


@part
def end_call(s: Any, turn: Any) -> Any:
    """A call ends; the longest waiting caller is next."""
    row(s.turns, turn, TURN).state = DONE
    s.calls_in_hand -= 1
    while s.call_first != NONE:
        first = s.call_first
        t = row(s.turns, first, TURN)
        s.call_first = t.next
        if s.call_first == NONE:
            s.call_last = NONE
        if t.state == WAITING:
            s.calls_waiting -= 1
            _start(s, first)
            return


@part
def hang_up(s: Any, turn: Any) -> Any:
    """A caller has waited enough."""
    t = row(s.turns, turn, TURN)
    if t.state == WAITING:
        s.calls_waiting -= 1
        t.state, t.end = ABANDONED, s.now
        _turn_elsewhere(s, turn, AFTER_CALL_ABANDONED)


@part
def _turn_elsewhere(s: Any, turn: Any, how: Any) -> Any:
    t = row(s.turns, turn, TURN)
    subject = child_subject(t.subject, -1)
    onward = where_to(s, how, subject, t.k)
    if onward == NONE or t.k + 1 >= s.call_attempts:
        return
    delay = law(s, row(s.onwards, onward, ONWARD).law, STREAM.ONWARD_DELAY, subject, t.k)
    s.calls_coming += 1
    push(s, LATER, s.now + delay, order(CUSTOMER, t.number, t.k), about(CALL_AGAIN, turn, onward))


@part
def call_again(s: Any, turn: Any, onward: Any) -> Any:
    """Who did not get through calls again, or writes."""
    s.calls_coming -= 1
    t, o = row(s.turns, turn, TURN), row(s.onwards, onward, ONWARD)
    if o.to in (SAME, PHONE):
        call(s, t.subject, t.k + 1)
    else:
        _write(s, t.subject, o)


@part
def _write(s: Any, number: Any, onward: Any) -> Any:
    """A caller who did not get through writes instead."""
    case = new_case(s, child_subject(number, -1), s.now)
    c = row(s.cases, case, CASE)
    copy_post(s, c, number)
    c.cls = row(s.post_class, number, BYTE).v
    c.origin, c.like = number, -1 - number
    move(c, onward)
    post_again(s, case, FROM_PHONE, OPEN)
