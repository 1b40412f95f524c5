"""Shifts cover a requirement at least cost; what cannot be covered is said."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from exact import exact, parameters

from sim.staff.cover import MostShare, ShiftKind, cover

DAY = 24


def kind(start: int, length: int, cost: float, gap: int | None = None) -> ShiftKind:
    work = tuple(hour != gap for hour in range(length))
    return ShiftKind(f"{length} h from {start:02d}", start, work, cost)


KINDS = [
    made
    for start in range(0, DAY, 2)
    for made in (kind(start, 8, 8.0, gap=4), kind(start, 6, 6.3), kind(start, 4, 4.8))
]
SHORT = MostShare("short shifts", frozenset(k.name for k in KINDS if len(k.at_work) == 4), 0.20)
NIGHT = MostShare("night shifts", frozenset(k.name for k in KINDS if k.start in (20, 22, 0, 2)), 0.12)


def test_the_cover_of_v26() -> None:
    wanted = np.array(parameters("V26")["requirement_by_hour"])
    found = cover(wanted, KINDS, (SHORT, NIGHT))
    assert len(KINDS) == parameters("V26")["shift_count"]
    assert found.proven and not found.short.any() and found.binding == ()
    assert found.cost == pytest.approx(exact("V26")["optimal_cost"], rel=1e-6)
    assert found.bound == pytest.approx(exact("V26")["lp_bound"], rel=1e-6)
    total = found.counts.sum()
    for rule in (SHORT, NIGHT):
        assert sum(n for n, k in zip(found.counts, KINDS, strict=True) if k.name in rule.kinds) <= rule.share * total
    covered = np.sum([n * k.cover(DAY) for n, k in zip(found.counts, KINDS, strict=True)], axis=0)
    assert np.all(covered >= wanted)


def test_a_shift_wraps_round_midnight_and_leaves_its_break_out() -> None:
    assert kind(22, 4, 1.0, gap=1).cover(DAY).nonzero()[0].tolist() == [0, 1, 22]


def test_the_cheapest_is_what_enumeration_finds() -> None:
    rng = np.random.default_rng(6)
    kinds = [ShiftKind(f"s{i}", i, (True, True, False, True)[: 2 + i % 3], 1.0 + 0.3 * i) for i in range(4)]
    for _ in range(6):
        wanted = rng.integers(0, 4, 6)
        costs = []
        for counts in itertools.product(range(5), repeat=4):
            covered = np.sum([n * k.cover(6) for n, k in zip(counts, kinds, strict=True)], axis=0)
            if np.all(covered >= np.where(np.sum([k.cover(6) for k in kinds], axis=0) > 0, wanted, 0)):
                costs.append(sum(n * k.cost for n, k in zip(counts, kinds, strict=True)))
        assert cover(wanted, kinds).cost == pytest.approx(min(costs))


def test_a_library_that_cannot_cover_the_night_says_where_it_is_short() -> None:
    by_day = [kind(8, 8, 8.0), kind(12, 8, 8.0)]
    found = cover(np.full(DAY, 2), by_day)
    assert found.short.nonzero()[0].tolist() == [*range(8), *range(20, 24)]
    assert found.counts.tolist() == [2, 2]
    assert found.binding == ("the shifts: none of them reaches some intervals",)


def test_a_rule_that_stands_in_the_way_is_named() -> None:
    wanted = np.zeros(DAY, dtype=np.int64)
    wanted[0:4] = 3
    found = cover(wanted, KINDS, (SHORT, MostShare("no nights", NIGHT.kinds | {"8 h from 18", "6 h from 18"}, 0.0)))
    assert found.short.sum() > 0 and found.binding == ("no nights",)


def test_nothing_is_covered_without_shifts() -> None:
    with pytest.raises(ValueError, match="no kind of shift"):
        cover(np.array([1]), [])
