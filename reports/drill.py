"""A drill: the posts of a scenario and the agents of a desk at a service, beside the simulation of both.

One trace, one roster, the same named draws: what is left between them, in waits and in failures, is the service.
"""

from __future__ import annotations

import csv
import io
import math
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.drill import check, play
from loadtests.drilled import Drilled
from reports import drafts, drill_figure, drill_target
from reports.console import Terminal
from reports.drawing import alone
from reports.drill_target import Where
from reports.duties import duties
from reports.load_serve import running
from reports.summary import to_json
from scenarios import library
from scenarios.errors import ComponentError
from scenarios.generate import generate, made_by
from scenarios.model import Scenario
from scenarios.names import NONE
from scenarios.storage import write_atomic
from scenarios.traces import Trace
from sim import library as desks
from sim.desk import Desk
from sim.engines import engine
from sim.replicate import Size, size_u

FloatArray = NDArray[np.float64]
RESULT, CASES, FIGURE = "drill.json", "cases.csv", "drill.svg"
MAX_LAG_S = 0.25  # on the wall, in which the agents' next steps are late as well
LINE_S = 3600.0  # scenario seconds between two lines of progress


@dataclass(frozen=True)
class DrillQuestion:
    """What was asked; `target` is an address of a service like ours, or a target file; None: one that is started."""

    scenario: str
    desk: str
    target: str | None
    speed: float = 600.0
    hours: float | None = None
    drain_h: float = 0.0
    seed: int = 1
    size: Size = "likely"
    max_lag_s: float = MAX_LAG_S
    most_requests: int | None = None
    mine: bool = False
    ca: Path | None = None


@dataclass(frozen=True)
class DrillAnswer:
    """What came out.

    Attributes
    ----------
    simulated_s : (n,) float64
        First response of the same cases in the simulation, in scenario seconds; inf: never.
    agents : int
        Who was at the desk at any time.
    checked : str
        What `ashcloud care check` says of the store of a service that was started; empty: all holds, or not ours.
    """

    question: DrillQuestion
    drilled: Drilled
    simulated_s: FloatArray
    agents: int
    checked: str
    folder: Path | None = None

    @property
    def valid(self) -> bool:
        """Whether the drill itself was in time."""
        return self.drilled.lag_p99_s <= self.question.max_lag_s

    @property
    def code(self) -> int:
        """Exit code: 3 store broken or something failed, 130 interrupted, 4 late, 3 nobody was answered, else 0."""
        if self.checked or self.drilled.status == "failed":
            return 3
        if self.drilled.status == "interrupted":
            return 130
        if not self.valid:
            return 4
        nobody = self.drilled.number.size > 0 and not np.isfinite(self.drilled.first_response_s).any()
        return 3 if nobody else 0

    @property
    def headline(self) -> str:
        """The one sentence."""
        told = self.drilled
        if not self.valid:
            late = f"1 % of its posts were {1e3 * told.lag_p99_s:,.0f} ms late or more"
            return f"The drill is invalid: {late}, so nothing is said about the service; take a lower --speed."
        answered = int(np.isfinite(told.first_response_s).sum())
        words = f"{answered:,} of {told.number.size:,} cases were answered"
        first, simulated = (_median(values) for values in (told.first_response_s, self.simulated_s))
        if first is None or simulated is None or told.status != "finished":  # cut off, the waits are none to compare
            return f"{words}."
        return f"{words}, half of them within {first / 60.0:,.1f} min; the simulation says {simulated / 60.0:,.1f} min."

    def remarks(self) -> list[str]:
        """All else there is to hear."""
        told, out = self.drilled, []
        if told.status != "finished":
            why = f" ({told.why})" if told.why else ""
            out.append(f"it was ended, {told.status}{why}; what was done until then is kept")
        if left := told.ends["left"]:
            out.append(f"{left:,} of {told.claims:,} claims ended in neither an answer nor a hand-back")
        out += [f"{n:,} {name} requests: {why}" for name, count in told.operations.items()
                for why, n in count["errors"].items()]  # fmt: skip
        if self.checked:
            out.append(f"care check: {self.checked}")
        return out

    def rows(self) -> Iterator[dict[str, Any]]:
        """A line for each language with cases, and one of all."""
        told = self.drilled
        of = np.array([str(language) for language in told.languages])
        for name in (*sorted(set(of.tolist())), "all"):
            here = np.ones(of.size, dtype=bool) if name == "all" else of == name
            yield {
                "language": name,
                "cases": int(here.sum()),
                "answered": int(np.isfinite(told.first_response_s[here]).sum()),
                "first_response_p50_s": _median(told.first_response_s[here]) if self.valid else None,
                "simulated_answered": int(np.isfinite(self.simulated_s[here]).sum()),
                "simulated_first_response_p50_s": _median(self.simulated_s[here]),
            }

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        told = self.drilled.to_dict()
        if not self.valid:
            told |= {"first_response_mean_s": None, "first_response_p50_s": None}
            told["operations"] = {
                name: {**count, "p50_s": None, "p99_s": None} for name, count in told["operations"].items()
            }
        return {
            "headline": self.headline,
            "exit_code": self.code,
            "valid": self.valid,
            **vars(self.question),
            "ca": None if self.question.ca is None else str(self.question.ca),
            "agents": self.agents,
            **told,
            "languages": list(self.rows()),
            "check": self.checked or None,
            "version": made_by(),
        }


def ask(question: DrillQuestion, out: Path | None, terminal: Terminal) -> DrillAnswer:
    """Hold the drill, and keep what came of it in a run folder: `out`, or one below runs.

    Raises
    ------
    AshcloudError
        With what is wrong in the question or its files, or if no service can be started.
    """
    scenario, desk = library.load(question.scenario), desks.load(question.desk)
    file, tls = drill_target.found(question)
    trace = generate(scenario, question.seed, 0, size_u(question.size, question.seed, 0), question.hours)
    check(trace, question.speed)
    if question.target is not None:
        drill_target.look(question, file)
    with drafts.Draft(out, f"drill-{scenario.name}", datetime.now()) as draft:
        answer = _held(question, scenario, desk, trace, (file, tls), draft.folder, terminal)
        for name, data in content(answer).items():
            write_atomic(draft.folder / name, data)
        return replace(answer, folder=draft.finish(latest=False))


def _held(
    q: DrillQuestion, scenario: Scenario, desk: Desk, trace: Trace, where: Where, folder: Path, terminal: Terminal
) -> DrillAnswer:
    file, tls = where
    start_s, end_s = trace.about["window_s"]
    until_s = end_s + q.drain_h * 3600.0
    agents = duties(desk, scenario, q.seed, start_s, until_s)
    with ExitStack() as stack:
        if q.target is None:
            file = drill_target.ours(file, stack.enter_context(running(folder)))
        stopped = stack.enter_context(terminal.held())
        screen = _Screen(terminal, start_s, until_s, stopped)
        drilled = play(trace, scenario, agents, file, q.speed, q.drain_h, screen, q.most_requests, tls)
    checked = "" if q.target is not None else _checked(folder)
    terminal.say("note: the same trace and desk are simulated, without a crisis plan")
    outcome = engine("reference")(scenario, desk.with_plan(None), trace, q.seed, drain_h=q.drain_h)
    rows = outcome.cases["row"]
    known = rows != NONE
    waits = dict(zip(
        trace["case"][rows[known]].tolist(),
        (outcome.cases["first_reply_s"] - outcome.cases["posted_s"])[known].tolist(), strict=True,
    ))  # fmt: skip
    simulated = [waits.get(int(number), math.inf) for number in drilled.number]
    finite = np.array([math.inf if math.isnan(each) else each for each in simulated], dtype=np.float64)
    return DrillAnswer(q, drilled, finite, len(agents), checked)


def _checked(folder: Path) -> str:
    words = [sys.executable, "-m", "ashcloud", "care", "check", "--store", f"sqlite:{folder / 'care.db'}"]
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    if done.returncode not in (0, 3):
        raise ComponentError(f"the store could not be checked:\n{done.stderr}")
    return done.stdout.strip() if done.returncode else ""


class _Screen:
    """Says every scenario hour how far it is; see `loadtests.runner.Watch`."""

    def __init__(self, terminal: Terminal, start_s: float, until_s: float, stopped: Any) -> None:
        self._terminal, self._start_s, self._until_s, self._stopped = terminal, start_s, until_s, stopped
        self._next_s = start_s + LINE_S

    def status(self, status: Mapping[str, Any]) -> None:
        at_s = status["scenario_s"]
        if at_s < self._next_s:
            return
        self._next_s = at_s + LINE_S
        hours, of = ((each - self._start_s) / 3600.0 for each in (min(at_s, self._until_s), self._until_s))
        self._terminal.say(
            f"drill: {hours:.1f} of {of:.1f} h, {status['posts']:,} posts, {status['replies']:,} replies, "
            f"{status['failed']:,} requests failed"
        )

    def stopped(self) -> str:
        return "interrupted" if self._stopped() else ""


def content(answer: DrillAnswer) -> dict[str, bytes]:
    """Content by name of the file."""
    figure = drill_figure.drawn(answer.drilled.first_response_s if answer.valid else None, answer.simulated_s)
    return {
        RESULT: to_json(answer.to_dict()).encode() + b"\n",
        CASES: _cases(answer).encode(),
        FIGURE: alone(figure).encode(),
    }


def _cases(answer: DrillAnswer) -> str:
    """A row a case; empty: never answered, or not told."""
    told, out = answer.drilled, io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["case", "language", "state", "first_response_s", "simulated_first_response_s"])
    columns = zip(
        told.number, told.languages, told.states, told.first_response_s, answer.simulated_s, strict=True
    )  # fmt: skip
    for number, language, state, first_s, simulated_s in columns:
        first = f"{first_s:.3f}" if answer.valid and math.isfinite(first_s) else ""
        table.writerow([number, language, state, first, f"{simulated_s:.3f}" if math.isfinite(simulated_s) else ""])
    return out.getvalue()


def _median(times_s: FloatArray) -> float | None:
    """Of those that were answered; None if none was."""
    answered = times_s[np.isfinite(times_s)]
    return float(np.median(answered)) if answered.size else None
