"""How many heads explain a past."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from sim.desk import Desk
from sim.staff.as_if import as_if, scaled

DATA = Path(__file__).parent / "data"


def test_the_factor_is_where_the_runs_meet_the_past() -> None:
    # Backlog e^(10 (1 - factor)) - 1 is a line in log(1 + backlog): at 0.75 it is met exactly.
    told = as_if(float(np.exp(2.5) - 1.0), lambda factor: np.full(10, np.exp(10.0 * (1.0 - factor)) - 1.0))
    assert told.factor == pytest.approx(0.75)
    assert (told.low, told.high) == pytest.approx((0.75, 0.75))
    assert not told.beyond


def test_fewer_waiting_are_explained_by_more_heads() -> None:
    told = as_if(2.0, lambda factor: np.linspace(9.0, 11.0, 10) / factor**8)
    # The middle run has 10 / factor^8 = 2 at 5^(1/8) = 1.22; between the factors tried, 1.1 and 1.25, it is a line.
    assert told.factor == pytest.approx(5 ** (1 / 8), abs=0.01)
    assert told.low < told.factor < told.high


def test_only_so_many_factors_are_tried_as_are_needed() -> None:
    tried = []

    def levels(factor: float) -> np.ndarray:
        tried.append(factor)
        return np.full(10, 5.0 / factor**5)

    as_if(6.0, levels)
    assert tried == [1.0, 0.9]


def test_what_no_factor_explains_is_said() -> None:
    told = as_if(100.0, lambda factor: np.full(10, 1.0))
    assert told.beyond
    assert told.factor == 0.5


def test_all_pools_and_the_ladder_are_slowed_down() -> None:
    desk = Desk.load("klm_2015")
    slow = scaled(desk, 0.8)
    assert [pool.speed for pool in slow.pools] == [0.8 * pool.speed for pool in desk.pools]
    assert slow.plan is not None and desk.plan is not None
    assert [rung.speed for rung in slow.plan.ladder] == [0.8 * rung.speed for rung in desk.plan.ladder]
    assert scaled(Desk.load(DATA / "tiny_desk.toml"), 0.8).plan is None
