"""A quick look at staff without playing: heads that a load needs by formula, and heads that a language can have.

The load is the modified offered load (`sim.staff.offered_load`), the formula Erlang C with the case mix's own promises:
heads enough that the promised share of all cases begins early enough to end in time. Patience is left out, so nobody is
helped by customers who give up. It is no requirement: that one is found by playing (`sim.staff.requirement`).
"""

from __future__ import annotations

from collections.abc import Sequence

import highspy
import numpy as np
from numpy.typing import NDArray

from sim.desk import Pool
from sim.staff.days import LANGUAGES
from sim.staff.erlang import erlang_c, servers_for

FloatArray = NDArray[np.float64]
NO_LOAD = 1e-9
TINY = 1e-7  # what the solver takes for nothing


def heads_needed(load: float, work_s: float, mix: Sequence[tuple[float, float]], share: float) -> int:
    """Least heads with which a share of all cases is answered within their promises, by Erlang C.

    Parameters
    ----------
    load : float
        Erlangs, >= 0; without load nobody is needed.
    work_s : float
        Mean seconds of work on a turn; the promise holds to its end.
    mix : sequence of (float, float)
        Share of the cases, and seconds within which they are promised an answer.
    share : float
        Of all cases, above 0 and below 1.
    """
    if load <= NO_LOAD:
        return 0

    def good_enough(heads: int) -> bool:
        if heads <= load:
            return False
        queue = erlang_c(heads, load / work_s, 1.0 / work_s)
        return sum(part * queue.served_within(max(limit - work_s, 0.0)) for part, limit in mix) >= share - 1e-12

    return servers_for(good_enough, load)


class Sharing:
    """Who of a desk is there for which language: people who speak several are counted once.

    Parameters
    ----------
    pools : sequence of Pool
    """

    def __init__(self, pools: Sequence[Pool]) -> None:
        self.speed = np.array([[p.speed * p.languages.get(each, 0.0) for p in pools] for each in LANGUAGES])

    def heads(self, heads: FloatArray, load: FloatArray) -> FloatArray:
        """Heads that each language can have while the others' work is covered as far as it can be.

        Parameters
        ----------
        heads : (pools,) float64
            At the desk.
        load : (languages,) float64
            Offered load in erlangs.

        Returns
        -------
        (languages,) float64
            In heads of full speed; 0 without load.

        Notes
        -----
        Linear programmes. First the same share of every language's load is covered, as large as it can be; those that
        hold it down keep theirs, and the share of the others grows on (max-min fairness). Then each language in turn
        gets all that is left when the others keep what they have.
        """
        out = np.zeros(len(LANGUAGES))
        rows = [n for n in range(load.size) if load[n] > NO_LOAD]
        if rows:
            programme = _Programme(heads, load[rows], self.speed[rows])
            covered = programme.covered()
            for i, number in enumerate(rows):
                out[number] = programme.most(i, covered)
        return out


class _Programme:
    """Columns: the share that is covered, then the time of each pool for each language; rows: languages, then pools."""

    def __init__(self, heads: FloatArray, load: FloatArray, speed: FloatArray) -> None:
        self.load = load
        self.solver = solver = highspy.Highs()  # type: ignore[no-untyped-call]
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        self.pairs = np.argwhere(speed > 0.0)
        self.speeds = speed[self.pairs[:, 0], self.pairs[:, 1]]
        solver.addVar(0.0, 1.0)
        for _ in range(len(self.pairs)):
            solver.addVar(0.0, highspy.kHighsInf)
        for i in range(load.size):
            mine = np.flatnonzero(self.pairs[:, 0] == i)
            columns = np.concatenate([[0], mine + 1]).astype(np.int32)
            values = np.concatenate([[-load[i]], self.speeds[mine]])
            solver.addRow(0.0, highspy.kHighsInf, columns.size, columns, values)
        for p in range(heads.size):
            columns = (np.flatnonzero(self.pairs[:, 1] == p) + 1).astype(np.int32)
            solver.addRow(-highspy.kHighsInf, float(heads[p]), columns.size, columns, np.ones(columns.size))

    def covered(self) -> FloatArray:
        """(languages,) erlangs of each that are covered, shared evenly."""
        out = self.load.copy()
        growing = list(range(self.load.size))
        self.solver.changeColCost(0, 1.0)
        while growing:
            self.solver.run()
            share = float(self.solver.getInfo().objective_function_value)
            if share >= 1.0 - TINY:
                break
            duals = np.abs(np.asarray(self.solver.getSolution().row_dual)[: self.load.size])
            held = [i for i in growing if duals[i] * self.load[i] > TINY] or growing
            for i in held:
                out[i] = max(share, 0.0) * self.load[i]
                self._keep(i, float(out[i]))
            growing = [i for i in growing if i not in held]
        for i in range(self.load.size):
            self._keep(i, float(out[i]))
        self.solver.changeColCost(0, 0.0)
        return out

    def _keep(self, i: int, erlangs: float) -> None:
        """From now on a language has at least so much, whatever the share."""
        self.solver.changeCoeff(i, 0, 0.0)
        self.solver.changeRowBounds(i, max(erlangs - TINY * (1.0 + erlangs), 0.0), highspy.kHighsInf)

    def most(self, i: int, covered: FloatArray) -> float:
        """The most that one language can have while the others keep theirs."""
        mine = np.flatnonzero(self.pairs[:, 0] == i)
        if not mine.size:
            return 0.0
        columns = (mine + 1).astype(np.int32)
        self.solver.changeColsCost(columns.size, columns, self.speeds[mine])
        self.solver.run()
        value = float(self.solver.getInfo().objective_function_value)
        self.solver.changeColsCost(columns.size, columns, np.zeros(columns.size))
        return max(value, float(covered[i]))
