"""Runs by the clock, laid over each other: what the figures of a report draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.behaviour import Behaviour
from scenarios.names import Language, members
from sim.intervals import Intervals, shares
from sim.outcome import Outcome, TurnKind, TurnState

FloatArray = NDArray[np.float64]
HOUR_S = 3600.0
BAND = (0.1, 0.9)
RUNS_FOR_BAND = 3
TOP_LANGUAGES = 5
WORKED = [int(state) for state in (TurnState.DONE, TurnState.GHOST, TurnState.HANDED_BACK)]


@dataclass(frozen=True)
class Band:
    """A mean over runs, and the values between which the middle 80 % of the runs lie.

    `low` and `high` are None with fewer than three runs. Where there is nothing to share, `mean` is
    nan and draws a gap.
    """

    mean: FloatArray
    low: FloatArray | None = None
    high: FloatArray | None = None


@dataclass(frozen=True)
class Series:
    """Means over runs, one value an interval between `edges_h` (hours from onset).

    Attributes
    ----------
    posts : (n,) or None
        Mentions an hour; None without traces.
    to_read : (n,)
        Posts an hour that are given to people to read: all of them, or those that a filter takes for cases by mistake.
    cases, capacity : (n,)
        Cases an hour that come in, and that the heads at the desk could work off.
    staffed, busy : (n,)
        Heads at the desk, and of those with a turn in hand.
    backlog : Band of (n,)
        Case turns that wait at the interval's start.
    by_language : tuple of (language or None, (n,))
        The same for the languages with most waiting, most first; None are all others together.
    unread : Band of (n,)
    share_edges_h : (m + 1,)
        Longer intervals for `within_20min`, `within_60min`: Bands of (m,) of the cases posted in them.
    share_cases : (m,)
        Mean number of cases posted in each of the longer intervals.
    """

    edges_h: FloatArray
    posts: FloatArray | None
    to_read: FloatArray
    cases: FloatArray
    capacity: FloatArray
    staffed: FloatArray
    busy: FloatArray
    backlog: Band
    by_language: tuple[tuple[Language | None, FloatArray], ...]
    unread: Band
    share_edges_h: FloatArray
    share_cases: FloatArray
    within_20min: Band
    within_60min: Band

    @property
    def lengths_h(self) -> FloatArray:
        """(n,) lengths of the intervals."""
        return np.diff(self.edges_h)


@dataclass(frozen=True)
class Tally:
    """Work done in one run: seconds and number of readings, seconds and number of answered turns of cases.

    `other_s` is all that is neither: work that met nobody, what the filter took wrongly for a case.
    """

    reading_s: float
    readings: int
    answer_s: float
    answers: int
    other_s: float


@dataclass(frozen=True)
class Work:
    """What the work weighs, out of all runs together.

    `case_s` is the mean work on a case, `reading_s` that on a post (0: nobody reads),
    `reading_share` the part of all work that is reading.
    """

    case_s: float
    reading_s: float
    reading_share: float

    def seconds(self, cases: FloatArray, to_read: FloatArray) -> FloatArray:
        """Work that so many cases, and posts to be read, bring."""
        out: FloatArray = self.case_s * cases + self.reading_s * to_read
        return out


def tally(outcome: Outcome) -> Tally:
    """Add up the work in the rows of a run."""
    turns = outcome.turns
    worked = np.isin(turns["state"], WORKED) & (turns["kind"] != TurnKind.CALL)
    took_s = turns["end_s"][worked] - turns["start_s"][worked]
    read = turns["kind"][worked] == TurnKind.READING
    answer = (turns["kind"][worked] == TurnKind.ANSWER) & (turns["state"][worked] == TurnState.DONE)
    return Tally(
        reading_s=float(took_s[read].sum()),
        readings=int(np.count_nonzero(read)),
        answer_s=float(took_s[answer].sum()),
        answers=int(np.count_nonzero(answer)),
        other_s=float(took_s[~read & ~answer].sum()),
    )


def weigh(tallies: Sequence[Tally], behaviour: Behaviour) -> Work:
    """Weigh the work of all runs together.

    A case weighs the mean of its answered turns times the turns that a case takes by the scenario:
    in a crisis too few cases are resolved, and too short ones, to weigh those.
    """
    reading_s, readings = sum(t.reading_s for t in tallies), sum(t.readings for t in tallies)
    answer_s, answers = sum(t.answer_s for t in tallies), sum(t.answers for t in tallies)
    total_s = reading_s + answer_s + sum(t.other_s for t in tallies)
    per_case = sum((i + 1) * p for i, p in enumerate(behaviour.turns))
    by_law_s = behaviour.handling_min["default"].mean() * 60.0
    return Work(
        case_s=per_case * answer_s / answers if answer_s > 0 else by_law_s,
        reading_s=reading_s / readings if readings else 0.0,
        reading_share=reading_s / total_s if reading_s > 0 else 0.0,
    )


def overlay(runs: Sequence[Intervals], work: Work) -> Series:
    """Lay runs over each other on one clock, from the window's start to the end of the longest run."""
    edges_s = max((run.edges_s for run in runs), key=lambda edges: float(edges[-1]))
    n = edges_s.size - 1
    runs = [_padded(run, edges_s, n) for run in runs]
    hours = float(edges_s[-1] - edges_s[0]) / HOUR_S
    step = next(k for k, most in ((1, 36), (2, 96), (4, 1000), (24, np.inf)) if hours <= most)
    share_step = next(k for k, most in ((4, 60), (12, 250), (24, 1000), (96, np.inf)) if hours <= most)
    pick, wide = np.arange(0, n, step), np.arange(0, n, share_step)
    edges_h = np.append(edges_s[pick], edges_s[-1]) / HOUR_S
    length_h = np.diff(edges_h)
    posts = None
    if all(run.posts is not None for run in runs):
        posts = _mean([np.add.reduceat(run.posts, pick) for run in runs if run.posts is not None]) / length_h
    staffed = _mean([_held(run, run.staffed, pick) for run in runs])
    to_read = _mean([np.add.reduceat(run.to_read, pick) for run in runs]) / length_h
    left_s = np.maximum(staffed * HOUR_S - work.reading_s * to_read, 0.0)
    return Series(
        edges_h=edges_h,
        posts=posts,
        to_read=to_read,
        cases=_mean([np.add.reduceat(run.cases, pick) for run in runs]) / length_h,
        capacity=left_s / work.case_s,
        staffed=staffed,
        busy=_mean([_held(run, run.busy, pick) for run in runs]),
        backlog=_band([run.backlog[pick].astype(float) for run in runs]),
        by_language=_languages(runs, pick),
        unread=_band([run.unread[pick].astype(float) for run in runs]),
        share_edges_h=np.append(edges_s[wide], edges_s[-1]) / HOUR_S,
        share_cases=_mean([np.add.reduceat(run.cases, wide) for run in runs]),
        within_20min=_share_band(runs, [run.within_20min for run in runs], wide),
        within_60min=_share_band(runs, [run.within_60min for run in runs], wide),
    )


def _padded(run: Intervals, edges_s: FloatArray, n: int) -> Intervals:
    """A run that stopped earlier, with nothing in the intervals after its end."""
    more = n - run.cases.size
    if more == 0:
        return run

    def pad(column: NDArray[Any]) -> NDArray[Any]:
        return np.pad(column, [(0, more)] + [(0, 0)] * (column.ndim - 1))

    columns = {field.name: pad(column) for field in fields(run) if (column := getattr(run, field.name)) is not None}
    return replace(run, **{**columns, "edges_s": edges_s})


def _mean(columns: Sequence[NDArray[np.generic]]) -> FloatArray:
    out: FloatArray = np.mean(np.stack(columns), axis=0, dtype=np.float64)
    return out


def _held(run: Intervals, heads: FloatArray, pick: NDArray[np.intp]) -> FloatArray:
    """Mean heads over longer intervals."""
    length = np.diff(run.edges_s)
    out: FloatArray = np.add.reduceat(heads * length, pick) / np.add.reduceat(length, pick)
    return out


def _band(rows: Sequence[FloatArray]) -> Band:
    mean = _mean(rows)
    if len(rows) < RUNS_FOR_BAND:
        return Band(mean)
    low, high = np.quantile(np.stack(rows), BAND, axis=0)
    return Band(mean, low, high)


def _share_band(runs: Sequence[Intervals], soon: Sequence[NDArray[np.int64]], pick: NDArray[np.intp]) -> Band:
    """Shares of all runs together, and the band of those runs that had a case at the time."""
    part = np.stack([np.add.reduceat(column, pick) for column in soon])
    whole = np.stack([np.add.reduceat(run.cases, pick) for run in runs])
    mean = shares(part.sum(axis=0), whole.sum(axis=0))
    if len(runs) < RUNS_FOR_BAND:
        return Band(mean)
    each = shares(part, whole)
    low, high = mean.copy(), mean.copy()
    some = np.isfinite(mean)
    low[some], high[some] = np.nanquantile(each[:, some], BAND, axis=0)
    return Band(mean, low, high)


def _languages(runs: Sequence[Intervals], pick: NDArray[np.intp]) -> tuple[tuple[Language | None, FloatArray], ...]:
    waiting = _mean([run.waiting[pick] for run in runs])
    total = waiting.sum(axis=0)
    order = [int(i) for i in np.argsort(-total, kind="stable") if total[i] > 0]
    top = [(members(Language)[i], waiting[:, i]) for i in order[:TOP_LANGUAGES]]
    rest = order[TOP_LANGUAGES:]
    return (*top, *([(None, waiting[:, rest].sum(axis=1))] if rest else []))
