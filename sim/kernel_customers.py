"""What customers of the compiled engine do of themselves: lose patience, write again, come back (rule 7)."""

from __future__ import annotations

from typing import Any

from scenarios.names import Sentiment, code
from sim.codecache import part
from sim.customers import ESCALATED, RECONTACTED, SWITCHED
from sim.kernel_agents import leave_queue
from sim.kernel_cases import SILENT, duplicates, next_message, reopen, split, turned_away
from sim.kernel_chance import STREAM, child_subject, uniform
from sim.kernel_events import REOPEN, THINK
from sim.kernel_levers import changed
from sim.kernel_memory import row
from sim.kernel_posts import post_again
from sim.kernel_queues import WAITING
from sim.kernel_tables import AFTER_ABANDONED, ASK, CASE, NOTHING, ONWARD, OPEN, PHONE, PLATFORM, PUBLIC, SEPARATE, TURN
from sim.kernel_turns import may_repeat
from sim.outcome import TurnState
from sim.turns import INF

ABANDONED = int(TurnState.ABANDONED)
NEGATIVE = code(Sentiment.NEGATIVE)
APART = 1 << 20


@part
def end_patience(s: Any, turn: Any) -> Any:
    """Whoever waits for this turn has waited enough."""
    t = row(s.turns, turn, TURN)
    if t.state != WAITING:
        return
    c = row(s.cases, t.number, CASE)
    if c.left == INF:
        c.left = s.now
    if s.silent_share > 0.0 and uniform(s, STREAM.SILENT, c.subject, c.waits) < s.silent_share:
        t.left = s.now
        c.state = SILENT
        return
    leave_queue(s, turn, ABANDONED)
    t.end = s.now
    turned_away(s, t.number, AFTER_ABANDONED)


@part
def repeat(s: Any, turn: Any, j: Any) -> Any:
    """Whoever still waits writes again."""
    t = row(s.turns, turn, TURN)
    if t.state != WAITING or t.left < INF:
        return
    c = row(s.cases, t.number, CASE)
    c.recontacts += 1
    apart = uniform(s, STREAM.RECONTACT_SEPARATE, c.subject, j) < changed(s, SEPARATE, s.separate_share, c)
    if apart or duplicates(s, child_subject(c.subject, APART | j)):
        made = split(s, t.number, s.now)
        post_again(s, made, RECONTACTED, OPEN)
    else:
        t.extra += s.extra_work
        post_again(s, t.number, RECONTACTED, NOTHING)
    may_repeat(s, turn, s.now)


@part
def come_back(s: Any, case: Any) -> Any:
    """Who gave up tries again, here or elsewhere."""
    c = row(s.cases, case, CASE)
    onward = row(s.onwards, c.onward, ONWARD)
    if onward.to == PHONE:
        c.returning = 0
        return
    c.recontacts += 1
    kind = RECONTACTED
    if onward.to == PUBLIC:
        c.sentiment = NEGATIVE
        c.escalated, kind = 1, ESCALATED
    elif onward.to == PLATFORM:
        kind = SWITCHED
    move(c, onward)
    c.asked = s.now
    post_again(s, case, kind, ASK)


@part
def move(c: Any, onward: Any) -> Any:
    """The case goes on in public, or on another platform in the kind of channel that is usual there."""
    if onward.to in (PUBLIC, PLATFORM):
        c.visibility = onward.visibility
    if onward.to == PLATFORM:
        c.platform = onward.platform


@part
def act(s: Any, case: Any, version: Any, operation: Any) -> Any:
    """A customer does what he wanted to, unless something else has happened to the case."""
    if row(s.cases, case, CASE).version != version:
        return
    if operation == THINK:
        next_message(s, case, s.now)
    elif operation == REOPEN:
        reopen(s, case, s.now)
    else:
        come_back(s, case)
