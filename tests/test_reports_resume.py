"""Going on with an interrupted run folder: the same folder as without the interruption, by one process at a time."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from test_reports_runs import Quiet, manifest, question

from reports import runs
from reports.drafts import Draft
from reports.locks import Lock
from reports.make import store
from reports.resume import resume
from scenarios.errors import RunError
from sim.outcome import load as load_outcome


@pytest.fixture(scope="module")
def interrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder with two of four runs; not to be changed."""
    folder = tmp_path_factory.mktemp("interrupted") / "x"
    answer = store(question(runs=4), folder, True, Quiet(stop_after=2))
    assert answer.remarks()[1] == f"to go on: ashcloud resume {folder}"
    return folder


@pytest.fixture
def half(interrupted: Path, tmp_path: Path) -> Path:
    """The same, to be gone on with."""
    return Path(shutil.copytree(interrupted, tmp_path / "x"))


def test_a_resumed_folder_is_that_of_a_run_without_interruption(half: Path, tmp_path: Path) -> None:
    store(question(runs=4), tmp_path / "whole", True, Quiet())
    made = {path: path.stat().st_mtime_ns for path in half.glob("*.npz")}
    voice = Quiet()
    answer = resume(half, None, None, voice)
    assert (answer.status, answer.folder) == ("finished", half)
    assert voice.said[0] == f"{half}: 2 of 4 runs are there"
    assert sorted(p.name for p in half.iterdir()) == sorted(p.name for p in (tmp_path / "whole").iterdir())
    assert (half / "measures.json").read_bytes() == (tmp_path / "whole" / "measures.json").read_bytes()
    assert [e["outcome"] for e in manifest(half)["replications"]] == [
        load_outcome(half / f"outcome_{n:03d}.npz").digest for n in range(4)
    ]
    assert {path: path.stat().st_mtime_ns for path in made} == made  # done once
    again = Quiet()
    assert resume(half, None, None, again).figures == answer.figures
    assert again.said == [f"{half}: is finished, there is nothing left to do"]


def test_what_is_interrupted_again_can_be_resumed_again(half: Path) -> None:
    assert resume(half, 1, None, Quiet(stop_after=1)).status == "interrupted"
    assert [entry["number"] for entry in manifest(half)["replications"]] == [0, 1, 2]
    assert resume(half, 1, None, Quiet()).status == "finished"


def test_an_interrupted_page_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(run: runs.Run) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "make_page", interrupt)
        store(question(runs=1), tmp_path / "x", True, Quiet())
    assert resume(tmp_path / "x", 1, None, Quiet()).verdict is not None
    assert (tmp_path / "x" / "report.html").exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": {"numpy": "1.0"}}, r"new runs would not belong to the old ones: it was begun with numpy 1\.0"),
        ({"scenario": {"digest": "0"}}, r"scenario\.json was changed since; run it anew"),
        ({"desk": {"digest": "0"}}, r"desk\.json was changed since"),
    ],
)
def test_runs_that_would_not_belong_together_are_refused(
    change: dict[str, dict[str, str]], message: str, half: Path
) -> None:
    told = manifest(half)
    for key, value in change.items():
        told[key] |= value
    (half / "manifest.json").write_text(json.dumps(told))
    with pytest.raises(RunError, match=message):
        resume(half, 1, None, Quiet())


def test_where_there_is_nothing_to_go_on_with_what_there_is_is_named(tmp_path: Path) -> None:
    with Draft(tmp_path / "high", "volcano", datetime.now()) as draft:
        (draft.folder / "manifest.json").write_text("{}")
        with pytest.raises(RunError, match=r"hihg: there is no run to go on with; there are .*high"):
            resume(tmp_path / "hihg", 1, None, Quiet())
    with pytest.raises(RunError, match=r"hihg: there is no run to go on with$"):
        resume(tmp_path / "hihg", 1, None, Quiet())


HOLD = """
import sys
from pathlib import Path
from reports.locks import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
sys.stdin.read()
"""


def test_two_processes_are_never_at_work_in_one_folder(half: Path) -> None:
    root = Path(__file__).parent.parent
    line = [sys.executable, "-c", HOLD, str(half)]
    with subprocess.Popen(line, cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        try:
            assert other.stdout is not None and other.stdout.readline() == "held\n"
            with pytest.raises(RunError, match=rf"x: process {other.pid} on .* is at work in it; wait for its end"):
                resume(half, 1, None, Quiet())
        finally:
            other.kill()
    # The lock file is still there, and its process is dead.
    assert (half / ".lock").exists()
    assert resume(half, 1, None, Quiet()).status == "finished"
    assert not (half / ".lock").exists()


def test_a_lock_goes_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    lock = Lock(tmp_path / "a")
    with pytest.raises(RunError, match=f"process {os.getpid()} on"):
        Lock(tmp_path / "a")
    os.rename(tmp_path / "a", tmp_path / "b")
    lock.release(tmp_path / "b")
    assert os.listdir(tmp_path / "b") == []
