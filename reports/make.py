"""From a scenario and a desk to results: run, measured, stored, with a page; whatever comes between."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from reports import drafts, runs
from reports import manifest as manifests
from reports.alternatives import OWN_PLAN, choose, with_plan
from reports.manifest import Manifest, Settings
from reports.summary import summary, to_json, unsettled
from scenarios import library as scenario_library
from scenarios.errors import AshcloudError, InputError
from scenarios.model import Scenario
from scenarios.storage import write_atomic
from sim import library as desk_library
from sim import stopping
from sim.crew import Watch, WorkersLostError, undisturbed
from sim.desk import Desk
from sim.replicate import Replication, replicate

if TYPE_CHECKING:
    from reports.words import Verdict

T = TypeVar("T")
Status = Literal["finished", "interrupted"]


class Voice(Protocol):
    """Whoever tells the user how it goes."""

    def say(self, text: str) -> None:
        """Say a line."""

    def waiting(self, what: str, pieces: int) -> AbstractContextManager[Watch]:
        """Show how far it is, until the block is left."""


@dataclass(frozen=True)
class Question:
    """What was asked: names or files, the settings, the words of the command; plan None: the desk's own."""

    scenario: str
    desk: str
    settings: Settings
    command: tuple[str, ...] = ()
    plan: str | None = None


@dataclass(frozen=True)
class Answer:
    """What came out.

    Attributes
    ----------
    status : whether all runs finished
    figures : dict or None
        As `reports.summary.summary` gives it; None if no run finished.
    folder : Path or None
        The run folder, if one was made.
    verdict : Verdict or None
        What the page says, if one was made.
    error : AshcloudError or None
        What ended the runs early, other than the user.
    """

    status: Status
    figures: dict[str, Any] | None
    folder: Path | None = None
    verdict: Verdict | None = None
    error: AshcloudError | None = None

    def to_dict(self) -> dict[str, Any]:
        """The figures, and where the rest is, ready for JSON."""
        report = self.folder / runs.REPORT if self.folder is not None and self.verdict is not None else None
        return {
            **(self.figures or {}),
            "status": self.status,
            "folder": None if self.folder is None else str(self.folder),
            "report": None if report is None else str(report),
            "verdict": None if self.verdict is None else asdict(self.verdict),
        }

    def remarks(self) -> list[str]:
        """What else the user should hear: what is kept, and what to do next."""
        finished = 0 if self.figures is None else self.figures["finished"]
        out = []
        if self.status == "interrupted":
            asked = "" if self.figures is None else f" of {self.figures['runs']}"
            kept = "nothing is kept" if self.folder is None else f"they are kept in {self.folder}"
            runs_ = "no run" if not finished else f"{finished}{asked} runs"
            out.append(f"interrupted: {runs_} finished; {kept}")
            if self.folder is not None:
                out.append(f"to go on: ashcloud resume {shlex.quote(str(self.folder))}")
        elif finished == 1:
            out.append("note: one run has no interval; use --runs 4 or more")
        out += [] if self.figures is None else unsettled(self.figures.get("until", []))
        if self.folder is not None and self.verdict is None:
            out.append(f"saved in {self.folder}; its page: ashcloud report {shlex.quote(str(self.folder))}")
        return out


def both(scenario: str, desk: str, plan: str | None, settings: Settings) -> tuple[Scenario, Desk]:
    """Load a scenario and a desk, with the plan named, see `reports.alternatives.choose`; check the settings.

    Raises
    ------
    InputError
        With the faults of all.
    DeskError
        If the plan names what the desk does not have.
    """
    found, wrong = [], []
    loads: tuple[Callable[[], Any], ...] = (
        lambda: scenario_library.load(scenario),
        lambda: desk_library.load(desk),
        lambda: choose(plan or OWN_PLAN),
        settings.check,
    )
    for load in loads:
        try:
            found.append(load())
        except InputError as error:
            wrong += [replace(fault, path=fault.path or error.path) for fault in error.faults]
    if wrong:
        raise InputError(None, wrong)
    return found[0], with_plan(found[1], found[2])


def simulate(question: Question, voice: Voice) -> Answer:
    """Run and measure; nothing is stored.

    Raises
    ------
    AshcloudError
        If the scenario, the desk or a setting is not usable.
    """
    scenario, desk = both(question.scenario, question.desk, question.plan, question.settings)
    status, done, error = _play(scenario, desk, question.settings, None, voice)
    return Answer(status, _figures(question.settings, scenario, desk, done), error=error)


def store(question: Question, out: Path | None, page: bool, voice: Voice) -> Answer:
    """Run, measure, and keep all of it in a run folder, with its page if wanted.

    What has finished is kept when the user or a lack of memory ends it; then there is no page.

    Raises
    ------
    AshcloudError
        If the scenario, the desk or a setting is not usable, or if the folder cannot be made; nothing
        is left behind.
    """
    scenario, desk = both(question.scenario, question.desk, question.plan, question.settings)
    with drafts.Draft(out, scenario.name, datetime.now()) as draft:
        if draft.target != draft.wanted:
            voice.say(f"{draft.wanted} exists already: this run is in {draft.target}")
        sources = (
            draft.copy("scenario", scenario, question.scenario, scenario_library.FOLDER),
            draft.copy("desk", desk, question.desk, desk_library.FOLDER),
        )
        manifest = manifests.begun(question.command, page, *sources, question.settings)
        manifest.save(draft.folder)
        return fill(draft, manifest, scenario, desk, question.settings, voice)


def fill(
    draft: drafts.Folder, manifest: Manifest, scenario: Scenario, desk: Desk, settings: Settings, voice: Voice
) -> Answer:
    """Do the runs of a manifest that its folder lacks, and whatever is made of them all.

    `settings` are those of the manifest, but for where the runs are done.
    """
    clock, before = time.perf_counter(), manifest.timings_s
    status, done, error = _play(scenario, desk, settings, draft, voice)
    if not done:
        return Answer(status, None, error=error)
    timings = {"runs": before.get("runs", 0.0) + time.perf_counter() - clock}

    def note(status: Status) -> None:
        timings["all"] = before.get("all", 0.0) + time.perf_counter() - clock
        manifests.noted(manifest, status, timings, done).save(draft.folder)

    with undisturbed():  # Ctrl-C at this moment must not cost what has finished
        draft.tidy([replication.number for replication in done])
        figures = _figures(manifest.settings, scenario, desk, done)
        write_atomic(draft.folder / runs.MEASURES, to_json(figures).encode() + b"\n")
        note("interrupted" if manifest.page else status)  # until the page is there, too
    told = None
    if manifest.page and status == "finished":
        clock_page = time.perf_counter()
        try:
            voice.say("making the page")
            told = runs.make_page(runs.load(draft.folder))
        except KeyboardInterrupt:
            status = "interrupted"
        timings["page"] = time.perf_counter() - clock_page
    with undisturbed():
        note(status)
        return Answer(status, figures, draft.finish(status == "finished"), told, error)


def _play(
    scenario: Scenario, desk: Desk, settings: Settings, draft: drafts.Folder | None, voice: Voice
) -> tuple[Status, Sequence[Replication], AshcloudError | None]:
    """Do the runs; whatever ends them, those that finished come back."""
    done: list[Replication] = []
    error = None
    targets = stopping.targets(settings.until)
    asked = settings.asked()
    folder, kept = (None, None) if draft is None else (draft.folder, draft.blocks)
    with voice.waiting(f"{scenario.name} on {desk.name}", settings.most) as watch:
        made = replicate(scenario, desk, **asked, until=targets, folder=folder, kept=kept, watch=watch)
        try:
            for replication in made:
                done.append(replication)
        except KeyboardInterrupt:
            pass
        except WorkersLostError as lost:
            error = lost
    rows = [replication.row for replication in done]
    whole = len(done) == settings.most or (targets and stopping.enough(targets, rows, settings.runs))
    return "finished" if whole else "interrupted", done, error


def _figures(settings: Settings, scenario: Scenario, desk: Desk, done: Sequence[Replication]) -> dict[str, Any] | None:
    if not done:
        return None
    version = manifests.versions()["ashcloud"]
    return summary(scenario.name, desk.name, version, settings, done)
