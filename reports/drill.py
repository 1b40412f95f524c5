"""A drill: the posts of a scenario and the agents of a desk at a service, beside the simulation of both.

One trace, one roster, the same named draws: what is left between them, in waits and in failures, is the service.
"""

from __future__ import annotations

import os
import ssl
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from loadtests.drill import play
from loadtests.drilled import Drilled
from loadtests.mischief import Mischief
from loadtests.target_file import TargetFile
from reports import drafts, drill_beside, drill_files, drill_target
from reports.console import Terminal
from reports.drill_answer import DrillAnswer
from reports.drill_live import DrillScreen
from reports.drill_question import DrillQuestion, Planned, plan
from reports.load_serve import running
from reports.manifest import utc
from scenarios.errors import InputError
from sim import engines

__all__ = ["DrillAnswer", "DrillQuestion", "ask"]


def ask(question: DrillQuestion, out: Path | None, terminal: Terminal) -> DrillAnswer:
    """Hold the drill, and keep what came of it in a run folder: `out`, or one below runs.

    Raises
    ------
    AshcloudError
        With what is wrong in the question or its files, if nobody listens or lets us in, or if no service can be
        started.
    """
    file, tls = drill_target.found(question)
    engines.prepare("compiled", lambda text: terminal.say(f"note: {text}"))
    planned = plan(question)
    if question.target is not None:
        drill_target.look(question, file)
    with drafts.Draft(out, f"drill-{planned.scenario.name}", datetime.now()) as draft:
        answer = _held(question, planned, file, tls, draft.folder, terminal)
        try:
            drill_files.store(draft, planned, answer)
        except InputError as fault:
            raise drill_files.rescued(answer, fault) from None
        return replace(answer, folder=draft.finish(latest=False))


def _held(
    q: DrillQuestion, planned: Planned, file: TargetFile, tls: ssl.SSLContext | None, folder: Path, terminal: Terminal
) -> DrillAnswer:
    started = utc(datetime.now(UTC))
    with ExitStack() as stack:
        service = stack.enter_context(running(folder)) if q.target is None else None
        asked = stack.enter_context(terminal.held())
        screen = DrillScreen(terminal, planned.span_s, q.drain_h, asked)
        stack.enter_context(screen.shown())

        def played(watch: DrillScreen | Mischief, where: TargetFile) -> Drilled:
            return play(
                planned.trace, planned.played, planned.agents, where, q.speed, q.drain_h, watch, q.most_requests,
                tls, planned.due_s,
            )  # fmt: skip

        happened = []
        if service is None:
            drilled = played(screen, file)
        else:
            with Mischief(planned.mishaps, service, screen, terminal.say) as mischief:
                drilled = played(mischief, drill_target.ours(file, service))
            happened = mischief.told()
    checked = "" if q.target is not None else _checked(folder)
    valid = drilled.lag_p99_s <= q.max_lag_s
    beside = drill_beside.beside(planned.outcome, planned.trace, drilled, valid)
    return DrillAnswer(
        q, drilled, beside, len(planned.agents), checked, planned.trace.digest, started, tuple(happened)
    )  # fmt: skip


def _checked(folder: Path) -> str:
    """What is wrong with the store; empty: nothing."""
    words = [sys.executable, "-m", "ashcloud", "care", "check", "--store", f"sqlite:{folder / 'care.db'}"]
    paths = os.pathsep.join(filter(None, (str(Path(__file__).parent.parent), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": paths})
    if done.returncode not in (0, 3):  # told, not raised: what was measured is kept all the same
        return f"the store could not be checked:\n{done.stderr.strip()}"
    return done.stdout.strip() if done.returncode else ""
