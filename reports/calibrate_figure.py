"""The figure of a calibration: the history against what was fitted, its ordinary week, and its largest surge."""

from __future__ import annotations

import io
from datetime import UTC, datetime

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports import formats as fm
from reports import palette
from reports.drawing import STYLE, WIDE_IN, Drawing, svg
from reports.figures import legend, plain
from reports.timeline import timeline
from scenarios.history.calibrate import Calibrated
from scenarios.history.series import SLOTS

FloatArray = NDArray[np.float64]
DPI = 110
DAYS_OF_STEPS = ((21.0, 1.0), (120.0, 6.0), (400.0, 24.0), (np.inf, 168.0))
ROOM = 12
AROUND_H = 24.0
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def title(done: Calibrated) -> str:
    """The finding of the figure."""
    n = len(done.fit.pulses)
    surges = "No surge" if n == 0 else "1 surge" if n == 1 else f"{n} surges"
    held = done.held_back
    if held is None:
        return f"{surges} in {done.fit.series.days:,.0f} days"
    return (
        f"{surges} held out; hours that were kept back are missed by {held.model.wape:.0%}, by the mean of "
        f"{held.behind} weeks by {held.baseline.wape:.0%}, by chance alone by {done.errors.chance_wape:.0%}"
    ).replace("%", " %")


def draw_history(ax: Axes, done: Calibrated) -> Axes:
    """Draw all contacts an hour, what was fitted with and without surges, and what was held out."""
    fit, series = done.fit, done.fit.series
    step_h = next(step for days, step in DAYS_OF_STEPS if series.days <= days)
    per = max(round(step_h / series.step_h), 1)
    n = series.n // per
    edges = np.arange(n + 1, dtype=np.float64) * per * series.step_h
    came, base, whole = (_means(x, per) / series.step_h for x in (
        np.where(series.known, series.total, np.nan), fit.expected, fit.expected * (1.0 + fit.excess)))  # fmt: skip
    _shade_held_out(ax, done, edges)
    ax.stairs(came, edges, color=palette.VERMILLION, linewidth=1.0, baseline=None, label="contacts")
    ax.stairs(whole, edges, color=palette.INK, linewidth=0.9, baseline=None, label="fitted, with surges")
    ax.stairs(base, edges, color=palette.BLUE, linewidth=1.4, baseline=None, label="ordinary week")
    _clock(ax, done, 0.0, float(edges[-1]))
    return _dressed(ax, "The whole history")


def draw_week(ax: Axes, done: Calibrated) -> Axes:
    """Draw each hour of the week: where eight of ten weeks lie, their mean, and what was fitted."""
    fit, series = done.fit, done.fit.series
    weeks = int(series.week[-1]) + 1
    place = series.week * SLOTS + series.slot
    hours = np.bincount(place, fit.used * series.step_h, weeks * SLOTS)
    came = np.bincount(place, np.where(fit.used, series.total, 0.0), weeks * SLOTS)
    whole = np.full(weeks * SLOTS, np.nan)
    np.divide(came, hours, out=whole, where=hours > 0.99)
    table = whole.reshape(weeks, SLOTS)
    told = np.isfinite(table).any(axis=0)
    low, high, mean = (np.full(SLOTS, np.nan) for _ in range(3))
    low[told], high[told] = np.nanquantile(table[:, told], (0.1, 0.9), axis=0)
    mean[told] = np.nanmean(table[:, told], axis=0)
    edges = np.arange(SLOTS + 1)
    ax.stairs(high, edges, baseline=low, fill=True, color=palette.VERMILLION, alpha=0.18, linewidth=0,
              label="80 % of the weeks")  # fmt: skip
    ax.stairs(mean, edges, color=palette.VERMILLION, linewidth=1.0, baseline=None, label="mean of the weeks")
    fitted = fit.base.week.rates().sum(axis=1) * float(fit.base.level.weeks.mean())
    ax.stairs(fitted, edges, color=palette.BLUE, linewidth=1.4, baseline=None, label="fitted")
    ax.set_xlim(0, SLOTS)
    ax.set_xticks(np.arange(0, SLOTS + 1, 24))
    ax.set_xticklabels([])
    for day, name in enumerate(WEEKDAYS):
        ax.text(24 * day + 12, -0.04, name, transform=ax.get_xaxis_transform(), ha="center", va="top")
    return _dressed(ax, "An ordinary week")


def draw_surge(ax: Axes, done: Calibrated) -> Axes:
    """Draw the largest surge: contacts an hour, and the pulse that was fitted."""
    fit, series = done.fit, done.fit.series
    edges_h = np.arange(series.n + 1, dtype=np.float64) * series.step_h
    largest = max(fit.pulses, key=lambda each: float((each.mean(edges_h) * fit.expected).sum()))
    per = max(round(1.0 / series.step_h), 1)
    a = max(int((largest.at_h - AROUND_H) / series.step_h), 0) // per * per
    b = min(int((largest.end_h + AROUND_H) / series.step_h), series.n)
    b = a + (b - a) // per * per
    edges = edges_h[a : b + 1 : per]
    came, base, whole = (_means(x[a:b], per) / series.step_h for x in (
        np.where(series.known, series.total, np.nan), fit.expected, fit.expected * (1.0 + fit.excess)))  # fmt: skip
    ax.stairs(came, edges, color=palette.VERMILLION, linewidth=1.0, baseline=None, label="contacts")
    ax.stairs(whole, edges, color=palette.INK, linewidth=1.2, baseline=None, label="fitted, with surges")
    ax.stairs(base, edges, color=palette.BLUE, linewidth=1.4, baseline=None, label="ordinary week")
    _clock(ax, done, float(edges[0]), float(edges[-1]))
    return _dressed(ax, "The largest surge")


def drawn(done: Calibrated) -> tuple[Drawing, bytes]:
    """The figure as SVG, and as PNG with its finding above it."""
    text = title(done)
    with mpl.rc_context(STYLE):
        wide = svg(_figure(done), "calibrate", text)
        whole = _figure(done)
        whole.set_facecolor(palette.PAPER)
        whole.suptitle(text.replace(fm.NBSP, " "), x=0.01, ha="left", fontsize=10.0)
        file = io.BytesIO()
        whole.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return Drawing("calibrate", text, wide, wide), file.getvalue()


def _figure(done: Calibrated) -> Figure:
    panels = 3 if done.fit.pulses else 2
    figure = Figure(figsize=(WIDE_IN, 2.6 * panels), layout="constrained")
    axes = figure.subplots(panels, 1)
    for ax, draw in zip(axes, (draw_history, draw_week, draw_surge), strict=False):
        legend(draw(ax, done), 5)
    return figure


def _shade_held_out(ax: Axes, done: Calibrated, edges: FloatArray) -> None:
    """Shade what the ordinary week was not fitted to."""
    fit, step_h = done.fit, done.fit.series.step_h
    out = (~fit.used)[: round(float(edges[-1]) / step_h)]
    edge = np.flatnonzero(np.diff(np.concatenate([[False], out, [False]]).astype(np.int8)))
    for i, (a, b) in enumerate(zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True)):
        name = "held out" if i == 0 else "_"
        ax.axvspan(a * step_h, b * step_h, color=palette.SHADE, zorder=0, linewidth=0, label=name)


def _means(x: FloatArray, per: int) -> FloatArray:
    """Means of `per` neighbours; nan where one is missing."""
    out: FloatArray = x[: x.size // per * per].reshape(-1, per).mean(axis=1)
    return out


def _clock(ax: Axes, done: Calibrated, low_h: float, high_h: float) -> None:
    """Local clock times under a panel, between two hours from the start of the history."""
    series = done.fit.series
    start = datetime.fromtimestamp(series.start_s, UTC).astimezone(series.zone).replace(tzinfo=None)
    ticks = timeline(done.scenario.model_copy(update={"onset_local": start}), low_h, high_h, ROOM).clock
    ax.set_xlim(low_h, high_h)
    ax.set_xticks([hour for hour, _ in ticks], [label for _, label in ticks])


def _dressed(ax: Axes, name: str) -> Axes:
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
    ax.set_ylabel("contacts an hour")
    ax.set_title(name, loc="right", color=palette.SOFT)
    ax.grid(True, color=palette.GRID, linewidth=0.6)
    plain(ax)
    return ax
