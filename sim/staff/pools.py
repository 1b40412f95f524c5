"""The cheapest heads of pools that keep every promise: local search over whole numbers, on the same days.

Service is no concave function of heads where there are few (it is S-shaped), so cuts that are right at one place may
cut off the cheapest answer. The search therefore begins where every promise is kept, goes down, and in the end
tries exchanges: a dear head for a cheaper one, one for two, two for one. What was played is not played again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.staff.budget import Budget

IntArray = NDArray[np.int64]
Heads = tuple[int, ...]
Margins = Callable[[Heads], Sequence[float]]
"""Heads of each pool -> how far each promise is kept, below 0: missed. Plays the same days every time."""
MOST_ADDED = 10_000


@dataclass(frozen=True)
class Answer:
    """What the search found.

    Attributes
    ----------
    heads : tuple of int
        By pool.
    cost : float
    margins : tuple of float
        Of each promise; all are 0 or more if `feasible`.
    played : int
        Numbers of heads that were played.
    finished : bool
        Whether no exchange is left that would be cheaper; False: the budget was over before.
    near : tuple of Heads
        Other answers that keep every promise, the cheapest first.
    """

    heads: Heads
    cost: float
    margins: tuple[float, ...]
    played: int
    finished: bool
    near: tuple[Heads, ...]

    @property
    def feasible(self) -> bool:
        """Whether every promise is kept."""
        return min(self.margins) >= 0.0


@dataclass
class _Search:
    costs: Sequence[float]
    margins: Margins
    budget: Budget
    known: dict[Heads, tuple[float, ...]] = field(default_factory=dict)

    def at(self, heads: Heads) -> tuple[float, ...]:
        if heads not in self.known:
            self.known[heads] = tuple(self.margins(heads))
        return self.known[heads]

    def keeps(self, heads: Heads) -> bool:
        return min(self.at(heads)) >= 0.0

    def cost(self, heads: Heads) -> float:
        return float(np.dot(self.costs, heads))

    def up(self, heads: Heads) -> Heads:
        """Add the head that helps most for its cost, until every promise is kept."""
        for _ in range(MOST_ADDED):
            if self.keeps(heads) or self.budget.is_over:
                break
            heads = max(self._with_one_more(heads), key=lambda each: self._gain(heads, each))
        return heads

    def _with_one_more(self, heads: Heads) -> list[Heads]:
        return [_moved(heads, {p: 1}) for p in range(len(heads))]

    def _gain(self, before: Heads, after: Heads) -> float:
        """Promises won back for each euro; what is kept already does not count."""
        won = [min(b, 0.0) - min(a, 0.0) for a, b in zip(self.at(before), self.at(after), strict=True)]
        return sum(won) / max(self.cost(after) - self.cost(before), 1e-9)

    def down(self, heads: Heads) -> Heads:
        """Take cheaper neighbours that keep every promise, until there is none."""
        while not self.budget.is_over:
            better = next((each for each in self._cheaper(heads) if self.keeps(each)), None)
            if better is None:
                break
            heads = better
            self.budget.tell(f"{heads}: costs {self.cost(heads):.6g}")
        return heads

    def _cheaper(self, heads: Heads) -> list[Heads]:
        """Neighbours that cost less, those that save most first."""
        near = {each for each in _neighbours(heads) if self.cost(each) < self.cost(heads) - 1e-9}
        return sorted(near, key=lambda each: (self.cost(each), each))


def _moved(heads: Heads, change: dict[int, int]) -> Heads:
    return tuple(n + change.get(p, 0) for p, n in enumerate(heads))


def _neighbours(heads: Heads) -> Iterator[Heads]:
    """One head fewer; one for one, one for two, two for one, one of each of two pools for one."""
    pools = range(len(heads))
    moves = [{p: -1} for p in pools]
    moves += [{p: -a, q: b} for p in pools for q in pools if q != p for a, b in ((1, 1), (1, 2), (2, 1))]
    moves += [{p: -1, q: -1, r: 1} for p in pools for q in range(p) for r in pools if r not in (p, q)]
    for change in moves:
        moved = _moved(heads, change)
        if min(moved) >= 0:
            yield moved


def cheapest(costs: Sequence[float], margins: Margins, start: Sequence[int], budget: Budget | None = None) -> Answer:
    """Look for the cheapest heads that keep every promise.

    Parameters
    ----------
    costs : sequence of float
        Of one head of each pool, > 0.
    margins : callable
        See `Margins`; the same heads must give the same margins.
    start : sequence of int
        Heads to begin with, from a formula say; if they miss a promise, heads are added first.
    budget : Budget, optional
        When it is over, the best so far is the answer.

    Notes
    -----
    The answer is the cheapest of its neighbourhood, on these days. Cost: some ten plays for each pool and
    head by which the start is off.
    """
    search = _Search(costs, margins, budget or Budget())
    heads = search.down(search.up(tuple(int(n) for n in start)))
    kept = [each for each, found in search.known.items() if min(found) >= 0.0 and each != heads]
    return Answer(
        heads=heads,
        cost=search.cost(heads),
        margins=search.at(heads),
        played=len(search.known),
        finished=not search.budget.is_over,
        near=tuple(sorted(kept, key=lambda each: (search.cost(each), each))),
    )
