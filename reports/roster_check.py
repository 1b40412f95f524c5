"""The check of a roster file against a set of rules, for the command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.console import Console

from scenarios.errors import InputError
from sim import library
from sim.desk import Desk
from sim.staff import rules as rule_sets
from sim.staff.duty import Duty, read_csv
from sim.staff.roster_check import Breach, breaches
from sim.staff.rules import Rules


@dataclass(frozen=True)
class Checked:
    """What was checked, and all that is wrong with it."""

    duties: tuple[Duty, ...]
    rules: Rules
    breaches: tuple[Breach, ...]

    @property
    def code(self) -> int:
        """Exit code: 1 if a rule is broken."""
        return 1 if self.breaches else 0

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "rules": self.rules.name,
            "confirmed": self.rules.confirmed,
            "note": self.rules.note,
            "agents": len({d.agent for d in self.duties}),
            "duties": len(self.duties),
            "paid_hours": sum(d.hours for d in self.duties),
            "breaches": [
                {"agent": b.agent, "date": b.day.isoformat(), "rule": b.rule, "what": b.what} for b in self.breaches
            ],
        }


def check(roster: str, rules: str, desk: str | None) -> Checked:
    """Check a roster file.

    Raises
    ------
    InputError
        With the faults of all files.
    """
    faults = []
    duties: list[Duty] = []
    found: Rules | None = None
    named: Desk | None = None
    try:
        duties = read_csv(roster)
    except InputError as error:
        faults.append(error)
    try:
        found = rule_sets.load(rules)
    except InputError as error:
        faults.append(error)
    try:
        named = None if desk is None else library.load(desk)
    except InputError as error:
        faults.append(error)
    if faults:
        path = faults[0].path if len({error.path for error in faults}) == 1 else None
        raise InputError(
            path, [type(f)(f.place, f.what, f.path or error.path) for error in faults for f in error.faults]
        )
    assert found is not None  # else there was a fault
    return Checked(tuple(duties), found, tuple(breaches(duties, found, named)))


def draw(console: Console, checked: Checked) -> None:
    """Print the breaches, one a line, and what was checked."""
    for breach in checked.breaches:
        console.print(str(breach), soft_wrap=True)
    agents = len({d.agent for d in checked.duties})
    console.print(
        f"{len(checked.breaches)} breaches of the rules {checked.rules.name} in {len(checked.duties)} duties of "
        f"{agents} agents",
        soft_wrap=True,
    )
    if checked.rules.note:
        console.print(f"Note: {checked.rules.note}.", soft_wrap=True)
