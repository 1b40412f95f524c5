"""A command that is killed in the middle of real runs: what has finished is taken up again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from commands import TINY, TINY_DESK
from test_command_interrupt import running

from sim.blocks import load as load_blocks

pytestmark = [pytest.mark.slow, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]


def test_a_killed_sweep_resumes_without_doing_finished_blocks_again(tmp_path: Path) -> None:
    words = ("simulate", TINY, "--desk", TINY_DESK, "--workers", "2", "--hours", "2", "--out", "kept", "--json")
    with running(*words, cwd=tmp_path, runs=60) as process:
        process.kill()
        process.communicate(timeout=60)
    (hidden,) = tmp_path.iterdir()
    before = load_blocks(hidden / "blocks", hidden)
    made = {n: (hidden / f"outcome_{n:03d}.npz").stat().st_mtime_ns for n in before}
    assert 1 <= len(before) < 60
    line = [sys.executable, "-m", "ashcloud", "resume", "kept", "--json"]
    done = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert f"kept: {len(before)} of 60 runs are there" in done.stderr
    assert os.listdir(tmp_path) == ["kept"]
    told = json.loads(done.stdout)
    assert [run["number"] for run in told["replications"]] == list(range(60))
    assert {n: (tmp_path / "kept" / f"outcome_{n:03d}.npz").stat().st_mtime_ns for n in made} == made
    whole = subprocess.run(
        [sys.executable, "-m", "ashcloud", *words[:-3], "--runs", "60", "--json"],
        cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True,
    )  # fmt: skip
    assert json.loads(whole.stdout)["replications"] == told["replications"]
