"""Alternatives on the same days: the same trace and luck for all, whatever the number of processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from scenarios.model import Assumption, Scenario
from sim.compare import COMPARED, KEY, MISSED, Alternative, Day, play
from sim.crew import Watch
from sim.desk import Desk
from sim.differences import differences
from sim.measures import MEASURES
from sim.replicate import replicate
from sim.worlds import survey

DATA = Path(__file__).parent / "data"
RANGE = Assumption(what="behaviour.handling_min.default.mean", reason="a guess", low=10.0, high=40.0)


@pytest.fixture(scope="module")
def tiny() -> Scenario:
    return Scenario.load(DATA / "tiny.toml").model_copy(update={"assumed": (RANGE,)})


@pytest.fixture(scope="module")
def desk() -> Desk:
    return Desk.load(DATA / "tiny_desk.toml")


def more(desk: Desk) -> Desk:
    """The same desk with two more heads for English."""
    pool = desk.pools[0].model_copy(update={"steps": tuple((hour, n + 2) for hour, n in desk.pools[0].steps)})
    return desk.model_copy(update={"pools": (pool, *desk.pools[1:])})


def test_every_alternative_plays_the_trace_that_it_would_play_alone(tiny: Scenario, desk: Desk) -> None:
    days = list(play(tiny, [Alternative("as it is", desk), Alternative("two more", more(desk))], 2, 7, workers=1))
    for at, who in enumerate((desk, more(desk))):
        alone = list(replicate(tiny, who, 2, 7, workers=1))
        assert [(d.number, d.size_u, d.trace) for d in days] == [(r.number, r.size_u, r.trace) for r in alone]
        assert [d.outcomes[at] for d in days] == [r.outcome for r in alone]
        assert [{**d.rows[at]} for d in days] == [{MISSED.id: 1.0 - (kept(r.row) or 0.0), **r.row} for r in alone]


def kept(row: dict[str, float | None]) -> float | None:
    return row["answered_within_promise_share"]


def test_equal_alternatives_have_equal_rows(tiny: Scenario, desk: Desk) -> None:
    days = list(play(tiny, [Alternative("a", desk), Alternative("b", desk)], 3, 7, workers=1))
    assert all(day.outcomes[0] == day.outcomes[1] for day in days)
    for name, (found,) in differences(days).items():
        if found.both:
            assert (found.mean, found.low, found.high) == (0.0, 0.0, 0.0), name
        assert found.order == "same" or found.runs == 0, name


def test_days_are_the_same_whatever_the_number_of_processes(tiny: Scenario, desk: Desk) -> None:
    who = [Alternative("as it is", desk), Alternative("two more", more(desk))]
    worlds = survey(tiny, [each.desk for each in who]).draw(7, 2)
    here = list(play(tiny, who, 2, 7, worlds=worlds, runs_each=2, workers=1))
    assert list(play(tiny, who, 2, 7, worlds=worlds, runs_each=2, workers=2)) == here
    assert [(day.world, day.number) for day in here] == [(None, 0), (None, 1), (0, 0), (0, 1), (1, 2), (1, 3)]


def test_a_world_is_played_as_it_was_drawn(tiny: Scenario, desk: Desk) -> None:
    (world,) = survey(tiny, [desk]).draw(7, 1)
    days = list(play(tiny, [Alternative("a", desk)], 1, 7, worlds=[world], runs_each=1, workers=1))
    (alone,) = replicate(world.scenario, desk, 1, 7, workers=1)
    assert (days[1].trace, days[1].outcomes) == (alone.trace, (alone.outcome,))
    assert days[1].outcomes != days[0].outcomes


def test_a_watch_that_stops_keeps_what_has_finished(tiny: Scenario, desk: Desk) -> None:
    class Enough(Watch):
        finished = 0

        def progress(self, share: float, finished: int) -> None:
            self.finished = finished

        def stopped(self) -> bool:
            return self.finished >= 2

    days: list[Day] = list(play(tiny, [Alternative("a", desk)], 5, 7, workers=1, watch=Enough()))
    assert [day.number for day in days] == [0, 1]


def test_the_measures_that_are_ranked_have_a_good_direction() -> None:
    assert set(KEY) <= set(COMPARED)
    assert all(COMPARED[name].better == "low" for name in KEY)
    assert set(COMPARED) - set(MEASURES) == {MISSED.id}
