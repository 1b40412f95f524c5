"""Taking seats away one by one: what can go without a promise being missed, and what cannot.

A pool is tried with one seat fewer in the whole window, then in each half of it, and so on down to eight hours;
dear pools come first. All is tried on the same days. In the end no such seat can go: the last try of each pool is
the proof, and the pool whose loss hurts most is the binding one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from sim.desk import Desk
from sim.estimate import Estimate, estimate
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.promise import Promise
from sim.staff.seats import Seats
from sim.staff.standing import Group, failing, groups

SHORTEST = 32  # intervals: eight hours
CANDIDATES = 4
FEW = 4  # days after which a desk that fails by far is given up
NEVER_EXACT = 0.002  # standard error of a share, at least: a few days may agree by chance


@dataclass(frozen=True)
class Judge:
    """Says how desks with certain seats stand on certain days.

    Attributes
    ----------
    days : Days
    desk : Desk
    promises : tuple of Promise
    per_language : bool
    """

    days: Days
    desk: Desk
    promises: tuple[Promise, ...]
    per_language: bool

    def __call__(self, seats: Seats) -> list[Group]:
        """See `sim.staff.standing.groups`."""
        return self._of(self.days, seats)

    def keeps(self, seats: Seats) -> bool:
        """Whether no promise is missed; seats that fail by far on the first few days are not played on."""
        few = self.days.part(0, FEW)
        if len(few.traces) < len(self.days.traces) and min(_reach(group) for group in self._of(few, seats)) < 0.0:
            return False
        return not failing(self(seats))

    def _of(self, days: Days, seats: Seats) -> list[Group]:
        return groups(days.play(seats.desk(self.desk), self.promises), self.promises, self.per_language)


def _reach(group: Group) -> float:
    """How far a share could still lie above its promise on all days, by four standard errors of the few."""
    return group.margin + 4.0 * max(group.error, NEVER_EXACT) if group.kind != "part" else 1.0


def fewer(seats: Seats, pool: int, begin: int = 0, end: int | None = None) -> Seats | None:
    """One seat of a pool fewer in some intervals, None if there is nobody in any of them."""
    heads = seats.heads.copy()
    part = heads[pool, begin:end]
    if not part.any():
        return None
    part[part > 0] -= 1
    return Seats(seats.start_s, heads, seats.interval_s)


def least_margin(found: Sequence[Group]) -> float:
    """How far the worst of all cases and of the languages lies above its promise."""
    return min(group.margin for group in found if group.kind != "part")


def trim(seats: Seats, judge: Judge, budget: Budget) -> Seats:
    """Seats of which none can be spared, as far as the budget goes.

    Notes
    -----
    Plays the days some ten to twenty times for each pool. Ties of cost are settled by the order of the desk.
    """
    order = sorted(range(len(judge.desk.pools)), key=lambda p: -judge.desk.pools[p].cost_per_h)
    for pool in order:
        stretches = [(0, seats.heads.shape[1])]
        while stretches and not budget.is_over:
            begin, end = stretches.pop(0)
            tried = fewer(seats, pool, begin, end)
            if tried is None:
                continue
            if judge.keeps(tried):
                seats = tried
                stretches.insert(0, (begin, end))  # perhaps another one
            elif end - begin >= 2 * SHORTEST:
                middle = begin + (end - begin) // 2
                stretches += [(begin, middle), (middle, end)]
        if budget.is_over:
            break
        budget.tell(f"trimmed {judge.desk.pools[pool].name}: {seats.hours:,.0f} agent hours")
    return seats


@dataclass(frozen=True)
class OneFewer:
    """What comes of one seat of a pool fewer in the whole window.

    Attributes
    ----------
    pool : str
    before, after : tuple of Group
        The same groups, on the same days.
    """

    pool: str
    before: tuple[Group, ...]
    after: tuple[Group, ...]

    @property
    def worst(self) -> tuple[Group, Group]:
        """The group that stands worst without the seat, before and after."""
        before = {(group.name, group.promise): group for group in self.before if group.kind != "part"}
        pairs = [(before[g.name, g.promise], g) for g in self.after if (g.name, g.promise) in before]
        return min(pairs, key=lambda pair: pair[1].margin)

    @property
    def parts(self) -> tuple[int, int]:
        """Parts of the window that miss a promise beyond chance, before and after."""
        before, after = (sum(g.kind == "part" for g in failing(found)) for found in (self.before, self.after))
        return before, after

    @property
    def fails(self) -> bool:
        """Whether a promise is missed without the seat: over all, in a language, or in more parts of the window."""
        return self.worst[1].margin < 0.0 or self.parts[1] > self.parts[0]

    def loss(self) -> Estimate:
        """By how much the share of that group falls without the seat, paired by day."""
        before, after = self.worst
        cases = np.maximum(before.cases, 1)
        return estimate(((before.kept - after.kept) / cases).tolist())


def tight_pools(found: Sequence[Group], seats: Seats, desk: Desk, most: int = CANDIDATES) -> list[int]:
    """Pools whose seats the group with the least margin stands on, those with the fewest heads first."""
    worst = min((group for group in found if group.kind != "part"), key=lambda group: group.margin)
    speak = [p for p, pool in enumerate(desk.pools) if worst.name == "all" or worst.name in pool.languages]
    return sorted((p for p in speak if seats.heads[p].any()), key=lambda p: int(seats.heads[p].sum()))[:most]


def one_fewer(
    seats: Seats, judge: Judge, pools: Sequence[int] | None = None, before: tuple[Group, ...] | None = None
) -> list[OneFewer]:
    """Each pool with one seat fewer, the one that hurts most first; pools without seats are left out.

    `before` is how the seats stand on the judge's days, if that is known.
    """
    before = tuple(judge(seats)) if before is None else before
    out = []
    for pool in range(len(judge.desk.pools)) if pools is None else pools:
        tried = fewer(seats, pool)
        if tried is not None:
            out.append(OneFewer(judge.desk.pools[pool].name, before, tuple(judge(tried))))
    return sorted(out, key=lambda each: (not each.fails, each.worst[1].margin))
