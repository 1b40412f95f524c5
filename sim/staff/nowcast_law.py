"""What a scenario says about counts: their means given its curve, and how far they stray from them.

Counts of an hour are Poisson around a mean that itself strays: busyness (the noise of a day and of an
hour, shared by all posts) and clusters (children, follow-ups, reposts, each stream's own). Both come
from the scenario's laws: the noise in closed form, the clusters from pilots grown once, always the same.
Whoever took counts for plain Poisson would be sure of a size that nobody can know yet.

Two streams: *cases*, and *others*, all mentions that open no case.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenarios import clusters as cl
from scenarios.arrivals import DAY_S, HOUR_S, QUARTER_S, STEPS, Grid, Traffic
from scenarios.laws import FloatArray
from scenarios.model import Clusters, Noise, Scenario

STREAMS = ("cases", "others")
PILOTS = 4_000
PHASES = 8
RECENT_QUARTERS = 48
MOST_REPOSTS = 1_000  # of one contact of a pilot: what is rarer than that no count of some days tells


@dataclass(frozen=True)
class Lags:
    """Posts that a contact brings on average, by the time since: `lag_s` ascending, equal weights of sum `mass`."""

    lag_s: FloatArray
    mass: float

    def area(self, at_s: FloatArray) -> FloatArray:
        """Integral, from 0 to each of `at_s`, of the posts that have come since the contact; same shape."""
        n = np.searchsorted(self.lag_s, at_s, side="right")
        sums = np.concatenate([[0.0], np.cumsum(self.lag_s)])
        out: FloatArray = (n * at_s - sums[n]) * self.mass / max(self.lag_s.size, 1)
        return out


@dataclass(frozen=True)
class Excess:
    """Variance that clusters add to a count, as a multiple of its mean, and how it carries on.

    `of_hour` is that of an hour's count, `memory` the correlation of the excess from one hour to the next,
    chosen so that a long stretch has the excess of whole clusters.
    """

    of_hour: float
    memory: float


@dataclass(frozen=True)
class Pilots:
    """What clusters do, by stream: cases and their follow-ups out of a case, everything out of a contact of chatter."""

    cases: Lags
    again: Lags
    chatter: Lags
    case_excess: Excess
    again_excess: Excess
    chatter_excess: Excess


@lru_cache(maxsize=32)
def pilots(clusters: Clusters) -> Pilots:
    """Grow pilot clusters of a scenario; the same for the same clusters."""
    rng = np.random.Generator(np.random.PCG64DXSM(0))
    start, origin = cl.gather(np.zeros(PILOTS), clusters.batches, rng)
    delay = cl.minutes(clusters.children.delay_min)
    cases = cl.grow(start, clusters.children.case_ratio, delay, rng)
    whose, again_s = cl.follow_ups(cases.time_s, clusters.follow_ups, rng, rng)
    of_case = origin[cases.root]
    contacts = cl.grow(start, clusters.children.ratio, delay, rng)
    who, posts_s = cl.follow_ups(contacts.time_s, clusters.follow_ups, rng, rng)
    counts = np.minimum(cl.repost_counts(len(contacts), clusters.reposts, rng), MOST_REPOSTS)
    sharer = np.repeat(np.arange(len(contacts)), counts)
    shared_s = contacts.time_s[sharer] + cl.repost_delays(sharer.size, clusters.reposts, rng)
    of_contact = origin[contacts.root]
    per_case = clusters.batch_factor / (1.0 - clusters.children.case_ratio)
    chatter_s = np.concatenate([contacts.time_s, posts_s, shared_s])
    of_chatter = np.concatenate([of_contact, of_contact[who], of_contact[sharer]])
    return Pilots(
        Lags(np.sort(cases.time_s), per_case),
        Lags(np.sort(again_s), per_case * clusters.follow_ups.mean),
        Lags(np.sort(chatter_s), clusters.posts_per_chatter),
        _excess(of_case, cases.time_s),
        _excess(of_case[whose], again_s),
        _excess(of_chatter, chatter_s),
    )


def _excess(cluster: NDArray[np.integer], time_s: FloatArray) -> Excess:
    """Excess of Poisson clusters: the pairs of posts of one cluster that fall into the same hour, per post."""
    if not time_s.size:
        return Excess(0.0, 0.0)

    def pairs(key: NDArray[np.int64]) -> float:
        n = np.unique(key, return_counts=True)[1]
        return float(np.dot(n, n - 1)) / time_s.size

    width = int(time_s.max() / HOUR_S) + 3
    hour = [
        pairs(cluster.astype(np.int64) * width + np.floor(time_s / HOUR_S + phase / PHASES).astype(np.int64))
        for phase in range(PHASES)
    ]
    of_hour, whole = float(np.mean(hour)), pairs(cluster.astype(np.int64))
    return Excess(of_hour, (whole - of_hour) / (whole + of_hour) if whole > 0 else 0.0)


@dataclass(frozen=True)
class Bins:
    """Stretches of time in which posts are counted, in order: hours, or the part of one that was seen.

    Attributes
    ----------
    from_h, to_h : (n,) float64
        Hours from the scenario's onset.
    """

    from_h: FloatArray
    to_h: FloatArray

    def __len__(self) -> int:
        return self.from_h.size


@dataclass(frozen=True)
class Law:
    """How counts in some bins come about, whatever the curve of the surge.

    Attributes
    ----------
    bins : Bins
    edges_h : (m + 1,) float64
        Quarters of an hour in which contacts begin, long enough before the first bin.
    of_curves : (streams, curves, n, m) float64
        Expected count of each stream and bin for each unit of area under the curve of mentions and of
        cases (in multiples of the base times hours) in each of the quarters.
    noise : (streams n, streams n) float64
        Covariance of the logarithm of the busyness that a count of a stream in a bin has felt: cases first.
        It is taken as the mean of the logarithms of the five minutes, of which it is a little larger in truth.
    excess : (streams, n) float64
        Variance that clusters add, as a multiple of the mean.
    carried : (streams, n, n) float64
        Correlation of what clusters add.
    felt : (streams n, steps) float64
        Share of each count whose contacts began in each five minutes of `grid`; rows sum to 1.
    grid : Grid
    """

    bins: Bins
    edges_h: FloatArray
    of_curves: FloatArray
    noise: FloatArray
    excess: FloatArray
    carried: FloatArray
    felt: FloatArray
    grid: Grid

    def across(self, noise: Noise, zone: str, grid: Grid) -> FloatArray:
        """Covariance of the logarithms of the busyness of each five minutes of a grid with those of `noise`.

        Returns (steps of the grid, streams n) float64.
        """
        out: FloatArray = covariance(noise, zone, grid, self.grid) @ self.felt.T
        return out


def law(scenario: Scenario, bins: Bins) -> Law:
    """The law of the counts of a scenario in these bins.

    Cost: the square of the five minutes that the bins cover; some 0.1 s for 100 hours.
    """
    found = pilots(scenario.clusters)
    ratios, reposted = scenario.clusters.children, scenario.clusters.reposts.mean > 0
    lead_s = max(
        cl.lead_s(scenario.clusters, ratios.case_ratio, False), cl.lead_s(scenario.clusters, ratios.ratio, reposted)
    )
    grid = Grid.over(scenario, bins.from_h[0] * HOUR_S - lead_s, bins.to_h[-1] * HOUR_S)
    of_curves = _of_curves(scenario, found, grid, bins)
    excess, carried = _clustered(scenario, found, bins)
    recent, felt = _felt(grid, of_curves, bins.from_h[0])
    noise, zone = scenario.base.noise, scenario.timezone
    shared = felt @ covariance(noise, zone, recent, recent) @ felt.T
    return Law(bins, grid.edges_s / HOUR_S, of_curves, shared, excess, carried, felt, recent)


def _felt(grid: Grid, of_curves: FloatArray, first_h: float) -> tuple[Grid, FloatArray]:
    """Where the contacts behind each count begin in an ordinary week; what is older than 12 hours is left out."""
    flat = of_curves.sum(axis=1).reshape(-1, grid.n)
    begin = max(math.floor((first_h * HOUR_S - grid.start_s) / QUARTER_S) - RECENT_QUARTERS, 0)
    kept = flat[:, begin:]
    total = kept.sum(axis=1, keepdims=True)
    even = np.full_like(kept, 1.0 / kept.shape[1])
    shares = np.where(total > 0.0, kept / np.where(total > 0.0, total, 1.0), even)
    recent = Grid(grid.onset_utc_s, grid.start_s + begin * QUARTER_S, grid.n - begin)
    return recent, np.repeat(shares / STEPS, STEPS, axis=1)


def _of_curves(scenario: Scenario, found: Pilots, grid: Grid, bins: Bins) -> FloatArray:
    """Counts by stream, curve (mentions, cases), bin and quarter; contacts are spread evenly over a quarter."""
    base, clusters = scenario.base, scenario.clusters
    profile = Traffic(scenario, grid).profile
    start, end = grid.edges_s[:-1], grid.edges_s[1:]

    def moved(lags: Lags) -> FloatArray:
        def at(edge_h: FloatArray) -> FloatArray:
            past = edge_h[:, None] * HOUR_S
            early, late = (lags.area(np.maximum(past - edge, 0.0)) for edge in (start, end))
            out: FloatArray = (early - late) / QUARTER_S
            return out

        return (at(bins.to_h) - at(bins.from_h)) * profile

    alone = base.cases_per_h * (1.0 - clusters.children.case_ratio) / clusters.batch_factor
    chatter = moved(found.chatter) / clusters.posts_per_chatter
    none = np.zeros_like(chatter)
    of_cases = base.cases_per_h * clusters.posts_per_case
    return np.stack(
        [
            np.stack([none, alone * moved(found.cases)]),
            np.stack([base.mentions_per_h * chatter, alone * moved(found.again) - of_cases * chatter]),
        ]
    )


def _clustered(scenario: Scenario, found: Pilots, bins: Bins) -> tuple[FloatArray, FloatArray]:
    base = scenario.base
    again = base.cases_per_h * scenario.clusters.follow_ups.mean
    rest = max(base.mentions_per_h - base.cases_per_h - again, 0.0)
    share = again / (again + rest) if again + rest > 0 else 0.0
    parts = [
        [(1.0, found.case_excess)],
        [(share, found.again_excess), (1.0 - share, found.chatter_excess)],
    ]
    middle = (bins.from_h + bins.to_h) / 2.0
    apart = np.abs(middle[:, None] - middle)
    excess, carried = [], []
    for stream in parts:
        of_hour = sum(part * each.of_hour for part, each in stream)
        memory = sum(part * each.of_hour * each.memory for part, each in stream) / of_hour if of_hour else 0.0
        # a bin shorter than an hour holds fewer pairs; as many as there are hours in it is close enough
        excess.append(of_hour * np.minimum(bins.to_h - bins.from_h, 1.0))
        carried.append(memory**apart)
    return np.stack(excess), np.stack(carried)


def covariance(noise: Noise, zone: str, one: Grid, other: Grid) -> FloatArray:
    """Covariance of the logarithm of the busyness, as `scenarios.arrivals.busyness` draws it.

    Returns (3 one.n, 3 other.n) float64: each five minutes of one grid with each of the other.
    """
    (day, step), (days, steps) = _places(one, zone), _places(other, zone)
    apart, since = np.abs(day[:, None] - days), np.abs(step[:, None] - steps)
    memory = math.exp(-QUARTER_S / STEPS / HOUR_S / noise.hour_memory_h)
    of_day = noise.day_sd**2 * noise.day_ar ** np.arange(int(apart.max()) + 1, dtype=np.float64)
    of_step = noise.hour_sd**2 * memory ** np.arange(int(since.max()) + 1, dtype=np.float64)
    out: FloatArray = of_day[apart] + of_step[since]
    return out


def _places(grid: Grid, zone: str) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Number of the local day and of the five minutes, both since 1970, of each step of a grid."""
    day = np.repeat((grid.local_s(zone) // DAY_S).astype(np.int64), STEPS)
    first = round((grid.onset_utc_s + grid.start_s) / (QUARTER_S / STEPS))
    return day, first + np.arange(STEPS * grid.n)
