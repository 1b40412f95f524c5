"""The search for the cheapest pools finds what enumeration of an exact chain finds."""

from __future__ import annotations

import itertools
from functools import cache, partial

import numpy as np
import pytest
from exact import CORES, desk, exponential, poisson, scenario, side_by_side, trace
from n_model import NModel

from scenarios.names import Language, Topic, code
from scenarios.traces import Trace
from sim import compiled
from sim.desk import Desk
from sim.outcome import Outcome, TurnState
from sim.staff.budget import Budget
from sim.staff.erlang import erlang_a
from sim.staff.pools import Heads, cheapest

MODEL = NModel(english=2.4, dutch=1.8, service=0.5, leaving=0.25)
COSTS = (1.0, 1.35)
TARGETS = (0.80, 0.85)  # English and Dutch callers who are served at once
RUNS, MINUTES, WARM = 2 * CORES, 20_000.0, 60.0
CALLERS = {Topic.INFO: Language.EN, Topic.BAGGAGE: Language.NL}


def exact_answer() -> tuple[Heads, dict[Heads, tuple[float, float]]]:
    """The cheapest heads by enumeration, and the exact margins of all."""
    margins = {}
    for heads in itertools.product(range(9), range(2, 13)):
        shares = MODEL.at_once(heads)
        margins[heads] = (shares[0] - TARGETS[0], shares[1] - TARGETS[1])
    kept = [heads for heads, found in margins.items() if min(found) >= 0.0]
    return min(kept, key=lambda heads: np.dot(COSTS, heads)), margins  # type: ignore[return-value]


def floor(heads: Heads) -> Desk:
    """English alone, and both; Dutch callers go first among those who wait."""
    pools = [{"name": "english", "languages": ["en"], "steps": [(-1.0, heads[0])]},
             {"name": "both", "languages": ["nl", "en"], "steps": [(-1.0, heads[1])]}]  # fmt: skip
    classes = [
        {"name": "dutch", "when": {"languages": ["nl"]}, "promise_min": 1.0},
        {"name": "rest", "promise_min": 1e6},
    ]
    return desk(pools, classes=classes, routing={"idle": ["fewest_skills"]})


@pytest.fixture(scope="module")
def days() -> list[Trace]:
    out = []
    for run in range(RUNS):
        rng = np.random.default_rng([25, run])
        rates = {Topic.INFO: MODEL.english, Topic.BAGGAGE: MODEL.dutch}
        made = trace({topic: poisson(rate, MINUTES, rng) for topic, rate in rates.items()}, MINUTES)
        dutch = made["topic"] == code(Topic.BAGGAGE)
        language = np.where(dutch, code(Language.NL), code(Language.EN))
        out.append(Trace({**made.columns, "language": language}, made.about))
    return out


WORLD = scenario(exponential(2.0), patience_h={"kind": "exponential", "mean": 4.0 / 60.0})


def margins(days: list[Trace], heads: Heads) -> tuple[float, float]:
    """How far both promises are kept on the days, by what waits at all."""

    def one(run: int) -> list[tuple[int, int]]:
        outcome: Outcome = compiled.run(WORLD, floor(heads), days[run], 25, run)
        turns = outcome.turns
        late = turns["queued_s"] >= WARM * 60.0
        at_once = (turns["wait_s"] == 0.0) & (turns["state"] != TurnState.ABANDONED)
        out = []
        for language in (Language.EN, Language.NL):
            mine = late & (turns["language"] == code(language))
            out.append((int(np.count_nonzero(mine & at_once)), int(np.count_nonzero(mine))))
        return out

    counted = np.sum(side_by_side(one, RUNS), axis=0)
    english, dutch = counted[:, 0] / counted[:, 1]
    return float(english) - TARGETS[0], float(dutch) - TARGETS[1]


def test_the_search_finds_the_cheapest_pools_of_the_n_model(days: list[Trace]) -> None:
    best, known = exact_answer()
    # Some 330,000 callers; neighbours are alike for a few minutes, so about 15,000 are independent: 3.3 errors
    # are 3.3 sqrt(0.15 * 0.85 / 15000) = 0.0096, and no exact margin of the best or of a cheaper one is as near.
    assert min(known[best]) > 0.009
    assert max(min(found) for heads, found in known.items() if np.dot(COSTS, heads) < np.dot(COSTS, best)) < -0.0096
    played = cache(partial(margins, days))
    for start in ((5, 5), (8, 12)):
        found = cheapest(COSTS, played, start)
        assert found.heads == best and found.feasible and found.finished
        assert found.margins == pytest.approx(known[best], abs=0.0096)


def test_the_chain_is_a_single_pool_when_there_is_no_dutch_caller() -> None:
    # With no Dutch callers both pools are one of five servers: Erlang A, of which tests know the exact answer.
    alone = NModel(english=2.4, dutch=0.0, service=0.5, leaving=0.25, longest=60)
    assert alone.at_once((2, 3))[0] == pytest.approx(1.0 - erlang_a(5, 2.4, 0.5, 0.25).p_wait, rel=1e-9)


def plain(heads: Heads) -> tuple[float, ...]:
    """Promises that hold from 3 and 4 heads on; a head of the last pool counts for both."""
    return heads[0] + heads[2] - 3.0, heads[1] + heads[2] - 4.0


def test_exchanges_are_found_that_no_single_step_finds() -> None:
    # From (3, 4, 0), cost 7, no head can go; one of the last pool for one of each saves 0.5.
    found = cheapest((1.0, 1.0, 1.5), plain, (3, 4, 0))
    assert found.cost == pytest.approx(3 * 1.5 + 1.0) and found.heads == (0, 1, 3)
    assert found.near and found.near[0] != found.heads


def test_a_start_that_misses_a_promise_goes_up_first() -> None:
    found = cheapest((1.0, 1.0, 9.0), plain, (0, 0, 0))
    assert found.heads == (3, 4, 0) and found.feasible


def test_a_budget_that_is_over_gives_the_best_so_far() -> None:
    found = cheapest((1.0, 1.0, 1.5), plain, (9, 9, 9), Budget(0.0))
    assert found.heads == (9, 9, 9) and not found.finished
