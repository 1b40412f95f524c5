"""The crisis plan at work in the compiled engine: triggers, declaration, levers, ladder, as `sim.control` (rule 8)."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import settle_everybody
from sim.kernel_events import ACT, CONTROL, LOOK, RENEW, about, order, push
from sim.kernel_faults import release_cases
from sim.kernel_ladder import call_in, stand_down
from sim.kernel_memory import row
from sim.kernel_queues import WAITING, regroup
from sim.kernel_signals import end_interval, value
from sim.kernel_sort import sort_by_place
from sim.kernel_tables import (
    ARRIVALS,
    AUTOMATIC,
    CALM,
    CASE,
    DECIDED,
    DECLARED,
    FILTER,
    LEVER,
    NO_ROOM,
    OVERDUE,
    OVERFLOW_RULE,
    PARK,
    PLAN_ROW,
    QUEUE,
    RUNG,
    SPILL,
    TRIGGER,
    TURN,
    WORK,
)
from sim.kernel_thinning import message_was_wrong
from sim.kernel_turns import overflow
from sim.kernel_work import ANSWER
from sim.outcome import PlanStep
from sim.turns import INF

(
    STEP_DECIDED, STEP_DECLARED, STEP_LEFT, STEP_ON, STEP_OFF, STEP_CALLED, STEP_STOOD_DOWN, STEP_WRONG,
) = (int(step) for step in PlanStep)  # fmt: skip


@part
def arm(s: Any) -> Any:
    """The next control interval."""
    s.interval += 1
    at = s.start_s + s.interval * s.interval_s
    if at < s.until_s:
        push(s, WORK, at, order(CONTROL, 0, 0), about(LOOK, 0, 0))


@part
def _note(s: Any, step: Any, number: Any, heads: Any) -> Any:
    if s.plan_n >= s.plan_room:
        s.stopped = NO_ROOM
        return
    r = row(s.plan, s.plan_n, PLAN_ROW)
    s.plan_n += 1
    r.time, r.step, r.number, r.heads = s.now, step, number, heads


@part
def look_at_signals(s: Any) -> Any:
    """The end of a control interval."""
    entered, left = False, True
    for i in range(s.own_triggers):
        trigger = row(s.triggers, i, TRIGGER)
        seen = value(s, trigger)
        entered = entered or seen >= trigger.enter
        left = left and seen <= trigger.leave
    if s.crisis == CALM and entered:
        s.crisis, s.crisis_since = DECIDED, s.now
        _note(s, STEP_DECIDED, NONE, 0)
    if s.crisis == DECIDED and s.now >= s.crisis_since + s.declaration_s:
        s.crisis, s.crisis_since = DECLARED, s.now
        _note(s, STEP_DECLARED, NONE, 0)
    elif s.crisis == DECLARED and left:
        s.crisis = CALM
        _note(s, STEP_LEFT, NONE, 0)
    for i in range(s.levers_n):
        _lever(s, i)
    for i in range(s.rungs_n):
        _rung(s, i)
    end_interval(s)
    arm(s)


@part
def _is_wanted(s: Any, item: Any) -> Any:
    """Whether a lever or a rung is wanted now: its own triggers hold, all of them, and its time has come."""
    if s.crisis != DECLARED:
        item.holds = 0
        return False
    holds = True
    for i in range(item.triggers, item.triggers_end):
        trigger = row(s.triggers, i, TRIGGER)
        seen = value(s, trigger)
        holds = holds and (seen > trigger.leave if item.holds else seen >= trigger.enter)
    item.holds = holds
    return holds and s.now >= s.crisis_since + item.after_s


@part
def _lever(s: Any, i: Any) -> Any:
    lever = row(s.levers, i, LEVER)
    wanted = _is_wanted(s, lever)
    if wanted == (lever.wanted == 1):
        return
    lever.wanted = wanted
    lever.version += 1
    if wanted:
        push(s, WORK, s.now + lever.lead_s, order(CONTROL, 1 + i, 0), about(ACT, i, lever.version))
    elif lever.on:
        _switch(s, i, False)


@part
def act_now(s: Any, i: Any, version: Any) -> Any:
    """The lead time of a lever is over."""
    if row(s.levers, i, LEVER).version == version:
        _switch(s, i, True)


@part
def _switch(s: Any, i: Any, on: Any) -> Any:
    lever = row(s.levers, i, LEVER)
    lever.on, lever.since = on, s.now
    _rules_in_force(s)
    _note(s, STEP_ON if on else STEP_OFF, i, 0)
    if lever.changes == OVERDUE:
        for queue in range(s.queues_n):
            regroup(s, queue)
        settle_everybody(s)
    elif lever.changes == OVERFLOW_RULE:
        if on:
            _open_rule(s, i)
    elif lever.changes == PARK:
        if not on:
            s.releasing = 1
            release_cases(s, s.faults_n + i)
            s.releasing = 0
            settle_everybody(s)
    elif lever.changes == ARRIVALS and lever.probability >= 0.0 and on:
        _message(s, i)


@part
def _rules_in_force(s: Any) -> Any:
    """How overdue turns are treated and posts are read: by the last lever that says so, or as the desk does."""
    s.overdue, s.lane_seats = s.desk_overdue, s.desk_seats
    s.triage, s.recall = s.desk_triage, s.desk_recall
    s.false_positive, s.delay_s = s.desk_false_positive, s.desk_delay_s
    s.levers_on = 0
    for i in range(s.levers_n):
        lever = row(s.levers, i, LEVER)
        if lever.on:
            s.levers_on |= 1 << lever.changes
        if lever.on and lever.changes == OVERDUE:
            s.overdue, s.lane_seats = lever.overdue, lever.seats
        elif lever.on and lever.changes == FILTER:
            s.triage, s.recall = AUTOMATIC, lever.effect
            s.false_positive, s.delay_s = lever.false_positive, lever.delay_s


@part
def _message(s: Any, i: Any) -> Any:
    """A message goes out: now, and again at each renewal."""
    lever = row(s.levers, i, LEVER)
    if message_was_wrong(s, i, lever.messages):
        _note(s, STEP_WRONG, i, 0)
    lever.messages += 1
    if lever.renew_s < INF:
        push(s, WORK, s.now + lever.renew_s, order(CONTROL, 1 + i, 1), about(RENEW, i, lever.version))


@part
def renew(s: Any, i: Any, version: Any) -> Any:
    """A message is sent again, unless the lever has been switched since."""
    if row(s.levers, i, LEVER).version == version:
        _message(s, i)


@part
def _open_rule(s: Any, lever: Any) -> Any:
    """An overflow rule is in force from now on: for those, too, who have waited long enough, in order."""
    many = max(s.turns_n, 1)
    keys, arrivals = np.empty(many, np.float64), np.empty(many, np.float64)
    cases = np.empty(many, np.int64)  # each waits in one turn at most
    n = 0
    for turn in range(s.turns_n):
        t = row(s.turns, turn, TURN)
        if t.state == WAITING and t.kind == ANSWER:
            i = _spill_of(s, t.queue, lever)
            if i != NONE and t.queued + row(s.spills, i, SPILL).after_s < s.now:
                keys[n], arrivals[n], cases[n] = t.key, t.arrival, t.number
                n += 1
    sort_by_place(keys, arrivals, cases, n)
    for at in range(n):
        turn = row(s.cases, cases[at], CASE).turn
        queue = row(s.turns, turn, TURN).queue
        overflow(s, turn, _spill_of(s, queue, lever) - row(s.queues, queue, QUEUE).spills)


@part
def _spill_of(s: Any, queue: Any, lever: Any) -> Any:
    q = row(s.queues, queue, QUEUE)
    for i in range(q.spills, q.spills_end):
        if row(s.spills, i, SPILL).lever == lever:
            return i
    return NONE


@part
def _rung(s: Any, i: Any) -> Any:
    rung = row(s.rungs, i, RUNG)
    wanted = _is_wanted(s, rung)
    if wanted == (rung.wanted == 1):
        return
    rung.wanted = wanted
    if wanted:
        _note(s, STEP_CALLED, i, call_in(s, i))
    else:
        stand_down(s, i)
        _note(s, STEP_STOOD_DOWN, i, 0)
