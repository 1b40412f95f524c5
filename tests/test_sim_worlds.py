"""Worlds: what is assumed is drawn at its place, the same for every alternative, and nothing is left out silently."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scenarios.behaviour import Behaviour
from scenarios.errors import ScenarioError
from scenarios.laws import Constant, Lognormal
from scenarios.model import Assumption, Scenario
from sim.desk import Desk
from sim.levers import ArrivalsLever, Trigger, effect_of
from sim.plan import Plan
from sim.worlds import Assumed, LeftOut, Range, survey

DATA = Path(__file__).parent / "data"


def entry(what: str, low: float | None = None, high: float | None = None) -> Assumption:
    return Assumption(what=what, reason="a guess", low=low, high=high)


def scenario(*assumed: Assumption) -> Scenario:
    return Scenario.load(DATA / "tiny.toml").model_copy(update={"assumed": assumed})


def desk(*assumed: Assumption, plan: Plan | None = None, **more: Any) -> Desk:
    return Desk.load(DATA / "tiny_desk.toml").model_copy(update={"assumed": assumed, "plan": plan, **more})


TRIGGERS = (Trigger(signal="backlog", enter=1.0, leave=0.0),)


def lever(name: str, effect: tuple[float, float, float]) -> ArrivalsLever:
    return ArrivalsLever(name=name, changes="arrivals", effect=effect)


def effect(plan: Plan, number: int) -> tuple[float, float, float]:
    found = effect_of(plan.levers[number])
    assert found is not None
    return found


def whys(found: Assumed) -> dict[str, str]:
    return {left.what: left.why for left in found.left_out}


def test_a_value_is_set_at_its_place_and_nowhere_else() -> None:
    row = entry("behaviour.recontact.probability", 0.2, 0.6)
    before = scenario(row)
    (world,) = survey(before, [desk()]).draw(1, 1)
    drawn = world.scenario.behaviour.recontact.probability
    assert world.values == (drawn,)
    assert 0.2 <= drawn <= 0.6 and drawn != before.behaviour.recontact.probability
    back = before.behaviour.recontact.model_copy(update={"probability": drawn})
    assert world.scenario == before.model_copy(update={"behaviour": changed(before.behaviour, recontact=back)})
    assert world.desks == (desk(),)


def changed(behaviour: Behaviour, **to: Any) -> Behaviour:
    return behaviour.model_copy(update=to)


def test_a_constant_law_is_set_and_any_other_law_by_its_parameter() -> None:
    found = survey(
        scenario(entry("behaviour.patience_h.median", 3.0, 12.0)), [desk(entry("triage.reading_s", 15.0, 45.0))]
    )
    assert found.left_out == ()
    (world,) = found.draw(1, 1)
    median, reading_s = world.values
    patience = world.scenario.behaviour.patience_h
    assert isinstance(patience, Lognormal) and patience.median == median
    assert world.desks[0].triage.reading_s == Constant(value=reading_s)


def test_one_pool_or_all_of_them() -> None:
    one = survey(scenario(), [desk(entry("pools[1].absent_share", 0.1, 0.2))]).draw(1, 1)[0]
    assert [pool.absent_share for pool in one.desks[0].pools] == [0.0, one.values[0]]
    every = survey(scenario(), [desk(entry("pools[*].absent_share", 0.1, 0.2))]).draw(1, 1)[0]
    assert [pool.absent_share for pool in every.desks[0].pools] == [every.values[0]] * 2


def test_whole_numbers_stay_whole_and_are_equally_likely() -> None:
    found = survey(scenario(), [desk(entry("pools[0].reserve", 1.0, 3.0))])
    drawn = [world.desks[0].pools[0].reserve for world in found.draw(1, 300)]
    assert {type(value) for value in drawn} == {int}
    # 300 draws of three values: 100 of each with standard error sqrt(300 * 2 / 9) = 8.2; 4 errors is 33.
    assert [drawn.count(value) for value in (1, 2, 3)] == pytest.approx([100, 100, 100], abs=33)


def test_uniform_without_a_likely_value_triangular_with_one() -> None:
    flat, peaked = Range("", "", 2.0, 6.0, None, ""), Range("", "", 0.0, 1.0, 0.8, "")
    assert [flat.value(u) for u in (0.0, 0.25, 0.5)] == [2.0, 3.0, 4.0]
    # The distribution function of the triangle (0, 0.8, 1) is x^2 / 0.8 below the likely value, and
    # 1 - (1 - x)^2 / 0.2 above it.
    assert peaked.value(0.2) == pytest.approx(0.4)
    assert peaked.value(0.8) == pytest.approx(0.8)
    assert peaked.value(0.95) == pytest.approx(0.9)
    assert Range("", "", 0.5, 0.5, 0.5, "").value(0.3) == 0.5
    values = [peaked.value(u) for u in np.linspace(0.0, 1.0, 101)]
    assert values == sorted(values) and (values[0], values[-1]) == (0.0, 1.0)


def test_the_effects_of_levers_are_drawn() -> None:
    plan = Plan(
        name="p", triggers=TRIGGERS, levers=(lever("pinned", (0.1, 0.25, 0.4)), lever("certain", (0.3, 0.3, 0.3)))
    )
    found = survey(scenario(), [desk(plan=plan)])
    assert [(each.where, each.what, each.likely) for each in found.ranges] == [
        ("plan p", "pinned", 0.25),
        ("plan p", "certain", 0.3),
    ]
    for world in found.draw(1, 20):
        made = world.desks[0].plan
        assert made is not None
        low, likely, high = effect(made, 0)
        assert low == likely == high == world.values[0]
        assert 0.1 <= likely <= 0.4
        assert effect(made, 1) == (0.3, 0.3, 0.3)


def test_all_alternatives_meet_the_same_world() -> None:
    row = entry("triage.reading_s", 15.0, 45.0)
    mild, strong = (
        Plan(name=n, triggers=TRIGGERS, levers=(lever("pinned", e),))
        for n, e in (("a", (0.0, 0.2, 0.4)), ("b", (0.0, 0.4, 0.8)))
    )
    desks = [desk(row, plan=mild), desk(row, plan=strong), desk(entry("triage.reading_s", 30.0, 90.0), name="slow")]
    for world in survey(scenario(), desks).draw(3, 10):
        first, second, slow = world.desks
        assert first.triage == second.triage
        assert slow.triage.reading_s.mean() == pytest.approx(2.0 * first.triage.reading_s.mean())
        assert first.plan is not None and second.plan is not None
        assert effect(second.plan, 0)[1] == pytest.approx(2.0 * effect(first.plan, 0)[1])


def test_a_world_is_named_by_the_seed_and_its_number() -> None:
    found = survey(scenario(entry("mix.non_customers", 0.0, 0.15)), [desk()])
    four = [world.values for world in found.draw(1, 4)]
    assert [world.values for world in found.draw(1, 9)][:4] == four
    assert len(set(four)) == 4
    assert [world.values for world in found.draw(2, 4)] != four


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (entry("mix.non_customers"), "has no range"),
        (entry("mix.non_customers", low=0.1), "has no range"),
        (entry("surges[0].size"), "has no range of its own; it is drawn for each run"),
        (entry("how angry people are", 0.0, 1.0), "names no place of the file"),
        (entry("", 0.0, 1.0), "names no place of the file"),
        (entry("surges[7].mentions", 0.0, 1.0), "names no place of the file"),
        (entry("mix.languages", 0.0, 1.0), "is not a single number"),
        (entry("behaviour.patience_h", 3.0, 12.0), "is not a single number"),
        (entry("mix.non_customers", 0.2, 0.1), "has low 0.2 above high 0.1"),
        (entry("people.flights", 0.2, 0.4), "has no whole number from 0.2 to 0.4"),
        (entry("mix.non_customers", 0.5, 1.5), "cannot be 1.5: mix.non_customers is 1.5, should be at most 1"),
    ],
    ids=lambda value: value.what if isinstance(value, Assumption) else "",
)
def test_what_cannot_be_drawn_is_listed_with_its_reason(row: Assumption, why: str) -> None:
    found = survey(scenario(row), [desk()])
    assert found.ranges == ()
    assert found.left_out == (LeftOut("scenario", row.what, why),)


def test_every_entry_of_the_library_is_drawn_or_listed() -> None:
    for name in ("volcano", "it_outage"):
        given, who = Scenario.load(name), Desk.load("klm_2015")
        found = survey(given, [who, who])
        told = {(each.where, each.what) for each in found.ranges} | {(each.where, each.what) for each in found.left_out}
        assert {("scenario", row.what) for row in given.assumed} <= told
        assert {("desk klm_2015", row.what) for row in who.assumed} <= told
        without = {row.what for row in (*given.assumed, *who.assumed) if row.low is None or row.high is None}
        assert set(whys(found)) == without


def test_values_that_do_not_fit_together_are_drawn_again() -> None:
    # The file has 8 cases and 40 mentions an hour. 28 cases go with 40 mentions, and 8 cases with 15 mentions,
    # but a third of the square between them has more cases than mentions.
    rows = entry("base.cases_per_h", 8.0, 28.0), entry("base.mentions_per_h", 15.0, 40.0)
    found = survey(scenario(*rows), [desk()])
    assert len(found.ranges) == 2
    worlds = found.draw(1, 60)
    assert any(world.attempt for world in worlds)
    assert all(world.scenario.base.cases_per_h == world.values[0] for world in worlds)


def test_ranges_that_never_fit_together_are_an_error_and_so_is_nothing_to_draw() -> None:
    with pytest.raises(ScenarioError, match=r"nothing to draw worlds from: .* leave --worlds out"):
        survey(scenario(), [desk()]).draw(1, 1)
    row = entry("base.cases_per_h", 1.0, 2.0)
    found = survey(scenario(row), [desk()])
    never = Assumed(
        found.scenario, found.desks, (Range("scenario", row.what, 50.0, 60.0, None, "x"),), (), found.places
    )
    with pytest.raises(ScenarioError, match=r"do not fit together: 100 draws of world 0 were refused, .*cases_per_h"):
        never.draw(1, 1)
