"""Whoever leads a replay inside Locust, with workers or alone: what is told, what is heard, how it ends."""

from __future__ import annotations

import csv
import logging
import math
import os
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import gevent
import msgspec
from locust.env import Environment
from locust.stats import PERCENTILES_TO_REPORT, StatsCSV

from loadtests.chief import Chief
from loadtests.panel import Panel
from loadtests.work import by_author

FOLDER, CONTROL = "ASHCLOUD_LOAD_FOLDER", "ASHCLOUD_LOAD_CONTROL"
TELL_S = 0.5
log = logging.getLogger("ashcloud")


class Control:
    """The socket to `loadtests.runner`: lines of JSON out, words in; its end is the end of this process."""

    def __init__(self, on_word: Callable[[str], None]) -> None:
        self._socket = socket.socket(fileno=int(os.environ[CONTROL]))
        self._on_word = on_word
        gevent.spawn(self._listen)

    def tell(self, **what: Any) -> None:
        try:
            self._socket.sendall(msgspec.json.encode(what) + b"\n")
        except OSError:
            log.warning("nobody listens any more")

    def _listen(self) -> None:
        with self._socket.makefile("r") as lines:
            for line in lines:
                self._on_word(line.strip())
        self._on_word("halt")
        self._on_word("close")
        gevent.sleep(10.0)
        os._exit(1)  # the runner is gone and nothing has stopped this process since


class Lead:
    """Whoever leads a replay: keeps the books, tells the runner and the page how it goes, and ends it."""

    def __init__(self, environment: Environment, parts: int) -> None:
        self._runner: Any = cast(Any, environment.runner)
        self._chief = Chief(folder(), parts, by_author(folder()))
        self._control = Control(self._hear)
        self._panel = None
        if environment.web_ui is not None:
            self._panel = Panel(environment, folder(), lambda: self._control.tell(stop=True))

    def _hear(self, word: str) -> None:
        name, _, what = word.partition(" ")
        if name == "halt":
            self._chief.halted = True
            self._halt_all()
        elif name == "gone":
            self._gone(int(what))
        elif self._panel is not None:
            self._panel.close() if name == "close" else self._panel.hear(name, what)

    def _tell_all(self, **more: Any) -> None:
        status = self._chief.status()
        if self._panel is not None:
            self._panel.add(status, ended=bool(more.get("written")))
        self._control.tell(status={**status, "processes": self._sending()}, **more)

    def _finish(self) -> None:
        """Write the books and Locust's tables, and leave; with a page it is only the processes that send who do."""
        self._chief.write()
        _write_tables(self._runner.environment)
        if self._panel is None:
            self._tell_all(written=True)
        self._runner.quit()
        if self._panel is not None:
            self._panel.write()
            self._tell_all(written=True)

    def _halt_all(self) -> None:
        raise NotImplementedError

    def _gone(self, process: int) -> None: ...

    def _sending(self) -> list[int]:
        raise NotImplementedError


def beat_s(start_s: float, now_s: float, shift: float = 0.0) -> float:
    """The next moment to tell how it goes: a common beat, so that no part tells more than another; then the chief."""
    beats = math.floor((now_s - start_s) / TELL_S - shift) + 1
    return start_s + TELL_S * (beats + shift)


def _write_tables(environment: Environment) -> None:
    """Locust's tables of requests and failures as they are now; its own writer leaves the last second out."""
    tables = StatsCSV(environment, PERCENTILES_TO_REPORT)
    for name, write in (("stats", tables.requests_csv), ("failures", tables.failures_csv)):
        with (folder() / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            write(csv.writer(file))


def folder() -> Path:
    return Path(os.environ[FOLDER])
