"""Is the compiled engine as fast as it has to be: the whole of ``ashcloud bench``, and windows of the library.

    .venv/bin/python -m pytest -m bench tests/test_bench_engines.py -s

Whole windows of the library on both engines take half an hour: leave them out with `-k "not whole"`.
"""

from __future__ import annotations

import pytest
from engines import run_both

from reports import bench
from reports.bench_table import print_bench
from reports.console import for_results
from scenarios import library
from scenarios.generate import generate
from sim import library as desks
from sim.crew import Watch

pytestmark = pytest.mark.bench


def test_the_benchmark_meets_its_bars_and_compilation_takes_less_than_a_minute() -> None:
    found = bench.bench(bench.FULL, None, Watch())
    print_bench(for_results(), found)
    assert found["all_same"]
    missed = {bar["what"] for bar in found["bars"] if not bar["met"]}
    assert missed <= {"volcano: two threads, times as fast as one"}  # 1.63 to 1.73 where 1.7 is wanted: docs/bench.md
    assert found["compile"]["compile_s"] <= 60 and found["compile"]["start_s"] <= 2


@pytest.mark.parametrize("idle", ["longest_idle", "random"])
def test_a_turn_costs_the_same_with_ten_times_the_turns_and_agents_whoever_goes_first(idle: str) -> None:
    assert bench.growth(bench.FULL, idle)["loop_ratio"] <= 2.0


@pytest.mark.parametrize("floor", desks.names())
@pytest.mark.parametrize("name", library.names())
def test_whole_windows_give_the_same_rows_on_both_engines(name: str, floor: str) -> None:
    world = library.load(name)
    run_both(world, desks.load(floor), generate(world, seed=3), seed=3, drain_h=12.0)
