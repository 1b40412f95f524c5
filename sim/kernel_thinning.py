"""Contacts that a plan keeps from being made, in the compiled engine, and who comes after all, as `sim.thinning`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE, PostKind, code
from sim.codecache import part
from sim.customers import CAME_AFTER_ALL
from sim.kernel_cases import REOPENS, RESOLVED, RETURNS, SUPPRESSED, UNREAD, will
from sim.kernel_chance import STREAM, law, uniform
from sim.kernel_customers import NEGATIVE, move
from sim.kernel_events import COME_AFTER_ALL, REOPEN
from sim.kernel_levers import any_on, concerns_case, fits, strength
from sim.kernel_memory import row
from sim.kernel_posts import post_again
from sim.kernel_tables import ARRIVALS, BYTE, CASE, INT, LEVER, ONWARD, OPEN, PHONE, PUBLIC, SHORT
from sim.thinning import WAVES

OPENS, FOLLOWS_UP, CALL = code(PostKind.CASE), code(PostKind.FOLLOW_UP), code(PostKind.CALL)


@part
def suppresses(s: Any, number: Any) -> Any:
    """Whether a row of the trace is not made; asked once, when it is due."""
    kind = row(s.post_kind, number, BYTE).v
    if kind == FOLLOWS_UP:
        parent = row(s.post_parent, number, INT).v
        lever = row(s.post_gone, parent, SHORT).v if parent != NONE else NONE
    else:
        lever = _lever(s, number, kind)
    if lever == NONE:
        return False
    row(s.post_gone, number, SHORT).v = lever
    if kind == OPENS:
        _keep_away(s, row(s.post_case, number, INT).v, lever)
    return True


@part
def _lever(s: Any, number: Any, kind: Any) -> Any:
    """The first lever that keeps this row from being made: each has a uniform of its own for each row."""
    if not any_on(s, ARRIVALS):
        return NONE
    topic, language = row(s.post_topic, number, BYTE).v, row(s.post_language, number, BYTE).v
    platform, visibility = row(s.post_platform, number, BYTE).v, row(s.post_visibility, number, BYTE).v
    cls = NONE
    if kind == OPENS:
        cls = row(s.case_classes, row(s.post_case, number, INT).v, BYTE).v
    elif kind == CALL:
        cls = row(s.post_class, number, BYTE).v
    for i in range(s.levers_n):
        lever = row(s.levers, i, LEVER)
        concerned = lever.on and lever.changes == ARRIVALS and (lever.posts >> kind) & 1 == 1
        concerned = concerned and fits(lever, topic, cls, language, platform, visibility)
        if concerned and uniform(s, STREAM.THIN, number, i) < strength(s, lever):
            return i
    return NONE


@part
def _keep_away(s: Any, case: Any, number: Any) -> Any:
    c, lever = row(s.cases, case, CASE), row(s.levers, number, LEVER)
    c.state, c.kept_by = SUPPRESSED, number
    u = uniform(s, STREAM.COMES_BACK, c.subject, number)
    total = 0.0
    for i in range(lever.onwards, lever.onwards_end):
        onward = row(s.onwards, i, ONWARD)
        total += onward.probability
        if u < total:
            delay = law(s, onward.law, STREAM.COMES_BACK_DELAY, c.subject, number)
            if onward.to != PHONE:
                _will_come(s, case, i, delay)
            return


@part
def _will_come(s: Any, case: Any, onward: Any, delay: Any) -> Any:
    c = row(s.cases, case, CASE)
    c.returning, c.onward = 1, onward
    will(s, case, RETURNS, COME_AFTER_ALL, delay)


@part
def come_after_all(s: Any, case: Any, version: Any) -> Any:
    """The post is written after all, now."""
    c = row(s.cases, case, CASE)
    if c.version != version:
        return
    if c.onward != NONE:
        onward = row(s.onwards, c.onward, ONWARD)
        if onward.to == PUBLIC:
            c.sentiment, c.escalated = NEGATIVE, 1
        move(c, onward)
    c.version += 1
    c.posted = s.now
    c.state, c.returning = UNREAD, 0
    post_again(s, case, CAME_AFTER_ALL, OPEN)


@part
def message_was_wrong(s: Any, number: Any, n: Any) -> Any:
    """Whether the `n`-th message of a lever is wrong; if it is, a wave of people comes back."""
    lever = row(s.levers, number, LEVER)
    if lever.probability < 0.0 or uniform(s, STREAM.WRONG, number, n) >= lever.probability:
        return False
    k = number * WAVES + n
    for case in range(s.cases_n):
        c = row(s.cases, case, CASE)
        kept = c.state == SUPPRESSED and c.kept_by == number
        resolved = c.state == RESOLVED and c.closed >= s.now - lever.back_s
        if not kept and not (resolved and concerns_case(lever, c)):
            continue
        if uniform(s, STREAM.WAVE, c.subject, k) < lever.wave:
            delay = law(s, lever.law, STREAM.WAVE_DELAY, c.subject, k)
            if kept:
                _will_come(s, case, NONE, delay)
            else:
                will(s, case, REOPENS, REOPEN, delay)
    return True
