"""Which of the last few plans costs least with missed cases priced, with a stated probability.

The finalists meet the same days, one after the other; on each a plan costs its staff and a price for each missed
case. Whoever has fallen behind by more than chance could explain drops out, see `sim.staff.selection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sim.crew import cores
from sim.replicate import Size
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.reachable import missed
from sim.staff.selection import Selection, select
from sim.staff.sizing import Question, Sized

FIRST, MOST = 10, 400  # days at least, on which variances are estimated, and at most
FIRST_DAY = 50_000  # far from the numbers of other fresh days
WORTH = 0.05  # of the requirement's cost: the difference that is worth detecting


@dataclass(frozen=True)
class Finals:
    """Who was selected.

    Attributes
    ----------
    plans : tuple of str
    selection : Selection
        Its values are minus euros a run.
    means : tuple of float
        Mean cost of each plan over the days that it was played, in euros.
    played : tuple of int
        Days of each.
    miss_eur : float
    """

    plans: tuple[str, ...]
    selection: Selection
    means: tuple[float, ...]
    played: tuple[int, ...]
    miss_eur: float


def finals(question: Question, plans: Sequence[Sized], size: Size | float, miss_eur: float, budget: Budget) -> Finals:
    """Select the plan with the least mean cost; the first days are played in any case.

    Parameters
    ----------
    question : Question
    plans : sequence of Sized
        The finalists, two at least; the first is the requirement.
    size : size of the surges
        ``drawn``: of each day one of its own.
    miss_eur : float
        Price of a missed case.
    budget : Budget
        When it is over, so is the selection: undecided, unless one is left.
    """
    sample = _Sample(question, plans, size, miss_eur)
    worth = max(WORTH * plans[0].seats.cost(question.desk), 1.0)
    found = select(sample, len(plans), worth, first=FIRST, most=MOST, stop=lambda: budget.is_over)
    budget.tell(f"{len(plans)} plans compared on {found.days} days, {len(found.alive)} left")
    mine = [values[: found.days] for values in sample.values]  # days are played some at once, not all were looked at
    means, played = tuple(-sum(each) / len(each) for each in mine), tuple(len(each) for each in mine)
    return Finals(tuple(each.name for each in plans), found, means, played, miss_eur)


class _Sample:
    """Minus the cost of a plan on a day; days are played some at once, and kept."""

    def __init__(self, question: Question, plans: Sequence[Sized], size: Size | float, miss_eur: float) -> None:
        self.question, self.size, self.miss_eur = question, size, miss_eur
        self.desks = [each.seats.desk(question.desk) for each in plans]
        self.staff = [each.seats.cost(question.desk) for each in plans]
        self.values: list[list[float]] = [[] for _ in plans]
        self.days: dict[int, Days] = {}

    def __call__(self, plan: int, day: int) -> float:
        mine = self.values[plan]
        while len(mine) <= day:
            kept = self._days(len(mine)).play(self.desks[plan], self.question.promises)
            mine += [-self.staff[plan] - self.miss_eur * missed(run) for run in kept]
        return mine[day]

    def _days(self, first: int) -> Days:
        if first not in self.days:
            many = FIRST if first == 0 else cores()
            self.days = {}  # all are behind the days before
            self.days[first] = self.question.days(many, self.size, first=FIRST_DAY + first, fresh=True)
        return self.days[first]
