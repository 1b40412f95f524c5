"""The search for the breaking point of a service: asked, searched, kept, told."""

from __future__ import annotations

import contextlib
import math
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from loadtests import target_file
from loadtests.breakpoint import Plan
from loadtests.flows import lean_alone
from loadtests.operations import Operation
from loadtests.rates import Broken, Rates, Timing, find
from loadtests.shapes import Spacing
from loadtests.stepping import Steppers
from loadtests.steps import Criteria, Judged, Limits
from loadtests.target import Connections, Options, Target
from reports import breakpoint_figure, drafts
from reports.breakpoint_words import lines, rate
from reports.console import Terminal
from reports.drawing import alone
from reports.load_ask import SOMEWHERE, one_target, where
from reports.load_serve import served
from reports.summary import to_json
from reports.tables import show
from scenarios.errors import Fault, InputError
from scenarios.generate import made_by
from scenarios.storage import write_atomic

RESULTS, FIGURE = "breakpoint.json", "breakpoint.svg"
LEAST = 10  # requests in a window: fewer are no load
CODES = {"found": 0, "above": 0, "below": 1, "unsettled": 1, "invalid": 4, "interrupted": 130, "failed": 3}


@dataclass(frozen=True)
class BreakQuestion:
    """What was asked."""

    target: Target
    options: Options
    plan: Plan
    timing: Timing = field(default_factory=Timing)
    criteria: Criteria = field(default_factory=Criteria)
    limits: Limits = field(default_factory=Limits)
    seed: int = 1
    most_requests: int | None = None
    mine: bool = False
    recovery: bool = True
    serve: bool = False

    def __post_init__(self) -> None:
        if not self.target.local and not (self.mine and self.most_requests):
            what = "is not on this machine; if it is yours, say --i-own-this-host and --max-requests N"
            raise InputError(None, [Fault(f"--target {self.target.host}", what)])


@dataclass(frozen=True)
class BreakAnswer:
    """What came out; `folder` is None if nothing was kept."""

    question: BreakQuestion
    broken: Broken
    sent: int
    started: datetime
    folder: Path | None = None

    @property
    def code(self) -> int:
        """Exit code: 1 if it broke below every rate or would not settle, 3 if a process died, 4 if it was too slow."""
        return CODES[self.broken.found.status]

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        q, told = self.question, self.broken.recovery
        return {
            **self.broken.found.to_dict(),
            "words": list(lines(self.broken)),
            "recovery": None if told is None else told.to_dict(),
            "requests": self.sent,
            "target": q.target.told(),
            "options": vars(q.options),
            "plan": {**vars(q.plan), "most_per_s": None if math.isinf(q.plan.most_per_s) else q.plan.most_per_s},
            "timing": vars(q.timing),
            "criteria": vars(q.criteria),
            "limits": vars(q.limits),
            "seed": q.seed,
            "started": self.started.isoformat(timespec="seconds"),
            "version": made_by(),
        }


def question(
    secret: str, *, url: str | None, serve: bool, path: str, workers: int, connections: Connections, timeout_s: float,
    guess: float, start_pct: float, slo_p99_ms: float | None, precision_pct: float, window_s: float, warm_up_s: float,
    spacing: Spacing, confirmations: int, no_recovery: bool, most_per_s: float | None, most_requests: int | None,
    mine: bool, seed: int,
) -> BreakQuestion:  # fmt: skip
    """The question as the command is asked it; how long a surge lasts and is watched follows from the step."""
    one_target(url, serve)
    target = where(url or SOMEWHERE, path, secret)
    lean_alone(target, "a search by steps")
    _without_budget(target)
    return BreakQuestion(
        target=target,
        options=Options(workers, connections, timeout_s=timeout_s),
        plan=Plan(
            guess, start_pct / 100.0, precision=precision_pct / 100.0, confirmations=confirmations,
            least_per_s=LEAST / window_s, most_per_s=math.inf if most_per_s is None else most_per_s,
        ),
        timing=Timing(warm_up_s, window_s, spacing=spacing, surge_s=max(window_s / 3.0, 1.0), watched_s=window_s),
        criteria=Criteria(slo_p99_s=None if slo_p99_ms is None else slo_p99_ms / 1e3),
        seed=seed,
        most_requests=most_requests,
        mine=mine,
        recovery=not no_recovery,
        serve=serve,
    )  # fmt: skip


def _without_budget(target: Target) -> None:
    """Hold that no budget stands in the way of a step; raises `InputError`."""
    if target.file is not None and (per_s := target_file.load(target.file).operations[Operation.POST].budget_per_s):
        what = (
            f"is {per_s:g}, so no step above it would be sent; take it out of the file to search for the breaking point"
        )
        raise InputError(target.file, [Fault("operations.post.budget_per_s", what)])


def ask(question: BreakQuestion, out: Path | None, terminal: Terminal) -> BreakAnswer:
    """Search; with a folder the result and the figure are kept there.

    Raises
    ------
    AshcloudError
        If nobody listens, the secret is wrong, or the folder cannot be made.
    """
    if out is None:
        return _searched(question, terminal)
    with drafts.Draft(out, "breakpoint", datetime.now()) as draft:
        answer = _searched(question, terminal)
        for name, content in files(answer).items():
            write_atomic(draft.folder / name, content)
        return replace(answer, folder=draft.finish(latest=False))


def _searched(question: BreakQuestion, terminal: Terminal) -> BreakAnswer:
    q, started = question, datetime.now().astimezone()
    with contextlib.ExitStack() as stack:
        target = q.target
        if q.serve:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="ashcloud-breakpoint-"))
            target = stack.enter_context(served(target, Path(folder)))
        sender = stack.enter_context(Steppers(target, q.options))
        rates = Rates(
            sender, q.timing, q.criteria, q.limits, q.seed, q.most_requests, lambda judged: terminal.say(_line(judged))
        )
        broken = find(rates, q.plan, q.seed, q.recovery)
    return BreakAnswer(replace(question, target=target), broken, rates.sent, started)


def files(answer: BreakAnswer) -> dict[str, bytes]:
    """Content by name of the file."""
    drawing = breakpoint_figure.drawn(answer.broken.found)
    return {RESULTS: to_json(answer.to_dict()).encode() + b"\n", FIGURE: alone(drawing).encode()}


def draw(console: Console, answer: BreakAnswer) -> None:
    """Print the steps and what they mean."""
    columns = ("step", "requests/s", "verdict", "answered", "in flight", "p50 ms", "p99 ms", "lag p99 ms", "")
    show(console, columns, [_row(judged) for judged in answer.broken.found.steps], (1, 3, 4, 5, 6, 7))
    console.print()
    for line in lines(answer.broken):
        console.print(line, soft_wrap=True)


def _row(judged: Judged) -> Sequence[str]:
    s = judged.step
    lag = _ms(s.lag_p99_s)
    if judged.verdict == "void":  # nothing of it is told as the service's
        return judged.phase, rate(s.asked_per_s), "void", "", "", "", "", lag, "; ".join(judged.reasons)
    share = f"{100.0 * s.answered / s.offered:.1f} %"
    times = (f"{s.in_flight:.1f}", _ms(s.p50_s), _ms(s.p99_s), lag)
    return judged.phase, rate(s.asked_per_s), judged.verdict, share, *times, "; ".join(judged.reasons)


def _ms(value_s: float | None) -> str:
    return "" if value_s is None else f"{1e3 * value_s:,.1f}"


def _line(judged: Judged) -> str:
    """A step as it ends."""
    why = f": {'; '.join(judged.reasons)}" if judged.reasons else ""
    return f"{judged.phase} {rate(judged.step.asked_per_s)}/s: {judged.verdict}{why}"
