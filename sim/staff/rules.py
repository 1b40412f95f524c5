"""Rules of working time, as data: a named set in a TOML file that the user confirms.

Every value has its source or is marked as assumed. A set is no legal advice, and while it is not confirmed
every output says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

import scenarios
from scenarios import files
from scenarios.errors import Faults
from scenarios.laws import Count, Frozen, NonNegative, Positive, Share
from sim.desk import Clock

FOLDER = Path(scenarios.__file__).parent / "rules"
ABOUT = ("name", "title", "confirmed", "sources", "assumed")  # what is no rule
Hours = Annotated[float, Field(strict=True, gt=0, le=24)]


class BreakRule(Frozen):
    """A paid break of `minutes` for shifts of `from_h` hours and more; it begins between two hours of the shift."""

    from_h: NonNegative
    earliest_h: NonNegative
    latest_h: NonNegative
    minutes: Positive


class Rules(Frozen):
    """A set of rules; hours (`_h`) unless a name says otherwise.

    `lengths_h` and `start_every_min` say which shifts there are. `rest_h` lies between two duties,
    `weekly_rest_h` once in each 168 hours; `max_week_h` holds in each 168 hours, `contract_h` is what an agent is
    planned for. A *night* duty has more than `night_above_h` between `night_from` and `night_to`, local time.
    `planned_share` (holidays, training) and `unplanned_share` (sickness) of the paid time are not worked.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    title: str
    confirmed: bool = False
    lengths_h: tuple[Hours, ...] = Field(min_length=1)
    start_every_min: Annotated[int, Field(strict=True, ge=15, le=1440, multiple_of=15)]
    breaks: tuple[BreakRule, ...] = ()
    max_without_break_h: Positive
    max_shift_h: Hours
    max_week_h: Annotated[float, Field(strict=True, gt=0, le=168)]
    contract_h: Annotated[float, Field(strict=True, gt=0, le=168)]
    rest_h: NonNegative
    rest_after_night_h: NonNegative
    weekly_rest_h: Annotated[float, Field(strict=True, ge=0, le=168)]
    max_days_in_row: Annotated[int, Field(strict=True, ge=1)]
    night_from: Clock
    night_to: Clock
    night_above_h: NonNegative
    night_max_h: NonNegative
    max_nights_in_row: Count
    notice_h: NonNegative
    call_in_notice_h: NonNegative
    call_in_max_h: Hours
    call_in_rest_h: NonNegative
    planned_share: Share
    unplanned_share: Share
    sources: dict[str, str] = Field(default={})
    assumed: dict[str, str] = Field(default={})

    @model_validator(mode="after")
    def _holds_together(self) -> Rules:
        rules = [name for name in Rules.model_fields if name not in ABOUT]
        faults = [
            (name, "has no source; name it under sources, or say under assumed why it is so")
            for name in rules
            if not (self.sources.get(name) or self.assumed.get(name))
        ]
        for table in ("sources", "assumed"):
            faults += [(f"{table}.{n}", "is no rule of the set") for n in getattr(self, table) if n not in rules]
        faults += [
            (f"lengths_h[{i}]", f"is {length:g}, above max_shift_h of {self.max_shift_h:g}")
            for i, length in enumerate(self.lengths_h)
            if length > self.max_shift_h
        ]
        faults += [
            (f"lengths_h[{i}]", f"is {length:g}, which is no number of quarters of an hour")
            for i, length in enumerate(self.lengths_h)
            if (length * 4) % 1
        ]
        for i, rule in enumerate(self.breaks):
            if rule.latest_h < rule.earliest_h:
                faults.append((f"breaks[{i}].latest_h", f"is {rule.latest_h:g}, before {rule.earliest_h:g}"))
            if rule.latest_h + rule.minutes / 60.0 > min(x for x in (*self.lengths_h, 24.0) if x >= rule.from_h):
                faults.append((f"breaks[{i}]", "may end after the shortest shift that has it"))
        if self.contract_h > self.max_week_h:
            faults.append(("contract_h", f"is {self.contract_h:g}, above max_week_h of {self.max_week_h:g}"))
        for name in ("planned_share", "unplanned_share"):
            if getattr(self, name) >= 0.9:
                faults.append((name, f"is {getattr(self, name):g}: hardly anybody would come; give less than 0.9"))
        if faults:
            raise Faults(faults)
        return self

    @property
    def note(self) -> str | None:
        """What to say beside every output while nobody has confirmed the set; None once somebody has."""
        if self.confirmed:
            return None
        return (
            f"the rules {self.name} are not confirmed and are no legal advice: check them against your law, agreements "
            "and contracts, then set confirmed = true in a copy of your own"
        )


def load(name_or_path: str | Path) -> Rules:
    """The set of rules of this name in the library, or in this file.

    Raises
    ------
    InputError
        With everything that is wrong with the file, or names close to one that is unknown.
    """
    return files.load(Rules, name_or_path, FOLDER, "set of rules")


def names() -> list[str]:
    """Names of the sets in the library."""
    return files.library(FOLDER)
