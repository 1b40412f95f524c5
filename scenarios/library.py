"""The scenarios that come along, and those of a user's own: loading, listing, showing, schema."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from scenarios import files
from scenarios.checks import check
from scenarios.digest import digest
from scenarios.expected import expected
from scenarios.model import Assumption, Scenario
from scenarios.places import split_place

__all__ = ["FOLDER", "digest", "load", "names", "schema", "show"]

FOLDER = Path(__file__).with_name("library")


class _Evidence(BaseModel):
    """The one key of a file that adds to that of the file it extends."""

    assumed: tuple[Assumption, ...] = ()


def load(path_or_name: Path | str) -> Scenario:
    """Read a scenario by the name it has in the library, or by its path.

    What a file says lies over what the file it `extends` says: tables key by key, all else as a
    whole. Only `assumed` adds up: an assumption of the base holds on until a file above it sets that
    place or assumes something else of it.

    Raises
    ------
    InputError
        If there is no such scenario, or with all that is wrong in it.
    """
    document = files.read(path_or_name, FOLDER, "scenario")
    scenario = document.check(Scenario)
    kept: dict[str, Assumption] = {}
    for path, own in reversed(document.layers):
        evidence = check(_Evidence, {"assumed": own.get("assumed", ())}, path)
        kept = {what: row for what, row in kept.items() if not _sets(own, what)}
        kept |= {row.what: row for row in evidence.assumed}
    return scenario.model_copy(update={"assumed": tuple(kept.values())})


def _sets(own: Mapping[str, Any], what: str) -> bool:
    """Whether a file says itself what stands at a place, all of it."""
    value: Any = own
    for key in split_place(what):
        if not isinstance(value, Mapping):
            return True  # the list or the value above it was set as a whole
        if key not in value:
            return False
        value = value[str(key)]
    return True


def names() -> list[str]:
    """Names of the scenarios in the library, sorted."""
    return files.library(FOLDER)


def schema() -> dict[str, Any]:
    """JSON Schema of a scenario file, for editors; files may also say what they extend."""
    out = Scenario.model_json_schema(by_alias=True)
    of_base = "A scenario of the library, or a path: all that this file does not say is as there."
    out["properties"] = {"extends": {"type": "string", "description": of_base}, **out["properties"]}
    out["required"] = []  # a file that extends another need not say anything
    return out


def show(scenario: Scenario) -> dict[str, Any]:
    """What there is to say about a scenario, ready for JSON.

    Returns
    -------
    dict
        `name`, `title`, `story`, `question`, `sources`, `digest`, `timezone`, `onset_local` (ISO),
        `window_h`, `expected` (see `scenarios.expected.expected`), `faults` and `assumed` (what, reason,
        low, high).
    """
    return {
        "name": scenario.name,
        "title": scenario.title,
        "story": scenario.story,
        "question": scenario.question,
        "sources": list(scenario.sources),
        "digest": digest(scenario),
        "timezone": scenario.timezone,
        "onset_local": scenario.onset_local.isoformat(),
        "window_h": list(scenario.window_h),
        "expected": expected(scenario),
        "faults": [fault.model_dump(mode="json", by_alias=True) for fault in scenario.faults],
        "assumed": [row.model_dump(mode="json") for row in scenario.assumed],
    }
