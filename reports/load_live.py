"""What is seen while a replay runs: a table in its place on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rich.table import Table

from loadtests import slo
from loadtests.histogram import Histogram
from loadtests.slo import Objective
from reports import live
from reports.console import Terminal
from reports.live import Status, grid

COLUMNS = ("phase", "answered", "failed", "shed", "dropped", "p50 ms", "p95 ms", "p99 ms", "lag ms")


class Screen(live.Screen):
    """Progress of a replay; also asks for the end when nothing can mend an objective.

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
        super().__init__(terminal, asked)
        self._span_s, self._rows, self._objectives = span_s, rows, objectives
        self._lost = 0
        self._ended = False

    def status(self, status: Status) -> None:
        self._ended = self._ended or bool(slo.lost(self._objectives, status["tallies"], self._rows))
        if status["lost"] > self._lost:
            self._lost = status["lost"]
            self._terminal.say(f"note: a worker is lost, {self._lost} in all; its rows are booked as lost")
        super().status(status)

    def stopped(self) -> str:
        return super().stopped() or ("aborted" if self._ended else "")

    def line(self, status: Status) -> str:
        return line(status, self._span_s)

    def table(self, status: Status) -> Table:
        """Rows by phase, with a title that tells how far it is."""
        table = grid(line(status, self._span_s), COLUMNS)
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
