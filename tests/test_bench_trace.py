"""What a trace costs: CPU seconds for a million rows, bytes a row, and how both grow.

    .venv/bin/python -m pytest -m bench tests/test_bench_trace.py -s

Bars: 1.5 s of CPU for a million rows, 120 bytes a row at the worst moment, and a row of a million
costs at most 1.5 times a row of a hundred thousand.
"""

import time
import tracemalloc

import pytest

from scenarios import library
from scenarios.expected import expected
from scenarios.generate import generate
from scenarios.model import Scenario

pytestmark = pytest.mark.bench

MILLION = 1_000_000


def volcano(rows: int) -> Scenario:
    """The volcano's two weeks with all clusters, noise and changes of the mix, scaled to `rows` rows."""
    made = library.load("volcano")
    usual = expected(made)
    scale = rows / (usual["mentions"] + usual["calls"])
    assert made.phone is not None
    base = {"mentions_per_h": made.base.mentions_per_h * scale, "cases_per_h": made.base.cases_per_h * scale}
    phone = {"calls_per_h": made.phone.calls_per_h * scale}
    return made.model_copy(
        update={"base": made.base.model_copy(update=base), "phone": made.phone.model_copy(update=phone)}
    )


def cpu_s_per_million(rows: int, runs: int = 5) -> float:
    """The least of some runs: whatever else the machine does only adds."""
    made = volcano(rows)
    best = float("inf")
    for seed in range(runs):
        start = time.process_time()
        trace = generate(made, seed)
        best = min(best, (time.process_time() - start) / len(trace) * MILLION)
    return best


def test_a_million_rows_take_little_time_and_cost_grows_with_their_number() -> None:
    large, small = cpu_s_per_million(MILLION), cpu_s_per_million(MILLION // 10)
    print(f"\n{large:.2f} s of CPU for a million rows; a row of 10^6 costs {large / small:.2f} of one of 10^5")
    assert large < 1.5
    assert large / small < 1.5


def test_a_row_takes_few_bytes_at_rest_and_while_it_is_made() -> None:
    made = volcano(MILLION)
    tracemalloc.start()
    try:
        trace = generate(made, 1)
        peak = tracemalloc.get_traced_memory()[1] / len(trace)
    finally:
        tracemalloc.stop()
    stored = trace.info()["bytes_per_row"]
    print(f"\n{stored} bytes a row at rest, {peak:.0f} at most while it is made")
    assert stored <= peak <= 120
