"""When exogenous contacts come: the base's profile, its noise, and points of a changing rate.

All is constant, or bounded, in cells: the profile of a language is a step function on quarter hours
of UTC, the noise one on five minutes, and between the knots of a curve each of its parts is
monotone. Points are drawn by thinning inside the cells, which is exact.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache, cached_property
from itertools import accumulate, pairwise
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import ScenarioError
from scenarios.laws import FloatArray
from scenarios.mixes import Mixes
from scenarios.model import Base, Noise, Scenario
from scenarios.names import Language, members
from scenarios.surges import Curve

IndexArray = NDArray[np.intp]

HOUR_S = 3600.0
DAY_S = 86_400.0
QUARTER_S = 900.0
STEPS = 3  # of noise in a quarter hour: five minutes each


@dataclass(frozen=True)
class Grid:
    """Quarter hours of UTC that cover a stretch of time.

    Attributes
    ----------
    onset_utc_s : float
        Onset, in seconds of the Unix clock.
    start_s : float
        First edge, in seconds from onset.
    n : int
        Number of quarter hours.
    """

    onset_utc_s: float
    start_s: float
    n: int

    @classmethod
    def over(cls, scenario: Scenario, from_s: float, to_s: float) -> Grid:
        """Cover [from_s, to_s], in seconds from onset."""
        onset = scenario.clock(0.0).timestamp()
        start = math.floor((onset + from_s) / QUARTER_S) * QUARTER_S - onset
        return cls(onset, start, max(math.ceil((to_s - start) / QUARTER_S), 1))

    @property
    def edges_s(self) -> FloatArray:
        """(n + 1,) float64, seconds from onset."""
        return self.start_s + QUARTER_S * np.arange(self.n + 1, dtype=np.float64)

    @property
    def middles_h(self) -> FloatArray:
        """(n,) float64, hours from onset."""
        return (self.edges_s[:-1] + QUARTER_S / 2) / HOUR_S

    def at(self, time_s: FloatArray) -> IndexArray:
        """Quarter hour that each time lies in; times beyond the ends count to the last."""
        index = ((time_s - self.start_s) / QUARTER_S).astype(np.intp)
        return np.clip(index, 0, self.n - 1, out=index)

    def local_s(self, zone: str) -> FloatArray:
        """Local clock of a zone at the start of each quarter hour, as seconds since 1970: (n,)."""
        tz = ZoneInfo(zone)
        utc = self.onset_utc_s + self.edges_s[:-1]

        def offset(i: int) -> float:
            shift = datetime.fromtimestamp(utc[i], tz).utcoffset()
            return shift.total_seconds() if shift is not None else 0.0

        offsets = np.empty(self.n)
        # Clocks change twice a year: only days that end on another offset are looked at closely.
        days = [*range(0, self.n - 1, round(DAY_S / QUARTER_S)), self.n - 1]
        for a, b in pairwise(days):
            start, end = offset(a), offset(b)
            offsets[a:b] = start if start == end else [offset(i) for i in range(a, b)]
        offsets[-1] = offset(self.n - 1)
        return utc + offsets


def profiles(base: Base, own_zone: str, grid: Grid) -> FloatArray:
    """Rate of each language around its mean over a week: (n, languages) float64.

    Each language follows the hour and the weekday of its own zones, or of `own_zone` if it has
    none. Over a whole week without a change of clocks each column has mean exactly 1.
    """

    @cache
    def slots(zone: str) -> tuple[IndexArray, IndexArray]:
        local = grid.local_s(zone)
        weekday = (local // DAY_S).astype(np.intp) + 3  # 1 January 1970 was a Thursday
        return weekday % 7, (local // HOUR_S).astype(np.intp) % 24

    @cache
    def of_zone(zone: str, own: Language | None) -> FloatArray:
        profile = base if own is None else base.profiles[own]
        if profile.week is not None:
            week = np.array(profile.week).reshape(7, 24)
            week = week / week.mean()
        else:
            hours, weekdays = np.array(profile.hours), np.array(profile.weekdays)
            week = np.outer(weekdays / weekdays.mean(), hours / hours.mean())
        out: FloatArray = week[slots(zone)]
        return out

    columns = []
    for language in members(Language):
        zones = {row.zone: row.share for row in base.zones.get(language, ())} or {own_zone: 1.0}
        own = language if language in base.profiles else None
        parts = (share * of_zone(zone, own) for zone, share in zones.items())
        columns.append(sum(parts, np.zeros(grid.n)) / sum(zones.values()))
    return np.stack(columns, axis=1)


def busyness(noise: Noise, zone: str, grid: Grid, days: np.random.Generator, steps: np.random.Generator) -> FloatArray:
    """Factor on all rates, one for each five minutes: (3 n,) float64 with mean 1 over many draws.

    The product of a factor a local day, lognormal and correlated from day to day, and a lognormal
    factor with a short memory (Ornstein-Uhlenbeck). Both start in their stationary law.
    """
    day = (grid.local_s(zone) // DAY_S).astype(np.intp)
    number = np.concatenate([[0], np.cumsum(np.diff(day) != 0)])
    of_day = _lognormal_chain(noise.day_sd, noise.day_ar, int(number[-1]) + 1, days)
    memory = math.exp(-QUARTER_S / STEPS / HOUR_S / noise.hour_memory_h)
    of_step = _lognormal_chain(noise.hour_sd, memory, STEPS * grid.n, steps)
    return np.repeat(of_day[number], STEPS) * of_step


def _lognormal_chain(sd: float, memory: float, n: int, rng: np.random.Generator) -> FloatArray:
    """Lognormal numbers of mean 1 whose logarithms have correlation `memory` from one to the next."""
    shocks = rng.standard_normal(n)
    shocks[1:] *= math.sqrt(1.0 - memory * memory)
    chain = np.fromiter(accumulate(shocks.tolist(), lambda z, e: memory * z + e), np.float64, n)
    return np.exp(sd * chain - sd * sd / 2.0)


Rate = Callable[[FloatArray], FloatArray]


@dataclass(frozen=True)
class Flow:
    """A rate of contacts: a curve that is known in closed form, and its bounds in the cells.

    Attributes
    ----------
    rate : callable, (n,) hours -> (n,) contacts per hour
        Without profile and noise.
    low, high : (m,) float64
        Bounds of the rate in each cell, contacts per hour.
    """

    rate: Rate
    low: FloatArray
    high: FloatArray


class Traffic:
    """Rates of a scenario over a grid, ready to be drawn from.

    Parameters
    ----------
    scenario : Scenario
    grid : Grid
    size_u : float, optional
        Quantile of the size of the surges; None is the likely size.
    busy : (3 n,) float64, optional
        Factor on all rates in each five minutes; None is 1.
    """

    def __init__(
        self,
        scenario: Scenario,
        grid: Grid,
        size_u: float | None = None,
        busy: FloatArray | None = None,
    ) -> None:
        self.scenario = scenario
        self.grid = grid
        self.curve: Curve = scenario.curve(size_u)
        self.mixes = Mixes(scenario, grid.middles_h)
        self._busy = np.ones(STEPS * grid.n) if busy is None else busy

    @cached_property
    def languages(self) -> FloatArray:
        """Share of each language times its profile: (n, languages); rows sum to the profile of all."""
        return self.mixes.shares("languages") * profiles(self.scenario.base, self.scenario.timezone, self.grid)

    @cached_property
    def profile(self) -> FloatArray:
        """Rate of all languages around the mean of the week: (n,) float64."""
        out: FloatArray = self.languages.sum(axis=1)
        return out

    @cached_property
    def edges_s(self) -> FloatArray:
        """Edges of the cells: the five minutes, and the knots of the curve among them."""
        steps = self.grid.start_s + QUARTER_S / STEPS * np.arange(STEPS * self.grid.n + 1)
        knots = np.array(self.curve.knots()) * HOUR_S
        return np.union1d(steps, knots[(knots > steps[0]) & (knots < steps[-1])])

    @cached_property
    def weights(self) -> FloatArray:
        """Profile times noise in each cell."""
        middles = (self.edges_s[1:] + self.edges_s[:-1]) / 2
        step = ((middles - self.grid.start_s) / (QUARTER_S / STEPS)).astype(np.intp)
        step = np.minimum(step, STEPS * self.grid.n - 1)
        out: FloatArray = self.profile[step // STEPS] * self._busy[step]
        return out

    def cases(self, per_h: float) -> Flow:
        """`per_h` contacts an hour on the curve of the cases."""
        low, high = self.curve.bounds(self.edges_s / HOUR_S, "cases")
        return Flow(lambda h: per_h * self.curve.rate(h, "cases"), per_h * low, per_h * high)

    def chatter(self) -> Flow:
        """Exogenous contacts of the chatter: what the posts of cases leave of all mentions."""
        base, clusters, curve = self.scenario.base, self.scenario.clusters, self.curve
        all_h = base.mentions_per_h / clusters.posts_per_chatter
        of_cases_h = base.cases_per_h * clusters.posts_per_case / clusters.posts_per_chatter

        def rate(hours: FloatArray) -> FloatArray:
            return all_h * curve.rate(hours, "mentions") - of_cases_h * curve.rate(hours, "cases")

        edges_h = self.edges_s / HOUR_S
        value = rate(edges_h)
        if (value < -1e-9 * all_h).any():
            hour = edges_h[value.argmin()]
            raise ScenarioError(
                f"{self.scenario.name}: at hour {hour:.2f} the cases with their follow-ups make more posts "
                "than there are mentions; raise the mentions or lower the cases"
            )
        low, high = curve.bounds(edges_h, "mentions")
        case_low, case_high = curve.bounds(edges_h, "cases")
        floor = np.maximum(all_h * low - of_cases_h * case_high, 0.0)
        return Flow(rate, floor, np.maximum(all_h * high - of_cases_h * case_low, 0.0))

    def draw(
        self,
        flow: Flow,
        from_s: float,
        counts: np.random.Generator,
        times: np.random.Generator,
        heights: np.random.Generator,
    ) -> FloatArray:
        """Draw the contacts of a flow from `from_s` on.

        Parameters
        ----------
        flow : Flow
            From this traffic.
        from_s : float
            Cells that end before are left out.
        counts, times, heights : numpy.random.Generator
            For the number of candidates in each cell, their times, and the thinning.

        Returns
        -------
        (n,) float64
            Seconds from onset; cell by cell, in no order inside a cell.

        Notes
        -----
        Source: Lewis and Shedler (1979), Naval Res. Logist. Q. 26(3), 403-413.
        """
        width_s = np.diff(self.edges_s)
        expected = self.weights * flow.high * width_s / HOUR_S
        expected[self.edges_s[1:] <= from_s] = 0.0
        cell = np.repeat(np.arange(expected.size), counts.poisson(expected))
        time_s = self.edges_s[cell] + width_s[cell] * times.random(cell.size)
        height = flow.high[cell] * heights.random(cell.size)
        kept = height < flow.low[cell]  # most lie below the curve's lower bound: no need to look it up
        doubtful = np.flatnonzero(~kept)
        kept[doubtful] = height[doubtful] < flow.rate(time_s[doubtful] / HOUR_S)
        return time_s[kept]
