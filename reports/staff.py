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
from typing import Any, Literal

from reports import drafts, runs
from reports import manifest as manifests
from reports.alternatives import load_all
from reports.make import Voice
from reports.manifest import Source
from reports.staff_manifest import StaffManifest, StaffSettings
from reports.staffed import Staffed
from reports.summary import to_json
from scenarios import library as scenario_library
from scenarios.errors import Fault, InputError
from scenarios.model import Scenario
from scenarios.storage import redact, write_atomic
from sim import library as desk_library
from sim.crew import Watch, cores, undisturbed
from sim.desk import Desk
from sim.engines import prepare
from sim.staff.baselines import Baseline, at_service, proportional, stationary
from sim.staff.budget import Budget
from sim.staff.need import Need
from sim.staff.promise import Promise
from sim.staff.reachable import an_hour_later, attend, reachable
from sim.staff.rostering import make
from sim.staff.rules import load as load_rules
from sim.staff.sizing import Question, Sized, size_plan
from sim.staff.unknown_size import Table, TwoStage, play_sizes, two_stage

RESULTS = "staff.json"
STEPS = 6  # what a run is made of, for the bar of progress
LARGER = (("80 % surge", 0.8), ("95 % surge", 0.95))
LESS, MORE = 0.10, 0.10  # by how much the promise of the cheaper and of the safer plan differs, where no size is open
MOST_SHARE = 0.97
SHARES = (0.6, 0.4)  # of the time for the requirement and for its alternatives
OPEN_SIZE = (0.45, 0.2)  # the same where the plans are played under sizes too, which takes its time
ROSTER = 0.5  # of the time, on top, for a roster
KNOWN_H, LEAD_H = 12.0, 8.0
BUDGET = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h)?")
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

    status: Literal["finished", "interrupted"]
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
    return float(found[1]) * UNITS_S[found[2]]


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
    if out is None:
        status, told = _work(question, scenario, desk, promises, seconds, voice)
        return StaffAnswer(status, told)
    with drafts.Draft(out, scenario.name, datetime.now()) as draft:
        if draft.target != draft.wanted:
            voice.say(f"{draft.wanted} exists already: this plan is in {draft.target}")
        sources = (
            draft.copy("scenario", scenario, question.scenario, scenario_library.FOLDER),
            draft.copy("desk", desks[0], question.desk, desk_library.FOLDER),
        )
        status, told = _work(question, scenario, desk, promises, seconds, voice)
        with undisturbed():  # Ctrl-C at this moment must not cost what has been found
            _write(draft.folder, told, status)
            _manifest(question, status, sources, started, time.perf_counter() - clock).save(draft.folder)
            return StaffAnswer(status, told, draft.finish(latest=False))


def _planned(desk: Desk, plans: Sequence[Any]) -> Desk:
    """The desk with the plan that was asked for."""
    if not plans or plans[0] == "own":
        return desk
    return desk.with_plan(None if plans[0] == "none" else plans[0])


def _work(
    question: StaffQuestion, scenario: Scenario, desk: Desk, promises: tuple[Promise, ...], seconds: float, voice: Voice
) -> tuple[Literal["finished", "interrupted"], Staffed]:
    settings = question.settings
    rules = None if settings.roster is None else load_rules(settings.roster)
    first, rest = OPEN_SIZE if scenario.surges else SHARES
    with voice.waiting(f"{scenario.name}, staff", STEPS) as watch:
        prepare("compiled", watch.notice)
        asked = Question(scenario, desk, promises, settings.per == "language", settings.seed, settings.hours)
        watch.progress(0.0, 0)
        main = size_plan("requirement", asked, Budget(first * seconds, watch), size=settings.size)
        watch.progress(1 / STEPS, 1)
        days = asked.days(main.effort.fresh, settings.size, fresh=True)
        runs_as_is = attend(days, desk, promises)
        reached = reachable(days, desk, promises, asked.per_language, runs_as_is)
        hour = an_hour_later(days, desk, promises, runs_as_is)
        watch.progress(2 / STEPS, 2)
        others = [] if watch.stopped() else _others(asked, main, rest * seconds, watch, settings)
        watch.progress(3 / STEPS, 3)
        table = stages = None
        if scenario.surges and others and not watch.stopped():
            table, stages = _open_size(asked, main, others, Budget(watch=watch), settings)
        watch.progress(4 / STEPS, 4)
        usual = () if watch.stopped() or settings.baselines == 0 else _baselines(asked, main, settings)
        watch.progress(1.0, STEPS)
        roster = None if rules is None or watch.stopped() else make(asked, main, rules, Budget(ROSTER * seconds, watch))
        stopped = watch.stopped()
    told = Staffed(
        asked, settings.size, main, tuple(others), reached, hour, table, stages, usual,
        manifests.versions()["ashcloud"], settings.miss_eur, roster,
    )  # fmt: skip
    return "interrupted" if stopped else "finished", told


def _others(asked: Question, main: Sized, seconds: float, watch: Watch, settings: StaffSettings) -> list[Sized]:
    """A cheaper and a safer plan: for larger surges, or for smaller and larger promises where none is open."""
    if asked.scenario.surges:
        wanted: list[tuple[str, Any, Sequence[Promise] | None]] = [(name, u, None) for name, u in LARGER]
    else:
        less = [Promise(max(p.share - LESS, 0.05), p.within_s) for p in asked.promises]
        more = [Promise(min(p.share + MORE, MOST_SHARE), p.within_s) for p in asked.promises]
        wanted = [("cheaper", settings.size, less), ("safer", settings.size, more)]
    return [
        size_plan(
            name, asked, Budget(seconds / len(wanted), watch), size=size, promises=promises,
            begin=_begin(main, size), effort=main.effort.half, candidates=1,
        )
        for name, size, promises in wanted
    ]  # fmt: skip


def _begin(main: Sized, size: Any) -> Need | None:
    """What to begin another search with: the seats that were found, or none where the load is another."""
    return main.need if size == main.size else None


def _open_size(
    asked: Question, main: Sized, others: Sequence[Sized], whole: Budget, settings: StaffSettings
) -> tuple[Table, TwoStage]:
    plans = {each.name: each.seats for each in (main, *others)}
    made_for = {main.name: (0.5, main.seats), **{each.name: (float(each.size), each.seats) for each in others}}
    seed = asked.seed + 7
    table = play_sizes(
        asked.scenario, asked.desk, plans, asked.promises, settings.miss_eur, seed, whole, hours=asked.hours
    )
    stages = two_stage(
        asked.scenario, asked.desk, made_for, table, asked.promises, seed, whole,
        known_h=KNOWN_H, lead_h=LEAD_H, hours=asked.hours,
    )  # fmt: skip
    return table, stages


def _baselines(asked: Question, main: Sized, settings: StaffSettings) -> tuple[Baseline, ...]:
    days = asked.days(settings.baselines, settings.size, first=main.effort.fresh, fresh=True)
    size_u = days.traces[0].about["size_u"]
    quiet = scenario_library.load("quiet_week")
    ways = {
        "stationary Erlang": stationary(asked.desk, asked.scenario, asked.promises, days, size_u),
        "today's desk": proportional(asked.desk, quiet, asked.scenario, days, size_u),
    }
    return tuple(at_service(name, way, main.seats, days, asked.desk, asked.promises) for name, way in ways.items())


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
    status: Literal["finished", "interrupted"],
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
