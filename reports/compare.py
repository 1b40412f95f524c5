"""From a scenario and alternatives to a comparison: played, worked out, stored; whatever comes between."""

from __future__ import annotations

import platform
import shlex
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from reports import drafts, runs
from reports import manifest as manifests
from reports.alternatives import DEFAULT_DESK, PlanChoice, alternatives, load_all
from reports.compare_words import words
from reports.compared import Compared, CompareSettings
from reports.make import Voice
from reports.manifest import ComparisonManifest, Contender, Source
from reports.summary import to_json
from scenarios import library as scenario_library
from scenarios.digest import digest
from scenarios.errors import AshcloudError
from scenarios.model import Scenario
from scenarios.storage import redact, write_atomic
from sim import library as desk_library
from sim import plan as plan_library
from sim.compare import Alternative, Day, play
from sim.crew import Watch, WorkersLostError, cores, undisturbed
from sim.desk import Desk
from sim.plan import Plan
from sim.worlds import Assumed, World, survey

PAGE, RESULTS = "comparison.html", "comparison.json"

Status = Literal["finished", "interrupted"]


@dataclass(frozen=True)
class CompareQuestion:
    """What was asked: names or files, the settings, and the words of the command."""

    scenario: str
    desks: tuple[str, ...]
    plans: tuple[str, ...]
    settings: CompareSettings
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class Setup:
    """Everything loaded and drawn, nothing played yet."""

    scenario: Scenario
    alternatives: tuple[Alternative, ...]
    settings: CompareSettings
    assumed: Assumed | None
    worlds: tuple[World, ...]


@dataclass(frozen=True)
class CompareAnswer:
    """What came out.

    Attributes
    ----------
    status : whether all runs finished
    told : Compared or None
        None if no run finished.
    asked : int
        How many days were to be played.
    folder : Path or None
    error : AshcloudError or None
        What ended the runs early, other than the user.
    """

    status: Status
    told: Compared | None
    asked: int
    folder: Path | None = None
    error: AshcloudError | None = None

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        if self.told is None:
            return {"status": self.status}
        page = None if self.folder is None else str(self.folder / PAGE)
        folder = None if self.folder is None else str(self.folder)
        return {**results(self.told, self.status), "folder": folder, "page": page}

    def remarks(self) -> list[str]:
        """What else the user should hear."""
        out = []
        if self.status == "interrupted":
            done = 0 if self.told is None else len(self.told.days) + sum(map(len, self.told.world_days.values()))
            kept = "nothing is kept" if self.folder is None else f"they are kept in {self.folder}"
            out.append(f"interrupted: {done} of {self.asked} runs finished and are compared; {kept}")
        if self.folder is not None:
            out.append(f"page: {self.folder / PAGE}")
        return out


def results(told: Compared, status: Status) -> dict[str, Any]:
    """What is stored, and printed as JSON."""
    return {**told.to_dict(), "status": status, "words": asdict(words(told))}


def set_up(scenario: Scenario, who: Sequence[Alternative], settings: CompareSettings) -> Setup:
    """Draw the worlds, if any are wanted; raises `ScenarioError` if there is nothing to draw."""
    assumed = survey(scenario, [each.desk for each in who]) if settings.worlds else None
    worlds = () if assumed is None else assumed.draw(settings.seed, settings.worlds)
    return Setup(scenario, tuple(who), settings, assumed, worlds)


def gather(setup: Setup, watch: Watch, keep: Callable[[Day], None]) -> None:
    """Play all days, and hand over each as it comes."""
    asked: dict[str, Any] = setup.settings.model_dump(exclude={"worlds"})
    asked |= {"worlds": setup.worlds, "runs_each": setup.settings.runs_each}
    for day in play(setup.scenario, setup.alternatives, **asked, watch=watch):
        keep(day)


def work_out(setup: Setup, days: Sequence[Day]) -> Compared | None:
    """The comparison over the days that have finished; None if there is none outside of worlds."""
    outside = tuple(day for day in days if day.world is None)
    if not outside:
        return None
    by_world = {w.number: tuple(day for day in days if day.world == w.number) for w in setup.worlds}
    whole = {number: found for number, found in by_world.items() if len(found) == setup.settings.runs_each}
    version = manifests.versions()["ashcloud"]
    given = setup.scenario, setup.alternatives, setup.settings
    return Compared(*given, outside, whole, setup.assumed, setup.worlds, version)


def compare(question: CompareQuestion, voice: Voice) -> CompareAnswer:
    """Play and compare; nothing is stored.

    Raises
    ------
    AshcloudError
        With the faults of all files, or if there is only one alternative.
    """
    _, _, setup = _asked(question)
    status, days, error = _play(setup, voice)
    return CompareAnswer(status, work_out(setup, days), setup.settings.days, error=error)


def store(question: CompareQuestion, out: Path, voice: Voice) -> CompareAnswer:
    """Play, compare, and keep it in a folder: manifest, `comparison.json`, page and figure.

    What has finished is compared and kept when the user or a lack of memory ends it.

    Raises
    ------
    AshcloudError
        As `compare`, or if the folder cannot be made; nothing is left behind.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    desks, plans, setup = _asked(question)
    with drafts.Draft(out, setup.scenario.name, datetime.now()) as draft:
        if draft.target != draft.wanted:
            voice.say(f"{draft.wanted} exists already: this comparison is in {draft.target}")
        of_scenario = draft.copy("scenario", setup.scenario, question.scenario, scenario_library.FOLDER)
        of_desks = [
            draft.copy(f"desk_{at}", desk, word, desk_library.FOLDER) for at, (word, desk) in enumerate(desks, start=1)
        ]
        of_plans = [
            draft.copy(f"plan_{at}", plan, word, plan_library.FOLDER)
            for at, (word, plan) in enumerate(plans, start=1)
            if isinstance(plan, Plan)
        ]
        status, days, error = _play(setup, voice)
        timings = {"runs": time.perf_counter() - clock}
        told = work_out(setup, days)
        if told is None:
            return CompareAnswer(status, None, setup.settings.days, error=error)
        with undisturbed():  # Ctrl-C at this moment must not cost what has finished
            write_atomic(draft.folder / RESULTS, to_json(results(told, status)).encode() + b"\n")
            timings["all"] = time.perf_counter() - clock
            manifest = _manifest(
                question, setup, status, (of_scenario, *of_desks), of_plans, started, timings, len(days)
            )
            manifest.save(draft.folder)
            _make_page(told, manifest, draft.folder)
            return CompareAnswer(status, told, setup.settings.days, draft.finish(latest=False), error)


def _asked(question: CompareQuestion) -> tuple[list[tuple[str, Desk]], list[tuple[str, PlanChoice]], Setup]:
    """Desks and plans by the words they were asked for, and everything that is to be played."""
    words = question.desks or (DEFAULT_DESK,)
    scenario, desks, plans = load_all(question.scenario, words, question.plans)
    of_desks = list(zip(words, desks, strict=True))
    of_plans = list(zip(question.plans, plans, strict=True))
    return of_desks, of_plans, set_up(scenario, alternatives(of_desks, of_plans), question.settings)


def _play(setup: Setup, voice: Voice) -> tuple[Status, list[Day], AshcloudError | None]:
    days: list[Day] = []
    error = None
    what = f"{setup.scenario.name}, {len(setup.alternatives)} alternatives"
    with voice.waiting(what, setup.settings.days) as watch:
        try:
            gather(setup, watch, days.append)
        except KeyboardInterrupt:
            pass
        except WorkersLostError as lost:
            error = lost
    return "finished" if len(days) == setup.settings.days else "interrupted", days, error


def _manifest(
    question: CompareQuestion,
    setup: Setup,
    status: Status,
    sources: Sequence[Source],
    plans: Sequence[Source],
    started: datetime,
    timings_s: dict[str, float],
    finished: int,
) -> ComparisonManifest:
    """The manifest of a comparison that ends now; secrets are hidden."""
    hidden = [each.model_copy(update={"asked": redact(each.asked)}) for each in (*sources, *plans)]
    return ComparisonManifest(
        status=status,
        command=shlex.join(redact(word) for word in question.command),
        scenario=hidden[0],
        desks=tuple(hidden[1 : len(sources)]),
        plans=tuple(hidden[len(sources) :]),
        alternatives=tuple(
            Contender(
                name=redact(each.name),
                desk=each.desk.name,
                plan=None if each.desk.plan is None else each.desk.plan.name,
                digest=digest(each.desk),
            )
            for each in setup.alternatives
        ),
        settings=setup.settings.model_dump(),
        finished=finished,
        started=manifests.utc(started),
        ended=manifests.utc(datetime.now(UTC)),
        timings_s={name: round(seconds, 3) for name, seconds in timings_s.items()},
        versions=manifests.versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
    )


def _make_page(told: Compared, manifest: ComparisonManifest, folder: Path) -> None:
    from reports.compare_figure import drawing
    from reports.compare_page import page
    from reports.drawing import alone

    drawn = drawing(told)
    write_atomic(folder / PAGE, page(told, drawn, manifest.model_dump(mode="json")).encode())
    (folder / runs.FIGURES).mkdir(exist_ok=True)
    write_atomic(folder / runs.FIGURES / f"{drawn.name}.svg", alone(drawn).encode())
