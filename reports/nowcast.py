"""A nowcast asked for by names: files read, all that is wrong said at once, results kept in a folder if wanted.

<out>/
    manifest.json            what was asked, with what, when
    scenario.json, desk.json as they were checked, with every default; beside them the user's own files
    nowcast.json             what --json prints
    fan.csv                  cases, mentions, queue ahead, by hour, with their bands
    figures/nowcast.svg      seen, fan, queue
"""

from __future__ import annotations

import contextlib
import platform
import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import numpy as np

from reports import drafts, runs
from reports import manifest as manifests
from reports.alternatives import OWN_PLAN, choose, with_plan
from reports.make import Voice
from reports.manifest import FORMAT, NAME, Source
from reports.nowcast_words import words
from reports.summary import to_json
from scenarios import library as scenario_library
from scenarios.errors import Fault, InputError
from scenarios.laws import Frozen
from scenarios.model import Scenario
from scenarios.names import Language
from scenarios.storage import redact, write_atomic
from sim import library as desk_library
from sim.crew import cores, undisturbed
from sim.desk import Desk
from sim.staff.nowcast import Nowcast, nowcast, usual_draws
from sim.staff.nowcast_fan import LEVELS, Band, band
from sim.staff.nowcast_seen import Seen, read_rows, see
from sim.staff.nowcast_ways import CalledIn, read_called_in

RESULTS, FAN = "nowcast.json", "fan.csv"


class NowcastSettings(Frozen):
    """What was asked beside scenario, desk and plan; `runs` None: as many as fit `hours`."""

    now: str
    so_far: str
    onset: str | None = None
    backlog: str = ""
    called_in: str = ""
    hours: int = 24
    runs: int | None = None
    seed: int = 1

    @property
    def draws(self) -> int:
        """Draws that are played on."""
        return self.runs or usual_draws(self.hours, bool(self.called_in.strip()))


@dataclass(frozen=True)
class NowcastQuestion:
    """Names or files, the settings, and the words of the command; plan None: the desk's own."""

    scenario: str
    desk: str
    plan: str | None
    settings: NowcastSettings
    command: tuple[str, ...] = ()


class NowcastManifest(Frozen):
    """What the folder says about itself; see `reports.manifest.Manifest`."""

    kind: Literal["nowcast"] = "nowcast"
    format: int = FORMAT
    status: Literal["finished", "interrupted"]
    command: str
    scenario: Source
    desk: Source
    plan: str | None
    settings: NowcastSettings
    finished: int
    started: str
    ended: str
    versions: dict[str, str]
    python: str
    platform: str
    cores: int


@dataclass(frozen=True)
class NowcastAnswer:
    """What came out; `told` is None if it was stopped too early, `folder` if nothing is kept."""

    status: Literal["finished", "interrupted"]
    question: NowcastQuestion
    told: Nowcast | None
    folder: Path | None = None

    @property
    def code(self) -> int:
        """Exit code."""
        return 130 if self.status == "interrupted" else 0

    def to_dict(self) -> dict[str, Any]:
        """All of it, ready for JSON."""
        kept = None if self.folder is None else str(self.folder)
        return {"status": self.status, "folder": kept, **({} if self.told is None else results(self))}


def ask(question: NowcastQuestion, out: Path | None, voice: Voice) -> NowcastAnswer:
    """Look ahead and advise; with `out` keep it in a folder.

    Raises
    ------
    AshcloudError
        With the faults of all that was given, or if the folder cannot be made; nothing is left behind.
    """
    started = datetime.now(UTC)
    scenario, desk, seen, backlog, called_in = read(question)
    if out is None:
        return _told(question, scenario, desk, seen, backlog, called_in, voice)
    with drafts.Draft(out, scenario.name, datetime.now()) as draft:
        if draft.target != draft.wanted:
            voice.say(f"{draft.wanted} exists already: this nowcast is in {draft.target}")
        sources = (
            draft.copy("scenario", scenario, question.scenario, scenario_library.FOLDER),
            draft.copy("desk", desk, question.desk, desk_library.FOLDER),
        )
        answer = _told(question, scenario, desk, seen, backlog, called_in, voice)
        if answer.told is None:
            return answer
        with undisturbed():
            _write(draft.folder, answer)
            _manifest(answer, sources, started, draft.folder)
            return replace(answer, folder=draft.finish(latest=False))


def read(question: NowcastQuestion) -> tuple[Scenario, Desk, Seen, dict[Language, int], CalledIn]:
    """Everything that was asked for; raises `InputError` with the faults of all of it."""
    settings = question.settings
    wrong: list[Fault] = []

    def load(what: Callable[[], Any]) -> Any:
        try:
            return what()
        except InputError as error:
            wrong.extend(replace(fault, path=fault.path or error.path) for fault in error.faults)
            return None

    scenario = load(lambda: scenario_library.load(question.scenario))
    desk = load(lambda: desk_library.load(question.desk))
    plan = load(lambda: choose(question.plan or OWN_PLAN))
    # without a scenario there is no zone to read times in, but the hours can be looked at
    seen = load(lambda: see(scenario, settings.now, settings.so_far, settings.onset) if scenario is not None
                else read_rows(settings.so_far))  # fmt: skip
    backlog = load(lambda: manifests.cases_of(settings.backlog))
    if scenario is not None and desk is not None and backlog:
        wrong += _not_served(scenario, desk, backlog)
    planned = load(lambda: with_plan(desk, plan)) if desk is not None and plan is not None else None
    called_in = load(lambda: read_called_in(settings.called_in, planned.plan)) if planned is not None else {}
    if wrong or planned is None:
        raise InputError(None, dict.fromkeys(wrong))
    return scenario, planned, seen, backlog, called_in


def _not_served(scenario: Scenario, desk: Desk, backlog: Mapping[Language, int]) -> list[Fault]:
    """Languages in which cases wait, and that the scenario does not bring or nobody at the desk speaks."""
    tables = (scenario.mix, *scenario.mix_changes)
    brought = {name for mix in tables for name, share in (mix.languages or {}).items() if share > 0}
    wrong = []
    for language in (name for name, number in backlog.items() if number):
        if language not in brought:
            wrong.append(f"{language} is no language in which {scenario.name} brings cases; leave it out")
        elif language not in desk.languages:
            wrong.append(f"{language} is no language that anybody at {desk.name} speaks; leave it out")
    return [Fault("--backlog", what) for what in wrong]


def _told(
    question: NowcastQuestion,
    scenario: Scenario,
    desk: Desk,
    seen: Seen,
    backlog: dict[Language, int],
    called_in: CalledIn,
    voice: Voice,
) -> NowcastAnswer:
    settings = question.settings
    told = None
    what = f"{scenario.name} on {desk.name}"
    with voice.waiting(what, settings.draws) as watch, contextlib.suppress(KeyboardInterrupt):
        told = nowcast(scenario, desk, seen, backlog, settings.hours, settings.draws, settings.seed, watch, called_in)
    whole = told is not None and len(told.draws) == settings.draws
    return NowcastAnswer("finished" if whole else "interrupted", question, told)


def results(answer: NowcastAnswer) -> dict[str, Any]:
    """What a machine wants."""
    told = answer.told
    assert told is not None
    posterior, advice, learnt = told.posterior, told.advice, told.learnt
    said = words(told)
    return {
        "scenario": told.scenario.name,
        "desk": told.desk.name,
        "plan": None if told.desk.plan is None else told.desk.plan.name,
        "version": manifests.versions()["ashcloud"],
        "settings": answer.question.settings.model_dump(),
        "now": told.clock(0.0).isoformat(),
        "onset": {
            "stated": told.stated,
            "quantiles": {
                f"{p:g}": told.clock(h - told.now_h).isoformat()
                for p, h in zip((0.1, 0.5, 0.9), posterior.onsets_h((0.1, 0.5, 0.9)), strict=True)
            },
        },
        "seen": [
            {
                "from": told.clock((hour.from_s - told.seen.now_s) / 3600.0).isoformat(),
                "hours": (hour.to_s - hour.from_s) / 3600.0,
                "mentions": hour.mentions,
                "cases": hour.cases,
            }
            for hour in told.seen.hours
        ],
        "surge_share": posterior.surge_share,
        "size_u": dict(zip(("0.1", "0.5", "0.9"), posterior.sizes((0.1, 0.5, 0.9)), strict=True)),
        "stretch": dict(zip(("0.1", "0.5", "0.9"), posterior.stretches((0.1, 0.5, 0.9)), strict=True)),
        "totals": {what: _bands(band(told.ahead.of(what).sum(axis=1))) for what in ("cases", "mentions")},
        "fan": fan(told),
        "draws": len(told.draws),
        "ways": [_way(told, at) for at in range(len(told.ways))],
        "advice": {
            "call": advice.call,
            "home": None if advice.home_h is None else told.clock(advice.home_h).isoformat(),
            "latest": None if advice.latest_h is None else told.clock(advice.latest_h).isoformat(),
            **asdict(advice),
        },
        "next_hour": {
            "cases": learnt.cases.tolist(),
            "width_now": learnt.now,
            "width_then": learnt.then,
        },
        "words": asdict(said),
    }


def _bands(found: Band) -> dict[str, Any]:
    out: dict[str, Any] = {"median": found.median.tolist()}
    for level, (low, high) in found.ends.items():
        out[f"low_{100 * level:.0f}"], out[f"high_{100 * level:.0f}"] = low.tolist(), high.tolist()
    return out


def _way(told: Nowcast, at: int) -> dict[str, Any]:
    played = [draw.played[at] for draw in told.draws]
    recovered = [run.recovered_h for run in played]
    return {
        "name": told.ways[at].name,
        "delay_h": told.ways[at].delay_h,
        "asked": sum(rung.heads for rung in told.ways[at].asked) or None,
        "home_h": told.ways[at].home_h,
        "within_promise": _bands(band(np.array([run.share for run in played]))),
        "missed_mean": float(np.mean([run.missed for run in played])),
        "called_in_hours_mean": float(np.mean([run.called_in_hours for run in played])),
        "cost_mean": float(np.mean([run.cost for run in played])),
        "not_recovered_share": float(np.mean(np.isinf(recovered))),
        "recovered_h": [None if np.isinf(hour) else hour for hour in recovered],
        "backlog": _bands(band(np.array([run.backlog for run in played], dtype=np.float64))),
    }


def fan(told: Nowcast) -> list[dict[str, Any]]:
    """One row an hour ahead: its start, and the bands of cases, mentions and the queue at its start."""
    first = told.way("nobody") or 0
    queue = np.array([draw.played[first].backlog[:-1] for draw in told.draws], dtype=np.float64)
    made = {"cases": band(told.ahead.cases), "mentions": band(told.ahead.mentions), "backlog": band(queue)}
    rows = []
    for hour in range(told.hours):
        row: dict[str, Any] = {"from": told.clock(float(hour)).isoformat()}
        for name, found in made.items():
            row[name] = float(found.median[hour])
            for level in LEVELS:
                low, high = found.ends[level]
                row[f"{name}_low_{100 * level:.0f}"], row[f"{name}_high_{100 * level:.0f}"] = (
                    float(low[hour]),
                    float(high[hour]),
                )
        rows.append(row)
    return rows


def _write(folder: Path, answer: NowcastAnswer) -> None:
    from reports.drawing import alone
    from reports.nowcast_figure import drawing

    told = answer.told
    assert told is not None
    write_atomic(folder / RESULTS, to_json({"status": answer.status, **results(answer)}).encode() + b"\n")
    rows = fan(told)
    lines = [",".join(rows[0]), *(",".join(str(value) for value in row.values()) for row in rows)]
    write_atomic(folder / FAN, ("\n".join(lines) + "\n").encode())
    drawn = drawing(told)
    (folder / runs.FIGURES).mkdir(exist_ok=True)
    write_atomic(folder / runs.FIGURES / f"{drawn.name}.svg", alone(drawn).encode())


def _manifest(answer: NowcastAnswer, sources: tuple[Source, Source], started: datetime, folder: Path) -> None:
    question, told = answer.question, answer.told
    assert told is not None
    scenario, desk = (each.model_copy(update={"asked": redact(each.asked)}) for each in sources)
    made = NowcastManifest(
        status=answer.status,
        command=shlex.join(redact(word) for word in question.command),
        scenario=scenario,
        desk=desk,
        plan=None if told.desk.plan is None else told.desk.plan.name,
        settings=question.settings,
        finished=len(told.draws),
        started=manifests.utc(started),
        ended=manifests.utc(datetime.now(UTC)),
        versions=manifests.versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
    )
    write_atomic(folder / NAME, made.model_dump_json(indent=1).encode() + b"\n")
