"""A small N-model whose service is known exactly: two languages, one pool that speaks one, one that speaks both.

English callers go to the pool of English alone if somebody is free there, else to the bilingual pool; Dutch ones to
the bilingual pool alone, and go first in its queue. Work and patience are exponential. The chain is the number at
work in each pool and the two queues.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

State = tuple[int, int, int, int]


@dataclass(frozen=True)
class NModel:
    """Rates a minute."""

    english: float
    dutch: float
    service: float
    leaving: float
    longest: int = 24  # of each queue; longer ones are left out

    def moves(self, heads: tuple[int, int], state: State) -> Iterator[tuple[State, float]]:
        """What may happen next, and at what rate."""
        own, both = heads
        a, b, english, dutch = state
        if a < own:
            yield (a + 1, b, english, dutch), self.english
        elif b < both:
            yield (a, b + 1, english, dutch), self.english
        elif english < self.longest:
            yield (a, b, english + 1, dutch), self.english
        if b < both:
            yield (a, b + 1, english, dutch), self.dutch
        elif dutch < self.longest:
            yield (a, b, english, dutch + 1), self.dutch
        yield ((a, b, english - 1, dutch) if english else (a - 1, b, 0, dutch)), a * self.service
        after = (a, b, english, dutch - 1) if dutch else (a, b, english - 1, 0) if english else (a, b - 1, 0, 0)
        yield after, b * self.service
        yield (a, b, english - 1, dutch), english * self.leaving
        yield (a, b, english, dutch - 1), dutch * self.leaving

    def states(self, heads: tuple[int, int]) -> list[State]:
        """All states that can be reached from an empty system."""
        seen: list[State] = [(0, 0, 0, 0)]
        known = set(seen)
        for state in seen:
            for after, rate in self.moves(heads, state):
                if rate > 0.0 and after not in known:
                    known.add(after)
                    seen.append(after)
        return seen

    def at_once(self, heads: tuple[int, int]) -> tuple[float, float]:
        """Share of the English and of the Dutch callers who are served without waiting."""
        states = self.states(heads)
        place = {state: i for i, state in enumerate(states)}
        rates: NDArray[np.float64] = np.zeros((len(states), len(states)))
        for i, state in enumerate(states):
            for after, rate in self.moves(heads, state):
                if rate > 0.0:
                    rates[i, place[after]] += rate
                    rates[i, i] -= rate
        balance = rates.T.copy()
        balance[-1] = 1.0
        wanted = np.zeros(len(states))
        wanted[-1] = 1.0
        probability = np.linalg.solve(balance, wanted)
        free = np.array([b < heads[1] for _, b, _, _ in states])
        own = np.array([a < heads[0] for a, _, _, _ in states])
        return float(probability[own | free].sum()), float(probability[free].sum())
