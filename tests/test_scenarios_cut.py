"""A part of a trace is a trace: its rows are those of the whole, its cases are numbered anew, nobody is left over."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from scenarios import library
from scenarios.cut import cut
from scenarios.errors import InputError
from scenarios.generate import generate
from scenarios.names import NONE, PostKind, code
from sim import library as desks
from sim.engines import engine

DATA = Path(__file__).parent / "data"
TINY = library.load(DATA / "tiny.toml")
WHOLE = generate(TINY, 3)
START_H, END_H = (each / 3600.0 for each in WHOLE.about["window_s"])
FROM_H, TO_H = START_H + 1.5, START_H + 4.0


def test_the_rows_of_a_part_are_those_of_the_whole() -> None:
    part = cut(WHOLE, FROM_H, TO_H)
    rows = np.flatnonzero((WHOLE["time_s"] >= FROM_H * 3600.0) & (WHOLE["time_s"] < TO_H * 3600.0))
    assert 0 < rows.size < len(WHOLE)
    for name in set(WHOLE.columns) - {"case", "parent", "kind"}:
        assert part[name].tobytes() == WHOLE[name][rows].tobytes()
    assert part.about["window_s"] == [FROM_H * 3600.0, TO_H * 3600.0]
    assert part.about["cut_of"] == WHOLE.digest != part.digest


def test_cases_are_numbered_anew_and_who_opened_one_before_writes_chatter() -> None:
    part = cut(WHOLE, FROM_H, TO_H)
    opening = part["kind"] == code(PostKind.CASE)
    assert part["case"][opening].tolist() == list(range(part.cases))
    of_case = part["case"] != NONE
    opened_at = dict(zip(part["case"][opening].tolist(), part["time_s"][opening].tolist(), strict=True))
    assert all(
        at >= opened_at[c] for c, at in zip(part["case"][of_case].tolist(), part["time_s"][of_case].tolist(),
                                            strict=True)
    )  # fmt: skip
    rows = np.flatnonzero((WHOLE["time_s"] >= FROM_H * 3600.0) & (WHOLE["time_s"] < TO_H * 3600.0))
    orphaned = (WHOLE["case"][rows] != NONE) & (part["case"] == NONE)
    assert orphaned.any() and (part["kind"][orphaned] == code(PostKind.CHATTER)).all()


def test_what_set_a_post_off_is_the_same_post_or_forgotten() -> None:
    part = cut(WHOLE, FROM_H, TO_H)
    first = int(np.searchsorted(WHOLE["time_s"], FROM_H * 3600.0))
    before = WHOLE["parent"][first : first + len(part)]
    assert (part["parent"] == np.where((before == NONE) | (before < first), NONE, before - first)).all()


def test_a_part_can_be_simulated() -> None:
    part = cut(WHOLE, FROM_H, TO_H)
    outcome = engine("reference")(TINY, desks.load(DATA / "tiny_desk.toml"), part, 3)
    assert np.count_nonzero(outcome.cases["row"] != NONE) == part.cases


def test_the_whole_window_is_the_whole_trace() -> None:
    part = cut(WHOLE)
    assert all((part[name] == WHOLE[name]).all() for name in WHOLE.columns)


@pytest.mark.parametrize(
    ("hours", "said"),
    [
        ((5.0, 4.0), "is 5, not before --to, which is 4"),
        ((START_H - 1.0, None), "the scenario has"),
        ((0.0, END_H + 1.0), "hours from onset, the scenario has"),
        ((START_H, START_H + 1e-6), "holds no posts; take more hours"),
    ],
)
def test_hours_that_make_no_part_are_refused(hours: tuple[float, float | None], said: str) -> None:
    with pytest.raises(InputError, match=said):
        cut(WHOLE, *hours)
