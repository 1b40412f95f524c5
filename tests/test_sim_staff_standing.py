"""Promises are judged over all cases, in each language, and in each part of the window."""

import numpy as np
import pytest

from scenarios.names import Language
from sim.staff.days import LANGUAGES, Kept
from sim.staff.promise import Promise
from sim.staff.standing import Group, failing, groups, parts, promised_languages

PROMISE = Promise(0.8, 1200.0)
EN, ES = LANGUAGES.index(Language.EN), LANGUAGES.index(Language.ES)


def run(en: list[int], en_kept: list[int], es: list[int], es_kept: list[int]) -> Kept:
    cases, kept = (
        np.zeros((len(LANGUAGES), len(en)), dtype=np.int64),
        np.zeros((1, len(LANGUAGES), len(en)), dtype=np.int64),
    )
    cases[EN], cases[ES], kept[0, EN], kept[0, ES] = en, es, en_kept, es_kept
    return Kept(cases, kept)


RUNS = [run([30, 40], [30, 30], [1, 1], [0, 0]), run([10, 40], [10, 40], [2, 1], [1, 0])]


def test_groups_hold_what_was_counted() -> None:
    found = groups(RUNS, (PROMISE,), True)
    assert [(g.name, g.kind, g.cases.tolist(), g.kept.tolist()) for g in found] == [
        ("all", "all", [72, 53], [60, 51]),
        ("en", "language", [70, 50], [60, 50]),
        ("0", "part", [31, 12], [30, 11]),
        ("1", "part", [41, 41], [30, 40]),
    ]
    assert [g.name for g in groups(RUNS, (PROMISE,), False)] == ["all", "0", "1"]


def test_languages_with_few_cases_are_not_promised() -> None:
    assert promised_languages(RUNS) == [EN]


def test_parts_hold_enough_cases_and_leave_nothing_out() -> None:
    assert parts(np.array([5.0, 10, 10, 30, 1, 1])) == [(0, 3), (3, 6)]
    assert parts(np.array([1.0, 2.0])) == [(0, 2)]


def test_the_interval_of_a_share_is_that_of_a_ratio() -> None:
    # Runs of 100 and 200 cases with 90 and 140 kept: share 230/300; residuals 90 - 76.67 and 140 - 153.33.
    group = Group("all", "all", np.array([100, 200]), np.array([90, 140]), PROMISE)
    assert group.share == pytest.approx(230 / 300)
    error = np.sqrt(2 * (13.3333333 / 150) ** 2 / 2)
    assert group.error == pytest.approx(error)
    found = group.estimate()
    assert found.low == 0.0 and found.high == 1.0  # two runs: t is 12.7, so it reaches over both ends


def test_the_interval_covers_the_true_share() -> None:
    # Busy runs keep less: 95 % of 400 intervals cover the true ratio, give or take 3.3 errors of 1.1 %.
    rng = np.random.default_rng(5)
    cases = rng.integers(50, 150, (400, 30))
    kept = rng.binomial(cases, 1.0 - cases / 300.0)
    x = np.arange(50, 150)
    true = float((x * (1.0 - x / 300.0)).mean() / x.mean())
    found = [Group("all", "all", c, k, PROMISE).estimate() for c, k in zip(cases, kept, strict=True)]
    share = np.mean([(e.low or 0.0) <= true <= (e.high or 1.0) for e in found])
    assert share == pytest.approx(0.95, abs=0.036)


def test_a_part_fails_only_beyond_chance() -> None:
    sure = Group("4", "part", np.array([100, 100, 100]), np.array([70, 71, 69]), PROMISE)
    maybe = Group("4", "part", np.array([100, 100, 100]), np.array([95, 45, 97]), PROMISE)
    below = Group("es", "language", np.array([100, 100, 100]), np.array([95, 45, 97]), PROMISE)
    assert failing([sure, maybe, below]) == [sure, below]
