"""The rule by which a model is trusted: right on average, sharp where it matters, silent where it does not."""

from __future__ import annotations

import december
import numpy as np
import pytest

from sim import compiled
from sim.staff import recorded
from sim.staff.agreement import FEWEST_RUNS, agreement, band, coverage, outside
from sim.staff.curves import Clock, Curves, of_outcome


def flat(level: float, noise: float, rng: np.random.Generator, n: int = 48) -> Curves:
    """A backlog that wanders about a level, in one language."""
    backlog = np.maximum(level + noise * rng.standard_normal((1, n)).cumsum(axis=1) / np.sqrt(n), 0.0)
    return Curves(backlog, 600.0 * backlog, np.zeros((3, 1, n)), np.zeros(n))


def grid(n: int = 48, cases: int = 480) -> Clock:
    edges = 900.0 * np.arange(n + 1, dtype=np.float64)
    posted = np.sort(np.random.default_rng(1).uniform(0.0, edges[-1], cases))
    place = np.searchsorted(edges, posted, side="right") - 1
    return Clock(edges, posted, place, np.zeros(cases, np.int64), (0,))


def test_one_more_run_of_the_model_fails_in_one_of_twenty_pasts() -> None:
    # Forty pasts, each held against 19 runs of its own on the same posts: the p-value of one more run is at
    # most 0.05 with a probability of 1/20. Of 40 pasts more than 6 fail with a probability of 0.3 %
    # (binomial), and 40 p-values, uniform over 1/20 .. 1, have a mean of 0.525 with a standard error of
    # 0.0456; 4 of these are 0.18.
    trace = recorded.posts(december.happened(7)[0])
    days, floor = recorded.behaviour(december.storm(), trace), december.desk()
    clock = Clock.of(trace, 3600.0)
    told = []
    for past in range(40):
        runs = [
            of_outcome(clock, compiled.run(days, floor, trace, 500 + past, number)) for number in range(FEWEST_RUNS + 1)
        ]
        told.append(agreement(clock, runs[0], runs[1:]))
    assert sum(one.p <= 0.05 for one in told) <= 6
    assert sum(bool(one.fails) for one in told) <= sum(one.p <= 0.05 for one in told)
    assert np.mean([one.p for one in told]) == pytest.approx(0.525, abs=0.18)


def test_another_level_fails() -> None:
    rng = np.random.default_rng(3)
    runs = [flat(10.0, 4.0, rng) for _ in range(39)]
    found = agreement(grid(), flat(20.0, 4.0, rng), runs)
    assert found.p == 1 / 40
    assert {part.what for part in found.fails} == {"backlog", "response"}
    assert found.part("backlog").bias == pytest.approx(-10.0, abs=4.0)  # two walks of sd about 2 each


def test_what_is_certain_but_small_does_not_matter() -> None:
    # Runs without noise, and a past 5 % above them: certainly not the same, and no planner would mind.
    rng = np.random.default_rng(4)
    found = agreement(grid(), flat(31.5, 0.01, rng), [flat(30.0, 0.01, rng) for _ in range(39)])
    assert found.p == 1 / 40
    assert found.fails == ()


def test_half_a_case_does_not_matter_however_large_a_share_it_is() -> None:
    rng = np.random.default_rng(5)
    found = agreement(grid(), flat(0.6, 0.0, rng), [flat(0.1, 0.0, rng) for _ in range(39)])
    assert not found.part("backlog").matters


def test_eighteen_runs_can_tell_nothing() -> None:
    rng = np.random.default_rng(6)
    with pytest.raises(ValueError, match="fewer than 19"):
        agreement(grid(), flat(1.0, 1.0, rng), [flat(1.0, 1.0, rng)] * 18)


def test_the_bands_hold_one_more_run_as_often_as_they_say() -> None:
    # With 39 runs 80 % is the 4th to the 36th: 32 of 40 places. 20,000 trials: standard error 0.0028; 4 of them.
    draws = np.random.default_rng(7).standard_normal((40, 20_000))
    for share, r in ((0.8, 4), (0.95, 1)):
        low, high = band(draws[1:], share)
        assert np.array_equal(low, np.sort(draws[1:], axis=0)[r - 1])
        assert coverage(draws[0], draws[1:], share) == pytest.approx(share, abs=0.012)
        assert np.mean((draws[0] >= low) & (draws[0] <= high)) == coverage(draws[0], draws[1:], share)


def test_intervals_without_cases_do_not_count_as_covered() -> None:
    real, runs = np.array([np.nan, 5.0]), np.tile([np.nan, 1.0], (39, 1))
    assert coverage(real, runs, 0.8) == 0.0
    assert np.isnan(coverage(real[:1], runs[:, :1], 0.8))


def test_where_it_fails_is_told_in_stretches_the_worst_first() -> None:
    real = np.zeros(40)
    real[2:4], real[20:25], real[27] = 5.0, 9.0, 9.0
    found = outside(real, np.zeros((39, 40)))
    assert [(each.first, each.last) for each in found] == [(20, 27), (2, 3)]
    assert found[1].actual == 5.0 and found[1].simulated == 0.0
    assert outside(np.zeros(40), np.zeros((39, 40))) == ()
