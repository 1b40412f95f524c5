"""Figures to SVG that sits in a page: text stays text, the same numbers give the same bytes."""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports import figures, palette, staffing_figure
from reports.data import ReportData
from reports.timeline import Timeline, timeline
from reports.words import stands_out
from scenarios.behaviour import RuleChange

STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "svg.hashsalt": "ashcloud",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8.0,
    "axes.labelsize": 8.0,
    "axes.labelcolor": palette.SOFT,
    "axes.titlesize": 9.0,
    "axes.titlelocation": "left",
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "text.color": palette.INK,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
}
WIDE_IN, NARROW_IN = 9.0, 3.75
WIDE_ROOM, NARROW_ROOM = 16, 6
_LONG = re.compile(r"(\d\.\d\d)\d+")
_IDS = re.compile(r'\b(id="|href="#|url\(#)')


@dataclass(frozen=True)
class Drawing:
    """One figure in two widths; `title` is its finding, `wide` and `narrow` are SVG elements."""

    name: str
    title: str
    wide: str
    narrow: str


Draw = Callable[[Sequence[Axes], Timeline, bool], None]
"""Draws on the panels of a figure, from the top; the last argument says whether it is narrow."""


def drawings(data: ReportData) -> tuple[Drawing, ...]:
    """All figures of a report, in the order of the page; the last one is that of the section on staff."""
    s = data.series
    shaded = faults_h(data)

    def arrivals(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        figures.draw_arrivals(axes[0], s.edges_h, s.cases, s.capacity, axis, last=False)
        if s.posts is not None:
            figures.draw_posts(axes[1], s.edges_h, s.posts, axis, last=False)
        figures.draw_heads(axes[-1], s.edges_h, s.staffed, s.busy, axis)
        _finish(axes, shaded, 1 if narrow else 3)

    def backlog(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        figures.draw_backlog(axes[0], s.edges_h, s.by_language, s.backlog, axis, data.clock, data.runs)
        _finish(axes, shaded, 3 if narrow else 8)

    def unread(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        figures.draw_unread(axes[0], s.edges_h, s.unread, axis, data.clock, data.runs)
        _finish(axes, shaded, 1 if narrow else 3)

    def answered(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        figures.draw_shares(axes[0], s.share_edges_h, s.within_20min, s.within_60min, s.share_cases, axis, data.clock)
        _finish(axes, shaded, 1 if narrow else 3)

    def languages(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        worst = data.bottleneck[0] if data.bottleneck and stands_out(data) else None
        figures.draw_languages(axes[0], language_shares(data), worst, 48.0 if narrow else 16.0)

    def needed(axes: Sequence[Axes], axis: Timeline, narrow: bool) -> None:
        staffing_figure.draw(axes, data.staffing, axis, data.clock, narrow)
        _finish(axes[:1], shaded, 1 if narrow else 3)
        _finish(axes[1:], [], 2 if narrow else 5)

    heights = (2.2, 1.1, 1.1) if s.posts is not None else (2.2, 1.1)
    made = [_drawn("arrivals", data, heights, arrivals), _drawn("backlog", data, (2.4,), backlog)]
    if float(s.unread.mean.max(initial=0.0)) > 0:
        made.append(_drawn("unread", data, (1.5,), unread))
    made.append(_drawn("answered", data, (2.2,), answered))
    if data.languages:
        made.append(_drawn("languages", data, (0.25 + 0.2 * len(data.languages),), languages))
    many = len(data.staffing.languages)
    made.append(_drawn(staffing_figure.NAME, data, (1.8, 0.25 + 0.2 * many) if many else (1.8,), needed))
    return tuple(made)


def language_shares(data: ReportData) -> dict[Any, tuple[float, float | None, float | None, float]]:
    """Share within 60 minutes, its interval, and cases a run, of each language."""
    out = {}
    for language, table in data.languages.items():
        share = table["answered_within_60min_share"]
        if share["mean"] is not None:
            out[language] = (share["mean"], share["low"], share["high"], table["cases"]["mean"])
    return out


def faults_h(data: ReportData) -> list[tuple[float, float]]:
    """Hours in which a fault of the scenario is in force, inside the runs."""
    low, high = data.series.edges_h[0], data.series.edges_h[-1]
    spans = [(f.from_h, f.to_h) for f in data.scenario.faults if not isinstance(f, RuleChange)]
    return [(max(a, low), min(b, high)) for a, b in spans if a < high and b > low]


def _finish(axes: Sequence[Axes], shaded: list[tuple[float, float]], columns: int) -> None:
    for ax in axes:
        figures.shade(ax, shaded)
        figures.legend(ax, columns)


def _drawn(name: str, data: ReportData, heights_in: Sequence[float], draw: Draw) -> Drawing:
    titles: list[str] = []
    svgs = []
    for narrow in (False, True):
        with mpl.rc_context(STYLE):
            figure, axes = _panels(name, heights_in, narrow)
            span = float(data.series.edges_h[0]), float(data.series.edges_h[-1])
            draw(axes, timeline(data.scenario, *span, NARROW_ROOM if narrow else WIDE_ROOM), narrow)
            titles.append(axes[0].get_title(loc="left"))
            for ax in axes:
                ax.set_title("", loc="left")  # the page says it in a heading, which wraps
            svgs.append(svg(figure, f"{name}-{'narrow' if narrow else 'wide'}", titles[0]))
    return Drawing(name, titles[0], svgs[0], svgs[1])


def _panels(name: str, heights_in: Sequence[float], narrow: bool) -> tuple[Figure, list[Axes]]:
    """Panels under each other, each with room above it for the names of its lines."""
    times = name != "languages"
    gap_in = (0.62 if narrow else 0.34) if times else 0.08
    below_in = 0.78 if times else 0.45
    left_in, right_in = (0.62 if times else 0.85, 0.2) if narrow else (0.78, 0.3)
    width_in = NARROW_IN if narrow else WIDE_IN
    total_in = sum(heights_in) + gap_in * len(heights_in) + below_in
    figure = Figure(figsize=(width_in, total_in))
    inner_in = width_in - left_in - right_in
    axes: list[Axes] = []
    top_in = total_in - gap_in
    for height_in in heights_in:
        box = (left_in / width_in, (top_in - height_in) / total_in, inner_in / width_in, height_in / total_in)
        ax = figure.add_axes(box)
        ax.yaxis.set_label_coords(-(left_in - 0.1) / inner_in, 0.5)
        axes.append(ax)
        top_in -= height_in + gap_in
    return figure, axes


def alone(drawing: Drawing) -> str:
    """The wide form of a figure as an SVG file of its own, on white, with its finding as the title."""
    head, _, body = drawing.wide.partition(">")
    head = head.replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    title = f'<title>{html.escape(drawing.title)}</title><rect width="100%" height="100%" fill="{palette.PAPER}"/>'
    return f"{head}>{title}{body}\n"


def svg(figure: Figure, name: str, label: str) -> str:
    """An `<svg>` element for a page: fits the width it is given, has a label, and ids of its own.

    Coordinates keep two decimals, a hundredth of a point.
    """
    file = io.BytesIO()
    with mpl.rc_context(STYLE):
        figure.savefig(file, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
    text = file.getvalue().decode("utf-8")
    text = text[text.index("<svg") :]
    text = re.sub(r"\s*<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = text.replace("xlink:href=", "href=")
    head = rf'<svg viewBox="\1" role="img" aria-label="{html.escape(label)}">'
    text = re.sub(r'<svg [^>]*viewBox="([^"]+)"[^>]*>', head, text, count=1)
    text = re.sub(r"\s*<style.*?</style>", "", text, flags=re.DOTALL)  # it would hold for the whole page
    text = re.sub(r"'DejaVu Sans'[^;\"]*", "sans-serif", text)  # its metrics are wide, so other fonts fit
    text = _LONG.sub(r"\1", text)
    return _IDS.sub(lambda match: match[1] + f"{name}-", text).strip()
