"""Outcomes made up for tests: by hand, row by row, or a plausible week by numpy."""

from __future__ import annotations

import heapq
import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import numpy as np

from scenarios.behaviour import Behaviour, CrmFault
from scenarios.model import Assumption, Scenario
from scenarios.names import NONE, Language, PostKind, Sentiment, code
from scenarios.traces import COLUMNS, Trace
from sim.desk import Break, Desk, Pool, Shift, Triage
from sim.outcome import CASES, EXTRA, PLAN, SHIFTS, STAFF, SUPPRESSED, TURNS, CaseState, Outcome, TurnKind, TurnState
from sim.precedence import CaseClass

INF = math.inf
HOUR_S = 3600.0
Row = Mapping[str, Any]
POOLS = ("en", "nl", "rest")

CASE: Row = {
    "row": NONE, "origin": NONE, "language": 0, "platform": 0, "visibility": 0, "topic": 0, "tier": 0,
    "sentiment": 1, "cls": 0, "posted_s": 0.0, "due_s": INF, "departure_s": INF, "seen_s": 0.0,
    "first_start_s": INF, "first_reply_s": INF, "closed_s": INF, "left_s": INF, "turns": 0, "attempts": 0,
    "recontacts": 0, "reopened": 0, "escalated": False, "work_s": 0.0, "pay_eur": 0.0,
    "state": CaseState.WAITING,
}  # fmt: skip
TURN: Row = {
    "case": NONE, "post": NONE, "k": 0, "kind": TurnKind.ANSWER, "language": 0, "queued_s": 0.0, "key_s": 0.0,
    "start_s": INF, "end_s": INF, "wait_s": INF, "left_s": INF, "agent": NONE, "route": 0,
    "state": TurnState.WAITING,
}  # fmt: skip
POOL: Row = {"name": "all", "site": "", "cost_per_h": 30.0, "heads": 1}
ABOUT: Row = {
    "trace": "", "scenario": "made_up", "desk": "made_up", "desk_digest": "0" * 64, "seed": 1,
    "replication": 0, "engine": "none", "version": "0",
    "window_s": [0.0, 7200.0], "end_s": 7200.0, "mentions": 0, "calls": 0, "calls_suppressed": 0,
    "pools": [POOL], "classes": [{"name": "all", "promise_min": 60.0}], "agents": 1,
    "timezone": "Europe/Amsterdam", "onset_local": "2015-06-01T00:00:00", "plan": None,
}  # fmt: skip


def table(kinds: Mapping[str, type[np.generic]], rows: Sequence[Row], default: Row | None = None) -> Any:
    """Columns out of rows; what a row does not say is the default."""
    whole = [{**(default or {}), **row} for row in rows]
    unknown = {key for row in whole for key in row} - set(kinds)
    assert not unknown, f"no such columns: {unknown}"
    return {name: np.array([row[name] for row in whole], dtype=kind) for name, kind in kinds.items()}


def by_hand(
    cases: Sequence[Row] = (),
    turns: Sequence[Row] = (),
    staff: Sequence[Row] = (),
    shifts: Sequence[Row] = (),
    extra: Sequence[Row] = (),
    suppressed: Sequence[Row] = (),
    plan: Sequence[Row] = (),
    plan_about: Row | None = None,
    **about: Any,
) -> Outcome:
    """An outcome of the rows given; `about` has a window of two hours if not told otherwise."""
    return Outcome(
        cases=table(CASES, cases, CASE),
        turns=table(TURNS, turns, TURN),
        staff=table(STAFF, staff, {"agent": 0, "pool": 0}),
        shifts=table(SHIFTS, shifts, {"agent": 0, "pool": 0, "worked": True}),
        extra=table(EXTRA, extra, {"case": 0, "kind": 0}),
        suppressed=table(SUPPRESSED, suppressed, {"lever": 0}),
        plan=table(PLAN, plan, {"number": NONE, "heads": 0}),
        about={**ABOUT, "plan": plan_about, **about},
    )


def scenario(hours: float = 96.0, **changes: Any) -> Scenario:
    """A snowed-in weekend with everything that a page has to show."""
    given: dict[str, Any] = {
        "name": "made_up_snow",
        "title": "A made-up weekend of snow",
        "story": "Snow closes two runways on Thursday noon. Connections break, the phone is full.",
        "question": "Is the ordinary desk enough?",
        "sources": ("https://example.org/snow",),
        "onset_local": datetime(2015, 1, 29, 12, 0),
        "window_h": (-6.0, hours - 6.0),
        "behaviour": Behaviour(turns=(1.0,)),
        "faults": (CrmFault(kind="crm", from_h=10.0, to_h=14.0, factor=1.5),),
        "assumed": (Assumption(what="behaviour.patience_h", reason="no public figure", low=3.0, high=12.0),),
    }
    return Scenario(**{**given, **changes})


def desk(**changes: Any) -> Desk:
    """Three pools, two classes."""
    shift = Shift(name="day", start="07:00", heads=6, breaks=(Break(after_h=3.0, minutes=30.0),))
    given: dict[str, Any] = {
        "name": "made_up",
        "title": "A made-up desk",
        "pools": (
            Pool(name="en", site="Here", languages={Language.EN: 1.0}, shifts=(shift,)),
            Pool(name="nl", site="Here", languages={Language.NL: 1.0}, shifts=(shift,), cost_per_h=32.0),
            Pool(name="rest", site="There", languages=dict.fromkeys(Language, 1.0), steps=((-6.0, 4),)),
        ),
        "classes": (CaseClass(name="urgent", promise_min=20.0), CaseClass(name="all", promise_min=60.0)),
        "triage": Triage(mode="people"),
        "assumed": (Assumption(what="pools.rest.steps", reason="a guess"),),
    }
    return Desk(**{**given, **changes})


def trace(window_h: tuple[float, float], rate_per_h: float, cases: int, seed: int) -> Trace:
    """Posts at random over the window; the first `cases` of them open cases, in order of time."""
    rng = np.random.default_rng(seed)
    low, high = window_h
    n = max(int(rate_per_h * (high - low)), cases)
    columns = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["time_s"] = np.sort(rng.uniform(low, high, n) * HOUR_S)
    columns["kind"][:] = code(PostKind.CHATTER)
    columns["kind"][:cases] = code(PostKind.CASE)
    columns["departure_h"][:] = INF
    about = {
        "scenario": "made_up_snow",
        "scenario_digest": "1" * 64,
        "seed": seed,
        "replication": 0,
        "size": None,
    }
    return Trace(columns, {**about, "window_s": [low * HOUR_S, high * HOUR_S], "version": "0"})


def weekend(
    seed: int = 1,
    hours: float = 96.0,
    peak: float = 4.0,
    heads: tuple[int, int, int] = (8, 5, 5),
    end: bool = True,
) -> tuple[Outcome, Trace]:
    """A plausible run: FIFO queues of three pools, a surge of `peak` times the base, leavers.

    With `end` False the surge never ends, so that nothing recovers.
    """
    rng = np.random.default_rng(seed)
    low, high = -6.0, hours - 6.0
    grid = np.arange(low, high, 0.25)
    shape = np.where(grid < 0, 1.0, 1.0 + (peak - 1.0) * np.clip(grid / 6.0, 0, 1))
    if end:
        shape = 1.0 + (shape - 1.0) * np.exp(-np.maximum(grid - 24.0, 0.0) / 6.0)
    rate = 4.0 * shape * (1.0 + 0.4 * np.sin((grid - 2.0) / 24.0 * 2 * np.pi))
    quarter = np.repeat(grid, rng.poisson(rate))
    posted = np.sort(quarter + rng.uniform(0, 0.25, quarter.size)) * HOUR_S
    n = posted.size
    posts = trace((low, high), 8.0 * n / hours, n, seed)
    languages = rng.choice(14, n, p=_mix())
    cases, turns = _served(rng, posted, languages, heads, high * HOUR_S)
    turns += _readings(posts["time_s"], rng)
    about: dict[str, Any] = {
        "trace": posts.digest, "scenario": "made_up_snow", "seed": seed, "replication": seed - 1,
        "window_s": [low * HOUR_S, high * HOUR_S], "end_s": high * HOUR_S, "mentions": posts.mentions,
        "pools": [{**POOL, "name": name, "heads": h} for name, h in zip(POOLS, heads, strict=True)],
        "classes": [{"name": "urgent", "promise_min": 20.0}, {"name": "all", "promise_min": 60.0}],
        "agents": sum(heads), "onset_local": "2015-01-29T12:00:00",
    }  # fmt: skip
    staff, shifts = _attendance(heads, low, high)
    extra = [{"time_s": float(t), "case": i, "kind": 0} for i, t in enumerate(posted[:20] + 4000.0)]
    return by_hand(cases, turns, staff, shifts, extra, **about), posts


def _readings(times_s: Any, rng: np.random.Generator) -> list[Row]:
    """Every post is read by somebody, after five minutes or so."""
    waits = rng.exponential(300.0, times_s.size)
    done = {"kind": TurnKind.READING, "k": -1, "agent": 0, "state": TurnState.DONE}
    return [
        {**done, "post": row, "queued_s": t, "start_s": t + w, "end_s": t + w + 30.0, "wait_s": w}
        for row, (t, w) in enumerate(zip(times_s.tolist(), waits.tolist(), strict=True))
    ]


def _mix() -> Any:
    shares = np.array([0.46, 0.22, 0.06, 0.06, 0.05, 0.04, 0.03, 0.02, 0.015, 0.015, 0.01, 0.01, 0.006, 0.004])
    return shares / shares.sum()


def _attendance(heads: tuple[int, int, int], low: float, high: float) -> tuple[list[Row], list[Row]]:
    staff: list[Row] = []
    shifts: list[Row] = []
    agent = 0
    for pool, n in enumerate(heads):
        for _ in range(n):
            for start in np.arange(low, high, 8.0):
                end = min(start + 8.0, high)
                who = {"agent": agent, "pool": pool}
                staff.append({**who, "on_s": start * HOUR_S, "off_s": (start + 4.0) * HOUR_S})
                staff.append({**who, "on_s": (start + 4.5) * HOUR_S, "off_s": end * HOUR_S})
                if pool < 2:
                    shifts.append({**who, "start_s": start * HOUR_S, "end_s": end * HOUR_S})
            agent += 1
    return staff, shifts


def _served(
    rng: np.random.Generator, posted: Any, languages: Any, heads: tuple[int, int, int], end_s: float
) -> tuple[list[Row], list[Row]]:
    """First in, first out, three pools; patience and silent leaving."""
    firsts = np.cumsum([0, *heads[:-1]]).tolist()
    free = [[(-INF, first + i) for i in range(n)] for first, n in zip(firsts, heads, strict=True)]
    work = rng.lognormal(math.log(1200.0) - 0.3, 0.77, posted.size).tolist()
    patience = rng.lognormal(math.log(6 * HOUR_S), 1.2, posted.size).tolist()
    silent = rng.random(posted.size) < 0.71
    sentiments = rng.choice(len(Sentiment), posted.size).tolist()
    departures = (posted + rng.exponential(60 * HOUR_S, posted.size)).tolist()
    cases: list[Row] = []
    turns: list[Row] = []
    for i, (t, language) in enumerate(zip(posted.tolist(), languages.tolist(), strict=True)):
        pool = free[min(language, 2)]
        at, agent = pool[0]
        start = max(at, t)
        urgent = i % 10 == 0
        left = t + patience[i] if start - t > patience[i] else INF
        case = {
            "row": i, "language": language, "cls": 0 if urgent else 1, "posted_s": t, "seen_s": t,
            "due_s": t + (1200.0 if urgent else HOUR_S), "departure_s": departures[i], "left_s": left,
            "sentiment": sentiments[i], "recontacts": int(start - t > 2 * HOUR_S),
        }  # fmt: skip
        turn = {"case": i, "language": language, "queued_s": t, "key_s": case["due_s"]}
        if left < INF and not silent[i]:
            cases.append({**case, "state": CaseState.GAVE_UP, "escalated": i % 3 == 0})
            turns.append({**turn, "end_s": left, "wait_s": patience[i], "state": TurnState.ABANDONED})
            continue
        if start >= end_s:
            cases.append({**case, "state": CaseState.SILENT if left < INF else CaseState.WAITING})
            turns.append({**turn, "left_s": left})
            continue
        done = min(start + work[i], end_s)
        heapq.heapreplace(pool, (done, agent))
        ghost = left < INF
        met = {} if ghost else {"first_start_s": start, "first_reply_s": done, "closed_s": done, "pay_eur": 12.0}
        cases.append(
            {
                **case,
                **met,
                "turns": 1,
                "work_s": done - start,
                "state": CaseState.SILENT if ghost else CaseState.RESOLVED,
            }
        )
        turns.append(
            {**turn, "start_s": start, "end_s": done, "wait_s": start - t, "left_s": left, "agent": agent,
             "state": TurnState.GHOST if ghost else TurnState.DONE}
        )  # fmt: skip
    return cases, turns


__all__ = ["by_hand", "desk", "scenario", "table", "trace", "weekend"]
