"""Parts of a calibration by themselves: week, busyness, surges, and residuals in rescaled time."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scenarios.history.busy import fitted_noise, interval_law, moments
from scenarios.history.curve import fitted_week
from scenarios.history.fitting import busy_intervals
from scenarios.history.pulses import fitted_surges, suspects
from scenarios.history.rescaled import filtered, kolmogorov
from scenarios.history.series import LANGUAGES, SLOTS, Series
from scenarios.history.shape import Found, excess
from scenarios.laws import FloatArray
from scenarios.model import Noise

QUARTER_S = 900.0
NOISE = Noise(day_sd=0.15, day_ar=0.3, hour_sd=0.3, hour_memory_h=1.0)


def quiet(days: int, per_h: float, noise: Noise | None = None, pulses: tuple[Found, ...] = (), seed: int = 1) -> Series:
    """Contacts at a constant rate in one language."""
    rng = np.random.default_rng(seed)
    n = days * 96
    counts, known = np.zeros((n, LANGUAGES), dtype=np.int64), np.ones(n, dtype=np.bool_)
    empty = Series(ZoneInfo("UTC"), 0.0, QUARTER_S, counts.copy(), known)
    busy = np.ones(n) if noise is None else busy_intervals(noise, empty, rng)
    counts[:, 0] = rng.poisson(per_h / 4 * busy * (1.0 + excess(pulses, empty)))
    return Series(empty.zone, 0.0, QUARTER_S, counts, empty.known)


def level(series: Series, per_h: float) -> FloatArray:
    return np.full(series.n, per_h / 4)


def test_a_week_that_is_a_product_is_found_exactly_from_its_means() -> None:
    hours, weekdays = np.arange(1.0, 25.0), np.arange(1.0, 8.0)
    table = np.outer(weekdays, hours).ravel() * 100
    counts = np.zeros((SLOTS, LANGUAGES), dtype=np.int64)
    counts[:, 0] = table
    counts[:, 3] = 1  # too few for a profile of its own
    week = fitted_week(counts, np.arange(SLOTS), np.ones(SLOTS))
    assert week.hours[0] == pytest.approx(hours / hours.mean(), rel=0.02)  # it is lent a little of all
    assert week.own.tolist() == [True, *[False] * (LANGUAGES - 1)]
    assert week.hours[3] == pytest.approx(week.all_hours)
    assert week.per_h[0] == pytest.approx(table.mean(), rel=0.02) and week.per_h[3] == pytest.approx(1.0, rel=0.1)
    assert week.rates().sum() == pytest.approx(counts.sum(), rel=1e-9)


def test_hours_that_differ_between_weekdays_are_told_from_chance() -> None:
    # Ten weeks of 30 contacts an hour; on Fridays nobody comes from 14:00 on.
    rng = np.random.default_rng(1)
    slot = np.arange(10 * SLOTS) % SLOTS
    closed = np.zeros(SLOTS, dtype=np.bool_)
    closed[4 * 24 + 14 : 5 * 24] = True
    counts = np.zeros((slot.size, LANGUAGES), dtype=np.int64)
    counts[:, 0] = rng.poisson(30.0, slot.size)
    plain = fitted_week(counts, slot, np.ones(slot.size), 0.05)
    assert (plain.cross == 1.0).all() and (plain.all_cross == 1.0).all()
    counts[closed[slot], 0] = 0
    week = fitted_week(counts, slot, np.ones(slot.size), 0.05)
    rates = week.rates()[:, 0]
    assert (rates[closed] == 0.0).all()
    # A cell of 300 contacts strays by 6 % for itself, and is drawn a tenth towards the product, which is 20 % off.
    assert rates[~closed] == pytest.approx(np.full(168 - 10, 30.0), rel=4 * 0.06 + 0.02)
    assert rates.sum() * 10 == pytest.approx(counts.sum(), rel=1e-6)


def test_hours_that_are_left_out_do_not_bend_the_week() -> None:
    rng = np.random.default_rng(1)
    slot = np.arange(20 * SLOTS) % SLOTS
    counts = np.zeros((slot.size, LANGUAGES), dtype=np.int64)
    counts[:, 0] = rng.poisson(50.0, slot.size)
    exposure = np.ones(slot.size)
    wild = slice(5 * SLOTS, 6 * SLOTS)
    counts[wild, 0] *= 20
    exposure[wild] = 0.0
    week = fitted_week(counts, slot, exposure)
    # 3,192 intervals of 50: the mean strays by sqrt(50 / 3192) = 0.125; four of these are 0.5.
    assert week.per_h[0] == pytest.approx(50.0, abs=0.5)


def test_the_law_of_an_interval_is_what_averages_of_the_generators_steps_have() -> None:
    # A week of intervals, 400 times: the covariance's error is about 0.1 / sqrt(400 * 168 / 2) = 5e-4.
    rng = np.random.default_rng(1)
    noise = NOISE.model_copy(update={"day_sd": 0.0})
    series = quiet(7, 1.0)
    drawn = np.stack([busy_intervals(noise, series, rng) for _ in range(400)]) - 1.0
    found = [(drawn[:, lag:] * drawn[:, : drawn.shape[1] - lag]).mean() for lag in range(5)]
    assert found == pytest.approx(interval_law(noise, QUARTER_S, 4), abs=4 * 5e-4)


def test_noise_is_found_in_its_own_moments() -> None:
    series = quiet(2_000, 60.0, NOISE)
    used = np.ones(series.n, dtype=np.bool_)
    found = fitted_noise(moments(series.total, level(series, 60.0), used, series.day, QUARTER_S), QUARTER_S)
    # 2,000 days: a deviation strays by about 0.15 / sqrt(4000) = 0.0024 and what hours leave in days; the hours' by
    # less; a correlation by 1 / sqrt(2000) = 0.022, half as much again as days are not seen without hours.
    assert found.day_sd == pytest.approx(0.15, abs=0.015)
    assert found.hour_sd == pytest.approx(0.30, abs=0.01)
    assert found.day_ar == pytest.approx(0.3, abs=0.14)
    assert found.hour_memory_h == pytest.approx(1.0, abs=0.12)


def test_plain_poisson_counts_have_no_noise() -> None:
    series = quiet(200, 60.0)
    used = np.ones(series.n, dtype=np.bool_)
    found = fitted_noise(moments(series.total, level(series, 60.0), used, series.day, QUARTER_S), QUARTER_S)
    assert found.day_sd < 0.02 and found.hour_sd < 0.05


def test_a_quiet_history_has_no_surge() -> None:
    series = quiet(70, 40.0, NOISE)
    found = fitted_surges(series, level(series, 40.0), NOISE)
    assert found.pulses == () and not found.dips.any() and not found.odd.any()


def test_a_day_without_contacts_is_a_dip_and_no_surge() -> None:
    series = quiet(70, 40.0, NOISE)
    counts = series.counts.copy()
    counts[30 * 96 : 31 * 96] //= 10
    lower = Series(series.zone, 0.0, QUARTER_S, counts, series.known)
    found = suspects(lower.total, level(series, 40.0), series.known, 0.25)
    assert found.below[30 * 96 : 31 * 96].all() and found.below.sum() < 3 * 96 and not found.above.any()


def test_what_no_pulse_explains_is_held_out_and_not_made_a_surge() -> None:
    # Two days in which every second hour has ten times as much: no rise, plateau and decay have that shape.
    series = quiet(70, 40.0, NOISE)
    counts = series.counts.copy()
    hours = np.arange(series.n) // 4
    wild = (hours >= 800) & (hours < 848)
    counts[wild & (hours % 2 == 0)] *= 10
    found = fitted_surges(Series(series.zone, 0.0, QUARTER_S, counts, series.known), level(series, 40.0), NOISE)
    held = found.held_out(series)
    assert held[wild].mean() > 0.9 and held[~wild].mean() < 0.05
    assert all(each.excess >= 0.5 for each in found.pulses)


def test_two_surges_that_overlap_are_found_as_two() -> None:
    truth = (Found(500.0, 2.0, 3.0, 12.0, 10.0), Found(530.0, 1.0, 2.0, 8.0, 9.0))
    series = quiet(40, 60.0, Noise(day_sd=0.05, day_ar=0.0, hour_sd=0.1, hour_memory_h=1.0), truth)
    pulses = fitted_surges(series, level(series, 60.0), Noise(day_sd=0.05, hour_sd=0.1)).pulses
    assert len(pulses) == 2
    for found, real in zip(pulses, truth, strict=True):
        assert found.at_h == pytest.approx(real.at_h, abs=1.0)
    edges = np.arange(series.n + 1, dtype=np.float64) * 0.25
    made = sum(each.mean(edges).sum() for each in truth)
    # What they add together: noise of the hour's 0.1 over some 40 hours and of the day's 0.05 makes 6 %.
    assert sum(each.mean(edges).sum() for each in pulses) == pytest.approx(made, rel=0.2)


def test_the_filter_foretells_counts_with_the_right_mean_and_spread() -> None:
    series = quiet(400, 40.0, NOISE)
    due = level(series, 40.0)
    shape, mean = filtered(series.counts[:, 0], due, series.day, NOISE, QUARTER_S)
    off = (series.total - mean) / np.sqrt(mean + mean**2 / shape)
    # 38,400 standardised errors: mean 0 and variance 1 within four standard errors, and one tells nothing of the next.
    assert abs(off.mean()) < 4 / np.sqrt(off.size)
    assert off.var() == pytest.approx(1.0, abs=0.05)
    assert abs(np.corrcoef(off[1:], off[:-1])[0, 1]) < 4 / np.sqrt(off.size)


def test_the_test_of_kolmogorov_knows_its_tables() -> None:
    # Of the ten middles of tenths the distance is 0.05; 1.358 / sqrt(n) is the 5 % point for large n.
    distance, p = kolmogorov((np.arange(10) + 0.5) / 10)
    assert distance == pytest.approx(0.05) and p == 1.0
    n = 1_000_000
    shifted = np.clip((np.arange(n) + 0.5) / n + 1.358 / np.sqrt(n), 0.0, 1.0)
    assert kolmogorov(shifted)[1] == pytest.approx(0.05, abs=0.001)
