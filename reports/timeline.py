"""The time axis: local clock times for people to read, hours from onset underneath."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes

from reports import palette
from reports.formats import DAYS, MONTHS
from scenarios.model import Scenario

UTC = ZoneInfo("UTC")
CLOCK_STEPS = (1, 2, 3, 6, 12, 24)
HOUR_STEPS = (1, 2, 3, 6, 12, 24, 48, 72, 96, 120, 168, 240, 336, 672, 1344)
MONTH_H = 24.0 * 31.0


@dataclass(frozen=True)
class Timeline:
    """From when to when, in hours from onset, and how they read on the local clock.

    Attributes
    ----------
    start_h, end_h : float
    clock : tuple of (hour, label)
        Ticks at round local clock times.
    hours : tuple of float
        Ticks at round hours from onset.
    zone : str
    """

    start_h: float
    end_h: float
    clock: tuple[tuple[float, str], ...]
    hours: tuple[float, ...]
    zone: str

    def dress(self, ax: Axes, last: bool = True) -> None:
        """Put the axis under `ax`: clock times, and below them hours from onset.

        Only the `last` of several panels has labels; all have the same lines.
        """
        ax.set_xlim(self.start_h, self.end_h)
        ax.set_xticks([hour for hour, _ in self.clock])
        ax.grid(True, axis="x", color=palette.GRID, linewidth=0.6)
        if self.start_h < 0.0 < self.end_h:
            ax.axvline(0.0, color=palette.EDGE, linewidth=0.8, linestyle=(0, (1, 2)))
        if not last:
            ax.set_xticklabels([])
            return
        ax.set_xticklabels([label for _, label in self.clock])
        below = ax.secondary_xaxis("bottom")
        below.spines["bottom"].set_position(("outward", 30.0))
        below.spines["bottom"].set_color(palette.GRID)
        below.set_xticks(self.hours)
        below.set_xticklabels([f"{hour:+,.0f} h" if hour else "onset" for hour in self.hours])
        below.tick_params(labelsize="small", labelcolor=palette.SOFT, color=palette.GRID, length=2.5)


def timeline(scenario: Scenario, start_h: float, end_h: float, room: int) -> Timeline:
    """The time axis of a scenario between two hours, with at most about `room` ticks."""
    span = end_h - start_h
    per_day = [step for step in CLOCK_STEPS if span / step <= room]
    if per_day:
        clock = _clock_ticks(scenario, start_h, end_h, per_day[0], 1)
    else:
        days = next(n for n in (2, 3, 4, 7, 14, 28, 56, 112, 365) if span / (24 * n) <= room or n == 365)
        clock = _clock_ticks(scenario, start_h, end_h, 24, days)
    step = next((each for each in HOUR_STEPS if span / each <= room), HOUR_STEPS[-1])
    first = int(-(-start_h // step)) * step
    hours = tuple(float(hour) for hour in range(first, int(end_h) + 1, step))
    return Timeline(start_h, end_h, clock, hours, scenario.timezone)


def _clock_ticks(
    scenario: Scenario, start_h: float, end_h: float, step_h: int, every_days: int
) -> tuple[tuple[float, str], ...]:
    zone = ZoneInfo(scenario.timezone)
    onset = scenario.clock(0.0, "UTC")
    day = scenario.clock(start_h * 3600.0).date()
    last = scenario.clock(end_h * 3600.0).date()
    ticks = []
    while day <= last:
        for hour in range(0, 24, step_h):
            local = datetime(day.year, day.month, day.day, hour, tzinfo=zone)
            at_h = (local.astimezone(UTC) - onset).total_seconds() / 3600.0
            if start_h <= at_h <= end_h:
                ticks.append((at_h, _label(local, step_h, every_days)))
        day += timedelta(days=every_days)
    return tuple(ticks)


def _label(local: datetime, step_h: int, every_days: int) -> str:
    date = f"{local.day} {MONTHS[local.month - 1]}"
    if step_h < 24:
        return f"{DAYS[local.weekday()]}\n{local.hour:02d}:00"
    return f"{DAYS[local.weekday()]}\n{date}" if every_days < 28 else f"{date}\n{local.year}"
