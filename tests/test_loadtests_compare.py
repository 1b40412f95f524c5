"""Two replays compared: what is worse is said, what is chance is not, and intervals hold as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

from loadtests.compare import CompareError, Difference, Margins, compare
from loadtests.result import COLUMNS, LoadResult, Outcome

MINUTES, RATE = 40, 20.0


def run(
    seed: int,
    slower: float = 1.0,
    failed: float = 0.0,
    minutes: float = MINUTES,
    schedule: str = "a",
    spread: float = 0.2,
) -> LoadResult:
    """Lognormal latencies whose level is drawn for each minute: the minute, not the request, is what varies."""
    rng = np.random.default_rng(seed)
    n = round(RATE * 60.0 * minutes)
    due = (np.arange(n) + 0.5) / RATE
    level = rng.normal(0.0, spread, int(minutes) + 1)[(due / 60.0).astype(int)]
    columns = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
    columns["due_s"] = columns["sent_s"] = due
    columns["done_s"] = due + slower * 0.05 * np.exp(level + rng.normal(0.0, 0.5, n))
    columns["outcome"] = np.where(rng.random(n) < failed, Outcome.FAILED, Outcome.ANSWERED)
    return LoadResult(columns, {"phases": [], "schedule": schedule})


def differences(first: LoadResult, second: LoadResult, **margins: float) -> dict[str, Difference]:
    found = compare(first, second, Margins(**margins), np.random.default_rng(9))
    return {each.measure.name: each for each in found.differences}


def test_a_run_is_no_worse_than_itself() -> None:
    told = differences(run(1), run(1))
    assert {each.verdict for each in told.values()} == {"no worse"}
    assert {each.change for each in told.values()} == {0.0}


def test_a_service_that_is_half_as_slow_again_is_worse() -> None:
    told = differences(run(1, schedule="a"), run(2, slower=1.5, schedule="b"))
    for name in ("p50", "p95", "p99", "mean"):
        assert told[name].verdict == "worse"
        low, high = told[name].low, told[name].high
        assert low is not None and high is not None and low < 0.5 < high
    assert told["errors"].verdict == "no worse"


def test_a_service_that_is_faster_is_better() -> None:
    assert differences(run(1), run(2, slower=0.6))["p99"].verdict == "better"


def test_what_may_be_chance_is_not_called_worse() -> None:
    told = differences(run(1, minutes=12, spread=0.6, schedule="a"), run(2, minutes=12, spread=0.6, schedule="b"))
    assert told["p99"].verdict == "cannot tell"


def test_more_failures_than_the_margin_are_worse() -> None:
    told = differences(run(1, failed=0.001), run(2, failed=0.01))
    assert told["errors"].verdict == "worse"
    assert told["errors"].change == pytest.approx(0.009, abs=0.002)
    assert differences(run(1, failed=0.001), run(2, failed=0.01), share=0.05)["errors"].verdict == "no worse"


def test_a_wider_margin_accepts_more() -> None:
    assert differences(run(1), run(2, slower=1.5), latency=1.5)["p99"].verdict == "no worse"


def test_the_same_schedule_is_drawn_in_pairs_and_then_the_minutes_they_share_drop_out() -> None:
    first, second = run(1), run(1, slower=1.2)
    paired = compare(first, second, Margins(), np.random.default_rng(9))
    other = compare(first, run(1, slower=1.2, schedule="b"), Margins(), np.random.default_rng(9))
    assert (paired.paired, other.paired) == (True, False)
    medians = [found.differences[0] for found in (paired, other)]
    width = [d.high - d.low for d in medians if d.high is not None and d.low is not None]
    assert width[0] < width[1] / 3.0


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    # No difference; 60 pairs of runs. With 40 minutes the bootstrap holds some 93 %; fewer than 49 of
    # 60 would then have a probability below 0.3 %.
    held = 0
    for seed in range(60):
        told = differences(run(2 * seed, schedule="a"), run(2 * seed + 1, schedule="b"))["p50"]
        assert told.low is not None and told.high is not None
        held += told.low <= 0.0 <= told.high
    assert held >= 49


def test_blocks_are_minutes_and_shorter_in_short_runs() -> None:
    assert compare(run(1), run(2), Margins(), np.random.default_rng(1)).block_s == 60.0
    short = compare(run(1, minutes=2.0), run(2, minutes=2.0), Margins(), np.random.default_rng(1))
    assert short.block_s == pytest.approx(6.0, abs=0.01) and short.blocks == (20, 20)


def test_runs_that_are_too_short_are_refused() -> None:
    with pytest.raises(CompareError, match=r"the shorter run lasts 6\.0 s; a comparison needs at least 10 s of both"):
        compare(run(1), run(1, minutes=0.1), Margins(), np.random.default_rng(1))


def test_runs_without_any_answer_cannot_be_told_apart() -> None:
    first = run(1, minutes=1)
    columns = {**first.columns, "outcome": np.full(len(first), Outcome.ABANDONED)}
    nothing = LoadResult(columns, first.about)
    told = differences(first, nothing)
    assert (told["p99"].verdict, told["p99"].second) == ("cannot tell", None)
