"""From a promise to staff: requirement, alternatives, what can be reached, what an unknown size makes of it."""

from __future__ import annotations

import platform
import re
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reports import drafts, runs
from reports import manifest as manifests
from reports.alternatives import load_all
from reports.make import Voice
from reports.manifest import Source
from reports.staff_manifest import StaffManifest, StaffSettings
from reports.staff_search import Status, search
from reports.staffed import Staffed
from reports.summary import to_json
from scenarios import library as scenario_library
from scenarios.errors import Fault, InputError
from scenarios.storage import redact, write_atomic
from sim import library as desk_library
from sim.crew import cores, undisturbed
from sim.desk import Desk
from sim.staff.promise import Promise
from sim.staff.rules import load as load_rules
from sim.staff.sizing import Question

RESULTS = "staff.json"
BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
LEAST_S = 1.0
UNITS_S = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, None: 60.0}


@dataclass(frozen=True)
class StaffQuestion:
    """What was asked: names or files, promises in words, the settings, and the words of the command."""

    scenario: str
    desk: str
    plan: str | None
    promises: tuple[str, ...]
    settings: StaffSettings
    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class StaffAnswer:
    """What came out.

    Attributes
    ----------
    status : whether the search came to its end
    told : Staffed
    folder : Path or None
    """

    status: Status
    told: Staffed
    folder: Path | None = None

    @property
    def code(self) -> int:
        """Exit code: 130 interrupted, 1 if what can be reached or the roster does not keep the promise, else 0."""
        if self.status == "interrupted":
            return 130
        kept = self.told.reachable is None or self.told.reachable.keeps
        roster = self.told.roster
        return 0 if kept and (roster is None or (roster.keeps and not roster.missing)) else 1

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "status": self.status,
            **self.told.to_dict(),
            "folder": None if self.folder is None else str(self.folder),
        }


def seconds_of(budget: str) -> float:
    """Seconds that words like ``10m``, ``90s`` or ``5`` (minutes) mean.

    Raises
    ------
    InputError
        If they mean nothing.
    """
    found = BUDGET.fullmatch(budget.strip())
    if found is None or float(found[1]) <= 0.0:
        raise InputError(None, [Fault("--budget", f"is {budget!r}; write it like 10m or 90s")])
    seconds = float(found[1]) * UNITS_S[found[2]]
    if seconds < LEAST_S:
        raise InputError(
            None, [Fault("--budget", f"is {budget!r}, too short for any search; give at least {LEAST_S:g}s")]
        )
    return seconds


def read_promises(words: Sequence[str]) -> tuple[Promise, ...]:
    """The promises; raises `InputError` with the faults of all."""
    out, faults = [], []
    for text in words:
        try:
            out.append(Promise.read(text))
        except InputError as error:
            faults += error.faults
    if len({promise.within_s for promise in out}) < len(out):
        faults.append(Fault("promise", "names one time twice; keep the larger share of both"))
    if faults:
        raise InputError(None, faults)
    return tuple(out)


def staff(question: StaffQuestion, out: Path | None, voice: Voice) -> StaffAnswer:
    """Size the staff; with a folder everything is kept there.

    Raises
    ------
    AshcloudError
        With the faults of all files and promises, or if the folder cannot be made; nothing is left behind.
    """
    started, clock = datetime.now(UTC), time.perf_counter()
    promises = read_promises(question.promises)
    seconds = seconds_of(question.settings.budget)
    scenario, desks, plans = load_all(
        question.scenario, (question.desk,), () if question.plan is None else (question.plan,)
    )
    desk = _planned(desks[0], plans)
    settings = question.settings
    rules = None if settings.roster is None else load_rules(settings.roster)
    asked = Question(scenario, desk, promises, settings.per == "language", settings.seed, settings.hours)
    if out is None:
        status, told = search(asked, settings, rules, seconds, voice)
        return StaffAnswer(status, told)
    with drafts.Draft(out, scenario.name, datetime.now()) as draft:
        if draft.target != draft.wanted:
            voice.say(f"{draft.wanted} exists already: this plan is in {draft.target}")
        sources = (
            draft.copy("scenario", scenario, question.scenario, scenario_library.FOLDER),
            draft.copy("desk", desks[0], question.desk, desk_library.FOLDER),
        )
        status, told = search(asked, settings, rules, seconds, voice)
        with undisturbed():  # Ctrl-C at this moment must not cost what has been found
            _write(draft.folder, told, status)
            _manifest(question, status, sources, started, time.perf_counter() - clock).save(draft.folder)
            return StaffAnswer(status, told, draft.finish(latest=False))


def _planned(desk: Desk, plans: Sequence[Any]) -> Desk:
    """The desk with the plan that was asked for."""
    if not plans or plans[0] == "own":
        return desk
    return desk.with_plan(None if plans[0] == "none" else plans[0])


def _write(folder: Path, told: Staffed, status: str) -> None:
    from reports.staff_files import files
    from reports.staff_page import page

    write_atomic(folder / RESULTS, to_json({"status": status, **told.to_dict()}).encode() + b"\n")
    for name, content in files(told).items():
        write_atomic(folder / name, content)
    (folder / runs.FIGURES).mkdir(exist_ok=True)
    for name, content in page(told).items():
        write_atomic(folder / name, content)


def _manifest(
    question: StaffQuestion,
    status: Status,
    sources: tuple[Source, Source],
    started: datetime,
    seconds: float,
) -> StaffManifest:
    hidden = [each.model_copy(update={"asked": redact(each.asked)}) for each in sources]
    return StaffManifest(
        status=status,
        command=shlex.join(redact(word) for word in question.command),
        scenario=hidden[0],
        desk=hidden[1],
        plan=None if question.plan is None else redact(question.plan),
        promises=question.promises,
        settings=question.settings,
        started=manifests.utc(started),
        ended=manifests.utc(datetime.now(UTC)),
        seconds=round(seconds, 3),
        versions=manifests.versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
    )
