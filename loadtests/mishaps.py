"""What goes wrong while a replay runs, and when: the scenario's faults as switches of the service, and its process."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from loadtests.schedule import HOUR_S, Hold, Schedule
from scenarios.behaviour import CrmFault, HeldFault, PaymentFault, RuleChange
from scenarios.behaviour import Fault as ScenarioFault
from scenarios.errors import Fault, InputError

CRM = ("ok", "slow", "down")
"""States of the customer system, each worse than the one before it."""

KILL, RESTART, FREEZE = "kill", "restart", "freeze"
PROCESS = frozenset({KILL, RESTART, FREEZE})
OPTION = "--disturb-service"
_TERM = re.compile(r"(kill|restart|freeze)\s*@\s*(-?\d+(?:\.\d+)?)\s*(s|h)(?:\s*\+\s*(\d+(?:\.\d+)?)\s*s)?")


@dataclass(frozen=True)
class Mishap:
    """One thing that goes wrong.

    Attributes
    ----------
    name : str
        As people call it: ``kill``, ``restart`` or ``freeze`` of the process, or what is broken in the service.
    from_s, to_s : float
        Seconds from the start of the replay. A process that was killed is started again at `to_s`.
    asked : mapping
        Members of the service's switches (see `switches`); empty for the process.
    """

    name: str
    from_s: float
    to_s: float
    asked: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "from_s": self.from_s, "to_s": self.to_s, "switches": dict(self.asked)}


def of_scenario(faults: Iterable[ScenarioFault], schedule: Schedule) -> list[Mishap]:
    """The faults for which a service has a switch, in the time of the replay, cut to its hours.

    Raises
    ------
    InputError
        If there are none in these hours.
    """
    found = []
    for fault in faults:
        if not isinstance(fault, CrmFault | HeldFault | PaymentFault) or not (what := _broken(fault)):
            continue
        from_s, to_s = max(0.0, at_s(fault.from_h, schedule)), min(schedule.span_s, at_s(fault.to_h, schedule))
        if from_s < to_s:
            found.append(Mishap(what[0], from_s, to_s, what[1]))
    if not found:
        what_to_do = "has nothing to play: no fault of the customer system, payments or a platform lies in these hours"
        raise InputError(None, [Fault("--faults", what_to_do)])
    return sorted(found, key=lambda each: (each.from_s, each.to_s))


def not_played(faults: Iterable[ScenarioFault], schedule: Schedule) -> list[str]:
    """Faults in the hours of the replay that happen to people, so a service has no switch for them."""
    first_h, last_h = schedule.about["window_h"]
    found = []
    for fault in faults:
        if isinstance(fault, CrmFault | HeldFault | PaymentFault):
            continue
        from_h, to_h = (fault.at_h, fault.at_h) if isinstance(fault, RuleChange) else (fault.from_h, fault.to_h)
        if from_h < last_h and (first_h < to_h or first_h <= from_h):
            found.append(
                f"{fault.kind} (hour {from_h:g})" if from_h == to_h else f"{fault.kind} (hours {from_h:g} to {to_h:g})"
            )
    return list(dict.fromkeys(found))


def _broken(fault: CrmFault | HeldFault | PaymentFault) -> tuple[str, dict[str, Any]] | None:
    """Name and switches; None for a fault that does nothing."""
    if isinstance(fault, HeldFault):
        return f"{', '.join(fault.platforms)} held", {"platforms": sorted(fault.platforms)}
    if isinstance(fault, CrmFault):
        state = "down" if fault.duplicates > 0.0 else "slow" if fault.factor > 1.0 else ""
        return (f"crm {state}", {"crm": state}) if state else None
    shares = {"slow": float(fault.factor > 1.0), "failing": fault.fails, "duplicate": fault.duplicates}
    words = [how if share == 1.0 else f"{how} {100.0 * share:g} %" for how, share in shares.items() if share]
    asked = {f"payments_{how}": share for how, share in shares.items() if share}
    return (f"payments {', '.join(words)}", asked) if words else None


def switches(active: Iterable[Mishap]) -> dict[str, Any]:
    """What is to be broken while these last, as the service takes it; what is not named there is whole.

    Of a customer system the worst is played, of platforms all. Shares of orders that meet are those of one more
    cause: who is spared by one may be hit by the other.
    """
    states: dict[str, Any] = {}
    for each in active:
        for name, value in each.asked.items():
            if name == "crm":
                states[name] = max(states.get(name, "ok"), value, key=CRM.index)
            elif name == "platforms":
                states[name] = sorted({*states.get(name, ()), *value})
            else:
                states[name] = 1.0 - (1.0 - states.get(name, 0.0)) * (1.0 - value)
    return states


def holds(faults: Iterable[ScenarioFault]) -> list[Hold]:
    """Platforms whose posts are seen late, see `loadtests.schedule.of_traces`."""
    held = [fault for fault in faults if isinstance(fault, HeldFault)]
    return [(fault.platforms, fault.from_h, fault.to_h) for fault in held]


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
            found.append(Mishap(what, from_s, from_s + float(lasts or 0.0)))
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
