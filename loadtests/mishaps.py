"""What goes wrong while a replay runs, and when: the scenario's faults as switches of the service, and its process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from loadtests.schedule import HOUR_S, Schedule
from scenarios.behaviour import CrmFault, HeldFault, PaymentFault
from scenarios.behaviour import Fault as ScenarioFault
from scenarios.errors import Fault, InputError

OK = "ok"
STATES: Mapping[str, Sequence[str]] = {
    "crm": (OK, "slow", "down"),
    "payments": (OK, "duplicate", "slow", "failing"),
    "platform": (OK, "held"),
}
"""Switches of the service with their states, each worse than the one before it."""

KILL, RESTART, FREEZE = "kill", "restart", "freeze"
PROCESS = frozenset({KILL, RESTART, FREEZE})
OPTION = "--disturb-service"
_TERM = re.compile(r"(kill|restart|freeze)\s*@\s*(-?\d+(?:\.\d+)?)\s*(s|h)(?:\s*\+\s*(\d+(?:\.\d+)?)\s*s)?")


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong.

    Attributes
    ----------
    what : str
        A switch of the service (`STATES`), or ``kill``, ``restart``, ``freeze``.
    state : str
        Of the switch; empty for the process.
    from_s, to_s : float
        Seconds from the start of the replay. A process that was killed is started again at `to_s`.
    """

    what: str
    state: str
    from_s: float
    to_s: float

    @property
    def name(self) -> str:
        """As people call it."""
        return f"{self.what} {self.state}" if self.state else self.what

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "from_s": self.from_s, "to_s": self.to_s}


def of_scenario(faults: Iterable[ScenarioFault], schedule: Schedule) -> list[Mishap]:
    """The faults for which a service has a switch, in the time of the replay, cut to its hours.

    Raises
    ------
    InputError
        If there are none in these hours.
    """
    found = []
    for fault in faults:
        switch = _switch(fault)
        if switch is None or not isinstance(fault, CrmFault | HeldFault | PaymentFault):
            continue
        from_s, to_s = max(0.0, at_s(fault.from_h, schedule)), min(schedule.span_s, at_s(fault.to_h, schedule))
        if from_s < to_s:
            found.append(Mishap(*switch, from_s, to_s))
    if not found:
        what = "has nothing to play: no fault of the customer system, the payments or a platform lies in these hours"
        raise InputError(None, [Fault("--faults", what)])
    return sorted(found, key=lambda each: (each.from_s, each.to_s))


def _switch(fault: ScenarioFault) -> tuple[str, str] | None:
    """Switch and state; None for what happens to people, and for a fault that does nothing."""
    if isinstance(fault, CrmFault):
        return ("crm", "down") if fault.duplicates > 0.0 else ("crm", "slow") if fault.factor > 1.0 else None
    if isinstance(fault, HeldFault):
        return "platform", "held"
    if isinstance(fault, PaymentFault):
        if fault.fails > 0.0:
            return "payments", "failing"
        if fault.factor > 1.0:
            return "payments", "slow"
        return ("payments", "duplicate") if fault.duplicates > 0.0 else None
    return None


def of_words(words: str, schedule: Schedule) -> list[Mishap]:
    """Read ``kill@30s,freeze@60s+2s`` or ``restart@2.5h``: seconds of the replay, or hours from the onset.

    A killed process is started again at once, or after the seconds behind the plus.

    Raises
    ------
    InputError
        With all that is wrong: what cannot be read, lies outside of the replay, or meets another.
    """
    found: list[Mishap] = []
    wrong: list[Fault] = []
    for part in [part.strip() for part in words.split(",") if part.strip()]:
        match = _TERM.fullmatch(part)
        if match is None:
            wrong.append(Fault(f"{OPTION} {part}", "reads like kill@30s, kill@30s+5s, restart@2.5h or freeze@60s+2s"))
            continue
        what, when, unit, lasts = match[1], float(match[2]), match[3], match[4]
        from_s = when if unit == "s" else at_s(when, schedule)
        if (what == FREEZE) is not (lasts is not None) and what != KILL:
            more = (
                "needs its length, such as +2s" if what == FREEZE else "takes as long as it takes; leave the plus out"
            )
            wrong.append(Fault(f"{OPTION} {part}", more))
        elif not 0.0 <= from_s <= schedule.span_s:
            more = f"is {from_s:,.1f} s from the start; the last row is due at {schedule.span_s:,.1f} s"
            wrong.append(Fault(f"{OPTION} {part}", more))
        else:
            found.append(Mishap(what, "", from_s, from_s + float(lasts or 0.0)))
    if not found and not wrong:
        wrong.append(Fault(OPTION, "is empty; write it like kill@30s,freeze@60s+2s"))
    found.sort(key=lambda each: each.from_s)
    for one, other in pairwise(found):
        if other.from_s < one.to_s or other.from_s == one.from_s:
            more = f"begins at {other.from_s:,.1f} s, before {one.name} has ended; take a later moment"
            wrong.append(Fault(f"{OPTION} {other.name}", more))
    if wrong:
        raise InputError(None, wrong)
    return found


def at_s(hours: float, schedule: Schedule) -> float:
    """Hours from the onset as seconds from the start of the replay."""
    return float((hours - schedule.about["window_h"][0]) * HOUR_S / schedule.about["speed"])


def switches(active: Iterable[Mishap]) -> dict[str, str]:
    """What each switch is to be while these last: the worst of what is asked of it."""
    states = dict.fromkeys(STATES, OK)
    for each in active:
        if each.what in STATES:
            states[each.what] = max(states[each.what], each.state, key=STATES[each.what].index)
    return states
