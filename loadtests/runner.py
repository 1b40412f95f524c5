"""A replay from beginning to end: look whether somebody listens, start Locust, watch it, bring the rows home."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from loadtests.chief import BOOKS, ROWS
from loadtests.flows import fitted
from loadtests.page import Page
from loadtests.preflight import admitted, look
from loadtests.processes import Crew
from loadtests.result import LoadResult
from loadtests.schedule import Schedule
from loadtests.scrape import Scraper
from loadtests.target import Options, Target
from loadtests.work import SCHEDULE, Plan
from scenarios.errors import ComponentError

LOCUST_FILES = {
    "locust.html": "locust.html",
    "stats.csv": "locust_stats.csv",
    "failures.csv": "locust_failures.csv",
    "locust_stats_history.csv": "locust_history.csv",
}
SILENT_S = 60.0
TICK_S = 0.25

Status = Mapping[str, Any]


class Watch(Protocol):
    """Whoever looks on while a replay runs."""

    def status(self, status: Status) -> None:
        """How it goes, about twice a second: `at_s`, `due`, `handed`, `in_flight`, `lost`, until when all
        have told theirs (`told_s`) and what was due by then (`told_due`), and `tallies` with
        counts by outcome and sparse histograms (`loadtests.collect.Tally`), that of all rows first; while it
        sends also `processes`, the number of each that does."""

    def stopped(self) -> str:
        """Why it should stop now: ``interrupted``, ``aborted``; empty to go on."""


class Blind:
    """Looks at nothing and never stops."""

    def status(self, status: Status) -> None: ...

    def stopped(self) -> str:
        return ""


def replay(
    schedule: Schedule,
    target: Target,
    options: Options | None = None,
    *,
    watch: Watch | None = None,
    keep: Path | None = None,
    pinned: Sequence[int] = (),
    page: Page | None = None,
) -> LoadResult:
    """Send every row of a schedule at its due time and tell what became of each.

    Parameters
    ----------
    schedule : Schedule
        Of `loadtests.schedule.of_traces`, or `at_times` for times of one's own.
    target : Target
    options : Options, optional
    watch : Watch, optional
    keep : Path, optional
        An existing folder into which Locust's page and tables go.
    pinned : sequence of int
        Processors for the workers, in turn.
    page : Page, optional
        Locust's page, which stays open after the replay until it is closed.

    Returns
    -------
    LoadResult
        `about["status"]` is ``finished``, or why it was stopped. Judge the generator first: `loadtests.health.judge`.

    Raises
    ------
    InputError
        If the target's certificate, path or secret is not right, or the way of sending cannot hold this.
    ComponentError
        If nobody listens, what answers is not HTTP, or Locust itself fails; nothing stays behind.
    """
    options, watch = fitted(schedule, target, options or Options()), watch or Blind()
    found = look(target)
    if options.sender == "session":
        admitted(target, found.tls)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ashcloud-load-")))
        schedule.save(folder / SCHEDULE)
        run = os.urandom(4).hex()
        told = target.planned()
        Plan(told, asdict(options), run, (int(found.family), found.address)).save(folder)
        if page is not None:
            page.describe(folder, schedule, target, options)
        started = datetime.now(UTC)
        listening = None if page is None else page.fileno()
        crew = Crew(folder, target.url, options.workers, target.secret, pinned, listening)
        with Scraper(target.metrics_url) as scraper, ExitStack() as leash:
            leash.enter_context(crew)
            why = _watched(crew, watch, scraper, page)
            if page is not None:
                stack.push(leash.pop_all())
        if keep is not None:
            for each, name in LOCUST_FILES.items():
                if (folder / each).is_file():
                    shutil.copyfile(folder / each, keep / name)
        result = _result(folder, schedule, target, options, run, started, why, scraper)
        if page is not None:
            page.keep(crew, stack.pop_all())
        return result


def _watched(crew: Crew, watch: Watch, scraper: Scraper, page: Page | None) -> str:
    """Until the rows are written; why it was stopped, empty if it was not."""
    why, heard_s, going = "", time.monotonic(), False
    while True:
        for told in crew.heard(TICK_S):
            heard_s = time.monotonic()
            if "failed" in told:
                raise ComponentError(f"the generator failed: {told['failed']}")
            if "status" in told:
                going = going or told["status"]["at_s"] >= 0.0
                watch.status(told["status"])
            if page is not None:
                page.hear(told)
            if told.get("written"):
                if page is None:
                    crew.chief.process.wait(SILENT_S)
                return why
        if page is not None:
            page.pass_on(crew, scraper)
        pressed = "interrupted" if page is not None and page.stopped else ""
        if not why and (why := watch.stopped() or pressed):
            crew.chief.say("halt")
        for worker in crew.gone():
            if not going:
                raise ComponentError(f"{worker.name} ended before it had begun:\n{worker.last_words()}")
            crew.chief.say(f"gone {worker.process.pid}")
        if crew.chief.process.poll() is not None:
            raise ComponentError(f"Locust ended without results:\n{crew.chief.last_words()}")
        if time.monotonic() - heard_s > SILENT_S:
            raise ComponentError(f"Locust has said nothing for {SILENT_S:g} s:\n{crew.chief.last_words()}")


def _result(
    folder: Path, schedule: Schedule, target: Target, options: Options, run: str, started: datetime, why: str,
    scraper: Scraper,
) -> LoadResult:  # fmt: skip
    with np.load(folder / ROWS) as rows:
        columns = {name: rows[name] for name in rows.files}
    books = json.loads((folder / BOOKS).read_text("utf-8"))
    about = {
        **schedule.about,
        "schedule": schedule.digest,
        "target": target.told(),
        "options": asdict(options),
        "run": run,
        "started": started.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "status": why or "finished",
        "due": books["due"],
        "handed": books["handed"],
        "errors": books["errors"],
        "workers": books["workers"],
        "server": scraper.told(books["start_wall_s"]),
    }
    return LoadResult(columns, about)
