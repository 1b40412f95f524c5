"""A desk as simulated agents: heads and shifts become stretches, with the roster that the simulation has."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from reports.duties import duties
from scenarios import library
from scenarios.names import Language
from sim import draws
from sim import library as desks
from sim.roster import realise

DATA = Path(__file__).parent / "data"
TINY, DESK = library.load(DATA / "tiny.toml"), desks.load(DATA / "tiny_desk.toml")
HOUR_S = 3600.0
START_S, END_S = -HOUR_S, 5.0 * HOUR_S


def test_heads_of_a_pool_come_and_go_with_its_steps() -> None:
    english = [duty for duty in duties(DESK, TINY, 1, START_S, END_S) if duty.code.startswith("english")]
    assert [duty.stretches for duty in english] == [((START_S, END_S),)] * 4 + [((HOUR_S, END_S),)]
    assert {tuple(duty.languages) for duty in english} == {(Language.EN,)}


def test_named_agents_keep_shifts_breaks_and_absences() -> None:
    dutch = [duty for duty in duties(DESK, TINY, 1, START_S, END_S) if duty.code.startswith("dutch")]
    roster = realise(DESK, TINY, draws.key(1, 0), START_S, END_S)
    theirs = [tuple((s.on_s, s.off_s) for s in each) for each in roster.stretches if each]
    assert [duty.stretches for duty in dutch] == theirs
    assert any(len(stretches) > 1 for stretches in theirs), "somebody has a break"


def test_there_are_as_many_at_the_desk_as_in_the_simulation() -> None:
    agents = duties(DESK, TINY, 7, START_S, END_S)
    roster = realise(DESK, TINY, draws.key(7, 0), START_S, END_S)
    for at in np.linspace(START_S + 60.0, END_S - 60.0, 37):
        here = sum(on <= at < off for duty in agents for on, off in duty.stretches)
        named = sum(s.on_s <= at < s.off_s for each in roster.stretches for s in each)
        heads = sum([n for when, n in levels if when <= at][-1] for levels in roster.levels if levels)
        assert here == named + heads
