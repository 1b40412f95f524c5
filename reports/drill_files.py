"""The files of a drill: figures for JSON, a row a case, a drawing, and what the folder says about itself."""

from __future__ import annotations

import csv
import io
import math
import platform
import shlex
import shutil
from datetime import UTC, datetime
from pathlib import Path
from tempfile import mkdtemp

from reports import drafts, drill_figure
from reports.drawing import alone
from reports.drill_answer import DrillAnswer
from reports.drill_question import Planned
from reports.load_manifest import DrillManifest
from reports.manifest import utc, versions
from reports.summary import to_json
from scenarios import library
from scenarios.errors import Fault, InputError
from scenarios.storage import redact, write_atomic
from sim import library as desks
from sim.crew import cores

RESULT, CASES, FIGURE = "drill.json", "cases.csv", "drill"


def store(draft: drafts.Draft, planned: Planned, answer: DrillAnswer) -> None:
    """Write all of them into the folder."""
    for name, data in content(answer).items():
        write_atomic(draft.folder / name, data)
    q = answer.question
    DrillManifest(
        status=answer.drilled.status,
        command=shlex.join(redact(word) for word in q.command),
        scenario=draft.copy("scenario", planned.scenario, q.scenario, library.FOLDER),
        desk=draft.copy("desk", planned.desk, q.desk, desks.FOLDER),
        settings=q.settings(),
        trace=answer.trace,
        outcome=planned.outcome.digest,
        exit_code=answer.code,
        started=answer.started,
        ended=utc(datetime.now(UTC)),
        versions=versions(),
        python=platform.python_version(),
        platform=platform.platform(),
        cores=cores(),
    ).save(draft.folder)


def rescued(answer: DrillAnswer, fault: InputError) -> InputError:
    """Nothing that was measured is thrown away because the disk is full: it goes elsewhere, if it can."""
    folder = Path(mkdtemp(prefix="ashcloud-rescued-"))
    try:
        write_atomic(folder / RESULT, _result(answer))
        write_atomic(folder / CASES, _cases(answer).encode())
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)
        return fault
    return InputError(fault.path, [*fault.faults, Fault("", f"what was measured is kept in {folder}")])


def content(answer: DrillAnswer) -> dict[str, bytes]:
    """Content by name of the file."""
    drawing, png = drill_figure.drawn(answer)
    return {
        RESULT: _result(answer),
        CASES: _cases(answer).encode(),
        f"{FIGURE}.svg": alone(drawing).encode(),
        f"{FIGURE}.png": png,
    }


def _result(answer: DrillAnswer) -> bytes:
    return to_json(answer.to_dict()).encode() + b"\n"


def _cases(answer: DrillAnswer) -> str:
    """A row a case; empty: never answered, or not told."""
    told, out = answer.drilled, io.StringIO()
    table = csv.writer(out, lineterminator="\n")
    table.writerow(["case", "language", "state", "first_response_s", "simulated_first_response_s"])
    columns = zip(
        told.number, told.languages, told.states, told.first_response_s, answer.beside.first_response_s, strict=True
    )  # fmt: skip
    for number, language, state, first_s, simulated_s in columns:
        first = f"{first_s:.3f}" if answer.valid and math.isfinite(first_s) else ""
        table.writerow([number, language, state, first, f"{simulated_s:.3f}" if math.isfinite(simulated_s) else ""])
    return out.getvalue()
