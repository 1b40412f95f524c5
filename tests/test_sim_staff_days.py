"""Seats as a desk, and the same days counted by interval and language."""

import numpy as np
import pytest

from scenarios.model import Scenario
from sim.desk import Desk
from sim.measures import measure
from sim.reference import run
from sim.replicate import replicate
from sim.staff.days import Days, count
from sim.staff.promise import Promise
from sim.staff.seats import Seats

QUIET, KLM = Scenario.load("quiet_week"), Desk.load("klm_2015")
PROMISES = (Promise.read("80% in 20 min"), Promise.read("80% in 60 min"))


def seats(n: int, intervals: int) -> Seats:
    return Seats(0.0, np.full((len(KLM.pools), intervals), n, dtype=np.int64))


def test_seats_become_steps_that_change_when_they_change() -> None:
    some = seats(2, 8)
    some.heads[0] = [1, 1, 1, 2, 2, 0, 0, 0]
    desk = some.desk(KLM)
    assert desk.pools[0].steps == ((0.0, 1), (0.75, 2), (1.25, 0))
    assert desk.pools[1].steps == ((0.0, 2),)
    assert desk.plan is not None and desk.plan.ladder == ()
    assert some.hours == pytest.approx((7 + 11 * 16) / 4)


def test_what_days_count_is_what_the_measures_say() -> None:
    days = Days.draw(QUIET, 2, 5, hours=6.0)
    desk = seats(3, days.intervals).desk(KLM)
    for kept, there in zip(
        days.play(desk, PROMISES), replicate(QUIET, desk, 2, 5, hours=6.0, drain_h=2.0), strict=True
    ):
        assert kept.cases.sum() == there.row["cases"]
        shares = kept.kept.sum(axis=(1, 2)) / kept.cases.sum()
        assert shares[0] == pytest.approx(there.row["answered_within_20min_share"])
        assert shares[1] == pytest.approx(there.row["answered_within_60min_share"])


def test_intervals_and_languages_are_those_of_the_posts() -> None:
    days = Days.draw(QUIET, 1, 7, hours=3.0)
    outcome = run(QUIET, seats(4, days.intervals).desk(KLM), days.traces[0], 7, 0, 1.0)
    kept = count(outcome, PROMISES, days.intervals)
    posted, language = outcome.cases["posted_s"], outcome.cases["language"]
    for i in range(days.intervals):
        here = (posted >= 900.0 * i) & (posted < 900.0 * (i + 1))
        assert np.array_equal(kept.cases[:, i], np.bincount(language[here], minlength=kept.cases.shape[0]))
    assert measure(outcome)["cases"] == kept.cases.sum()
