"""Differences: run by run, not reached is later than any time, rankings hold together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from sim.compare import COMPARED, KEY, Day
from sim.differences import Best, best, comparisons, difference, differences
from sim.estimate import t_quantile
from sim.measures import Row

RESPONSE, RECOVER, MISSED = "first_response_mean_s", "promise_recover_s", "missed_promise_share"


def row(**values: float | None) -> Row:
    return {**dict.fromkeys(COMPARED, 1.0), **values}


def days(name: str, *values: Sequence[float | None]) -> list[Day]:
    """One day a column: the values of one measure, a list an alternative."""
    return [
        Day(number, None, None, "", ("",) * len(column), tuple(row(**{name: value}) for value in column))
        for number, column in enumerate(zip(*values, strict=True))
    ]


def test_a_paired_interval_is_students_t_over_the_differences() -> None:
    found = difference(RESPONSE, days(RESPONSE, [10.0, 20.0, 30.0], [11.0, 23.0, 35.0]), 1, 0)
    # Differences 1, 3, 5: mean 3, standard deviation 2; t(0.975, 2) is 4.303.
    half = t_quantile(0.975, 2) * 2.0 / math.sqrt(3)
    assert (found.mean, found.low, found.high) == pytest.approx((3.0, 3.0 - half, 3.0 + half))
    assert (found.runs, found.both, found.lower, found.higher, found.same) == (3, 3, 0, 3, 0)


def test_paired_intervals_cover_a_known_difference_and_are_short() -> None:
    # The days differ with standard deviation 100, the alternatives by 5 give or take 2. Of 400 intervals 95 %
    # should hold the 5: 380 with standard error sqrt(400 * 0.95 * 0.05) = 4.4; 4 errors are 17.4.
    rng = np.random.default_rng(20100415)
    held, widths = 0, []
    for _ in range(400):
        day = rng.normal(1000.0, 100.0, 20)
        other = day + rng.normal(5.0, 2.0, 20)
        found = difference(RESPONSE, days(RESPONSE, day.tolist(), other.tolist()), 1, 0)
        assert found.low is not None and found.high is not None
        held += found.low <= 5.0 <= found.high
        widths.append(found.high - found.low)
    assert held == pytest.approx(380, abs=17.4)
    # Unpaired the standard error of the difference would be 100 * sqrt(2 / 20) = 32, a width of some 130.
    assert max(widths) < 13.0


def test_joint_verdicts_are_wrong_about_equals_in_at_most_one_experiment_of_twenty() -> None:
    # Three equal alternatives: any verdict is wrong. 300 experiments may have 15 with one; their standard
    # error is sqrt(300 * 0.05 * 0.95) = 3.8, and Bonferroni errs on the safe side, so there is no lower bound.
    rng = np.random.default_rng(20100416)
    wrong = 0
    for _ in range(300):
        table = {name: rng.normal(0.5, 0.1, (3, 12)) for name in KEY}
        made = [
            Day(
                d,
                None,
                None,
                "",
                ("",) * 3,
                tuple(row(**{k: float(v[a, d]) for k, v in table.items()}) for a in range(3)),
            )
            for d in range(12)
        ]
        found = differences(made)
        wrong += any(one.order != "unclear" for name in KEY for one in found[name])
    assert wrong <= 15 + 3 * 3.8


def test_the_joint_interval_is_that_of_bonferroni() -> None:
    assert comparisons(2) == len(KEY)
    assert comparisons(4) == 6 * len(KEY)
    values = [10.0, 20.0, 30.0], [11.0, 23.0, 35.0], [0.0, 1.0, 2.0]
    found = difference(RESPONSE, days(RESPONSE, *values), 1, 0)
    assert found.joint is not None
    half = t_quantile(1.0 - 0.025 / (3 * len(KEY)), 2) * 2.0 / math.sqrt(3)
    assert found.joint == pytest.approx((3.0 - half, 3.0 + half))


def test_equals_differ_by_exactly_nothing() -> None:
    values = [0.1, 0.7, 0.30000000000000004]
    found = difference(MISSED, days(MISSED, values, values), 1, 0)
    assert (found.mean, found.low, found.high, found.joint) == (0.0, 0.0, 0.0, (0.0, 0.0))
    assert (found.order, found.same, found.better) == ("same", 3, None)


def test_equals_that_are_never_reached_do_not_differ_either() -> None:
    found = difference(RECOVER, days(RECOVER, [None, None, 5.0], [None, None, 5.0]), 1, 0)
    assert (found.order, found.same, found.neither, found.both) == ("same", 1, 2, 1)


def test_not_reached_is_later_than_any_time() -> None:
    found = difference(RECOVER, days(RECOVER, [None, 4.0, None, 9.0, 7.0], [3.0, None, None, 8.0, 7.0]), 1, 0)
    assert (found.lower, found.higher, found.same, found.neither) == (2, 1, 1, 1)
    assert (found.runs, found.both) == (5, 2)
    assert found.mean == -0.5  # over the two runs in which both are back: 8 - 9 and 7 - 7
    assert (found.by, found.order) == ("signs", "unclear")


def test_a_pair_with_times_not_reached_is_judged_by_counting_runs() -> None:
    # Ten runs of ten: 2 / 2^10 = 0.00195 is below 0.05 / 6 = 0.0083. Seven of seven: 2 / 2^7 = 0.0156 is not.
    for runs, order in ((10, "lower"), (7, "unclear")):
        found = difference(RECOVER, days(RECOVER, [None] * runs, [100.0] * runs), 1, 0)
        assert (found.by, found.order, found.mean) == ("signs", order, None)
        assert found.better is (True if order == "lower" else None)


def test_runs_in_which_a_measure_has_no_meaning_are_left_out() -> None:
    made = days("answer_rate_positive_share", [None, 0.5, 0.7], [0.2, 0.6, None])
    found = difference("answer_rate_positive_share", made, 1, 0)
    assert (found.runs, found.both, found.higher) == (1, 1, 1)
    assert found.mean == pytest.approx(0.1)
    nobody = [Day(0, None, None, "", ("", ""), (row(cases=0.0, promise_recover_s=None),) * 2)]
    assert difference(RECOVER, nobody, 1, 0).runs == 0
    assert difference(RECOVER, nobody, 1, 0).order == "unclear"


def test_one_run_tells_nothing_apart() -> None:
    found = difference(MISSED, days(MISSED, [0.1], [0.9]), 1, 0)
    assert (found.mean, found.low, found.joint, found.order) == (0.8, None, None, "unclear")


def test_better_follows_the_direction_of_the_measure() -> None:
    low, high = [0.1, 0.11, 0.1, 0.11] * 3, [0.9, 0.91, 0.91, 0.9] * 3
    assert difference(MISSED, days(MISSED, low, high), 1, 0).better is False
    assert difference("resolved_share", days("resolved_share", low, high), 1, 0).better is True
    assert difference("occupancy", days("occupancy", low, high), 1, 0).order == "higher"
    assert difference("occupancy", days("occupancy", low, high), 1, 0).better is None


def test_a_difference_seen_from_the_other_side() -> None:
    made = days(RECOVER, [None, 4.0, 1.0, 9.0], [3.0, None, None, 8.0], [5.0, 5.0, 5.0, 5.0])
    for one, other in ((0, 1), (1, 2), (0, 2)):
        assert difference(RECOVER, made, one, other).reversed() == difference(RECOVER, made, other, one)


def test_every_pair_is_there_those_with_the_baseline_first() -> None:
    found = differences(days(MISSED, *[[0.1, 0.2]] * 4))
    assert set(found) == set(COMPARED)
    pairs = [(one.alternative, one.against) for one in found[MISSED]]
    assert pairs == [(1, 0), (2, 0), (3, 0), (2, 1), (3, 1), (3, 2)]


# --- worlds -------------------------------------------------------------------------------------


def test_the_best_of_a_world_has_the_best_mean() -> None:
    worlds = {
        0: days(MISSED, [0.1, 0.4], [0.3, 0.3]),
        1: days(MISSED, [0.2, 0.2], [0.1, 0.2]),
        2: days(MISSED, [0.2, 0.2], [0.2, 0.2]),
    }
    assert best(MISSED, worlds) == Best(MISSED, 3, (1, 1), 1)
    assert best("resolved_share", {0: days("resolved_share", [0.1], [0.3])}).wins == (0, 1)


def test_whoever_reaches_it_in_more_runs_is_best() -> None:
    worlds = {0: days(RECOVER, [1.0, None, 1.0], [9.0, 9.0, 9.0]), 1: days(RECOVER, [None, 4.0], [None, 5.0])}
    assert best(RECOVER, worlds).wins == (1, 1)
    assert best(RECOVER, {0: days(RECOVER, [None], [None])}) == Best(RECOVER, 1, (0, 0), 1)


def test_four_of_five_worlds_make_the_best_one() -> None:
    assert Best(MISSED, 10, (8, 2), 0).clear
    assert not Best(MISSED, 10, (7, 2), 1).clear
    assert (Best(MISSED, 10, (1, 7), 2).first, Best(MISSED, 10, (1, 7), 2).share) == (1, 0.7)
    assert Best(MISSED, 3, (0, 0), 3).first is None
