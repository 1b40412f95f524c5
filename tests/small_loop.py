"""A loop of events for tests of the sender without Locust: descriptors and timers, nothing else."""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Any

from loadtests.alarm import READ, Watcher


class SmallLoop:
    """As much of gevent's loop as `loadtests.alarm.Loop` asks for."""

    def __init__(self) -> None:
        self.watching: dict[int, _Io] = {}
        self.timers: list[_Timer] = []

    def io(self, fd: int, events: int) -> Watcher:
        return _Io(self, fd, events)

    def timer(self, after: float) -> Watcher:
        return _Timer(self, after)

    def run(self, until: Callable[[], bool], limit_s: float = 10.0) -> None:
        """Call back until something is true; fails if it is not within the limit."""
        end_s = time.monotonic() + limit_s
        while not until():
            assert time.monotonic() < end_s, "it did not come true in time"
            poll = select.poll()
            for fd, watcher in self.watching.items():
                poll.register(fd, select.POLLIN if watcher.events == READ else select.POLLOUT)
            for fd, _ in poll.poll(2.0):
                if fd in self.watching:
                    self.watching[fd].callback()
            for timer in [timer for timer in self.timers if timer.at_s <= time.monotonic()]:
                timer.stop()
                timer.callback()


class _Io:
    def __init__(self, loop: SmallLoop, fd: int, events: int) -> None:
        self._loop, self._fd, self.events = loop, fd, events

    def start(self, callback: Callable[..., Any], *args: Any) -> None:
        self.callback: Callable[[], Any] = lambda: callback(*args)
        self._loop.watching[self._fd] = self

    def stop(self) -> None:
        if self._loop.watching.get(self._fd) is self:
            del self._loop.watching[self._fd]

    def close(self) -> None:
        self.stop()


class _Timer:
    events = 0

    def __init__(self, loop: SmallLoop, after: float) -> None:
        self._loop, self.at_s = loop, time.monotonic() + after

    def start(self, callback: Callable[..., Any], *args: Any) -> None:
        self.callback: Callable[[], Any] = lambda: callback(*args)
        self._loop.timers.append(self)

    def stop(self) -> None:
        if self in self._loop.timers:
            self._loop.timers.remove(self)

    def close(self) -> None:
        self.stop()
