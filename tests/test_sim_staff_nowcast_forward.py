"""The desk played on from now: busyness goes on, calls come when they are made, the same draws for every way."""

from collections import Counter
from functools import cache

import numpy as np
import pytest
from commands import TINY, TINY_DESK
from nowcasting import whole_hours

from scenarios.arrivals import HOUR_S, Grid
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language
from sim import compiled
from sim.crew import Watch
from sim.desk import Desk
from sim.estimate import Estimate
from sim.outcome import PlanStep
from sim.plan import Plan
from sim.staff.nowcast import Nowcast, nowcast, usual_draws
from sim.staff.nowcast_advice import Call, _flips, _latest, _limit, _reason
from sim.staff.nowcast_fan import Learnt, look_ahead
from sim.staff.nowcast_forward import Draw, Played, _Onward, play_on, told
from sim.staff.nowcast_law import law
from sim.staff.nowcast_posterior import Counts, believe
from sim.staff.nowcast_seen import see
from sim.staff.nowcast_shape import means, prior
from sim.staff.nowcast_ways import ways

KLM = Desk.load("klm_2015")
LADDER = {
    "name": "small", "declaration_min": 30.0, "interval_min": 15.0,
    "triggers": [{"signal": "backlog", "enter": 30.0, "leave": 5.0}],
    "ladder": [
        {"name": "dutch friends", "groups": [{"heads": 12, "languages": ["nl", "en"]}], "after_h": 0.5,
         "lead_h": {"kind": "uniform", "low": 1.0, "high": 2.0}, "acceptance": 1.0, "max_h": 8.0},
    ],
}  # fmt: skip


@cache
def desk() -> Desk:
    return Desk.load(TINY_DESK).with_plan(Plan.model_validate(LADDER))


@cache
def asked(so_far: str, onset: str | None = None) -> Nowcast:
    scenario = Scenario.load(TINY)
    told = nowcast(scenario, desk(), see(scenario, "11:00", so_far, onset), {Language.NL: 9}, 24, 8, 1, Watch())
    assert told is not None
    return told


def crisis() -> Nowcast:
    return asked("09:00=150/40 10:00=200/60", "09:00")


def test_a_ladder_called_later_is_asked_later_and_nobody_without_a_call() -> None:
    scenario = Scenario.load(TINY)
    trace = generate(scenario, 1, 0, 0.5)
    times = []
    for way in ways(desk(), None, (0.0, 1.0)):
        plan = compiled.run(scenario, way.desk, trace, 1).plan
        times.append((plan["time_s"][plan["step"] == PlanStep.CALLED] - scenario.window_s[0]) / HOUR_S)
    nobody, now, later = times[1:4]
    assert nobody.size == 0
    assert (now.tolist(), later.tolist()) == ([0.5], [1.5])  # half an hour after the declaration, as the rung says


def test_without_a_ladder_there_is_only_the_plan_as_it_is() -> None:
    assert [way.name for way in ways(Desk.load(TINY_DESK))] == ["plan"]
    assert [way.name for way in ways(desk(), None, (0.0, 1.0))] == [
        "plan", "nobody", "now", "+1 h", "3 heads", "6 heads", "9 heads",
    ]  # fmt: skip


def test_every_way_meets_the_same_cases_with_those_that_wait() -> None:
    told = crisis()
    for draw in told.draws:
        assert {run.backlog[0] for run in draw.played} == {9}
        # re-contacts may open cases of their own: as many as there were, or more
        assert min(run.cases for run in draw.played) >= draw.cases + 9
    assert len({draw.cases for draw in told.draws}) > 4


def test_busyness_goes_on_from_the_hours_seen_as_the_forecast_says() -> None:
    # 400 draws from five minutes to five minutes against the fan, which knows nothing of these: the mean busyness of an
    # hour has a standard error of 0.3 / sqrt(400) = 1.5 %, that of 2,000 counts (400 surges) as much again.
    quiet = Scenario.load("quiet_week")
    rules = law(quiet, whole_hours(8, 30))
    table = means(prior(quiet, (-0.5, 0.5), 1), rules)
    posterior = believe(rules, table, Counts(np.round(1.4 * table.ordinary[:, :6])), 1, True)
    ahead = look_ahead(posterior, 2_000, 1).cases.mean(axis=0) / table.ordinary[0, 6:]
    onward, grid = _Onward(posterior, 1), Grid.over(quiet, -64 * HOUR_S, 30 * HOUR_S)
    busy = np.stack([onward.busy(posterior.variant.size, place, grid) for place in range(400)]).mean(axis=0)
    step_h = grid.start_s / HOUR_S + (np.arange(busy.size) + 0.5) / 12.0
    hourly = [float(busy[(step_h > hour) & (step_h < hour + 1)].mean()) for hour in (8, 14, 20, 29)]
    assert hourly[0] > 1.2 > hourly[2] > 1.0
    # a count feels the busyness of the hour before as well, by its clusters: it runs a little behind
    assert hourly[1] == pytest.approx(ahead[0], abs=0.08)
    assert hourly[2:] == pytest.approx([ahead[6], ahead[15]], abs=0.07)


def test_the_same_question_has_the_same_answer() -> None:
    told = crisis()
    again = play_on(told.posterior, told.now_h, told.hours, told.backlog, told.ways, len(told.draws), 1, Watch())
    assert [draw.cases for draw in again] == [draw.cases for draw in told.draws]
    assert [run.missed for draw in again for run in draw.played] == [
        run.missed for draw in told.draws for run in draw.played
    ]


def test_in_a_crisis_that_the_desk_cannot_take_a_call_is_advised() -> None:
    advice = crisis().advice
    assert (advice.reason, advice.call) == ("needed", True)
    assert advice.risk > 0.8 and (advice.share.mean or 1.0) < 0.8
    now = advice.calls[0]
    assert now.share > (advice.share.mean or 1.0) and (now.gained.low or 0.0) > 0.0
    assert [call.delay_h for call in advice.calls] == [0.0, 1.0, 2.0, 4.0, 8.0]
    (step,) = advice.steps
    # a quarter of the twelve is enough
    assert advice.asked is not None and advice.asked.need <= 0.2
    assert (step.heads, step.asked_h, step.heads_first) == (3, 0.5, 3) == (advice.asked.asked, 0.5, 3)
    assert step.first_h == pytest.approx(1.5, abs=0.05) and step.most_h == pytest.approx(2.4, abs=0.05)


@pytest.mark.parametrize("so_far", ["09:00=0/0 10:00=0/0", "09:00=45/10 10:00=55/11"])
def test_with_nothing_but_zeros_or_an_ordinary_day_no_call_is_advised(so_far: str) -> None:
    told = asked(so_far)
    # this desk misses its promise on ordinary days as well: that is no reason to call
    assert told.advice.risk > 0.2
    assert (told.advice.reason, told.advice.call, told.advice.latest_h) == ("usual", False, None)
    assert told.posterior.surge_share < 0.2


def test_zeros_of_the_volcano_are_no_reason_to_call_even_with_a_stated_onset() -> None:
    volcano = Scenario.load("volcano")
    seen = see(volcano, "+3h", "+0h=0/0 +1h=0/0 +2h=0/0")
    found = nowcast(volcano, KLM, seen, {}, 24, 2, 1, Watch())
    assert found is not None
    assert not found.advice.call and found.advice.risk < 0.2


def test_what_is_told_of_a_run_is_counted_case_by_case() -> None:
    scenario = Scenario.load(TINY)
    trace = generate(scenario, 1, 0, 0.5)
    outcome = compiled.run(scenario, desk(), trace, 1, 0, 2.0)
    played = told(outcome, 6)
    cases = outcome.cases
    assert played.cases == cases["posted_s"].size
    assert played.missed == np.count_nonzero(~(cases["first_reply_s"] <= cases["due_s"]))
    assert Counter(cases["language"].tolist()) == Counter({i: n for i, n in enumerate(played.by_language[0]) if n})
    noon_s = 3 * HOUR_S
    gone = np.where(cases["state"] == 1, cases["left_s"], np.inf)  # said that he gave up
    waits = (cases["posted_s"] <= noon_s) & (np.minimum(cases["first_start_s"], gone) > noon_s)
    assert played.backlog[4] == np.count_nonzero(waits)  # the window opens an hour before onset


# --- the decision, on numbers by hand --------------------------------------------------------------------


def call(delay_h: float, share: float, low: float = 0.1) -> Call:
    gained = Estimate(8, share - 0.5, low, share)
    return Call(delay_h, share, gained, Estimate(8, 0.0, 0.0, 0.0), 0.0, 0.0)


def test_a_call_is_needed_if_the_risk_is_high_and_it_helps() -> None:
    assert _reason(0.2, [call(0.0, 0.9)], True) == "calm"
    assert _reason(0.3, [call(0.0, 0.9)], True) == "needed"
    assert _reason(0.3, [call(0.0, 0.9)], False) == "usual"
    assert _reason(0.3, [call(0.0, 0.9, low=-0.1)], True) == "no use"
    assert _reason(0.3, [call(0.0, 0.505)], True) == "no use"
    assert _reason(0.3, [], True) == "no ladder"


def test_the_latest_call_is_the_last_before_a_point_is_lost() -> None:
    assert _latest([call(0.0, 0.90), call(1.0, 0.895), call(2.0, 0.88), call(4.0, 0.899)]) == 1.0
    assert _latest([call(0.0, 0.90), call(1.0, 0.88)]) == 0.0


def test_the_limit_parts_those_that_miss_from_those_that_keep() -> None:
    cases = np.array([300.0, 100.0, 400.0, 200.0])
    assert _limit(cases, cases > 250) == 250.0
    assert _limit(cases, np.ones(4, bool)) is None
    assert _limit(cases, np.zeros(4, bool)) is None


def test_the_next_hour_flips_the_answer_where_its_futures_do() -> None:
    futures = tuple(np.full(10, total) for total in (50.0, 60.0, 150.0, 200.0))
    learnt = Learnt(1.0, 1.0, np.array([5.0, 6.0, 9.0, 12.0]), futures, np.array([0.5, 0.5, 0.1, 0.5]))
    assert _flips(learnt, 100.0, True, True) == 8  # between 6 and 9
    assert _flips(learnt, 100.0, False, False) == 10  # a surge as well: between 9 and 12
    assert _flips(learnt, 10.0, True, True) is None
    assert _flips(learnt, None, True, True) is None


def test_longer_looks_play_fewer_draws() -> None:
    assert [usual_draws(hours) for hours in (24, 48, 72)] == [30, 15, 12]
    assert [usual_draws(hours, True) for hours in (24, 48, 72)] == [20, 12, 12]
    assert Played(0, 0, np.zeros((2, 14), np.int64), 0.0, 0.0, 0.0, np.zeros(1, np.int64)).share == 1.0
    assert Draw(0, 0, ()).played == ()
