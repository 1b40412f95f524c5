"""Mixes over time: the shares of every list on a grid of times, and the choice of a member by a number.

A list that no change touches is one row, so that it costs nothing to look up.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from scenarios.laws import FloatArray
from scenarios.model import BASE_MIX, Mix, Scenario
from scenarios.names import Language, Platform, Sentiment, Stage, Tier, Topic, members

IndexArray = NDArray[np.intp]
CodeArray = NDArray[np.int8]

LISTS: Mapping[str, type[StrEnum]] = {
    "languages": Language,
    "case_platforms": Platform,
    "chatter_platforms": Platform,
    "private": Platform,
    "topics": Topic,
    "chatter": Topic,
    "stages": Stage,
    "sentiment": Sentiment,
    "tiers": Tier,
}
SHARES = ("non_customers", "fakes")


class Mixes:
    """The mix of a scenario at given hours.

    Parameters
    ----------
    scenario : Scenario
    hours : (q,) float64
        Hours from onset at which the shares are wanted, ascending.
    """

    def __init__(self, scenario: Scenario, hours: FloatArray) -> None:
        self._scenario = scenario
        self._hours = hours
        self._done: dict[str, FloatArray] = {}

    def shares(self, name: str) -> FloatArray:
        """Shares of a list of `LISTS`: (q, members), or (1, members) if it never changes."""
        if name not in self._done:
            points = [(at_h, _row(value, LISTS[name])) for at_h, value in self._points(name) if isinstance(value, dict)]
            self._done[name] = _run(points, self._hours)
        return self._done[name]

    def share(self, name: str) -> FloatArray:
        """A share of `SHARES` at the hours: (q,), or (1,) if it never changes."""
        if name not in self._done:
            points = [(at_h, np.array([value])) for at_h, value in self._points(name) if isinstance(value, float)]
            self._done[name] = _run(points, self._hours)[:, 0]
        return self._done[name]

    def _points(self, name: str) -> list[tuple[float, object]]:
        mixes: list[tuple[float, Mix]] = [(-np.inf, BASE_MIX), (-np.inf, self._scenario.mix)]
        mixes += [(change.at_h, change) for change in self._scenario.mix_changes]
        given = [(at_h, getattr(mix, name)) for at_h, mix in mixes]
        # The scenario's own list takes the place of the ordinary week's.
        first = 1 if given[1][1] is not None else 0
        return [(at_h, value) for at_h, value in given[first:] if value is not None]


def _row(shares: Mapping[StrEnum, float], kind: type[StrEnum]) -> FloatArray:
    return np.array([shares.get(member, 0.0) for member in members(kind)], dtype=np.float64)


def _run(points: list[tuple[float, FloatArray]], hours: FloatArray) -> FloatArray:
    """Values at `hours`: the first before any change, linear from change to change, then the last."""
    if len(points) == 1:
        return points[0][1][None, :]
    times = np.array([at_h for at_h, _ in points])
    rows = np.stack([row for _, row in points])
    at = np.searchsorted(times, hours, side="right") - 1
    after = np.minimum(at + 1, len(points) - 1)
    out: FloatArray = rows[at]
    inside = (at > 0) & (after > at)  # before the first change and after the last it stands still
    i, j = at[inside], after[inside]
    part = (hours[inside] - times[i]) / (times[j] - times[i])
    out[inside] += part[:, None] * (rows[j] - rows[i])
    return out


def choose(shares: FloatArray, at: IndexArray, u: FloatArray) -> CodeArray:
    """Choose a member for each number: the first whose cumulative share lies above it.

    Parameters
    ----------
    shares : (q, k) or (1, k) float64
        Weights, not all zero in a row that is used; they need not sum to 1.
    at : (n,) intp
        Row of `shares` that holds for each choice; not looked at if there is one row.
    u : (n,) float64
        Uniform numbers in [0, 1).

    Returns
    -------
    (n,) int8
        Codes of the members. Neighbouring `u` give neighbouring members.
    """
    edges = np.cumsum(shares, axis=1)
    edges /= np.where(edges[:, -1:] > 0, edges[:, -1:], 1.0)
    out = np.zeros(u.size, dtype=np.int8)
    for edge in edges[:, :-1].T:
        # A comparison over all is quicker than a search for each: there are few members.
        if edge.min() < 1.0:
            out += u >= (edge[at] if edge.size > 1 else edge[0])
    return out


def happens(share: FloatArray, at: IndexArray, u: FloatArray) -> NDArray[np.bool_]:
    """Whether something of probability `share[at]` (or `share[0]`) happens: `u` lies below it."""
    return u < (share[at] if share.size > 1 else share[0])
