"""Lay one rate after the other on a service: what the search for the breaking point measures with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from loadtests import shapes
from loadtests.breakpoint import Found, Measure, Plan, Spent, search
from loadtests.recovery import Recovery, recovery
from loadtests.result import LoadResult
from loadtests.schedule import Schedule, at_times
from loadtests.steps import Criteria, Judged, Limits, Phase, judged
from loadtests.windows import measured
from scenarios.errors import ComponentError

NAME = "breakpoint"
MOST_WINDOWS = 2.0  # a step at a low rate goes on for that many windows at most, to reach its samples


class Sender(Protocol):
    """Sends a schedule and waits until every row has its end; `loadtests.stepping.Steppers` is one."""

    def send(self, schedule: Schedule) -> LoadResult: ...


@dataclass(frozen=True)
class Timing:
    """How a step is laid out in time.

    Attributes
    ----------
    warm_up_s : float
        At the start of a step, not measured.
    window_s : float
        Measured after that; twice as long at most if otherwise fewer than `samples` were due.
    samples : int
        As many as a p99 should rest on.
    rest_s : float
        Between the last answer of a step and the next step.
    spacing : str
        ``poisson`` as callers come, or ``even``, which needs shorter steps.
    surge_s, watched_s : float
        Length of the surge beyond the breaking point, and how long recovery is waited for.
    """

    warm_up_s: float = 5.0
    window_s: float = 30.0
    samples: int = 1000
    rest_s: float = 1.0
    spacing: shapes.Spacing = "poisson"
    surge_s: float = 10.0
    watched_s: float = 30.0

    def window_at(self, rate_per_s: float) -> float:
        return max(self.window_s, min(self.samples / rate_per_s, MOST_WINDOWS * self.window_s))

    def requests(self, rate_per_s: float) -> float:
        """Expected in a whole step."""
        return rate_per_s * (self.warm_up_s + self.window_at(rate_per_s))


@dataclass(frozen=True)
class Broken:
    """Where a service breaks and how it comes back; `recovery` is None if that was not tried."""

    found: Found
    recovery: Recovery | None


class Rates:
    """Measures rates with a sender.

    Parameters
    ----------
    sender : Sender
    timing, criteria, limits
    seed : int
        Root of the due times; every step has a stream of its own.
    most_requests : int, optional
        A step that would go beyond it is not begun.
    told : callable, optional
        Is shown every step as it ends.
    """

    def __init__(
        self, sender: Sender, timing: Timing, criteria: Criteria, limits: Limits, seed: int,
        most_requests: int | None = None, told: Callable[[Judged], None] = lambda judged: None,
    ) -> None:  # fmt: skip
        self._sender, self.timing, self._criteria, self._limits = sender, timing, criteria, limits
        self._seed, self._most, self.told = seed, most_requests, told
        self._number = 0
        self.sent = 0

    def measure(self, rate_per_s: float, phase: Phase) -> Judged:
        """One step; a `loadtests.breakpoint.Measure`."""
        timing = self.timing
        window_s = timing.window_at(rate_per_s)
        result = self._send(shapes.soak(rate_per_s, timing.warm_up_s + window_s))
        step = measured(result, rate_per_s, timing.warm_up_s, timing.warm_up_s + window_s)
        return judged(step, self._criteria, self._limits, phase)

    def recover(self, low_per_s: float, high_per_s: float) -> Recovery | None:
        """Half of what it takes, a quarter more than it does not, half again: how long until it is itself.

        None if the generator was not up to it, twice.
        """
        t = self.timing
        quiet, surge = low_per_s / 2.0, high_per_s * 1.25
        up = t.warm_up_s + t.window_at(quiet)
        down, end = up + t.surge_s, up + t.surge_s + t.watched_s
        shape = shapes.Shape(
            "surge", ((0.0, quiet), (up, quiet), (up, surge), (down, surge), (down, quiet), (end, quiet))
        )
        for _ in range(2):
            result = self._send(shape)
            watched = measured(result, quiet, t.warm_up_s, end)
            if judged(watched, self._criteria, self._limits).verdict != "void":
                return recovery(result, quiet, surge, t.warm_up_s, (up, down), end)
        return None

    def _send(self, shape: shapes.Shape) -> LoadResult:
        rng = np.random.default_rng([self._seed, self._number])
        schedule = at_times(shape.due_s(self.timing.spacing, rng), NAME, self._seed)
        if self._most is not None and self.sent + len(schedule) > self._most:
            raise Spent(f"{self.sent:,} requests are sent; the next step would go beyond the {self._most:,} allowed")
        if self._number:
            time.sleep(self.timing.rest_s)
        self._number += 1
        self.sent += len(schedule)
        return self._sender.send(schedule)


def find(rates: Rates, plan: Plan, seed: int, with_recovery: bool = True) -> Broken:
    """Search for the breaking point; where it is found, time the recovery from beyond it."""
    measure: Measure = rates.measure
    found = search(measure, plan, np.random.default_rng(seed), rates.told)
    if found.status != "found" or not with_recovery:
        return Broken(found, None)
    assert found.low_per_s is not None and found.high_per_s is not None
    try:
        return Broken(found, rates.recover(found.low_per_s, found.high_per_s))
    except (KeyboardInterrupt, Spent):
        return Broken(found, None)
    except ComponentError as fault:
        return Broken(replace(found, status="failed", why=f"while its recovery was timed, {fault}"), None)
