"""The ways to act: whom a part of the ladder asks, who is at work already, and when they go home."""

import pytest
from commands import TINY, TINY_DESK

from scenarios.errors import InputError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.names import Language
from sim import compiled
from sim.crew import Watch
from sim.desk import Desk
from sim.outcome import PlanStep
from sim.plan import Group, Plan
from sim.staff.nowcast import nowcast
from sim.staff.nowcast_advice import Home, Level, _fewest, _home
from sim.staff.nowcast_seen import see
from sim.staff.nowcast_ways import first_of, read_called_in, share_out, ways

KLM = Desk.load("klm_2015")
LADDER = {
    "name": "small", "triggers": [{"signal": "backlog", "enter": 30.0, "leave": 5.0}],
    "ladder": [
        {"name": "near", "groups": [{"heads": 4, "languages": ["nl", "en"]}], "lead_h": 1.0, "acceptance": 1.0},
        {"name": "far", "groups": [{"heads": 6, "languages": ["en"]}, {"heads": 2, "languages": ["nl"]}],
         "lead_h": 2.0, "acceptance": 1.0},
    ],
}  # fmt: skip
PLAN = Plan.model_validate(LADDER)
SMALL = Desk.load(TINY_DESK).with_plan(PLAN)


def test_a_part_of_the_ladder_is_taken_from_its_lowest_rung_on() -> None:
    some = first_of(PLAN.ladder, 8)
    assert [(rung.name, [group.heads for group in rung.groups]) for rung in some] == [("near", [4]), ("far", [3, 1])]
    assert [rung.name for rung in first_of(PLAN.ladder, 4)] == ["near"]


def test_heads_are_shared_out_by_the_sizes_of_groups_and_none_is_lost() -> None:
    groups = [Group(heads=n, languages={Language.EN: 1.0}) for n in (5, 3, 1)]
    for heads in range(1, 10):
        got = share_out(groups, heads)
        assert sum(group.heads for group in got) == heads
        assert all(group.heads >= 1 for group in got)
    assert [group.heads for group in share_out(groups, 9)] == [5, 3, 1]


def test_those_at_work_cannot_be_asked_again_and_stay_unless_sent_home() -> None:
    found = {way.name: way.desk.plan for way in ways(SMALL, {"far": 4}, (0.0,))}
    nobody, now, home, later = (found[name] for name in ("nobody", "now", "home now", "home +2 h"))
    assert nobody and now and home and later
    assert [(rung.name, rung.heads) for rung in nobody.ladder] == [("far, at work", 4)]
    assert [(rung.name, rung.heads) for rung in now.ladder] == [("far, at work", 4), ("near", 4), ("far", 4)]
    assert home.ladder == ()
    assert [rung.for_h for rung in later.ladder] == [1.75]  # from the first look of the plan on
    assert not [way for way in ways(SMALL) if way.home_h is not None]


def test_those_at_work_are_there_at_the_first_look_of_the_plan() -> None:
    scenario = Scenario.load(TINY)
    trace = generate(scenario, 1, 0, 0.5)
    (way,) = [way for way in ways(SMALL, {"far": 4}) if way.name == "home +2 h"]
    plan = compiled.run(scenario, way.desk, trace, 1).plan
    came = (plan["time_s"][plan["step"] == PlanStep.CALLED] - scenario.window_s[0]) / 3600
    assert came.tolist() == [0.25]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("volunteers=999", "is more than the 110 heads of 'volunteers'"),
        ("volunteers=-3", "volunteers=-3 is no number of heads; write it like volunteers=12"),
        ("friends=3", "friends is no rung of the ladder; there are training and meetings cancelled"),
        ("volunteers=3,vol=4", "volunteers stands there twice"),
        ("=4", "nothing is no rung"),
    ],
)
def test_a_wrong_rung_or_number_has_a_hint(text: str, words: str) -> None:
    with pytest.raises(InputError) as caught:
        read_called_in(text, KLM.plan)
    assert words in str(caught.value)


def test_rungs_are_named_by_their_beginning_and_all_faults_come_at_once() -> None:
    assert read_called_in("vol=30, Off-duty=12,training=0", KLM.plan) == {
        "volunteers": 30, "off-duty agents on twelve-hour shifts": 12,
    }  # fmt: skip
    assert read_called_in("", None) == {}
    with pytest.raises(InputError) as caught:
        read_called_in("friends=3,vol=x", KLM.plan)
    assert len(caught.value.faults) == 2
    with pytest.raises(InputError, match="has no ladder"):
        read_called_in("vol=3", None)


def levels(*rows: tuple[int, float, float]) -> list[Level]:
    return [Level(asked, {Language.EN: asked}, share, need) for asked, share, need in rows]


def test_the_fewest_heads_that_keep_the_promise_are_asked() -> None:
    assert _fewest(levels((10, 0.78, 0.6), (20, 0.85, 0.2), (40, 0.95, 0.0))).asked == 20
    # nobody keeps it: all but a point of what the whole ladder brings
    assert _fewest(levels((10, 0.40, 1.0), (20, 0.595, 1.0), (40, 0.60, 1.0))).asked == 20


def test_people_go_home_from_when_on_nobody_misses_them() -> None:
    homes = [Home(0.0, 0.70, 0.9), Home(1.0, 0.85, 0.1), Home(2.0, 0.72, 0.8), Home(4.0, 0.88, 0.0)]
    assert _home(homes, "calm", 0.89) == 4.0  # what holds at 1 h must hold later as well
    assert _home(homes, "needed", 0.89) is None
    assert _home(homes, "usual", 0.89) == 0.0
    assert _home(homes[:1], "calm", 0.89) is None
    assert _home([], "usual", 0.89) is None


def test_on_a_calm_day_those_who_were_called_in_are_stood_down() -> None:
    scenario = Scenario.load(TINY)
    seen = see(scenario, "11:00", "09:00=45/10 10:00=55/11")
    found = nowcast(scenario, SMALL, seen, {}, 24, 4, 1, Watch(), {"far": 4})
    assert found is not None
    advice = found.advice
    assert not advice.call and advice.home_h is not None
    assert [home.after_h for home in advice.homes] == [0.0, 1.0, 2.0, 4.0, 8.0]
    # who stays longer answers more, or as much
    assert advice.homes[-1].share >= advice.homes[0].share - 0.01
