"""The dictionary of measures: each figure that ashcloud reports, once, with its definition.

A measure is a function over the rows of a run. Inside, `inf` means not reached before the end of
the run and `nan` not defined (no such cases); both leave as None. Means are over answered cases and
say little without `unanswered_share` beside them; shares count the unanswered as missed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from scenarios.names import Language, Sentiment, code, members
from sim.outcome import CaseState, Outcome, PlanStep, TurnKind
from sim.waits import FloatArray, IntArray, Mask, Rows, levels, most

HOUR_S = 3600.0
DAY_H = 24
BACKLOG_BACK = 100  # an ordinary night of the model desk stays below
PROMISE_SHARE = 0.80  # of the cases, for the promise to count as kept
FEW_CASES = 20  # below, a share says nothing about a language

Unit = Literal["share", "s", "count", "per_case", "hours", "EUR"]
Pillar = Literal["service", "brand", "commerce"]
Better = Literal["low", "high"] | None
Row = dict[str, float | None]
"""Values of one run by id of the measure; None: not reached or not defined. Ready for JSON."""


@dataclass(frozen=True)
class Measure:
    """One figure: what it is called, what it means, how it is worked out.

    `open_ended` ones may not be reached before the end of a run: their None says "beyond the
    window". `better` is the direction that is good, None where there is none.
    """

    id: str
    unit: Unit
    title: str
    sentence: str
    pillar: Pillar
    better: Better
    function: Callable[[Rows], float]
    open_ended: bool = False

    def __call__(self, rows: Rows | Outcome) -> float | None:
        """The value of one run, None: not reached or not defined."""
        value = float(self.function(rows if isinstance(rows, Rows) else Rows(rows)))
        return value if math.isfinite(value) else None


def _share(mask: Mask) -> float:
    return float(np.mean(mask)) if mask.size else math.nan


def _mean(values: FloatArray) -> float:
    return float(np.mean(values)) if values.size else math.nan


def _quantile(values: FloatArray, p: float) -> float:
    """Smallest value that a share `p` of all does not exceed; inf if it lies among those never reached."""
    if not values.size:
        return math.nan
    k = max(math.ceil(p * values.size - 1e-9), 1) - 1
    return float(np.partition(values, k)[k])


def _per(total: float, n: float) -> float:
    return total / n if n else math.nan


def _mentions(rows: Rows, made: bool) -> float:
    """Posts of the trace; if wanted those that were made, less those that a plan kept people from making."""
    extra_s = rows.outcome.extra["time_s"]
    if not rows.is_warm:
        kept = rows.outcome.suppressed["row"].size - int(rows.about["calls_suppressed"])
        return float(rows.about["mentions"] + made * (extra_s.size - kept))
    kept = int(rows.about["measured_suppressed"])
    return float(rows.about["measured_mentions"] + made * (np.count_nonzero(extra_s >= rows.window_s[0]) - kept))


def _calls(rows: Rows) -> float:
    calls = rows.turns["kind"] == TurnKind.CALL
    if rows.is_warm:
        calls &= rows.turns["queued_s"] >= rows.window_s[0]
    return float(np.count_nonzero(calls))


def _oldest_wait(rows: Rows) -> float:
    queued, until = rows.backlog
    return float((np.minimum(until, rows.end_s) - queued).max(initial=0.0))


def _time_to_recover(rows: Rows) -> float:
    from_s, until_s = rows.backlog
    times, number = levels(np.maximum(from_s, rows.window_s[0]) if rows.is_warm else from_s, until_s)
    until = np.append(times[1:], math.inf)
    full = (number >= BACKLOG_BACK) & (until > 0.0)
    if not full.any():
        return 0.0
    ends = until[full]  # of the stretches with so many; the next one begins later, or never
    begins = np.append(times[full][1:], math.inf)
    calm = ends[np.isfinite(ends) & (begins >= ends + DAY_H * HOUR_S)]
    return float(calm[0]) if calm.size else math.inf


def _promise_recover(rows: Rows) -> float:
    start, end = rows.window_s
    start = max(start, 0.0) if end > 0.0 else start
    hours = int((end - start) // HOUR_S)
    edges = start + HOUR_S * np.arange(hours + 1) if hours else np.array([start, end])
    length = min(DAY_H, max(hours, 1))
    cases = np.histogram(rows.cases["posted_s"], edges)[0]
    in_time = np.histogram(rows.cases["posted_s"][rows.kept], edges)[0]
    of_day = np.convolve(cases, np.ones(length), "valid")
    good = np.convolve(in_time, np.ones(length), "valid") >= PROMISE_SHARE * of_day - 1e-9
    breaches = np.flatnonzero(~good)
    if not breaches.size:
        return 0.0
    back = np.flatnonzero(good[breaches[0] :])
    return float(edges[breaches[0] + back[0]]) if back.size else math.inf


def _occupancy(rows: Rows) -> float:
    low, high = rows.window_s
    from_s, until_s = rows.busy
    in_hand = np.sum(np.clip(until_s, low, high) - np.clip(from_s, low, high))
    return _per(float(in_hand), HOUR_S * _agent_hours(rows))


def _agent_hours(rows: Rows) -> float:
    _, on, off = rows.staffed
    return float(np.sum(off - on)) / HOUR_S


def _hours_of_pools(rows: Rows) -> FloatArray:
    """Paid hours of each pool: worked shifts, breaks in; of head-count pools the time at the desk."""
    low, high = rows.window_s
    n = len(rows.about["pools"])
    shifts = rows.outcome.shifts
    paid_s = np.clip(shifts["end_s"], low, high) - np.clip(shifts["start_s"], low, high)
    named = np.bincount(shifts["pool"], weights=paid_s * shifts["worked"], minlength=n)
    pool, on, off = rows.staffed
    seats = np.bincount(pool, weights=off - on, minlength=n)
    has_shifts = np.bincount(shifts["pool"], minlength=n) > 0
    return np.where(has_shifts, named, seats) / HOUR_S


def _cost(rows: Rows) -> float:
    rates = [float(pool["cost_per_h"]) for pool in rows.about["pools"]]
    return float(np.dot(_hours_of_pools(rows), rates)) + _lever_cost(rows)


def _steps(rows: Rows, step: PlanStep) -> tuple[FloatArray, IntArray]:
    """When the crisis plan took such steps, and with which lever or rung."""
    plan = rows.outcome.plan
    mine = plan["step"] == step
    return plan["time_s"][mine], plan["number"][mine].astype(np.int64)


def _lever_cost(rows: Rows) -> float:
    """What levers cost: at each switching on, and by the hour until they are off or the window ends."""
    end = rows.window_s[1]
    (on_s, on), (off_s, off) = _steps(rows, PlanStep.LEVER_ON), _steps(rows, PlanStep.LEVER_OFF)
    cost = 0.0
    for i, lever in enumerate((rows.about["plan"] or {}).get("levers", ())):
        begins, ends = np.minimum(on_s[on == i], end), np.minimum(off_s[off == i], end)
        hours = (ends.sum() + end * (begins.size - ends.size) - begins.sum()) / HOUR_S
        cost += lever["cost"] * np.count_nonzero(on_s[on == i] < end) + lever["cost_per_h"] * hours
    return float(cost)


def _called_in_hours(rows: Rows) -> float:
    """Paid hours of the pools of the ladder: those behind the pools of the desk."""
    ladder = np.array([bool(pool.get("ladder")) for pool in rows.about["pools"]])
    return float(_hours_of_pools(rows)[ladder].sum())


def _crisis_h(rows: Rows) -> float:
    begins, ends = _steps(rows, PlanStep.DECLARED)[0], _steps(rows, PlanStep.LEFT)[0]
    end = rows.window_s[1]
    begins, ends = np.minimum(begins, end), np.minimum(ends, end)
    return float(ends.sum() + end * (begins.size - ends.size) - begins.sum()) / HOUR_S


def _before_departure(rows: Rows) -> float:
    booked = np.isfinite(rows.cases["departure_s"])
    solved = (rows.cases["state"] == CaseState.RESOLVED) & (rows.cases["closed_s"] <= rows.cases["departure_s"])
    return _share(solved[booked])


def _resolution(rows: Rows) -> float:
    done = rows.cases["state"] == CaseState.RESOLVED
    return _mean((rows.cases["closed_s"] - rows.cases["posted_s"])[done])


def _answer_rate(rows: Rows, sentiment: Sentiment) -> float:
    return _share(rows.answered[rows.cases["sentiment"] == code(sentiment)])


_TABLE: tuple[Measure, ...] = (
    Measure("mentions", "count", "Mentions",
            "Posts that name the airline: those of the scenario less those that a crisis plan kept people from "
            "writing, and those written because somebody waits (re-contacts, escalations, switches of channel). "
            "Calls are counted apart.",
            "service", None, lambda r: _mentions(r, made=True)),
    Measure("mentions_trace", "count", "Mentions from outside",
            "Posts of the scenario alone, the same whatever the desk does.",
            "service", None, lambda r: _mentions(r, made=False)),
    Measure("cases", "count", "Cases",
            "Queries that need an answer, those opened by a re-contact or a call included.",
            "service", None, lambda r: r.n),
    Measure("calls", "count", "Calls",
            "Attempts on the phone line in front of the desk, calling again included.",
            "service", None, _calls),
    Measure("unanswered_share", "share", "Never answered",
            "Share of the cases whose customer met no human answer before the run ended.",
            "service", "low", lambda r: _share(~r.answered)),
    Measure("answered_within_promise_share", "share", "Answered within the promise",
            "Share of all cases with a first answer within the promise of their class; those never "
            "answered count as missed.",
            "service", "high", lambda r: _share(r.kept)),
    Measure("answered_within_20min_share", "share", "Answered within 20 minutes",
            "Share of all cases with a first answer at most 20 minutes after the post; those never "
            "answered count as missed.",
            "service", "high", lambda r: _share(r.response_s <= 1200.0)),
    Measure("answered_within_60min_share", "share", "Answered within 60 minutes",
            "Share of all cases with a first answer at most 60 minutes after the post; those never "
            "answered count as missed.",
            "service", "high", lambda r: _share(r.response_s <= 3600.0)),
    Measure("first_response_mean_s", "s", "First response, mean",
            "Mean time from the post to the end of the first human turn, over the answered cases alone: "
            "read it beside the share never answered.",
            "service", "low", lambda r: _mean(r.response_s[r.answered])),
    Measure("first_response_p50_s", "s", "First response, median",
            "Time within which half of all cases had their first answer; the unanswered count as never.",
            "service", "low", lambda r: _quantile(r.response_s, 0.5), open_ended=True),
    Measure("first_response_p90_s", "s", "First response, 90 %",
            "Time within which 90 % of all cases had their first answer; the unanswered count as never.",
            "service", "low", lambda r: _quantile(r.response_s, 0.9), open_ended=True),
    Measure("wait_mean_s", "s", "Wait in the queue, mean",
            "Mean time from queueing to the start of work, over answered turns of cases.",
            "service", "low", lambda r: _mean(r.answers[0])),
    Measure("next_response_mean_s", "s", "Next response, mean",
            "Mean time from the customer's next message to the end of the turn that answers it, over "
            "answered turns after the first.",
            "service", "low", lambda r: _mean(r.answers[1][r.answers[2]])),
    Measure("resolution_mean_s", "s", "Resolution, mean",
            "Mean time from the post to the end of the last turn, over resolved cases.",
            "service", "low", _resolution),
    Measure("resolved_share", "share", "Resolved",
            "Share of the cases whose every turn was answered before the run ended.",
            "service", "high", lambda r: _share(r.cases["state"] == CaseState.RESOLVED)),
    Measure("solved_before_departure_share", "share", "Solved before departure",
            "Share of the cases with a booking that were resolved before the flight left.",
            "service", "high", _before_departure),
    Measure("peak_backlog", "count", "Longest queue",
            "Most case turns waiting at once. Those of customers who left without a sign are in it: the "
            "desk cannot tell.",
            "service", "low", lambda r: most(*r.backlog)),
    Measure("peak_unread", "count", "Most posts unread",
            "Most posts waiting at once to be read by somebody.",
            "service", "low", lambda r: most(*r.unread)),
    Measure("oldest_wait_max_s", "s", "Oldest wait",
            "Longest time that any case turn stood in the queue.",
            "service", "low", _oldest_wait),
    Measure("time_to_recover_s", "s", "Queue back to normal",
            f"Time from onset to the first {DAY_H} hours without {BACKLOG_BACK} or more case turns waiting, after "
            "the first time that so many did (what is left of the run if that is shorter); 0 if so many never "
            "waited; not reached if they do at the end of the run.",
            "service", "low", _time_to_recover, open_ended=True),
    Measure("promise_recover_s", "s", "Promise kept again",
            f"Time from onset to the start of the first {DAY_H} hours, after the first such stretch that "
            "missed it, in which 80 % of the cases posted were answered within their promise; 0 if none "
            "missed it. Stretches start at full hours.",
            "service", "low", _promise_recover, open_ended=True),
    Measure("gave_up_share", "share", "Gave up waiting",
            "Share of the cases whose customer's patience ended in some turn, whether said or not.",
            "brand", "low", lambda r: _share(np.isfinite(r.cases["left_s"]))),
    Measure("silent_leavers_share", "share", "Left without a sign",
            "Share of the cases whose customer left without telling the desk, which goes on working on "
            "it.",
            "brand", "low", lambda r: _share(r.cases["state"] == CaseState.SILENT)),
    Measure("recontacts_per_case", "per_case", "Re-contacts per case",
            "Posts written while waiting, per case.",
            "brand", "low", lambda r: _per(float(r.cases["recontacts"].sum()), r.n)),
    Measure("escalations", "count", "Escalations",
            "Cases that became public because the customer was not helped.",
            "brand", "low", lambda r: float(r.cases["escalated"].sum())),
    Measure("answer_rate_negative_share", "share", "Answered, of the negative",
            "Share answered among the cases of negative sentiment.",
            "brand", "high", lambda r: _answer_rate(r, Sentiment.NEGATIVE)),
    Measure("answer_rate_positive_share", "share", "Answered, of the positive",
            "Share answered among the cases of positive sentiment.",
            "brand", "high", lambda r: _answer_rate(r, Sentiment.POSITIVE)),
    Measure("occupancy", "share", "Occupancy",
            "Share of the time at the desk, within the window, in which an agent has at least one turn in "
            "hand, reading included.",
            "commerce", None, _occupancy),
    Measure("agent_hours", "hours", "Hours at the desk",
            "Hours that agents are at the desk within the window, breaks out.",
            "commerce", "low", _agent_hours),
    Measure("paid_hours", "hours", "Paid hours",
            "Hours of the shifts worked within the window, breaks in; of pools without shifts the hours "
            "at the desk.",
            "commerce", "low", lambda r: float(_hours_of_pools(r).sum())),
    Measure("cost", "EUR", "Cost",
            "Paid hours times the cost of an hour, pool by pool, and what the levers of a crisis plan cost.",
            "commerce", "low", _cost),
    Measure("called_in_hours", "hours", "Hours called in",
            "Paid hours of those who were called in over and above the roster.",
            "commerce", "low", _called_in_hours),
    Measure("crisis_hours", "hours", "Hours of declared crisis",
            "Time within the window in which a crisis was declared.",
            "service", None, _crisis_h),
    Measure("cases_deflected", "count", "Cases not made",
            "Queries that a crisis plan kept people from making; outside every share.",
            "service", None, lambda r: float(np.count_nonzero(r.outcome.cases["state"] == CaseState.SUPPRESSED))),
    Measure("cost_per_answered_case", "EUR", "Cost per answered case",
            "Cost over the number of answered cases.",
            "commerce", "low", lambda r: _per(_cost(r), float(r.answered.sum()))),
    Measure("payment_eur", "EUR", "Payments by link",
            "Sum asked for by payment link in answered cases.",
            "commerce", "high", lambda r: float(np.sum(r.cases["pay_eur"][r.answered], dtype=np.float64))),
)  # fmt: skip

MEASURES: Mapping[str, Measure] = MappingProxyType({measure.id: measure for measure in _TABLE})

GROUP_MEASURES = (
    "cases", "answered_within_20min_share", "answered_within_60min_share", "answered_within_promise_share",
    "unanswered_share", "first_response_mean_s", "first_response_p50_s", "first_response_p90_s",
    "gave_up_share", "peak_backlog",
)  # fmt: skip
"""Measures that mean something for a part of the cases: they use no hours at the desk."""


def measure(rows: Rows | Outcome, ids: Iterable[str] = tuple(MEASURES)) -> Row:
    """Values of one run, by id."""
    shared = rows if isinstance(rows, Rows) else Rows(rows)
    return {name: MEASURES[name](shared) for name in ids}


def by_language(outcome: Outcome, ids: Iterable[str] = GROUP_MEASURES) -> dict[Language, Row]:
    """Measures of the cases of each language that has any, in the order of the languages."""
    column, rows = outcome.cases["language"], Rows(outcome)
    return {
        language: measure(rows.part(column == code(language)), ids)
        for language in members(Language)
        if np.any(column == code(language))
    }


def by_class(outcome: Outcome, ids: Iterable[str] = GROUP_MEASURES) -> dict[str, Row]:
    """Measures of the cases of each promise class, in the order of the desk."""
    column, rows = outcome.cases["cls"], Rows(outcome)
    names = [str(each["name"]) for each in outcome.about["classes"]]
    return {name: measure(rows.part(column == number), ids) for number, name in enumerate(names)}


def bottleneck(table: Mapping[Language, Mapping[str, float | None]]) -> tuple[Language, float] | None:
    """The language with the lowest share within 60 minutes, and that share.

    Only languages with at least `FEW_CASES` cases count; None if there are none. Of equal ones it
    is the first in the order of the languages.
    """
    found: tuple[Language, float] | None = None
    for language in members(Language):
        row = table.get(language, {})
        share = row.get("answered_within_60min_share")
        enough = (row.get("cases") or 0) >= FEW_CASES
        if enough and share is not None and (found is None or share < found[1]):
            found = language, share
    return found
