"""SimPy's clock with absolute times and a stated order at equal times.

SimPy settles equal times by priority, then by insertion. The priority here is the kind of the event
and its subject, so that two engines agree whatever the order of insertion (rule 2 of the
simulation, see docs/simulation.md).
"""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from heapq import heappush
from typing import Any

import simpy


class Kind(IntEnum):
    """Order of events at one instant."""

    TURN_END = 1
    FAULT = 2
    STAFF_ON = 3
    STAFF_OFF = 4
    CONTROL = 5
    OPENING = 6  # overflow opens, a sticky turn becomes free
    PATIENCE = 7
    CUSTOMER = 8
    POST = 9


LAST = (1 << 36) - 1


def order(kind: Kind, subject: int, k: int = 0) -> int:
    """Priority of an event: kind, then subject (< 2^36), then k (< 2^20)."""
    return (kind << 56) | (subject << 20) | k


class Happening(simpy.Event):
    """Something that happens at a time: one call, with what it is about."""

    def __init__(self, env: simpy.Environment, call: Callable[[Any], None], about: Any) -> None:
        self.env = env
        self.callbacks = [call]
        self._value = about
        self._ok = True
        self._defused = False


class Clock(simpy.Environment):
    """An environment whose events are put at absolute times: now + (t - now) could round."""

    def at(self, time_s: float, order: int, call: Callable[[Any], None], about: Any) -> None:
        """Call `call(event)` at `time_s`, `event.value` being `about`."""
        heappush(self._queue, (time_s, order, next(self._eid), Happening(self, call, about)))  # type: ignore[misc]

    def run_to(self, time_s: float) -> None:
        """Let everything before `time_s` happen; what is due at that very time stays for the next call.

        SimPy's own `run(until)` would stop at now + (until - now), which could round.
        """
        while self._queue and self._queue[0][0] < time_s:
            self.step()
        self._now = time_s
