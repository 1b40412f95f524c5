"""The requirement: seats by pool and quarter of an hour with which the promise is kept, as if all stood ready.

Seats are found by iteration, in the way of Feldman, Mandelbaum, Massey and Whitt (2008): play the days, look at
every interval how the wait differs from the promised one, change the seats, play the same days again. A wait
that is too long by w seconds at s seats is w s seat seconds of work too much: seats are added where that
backlog grows, and taken away where it shrinks; steps become smaller from one round to the next. What each
language needs is its part of the work, times a factor that grows while its promise is missed; an integer
programme turns needs into heads of the cheapest pools. When the seats have settled, what still fails is mended
upwards alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sim.desk import Desk
from sim.outcome import Outcome
from sim.staff.allot import STEP, Allotment
from sim.staff.budget import Budget
from sim.staff.days import LANGUAGES, Days, Kept, count, drain_h, place_of
from sim.staff.need import Need
from sim.staff.promise import Promise
from sim.staff.seats import QUARTER_S, Seats
from sim.staff.standing import Group, failing, groups
from sim.staff.workload import offered_load
from sim.waits import Rows

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ROUNDS, MENDS = 6, 12  # rounds in which seats may go up and down, and at most so many in which they go up
SETTLE_S = 4 * 3600.0  # time in which a wait that stays too long is worked off
FIRST_STEP, LAST_STEP = 0.12, 0.01  # most that the total changes from round to round, as a share
GAP = 0.1  # a share that is further off counts as so far off
MOST_FACTOR = 1000.0
MOST_STRENGTH = 4.0  # by how much larger steps upwards become
TO_NEXT_SEAT, BUSY = 1.5, 0.75  # a language that needs a part of a seat has one: only a second one helps, in busy hours
WIDE = 3  # intervals over which waits are looked at together


@dataclass(frozen=True)
class Round:
    """Seats of one round, and how they stood.

    Attributes
    ----------
    seats : Seats
    groups : tuple of Group
        See `sim.staff.standing.groups`.
    need : Need
        What the seats were made of.
    """

    seats: Seats
    groups: tuple[Group, ...]
    need: Need

    @property
    def failing(self) -> list[Group]:
        """Groups for which a promise does not hold."""
        return failing(self.groups)


class Requirement:
    """Looks for the seats that a scenario needs.

    Parameters
    ----------
    days : Days
        The days that are played, the same in every round.
    desk : Desk
        Its pools say who can be had; its own shifts and its ladder are left out, the levers of its plan stay.
    promises : sequence of Promise
    per_language : bool
        Whether promises hold for each language as well as for all.
    work : (languages, intervals) float64, optional
        Offered load to begin with; measured if not given.
    """

    def __init__(
        self,
        days: Days,
        desk: Desk,
        promises: Sequence[Promise],
        per_language: bool = True,
        work: FloatArray | None = None,
    ) -> None:
        self.days, self.desk, self.promises, self.per_language = days, desk, tuple(promises), per_language
        self.work = offered_load(days, desk) if work is None else work
        self.played = 0  # rounds
        self.allotment = Allotment(desk, [LANGUAGES[n] for n in np.flatnonzero(self.work.sum(axis=1) > 0.0)])

    def play(self, need: Need) -> tuple[Round, list[Seen]]:
        """One round."""
        self.played += 1
        seats = need.seats(self.allotment, self.days.window_s[0])
        seen = self.days.each(seats.desk(self.desk), look(self.promises, self.days.intervals), drain_h(self.promises))
        found = groups([one.kept for one in seen], self.promises, self.per_language)
        return Round(seats, tuple(found), need), seen

    def rounds(self, begin: Need | None = None, rounds: int = ROUNDS) -> Iterator[Round]:
        """Round after round: first up and down, then upwards until nothing fails."""
        load = self.work.sum(axis=0)
        flat = np.zeros(len(LANGUAGES))
        need = begin or Need(self.work, load + np.sqrt(load) + 0.5, flat + 1.0, flat)
        for k in range(rounds + MENDS):
            this, seen = self.play(need)
            yield this
            excess = excess_s(seen, self.promises, self.days.intervals)
            if k < rounds:
                step = max(FIRST_STEP / (1.0 + k) ** 0.7, LAST_STEP)
                need = replace(need, total=changed(need.total, excess, step), **_mixed(this))
            elif this.failing:
                strength = min(1.0 + 0.5 * (k - rounds), MOST_STRENGTH)  # what small steps did not mend
                need = replace(need, total=_raised(this, strength), **_mixed(this, upwards=True))
            else:
                return

    def find(self, budget: Budget, begin: Need | None = None, rounds: int = ROUNDS) -> Round:
        """The cheapest round in which nothing failed; if there was none, that in which least did."""
        best: Round | None = None
        for k, this in enumerate(self.rounds(begin, rounds)):
            best = this if best is None else min(best, this, key=self._merit)
            budget.tell(f"round {k + 1}: {this.seats.hours:,.0f} agent hours, {len(this.failing)} promises missed")
            if budget.is_over:
                break
        assert best is not None  # there is always a first round
        return best

    def _merit(self, this: Round) -> tuple[float, float]:
        return sum(max(-group.margin, 0.001) for group in this.failing), this.seats.cost(self.desk)


def _mixed(this: Round, upwards: bool = False) -> dict[str, FloatArray]:
    """Factors and idle shares for the next round: by how far each language is from its promise."""
    need = this.need
    factor, idle, small = need.factor.copy(), need.idle.copy(), need.is_small()
    gaps: dict[str, float] = {}
    for group in this.groups:
        if group.kind == "language":
            gaps[group.name] = max(gaps.get(group.name, -1.0), -group.margin)
    for number, language in enumerate(LANGUAGES):
        gap = float(np.clip(gaps.get(language.value, 0.0), -GAP, GAP))
        if upwards:
            gap = gap + 0.005 if gap > 0.0 else 0.0
        if gap > 0.0 and idle[number] > 0.0:
            idle[number] = max(idle[number] - gap, 0.0)
        elif gap < 0.0 and small[number] and factor[number] <= 1.0:
            idle[number] = min(idle[number] - 0.5 * gap, 0.5)
        elif gap > 0.0 and small[number] and upwards:
            busy = float(np.quantile(need.work[number], BUSY))
            factor[number] = min(max(factor[number] * TO_NEXT_SEAT, 1.05 / max(busy, 1e-9)), MOST_FACTOR)
        else:
            times = float(np.exp(2.0 * gap))
            if upwards and gap > 0.0:
                times = max(times, STEP)  # needs are rounded to such steps: less than one may change nothing
            factor[number] = min(max(factor[number] * times, 1.0 / MOST_FACTOR), MOST_FACTOR)
    return {"factor": factor, "idle": idle}


def _raised(this: Round, strength: float) -> FloatArray:
    """The total, raised where a part of the window fails, and everywhere if all cases together do."""
    total = this.need.total.copy()
    missed = [group for group in this.failing if group.kind == "all"]
    total *= 1.0 + 0.5 * max([min(-group.margin, 0.02) + 0.002 for group in missed], default=0.0)
    starts = [int(group.name) for group in this.groups if group.kind == "part"]
    for group in this.failing:
        if group.kind == "part":
            begin = int(group.name)
            end = min([start for start in starts if start > begin], default=total.size)
            total[max(begin - WIDE, 0) : end] += strength * np.maximum(0.02 * total[max(begin - WIDE, 0) : end], 0.5)
    return total


@dataclass(frozen=True)
class Seen:
    """What one round shows: cases and kept promises, and when each case was posted and answered."""

    kept: Kept
    place: IntArray
    response_s: FloatArray


def look(promises: Sequence[Promise], intervals: int) -> Callable[[Outcome], Seen]:
    """What to keep of an outcome."""

    def seen(outcome: Outcome) -> Seen:
        rows = Rows(outcome)
        return Seen(count(outcome, promises, intervals), place_of(rows), rows.response_s)

    return seen


def excess_s(seen: Sequence[Seen], promises: Sequence[Promise], intervals: int) -> FloatArray:
    """By how much the promised share waits longer than promised, by interval of the post; below 0: shorter.

    Of several promises the one that is missed most counts. Intervals are looked at together with their
    neighbours; one without cases has 0. What was never answered waits for as long as the promise, and a day.
    """
    place = np.concatenate([one.place for one in seen])
    response = np.concatenate([one.response_s for one in seen])
    inside = (place >= 0) & (place < intervals)
    place, response = place[inside], response[inside]
    order = np.lexsort((response, place))
    place, response = place[order], response[order]
    out = np.full(intervals, -np.inf)
    edges = np.searchsorted(place, np.arange(intervals + 1))
    for i in range(intervals):
        a, b = edges[max(i - WIDE // 2, 0)], edges[min(i + WIDE // 2 + 1, intervals)]
        if a == b:
            out[i] = 0.0
            continue
        near = np.sort(response[a:b])
        for promise in promises:
            longest = near[min(int(np.ceil(promise.share * near.size)), near.size) - 1]
            out[i] = max(out[i], min(longest, promise.within_s + 86_400.0) - promise.within_s)
    return out


def changed(total: FloatArray, excess: FloatArray, most: float) -> FloatArray:
    """(intervals,) seats in all for the next round; they change by a share of `most` at most."""
    backlog = excess * total  # seat seconds too many
    growth = np.diff(backlog, prepend=backlog[0]) / QUARTER_S
    step = 0.5 * growth + backlog / SETTLE_S
    bound = np.maximum(most * total, 0.25)
    out: FloatArray = np.maximum(total + np.clip(_smooth(step), -bound, bound), 0.25)
    return out


def _smooth(values: FloatArray) -> FloatArray:
    kernel = np.array([1.0, 2.0, 3.0, 2.0, 1.0]) / 9.0
    padded = np.pad(values, 2, mode="edge")
    out: FloatArray = np.convolve(padded, kernel, mode="valid")
    return out
