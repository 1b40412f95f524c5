"""On which terms rows are sent: how many a second may be, which answers count, and which posts should be refused."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

BEYOND = "beyond the budget of the target file"


class Budget:
    """No more than so many sends within any second, a fraction rounded down; below 1 a second, one at a time.

    Parameters
    ----------
    per_s : float
        By all processes together.
    part, parts : int
        Which of how many processes this is: each has its share in whole sends, so all together keep it too.
    """

    def __init__(self, per_s: float, part: int = 0, parts: int = 1) -> None:
        most = max(1, int(per_s))
        self._span_s = 1.0 if per_s >= 1.0 else 1.0 / per_s
        self._times_s: deque[float] = deque(maxlen=most // parts + (part < most % parts))

    def take(self, at_s: float) -> bool:
        """Whether one more may be sent now; if so, it is counted."""
        times_s = self._times_s
        if not times_s.maxlen or (len(times_s) == times_s.maxlen and at_s - times_s[0] <= self._span_s):
            return False
        times_s.append(at_s)
        return True


class Terms(NamedTuple):
    """What the sender asks at every row.

    Attributes
    ----------
    hostile : callable
        Whether the row at a place should be refused: then 4xx and a rejected post are right, and a success is none.
    success : callable
        Whether a status is a success.
    budget : Budget, optional
        What is due beyond it is dropped, and counted.
    """

    hostile: Callable[[int], bool] = lambda place: False
    success: Callable[[int], bool] = lambda status: 200 <= status < 300
    budget: Budget | None = None


USUAL = Terms()
