"""A wake-up at an absolute time, to microseconds, inside whatever loop is running.

Loops of events round their own timers up to about a millisecond, which would be the error of every send.
On Linux a timer of the kernel is a file that the loop can watch; elsewhere the loop's timer has to do.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

READ, WRITE = 1, 2
_NONBLOCKING, _ABSOLUTE = 0o4000, 1


class Watcher(Protocol):
    """Calls back when something happens; of gevent's hub, or of a loop in a test."""

    events: int

    def start(self, callback: Callable[..., Any], *args: Any) -> None: ...
    def stop(self) -> None: ...
    def close(self) -> None: ...


class Loop(Protocol):
    """What the sender needs of a loop of events."""

    def io(self, fd: int, events: int) -> Watcher: ...
    def timer(self, after: float) -> Watcher: ...


def kernel_timer() -> int:
    """A descriptor that can be read when its time has come, -1 where there is no such thing."""
    if sys.platform != "linux":
        return -1
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.timerfd_create(time.CLOCK_MONOTONIC, _NONBLOCKING)) if hasattr(libc, "timerfd_create") else -1


class Alarm:
    """One wake-up at a time, by the clock of `time.monotonic`.

    Parameters
    ----------
    loop : Loop
    callback : callable without arguments
        Called inside the loop, never before the time that was set.
    """

    def __init__(self, loop: Loop, callback: Callable[[], None]) -> None:
        self._callback = callback
        self._loop = loop
        self._fd = kernel_timer()
        if self._fd >= 0:
            self._settime = ctypes.CDLL(None, use_errno=True).timerfd_settime
            self._spec = ctypes.create_string_buffer(32)
            self._watcher = loop.io(self._fd, READ)
            self._watcher.start(self._fired)
        else:
            self._watcher = loop.timer(0.0)

    def at(self, when_s: float) -> None:
        """Wake up at this time, and not at the one that was set before."""
        if self._fd >= 0:
            whole = int(when_s)
            struct.pack_into("qqqq", self._spec, 0, 0, 0, whole, max(1, int((when_s - whole) * 1e9)))
            self._settime(self._fd, _ABSOLUTE, self._spec, None)
            return
        self._watcher.close()
        self._watcher = self._loop.timer(max(0.0, when_s - time.monotonic()))
        self._watcher.start(self._callback)

    def close(self) -> None:
        self._watcher.stop()
        self._watcher.close()
        if self._fd >= 0:
            os.close(self._fd)

    def _fired(self) -> None:
        with suppress(BlockingIOError):  # set anew in the meantime
            os.read(self._fd, 8)
        self._callback()
