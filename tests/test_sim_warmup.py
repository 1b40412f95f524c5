"""A warm-up: what comes in the first hours is simulated and not measured; what waits then is seen."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from scenarios import library as scenario_library
from scenarios.errors import ScenarioError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import PostKind, code
from scenarios.traces import Trace
from sim import compiled
from sim import library as desk_library
from sim.desk import Desk
from sim.intervals import intervals
from sim.measures import by_class, by_language, measure
from sim.outcome import Outcome
from sim.replicate import replicate
from sim.waits import Rows
from sim.warmup import check, warmed

DATA = Path(__file__).parent / "data"
CUT_S = 3600.0  # two hours after the window's start


@pytest.fixture(scope="module")
def made() -> tuple[Scenario, Desk, Trace, Outcome]:
    scenario, desk = scenario_library.load(DATA / "tiny.toml"), desk_library.load(DATA / "tiny_desk.toml")
    trace = generate(scenario, 7)
    return scenario, desk, trace, compiled.run(scenario, desk, trace, 7)


@pytest.fixture(scope="module")
def warm(made: tuple[Scenario, Desk, Trace, Outcome]) -> Outcome:
    return warmed(made[3], made[2], 2.0)


def test_the_rows_stay_and_no_warm_up_changes_nothing(
    made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome
) -> None:
    _, _, trace, outcome = made
    assert warm.differences(outcome) == [] and warm.digest != outcome.digest
    assert warmed(outcome, trace, 0.0) is outcome
    # Nothing lies before the window, so a warm-up of no length gives every measure as it was.
    counted = {"measured_mentions": trace.mentions, "measured_suppressed": 0}
    about = {**outcome.about, "measured_from_s": outcome.about["window_s"][0], **counted}
    none = replace(outcome, about=about)
    assert (measure(none), by_language(none), by_class(none)) == (
        measure(outcome), by_language(outcome), by_class(outcome)
    )  # fmt: skip


def test_only_cases_posted_since_count(made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome) -> None:
    _, _, trace, outcome = made
    told, late = measure(warm), outcome.cases["posted_s"] >= CUT_S
    assert 0 < np.count_nonzero(late) < late.size
    assert told["cases"] == np.count_nonzero(late)
    response = outcome.cases["first_reply_s"][late] - outcome.cases["posted_s"][late]
    assert told["answered_within_60min_share"] == pytest.approx(np.mean(response <= 3600.0))
    posts = (trace["time_s"] >= CUT_S) & (trace["kind"] != code(PostKind.CALL))
    assert told["mentions_trace"] == np.count_nonzero(posts)
    made_s = outcome.extra["time_s"]
    assert told["mentions"] == np.count_nonzero(posts) + np.count_nonzero(made_s >= CUT_S)
    assert sum(row["cases"] or 0 for row in by_language(warm).values()) == told["cases"]
    assert sum(row["cases"] or 0 for row in by_class(warm).values()) == told["cases"]


def test_hours_and_costs_are_those_of_the_rest(made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome) -> None:
    # Four English heads, and two Dutch shifts that are paid, breaks in, in the two hours.
    whole, rest, staff = measure(made[3]), measure(warm), made[3].staff
    end_s = warm.about["window_s"][1]
    there = np.clip(staff["off_s"], CUT_S, end_s) - np.clip(staff["on_s"], CUT_S, end_s)
    assert rest["agent_hours"] == pytest.approx(there.sum() / 3600.0)
    assert rest["paid_hours"] == pytest.approx((whole["paid_hours"] or 0) - 4 * 2 - 2 * 2)
    assert rest["cost"] == pytest.approx((whole["cost"] or 0) - 4 * 2 * 30.0 - 2 * 2 * 32.0)
    assert 0.0 < (rest["occupancy"] or 0) <= 1.0


def test_what_waits_at_the_end_of_the_warm_up_is_seen(
    made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome
) -> None:
    _, _, _, outcome = made
    from_s, until_s = Rows(outcome).backlog
    times = np.append(from_s[from_s >= CUT_S], CUT_S)  # the queue is longest where one comes in, or at the beginning
    longest = max(int(np.count_nonzero((from_s <= t) & (until_s > t))) for t in times)
    assert measure(warm)["peak_backlog"] == longest > 0
    oldest = np.minimum(until_s, outcome.about["end_s"])[until_s > CUT_S] - from_s[until_s > CUT_S]
    assert measure(warm)["oldest_wait_max_s"] == pytest.approx(oldest.max())


def test_waits_are_those_of_turns_queued_since(made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome) -> None:
    wait_s, _, _ = Rows(warm).answers
    whole_s, _, _ = Rows(made[3]).answers
    assert 0 < wait_s.size < whole_s.size
    assert measure(warm)["wait_mean_s"] == pytest.approx(wait_s.mean())


def test_what_is_laid_out_by_the_clock_shows_the_warm_up(
    made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome
) -> None:
    one, other = intervals(made[3], made[2]), intervals(warm, made[2])
    assert np.array_equal(one.cases, other.cases) and np.array_equal(one.edges_s, other.edges_s)


def test_replications_are_warmed(made: tuple[Scenario, Desk, Trace, Outcome], warm: Outcome) -> None:
    scenario, desk, _, _ = made
    (run,) = replicate(scenario, desk, 1, 7, warm_up_h=2.0, size="likely")
    assert (run.outcome, run.row) == (warm.digest, measure(warm))


def test_a_warm_up_that_leaves_nothing_is_said(made: tuple[Scenario, Desk, Trace, Outcome]) -> None:
    scenario, desk, _, _ = made
    check(scenario, None, 5.9)
    with pytest.raises(ScenarioError, match="a warm-up of 6 hours leaves nothing to measure of a window of 6"):
        check(scenario, None, 6.0)
    with pytest.raises(ScenarioError, match="of a window of 2"):
        replicate(scenario, desk, 1, 7, hours=2.0, warm_up_h=3.0)
