"""One self-contained page on some runs: for a manager first, with all that stands behind it below."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

from reports import background, drawing, palette, staffing_figure, staffing_page, words
from reports import formats as fm
from reports.data import ReportData, Summary
from reports.names import LANGUAGES, PILLARS
from reports.series import BAND, RUNS_FOR_BAND
from reports.staffing_page import TableView
from sim.measures import FEW_CASES, MEASURES, PROMISE_SHARE, Measure

_SPAN = re.compile(rf"\(?(?:&lt;)?[\d.,]+–[\d.,]+(?:{fm.NBSP}[%\w]+)?\)?")
TEMPLATES = Path(__file__).with_name("templates")
TONES = {"kept": "Promise kept", "missed": "Promise missed", "unclear": "Cannot be told yet"}
LANGUAGE_COLUMNS = (
    ("cases", "cases a run"),
    ("answered_within_20min_share", "in 20 min"),
    ("answered_within_60min_share", "in 60 min"),
    ("answered_within_promise_share", "in promise"),
    ("first_response_p50_s", "median first response"),
    ("unanswered_share", "never answered"),
    ("gave_up_share", "gave up"),
    ("peak_backlog", "longest queue"),
)


@dataclass(frozen=True)
class Tile:
    """One headline number: the measure that defines it, the number, and a note under it."""

    measure: str
    label: str
    value: str
    note: str


@dataclass(frozen=True)
class Line:
    """One measure of the table."""

    measure: Measure
    value: str
    interval: str
    runs: str


def page(
    data: ReportData, drawn: Sequence[drawing.Drawing] | None = None, plan: Mapping[str, Any] | None = None
) -> str:
    """The report as one HTML file: no script, and nothing that would have to be fetched.

    The same data give the same bytes. `drawn` are its figures, if they are drawn already; `plan` is what
    `reports.staff_run_words.section` says of a staffing plan, if there is one to show: its page is linked to.
    """
    verdict = words.verdict(data)
    figures: list[dict[str, Any]] = [
        {
            "drawing": each,
            "wide": Markup(each.wide),
            "narrow": Markup(each.narrow),
            "table": _figure_table(data, each.name),
        }
        for each in (drawing.drawings(data) if drawn is None else drawn)
    ]
    start_s, end_s = data.window_s
    return template("report.html.j2").render(
        data=data,
        colours=palette,
        verdict=verdict,
        tone=TONES[verdict.tone],
        window=f"{fm.clock(data.clock(start_s), year=True)} to {fm.clock(data.clock(end_s), year=True)}",
        hours=f"{(end_s - start_s) / fm.HOUR_S:,.0f}",
        level=f"{100 * data.level:g}",
        mark=fm.share(PROMISE_SHARE),
        tiles=tiles(data),
        figures=[each for each in figures if each["drawing"].name != staffing_figure.NAME],
        staffing=staffing_page.section(data),
        staff_plan=plan,
        staffing_figure=next(each for each in figures if each["drawing"].name == staffing_figure.NAME),
        bands=_bands(data),
        means=f"Lines are means over {data.runs} runs." if data.runs > 1 else "One run.",
        pillars=[(PILLARS[pillar], _lines(data, pillar)) for pillar in PILLARS],
        languages=_groups(data.languages, {k: LANGUAGES[k] for k in data.languages}, "Cases by language"),
        bottleneck=LANGUAGES[data.bottleneck[0]] if data.bottleneck and words.stands_out(data) else "",
        few=FEW_CASES,
        classes=_groups(data.classes, {name: name for name in data.classes}, "Cases by promise"),
        plan=_plan(data),
        measures=MEASURES,
        assumptions=background.assumptions(data),
        faults=background.faults(data),
        manifest=background.manifest(data),
        work=_work(data),
    )


def template(name: str) -> Template:
    """A template of this room; it may keep intervals `whole`, and a name that it lacks is an error."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["whole"] = whole
    return environment.get_template(name)


def whole(text: str) -> Markup:
    """Keep intervals on one line."""
    return Markup(_SPAN.sub(r'<span class="whole">\g<0></span>', str(escape(text))))


def tiles(data: ReportData) -> tuple[Tile, ...]:
    """The headline numbers."""
    s = data.summary
    worst = words.worst_time_s(data)
    cost = fm.scale("EUR", s["cost"]["mean"] or 0.0)
    return (
        Tile("answered_within_promise_share", "Answered in time", *_value(s, "answered_within_promise_share")),
        Tile("unanswered_share", "Never answered", *_value(s, "unanswered_share")),
        Tile("first_response_p90_s", "9 of 10 answered within", *_reached(s, "first_response_p90_s")),
        Tile(
            "peak_backlog", "Longest queue", fm.about(round(data.mean("peak_backlog") or 0.0)),
            f"case turns, {fm.clock(data.clock(worst))}" if data.mean("peak_backlog") else "nobody waits",
        ),
        Tile("promise_recover_s", "Promise kept again", *_back(data)),
        Tile(
            "cost", "Cost of the desk", cost.one(s["cost"]["mean"] or 0.0),
            f"{fm.about(round(data.mean('agent_hours') or 0.0))} hours at the desk",
        ),
    )  # fmt: skip


def _value(summary: Summary, name: str) -> tuple[str, str]:
    row = summary[name]
    if row["mean"] is None:
        return "no cases", ""
    scale = fm.scale(MEASURES[name].unit, row["mean"])
    return scale.one(row["mean"]), _interval(name, row) or "one run, no interval"


def _reached(summary: Summary, name: str) -> tuple[str, str]:
    row = summary[name]
    beyond = row.get("beyond_window", 0.0)
    if row["mean"] is None:
        return "not reached" if beyond else "no cases", "before the end of the run" if beyond else ""
    value, note = _value(summary, name)
    return value, f"not reached in {_part(row)} runs" if beyond else note


def _back(data: ReportData) -> tuple[str, str]:
    values = [row["promise_recover_s"] for row in data.rows]
    late, out = [value for value in values if value], values.count(None)
    if out == len(values):
        return "not in the window", f"at least to {fm.clock(data.clock(data.window_s[1]))}"
    if 2 * values.count(0.0) >= len(values):
        missed = len(values) - values.count(0.0)
        return "never missed", f"but in {missed} of {len(values)} runs" if missed else "on any day"
    mean_s = sum(late) / len(late)
    when = fm.clock(data.clock(round(mean_s / fm.HOUR_S) * fm.HOUR_S))
    return when, f"not in {out} of {len(values)} runs" if out else fm.hours_from_onset(mean_s)


def _part(row: Mapping[str, Any]) -> str:
    """How many of how many runs did not reach it."""
    return f"{round(row['beyond_window'] * row['runs'])} of {row['runs']}"


def _interval(name: str, row: Mapping[str, Any]) -> str:
    if row["low"] is None:
        return ""
    return fm.scale(MEASURES[name].unit, row["mean"]).span(row["low"], row["high"])


def _lines(data: ReportData, pillar: str) -> tuple[Line, ...]:
    return tuple(
        Line(each, _cell(name, data.summary[name]), _interval(name, data.summary[name]) or "–", _range(data, name))
        for name, each in MEASURES.items()
        if each.pillar == pillar
    )


def _cell(name: str, row: Mapping[str, Any]) -> str:
    beyond = row.get("beyond_window", 0.0)
    if row["mean"] is None:
        return "not reached" if beyond else "no such cases"
    value = fm.scale(MEASURES[name].unit, row["mean"]).one(row["mean"])
    reached = row["runs"] - round(beyond * row["runs"])
    return f"{value} in {reached} of {row['runs']} runs" if beyond else value


def _range(data: ReportData, name: str) -> str:
    values = [value for row in data.rows if (value := row[name]) is not None]
    if len(values) < 2:
        return "–"
    return fm.scale(MEASURES[name].unit, float(np.mean(values))).span(min(values), max(values))


def _groups(groups: Mapping[Any, Summary], names: Mapping[Any, str], caption: str) -> TableView:
    rows = sorted(groups.items(), key=lambda item: -(item[1]["cases"]["mean"] or 0.0))
    return TableView(
        caption,
        tuple(title for _, title in LANGUAGE_COLUMNS),
        tuple((names[key], *(_cell(name, summary[name]) for name, _ in LANGUAGE_COLUMNS)) for key, summary in rows),
    )


def _plan(data: ReportData) -> TableView:
    """The crisis, each lever and each rung: when, for how long, who came."""
    kinds = {"crisis": "Crisis declared", "lever": "Lever: {}", "rung": "Called in: {}"}
    rows = [
        (
            kinds[action.what].format(action.name),
            fm.clock(data.clock(round(action.first_s / 900.0) * 900.0)),
            fm.hours_from_onset(action.first_s),
            f"{fm.count(round(action.hours))}{fm.NBSP}h",
            fm.count(round(action.heads)) if action.what == "rung" else "",
            f"{action.runs} of {data.runs}",
        )
        for action in sorted(data.plan.actions if data.plan is not None else (), key=lambda action: action.first_s)
    ]
    return TableView("", ("what", "from", "after onset", "for", "people who agree", "in runs"), tuple(rows))


def _bands(data: ReportData) -> str:
    if data.runs >= RUNS_FOR_BAND:
        share = fm.share(BAND[1] - BAND[0])
        return f"Bands hold the middle {share} of the runs."
    runs = "one run" if data.runs == 1 else f"{data.runs} runs"
    return f"Bands are left out: {runs} are too few for them.".replace("one run are", "one run is")


def _work(data: ReportData) -> str:
    text = f"A case takes {fm.duration(data.work.case_s)} of work in these runs"
    if data.work.reading_s > 0:
        text += (
            f", reading a post {fm.duration(data.work.reading_s)}; what the desk can work off is what its heads have "
            "time for after reading the posts that are theirs to read"
        )
    return f"{text}."


def _figure_table(data: ReportData, name: str) -> TableView:
    """The numbers of a figure, on a coarser clock."""
    s = data.series
    wide = s.share_edges_h
    pick = np.searchsorted(s.edges_h, wide[:-1] - 1e-9)
    length = s.lengths_h

    def hourly(values: Any) -> list[float]:
        out: list[float] = (np.add.reduceat(values * length, pick) / np.add.reduceat(length, pick)).tolist()
        return out

    columns: list[tuple[str, Sequence[str]]]
    if name == "arrivals":
        columns = [("cases an hour", _numbers(hourly(s.cases))), ("can be worked off", _numbers(hourly(s.capacity)))]
        if s.posts is not None:
            columns.append(("posts an hour", _numbers(hourly(s.posts))))
        columns += [("heads at the desk", _numbers(hourly(s.staffed))), ("of them busy", _numbers(hourly(s.busy)))]
    elif name == "backlog":
        columns = [("turns waiting", _numbers(s.backlog.mean[pick].tolist()))]
        columns += [
            ("others" if lang is None else LANGUAGES[lang], _numbers(values[pick].tolist()))
            for lang, values in s.by_language
        ]
    elif name == "unread":
        columns = [("posts unread", _numbers(s.unread.mean[pick].tolist()))]
    elif name == "answered":
        columns = [
            ("cases posted", _numbers(s.share_cases.tolist())),
            ("within 20 minutes", _shares(s.within_20min.mean.tolist())),
            ("within 60 minutes", _shares(s.within_60min.mean.tolist())),
        ]
    elif name == staffing_figure.NAME:
        return staffing_page.hours(data)
    else:
        return _languages_table(data)
    when = [fm.clock(data.clock(hour * fm.HOUR_S)) for hour in wide[:-1].tolist()]
    rows = zip(when, *(cells for _, cells in columns), strict=True)
    return TableView("", ("from", *(title for title, _ in columns)), tuple(rows))


def _languages_table(data: ReportData) -> TableView:
    name = "answered_within_60min_share"
    rows = tuple(
        (LANGUAGES[language], fm.share(share), _interval(name, data.languages[language][name]) or "–", fm.count(cases))
        for language, (share, _, _, cases) in drawing.language_shares(data).items()
    )
    return TableView("", ("language", "within 60 minutes", "interval", "cases a run"), rows)


def _numbers(values: Sequence[float]) -> list[str]:
    return [fm.count(round(value, 1) if value < 10 else round(value)) for value in values]


def _shares(values: Sequence[float]) -> list[str]:
    return [fm.share(value) if value == value else "no cases" for value in values]
