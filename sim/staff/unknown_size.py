"""The size of the surge is not known: which plan to choose before it is, and what it is worth to wait.

Plans are played under sizes from the smallest to the largest, each as likely as the others. What a plan costs is its
staff and a price for each case whose promise was missed; that price is an assumption. Regret is what a plan costs
more than the best one for that size. The mean over the worst sizes is the conditional value at risk (Rockafellar and
Uryasev, 2000, Journal of Risk 2(3), 21-41).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.model import Scenario
from sim.desk import Desk
from sim.executors import StoppedError
from sim.staff.budget import Budget
from sim.staff.days import Days
from sim.staff.promise import Promise
from sim.staff.seats import QUARTER_S, Seats

FloatArray = NDArray[np.float64]
SIZES = tuple((i + 0.5) / 8 for i in range(8))
WORST = 0.2  # of the sizes: those over which the risk is taken


@dataclass(frozen=True)
class Table:
    """What each plan comes to under each size.

    Attributes
    ----------
    plans : tuple of str
    sizes : tuple of float
        Quantiles of the size.
    missed : (plans, sizes) float64
        Cases a run whose promise was missed.
    staff : (plans, sizes) float64
        Euros a run for staff.
    miss_eur : float
        Price of a missed case.
    """

    plans: tuple[str, ...]
    sizes: tuple[float, ...]
    missed: FloatArray
    staff: FloatArray
    miss_eur: float

    @property
    def total(self) -> FloatArray:
        """(plans, sizes) euros for staff and missed cases."""
        out: FloatArray = self.staff + self.miss_eur * self.missed
        return out

    @property
    def regret(self) -> FloatArray:
        """(plans, sizes) euros more than the best plan for the size."""
        out: FloatArray = self.total - self.total.min(axis=0)
        return out

    @property
    def mean(self) -> FloatArray:
        """(plans,) mean of the total."""
        out: FloatArray = self.total.mean(axis=1)
        return out

    @property
    def cvar(self) -> FloatArray:
        """(plans,) mean of the total over the worst fifth of the sizes, each plan's own."""
        k = max(round(WORST * len(self.sizes)), 1)
        out: FloatArray = np.sort(self.total, axis=1)[:, -k:].mean(axis=1)
        return out

    @property
    def best(self) -> int:
        """The plan with the least mean."""
        return int(self.mean.argmin())

    @property
    def perfect_information(self) -> float:
        """Euros that would be saved, on average, if the size were known beforehand."""
        return float(self.mean.min() - self.total.min(axis=0).mean())


def play_sizes(
    scenario: Scenario,
    desk: Desk,
    plans: Mapping[str, Seats],
    promises: Sequence[Promise],
    miss_eur: float,
    seed: int,
    budget: Budget,
    *,
    runs: int = 2,
    hours: float | None = None,
) -> Table:
    """Play every plan under every size, all on the same days."""
    missed = np.zeros((len(plans), len(SIZES)))
    for s, u in enumerate(SIZES):
        _go_on(budget)
        days = Days.draw(scenario, runs, seed, first=s * runs, hours=hours, size=u)
        for p, seats in enumerate(plans.values()):
            missed[p, s] = _missed(days, seats.desk(desk), promises)
        budget.tell(f"size {s + 1} of {len(SIZES)} played")
    staff = np.repeat([[seats.cost(desk)] for seats in plans.values()], len(SIZES), axis=1)
    return Table(tuple(plans), SIZES, missed, staff, miss_eur)


def _go_on(budget: Budget) -> None:
    """Raise `sim.executors.StoppedError` if somebody has had enough: half a table says nothing."""
    if budget.watch.stopped():
        raise StoppedError


def _missed(days: Days, desk: Desk, promises: Sequence[Promise]) -> float:
    kept = days.play(desk, promises)
    return float(np.mean([(run.cases.sum() - run.kept.sum(axis=(1, 2))).max() for run in kept]))


@dataclass(frozen=True)
class TwoStage:
    """Begin with one plan, go on with the one for the true size once it is known and people can be had.

    Attributes
    ----------
    first : str
        The plan to begin with.
    known_h, lead_h : float
        Hours from onset at which the size is known, and until others come after that.
    mean : float
        Mean total in euros.
    saved : float
        Euros less, on average, than the best plan that is not changed; below 0: more.
    """

    first: str
    known_h: float
    lead_h: float
    mean: float
    saved: float


def two_stage(
    scenario: Scenario,
    desk: Desk,
    plans: Mapping[str, tuple[float, Seats]],
    table: Table,
    promises: Sequence[Promise],
    seed: int,
    budget: Budget,
    *,
    known_h: float,
    lead_h: float,
    runs: int = 2,
    hours: float | None = None,
) -> TwoStage:
    """The best plan to begin with, if it may be changed later.

    `plans` gives the quantile of the size for which each was made; the second stage is the one made for the next
    larger size.
    """
    made_for = np.array([u for u, _ in plans.values()])
    seats = [each for _, each in plans.values()]
    totals = np.zeros((len(plans), len(table.sizes)))
    for s, u in enumerate(table.sizes):
        _go_on(budget)
        days = Days.draw(scenario, runs, seed, first=s * runs, hours=hours, size=u)
        later = next((i for i in np.argsort(made_for) if made_for[i] >= u), int(made_for.argmax()))
        for p, first in enumerate(seats):
            if p == later:
                totals[p, s] = table.total[p, s]
                continue
            joined = then(first, seats[int(later)], (known_h + lead_h) * 3600.0)
            totals[p, s] = joined.cost(desk) + table.miss_eur * _missed(days, joined.desk(desk), promises)
        budget.tell(f"size {s + 1} of {len(table.sizes)} played in two stages")
    best = int(totals.mean(axis=1).argmin())
    mean = float(totals[best].mean())
    return TwoStage(table.plans[best], known_h, lead_h, mean, float(table.mean.min()) - mean)


def then(first: Seats, second: Seats, from_s: float) -> Seats:
    """The first plan up to a time, in seconds from onset, the second one from there on."""
    n = first.heads.shape[1]
    cut = int(np.clip(np.ceil((from_s - first.start_s) / QUARTER_S), 0, n))
    return Seats(first.start_s, np.concatenate([first.heads[:, :cut], second.heads[:, cut:]], axis=1), first.interval_s)
