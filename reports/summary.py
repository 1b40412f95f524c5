"""What several runs say together, without their rows: ready for JSON and for tables."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from reports import formats as fm
from reports.manifest import Settings
from scenarios.names import Language
from sim.estimate import LEVEL, summarise
from sim.measures import GROUP_MEASURES, MEASURES, Row, bottleneck
from sim.quantiles import quantile, share_interval
from sim.replicate import Replication
from sim.sizes import of_size
from sim.stopping import targets

QUANTILES = {"median": 0.5, "p10": 0.1, "p90": 0.9}
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
        `by_class`, each measure as `sim.estimate.summarise` gives it; those in `measures` have besides
        `median`, `p10`, `p90` over the runs (`value`, `low`, `high`), `beyond_window_interval`, and `of_size`
        (see `sim.sizes`) as far as the runs allow; `until`, see `sim.stopping`; `bottleneck` (language and
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
        "measures": _measures(replications),
        "by_language": languages,
        "by_class": _grouped([r.classes for r in replications], list(replications[0].classes)),
        "bottleneck": weakest and {"language": weakest[0].value, "answered_within_60min_share": weakest[1]},
        "replications": [
            {"number": r.number, "size_u": r.size_u, "trace": r.trace, "outcome": r.outcome, "measures": r.row}
            for r in replications
        ],
    }


def _measures(replications: Sequence[Replication]) -> dict[str, Any]:
    """Of each measure the mean, quantiles over runs, and the share of its variance that is of the size."""
    rows = [r.row for r in replications]
    out = summarise(rows)
    for name, told in out.items():
        beyond = round(told.get("beyond_window", 0.0) * len(rows))
        if beyond:
            told["beyond_window_interval"] = list(share_interval(beyond, len(rows)))
        pairs = [(r.size_u, value) for r in replications if (value := r.row.get(name)) is not None]
        values = [value for _, value in pairs] + [math.inf] * beyond
        for word, p in QUANTILES.items():
            if len(values) * min(p, 1.0 - p) >= 1.0:
                told[word] = asdict(quantile(values, p))
        sizes = [size for size, _ in pairs if size is not None]
        found = of_size(sizes, [value for _, value in pairs]) if not beyond and len(sizes) == len(pairs) else None
        if found is not None:
            told["of_size"] = asdict(found)
    return out


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
