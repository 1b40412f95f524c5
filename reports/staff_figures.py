"""The figures of a staffing plan: people by hour, work by language and hour, cost against service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from reports import formats as fm
from reports import palette
from reports.drawing import NARROW_IN, STYLE, WIDE_IN, Drawing, svg
from reports.names import LANGUAGES
from reports.staffed import Staffed
from sim.staff.days import LANGUAGES as CODES

FloatArray = NDArray[np.float64]
PER_HOUR = 4
POOLS = 5  # largest pools with a colour of their own
MARKS = ("o", "s", "^", "D")


def hourly(values: NDArray[np.float64] | NDArray[np.int64]) -> FloatArray:
    """Means of each hour of values by quarter of an hour, along the last axis."""
    n = values.shape[-1] // PER_HOUR * PER_HOUR
    out: FloatArray = values[..., :n].reshape(*values.shape[:-1], -1, PER_HOUR).mean(axis=-1)
    return out


def draw_people(
    ax: Axes, start_h: float, pools: Sequence[tuple[str, FloatArray]], reached: FloatArray | None, narrow: bool = False
) -> Axes:
    """Draw the people that the promise needs, a layer a pool, and those who can be there as a line.

    Values are (hours,) heads from `start_h` hours after onset on.
    """
    edges = start_h + np.arange(pools[0][1].size + 1)
    base = np.zeros(pools[0][1].size)
    colours = [*palette.FILLS[:POOLS], palette.OTHERS]
    for (name, heads), colour in zip(pools, colours, strict=False):
        ax.stairs(base + heads, edges, baseline=base, fill=True, color=colour, linewidth=0, label=name)
        base = base + heads
    ax.stairs(base, edges, color=palette.INK, linewidth=0.9, baseline=None)
    title = f"{base.max():,.0f} people at the peak, {fm.hours_from_onset(3600.0 * float(edges[base.argmax()]))}"
    if reached is not None:
        ax.stairs(reached, edges, color=palette.VERMILLION, linewidth=1.8, baseline=None, label="can be there")
        short = int(np.count_nonzero(reached + 0.5 < base))
        title += f"; too few can be there in {short:,} of {base.size:,} hours"
    ax.set(xlim=(edges[0], edges[-1]), ylim=(0, None), xlabel="hours from onset", ylabel="people at work", title=title)
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), frameon=False, ncols=4 if narrow else 7)
    return _dressed(ax)


def draw_work(ax: Axes, start_h: float, names: Sequence[str], work: FloatArray) -> Axes:
    """Draw the offered load of each language by hour, dark for much: (languages, hours) erlangs, on a log scale."""
    shown = np.log10(np.maximum(work, 0.01))
    ax.imshow(shown, aspect="auto", cmap="Greys", interpolation="nearest", vmin=-2.0,
              extent=(start_h, start_h + work.shape[1], len(names) - 0.5, -0.5))  # fmt: skip
    for row in range(len(names)):
        ax.annotate(f"{work[row].max():.3g}", (start_h + work.shape[1], row), (4, 0), textcoords="offset points",
                    va="center", color=palette.SOFT, annotation_clip=False)  # fmt: skip
    top = int(work.sum(axis=1).argmax())
    share = work[top].sum() / max(work.sum(), 1e-9)
    ax.set_yticks(range(len(names)), list(names))
    ax.set(
        xlabel="hours from onset", title=f"{names[top]} makes {fm.share(float(share))} of the work; right: most at once"
    )
    return _dressed(ax)


def draw_cost(ax: Axes, plans: Sequence[tuple[str, float, float, float, float]], promise: float) -> Axes:
    """Draw what plans cost against the share that they answer in time, with 95 % intervals.

    Each is (name, euros, share, low, high); `promise` is the promised share.
    """
    for (name, cost, share, low, high), mark, colour in zip(plans, MARKS, palette.LINES, strict=False):
        ax.plot([cost / 1000.0] * 2, [100 * low, 100 * high], color=colour, linewidth=1.6)
        ax.plot([cost / 1000.0], [100 * share], mark, color=colour, markersize=6)
        ax.annotate(name, (cost / 1000.0, 100 * share), (7, 0), textcoords="offset points", va="center")
    ax.axhline(100 * promise, color=palette.INK, linestyle="--", linewidth=0.9)
    lows = [100 * each[3] for each in plans]
    first, last = plans[0], plans[-1]
    points = 100 * (last[2] - first[2])
    more = f"EUR {fm.about(last[1] - first[1])}"
    title = (
        f"{points:.0f} points more in time cost {more}" if points >= 1 else f"{last[0]}: {more} more than {first[0]}"
    )
    ax.set(
        xlabel="EUR thousand",
        ylabel="answered in time (%)",
        ylim=(max(min([*lows, 100 * promise]) - 5, 0), 100),
        title=title,
    )
    ax.margins(x=0.25)
    return _dressed(ax)


def _dressed(ax: Axes) -> Axes:
    ax.tick_params(colors=palette.SOFT, labelcolor=palette.INK)
    for side in ("top", "right"):
        ax.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        ax.spines[side].set_color(palette.EDGE)
    return ax


def drawings(told: Staffed) -> tuple[Drawing, ...]:
    """All figures, in the order of the page."""
    start_h = told.requirement.seats.start_s / 3600.0

    def people(ax: Axes, narrow: bool) -> Axes:
        reached = None if told.reachable is None else hourly(told.reachable.own + told.reachable.ladder)
        return draw_people(ax, start_h, _layers(told), reached, narrow)

    def work(ax: Axes, narrow: bool) -> Axes:
        load = told.requirement.need.work
        rows = [int(n) for n in np.argsort(-load.sum(axis=1)) if load[n].sum() > 0.0]
        return draw_work(ax, start_h, [LANGUAGES[CODES[n]] for n in rows], hourly(load[rows]))

    def cost(ax: Axes, narrow: bool) -> Axes:
        rows = []
        for sized in told.plans:
            e = sized.groups[0].estimate()
            rows.append((sized.name, told.cost(sized), sized.groups[0].share, e.low or 0.0, e.high or 1.0))
        return draw_cost(ax, rows, told.question.promises[0].share)

    made = [_drawn("people", people, 2.8), _drawn("work", work, 2.6)]
    if len(told.plans) > 1:
        made.append(_drawn("cost", cost, 2.4))
    return tuple(made)


def _layers(told: Staffed) -> list[tuple[str, FloatArray]]:
    heads = hourly(told.requirement.seats.heads)
    order = np.argsort(-heads.sum(axis=1), kind="stable")
    names = [pool.name for pool in told.question.desk.pools]
    layers = [(names[p], heads[p]) for p in order[:POOLS] if heads[p].any()]
    rest = heads[order[POOLS:]]
    return [*layers, ("others", rest.sum(axis=0))] if rest.any() else layers


def figure(draw: Callable[[Axes, bool], Axes], height_in: float, narrow: bool = False) -> Figure:
    """One figure in one width."""
    with mpl.rc_context(STYLE):
        whole = Figure(figsize=(NARROW_IN if narrow else WIDE_IN, height_in), layout="constrained")
        draw(whole.add_subplot(), narrow)
    return whole


def _drawn(name: str, draw: Callable[[Axes, bool], Axes], height_in: float) -> Drawing:
    wide = figure(draw, height_in)
    title = wide.axes[0].get_title(loc="left")
    made = [wide, figure(draw, height_in * 1.2, narrow=True)]
    for each in made:
        each.axes[0].set_title("", loc="left")
    texts = [svg(each, f"{name}-{width}", title) for each, width in zip(made, ("wide", "narrow"), strict=True)]
    return Drawing(name, title, *texts)
