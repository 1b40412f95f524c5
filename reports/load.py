"""A load test: asked, planned, played, judged, kept, told."""

from __future__ import annotations

import platform
import shlex
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests import disturb, health, mishaps, shapes, slo
from loadtests.batches import batched
from loadtests.bodies import PLATFORM, Bodies
from loadtests.flows import beyond_budgets, fitted, mean_bytes, peak_per_s, requests
from loadtests.mischief import Mischief
from loadtests.mishaps import Mishap
from loadtests.phases import phases
from loadtests.result import LoadResult
from loadtests.runner import replay
from loadtests.schedule import Schedule, at_times, of_traces
from loadtests.slo import Check, Objective
from loadtests.target import Options, Target, Way
from reports import drafts, load_exporter, load_figure, load_files, load_metrics, load_words
from reports.console import Terminal
from reports.drawing import alone
from reports.load_exporter import Address, Exporter
from reports.load_live import Screen
from reports.load_manifest import LoadManifest
from reports.load_serve import running
from reports.manifest import Source, utc, versions
from reports.traces import ENDING
from scenarios import library
from scenarios.errors import Fault, InputError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.storage import redact, write_atomic
from scenarios.traces import Trace
from scenarios.traces import load as load_trace
from sim.crew import cores
from sim.replicate import Size, size_u

RESULT, FIGURE = "load.npz", "load"
SAMPLE = 400
NOTHING_ANSWERED = COMPONENT_FAILED = 3
INVALID = 4


@dataclass(frozen=True)
class LoadQuestion:
    """What was asked; `source` is a scenario, a trace by a name that ends in .npz, or a shape such as ramp:10,200,60s.

    `serve`: start a service.
    """

    source: str
    target: Target
    options: Options = field(default_factory=Options)
    speed: float = 1.0
    times: int = 1
    from_h: float | None = None
    to_h: float | None = None
    seed: int = 1
    size: Size = "likely"
    slo: str | None = None
    abort: bool = False
    lag_ms: float = 1e3 * health.LAG_P99_S
    most_requests: int | None = None
    mine: bool = False
    serve: bool = False
    disturb: str | None = None
    batch: int = 1
    batch_wait_s: float = 1.0
    faults: bool = False
    disturb_service: str | None = None
    exporter: Address | None = None
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = []
        if not self.target.local and not (self.mine and self.most_requests):
            what = "is not on this machine; if it is yours, say --i-own-this-host and --max-requests N"
            wrong.append(Fault(f"--target {self.target.host}", what))
        if self.times < 1:
            wrong.append(Fault("--times", f"is {self.times}; it should be 1 or more"))
        if self.times > 1 and self.source.endswith(ENDING):
            wrong.append(Fault("--times", "needs a scenario to draw further rows from; a trace holds its own only"))
        if shapes.is_shape(self.source) and (self.speed, self.times, self.from_h, self.to_h) != (1.0, 1, None, None):
            wrong.append(
                Fault("--speed, --times, --from, --to", "are for scenarios; a shape has its own times and rates")
            )
        if self.target.file is not None and self.batch > 1:
            wrong.append(Fault("--batch", "is for the service's own form; a target file says what one post is"))
        if self.abort and self.slo is None:
            wrong.append(Fault("--abort-on-slo", "needs objectives; give them with --slo"))
        if self.faults and (self.source.endswith(ENDING) or shapes.is_shape(self.source)):
            wrong.append(Fault("--faults", "needs a scenario; a trace or a shape has no faults of its own"))
        for name, given in (("--faults", self.faults), (mishaps.OPTION, self.disturb_service is not None)):
            if given and not self.serve:
                wrong.append(Fault(name, "needs --serve: only a service that was started for it is broken on purpose"))
        if wrong:
            raise InputError(None, wrong)

    def settings(self) -> dict[str, Any]:
        """What may be written down of it."""
        kept = (
            "speed",
            "times",
            "from_h",
            "to_h",
            "seed",
            "size",
            "slo",
            "abort",
            "lag_ms",
            "most_requests",
            "serve",
            "disturb",
            "batch",
            "batch_wait_s",
            "faults",
            "disturb_service",
        )
        return {name: getattr(self, name) for name in kept} | {
            "target": self.target.told(), "options": asdict(self.options)
        }  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """What would be sent: the rows, the scenario they are of (None: a trace file), the objectives, what goes wrong.

    `body_bytes` are those of a request; `sender` is the way; `needed` are the requests of each row (None: one each).
    """

    schedule: Schedule
    scenario: Scenario | None
    objectives: tuple[Objective, ...]
    body_bytes: float
    mishaps: tuple[Mishap, ...] = ()
    sender: Way = "lean"
    needed: NDArray[np.int64] | None = None

    @property
    def rows(self) -> dict[str, int]:
        """Rows that are due in each phase; without phases all of them, as one."""
        due = self.schedule["due_s"]
        parts = [(str(p["name"]), (due >= p["from_s"]) & (due < p["to_s"])) for p in self.schedule.about["phases"]]
        return {name: int(np.count_nonzero(where)) for name, where in parts} or {slo.ALL: len(self.schedule)}

    def to_dict(self) -> dict[str, Any]:
        """The facts of a dry run."""
        s = self.schedule
        n = s.requests if self.needed is None else int(self.needed.sum())
        return {
            "scenario": s.about["scenario"],
            "rows": len(s),
            "requests": n,
            "seconds": s.span_s,
            "mean_per_s": len(s) / max(s.span_s, 1e-9),
            "peak_per_s": s.peak_per_s(),
            "sender": self.sender,
            "peak_requests_per_s": s.peak_per_s() if self.needed is None else peak_per_s(s["due_s"], self.needed),
            "bytes": round(self.body_bytes * n),
            "bytes_a_request": round(self.body_bytes),
            "traces": list(s.about["traces"])[:1],
            "schedule": s.digest,
            "phases": [{**p, "rows": self.rows[p["name"]]} for p in s.about["phases"]],
            "slo": [objective.text for objective in self.objectives],
            "mishaps": [mishap.to_dict() for mishap in self.mishaps],
        }


@dataclass(frozen=True)
class LoadAnswer:
    """What came out; `folder` is None if nothing was kept."""

    question: LoadQuestion
    planned: Planned
    result: LoadResult
    checks: list[Check]
    verdict: health.Verdict
    folder: Path | None = None

    @property
    def code(self) -> int:
        """Exit code: 130 interrupted, 4 the generator was not in order, 3 a mishap failed, 1 broken, 3 nothing was
        answered, else 0."""
        if self.result.about["status"] == "interrupted":
            return 130
        if not self.verdict.valid:
            return INVALID
        if any(each["error"] for each in self.result.about.get("mishaps", ())):
            return COMPONENT_FAILED
        if self.result.about["status"] == "aborted" or any(check.state == "broken" for check in self.checks):
            return 1
        counts = self.result.counts()
        return NOTHING_ANSWERED if counts["sent"] and not counts["answered"] + counts["shed"] else 0

    @property
    def headline(self) -> str:
        return load_words.headline(self.result, self.checks, self.verdict)

    def remarks(self) -> list[str]:
        return list(load_words.remarks(self.result, self.checks, self.verdict))

    def table(self) -> list[tuple[str, ...]]:
        return load_words.table(self.result, self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the rows, ready for JSON."""
        return {
            "headline": self.headline,
            "exit_code": self.code,
            "generator": self.verdict.to_dict(),
            "slo": [check.to_dict() for check in self.checks],
            **self.result.to_dict(self.verdict.valid),
        }


def plan(question: LoadQuestion) -> Planned:
    """Draw the rows and check what was asked.

    Raises
    ------
    AshcloudError
        If the scenario or the trace is not usable, a limit or an objective is not right, or there are more
        rows than `most_requests` or the budget of the target file allow.
    """
    q = question
    shape = shapes.read(q.source) if shapes.is_shape(q.source) else None
    scenario = None if shape is not None or q.source.endswith(ENDING) else library.load(q.source)
    parts = () if scenario is None else phases(scenario, size_u(q.size, q.seed, 0))
    how = None if q.disturb is None else disturb.parse(q.disturb)
    if how is not None and how.hostile and q.target.file is not None:
        raise InputError(
            None,
            [Fault("--disturb", "has hostile, which spoils the service's own form; leave it out for a target file")],
        )
    if shape is None:
        holds = mishaps.holds(scenario.faults) if q.faults and scenario is not None else ()
        schedule = of_traces(_traces(q, scenario), q.speed, q.from_h, q.to_h, parts, holds)
    else:
        schedule = at_times(shape.due_s("poisson", np.random.default_rng(q.seed)), shape.name, q.seed)
    schedule = schedule if how is None else disturb.disturbed(schedule, how, q.seed)
    if q.batch != 1:
        schedule = batched(schedule, q.batch, q.batch_wait_s, own_form=PLATFORM in q.target.path)
    names = [str(phase["name"]) for phase in schedule.about["phases"]]
    objectives = () if q.slo is None else slo.parse(q.slo, names)
    options = fitted(schedule, q.target, q.options)
    needed = requests(schedule, q.target, options)
    if q.most_requests is not None and needed.sum() > q.most_requests:
        what = f"is {q.most_requests:,}, but there are {needed.sum():,} requests; take fewer hours, or raise it"
        raise InputError(None, [Fault("--max-requests", what)])
    if beyond := list(beyond_budgets(schedule, q.target, options)):
        raise InputError(None, beyond)
    size = _request_bytes(schedule, q.target, options)
    return Planned(schedule, scenario, objectives, size, _mishaps(q, scenario, schedule), options.sender, needed)


def _request_bytes(schedule: Schedule, target: Target, options: Options) -> float:
    """Bytes of a request on average, judged by some of them."""
    some = schedule.of_part(0, max(1, schedule.requests // SAMPLE))
    bodies = Bodies(schedule, some, target, "00000000")
    if options.sender == "session":
        return mean_bytes(schedule, target, [bodies.values(place) for place in range(len(bodies))])
    return float(np.mean([len(bodies.take(place)) for place in range(len(bodies))]))


def _mishaps(q: LoadQuestion, scenario: Scenario | None, schedule: Schedule) -> tuple[Mishap, ...]:
    found: list[Mishap] = []
    if q.faults and scenario is not None:
        found += mishaps.of_scenario(scenario.faults, schedule)
    if q.disturb_service is not None:
        found += mishaps.of_words(q.disturb_service, schedule)
    return tuple(found)


def _traces(q: LoadQuestion, scenario: Scenario | None) -> Iterator[Trace]:
    if scenario is None:
        yield load_trace(Path(q.source))
        return
    start_h, end_h = scenario.window_h
    to_h = end_h if q.to_h is None else q.to_h
    short_h = to_h - start_h if start_h < to_h < end_h else None
    for number in range(q.times):
        hours = short_h if number else None  # the first is the trace that `simulate` plays, the others are only more
        yield generate(scenario, q.seed, number, size_u(q.size, q.seed, number), hours)


def ask(question: LoadQuestion, out: Path | None, terminal: Terminal) -> LoadAnswer:
    """Play it, and keep everything in a run folder: `out`, or one below runs.

    Raises
    ------
    AshcloudError
        With what is wrong, or if the service or the generator fails.
    """
    planned = plan(question)
    name = f"load-{planned.schedule.about['scenario']}"
    before = load_metrics.unbegun(planned.schedule, question.lag_ms / 1e3)
    exporting = load_exporter.serving(question.exporter, before, terminal.say)
    with exporting as exporter, drafts.Draft(out, name, datetime.now()) as draft:
        answer = _played(question, planned, draft.folder, terminal, exporter)
        exporter.judged(answer.verdict, answer.checks)
        try:
            source = _copied(draft, question, planned)
            _store(draft.folder, answer, source)
        except InputError as fault:
            raise _rescued(answer, fault) from None
        return replace(answer, folder=draft.finish(latest=False))


def _played(q: LoadQuestion, planned: Planned, folder: Path, terminal: Terminal, exporter: Exporter) -> LoadAnswer:
    with ExitStack() as stack:
        service = stack.enter_context(running(folder)) if q.serve else None
        target = q.target if service is None else service.known(q.target)
        asked = stack.enter_context(terminal.held())
        screen = Screen(terminal, planned.schedule.span_s, planned.rows, planned.objectives if q.abort else (), asked)
        stack.enter_context(screen.shown())
        about = load_metrics.described(planned.schedule.about, target.told()["url"], q.options.workers)
        watch = exporter.beside(screen, about)
        if service is None or not planned.mishaps:
            result = replay(planned.schedule, target, q.options, watch=watch, keep=folder)
        else:
            with Mischief(planned.mishaps, service, watch, terminal.say) as mischief:
                result = replay(planned.schedule, target, q.options, watch=mischief, keep=folder)
            result = LoadResult(result.columns, {**result.about, "mishaps": mischief.told()})
    result = LoadResult(result.columns, {**result.about, "max_lag_s": q.lag_ms / 1e3})
    verdict = health.judge(result)
    return LoadAnswer(q, planned, result, slo.judge(planned.objectives, result, verdict.valid), verdict)


def _copied(draft: drafts.Draft, q: LoadQuestion, planned: Planned) -> Source | None:
    return None if planned.scenario is None else draft.copy("scenario", planned.scenario, q.source, library.FOLDER)


def _store(folder: Path, answer: LoadAnswer, source: Source | None) -> None:
    answer.result.save(folder / RESULT, answer.verdict.valid)
    for name, content in files(answer).items():
        write_atomic(folder / name, content)
    q, about = answer.question, answer.result.about
    LoadManifest(
        status=about["status"],
        command=shlex.join(redact(word) for word in q.command),
        scenario=source,
        trace=None if source is not None else q.source,
        settings=q.settings(),
        result=answer.result.digest,
        exit_code=answer.code,
        started=about["started"],
        ended=utc(datetime.now(UTC)),
        versions=versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
    ).save(folder)


def files(answer: LoadAnswer) -> dict[str, bytes]:
    """Content by name of the file, beside the result itself."""
    result, checks, verdict = answer.result, answer.checks, answer.verdict
    drawing, png = load_figure.drawn(result, verdict.valid)
    seconds = float(np.nanmax(result["done_s"], initial=0.0))
    return {
        "junit.xml": load_files.junit(checks, verdict, seconds),
        "summary.json": load_files.k6_summary(result, checks, verdict),
        "metrics.txt": load_metrics.text(load_metrics.of_result(result, checks, verdict)),
        "summary.md": load_files.step_summary(answer.headline, answer.table(), answer.remarks()).encode(),
        f"{FIGURE}.svg": alone(drawing).encode(),
        f"{FIGURE}.png": png,
    }


def _rescued(answer: LoadAnswer, fault: InputError) -> InputError:
    """Nothing that was measured is thrown away because the disk is full: the rows go elsewhere, if they can."""
    folder = Path(mkdtemp(prefix="ashcloud-rescued-"))
    try:
        answer.result.save(folder / RESULT, answer.verdict.valid)
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        return fault
    return InputError(fault.path, [*fault.faults, Fault("", f"the rows are kept in {folder / RESULT}")])
