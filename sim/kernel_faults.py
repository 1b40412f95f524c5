"""Faults of the compiled engine: what breaks, and what is released when it is mended, as `sim.breakdowns`."""

from __future__ import annotations

from typing import Any

import numpy as np

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_agents import settle_everybody
from sim.kernel_cases import REOPENS, RESOLVED, parks, queue_up, will
from sim.kernel_chance import STREAM, law, uniform
from sim.kernel_events import REOPEN
from sim.kernel_memory import row
from sim.kernel_posts import release_posts
from sim.kernel_sort import sort_by_place
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
            release_cases(s, fault)
        s.releasing = 0
        settle_everybody(s)


@part
def release_cases(s: Any, fault: Any) -> Any:
    """Cases that a fault has parked, or a lever (behind the faults), are queued now, in the order of their places."""
    keys, asked = np.empty(s.parked, np.float64), np.empty(s.parked, np.float64)
    cases = np.empty(s.parked, np.int64)
    n = 0
    for case in range(s.cases_n):
        c = row(s.cases, case, CASE)
        if c.parked and c.parked_by == fault:
            keys[n], asked[n], cases[n] = c.key, c.asked, case
            n += 1
    sort_by_place(keys, asked, cases, n)
    for i in range(n):
        c = row(s.cases, cases[i], CASE)
        s.parked -= 1
        if not parks(s, c):
            c.seen = min(c.seen, s.now)
            queue_up(s, cases[i], NONE)


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
