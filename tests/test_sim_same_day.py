"""Rule 1: two desks meet the same day, and the same day is the same bytes wherever it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small import agents, desk, play, pool, scenario
from small_worlds import HOURS, posts

from sim import draws
from sim.desk import Desk
from sim.outcome import Outcome, TurnKind, TurnState
from sim.roster import realise

ROOT = Path(__file__).parent.parent
WINDOW = (HOURS[0] * 60, HOURS[1] * 60)
LAW = {"kind": "exponential", "mean": 12.0}
DAY = [row for row in posts(7, 400, 0) if row["kind"] != "call"]
PEOPLE = ["sun 23:00-01:00", "mon 00:00-03:00", "mon 02:00-05:00"]


def world() -> Any:
    """Customers by chance in every respect, handling times of their own aside."""
    return scenario(
        handling=LAW,
        turns=[0.3, 0.4, 0.3],
        turn_sd_log=0.4,
        patience_h={"kind": "exponential", "mean": 0.5},
        after_abandoned=[{"to": "same", "probability": 0.5, "delay_min": LAW}],
        reopening={"probability": 0.3, "delay_h": {"kind": "exponential", "mean": 0.5}},
    )


def small_desk(more: int = 0, *pools: Any, absent: float = 0.0) -> Desk:
    """Three people and so many more, all of whom speak everything; pools besides."""
    people = [*PEOPLE, *["mon 00:30-04:30"] * more]
    return desk(agents("all", *people, languages=["en", "nl", "de"], absent_share=absent), *pools)


def work(outcome: Outcome) -> dict[tuple[int, int], float]:
    """Seconds of work by case and number of the turn, of turns done; cases by their number in the trace."""
    t = outcome.turns
    mine = (t["kind"] == TurnKind.ANSWER) & (t["state"] == TurnState.DONE) & (outcome.cases["row"][t["case"]] >= 0)
    rows = np.flatnonzero(mine).tolist()
    return {(int(t["case"][i]), int(t["k"][i])): float(t["end_s"][i] - t["start_s"][i]) for i in rows}


def patience(outcome: Outcome) -> dict[tuple[int, int], float]:
    """Seconds of patience by case and number of the wait, of waits that it ended."""
    t = outcome.turns
    waits: dict[int, int] = {}
    found = {}
    for i in np.flatnonzero(t["kind"] == TurnKind.ANSWER).tolist():
        case = int(t["case"][i])
        if t["state"][i] == TurnState.ABANDONED:
            found[case, waits.get(case, 0)] = float(t["wait_s"][i])
        waits[case] = waits.get(case, 0) + 1
    return found


def same(a: dict[tuple[int, int], float], b: dict[tuple[int, int], float], at_least: int) -> None:
    both = sorted(set(a) & set(b))
    assert len(both) >= at_least
    # Differences of times below 2e4 s: a few units in the last place of 2^-39.
    assert [a[key] for key in both] == pytest.approx([b[key] for key in both], rel=0, abs=1e-10)


@pytest.mark.parametrize(
    "more",
    [small_desk(1), small_desk(6), small_desk(0, pool("new", heads=2, languages=["en"]))],
    ids=["an agent", "six agents", "a pool"],
)
def test_more_agents_change_nobodys_work_and_nobodys_patience(more: Desk) -> None:
    before, after = (play(DAY, floor, world(), seed=5, window_min=WINDOW) for floor in (small_desk(), more))
    assert before.turns["wait_s"].tolist() != after.turns["wait_s"].tolist()
    same(work(before), work(after), 60)
    same(patience(before), patience(after), 60)


def test_patience_is_drawn_for_the_case_and_the_wait_alone() -> None:
    # Nobody works: every wait ends by patience, whatever the desk is called and however many are absent.
    nobody = desk(pool(steps=[(0, 0)], languages=["en", "nl", "de"]))
    others = desk(
        pool("x", steps=[(0, 0)], languages=["en", "nl", "de"]),
        agents("late", "tue 00:00-08:00"),
        classes=[{"name": "all", "promise_min": 5.0}],
        routing={"idle": ["random"], "overdue": {"mode": "fresh_first"}},
    )
    one, two = (play(DAY, floor, world(), seed=5, window_min=WINDOW) for floor in (nobody, others))
    assert len(patience(one)) > 200
    assert patience(one) == patience(two)
    assert patience(one) != patience(play(DAY, nobody, world(), seed=6, window_min=WINDOW))


def test_more_agents_change_nobody_elses_absences() -> None:
    day = scenario()
    few, many = (
        realise(small_desk(n, absent=0.2), day, draws.key(5, 0), WINDOW[0] * 60.0, WINDOW[1] * 60.0) for n in (20, 30)
    )
    assert many.shifts[: len(few.shifts)] == few.shifts
    assert many.stretches[: len(few.stretches)] == few.stretches
    assert 0 < sum(not shift.worked for shift in few.shifts) < len(few.shifts)


def test_a_longer_drain_changes_nothing_before() -> None:
    short, long = (play(DAY, small_desk(), world(), seed=5, window_min=WINDOW, drain_min=n) for n in (60, 600))
    end_s = float(short.about["end_s"])
    for name in ("queued_s", "start_s", "agent"):
        a, b = short.turns[name], long.turns[name][: short.turns[name].size]
        before = short.turns["start_s"] < end_s
        assert np.array_equal(a[before], b[before])


SCRIPT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
from scenarios import library
from scenarios.generate import generate
from sim import library as desks, reference
from small import play
from test_sim_same_day import DAY, WINDOW, small_desk, world
scenario = library.load("it_outage")
trace = generate(scenario, seed=3, hours=2)
print(trace.digest, reference.run(scenario, desks.load("klm_2015"), trace, 3).digest)
print(play(DAY, small_desk(2), world(), window_min=WINDOW, drain_min=300).digest)
"""


def test_the_same_inputs_give_the_same_bytes_in_any_process() -> None:
    script = SCRIPT.format(root=str(ROOT), tests=str(ROOT / "tests"))
    printed = [
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert printed[0] == printed[1]
    assert len(printed[0].split()) == 3
