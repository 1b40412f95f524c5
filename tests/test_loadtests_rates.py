"""The breaking point of services on paper: a fixed number of seats, each taken for a fixed time."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
from seats import OnPaper

from loadtests.breakpoint import Plan, Spent
from loadtests.rates import Broken, Rates, Timing, find
from loadtests.result import LoadResult
from loadtests.schedule import Schedule
from loadtests.steps import Criteria, Judged, Limits
from scenarios.errors import ComponentError

QUICK = Timing(warm_up_s=0.5, window_s=2.0, samples=0, rest_s=0.0, spacing="even", surge_s=2.0, watched_s=10.0)


def broken(service: OnPaper, timing: Timing = QUICK, slo_p99_s: float | None = None, **plan: float) -> Broken:
    rates = Rates(service, timing, Criteria(slo_p99_s=slo_p99_s), Limits(), seed=1)
    return find(rates, Plan(**{"guess_per_s": 200.0, "start_share": 0.5, **plan}), seed=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(("seats", "service_s"), [(8, 0.04), (1, 0.01), (50, 0.2), (3, 0.25)])
def test_capacity_is_seats_over_service_time_within_10_percent(seats: int, service_s: float) -> None:
    found = broken(OnPaper(seats, service_s), guess_per_s=300.0, confirmations=1).found
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    capacity = seats / service_s
    assert 0.9 * capacity <= found.low_per_s <= found.high_per_s <= 1.1 * capacity
    # 1 % of growth passes, so the truth may lie that much below the lower end.
    assert found.low_per_s <= capacity / 0.99 and capacity <= found.high_per_s


def test_the_defaults_find_it_with_callers_that_come_by_chance() -> None:
    # 12 seats, 50 ms: 240/s. Poisson callers at 98 % of capacity still keep a queue, but not a growing one.
    timing = Timing(rest_s=0.0, surge_s=2.0, watched_s=10.0)
    found = broken(OnPaper(12, 0.05), timing, start_share=0.1).found
    assert found.status == "found" and found.low_per_s is not None and found.high_per_s is not None
    assert 0.9 * 240.0 <= found.low_per_s <= found.high_per_s <= 1.1 * 240.0


def test_an_slo_on_the_latency_is_broken_before_the_service_is() -> None:
    # M/D/1 at 10 ms: the p99 wait passes 30 ms well below 100/s.
    timing = Timing(rest_s=0.0, surge_s=1.0, watched_s=5.0)
    plain = broken(OnPaper(1, 0.01), timing, guess_per_s=100.0, start_share=0.2).found
    slow = broken(OnPaper(1, 0.01), timing, slo_p99_s=0.03, guess_per_s=100.0, start_share=0.2).found
    assert plain.low_per_s is not None and slow.high_per_s is not None
    assert slow.high_per_s < 0.9 * plain.low_per_s
    reasons = [j.reasons[0] for j in slow.steps if j.verdict == "fail"]
    assert any(reason.startswith("p99 ") for reason in reasons)


def test_a_service_that_sheds_breaks_where_it_sheds() -> None:
    found = broken(OnPaper(8, 0.04, waiting=4), confirmations=1).found
    assert found.status == "found" and found.high_per_s is not None
    assert found.high_per_s == pytest.approx(200.0, rel=0.1)
    assert any("answered" in j.reasons[0] for j in found.steps if j.verdict == "fail")


def test_recovery_is_timed_from_beyond_the_breaking_point() -> None:
    # At 200/s: a surge of some 257/s for 2 s leaves some 115 waiting, worked off at about 200 - 98 a second.
    told = broken(OnPaper(8, 0.04), confirmations=1)
    assert told.recovery is not None and told.recovery.seconds is not None
    backlog = (told.recovery.surge_per_s - 200.0) * 2.0
    expected = backlog / (200.0 - told.recovery.quiet_per_s)
    piece = 100.0 / told.recovery.quiet_per_s
    assert expected - piece <= told.recovery.seconds <= expected + 2.0 * piece


def test_the_law_of_seats_is_a_straight_line_until_they_are_taken() -> None:
    found = broken(OnPaper(8, 0.04), start_share=0.1, confirmations=1).found
    law = found.law
    assert law is not None
    # The bend at eight seats is sharper than the law can draw: it misses by a seventh, and says so.
    assert law.rate_one_per_s == pytest.approx(25.0, rel=0.15)
    assert 0.001 < law.rms_residual_share < 0.1


def test_a_late_generator_says_nothing_of_the_service() -> None:
    told = broken(OnPaper(8, 0.04, lag_s=0.006))
    assert (told.found.status, told.recovery) == ("invalid", None)


def test_a_step_lasts_until_it_has_its_samples_but_not_for_ever() -> None:
    timing = Timing(window_s=30.0, samples=1000)
    assert [timing.window_at(rate) for rate in (1.0, 20.0, 25.0, 1000.0)] == [60.0, 50.0, 40.0, 30.0]


def test_every_step_has_due_times_of_its_own_and_the_same_seed_gives_them_again() -> None:
    def sent(seed: int) -> list[np.ndarray]:
        service = OnPaper(8, 0.04)
        rates = Rates(service, Timing(1.0, 2.0, rest_s=0.0), Criteria(), Limits(), seed)
        rates.measure(50.0, "climb")
        rates.measure(50.0, "climb")
        return [schedule["due_s"] for schedule in service.sent]

    one, two = sent(1)
    assert not np.array_equal(one, two)
    assert all(np.array_equal(a, b) for a, b in zip(sent(1), (one, two), strict=True))
    assert not np.array_equal(sent(2)[0], one)


def test_no_more_is_sent_than_is_allowed() -> None:
    service = OnPaper(8, 0.04)
    rates = Rates(service, QUICK, Criteria(), Limits(), 1, most_requests=700)
    found = find(rates, Plan(200.0, 0.5), 1).found
    assert found.status == "unsettled"
    assert found.why == "563 requests are sent; the next step would go beyond the 700 allowed"
    assert sum(len(schedule) for schedule in service.sent) == rates.sent == 563


def test_no_more_is_sent_than_is_allowed_when_chance_draws_more_than_are_expected() -> None:
    timing = Timing(0.5, 2.0, samples=0, rest_s=0.0)
    sent = []
    for seed in range(8):
        rates = Rates(OnPaper(8, 0.04), timing, Criteria(), Limits(), seed, most_requests=250)
        with contextlib.suppress(Spent):
            rates.measure(100.0, "climb")  # 250 are expected, so about every second draw is above
        sent.append(rates.sent)
    assert 0 in sent
    assert 200 < max(sent) <= 250


class Mortal(OnPaper):
    """Its process dies after so many schedules."""

    lives = 3

    def send(self, schedule: Schedule) -> LoadResult:
        if len(self.sent) == self.lives:
            raise ComponentError("sending process 0 ended by itself")
        return super().send(schedule)


def test_a_sender_that_dies_ends_the_search_and_the_steps_so_far_are_kept() -> None:
    found = broken(Mortal(8, 0.04)).found
    assert (found.status, len(found.steps)) == ("failed", 3)
    assert found.why == "sending process 0 ended by itself"
    assert found.low_per_s == found.steps[-1].step.asked_per_s


def test_a_sender_that_dies_in_the_surge_leaves_the_gap_that_was_found() -> None:
    service = Mortal(8, 0.04)
    service.lives = len(broken(OnPaper(8, 0.04), confirmations=1).found.steps)
    told = broken(service, confirmations=1)
    assert (told.found.status, told.recovery) == ("failed", None)
    assert told.found.low_per_s is not None and told.found.high_per_s is not None
    assert told.found.why == "while its recovery was timed, sending process 0 ended by itself"


def test_each_step_is_told_as_it_ends() -> None:
    told: list[Judged] = []
    rates = Rates(OnPaper(8, 0.04), QUICK, Criteria(), Limits(), 1, told=told.append)
    found = find(rates, Plan(200.0, 0.5, confirmations=1), 1).found
    assert tuple(told) == found.steps
