"""What makes posts come together: children of others, follow-ups, reposts, batches.

Each sampler is exact, vectorised generation by generation, and costs time in proportion to what
it makes. Times are seconds; chance comes in as generators, one for each named column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from scenarios.laws import FloatArray, Law
from scenarios.model import Batches, Clusters, FollowUps, Reposts
from scenarios.names import NONE

IndexArray = NDArray[np.int32]
Delay = Callable[[np.random.Generator, int], FloatArray]
"""Draws so many delays, in seconds."""

MINUTE_S = 60.0
HOUR_S = 3600.0
MAX_REPOSTS = 1_000_000  # of one contact; with the default tail this moves the mean by 0.02 %
MAX_LEAD_H = 720
_PILOTS = 4_000
_LEAD_SHARE = 0.9995


@dataclass(frozen=True)
class Contacts:
    """First posts of people, in no order of time.

    Attributes
    ----------
    time_s : (n,) float64
    parent : (n,) int32
        Contact that set this one off, NONE for the exogenous ones, which come first.
    root : (n,) int32
        Exogenous contact at the head of the cluster.
    """

    time_s: FloatArray
    parent: IndexArray
    root: IndexArray

    def __len__(self) -> int:
        return self.time_s.size


def minutes(law: Law) -> Delay:
    """Delays from a law in minutes."""
    return lambda rng, n: law.draw(rng, n) * MINUTE_S


def grow(
    time_s: FloatArray,
    ratio: float,
    delay: Delay,
    rng: np.random.Generator,
    until_s: float = math.inf,
) -> Contacts:
    """Let contacts set off others, and these others, until the clusters have died out.

    Every contact sets off a Poisson number of mean `ratio`, each after a delay of its own: the
    cluster form of a self-exciting (Hawkes) process. The mean cluster has 1 / (1 - ratio) contacts.

    Parameters
    ----------
    time_s : (n,) float64
        Times of the exogenous contacts.
    ratio : float
        Branching ratio, 0 <= ratio < 1.
    delay : callable
        Draws delays in seconds, none below zero.
    rng : numpy.random.Generator
    until_s : float
        Contacts from here on are left out, with all that they would set off.

    Notes
    -----
    Source: Hawkes and Oakes (1974), J. Appl. Probab. 11(3), 493-503.
    """
    times = [time_s]
    parents = [np.full(time_s.size, NONE, dtype=np.int32)]
    roots = [np.arange(time_s.size, dtype=np.int32)]
    first = 0
    while times[-1].size and ratio > 0:
        # Poisson numbers of equal mean for each of n are one Poisson number, spread evenly over them.
        n = int(rng.poisson(ratio * times[-1].size))
        parent = rng.integers(0, times[-1].size, n, dtype=np.int32)
        time = times[-1][parent] + delay(rng, n)
        if math.isfinite(until_s):
            soon = time < until_s
            time, parent = time[soon], parent[soon]
        root = roots[-1][parent]
        parent += np.int32(first)
        first += times[-1].size
        times.append(time)
        parents.append(parent)
        roots.append(root)
    return Contacts(np.concatenate(times), np.concatenate(parents), np.concatenate(roots))


def gather(time_s: FloatArray, batches: Batches, rng: np.random.Generator) -> tuple[FloatArray, IndexArray]:
    """Turn a share of the contacts into batches of people.

    Returns
    -------
    time_s : (m,) float64
        The contacts given, then those who come with them, each within `spread_s` after.
    origin : (m,) int32
        Contact given that each comes with; of a contact given, itself.
    """
    own = np.arange(time_s.size, dtype=np.int32)
    if batches.share == 0:
        return time_s, own
    heads = own[rng.random(time_s.size) < batches.share]
    others = np.repeat(heads, batches.size - 1)
    late = time_s[others] + batches.spread_s * rng.random(others.size)
    return np.concatenate([time_s, late]), np.concatenate([own, others])


def follow_ups(
    time_s: FloatArray,
    law: FollowUps,
    rng: np.random.Generator,
    gaps: np.random.Generator,
    until_s: float = math.inf,
) -> tuple[IndexArray, FloatArray]:
    """Let people post again: a geometric number of times, each a gap after their post before.

    Parameters
    ----------
    time_s : (n,) float64
        Times of the first posts.
    law : FollowUps
    rng, gaps : numpy.random.Generator
        For the numbers and for the gaps.
    until_s : float
        Posts from here on are left out.

    Returns
    -------
    who : (m,) int32
        Contact that each follow-up belongs to.
    time_s : (m,) float64
    """
    again = law.mean / (1.0 + law.mean)
    who, when = np.arange(time_s.size, dtype=np.int32), time_s
    all_who, all_when = [who[:0]], [when[:0]]
    while who.size and again > 0:
        goes_on = rng.random(who.size) < again
        who = who[goes_on]
        when = when[goes_on] + _gap(law, gaps, who.size)
        if math.isfinite(until_s):
            soon = when < until_s
            who, when = who[soon], when[soon]
        all_who.append(who)
        all_when.append(when)
    return np.concatenate(all_who), np.concatenate(all_when)


def _gap(law: FollowUps, rng: np.random.Generator, n: int) -> FloatArray:
    gap = law.gap_min.draw(rng, n) * MINUTE_S
    quick = np.flatnonzero(rng.random(n) < law.quick_share)
    gap[quick] = law.quick_s * rng.random(quick.size)
    return gap


def repost_counts(n: int, law: Reposts, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw how many reposts each of `n` contacts gets: (n,) int64 with the stated mean.

    A Pareto number of index `tail` is scaled to the mean and rounded up or down by chance, which
    leaves the mean as it is: most get none, a few get very many.
    """
    if law.mean == 0:
        return np.zeros(n, dtype=np.int64)
    scale = law.mean * (law.tail - 1.0) / law.tail
    number = scale * (1.0 - rng.random(n)) ** (-1.0 / law.tail) + rng.random(n)
    return np.minimum(number, MAX_REPOSTS).astype(np.int64)


def repost_delays(n: int, law: Reposts, rng: np.random.Generator) -> FloatArray:
    """Draw `n` delays in seconds: density flat, then falling as 1 / t^power, cut; in closed form."""
    flat_s, cut_s = law.flat_min * MINUTE_S, law.cut_h * HOUR_S
    if cut_s <= flat_s:
        return cut_s * rng.random(n)
    less = law.power - 1.0
    grown = math.log(cut_s / flat_s)
    tail = grown if less == 0 else -math.expm1(-less * grown) / less
    x = (1.0 + tail) * rng.random(n)  # in units of the flat part
    late = np.flatnonzero(x > 1.0)
    past = x[late] - 1.0
    x[late] = np.exp(past) if less == 0 else (1.0 - less * past) ** (-1.0 / less)
    return np.minimum(x * flat_s, cut_s)


@lru_cache(maxsize=64)
def lead_s(clusters: Clusters, ratio: float, reposts: bool) -> float:
    """How long before a window contacts have to start for it to be stationary from the beginning.

    All but 0.05 % of the posts of a cluster come within this time of its first contact, in whole
    hours, and at most `MAX_LEAD_H`. Found from clusters grown with numbers of their own, always the same.
    """
    rng = np.random.Generator(np.random.PCG64DXSM(0))
    start, _ = gather(np.zeros(_PILOTS), clusters.batches, rng)
    contacts = grow(start, ratio, minutes(clusters.children.delay_min), rng)
    _, again = follow_ups(contacts.time_s, clusters.follow_ups, rng, rng)
    posts = [contacts.time_s, again]
    if reposts:
        counts = np.minimum(repost_counts(len(contacts), clusters.reposts, rng), 1000)
        late = repost_delays(int(counts.sum()), clusters.reposts, rng)
        posts.append(np.repeat(contacts.time_s, counts) + late)
    last = float(np.quantile(np.concatenate(posts), _LEAD_SHARE))
    return min(math.ceil(last / HOUR_S), MAX_LEAD_H) * HOUR_S
