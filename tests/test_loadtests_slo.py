"""Objectives: read in two spellings, all faults at once, held in each phase by itself."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from test_loadtests_result import result

from loadtests import slo
from loadtests.histogram import Histogram
from loadtests.phases import phases
from loadtests.result import LoadResult, Outcome
from scenarios import library
from scenarios.errors import InputError


@pytest.mark.parametrize(
    ("words", "metric", "limit", "inclusive"),
    [
        ("p99<500ms", "p99", 0.5, False),
        ("p(99)<500", "p99", 0.5, False),
        ("p(99.9) <= 2s", "p99.9", 2.0, True),
        ("avg<200", "mean", 0.2, False),
        ("med<1s", "p50", 1.0, False),
        ("max<10s", "max", 10.0, False),
        ("errors<0.1%", "errors", 0.001, False),
        ("rate<0.01", "errors", 0.01, False),
        ("shed<=5%", "shed", 0.05, True),
    ],
)
def test_both_spellings_are_read(words: str, metric: str, limit: float, inclusive: bool) -> None:
    (found,) = slo.parse(words)
    assert (found.metric, found.inclusive) == (metric, inclusive)
    assert found.limit == pytest.approx(limit)


def test_several_may_stand_in_a_line_and_name_a_phase() -> None:
    first, second = slo.parse("p99<500ms, peak:errors<1%", ["rise", "peak"])
    assert (first.phase, second.phase) == ("", "peak")


def test_all_faults_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        slo.parse("p99<5%,errors<3ms,fast,p0<1s,errors<200%,night:p50<1s", ["peak"])
    told = str(caught.value)
    assert len(caught.value.faults) == 6
    assert "p99<5% is a time" in told
    assert "errors<3ms is a share" in told
    assert "fast: reads like" in told
    assert "p0<1s is no percentile" in told
    assert "errors<200% is above all" in told
    assert "names the phase night; those that are played are peak" in told
    with pytest.raises(InputError, match="is empty"):
        slo.parse(" ")


def two_phases(bad_ms: float, n: int = 200) -> LoadResult:
    """A calm phase in which all takes 10 ms, then one in which a tenth takes longer."""
    due = np.arange(2 * n, dtype=float)
    took = np.full(2 * n, 0.010)
    took[n::10] = bad_ms / 1e3
    columns: dict[str, Any] = {"due_s": due, "sent_s": due, "done_s": due + took}
    found = result(**columns, outcome=np.full(2 * n, Outcome.ANSWERED))
    spans = [{"name": "calm", "from_s": 0.0, "to_s": n}, {"name": "peak", "from_s": n, "to_s": 2 * n}]
    return LoadResult(found.columns, {"phases": spans, "errors": []})


def test_each_phase_is_judged_by_itself() -> None:
    found = slo.judge(slo.parse("p95<500ms,p50<11ms"), two_phases(900.0))
    assert {(check.objective.text, check.phase): check.state for check in found} == {
        ("p95<500ms", "calm"): "kept",
        ("p95<500ms", "peak"): "broken",
        ("p50<11ms", "calm"): "kept",
        ("p50<11ms", "peak"): "kept",
    }
    (calm,) = slo.judge(slo.parse("calm:p95<500ms"), two_phases(900.0))
    assert calm.state == "kept"


def test_too_few_rows_say_nothing_about_a_percentile() -> None:
    assert {check.state for check in slo.judge(slo.parse("p99.9<1s"), two_phases(9.0))} == {"too few rows"}
    (check,) = slo.judge(slo.parse("p99<1s,"), result(due_s=[0.0], sent_s=[0.0], done_s=[9.0], outcome=[1]))[:1]
    assert (check.state, check.value) == ("too few rows", None)


def test_errors_are_a_share_of_what_was_sent_and_has_ended() -> None:
    found = LoadResult(result().columns, {"phases": [], "errors": []})
    errors, shed = slo.judge(slo.parse("errors<1%,shed<=0.34"), found)
    assert (errors.phase, errors.state, shed.state) == ("all", "broken", "kept")
    assert errors.value == shed.value == pytest.approx(1 / 3)


@pytest.mark.parametrize(
    ("words", "rows", "lost"),
    [
        ("p95<50ms", 200, True),
        ("p95<50ms", 219, True),  # 209 must be within, 10 may be above: 11 are
        ("p95<50ms", 220, False),
        ("p99.9<50ms", 999, False),  # of so few rows nothing will be told
        ("max<50ms", 10**6, True),
        ("mean<5ms", 237, True),  # 1.19 s in all
        ("mean<5ms", 239, False),
        ("errors<1%", 300, True),
        ("errors<1%", 301, False),
        ("errors<=1%", 300, False),
        ("shed<1%", 1, False),
        ("peak:max<50ms", 200, False),  # of another phase
    ],
)
def test_a_replay_is_lost_when_the_rest_of_its_rows_can_mend_nothing(words: str, rows: int, lost: bool) -> None:
    times = Histogram.of([0.1] * 11 + [0.01] * 9)
    tally = {"name": "all", "answered": 8, "failed": 3, "shed": 0, "latency": times.to_dict()}
    objectives = slo.parse(words)
    assert slo.lost(objectives, [tally, {**tally, "name": "rise"}], {"rise": rows}) == [*objectives] * lost
    if not objectives[0].phase:
        assert slo.lost(objectives, [tally], {"all": rows}) == [*objectives] * lost


def test_one_failure_among_the_first_rows_loses_nothing_yet() -> None:
    tally = {"name": "all", "answered": 0, "failed": 1, "shed": 0, "latency": Histogram.of([0.1]).to_dict()}
    assert slo.lost(slo.parse("errors<1%"), [tally], {"all": 10_000}) == []


def test_the_volcano_has_a_rise_a_peak_and_a_decline() -> None:
    scenario = library.load("volcano")
    parts = phases(scenario)
    assert [name for name, _, _ in parts] == ["before", "rise", "peak", "decline", "after"]
    assert (parts[0][1], parts[-1][2]) == scenario.window_h
    assert all(one[2] == other[1] for one, other in itertools.pairwise(parts))


def test_a_quiet_week_has_one_phase() -> None:
    assert [name for name, _, _ in phases(library.load("quiet_week"))] == ["quiet"]
