"""The reference service, started for a load test on this machine, with a store and a secret of its own, and ended."""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from loadtests.target import Target
from scenarios.errors import ComponentError

PARENT_DEATH_SIGNAL = 1  # of prctl
READY_S, END_S = 60.0, 15.0
METRICS = "/metrics"
LOG_LINES = 15


@contextmanager
def served(target: Target, folder: Path) -> Iterator[Target]:
    """Start the service, and end it; its store and its log go into a folder.

    Parameters
    ----------
    target : Target
        Of which path and metrics are kept.
    folder : Path

    Yields
    ------
    Target
        Where it listens, with the secret that it made.

    Raises
    ------
    ComponentError
        If it is not ready within a minute.
    """
    log = folder / "service.log"
    words = [sys.executable, "-m", "ashcloud", "serve", "--store", f"sqlite:{folder / 'care.db'}", "--port", "0"]
    root = str(Path(__file__).parent.parent)
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with log.open("wb") as told:
        process = subprocess.Popen(
            [*words, "--json"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=told, start_new_session=True,
            env={**os.environ, "PYTHONPATH": paths}, preexec_fn=_leash(),
        )  # fmt: skip
    try:
        ready = _ready(process, log)
        url = str(ready["url"])
        yield replace(target, url=url, secret=str(ready["secret"]), metrics_url=target.metrics_url or url + METRICS)
    finally:
        _end(process)


def _leash() -> Callable[[], object] | None:
    """What makes a child end when its parent was killed; None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PARENT_DEATH_SIGNAL, signal.SIGTERM)


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


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(END_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
