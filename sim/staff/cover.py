"""Shifts that cover a requirement at least cost: a set-covering programme, solved by HiGHS.

Seats that no allowed shift covers are bought at a price far above any shift, so there is always an answer: the
least bad one, with what is short where, and which rule stands in the way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import highspy
import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
SHORT_PRICE = 1_000.0  # of an uncovered seat in one interval, in the dearest shift's cost
TIME_LIMIT_S = 60.0
GAP = 1e-9


@dataclass(frozen=True)
class ShiftKind:
    """A kind of shift in a cycle of intervals, such as a day of 24 hours.

    Attributes
    ----------
    name : str
    start : int
        First interval of the cycle.
    at_work : tuple of bool
        Of each interval from the start on: False is a break. It wraps round the end of the cycle.
    cost : float
    """

    name: str
    start: int
    at_work: tuple[bool, ...]
    cost: float

    def cover(self, intervals: int) -> IntArray:
        """(intervals,) how many seats one such shift covers in each interval of the cycle."""
        out = np.zeros(intervals, dtype=np.int64)
        np.add.at(out, (self.start + np.flatnonzero(self.at_work)) % intervals, 1)
        return out


@dataclass(frozen=True)
class MostShare:
    """Of all shifts at most a share may be of these kinds."""

    name: str
    kinds: frozenset[str]
    share: float


@dataclass(frozen=True)
class Cover:
    """How many shifts of each kind.

    Attributes
    ----------
    counts : (kinds,) int64
    cost : float
        Of the shifts alone.
    bound : float
        No answer can cost less, with what is short priced in.
    short : (intervals,) int64
        Seats that stay uncovered.
    proven : bool
        Whether it is the cheapest; False: the time was over before.
    binding : tuple of str
        Rules without which less, or nothing, would be short.
    """

    counts: IntArray
    cost: float
    bound: float
    short: IntArray
    proven: bool
    binding: tuple[str, ...] = ()


def cover(
    requirement: IntArray,
    kinds: Sequence[ShiftKind],
    rules: Sequence[MostShare] = (),
    time_limit_s: float = TIME_LIMIT_S,
) -> Cover:
    """The cheapest shifts that cover a requirement.

    Parameters
    ----------
    requirement : (intervals,) int64
        Seats in each interval of the cycle, >= 0.
    kinds : sequence of ShiftKind
        At least one.
    rules : sequence of MostShare
    time_limit_s : float
        For each programme; if something is short one more is solved for each rule.

    Raises
    ------
    ValueError
        If there is no kind of shift.
    """
    if not kinds:
        raise ValueError("no kind of shift is given: nothing can be covered")
    found = _solved(requirement, kinds, rules, time_limit_s)
    if not found.short.any():
        return found
    binding = []
    for rule in rules:
        without = _solved(requirement, kinds, [other for other in rules if other is not rule], time_limit_s)
        if without.short.sum() < found.short.sum():
            binding.append(rule.name)
    reach = np.sum([kind.cover(requirement.size) for kind in kinds], axis=0)
    if np.any((reach == 0) & (found.short > 0)):
        binding.append("the shifts: none of them reaches some intervals")
    return Cover(found.counts, found.cost, found.bound, found.short, found.proven, tuple(binding))


def _solved(
    requirement: IntArray, kinds: Sequence[ShiftKind], rules: Sequence[MostShare], time_limit_s: float
) -> Cover:
    solver = _programme(requirement, kinds, rules)
    solver.setOptionValue("time_limit", time_limit_s)
    solver.run()
    values = np.array(solver.getSolution().col_value)
    counts = np.round(values[: len(kinds)]).astype(np.int64)
    covered = np.sum([n * kind.cover(requirement.size) for n, kind in zip(counts, kinds, strict=True)], axis=0)
    return Cover(
        counts=counts,
        cost=float(np.dot(counts, [kind.cost for kind in kinds])),
        bound=float(solver.getInfo().mip_dual_bound),
        short=np.maximum(requirement - covered, 0),
        proven=solver.getModelStatus() == highspy.HighsModelStatus.kOptimal,
    )


def _programme(requirement: IntArray, kinds: Sequence[ShiftKind], rules: Sequence[MostShare]) -> highspy.Highs:
    """Columns: shifts of each kind, then what is short in each interval; rows: intervals, then rules."""
    solver = highspy.Highs()  # type: ignore[no-untyped-call]
    for name, value in (("output_flag", False), ("threads", 1), ("mip_rel_gap", GAP), ("random_seed", 1)):
        solver.setOptionValue(name, value)
    inf, k = highspy.kHighsInf, len(kinds)
    price = SHORT_PRICE * max(kind.cost for kind in kinds)
    for column in range(k + requirement.size):
        solver.addVar(0.0, inf)
        solver.changeColCost(column, kinds[column].cost if column < k else price)
        solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
    covers = np.array([kind.cover(requirement.size) for kind in kinds], dtype=np.float64)
    for i, wanted in enumerate(requirement.tolist()):
        mine = np.flatnonzero(covers[:, i])
        columns = np.append(mine, k + i)
        solver.addRow(float(wanted), inf, columns.size, columns, np.append(covers[mine, i], 1.0))
    for rule in rules:
        row = np.array([(1.0 if kind.name in rule.kinds else 0.0) - rule.share for kind in kinds])
        solver.addRow(-inf, 0.0, k, np.arange(k), row)
    return solver
