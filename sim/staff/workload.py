"""How much work comes in which language and when, as the engine itself does it when nobody has to wait.

What is measured is the offered load with all the rules of a run in it: reading, several turns, levers of
the plan, faults. Source of the method: the first step of Feldman, Mandelbaum, Massey and Whitt (2008),
Management Science 54(2), 324-338.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE
from sim.desk import Desk
from sim.outcome import Outcome, TurnKind
from sim.staff.days import LANGUAGES, Days
from sim.staff.seats import QUARTER_S, Seats
from sim.waits import Rows, seconds_within

FloatArray = NDArray[np.float64]
AMPLE = 64  # heads of each pool to begin with
WAITED = 0.002  # share of the turns that may have waited, for heads to be ample
MOST_DOUBLINGS = 8


def offered_load(days: Days, desk: Desk) -> FloatArray:
    """Mean number of agents at work if every turn were taken at once.

    Returns
    -------
    (languages, intervals) float64
        In erlangs, by language in the order of `scenarios.names.Language`; reading is in it.

    Notes
    -----
    Plays the days two to five times, with heads for which hardly anybody waits.
    """
    out: FloatArray = np.mean([busy for busy, _ in _ample(days, desk)[1]], axis=0)
    return out


def ample(days: Days, desk: Desk) -> Desk:
    """The desk with so many heads in each pool, all the time, that hardly anybody waits."""
    return _ample(days, desk)[0]


def _ample(days: Days, desk: Desk) -> tuple[Desk, list[tuple[FloatArray, float]]]:
    """Such a desk, and what is seen of each day that it plays, see `_busy`."""
    heads = AMPLE
    for _ in range(MOST_DOUBLINGS):
        many = Seats(days.window_s[0], np.full((len(desk.pools), days.intervals), heads, dtype=np.int64)).desk(desk)
        seen = days.each(many, lambda outcome: _busy(outcome, days.intervals), 0.0)
        if max(waited for _, waited in seen) <= WAITED:
            break
        heads *= 2
    return many, seen


def _busy(outcome: Outcome, intervals: int) -> tuple[FloatArray, float]:
    """Erlangs by language and interval of one run, and the share of its turns that waited."""
    turns = outcome.turns
    rows = Rows(outcome)
    edges = rows.window_s[0] + QUARTER_S * np.arange(intervals + 1, dtype=np.float64)
    mine = (turns["kind"] != TurnKind.CALL) & (turns["agent"] != NONE) & np.isfinite(turns["start_s"])
    language, start, end = turns["language"][mine], turns["start_s"][mine], turns["end_s"][mine]
    out = np.zeros((len(LANGUAGES), intervals))
    for number in np.unique(language):
        its = language == number
        out[number] = seconds_within(start[its], end[its], edges) / QUARTER_S
    return out, float(np.mean(turns["wait_s"][mine] > 0.0)) if mine.any() else 0.0
