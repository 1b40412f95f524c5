"""A staffing plan that `ashcloud staff --out` wrote, read back for the page of a run."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, NonNegativeFloat, NonNegativeInt, ValidationError

from reports.manifest import NAME
from reports.staff import RESULTS
from reports.staff_files import REACHABLE, REQUIREMENT
from reports.staff_manifest import STAFF, StaffManifest
from reports.staff_page import PAGE
from reports.staffing import Staffing
from scenarios.digest import digest
from scenarios.errors import RunError
from scenarios.model import Scenario
from sim.staff.seats import HOUR_S, QUARTER_S

FloatArray = NDArray[np.float64]
ROUNDING_H = 1e-6
M = TypeVar("M", bound=BaseModel)
ANEW = "size the staff anew with ashcloud staff --out"


class Fact(BaseModel):
    """A part of `staff.json`; what is not asked for here is left alone."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class Spread(Fact):
    """A mean with its interval."""

    mean: float | None
    low: float | None
    high: float | None


class Answered(Fact):
    """Share of some cases that were answered in time; None of the parts of the window."""

    name: str
    share: float | None = None
    low: float | None = None
    high: float | None = None


class Fewer(Fact):
    """What one seat fewer in the binding pool does."""

    pool: str
    group: str
    before: float
    after: float
    fails: bool


class Plan(Fact):
    """The requirement, or an alternative."""

    name: str
    keeps: bool
    agent_hours: NonNegativeFloat
    cost: NonNegativeFloat
    peak_heads: NonNegativeInt
    groups: tuple[Answered, ...]
    one_fewer: Fewer | None


class Reach(Fact):
    """What the desk and its ladder can do."""

    keeps: bool
    kept_from: str | None
    missed_before: Spread
    cost: Spread
    ladder_heads: NonNegativeInt
    most_called: NonNegativeInt
    first_called: str | None


class Rostered(Fact):
    """The roster, if one was made."""

    rules: str
    agents: NonNegativeInt
    duties: NonNegativeInt
    paid_hours: NonNegativeFloat
    cost: NonNegativeFloat
    keeps: bool
    missing: tuple[str, ...]


class Promised(Fact):
    """A promise in words."""

    text: str


class Facts(Fact):
    """What `staff.json` says."""

    scenario: str
    scenario_digest: str
    desk: str
    promises: tuple[Promised, ...]
    requirement: Plan
    alternatives: tuple[Plan, ...]
    reachable: Reach | None
    roster: Rostered | None


@dataclass(frozen=True)
class StaffRun:
    """A staffing plan.

    Attributes
    ----------
    folder : Path
    facts : Facts
    finished : bool
        Whether its search came to an end.
    start_s : float
        Start of its first quarter of an hour, in seconds from onset.
    seats : mapping of str to (quarters,) float64
        By pool.
    reached : (quarters,) float64 or None
        Heads of one's own and called in, who can be there.
    """

    folder: Path
    facts: Facts
    finished: bool
    start_s: float
    seats: Mapping[str, FloatArray]
    reached: FloatArray | None

    @property
    def total(self) -> FloatArray:
        """(quarters,) seats of all pools."""
        out: FloatArray = np.sum(list(self.seats.values()), axis=0)
        return out

    def link(self, run: Path) -> str:
        """Where its page is, as seen from the folder of a run."""
        return Path(os.path.relpath(self.folder.resolve() / PAGE, run.resolve())).as_posix()

    def hours(self, told: Staffing, values: FloatArray) -> FloatArray:
        """Of each hour of a run the largest value of its quarters; nan where the plan has none."""
        out = np.full(told.blocks.hours_s.size - 1, np.nan)
        at = self.start_s + QUARTER_S * np.arange(values.size)
        place = np.searchsorted(told.blocks.hours_s, at + 1e-6, side="right") - 1
        inside = (place >= 0) & (place < out.size)
        np.fmax.at(out, place[inside], values[inside])
        return out


def load(folder: Path, scenario: Scenario) -> StaffRun:
    """Read a staffing plan for this scenario.

    Raises
    ------
    RunError
        If the folder is none, if it is of another scenario, or if a file is missing or damaged.
    """
    if not folder.is_dir():
        raise RunError(f"{folder}: no such folder; `ashcloud staff --out` makes one")
    data = _json(folder / NAME)
    if not isinstance(data, dict) or data.get("kind") != STAFF:
        raise RunError(f"{folder}: is no staffing plan; give a folder that `ashcloud staff --out` wrote")
    manifest = _checked(StaffManifest, data, folder / NAME)
    facts = _checked(Facts, _json(folder / RESULTS), folder / RESULTS)
    if facts.scenario_digest != digest(scenario):
        other = f"of scenario {facts.scenario}, not of {scenario.name}"
        if facts.scenario == scenario.name:
            other = f"of another version of scenario {scenario.name}"
        raise RunError(f"{folder}: is {other}; {ANEW} for the scenario of the run")
    if not (folder / PAGE).is_file():
        raise RunError(f"{folder / PAGE}: is missing; {ANEW}")
    columns = _table(folder / REQUIREMENT)
    seats = {name.removeprefix("seats "): column for name, column in columns.items() if name.startswith("seats ")}
    start_s = float(columns["hours_from_onset"][0]) * HOUR_S
    reached = None
    if facts.reachable is not None:
        there = _table(folder / REACHABLE)
        reached = _column(there, "own_mean", folder / REACHABLE) + _column(there, "called_in_mean", folder / REACHABLE)
    found = StaffRun(folder, facts, manifest.status == "finished", start_s, seats, reached)
    _agree(found, columns, folder / REQUIREMENT)
    return found


def _agree(found: StaffRun, columns: Mapping[str, FloatArray], path: Path) -> None:
    """The table and `staff.json` must be of one plan."""
    if not found.seats or not np.array_equal(found.total, _column(columns, "seats_total", path)):
        raise RunError(f"{path}: is damaged (seats of the pools are not seats_total); {ANEW}")
    hours = float(found.total.sum()) * QUARTER_S / HOUR_S
    told = found.facts.requirement
    if abs(hours - told.agent_hours) > ROUNDING_H or int(found.total.max()) != told.peak_heads:
        raise RunError(
            f"{path}: has {hours:g} agent hours, and {RESULTS} {told.agent_hours:g}: they are not of one plan; {ANEW}"
        )
    if found.reached is not None and found.reached.size != found.total.size:
        raise RunError(f"{path.with_name(REACHABLE)}: has other intervals than {REQUIREMENT}; {ANEW}")


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except FileNotFoundError:
        wanted = "give a folder that `ashcloud staff --out` wrote" if path.name == NAME else ANEW
        raise RunError(f"{path}: is missing; {wanted}") from None
    except (OSError, ValueError, RecursionError) as error:
        raise RunError(f"{path}: is damaged ({error}); {ANEW}") from None


def _checked(model: type[M], data: Any, path: Path) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise RunError(f"{path}: is damaged ({where}: {first['msg']}); {ANEW}") from None


def _table(path: Path) -> dict[str, FloatArray]:
    """The columns of numbers of a table, at least one row, at quarters of an hour."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except FileNotFoundError:
        raise RunError(f"{path}: is missing; {ANEW}") from None
    except (OSError, ValueError, csv.Error) as error:
        raise RunError(f"{path}: is damaged ({error}); {ANEW}") from None
    if len(rows) < 2:
        raise RunError(f"{path}: is damaged (it has no rows); {ANEW}")
    head, out = rows[0], {}
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise RunError(f"{path}: is damaged (line {number} has {len(row)} cells, not {len(head)}); {ANEW}")
    for place, name in enumerate(head):
        if not name.endswith(("_local", "_utc")) and name != "shrinkage_of":
            out[name] = _numbers([row[place] for row in rows[1:]], name, path)
    steps = np.diff(_column(out, "hours_from_onset", path))
    if not np.allclose(steps, QUARTER_S / HOUR_S, rtol=0.0, atol=1e-3):
        raise RunError(f"{path}: is damaged (its rows are not quarters of an hour in order); {ANEW}")
    return out


def _numbers(cells: Sequence[str], name: str, path: Path) -> FloatArray:
    try:
        values = np.array([float(cell) for cell in cells])
    except ValueError:
        values = np.array([np.nan])
    if not np.isfinite(values).all() or (name != "hours_from_onset" and values.min() < 0.0):
        raise RunError(f"{path}: is damaged (column {name} holds what is no number of people); {ANEW}")
    return values


def _column(columns: Mapping[str, FloatArray], name: str, path: Path) -> FloatArray:
    if name not in columns:
        raise RunError(f"{path}: is damaged (it has no column {name}); {ANEW}")
    return columns[name]
