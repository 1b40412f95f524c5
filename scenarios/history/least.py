"""Nonlinear least squares of a few parameters: Levenberg and Marquardt's method, with numerical slopes."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scenarios.laws import FloatArray

SLOPE = 1e-4
ENOUGH = 1e-7


def least_squares(
    residuals: Callable[[FloatArray], FloatArray],
    start: FloatArray,
    low: FloatArray,
    high: FloatArray,
    rounds: int = 40,
) -> tuple[FloatArray, float]:
    """Parameters between `low` and `high` that make the sum of squared residuals least, from a start, and that sum.

    Source: Marquardt (1963), SIAM J. Appl. Math. 11(2), 431-441.
    """
    at = np.clip(start, low, high)
    r = residuals(at)
    cost, damping = float(r @ r), 1e-2
    for _ in range(rounds):
        slopes = np.empty((r.size, at.size))
        for i in range(at.size):
            step = SLOPE * max(abs(float(at[i])), 1.0)
            moved = at.copy()
            moved[i] += step if at[i] + step <= high[i] else -step
            slopes[:, i] = (residuals(moved) - r) / (moved[i] - at[i])
        normal, pull = np.einsum("ki,kj->ij", slopes, slopes), np.einsum("ki,k->i", slopes, r)
        gained = 0.0
        for _ in range(8):
            scaled = normal + damping * np.diag(np.maximum(np.diag(normal), 1e-12))
            tried = np.clip(at - np.linalg.solve(scaled, pull), low, high)
            there = residuals(tried)
            new = float(there @ there)
            if new < cost:
                gained, at, r, cost = cost - new, tried, there, new
                damping = max(damping / 5.0, 1e-9)
                break
            damping *= 5.0
        if gained <= ENOUGH * cost:
            break
    return at, cost
