"""Whether a plan stays the right one where what nobody has measured is drawn from its assumed range.

Each world is a scenario and a desk of its own, see `sim.worlds`. All plans are played in each of them, on days with
the same numbers as those on which the requirement was judged, so that what a world changes is seen beside what
chance does: the share in a world is that of the judged days plus the difference that the world makes on the same
days. The advice holds in a world if the requirement keeps every promise there and no cheaper plan does.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError
from sim.crew import cores
from sim.estimate import t_quantile
from sim.staff.budget import Budget
from sim.staff.days import LANGUAGES, Kept
from sim.staff.reachable import Reachable
from sim.staff.seats import Seats
from sim.staff.sizing import Question, Sized
from sim.staff.standing import Group
from sim.worlds import World, survey

FloatArray = NDArray[np.float64]
BoolArray = NDArray[np.bool_]
CODES = [language.value for language in LANGUAGES]
MOST_WORLDS = 24
LEAST_WORLDS = 6  # that are played whatever the time, unless somebody has had enough
ENOUGH_CASES, MOST_RUNS = 8_000, 6  # of all runs in a world together; runs in a world at most
BASE_RUNS = 4  # more runs than that are only played outside of worlds to place the other plans
FEWER = (("a tenth fewer", 0.1), ("a fifth fewer", 0.2), ("three tenths fewer", 0.3))
SURE = 0.05  # level at which an assumption is called the one that matters, all ranges together


@dataclass(frozen=True)
class WorldsAdvice:
    """What becomes of the advice in worlds.

    Attributes
    ----------
    plans : tuple of str
        The cheapest first; among them the requirement, and one of `FEWER` unless all of them still keep the promise.
    costs : tuple of float
        Of the plans, in euros, in the world as the files say it is.
    advised : int
        Place of the requirement.
    keeps : (worlds, plans) bool
        Whether no promise is missed by more than the interval of the judged days allows.
    reachable : (worlds,) bool
        Whether the desk itself, with its ladder, keeps every promise.
    reachable_as_is : bool
        The same outside of worlds.
    ranges, left_out : int
        How many assumed parameters were drawn, and how many have no range.
    runs : int
        Of each world.
    matters : str or None
        The parameter whose value goes with how well the requirement keeps its promise, if that is beyond chance.
    why : str or None
        Why there is no world.
    """

    plans: tuple[str, ...]
    costs: tuple[float, ...]
    advised: int
    keeps: BoolArray
    reachable: BoolArray
    reachable_as_is: bool
    ranges: int
    left_out: int
    runs: int
    matters: str | None = None
    why: str | None = None

    @property
    def worlds(self) -> int:
        """How many were played."""
        return int(self.keeps.shape[0])

    @property
    def kept(self) -> FloatArray:
        """(plans,) share of the worlds in which a plan keeps every promise; nan without worlds."""
        out: FloatArray = self.keeps.mean(axis=0) if self.worlds else np.full(len(self.plans), np.nan)
        return out

    @property
    def too_much(self) -> float:
        """Share of the worlds in which a cheaper plan would do."""
        return float(self.keeps[:, : self.advised].any(axis=1).mean())

    @property
    def holds(self) -> float:
        """Share of the worlds in which the requirement keeps every promise and no cheaper plan does."""
        cheaper = self.keeps[:, : self.advised].any(axis=1)
        return float((self.keeps[:, self.advised] & ~cheaper).mean())

    @property
    def reachable_holds(self) -> float:
        """Share of the worlds in which the verdict on what can be reached is the same."""
        return float((self.reachable == self.reachable_as_is).mean())


def fewer_by(seats: Seats, share: float) -> Seats:
    """The seats with a share of them fewer in each interval, rounded so that small pools keep theirs longest."""
    scaled = seats.heads * (1.0 - share)
    heads = np.floor(scaled).astype(np.int64)
    wanted = np.ceil(scaled.sum(axis=0) - 1e-9).astype(np.int64) - heads.sum(axis=0)
    order = np.argsort(-(scaled - heads), axis=0, kind="stable")
    for i, more in enumerate(wanted.tolist()):
        heads[order[:more, i], i] += 1
    return Seats(seats.start_s, heads, seats.interval_s)


def advise(
    question: Question,
    main: Sized,
    others: Sequence[Sized],
    reached: Reachable,
    budget: Budget,
    most: int = MOST_WORLDS,
) -> WorldsAdvice:
    """Play the plans in worlds, as many as the budget has time for; six at least.

    Parameters
    ----------
    question : Question
    main : Sized
        The requirement, judged on the fresh days of the question.
    others : sequence of Sized
        Its alternatives.
    reached : Reachable
        The desk itself, on the same fresh days.
    budget : Budget
    most : int
        Worlds at most.
    """
    desk = question.desk
    assumed = survey(question.scenario, (desk,))
    cases = float(main.groups[0].cases.mean())
    runs = int(np.clip(round(ENOUGH_CASES / max(cases, 1.0)), 1, min(MOST_RUNS, main.effort.fresh)))
    try:
        drawn, why = assumed.draw(question.seed, most), None
    except ScenarioError as error:
        drawn, why = (), str(error)
    judge = _Judge(question, main, reached, runs)
    if drawn:
        for each in others:
            judge.add(each.name, each.seats)
        for name, share in FEWER:
            if judge.add(name, fewer_by(main.seats, share), only_failing=True):
                break
    plans = judge.plans
    names = tuple(sorted(plans, key=lambda name: (plans[name].cost(desk), name != main.name)))
    costs = tuple(plans[name].cost(desk) for name in names)
    rows = _played(judge, names, drawn, budget)
    margins = np.array([row.margins for row in rows]).reshape(-1, len(names))
    place = names.index(main.name)
    values = np.array([world.values for world in drawn[: len(rows)]]).reshape(len(rows), len(assumed.ranges))
    at = _matters(values, margins[:, place])
    return WorldsAdvice(
        names, costs, place, margins >= 0.0, np.array([row.reachable for row in rows], dtype=np.bool_),
        reached.keeps, len(assumed.ranges), len(assumed.left_out), runs,
        None if at is None else assumed.ranges[at].what, why,
    )  # fmt: skip


@dataclass(frozen=True)
class _Row:
    """One world: by how much each plan keeps the promise that it keeps least, and whether the desk keeps all."""

    margins: tuple[float, ...]
    reachable: bool


def _played(judge: _Judge, names: Sequence[str], worlds: Sequence[World], budget: Budget) -> list[_Row]:
    """As many worlds as there is time for, some at once."""
    rows: list[_Row] = []
    step = cores()
    with ThreadPoolExecutor(step) as crew:
        for a in range(0, len(worlds), step):
            if budget.watch.stopped() or (len(rows) >= LEAST_WORLDS and budget.is_over):
                break
            rows += crew.map(lambda world: judge(world, names), worlds[a : a + step])
            budget.tell(f"{len(rows)} of {len(worlds)} worlds played")
    return rows


class _Judge:
    """Says how plans stand in a world."""

    def __init__(self, question: Question, main: Sized, reached: Reachable, runs: int) -> None:
        self.question, self.main, self.runs = question, main, runs
        self.plans = {main.name: main.seats}
        self.groups = [group for group in main.groups if group.kind != "part"]
        self.reached = [group for group in reached.groups if group.kind != "part"]
        self.promised = np.array([group.promise.share for group in self.groups])
        self.judged = np.array([group.share for group in self.groups])
        self.allowed = np.array([(group.estimate().high or group.share) - group.share for group in self.groups])
        self.many = min(max(runs, BASE_RUNS), main.effort.fresh)
        self.base = {main.name: self.judged}  # shares on all judged days
        self.same = {main.name: _first(self.groups, runs)}  # and on those that worlds play

    def add(self, name: str, seats: Seats, only_failing: bool = False) -> bool:
        """Place a plan outside of worlds; with `only_failing` it is taken only if it misses a promise there."""
        days = self.question.days(self.many, self.main.size, fresh=True)
        kept = days.play(seats.desk(self.question.desk), self.question.promises)
        base = self._shares(kept, self.groups) + self.judged - _first(self.groups, self.many)
        if only_failing and (base + self.allowed - self.promised).min() >= 0.0:
            return False
        self.plans[name], self.base[name] = seats, base
        self.same[name] = self._shares(kept[: self.runs], self.groups)
        return True

    def __call__(self, world: World, names: Sequence[str]) -> _Row:
        there = replace(self.question, scenario=world.scenario, desk=world.desks[0])
        days = there.days(self.runs, self.main.size, fresh=True)
        margins = []
        for name in names:
            shares = self._shares(days.play(self.plans[name].desk(there.desk), there.promises), self.groups)
            margins.append(float((self.base[name] + shares - self.same[name] + self.allowed - self.promised).min()))
        own = self._shares(days.play(there.desk, there.promises), self.reached) - _first(self.reached, self.runs)
        return _Row(tuple(margins), bool((own + [group.margin for group in self.reached]).min() >= 0.0))

    def _shares(self, runs: Sequence[Kept], groups: Sequence[Group]) -> FloatArray:
        """(groups,) shares of these groups on some runs; 1 where nobody came."""
        cases = np.sum([run.cases.sum(axis=1) for run in runs], axis=0)
        kept = np.sum([run.kept.sum(axis=2) for run in runs], axis=0)
        out = []
        for group in groups:
            i = self.question.promises.index(group.promise)
            rows = slice(None) if group.name == "all" else CODES.index(group.name)
            came, well = int(cases[rows].sum()), int(kept[i, rows].sum())
            out.append(well / came if came else 1.0)
        return np.array(out)


def _first(groups: Sequence[Group], runs: int) -> FloatArray:
    """(groups,) shares on the first runs."""
    return np.array([g.kept[:runs].sum() / max(g.cases[:runs].sum(), 1) for g in groups])


def _matters(values: FloatArray, margins: FloatArray) -> int | None:
    """The column of values that goes with the margins most, None if chance could be as strong among so many."""
    n, k = values.shape
    if n < 4 or k == 0 or np.ptp(margins) == 0.0:
        return None
    spread = values.std(axis=0)
    centred = values - values.mean(axis=0)
    own = (margins - margins.mean()) / margins.std()
    r = np.divide((centred * own[:, None]).mean(axis=0), spread, out=np.zeros(k), where=spread > 0.0)
    best = int(np.abs(r).argmax())
    t = abs(r[best]) * np.sqrt((n - 2) / max(1.0 - r[best] ** 2, 1e-12))
    return best if t > t_quantile(1.0 - SURE / (2.0 * k), n - 2) else None
