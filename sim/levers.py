"""Levers of a crisis plan: what a desk may change while a crisis lasts, by how much, for which contacts.

Each kind is named by what it `changes`. A lever file entry may name a `preset` of the library instead
and say only what differs from it.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

import scenarios
from scenarios.behaviour import Onwards
from scenarios.checks import nearest
from scenarios.errors import Faults
from scenarios.laws import Constant, Frozen, Law, NonNegative, Positive, Share
from scenarios.names import Language, Platform, Topic, Visibility
from scenarios.tomlfile import read_toml
from sim.precedence import CaseClass, OverdueRule, Overflow, When

PRESETS = Path(scenarios.__file__).parent / "levers.toml"


def _three(value: Any) -> Any:
    """A bare number is low, likely and high at once."""
    return (value, value, value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _ascending(value: tuple[float, float, float]) -> tuple[float, float, float]:
    if not value[0] <= value[1] <= value[2]:
        raise ValueError(f"is {list(value)}; write it as [low, likely, high], ascending")
    return value


Effect = Annotated[tuple[Share, Share, Share], BeforeValidator(_three), AfterValidator(_ascending)]
"""Low, likely and high; runs use the likely one, assumed ranges are drawn between the others."""

Signal = Literal["backlog", "oldest_wait_min", "unread", "posts_per_h", "mention_to_case_ratio"]


class Trigger(Frozen):
    """A threshold on what the desk can see: entered at `enter` or above, left at `leave` or below.

    `backlog` counts case turns that wait, `oldest_wait_min` is the age of the oldest of them, `unread`
    counts posts to be read; `posts_per_h` and `mention_to_case_ratio` (posts for each case that became
    known) look at the last 60 minutes. With `language` only that language counts.
    """

    signal: Signal
    language: Language | None = None
    enter: Positive
    leave: NonNegative

    @property
    def fault(self) -> str | None:
        """What is wrong with its thresholds."""
        if self.leave <= self.enter:
            return None
        return f"is {self.leave:g}, above enter, which is {self.enter:g}: it would be left before it is entered"


class Contacts(Frozen):
    """Which contacts a lever concerns: all conditions given must hold; empty ones hold for all."""

    topics: tuple[Topic, ...] = ()
    classes: tuple[str, ...] = ()
    languages: tuple[Language, ...] = ()
    platforms: tuple[Platform, ...] = ()
    visibility: Visibility | None = None


class _Lever(Frozen):
    """What all levers have.

    `when` are triggers of its own, all of which must hold beside the declared crisis; `after_h` is the
    time from the declaration until it is thought of, `lead_min` from the decision until it acts, at
    least one control interval. `cost` is paid at each switching on, `cost_per_h` while it is on.
    """

    name: str
    preset: str | None = None
    when: tuple[Trigger, ...] = ()
    after_h: NonNegative = 0.0
    lead_min: NonNegative = 0.0
    cost: NonNegative = 0.0
    cost_per_h: NonNegative = 0.0


class _Fading(_Lever):
    """A lever whose effect halves every `half_life_h` until it is renewed, every `renew_h`."""

    effect: Effect
    contacts: Contacts = Contacts()
    half_life_h: Positive | None = None
    renew_h: Positive | None = None


class Wrong(Frozen):
    """A message may be wrong, at each switching on or renewal: then a share `wave` comes back.

    It is drawn from those whom the lever had kept from writing and from those whose case was resolved
    in the `back_h` before.
    """

    probability: Share
    wave: Share
    back_h: NonNegative = 24.0
    delay_min: Law = Constant(value=60.0)


class ArrivalsLever(_Fading):
    """A share `effect` of the contacts is not made: rows of the trace are suppressed.

    `posts` says which rows: those that want an answer (cases and calls), chatter, fakes, or all. Follow-ups
    go with the post they follow. `returns` says who of the suppressed cases comes back, where and when.
    """

    changes: Literal["arrivals"]
    posts: Literal["cases", "chatter", "fake", "all"] = "cases"
    returns: Onwards = ()
    wrong: Wrong | None = None


class StrengthLever(_Fading):
    """A number is smaller (`down`) or larger (`up`) by the share `effect`.

    `recontact`: the probability of writing again while waiting; `separate`: the share of such posts
    that opens a case of its own; `handling`: the time of a turn; `patience`: the time a customer waits.
    """

    changes: Literal["recontact", "separate", "handling", "patience"]
    direction: Literal["down", "up"] = "down"


class PromiseLever(_Lever):
    """Turns queue by other promises: `classes` as in a desk file. What is measured stays the desk's promise."""

    changes: Literal["promise"]
    classes: tuple[CaseClass, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _last_holds_for_all(self) -> PromiseLever:
        if self.classes[-1].when != When():
            raise Faults(
                [(f"classes[{len(self.classes) - 1}]", "is the last class and must hold for all: leave out its when")]
            )
        return self


class HeadsLever(_Lever):
    """A share `effect` of the agents of named `pools` (empty: all) stays `extend_h` beyond the shift's end.

    Whose site goes dark before that, or whose next shift begins, does not stay.
    """

    changes: Literal["heads"]
    effect: Effect
    extend_h: Positive
    pools: tuple[str, ...] = ()


class FilterLever(_Lever):
    """Posts go through a filter instead of being read by people; `effect` is its recall."""

    changes: Literal["filter"]
    effect: Effect
    false_positive: Share = 0.02
    delay_s: NonNegative = 5.0


class OverdueLever(_Lever):
    """What is overdue is treated in another way."""

    changes: Literal["overdue"]
    overdue: OverdueRule


class OverflowLever(_Lever):
    """Turns may also be taken by others, as an overflow rule of a desk says: a bridge language, translation."""

    changes: Literal["overflow"]
    overflow: Overflow


class ParkLever(_Lever):
    """A share `effect` of the turns is put aside, without patience, and queued when the lever is off again."""

    changes: Literal["park"]
    effect: Effect
    contacts: Contacts = Contacts()


def effect_of(lever: AnyLever) -> tuple[float, float, float] | None:
    """Low, likely and high effect of a lever, None for one that has none."""
    found: tuple[float, float, float] | None = getattr(lever, "effect", None)
    return found


AnyLever = (
    ArrivalsLever | StrengthLever | PromiseLever | HeadsLever | FilterLever | OverdueLever | OverflowLever | ParkLever
)


@cache
def presets() -> Mapping[str, Mapping[str, Any]]:
    """The library's levers by name, as tables; `story` and `source` beside what a lever has."""
    return read_toml(PRESETS)


def _preset(value: Any) -> Any:
    """Lay what the file says over the preset that it names."""
    if not isinstance(value, Mapping) or not isinstance(value.get("preset"), str):
        return value
    name = value["preset"]
    known = presets()
    if name not in known:
        near = nearest(name, known)
        hint = f"did you mean '{near}'?" if near else f"there are {', '.join(known)}"
        raise ValueError(f"names the preset {name!r}, which is unknown; {hint}")
    base = {key: each for key, each in known[name].items() if key not in ("story", "source")}
    return {"name": name.replace("_", " "), **base, **value}


Lever = Annotated[Annotated[AnyLever, Field(discriminator="changes")], BeforeValidator(_preset)]
