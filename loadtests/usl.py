"""The Universal Scalability Law, fitted to steps of load: what contention and coherency cost.

    X(N) = rate_one * N / (1 + contention * (N - 1) + coherency * N * (N - 1))

N is the mean number of requests in flight, X the answers a second. N is what is laid on the
service and X what comes of it; the offered rate is neither, so it does not appear.
Source: Gunther (2007), Guerrilla Capacity Planning, ch. 4-6.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
MIN_LEVELS = 6
_ROUNDS = 100


@dataclass(frozen=True)
class Usl:
    """A fitted law, with what it leaves unexplained.

    Attributes
    ----------
    rate_one_per_s : float
        Answers a second with one request in flight.
    contention : float
        Share of the work that cannot go on side by side, at least 0.
    coherency : float
        Cost of agreement between each pair in flight, at least 0; above 0 the rate has a peak.
    in_flight, answered_per_s, residual_per_s : (n,) tuples
        The levels in ascending order, and measured minus fitted rate at each.
    """

    rate_one_per_s: float
    contention: float
    coherency: float
    in_flight: tuple[float, ...]
    answered_per_s: tuple[float, ...]
    residual_per_s: tuple[float, ...]

    def rate_per_s(self, in_flight: FloatArray | float) -> FloatArray:
        """Answers a second that the law expects with so many in flight."""
        n = np.asarray(in_flight, dtype=np.float64)
        load: FloatArray = 1.0 + self.contention * (n - 1.0) + self.coherency * n * (n - 1.0)
        out: FloatArray = self.rate_one_per_s * n / load
        return out

    @property
    def peak_in_flight(self) -> float | None:
        """In-flight count beyond which more load means fewer answers; None if there is no such count."""
        if self.coherency <= 0.0 or self.contention >= 1.0:
            return None
        return math.sqrt((1.0 - self.contention) / self.coherency)

    @property
    def peak_is_seen(self) -> bool:
        """Whether the peak lies among the levels that were measured; beyond them it is a guess."""
        peak = self.peak_in_flight
        return peak is not None and self.in_flight[0] <= peak <= self.in_flight[-1]

    @property
    def rms_residual_share(self) -> float:
        """Root mean square of the residuals as a share of the mean rate."""
        rms = math.sqrt(sum(r * r for r in self.residual_per_s) / len(self.residual_per_s))
        return rms / (sum(self.answered_per_s) / len(self.answered_per_s))

    def to_dict(self) -> dict[str, object]:
        return {
            "rate_one_per_s": self.rate_one_per_s,
            "contention": self.contention,
            "coherency": self.coherency,
            "peak_in_flight": self.peak_in_flight,
            "peak_is_seen": self.peak_is_seen,
            "rms_residual_share": self.rms_residual_share,
            "levels": [
                {"in_flight": n, "answered_per_s": x, "residual_per_s": r}
                for n, x, r in zip(self.in_flight, self.answered_per_s, self.residual_per_s, strict=True)
            ],
        }


def fit(in_flight: Sequence[float], answered_per_s: Sequence[float]) -> Usl | None:
    """Fit the law by least squares on the answered rate.

    Parameters
    ----------
    in_flight : (n,) mean number of requests in flight, > 0
    answered_per_s : (n,) answers a second at that level, > 0

    Returns
    -------
    Usl or None
        None with fewer than `MIN_LEVELS` different levels: three numbers fitted to fewer say nothing.

    Notes
    -----
    N / X is linear in (1, N - 1, N (N - 1)) with coefficients 1 / rate_one, contention / rate_one
    and coherency / rate_one. The linear solution, weighted for errors in X, starts Gauss-Newton with
    halved steps. A cost below zero has no meaning: each set of costs held at zero is tried.
    """
    pairs = sorted((float(n), float(x)) for n, x in zip(in_flight, answered_per_s, strict=True) if n > 0 and x > 0)
    n = np.array([pair[0] for pair in pairs])
    x = np.array([pair[1] for pair in pairs])
    if np.unique(n).size < MIN_LEVELS:
        return None
    columns = np.column_stack([np.ones_like(n), n - 1.0, n * (n - 1.0)])
    best: tuple[float, FloatArray] | None = None
    for free in _free_sets():
        found = _least_squares(columns[:, free], n, x)
        if found is None:
            continue
        squares, some = found
        if np.all(some >= 0.0) and (best is None or squares < best[0] * (1.0 - 1e-9)):
            whole = np.zeros(3)
            whole[list(free)] = some
            best = squares, whole
    if best is None:
        return None
    one, both, pairwise = best[1].tolist()
    law = Usl(1.0 / one, both / one, pairwise / one, tuple(n.tolist()), tuple(x.tolist()), ())
    return replace(law, residual_per_s=tuple((x - law.rate_per_s(n)).tolist()))


def _free_sets() -> list[tuple[int, ...]]:
    """Which coefficients are not held at zero; the first always is free, fewest first."""
    return [(0, *rest) for size in range(3) for rest in itertools.combinations((1, 2), size)]


def _least_squares(columns: FloatArray, n: FloatArray, x: FloatArray) -> tuple[float, FloatArray] | None:
    """Sum of squares in X and the coefficients; None if the levels cannot tell them apart."""
    weight = x * x / n
    solved, _, rank, _ = np.linalg.lstsq(columns * weight[:, None], n / x * weight, rcond=None)
    found: FloatArray = solved.astype(np.float64)
    squares = _squares(columns, n, x, found)
    if rank < columns.shape[1] or not math.isfinite(squares):
        return None
    for _ in range(_ROUNDS):
        rate = n / (columns @ found)
        step = np.linalg.lstsq(columns * (rate * rate / n)[:, None], rate - x, rcond=None)[0]
        if np.all(np.abs(step) <= 1e-13 * np.abs(found).max()):
            break
        while (tried := _squares(columns, n, x, found + step)) > squares and np.abs(step).max() > 0.0:
            step = step / 2.0
        found, squares = found + step, tried
    return squares, found


def _squares(columns: FloatArray, n: FloatArray, x: FloatArray, coefficients: FloatArray) -> float:
    load = columns @ coefficients
    return float(np.sum((x - n / load) ** 2)) if np.all(load > 0.0) else math.inf
