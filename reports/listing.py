"""What there is to read about scenarios, desks, plans and targets, before anything is played: facts, then lines."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from rich.console import Console

from loadtests import openapi, target_file
from reports import formats as fm
from reports.tables import show
from scenarios import library as scenario_library
from scenarios.digest import digest
from scenarios.errors import Fault, InputError
from scenarios.expected import expected
from scenarios.model import Scenario
from scenarios.names import Language, members
from scenarios.storage import write_atomic
from sim import library as desk_library
from sim.desk import Desk
from sim.levers import presets
from sim.plan import Plan, load_plan, plan_names, plan_schema

What = Literal["scenario", "desk", "plan", "target"]
Facts = Mapping[str, Any]
WIDTH = 100


@dataclass(frozen=True)
class Shelf:
    """How scenarios, desks, plans or targets are found and described."""

    names: Callable[[], list[str]]
    load: Callable[[str], Any]
    schema: Callable[[], dict[str, Any]]
    brief: Callable[[Any], dict[str, Any]]


def _brief_scenario(scenario: Scenario) -> dict[str, Any]:
    bring = {name: round(expected(scenario)[name]) for name in ("hours", "mentions", "cases")}
    return {"name": scenario.name, **bring, "title": scenario.title}


def _brief_desk(desk: Desk) -> dict[str, Any]:
    return {"name": desk.name, "heads": desk.heads, "languages": len(desk.languages), "title": desk.title}


def _brief_plan(plan: Plan) -> dict[str, Any]:
    heads = sum(rung.heads for rung in plan.ladder)
    return {"name": plan.name, "levers": len(plan.levers), "to call in": heads, "title": plan.title}


def _brief_target(target: target_file.TargetFile) -> dict[str, Any]:
    return {"name": target.name, "operations": len(target.operations), "title": target.title}


SHELVES: Mapping[What, Shelf] = MappingProxyType(
    {
        "scenario": Shelf(scenario_library.names, scenario_library.load, scenario_library.schema, _brief_scenario),
        "desk": Shelf(desk_library.names, desk_library.load, desk_library.schema, _brief_desk),
        "plan": Shelf(plan_names, load_plan, plan_schema, _brief_plan),
        "target": Shelf(target_file.names, target_file.load, target_file.TargetFile.model_json_schema, _brief_target),
    }
)


def brief(what: What) -> list[dict[str, Any]]:
    """A line of facts for each scenario, desk, plan or target of the library."""
    shelf = SHELVES[what]
    return [shelf.brief(shelf.load(name)) for name in shelf.names()]


def schema(what: What) -> dict[str, Any]:
    """JSON Schema of such a file."""
    return SHELVES[what].schema()


def validate(what: What, words: Iterable[str]) -> list[str]:
    """Load all of them; a line for each good one. Raises `InputError` with the faults of all others."""
    good, wrong = [], []
    for word in words:
        try:
            good.append(f"{word} is fine: {SHELVES[what].load(word).title}")
        except InputError as error:
            wrong += [replace(fault, path=fault.path or error.path) for fault in error.faults]
    if wrong:
        raise InputError(None, wrong)
    return good


def scenario_facts(name: str, flat: bool) -> dict[str, Any]:
    """As `scenarios.library.show`, with local times; `flat` leaves the daily and weekly profile out."""
    scenario = scenario_library.load(name)
    start, onset, end = (scenario.clock(s).isoformat() for s in (scenario.window_s[0], 0.0, scenario.window_s[1]))
    return {
        **scenario_library.show(scenario),
        "expected": expected(scenario, flat),
        "local": {"start": start, "onset": onset, "end": end},
        "surges": len(scenario.surges),
    }


def desk_facts(name: str) -> dict[str, Any]:
    """Everything about a desk, ready for JSON."""
    desk = desk_library.load(name)
    facts = desk.model_dump(mode="json", by_alias=True)
    for pool, row in zip(desk.pools, facts["pools"], strict=True):
        row |= {"heads": pool.heads, "kind": "head-count" if pool.head_count else "named"}
    speaks = [language.value for language in members(Language) if language in desk.languages]
    return {**facts, "heads": desk.heads, "speaks": speaks, "digest": digest(desk)}


def plan_facts(name: str) -> dict[str, Any]:
    """Everything about a plan, ready for JSON."""
    plan = load_plan(name)
    facts = plan.model_dump(mode="json", by_alias=True)
    for rung, row in zip(plan.ladder, facts["ladder"], strict=True):
        row["heads"] = rung.heads
    for i, lever in enumerate(plan.levers):
        preset = presets().get(lever.preset or "", {})
        facts["levers"][i] |= {key: preset[key] for key in ("story", "source") if key in preset}
    return {**facts, "digest": digest(plan)}


def drafted_target(path: Path, out: Path | None) -> str:
    """A draft from a description of an API; with `out` it is written there, and a line says so.

    Raises
    ------
    InputError
        If the description is none, or `out` is there already.
    """
    stem = re.sub(r"[^a-z0-9]+", "-", (out or path).stem.lower()).strip("-")
    text = openapi.draft(openapi.read(path), stem or "target").to_toml()
    if out is None:
        return text
    if out.exists():
        raise InputError(out, [Fault("", "is there already; a draft overwrites nothing, choose another name")])
    write_atomic(out, text.encode())
    return f"drafted: {out}; look it through, then `ashcloud target validate {out}`"


# --- lines --------------------------------------------------------------------------------------


def print_list(console: Console, rows: Sequence[Facts]) -> None:
    """Print facts with the same keys as a table."""
    if not rows:
        console.print("the library is empty")
        return
    cells = [[f"{v:,}" if isinstance(v, int) else str(v) for v in row.values()] for row in rows]
    show(console, list(rows[0]), cells, [i for i, value in enumerate(rows[0].values()) if isinstance(value, int)])


def print_scenario(console: Console, facts: Facts) -> None:
    """Print what a planner wants to know first."""
    _heading(console, facts)
    if facts["question"]:
        _paragraph(console, facts["question"])
    bring = facts["expected"]
    start, onset, end = (_clock(facts["local"][name]) for name in ("start", "onset", "end"))
    console.print(f"window    {start} to {end}, {bring['hours']:g} hours; {facts['timezone']}", soft_wrap=True)
    console.print(f"onset     {onset}")
    for name in ("mentions", "cases", "calls"):
        if bring[name]:
            at_h = bring.get(f"peak_{name}_at_h")
            when = "" if at_h is None else f", {fm.hours_from_onset(at_h * 3600.0)}"
            peak = f"at most {bring[f'peak_{name}_per_h']:,.0f} an hour{when}".replace(fm.NBSP, " ")
            console.print(f"{name:9} {bring[name]:,.0f} expected, {peak}")
    console.print(f"surges    {facts['surges']}, faults {len(facts['faults'])}")
    _evidence(console, facts)


def print_desk(console: Console, facts: Facts) -> None:
    """Print pools, promises and rules."""
    _heading(console, facts)
    console.print(f"heads     {facts['heads']}, in {len(facts['speaks'])} languages; {facts['timezone']}")
    promises = ", ".join(f"{each['name']} {each['promise_min']:g} min" for each in facts["classes"])
    console.print(f"promise   {promises}", soft_wrap=True)
    console.print(f"triage    {facts['triage']['mode']}")
    if facts["plan"] is not None:
        console.print(f"plan      {facts['plan']['name']}: {facts['plan']['title']}", soft_wrap=True)
    _evidence(console, facts)
    console.print()
    rows = [
        (p["name"], p["site"], str(p["heads"]), p["kind"], f"{p['cost_per_h']:g}", " ".join(p["languages"]))
        for p in facts["pools"]
    ]
    show(console, ("pool", "site", "heads", "kind", "EUR/h", "languages"), rows, numbers=(2, 4))


def print_plan(console: Console, facts: Facts) -> None:
    """Print when the plan acts, what it does, who is called."""
    _heading(console, facts)
    every, after = facts["interval_min"], facts["declaration_min"]
    console.print(
        f"looks     every {every:g} minutes; a crisis is declared {after:g} minutes after a trigger is entered",
        soft_wrap=True,
    )
    for i, t in enumerate(facts["triggers"]):
        of = f" in {t['language']}" if t["language"] else ""
        console.print(
            f"{'' if i else 'triggers':9} {t['signal']}{of}: entered at {t['enter']:g}, left at {t['leave']:g}"
        )
    _evidence(console, facts)
    if facts["levers"]:
        console.print()
        show(console, ("lever", "changes", "effect", "lead min", "after h"), list(map(_lever, facts["levers"])), (3, 4))
    if facts["ladder"]:
        console.print()
        titles = ("rung", "heads", "yes", "after h", "shift h", "rest h", "EUR/h")
        show(console, titles, list(map(_rung, facts["ladder"])), numbers=(1, 2, 3, 4, 5, 6))


def _lever(lever: Facts) -> tuple[str, ...]:
    effect = "" if "effect" not in lever else " / ".join(f"{share:.0%}" for share in dict.fromkeys(lever["effect"]))
    return lever["name"], lever["changes"], effect, f"{lever['lead_min']:g}", f"{lever['after_h']:g}"


def _rung(rung: Facts) -> tuple[str, ...]:
    numbers = (rung["after_h"], rung["max_h"], rung["rest_h"], rung["cost_per_h"])
    return rung["name"], str(rung["heads"]), f"{rung['acceptance']:.0%}", *(f"{number:g}" for number in numbers)


def _heading(console: Console, facts: Facts) -> None:
    console.print(f"{facts['name']}: {facts['title']}", soft_wrap=True)
    _paragraph(console, facts["story"])


def _paragraph(console: Console, text: str) -> None:
    for line in textwrap.wrap(" ".join(text.split()), WIDTH):
        console.print(line, soft_wrap=True)
    console.print()


def _clock(iso: str) -> str:
    return fm.clock(datetime.fromisoformat(iso), year=True).replace(fm.NBSP, " ")


def _evidence(console: Console, facts: Facts) -> None:
    console.print(f"assumed   {len(facts['assumed'])} parameters without a source")
    console.print(f"digest    {facts['digest']}")
    for i, source in enumerate(facts["sources"]):
        console.print(f"{'' if i else 'sources':9} {source}", soft_wrap=True)
