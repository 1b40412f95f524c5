"""Ctrl-C in the middle of real runs: what has finished is kept, and said; no process stays behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from commands import TINY, TINY_DESK
from test_reports_runs import Quiet

from reports.rerun import rerun
from reports.runs import load

RUNS = 3000  # far more than can finish before the interrupt
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="signals of POSIX"),
]


@contextmanager
def running(*words: str, cwd: Path, runs: int = RUNS) -> Iterator[subprocess.Popen[str]]:
    """The command in a session of its own, handed over once its first run has finished."""
    line = [sys.executable, "-m", "ashcloud", *words, "--runs", str(runs)]
    pipe = subprocess.PIPE
    with subprocess.Popen(line, cwd=cwd, stdout=pipe, stderr=pipe, text=True, start_new_session=True) as process:
        assert process.stderr is not None
        try:
            for told in process.stderr:
                if "runs done" in told:
                    break
            else:
                raise AssertionError("ended before a run had finished")
            yield process
        finally:
            if process.poll() is None:
                process.kill()


@pytest.mark.parametrize("where", [("1", "threads"), ("2", "threads"), ("2", "processes")], ids="-".join)
@pytest.mark.parametrize(
    ("number", "to_all"),
    [(signal.SIGINT, True), (signal.SIGINT, False), (signal.SIGTERM, False)],
    ids=["ctrl-c", "parent-only", "terminate"],
)
def test_what_has_finished_is_kept(
    where: tuple[str, str], number: signal.Signals, to_all: bool, tmp_path: Path
) -> None:
    workers, executor = where
    words = ("run", TINY, "--desk", TINY_DESK, "--workers", workers, "--executor", executor, "--out", "kept")
    with running(*words, cwd=tmp_path) as process:
        (os.killpg if to_all else os.kill)(process.pid, number)
        # The end of its output means the end of its workers too: they write to the same pipes.
        _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text("utf-8"))
    assert manifest["status"] == "interrupted"
    finished = len(manifest["replications"])
    assert 1 <= finished < RUNS
    assert f"interrupted: {finished} of {RUNS} runs finished; they are kept in kept" in told
    run = load(tmp_path / "kept")
    assert [o.digest for o in run.outcomes] == [entry.outcome for entry in run.manifest.replications]
    assert len(list((tmp_path / "kept").glob("trace_*.npz"))) == finished
    assert not (tmp_path / "kept" / "report.html").exists()
    assert os.listdir(tmp_path) == ["kept"]
    assert rerun(tmp_path / "kept", 1, Quiet()).differences == {}


def test_figures_of_what_has_finished_are_printed(tmp_path: Path) -> None:
    with running("simulate", TINY, "--desk", TINY_DESK, "--json", cwd=tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        figures, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    printed = json.loads(figures)
    assert printed["status"] == "interrupted"
    assert 1 <= printed["finished"] == len(printed["replications"]) < RUNS
    assert os.listdir(tmp_path) == []


def test_a_comparison_is_over_what_has_finished(tmp_path: Path) -> None:
    words = ("compare", TINY, "--desk", TINY_DESK, "--desk", TINY_DESK, "--worlds", "4", "--out", "kept", "--json")
    with running(*words, cwd=tmp_path) as process:
        os.killpg(process.pid, signal.SIGINT)
        figures, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    printed = json.loads(figures)
    assert printed["status"] == "interrupted"
    assert 1 <= printed["finished"] == len(printed["replications"]) < RUNS
    assert printed["over_worlds"]["finished"] == 0
    manifest = json.loads((tmp_path / "kept" / "manifest.json").read_text("utf-8"))
    assert (manifest["status"], manifest["finished"]) == ("interrupted", printed["finished"])
    assert f"interrupted: {printed['finished']} of {2 * RUNS} runs finished and are compared" in told
    assert (tmp_path / "kept" / "comparison.html").is_file()
    assert os.listdir(tmp_path) == ["kept"]


def test_an_impatient_user_loses_nothing_either(tmp_path: Path) -> None:
    words = ("run", TINY, "--desk", TINY_DESK, "--workers", "2", "--out", "kept")
    with running(*words, cwd=tmp_path) as process:
        assert process.stderr is not None
        os.killpg(process.pid, signal.SIGINT)
        told = ""
        for line in process.stderr:
            told += line
            if line.startswith("stopping;"):
                os.killpg(process.pid, signal.SIGINT)
        process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "Traceback" not in told
    run = load(tmp_path / "kept")
    assert len(run.outcomes) >= 1
    assert len(list((tmp_path / "kept").glob("*.npz"))) == 2 * len(run.outcomes)


def test_workers_end_when_the_command_is_killed(tmp_path: Path) -> None:
    words = ("run", TINY, "--desk", TINY_DESK, "--workers", "2", "--out", "kept")
    with running(*words, cwd=tmp_path) as process:
        process.kill()
        process.communicate(timeout=120)  # returns when the last worker has closed its end of the pipe
    assert not (tmp_path / "kept").exists()
