"""Finished runs in a folder: found again to the last bit, and never done twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from scenarios import library as scenario_library
from scenarios.model import Scenario
from sim import blocks
from sim import library as desk_library
from sim.crew import Watch
from sim.desk import Desk
from sim.replicate import Replication, replicate

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def tiny() -> tuple[Scenario, Desk]:
    return scenario_library.load(DATA / "tiny.toml"), desk_library.load(DATA / "tiny_desk.toml")


class After(Watch):
    """Has had enough after so many runs; counts those that it hears of."""

    def __init__(self, runs: int) -> None:
        self.runs, self.finished = runs, 0

    def progress(self, share: float, finished: int) -> None:
        self.finished = max(self.finished, finished)

    def stopped(self) -> bool:
        return self.finished >= self.runs


def without_times(runs: list[Replication]) -> list[Replication]:
    return [replace(run, seconds={}) for run in runs]


def test_what_is_stored_is_found_again_as_it_was(tiny: tuple[Scenario, Desk], tmp_path: Path) -> None:
    made = list(replicate(*tiny, 3, 7, kept=tmp_path / "blocks"))
    assert blocks.load(tmp_path / "blocks") == {run.number: run for run in made}
    assert blocks.load(tmp_path / "nowhere") == {}


@pytest.mark.parametrize("workers", [1, 2])
def test_a_sweep_goes_on_where_it_was(tiny: tuple[Scenario, Desk], workers: int, tmp_path: Path) -> None:
    whole = list(replicate(*tiny, 12, 7, workers=1))
    asked = {"workers": workers, "kept": tmp_path / "blocks", "folder": tmp_path}
    first = list(replicate(*tiny, 12, 7, **asked, watch=After(3)))  # type: ignore[arg-type]
    assert 3 <= len(first) < 12
    before = {run.number: (tmp_path / f"outcome_{run.number:03d}.npz").stat().st_mtime_ns for run in first}
    rest = After(99)
    again = list(replicate(*tiny, 12, 7, **asked, watch=rest))  # type: ignore[arg-type]
    assert [run.number for run in again] == list(range(12))
    assert [run.outcome for run in again] == [run.outcome for run in whole]
    assert [run.row for run in again] == [run.row for run in whole]
    assert rest.finished == 12 - len(first)  # so many were done, and none of the first ones again
    assert before == {n: (tmp_path / f"outcome_{n:03d}.npz").stat().st_mtime_ns for n in before}


def test_a_damaged_block_and_runs_without_rows_are_done_again(tiny: tuple[Scenario, Desk], tmp_path: Path) -> None:
    asked = {"workers": 1, "kept": tmp_path / "blocks", "folder": tmp_path}
    made = list(replicate(*tiny, 3, 7, **asked))  # type: ignore[arg-type]
    (tmp_path / "blocks" / "000001.json").write_text('{"format": 1, "runs": [{}]}')
    (tmp_path / "outcome_002.npz").unlink()
    assert list(blocks.load(tmp_path / "blocks", tmp_path)) == [0]
    again = list(replicate(*tiny, 3, 7, **asked))  # type: ignore[arg-type]
    assert again[0] == made[0]
    assert without_times(again) == without_times(made)
    assert (tmp_path / "outcome_002.npz").exists()
