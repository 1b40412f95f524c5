"""A load test: planned, played, judged, kept, told."""

from __future__ import annotations

import platform
import shlex
import shutil
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np

from loadtests import health, slo
from loadtests.mischief import Mischief
from loadtests.page import Page
from loadtests.result import LoadResult
from loadtests.runner import replay
from loadtests.slo import Check
from reports import drafts, load_exporter, load_figure, load_files, load_metrics, load_words
from reports.console import Terminal
from reports.drawing import alone
from reports.load_exporter import Exporter
from reports.load_live import Screen
from reports.load_manifest import LoadManifest
from reports.load_plan import LoadQuestion, Planned, plan
from reports.load_serve import running
from reports.manifest import Source, utc, versions
from scenarios import library
from scenarios.errors import Fault, InputError
from scenarios.storage import redact, write_atomic
from sim.crew import cores

RESULT, FIGURE = "load.npz", "load"
NOTHING_ANSWERED = COMPONENT_FAILED = 3
INVALID = 4


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
        told = list(load_words.remarks(self.result, self.checks, self.verdict))
        left_out = ", ".join(self.planned.not_played)
        return [*told, f"not played, as it happens to people: {left_out}"] if left_out else told

    def table(self) -> list[tuple[str, ...]]:
        return load_words.table(self.result, self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Everything but the rows, ready for JSON."""
        return {
            "headline": self.headline,
            "exit_code": self.code,
            "generator": self.verdict.to_dict(),
            "slo": [check.to_dict() for check in self.checks],
            "not_played": list(self.planned.not_played),
            **self.result.to_dict(self.verdict.valid),
        }


def ask(question: LoadQuestion, out: Path | None, terminal: Terminal, page: Page | None = None) -> LoadAnswer:
    """Play it, and keep everything in a run folder: `out`, or one below runs. With a page it is shown there.

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
        answer = _played(question, planned, draft.folder, terminal, exporter, page)
        exporter.judged(answer.verdict, answer.checks)
        try:
            source = _copied(draft, question, planned)
            _store(draft.folder, answer, source)
        except InputError as fault:
            raise _rescued(answer, fault) from None
        return replace(answer, folder=draft.finish(latest=False))


def _played(
    q: LoadQuestion, planned: Planned, folder: Path, terminal: Terminal, exporter: Exporter, page: Page | None
) -> LoadAnswer:
    with ExitStack() as stack:
        service = stack.enter_context(running(folder)) if q.serve else None
        target = q.target if service is None else service.known(q.target)
        asked = stack.enter_context(terminal.held())
        screen = Screen(terminal, planned.schedule.span_s, planned.rows, planned.objectives if q.abort else (), asked)
        stack.enter_context(screen.shown())
        about = load_metrics.described(planned.schedule.about, target.told()["url"], q.options.workers)
        watch = exporter.beside(screen, about)
        if service is None or not planned.mishaps:
            result = replay(planned.schedule, target, q.options, watch=watch, keep=folder, page=page)
        else:
            with Mischief(planned.mishaps, service, watch, terminal.say) as mischief:
                result = replay(planned.schedule, target, q.options, watch=mischief, keep=folder, page=page)
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
