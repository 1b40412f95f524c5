"""A history of our own making gives back what it was made with, within the errors that are stated."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from functools import cache
from pathlib import Path

import make_history as made
import numpy as np
import pytest

from scenarios.checks import check
from scenarios.generate import generate
from scenarios.history.calibrate import Calibrated, calibrated
from scenarios.history.columns import Map
from scenarios.history.fitting import Fit, fitted, with_errors
from scenarios.history.heldback import held_back
from scenarios.history.histories import read_history
from scenarios.history.rescaled import rescaled
from scenarios.history.series import LANGUAGES, History, Means, Series
from scenarios.history.written import toml_of
from scenarios.model import Noise, Scenario
from scenarios.names import Language, code

PLAIN = Map.load("plain")
SEEDS = (1, 2, 3)


def series(seed: int, weeks: int = made.WEEKS, step_s: float = 900.0) -> Series:
    """Contacts of the made history, one by one."""
    scenario = made.truth(weeks)
    time_s, language = made.contacts(scenario, seed)
    start, end = (scenario.clock(t).timestamp() for t in scenario.window_s)
    n = int((end - start) // step_s)
    counts = np.zeros((n, LANGUAGES), dtype=np.int64)
    np.add.at(counts, (((time_s - start) // step_s).astype(np.int64), language), 1)
    return Series(made.ZONE, start, step_s, counts, np.ones(n, dtype=np.bool_), None, time_s - start)


@cache
def fit(seed: int) -> Fit:
    return with_errors(fitted(series(seed)), draws=20, seed=seed)[0]


@cache
def carried() -> Calibrated:
    return calibrated(read_history(made.FILE, PLAIN, zone="Europe/Amsterdam"), "carried")


def strays(seed: int) -> dict[str, float]:
    """How many of its stated errors each number lies off the truth."""
    found, errors = with_errors(fitted(series(seed)), draws=20, seed=seed)
    (pulse,) = found.pulses
    out = {"cases_per_h": (found.base.now_per_h - made.CASES_PER_H) / errors.cases_per_h}
    out |= {name: (getattr(found.noise, name) - x) / errors.noise[name] for name, x in made.NOISE.items()}
    truth = {**made.SURGE, "excess": made.SURGE["cases"] - 1.0}
    for i, name in enumerate(("at_h", "rise_h", "plateau_h", "tau_h", "excess")):
        out[name] = (getattr(pulse, name) - truth[name]) / errors.pulses[0, i]
    for name, shape in (("hours", found.base.week.all_hours), ("weekdays", found.base.week.all_weekdays)):
        both = [np.array(each[name]) / np.mean(each[name]) for each in (made.ENGLISH, made.DUTCH)]
        mixed = made.LANGUAGES["en"] * both[0] + made.LANGUAGES["nl"] * both[1]
        out |= {f"{name}[{i}]": x for i, x in enumerate((shape - mixed) / getattr(errors, name))}
    return out


def test_a_history_gives_back_what_it_was_made_with_within_the_stated_errors() -> None:
    # Over 30 histories 89 % of the numbers lay within 2 errors, where 95 % would if errors were known exactly: they
    # are themselves known to 16 % only (20 draws), and those of a surge have long tails. Of the 41 numbers here 4
    # would be outside by chance, with a standard deviation of 2; 8 is two of those more.
    off = strays(1)
    assert len(off) == 41
    assert sum(abs(x) > 2.0 for x in off.values()) <= 8
    assert max(abs(x) for x in off.values()) < 4.5, max(off.items(), key=lambda pair: abs(pair[1]))


def test_each_language_gets_its_own_profile_back() -> None:
    # An hour of the day is seen on 66 days or more. Noise strays by 0.28 / sqrt(66) = 3.4 %, Poisson's chance at 0.3
    # of the 16 Dutch contacts an hour by 1 / sqrt(66 * 4.8) = 5.6 %: 6.6 % together, and four of these are 26 %.
    week = fit(1).base.week
    for word, truth in (("en", made.ENGLISH), ("nl", made.DUTCH)):
        hours = np.array(truth["hours"]) / np.mean(truth["hours"])
        found = week.hours[code(Language(word))]
        assert week.own[code(Language(word))]
        busy = hours > 0.3
        assert found[busy] == pytest.approx(hours[busy], rel=0.26)
    assert week.per_h[code(Language.EN)] / week.per_h.sum() == pytest.approx(0.6, abs=0.01)


def test_a_surge_does_not_lift_the_ordinary_week() -> None:
    found = fit(1)
    assert found.series.total.sum() / found.series.n * 4 > 1.03 * made.CASES_PER_H  # with the surge
    held = ~found.used
    hours = np.flatnonzero(held) * found.series.step_h
    assert hours.min() > made.SURGE["at_h"] - 4.0 and hours.max() < made.SURGE["at_h"] + 90.0


def test_residuals_of_the_true_model_pass_and_those_without_busyness_do_not() -> None:
    # With p drawn evenly three of three are above 0.001 in 99.7 % of the cases.
    for seed in SEEDS:
        found = rescaled(fit(seed))
        assert found is not None and found.p > 0.001 and abs(found.serial) < 0.03
    calm = rescaled(replace(fit(1), noise=Noise(day_sd=1e-3, day_ar=0.0, hour_sd=1e-3, hour_memory_h=1.0)))
    assert calm is not None and calm.p < 1e-6


def test_the_carried_history_passes_on_its_last_third() -> None:
    done = carried()
    assert done.history.series.counts.sum() == sum(
        int(line.split(";")[2]) for line in made.FILE.read_text("utf-8").splitlines()[1:]
    )
    assert done.rescaled is not None
    assert done.rescaled.n > 20_000
    assert done.rescaled.p > 0.05


def test_the_carried_history_is_foretold_better_than_by_the_mean_of_four_weeks() -> None:
    held = carried().held_back
    assert held is not None and held.weeks == 2 and held.behind == 4
    assert held.model.wape < held.baseline.wape
    # Noise alone misses chance_wape; the level of two weeks strays by the day's noise.
    assert held.model.wape < 1.2 * carried().errors.chance_wape
    assert abs(held.model.bias) < 4 * 0.12 * (1.86 / 14) ** 0.5


def test_the_carried_history_gives_back_what_it_was_made_with() -> None:
    done = carried()
    e = done.errors
    assert done.fit.base.now_per_h == pytest.approx(made.CASES_PER_H, abs=3 * e.cases_per_h)
    for name, value in made.NOISE.items():
        assert getattr(done.fit.noise, name) == pytest.approx(value, abs=3 * e.noise[name]), name
    # Sums only: the law is exponential, as it was made; its error is that of the number who gave up.
    patience_h = made.PATIENCE_MIN / 60.0
    gone = done.history.means.abandoned
    assert done.scenario.behaviour.patience_h.mean() == pytest.approx(patience_h, rel=4 / gone**0.5)  # type: ignore[union-attr]
    work = made.HANDLING_MIN * np.exp(0.7**2 / 2)
    spread = np.sqrt(np.expm1(0.7**2) / done.history.means.handled)
    assert done.scenario.behaviour.handling_min["default"].mean() == pytest.approx(work, rel=4 * spread)


def test_what_is_written_reads_as_the_same_scenario_and_can_be_played() -> None:
    done = carried()
    text = toml_of(done).decode()
    again = check(Scenario, tomllib.loads(text), Path("x.toml"))
    assert again == done.scenario
    assert "+-" in text and "@" not in text
    whats = {row.what for row in again.assumed}
    assert {"base.zones", "clusters", "surges", "behaviour.silent_share", "mix.topics"} <= whats
    assert not {"base.hours", "base.noise.day_sd", "mix.languages", "behaviour.patience_h.median"} & whats
    trace = generate(again, 1, hours=48.0)
    assert trace.cases == trace["time_s"].size > 0


@pytest.mark.parametrize(("window", "hours"), [("week", 168.0), ("history", 168.0 * made.WEEKS)])
def test_a_window_is_a_week_or_the_whole_history(window: str, hours: float) -> None:
    history = carried().history
    done = calibrated(history, "w", window, draws=3)  # type: ignore[arg-type]
    low, high = done.scenario.window_h
    assert high - low == hours
    assert len(done.scenario.surges) == (1 if window == "history" else 0)
    if window == "history":
        surge = done.scenario.surges[0]
        assert surge.kind == "pulse" and done.scenario.clock(surge.at_h * 3600.0).day == 24


def test_the_window_of_a_surge_begins_a_day_before_it() -> None:
    scenario = carried().scenario
    assert scenario.window_h[0] == -24.0
    (surge,) = scenario.surges
    assert surge.kind == "pulse" and 0.0 <= surge.at_h < 1.0


def test_a_level_that_moves_is_followed_and_one_that_stands_still_is_not() -> None:
    whole = series(1)
    assert fit(1).base.level.smoothing == 0.0
    lift = np.exp(0.1 * whole.week)
    rng = np.random.default_rng(1)
    more = rng.binomial(whole.counts, 0.4) + rng.poisson(whole.counts * (lift[:, None] - 1.0))
    moved = fitted(replace(whole, counts=more.astype(np.int64), times_s=None))
    assert moved.base.level.smoothing > 0.0
    # The last week stands at exp(0.9) - 0.6; smoothing lags behind by a week or two.
    last = made.CASES_PER_H * (np.exp(0.9) - 0.6)
    assert 0.75 * last < moved.base.now_per_h < 1.1 * last


def test_two_weeks_are_enough_for_a_scenario_but_not_for_four_weeks_of_baseline() -> None:
    short = series(4, weeks=2)
    done = calibrated(History(short, {}, None, None, Means(), 1, "0" * 64, ()), "short", draws=3)
    assert done.held_back is not None and done.held_back.behind == 1
    assert done.scenario.window_h == (0.0, 168.0)


def test_held_back_weeks_are_foretold_from_what_came_before_them_alone() -> None:
    whole = series(1)
    doubled = whole.counts.copy()
    doubled[whole.day >= 7 * (made.WEEKS - 1)] *= 2
    one = held_back(fit(1))
    base = fit(1)
    two = held_back(replace(base, series=replace(whole, counts=doubled)))
    assert one is not None and two is not None
    # The last of the two weeks has twice as much: the forecasts, and so their sum, stay as they are.
    assert two.model.bias == pytest.approx(
        ((1 + one.model.bias) * one.contacts) / two.contacts - 1, abs=1e-9
    )  # fmt: skip
