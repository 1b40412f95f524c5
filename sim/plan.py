"""The crisis plan: when a crisis is declared and left, which levers are switched on, who is called in.

A plan is written in a TOML file of its own or inside a desk file. The library's plans lie beside its
scenarios.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, model_validator

import scenarios
from scenarios import files
from scenarios.errors import Faults, InputError
from scenarios.laws import Constant, Count, Frozen, Law, NonNegative, Positive, Share
from scenarios.model import Assumption
from scenarios.names import Language
from sim.levers import Lever, Trigger

FOLDER = Path(scenarios.__file__).parent / "plans"
HOUR_MIN = 60
SLACK_H = 1e-9  # a break with which the time ends is no break


def _speeds(value: Any) -> Any:
    """A list of languages is the same as all of them at speed 1."""
    return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value


Speeds = Annotated[dict[Language, Positive], BeforeValidator(_speeds)]


class Group(Frozen):
    """Heads of a rung with the same skills; `topics` names topic groups of the desk, empty for all."""

    heads: Count
    languages: Speeds = Field(min_length=1)
    topics: tuple[str, ...] = ()


class Rest(Frozen):
    """A break of `minutes`, `after_h` hours after somebody who was called in sat down."""

    after_h: Positive
    minutes: Positive


class Rung(Frozen):
    """One rung of the call-in ladder: who is asked, how many say yes, when they come, how long they stay.

    Asked `after_h` after the declaration, if the triggers of `when` hold. Whoever accepts comes after a
    lead time of his own, works `max_h` hours, less the breaks, rests for `rest_h` and comes again, until the
    crisis is left or `for_h` have passed since the rung was asked. In the first `ramp_up_h` at the desk
    work takes longer: twice the time at first, falling evenly to once.
    """

    name: str
    groups: tuple[Group, ...] = Field(min_length=1)
    when: tuple[Trigger, ...] = ()
    after_h: NonNegative = 0.0
    lead_h: Law = Constant(value=2.0)
    acceptance: Share = 0.7
    ramp_up_h: NonNegative = 0.0
    max_h: Positive = 8.0
    rest_h: NonNegative = 11.0
    for_h: Positive | None = None
    breaks: tuple[Rest, ...] = ()
    reads: bool = True
    speed: Positive = 1.0
    cost_per_h: NonNegative = 30.0

    @property
    def heads(self) -> int:
        """How many can be asked."""
        return sum(group.heads for group in self.groups)


class Plan(Frozen):
    """What a desk does in a crisis.

    Every `interval_min`, from the window's start, the desk looks at its signals. When one of the
    `triggers` is entered a crisis is decided on, and declared `declaration_min` later; it is left when all
    are left. While it is declared, levers and rungs act as they say.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    title: str = ""
    story: str = ""
    sources: tuple[str, ...] = ()
    interval_min: Positive = 15.0
    declaration_min: NonNegative = 30.0
    triggers: tuple[Trigger, ...] = ()
    levers: tuple[Lever, ...] = ()
    ladder: tuple[Rung, ...] = ()
    assumed: tuple[Assumption, ...] = ()

    @model_validator(mode="after")
    def _checked(self) -> Plan:
        faults: list[tuple[str, str]] = []
        if HOUR_MIN % self.interval_min:
            faults.append(("interval_min", f"is {self.interval_min:g}; 60 minutes must be a whole number of them"))
        if (self.levers or self.ladder) and not self.triggers:
            faults.append(("triggers", "are missing: without one no crisis is ever declared"))
        lists = [("triggers", self.triggers)]
        lists += [(f"levers[{i}].when", lever.when) for i, lever in enumerate(self.levers)]
        lists += [(f"ladder[{i}].when", rung.when) for i, rung in enumerate(self.ladder)]
        for place, triggers in lists:
            faults += [(f"{place}[{i}].leave", t.fault) for i, t in enumerate(triggers) if t.fault is not None]
        for place, names in (("levers", [x.name for x in self.levers]), ("ladder", [x.name for x in self.ladder])):
            faults += [(f"{place}[{i}].name", f"is {n!r} a second time") for i, n in enumerate(names) if n in names[:i]]
        faults += [
            (
                f"ladder[{i}].breaks[{j}]",
                f"ends {b.after_h + b.minutes / 60:g} h after the start, and not before the end of {rung.max_h:g} h; "
                "lower max_h instead",
            )
            for i, rung in enumerate(self.ladder)
            for j, b in enumerate(rung.breaks)
            if b.after_h + b.minutes / 60 >= rung.max_h - SLACK_H
        ]
        if faults:
            raise Faults(faults)
        return self


def plan_names() -> list[str]:
    """Names of the plans in the library, in alphabetical order."""
    return files.library(FOLDER)


def load_plan(name_or_path: str | Path) -> Plan:
    """The plan of this name in the library, or in this file.

    Raises
    ------
    InputError
        With everything that is wrong with the file, or names close to one that is unknown.
    """
    return files.load(Plan, name_or_path, FOLDER, "plan")


def plan_schema() -> dict[str, Any]:
    """JSON Schema of a plan file, for editors."""
    return Plan.model_json_schema()


def _named(value: Any) -> Any:
    """A desk file may name a plan instead of writing it down."""
    if not isinstance(value, str):
        return value
    try:
        return load_plan(value)
    except InputError as error:
        unknown = error.path is None  # else the plan was found, and is wrong
        told = f"names {value!r}, which {error.faults[0].what}" if unknown else "; ".join(str(error).splitlines())
        raise ValueError(told) from None


PlanOrName = Annotated[Plan | None, BeforeValidator(_named)]
