"""What the desk of the compiled engine can see of itself, as `sim.signals` (rule 8).

`signals` holds, for each language: turns that wait, unread posts, the first and the last in the line of those
that wait, in order of queueing, of whom some have left; then posts and cases of each bucket of the last hour.
"""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_memory import row
from sim.kernel_queues import WAITING
from sim.kernel_tables import BACKLOG, INT, OLDEST, POSTS_PER_H, TURN, UNREAD_POSTS
from sim.kernel_work import ANSWER
from sim.signals import LANGUAGES, MINUTE_S

WAIT, UNREAD, FIRST, LAST, POSTS = (i * LANGUAGES for i in range(5))


@part
def _count(s: Any, at: Any, step: Any) -> Any:
    row(s.signals, at, INT).v += step


@part
def see_waiting(s: Any, turn: Any) -> Any:
    """A turn stands in a queue."""
    t = row(s.turns, turn, TURN)
    if t.kind != ANSWER:
        _count(s, UNREAD + t.language, 1)
        return
    _count(s, WAIT + t.language, 1)
    last = row(s.signals, LAST + t.language, INT)
    if last.v == NONE:
        row(s.signals, FIRST + t.language, INT).v = turn
    else:
        row(s.turns, last.v, TURN).younger = turn
    last.v = turn


@part
def see_leaving(s: Any, t: Any) -> Any:
    """It has been taken, or its customer has left the queue."""
    _count(s, (WAIT if t.kind == ANSWER else UNREAD) + t.language, -1)


@part
def see_post(s: Any, language: Any) -> Any:
    """A post is seen, whatever it is."""
    if s.buckets > 0:
        _count(s, POSTS + s.bucket * LANGUAGES + language, 1)


@part
def see_case(s: Any, language: Any) -> Any:
    """A case becomes known."""
    if s.buckets > 0:
        _count(s, POSTS + (s.buckets + s.bucket) * LANGUAGES + language, 1)


@part
def end_interval(s: Any) -> Any:
    """What comes from now on is counted in the place of what is an hour old."""
    s.bucket = (s.bucket + 1) % s.buckets
    for language in range(LANGUAGES):
        row(s.signals, POSTS + s.bucket * LANGUAGES + language, INT).v = 0
        row(s.signals, POSTS + (s.buckets + s.bucket) * LANGUAGES + language, INT).v = 0


@part
def value(s: Any, trigger: Any) -> Any:
    """The signal that a trigger looks at."""
    begin, end = trigger.language, trigger.language + 1
    if trigger.language == NONE:
        begin, end = 0, LANGUAGES
    if trigger.signal == BACKLOG:
        return float(_sum(s, WAIT, begin, end))
    if trigger.signal == UNREAD_POSTS:
        return float(_sum(s, UNREAD, begin, end))
    if trigger.signal == OLDEST:
        oldest = 0.0
        for language in range(begin, end):
            oldest = max(oldest, _oldest_s(s, language))
        return oldest / MINUTE_S
    posts, cases = 0, 0
    for bucket in range(s.buckets):
        posts += _sum(s, POSTS + bucket * LANGUAGES, begin, end)
        cases += _sum(s, POSTS + (s.buckets + bucket) * LANGUAGES, begin, end)
    return float(posts) if trigger.signal == POSTS_PER_H else posts / float(max(cases, 1))


@part
def _sum(s: Any, at: Any, begin: Any, end: Any) -> Any:
    total = 0
    for language in range(begin, end):
        total += row(s.signals, at + language, INT).v
    return total


@part
def _oldest_s(s: Any, language: Any) -> Any:
    first = row(s.signals, FIRST + language, INT)
    while first.v != NONE:
        t = row(s.turns, first.v, TURN)
        if t.state == WAITING:
            return s.now - t.queued
        first.v = t.younger
    row(s.signals, LAST + language, INT).v = NONE
    return 0.0
