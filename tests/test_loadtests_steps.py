"""A step of load is judged: the generator first, then the service."""

from __future__ import annotations

from dataclasses import replace

import pytest

from loadtests.steps import Criteria, Generator, Limits, Step, judged

GOOD = Step(
    asked_per_s=100.0, window_s=10.0, offered=1000, answered=1000, failed=0, shed=0, dropped=0, unsent=0, abandoned=0,
    answered_per_s=100.0, in_flight=2.0, growth=0.0, growing=False, p50_s=0.02, p99_s=0.04, mean_s=0.02,
    lag_p99_s=0.001, generator=Generator(0.4, 0.01),
)  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lag_p99_s": 0.0061}, "sends late: p99 6.1 ms, at most 5 ms"),
        ({"lag_p99_s": None}, "nothing was sent"),
        ({"dropped": 1}, "1 dropped"),
        ({"unsent": 7}, "7 unsent"),
        ({"offered": 0, "answered": 0}, "nothing was due in the window"),
        ({"generator": Generator(0.81, 0.0)}, "generator's CPU: 81 %, at most 80 %"),
        ({"generator": Generator(0.2, 0.06)}, "generator waited for a core: 6 %, at most 5 %"),
        ({"generator": Generator(0.2, 0.0, 0.02)}, "generator held back by its group: 2 %, at most 1 %"),
    ],
)
def test_a_step_is_void_if_the_generator_was_not_up_to_it(changes: dict[str, object], reason: str) -> None:
    # Even where the service failed as well: nothing can be said of it.
    step = replace(GOOD, failed=400, growing=True, growth=300.0, **changes)  # type: ignore[arg-type]
    told = judged(step, Criteria(slo_p99_s=0.01), Limits())
    assert (told.verdict, told.reasons) == ("void", (reason,))


def test_a_void_step_tells_no_latency_as_that_of_the_service() -> None:
    told = judged(replace(GOOD, lag_p99_s=1.0), Criteria(), Limits()).to_dict()
    assert [told[name] for name in ("p50_s", "p99_s", "mean_s", "in_flight", "answered_per_s", "growth")] == [None] * 6
    assert told["generator"]["lag_p99_s"] == 1.0


def test_what_cannot_be_measured_does_not_void_a_step_and_is_not_called_healthy() -> None:
    told = judged(replace(GOOD, generator=Generator()), Criteria(), Limits())
    assert told.verdict == "pass"
    unknown = dict.fromkeys(("cpu_share", "runq_share", "held_share"))
    assert told.to_dict()["generator"] == {"lag_p99_s": 0.001, **unknown}


@pytest.mark.parametrize(
    ("changes", "reasons"),
    [
        ({}, ()),
        ({"answered": 990, "shed": 10}, ()),
        ({"answered": 989, "shed": 11}, ("answered 98.9 % of what was offered, at least 99 %",)),
        ({"growing": True, "growth": 10.0}, ()),
        ({"growing": True, "growth": 25.0}, ("backlog growing by 2.5 requests a second",)),
        ({"growing": False, "growth": 25.0}, ()),
        ({"p99_s": 0.051}, ("p99 51 ms, at most 50 ms",)),
        (
            {"p99_s": None, "answered": 0},
            ("answered 0.0 % of what was offered, at least 99 %", "p99 none, at most 50 ms"),
        ),
    ],
)  # fmt: skip
def test_a_step_fails_for_what_the_service_missed(changes: dict[str, object], reasons: tuple[str, ...]) -> None:
    told = judged(replace(GOOD, **changes), Criteria(slo_p99_s=0.05), Limits())  # type: ignore[arg-type]
    assert (told.verdict, told.reasons) == ("fail" if reasons else "pass", reasons)


def test_without_an_slo_a_slow_service_that_keeps_up_passes() -> None:
    assert judged(replace(GOOD, p99_s=9.0), Criteria(), Limits()).verdict == "pass"
