"""The reference service, started for a load test on this machine, with a store and a secret of its own, and ended."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from loadtests.target import Target
from scenarios.errors import ComponentError

_ASK_AND_RUN = (
    "import ctypes, runpy, signal; ctypes.CDLL(None).prctl(1, signal.SIGTERM); "  # 1: the signal when a parent dies
    "runpy.run_module('ashcloud', run_name='__main__', alter_sys=True)"
)
READY_S, END_S = 60.0, 15.0
METRICS = "/metrics"
LOG_LINES = 15


class Service:
    """The reference service as a process; its store and its log are in a folder.

    Attributes
    ----------
    url, secret, token : str
        Where it listens, by what posts are signed, and who may do everything; kept when it is started again.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.url = self.secret = self.token = ""

    def start(self) -> None:
        """Start it, at the port where it listened before, and wait until it is ready.

        Raises
        ------
        ComponentError
            If it is not within a minute.
        """
        port = str(urlsplit(self.url).port) if self.url else "0"
        words = [*_leashed(), "serve", "--store", f"sqlite:{self._folder / 'care.db'}", "--port", port, "--json"]
        root = str(Path(__file__).parent.parent)
        paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
        known = {"ASHCLOUD_TOKEN": self.token, "ASHCLOUD_SECRET": self.secret} if self.url else {}
        log = self._folder / "service.log"
        with log.open("ab") as told:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, start_new_session=True,
                env={**os.environ, "PYTHONPATH": paths, **known},
            )  # fmt: skip
        ready = _ready(self._process, log)
        self.url, self.secret, self.token = (str(ready[name]) for name in ("url", "secret", "token"))

    def kill(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._gone(self._process)

    def end(self) -> None:
        """Ask it to end, and wait; what does not end in time is killed."""
        if self._process is None:
            return
        self.thaw()
        self._process.terminate()
        try:
            self._process.wait(END_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._gone(self._process)

    def freeze(self) -> None:
        """Stop it where it is."""
        if self._process is not None:
            self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)

    def _gone(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
        self._process = None

    def known(self, target: Target) -> Target:
        """A target, path and metrics as they were, that is this service."""
        return replace(target, url=self.url, secret=self.secret, metrics_url=target.metrics_url or self.url + METRICS)


@contextmanager
def running(folder: Path) -> Iterator[Service]:
    """Start the service, and end it; its store and its log go into a folder. Raises `ComponentError`."""
    service = Service(folder)
    try:
        service.start()
        yield service
    finally:
        service.end()


@contextmanager
def served(target: Target, folder: Path) -> Iterator[Target]:
    """The same for those who need nothing but its address: the target, where it listens, with its secret."""
    with running(folder) as service:
        yield service.known(target)


def _leashed() -> list[str]:
    """How to run ashcloud so that it ends when its parent was killed, where the system has such a thing.

    The child asks for it itself: a function between fork and exec is not safe beside other threads.
    """
    if sys.platform != "linux":
        return [sys.executable, "-m", "ashcloud"]
    return [sys.executable, "-c", _ASK_AND_RUN]


def _ready(process: subprocess.Popen[bytes], log: Path) -> dict[str, object]:
    assert process.stdout is not None
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ)
        line = process.stdout.readline() if waiting.select(READY_S) else b""
    try:
        return dict(json.loads(line))
    except ValueError:
        end = "\n".join(log.read_text("utf-8", "replace").splitlines()[-LOG_LINES:])
        raise ComponentError(f"the service did not start:\n{end or 'it said nothing'}") from None
