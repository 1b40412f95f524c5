"""A loop of events as the sender needs it, on the kernel's selector alone: no Locust, no greenlets.

The search for the breaking point sends through it, since its steps are many and short and Locust
takes a second and more to start.
"""

from __future__ import annotations

import heapq
import itertools
import selectors
import time
from collections.abc import Callable
from typing import Any

from loadtests.alarm import READ, WRITE

_EVENTS = {READ: selectors.EVENT_READ, WRITE: selectors.EVENT_WRITE, READ | WRITE: 3}


class SelectorLoop:
    """Calls back when a descriptor can be read or written, or a time has come."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[float, int, _Timer]] = []
        self._number = itertools.count()

    def io(self, fd: int, events: int) -> _Descriptor:
        return _Descriptor(self._selector, fd, events)

    def timer(self, after: float) -> _Timer:
        return _Timer(self, after)

    def once(self, most_s: float) -> None:
        """Wait for something to happen, at most so long, and call back whom it concerns."""
        if self._timers:
            most_s = min(most_s, max(0.0, self._timers[0][0] - time.monotonic()))
        for key, _ in self._selector.select(most_s):
            watcher: _Descriptor = key.data
            if watcher.active:  # an earlier callback of this round may have stopped it
                watcher.fire()
        while self._timers and self._timers[0][0] <= time.monotonic():
            self._timers[0][2].fire(heapq.heappop(self._timers)[1])

    def close(self) -> None:
        self._selector.close()

    def add(self, when_s: float, timer: _Timer) -> int:
        number = next(self._number)
        heapq.heappush(self._timers, (when_s, number, timer))
        return number


class _Descriptor:
    def __init__(self, selector: selectors.BaseSelector, fd: int, events: int) -> None:
        self._selector, self._fd, self.events, self.active = selector, fd, events, False

    def start(self, callback: Callable[..., Any], *args: Any) -> None:
        self._callback, self._args = callback, args
        self._selector.register(self._fd, _EVENTS[self.events], self)
        self.active = True

    def stop(self) -> None:
        if self.active:
            self._selector.unregister(self._fd)
            self.active = False

    def close(self) -> None:
        self.stop()

    def fire(self) -> None:
        self._callback(*self._args)


class _Timer:
    events = 0

    def __init__(self, loop: SelectorLoop, after_s: float) -> None:
        self._loop, self._after_s, self._number = loop, after_s, -1

    def start(self, callback: Callable[..., Any], *args: Any) -> None:
        self._callback, self._args = callback, args
        self._number = self._loop.add(time.monotonic() + self._after_s, self)

    def stop(self) -> None:
        self._number = -1

    def close(self) -> None:
        self.stop()

    def fire(self, number: int) -> None:
        if number == self._number:
            self._number = -1
            self._callback(*self._args)
