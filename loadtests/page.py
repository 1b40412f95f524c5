"""Locust's page for a replay, on this machine alone: its port, what its panel is told, and how long it stays open."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from loadtests.backlog import Backlog
from loadtests.health import LAG_P99_S
from loadtests.processes import Crew
from loadtests.result import LATER, later
from loadtests.schedule import Schedule
from loadtests.scrape import Scraper
from loadtests.slo import ALL
from loadtests.target import Options, Target
from scenarios.errors import Fault, InputError

OPTION, HOST, PORT = "--web", "127.0.0.1", 8089
ABOUT = "panel.json"
PANEL = "/ashcloud"
TICK_S = 0.25


class Page:
    """The page of one replay; leaving the `with` block closes it.

    It listens from the start, so that its address can be told, and nobody else can take it meanwhile; the chief
    of the replay answers there as soon as it runs, and goes on after the replay until the page is closed.

    Parameters
    ----------
    port : int
        0: any that is free.
    backlog : Backlog, optional
    max_lag_s : float
        What the panel calls late.

    Attributes
    ----------
    url, panel_url : str
        Of Locust's page, and of the panel.
    stopped : bool
        Whether somebody has pressed Stop there.

    Raises
    ------
    InputError
        If the port is taken, or not to be had.
    """

    def __init__(self, port: int = 0, backlog: Backlog | None = None, max_lag_s: float = LAG_P99_S) -> None:
        self.max_lag_s = max_lag_s
        self._backlog = backlog or Backlog()
        self._told: tuple[int, object] | None = None
        self._crew: Crew | None = None
        self._open = ExitStack()
        self._listening = _listening(port)
        self.url = f"http://{HOST}:{self._listening.getsockname()[1]}"
        self.panel_url = self.url + PANEL
        self.stopped = False

    def __enter__(self) -> Page:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._listening.close()

    def fileno(self) -> int:
        """Of the socket that listens, for the process that answers."""
        return self._listening.fileno()

    def describe(self, folder: Path, schedule: Schedule, target: Target, options: Options) -> None:
        """Write down what is replayed, for the panel."""
        (folder / ABOUT).write_text(json.dumps(about(schedule, target, options, self.max_lag_s)), "utf-8")

    def hear(self, told: dict[str, Any]) -> None:
        """What the chief has said."""
        self.stopped = self.stopped or bool(told.get("stop"))

    def pass_on(self, crew: Crew, scraper: Scraper) -> None:
        """Tell the chief what waits at the server, if there is news."""
        if scraper.latest is not self._told:
            self._told = scraper.latest
            self._say(crew, "server", self._backlog.of(scraper.url, *scraper.latest))

    def keep(self, crew: Crew, stack: ExitStack) -> None:
        """Hold the processes of a replay that has ended, and what they need, until the page is closed."""
        self._crew, self._open = crew, stack

    def judged(self, verdict: dict[str, Any]) -> None:
        """Show what was said of the replay, see `loadtests.track.Track.judged`."""
        if self._crew is not None:
            self._say(self._crew, "verdict", verdict)

    def read(self, enough: Callable[[], bool]) -> None:
        """Stay open until the answer to a question, asked some times a second, is yes, or the page is gone."""
        while self._crew is not None and not enough() and self._crew.chief.process.poll() is None:
            for _ in self._crew.heard(TICK_S):
                pass

    def _say(self, crew: Crew, word: str, what: dict[str, Any]) -> None:
        crew.chief.say(f"{word} {json.dumps(what)}")


def about(schedule: Schedule, target: Target, options: Options, max_lag_s: float) -> dict[str, Any]:
    """What is replayed, ready for JSON."""
    due = schedule["due_s"]
    phases = schedule.about["phases"] or []
    return {
        "name": str(schedule.about["scenario"]),
        "target": target.told()["url"] + target.path,
        "rows": len(schedule),
        "span_s": schedule.span_s,
        "workers": options.workers,
        "max_lag_s": max_lag_s,
        "rows_of": {
            ALL: len(schedule),
            **{str(p["name"]): int(np.count_nonzero((due >= p["from_s"]) & (due < p["to_s"]))) for p in phases},
            LATER: int(np.count_nonzero(later(due, phases))),
        },
    }


def _listening(port: int) -> socket.socket:
    place = f"{OPTION} {port}"
    if not 0 <= port <= 65535:
        raise InputError(None, [Fault(place, "is no port; take one from 1024 to 65535, or 0 for any that is free")])
    listening = socket.socket()
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        listening.listen(64)
    except OSError as error:
        listening.close()
        what = "may not be used by you; take one from 1024 on"
        if error.errno == errno.EADDRINUSE:
            what = "is taken by another program; take another port, or 0 for any that is free"
        elif error.errno not in (errno.EACCES, errno.EPERM):
            what = f"cannot be listened at: {(error.strerror or str(error)).lower()}"
        raise InputError(None, [Fault(place, what)]) from None
    return listening
