"""The law of counts: its means and variances are those of generated traces."""

import math

import numpy as np
import pytest
from nowcasting import counts_of, whole_hours

from scenarios.arrivals import Grid, busyness
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from sim.staff.nowcast_law import Bins, Excess, Lags, Law, _excess, covariance, law

HOURS, RUNS, U = 12, 120, 0.6
VOLCANO = Scenario.load("volcano").model_copy(update={"window_h": (2.0, 2.0 + HOURS)})


@pytest.fixture(scope="module")
def counted() -> FloatArray:
    """(runs, 2, hours) counts of traces of the volcano."""
    return np.stack([counts_of(VOLCANO, 3, number, U) for number in range(RUNS)])


@pytest.fixture(scope="module")
def rules() -> Law:
    return law(VOLCANO, whole_hours(2, 2 + HOURS))


def expected(rules: Law) -> FloatArray:
    curve = VOLCANO.curve(U)
    areas = np.stack([curve.totals(rules.edges_h, "mentions"), curve.totals(rules.edges_h, "cases")])
    return np.asarray(np.einsum("scnm,cm->sn", rules.of_curves, areas), np.float64)


def variance(rules: Law, mean: FloatArray, stream: int) -> FloatArray:
    """Covariance of the counts of a stream by the law."""
    here = slice(stream * HOURS, (stream + 1) * HOURS)
    clusters = np.sqrt(np.outer(mean * rules.excess[stream], mean * rules.excess[stream])) * rules.carried[stream]
    return np.asarray(np.outer(mean, mean) * np.expm1(rules.noise[here, here]) + clusters + np.diag(mean), np.float64)


def test_mean_counts_are_those_of_traces(counted: FloatArray, rules: Law) -> None:
    # 120 traces: a standard error for each hour and stream; of 24 values none is 4.5 of them off (p < 1e-3).
    mean = expected(rules)
    found, error = counted.mean(axis=0), counted.std(axis=0) / math.sqrt(RUNS)
    assert np.abs(found - mean).max(initial=0.0, where=error > 0) > 0
    assert (np.abs(found - mean) / error).max() < 4.5


def test_counts_vary_as_the_law_says_and_far_more_than_poisson(counted: FloatArray, rules: Law) -> None:
    # The standard deviation of 120 near-normal values has a relative error of 1 / sqrt(240) = 6.5 %: four are 26 %.
    mean = expected(rules)
    for stream in range(2):
        total = counted[:, stream].sum(axis=1)
        by_law = math.sqrt(variance(rules, mean[stream], stream).sum())
        assert total.std() / by_law == pytest.approx(1.0, abs=0.26)
        assert total.std() > 4.0 * math.sqrt(mean[stream].sum())
        hourly = np.sqrt(np.diag(variance(rules, mean[stream], stream)))
        # the mean over 12 hours, which hang together: the error of each is the least that it can be
        assert (counted[:, stream].std(axis=0) / hourly).mean() == pytest.approx(1.0, abs=0.26)


def test_cases_and_other_posts_stray_together(counted: FloatArray, rules: Law) -> None:
    # Both feel the same busyness: by the law their correlation is 0.9 in an hour; that of 120 pairs is known to 0.1.
    mean = expected(rules)
    shared = np.expm1(rules.noise[:HOURS, HOURS:][5, 5]) * mean[0, 5] * mean[1, 5]
    by_law = shared / math.sqrt(variance(rules, mean[0], 0)[5, 5] * variance(rules, mean[1], 1)[5, 5])
    assert np.corrcoef(counted[:, 0, 5], counted[:, 1, 5])[0, 1] == pytest.approx(by_law, abs=0.15)
    assert by_law > 0.7


def test_the_covariance_of_busyness_is_that_of_its_draws() -> None:
    # 4,000 draws of 12 hours over midnight: a covariance near 0.1 is known to 0.1 / sqrt(4000) * sqrt(2), some 0.0025.
    grid = Grid.over(VOLCANO, 0.0, 12 * 3600.0)
    noise = VOLCANO.base.noise
    rng = np.random.default_rng(1)
    logs = np.log(np.stack([busyness(noise, VOLCANO.timezone, grid, rng, rng) for _ in range(4_000)]))
    some = [0, 30, 59, 60, 61, 100, 143]
    assert np.cov(logs[:, some].T) == pytest.approx(
        covariance(noise, VOLCANO.timezone, grid, grid)[np.ix_(some, some)], abs=0.012
    )


def test_lags_add_up_from_the_time_they_come() -> None:
    lags = Lags(np.array([10.0, 20.0]), 3.0)
    # From 10 s on half of the three posts has come, from 20 s on all of them.
    assert lags.area(np.array([5.0, 15.0, 30.0])).tolist() == [0.0, 7.5, 1.5 * 10 + 3.0 * 10]


def test_a_cluster_in_one_hour_counts_its_pairs() -> None:
    # Two posts at once and one alone: 2 ordered pairs for 3 posts, all within the hour: nothing is carried on.
    pair = _excess(np.array([0, 0, 1]), np.array([5.0, 5.0, 9.0]))
    assert pair.of_hour == pytest.approx(2 / 3) and pair.memory == pytest.approx(0.0)
    # An hour apart a pair never falls into the same hour: all is carried on.
    assert _excess(np.array([0, 0]), np.array([0.0, 3600.0])) == Excess(0.0, 1.0)


def test_part_of_an_hour_has_its_part_of_the_count() -> None:
    # 13:00 to 14:00, when the profile hardly changes
    whole, half = (law(VOLCANO, Bins(np.array([-6.0]), np.array([end]))) for end in (-5.0, -5.5))
    flat = [np.einsum("scnm,m->s", rules.of_curves, np.diff(rules.edges_h)) for rules in (whole, half)]
    assert flat[1] / flat[0] == pytest.approx([0.5, 0.5], abs=0.01)
