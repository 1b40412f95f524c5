"""What is seen while something is sent: a table in its place on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.live import Live
from rich.table import Table

from reports.console import Terminal

LINE_S = 5.0
Status = Mapping[str, Any]


class Screen:
    """Looks on (`loadtests.runner.Watch`), and asks for the end on Ctrl-C; what it shows says each kind itself."""

    def __init__(self, terminal: Terminal, asked: Callable[[], bool]) -> None:
        self._terminal, self._asked = terminal, asked
        self._live: Live | None = None
        self._said_s = time.monotonic()

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._terminal.live:
            yield
            return
        with Live(console=self._terminal.console, refresh_per_second=4, transient=True) as self._live:
            yield

    def status(self, status: Status) -> None:
        if self._live is not None:
            self._live.update(self.table(status))
        elif time.monotonic() - self._said_s >= LINE_S:
            self._said_s = time.monotonic()
            self._terminal.say(self.line(status))

    def stopped(self) -> str:
        return "interrupted" if self._asked() else ""

    def line(self, status: Status) -> str:
        """How far it is, in one line."""
        raise NotImplementedError

    def table(self, status: Status) -> Table:
        """The same with more, under that line."""
        raise NotImplementedError


def grid(title: str, columns: Sequence[str]) -> Table:
    """An empty table of numbers with names in front."""
    table = Table(*columns, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for column in table.columns:
        column.no_wrap, column.justify = True, "right"
    table.columns[0].justify = "left"
    return table
