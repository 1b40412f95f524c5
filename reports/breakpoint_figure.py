"""The staircase of a search for the breaking point, and what came of the load that lay on the service."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from loadtests.breakpoint import Found
from loadtests.steps import Judged, Verdict
from loadtests.usl import Usl
from reports import palette
from reports.breakpoint_words import headline
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.figures import legend, plain

LOOKS: dict[Verdict, tuple[str, str, str]] = {  # colour, mark, name
    "pass": (palette.BLUE, "o", "kept up"),
    "fail": (palette.VERMILLION, "X", "failed"),
    "void": (palette.EDGE, "|", "void"),
}


def draw_staircase(ax: Axes, steps: Sequence[Judged], low_per_s: float | None, high_per_s: float | None) -> Axes:
    """Draw the rate of each step in the order of the search, its verdict, and the gap that was found."""
    rates = np.array([judged.step.asked_per_s for judged in steps])
    number = np.arange(1, rates.size + 1)
    if low_per_s is not None and high_per_s is not None:
        ax.axhspan(low_per_s, high_per_s, color=palette.SHADE, linewidth=0, zorder=0, label="capacity")
    ax.stairs(rates, np.arange(rates.size + 1) + 0.5, baseline=None, color=palette.EDGE, linewidth=0.9)
    for verdict, (colour, mark, name) in LOOKS.items():
        some = [i for i, judged in enumerate(steps) if judged.verdict == verdict]
        if some:
            ax.plot(number[some], rates[some], mark, color=colour, markersize=5.0, label=name)
    ax.set(
        xlabel="step of the search", ylabel="offered, requests/s", xlim=(0.5, max(rates.size, 1) + 0.5), ylim=(0, None)
    )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return _dressed(ax)


def draw_law(ax: Axes, steps: Sequence[Judged], law: Usl | None) -> Axes:
    """Draw answers a second against requests in flight, and the scalability law if it was fitted."""
    for verdict in ("pass", "fail"):
        colour, mark, _ = LOOKS[verdict]
        some = [judged.step for judged in steps if judged.verdict == verdict]
        if some:
            ax.plot([s.in_flight for s in some], [s.answered_per_s for s in some], mark, color=colour, markersize=5.0)
    if law is not None:
        n = np.geomspace(min(law.in_flight), max(law.in_flight), 200)
        ax.plot(n, law.rate_per_s(n), color=palette.INK, linewidth=1.2, label="scalability law")
    ax.set(xlabel="requests in flight, mean", ylabel="answered, requests/s", xscale="log", ylim=(0, None))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("")
    return _dressed(ax)


def drawn(found: Found) -> Drawing:
    """Both as SVG in two widths, with the finding as the title."""
    title = headline(found)
    with mpl.rc_context(STYLE):
        wide, narrow = (svg(_figure(found, thin), f"breakpoint-{name}", title)
                        for thin, name in ((False, "wide"), (True, "narrow")))  # fmt: skip
    return Drawing("breakpoint", title, wide, narrow)


def _figure(found: Found, narrow: bool) -> Figure:
    size = (NARROW_IN, 5.2) if narrow else (WIDE_IN, 3.0)
    figure = Figure(figsize=size, layout="constrained")
    first, second = figure.subplots(2, 1) if narrow else figure.subplots(1, 2, width_ratios=(3, 2))
    draw_staircase(first, found.steps, found.low_per_s, found.high_per_s)
    # Of an invalid search nothing is shown as the service's.
    shown = [j for j in found.steps if found.status != "invalid" and j.verdict != "void"]
    draw_law(second, shown, found.law if shown else None)
    return figure


def _dressed(ax: Axes) -> Axes:
    ax.grid(True, axis="y", color=palette.GRID, linewidth=0.6)
    plain(ax)
    legend(ax, 4)
    return ax
