"""A staffing plan on the console."""

from __future__ import annotations

from rich.console import Console

from reports import formats as fm
from reports.roster_words import roster_lines
from reports.staff import StaffAnswer
from reports.staff_words import promised, words
from reports.staffed import Staffed
from reports.tables import show
from sim.staff.sizing import Sized


def plan(console: Console, told: StaffAnswer) -> None:
    """Print the table of plans, who is answered in time, and the sentences."""
    staffed = told.told
    said = words(staffed)
    console.print(
        f"{staffed.question.scenario.name} on {staffed.question.desk.name}: {promised(staffed)}", soft_wrap=True
    )
    console.print()
    show(console, ("plan", "peak", "mean", "agent hours", "EUR", "in time", "95 % interval", "one fewer"),
         [_line(staffed, sized) for sized in staffed.plans], (1, 2, 3, 4, 5))  # fmt: skip
    console.print()
    show(console, ("language", "cases", "in time", "95 % interval", "reachable"), _languages(staffed), (1, 2, 4))
    console.print()
    roster = [] if staffed.roster is None else roster_lines(staffed.roster, staffed.cost(staffed.requirement))
    lines = (said.headline, said.reach, *said.findings, *said.ladder, *said.worlds, *roster, said.sure, *said.cautions)
    for line in lines:
        console.print(line.replace(fm.NBSP, " "), soft_wrap=True)


def _line(told: Staffed, sized: Sized) -> tuple[str, ...]:
    heads = sized.seats.heads.sum(axis=0)
    whole = sized.groups[0]
    fewer = ""
    if sized.binding is not None:
        before, after = sized.binding.worst
        verdict = "fails" if sized.binding.fails else "holds"
        fewer = f"{sized.binding.pool}: {after.name} {fm.share(before.share)} to {fm.share(after.share)}, {verdict}"
    star = " *" if sized is told.requirement else ""
    span = _span(whole.estimate().low, whole.estimate().high)
    return (f"{sized.name}{star}", f"{heads.max()}", f"{heads.mean():.1f}", f"{sized.seats.hours:,.0f}",
            f"{told.cost(sized):,.0f}", fm.share(whole.share), span, fewer)  # fmt: skip


def _languages(told: Staffed) -> list[tuple[str, ...]]:
    reached = (
        {} if told.reachable is None else {(g.name, g.promise): g for g in told.reachable.groups if g.kind != "part"}
    )
    rows: list[tuple[str, ...]] = []
    for group in told.requirement.groups:
        if group.kind == "part":
            continue
        e, other = group.estimate(), reached.get((group.name, group.promise))
        several = f", {group.promise}" if len(told.question.promises) > 1 else ""
        elsewhere = "" if other is None else fm.share(other.share)
        name, cases = f"{group.name}{several}", f"{group.cases.mean():,.0f}"
        rows.append((name, cases, fm.share(group.share), _span(e.low, e.high), elsewhere))
    return rows


def _span(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f"{100 * low:.1f}-{100 * high:.1f} %"
