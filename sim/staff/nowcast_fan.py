"""What the next hours may bring: draws of counts from what is believed, and the bands around them.

Each draw is a surge by its weight, the straying of its counts given the hours seen (today's busyness goes
on, clusters go on), and Poisson counts around that.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.laws import FloatArray
from sim.staff.nowcast_posterior import POINTS, Counts, IntArray, Posterior, believe, spread_of

LEVELS = (0.5, 0.8, 0.95)
DRAWS = 2_000
EACH = 5
BATCH = 64
FUTURES = 16


@dataclass(frozen=True)
class Ahead:
    """Counts of the bins ahead: (draws, ahead) float64 of `cases` and `mentions`, and the surge of each draw."""

    cases: FloatArray
    mentions: FloatArray
    which: IntArray

    def of(self, what: str) -> FloatArray:
        """Cases or mentions."""
        return self.cases if what == "cases" else self.mentions


def look_ahead(posterior: Posterior, draws: int = DRAWS, seed: int = 0) -> Ahead:
    """Draw the counts of all bins after those seen.

    Parameters
    ----------
    posterior : Posterior
    draws : int
        A multiple of 5, as each surge drawn gives so many.
    seed : int
    """
    rng = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(3_000_001,))))
    which = chosen(posterior.weight, draws // EACH, rng)
    parts = [_drawn(posterior, which[i : i + BATCH], rng) for i in range(0, which.size, BATCH)]
    counts = np.concatenate(parts)
    return Ahead(counts[:, 0], counts.sum(axis=1), np.repeat(which, EACH))


def chosen(weight: FloatArray, n: int, rng: np.random.Generator) -> IntArray:
    """`n` numbers by their weights, evenly spread over them (systematic resampling), in no order."""
    upto = np.cumsum(weight)
    which = np.searchsorted(upto, (rng.random() + np.arange(n)) / n * upto[-1])
    return rng.permutation(np.minimum(which, weight.size - 1)).astype(np.int64)


def _drawn(posterior: Posterior, which: IntArray, rng: np.random.Generator) -> FloatArray:
    """Counts ahead of some surges, several draws each: (EACH m, streams, ahead)."""
    seen, n = posterior.counts.seen, len(posterior.law.bins)
    mean = posterior.means_of(which)
    spread = spread_of(posterior.law, mean, n)
    centre = -np.diagonal(spread, axis1=1, axis2=2) / 2.0
    root = np.linalg.cholesky(spread)
    stray = centre[:, None] + np.einsum("pij,pkj->pki", root, rng.standard_normal((which.size, EACH, 2 * n)))
    if seen:
        past = np.concatenate([np.arange(seen), n + np.arange(seen)])
        stray += pulled(posterior, which, spread[:, :, past], spread[:, past][:, :, past], stray[:, :, past], rng)
    ahead = stray.reshape(which.size, EACH, 2, n)[..., seen:]
    rate = np.exp(np.log(mean[:, None, :, seen:]) + ahead)
    out: FloatArray = rng.poisson(np.minimum(rate, 1e12)).astype(np.float64).reshape(-1, 2, n - seen)
    return out


def pulled(
    posterior: Posterior,
    which: IntArray,
    across: FloatArray,
    among: FloatArray,
    past: FloatArray,
    rng: np.random.Generator,
) -> FloatArray:
    """How far draws from the prior have to be moved to go on from the hours seen.

    The mode and the precision of the counts seen act as an observation of what strayed. Source: Matheron's
    rule; Wilson et al. (2020), Proc. ICML 119, 10292-10302.

    Parameters
    ----------
    which : (m,) int64
        Surges of the posterior.
    across : (m, any, streams seen) float64
        Covariance of what is moved with what strayed in the hours seen.
    among : (m, streams seen, streams seen) float64
        Covariance of that.
    past : (m, draws, streams seen) float64
        What strayed in the draws.

    Returns
    -------
    (m, draws, any) float64
    """
    rate, mode = posterior.precision[which], posterior.mode[which]
    y = posterior.counts.values.reshape(-1)
    observed = mode + (y - rate) / rate
    noisy = past + rng.standard_normal(past.shape) / np.sqrt(rate)[:, None]
    inner = among + np.eye(y.size) / rate[:, None, :]
    gap = np.swapaxes(observed[:, None] - noisy, 1, 2)
    out: FloatArray = np.swapaxes(across @ np.linalg.solve(inner, gap), 1, 2)
    return out


@dataclass(frozen=True)
class Band:
    """Between which values the counts lie with some probabilities, and the middle one.

    Attributes
    ----------
    median : (n,) float64
    ends : mapping of level to ((n,), (n,)) float64
    """

    median: FloatArray
    ends: Mapping[float, tuple[FloatArray, FloatArray]]


def band(values: FloatArray, levels: Sequence[float] = LEVELS) -> Band:
    """Bands over draws, the first axis; values that are inf were not reached."""
    ordered = np.sort(values, axis=0)

    def at(p: float) -> FloatArray:
        place = p * (ordered.shape[0] - 1)
        low = int(place)
        high = min(low + 1, ordered.shape[0] - 1)
        part = place - low
        with np.errstate(invalid="ignore"):
            mixed = ordered[low] * (1.0 - part) + ordered[high] * part
        out: FloatArray = np.where(np.isfinite(mixed), mixed, ordered[high if part > 0 else low])
        return out

    return Band(at(0.5), {level: (at((1.0 - level) / 2.0), at((1.0 + level) / 2.0)) for level in levels})


def width(totals: FloatArray, level: float = 0.8) -> float:
    """Width of the band of totals."""
    low, high = band(totals, (level,)).ends[level]
    return float(high - low)


@dataclass(frozen=True)
class Learnt:
    """What one more hour would teach.

    Attributes
    ----------
    now, then : float
        Width of the 80 % band of the cases after that hour: now, and on average once the hour has been seen.
    cases : (n,) float64
        Cases of that hour in each future that was looked at, ascending.
    totals : tuple of (draws,) float64
        Cases of that hour and from then on, as they would be forecast in each of these futures.
    surge_shares : (n,) float64
        Probability of a surge, as it would be in each.
    """

    now: float
    then: float
    cases: FloatArray
    totals: tuple[FloatArray, ...]
    surge_shares: FloatArray


def one_more_hour(posterior: Posterior, ahead: Ahead, seed: int, stated: bool, futures: int = FUTURES) -> Learnt:
    """Look at the forecast as it would be an hour from now, over several futures drawn from what is believed.

    The futures are evenly spread over the quantiles of the next hour's cases, so that their mean is that of all.
    """
    n = ahead.cases.shape[0]
    picks = ((np.arange(futures) + 0.5) / futures * n).astype(int)
    order = np.argsort(ahead.cases[:, 0], kind="stable")[picks]
    rests, shares = [], []
    for draw in order:
        new = np.array([ahead.cases[draw, 0], ahead.mentions[draw, 0] - ahead.cases[draw, 0]])
        counts = Counts(np.concatenate([posterior.counts.values, new[:, None]], axis=1))
        then = believe(posterior.law, posterior.means, counts, seed, stated, points=POINTS // 2)
        rests.append(look_ahead(then, DRAWS // 2, seed).cases.sum(axis=1))
        shares.append(then.surge_share)
    cases = ahead.cases[order, 0]
    totals = tuple(rest + first for rest, first in zip(rests, cases, strict=True))
    width_now, width_then = width(ahead.cases[:, 1:].sum(axis=1)), float(np.mean([width(rest) for rest in rests]))
    return Learnt(width_now, width_then, cases, totals, np.array(shares))
