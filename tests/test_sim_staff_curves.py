"""Curves of a past, worked by hand."""

from __future__ import annotations

import numpy as np
import pytest
from small import desk, play, post, scenario, trace

from scenarios.names import Language, code
from sim.staff.curves import Clock, curves, of_outcome

HOUR_S = 3600.0
POSTS = [post(10), post(20, language="nl"), post(70), post(110)]


def clock(skip_s: float = 0.0) -> Clock:
    return Clock.of(trace(POSTS, (0.0, 120.0)), HOUR_S, skip_s)


def test_a_past_of_four_cases_is_laid_out_by_the_clock() -> None:
    # English 10 min: answered at 30; Dutch 20 min: never, gave up at 90; English 70: answered at 100;
    # English 110: answered at 130, which nobody knew at 120.
    reply, gone = np.array([30.0, np.inf, 100.0, 130.0]), np.array([np.inf, 90.0, np.inf, np.inf])
    found = curves(clock(), 60.0 * reply, 60.0 * gone, np.full(4, 25 * 60.0))
    assert clock().languages == (code(Language.EN), code(Language.NL))
    assert found.backlog.tolist() == [[0, 1], [1, 0]]
    assert (found.waited_s / 60.0).tolist() == [[20.0, 30.0 + 10.0], [70.0, 0.0]]
    assert found.within.sum(axis=1).tolist() == [[1, 0], [1, 1], [1, 0]]  # 20 min, 60 min, promise
    assert found.median_s.tolist() == [np.inf, np.inf]  # of two, the later one


def test_a_warm_up_leaves_its_posts_out_and_their_backlog_in() -> None:
    minutes = np.array([30.0, 90.0, 100.0, np.inf])
    found = curves(clock(HOUR_S), minutes * 60.0, np.full(4, np.inf), np.full(4, 1.0))
    assert clock(HOUR_S).counts().tolist() == [[2], [0]]
    assert found.backlog.tolist() == [[1], [0]]
    halfway = Clock.of(trace(POSTS, (0.0, 120.0)), HOUR_S, 80 * 60.0)
    assert curves(halfway, minutes * 60.0, np.full(4, np.inf), np.full(4, 1.0)).backlog.tolist() == [[1], [0]]


def test_a_simulated_past_has_the_same_curves_as_its_rows_say() -> None:
    # One agent, ten minutes a case: answers at 20, 30, 80, 120.
    outcome = play([post(10), post(20), post(70), post(110)], desk(), scenario(10.0), window_min=(0.0, 121.0))
    grid = Clock.of(trace([post(10), post(20), post(70), post(110)], (0.0, 121.0)), 3630.0)
    found = of_outcome(grid, outcome)
    assert found.backlog.sum(axis=0).tolist() == [0, 0]
    assert found.waited_s.sum() / 60.0 == pytest.approx(40.0)


def test_who_gives_up_waits_no_longer_in_a_run() -> None:
    outcome = play([post(0), post(1)], desk(), scenario(30.0, patience_h=5 / 60), window_min=(0.0, 60.0))
    grid = Clock.of(trace([post(0), post(1)], (0.0, 60.0)), 900.0)
    assert of_outcome(grid, outcome).backlog.sum(axis=0).tolist() == [1, 0, 0, 0]
