"""What is compared: desks times plans, each under a name that tells it from the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from scenarios.errors import Fault, InputError
from scenarios.model import Scenario
from sim.compare import Alternative
from sim.desk import Desk
from sim.plan import Plan, load_plan

NO_PLAN, OWN_PLAN = "none", "own"
DEFAULT_DESK = "klm_2015"

T = TypeVar("T")
PlanChoice = Plan | None | str
"""A plan, None for no plan, or "own" for that of the desk."""


@dataclass(frozen=True)
class Named:
    """A desk or a plan with the word that it was asked for by."""

    asked: str
    name: str


def load_all(
    scenario: str, desks: Sequence[str], plans: Sequence[str]
) -> tuple[Scenario, list[Desk], list[PlanChoice]]:
    """Load everything by names or paths; raises `InputError` with the faults of all of it."""
    wrong: list[Fault] = []
    found = _load(partial(Scenario.load, scenario), wrong)
    loaded = [_load(partial(Desk.load, word), wrong) for word in desks]
    chosen = [_load(partial(choose, word), wrong) for word in plans]
    if wrong or found is None:
        raise InputError(None, dict.fromkeys(wrong))
    return found, [desk for desk in loaded if desk is not None], chosen


def _load(load: Callable[[], T], wrong: list[Fault]) -> T | None:
    try:
        return load()
    except InputError as error:
        wrong += [replace(fault, path=fault.path or error.path) for fault in error.faults]
        return None


def choose(plan: str | Path | Plan) -> PlanChoice:
    """A plan by its name or file; "none" is to have none, "own" is that which the desk has."""
    if isinstance(plan, Plan) or plan == OWN_PLAN:
        return plan if isinstance(plan, Plan) else OWN_PLAN
    return None if plan == NO_PLAN else load_plan(plan)


def with_plan(desk: Desk, plan: PlanChoice) -> Desk:
    """The desk, following this plan."""
    return desk if isinstance(plan, str) else desk.with_plan(plan)


def alternatives(
    desks: Sequence[tuple[str, Desk]],
    plans: Sequence[tuple[str, PlanChoice]] = (),
    names: Sequence[str] | None = None,
) -> tuple[Alternative, ...]:
    """Every desk with every plan, the desks in the outer order; without plans each desk keeps its own.

    Parameters
    ----------
    desks, plans : sequence of (word it was asked for by, value)
        A name that comes twice gives way to the word, and then to a number.
    names : sequence of str, optional
        What to call the desks, instead of by the names in their files.

    Raises
    ------
    InputError
        If there are fewer than two alternatives.
    """
    of_desks = names or _told_apart([Named(word, desk.name) for word, desk in desks])
    of_plans = _told_apart([Named(word, _plan_name(plan)) for word, plan in plans])
    made = []
    for desk_name, (_, desk) in zip(of_desks, desks, strict=True):
        if not plans:
            made.append(Alternative(desk_name, desk))
        for plan_name, (_, plan) in zip(of_plans, plans, strict=True):
            both = f"{desk_name}, {plan_name}" if len(desks) > 1 and len(plans) > 1 else ""
            name = both or (plan_name if len(plans) > 1 or len(desks) == 1 else desk_name)
            made.append(Alternative(name, with_plan(desk, plan)))
    if len(made) < 2:
        alone = made[0].name if made else "nothing"
        raise InputError(
            None,
            [
                Fault(
                    "",
                    f"there is only one alternative, {alone!r}, and nothing to compare it with; give a second --desk, "
                    f"or a second --plan: --plan {NO_PLAN} is to have none, --plan {OWN_PLAN} that of the desk",
                )
            ],
        )
    return tuple(made)


def _plan_name(plan: PlanChoice) -> str:
    if isinstance(plan, str):
        return "own plan"
    return "no plan" if plan is None else plan.name


def _told_apart(rows: Iterable[Named]) -> list[str]:
    """Names; those that several words share become the words, and words that come again get a number."""
    listed = list(rows)
    words = {row.name: {each.asked for each in listed if each.name == row.name} for row in listed}
    names = [row.asked if len(words[row.name]) > 1 else row.name for row in listed]
    return [
        name if names.index(name) == at else f"{name} ({names[: at + 1].count(name)})" for at, name in enumerate(names)
    ]
