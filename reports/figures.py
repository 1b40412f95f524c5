"""The figures of a report: each draws given numbers on given axes and says its finding in the title.

Times are hours from onset. Figures hold no other script than Latin: no glyph is ever missing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from reports import formats as fm
from reports import palette
from reports.names import LANGUAGES
from reports.series import Band
from reports.timeline import Timeline
from scenarios.names import Language
from sim.measures import FEW_CASES, PROMISE_SHARE

FloatArray = NDArray[np.float64]
Clock = Callable[[float], datetime]
"""Local time at so many seconds from onset."""
NARROW_ROWS = 8


def draw_arrivals(
    ax: Axes, edges_h: FloatArray, cases: FloatArray, capacity: FloatArray, axis: Timeline, last: bool = True
) -> Axes:
    """Draw the cases that come in against what the heads at the desk can work off, both an hour."""
    above = cases > capacity
    ax.stairs(capacity, edges_h, fill=True, color=palette.SKY, alpha=0.35, linewidth=0)
    ax.stairs(capacity, edges_h, color=palette.BLUE, linewidth=1.2, baseline=None, label="the desk can work off")
    ax.stairs(cases, edges_h, color=palette.VERMILLION, linewidth=1.6, baseline=None, label="cases come in")
    hours = float(np.sum(np.diff(edges_h)[above]))
    whole = float(edges_h[-1] - edges_h[0])
    title = (
        f"More cases come in than the desk can work off in {hours:,.0f} of {whole:,.0f} hours"
        if above.any()
        else "The desk can work off what comes in at every hour"
    )
    return dressed(ax, "cases an hour", title, axis, last)


def draw_posts(ax: Axes, edges_h: FloatArray, posts: FloatArray, axis: Timeline, last: bool = True) -> Axes:
    """Draw the posts an hour, cases included."""
    ax.stairs(posts, edges_h, fill=True, color=palette.OTHERS, linewidth=0)
    ax.stairs(posts, edges_h, color=palette.EDGE, linewidth=1.0, baseline=None, label="posts, cases included")
    return dressed(ax, "posts an hour", f"Up to {fm.about(round(float(posts.max())))} posts an hour", axis, last)


def draw_heads(
    ax: Axes, edges_h: FloatArray, staffed: FloatArray, busy: FloatArray, axis: Timeline, last: bool = True
) -> Axes:
    """Draw the heads at the desk, and how many of them have a turn in hand."""
    ax.stairs(busy, edges_h, fill=True, color=palette.GREEN, alpha=0.45, linewidth=0, label="busy")
    ax.stairs(staffed, edges_h, color=palette.INK, linewidth=1.2, baseline=None, label="at the desk")
    total = float(np.dot(staffed, np.diff(edges_h)))
    share = fm.share(float(np.dot(busy, np.diff(edges_h))) / total) if total > 0 else "none"
    title = f"{fm.count(round(float(staffed.max())))} heads at most are at the desk, busy {share} of the time"
    return dressed(ax, "heads", title, axis, last)


def draw_backlog(
    ax: Axes,
    edges_h: FloatArray,
    layers: Sequence[tuple[Language | None, FloatArray]],
    total: Band,
    axis: Timeline,
    clock: Clock,
    runs: int,
) -> Axes:
    """Draw the case turns that wait, one layer a language; None are the others.

    `total` may have a band: its upper end is a dotted line. `runs` says what it is a mean over.
    """
    starts = edges_h[:-1]
    colours = [palette.OTHERS if language is None else colour for colour, (language, _) in _paired(layers)]
    names = ["others" if language is None else LANGUAGES[language] for language, _ in layers]
    if layers:
        stack = ax.stackplot(starts, [values for _, values in layers], colors=colours, labels=names)
        for layer in stack:
            layer.set(edgecolor=palette.PAPER, linewidth=0.4)
    ax.plot(starts, total.mean, color=palette.INK, linewidth=1.0)
    if total.high is not None:
        ax.plot(starts, total.high, color=palette.INK, linewidth=0.9, linestyle=(0, (1, 2)), label="9 of 10 runs below")
    top = int(np.argmax(total.mean))
    peak = float(total.mean[top])
    when = fm.clock(clock(float(starts[top]) * fm.HOUR_S))
    title = f"The queue is longest around {when}: {fm.about(round(peak))} case turns{_on_average(runs)}"
    if peak <= 0:
        title = "No case turn waits"
    return dressed(ax, "case turns waiting", title, axis)


def draw_unread(ax: Axes, edges_h: FloatArray, unread: Band, axis: Timeline, clock: Clock, runs: int) -> Axes:
    """Draw the posts that nobody has read yet."""
    starts = edges_h[:-1]
    ax.fill_between(starts, unread.mean, color=palette.OTHERS, linewidth=0)
    ax.plot(starts, unread.mean, color=palette.EDGE, linewidth=1.2, label="posts unread")
    if unread.high is not None:
        ax.plot(
            starts, unread.high, color=palette.INK, linewidth=0.9, linestyle=(0, (1, 2)), label="9 of 10 runs below"
        )
    top = int(np.argmax(unread.mean))
    when = fm.clock(clock(float(starts[top]) * fm.HOUR_S))
    title = f"Most posts are unread around {when}: {fm.about(round(float(unread.mean[top])))}{_on_average(runs)}"
    return dressed(ax, "posts unread", title, axis)


def draw_shares(
    ax: Axes,
    edges_h: FloatArray,
    within_20: Band,
    within_60: Band,
    cases: FloatArray,
    axis: Timeline,
    clock: Clock,
) -> Axes:
    """Draw the share of the cases posted at a time that were answered within 20 and 60 minutes.

    `cases` is the number of cases behind each share, for the mean in the title.
    """
    for band, colour, style, name in (
        (within_60, palette.BLUE, "-", "within 60 minutes"),
        (within_20, palette.VERMILLION, (0, (4, 1.5)), "within 20 minutes"),
    ):
        if band.low is not None and band.high is not None:
            ax.stairs(
                100 * band.high, edges_h, baseline=100 * band.low, fill=True, color=colour, alpha=0.16, linewidth=0
            )
        ax.stairs(100 * band.mean, edges_h, color=colour, linewidth=1.6, linestyle=style, baseline=None, label=name)
    ax.axhline(100 * PROMISE_SHARE, color=palette.SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
    some = np.flatnonzero(np.isfinite(within_60.mean))
    title = "No cases came in"
    if some.size:
        low = some[int(np.argmin(within_60.mean[some]))]
        overall = float(np.dot(within_60.mean[some], cases[some]) / cases[some].sum())
        worst = fm.share(float(within_60.mean[low]))
        title = f"Answered within 60 minutes: {fm.share(overall)} of all, {worst} at the worst"
        if within_60.mean[low] < overall:
            title += f", {fm.clock(clock(float(edges_h[low]) * fm.HOUR_S))}"
    dressed(ax, "answered, %", title, axis)
    ax.set_ylim(0, 100)
    ax.set_yticks([0, 20, 40, 60, 80, 100])
    return ax


def draw_languages(
    ax: Axes,
    table: Mapping[Language, tuple[float, float | None, float | None, float]],
    worst: Language | None,
    room: float = 16.0,
) -> Axes:
    """Draw the share answered within 60 minutes of each language: (share, low, high, cases a run).

    `worst`, one with cases enough, is marked if it stands out; languages with few cases are pale.
    `room` is left for the notes at the right, in units of the axis.
    """
    rows = sorted(table.items(), key=lambda item: (-item[1][3], item[0]))
    for place, (language, (share, low, high, cases)) in enumerate(rows):
        colour = palette.VERMILLION if language is worst else palette.BLUE
        alpha = 1.0 if cases >= FEW_CASES else 0.35
        ax.barh(place, 100 * share, height=0.66, color=colour, alpha=alpha, linewidth=0)
        if low is not None and high is not None:
            ax.plot([100 * low, 100 * high], [place, place], color=palette.INK, linewidth=1.1)
        end = 100 * max(share, high or 0.0)
        note = f"{fm.share(share)} of {fm.about(round(cases, 1 if cases < 10 else None))}"
        weight = "bold" if language is worst else "normal"
        ax.annotate(
            note, (end, place), (4, 0), textcoords="offset points", va="center", color=palette.INK, weight=weight
        )
    ax.axvline(100 * PROMISE_SHARE, color=palette.SOFT, linewidth=0.8, linestyle=(0, (1, 2)))
    ax.set_yticks(range(len(rows)), [LANGUAGES[language] for language, _ in rows])
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    ax.set_xlim(0, 100.0 + room)
    ax.set_xticks([0, 20, 40, 60, 80, 100])
    ax.set_xlabel("answered within 60 minutes, % of the cases a run")
    ax.grid(True, axis="x", color=palette.GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    plain(ax)
    ax.set_title(_languages_title(table, worst))
    return ax


def _languages_title(
    table: Mapping[Language, tuple[float, float | None, float | None, float]], worst: Language | None
) -> str:
    enough = {language: row[0] for language, row in table.items() if row[3] >= FEW_CASES}
    if not enough:
        return "No language has cases enough to compare"
    low, high = min(enough.values()), max(enough.values())
    if worst is None:
        return f"No language stands out: {fm.scale('share', low).span(low, high)} within 60 minutes"
    best = max(enough, key=lambda language: enough[language])
    text = f"{LANGUAGES[worst]} waits longest: {fm.share(enough[worst])} within 60 minutes"
    return f"{text}, {LANGUAGES[best]} {fm.share(high)}" if best is not worst else text


def shade(ax: Axes, stretches_h: Sequence[tuple[float, float]]) -> Axes:
    """Shade the hours in which a fault is in force."""
    for i, (low, high) in enumerate(stretches_h):
        name = "fault in force" if i == 0 else "_"
        ax.axvspan(low, high, color=palette.SHADE, zorder=0, linewidth=0, label=name)
    return ax


def legend(ax: Axes, columns: int) -> Axes:
    """Name the lines above the axes."""
    handles, names = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles, names, loc="lower left", bbox_to_anchor=(-0.01, 0.99), ncols=columns, frameon=False,
            borderpad=0.2, handlelength=1.4, columnspacing=1.2, handletextpad=0.5, labelcolor=palette.INK,
        )  # fmt: skip
    return ax


def _on_average(runs: int) -> str:
    return " on average" if runs > 1 else ""


def _paired(
    layers: Sequence[tuple[Language | None, FloatArray]],
) -> list[tuple[str, tuple[Language | None, FloatArray]]]:
    return [(palette.FILLS[i % len(palette.FILLS)], layer) for i, layer in enumerate(layers)]


def dressed(ax: Axes, label: str, title: str, axis: Timeline, last: bool = True) -> Axes:
    """A panel of counts over time, with its finding as the title."""
    axis.dress(ax, last)
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
    ax.set_ylabel(label)
    ax.set_title(title)
    ax.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    ax.grid(True, axis="y", color=palette.GRID, linewidth=0.6)
    plain(ax)
    return ax


def plain(ax: Axes) -> None:
    """One quiet edge at the bottom, and colours that can be read."""
    ax.set_axisbelow(True)
    for side in ("top", "right", "left"):
        ax.spines[side].set_visible(False)
    ax.spines["bottom"].set_color(palette.EDGE)
    ax.tick_params(colors=palette.SOFT, labelcolor=palette.INK)
