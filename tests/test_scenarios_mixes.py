"""Mixes over time, and the choice of a member by a number."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.mixes import LISTS, Mixes, choose, happens
from scenarios.model import BASE_MIX, Scenario
from scenarios.names import Language, Sentiment, code

HOURS = np.array([-5.0, 0.0, 9.99, 10.0, 15.0, 20.0, 29.99, 30.0, 99.0])
NL, EN = code(Language.NL), code(Language.EN)


def scenario(**more: object) -> Scenario:
    return Scenario.model_validate({"name": "here", "title": "Here", **more})


def nl_share(made: Scenario) -> list[float]:
    return list(Mixes(made, HOURS).shares("languages")[:, NL])


def test_a_list_that_is_not_given_is_that_of_the_ordinary_week() -> None:
    mixes = Mixes(scenario(mix={"languages": {"nl": 1.0}}), HOURS)
    for name, kind in LISTS.items():
        table = mixes.shares(name)
        assert table.shape == (1, len(kind))
        if name != "languages":
            ordinary = getattr(BASE_MIX, name)
            assert list(table[0]) == [ordinary.get(member, 0.0) for member in kind]
    assert mixes.shares("languages")[0, NL] == 1.0
    assert list(mixes.share("non_customers")) == [BASE_MIX.non_customers]


def test_a_list_steps_at_its_first_change_and_runs_linearly_to_the_next() -> None:
    changes = [
        {"at_h": 10, "languages": {"nl": 0.2, "en": 0.8}},
        {"at_h": 20, "languages": {"nl": 0.6, "en": 0.4}},
    ]
    made = scenario(mix={"languages": {"en": 1.0}}, mix_changes=changes)
    assert nl_share(made) == pytest.approx([0, 0, 0, 0.2, 0.4, 0.6, 0.6, 0.6, 0.6])
    assert Mixes(made, HOURS).shares("languages").sum(axis=1) == pytest.approx(1.0)


def test_two_changes_at_one_hour_are_a_step() -> None:
    rows = [(0, 0.0), (10, 0.0), (10, 1.0), (20, 0.5)]
    changes = [{"at_h": h, "languages": {"nl": x, "en": 1 - x}} for h, x in rows]
    made = scenario(mix_changes=changes)
    assert nl_share(made) == pytest.approx([0.22, 0, 0, 1, 0.75, 0.5, 0.5, 0.5, 0.5])


def test_a_change_of_one_list_leaves_the_others_alone() -> None:
    changes = [{"at_h": 10, "fakes": 0.2}, {"at_h": 15, "non_customers": 0.5}, {"at_h": 20, "fakes": 0.4}]
    mixes = Mixes(scenario(mix_changes=changes), HOURS)
    assert list(mixes.share("fakes")) == pytest.approx([0, 0, 0, 0.2, 0.3, 0.4, 0.4, 0.4, 0.4])
    assert list(mixes.share("non_customers")) == pytest.approx([0.05] * 4 + [0.5] * 5)
    assert mixes.shares("languages").shape[0] == 1


weights = st.lists(st.one_of(st.just(0.0), st.floats(0.001, 10)), min_size=1, max_size=14).filter(sum)


@given(weights, st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=20))
def test_the_member_is_the_first_whose_cumulative_share_lies_above(given: list[float], us: list[float]) -> None:
    u = np.array(us)
    edges = np.cumsum(given) / np.cumsum(given)[-1]
    chosen = choose(np.array([given]), np.zeros(u.size, dtype=np.intp), u)
    assert list(chosen) == list(np.searchsorted(edges, u, side="right"))
    assert all(given[member] > 0 for member in chosen)


def test_each_choice_looks_at_its_own_row() -> None:
    shares = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 2.0], [0.25, 0.25, 0.5]])
    at = np.array([0, 1, 2, 2, 2])
    assert list(choose(shares, at, np.array([0.9, 0.0, 0.1, 0.3, 0.6]))) == [0, 2, 0, 1, 2]


def test_members_come_with_their_shares() -> None:
    shares = Mixes(scenario(), HOURS).shares("sentiment")
    n = 100_000
    chosen = choose(shares, np.zeros(n, dtype=np.intp), np.random.default_rng(1).random(n))
    share = np.mean(chosen == code(Sentiment.NEGATIVE))
    # Binomial: 5 standard errors.
    assert share == pytest.approx(0.4, abs=5 * math.sqrt(0.24 / n))


def test_something_happens_below_its_share() -> None:
    at, u = np.array([0, 1, 1]), np.array([0.3, 0.3, 0.7])
    assert list(happens(np.array([0.0, 0.5]), at, u)) == [False, True, False]
    assert list(happens(np.array([0.5]), at, u)) == [True, True, False]
