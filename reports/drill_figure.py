"""A drill drawn beside its simulation: how long customers waited, how many waited when, how busy the desk was."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports import formats as fm
from reports import palette
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.drill_answer import DrillAnswer
from reports.figures import legend, plain
from reports.load_figure import DPI, draw_mishaps

FloatArray = NDArray[np.float64]
GRID = 400
WIDE = [["waits", "queue"], ["waits", "heads"]]
NARROW = [["waits"], ["queue"], ["heads"]]
SERVICE: Mapping[str, Any] = {"color": palette.BLUE, "linewidth": 1.6, "label": "service"}
SIMULATION: Mapping[str, Any] = {
    "color": palette.VERMILLION, "linewidth": 1.2, "linestyle": "--", "label": "simulation",
}  # fmt: skip


def answered_share(times_s: FloatArray, within_s: FloatArray) -> FloatArray:
    """Share of all cases, answered or not, that had their first answer within each time, in percent."""
    return 100.0 * np.searchsorted(np.sort(times_s), within_s, side="right") / max(times_s.size, 1)


def draw_waits(ax: Axes, drilled_s: FloatArray | None, simulated_s: FloatArray) -> Axes:
    """Draw how many cases had their first answer within each time; never is inf, None: not told."""
    known = [each[np.isfinite(each)] for each in (drilled_s, simulated_s) if each is not None]
    longest = max((float(each.max()) for each in known if each.size), default=3600.0)
    within = np.linspace(0.0, longest * 1.02, GRID)
    for times_s, how in ((drilled_s, SERVICE), (simulated_s, SIMULATION)):
        if times_s is not None:
            ax.plot(within / 60.0, answered_share(times_s, within), **how)
    ax.set(xlabel="minutes until the first answer", ylabel="% of cases", ylim=(0, 100), xlim=(0, None))
    return _dressed(ax)


def draw_lanes(ax: Axes, edges_h: FloatArray, drilled: FloatArray | None, simulated: FloatArray, label: str) -> Axes:
    """Draw two columns (n,) over intervals (n + 1,) in hours from onset; nan draws a gap, None: not told."""
    for values, how in ((drilled, SERVICE), (simulated, SIMULATION)):
        if values is not None:
            ax.stairs(values, edges_h, baseline=None, **how)
    ax.set_ylabel(label)
    ax.set_xlim(float(edges_h[0]), float(edges_h[-1]))
    ax.set_ylim(0, max(1.08 * _most(drilled, simulated), 1.0))
    return _dressed(ax)


def drawn(answer: DrillAnswer) -> tuple[Drawing, bytes]:
    """The figure as SVG in two widths, and as PNG with its finding above it."""
    text = title(answer)
    with mpl.rc_context(STYLE):
        wide, narrow = (svg(_figure(answer, thin), f"drill-{width}", text)
                        for thin, width in ((False, "wide"), (True, "narrow")))  # fmt: skip
        whole = _figure(answer, False)
        whole.set_facecolor(palette.PAPER)
        whole.suptitle(text.replace(fm.NBSP, " "), x=0.01, ha="left", fontsize=10.0)
        file = io.BytesIO()
        whole.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return Drawing("drill", text, wide, narrow), file.getvalue()


def title(answer: DrillAnswer) -> str:
    """The finding."""
    if not answer.valid:
        return "The drill was late, so only the simulation is shown"
    both = (answer.drilled.first_response_s, answer.beside.first_response_s)
    shares = [float(np.isfinite(each).mean()) if each.size else 0.0 for each in both]
    until = "" if answer.drilled.status == "finished" else " until it was ended"
    return f"{shares[0]:.0%} of the cases were answered at the service{until}, {shares[1]:.0%} in the simulation"


def _figure(answer: DrillAnswer, narrow: bool) -> Figure:
    size, rows = ((NARROW_IN, 6.6), NARROW) if narrow else ((WIDE_IN, 3.9), WIDE)
    figure = Figure(figsize=size, layout="constrained")
    ratios = None if narrow else (1.0, 1.5)
    axes: dict[str, Axes] = figure.subplot_mosaic(rows, width_ratios=ratios)  # type: ignore[arg-type]
    clock, valid = answer.beside.by_clock, answer.valid
    mine, other = clock.drilled, clock.simulated
    draw_waits(axes["waits"], answer.drilled.first_response_s if valid else None, answer.beside.first_response_s)
    draw_lanes(axes["queue"], clock.edges_h, None if mine is None else mine.waiting, other.waiting, "cases waiting")
    shares = [None if lane is None else 100.0 * lane.occupancy for lane in (mine, other)]
    assert shares[1] is not None
    draw_lanes(axes["heads"], clock.edges_h, shares[0], shares[1], "% of heads at work")
    axes["heads"].set_ylim(0, 105)
    axes["heads"].set_xlabel("hours from onset")
    if not narrow:
        axes["queue"].sharex(axes["heads"])
        axes["queue"].tick_params(labelbottom=False)
    for name in ("queue", "heads"):
        _shade(axes[name], answer, name == "queue")
    for name in axes if narrow else ("waits", "queue"):
        legend(axes[name], 2)
    return figure


def _shade(ax: Axes, answer: DrillAnswer, named: bool) -> None:
    """What went wrong on purpose, on the clock of the scenario."""

    def hours(at_s: float | None) -> float | None:
        return None if at_s is None else (answer.drilled.window_s[0] + at_s * answer.question.speed) / 3600.0

    told: Sequence[Mapping[str, Any]] = [
        {**each, "began_s": hours(each["began_s"]), "ended_s": hours(each["ended_s"])} for each in answer.mishaps
    ]
    draw_mishaps(ax, told, ax.get_xlim()[1], named)


def _most(*columns: FloatArray | None) -> float:
    found = [float(each.max()) for column in columns if column is not None and (each := _known(column)).size]
    return max(found, default=0.0)


def _known(values: FloatArray) -> FloatArray:
    return values[np.isfinite(values)]


def _dressed(ax: Axes) -> Axes:
    ax.grid(True, axis="y", color=palette.GRID, linewidth=0.6)
    plain(ax)
    return ax
