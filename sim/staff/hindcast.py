"""A recorded past played again: would the model have known it?

The same posts meet the desk of the model several times. Handling times, patience, absences differ from
run to run, so the runs say what chance alone may do. The real past is held against them as if it were
one more run (`sim.staff.agreement`).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import TraceError
from scenarios.history.actual import Actual
from scenarios.model import Scenario
from scenarios.names import PostKind, code
from scenarios.traces import Trace
from sim.crew import Threads, Watch, cores, each
from sim.desk import Desk
from sim.engines import engine, prepare
from sim.executors import Tick
from sim.outcome import CaseState, Outcome
from sim.staff import recorded
from sim.staff.agreement import FEWEST_RUNS, Agreement, Stretch, agreement, coverage, outside
from sim.staff.as_if import AsIf, as_if, scaled
from sim.staff.curves import Clock, Curves, curves, of_outcome, promises

FloatArray = NDArray[np.float64]
Verdict = Literal["trust", "do not trust", "cannot tell"]
Watching = Callable[[str, int], AbstractContextManager[Watch]]
STEP_S = 900.0
FEWEST_CASES = 50
TRIED = 10  # runs with a desk at another speed
A_FIFTH_LESS = 0.8
SEEN = 0.8  # share of the runs with a fifth of the heads less that must be told apart


@dataclass(frozen=True)
class Played:
    """Of one run: its curves, mean heads at the desk, mean work on a resolved case, promises by case."""

    curves: Curves
    heads: float
    work_s: float
    promise_s: FloatArray


@dataclass(frozen=True)
class Hindcast:
    """A real past beside the runs of a model.

    Attributes
    ----------
    verdict : {"trust", "do not trust", "cannot tell"}
        Whether the past could be one more run; `cannot tell` if a desk that lacks a fifth of its heads would
        mostly have passed as well, or if there are too few cases.
    clock : Clock
    actual : Curves
    runs : tuple of Curves
    agreement : Agreement
    stretches : tuple of Stretch
        Where the real backlog lies outside of 95 % of the runs.
    covered : mapping of (what, level) to float
        Share of the intervals in which the real value lies inside the band; what is backlog or response.
    by_language : mapping of int to (float, float)
        The same of the backlog of a language, at 80 and 95 %.
    heads : float
        Heads at the desk on average, in the model.
    as_if : AsIf or None
        The heads that would explain it; None where the verdict is not `do not trust`.
    seen : float or None
        Share of runs of a desk that lacks a fifth of its heads that are told apart; None if not looked at.
    work_s : (float, float) or None
        Real and simulated mean work on a case that was closed; None if the rows do not say.
    chatter_read : bool
        Whether the desk reads posts that are no cases, while the trace has none.
    never : float
        Share of the real cases without an answer.
    """

    verdict: Verdict
    clock: Clock
    actual: Curves
    runs: tuple[Curves, ...]
    agreement: Agreement
    stretches: tuple[Stretch, ...]
    covered: dict[tuple[str, float], float]
    by_language: dict[int, tuple[float, float]]
    heads: float
    as_if: AsIf | None
    seen: float | None
    work_s: tuple[float, float] | None
    chatter_read: bool
    never: float


def _silent(what: str, pieces: int) -> AbstractContextManager[Watch]:
    return nullcontext(Watch())


def hindcast(
    trace: Trace,
    actual: Actual,
    scenario: Scenario,
    desk: Desk,
    *,
    runs: int = 39,
    seed: int = 1,
    step_s: float = STEP_S,
    warm_up_h: float = 0.0,
    workers: int | None = None,
    watching: Watching = _silent,
) -> Hindcast:
    """Play a recorded past again and hold what happened against it.

    Parameters
    ----------
    trace, actual : Trace, Actual
        As `scenarios.history.tickets` reads them.
    scenario : Scenario
        For what customers do and how long work takes; its days, mixes and surges are not used.
    desk : Desk
        Who was there.
    runs, seed : int
        Number of runs, >= 19; root of all chance.
    step_s : float
        Length of an interval.
    warm_up_h : float
        Hours at the start that are played and not compared.
    workers : int, optional
        Threads, by default one a core.
    watching : callable
        Gives somebody who hears of the progress of a number of pieces.

    Raises
    ------
    TraceError
        If the trace has no cases, or the warm-up leaves none.
    DeskError
        As the engines raise it.
    KeyboardInterrupt
        If it is stopped before 19 runs have finished.
    """
    if runs < FEWEST_RUNS:
        raise ValueError(f"{runs} runs are fewer than {FEWEST_RUNS}")
    _check(trace, warm_up_h)
    clock = Clock.of(trace, step_s, warm_up_h * 3600.0)
    prepare("compiled", _notice(watching))
    model = _Model(recorded.behaviour(scenario, trace), recorded.staff(desk), recorded.posts(trace), seed, clock)
    played = model.play(range(runs), 1.0, workers, watching, "hindcast")
    if len(played) < FEWEST_RUNS:
        raise KeyboardInterrupt
    real = real_curves(clock, actual, played[0].promise_s)
    pasts = tuple(run.curves for run in played)
    found = agreement(clock, real, pasts)
    few = int(clock.counts().sum()) < FEWEST_CASES
    seen, factor = None, None
    if found.fails:
        factor = as_if(_level(real), partial(model.levels, played, workers, watching))
    elif not few:
        slow = model.play(range(runs, runs + TRIED), A_FIFTH_LESS, workers, watching, "a fifth less")
        seen = float(np.mean([bool(agreement(clock, run.curves, pasts).fails) for run in slow])) if slow else None
    verdict: Verdict = "do not trust" if found.fails else "cannot tell" if few or (seen or 0.0) < SEEN else "trust"
    backlog = np.stack([run.backlog.sum(axis=0) for run in pasts]).astype(np.float64)
    return Hindcast(
        verdict=verdict,
        clock=clock,
        actual=real,
        runs=pasts,
        agreement=found,
        stretches=outside(real.backlog.sum(axis=0).astype(np.float64), backlog),
        covered=_covered(clock, real, pasts),
        by_language=_by_language(clock, real, pasts),
        heads=float(np.mean([run.heads for run in played])),
        as_if=factor,
        seen=seen,
        work_s=_work(actual, played),
        chatter_read=desk.triage.mode == "people" and not np.any(trace["kind"] == code(PostKind.CHATTER)),
        never=float(np.mean(np.isinf(actual["first_reply_s"]))),
    )


def real_curves(clock: Clock, actual: Actual, promise_s: FloatArray) -> Curves:
    """The curves of what really happened; a case closed without an answer waits no longer."""
    reply, closed = actual["first_reply_s"], actual["closed_s"]
    gone = np.minimum(actual["left_s"], np.where(np.isinf(reply), closed, np.inf))
    return curves(clock, reply, gone, promise_s)


def mean_wait_s(clock: Clock, past: Curves) -> FloatArray:
    """(n,) mean wait for the first answer of the cases posted in each interval; nan: no cases."""
    counts = clock.counts().sum(axis=0)
    out = np.full(counts.size, np.nan)
    np.divide(past.waited_s.sum(axis=0), counts, out=out, where=counts > 0)
    return out


@dataclass(frozen=True)
class _Model:
    scenario: Scenario
    desk: Desk
    trace: Trace
    seed: int
    clock: Clock

    def play(self, numbers: range, factor: float, workers: int | None, watching: Watching, what: str) -> list[Played]:
        """Runs of these numbers with the desk at a factor of its speed; fewer if somebody stops it."""
        job = _Job(self, self.desk if factor == 1.0 else scaled(self.desk, factor), numbers)
        with watching(what, len(numbers)) as watch:
            return list(each(job, len(numbers), Threads(workers or cores()), watch))

    def levels(self, played: list[Played], workers: int | None, watching: Watching, factor: float) -> FloatArray:
        """Mean backlog of the first runs at a factor of the desk's speed."""
        n = min(TRIED, len(played))
        again = played if factor == 1.0 else self.play(range(n), factor, workers, watching, f"as if {factor:g}")
        if len(again) < n:
            raise KeyboardInterrupt
        return np.array([_level(run.curves) for run in again[:n]])


@dataclass(frozen=True)
class _Job:
    model: _Model
    desk: Desk
    numbers: range

    def __call__(self, place: int, tick: Tick) -> Played:
        model, clock = self.model, self.model.clock
        outcome = engine("compiled")(
            model.scenario, self.desk, model.trace, model.seed, self.numbers[place], progress=tick
        )
        n = clock.posted_s.size
        closed = outcome.cases["state"][:n] == CaseState.RESOLVED
        work = outcome.cases["work_s"][:n][closed]
        return Played(
            of_outcome(clock, outcome),
            _heads(outcome, clock),
            float(work.mean()) if work.size else float("nan"),
            promises(outcome, n),
        )


def _check(trace: Trace, warm_up_h: float) -> None:
    start_s, end_s = trace.about["window_s"]
    if not trace.cases:
        raise TraceError("the trace has no cases: there is nothing to compare")
    if start_s + warm_up_h * 3600.0 >= end_s:
        hours = (end_s - start_s) / 3600.0
        raise TraceError(f"a warm-up of {warm_up_h:g} h leaves nothing of the {hours:g} h of the trace; shorten it")


def _notice(watching: Watching) -> Callable[[str], None]:
    def tell(text: str) -> None:
        with watching("hindcast", 1) as watch:
            watch.notice(text)

    return tell


def _level(past: Curves) -> float:
    return float(past.backlog.sum(axis=0).mean())


def _heads(outcome: Outcome, clock: Clock) -> float:
    low, high = float(clock.edges_s[0]), float(clock.edges_s[-1])
    staff = outcome.staff
    return float(np.sum(np.clip(staff["off_s"], low, high) - np.clip(staff["on_s"], low, high))) / (high - low)


def _covered(clock: Clock, real: Curves, pasts: tuple[Curves, ...]) -> dict[tuple[str, float], float]:
    backlog = real.backlog.sum(axis=0).astype(np.float64), np.stack([p.backlog.sum(axis=0) for p in pasts])
    waits = mean_wait_s(clock, real), np.stack([mean_wait_s(clock, past) for past in pasts])
    return {
        (what, share): coverage(one, runs.astype(np.float64), share)
        for what, (one, runs) in (("backlog", backlog), ("response", waits))
        for share in (0.8, 0.95)
    }


def _by_language(clock: Clock, real: Curves, pasts: tuple[Curves, ...]) -> dict[int, tuple[float, float]]:
    out = {}
    for place, language in enumerate(clock.languages):
        runs = np.stack([past.backlog[place] for past in pasts]).astype(np.float64)
        one = real.backlog[place].astype(np.float64)
        out[language] = (coverage(one, runs, 0.8), coverage(one, runs, 0.95))
    return out


def _work(actual: Actual, played: list[Played]) -> tuple[float, float] | None:
    """Mean work on a closed case, real and simulated."""
    told = actual["handling_s"][np.isfinite(actual["handling_s"]) & np.isfinite(actual["closed_s"])]
    if not told.size:
        return None
    return float(told.mean()), float(np.nanmean([run.work_s for run in played]))
