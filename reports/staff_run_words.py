"""What the page of a run says of a staffing plan: requirement, what can be reached, roster, alternatives."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from reports import formats as fm
from reports.staff_run import Plan, StaffRun
from reports.staffing import Staffing
from reports.staffing_page import TableView
from reports.staffing_words import change, heads, when
from scenarios.model import Scenario

PLAN_TITLES = ("plan", "peak", "agent hours", "EUR", "in time", "95 % interval", "one seat fewer")
BLOCK_TITLES = ("block", "requirement", "can be reached", "at the desk in this run", "change")


def section(found: StaffRun, told: Staffing, scenario: Scenario, desk: str, run: Path) -> dict[str, Any]:
    """The part of the page, ready for its template."""
    plans = sorted((found.facts.requirement, *found.facts.alternatives), key=lambda plan: plan.cost)
    return {
        "sentence": sentence(found),
        "lines": list(_lines(found, desk)),
        "plans": TableView(
            "The plan and its alternatives, simulated, the cheapest first.", PLAN_TITLES, tuple(map(_plan, plans))
        ),
        "blocks": TableView(
            "Heads in the hour of each block in which the requirement has most seats.",
            BLOCK_TITLES,
            tuple(block_rows(found, told, scenario)),
        ),
        "link": found.link(run),
    }


def promised(found: StaffRun) -> str:
    """The promises in words."""
    return fm.listed([promise.text for promise in found.facts.promises]).replace("%", f"{fm.NBSP}%")


def sentence(found: StaffRun) -> str:
    """The requirement in one sentence, and the reachable plan in another."""
    plan, reach = found.facts.requirement, found.facts.reachable
    verb = "that keep" if plan.keeps else "that come nearest to"
    text = (
        f"Simulated requirement: at most {heads(plan.peak_heads)} at once, {plan.agent_hours:,.0f} agent hours, "
        f"EUR {plan.cost:,.0f} {verb} {promised(found)}."
    )
    if reach is None:
        return text
    if reach.keeps:
        return f"{text} The desk and its ladder can keep it."
    if reach.kept_from is None:
        return f"{text} The desk and its ladder cannot keep it at any time."
    return f"{text} The desk and its ladder can keep it from {_clock(reach.kept_from)} on only."


def _clock(iso: str) -> str:
    return fm.clock(datetime.fromisoformat(iso))


def _lines(found: StaffRun, desk: str) -> Iterator[str]:
    facts, reach, roster = found.facts, found.facts.reachable, found.facts.roster
    if facts.desk != desk:
        yield f"The plan is for the desk {facts.desk}; this run is of {desk}."
    if not found.finished:
        yield "Its search was interrupted: it is the best so far."
    if reach is not None:
        missed = "" if reach.missed_before.mean is None else (
            f"; before that {fm.about(round(reach.missed_before.mean))} cases miss it"
        )  # fmt: skip
        called = "nobody is called in" if reach.first_called is None else (
            f"of {reach.ladder_heads:,} on the ladder at most {reach.most_called:,} are called in at once, the first "
            f"at {_clock(reach.first_called)}"
        )  # fmt: skip
        cost = "" if reach.cost.mean is None else f" for EUR {fm.about(round(reach.cost.mean))}"
        yield f"What can be reached{cost}: {called}{missed if not reach.keeps else ''}."
    if roster is not None:
        missing = f" Not covered: {'; '.join(roster.missing)}." if roster.missing else ""
        yield (
            f"Roster by the rules {roster.rules}: {roster.agents:,} agents in {roster.duties:,} shifts, "
            f"{roster.paid_hours:,.0f} paid hours, EUR {roster.cost:,.0f}; it "
            f"{'keeps' if roster.keeps else 'does not keep'} the promise.{missing}"
        )


def _plan(plan: Plan) -> tuple[str, ...]:
    whole, fewer = plan.groups[0] if plan.groups else None, plan.one_fewer
    share = "–" if whole is None or whole.share is None else fm.share(whole.share)
    span = "–"
    if whole is not None and whole.low is not None and whole.high is not None:
        span = fm.scale("share", whole.share or 0.0).span(whole.low, whole.high)
    last = "–" if fewer is None else (
        f"{fewer.pool}: {fewer.group} {fm.share(fewer.before)} to {fm.share(fewer.after)}, "
        f"{'fails' if fewer.fails else 'holds'}"
    )  # fmt: skip
    return plan.name, f"{plan.peak_heads:,}", f"{plan.agent_hours:,.0f}", f"{plan.cost:,.0f}", share, span, last


def blocks(found: StaffRun, told: Staffing) -> Iterator[tuple[int, int, int, float | None, float]]:
    """Of each block that the plan has: its number, the hour with most seats, seats, who can be there, at the desk."""
    seats = found.hours(told, found.total)
    reached = None if found.reached is None else found.hours(told, found.reached)
    ends = [*told.blocks.first.tolist()[1:], seats.size]
    for block, (first, end) in enumerate(zip(told.blocks.first.tolist(), ends, strict=True)):
        if np.isfinite(seats[first:end]).any():
            hour = first + int(np.nanargmax(seats[first:end]))
            there = None if reached is None else float(reached[hour])
            yield block, hour, int(seats[hour]), there, float(told.desk[hour])


def block_rows(found: StaffRun, told: Staffing, scenario: Scenario) -> Iterator[tuple[str, ...]]:
    """The same as texts; change is to the heads at the desk in this run."""
    for block, _, seats, there, desk in blocks(found, told):
        reach = "–" if there is None else fm.count(round(there, 1))
        lack = int(np.ceil(seats - desk - 1e-6))
        yield when(told, scenario, block), f"{seats:,}", reach, fm.count(round(desk, 1)), change(lack)
