"""Cases compared with themselves: by hand, by the normal law where cases stand alone, and wider where they do not."""

from __future__ import annotations

import numpy as np
import pytest

from reports.drill_paired import Paired, paired

INF = float("inf")


def test_only_cases_that_were_answered_in_both_are_compared() -> None:
    found = paired(np.arange(4.0), np.array([60.0, 90.0, INF, INF]), np.array([30.0, INF, 10.0, INF]), 1)
    assert found == Paired(1, 1, 1, 30.0)
    assert found.words == ""  # one case says nothing of the others
    assert paired(np.zeros(1), np.array([INF]), np.array([5.0]), 1) == Paired(0, 0, 1)


def test_the_interval_is_that_of_the_normal_law_where_cases_stand_alone() -> None:
    rng = np.random.default_rng(7)
    simulated = rng.exponential(600.0, 2000)
    later = rng.normal(30.0, 100.0, 2000)
    found = paired(np.arange(2000.0), simulated + later, simulated, 1)
    assert found.mean_s == pytest.approx(later.mean())
    assert found.low_s is not None and found.high_s is not None
    # 1.96 standard errors of 100 / sqrt(2000) to each side: 8.8 s wide in all; from 20 blocks the spread is known to
    # 1 / sqrt(2 * 19) = 16 %, and three times that is 48 %.
    assert found.high_s - found.low_s == pytest.approx(2 * 1.96 * 100.0 / np.sqrt(2000.0), rel=0.48)
    assert found.words.startswith("Case by case the service answers 0.5 min later than the simulation (2,000 cases")


def test_cases_that_go_together_make_it_wider() -> None:
    rng = np.random.default_rng(7)
    each, together = rng.normal(0.0, 100.0, 2000), np.repeat(rng.normal(0.0, 100.0, 20), 100)
    zeros = np.zeros(2000)
    alone, joined = (paired(np.arange(2000.0), later, zeros, 1) for later in (each, together))
    assert alone.low_s is not None and alone.high_s is not None
    assert joined.low_s is not None and joined.high_s is not None
    # A hundred cases that are one weigh as one: ten times as wide, known to 48 % each.
    assert 3.0 < (joined.high_s - joined.low_s) / (alone.high_s - alone.low_s) < 30.0


def test_what_chance_may_have_made_is_said_to_be_no_difference() -> None:
    later = np.tile([10.0, -10.0, 12.0, -12.0], 25)
    found = paired(np.arange(100.0), later, np.zeros(100), 1)
    assert "answers neither later nor sooner than the simulation (100 cases" in found.words
    sooner = paired(np.arange(100.0), np.full(100, 60.0), np.full(100, 180.0), 1)
    assert sooner.words == (
        "Case by case the service answers 2.0 min sooner than the simulation "
        "(100 cases answered in both; 95 % interval -2.0 to -2.0 min)."
    )
