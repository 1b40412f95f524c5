"""Who waits when, and who is at the desk when: rows of an outcome as stretches of time.

A case turn waits from `queued_s` until it is started; until its end if the customer said that he
gives up; until the end of the run if nobody came. What was queued by a customer who left without a
sign waits until it is started: nobody at the desk knows better. Posts to be read, and what the
filter took for a case, are *unread*; calls wait on a line of their own and count in neither.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


class Some(Mapping[str, NDArray[Any]]):
    """Some rows of a table: a column is taken when it is asked for, and kept."""

    def __init__(self, table: Mapping[str, NDArray[Any]], which: IntArray | Mask) -> None:
        self._table, self._which = table, which
        self._taken: dict[str, NDArray[Any]] = {}

    def __getitem__(self, name: str) -> NDArray[Any]:
        if name not in self._taken:
            self._taken[name] = self._table[name][self._which]
        return self._taken[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._table)

    def __len__(self) -> int:
        return len(self._table)


class Rows:
    """The rows of one outcome, or of some of its cases, with what measures need worked out once.

    After a warm-up (see `sim.warmup`) only cases posted since then count, and turns as far as they
    wait since then.

    Parameters
    ----------
    outcome : Outcome
    whole : bool
        Leave the warm-up in.

    Notes
    -----
    Cases whose customers a crisis plan kept from writing never count.
    """

    def __init__(self, outcome: Outcome, whole: bool = False) -> None:
        self.about: Mapping[str, Any] = outcome.about
        self.is_warm = "measured_from_s" in outcome.about and not whole
        self.outcome = outcome
        self.turns: Mapping[str, NDArray[Any]] = outcome.turns
        self.cases: Mapping[str, NDArray[Any]] = outcome.cases
        counts: Mask = outcome.cases["state"] != CaseState.SUPPRESSED  # outside every service level
        if self.is_warm:
            counts &= outcome.cases["posted_s"] >= self.window_s[0]
        self.counts: Mask | None = None if counts.all() else counts
        if self.counts is not None:
            self.cases = Some(outcome.cases, self.counts)

    def part(self, where: Mask) -> Rows:
        """Only the cases marked, and their turns: those of other cases and the reading of chatter are left out.

        `where` is (cases,) bool over all cases of the outcome.
        """
        out = Rows(self.outcome, not self.is_warm)
        which, case = self._turns_of_cases
        out.turns = Some(self.outcome.turns, which[where[case]])
        out.cases = Some(self.outcome.cases, where if self.counts is None else where & self.counts)
        return out

    @cached_property
    def _turns_of_cases(self) -> tuple[IntArray, IntArray]:
        """(m,) turns that are about a case, and the case."""
        case = self.outcome.turns["case"]
        which = np.flatnonzero(case != NONE)
        return which, case[which].astype(np.int64)

    @property
    def n(self) -> int:
        """Number of cases."""
        return int(self.cases["posted_s"].size)

    @property
    def window_s(self) -> tuple[float, float]:
        """What is measured: the window of the run, without its warm-up."""
        start_s, end_s = self.about["window_s"]
        return float(self.about["measured_from_s"] if self.is_warm else start_s), float(end_s)

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
        return self.since_warm(*waiting(self.turns, (TurnKind.ANSWER,)))

    @cached_property
    def unread(self) -> tuple[FloatArray, FloatArray]:
        """(m,) the same of posts to be read, and of those that the filter took for cases."""
        return self.since_warm(*waiting(self.turns, UNREAD_KINDS))

    def since_warm(self, from_s: FloatArray, until_s: FloatArray) -> tuple[FloatArray, FloatArray]:
        """The stretches that go on after the warm-up, if there is one; they keep their beginning."""
        if not self.is_warm:
            return from_s, until_s
        late = until_s > self.window_s[0]
        return from_s[late], until_s[late]

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
        end_s, later = turns["end_s"][done], turns["k"][done] > 0
        if self.is_warm:
            late = queued_s >= self.window_s[0]
            wait_s, queued_s, end_s, later = wait_s[late], queued_s[late], end_s[late], later[late]
        return wait_s, end_s - queued_s, later

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
    kind = turns["kind"]
    mine = kind == kinds[0]
    for other in kinds[1:]:
        mine |= kind == other
    if languages is not None:
        mine &= languages
    which = np.flatnonzero(mine)
    start_s, end_s = turns["start_s"][which], turns["end_s"][which]
    until = np.where(np.isfinite(start_s), start_s, end_s)
    until[turns["state"][which] == TurnState.WAITING] = np.inf
    return turns["queued_s"][which], until


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


def most(from_s: FloatArray, until_s: FloatArray) -> int:
    """The most stretches [from, until) that are ever under way at once."""
    begins, ends = np.sort(from_s), np.sort(until_s[np.isfinite(until_s)])
    # Of those that begin together the last one sees them all; what ends then is no longer there.
    return int((np.arange(1, begins.size + 1) - counted(ends, begins)).max(initial=0))


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
    turn_step, desk_step = np.zeros((2, time.size), np.int8)
    turn_step[:n], turn_step[n : 2 * n] = 1, -1
    desk_step[2 * n : 2 * n + m], desk_step[2 * n + m :] = 1, -1
    order = np.argsort(time, kind="stable")
    if agent.max(initial=0) < 2**15:
        agent = agent.astype(np.int16)  # sorted by its digits, which is quicker
    order = order[np.argsort(agent[order], kind="stable")]
    agent, time = agent[order], np.minimum(time[order], stop)
    both = (np.cumsum(turn_step[order], dtype=np.int64) > 0) & (np.cumsum(desk_step[order], dtype=np.int64) > 0)
    both = both[:-1] & (agent[1:] == agent[:-1]) & (time[1:] > time[:-1])
    return time[:-1][both], time[1:][both]
