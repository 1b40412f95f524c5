"""From the hours seen to what is believed about the surge: many possible surges, each with a weight.

The likelihood of a surge is that of its counts: Poisson around its means, which stray by busyness and
clusters (`sim.staff.nowcast_law`). What strays is integrated out by Laplace's method. Points are drawn
evenly from the prior, then again where the weight is; so the weights are those of importance sampling.
Beside all surges stands an ordinary day, in which nothing comes of it.

Sources: Rasmussen and Williams (2006), Gaussian Processes for Machine Learning, algorithm 3.1;
Owen and Zhou (2000), J. Am. Stat. Assoc. 95, 135-143, for the defensive mixture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.laws import FloatArray
from sim.staff.nowcast_law import Law
from sim.staff.nowcast_shape import DIMENSIONS, ONSET, SIZE, STRETCH, Means, Prior

IntArray = NDArray[np.int64]
POINTS = 512
EVEN = 0.2  # share of the second draw that still comes evenly from the prior
HEAVIEST = 200
NEWTON = 30
CLOSE = 1e-6
LONGEST_STEP = 1.0
SHARE_OF_ORDINARY = {True: 0.05, False: 0.8}
"""Prior that nothing comes of it, when the onset is known and when it is not: an assumption. Without news of an onset
a surge has to show in the counts, as it could always have begun in the very last hour."""


@dataclass(frozen=True)
class Counts:
    """What was counted in the first bins of a law: (streams, seen) float64, cases and all other mentions."""

    values: FloatArray

    @property
    def seen(self) -> int:
        """Number of bins that were counted."""
        return int(self.values.shape[1])


@dataclass(frozen=True)
class Posterior:
    """What is believed after the hours seen.

    Attributes
    ----------
    law : Law
    means : Means
    counts : Counts
    points : (p, 3) float64
        Possible surges in the unit cube.
    variant : (p,) int64
        Of the scenario.
    weight : (p + 1,) float64
        Sum 1; the last is the ordinary day.
    mode, precision : (p + 1, streams seen) float64
        Of each: where the logarithm of what strays lies most likely, and the precision that counts give it.
    """

    law: Law
    means: Means
    counts: Counts
    points: FloatArray
    variant: IntArray
    weight: FloatArray
    mode: FloatArray
    precision: FloatArray

    @property
    def prior(self) -> Prior:
        """What was believed before."""
        return self.means.prior

    @property
    def surge_share(self) -> float:
        """Probability that this is a surge, and no ordinary day."""
        return float(self.weight[:-1].sum())

    @property
    def worth(self) -> float:
        """Number of equally weighted surges that the weights are worth."""
        total = float(self.weight[:-1].sum())
        return total * total / max(float(np.dot(self.weight[:-1], self.weight[:-1])), 1e-300) if total else 0.0

    def quantiles(self, dimension: int, at: tuple[float, ...]) -> tuple[float, ...]:
        """Quantiles of a coordinate of the surges, as quantiles of its prior."""
        order = np.argsort(self.points[:, dimension], kind="stable")
        upto = np.cumsum(self.weight[:-1][order])
        place = np.searchsorted(upto, np.asarray(at) * upto[-1])
        found = self.points[order[np.minimum(place, order.size - 1)], dimension]
        return tuple(float(x) for x in found)

    def sizes(self, at: tuple[float, ...]) -> tuple[float, ...]:
        """Quantiles of the size, as quantiles of the scenario's range."""
        return self.quantiles(SIZE, at)

    def stretches(self, at: tuple[float, ...]) -> tuple[float, ...]:
        """Quantiles of the factor on the decay."""
        return tuple(self.prior.stretch(np.array(self.quantiles(STRETCH, at))).tolist())

    def onsets_h(self, at: tuple[float, ...]) -> tuple[float, ...]:
        """Quantiles of the onset, in hours after where the scenario has it."""
        return tuple(self.prior.onset(np.array(self.quantiles(ONSET, at))).tolist())

    def means_of(self, which: IntArray) -> FloatArray:
        """Expected counts of some of the surges, the number p being the ordinary day: (m, streams, n)."""
        inside = np.minimum(which, self.variant.size - 1)
        found = self.means.at(self.points[inside], self.variant[inside])
        out: FloatArray = np.where((which == self.variant.size)[:, None, None], self.means.ordinary, found)
        return out

    def strain(self) -> float:
        """How far the counts seen stray together from what is believed, in standard deviations of the prior."""
        n = self.counts.seen
        heavy = np.argsort(self.weight)[-HEAVIEST:]
        spread = spread_of(self.law, self.means_of(heavy)[:, :, :n], n)
        away = self.mode[heavy] + np.diagonal(spread, axis1=1, axis2=2) / 2.0
        each = away.sum(axis=1) / np.sqrt(spread.sum(axis=(1, 2)))
        return float(np.average(each, weights=self.weight[heavy]))


def spread_of(law: Law, mean: FloatArray, upto: int) -> FloatArray:
    """Covariance of what strays, of the first bins: (p, streams upto, streams upto), cases first.

    `mean` is (p, streams, upto) float64.
    """
    n, streams = len(law.bins), mean.shape[1]
    pick = np.concatenate([np.arange(upto) + s * n for s in range(streams)])
    out = np.repeat(law.noise[np.ix_(pick, pick)][None], mean.shape[0], axis=0)
    for s in range(streams):
        sd = np.sqrt(np.log1p(law.excess[s, :upto] / mean[:, s]))
        here = slice(s * upto, (s + 1) * upto)
        out[:, here, here] += sd[:, :, None] * sd[:, None, :] * law.carried[s, :upto, :upto]
    diagonal = np.arange(streams * upto)
    out[:, diagonal, diagonal] += 1e-9
    return out


def believe(law: Law, means: Means, counts: Counts, seed: int, stated: bool, points: int = POINTS) -> Posterior:
    """Weigh the surges by the hours seen.

    Parameters
    ----------
    law, means
        Of the same bins; those seen come first.
    counts : Counts
    seed : int
        Of the points.
    stated : bool
        Whether somebody knows the onset: then it hardly is an ordinary day.
    points : int
        Drawn evenly, and again as many where the weight is.

    Notes
    -----
    Cost: some 0.1 ms a point for 12 hours, growing with the square of the hours.
    """
    rng = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(3_000_000,))))
    variants = len(means.prior.variants)
    first = _even(points, rng)
    variant = rng.integers(0, variants, points)
    found = _laplace(law, means.at(first, variant), counts)
    if counts.seen:
        second, whose = _drawn(first, variant, _shares(found[0]), rng)
        more = _laplace(law, means.at(second, whose), counts)
        every, variant = np.concatenate([first, second]), np.concatenate([variant, whose])
        found = tuple(np.concatenate(pair) for pair in zip(found, more, strict=True))  # type: ignore[assignment]
        proposal = 0.5 + 0.5 * _density(every, first, _shares(found[0][:points]))
    else:
        every, proposal = first, np.ones(points)
    ordinary = _laplace(law, means.ordinary[None], counts)
    share = SHARE_OF_ORDINARY[stated]
    log = np.append(found[0] - np.log(proposal) + np.log((1.0 - share) / proposal.size), ordinary[0] + np.log(share))
    return Posterior(
        law, means, counts, every, variant, _shares(log),
        np.concatenate([found[1], ordinary[1]]), np.concatenate([found[2], ordinary[2]]),
    )  # fmt: skip


def _even(points: int, rng: np.random.Generator) -> FloatArray:
    """Points that fill the cube evenly: a Kronecker sequence, shifted. Source: Roberts (2018), extreme learning."""
    root = 1.2207440846057596  # of x^4 = x + 1: the best steps in three dimensions
    step = root ** -np.arange(1, DIMENSIONS + 1, dtype=np.float64)
    out: FloatArray = (rng.random(DIMENSIONS) + np.arange(1, points + 1)[:, None] * step) % 1.0
    return out


def _shares(log: FloatArray) -> FloatArray:
    weight = np.exp(log - log.max())
    out: FloatArray = weight / weight.sum()
    return out


def _widths(points: FloatArray, weight: FloatArray) -> FloatArray:
    """Width of the kernel in each dimension: that of the weighted points, narrower the more they are worth."""
    mean = weight @ points
    spread = np.sqrt(weight @ (points - mean) ** 2)
    worth = 1.0 / float(weight @ weight)
    out: FloatArray = np.clip(spread * worth ** (-1.0 / (4 + DIMENSIONS)), 0.01, 1.0)
    return out


def _drawn(
    points: FloatArray, variant: IntArray, weight: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, IntArray]:
    """As many points again: around those that weigh, reflected at the walls, and some from everywhere."""
    n = weight.size
    which = rng.choice(n, n, p=weight)
    near = points[which] + _widths(points, weight) * rng.standard_normal(points.shape)
    near = np.abs(near) % 2.0
    near = np.where(near > 1.0, 2.0 - near, near)
    even = rng.random(n) < EVEN
    out = np.where(even[:, None], rng.random(points.shape), near)
    return out, rng.integers(0, int(variant.max()) + 1, n)


def _density(at: FloatArray, points: FloatArray, weight: FloatArray) -> FloatArray:
    """Density of the second draw at some points."""
    width = _widths(points, weight)
    heavy = np.flatnonzero(weight > 1e-6)
    density = np.tile(weight[heavy], (at.shape[0], 1))
    for d in range(points.shape[1]):
        x, centre = at[:, d, None], points[heavy, d]
        # walls reflect: images beyond both of them
        images = sum(
            np.exp(-0.5 * ((side * x + 2 * k - centre) / width[d]) ** 2) for side in (1, -1) for k in (-1, 0, 1)
        )
        density = density * images / (width[d] * np.sqrt(2.0 * np.pi))
    out: FloatArray = EVEN + (1.0 - EVEN) * density.sum(axis=1)
    return out


def _laplace(law: Law, mean: FloatArray, counts: Counts) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Logarithm of the likelihood of the counts, up to a constant, the mode and the precision there.

    Returns (p,), (p, streams seen), (p, streams seen) float64.
    """
    p, n = mean.shape[0], counts.seen
    if n == 0:
        return np.zeros(p), np.zeros((p, 0)), np.zeros((p, 0))
    expected = mean[:, :, :n]
    spread = spread_of(law, expected, n)
    log_mean = np.log(expected).reshape(p, -1)
    y = counts.values.reshape(-1)
    centre = -np.diagonal(spread, axis1=1, axis2=2) / 2.0
    eye = np.eye(y.size)
    rough: FloatArray = np.broadcast_to(1.0 / (y + 0.5), (p, y.size))
    away = np.log(y + 0.5) - log_mean - centre
    mode = centre + np.einsum("pij,pj->pi", spread, _solved(spread + eye * rough[:, None, :], away))
    for _ in range(NEWTON):
        rate = np.exp(np.clip(log_mean + mode, -50.0, 50.0))
        pull = rate * (mode - centre) + y - rate
        root = np.sqrt(rate)
        inner = eye + root[:, :, None] * spread * root[:, None, :]
        smooth = np.einsum("pij,pj->pi", spread, pull)
        weighted = pull - root * _solved(inner, root * smooth)
        step = centre + np.einsum("pij,pj->pi", spread, weighted) - mode
        longest = np.abs(step).max(axis=1, keepdims=True)
        mode = mode + step * np.minimum(1.0, LONGEST_STEP / np.maximum(longest, 1e-12))
        if longest.max() < CLOSE:
            break
    rate = np.exp(np.clip(log_mean + mode, -50.0, 50.0))
    root = np.sqrt(rate)
    inner = eye + root[:, :, None] * spread * root[:, None, :]
    off = mode - centre
    log = (y * (log_mean + mode) - rate).sum(axis=1)
    log -= 0.5 * np.einsum("pi,pi->p", off, _solved(spread, off)) + 0.5 * np.linalg.slogdet(inner)[1]
    return log, mode, rate


def _solved(matrix: FloatArray, right: FloatArray) -> FloatArray:
    """Solve (p, n, n) against (p, n)."""
    return np.asarray(np.linalg.solve(matrix, right[..., None])[..., 0], dtype=np.float64)
