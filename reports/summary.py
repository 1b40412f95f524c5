"""What several runs say together, without their rows: ready for JSON and for tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from reports import formats as fm
from reports.manifest import Settings
from scenarios.names import Language
from sim.estimate import LEVEL, summarise
from sim.measures import GROUP_MEASURES, MEASURES, Row, bottleneck
from sim.replicate import Replication
from sim.stopping import targets

NO_CASES: Row = {**dict.fromkeys(GROUP_MEASURES), "cases": 0.0, "peak_backlog": 0.0}


def summary(
    scenario: str, desk: str, version: str, settings: Settings, replications: Sequence[Replication]
) -> dict[str, Any]:
    """Means with intervals over the runs that there are, at least one.

    Returns
    -------
    dict
        `scenario`, `desk`, `version`, what `settings` has, `finished` (number of runs that there are),
        `level` of the intervals; `measures`, and by language and promise class `by_language`,
        `by_class`, each measure as `sim.estimate.summarise` gives it; `bottleneck` (language and
        share answered within 60 minutes, or None); `replications`: the row of each run.
    """
    languages = _grouped([r.languages for r in replications], Language)
    means = {Language(name): {each: row[each]["mean"] for each in row} for name, row in languages.items()}
    weakest = bottleneck(means)
    return {
        "scenario": scenario,
        "desk": desk,
        "version": version,
        **settings.model_dump(exclude={"workers", "executor", "until", "max_runs"}),
        **_stopped(settings, [r.row for r in replications]),
        "finished": len(replications),
        "level": LEVEL,
        "measures": summarise([r.row for r in replications]),
        "by_language": languages,
        "by_class": _grouped([r.classes for r in replications], list(replications[0].classes)),
        "bottleneck": weakest and {"language": weakest[0].value, "answered_within_60min_share": weakest[1]},
        "replications": [
            {"number": r.number, "size_u": r.size_u, "trace": r.trace, "outcome": r.outcome, "measures": r.row}
            for r in replications
        ],
    }


def _stopped(settings: Settings, rows: Sequence[Row]) -> dict[str, Any]:
    """How near the half-widths came that were asked for, if any; `runs` is then the number that it took."""
    if not settings.until:
        return {}
    looks = zip(settings.until, (target.look(rows) for target in targets(settings.until)), strict=True)
    until = [
        {"asked": word, "measure": look.target.measure, "half_width": look.half, "wanted": look.wanted,
         "settled": look.settled}
        for word, look in looks
    ]  # fmt: skip
    return {"runs": len(rows), "max_runs": settings.max_runs, "until": until}


def unsettled(until: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each half-width that was not reached."""
    out = []
    for look in until:
        if look["settled"]:
            continue
        if look["half_width"] is None:
            out.append(f"note: {look['asked']} is not reached: not every run has a value")
            continue
        scale = fm.scale(MEASURES[look["measure"]].unit, look["half_width"])
        text = f"the interval is {scale.one(look['half_width'])} to either side, not {scale.one(look['wanted'])}"
        out.append(f"note: {look['asked']} is not reached: {text}; use more --max-runs".replace(fm.NBSP, " "))
    return out


def to_json(value: Any) -> str:
    """JSON text without NaN or infinity: those would be a fault of ours."""
    return json.dumps(value, indent=1, allow_nan=False)


def _grouped(tables: Sequence[Mapping[str, Row]], names: Iterable[str]) -> dict[str, Any]:
    """Summaries by name; a run without a case there counts as one with 0 cases."""
    return {
        str(name): summarise([table.get(name, NO_CASES) for table in tables])
        for name in names
        if any((table.get(name, NO_CASES)["cases"] or 0) > 0 for table in tables)
    }
