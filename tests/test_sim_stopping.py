"""Running on until the intervals are narrow enough: what may be asked, and when it stops."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from scenarios import library as scenario_library
from scenarios.errors import InputError
from sim import library as desk_library
from sim.estimate import estimate
from sim.measures import Row
from sim.replicate import replicate
from sim.stopping import FIRST, Target, enough, targets

DATA = Path(__file__).parent / "data"


def rows(*values: float | None, measure: str = "wait_mean_s") -> list[Row]:
    return [{measure: value} for value in values]


@pytest.mark.parametrize(
    ("word", "target"),
    [
        ("wait_mean_s=5%", Target("wait_mean_s", 0.05, True)),
        ("wait_mean_s=30s", Target("wait_mean_s", 30.0, False)),
        ("wait_mean_s=1.5 min", Target("wait_mean_s", 90.0, False)),
        ("time_to_recover_s=2h", Target("time_to_recover_s", 7200.0, False)),
        ("unanswered_share=2pp", Target("unanswered_share", 0.02, False)),
        ("unanswered_share=.5%", Target("unanswered_share", 0.005, True)),
        ("peak_backlog=50", Target("peak_backlog", 50.0, False)),
        ("cost=1000EUR", Target("cost", 1000.0, False)),
    ],
)
def test_a_half_width_is_a_share_of_the_mean_or_has_the_unit_of_its_measure(word: str, target: Target) -> None:
    (read,) = targets([word])
    assert (read.measure, read.relative) == (target.measure, target.relative)
    assert read.half == pytest.approx(target.half)


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(InputError) as caught:
        targets(["wait_mean=5%", "wait_mean_s=5", "cost=5kg", "wait_mean_s", "wait_mean_s=0%", "x=1"])
    assert str(caught.value).splitlines() == [
        "--until wait_mean=5% names no measure; did you mean wait_mean_s?",
        "--until wait_mean_s=5 has not the unit of that measure; write wait_mean_s=5s, wait_mean_s=5min, "
        "wait_mean_s=5h, or wait_mean_s=5% of its mean",
        "--until cost=5kg has not the unit of that measure; write cost=5EUR, or cost=5% of its mean",
        "--until wait_mean_s is no half-width; write it like wait_mean_s=5% or wait_mean_s=30s",
        "--until wait_mean_s=0% has no width; give it one above 0",
        "--until x=1 names no measure; `simulate --json` lists them",
    ]


def test_it_is_enough_when_every_interval_is_narrow_enough() -> None:
    narrow, wide = Target("wait_mean_s", 0.05, True), Target("wait_mean_s", 1.0, False)
    steady = rows(*[100.0, 102.0] * 5)
    # The standard deviation is 1.054; t(0.975, 9) = 2.262 gives a half-width of 0.754.
    assert steady and enough([narrow, wide], steady)
    assert Target("wait_mean_s", 0.75, False).look(steady).half == pytest.approx(0.754, abs=0.001)
    assert not enough([narrow, Target("wait_mean_s", 0.75, False)], steady)


def test_fewer_runs_than_ten_are_never_enough() -> None:
    assert not enough([Target("wait_mean_s", 0.5, True)], rows(*[100.0] * (FIRST - 1)))
    assert enough([Target("wait_mean_s", 0.5, True)], rows(*[100.0] * FIRST))


def test_a_measure_that_a_run_did_not_reach_is_never_settled() -> None:
    late = rows(*[100.0] * 20, None, measure="time_to_recover_s")
    assert not enough([Target("time_to_recover_s", 0.5, True)], late)
    assert not Target("time_to_recover_s", 0.5, True).look(late[-1:]).settled


def test_a_mean_of_zero_without_spread_is_settled() -> None:
    assert enough([Target("unanswered_share", 0.05, True)], rows(*[0.0] * 10, measure="unanswered_share"))


def test_stopping_costs_little_of_the_level() -> None:
    # Normal values with mean 10 and deviation 3; a half-width of 1 takes some 37 runs. Of 2000 sweeps a
    # share near 0.93 holds the mean; its standard error is 0.0057, and 5 of them are 0.029.
    rng = np.random.default_rng(20100415)
    target, held, taken = Target("wait_mean_s", 1.0, False), 0, []
    for _ in range(2000):
        values = rng.normal(10.0, 3.0, 200)
        n = np.arange(1, 201)
        mean = np.cumsum(values) / n
        with np.errstate(invalid="ignore", divide="ignore"):
            spread = np.sqrt((np.cumsum(values**2) - n * mean**2) / (n - 1))
        half = T_975 * spread / np.sqrt(n)
        stop = int(np.flatnonzero((n >= FIRST) & (half <= 1.0))[0])
        held += abs(mean[stop] - 10.0) <= half[stop]
        taken.append(stop + 1)
        if len(taken) <= 5:  # this is what the rule does, run by run
            so_far = rows(*values[: stop + 1].tolist())
            assert enough([target], so_far) and not any(enough([target], so_far[:k]) for k in range(stop + 1))
    assert held / 2000 == pytest.approx(0.93, abs=0.029)
    assert 30 < np.mean(taken) < 40


def _half(n: int) -> float:
    """Factor t of the interval of n values."""
    if n < 2:
        return math.nan
    values = [-1.0, 1.0] + [0.0] * (n - 2)
    found = estimate(values)
    assert found.high is not None
    return found.high * math.sqrt(n) / math.sqrt(2.0 / (n - 1))


T_975 = np.array([_half(n) for n in range(1, 201)])


def test_a_sweep_stops_at_the_same_run_whatever_the_number_of_workers() -> None:
    scenario, desk = scenario_library.load(DATA / "tiny.toml"), desk_library.load(DATA / "tiny_desk.toml")
    wanted = targets(["cases=10%"])
    alone = [r.outcome for r in replicate(scenario, desk, 90, 3, workers=1, until=wanted)]
    assert FIRST < len(alone) < 90
    assert [r.outcome for r in replicate(scenario, desk, 90, 3, workers=3, until=wanted)] == alone
    assert not enough(wanted, [r.row for r in replicate(scenario, desk, len(alone) - 1, 3, workers=1)])
