"""Runs on a Dask cluster of real processes: the same bytes, whoever dies; and what is said when nobody answers."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner
from commands import TINY, TINY_DESK

from ashcloud import main
from scenarios import library as scenario_library
from scenarios.errors import RunError
from sim import cluster
from sim import library as desk_library
from sim.crew import Watch
from sim.outcome import load as load_outcome
from sim.replicate import replicate

RUNS = 60
slow = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def started(*words: str, ready: str, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A part of the cluster, handed over when it has said that it is ready; killed at the end, and its children."""
    line = [sys.executable, "-m", "distributed.cli." + words[0], *words[1:]]
    surroundings = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent)}
    process = subprocess.Popen(
        line, cwd=folder, env=surroundings, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        assert process.stderr is not None
        for told in process.stderr:
            if ready in told:
                break
        else:
            raise AssertionError(f"{words[0]} ended before it was ready")
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@contextmanager
def a_cluster(folder: Path, workers: int) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    port = free_port()
    alone = ("--no-dashboard", "--host", "127.0.0.1")
    with ExitStack() as stack:
        scheduler = ("dask_scheduler", "--port", str(port), *alone)
        stack.enter_context(started(*scheduler, ready="Scheduler at", folder=folder))
        line = ("dask_worker", f"tcp://127.0.0.1:{port}", "--no-nanny", "--nthreads", "1", *alone)
        parts = [stack.enter_context(started(*line, ready="Registered to", folder=folder)) for _ in range(workers)]
        yield f"127.0.0.1:{port}", parts


class Killer(Watch):
    """Kills a worker as soon as some runs have finished."""

    def __init__(self, victim: subprocess.Popen[str]) -> None:
        self.victim = victim
        self.killed_at: int | None = None

    def progress(self, share: float, finished: int) -> None:
        if finished and self.killed_at is None:
            self.victim.send_signal(signal.SIGKILL)
            self.killed_at = finished


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_a_sweep_whose_worker_is_killed_gives_the_bytes_of_a_local_one(tmp_path: Path) -> None:
    scenario, desk = scenario_library.load(Path(TINY)), desk_library.load(Path(TINY_DESK))
    here = list(replicate(scenario, desk, RUNS, 7, workers=1))
    folder = tmp_path / "rows"
    folder.mkdir()
    with a_cluster(tmp_path, 2) as (address, (victim, _)):
        watch = Killer(victim)
        asked = {"executor": f"dask://{address}", "watch": watch, "kept": tmp_path / "blocks", "folder": folder}
        there = list(replicate(scenario, desk, RUNS, 7, **asked))  # type: ignore[arg-type]
    assert watch.killed_at is not None and watch.killed_at < RUNS
    assert [(r.trace, r.outcome, r.row, r.languages, r.classes) for r in there] == [
        (r.trace, r.outcome, r.row, r.languages, r.classes) for r in here
    ]
    # The rows came back over the network.
    assert [load_outcome(folder / f"outcome_{r.number:03d}.npz").digest for r in there] == [r.outcome for r in here]
    assert len(list(folder.iterdir())) == 2 * RUNS


@pytest.mark.slow
def test_a_cluster_without_workers_is_said(tmp_path: Path) -> None:
    with a_cluster(tmp_path, 0) as (address, _):
        told = command(f"dask://{address}")
    assert told == f"dask://{address}: the scheduler has no workers; start some with `dask worker tcp://{address}`\n"


def command(executor: str) -> str:
    """What the command says on standard error, with exit code 2."""
    words = ["simulate", TINY, "--desk", TINY_DESK, "--executor", executor]
    told = CliRunner().invoke(main, words, prog_name="ashcloud")
    assert (told.exit_code, told.stdout) == (2, ""), told.output
    return told.stderr


@pytest.mark.parametrize("listens", [False, True], ids=["closed", "silent"])
def test_an_address_that_does_not_answer_is_said_within_seconds(listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "ANSWER_S", 1.0)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        if listens:
            one.listen()  # takes the connection and never says a word
        address = f"127.0.0.1:{one.getsockname()[1]}"
        begun = time.monotonic()
        told = command(f"dask://{address}")
    assert told.startswith(f"dask://{address}: no scheduler answers within 1 s (")
    assert told.count("\n") == 1
    assert time.monotonic() - begun < 20.0  # the import of distributed on a busy machine included


def test_the_extra_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert "pip install 'ashcloud[cluster]'" in command("dask://127.0.0.1:1")


def test_dask_is_imported_only_when_asked_for() -> None:
    code = "import sys, sim.replicate, reports.make; print([m for m in sys.modules if m in ('dask', 'distributed')])"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=Path(__file__).parent.parent, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def test_a_worker_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Other:
        def nthreads(self) -> dict[str, int]:
            return {"tcp://far:1": 1}

        def run(self, function: object) -> dict[str, dict[str, str | None]]:
            return {"tcp://far:1": {**cluster.versions(), "numpy": "1.0"}}

    with pytest.raises(RunError, match=r"other numbers: tcp://far:1 has numpy 1\.0, this is "):
        cluster._check(Other(), "far:8786")
