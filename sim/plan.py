"""The crisis plan that a desk file carries: triggers, levers, call-in ladder."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

import scenarios
from scenarios import files
from scenarios.laws import Constant, Count, Frozen, Law, NonNegative, Number, Positive, Share
from scenarios.names import Language, Topic, Visibility

FOLDER = Path(scenarios.__file__).parent / "plans"


def _speeds(value: Any) -> Any:
    """A list of languages is the same as all of them at speed 1."""
    return dict.fromkeys(value, 1.0) if isinstance(value, list | tuple) else value


Speeds = Annotated[dict[Language, Positive], BeforeValidator(_speeds)]


class Trigger(Frozen):
    """A threshold on what the desk can see: entered at `enter`, left at `leave`."""

    signal: Literal["backlog", "oldest_wait_min", "posts_per_h", "mention_to_case_ratio"]
    language: Language | None = None
    enter: Positive
    leave: NonNegative


class Lever(Frozen):
    """One measure of a crisis plan: which contacts, what it changes, how much, how soon, at what cost.

    `effect` is (low, likely, high): a share of the contacts for `arrivals` and `recontact`, else the
    relative change of the quantity named.
    """

    name: str
    changes: Literal["arrivals", "recontact", "handling", "patience", "promise", "heads", "filter", "overdue"]
    effect: tuple[Number, Number, Number]
    topics: tuple[Topic, ...] = ()
    languages: tuple[Language, ...] = ()
    visibility: Visibility | None = None
    lead_min: NonNegative = 0.0
    half_life_h: Positive | None = None
    renew_h: Positive | None = None
    cost: NonNegative = 0.0


class Rung(Frozen):
    """One rung of the call-in ladder: who can be asked, how long it takes, how many say yes."""

    name: str
    heads: Count
    languages: Speeds = Field(min_length=1)
    lead_h: Law = Constant(value=2.0)
    acceptance: Share = 0.7
    ramp_up_h: NonNegative = 0.0
    max_h: Positive = 8.0
    rest_h: NonNegative = 11.0
    speed: Positive = 1.0
    cost_per_h: NonNegative = 30.0


class Plan(Frozen):
    """The crisis plan: when a crisis is declared and left, what is switched on, who is called in.

    A desk file carries it; this version records it and says that it is not played yet.
    """

    name: str
    interval_min: Positive = 15.0
    declaration_min: NonNegative = 30.0
    triggers: tuple[Trigger, ...] = ()
    levers: tuple[Lever, ...] = ()
    ladder: tuple[Rung, ...] = ()


def load_plan(name_or_path: str | Path) -> Plan:
    """The plan of this name in the library, or in this file.

    Raises
    ------
    InputError
        With everything that is wrong with the file, or names close to one that is unknown.
    """
    return files.load(Plan, name_or_path, FOLDER, "plan")
