"""Recovery after a surge, on rows made by hand."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from loadtests.recovery import recovery
from loadtests.result import COLUMNS, LoadResult, Outcome

QUIET, SURGE = 100.0, 400.0
UP_S, DOWN_S, END_S = 12.0, 17.0, 47.0


def run(latency_s: Callable[[float], float], outcome: Callable[[float], Outcome] | None = None) -> LoadResult:
    """Latencies as a function of the due time."""
    due = np.concatenate(
        [np.arange(0.0, UP_S, 1 / QUIET), np.arange(UP_S, DOWN_S, 1 / SURGE), np.arange(DOWN_S, END_S, 1 / QUIET)]
    )
    columns = {name: np.zeros(due.size, dtype=kind) for name, kind in COLUMNS.items()}
    columns["due_s"] = columns["sent_s"] = due
    columns["done_s"] = due + np.vectorize(latency_s)(due)
    columns["outcome"] = np.vectorize(outcome)(due) if outcome else np.full(due.size, Outcome.ANSWERED)
    return LoadResult(columns, {"phases": []})


def measured(result: LoadResult) -> float | None:
    return recovery(result, QUIET, SURGE, 2.0, (UP_S, DOWN_S), END_S).seconds


def test_a_backlog_worked_off_is_timed_to_a_piece() -> None:
    # 300 a second too many for 5 s, 1500 wait; 300 a second above the quiet rate work them off in 5 s.
    def latency(due: float) -> float:
        waiting = 300.0 * (due - UP_S) if due < DOWN_S else 1500.0 - 300.0 * (due - DOWN_S)
        return 0.02 + (max(waiting, 0.0) / 400.0 if due >= UP_S else 0.0)

    # Pieces of a second hold a hundred requests; a p99 of 30 ms is reached 4 requests before the end.
    assert measured(run(latency)) == 5.0


def test_a_service_that_takes_no_notice_recovers_at_once() -> None:
    assert measured(run(lambda due: 0.02)) == 0.0


def test_a_service_that_stays_slow_has_not_recovered() -> None:
    told = recovery(run(lambda due: 0.02 if due < UP_S else 0.2), QUIET, SURGE, 2.0, (UP_S, DOWN_S), END_S)
    assert told.seconds is None
    assert told.to_dict()["beyond_window"] is True
    assert told.normal_p99_s == pytest.approx(0.02)
    assert told.limit_s == pytest.approx(0.03)


def test_a_relapse_counts() -> None:
    assert measured(run(lambda due: 0.5 if UP_S <= due < DOWN_S or 30.0 <= due < 30.5 else 0.02)) == 14.0


def test_what_is_not_answered_is_not_recovered() -> None:
    failing = run(lambda due: 0.02, lambda due: Outcome.FAILED if UP_S <= due < DOWN_S + 3.5 else Outcome.ANSWERED)
    assert measured(failing) == 4.0


def test_a_service_that_was_never_normal_has_nothing_to_recover_to() -> None:
    told = recovery(run(lambda due: 0.02, lambda due: Outcome.SHED), QUIET, SURGE, 2.0, (UP_S, DOWN_S), END_S)
    assert (told.normal_p99_s, told.limit_s, told.seconds) == (None, None, None)
