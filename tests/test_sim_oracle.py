"""One pool in order of arrival, customer by customer: an oracle of a few lines knows every wait to the last bit.

With one queue in order of arrival and agents who all can the same, the earliest time at which an agent gets
free decides the fate of each customer as he arrives: at once, after waiting until then, or not at all if his
patience ends before. So there are no events, no queue and no clock here. Draws have names; they are taken
from `sim.draws` under the names that `docs/simulation.md` gives them: the work of a case, and the patience

pytestmark = pytest.mark.exact
of its first wait. A case has one turn, which takes all of its work: with a spread of 0 the turn's share is exactly
1. A recorded wait is one expression: start - queued, of who leaves (queued + patience) - queued.
Source of the recursion: Kiefer and Wolfowitz (1955); with customers who leave, each server-free time holds as
long as all whom it passed over have left for good.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from exact import FloatArray, desk, exponential, heads, scenario, trace
from numpy.typing import NDArray

from scenarios.laws import Law
from scenarios.names import Topic
from scenarios.traces import Trace
from sim import compiled, draws
from sim.codecache import compiled as jit
from sim.outcome import Outcome, TurnState

CUSTOMERS = 200_000
SEED = 55


@jit
def _draws(laws: Any, law: Any, key: Any, stream: Any, out: Any) -> None:
    for subject in range(out.size):
        out[subject] = draws.draw(laws, law, key, stream, subject, 0)


def drawn(law: Law, unit_s: float, stream: int) -> FloatArray:
    """(CUSTOMERS,) seconds: the first draw of a stream for each case."""
    out = np.empty(CUSTOMERS)
    _draws(draws.encode([(law, unit_s)]), 0, draws.key(SEED, 0), stream, out)
    return out


@dataclass(frozen=True)
class Fate:
    """(CUSTOMERS,) start (inf: never), end and wait of each customer, in seconds."""

    start_s: FloatArray
    end_s: FloatArray
    wait_s: FloatArray


def fates(arrived_s: FloatArray, work_s: FloatArray, patience_s: FloatArray, servers: int) -> Fate:
    """The recursion over customers in order of arrival."""
    free_at = [-np.inf] * servers
    start, end, wait = [], [], []
    for arrived, work, patience in zip(arrived_s.tolist(), work_s.tolist(), patience_s.tolist(), strict=True):
        begin = max(arrived, free_at[0])
        gone = arrived + patience
        if begin > gone:  # at the same instant work ends first
            start.append(np.inf)
            end.append(gone)
            wait.append(gone - arrived)
            continue
        heapq.heapreplace(free_at, begin + work)
        start.append(begin)
        end.append(begin + work)
        wait.append(begin - arrived)
    return Fate(np.array(start), np.array(end), np.array(wait))


def played(world: Any, posts: Trace, servers: int) -> Outcome:
    return compiled.run(world, desk([heads("all", [(0, servers)])]), posts, SEED, drain_h=100.0)


def assert_every_customer(outcome: Outcome, fate: Fate) -> None:
    """Each customer has one turn; its times are the same bits, and so is what became of it."""
    t, left = outcome.turns, ~np.isfinite(fate.start_s)
    assert t["case"].size == CUSTOMERS and np.array_equal(t["case"], np.arange(CUSTOMERS))
    for name in ("start_s", "end_s", "wait_s"):
        wrong = np.flatnonzero(t[name] != getattr(fate, name))
        assert wrong.size == 0, f"{name} of {wrong.size} customers, first {wrong[:1]}"
    states: NDArray[np.int8] = np.where(left, TurnState.ABANDONED, TurnState.DONE).astype(np.int8)
    assert np.array_equal(t["state"], states)


def arrivals(gaps_s: FloatArray) -> Trace:
    times_min = np.cumsum(gaps_s) / 60.0
    return trace({Topic.INFO: times_min}, float(times_min[-1]) + 1.0)


def test_every_customer_of_an_erlang_a_queue_with_105_servers_waits_to_the_last_bit() -> None:
    # 1,000 calls an hour, 6 minutes of work, 30 of patience: one in a hundred leaves.
    rng = np.random.default_rng(1)
    posts = arrivals(rng.exponential(3.6, CUSTOMERS))
    world = scenario(exponential(6.0), patience_h=exponential(30.0, 60.0), turn_sd_log=0.0)
    work = drawn(world.behaviour.handling(Topic.INFO), 60.0, draws.Stream.HANDLING)
    law = world.behaviour.patience(Topic.INFO)
    assert law is not None
    patience = drawn(law, 3600.0, draws.Stream.PATIENCE)
    fate = fates(posts["time_s"], work, patience, servers=105)
    assert_every_customer(played(world, posts, 105), fate)
    assert 0.005 < np.mean(~np.isfinite(fate.start_s)) < 0.02 and np.mean(fate.wait_s > 0) > 0.05


@pytest.mark.parametrize("servers", [1, 2, 7, 105, 1000])
def test_every_customer_of_a_general_queue_waits_to_the_last_bit(servers: int) -> None:
    # Gamma gaps of cv 1.5, lognormal work of mean 6 minutes and cv 1.5, at a load of 0.95.
    rng = np.random.default_rng(servers)
    mean_s = 360.0 / servers / 0.95
    posts = arrivals(rng.gamma(1 / 1.5**2, mean_s * 1.5**2, CUSTOMERS))
    world = scenario({"kind": "lognormal", "mean": 6.0, "cv": 1.5}, turn_sd_log=0.0)
    work = drawn(world.behaviour.handling(Topic.INFO), 60.0, draws.Stream.HANDLING)
    fate = fates(posts["time_s"], work, np.full(CUSTOMERS, np.inf), servers)
    assert_every_customer(played(world, posts, servers), fate)
    assert np.mean(fate.wait_s > 0) > 0.05
