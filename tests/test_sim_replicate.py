"""Replications: the same runs whatever the number of processes, each with a size of its own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenarios import library as scenario_library
from scenarios.errors import DeskError
from scenarios.model import Scenario
from scenarios.names import Language
from scenarios.traces import load as load_trace
from sim import library as desk_library
from sim.crew import Watch
from sim.desk import Desk
from sim.measures import measure
from sim.outcome import load as load_outcome
from sim.replicate import SIZE_DRAW, outcome_file, replicate, size_u, trace_file

DATA = Path(__file__).parent / "data"


@pytest.fixture(scope="module")
def tiny() -> tuple[Scenario, Desk]:
    return scenario_library.load(DATA / "tiny.toml"), desk_library.load(DATA / "tiny_desk.toml")


def test_runs_are_the_same_whatever_the_number_of_processes(tiny: tuple[Scenario, Desk]) -> None:
    here = list(replicate(*tiny, 3, 7, workers=1))
    there = list(replicate(*tiny, 3, 7, workers=2))
    assert [r.number for r in there] == [0, 1, 2]
    assert [(r.trace, r.outcome, r.row, r.languages) for r in here] == [
        (r.trace, r.outcome, r.row, r.languages) for r in there
    ]
    assert len({r.trace for r in here}) == 3


def test_a_run_is_the_same_when_done_alone(tiny: tuple[Scenario, Desk]) -> None:
    alone = list(replicate(*tiny, 3, 7, workers=1, numbers=[2]))
    assert [(r.number, r.outcome) for r in alone] == [
        (r.number, r.outcome) for r in replicate(*tiny, 3, 7, workers=1) if r.number == 2
    ]


def test_sizes_are_named_by_seed_and_number() -> None:
    drawn = [size_u("drawn", 1, number) for number in range(200)]
    assert drawn[:2] != [size_u("drawn", 2, number) for number in range(2)]
    assert drawn == [size_u("drawn", 1, number) for number in range(200)]
    # 200 uniforms have mean 1/2 with standard error 0.0204; 5 of them is 0.102.
    assert np.mean([u for u in drawn if u is not None]) == pytest.approx(0.5, abs=0.102)
    assert (size_u("likely", 1, 0), size_u("low", 1, 0), size_u("high", 1, 0)) == (None, 0.0, 1.0)


def test_the_draw_of_a_size_shares_no_numbers_with_a_column_of_the_trace() -> None:
    from scenarios.generate import DRAWS, STREAMS

    assert len(DRAWS) * len(STREAMS) < SIZE_DRAW


def test_a_larger_surge_brings_more(tiny: tuple[Scenario, Desk]) -> None:
    (low,), (high,) = (list(replicate(*tiny, 1, 3, size=size)) for size in ("low", "high"))
    assert (low.size_u, high.size_u) == (0.0, 1.0)
    assert (high.row["cases"] or 0) > (low.row["cases"] or 0)


def test_rows_are_written_where_and_as_far_as_asked(tiny: tuple[Scenario, Desk], tmp_path: Path) -> None:
    runs = list(replicate(*tiny, 3, 7, workers=2, folder=tmp_path, keep=2))
    assert [r.stored for r in runs] == [True, True, False]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "outcome_000.npz", "outcome_001.npz", "trace_000.npz", "trace_001.npz",
    ]  # fmt: skip
    outcome = load_outcome(outcome_file(tmp_path, 1))
    assert (outcome.digest, measure(outcome)) == (runs[1].outcome, runs[1].row)
    assert load_trace(trace_file(tmp_path, 1)).digest == runs[1].trace


def test_the_window_can_be_cut_and_drained(tiny: tuple[Scenario, Desk], tmp_path: Path) -> None:
    list(replicate(*tiny, 1, 7, hours=2.0, drain_h=5.0, folder=tmp_path))
    about = load_outcome(outcome_file(tmp_path, 0)).about
    assert about["window_s"] == [-3600.0, 3600.0]
    assert 3600.0 < about["end_s"] <= 3600.0 + 5 * 3600.0


def test_a_desk_that_cannot_answer_is_the_users_fault_from_any_process(tiny: tuple[Scenario, Desk]) -> None:
    scenario, desk = tiny
    english = desk.model_copy(update={"pools": (desk.pools[0].model_copy(update={"languages": {Language.EN: 1.0}}),)})
    with pytest.raises(DeskError, match="nl"):
        list(replicate(scenario, english, 2, 1, workers=2))


class Impatient(Watch):
    """Has had enough when one run has finished."""

    def __init__(self) -> None:
        self.finished = 0

    def progress(self, share: float, finished: int) -> None:
        self.finished = max(self.finished, finished)

    def stopped(self) -> bool:
        return self.finished >= 1


@pytest.mark.parametrize("workers", [1, 2])
def test_what_has_finished_is_kept_when_it_is_stopped(tiny: tuple[Scenario, Desk], workers: int) -> None:
    whole = {r.number: r.outcome for r in replicate(*tiny, 12, 7, workers=2)}
    kept = list(replicate(*tiny, 12, 7, workers=workers, watch=Impatient()))
    assert 1 <= len(kept) < 12
    assert [whole[r.number] for r in kept] == [r.outcome for r in kept]


@pytest.mark.parametrize(("runs", "size"), [(0, "drawn"), (1, "huge")])
def test_no_runs_or_an_unknown_size_is_a_bug_of_the_caller(tiny: tuple[Scenario, Desk], runs: int, size: str) -> None:
    with pytest.raises(ValueError, match="no replications"):
        replicate(*tiny, runs, 1, size=size)  # type: ignore[arg-type]
