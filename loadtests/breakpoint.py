"""Where a service breaks: climb until it fails, halve the gap, confirm both ends.

The search knows the service by one function only, which lays a rate on it and says pass, fail or
void. It looks for the pair of rates between which the service stops keeping up: at the lower one it
never failed, at the upper one it never passed. A void step (the generator was not up to it) is tried
again; if it stays void the search ends as invalid, and says nothing of the service beyond that rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from loadtests import usl
from loadtests.steps import Judged, Phase
from scenarios.errors import ComponentError

Measure = Callable[[float, Phase], Judged]
Status = Literal["found", "above", "below", "unsettled", "invalid", "interrupted", "failed"]


@dataclass(frozen=True)
class Plan:
    """How to search.

    Attributes
    ----------
    guess_per_s : float
        Capacity that the user expects; only the start depends on it.
    start_share : float
        Of the guess, where the climb begins.
    factor : float
        From one step of the climb to the next.
    precision : float
        The gap is halved (geometrically) until it is no wider than this share of its lower end.
    confirmations : int
        How often each end is measured again, in random order.
    least_per_s, most_per_s : float
        No step goes below or beyond; a service that fails at a hundredth of the start is not searched further.
    void_tries : int
        How often a void step is tried in all.
    rounds : int
        How often the ends may move while they are confirmed.
    """

    guess_per_s: float
    start_share: float = 0.10
    factor: float = 1.25
    precision: float = 0.05
    confirmations: int = 3
    least_per_s: float = 0.0
    most_per_s: float = math.inf
    void_tries: int = 3
    rounds: int = 4

    @property
    def start_per_s(self) -> float:
        return min(self.guess_per_s * self.start_share, self.most_per_s)

    @property
    def floor_per_s(self) -> float:
        return max(self.least_per_s, self.start_per_s / 100.0)


@dataclass(frozen=True)
class Found:
    """What the search came to.

    Attributes
    ----------
    status : str
        ``found``: capacity lies between `low_per_s` and `high_per_s`, both confirmed. ``above``: the
        highest rate that was allowed passed. ``below``: even the lowest failed. ``unsettled``: the ends
        would not be confirmed, or no more was to be sent. ``invalid``: the generator was not up to it.
        ``interrupted``: by the user. ``failed``: what was to send does not work any more.
    low_per_s, high_per_s : float or None
        Highest rate at which it never failed, lowest at which it never passed, as far as known.
    steps : tuple of Judged
        All of them, in the order in which they were made.
    why : str
        A sentence if the status is not ``found``.
    """

    status: Status
    low_per_s: float | None
    high_per_s: float | None
    steps: tuple[Judged, ...]
    why: str = ""

    @property
    def law(self) -> usl.Usl | None:
        """The scalability law of what passed, and of the lowest rate that failed.

        At higher rates requests pile up for as long as the step lasts, and their number is no level.
        """
        used = [j.step for j in self.steps if j.verdict == "pass"]
        failed = [j.step for j in self.steps if j.verdict == "fail"]
        used += sorted(failed, key=lambda step: step.asked_per_s)[:1]
        return usl.fit([step.in_flight for step in used], [step.answered_per_s for step in used])

    def to_dict(self) -> dict[str, Any]:
        law = self.law
        return {
            "status": self.status,
            "low_per_s": self.low_per_s,
            "high_per_s": self.high_per_s,
            "why": self.why,
            "steps": [judged.to_dict() for judged in self.steps],
            "usl": None if law is None or self.status == "invalid" else law.to_dict(),
        }


class Spent(Exception):
    """What measures may not send any more; its words say why."""


class _End(Exception):
    """The search cannot go on; carries status and reason."""

    def __init__(self, status: Status, why: str) -> None:
        self.status: Status = status
        self.why = why


def search(
    measure: Measure, plan: Plan, rng: np.random.Generator, told: Callable[[Judged], None] = lambda judged: None
) -> Found:
    """Find the capacity.

    Parameters
    ----------
    measure : callable (requests per second, what for) -> Judged
        Lays the rate on the service. `Spent`, a KeyboardInterrupt or a `ComponentError` ends the search with what
        is known so far.
    plan : Plan
    rng : numpy.random.Generator
        Draws the order in which the ends are confirmed.
    told : callable, optional
        Is shown every step as it ends.
    """
    gap = _Gap(measure, plan, rng, told)
    try:
        gap.climb(plan.start_per_s)
        gap.close()
    except _End as end:
        return gap.found(end.status, end.why)
    except Spent as spent:
        return gap.found("unsettled", str(spent))
    except KeyboardInterrupt:
        return gap.found("interrupted", "interrupted; the steps so far are kept")
    except ComponentError as fault:
        return gap.found("failed", str(fault))
    return gap.found("found", "")


class _Gap:
    """The gap between the best rate that passed and the least that failed, as the search narrows it."""

    def __init__(self, measure: Measure, plan: Plan, rng: np.random.Generator, told: Callable[[Judged], None]) -> None:
        self.measure, self.plan, self.rng, self.told = measure, plan, rng, told
        self.low: float | None = None
        self.high: float | None = None
        self.steps: list[Judged] = []

    def found(self, status: Status, why: str) -> Found:
        return Found(status, self.low, self.high, tuple(self.steps), why)

    def passes(self, rate_per_s: float, phase: Phase) -> bool:
        """Measure until a step is not void."""
        for _ in range(self.plan.void_tries):
            judged = self.measure(rate_per_s, phase)
            self.steps.append(judged)
            self.told(judged)
            if judged.verdict != "void":
                return judged.verdict == "pass"
        raise _End("invalid", f"the generator could not lay {rate_per_s:.4g}/s: {'; '.join(judged.reasons)}")

    def climb(self, rate_per_s: float) -> None:
        """Up by the factor until a step fails, or down until one passes; sets both ends."""
        plan, up = self.plan, 0
        while self.low is None or self.high is None:
            if self.passes(rate_per_s, "climb"):
                self.low, up = rate_per_s, 1
            else:
                self.high, up = rate_per_s, -1
            if self.high is None and rate_per_s >= plan.most_per_s:
                raise _End("above", f"it kept up at {rate_per_s:.4g}/s, the most that was allowed")
            if self.low is None and rate_per_s / plan.factor < plan.floor_per_s:
                raise _End("below", f"it failed even at {rate_per_s:.4g}/s: {'; '.join(self.steps[-1].reasons)}")
            rate_per_s = min(rate_per_s * plan.factor**up, plan.most_per_s)

    def close(self) -> None:
        """Halve, then confirm until both ends hold."""
        self.halve()
        held: set[float] = set()
        for _ in range(self.plan.rounds):
            low, high = self.ends()
            asked = [rate for rate in (low, high) if rate not in held] * self.plan.confirmations
            self.rng.shuffle(asked)
            passed = [(rate, self.passes(rate, "confirm")) for rate in asked]
            wrong_low = [not ok for rate, ok in passed if rate == low]
            wrong_high = [ok for rate, ok in passed if rate == high]
            held |= {rate for rate, wrong in ((low, wrong_low), (high, wrong_high)) if not any(wrong)}
            if {low, high} <= held:
                return
            self.move(low, high, wrong_low, wrong_high)
        raise _End("unsettled", "the ends of the gap passed at one time and failed at another")

    def ends(self) -> tuple[float, float]:
        assert self.low is not None and self.high is not None
        return self.low, self.high

    def halve(self) -> None:
        """Bisect until the gap is narrow enough."""
        low, high = self.ends()
        while high > low * (1.0 + self.plan.precision):
            middle = math.sqrt(low * high)
            if self.passes(middle, "bisect"):
                low = self.low = middle
            else:
                high = self.high = middle

    def move(self, low: float, high: float, wrong_low: list[bool], wrong_high: list[bool]) -> None:
        """An end that is wrong each time begins a new climb; one that is wrong at times moves outwards.

        Rates that pass at one time and fail at another so come to lie inside the gap.
        """
        plan = self.plan
        if wrong_high and all(wrong_high):
            self.low, self.high = high, None
            self.climb(min(high * plan.factor, plan.most_per_s))
            self.halve()
        elif wrong_low and all(wrong_low):
            self.low, self.high = None, low
            self.climb(low / plan.factor)
            self.halve()
        else:
            self.low = low / (1.0 + plan.precision) if any(wrong_low) else low
            self.high = min(high * (1.0 + plan.precision), plan.most_per_s) if any(wrong_high) else high
