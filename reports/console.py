"""What the user sees while he waits: a bar on a terminal, a plain line now and then elsewhere; Ctrl-C."""

from __future__ import annotations

import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from scenarios.errors import AshcloudError
from scenarios.storage import redact
from sim.crew import Watch

__all__ = ["Terminal", "failed", "for_results", "redact"]

COMPONENT_FAILED = 3
LINE_S = 15.0
MANY_LINES_S = 2.0


def for_results() -> Console:
    """The console for standard output."""
    return Console(highlight=False, markup=False, emoji=False)


def failed(error: Exception) -> int:
    """Say on standard error what went wrong, secrets hidden; returns the exit code. Bugs keep their traceback."""
    if isinstance(error, AshcloudError):
        print(redact(str(error)), file=sys.stderr)
        return error.exit_code
    traceback.print_exception(error)
    return COMPONENT_FAILED


class Terminal:
    """Tells the user on standard error how it goes."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

    def say(self, text: str) -> None:
        """Print a line, secrets hidden."""
        self._console.print(redact(text))

    @property
    def live(self) -> bool:
        """Whether what is shown may change in its place."""
        return self._console.is_terminal and not self._console.is_dumb_terminal

    @property
    def console(self) -> Console:
        """Standard error."""
        return self._console

    @contextmanager
    def held(self) -> Iterator[Callable[[], bool]]:
        """Inside, the first Ctrl-C makes the yielded question answer yes; the second one interrupts."""
        with _held(self) as stop:
            yield lambda: stop.asked

    @contextmanager
    def waiting(self, what: str, pieces: int) -> Iterator[Watch]:
        """Show progress; inside, the first Ctrl-C asks the watched to stop, the second one interrupts."""
        with (
            _bar(self._console, what, pieces) if self.live else _lines(self, what, pieces) as show,
            _held(self) as stop,
        ):
            yield _Told(self, show, stop)


class _Stop:
    """Whether the user has had enough."""

    def __init__(self) -> None:
        self.asked = False
        self.said = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True  # said later: nothing may be printed here, in the middle of another print


class _Told(Watch):
    def __init__(self, terminal: Terminal, show: Any, stop: _Stop) -> None:
        self._terminal, self._show, self._stop = terminal, show, stop

    def progress(self, share: float, finished: int) -> None:
        self._show(share, finished)

    def notice(self, text: str) -> None:
        self._terminal.say(f"note: {text}")

    def stopped(self) -> bool:
        if self._stop.asked and not self._stop.said:
            self._stop.said = True
            self._terminal.say("stopping; what has finished is kept (Ctrl-C again: at once)")
        return self._stop.asked


@contextmanager
def _held(terminal: Terminal) -> Iterator[_Stop]:
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread hears signals
        return
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, stop) for number in signals]
    try:
        yield stop
    finally:
        for number, handler in zip(signals, before, strict=True):
            # Once asked to stop, the command only writes down what it has: nothing may end that.
            signal.signal(number, signal.SIG_IGN if stop.asked else handler)


@contextmanager
def _bar(console: Console, what: str, pieces: int) -> Iterator[Any]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[finished]} of {task.fields[pieces]} runs"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(what, total=1.0, finished=0, pieces=pieces)
        yield lambda share, finished: progress.update(task, completed=share, finished=finished)


@contextmanager
def _lines(terminal: Terminal, what: str, pieces: int) -> Iterator[Any]:
    begun = said_at = time.monotonic()
    said = 0

    def show(share: float, finished: int) -> None:
        nonlocal said_at, said
        now = time.monotonic()
        news = finished > said and (said == 0 or now - said_at >= MANY_LINES_S)
        if news or now - said_at >= LINE_S:
            terminal.say(f"{what}: {finished} of {pieces} runs done, {share:.0%}, {now - begun:.0f} s")
            said, said_at = finished, now

    yield show
