"""Seats: how many people of each pool work in each quarter of an hour, as if all stood ready."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from sim.desk import Desk, Pool

IntArray = NDArray[np.int64]
QUARTER_S = 900.0
HOUR_S = 3600.0


@dataclass(frozen=True)
class Seats:
    """Heads at work, breaks and absence out.

    Attributes
    ----------
    start_s : float
        Start of the first interval, in seconds from onset.
    heads : (pools, intervals) int64
        In the order of the desk's pools.
    interval_s : float
        Length of an interval in seconds.
    """

    start_s: float
    heads: IntArray
    interval_s: float = QUARTER_S

    @property
    def hours(self) -> float:
        """Agent hours of all seats together."""
        return float(self.heads.sum()) * self.interval_s / HOUR_S

    def cost(self, desk: Desk) -> float:
        """What the seats cost, in euros."""
        each = np.array([pool.cost_per_h for pool in desk.pools])
        return float(each @ self.heads.sum(axis=1)) * self.interval_s / HOUR_S

    def desk(self, desk: Desk) -> Desk:
        """The same desk with these seats in the place of its shifts, and without a call-in ladder."""
        pools = tuple(self._seated(pool, p) for p, pool in enumerate(desk.pools))
        plan = desk.plan.model_copy(update={"ladder": ()}) if desk.plan is not None else None
        return desk.model_copy(update={"pools": pools, "plan": plan})

    def _seated(self, pool: Pool, p: int) -> Pool:
        heads = self.heads[p].tolist()
        changes = [0] + [i + 1 for i, (a, b) in enumerate(pairwise(heads)) if a != b]
        steps = tuple(((self.start_s + i * self.interval_s) / HOUR_S, int(heads[i])) for i in changes)
        return pool.model_copy(update={"shifts": (), "agents": (), "steps": steps, "absent_share": 0.0})
