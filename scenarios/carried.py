"""Cases that wait already when the window opens: posts before it, in front of a trace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scenarios.arrivals import HOUR_S, Grid, Traffic
from scenarios.errors import ScenarioError
from scenarios.generate import DRAWS, assembled
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import NONE, Language, PostKind, code
from scenarios.posts import Talk, describe
from scenarios.traces import COLUMNS, Trace

LONGEST_H = 72.0
CARRIED = 2_000_000  # far from the numbers of the trace's own columns
TIMES = 1_000  # among those: the times of a language
MOST = 1_000_000


def carry_in(scenario: Scenario, trace: Trace, backlog: Mapping[Language, int], seed: int, replication: int) -> Trace:
    """Put cases that nobody has answered yet in front of a trace.

    They are the last so many that the scenario brings in each language before its window opens: their
    times follow its profile and curve backwards, as far as 72 hours. All else of them is drawn from its
    mixes. An engine sees them come before anybody is at the desk, so their customers' patience has been
    running since they wrote.

    Parameters
    ----------
    scenario : Scenario
    trace : Trace
        Of the scenario, whatever its replication.
    backlog : mapping of Language to int
        Number of cases, 0 to a million in all.
    seed, replication : int
        Name the draws, as in `scenarios.generate.generate`.

    Raises
    ------
    ScenarioError
        If a language is named in which the scenario brings no cases, or if there are too many.
    """
    wanted = {language: n for language, n in backlog.items() if n}
    if not wanted:
        return trace
    if sum(wanted.values()) > MOST:
        raise ScenarioError(f"a backlog of {sum(wanted.values()):,} cases is more than the {MOST:,} that may wait")
    start_s = float(trace.about["window_s"][0])
    grid = Grid.over(scenario, start_s - LONGEST_H * HOUR_S, start_s)
    traffic = Traffic(scenario, grid, trace.about["size_u"])
    times, languages = [], []
    for language, n in sorted(wanted.items(), key=lambda item: code(item[0])):
        u = _numbers(seed, replication, TIMES + code(language)).random(n)
        times.append(_times_s(traffic, language, u, start_s))
        languages.append(np.full(n, code(language), dtype=np.int8))
    nobody, never = np.empty(0, dtype=np.int32), np.empty(0)
    time_s = np.concatenate(times)
    alone = np.full(time_s.size, NONE, dtype=np.int32)
    talk = Talk(time_s, alone, np.concatenate(languages), nobody, never, nobody, never)
    window_s = (start_s - 2.0 * LONGEST_H * HOUR_S, start_s)
    part = describe(
        talk, PostKind.CASE, window_s, grid, traffic.mixes, scenario.people,
        lambda name: _numbers(seed, replication, DRAWS.index(name)),
    )  # fmt: skip
    about = {**trace.about, "backlog": {language.value: n for language, n in wanted.items()}}
    return Trace(_joined(assembled([part]), trace, part.people), about)


def _numbers(seed: int, replication: int, name: int) -> np.random.Generator:
    return np.random.Generator(
        np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(replication, CARRIED + name)))
    )


def _times_s(traffic: Traffic, language: Language, u: FloatArray, start_s: float) -> FloatArray:
    """When the last cases before `start_s` were posted, one for each uniform number in [0, 1)."""
    edges_s = np.minimum(traffic.grid.edges_s, start_s)
    per_h = traffic.scenario.base.cases_per_h * traffic.languages[:, code(language)]
    expected = (per_h * traffic.curve.totals(edges_s / HOUR_S, "cases"))[::-1]
    before = np.concatenate([[0.0], np.cumsum(expected)])  # expected from the start of each quarter hour on
    if not before[-1] > 0.0:
        raise ScenarioError(
            f"{traffic.scenario.name} brings no cases in {language.value} before its window opens; leave that "
            "language out of the backlog"
        )
    far = min(float(u.size), before[-1])
    # 1 - u is above 0: the window does not hold its start, but its first post may lie there.
    out: FloatArray = np.interp((1.0 - u) * far, before, edges_s[::-1])
    return np.minimum(out, np.nextafter(start_s, -np.inf))


def _joined(early: dict[str, Any], trace: Trace, people: int) -> dict[str, Any]:
    """Rows in front of a trace; its own numbers of people, cases and rows go up by theirs."""
    rows = early["time_s"].size
    columns = {name: np.concatenate([early[name], trace[name]]) for name in COLUMNS}
    columns["author"][rows:] += people
    for name in ("case", "parent"):
        own = columns[name][rows:]
        own[own != NONE] += rows
    return columns
