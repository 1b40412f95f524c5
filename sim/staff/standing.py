"""Whether promises are kept: over all, in each language, and in each part of the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.estimate import Estimate, t_quantile
from sim.staff.days import LANGUAGES, Kept
from sim.staff.promise import Promise

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
ENOUGH = 20  # cases a run, on average: with fewer a share says little
LEVEL = 0.95


@dataclass(frozen=True)
class Group:
    """Some of the cases, for which a promise is to hold.

    Attributes
    ----------
    name : str
        ``all``, the code of a language, or the number of the first interval of a part.
    kind : str
        ``all``, ``language`` or ``part``.
    cases, kept : (runs,) int64
        Of each run.
    promise : Promise
    """

    name: str
    kind: str
    cases: IntArray
    kept: IntArray
    promise: Promise

    @property
    def share(self) -> float:
        """Share of all runs' cases for which the promise was kept."""
        return float(self.kept.sum() / max(self.cases.sum(), 1))

    @property
    def margin(self) -> float:
        """How far the share lies above the promised one; negative: below."""
        return self.share - self.promise.share

    def estimate(self) -> Estimate:
        """The share with its interval.

        The share is a ratio of two totals that differ from run to run, so the interval is that of a ratio
        estimate (Cochran, Sampling Techniques, section 6.5). One run has none.
        """
        n = self.cases.size
        if n < 2:
            return Estimate(n, self.share, None, None)
        half = t_quantile((1.0 + LEVEL) / 2.0, n - 1) * self.error
        return Estimate(n, self.share, max(self.share - half, 0.0), min(self.share + half, 1.0))

    @property
    def error(self) -> float:
        """Standard error of the share over runs."""
        n = self.cases.size
        mean = max(float(self.cases.mean()), 1e-9)
        spread = (self.kept - self.share * self.cases) / mean
        return float(np.sqrt((spread**2).sum() / (n * (n - 1))))


def groups(runs: Sequence[Kept], promises: Sequence[Promise], per_language: bool) -> list[Group]:
    """All groups for which the promises are to hold, the parts of the window last.

    Languages with fewer than 20 cases a run are left out; quarters of an hour are joined with those that
    follow until they hold so many.
    """
    cases = np.stack([run.cases for run in runs])
    kept = np.stack([run.kept for run in runs])
    out = []
    for i, promise in enumerate(promises):
        out.append(Group("all", "all", cases.sum(axis=(1, 2)), kept[:, i].sum(axis=(1, 2)), promise))
        if per_language:
            for number in promised_languages(runs):
                its = cases[:, number].sum(axis=1)
                out.append(Group(LANGUAGES[number].value, "language", its, kept[:, i, number].sum(axis=1), promise))
    for i, promise in enumerate(promises):
        here, well = cases.sum(axis=1), kept[:, i].sum(axis=1)
        for a, b in parts(here.mean(axis=0)):
            out.append(Group(str(a), "part", here[:, a:b].sum(axis=1), well[:, a:b].sum(axis=1), promise))
    return out


def promised_languages(runs: Sequence[Kept]) -> list[int]:
    """Numbers of the languages with enough cases."""
    mean = np.mean([run.cases.sum(axis=1) for run in runs], axis=0)
    return [int(number) for number in np.flatnonzero(mean >= ENOUGH)]


def parts(cases: FloatArray) -> list[tuple[int, int]]:
    """Intervals (from, until) joined until each part holds enough of the mean cases; a rest joins the last one."""
    out: list[tuple[int, int]] = []
    begin, held = 0, 0.0
    for i, number in enumerate(cases.tolist()):
        held += number
        if held >= ENOUGH:
            out.append((begin, i + 1))
            begin, held = i + 1, 0.0
    if out and begin < cases.size:
        out[-1] = (out[-1][0], cases.size)
    return out or [(0, cases.size)]


def failing(found: Sequence[Group]) -> list[Group]:
    """Groups for which the promise does not hold.

    All cases and languages fail if their share lies below the promised one; a part of the window only if it
    does so beyond chance (two standard errors): there are hundreds of parts.
    """
    return [
        group
        for group in found
        if (group.margin < 0.0 if group.kind != "part" else group.margin + 2.0 * _error(group) < 0.0)
    ]


def _error(group: Group) -> float:
    return group.error if group.cases.size > 1 else 0.05
