"""The processes of a replay: Locust alone, or a master and its workers, each on a leash that ends it."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from loadtests.work import SECRET

LOCUSTFILE = Path(__file__).with_name("locustfile.py")
LOG_LINES = 15
LISTENING = "ASHCLOUD_LOAD_PAGE"
CHIEF_END_S, WORKER_END_S = 15.0, 2.0


@dataclass
class Leashed:
    """A process with its control socket and its log."""

    name: str
    process: subprocess.Popen[bytes]
    control: socket.socket
    log: Path
    unread: bytes = b""

    def say(self, word: str) -> None:
        with suppress(OSError):
            self.control.sendall(word.encode() + b"\n")

    def heard(self) -> list[dict[str, Any]]:
        """What it has said since; it must be readable."""
        try:
            data = self.control.recv(1 << 20)
        except OSError:
            data = b""
        *lines, self.unread = (self.unread + data).split(b"\n")
        return [json.loads(line) for line in lines if line] if data else []

    def last_words(self) -> str:
        """The end of its log."""
        try:
            return "\n".join(self.log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])
        except OSError:
            return ""


class Crew:
    """All processes of a replay; leaving the `with` block ends them.

    Parameters
    ----------
    folder : Path
        With plan and schedule; Locust's files and the logs go there.
    url : str
    workers : int
    secret : str
    pinned : sequence of int
        Processors for the workers, in turn; empty: wherever they find room.
    page : int, optional
        Descriptor of a socket that listens, for Locust's page (`loadtests.page`); None: there is none.
    """

    def __init__(
        self, folder: Path, url: str, workers: int, secret: str, pinned: Sequence[int] = (), page: int | None = None
    ) -> None:
        self._folder, self._secret, self._parts, self._pinned = folder, secret, workers, pinned
        common = ["--headless"] if page is None else ["--autostart", "--web-host", "127.0.0.1"]
        common += ["--host", url, "-u", str(workers), "-r", str(workers), "--only-summary"]
        common += ["--html", "locust.html", "--csv", "locust", "--stop-timeout", "0"]
        self.all: list[Leashed] = []
        if workers == 1:
            self.chief = self._started("locust", common, page)
            self._pin(self.chief, 0)
            return
        port = _free_port()
        master = ["--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", str(port)]
        self.chief = self._started("master", [*master, "--expect-workers", str(workers), *common], page)
        worker = ["--worker", "--master-host", "127.0.0.1", "--master-port", str(port)]
        for number in range(workers):
            self._pin(self._started(f"worker-{number}", worker), number)

    def __enter__(self) -> Crew:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self.all:
            each.control.close()
        until = time.monotonic() + CHIEF_END_S
        for each in sorted(self.all, key=lambda one: one is not self.chief):
            with suppress(subprocess.TimeoutExpired):
                each.process.wait(max(0.1, until - time.monotonic()))
            if each.process.poll() is None:
                each.process.kill()
                each.process.wait()
            until = min(until, time.monotonic() + WORKER_END_S)  # they were told to end with the chief

    def heard(self, timeout_s: float) -> Iterator[dict[str, Any]]:
        """What the chief says within a time."""
        with selectors.DefaultSelector() as ready:
            ready.register(self.chief.control, selectors.EVENT_READ)
            if ready.select(timeout_s):
                yield from self.chief.heard()

    def gone(self) -> list[Leashed]:
        """Workers that have ended since the last time."""
        found = [each for each in self.all if each is not self.chief and each.process.poll() is not None]
        self.all = [each for each in self.all if each not in found]
        for each in found:
            each.control.close()
        return found

    def _started(self, name: str, words: Sequence[str], page: int | None = None) -> Leashed:
        ours, theirs = socket.socketpair()
        log = self._folder / f"{name}.log"
        root = str(LOCUSTFILE.parent.parent)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH")))),
            "ASHCLOUD_LOAD_FOLDER": str(self._folder),
            "ASHCLOUD_LOAD_PARTS": str(self._parts),
            "ASHCLOUD_LOAD_CONTROL": str(theirs.fileno()),
            LISTENING: str(page),
            SECRET: self._secret,
        }
        given = [theirs.fileno(), *([] if page is None else [page])]
        with log.open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), *words],
                cwd=self._folder, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                pass_fds=given, start_new_session=True,
            )  # fmt: skip
        theirs.close()
        self.all.append(Leashed(name, process, ours, log))
        return self.all[-1]

    def _pin(self, one: Leashed, number: int) -> None:
        if self._pinned and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(one.process.pid, {self._pinned[number % len(self._pinned)]})


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
