"""After a surge that a service could not take: how long until it is itself again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from loadtests.result import LoadResult, Outcome

WORTH = 100  # requests in a piece of the quiet time, so that its p99 means something
LEAST_S = 0.25
RATIO, ABOVE_S = 1.5, 0.010


@dataclass(frozen=True)
class Recovery:
    """A surge between two quiet times.

    Attributes
    ----------
    quiet_per_s, surge_per_s, surge_s, watched_s : float
        Rates, length of the surge, and how long was looked on after it.
    normal_p99_s : float or None
        Before the surge; None if nothing was answered then.
    limit_s : float or None
        p99 at which it counts as normal again: half as much again, or 10 ms more.
    seconds : float or None
        From the end of the surge until the p99 stays below the limit; None: not while looked on.
    """

    quiet_per_s: float
    surge_per_s: float
    surge_s: float
    watched_s: float
    normal_p99_s: float | None
    limit_s: float | None
    seconds: float | None

    def to_dict(self) -> dict[str, Any]:
        return {**vars(self), "beyond_window": self.seconds is None}


def recovery(
    result: LoadResult, quiet_per_s: float, surge_per_s: float, from_s: float, surge_s: tuple[float, float], to_s: float
) -> Recovery:
    """Measure how long a service takes to recover.

    Parameters
    ----------
    result : LoadResult
        Quiet from `from_s` (warm-up is over), surging between the two times of `surge_s`, quiet until `to_s`.

    Notes
    -----
    What was not answered counts as a latency without end. The quiet time is looked at in pieces of
    about a hundred requests; recovery is the end of the last piece above the limit.
    """
    latency = np.where(result.of(Outcome.ANSWERED), result.latency_s, np.inf)
    rates = quiet_per_s, surge_per_s, surge_s[1] - surge_s[0], to_s - surge_s[1]
    before = latency[result.between(from_s, surge_s[0])]
    normal_s = _p99(before) if before.size else np.inf
    if not np.isfinite(normal_s):
        return Recovery(*rates, None, None, None)
    limit_s = max(RATIO * normal_s, normal_s + ABOVE_S)
    piece_s = max(LEAST_S, WORTH / quiet_per_s)
    edges = np.arange(surge_s[1], to_s, piece_s)
    late = [k for k, edge in enumerate(edges) if _is_late(latency[result.between(edge, edge + piece_s)], limit_s)]
    if late and late[-1] == edges.size - 1:
        return Recovery(*rates, normal_s, limit_s, None)
    return Recovery(*rates, normal_s, limit_s, (late[-1] + 1) * piece_s if late else 0.0)


def _is_late(latency_s: np.ndarray, limit_s: float) -> bool:
    return bool(latency_s.size) and _p99(latency_s) > limit_s


def _p99(latency_s: np.ndarray) -> float:
    """The smallest value that 99 % do not exceed."""
    return float(np.sort(latency_s)[int(np.ceil(0.99 * latency_s.size)) - 1])
