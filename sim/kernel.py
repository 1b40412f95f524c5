"""The compiled engine: the loop over the events of a run (rule 2).

Three sources are walked together: the posts of the trace, which are sorted; the agenda, which is
all that is known beforehand (shifts, faults; control of a crisis plan would be more of its rows);
and two heaps of what comes of it. Between two calls the whole state lies in the tables, so that a
run is walked in pieces.
"""

from __future__ import annotations

from typing import Any

from scenarios.names import PostKind, code
from sim.codecache import compiled, part
from sim.kernel_agents import settle
from sim.kernel_cases import GAVE_UP, PARKED, SUPPRESSED, UNREAD, WITH_CUSTOMER, open_case
from sim.kernel_control import act_now, look_at_signals, renew
from sim.kernel_customers import act, end_patience, repeat
from sim.kernel_ends import end_turn
from sim.kernel_events import (
    ACT,
    ASK_LATER,
    CALL_AGAIN,
    COME_AFTER_ALL,
    COME_IN,
    END_CALL,
    END_PATIENCE,
    END_TURN,
    FOUND,
    GET_UP,
    HANG_UP,
    LOOK,
    OPEN_LATER,
    OVERFLOW,
    POST_EVENT,
    RENEW,
    REPEAT,
    SETTLE,
    SIT_DOWN,
    UNSTICK,
    fill,
    order,
    pop,
)
from sim.kernel_faults import begin_fault, change_rules, end_fault
from sim.kernel_ladder import come_in, get_up, sit_down
from sim.kernel_memory import prefetch, row
from sim.kernel_phone import call, call_again, end_call, hang_up
from sim.kernel_posts import after_reading, found, is_unwatched, post
from sim.kernel_queues import WAITING
from sim.kernel_staff import come, end_stretch, go, go_dark, set_level
from sim.kernel_tables import (
    AGENDA,
    ASK,
    BEGIN_FAULT,
    BYTE,
    CASE,
    CHANGE_RULES,
    COME,
    END_FAULT,
    ENTRY,
    FLOAT,
    GO,
    GO_DARK,
    HEAP,
    LATER,
    NO_ROOM,
    SET_LEVEL,
    SLOT,
    STATE,
    TURN,
    WORK,
)
from sim.kernel_thinning import come_after_all, suppresses
from sim.kernel_turns import IN_HAND, overflow, unstick

CALL = code(PostKind.CALL)
SPARE = 16  # rows of a table that an event may make, besides what it releases or hands back
FROM_POSTS, FROM_AGENDA = 2, 3


@compiled
def advance(state: Any, until_s: Any) -> Any:
    """Let everything before `until_s` happen; what is due at that very time stays for the next call.

    Returns 0, or why the run is void: NO_ROOM if a table is full, NO_QUEUE if a turn has nowhere to stand.
    """
    s = row(state, 0, STATE)
    while s.stopped == 0:
        source, time = _next(s)
        if not time < until_s:
            s.now = until_s
            break
        if _lacks_room(s):
            s.stopped = NO_ROOM
            break
        s.now = time
        if source == FROM_POSTS:
            number = s.post
            s.post += 1
            if s.thins and suppresses(s, number):
                continue
            if row(s.post_kind, number, BYTE).v == CALL:
                call(s, number, 0)
            else:
                post(s, number)
        elif source == WORK:
            _work(s, pop(s, WORK))
        elif source == LATER:
            _later(s, pop(s, LATER))
        else:
            at = s.agenda_at
            s.agenda_at += 1
            _planned(s, row(s.agenda, at, AGENDA))
    return s.stopped


@part
def _next(s: Any) -> Any:
    """Where the next event comes from, and when it is; the source of the smallest (time, order)."""
    agenda = row(s.agenda, s.agenda_at, AGENDA)
    source, time, first = FROM_AGENDA, agenda.time, agenda.order
    if s.post < s.post_time_n:
        posted = row(s.post_time, s.post, FLOAT).v
        if posted <= time:
            where = order(POST_EVENT, s.post, 0)
            if posted < time or where < first:
                source, time, first = FROM_POSTS, posted, where
    for which in range(2):
        h = row(s.heaps, which, HEAP)
        if h.hole:
            fill(h)
            if which == LATER and h.n > 0:
                _fetch(s, row(h.slots, row(h.entries, 0, ENTRY).slot, SLOT).what)
        if h.n > 0:
            entry = row(h.entries, 0, ENTRY)
            if entry.time <= time:
                where = row(h.slots, entry.slot, SLOT).order
                if entry.time < time or where < first:
                    source, time, first = which, entry.time, where
    return source, time


@part
def _fetch(s: Any, what: Any) -> Any:
    """What comes next is about something that may lie far away."""
    first = what & 0xFFFFFFFF
    if what >> 56 <= END_PATIENCE:
        prefetch(row(s.turns, first, TURN))
    else:
        prefetch(row(s.cases, first, CASE))


@part
def _lacks_room(s: Any) -> Any:
    """Whether the next event might make more rows than there is room for."""
    made = SPARE + s.in_hand + 2 * s.held_posts + s.parked
    return (
        s.turns_n + made > s.turns_room
        or s.cases_n + made > s.cases_room
        or s.shares_n + made * s.edges_n > s.shares_room
        or s.extra_n + SPARE > s.extra_room
    )


@part
def _work(s: Any, what: Any) -> Any:
    operation, turn = what >> 56, what & 0xFFFFFFFF
    if operation == END_TURN:
        end_turn(s, turn)
    elif operation == SETTLE:
        settle(s)
    elif operation == END_CALL:
        end_call(s, turn)
    else:
        _crisis(s, operation, turn, (what >> 32) & 0xFFFFFF)


@part
def _crisis(s: Any, operation: Any, first: Any, second: Any) -> Any:
    """What a crisis plan does, and those who are there because of it."""
    if operation == LOOK:
        look_at_signals(s)
    elif operation == ACT:
        act_now(s, first, second)
    elif operation == RENEW:
        renew(s, first, second)
    elif operation == COME_IN:
        come_in(s, first, second)
    elif operation == SIT_DOWN:
        sit_down(s, first, second)
    elif operation == GET_UP:
        get_up(s, first, second)
    else:
        go(s, first)


@part
def _later(s: Any, what: Any) -> Any:
    operation, first, second = what >> 56, what & 0xFFFFFFFF, (what >> 32) & 0xFFFFFF
    if operation == END_PATIENCE:
        end_patience(s, first)
    elif operation == REPEAT:
        repeat(s, first, second)
    elif operation == UNSTICK:
        unstick(s, first)
    elif operation == OVERFLOW:
        overflow(s, first, second)
    elif operation == FOUND:
        s.filtering -= 1
        found(s, first, second)
    elif operation == OPEN_LATER:
        open_case(s, first)
    elif operation == ASK_LATER:
        after_reading(s, first, ASK, second)
    elif operation == HANG_UP:
        hang_up(s, first)
    elif operation == CALL_AGAIN:
        call_again(s, first, second)
    elif operation == COME_AFTER_ALL:
        come_after_all(s, first, second)
    else:
        act(s, first, second, operation)


@part
def _planned(s: Any, a: Any) -> Any:
    if a.what == COME:
        come(s, a.who, a.off_s, a.worked_s)
    elif a.what == GO:
        end_stretch(s, a)
    elif a.what == SET_LEVEL:
        set_level(s, a.who, a.heads)
    elif a.what == BEGIN_FAULT:
        begin_fault(s, a.who)
    elif a.what == END_FAULT:
        end_fault(s, a.who)
    elif a.what == CHANGE_RULES:
        change_rules(s, a.who)
    elif a.what == GO_DARK:
        go_dark(s, a.who)


@compiled
def anything_waits(state: Any) -> Any:
    """Whether anything is undone: the run goes on beyond its window then."""
    s = row(state, 0, STATE)
    if s.calls_coming > 0 or s.filtering > 0 or s.held_posts > 0:
        return True
    for case in range(s.cases_n):
        c = row(s.cases, case, CASE)
        if c.state in (WITH_CUSTOMER, PARKED) or (c.state in (GAVE_UP, SUPPRESSED) and c.returning):
            return True
        if c.state == UNREAD and not is_unwatched(s, c.platform):
            return True
    undone = 0
    for turn in range(s.turns_n):
        undone += row(s.turns, turn, TURN).state in (WAITING, IN_HAND)
    return undone > 0
