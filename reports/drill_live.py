"""What is seen while a drill goes on."""

from __future__ import annotations

from collections.abc import Callable

from rich.table import Table

from reports.console import Terminal
from reports.live import Screen, Status, grid

HOUR_S = 3600.0


class DrillScreen(Screen):
    """How far it is on its own clock, who waits and who is at work.

    Parameters
    ----------
    span_s : (float, float)
        From when to when posts are written, in scenario seconds.
    drain_h : float
        How long it goes on beyond.
    """

    def __init__(
        self, terminal: Terminal, span_s: tuple[float, float], drain_h: float, asked: Callable[[], bool]
    ) -> None:
        super().__init__(terminal, asked)
        self._start_s, self._until_s = span_s[0], span_s[1] + drain_h * HOUR_S

    def line(self, status: Status) -> str:
        hours, of = ((each - self._start_s) / HOUR_S for each in (self._at_s(status), self._until_s))
        return (
            f"drill: {hours:.1f} of {of:.1f} h, {status['posts']:,} posts, {status['replies']:,} replies, "
            f"{status['waiting']:,} waiting, {status['failed']:,} requests failed"
        )

    def table(self, status: Status) -> Table:
        hours, of = ((each - self._start_s) / HOUR_S for each in (self._at_s(status), self._until_s))
        table = grid(f"drill: {hours:.1f} of {of:.1f} h", ("", "now", "so far"))
        table.add_row("cases waiting", f"{status['waiting']:,}", "")
        table.add_row("agents at work", f"{status['at_work']:,} of {status['there']:,}", "")
        for name, key in (("posts", "posts"), ("replies", "replies"), ("requests failed", "failed")):
            table.add_row(name, "", f"{status[key]:,}")
        return table

    def _at_s(self, status: Status) -> float:
        return min(float(status["scenario_s"]), self._until_s)
