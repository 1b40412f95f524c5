"""Desk files: what the library holds, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scenarios import library as scenarios
from scenarios.errors import DeskError, InputError
from scenarios.files import check
from scenarios.generate import generate
from scenarios.names import Language
from sim import library, reference
from sim.desk import Desk, span_s

GOOD: dict[str, Any] = {"name": "d", "title": "d", "pools": [{"name": "p", "languages": ["en"], "steps": [[0.0, 3]]}]}


def faults(**changes: Any) -> str:
    with pytest.raises(InputError) as caught:
        check(Desk, {**GOOD, **changes}, Path("desk.toml"))
    return str(caught.value)


def pool(**changes: Any) -> list[dict[str, Any]]:
    return [{"name": "p", "languages": ["en"], "steps": [[0.0, 3]], **changes}]


@pytest.mark.parametrize("name", ["klm_2011", "klm_2015"])
def test_a_library_desk_says_where_it_comes_from(name: str) -> None:
    desk = library.load(name)
    assert desk.story and desk.sources and desk.assumed
    assert desk.plan is not None
    assert name in library.names()


def test_the_desk_of_2015_speaks_fourteen_languages_and_that_of_2011_bridges() -> None:
    assert library.load("klm_2015").languages == frozenset(Language)
    small = library.load("klm_2011")
    assert (small.heads, len(small.languages), len(small.platforms)) == (23, 11, 6)
    assert small.routing.unserved == "bridge"


def test_a_language_that_nobody_speaks_is_an_error_unless_it_is_bridged() -> None:
    week = scenarios.load("quiet_week")
    trace = generate(week, 1, hours=1.0)
    with pytest.raises(DeskError, match=r"serves nobody in: .*th"):
        reference.run(week, Desk.model_validate(GOOD), trace, 1)
    bridged = Desk.model_validate({**GOOD, "routing": {"unserved": "bridge"}})
    assert reference.run(week, bridged, trace, 1).cases["posted_s"].size == trace.cases


def test_a_shift_outside_the_week_is_named() -> None:
    agents = [{"code": "a", "shifts": ["mon 07:00-16:00", "mox 07:00-16:00", "tue 07:00-25:00"]}]
    said = faults(pools=pool(steps=[], agents=agents))
    assert "desk.toml: pools[0].agents[0].shifts[1]" in said and "outside the week" in said
    assert "shifts[2]" in said and "25:00" in said


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pools": pool(languages=["xx"])}, "pools[0].languages"),
        ({"pools": pool(timezone="Europe/Atlantis")}, "time zone that does not exist"),
        ({"pools": pool(steps=[[0.0, 3], [0.0, 4]])}, "not after 0 h of the step before"),
        ({"pools": pool(steps=[])}, "needs either steps"),
        ({"pools": pool(steps=[[0.0, -1]])}, "pools[0].steps[0]"),
        ({"pools": pool(absent_share=1.5)}, "absent_share"),
        ({"pools": pool(topics=["money"])}, "no topic group"),
        ({"pools": pool() + pool()}, "a second time"),
        ({"poools": []}, "did you mean"),
        ({"classes": [{"name": "a", "when": {"tiers": ["gold"]}, "promise_min": 5.0}]}, "must hold for all"),
        ({"routing": {"overflow": [{"after_min": 5.0}]}}, "needs either to_pools or to_language"),
        ({"routing": {"overflow": [{"after_min": 5.0, "to_pools": ["q"]}]}}, "no pool"),
        ({"routing": {"topic_groups": {"a": ["joke"]}}}, "never a case"),
        ({"plan": {"name": "p", "triggers": [{"signal": "mood", "enter": 1.0, "leave": 0.5}]}}, "signal"),
    ],
)
def test_a_fault_names_its_place(changes: dict[str, Any], words: str) -> None:
    assert words in faults(**changes)


def test_all_faults_of_a_desk_are_said_at_once() -> None:
    said = faults(pools=pool(speed=-1.0, colour="red"), fatigue={"per_h": "much"}, timezone="Mars/Base")
    for words in ("pools[0].speed", "pools[0].colour", "fatigue.per_h", "Mars/Base"):
        assert words in said


def test_a_span_that_ends_before_it_starts_ends_on_the_next_day() -> None:
    assert span_s("sun 22:30-07:30") == (6 * 86_400 + 81_000, 7 * 86_400 + 27_000)
