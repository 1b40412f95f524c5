"""Where compiled code is kept: a folder a version of the sources, and a word where nothing can be kept."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scenarios import library as scenario_library
from scenarios.generate import generate
from sim import codecache, compiled
from sim import library as desk_library

ROOT = Path(__file__).parent.parent
DATA = Path(__file__).parent / "data"
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


def test_it_is_known_whether_code_is_kept_for_the_types_it_is_given(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    given = (codecache.types.int64,)

    def made(folder: Path | None) -> Any:
        monkeypatch.setattr(codecache, "_FOLDER", folder)

        def triple(x: int) -> int:
            return 3 * x

        return codecache.compiled(triple)

    assert not codecache.is_kept(made(tmp_path), given)
    first = made(tmp_path)
    first.compile(given)
    assert codecache.is_kept(first, given)
    again = made(tmp_path)
    assert codecache.is_kept(again, given) and not codecache.is_kept(again, (codecache.types.float64,))
    assert not codecache.is_kept(made(None), given)


def test_compiling_is_told_of_before_and_after_and_only_when_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(codecache, "_FOLDER", tmp_path)

    @codecache.compiled
    def half(x: float) -> float:
        return x / 2.0

    monkeypatch.setattr(compiled, "ENTRIES", {half: (codecache.types.float64,)})
    told: list[str] = []
    compiled.prepare(told.append)
    assert told[0] == "compiling the engine, once for this version; that takes about half a minute"
    assert re.fullmatch(r"the engine is compiled, in \d+ s", told[1]) and len(told) == 2
    compiled.prepare(told.append)
    assert len(told) == 2


def test_what_is_compiled_before_the_first_run_is_all_that_a_run_calls() -> None:
    # The functions are compiled for the types that they are given later: a run compiles none of them anew.
    scenario, desk = scenario_library.load(DATA / "tiny.toml"), desk_library.load(DATA / "tiny_desk.toml")
    compiled.prepare(lambda text: None)
    compiled.run(scenario, desk, generate(scenario, 1, hours=1), 1, drain_h=1.0)
    assert {f.__name__: list(f.overloads) for f in compiled.ENTRIES} == {
        f.__name__: [given] for f, given in compiled.ENTRIES.items()
    }
