"""The figure of a hindcast: what happened as a line, over the bands in which runs of the model lie."""

from __future__ import annotations

import io

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports import formats as fm
from reports import palette
from reports.drawing import NARROW_IN, NARROW_ROOM, STYLE, WIDE_IN, WIDE_ROOM, Drawing, svg
from reports.figures import legend, plain
from reports.timeline import Timeline, timeline
from scenarios.model import Scenario
from sim.staff.agreement import Stretch, band
from sim.staff.hindcast import Hindcast, mean_wait_s

FloatArray = NDArray[np.float64]
MINUTE_S, HOUR_S = 60.0, 3600.0
DPI = 110


def draw_past(
    ax: Axes, edges_h: FloatArray, actual: FloatArray, runs: FloatArray, axis: Timeline, label: str, last: bool = True
) -> Axes:
    """Draw what really happened over where 80 and 95 % of the runs lie: (n,) and (runs, n), nan: nothing came."""
    for share, alpha in ((0.95, 0.18), (0.8, 0.30)):
        low, high = band(runs, share)
        ax.stairs(high, edges_h, baseline=low, fill=True, color=palette.BLUE, alpha=alpha, linewidth=0,
                  label=f"{100 * share:.0f} % of the runs")  # fmt: skip
    ax.stairs(runs.mean(axis=0), edges_h, color=palette.BLUE, linewidth=1.2, baseline=None, label="model, mean")
    ax.stairs(actual, edges_h, color=palette.VERMILLION, linewidth=1.5, baseline=None, label="what happened")
    axis.dress(ax, last)
    ax.set_ylim(0, max(ax.get_ylim()[1], 1.0))
    ax.set_ylabel(label)
    ax.grid(True, axis="y", color=palette.GRID, linewidth=0.6)
    plain(ax)
    return ax


def draw_outside(ax: Axes, edges_h: FloatArray, stretches: tuple[Stretch, ...]) -> Axes:
    """Shade where the real backlog lies outside of 95 % of the runs."""
    for i, each in enumerate(stretches):
        name = "outside of 95 %" if i == 0 else "_"
        ax.axvspan(edges_h[each.first], edges_h[each.last + 1], color=palette.SHADE, zorder=0, linewidth=0, label=name)
    return ax


def title(found: Hindcast) -> str:
    """The finding of the figure."""
    whole = found.agreement.part("backlog")
    levels = f"{whole.actual:,.1f} cases waited on average, the model has {whole.simulated:,.1f}"
    inside = fm.share(found.covered["backlog", 0.95])
    return f"{found.verdict.capitalize()}: {levels}; inside the 95 % band in {inside} of the intervals"


def drawn(found: Hindcast, days: Scenario) -> tuple[Drawing, bytes]:
    """The figure as SVG in two widths, and as PNG with its finding above it."""
    text = title(found)
    with mpl.rc_context(STYLE):
        wide, narrow = (svg(_figure(found, days, thin), f"hindcast-{width}", text)
                        for thin, width in ((False, "wide"), (True, "narrow")))  # fmt: skip
        whole = _figure(found, days, False)
        whole.set_facecolor(palette.PAPER)
        whole.suptitle(text.replace(fm.NBSP, " "), x=0.01, ha="left", fontsize=10.0)
        file = io.BytesIO()
        whole.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return Drawing("hindcast", text, wide, narrow), file.getvalue()


def _figure(found: Hindcast, days: Scenario, narrow: bool) -> Figure:
    edges_h = found.clock.edges_s / HOUR_S
    figure = Figure(figsize=(NARROW_IN if narrow else WIDE_IN, 5.0), layout="constrained")
    above, below = figure.subplots(2, 1)
    axis = timeline(days, float(edges_h[0]), float(edges_h[-1]), NARROW_ROOM if narrow else WIDE_ROOM)
    backlog = np.stack([past.backlog.sum(axis=0) for past in found.runs]).astype(np.float64)
    waits = np.stack([mean_wait_s(found.clock, past) for past in found.runs]) / MINUTE_S
    real = found.actual.backlog.sum(axis=0).astype(np.float64)
    draw_outside(above, edges_h, found.stretches)
    draw_past(above, edges_h, real, backlog, axis, "cases waiting", last=False)
    draw_past(below, edges_h, mean_wait_s(found.clock, found.actual) / MINUTE_S, waits, axis,
              "minutes to first answer")  # fmt: skip
    legend(above, 2 if narrow else 5)
    return figure
