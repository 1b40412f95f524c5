"""How far the clock of one process is from that of another, found by asking it for the time and back, with a bound.

An answer that was `trip_s` under way was written at some moment of those; taken for their middle it is wrong by half
of the trip at most, whichever way was slower. So of several answers the one with the shortest trip is believed.
Source: Cristian (1989), Distributed Computing 3, 146-158.
"""

from __future__ import annotations

import math
from typing import Any


class Offset:
    """What is known of the other's clock after some answers.

    Attributes
    ----------
    offset_s : float
        The other's clock minus one's own; 0 before there was an answer.
    bound_s : float
        The true one is not further from that; inf before there was an answer.
    answers : int
    """

    def __init__(self) -> None:
        self.offset_s, self.bound_s, self.answers = 0.0, math.inf, 0

    def answered(self, asked_s: float, there_s: float, here_s: float) -> None:
        """An answer: asked and got at `asked_s` and `here_s` of one's own clock, written at `there_s` of the other."""
        self.answers += 1
        bound_s = (here_s - asked_s) / 2.0
        if bound_s < self.bound_s:
            self.bound_s, self.offset_s = bound_s, there_s - (asked_s + here_s) / 2.0

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, to a microsecond; the bound is rounded up."""
        return {
            "clock_offset_s": round(self.offset_s, 6),
            "clock_bound_s": None if math.isinf(self.bound_s) else math.ceil(self.bound_s * 1e6 + 0.5) / 1e6,
            "clock_answers": self.answers,
        }
