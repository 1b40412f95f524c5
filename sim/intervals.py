"""A run by the clock: what came, who was there, what waited, in intervals of a quarter of an hour."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.names import Language, PostKind, code, members
from scenarios.traces import Trace
from sim.outcome import Outcome, TurnKind, TurnState
from sim.waits import UNREAD_KINDS, FloatArray, IntArray, Rows, seconds_within, under_way, waiting

QUARTER_S = 900.0
LIMITS_S = (1200.0, 3600.0)


@dataclass(frozen=True)
class Intervals:
    """Columns with one row an interval, in order of time.

    Attributes
    ----------
    edges_s : (n + 1,) float64
        Ends of the intervals in seconds from onset; the last interval may be shorter.
    posts : (n,) int64 or None
        Mentions posted, those that the simulation made included; None without the trace.
    to_read : (n,) int64
        Posts that were given to people to read in the interval.
    cases, within_20min, within_60min, within_promise : (n,) int64
        Cases posted in the interval, and how many of them were answered so soon, whenever that was.
    staffed, busy : (n,) float64
        Mean number of heads at the desk, and of those with a turn in hand.
    waiting : (n, languages) int64
        Case turns waiting at the interval's start, by code of the language.
    unread : (n,) int64
        Posts waiting to be read at the interval's start.
    """

    edges_s: FloatArray
    posts: IntArray | None
    to_read: IntArray
    cases: IntArray
    within_20min: IntArray
    within_60min: IntArray
    within_promise: IntArray
    staffed: FloatArray
    busy: FloatArray
    waiting: NDArray[np.int64]
    unread: IntArray

    @property
    def starts_s(self) -> FloatArray:
        """(n,) starts of the intervals."""
        return self.edges_s[:-1]

    @property
    def backlog(self) -> IntArray:
        """(n,) case turns waiting at the interval's start, in all languages."""
        out: IntArray = self.waiting.sum(axis=1)
        return out

    def share(self, counted: IntArray) -> FloatArray:
        """(n,) share of the cases posted in each interval; nan where there were none."""
        return shares(counted, self.cases)


def intervals(
    outcome: Outcome, trace: Trace | None = None, step_s: float = QUARTER_S, until_s: float | None = None
) -> Intervals:
    """Lay a run out by the clock, from the start of its window.

    Parameters
    ----------
    outcome : Outcome
    trace : Trace, optional
        The posts that it answered, for the column `posts`.
    step_s : float
        Length of an interval, > 0.
    until_s : float, optional
        End of the last interval; by default that of the window or of the run, whichever is later.
        Rows outside of the intervals are left out.
    """
    rows = Rows(outcome, whole=True)
    start, end = rows.window_s
    edges = edges_of(start, max(end, rows.end_s) if until_s is None else until_s, step_s)
    length = np.diff(edges)
    posted = rows.cases["posted_s"]
    soon = [rows.response_s <= limit for limit in LIMITS_S] + [rows.kept]
    cases, within_20, within_60, within_promise = (
        np.histogram(posted[mask], edges)[0] for mask in [np.ones(posted.size, bool), *soon]
    )
    staff = outcome.staff
    return Intervals(
        edges_s=edges,
        posts=None if trace is None else np.histogram(_post_times(outcome, trace), edges)[0],
        to_read=np.histogram(_reading_times(outcome), edges)[0],
        cases=cases,
        within_20min=within_20,
        within_60min=within_60,
        within_promise=within_promise,
        staffed=seconds_within(staff["on_s"], np.minimum(staff["off_s"], rows.end_s), edges) / length,
        busy=seconds_within(*rows.busy, edges) / length,
        waiting=_waiting_by_language(outcome, edges[:-1]),
        unread=under_way(*waiting(outcome.turns, UNREAD_KINDS), edges[:-1]),
    )


def edges_of(start_s: float, end_s: float, step_s: float) -> FloatArray:
    """Ends of the intervals from `start_s` on; the last one is cut at `end_s`."""
    if step_s <= 0 or end_s <= start_s:
        raise ValueError(f"no intervals of {step_s} s from {start_s} to {end_s}")
    n = math.ceil((end_s - start_s) / step_s - 1e-9)
    edges: FloatArray = np.minimum(start_s + step_s * np.arange(n + 1), end_s)
    return edges


def shares(part: NDArray[Any], whole: NDArray[Any]) -> FloatArray:
    """Part over whole, place by place; nan where the whole is 0."""
    out: FloatArray = np.divide(part, whole, out=np.full(whole.shape, math.nan), where=whole > 0)
    return out


def _post_times(outcome: Outcome, trace: Trace) -> FloatArray:
    made = trace["kind"] != code(PostKind.CALL)
    made[outcome.suppressed["row"]] = False
    posts = trace["time_s"][made]
    return np.concatenate([posts, outcome.extra["time_s"]])


def _reading_times(outcome: Outcome) -> FloatArray:
    """When posts were given to people to read; what was handed back was given before."""
    turns = outcome.turns
    given = np.isin(turns["kind"], [int(kind) for kind in UNREAD_KINDS]) & (turns["state"] != TurnState.HANDED_BACK)
    out: FloatArray = turns["queued_s"][given]
    return out


def _waiting_by_language(outcome: Outcome, at_s: FloatArray) -> NDArray[np.int64]:
    turns = outcome.turns
    columns = [
        under_way(*waiting(turns, (TurnKind.ANSWER,), turns["language"] == code(language)), at_s)
        for language in members(Language)
    ]
    return np.stack(columns, axis=1)
