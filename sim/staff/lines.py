"""Shifts to the fewest agents: whole lines of duties are priced and chosen by HiGHS.

A *line* is what one agent may work without breaking a rule. The programme chooses how often each line is taken so
that every shift has somebody; lines that would help are found by the prices of the shifts (column generation: Dantzig
and Wolfe, 1960, Operations Research 8(1), 101-111), each checked by the same rules as `roster check`. Shifts that are
alike are one row. It begins with the lines of the rule of thumb, so it is never worse.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import highspy
import numpy as np
from numpy.typing import NDArray

from sim.staff.assign import WEEK_H, Assigned, assign, held
from sim.staff.budget import Budget
from sim.staff.duty import Duty
from sim.staff.roster_check import of_agent, rest_needed_h
from sim.staff.rules import Rules

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Line = tuple[int, ...]
"""Numbers of kinds of shifts, in order of time."""
OPEN_PRICE = 50.0  # of a shift that nobody takes, in agents
LIMIT_S = 20.0
ROUNDS, TAKEN = 300, 100  # rounds of pricing at most, and lines that a round may add
LOOKED = 150  # lines that a round may look at, as some break a rule
ALIKE = 4  # of these may have a shift in common
MOST_KINDS = 600  # of shifts: beyond that the rule of thumb stays
BETTER = 1e-6


def assign_lines(
    shifts: Sequence[Duty], rules: Rules, budget: Budget, most: int | None = None, first: int = 1
) -> Assigned:
    """Give shifts to as few agents as can be found, or to at most `most` with as few shifts open as can be found.

    Parameters
    ----------
    shifts, rules, most, first
        As for `sim.staff.assign.assign`.
    budget : Budget
        At most 20 seconds of it are used. If it is over before, the rule of thumb stays.
    """
    thumb = assign(shifts, rules, most, first)
    if thumb.agents <= thumb.least and not thumb.open:
        return thumb  # fewer are impossible: there is nothing to look for
    kinds = _Kinds(shifts, rules)
    if budget.is_over or len(kinds.duties) > MOST_KINDS:
        return thumb
    time = Budget(min(budget.left_s, LIMIT_S), budget.watch, budget.clock)
    lines = [line for line in map(kinds.line_of, _by_agent(thumb)) if line]
    master = _Master(kinds.counts, most)
    for line in dict.fromkeys(lines):
        master.add(line)
    for _ in range(ROUNDS):
        prices, of_agents = master.priced()
        better = [line for line in kinds.lines(prices, 1.0 - of_agents) if line not in master.lines]
        for line in better:
            master.add(line)
        if not better or time.left_s < 0.5 * LIMIT_S or time.is_over:
            break
    counts = master.whole(Counter(lines), max(time.left_s, 0.1))
    found = kinds.assigned(counts, first, thumb)
    best = min((found, thumb), key=lambda each: (sum(d.hours for d in each.open), each.agents))
    budget.tell(f"{shifts[0].pool}: {best.agents} agents, {thumb.agents} by the rule of thumb, {best.least} at least")
    return best


def _by_agent(given: Assigned) -> list[list[Duty]]:
    mine: dict[str, list[Duty]] = {}
    for duty in given.duties:
        mine.setdefault(duty.agent, []).append(duty)
    return list(mine.values())


class _Kinds:
    """The kinds of shifts, how many there are of each, and which may follow which."""

    def __init__(self, shifts: Sequence[Duty], rules: Rules) -> None:
        many = Counter(replace(shift, agent="") for shift in shifts)
        self.duties = sorted(many, key=lambda d: (d.start, d.end, d.breaks))
        self.counts = np.array([many[duty] for duty in self.duties], dtype=np.int64)
        self.number = {duty: i for i, duty in enumerate(self.duties)}
        self.rules = held(rules)
        zero = self.duties[0].start
        self.start_h = np.array([(d.start - zero).total_seconds() / 3600.0 for d in self.duties])
        self.hours = np.array([d.hours for d in self.duties])
        gap = self.start_h[None, :] - (self.start_h + self.hours)[:, None]
        # The rest depends on what was before alone, as all are shifts: one look for each is enough.
        rest = np.array([rest_needed_h(duty, duty, rules)[1] for duty in self.duties])
        self.may_follow = gap >= rest[:, None] - 1e-9

    def line_of(self, mine: Sequence[Duty]) -> Line:
        """The numbers of one agent's duties."""
        return tuple(sorted(self.number[replace(duty, agent="")] for duty in mine))

    def lines(self, prices: FloatArray, worth: float) -> list[Line]:
        """Lines whose shifts are worth more than `worth` together, the dearest first, each within the rules.

        The best line that ends with each shift and has so many duties; hours in the week before are held on the way,
        all rules at the end.
        """
        n = prices.size
        value = prices.copy()
        paths: list[Line] = [(i,) for i in range(n)]
        found: list[tuple[float, Line]] = [(float(value[i]), paths[i]) for i in range(n)]
        while value.size and np.isfinite(value).any():
            room = self._room(paths, value)
            ahead = np.where(room, value[:, None], -np.inf)
            best = ahead.argmax(axis=0)
            gained = ahead[best, np.arange(n)] + prices
            paths = [(*paths[best[j]], j) if np.isfinite(gained[j]) else () for j in range(n)]
            value = gained
            found += [(float(value[j]), paths[j]) for j in range(n) if np.isfinite(value[j])]
        dear = sorted({pair for pair in found if pair[0] > worth + BETTER}, key=lambda pair: (-pair[0], pair[1]))
        out: list[Line] = []
        used = np.zeros(n, dtype=np.int64)
        looked = 0
        for _, line in dear:
            if len(out) >= TAKEN or looked >= LOOKED:
                break
            if used[list(line)].max() >= ALIKE:
                continue  # lines that are nearly the same help little more than one of them
            looked += 1
            if not of_agent([self.duties[i] for i in line], self.rules):
                out.append(line)
                used[list(line)] += 1
        return out

    def _room(self, paths: Sequence[Line], value: FloatArray) -> NDArray[np.bool_]:
        """(kinds, kinds) whether a path that ends with the first may go on with the second within a week's hours."""
        n = len(paths)
        out = np.zeros((n, n), dtype=np.bool_)
        for i in np.flatnonzero(np.isfinite(value)).tolist():
            mine = np.array(paths[i])
            recent = self.start_h[mine][:, None] > self.start_h[None, :] - WEEK_H
            week = (recent * self.hours[mine][:, None]).sum(axis=0) + self.hours
            out[i] = self.may_follow[i] & (week <= self.rules.max_week_h + 1e-9)
        return out

    def assigned(self, counts: Counter[Line], first: int, thumb: Assigned) -> Assigned:
        """Lines as agents; a shift that more lines have than there are of it is taken from the last of them."""
        left = self.counts.copy()
        mine: list[list[Duty]] = []
        for line, times in sorted(counts.items()):
            for _ in range(times):
                kept = [i for i in line if left[i] > 0]
                left[kept] -= 1
                if kept:
                    mine.append([self.duties[i] for i in kept])
        mine.sort(key=lambda duties: duties[0].start)
        duties = tuple(replace(d, agent=f"a{first + n:03d}") for n, each in enumerate(mine) for d in each)
        nobody = tuple(self.duties[i] for i in np.flatnonzero(left).tolist() for _ in range(int(left[i])))
        return Assigned(duties, nobody, len(mine), thumb.binding if nobody else (), thumb.least, "HiGHS")


class _Master:
    """How often each line is taken: every kind of shift has as many agents as it needs, at the fewest agents."""

    def __init__(self, counts: IntArray, most: int | None) -> None:
        self.lines: dict[Line, int] = {}
        self.rows = counts.size
        self.solver = highspy.Highs()  # type: ignore[no-untyped-call]
        for name, value in (("output_flag", False), ("threads", 1), ("random_seed", 1)):
            self.solver.setOptionValue(name, value)
        inf = highspy.kHighsInf
        none = np.array([], dtype=np.int32)
        for need in counts.tolist():
            self.solver.addRow(float(need), inf, 0, none, np.array([]))
        self.solver.addRow(-inf, inf if most is None else float(most), 0, none, np.array([]))
        for i in range(self.rows):  # a shift that nobody takes
            self.solver.addCol(OPEN_PRICE, 0.0, inf, 1, np.array([i], dtype=np.int32), np.array([1.0]))

    def add(self, line: Line) -> None:
        """One more line to choose from."""
        self.lines[line] = self.rows + len(self.lines)
        rows = np.array([*line, self.rows], dtype=np.int32)
        self.solver.addCol(1.0, 0.0, highspy.kHighsInf, rows.size, rows, np.ones(rows.size))

    def priced(self) -> tuple[FloatArray, float]:
        """(kinds,) what an agent for each shift is worth, and (not above 0) what one agent more allowed is."""
        self.solver.run()
        duals = np.array(self.solver.getSolution().row_dual)
        return np.maximum(duals[: self.rows], 0.0), float(min(duals[self.rows], 0.0))

    def whole(self, begin: Counter[Line], limit_s: float) -> Counter[Line]:
        """Whole numbers of lines, begun with some that are allowed."""
        columns = self.rows + len(self.lines)
        for column in range(columns):
            self.solver.changeColIntegrality(column, highspy.HighsVarType.kInteger)
        start = np.zeros(columns)
        for line, times in begin.items():
            start[self.lines[line]] = times
        covered = np.zeros(self.rows)
        for line, times in begin.items():
            np.add.at(covered, list(line), times)
        lower = np.array(self.solver.getLp().row_lower_)[: self.rows]
        start[: self.rows] = np.maximum(lower - covered, 0.0)
        solution = highspy.HighsSolution()
        solution.col_value = start.tolist()
        self.solver.setSolution(solution)
        self.solver.setOptionValue("time_limit", limit_s)
        self.solver.run()
        values = self.solver.getSolution().col_value
        if not values:
            return begin
        return Counter({line: n for line, at in self.lines.items() if (n := round(values[at])) > 0})
