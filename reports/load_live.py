"""What is seen while a replay runs: a table in its place on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich.live import Live
from rich.table import Table

from loadtests import slo
from loadtests.histogram import Histogram
from loadtests.slo import Objective
from reports.console import Terminal

LINE_S = 5.0
COLUMNS = ("phase", "answered", "failed", "shed", "dropped", "p50 ms", "p95 ms", "p99 ms", "lag ms")


class Screen:
    """Looks on (`loadtests.runner.Watch`), and asks for the end: on Ctrl-C, or when nothing can mend an objective.

    Parameters
    ----------
    rows : mapping of str to int
        Rows that are due in each phase, see `loadtests.slo.lost`.
    objectives : sequence of Objective
        For which the replay is ended; empty: for none.
    """

    def __init__(
        self, terminal: Terminal, span_s: float, rows: Mapping[str, int], objectives: Sequence[Objective],
        asked: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._terminal, self._span_s, self._asked = terminal, span_s, asked
        self._rows, self._objectives = rows, objectives
        self._live: Live | None = None
        self._said_s = time.monotonic()
        self._lost = 0
        self._ended = False

    @contextmanager
    def shown(self) -> Iterator[None]:
        if not self._terminal.live:
            yield
            return
        with Live(console=self._terminal.console, refresh_per_second=4, transient=True) as self._live:
            yield

    def status(self, status: Mapping[str, Any]) -> None:
        self._ended = self._ended or bool(slo.lost(self._objectives, status["tallies"], self._rows))
        if status["lost"] > self._lost:
            self._lost = status["lost"]
            self._terminal.say(f"note: a worker is lost, {self._lost} in all; its rows are booked as lost")
        if self._live is not None:
            self._live.update(self.table(status))
        elif time.monotonic() - self._said_s >= LINE_S:
            self._said_s = time.monotonic()
            self._terminal.say(line(status, self._span_s))

    def stopped(self) -> str:
        if self._asked():
            return "interrupted"
        return "aborted" if self._ended else ""

    def table(self, status: Mapping[str, Any]) -> Table:
        """Rows by phase, with a title that tells how far it is."""
        title = line(status, self._span_s)
        table = Table(*COLUMNS, title=title, title_justify="left", box=None, padding=(0, 2, 0, 0))
        for column in table.columns:
            column.no_wrap, column.justify = True, "right"
        table.columns[0].justify = "left"
        whole, *phases = status["tallies"]
        for tally in (*(p for p in phases if _any(p)), whole):
            table.add_row(*_cells(tally))
        return table


def line(status: Mapping[str, Any], span_s: float) -> str:
    """How far it is, in one line."""
    whole = status["tallies"][0]
    ended = sum(whole[name] for name in ("answered", "failed", "shed"))
    wrong = sum(whole[name] for name in ("failed", "shed", "dropped"))
    at_s = min(max(status["at_s"], 0.0), span_s)
    return (
        f"load: {at_s:.0f} of {span_s:.0f} s, due {status['due']:,}, ended {ended:,}, "
        f"in flight {status['in_flight']:,}, wrong {wrong:,}"
    )


def _any(tally: Mapping[str, Any]) -> bool:
    return any(tally[name] for name in ("answered", "failed", "shed", "dropped"))


def _cells(tally: Mapping[str, Any]) -> tuple[str, ...]:
    latency, lag = Histogram.from_dict(tally["latency"]), Histogram.from_dict(tally["lag"])
    counts = (f"{tally[name]:,}" for name in ("answered", "failed", "shed", "dropped"))
    return (str(tally["name"]), *counts, *(in_ms(latency.quantile_s(q)) for q in (0.5, 0.95, 0.99)),
            in_ms(lag.quantile_s(0.99)))  # fmt: skip


def in_ms(time_s: float | None) -> str:
    """Milliseconds to three digits without their unit, for a column that names it; a dash for none."""
    if time_s is None or time_s != time_s:
        return "-"
    value = 1e3 * time_s
    return f"{value:,.0f}" if value >= 100.0 else f"{value:.1f}" if value >= 10.0 else f"{value:.2f}"


def ms(time_s: float | None) -> str:
    """Milliseconds to three digits, seconds above ten thousand of them; a dash for none."""
    if time_s is None or time_s != time_s:
        return "-"
    if time_s >= 10.0:
        return f"{time_s:,.0f} s"
    return f"{in_ms(time_s)} ms"
