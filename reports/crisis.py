"""What the crisis plan did in some runs: when it was declared, which levers acted, who was called in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scenarios.names import NONE
from sim.outcome import Outcome, PlanStep
from sim.plan import Plan

HOUR_S = 3600.0


@dataclass(frozen=True)
class Action:
    """One thing that the plan did, over the runs in which it did.

    Attributes
    ----------
    what, name : str
        "crisis", "lever" or "rung", and its name.
    runs : int
        In how many runs it happened at least once.
    first_s : float
        Mean time of the first time, in seconds from onset.
    hours : float
        Mean time for which it lasted, inside the window; of a rung from its calling to its standing down.
    heads : float
        Mean number of people who accepted, the first time that a rung was asked.
    """

    what: str
    name: str
    runs: int
    first_s: float
    hours: float
    heads: float


@dataclass(frozen=True)
class PlanStory:
    """What the plan did in all runs; `wrong` counts messages that were wrong, over all runs."""

    name: str
    levers: int
    rungs: int
    actions: tuple[Action, ...]
    wrong: int

    @property
    def declared(self) -> Action | None:
        """The crisis itself, None: it was declared in no run."""
        return next((action for action in self.actions if action.what == "crisis"), None)

    @property
    def whole(self) -> bool:
        """Whether every lever acted and every rung was asked in some run."""
        return len(self.actions) == 1 + self.levers + self.rungs


@dataclass(frozen=True)
class Steps:
    """The steps of one run, taken out of its outcome."""

    time_s: Any
    step: Any
    number: Any
    heads: Any
    end_s: float


def steps_of(outcome: Outcome) -> Steps:
    """What the plan did in one run."""
    plan = outcome.plan
    return Steps(plan["time_s"], plan["step"], plan["number"], plan["heads"], float(outcome.about["window_s"][1]))


def story(plan: Plan | None, runs: Sequence[Steps]) -> PlanStory | None:
    """Put the runs together; None without a plan."""
    if plan is None:
        return None
    items = [("crisis", plan.name, PlanStep.DECLARED, PlanStep.LEFT, NONE)]
    items += [("lever", x.name, PlanStep.LEVER_ON, PlanStep.LEVER_OFF, i) for i, x in enumerate(plan.levers)]
    items += [("rung", x.name, PlanStep.CALLED, PlanStep.STOOD_DOWN, i) for i, x in enumerate(plan.ladder)]
    actions = [_action(what, name, on, off, number, runs) for what, name, on, off, number in items]
    found = tuple(action for action in actions if action is not None)
    wrong = sum(int(np.count_nonzero(run.step == PlanStep.WRONG)) for run in runs)
    return PlanStory(plan.name, len(plan.levers), len(plan.ladder), found, wrong)


def _action(what: str, name: str, on: PlanStep, off: PlanStep, number: int, runs: Sequence[Steps]) -> Action | None:
    first, hours, heads = [], [], []
    for run in runs:
        mine = run.number == number
        begins, ends = run.time_s[mine & (run.step == on)], run.time_s[mine & (run.step == off)]
        if begins.size:
            first.append(float(begins[0]))
            heads.append(float(run.heads[mine & (run.step == on)][0]))
            lasting = np.append(ends, run.end_s) if begins.size > ends.size else ends
            hours.append(float(np.sum(np.minimum(lasting, run.end_s) - np.minimum(begins, run.end_s))) / HOUR_S)
    if not first:
        return None
    return Action(what, name, len(first), float(np.mean(first)), float(np.mean(hours)), float(np.mean(heads)))
