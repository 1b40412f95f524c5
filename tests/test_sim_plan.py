"""Plan files: what is wrong with them is said with its place, all of it at once; the library's plans are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from small import desk, pool
from test_sim_rules_plan import lever, rung

from scenarios.errors import DeskError, InputError
from sim import library as desks
from sim.levers import presets
from sim.plan import Plan, load_plan, plan_names

GOOD = """
name = "mine"
triggers = [{ signal = "backlog", enter = 100.0, leave = 20.0 }]
levers = [{ preset = "broadcast", lead_min = 5.0 }]
"""


def wrong(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.toml"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError) as caught:
        load_plan(path)
    return str(caught.value)


def test_the_library_has_the_plans_that_it_should() -> None:
    assert plan_names() == ["all_hands", "answer_all", "broadcast_only", "klm_crisis"]
    crisis = load_plan("klm_crisis")
    assert desks.load("klm_2015").plan == crisis
    kinds = [lever.changes for lever in crisis.levers]
    assert len(kinds) == 8 and kinds[0] == "filter"
    # Reading goes to the filter half an hour after the declaration, nobody is asked before.
    assert crisis.levers[0].lead_min / 60 <= min(rung.after_h for rung in crisis.ladder)


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_a_lever_with_a_story_and_a_source(name: str) -> None:
    found = Plan.model_validate(
        {"name": "p", "triggers": [{"signal": "backlog", "enter": 1.0, "leave": 0.0}], "levers": [{"preset": name}]}
    ).levers[0]
    assert found.name == name.replace("_", " ")
    assert presets()[name]["story"] and presets()[name]["source"]


def test_what_stands_beside_a_preset_lies_over_it(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(GOOD, "utf-8")
    plan = load_plan(path)
    assert (plan.levers[0].lead_min, plan.levers[0].changes) == (5.0, "arrivals")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (", leave = 20.0", "", "mine.toml: triggers[0].leave is missing"),
        ("leave = 20.0", "leave = 200.0", "triggers[0].leave is 200, above enter, which is 100"),
        ('"backlog"', '"back_log"', "triggers[0].signal is \"back_log\", should be one of backlog"),
        ("lead_min = 5.0", "effect = [0.1, 0.5, 1.5]", "levers[0].effect[2] is 1.5, should be"),
        ("lead_min = 5.0", "effect = [0.5, 0.4, 0.9]", "levers[0].effect is [0.5, 0.4, 0.9]; write it as [low,"),
        ("lead_min = 5.0", "lead_min = -5.0", "levers[0].lead_min is -5.0, should be"),
        ('"broadcast"', '"brodcast"', "names the preset 'brodcast', which is unknown; did you mean 'broadcast'?"),
        ("name", "interval_min = 7.0\nname", "interval_min is 7; 60 minutes must be a whole number of them"),
        ("triggers = [{ signal = \"backlog\", enter = 100.0, leave = 20.0 }]", "", "triggers are missing: without one"),
        ("lead_min = 5.0", "led_min = 5.0", "did you mean 'lead_min'?"),
        ("levers", "[[ladder]]\nname = \"r\"\nlead_h = -1.0\ngroups = [{ heads = 1, languages = [\"en\"] }]\n#",
         "ladder[0].lead_h is -1.0"),
        ("levers", "[[ladder]]\nname = \"r\"\nacceptance = 2.0\ngroups = [{ heads = 1, languages = [\"xx\"] }]\n#",
         "ladder[0].acceptance is 2.0"),
    ],
)  # fmt: skip
def test_a_fault_is_said_with_its_place(old: str, new: str, said: str, tmp_path: Path) -> None:
    assert old in GOOD
    assert said in wrong(tmp_path, GOOD.replace(old, new, 1))


def test_all_faults_are_said_at_once(tmp_path: Path) -> None:
    text = GOOD.replace("leave = 20.0", "leave = 200.0").replace("lead_min = 5.0", "lead_min = -5.0")
    told = wrong(tmp_path, text.replace('name = "mine"', 'name = "Mine!"'))
    assert "name is" in told and "levers[0].lead_min" in told


def test_a_plan_that_names_what_the_desk_lacks_is_refused_by_place() -> None:
    plan = Plan.model_validate(
        {
            "name": "p",
            "triggers": [{"signal": "backlog", "enter": 1.0, "leave": 0.0}],
            "levers": [
                lever("handling", 0.5, contacts={"classes": ["gold"]}),
                lever("heads", 0.5, extend_h=1.0, pools=["night"]),
                lever("overflow", None, overflow={"after_min": 1.0, "to_pools": ["day"]}),
            ],
            "ladder": [{**rung(), "groups": [{"heads": 1, "languages": ["en"], "topics": ["claims"]}]}],
        }
    )
    with pytest.raises(DeskError) as caught:
        desk(pool()).with_plan(plan)
    told = str(caught.value).splitlines()
    assert len(told) == 4 and all(line.startswith("plan p on desk small: ") for line in told)
    assert "levers[0].contacts.classes names 'gold', which is no class; there are all" in str(caught.value)
    assert "ladder[0].groups[0].topics names 'claims', which is no topic group; there are none" in str(caught.value)


def test_a_desk_may_name_its_plan_and_does_not_know_another(tmp_path: Path) -> None:
    path = tmp_path / "desk.toml"
    text = 'name = "d"\ntitle = "D"\nplan = "{}"\npools = [{{ name = "a", languages = ["en"], steps = [[0.0, 1]] }}]\n'
    path.write_text(text.format("answer_all"), "utf-8")
    assert desks.load(path).plan == load_plan("answer_all")
    path.write_text(text.format("answer_al"), "utf-8")
    with pytest.raises(InputError, match=r"plan names 'answer_al', which .* did you mean 'answer_all'"):
        desks.load(path)
