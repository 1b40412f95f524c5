"""A roster in words, and as numbers for JSON."""

from __future__ import annotations

from typing import Any

from reports import formats as fm
from sim.staff.assign import THUMB
from sim.staff.roster_check import breaches
from sim.staff.rostering import Roster


def roster_facts(roster: Roster, seats_cost: float) -> dict[str, Any]:
    """Everything about a roster but its duties; `seats_cost` is that of the requirement, in euros."""
    return {
        "rules": roster.rules.name,
        "confirmed": roster.rules.confirmed,
        "note": roster.rules.note,
        "agents": roster.agents,
        "agents_at_least": sum(each.least for each in roster.assigned),
        "assigned_by": {pool.name: each.by for pool, each in zip(roster.desk.pools, roster.assigned, strict=True)},
        "duties": len(roster.duties),
        "paid_hours": roster.paid_hours,
        "cost": roster.cost,
        "above_requirement_eur": roster.cost - seats_cost,
        "short_hours": sum(float(each.short.sum()) for each in roster.covers) * roster.need.interval_s / 3600.0,
        "open_shifts": sum(len(each.open) for each in roster.assigned),
        "missing": list(roster.missing),
        "fewest_hours_proven": all(each.proven for each in roster.covers),
        "breaches": len(breaches(roster.duties, roster.rules)),
        "repair_rounds": roster.rounds,
        "dropped_shifts": roster.dropped,
        "keeps": roster.keeps,
        "groups": [
            {"name": g.name, "promise": str(g.promise), "share": e.mean, "low": e.low, "high": e.high}
            for g in roster.groups
            if g.kind != "part"
            for e in [g.estimate()]
        ],
    }


def roster_lines(roster: Roster, seats_cost: float) -> list[str]:
    """What to say about a roster."""
    whole = roster.groups[0]
    e = whole.estimate()
    span = "" if e.low is None or e.high is None else f" (95 % interval {100 * e.low:.1f}-{100 * e.high:.1f} %)"
    rounds = "no round of repair" if roster.rounds == 0 else f"{roster.rounds} rounds of repair"
    missed = [f"{g.name} {fm.share(g.share)}" for g in roster.groups if g.kind != "part" and g.margin < 0.0]
    lines = [
        f"{roster.agents} agents in {len(roster.duties)} shifts; {roster.paid_hours:,.0f} paid hours with breaks, "
        f"holidays and training; EUR {roster.cost:,.0f}, {_against(roster.cost - seats_cost)} the bare seats.",
        f"Played on fresh days after {rounds}, {roster.dropped} shifts dropped that it can do without: "
        f"{fm.share(whole.share)} in time{span}; it {'keeps' if roster.keeps else 'does not keep'} the promise.",
    ]
    if not any(each.open for each in roster.assigned):
        lines.append(_agents(roster))
    if missed:
        lines.append(f"Below the promise: {', '.join(missed)}.")
    if not all(each.proven for each in roster.covers):
        lines.append("The time was over before the fewest hours were proven in every pool.")
    lines += [f"Missing: {text}." for text in roster.missing[:20]]
    if roster.rules.note:
        lines.append(f"Note: {roster.rules.note}.")
    return lines


def _against(more: float) -> str:
    return f"EUR {abs(more):,.0f} {'above' if more >= 0.0 else 'below'}"


def _agents(roster: Roster) -> str:
    """How near the number of agents is to the fewest."""
    least = sum(each.least for each in roster.assigned)
    if roster.agents <= least:
        return "No fewer agents can take these shifts within the rules."
    slow = [
        pool.name
        for pool, each in zip(roster.desk.pools, roster.assigned, strict=True)
        if each.agents > each.least and each.by == THUMB
    ]
    text = f"At least {least} agents are needed for these shifts, by their hours and by who works or rests at once"
    if slow:
        text += f"; in {fm.listed(slow)} they were given by the rule of thumb, as HiGHS found no better in its time"
    return f"{text}."
