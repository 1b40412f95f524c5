"""Cases that wait when the window opens: in front of the trace, which stays as it is; both engines take them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from audited import wrong
from engines import run_both

from scenarios import library as scenario_library
from scenarios.carried import LONGEST_H, carry_in
from scenarios.errors import ScenarioError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import NONE, Language, PostKind, code
from sim import library as desk_library
from sim.measures import measure

DATA = Path(__file__).parent / "data"
BACKLOG = {Language.NL: 40, Language.EN: 85}


@pytest.fixture(scope="module")
def tiny() -> Scenario:
    return scenario_library.load(DATA / "tiny.toml")


def test_so_many_cases_of_each_language_stand_before_the_window(tiny: Scenario) -> None:
    plain = generate(tiny, 3)
    trace = carry_in(tiny, plain, BACKLOG, 3, 0)
    early = trace["time_s"] < trace.about["window_s"][0]
    assert np.array_equal(np.flatnonzero(early), np.arange(125))
    assert np.all(np.diff(trace["time_s"]) >= 0.0)
    assert {lang: int(np.sum(trace["language"][early] == code(lang))) for lang in BACKLOG} == BACKLOG
    assert set(trace["kind"][early]) == {code(PostKind.CASE)}
    assert trace["case"][early].tolist() == list(range(125))
    assert trace.cases == plain.cases + 125
    assert trace.about["backlog"] == {"en": 85, "nl": 40} and trace.digest != plain.digest


def test_the_trace_behind_them_is_the_same(tiny: Scenario) -> None:
    plain = generate(tiny, 3)
    trace = carry_in(tiny, plain, BACKLOG, 3, 0)
    for name, column in plain.columns.items():
        behind = trace[name][125:]
        if name in ("author", "case", "parent"):
            pointing = column != NONE
            behind = np.where(pointing, behind - (125), behind)
        assert np.array_equal(behind, column), name
    assert carry_in(tiny, plain, {}, 3, 0) is plain
    assert carry_in(tiny, plain, BACKLOG, 3, 0).digest == trace.digest
    assert carry_in(tiny, plain, BACKLOG, 4, 0).digest != trace.digest


def test_they_are_the_last_that_the_scenario_brings(tiny: Scenario) -> None:
    # 8 cases an hour, 30 % Dutch; the window opens on a Monday at 8: 40 Dutch cases take 16.7 mean hours or more, as
    # nights and Sundays are quiet; their ages are spread over all of it, so the oldest of 40 is near the end.
    trace = carry_in(tiny, generate(tiny, 3), {Language.NL: 40}, 3, 0)
    age_h = (trace.about["window_s"][0] - trace["time_s"][:40]) / 3600.0
    assert age_h.min() > 0.0
    assert 12.0 < age_h.max() < 40.0
    thousand = carry_in(tiny, generate(tiny, 3), {Language.NL: 1000}, 3, 0)
    assert (thousand.about["window_s"][0] - thousand["time_s"][0]) / 3600.0 == pytest.approx(LONGEST_H, rel=0.01)


def test_both_engines_and_the_auditor_take_them(tiny: Scenario) -> None:
    desk = desk_library.load(DATA / "tiny_desk.toml")
    plain = generate(tiny, 3)
    trace = carry_in(tiny, plain, BACKLOG, 3, 0)
    outcome = run_both(tiny, desk, trace, 3)
    assert wrong(outcome, tiny, desk, trace) == []
    early = outcome.cases["posted_s"] < trace.about["window_s"][0]
    assert np.count_nonzero(early) == 125
    assert np.all(outcome.cases["first_start_s"][early] >= trace.about["window_s"][0])  # nobody is there before
    without = measure(run_both(tiny, desk, plain, 3))
    told = measure(outcome)
    assert (told["cases"] or 0) >= (without["cases"] or 0) + 125
    assert (told["oldest_wait_max_s"] or 0) > (without["oldest_wait_max_s"] or 0)


def test_a_language_that_the_scenario_does_not_know_is_said(tiny: Scenario) -> None:
    with pytest.raises(ScenarioError, match="tiny brings no cases in ja before its window opens"):
        carry_in(tiny, generate(tiny, 3), {Language.JA: 1}, 3, 0)
    with pytest.raises(ScenarioError, match=r"1,000,001 cases is more than the 1,000,000"):
        carry_in(tiny, generate(tiny, 3), {Language.NL: 1_000_001}, 3, 0)
