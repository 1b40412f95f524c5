"""Several processes behind one socket, on a store that several may have: PostgreSQL.

The first process only watches: it starts the others, starts one anew that died, and ends them all at a signal.
"""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
from collections.abc import Callable
from types import FrameType

from scenarios.errors import AshcloudError

FAILED = 3
SOON_S = 2.0  # who dies so soon after its start would do so again
ENDING = (signal.SIGINT, signal.SIGTERM)


class WorkersError(AshcloudError):
    """Processes that cannot be kept running."""

    exit_code = FAILED


def supervise(number: int, work: Callable[[Callable[[], None]], None], ready: Callable[[], None]) -> None:
    """Run `work` in so many processes until a signal.

    Parameters
    ----------
    work : callable
        Serves until it gets a signal; calls what it is given when it is ready.
    ready : callable
        Called once, here, when all are ready.

    Raises
    ------
    WorkersError
        If one dies soon after its start.
    """
    told, tell = os.pipe()
    ending: list[int] = []

    def end(sig: int, frame: FrameType | None) -> None:
        ending.append(sig)
        for pid in began:
            _send(pid)

    began: dict[int, float] = {}
    before = {each: signal.signal(each, end) for each in ENDING}
    try:
        for _ in range(number):
            _start(began, work, told, tell)
        os.set_blocking(told, False)
        waiting = number
        while began:
            waiting = _count(told, waiting)
            if waiting == 0:
                waiting = -1
                ready()
            died, status = os.waitpid(-1, os.WNOHANG)
            if died == 0:
                time.sleep(0.05)
                continue
            lived_s = time.monotonic() - began.pop(died)
            if ending:
                continue
            if lived_s < SOON_S:
                end(signal.SIGTERM, None)
                raise WorkersError(f"a process of the service ended with {os.waitstatus_to_exitcode(status)}")
            _start(began, work, told, tell)
    finally:
        for pid in began:
            _send(pid)
        for pid in list(began):
            os.waitpid(pid, 0)
        for each, handler in before.items():
            signal.signal(each, handler)
        os.close(told)
        os.close(tell)


def _count(told: int, waiting: int) -> int:
    """How many are still not ready; below zero when that was told already."""
    if waiting <= 0:
        return waiting
    try:
        return waiting - len(os.read(told, waiting))
    except BlockingIOError:
        return waiting


def _start(began: dict[int, float], work: Callable[[Callable[[], None]], None], told: int, tell: int) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        began[pid] = time.monotonic()
        return
    code = FAILED

    def ready() -> None:
        os.write(tell, b".")

    try:
        for each in ENDING:
            signal.signal(each, signal.SIG_DFL)
        work(ready)
        code = 0
    except AshcloudError as fault:
        print(fault, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _send(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
