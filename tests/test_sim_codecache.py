"""Where compiled code is kept: a folder a version of the sources, and a word where nothing can be kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sim import codecache

ROOT = Path(__file__).parent.parent
DRAW = "import numpy as np; from sim import draws; print(draws.key(1, 2), draws.TO_UNIT)"


def draw(folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """A process that compiles a little, with a cache folder of its own."""
    settings = {**os.environ, "NUMBA_CACHE_DIR": str(folder), **more}
    return subprocess.run(
        [sys.executable, "-c", DRAW], cwd=ROOT, env=settings, capture_output=True, text=True, timeout=300, check=True
    )


def test_code_is_kept_in_a_folder_named_by_the_sources(tmp_path: Path) -> None:
    first, second = draw(tmp_path), draw(tmp_path)
    assert first.stdout == second.stdout and first.stderr == second.stderr == ""
    assert [path.name for path in tmp_path.iterdir()] == [f"numba-{codecache.sources_digest()}"]
    assert list(tmp_path.rglob("*.nbc"))


def test_another_source_means_another_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    monkeypatch.setattr(codecache, "__file__", str(sources / "codecache.py"))
    (sources / "one.py").write_text("a = 1\n")
    before = codecache.sources_digest()
    (sources / "one.py").write_text("a = 2\n")
    after = codecache.sources_digest()
    (sources / "two.py").write_text("")
    assert len({before, after, codecache.sources_digest()}) == 3


@pytest.mark.parametrize("where", ["file", "missing"])
def test_without_a_folder_code_is_compiled_in_memory_and_that_is_said_once(where: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    place = tmp_path / "file" if where == "file" else Path("/proc/nowhere")
    done = draw(place)
    assert done.stdout == draw(tmp_path / "cache").stdout
    assert done.stderr.count("compiled code cannot be kept") == 1 and done.stderr.count("\n") == 1


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="nothing is read-only for root")
def test_a_read_only_folder_is_no_reason_to_stop(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    done = draw(tmp_path)
    tmp_path.chmod(0o700)
    assert "compiled code cannot be kept" in done.stderr and done.stdout


def test_a_full_disk_is_no_reason_to_stop(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    @codecache.compiled
    def double(x: float) -> float:
        return x + x

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(codecache.FunctionCache, "save_overload", full)
    monkeypatch.setattr(codecache, "_said", set())
    assert double(2.0) == 4.0 and double(3) == 6
    assert capsys.readouterr().err.count("No space left on device") == 1


def test_only_the_last_versions_are_kept(tmp_path: Path) -> None:
    for age in range(9):
        folder = tmp_path / f"numba-{age}"
        folder.mkdir()
        os.utime(folder, (1e9 - age, 1e9 - age))
    codecache._forget_old(tmp_path / "numba-0")
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"numba-{age}" for age in range(4)]
