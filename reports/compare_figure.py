"""The figure of a comparison: how far each alternative lies from the baseline, measure by measure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from reports import formats as fm
from reports import palette
from reports.compared import Compared
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.figures import plain
from sim.compare import COMPARED, KEY
from sim.differences import Difference

NAME = "differences"
COLOURS = {True: palette.GREEN, False: palette.VERMILLION, None: palette.EDGE}
MARKS = {True: "o", False: "s", None: "o"}
LONG_NAME = 18


@dataclass(frozen=True)
class Panel:
    """One measure: its title, and each alternative against the baseline."""

    title: str
    names: tuple[str, ...]
    rows: tuple[Difference, ...]


def panels(told: Compared) -> tuple[Panel, ...]:
    """The key measures, in the order of the page."""
    count = range(1, len(told.names))
    return tuple(
        Panel(COMPARED[name].title, told.names[1:], tuple(told.pair(name, at, 0) for at in count)) for name in KEY
    )


def finding(told: Compared) -> str:
    """In how many of the measures each alternative is clearly better or worse than the baseline."""
    made = panels(told)
    parts = []
    for at, name in enumerate(told.names[1:]):
        better = sum(panel.rows[at].better is True for panel in made)
        worse = sum(panel.rows[at].better is False for panel in made)
        same = sum(panel.rows[at].order == "same" for panel in made)
        rest = [
            f"{count} {word}" for count, word in ((better, "better"), (worse, "worse"), (same, "the same")) if count
        ]
        parts.append(f"'{name}' {', '.join(rest) or 'cannot be told apart'}")
    return f"Of {len(made)} measures against '{told.names[0]}': {'; '.join(parts)}"


def draw_differences(ax: Axes, panel: Panel) -> Axes:
    """Draw differences with their 95 % intervals, thick, and the joint ones, thin.

    Left of the line at 0 is better. Filled marks are clear: round ones better, square ones worse.
    """
    unit = COMPARED[panel.rows[0].measure].unit
    ends = [
        value for row in panel.rows for value in (row.mean, row.low, row.high, *(row.joint or ())) if value is not None
    ]
    how = fm.differences_scale(unit, *ends) if ends else fm.Scale()
    for place, row in enumerate(panel.rows):
        if row.mean is None:
            ax.annotate(
                _without(row), (0.0, place), (5, 0), textcoords="offset points", va="center", color=palette.SOFT
            )
            continue
        colour = COLOURS[row.better]
        for interval, width in ((row.joint, 0.9), ((row.low, row.high), 2.6)):
            if interval is not None and interval[0] is not None and interval[1] is not None:
                ax.plot(
                    [v / how.divisor for v in interval if v is not None], [place, place], color=colour, linewidth=width
                )
        face = palette.PAPER if row.better is None else colour
        at = row.mean / how.divisor
        ax.plot([at], [place], MARKS[row.better], markerfacecolor=face, markeredgecolor=colour, markersize=5.5)
        behind = {"facecolor": palette.PAPER, "edgecolor": "none", "pad": 0.5}
        ax.annotate(
            _note(row, how), (at, place), (0, 5), textcoords="offset points", ha="center", va="bottom",
            color=palette.INK, bbox=behind,
        )  # fmt: skip
    ax.axvline(0.0, color=palette.INK, linewidth=0.9)
    ax.set_title(panel.title)
    ax.set_yticks(range(len(panel.names)), [_short(name) for name in panel.names])
    ax.set_ylim(len(panel.names) - 0.5, -0.75)
    ax.set_xlabel(f"{how.before}{how.behind}".strip().replace(fm.NBSP, " "))
    _room(ax, [value / how.divisor for value in ends])
    return _dressed(ax)


def _room(ax: Axes, ends: Sequence[float]) -> None:
    """All intervals, the line at 0, and room for the notes beside them."""
    low, high = min([0.0, *ends]), max([0.0, *ends])
    width = high - low
    if width > 0.0:
        ax.set_xlim(low - 0.22 * width, high + 0.22 * width)
        ax.xaxis.set_major_locator(MaxNLocator(2))
    else:
        ax.set_xlim(-1.0, 1.0)
        ax.set_xticks([0.0])


def _note(row: Difference, how: fm.Scale) -> str:
    text = fm.signed(how, row.mean or 0.0, unit=False)
    return f"{text} (in {row.both} of {row.runs} runs)" if row.both < row.runs else text


def _without(row: Difference) -> str:
    if not row.runs:
        return "no such cases"
    if row.neither == row.runs:
        return "never reached by either"
    return f"sooner in {row.lower}, later in {row.higher} of {row.runs} runs"


def _short(name: str) -> str:
    return name if len(name) <= LONG_NAME else name[: LONG_NAME - 1] + "…"


def _dressed(ax: Axes) -> Axes:
    ax.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:+,.6g}".replace("-", fm.MINUS) if value else "0")
    )
    ax.grid(True, axis="x", color=palette.GRID, linewidth=0.6)
    ax.tick_params(axis="y", length=0)
    plain(ax)
    return ax


def figure(told: Compared, narrow: bool = False) -> Figure:
    """The whole figure: six panels, in three columns or below each other."""
    made = panels(told)
    columns = 1 if narrow else 3
    rows = -(-len(made) // columns)
    width_in = NARROW_IN if narrow else WIDE_IN
    tall_in = 0.95 + 0.34 * len(made[0].names)
    with mpl.rc_context(STYLE):
        whole = Figure(figsize=(width_in, rows * tall_in), layout="constrained")
        for ax, panel in zip(whole.subplots(rows, columns, squeeze=False).flat, made, strict=True):
            draw_differences(ax, panel)
    return whole


def drawing(told: Compared) -> Drawing:
    """The figure in two widths, with its finding as the title."""
    title = finding(told)
    wide, narrow = (
        svg(figure(told, narrow), f"{NAME}-{'narrow' if narrow else 'wide'}", title) for narrow in (False, True)
    )
    return Drawing(NAME, title, wide, narrow)
