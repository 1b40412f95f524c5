"""What a desk did, real or simulated, as curves by the clock: who waits, and how long people waited."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.names import PostKind, code
from scenarios.traces import Trace
from sim.intervals import edges_of
from sim.outcome import CaseState, Outcome

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LIMITS_S = (1200.0, 3600.0)


@dataclass(frozen=True)
class Clock:
    """Cases of one trace on a grid of intervals.

    Attributes
    ----------
    edges_s : (n + 1,) float64
        Ends of the intervals, in seconds from onset; the last one is the end of what is known.
    posted_s : (cases,) float64
    place : (cases,) int64
        Interval of the post; -1 before the first one.
    language : (cases,) int64
        Place of the language in `languages`.
    languages : tuple of int
        Codes of the languages that there are cases in, those with most cases first.
    """

    edges_s: FloatArray
    posted_s: FloatArray
    place: IntArray
    language: IntArray
    languages: tuple[int, ...]

    @classmethod
    def of(cls, trace: Trace, step_s: float, skip_s: float = 0.0) -> Clock:
        """The cases of a trace in intervals of `step_s`, the first `skip_s` of the window left out."""
        start_s, end_s = trace.about["window_s"]
        rows = np.flatnonzero(trace["kind"] == code(PostKind.CASE))
        rows = rows[np.argsort(trace["case"][rows], kind="stable")]
        codes, counts = np.unique(trace["language"][rows], return_counts=True)
        order = np.lexsort((codes, -counts))
        where = np.empty(int(codes.max(initial=0)) + 1, dtype=np.int64)
        where[codes[order]] = np.arange(codes.size)
        edges = edges_of(start_s + skip_s, end_s, step_s)
        posted = trace["time_s"][rows]
        place = np.minimum(np.searchsorted(edges, posted, side="right") - 1, edges.size - 2)
        return cls(edges, posted, place, where[trace["language"][rows]], tuple(int(c) for c in codes[order]))

    @property
    def intervals(self) -> int:
        return int(self.edges_s.size - 1)

    def counts(self) -> IntArray:
        """(languages, n) cases posted in each interval."""
        return self.sums(np.ones(self.posted_s.size)).astype(np.int64)

    def sums(self, values: FloatArray) -> FloatArray:
        """(languages, n) sums over the cases posted in each interval."""
        inside = self.place >= 0
        cell = self.language[inside] * self.intervals + self.place[inside]
        shape = (len(self.languages), self.intervals)
        sums = np.bincount(cell, values[inside], shape[0] * shape[1])
        return sums.astype(np.float64).reshape(shape)


@dataclass(frozen=True)
class Curves:
    """One past, real or simulated.

    Attributes
    ----------
    backlog : (languages, n) int64
        Cases without a first answer, and not given up, at the end of each interval.
    waited_s : (languages, n) float64
        Sum over the cases posted in the interval of the time until the first answer, until the customer
        gave up, or until the end of what is known, whichever came first.
    within : (limits, languages, n) float64
        Cases posted in the interval that were answered within 20 minutes, 60 minutes, their promise.
    median_s : (n,) float64
        Median first response of the cases posted in the interval, inf: most had none; nan: no cases.
    """

    backlog: IntArray
    waited_s: FloatArray
    within: FloatArray
    median_s: FloatArray


def curves(clock: Clock, reply_s: FloatArray, gone_s: FloatArray, promise_s: FloatArray) -> Curves:
    """Lay out what became of the cases.

    Parameters
    ----------
    clock : Clock
    reply_s, gone_s : (cases,) float64
        First human answer; when the customer gave up, or the case was closed without an answer; inf: never.
    promise_s : (cases,) float64
        Seconds within which the desk promises an answer.
    """
    end_s = float(clock.edges_s[-1])
    reply_s = np.where(reply_s <= end_s, reply_s, np.inf)  # what came later nobody could know then
    until = np.minimum(reply_s, gone_s)
    response = reply_s - clock.posted_s
    backlog = np.stack([_waiting(clock, until, lang) for lang in range(len(clock.languages))])
    soon = [clock.sums((response <= limit).astype(np.float64)) for limit in (*LIMITS_S, promise_s)]
    waited = np.minimum(until, end_s) - clock.posted_s
    return Curves(backlog, clock.sums(np.maximum(waited, 0.0)), np.stack(soon), _medians(clock, response))


def of_outcome(clock: Clock, outcome: Outcome) -> Curves:
    """The curves of a run; cases that the run made are not among them."""
    n = clock.posted_s.size
    case = {name: outcome.cases[name][:n] for name in ("first_reply_s", "left_s", "state")}
    gone = np.where(case["state"] == CaseState.GAVE_UP, case["left_s"], np.inf)
    return curves(clock, case["first_reply_s"], gone, promises(outcome, n))


def promises(outcome: Outcome, cases: int) -> FloatArray:
    """(cases,) seconds within which the desk promises each case an answer."""
    out: FloatArray = outcome.cases["due_s"][:cases] - outcome.cases["posted_s"][:cases]
    return out


def _waiting(clock: Clock, until_s: FloatArray, language: int) -> IntArray:
    mine = clock.language == language
    at = clock.edges_s[1:]
    begun = np.searchsorted(np.sort(clock.posted_s[mine]), at, side="right")
    ended = np.searchsorted(np.sort(until_s[mine]), at, side="right")
    return (begun - ended).astype(np.int64)


def _medians(clock: Clock, response_s: FloatArray) -> FloatArray:
    """Upper medians by interval, so that a never stays a never."""
    order = np.lexsort((response_s, clock.place))
    place, ordered = clock.place[order], response_s[order]
    at = np.arange(clock.intervals)
    first, last = np.searchsorted(place, at), np.searchsorted(place, at, side="right")
    middle = np.minimum(first + (last - first) // 2, max(ordered.size - 1, 0))
    return np.where(last > first, ordered[middle], np.nan) if ordered.size else np.full(clock.intervals, np.nan)
