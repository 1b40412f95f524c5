"""On which terms rows are sent: how many a second may be, which answers count, and which posts should be refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

BEYOND = "beyond the budget of the target file"
LATE_SHARE = 0.1  # of a second: what is later than that stays unsent, else it would come in the next row's time
ROUNDING_S = 1e-9


def beyond(due_s: NDArray[np.float64], per_s: float) -> NDArray[np.bool_]:
    """(n,) Which rows, due at ascending times, would be more than `per_s` within a second; those are not counted.

    A fraction is rounded down; below 1 a second it is one within 1 / `per_s` seconds.
    """
    span_s = _span_s(per_s) - ROUNDING_S
    sent: deque[float] = deque(maxlen=max(1, int(per_s)))
    out = np.zeros(due_s.size, dtype=bool)
    for row, at_s in enumerate(due_s.tolist()):
        if len(sent) == sent.maxlen and at_s - sent[0] < span_s:
            out[row] = True
        else:
            sent.append(at_s)
    return out


def _span_s(per_s: float) -> float:
    return 1.0 if per_s >= 1.0 else 1.0 / per_s


class Budget:
    """No more than so many sends a second, by all processes together, each of which has some of the rows.

    What is due beyond it stays unsent, and so does what is late: rows that were kept back would come with others.
    So no more are sent within nine tenths of a second than are allowed in a whole one, however late a process is.

    Parameters
    ----------
    due_s : (n,) float64
        Of all rows, ascending.
    per_s : float
    rows : slice or (k,) array of int
        Those of this process; place 0 is the first of them.

    Attributes
    ----------
    rows_beyond : int
        How many of all rows it does not allow.
    """

    def __init__(self, due_s: NDArray[np.float64], per_s: float, rows: slice | NDArray[np.int64]) -> None:
        found = beyond(due_s, per_s)
        self.per_s, self.rows_beyond = per_s, int(np.count_nonzero(found))
        self._beyond: list[bool] = found[rows].tolist()
        self._late_s = LATE_SHARE * _span_s(per_s)

    def allows(self, place: int, late_s: float) -> bool:
        """Whether the row at a place may be sent, so late."""
        return not self._beyond[place] and late_s <= self._late_s


class Window:
    """No more than so many sends a second of what one process does when its time has come.

    As with `Budget` no more are sent within nine tenths of a second than are allowed in a whole one: what was
    planned in step with a budget is sent in step but for the lateness of a process.
    """

    def __init__(self, per_s: float) -> None:
        self._span_s = (1.0 - LATE_SHARE) * _span_s(per_s)
        self._sent: deque[float] = deque(maxlen=max(1, int(per_s)))

    def allows(self, at_s: float) -> bool:
        """Whether one may be sent now; if so it counts."""
        sent = self._sent
        if len(sent) == sent.maxlen and at_s - sent[0] < self._span_s:
            return False
        sent.append(at_s)
        return True


class Terms(NamedTuple):
    """What the sender asks at every request and its rows.

    Attributes
    ----------
    rows : callable
        Places of the rows that a request carries, by the place of the request; one of its own without batches.
    hostile : callable
        Whether the row at a place should be refused: then 4xx and a rejected post are right, and a success is none.
    success : callable
        Whether a status is a success.
    budget : Budget, optional
        What it does not allow is dropped, and counted.
    """

    rows: Callable[[int], Sequence[int]] = lambda request: (request,)
    hostile: Callable[[int], bool] = lambda place: False
    success: Callable[[int], bool] = lambda status: 200 <= status < 300
    budget: Budget | None = None


USUAL = Terms()
