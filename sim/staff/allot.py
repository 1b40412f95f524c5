"""From what each language needs to heads of pools: the cheapest that can do it, interval by interval."""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from scenarios.errors import DeskError
from scenarios.names import Language, members
from sim.desk import Desk

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
LANGUAGES = members(Language)
STEP = 1.1  # needs are rounded up to powers of it: equal ones are solved once
GAP = 0.03  # of the cost: what is left is trimmed by playing
SKILL_EUR = 0.25
LEAST = 0.02  # seats; a need below is as good as none, and one seat does for it


class Allotment:
    """Gives the cheapest heads of a desk's pools that cover needs by language and in total.

    An agent's time may be shared among the languages that he speaks, at the speed that he has in each.
    Needs that came before are remembered, so that a second look at them costs nothing.

    Parameters
    ----------
    desk : Desk
        Its pools say who speaks what, how fast, and at what cost.
    languages : sequence of Language
        Those in which there may be needs.
    most : sequence of int, optional
        Heads at most, by pool; None: as many as needed.

    Raises
    ------
    DeskError
        If a language has no pool.
    """

    def __init__(self, desk: Desk, languages: Sequence[Language], most: Sequence[int] | None = None) -> None:
        silent = [language.value for language in languages if not any(language in p.languages for p in desk.pools)]
        if silent:
            raise DeskError(f"desk {desk.name} has no pool that speaks {', '.join(silent)}; give it one to size it")
        self.desk, self.languages = desk, tuple(languages)
        self._known: dict[tuple[float, ...], tuple[int, ...]] = {}
        self._solver = self._model(most)

    def heads(self, needs: FloatArray, hold: int, total: FloatArray) -> IntArray:
        """Heads for each interval.

        Parameters
        ----------
        needs : (languages, blocks) float64
            Seats' worth of work in each language, >= 0.
        hold : int
            Intervals in a block, for which the pools' mix stays the same.
        total : (intervals,) float64
            Seats in all, at least: what the needs leave open goes to the cheapest pool that speaks the language with
            the most work.

        Returns
        -------
        (pools, intervals) int64

        Notes
        -----
        An integer programme of some forty variables for each block with other needs, some milliseconds each.
        """
        steps = np.ceil(np.log(np.maximum(needs, LEAST) / LEAST) / np.log(STEP) - 1e-9)
        rounded = np.where(needs > 0.0, LEAST * STEP**steps, 0.0)
        columns = [self._solved(tuple(column)) for column in rounded.T.tolist()]
        out = np.repeat(np.array(columns, dtype=np.int64).T, hold, axis=1)[:, : total.size]
        out[self._filler(needs)] += np.maximum(np.ceil(total - 1e-9).astype(np.int64) - out.sum(axis=0), 0)
        return out

    def _filler(self, needs: FloatArray) -> int:
        """The cheapest pool that speaks the language with the most work."""
        most = self.languages[int(needs.sum(axis=1).argmax())]
        speak = [p for p, pool in enumerate(self.desk.pools) if most in pool.languages]
        return min(speak, key=lambda p: (self.desk.pools[p].cost_per_h, len(self.desk.pools[p].languages), p))

    def _solved(self, wanted: tuple[float, ...]) -> tuple[int, ...]:
        found = self._known.get(wanted)
        if found is None:
            found = self._known[wanted] = self._solve(wanted)
        return found

    def _solve(self, wanted: tuple[float, ...]) -> tuple[int, ...]:
        for row, need in enumerate(wanted):
            self._solver.changeRowBounds(row, need, highspy.kHighsInf)
        self._solver.run()
        if self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise DeskError(f"desk {self.desk.name} cannot cover its needs with the heads that it may have")
        values = self._solver.getSolution().col_value[: len(self.desk.pools)]
        return tuple(round(value) for value in values)

    def _model(self, most: Sequence[int] | None) -> highspy.Highs:
        """Columns: heads of each pool, then time of a pool for a language; rows: languages, then pools."""
        solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("mip_rel_gap", GAP)
        pools = self.desk.pools
        for p, pool in enumerate(pools):
            upper = highspy.kHighsInf if most is None else float(most[p])
            solver.addVar(0.0, upper)
            # Among pools of one cost those with fewer skills are taken, in every interval the same.
            solver.changeColCost(p, pool.cost_per_h + SKILL_EUR * len(pool.languages))
            solver.changeColIntegrality(p, highspy.HighsVarType.kInteger)
        speaks = [
            (p, language) for p, pool in enumerate(pools) for language in self.languages if language in pool.languages
        ]
        for _ in speaks:
            solver.addVar(0.0, highspy.kHighsInf)
        inf = highspy.kHighsInf
        for wanted in self.languages:
            mine = [(len(pools) + i, p) for i, (p, language) in enumerate(speaks) if language == wanted]
            speeds = np.array([pools[p].speed * pools[p].languages[wanted] for _, p in mine])
            solver.addRow(0.0, inf, len(mine), np.array([column for column, _ in mine]), speeds)
        for p in range(len(pools)):
            mine_p = [len(pools) + i for i, (q, _) in enumerate(speaks) if q == p]
            columns = np.array([p, *mine_p])
            solver.addRow(0.0, inf, columns.size, columns, np.array([1.0] + [-1.0] * len(mine_p)))
        return solver
