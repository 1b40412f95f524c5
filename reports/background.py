"""What stands behind the numbers: assumptions, faults in force, where the runs came from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from reports import formats as fm
from reports.data import ReportData
from scenarios.behaviour import (
    CrmFault,
    Fault,
    HeldFault,
    NoAnswer,
    PaymentFault,
    RuleChange,
    SiteDark,
    StaffAbsent,
)
from scenarios.model import Assumption
from sim.levers import effect_of, presets
from sim.plan import Plan

NOT_GIVEN = "not given"
LISTED_APART = frozenset({"replications"})


@dataclass(frozen=True)
class Assumed:
    """A parameter without a source, as a row of a table."""

    where: str
    what: str
    reason: str
    span: str


def assumptions(data: ReportData) -> tuple[Assumed, ...]:
    """All parameters without a source, of scenario, desk and plan; the effect of each lever is one."""
    plan = data.desk.plan
    all_ = [("scenario", data.scenario.assumed), ("desk", data.desk.assumed), ("plan", plan.assumed if plan else ())]
    effects = _effects(plan) if plan is not None else []
    return (*(Assumed(where, row.what, row.reason, _span(row)) for where, rows in all_ for row in rows), *effects)


def _effects(plan: Plan) -> list[Assumed]:
    rows = []
    for lever in plan.levers:
        low, likely, high = effect_of(lever) or (0.0, 0.0, 0.0)
        if low < high:
            source = presets().get(lever.preset or "", {}).get("source", "as the plan says")
            reason = f"{fm.share(likely)} is taken; {source}"
            rows.append(Assumed("plan", f"effect of {lever.name}", reason, f"{low:g} to {high:g}"))
    return rows


def _span(row: Assumption) -> str:
    if row.low is None and row.high is None:
        return "no range"
    if row.low is None or row.high is None:
        return f"from {row.low:g}" if row.low is not None else f"up to {row.high:g}"
    return f"{row.low:g} to {row.high:g}"


def faults(data: ReportData) -> tuple[str, ...]:
    """Each fault of the scenario in a sentence, in order of time."""
    ordered = sorted(data.scenario.faults, key=lambda f: f.at_h if isinstance(f, RuleChange) else f.from_h)
    return tuple(_fault(data, fault) for fault in ordered)


def _fault(data: ReportData, fault: Fault) -> str:
    if isinstance(fault, RuleChange):
        when = fm.clock(data.clock(fault.at_h * fm.HOUR_S))
        return (
            f"The rules change on {when}: {fm.share(fault.wrong_share)} of the cases resolved in the {fault.back_h:g} "
            "hours before come back."
        )
    low, high = (fm.clock(data.clock(h * fm.HOUR_S)) for h in (fault.from_h, fault.to_h))
    return f"{_what(fault)}, from {low} to {high}."


def _what(fault: Fault) -> str:
    match fault:
        case CrmFault():
            return f"The customer system is slow or down: work takes {fault.factor:g} times as long"
        case HeldFault():
            return f"Posts of {fm.listed([p.value for p in fault.platforms])} are held back, all to come at the end"
        case PaymentFault():
            return f"The payment provider is in trouble: work on payments takes {fault.factor:g} times as long"
        case SiteDark():
            return f"Nobody can work at {fm.listed(list(fault.sites))}"
        case StaffAbsent():
            where = f" at {fm.listed(list(fault.sites))}" if fault.sites else ""
            how = "stays away" if fault.late_h is None else "comes late"
            return f"{fm.share(fault.share)} of the staff{where} {how}"
        case NoAnswer():
            return f"Nothing can be answered on {fm.listed([t.value.replace('_', ' ') for t in fault.topics])}"
        case RuleChange():
            return "The rules change"


def manifest(data: ReportData) -> tuple[tuple[str, str], ...]:
    """The manifest of the run folder as rows of a name and a text, without the list of its runs."""
    return rows_of(data.manifest)


def rows_of(manifest: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """A manifest as rows of a name and a text, without what is listed apart."""
    return tuple(_flat({key: value for key, value in manifest.items() if key not in LISTED_APART}))


def _flat(value: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, item in value.items():
        name = f"{above}{key}"
        if isinstance(item, Mapping):
            yield from _flat(item, f"{name}.")
        elif isinstance(item, list | tuple) and any(isinstance(each, Mapping) for each in item):
            for i, each in enumerate(item):
                yield from _flat(each if isinstance(each, Mapping) else {"value": each}, f"{name}[{i}].")
        else:
            yield name, _text(item)


def _text(value: Any) -> str:
    if value is None or value == "" or (isinstance(value, float) and not math.isfinite(value)):
        return NOT_GIVEN
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(_text(each) for each in value) or NOT_GIVEN
    return f"{value:g}" if isinstance(value, float) else str(value)
