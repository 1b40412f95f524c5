"""Case by case: how much later the service answers than the simulation, and whether that is more than chance.

Work, patience and roster are the same draws in both, so a case is its own comparison. Waits of cases that were
posted together go together, so parts of the window are drawn anew, not cases (a bootstrap by blocks).
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
BLOCKS, FEWEST_BLOCKS, CASES_A_BLOCK = 20, 5, 4
DRAWS, LEVEL = 4000, 0.95


@dataclass(frozen=True)
class Paired:
    """First responses at the service less those in the simulation, in scenario seconds.

    Attributes
    ----------
    cases : int
        Answered in both.
    only_service, only_simulation : int
        Answered in one of them alone.
    mean_s : float, optional
        Above 0: the service is later. None: no case was answered in both.
    low_s, high_s : float, optional
        95 % interval of the mean; None: too few cases to say.
    """

    cases: int
    only_service: int
    only_simulation: int
    mean_s: float | None = None
    low_s: float | None = None
    high_s: float | None = None

    @property
    def words(self) -> str:
        """What it says, in a sentence; empty: nothing."""
        if self.mean_s is None or self.low_s is None or self.high_s is None:
            return ""
        low, high = self.low_s / 60.0, self.high_s / 60.0
        of = f"({self.cases:,} cases answered in both; 95 % interval {low:+,.1f} to {high:+,.1f} min)"
        if self.low_s <= 0.0 <= self.high_s:
            return f"Case by case the service answers neither later nor sooner than the simulation {of}."
        how = "later" if self.mean_s > 0.0 else "sooner"
        return f"Case by case the service answers {abs(self.mean_s) / 60.0:,.1f} min {how} than the simulation {of}."

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


def paired(posted_s: FloatArray, drilled_s: FloatArray, simulated_s: FloatArray, seed: int) -> Paired:
    """Compare cases with themselves.

    Parameters
    ----------
    posted_s : (n,) float64
        When each case was opened, in scenario seconds.
    drilled_s, simulated_s : (n,) float64
        First response; inf: never.
    seed : int
        Of the bootstrap.
    """
    here, there = np.isfinite(drilled_s), np.isfinite(simulated_s)
    both = here & there
    found = Paired(int(both.sum()), int((here & ~there).sum()), int((there & ~here).sum()))
    if not found.cases:
        return found
    later_s = (drilled_s[both] - simulated_s[both])[np.argsort(posted_s[both], kind="stable")]
    mean_s = float(later_s.mean())
    blocks = min(BLOCKS, later_s.size // CASES_A_BLOCK)
    if blocks < FEWEST_BLOCKS:
        return Paired(found.cases, found.only_service, found.only_simulation, mean_s)
    parts = np.array_split(later_s, blocks)
    sums, counts = np.array([part.sum() for part in parts]), np.array([part.size for part in parts])
    drawn = np.random.default_rng(seed).integers(0, blocks, (DRAWS, blocks))
    means = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    low_s, high_s = np.quantile(means, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0])
    return Paired(found.cases, found.only_service, found.only_simulation, mean_s, float(low_s), float(high_s))
