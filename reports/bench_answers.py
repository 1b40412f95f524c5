"""Whether two tools give the same answer: bit by bit, to the last digits, or as far as chance allows."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports.bench_models import Model
from reports.bench_peers import NOBODY, Answer
from sim.outcome import Outcome, TurnState

CLOSE_S = 1e-6
BATCHES = 20
ERRORS = 3.3


def same_answer(it: Model, ours: Outcome, theirs: Outcome | Answer) -> dict[str, Any]:
    """Hold an answer against that of the compiled engine.

    Returns
    -------
    dict
        `same` (bool), `how` ("bitwise", "to a microsecond", "3.3 standard errors", "differs"), `compared`
        (customers), `differ` (customers, or columns of an outcome, that are not bitwise the same).
    """
    if isinstance(theirs, Outcome):
        differ = theirs.differences(ours)
        how = "differs" if differ else "bitwise"
        return {"same": not differ, "how": how, "compared": int(ours.cases["row"].size), "differ": len(differ)}
    n, tries = theirs.wait_s.shape
    one = answer_of(ours, n, tries)
    served, fates = one.agent != NOBODY, theirs.agent != NOBODY
    same_fate = one.agent == theirs.agent if it.has_skills else served == fates
    same_wait = np.all((one.wait_s == theirs.wait_s) | (np.isnan(one.wait_s) & np.isnan(theirs.wait_s)), axis=1)
    differ_n = int(np.count_nonzero(~(same_fate & same_wait)))
    told: dict[str, Any] = {"same": True, "how": "bitwise", "compared": n, "differ": differ_n}
    if differ_n == 0:
        return told
    if same_fate.all() and np.allclose(one.wait_s, theirs.wait_s, rtol=0.0, atol=CLOSE_S, equal_nan=True):
        return {**told, "how": "to a microsecond"}
    near = _near(served, fates) and _near(np.nansum(one.wait_s, axis=1), np.nansum(theirs.wait_s, axis=1))
    return {**told, "same": near, "how": "3.3 standard errors" if near else "differs"}


def answer_of(outcome: Outcome, n: int, tries: int) -> Answer:
    """The first `n` customers of an outcome in the form of other tools."""
    turns = outcome.turns
    order = np.argsort(turns["case"], kind="stable")  # tries of a case in the order of queueing
    case = turns["case"][order]
    place = np.arange(case.size) - np.searchsorted(case, case)
    mine = case < n
    wait = np.full((n, tries), np.nan)
    wait[case[mine], place[mine]] = turns["wait_s"][order][mine]
    agent = np.full(n, NOBODY, dtype=np.int64)
    done = mine & (turns["state"][order] == TurnState.DONE)
    agent[case[done]] = turns["agent"][order][done]
    return Answer(wait, agent)


def _near(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two means differ by at most 3.3 standard errors, taken from means of batches in order of arrival."""
    a, b = (np.array([part.mean() for part in np.array_split(x.astype(float), BATCHES)]) for x in (one, other))
    error = float(np.sqrt((a.var(ddof=1) + b.var(ddof=1)) / BATCHES))
    return abs(float(a.mean() - b.mean())) <= ERRORS * error
