"""How long customers waited for their first answer: at the service, and in the simulation of the same cases."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports import palette
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.figures import legend, plain

FloatArray = NDArray[np.float64]
GRID = 400


def answered_share(times_s: FloatArray, within_s: FloatArray) -> FloatArray:
    """Share of all cases, answered or not, that had their first answer within each time, in percent."""
    return 100.0 * np.searchsorted(np.sort(times_s), within_s, side="right") / max(times_s.size, 1)


def drawn(drilled_s: FloatArray | None, simulated_s: FloatArray) -> Drawing:
    """Both curves as SVG in two widths; `drilled_s` is None if the drill itself was not in order."""
    title = _title(drilled_s, simulated_s)
    with mpl.rc_context(STYLE):
        wide, narrow = (svg(_figure(drilled_s, simulated_s, width), f"drill-{name}", title)
                        for width, name in ((WIDE_IN, "wide"), (NARROW_IN, "narrow")))  # fmt: skip
    return Drawing("drill", title, wide, narrow)


def _title(drilled_s: FloatArray | None, simulated_s: FloatArray) -> str:
    if drilled_s is None:
        return "The drill was late, so only the simulation is shown"
    shares = [float(np.isfinite(each).mean()) if each.size else 0.0 for each in (drilled_s, simulated_s)]
    return f"{shares[0]:.0%} of the cases were answered at the service, {shares[1]:.0%} in the simulation"


def _figure(drilled_s: FloatArray | None, simulated_s: FloatArray, width_in: float) -> Figure:
    figure = Figure(figsize=(width_in, 2.6), layout="constrained")
    ax = figure.subplots()
    known = [each[np.isfinite(each)] for each in (drilled_s, simulated_s) if each is not None]
    longest = max((float(each.max()) for each in known if each.size), default=3600.0)
    within = np.linspace(0.0, longest * 1.02, GRID)
    if drilled_s is not None:
        ax.plot(within / 60.0, answered_share(drilled_s, within), color=palette.BLUE, linewidth=1.4, label="service")
    ax.plot(
        within / 60.0, answered_share(simulated_s, within), color=palette.EDGE, linewidth=1.2, linestyle="--",
        label="simulation",
    )  # fmt: skip
    ax.set(xlabel="minutes until the first answer", ylabel="% of cases", ylim=(0, 100), xlim=(0, None))
    plain(ax)
    legend(ax, 2)
    return figure
