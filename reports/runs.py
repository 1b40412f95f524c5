"""Run folders: everything about some runs in one place. How they are made: `reports.drafts`.

runs/volcano/
    manifest.json                       what was run, with what, when, and the digests
    scenario.json, desk.json            as they were checked, with every default
    scenario.toml, desk.toml            the user's own files as they were, if they were his own
    trace_000.npz, outcome_000.npz      the rows of the first run, and so on
    measures.json                       means with intervals, and the measures of each run
    report.html                         the page, once it was made
    staffing.csv                        who is needed and who is there, by block of hours
    figures/arrivals.svg ...            its figures, one file each
    blocks/000000.json ...              what has finished, as long as it is not whole
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from pydantic import BaseModel

from reports import manifest as manifests
from reports.manifest import Manifest
from scenarios import files
from scenarios.errors import RunError
from scenarios.model import Scenario
from scenarios.storage import write_atomic
from scenarios.traces import Trace
from scenarios.traces import load as load_trace
from sim.desk import Desk
from sim.outcome import Outcome
from sim.outcome import load as load_outcome
from sim.replicate import outcome_file, trace_file

if TYPE_CHECKING:
    from reports.words import Verdict

REPORT = "report.html"
FIGURES = "figures"
MEASURES = "measures.json"
CACHED_BYTES = 1_500_000_000

T = TypeVar("T", Trace, Outcome)
M = TypeVar("M", bound=BaseModel)


class Stored(Sequence[T], Generic[T]):
    """Traces or outcomes of a run folder, read when they are asked for; the last ones are held.

    Some 160 MB for a run of a million posts: what is held stays below 1.5 GB or is a single one.
    """

    def __init__(self, paths: Sequence[Path], read: Callable[[Path], T], held_bytes: int = CACHED_BYTES) -> None:
        self._paths, self._held_bytes = tuple(paths), held_bytes
        self._read: Callable[[Path], T] = read
        self._held: OrderedDict[int, tuple[T, int]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._paths)

    @overload
    def __getitem__(self, place: int) -> T: ...
    @overload
    def __getitem__(self, place: slice) -> Stored[T]: ...
    def __getitem__(self, place: int | slice) -> T | Stored[T]:
        if isinstance(place, slice):
            return Stored(self._paths[place], self._read, self._held_bytes)
        at = range(len(self))[place]
        if at not in self._held:
            value = self._read(self._paths[at])
            self._held[at] = value, _bytes(value)
            while len(self._held) > 1 and sum(size for _, size in self._held.values()) > self._held_bytes:
                self._held.popitem(last=False)
        self._held.move_to_end(at)
        return self._held[at][0]


def _bytes(value: Trace | Outcome) -> int:
    tables = [value.columns] if isinstance(value, Trace) else [value.cases, value.turns, value.staff, value.extra]
    return sum(column.nbytes for table in tables for column in table.values())


@dataclass(frozen=True)
class Run:
    """A run folder, read: rows are loaded when they are asked for."""

    folder: Path
    manifest: Manifest
    scenario: Scenario
    desk: Desk
    outcomes: Stored[Outcome] = field(init=False)
    traces: Stored[Trace] = field(init=False)

    def __post_init__(self) -> None:
        numbers = [entry.number for entry in self.manifest.replications]
        outcomes = [outcome_file(self.folder, number) for number in numbers]
        traces = [trace_file(self.folder, number) for number in numbers]
        object.__setattr__(self, "outcomes", Stored(outcomes, load_outcome))
        object.__setattr__(self, "traces", Stored(traces, load_trace))

    @property
    def report(self) -> Path:
        """Where its page is, or will be."""
        return self.folder / REPORT


def load(folder: Path) -> Run:
    """Read a run folder, whatever is in its `.npz` files.

    Raises
    ------
    RunError
        If it is no run, or if its manifest, scenario or desk is damaged.
    """
    manifest = manifests.read(folder)
    return Run(folder, manifest, read_value(Scenario, folder / "scenario.json"), read_value(Desk, folder / "desk.json"))


def read_value(model: type[M], path: Path) -> M:
    """A scenario or a desk as `Draft.copy` wrote it; raises `RunError`, or `InputError` with its faults."""
    try:
        return files.check(model, json.loads(path.read_bytes()), path)
    except FileNotFoundError:
        raise RunError(f"{path}: is missing; run it anew") from None
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: is damaged ({error}); run it anew") from None


def read_figures(path: Path) -> dict[str, Any]:
    """What `reports.summary.summary` gave; raises `RunError` if it is missing or damaged."""
    try:
        figures: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: is missing or damaged ({error}); run it anew") from None
    return figures


def make_page(run: Run, name: str = REPORT, staffing: Path | None = None) -> Verdict:
    """Make the page of a run folder, anew if there is one; returns what it says.

    With the folder of a staffing plan, its section on staff holds that plan.

    Raises
    ------
    RunError
        If rows are missing or damaged, or if the plan is not usable; the page is then as it was.
    """
    from reports.data import collect
    from reports.drawing import alone, drawings
    from reports.page import page
    from reports.staffing_words import FILE, table
    from reports.words import verdict

    plan = None
    if staffing is not None:
        from reports import staff_run, staff_run_words

        plan = staff_run.load(staffing, run.scenario)
    data = collect(run.scenario, run.desk, run.outcomes, run.traces, run.manifest.model_dump(mode="json"))
    drawn = drawings(data)
    told, shown, seats = data.staffing, None, tuple[tuple[int, int, int, float | None, float], ...]()
    if plan is not None:
        shown = staff_run_words.section(plan, told, run.scenario, run.desk.name, run.folder)
        seats = tuple(staff_run_words.blocks(plan, told))
    write_atomic(run.folder / name, page(data, drawn, shown).encode())
    write_atomic(run.folder / FILE, table(told, run.scenario, seats))
    (run.folder / FIGURES).mkdir(exist_ok=True)
    for each in drawn:
        write_atomic(run.folder / FIGURES / f"{each.name}.svg", alone(each).encode())
    return verdict(data)
