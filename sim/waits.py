"""Who waits when, and who is at the desk when: rows of an outcome as stretches of time.

A case turn waits from `queued_s` until it is started; until its end if the customer said that he
gives up; until the end of the run if nobody came. What was queued by a customer who left without a
sign waits until it is started: nobody at the desk knows better. Posts to be read, and what the
filter took for a case, are *unread*; calls wait on a line of their own and count in neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE
from sim.outcome import CaseState, Outcome, TurnKind, TurnState

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
UNREAD_KINDS = (TurnKind.READING, TurnKind.DISMISS)


class Rows:
    """The rows of one outcome, or of some of its cases, with what measures need worked out once.

    Parameters
    ----------
    outcome : Outcome
    where : (cases,) bool, optional
        The cases that count; turns of other cases and the reading of chatter are left out. Cases whose
        customers a crisis plan kept from writing never count.
    """

    def __init__(self, outcome: Outcome, where: Mask | None = None) -> None:
        self.about: Mapping[str, Any] = outcome.about
        self.outcome = outcome
        self.cases: Mapping[str, NDArray[Any]] = outcome.cases
        self.turns: Mapping[str, NDArray[Any]] = outcome.turns
        asked: Mask = outcome.cases["state"] != CaseState.SUPPRESSED  # the others are outside every service level
        if where is not None:
            mine = np.append(where, False)[outcome.turns["case"]]  # NONE points at the False
            self.turns = {name: column[mine] for name, column in outcome.turns.items()}
            asked &= where
        if not asked.all():
            self.cases = {name: column[asked] for name, column in outcome.cases.items()}

    @property
    def n(self) -> int:
        """Number of cases."""
        return int(self.cases["posted_s"].size)

    @property
    def window_s(self) -> tuple[float, float]:
        start_s, end_s = self.about["window_s"]
        return float(start_s), float(end_s)

    @property
    def end_s(self) -> float:
        """When the run stopped."""
        return float(self.about["end_s"])

    @cached_property
    def response_s(self) -> FloatArray:
        """(cases,) seconds from the post to the end of the first human turn, inf: never answered."""
        out: FloatArray = self.cases["first_reply_s"] - self.cases["posted_s"]
        return out

    @cached_property
    def answered(self) -> Mask:
        """(cases,) whether a human answer met the customer."""
        out: Mask = np.isfinite(self.cases["first_reply_s"])
        return out

    @cached_property
    def kept(self) -> Mask:
        """(cases,) whether each case had its first answer within the promise of its class."""
        out: Mask = self.answered & (self.cases["first_reply_s"] <= self.cases["due_s"])
        return out

    @cached_property
    def backlog(self) -> tuple[FloatArray, FloatArray]:
        """(m,) from when and until when each case turn waits, inf: it still does at the end."""
        return waiting(self.turns, (TurnKind.ANSWER,))

    @cached_property
    def answers(self) -> tuple[FloatArray, FloatArray, Mask]:
        """(m,) wait and time to the answer of each answered turn, and whether it is a later turn.

        The waits of a turn that was handed back are added up.
        """
        turns = self.turns
        answer = turns["kind"] == TurnKind.ANSWER
        done = answer & (turns["state"] == TurnState.DONE)
        wait_s, queued_s = turns["wait_s"][done], turns["queued_s"][done]
        back = answer & (turns["state"] == TurnState.HANDED_BACK)
        if back.any():
            name = turns["case"].astype(np.int64) * 2**16 + turns["k"]
            order = np.argsort(name[done], kind="stable")
            place = np.searchsorted(name[done][order], name[back])
            place = np.minimum(place, max(order.size - 1, 0))
            fits = name[done][order][place] == name[back] if order.size else np.zeros(place.size, bool)
            row = order[place[fits]]
            np.add.at(wait_s, row, turns["wait_s"][back][fits])
            np.minimum.at(queued_s, row, turns["queued_s"][back][fits])
        return wait_s, turns["end_s"][done] - queued_s, turns["k"][done] > 0

    @cached_property
    def staffed(self) -> tuple[IntArray, FloatArray, FloatArray]:
        """(m,) pool, from and until of each stretch at the desk, inside the window."""
        low, high = self.window_s
        staff = self.outcome.staff
        on, off = np.clip(staff["on_s"], low, high), np.clip(staff["off_s"], low, high)
        return staff["pool"].astype(np.int64), on, off

    @cached_property
    def busy(self) -> tuple[FloatArray, FloatArray]:
        """(m,) stretches in which an agent at the desk has at least one turn in hand."""
        return busy(self.outcome)


def waiting(
    turns: Mapping[str, NDArray[Any]], kinds: tuple[TurnKind, ...], languages: NDArray[Any] | None = None
) -> tuple[FloatArray, FloatArray]:
    """From when and until when the turns of these kinds wait, inf: they still do at the end.

    `languages`, if given, is a (turns,) mask of those that count.
    """
    mine = np.isin(turns["kind"], [int(kind) for kind in kinds])
    if languages is not None:
        mine &= languages
    start_s, end_s = turns["start_s"][mine], turns["end_s"][mine]
    until = np.where(np.isfinite(start_s), start_s, end_s)
    until[turns["state"][mine] == TurnState.WAITING] = np.inf
    return turns["queued_s"][mine], until


def levels(from_s: FloatArray, until_s: FloatArray) -> tuple[FloatArray, IntArray]:
    """How many of the stretches [from, until) are under way, as steps.

    Returns
    -------
    times_s : (m,) float64
        When the number changes or may change, ascending, each once.
    number : (m,) int64
        The number from that time until the next; after the last one it stays.
    """
    begins, ends = np.sort(from_s), np.sort(until_s[np.isfinite(until_s)])
    times = np.unique(np.concatenate([begins, ends]))
    return times, counted(begins, times) - counted(ends, times)


def counted(ordered_s: FloatArray, times_s: FloatArray) -> IntArray:
    """How many of the ascending times lie at or before each of `times_s`."""
    return np.searchsorted(ordered_s, times_s, side="right").astype(np.int64)


def under_way(from_s: FloatArray, until_s: FloatArray, times_s: FloatArray) -> IntArray:
    """How many of the stretches [from, until) are under way at each of `times_s`."""
    return counted(np.sort(from_s), times_s) - counted(np.sort(until_s), times_s)


def seconds_within(from_s: FloatArray, until_s: FloatArray, edges_s: FloatArray) -> FloatArray:
    """Seconds of all stretches together that lie in each interval between ascending edges.

    Returns (edges - 1,) float64. Cost: one sort; memory does not grow with the edges.
    """
    if edges_s.size < 2:
        return np.zeros(0)
    low, high = edges_s[0], edges_s[-1]
    begins = np.sort(np.clip(from_s, low, high) - low)
    ends = np.sort(np.clip(until_s, low, high) - low)
    out: FloatArray = np.diff(_passed(begins, edges_s - low) - _passed(ends, edges_s - low))
    return out


def _passed(ordered_s: FloatArray, at_s: FloatArray) -> FloatArray:
    """Sum over the ascending times of the seconds that have passed since, at each of `at_s`."""
    n = counted(ordered_s, at_s)
    sums = np.concatenate([[0.0], np.cumsum(ordered_s)])
    out: FloatArray = n * at_s - sums[n]
    return out


def busy(outcome: Outcome) -> tuple[FloatArray, FloatArray]:
    """Stretches in which an agent at the desk has at least one turn in hand.

    Two turns in hand at once are one stretch; work while on a break or after leaving is none.

    Returns
    -------
    from_s, until_s : (m,) float64
        In no order; not cut at the window. They may touch.
    """
    turns, staff = outcome.turns, outcome.staff
    worked = np.isfinite(turns["start_s"]) & (turns["agent"] != NONE) & (turns["kind"] != TurnKind.CALL)
    stop = float(outcome.about["end_s"])
    n, m = int(np.count_nonzero(worked)), staff["agent"].size
    agent = np.concatenate([turns["agent"][worked]] * 2 + [staff["agent"]] * 2)
    time = np.concatenate(
        [turns["start_s"][worked], np.minimum(turns["end_s"][worked], stop), staff["on_s"], staff["off_s"]]
    )
    turn_step = np.concatenate([np.ones(n, int), -np.ones(n, int), np.zeros(2 * m, int)])
    desk_step = np.concatenate([np.zeros(2 * n, int), np.ones(m, int), -np.ones(m, int)])
    order = np.lexsort((time, agent))
    agent, time = agent[order], np.minimum(time[order], stop)
    both = (np.cumsum(turn_step[order]) > 0) & (np.cumsum(desk_step[order]) > 0)
    both = both[:-1] & (agent[1:] == agent[:-1]) & (time[1:] > time[:-1])
    return time[:-1][both], time[1:][both]
