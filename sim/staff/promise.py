"""A promise as a planner says it: "80% in 20 min"."""

from __future__ import annotations

import re
from dataclasses import dataclass

from scenarios.errors import Fault, InputError

WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*%\s*(?:in|within)\s*(\d+(?:\.\d+)?)\s*(s|min|h)\s*")
UNIT_S = {"s": 1.0, "min": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Promise:
    """A share of all cases that has its first human answer within a time of its post.

    Attributes
    ----------
    share : float
        Above 0 and below 1.
    within_s : float
        Seconds, > 0.
    """

    share: float
    within_s: float

    @classmethod
    def read(cls, text: str) -> Promise:
        """The promise that a text like ``80% in 20 min`` gives.

        Raises
        ------
        InputError
            If it says something else.
        """
        found = WRITTEN.fullmatch(text)
        if found is None:
            raise InputError(
                None, [Fault("promise", f"is {text!r}, which cannot be read; write it like '80% in 20 min'")]
            )
        share, within_s = float(found[1]) / 100.0, float(found[2]) * UNIT_S[found[3]]
        faults = []
        if not 0.0 < share < 1.0:
            faults.append(
                Fault("promise", f"is of {found[1]} %, which nobody can keep; give a share between 0 and 100")
            )
        if within_s <= 0.0:
            faults.append(Fault("promise", "leaves no time; give minutes above 0"))
        if faults:
            raise InputError(None, faults)
        return cls(share, within_s)

    def __str__(self) -> str:
        minutes = self.within_s / 60.0
        return f"{100.0 * self.share:g}% in {minutes:g} min"
