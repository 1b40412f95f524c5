"""One self-contained page on a staffing plan, and its figures as files."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup

from reports import formats as fm
from reports import palette
from reports.drawing import alone
from reports.page import template
from reports.roster_words import roster_lines
from reports.staff_figures import drawings
from reports.staff_finals import earlier_rows
from reports.staff_words import promised, words
from reports.staff_worlds import worlds_rows
from reports.staffed import Staffed
from sim.staff.sizing import Sized

PAGE = "staff.html"


def page(told: Staffed) -> dict[str, bytes]:
    """Content by name of the file: the page, and each figure as an SVG of its own."""
    drawn = drawings(told)
    html = template("staff.html.j2").render(
        told=told,
        scenario=told.question.scenario,
        desk=told.question.desk,
        colours=palette,
        said=words(told),
        promised=promised(told),
        keeps=told.reachable is not None and told.reachable.keeps,
        figures=[(each.name, each.title, Markup(each.wide), Markup(each.narrow)) for each in drawn],
        plans=[_plan(told, sized) for sized in told.plans],
        languages=_languages(told),
        earlier=earlier_rows(told.earlier),
        worlds=[] if told.worlds is None else worlds_rows(told.worlds),
        regret=_regret(told),
        roster=[] if told.roster is None else roster_lines(told.roster, told.cost(told.requirement)),
        facts=told.to_dict(),
    )
    return {PAGE: html.encode(), **{f"figures/{each.name}.svg": alone(each).encode() for each in drawn}}


def _plan(told: Staffed, sized: Sized) -> dict[str, Any]:
    heads = sized.seats.heads.sum(axis=0)
    e = sized.groups[0].estimate()
    fewer = "" if sized.binding is None else (
        f"{sized.binding.pool}: {sized.binding.worst[1].name} {fm.share(sized.binding.worst[0].share)} to "
        f"{fm.share(sized.binding.worst[1].share)}"
    )  # fmt: skip
    recovery = sized.measure("time_to_recover_s")
    return {
        "name": sized.name,
        "chosen": sized is told.requirement,
        "peak": f"{heads.max()}",
        "mean": f"{heads.mean():.1f}",
        "hours": f"{sized.seats.hours:,.0f}",
        "cost": f"{told.cost(sized):,.0f}",
        "share": fm.share(sized.groups[0].share),
        "span": f"{100 * (e.low or 0):.1f}-{100 * (e.high or 1):.1f}{fm.NBSP}%",
        "recovery": "none needed" if recovery.mean in (None, 0.0) else fm.duration(recovery.mean or 0.0),
        "fewer": fewer,
        "fails": sized.binding is not None and sized.binding.fails,
    }


def _languages(told: Staffed) -> list[tuple[str, ...]]:
    reached = {} if told.reachable is None else {(g.name, g.promise): g for g in told.reachable.groups}
    rows: list[tuple[str, ...]] = []
    for group in told.requirement.groups:
        if group.kind == "part":
            continue
        e, other = group.estimate(), reached.get((group.name, group.promise))
        span = f"{100 * (e.low or 0):.1f}-{100 * (e.high or 1):.1f}{fm.NBSP}%"
        rows.append((group.name, str(group.promise), f"{group.cases.mean():,.0f}", fm.share(group.share), span,
                     "" if other is None else fm.share(other.share)))  # fmt: skip
    return rows


def _regret(told: Staffed) -> list[tuple[str, list[str], str, str]]:
    t = told.table
    if t is None:
        return []
    return [
        (name, [f"{value:,.0f}" for value in t.regret[i]], f"{t.mean[i]:,.0f}", f"{t.cvar[i]:,.0f}")
        for i, name in enumerate(t.plans)
    ]
