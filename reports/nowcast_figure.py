"""The figure of a nowcast: the hours seen, the fan of cases and mentions ahead, and the queue that comes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports import formats as fm
from reports import palette
from reports.drawing import STYLE, WIDE_IN, WIDE_ROOM, Drawing, svg
from reports.figures import dressed, legend
from reports.timeline import Timeline, timeline
from scenarios.laws import FloatArray
from sim.staff.nowcast import Nowcast
from sim.staff.nowcast_fan import LEVELS, Band, band

NAME = "nowcast"
SHADES = dict(zip(LEVELS, (0.55, 0.32, 0.16), strict=True))
HEIGHTS_IN = (2.0, 1.5, 1.9)


def draw_counts(ax: Axes, told: Nowcast, what: str, axis: Timeline) -> Axes:
    """Draw cases or mentions an hour: as seen, the fan ahead, and what an ordinary day would bring."""
    bins, seen = told.posterior.law.bins, told.posterior.counts.seen
    lengths = bins.to_h - bins.from_h
    values = told.posterior.counts.values
    counted = values[0] if what == "cases" else values.sum(axis=0)
    for place in range(seen):
        edges = np.array([bins.from_h[place], bins.to_h[place]])
        name = "seen" if place == 0 else "_"
        ax.stairs(
            counted[place : place + 1] / lengths[place], edges, fill=True, color=palette.EDGE, linewidth=0, label=name
        )
    edges = np.append(bins.from_h[seen:], bins.to_h[-1])
    _fan(ax, band(told.ahead.of(what)), edges, palette.BLUE)
    ordinary = told.ordinary(what) / lengths
    ax.stairs(
        ordinary[seen:],
        edges,
        baseline=None,
        color=palette.INK,
        linewidth=1.0,
        linestyle=(0, (1, 2)),
        label="ordinary day",
    )
    total = band(told.ahead.of(what).sum(axis=1))
    low, high = total.ends[0.8]
    title = (
        f"{fm.about(round(float(low)))} to {fm.about(round(float(high)))} {what} in the next {told.hours} hours, "
        f"with 80{fm.NBSP}%; an ordinary day brings {fm.about(round(float(told.ordinary(what)[seen:].sum())))}"
    )
    return _dressed(ax, f"{what} an hour", title, told, axis, last=False)


def draw_queue(ax: Axes, told: Nowcast, axis: Timeline) -> Axes:
    """Draw the cases that wait for a first answer: the fan without a call, and with one now."""
    nobody, now = told.way("nobody"), told.way("now")
    first = 0 if nobody is None else nobody
    hours = told.now_h + np.arange(told.hours + 1, dtype=np.float64)
    found = band(np.array([draw.played[first].backlog for draw in told.draws], dtype=np.float64))
    for level in reversed(LEVELS):
        low, high = found.ends[level]
        ax.fill_between(hours, low, high, color=palette.VERMILLION, alpha=SHADES[level], linewidth=0)
    name = "nobody called in: middle, 50, 80, 95 %" if nobody is not None else "middle, 50, 80, 95 %"
    ax.plot(hours, found.median, color=palette.VERMILLION, linewidth=1.6, label=name)
    end = float(found.median[-1])
    at = fm.clock(told.clock(told.hours))
    title = f"About {fm.about(round(end))} cases wait at {at}"
    if now is not None:
        with_call = band(np.array([draw.played[now].backlog for draw in told.draws], dtype=np.float64))
        low, high = with_call.ends[0.8]
        ax.fill_between(
            hours, low, high, facecolor="none", edgecolor=palette.GREEN, linewidth=0.0, hatch="////", alpha=0.5
        )
        ax.plot(hours, with_call.median, color=palette.GREEN, linewidth=1.6, linestyle=(0, (4, 1.5)),
                label="called in now: middle, 80 %")  # fmt: skip
        title += f" if nobody is called in, {fm.about(round(float(with_call.median[-1])))} if they are called now"
    return _dressed(ax, "cases waiting", title, told, axis, last=True)


def _fan(ax: Axes, found: Band, edges: FloatArray, colour: str) -> None:
    for level in reversed(LEVELS):
        low, high = found.ends[level]
        ax.stairs(high, edges, baseline=low, fill=True, color=colour, alpha=SHADES[level], linewidth=0,
                  label=f"{level:.0%}".replace("%", " %"))  # fmt: skip
    ax.stairs(found.median, edges, baseline=None, color=palette.BLUE_INK, linewidth=1.6, label="middle")


def _dressed(ax: Axes, label: str, title: str, told: Nowcast, axis: Timeline, last: bool) -> Axes:
    ax.axvline(told.now_h, color=palette.INK, linewidth=1.0)
    return dressed(ax, label, title, axis, last)


def figure(told: Nowcast) -> tuple[Figure, Sequence[Axes]]:
    """The three panels under each other, each with its finding as the title."""
    bins = told.posterior.law.bins
    axis = timeline(told.scenario, float(bins.from_h[0]), float(bins.to_h[-1]), WIDE_ROOM)
    if not told.stated:
        axis = replace(axis, hours=())  # nobody knows from when they would count
    left, right, gap, below = 0.85, 0.3, 0.62, 0.8
    inner = WIDE_IN - left - right
    total = sum(HEIGHTS_IN) + gap * len(HEIGHTS_IN) + below
    made = Figure(figsize=(WIDE_IN, total))
    axes = []
    top = total - gap
    for height in HEIGHTS_IN:
        ax = made.add_axes((left / WIDE_IN, (top - height) / total, inner / WIDE_IN, height / total))
        ax.yaxis.set_label_coords(-(left - 0.2) / inner, 0.5)
        axes.append(ax)
        top -= height + gap
    draw_counts(axes[0], told, "cases", axis)
    draw_counts(axes[1], told, "mentions", axis)
    draw_queue(axes[2], told, axis)
    for ax in axes:
        legend(ax, 8)
        ax.set_title(ax.get_title(loc="left"), loc="left", pad=20.0)
    return made, axes


def drawing(told: Nowcast) -> Drawing:
    """The figure, in one width; its title is that of its first panel."""
    with mpl.rc_context(STYLE):
        made, axes = figure(told)
        title = axes[0].get_title(loc="left")
        wide = svg(made, NAME, title)
    return Drawing(NAME, title, wide, wide)
