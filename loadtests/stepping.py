"""Processes that send steps of load, kept over a whole search: started once, told each step, read back."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Any

from loadtests.collect import Collector
from loadtests.flows import lean_alone
from loadtests.preflight import look
from loadtests.result import LoadResult
from loadtests.schedule import Schedule
from loadtests.stepper import read, write
from loadtests.target import Options, Target
from loadtests.work import SCHEDULE, SECRET, Plan
from scenarios.errors import ComponentError

ROOT = str(Path(__file__).parent.parent)
LEAD_S = 0.15  # from the word to go until the first row

now = time.monotonic


class Steppers:
    """As many sending processes as `options.workers`, the lean way; use it as a context."""

    def __init__(self, target: Target, options: Options) -> None:
        lean_alone(target, "a search by steps")
        self._target, self._options = target, replace(options, sender="lean")
        self._found = look(target)

    def __enter__(self) -> Steppers:
        self._folder = tempfile.TemporaryDirectory(prefix="ashcloud-steps-")
        path = os.pathsep.join(filter(None, (ROOT, os.environ.get("PYTHONPATH"))))
        env = {**os.environ, SECRET: self._target.secret, "PYTHONPATH": path}
        words = [sys.executable, "-P", "-m", "loadtests.stepper"]  # -P: not what lies in the user's folder
        self._processes = [
            subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
            for _ in range(self._options.workers)
        ]
        return self

    def __exit__(self, *what: object) -> None:
        for process in self._processes:
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    _open(pipe).close()
        for process in self._processes:
            try:
                process.wait(2.0)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._folder.cleanup()

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self._processes]

    def send(self, schedule: Schedule) -> LoadResult:
        """Send a schedule and wait until every row has its end.

        Raises
        ------
        ComponentError
            If a process ended by itself.
        """
        folder = Path(self._folder.name)
        schedule.save(folder / SCHEDULE)
        target, found = self._target, self._found
        told = target.planned()
        Plan(told, asdict(self._options), os.urandom(4).hex(), (int(found.family), found.address)).save(folder)
        parts = len(self._processes)
        for part in range(parts):
            self._tell(part, {"folder": str(folder), "part": part, "parts": parts})
        for part in range(parts):
            self._hear(part)
        start_s = now() + LEAD_S
        for part in range(parts):
            self._tell(part, {"start_s": start_s})
        books = Collector(schedule, parts)
        workers: list[dict[str, Any]] = []
        for part in range(parts):
            ended = self._hear(part)
            books.add(part, ended)
            workers.append({"number": part, **ended["spent"]})
        books.close()
        about = {
            **schedule.about, "schedule": schedule.digest, "target": target.told(), "options": asdict(self._options),
            "status": "finished", "errors": books.errors, "workers": workers, "server": {},
        }  # fmt: skip
        return LoadResult(books.columns(), about)

    def _tell(self, part: int, message: dict[str, Any]) -> None:
        with self._watched(part):
            write(_open(self._processes[part].stdin), message)  # type: ignore[arg-type]

    def _hear(self, part: int) -> dict[str, Any]:
        with self._watched(part):
            found = read(_open(self._processes[part].stdout))  # type: ignore[arg-type]
            if found is None:
                raise BrokenPipeError
            return found
        raise AssertionError

    @contextlib.contextmanager
    def _watched(self, part: int) -> Iterator[None]:
        try:
            yield
        except (BrokenPipeError, ConnectionError):
            code = self._processes[part].wait()
            raise ComponentError(
                f"sending process {part} ended by itself with code {code}; its last words are above"
            ) from None


def _open(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe
