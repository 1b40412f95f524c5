"""What becomes of a staffing plan where assumed parameters are drawn: in words, and as numbers for JSON."""

from __future__ import annotations

import math
from typing import Any

from reports import formats as fm
from sim.differences import BEST_IN
from sim.staff.worlds_advice import FEWER, WorldsAdvice

FEWEST = 5  # worlds: with fewer of them nothing is said


def worlds_facts(found: WorldsAdvice) -> dict[str, Any]:
    """Everything, ready for JSON; shares are null without worlds."""
    some = found.worlds > 0
    return {
        "worlds": found.worlds,
        "runs_each": found.runs,
        "drawn": found.ranges,
        "without_range": found.left_out,
        "advice_holds": found.holds if some else None,
        "can_tell": can_tell(found, found.holds) if some else False,
        "cheaper_would_do": found.too_much if some else None,
        "plans": [
            {"name": name, "cost": cost, "keeps": float(share) if some else None}
            for name, cost, share in zip(found.plans, found.costs, found.kept, strict=True)
        ],
        "reachable_verdict_holds": found.reachable_holds if some else None,
        "matters_most": found.matters,
        "why_none": found.why,
    }


def can_tell(found: WorldsAdvice, share: float) -> bool:
    """Whether enough worlds agree."""
    return found.worlds >= FEWEST and share >= BEST_IN


def worlds_lines(found: WorldsAdvice) -> list[str]:
    """What to say."""
    if found.why is not None:
        return [f"Whether the advice survives the assumed ranges is not known: {found.why.partition(';')[0]}."]
    if found.worlds < FEWEST:
        text = f"the time was enough for {found.worlds} worlds; give a larger --budget"
        return [f"Whether the advice survives the assumed ranges cannot be told: {text}."]
    return [_requirement(found), *_safer(found), _reachable(found), *_matters(found)]


def worlds_rows(found: WorldsAdvice) -> list[tuple[str, str, str]]:
    """Cells of a table: plan, euros, in how many of the worlds it keeps the promise; empty with too few worlds."""
    if found.worlds < FEWEST:
        return []
    counts = found.keeps.sum(axis=0).tolist()
    return [
        (name, f"{cost:,.0f}", f"{n} of {found.worlds}")
        for name, cost, n in zip(found.plans, found.costs, counts, strict=True)
    ]


def _requirement(found: WorldsAdvice) -> str:
    where = f"of the {found.worlds} worlds drawn from {found.ranges} assumed ranges"
    off = f"a share of {found.worlds} worlds may be off by {100.0 / math.sqrt(found.worlds):.0f} points"
    why = f"over the whole window the seats miss the promise in {fm.share(1.0 - float(found.kept[found.advised]))}"
    if found.advised:
        cheaper = " or ".join(name if name in dict(FEWER) else f"'{name}'" for name in found.plans[: found.advised])
        why += f", and {cheaper} would do in {fm.share(found.too_much)}"
    if can_tell(found, found.holds):
        return f"The advice holds in {fm.share(found.holds)} {where}: {why} ({off})."
    return (
        f"The assumed ranges may flip the advice, which holds in {fm.share(found.holds)} {where}: {why} ({off}). "
        "One cannot tell whether these are the right seats before more is measured."
    )


def _safer(found: WorldsAdvice) -> list[str]:
    """The cheapest plan to be on the safe side with, if the requirement is not."""
    if found.kept[found.advised] >= BEST_IN:
        return []
    more = range(found.advised + 1, len(found.plans))
    sure = next((i for i in more if found.kept[i] >= BEST_IN), None)
    if sure is not None:
        extra = found.costs[sure] - found.costs[found.advised]
        return [
            f"To be on the safe side of the assumed ranges take '{found.plans[sure]}', EUR {extra:,.0f} more: it keeps "
            f"the promise in {fm.share(float(found.kept[sure]))} of these worlds."
        ]
    best = max(range(len(found.plans)), key=lambda i: (found.kept[i], i))
    if found.kept[best] == 0.0:
        return ["No plan here keeps the promise in any of these worlds."]
    return [
        f"No plan here keeps the promise in {fm.share(BEST_IN)} of these worlds; '{found.plans[best]}' does in "
        f"{fm.share(float(found.kept[best]))}."
    ]


def _reachable(found: WorldsAdvice) -> str:
    verb = "keep" if found.reachable_as_is else "do not keep"
    share = fm.share(found.reachable_holds)
    text = f"That the desk and its ladder {verb} the promise holds in {share} of these worlds"
    return f"{text}." if can_tell(found, found.reachable_holds) else f"{text}: one cannot tell."


def _matters(found: WorldsAdvice) -> list[str]:
    if found.matters is None:
        return []
    return [f"Of all that is assumed {found.matters} matters most: measure it first."]
