"""Faults of the compiled engine: what breaks, and what is released when it is mended, as `sim.breakdowns`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import settle_everybody
from sim.kernel_cases import REOPENS, RESOLVED, key_of, parks, queue_up, will
from sim.kernel_chance import STREAM, law, uniform
from sim.kernel_events import REOPEN
from sim.kernel_memory import row
from sim.kernel_posts import release_posts
from sim.kernel_tables import CASE, CRM, FAULT, HELD, INT, NO_ANSWER, PAYMENT


@part
def _item(s: Any, which: Any, i: Any) -> Any:
    return row(s.fault_lists, which * s.faults_n + i, INT)


@part
def begin_fault(s: Any, fault: Any) -> Any:
    """Of a list, faults stand in the order of beginning; factors multiply in the order of the scenario."""
    which = row(s.faults, fault, FAULT).kind
    count = row(s.fault_counts, which, INT)
    at = count.v
    count.v += 1
    while which in (CRM, PAYMENT) and at > 0 and _item(s, which, at - 1).v > fault:
        _item(s, which, at).v = _item(s, which, at - 1).v
        at -= 1
    _item(s, which, at).v = fault


@part
def end_fault(s: Any, fault: Any) -> Any:
    """The fault is mended; what it has held is released, and waits until all of this instant is applied."""
    which = row(s.faults, fault, FAULT).kind
    count = row(s.fault_counts, which, INT)
    kept = 0
    for i in range(count.v):
        other = _item(s, which, i).v
        if other != fault:
            _item(s, which, kept).v = other
            kept += 1
    count.v = kept
    if which in (HELD, NO_ANSWER):
        s.releasing = 1
        if which == HELD:
            release_posts(s, fault)
        else:
            _release_cases(s, fault)
        s.releasing = 0
        settle_everybody(s)


@part
def _release_cases(s: Any, fault: Any) -> Any:
    """Parked cases are queued now, in the order of their places."""
    cases = np.empty(s.parked, np.int64)
    n = 0
    for case in range(s.cases_n):
        c = row(s.cases, case, CASE)
        if c.parked and c.parked_by == fault:
            cases[n] = case
            n += 1
    for at in range(n // 2 - 1, -1, -1):
        _sink(s, cases, at, n)
    for last in range(n - 1, -1, -1):  # the last of those that are left goes to their end
        cases[0], cases[last] = cases[last], cases[0]
        _sink(s, cases, 0, last)
    for i in range(n):
        c = row(s.cases, cases[i], CASE)
        s.parked -= 1
        if not parks(s, c):
            c.seen = min(c.seen, s.now)
            queue_up(s, cases[i], NONE)


@part
def _sink(s: Any, cases: Any, at: Any, n: Any) -> Any:
    """Among the first `n` cases no one stands before those below him in the heap, once this one has sunk."""
    case = cases[at]
    while 2 * at + 1 < n:
        below = 2 * at + 1
        if below + 1 < n and _asks_before(s, cases[below], cases[below + 1]):
            below += 1
        if not _asks_before(s, case, cases[below]):
            break
        cases[at] = cases[below]
        at = below
    cases[at] = case


@part
def _asks_before(s: Any, one: Any, other: Any) -> Any:
    """Whether the turn that a case asks for has the smaller place."""
    a, b = row(s.cases, one, CASE), row(s.cases, other, CASE)
    x, y = key_of(s, a), key_of(s, b)
    if x != y:
        return x < y
    return a.asked < b.asked or (a.asked == b.asked and one < other)


@part
def change_rules(s: Any, fault: Any) -> Any:
    """A share of the cases resolved lately comes back."""
    f = row(s.faults, fault, FAULT)
    for case in range(s.cases_n):
        c = row(s.cases, case, CASE)
        recent = c.state == RESOLVED and c.closed >= s.now - f.back_s
        if recent and uniform(s, STREAM.RULE_CHANGE, c.subject, fault) < f.share:
            delay = law(s, f.law, STREAM.RULE_CHANGE_DELAY, c.subject, fault)
            will(s, case, REOPENS, REOPEN, delay)
