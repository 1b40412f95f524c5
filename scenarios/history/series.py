"""A history to calibrate from: how many contacts came in each interval and language, and what is told of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import DAY_S, HOUR_S, QUARTER_S, Grid
from scenarios.laws import FloatArray
from scenarios.names import Language

IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
LANGUAGES = len(Language)
SLOTS = 168


@dataclass(frozen=True)
class Series:
    """Contacts by interval, in order of time.

    Attributes
    ----------
    zone : ZoneInfo
        Where people read the clock.
    start_s : float
        Start of the first interval, seconds after 1970 in UTC.
    step_s : float
        Length of an interval: a quarter, a half or a whole hour.
    counts : (n, languages) int64
        Contacts that ask for something.
    known : (n,) bool
        Whether the history covers the whole interval.
    mentions : (n,) int64, optional
        All posts, contacts included; None: not told.
    times_s : (m,) float64, optional
        Each contact, seconds from `start_s`, ascending; None: only counts are told.
    """

    zone: ZoneInfo
    start_s: float
    step_s: float
    counts: IntArray
    known: BoolArray
    mentions: IntArray | None = None
    times_s: FloatArray | None = None

    @property
    def n(self) -> int:
        """Number of intervals."""
        return int(self.known.size)

    @property
    def step_h(self) -> float:
        """Length of an interval in hours."""
        return self.step_s / HOUR_S

    @property
    def days(self) -> float:
        """Length of the history in days."""
        return self.n * self.step_s / DAY_S

    @cached_property
    def total(self) -> FloatArray:
        """(n,) contacts in all languages."""
        out: FloatArray = self.counts.sum(axis=1).astype(np.float64)
        return out

    @cached_property
    def local_s(self) -> FloatArray:
        """(n,) local clock at the start of each interval, as seconds since 1970."""
        per = round(self.step_s / QUARTER_S)
        return Grid(self.start_s, 0.0, self.n * per).local_s(self.zone.key)[::per]

    @cached_property
    def slot(self) -> IntArray:
        """(n,) hour of the local week from Monday, 0 to 167."""
        weekday = (self.local_s // DAY_S + 3) % 7  # 1 January 1970 was a Thursday
        out: IntArray = (weekday * 24 + self.local_s // HOUR_S % 24).astype(np.int64)
        return out

    @cached_property
    def day(self) -> IntArray:
        """(n,) number of the local day, from 0."""
        day: IntArray = (self.local_s // DAY_S).astype(np.int64)
        out: IntArray = day - day[0]
        return out

    @cached_property
    def week(self) -> IntArray:
        """(n,) number of the week, of seven days from the first one on."""
        out: IntArray = self.day // 7
        return out

    def before(self, end: int) -> Series:
        """The first `end` intervals."""
        times = self.times_s
        return Series(
            self.zone, self.start_s, self.step_s, self.counts[:end], self.known[:end],
            None if self.mentions is None else self.mentions[:end],
            None if times is None else times[times < end * self.step_s],
        )  # fmt: skip


@dataclass(frozen=True)
class Lengths:
    """Lengths of time of which some are only known to be longer.

    Attributes
    ----------
    value_s : (n,) float64
    ended : (n,) bool
        Whether what was timed came to its end; else it is longer than the value.
    topic : (n,) int8
        Codes of topics.
    """

    value_s: FloatArray
    ended: BoolArray
    topic: NDArray[Any]


@dataclass(frozen=True)
class Means:
    """What a table of intervals tells of lengths of time: sums over all its contacts.

    `handled` and `waited` are contacts behind the sums; nan: not told.
    """

    handled: float = float("nan")
    handling_s: float = float("nan")
    waited: float = float("nan")
    wait_s: float = float("nan")
    abandoned: float = float("nan")


@dataclass(frozen=True)
class History:
    """All that is read from a history.

    Attributes
    ----------
    series : Series
    mixes : mapping of str to (members,) float64
        Contacts by member of `platform` and `topic`; a list that no column tells is left out. `private` holds
        those by platform that nobody else reads.
    handling, patience : Lengths, optional
        Of single contacts; None where only means or nothing is told.
    means : Means
    rows : int
    digest : str
        SHA-256 of the table.
    notes : tuple of str
        What was taken for granted.
    """

    series: Series
    mixes: Mapping[str, FloatArray]
    handling: Lengths | None
    patience: Lengths | None
    means: Means
    rows: int
    digest: str
    notes: tuple[str, ...]
