"""From a promise to plans: each shown to hold on fresh days, and to have no seat too many.

Seats are found on some days, mended and trimmed on more days, and judged on fresh ones that had no part in finding
them. All days of one plan have the same size of the surges; their noise and chance differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from scenarios.model import Scenario
from scenarios.surges import Boost
from scenarios.traces import Trace
from sim.desk import Desk
from sim.estimate import Estimate, estimate
from sim.measures import Row
from sim.replicate import Size
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.need import Need
from sim.staff.promise import Promise
from sim.staff.reachable import attend
from sim.staff.requirement import ROUNDS, Requirement
from sim.staff.seats import Seats
from sim.staff.standing import Group, groups
from sim.staff.trim import CANDIDATES, Judge, OneFewer, one_fewer, tight_pools, trim

FRESH = 40
HASTY = 8  # fresh days after Ctrl-C
WEEK_H, MOST_TIMES = 168.0, 2.0
LARGE = 30_000  # cases a run from which on fewer runs say as much
KEPT_ROWS = 1_000_000  # posts of all days that are kept for the next plan: some 100 MB
FRESH_SEED = 1_000_003  # added to the seed: fresh days share no chance with those of the search


@dataclass(frozen=True)
class Effort:
    """How many days are played: to find seats, to mend and trim them, and fresh ones to judge them."""

    find: int
    mend: int
    fresh: int = FRESH

    @property
    def half(self) -> Effort:
        """Half as many to search on, for a plan that begins with another one's seats."""
        return Effort(max(self.find // 2, 2), max(self.mend // 2, 2), self.fresh)

    @classmethod
    def for_days(cls, days: Days) -> Effort:
        """Short windows differ more from one to the next, so more of them are played; of large ones fewer."""
        if days.traces[0].cases >= LARGE:
            return cls(6, 10)
        hours = (days.window_s[1] - days.window_s[0]) / 3600.0
        times = min(max(WEEK_H / hours, 1.0), MOST_TIMES)
        return cls(round(16 * times**0.5), round(40 * times), round(FRESH * times))


@dataclass(frozen=True)
class Question:
    """What is to be sized.

    Attributes
    ----------
    scenario : Scenario
    desk : Desk
    promises : tuple of Promise
    per_language : bool
    seed : int
    hours : float or None
        Length to cut the window to.
    """

    scenario: Scenario
    desk: Desk
    promises: tuple[Promise, ...]
    per_language: bool = True
    seed: int = 1
    hours: float | None = None
    _drawn: dict[tuple[int, int, Size | float], Trace] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    @property
    def size_is_open(self) -> bool:
        """Whether the size of a surge is not known."""
        return any(not isinstance(s, Boost) and s.size.low < s.size.high for s in self.scenario.surges)

    def days(self, runs: int, size: Size | float, first: int = 0, fresh: bool = False) -> Days:
        """Days of a size; `fresh` ones have chance of their own. Those of short windows are kept, and drawn once."""
        seed = self.seed + FRESH_SEED if fresh else self.seed
        wanted = [number for number in range(first, first + runs) if (number, seed, size) not in self._drawn]
        if not wanted:
            numbers = tuple(range(first, first + runs))
            return Days(self.scenario, tuple(self._drawn[n, seed, size] for n in numbers), seed, numbers)
        days = Days.draw(self.scenario, runs, seed, first=first, hours=self.hours, size=size)
        if sum(len(trace) for trace in (*self._drawn.values(), *days.traces)) <= KEPT_ROWS:
            self._drawn.update({(n, seed, size): trace for n, trace in zip(days.numbers, days.traces, strict=True)})
        return days


@dataclass(frozen=True)
class Sized:
    """One plan.

    Attributes
    ----------
    name : str
    promises : tuple of Promise
        Those that it was made for.
    size : Size or float
        Size of the surges that it was made for.
    seats : Seats
    need : Need
        What the seats were made of, to begin another search with.
    groups : tuple of Group
        How it stands on fresh days.
    binding : OneFewer or None
        The pool that has no seat to spare, on the same fresh days; None if nothing is promised.
    rows : tuple of Row
        Measures of the fresh days.
    effort : Effort
        Days that were searched on.
    finished : bool
        Whether the search came to its end within the budget.
    rounds : int or None
        How often seats were played to find and mend them; None: they were not searched.
    """

    name: str
    promises: tuple[Promise, ...]
    size: Size | float
    seats: Seats
    need: Need
    groups: tuple[Group, ...]
    binding: OneFewer | None
    rows: tuple[Row, ...]
    effort: Effort
    finished: bool
    rounds: int | None = None

    def measure(self, name: str) -> Estimate:
        """Mean and interval of a measure over the fresh days in which it has a value."""
        return estimate([value for row in self.rows if (value := row[name]) is not None])

    @property
    def keeps(self) -> bool:
        """Whether no promise is missed by more than its interval allows, for all and for each language."""
        return all(_holds(group) for group in self.groups if group.kind != "part")


def _holds(group: Group) -> bool:
    found = group.estimate()
    return (found.high if found.high is not None else group.share) >= group.promise.share


def size_plan(
    name: str,
    question: Question,
    budget: Budget,
    *,
    size: Size | float = "likely",
    promises: Sequence[Promise] | None = None,
    begin: Need | None = None,
    effort: Effort | None = None,
    candidates: int = CANDIDATES,
) -> Sized:
    """Find the seats of one plan.

    Parameters
    ----------
    name : str
        Of the plan.
    question : Question
    budget : Budget
        A part of it goes to finding, the rest to mending and trimming; judging comes on top, and takes as long as
        some two hundred runs.
    size : size of the surges
    promises : sequence of Promise, optional
        Others than those of the question.
    begin : Need, optional
        That of a plan alike: the search is then short.
    effort : Effort, optional
    candidates : int
        Pools that are tried with one seat fewer, to find the binding one.
    """
    asked = tuple(promises or question.promises)
    few = question.days(2, size)
    effort = effort or Effort.for_days(few)
    days = question.days(effort.find, size)
    first = Requirement(days, question.desk, asked, question.per_language, None if begin is None else begin.work)
    found = first.find(budget.part(0.35), begin, rounds=2 if begin is not None else ROUNDS)
    more = question.days(effort.mend, size, first=effort.find)
    second = Requirement(more, question.desk, asked, question.per_language, first.work)
    mended = second.find(budget.part(0.7), found.need, rounds=0)
    judge = Judge(more, question.desk, asked, question.per_language)
    seats = trim(mended.seats, judge, budget)
    done = not budget.is_over
    if budget.watch.stopped():  # who has had enough does not wait for all the evidence
        effort, candidates = replace(effort, fresh=min(effort.fresh, HASTY)), 0
    fresh = question.days(effort.fresh, size, fresh=True)
    sized = judged(name, question, asked, size, seats, mended.need, fresh, effort, done, candidates)
    return replace(sized, rounds=first.played + second.played)


def judged(
    name: str,
    question: Question,
    promises: tuple[Promise, ...],
    size: Size | float,
    seats: Seats,
    need: Need,
    fresh: Days,
    effort: Effort,
    finished: bool,
    candidates: int = CANDIDATES,
) -> Sized:
    """A plan with its evidence: how it stands on fresh days, and what one seat fewer does there."""
    attended = attend(fresh, seats.desk(question.desk), promises)
    found = groups([run.kept for run in attended], promises, question.per_language)
    there = Judge(fresh, question.desk, promises, question.per_language)
    tried = one_fewer(seats, there, tight_pools(found, seats, question.desk, candidates), tuple(found))
    binding = tried[0] if tried else None
    rows = tuple(run.row for run in attended)
    return Sized(name, promises, size, seats, need, tuple(found), binding, rows, effort, finished)
