"""The figure of who is needed and who is there: heads by hour, and where each language lacks them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from matplotlib.axes import Axes

from reports import formats as fm
from reports import palette
from reports.figures import Clock, FloatArray, dressed, plain
from reports.names import LANGUAGES
from reports.staffing import Cell, Staffing
from reports.timeline import Timeline

NAME = "staffing"
LEVELS = (1, 3, 10, 30)
"""Heads that lack, at least, for each of the colours `palette.LACK`."""


def level(cell: Cell) -> int | None:
    """Number of the colour of a block: -1 for too few cases to say, None for no lack."""
    if cell.p_short is None:
        return -1
    return int(np.searchsorted(LEVELS, cell.change, side="right")) - 1 if cell.change >= LEVELS[0] else None


def draw_needed(
    ax: Axes, edges_h: FloatArray, needed: FloatArray, desk: FloatArray, axis: Timeline, clock: Clock, last: bool = True
) -> Axes:
    """Draw the heads needed by formula and those at the desk, of all languages together, by hour."""
    ax.stairs(needed, edges_h, fill=True, color=palette.ORANGE, alpha=0.35, linewidth=0)
    ax.stairs(needed, edges_h, color=palette.VERMILLION, linewidth=1.4, baseline=None, label="needed, by formula")
    ax.stairs(desk, edges_h, color=palette.INK, linewidth=1.2, baseline=None, label="at the desk")
    lack = np.ceil(needed - desk - 1e-6)
    worst = int(np.argmax(lack))
    if lack[worst] > 0:
        hours = int(np.count_nonzero(lack > 0))
        when = fm.clock(clock(float(edges_h[worst]) * fm.HOUR_S))
        title = (
            f"Fewer heads than needed in {hours:,} of {lack.size:,} hours: {fm.count(round(float(desk[worst])))} of "
            f"{fm.count(int(needed[worst]))} at {when}"
        )
    else:
        title = "As many heads as needed are at the desk in every hour, languages aside"
    return dressed(ax, "heads", title, axis, last)


def draw_lacking(ax: Axes, rows: Sequence[tuple[str, Sequence[Cell]]], edges_h: FloatArray, axis: Timeline) -> Axes:
    """Draw in which blocks each language lacks heads, dark for many; the largest lack at the right."""
    names = [f"{low}–{high - 1} heads lack" for low, high in pairwise(LEVELS)]
    shades = zip([*names, f"{LEVELS[-1]} or more"], palette.LACK, strict=True)
    for which, (label, colour) in [
        *enumerate(shades),
        (-1, ("too few cases", palette.SHADE)),
    ]:  # as the legend has them
        name = label
        for row, (_, cells) in enumerate(rows):
            spans = _joined([cell.block for cell in cells if level(cell) == which], edges_h)
            if spans:
                ax.broken_barh(spans, (row - 0.42, 0.84), facecolor=colour, linewidth=0, label=name)
                name = "_"
    for row, (_, cells) in enumerate(rows):
        most = max((cell.change for cell in cells if cell.p_short is not None), default=0)
        ax.annotate(f"{max(most, 0)}", (edges_h[-1], row), (3, 0), textcoords="offset points", va="center",
                    color=palette.INK, annotation_clip=False)  # fmt: skip
    axis.dress(ax)
    ax.set_yticks(range(len(rows)), [name for name, _ in rows])
    ax.set_ylim(max(len(rows), 1) - 0.4, -0.6)
    ax.tick_params(axis="y", length=0)
    plain(ax)
    return ax


def _joined(blocks: Sequence[int], edges_h: FloatArray) -> list[tuple[float, float]]:
    """Starts and widths of stretches of blocks that follow each other."""
    out: list[tuple[float, float]] = []
    for block in blocks:
        begin, end = float(edges_h[block]), float(edges_h[block + 1])
        if out and abs(sum(out[-1]) - begin) < 1e-9:
            begin, _ = out.pop()
        out.append((begin, end - begin))
    return out


def draw(axes: Sequence[Axes], told: Staffing, axis: Timeline, clock: Clock, narrow: bool) -> None:
    """Both panels."""
    rows = [(each.value if narrow else LANGUAGES[each], told.of(each)) for each in told.languages]
    draw_needed(axes[0], told.blocks.hours_s / fm.HOUR_S, told.needed, told.desk, axis, clock, last=len(axes) == 1)
    if len(axes) > 1:
        draw_lacking(axes[1], rows, told.blocks.edges_s / fm.HOUR_S, axis)
