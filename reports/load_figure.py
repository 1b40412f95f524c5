"""The figure of a replay: what was due, sent and answered each second, how long it took, what was under way."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator
from numpy.typing import NDArray

from loadtests.result import BoolArray, LoadResult, Outcome
from reports import formats as fm
from reports import palette
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.figures import legend, plain
from reports.load_live import ms

FloatArray = NDArray[np.float64]
BINS, BINS_SHORT = 150, 60
DPI = 110
BACKLOG = "care_open_cases"  # the reference service's own name for it


def draw_rates(ax: Axes, edges_s: FloatArray, due: FloatArray, sent: FloatArray, answered: FloatArray) -> Axes:
    """Draw rows due, sent and answered a second, (n,) each, on the edges of their bins, (n + 1,)."""
    ax.stairs(due, edges_s, fill=True, color=palette.OTHERS, linewidth=0, label="due")
    ax.stairs(sent, edges_s, baseline=None, color=palette.BLUE, linewidth=1.4, label="sent")
    ax.stairs(answered, edges_s, baseline=None, color=palette.GREEN, linewidth=1.2, linestyle="--", label="answered")
    return _dressed(ax, "rows a second")


def draw_times(ax: Axes, edges_s: FloatArray, quantiles: dict[str, FloatArray], what: str = "latency") -> Axes:
    """Draw quantiles of the latency, or of the lag, by due time, in milliseconds; nan: nothing was due."""
    for (name, values), colour in zip(quantiles.items(), palette.LINES, strict=False):
        ax.stairs(1e3 * values, edges_s, baseline=None, color=colour, linewidth=1.2, label=name)
    if any((values > 0.0).any() for values in quantiles.values()):
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
        ax.yaxis.set_minor_locator(NullLocator())
    ax.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    return _dressed(ax, f"{what}, ms", zero=False)


def draw_flight(ax: Axes, edges_s: FloatArray, under_way: FloatArray) -> Axes:
    """Draw how many rows were due and had no answer yet, (n,) means over bins."""
    ax.stairs(under_way, edges_s, fill=True, color=palette.SKY, alpha=0.4, linewidth=0)
    ax.stairs(under_way, edges_s, baseline=None, color=palette.BLUE, linewidth=1.2)
    return _dressed(ax, "due, not answered")


def draw_backlog(ax: Axes, times_s: FloatArray, cases: FloatArray) -> Axes:
    """Draw the cases that wait for an agent, as the service tells it, at times (n,)."""
    ax.step(times_s, cases, where="post", color=palette.VERMILLION, linewidth=1.2, label="as the service tells it")
    return _dressed(ax, "cases waiting")


def draw_mishaps(ax: Axes, told: Sequence[Mapping[str, Any]], end_s: float, named: bool) -> Axes:
    """Shade the times in which something was broken on purpose, up to `end_s` if it was not mended before."""
    for row, each in enumerate(one for one in told if one["began_s"] is not None):
        to_s = end_s if each["ended_s"] is None else min(each["ended_s"], end_s)
        ax.axvspan(each["began_s"], to_s, color=palette.ORANGE, alpha=0.18, linewidth=0)
        ax.axvline(each["began_s"], color=palette.VERMILLION, linewidth=0.8)
        if named:
            ax.text(each["began_s"], 0.97 - 0.09 * (row % 4), f" {each['name']}", transform=ax.get_xaxis_transform(),
                    va="top", color=palette.RED_INK, fontsize=7.0)  # fmt: skip
    return ax


def backlog(result: LoadResult) -> tuple[FloatArray, FloatArray] | None:
    """Times, and cases that wait in all languages, as the service told them; None if it told none."""
    server = result.about["server"]
    series = [values for name, values in server["series"].items() if name.startswith(BACKLOG)]
    if not series:
        return None
    return np.array(server["times_s"]), np.array(series, dtype=np.float64).sum(axis=0)


def title(result: LoadResult, valid: bool) -> str:
    """The finding."""
    counts, latency = result.counts(), result.histograms()["latency"]
    if not valid:
        return "Invalid: the generator was not in order"
    if not latency.count:
        return f"None of {counts['rows']:,} rows was answered"
    return f"{counts['answered']:,} of {counts['rows']:,} rows answered, half within {ms(latency.quantile_s(0.5))}, " \
           f"99 % within {ms(latency.quantile_s(0.99))}"  # fmt: skip


def drawn(result: LoadResult, valid: bool) -> tuple[Drawing, bytes]:
    """The figure as SVG in two widths, and as PNG with its finding above it."""
    text = title(result, valid)
    with mpl.rc_context(STYLE):
        wide, narrow = (svg(_figure(result, thin, valid), f"load-{width}", text)
                        for thin, width in ((False, "wide"), (True, "narrow")))  # fmt: skip
        whole = _figure(result, False, valid)
        whole.set_facecolor(palette.PAPER)
        whole.suptitle(text.replace(fm.NBSP, " "), x=0.01, ha="left", fontsize=10.0)
        file = io.BytesIO()
        whole.savefig(file, format="png", dpi=DPI, metadata={"Software": None})
    return Drawing("load", text, wide, narrow), file.getvalue()


def series(result: LoadResult) -> dict[str, Any]:
    """Numbers of the figure: `edges_s` (n + 1,), rates, quantiles of latency and lag, mean number under way (n,)."""
    due, done = result["due_s"], result["done_s"]
    end_s = max(float(due.max(initial=0.0)), float(np.nanmax(done, initial=0.0)), 1.0)
    edges = np.linspace(0.0, end_s, BINS_SHORT + 1 if end_s < BINS else BINS + 1)
    width = np.diff(edges)
    good = result.of(Outcome.ANSWERED)
    ended = result.of(Outcome.ANSWERED, Outcome.FAILED)
    bins = np.clip(np.searchsorted(edges, due, side="right") - 1, 0, width.size - 1)
    begun = due[~result.of(Outcome.UNSENT)]
    under_way = (_ahead(begun, edges) - _ahead(np.sort(done[np.isfinite(done)]), edges)) / width
    return {
        "edges_s": edges,
        "due": np.histogram(due, edges)[0] / width,
        "sent": np.histogram(result["sent_s"][np.isfinite(result["sent_s"])], edges)[0] / width,
        "answered": np.histogram(done[good], edges)[0] / width,
        "latency": _quantiles(result.latency_s, ended, bins, width.size),
        "lag": _quantiles(result.lag_s, np.isfinite(result.lag_s), bins, width.size),
        "under_way": under_way,
    }


def _quantiles(times_s: FloatArray, where: BoolArray, bins: NDArray[np.int64], n: int) -> dict[str, FloatArray]:
    """(n,) each, of the times in each bin; nan: there are none."""
    parts = [times_s[where & (bins == i)] for i in range(n)]
    return {
        f"p{100 * q:g}": np.array([np.quantile(part, q) if part.size else np.nan for part in parts])
        for q in (0.5, 0.95, 0.99)
    }


def _ahead(times_s: FloatArray, edges_s: FloatArray) -> FloatArray:
    """(n,) Seconds that each event, ascending, lies before the end of each bin, summed, within the bin."""
    count = np.searchsorted(times_s, edges_s, side="right")
    sums = np.concatenate([[0.0], np.cumsum(times_s)])[count]
    out: FloatArray = np.diff(edges_s * count - sums)
    return out


def _figure(result: LoadResult, narrow: bool, valid: bool) -> Figure:
    s, what = series(result), "latency" if valid else "lag"  # of a late generator no time is the service's
    waiting = backlog(result)
    panels = 3 if waiting is None else 4
    figure = Figure(figsize=(NARROW_IN if narrow else WIDE_IN, 2.0 * panels), layout="constrained")
    above, middle, below, *last = axes = list(figure.subplots(panels, 1, sharex=True))
    draw_rates(above, s["edges_s"], s["due"], s["sent"], s["answered"])
    draw_times(middle, s["edges_s"], s[what], what)
    draw_flight(below, s["edges_s"], s["under_way"])
    if waiting is not None:
        draw_backlog(last[0], *waiting)
        last[0].set_xlim(float(s["edges_s"][0]), float(s["edges_s"][-1]))
    axes[-1].set_xlabel("seconds since the start of the replay")
    for phase in result.about["phases"][1:]:
        for ax in axes:
            ax.axvline(phase["from_s"], color=palette.EDGE, linewidth=0.8, linestyle=(0, (1, 2)))
    for phase in result.about["phases"]:
        above.text(phase["from_s"], 0.03, f" {phase['name']}", transform=above.get_xaxis_transform(), va="bottom",
                   color=palette.INK, fontsize=7.0)  # fmt: skip
    for ax in axes:
        draw_mishaps(ax, result.about.get("mishaps", ()), float(s["edges_s"][-1]), ax is above)
    for ax in (above, middle, *last):
        legend(ax, 3)
    return figure


def _dressed(ax: Axes, label: str, zero: bool = True) -> Axes:
    if zero:
        ax.set_ylim(0, 1.05 * max(ax.get_ylim()[1], 1.0))
    ax.set_ylabel(label)
    ax.grid(True, axis="y", color=palette.GRID, linewidth=0.6)
    plain(ax)
    return ax
