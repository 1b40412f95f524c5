"""A scenario: what happens to the desk, as a planner writes it in a TOML file.

Hours (`_h`) count from onset. The window may start before it: quiet hours have negative numbers.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated
from zoneinfo import available_timezones

import numpy as np
from pydantic import AfterValidator, Field, model_validator

from scenarios.behaviour import Behaviour, Fault, Phone
from scenarios.clocks import local_time
from scenarios.errors import Faults
from scenarios.laws import (
    Exponential,
    Frozen,
    Law,
    Lognormal,
    NonNegative,
    Number,
    Positive,
    Share,
    SumToOne,
    sum_to_one,
)
from scenarios.names import NEVER_CASES, Language, Platform, Sentiment, Stage, Tier, Topic
from scenarios.surges import Curve, Surge

MAX_BRANCHING = 0.95


@cache
def _zones() -> frozenset[str]:
    """Names of all time zones; walking their folders takes some 20 ms."""
    return frozenset(available_timezones())


def _zone(name: str) -> str:
    if name not in _zones():
        raise ValueError(f"is {name!r}, a time zone that does not exist; write it like Europe/Amsterdam")
    return name


ZoneName = Annotated[str, AfterValidator(_zone)]
Profile24 = Annotated[tuple[NonNegative, ...], Field(min_length=24, max_length=24)]
Profile168 = Annotated[tuple[NonNegative, ...], Field(min_length=168, max_length=168)]
Profile7 = Annotated[tuple[NonNegative, ...], Field(min_length=7, max_length=7)]


class Zone(Frozen):
    """A share of a language's authors who live in one time zone."""

    zone: ZoneName
    share: Share


class Noise(Frozen):
    """Busyness around the profile: a factor a day and a factor with a short memory, both of mean 1.

    `day_sd`, `hour_sd` are standard deviations of the logarithm; `day_ar` the correlation from one
    day to the next; `hour_memory_h` the relaxation time of the other.
    Source: Avramidis, Deslauriers and L'Ecuyer (2004), Management Science 50(7).
    """

    day_sd: NonNegative = 0.15
    day_ar: Annotated[float, Field(strict=True, ge=0, lt=1)] = 0.3
    hour_sd: NonNegative = 0.30
    hour_memory_h: Positive = 1.0


def _not_all_zero(values: tuple[float, ...]) -> tuple[float, ...]:
    if sum(values) <= 0:
        raise ValueError("all values are 0; at least one must be above")
    return values


def _all_live_somewhere(rows: tuple[Zone, ...]) -> tuple[Zone, ...]:
    sum_to_one([row.share for row in rows])
    return rows


class Profile(Frozen):
    """Day and week of one language, in the place of those of all; `week` as there."""

    hours: Annotated[Profile24, AfterValidator(_not_all_zero)]
    weekdays: Annotated[Profile7, AfterValidator(_not_all_zero)]
    week: Annotated[Profile168, AfterValidator(_not_all_zero)] | None = None


class Base(Frozen):
    """The ordinary week: rates, day and week profiles in each language's own local time, noise.

    Profiles are relative; they are scaled so that a whole week has exactly the stated rate. A language
    in `profiles` has its own, the others have `hours` and `weekdays`. Where hours differ between weekdays,
    `week` has each hour of the week from Monday, in the place of the product of both.
    """

    mentions_per_h: NonNegative = 60_000 / 168
    cases_per_h: NonNegative = 7_000 / 168
    hours: Annotated[Profile24, AfterValidator(_not_all_zero)] = (1.0,) * 24
    weekdays: Annotated[Profile7, AfterValidator(_not_all_zero)] = (1.0,) * 7
    week: Annotated[Profile168, AfterValidator(_not_all_zero)] | None = None
    zones: dict[Language, Annotated[tuple[Zone, ...], AfterValidator(_all_live_somewhere)]] = Field(default={})
    profiles: dict[Language, Profile] = Field(default={})
    noise: Noise = Noise()

    @model_validator(mode="after")
    def _cases_are_mentions(self) -> Base:
        if self.cases_per_h > self.mentions_per_h:
            above = f"is {self.cases_per_h:g}, above mentions_per_h, {self.mentions_per_h:g}"
            raise Faults([("cases_per_h", f"{above}; each case is a mention")])
        return self


class FollowUps(Frozen):
    """The same author posts again: a geometric number with this mean, each after a gap.

    A share `quick_share` comes within `quick_s` (posts in several parts).
    """

    mean: NonNegative = 0.0
    gap_min: Law = Lognormal(kind="lognormal", median=22.0, sd_log=1.4)
    quick_share: Share = 0.10
    quick_s: Positive = 90.0


def _dies_out(ratio: float) -> float:
    if ratio >= MAX_BRANCHING:
        raise ValueError(f"is {ratio:g}: must stay below {MAX_BRANCHING}, else one post sets off endless ones")
    return ratio


Branching = Annotated[NonNegative, AfterValidator(_dies_out)]


class Children(Frozen):
    """Posts by others that a post sets off: branching ratio and exponential (or other) delay.

    `ratio` is that of the chatter, `case_ratio` that of the cases: a child of a case is a case.
    """

    ratio: Branching = 0.0
    case_ratio: Branching = 0.0
    delay_min: Law = Exponential(kind="exponential", mean=15.0)


class Reposts(Frozen):
    """Reposts of chatter: how many per author's contact, how skewed, and the viral kernel.

    Numbers a contact: 0, or with a Pareto tail of index `tail`, so that the mean is `mean`. Delay
    density: flat for `flat_min`, then falling as 1 / t^`power`, cut at `cut_h`.
    Source of the kernel: Zhao et al. (2015), SEISMIC, KDD.
    """

    mean: NonNegative = 0.0
    tail: Annotated[float, Field(strict=True, gt=1.0)] = 1.6
    flat_min: Positive = 5.0
    power: Positive = 1.1
    cut_h: Positive = 72.0


class Batches(Frozen):
    """A share of the contacts comes as a batch of people at once: `size` of them within `spread_s`."""

    share: Share = 0.0
    size: Annotated[int, Field(strict=True, ge=2, le=1000)] = 3
    spread_s: NonNegative = 60.0


class Clusters(Frozen):
    """What makes posts come together. The generator divides by the mean cluster size, so that
    clusters never add to a curve."""

    follow_ups: FollowUps = FollowUps()
    children: Children = Children()
    reposts: Reposts = Reposts()
    batches: Batches = Batches()

    @property
    def posts_per_case(self) -> float:
        """Mean number of posts of one case's author within the trace."""
        return 1.0 + self.follow_ups.mean

    @property
    def posts_per_chatter(self) -> float:
        """Mean number of posts of one exogenous chatter contact with all that it sets off."""
        per_contact = 1.0 + self.follow_ups.mean + self.reposts.mean
        return per_contact * self.batch_factor / (1.0 - self.children.ratio)

    @property
    def batch_factor(self) -> float:
        """Mean number of contacts that come where one is drawn."""
        return 1.0 + self.batches.share * (self.batches.size - 1)


def _can_be_a_case(topic: Topic) -> Topic:
    if topic in NEVER_CASES:
        raise ValueError("is never a case; give it under chatter")
    return topic


CaseTopic = Annotated[Topic, AfterValidator(_can_be_a_case)]


class Mix(Frozen):
    """Shares of the kinds of posts. Each list sums to 1; `private` is a share per platform.

    `chatter` are the topics of posts that need no answer. `sentiment` holds for every post but
    praise (positive), complaint and outrage (negative). Tiers are those of customers; `fakes` is a
    share of the chatter. A list not given is as in the ordinary week, `BASE_MIX`.
    """

    languages: Annotated[dict[Language, Share], SumToOne] | None = None
    case_platforms: Annotated[dict[Platform, Share], SumToOne] | None = None
    chatter_platforms: Annotated[dict[Platform, Share], SumToOne] | None = None
    private: dict[Platform, Share] | None = None
    topics: Annotated[dict[CaseTopic, Share], SumToOne] | None = None
    chatter: Annotated[dict[Topic, Share], SumToOne] | None = None
    stages: Annotated[dict[Stage, Share], SumToOne] | None = None
    sentiment: Annotated[dict[Sentiment, Share], SumToOne] | None = None
    tiers: Annotated[dict[Tier, Share], SumToOne] | None = None
    non_customers: Share | None = None
    fakes: Share | None = None


class MixChange(Mix):
    """From here on the lists given have these shares; between two changes of a list it runs linearly."""

    at_h: Number


BASE_MIX = Mix(
    languages={
        Language.EN: 0.46, Language.NL: 0.22, Language.ES: 0.06, Language.PT: 0.06, Language.DE: 0.05,
        Language.FR: 0.04, Language.IT: 0.03, Language.ZH: 0.02, Language.RU: 0.015, Language.TR: 0.015,
        Language.JA: 0.01, Language.KO: 0.01, Language.NO: 0.006, Language.TH: 0.004,
    },
    case_platforms={Platform.FACEBOOK: 0.65, Platform.X: 0.25, Platform.GENERIC: 0.10},
    chatter_platforms={Platform.X: 0.6466, Platform.FACEBOOK: 0.2534, Platform.GENERIC: 0.10},
    private={
        Platform.FACEBOOK: 0.5, Platform.X: 0.2, Platform.GENERIC: 0.5, Platform.MESSENGER: 1.0,
        Platform.WHATSAPP: 1.0, Platform.WECHAT: 1.0, Platform.KAKAO: 1.0,
    },
    topics={
        Topic.INFO: 0.25, Topic.REBOOKING: 0.20, Topic.BAGGAGE: 0.15, Topic.CHECKIN: 0.10,
        Topic.PAYMENT: 0.02, Topic.REFUND: 0.10, Topic.COMPLAINT: 0.09, Topic.PRAISE: 0.04,
        Topic.ASSISTANCE: 0.03, Topic.LOST_ITEM: 0.02,
    },
    chatter={Topic.PRAISE: 0.30, Topic.JOKE: 0.25, Topic.OUTRAGE: 0.15, Topic.INFO: 0.30},
    stages={Stage.PLAN: 0.25, Stage.PURCHASE: 0.25, Stage.ENJOY: 0.50},
    sentiment={Sentiment.NEGATIVE: 0.40, Sentiment.NEUTRAL: 0.45, Sentiment.POSITIVE: 0.15},
    tiers={Tier.NONE: 0.75, Tier.SILVER: 0.14, Tier.GOLD: 0.08, Tier.PLATINUM: 0.03},
    non_customers=0.05,
    fakes=0.0,
)  # fmt: skip
"""Shares of the ordinary week. Two figures are public (Facebook carries most cases, X most posts); the
exact shares are assumptions."""


class People(Frozen):
    """What else a post carries: followers, hours to departure, flights, mixed and short texts."""

    influence: Law = Lognormal(kind="lognormal", median=150.0, sd_log=1.8)
    booked_share: Share = 0.8
    departure_h: Law = Exponential(kind="exponential", mean=60.0)
    flights: Annotated[int, Field(strict=True, ge=1, le=30_000)] = 260
    mixed_share: Share = 0.05
    short_share: Share = 0.03
    fake_copies: Share = 0.9


class Assumption(Frozen):
    """A parameter without a source: where it is, why it has this value, and its range if known."""

    what: str
    reason: str
    low: Number | None = None
    high: Number | None = None


class Scenario(Frozen):
    """What happens: base traffic, surges, clusters, mixes, customers, faults, and the evidence."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    title: str
    story: str = ""
    question: str = ""
    sources: tuple[str, ...] = ()
    timezone: ZoneName = "Europe/Amsterdam"
    onset_local: datetime = datetime(2015, 6, 1)
    window_h: tuple[Number, Number] = (0.0, 168.0)
    base: Base = Base()
    surges: tuple[Surge, ...] = ()
    clusters: Clusters = Clusters()
    mix: Mix = Mix()
    mix_changes: tuple[MixChange, ...] = ()
    people: People = People()
    behaviour: Behaviour = Behaviour()
    phone: Phone | None = None
    faults: tuple[Fault, ...] = ()
    assumed: tuple[Assumption, ...] = ()

    @model_validator(mode="after")
    def _checked(self) -> Scenario:
        faults: list[tuple[str, str]] = []
        start, end = self.window_h
        if end <= start:
            faults.append(("window_h", f"ends at {end:g}, not after its start at {start:g}"))
        if end - start > 24 * 366:
            faults.append(("window_h", f"is {end - start:g} hours long; the longest window is a year"))
        if self.onset_local.tzinfo is not None:
            faults.append(("onset_local", "has an offset; give local time and name the zone under timezone"))
        times = [change.at_h for change in self.mix_changes]
        if times != sorted(times):
            faults.append(("mix_changes", "are not in order of time"))
        if not faults:
            faults += self._below_zero()
        if faults:
            raise Faults(faults)
        return self

    def _below_zero(self) -> list[tuple[str, str]]:
        """No curve falls below zero; cases and their follow-ups are mentions, so not more than those."""
        where = "surges" if self.surges else "base"
        for u in (0.0, None, 1.0):
            curve = self.curve(u)
            hours = np.unique(np.clip([*self.window_h, *curve.knots()], *self.window_h))
            sunk = np.minimum(curve.unboosted(hours, "mentions"), curve.unboosted(hours, "cases"))
            if sunk.min() < -1e-9:
                return [(where, f"take the curve below zero together at hour {hours[sunk.argmin()]:g}")]
            mentions = self.base.mentions_per_h * curve.rate(hours, "mentions")
            of_cases = self.base.cases_per_h * curve.rate(hours, "cases") * self.clusters.posts_per_case
            worst = int(np.argmax(of_cases - mentions))
            if of_cases[worst] > mentions[worst] * (1 + 1e-9):
                return [
                    (
                        where,
                        f"make {of_cases[worst]:.0f} posts an hour of cases with their follow-ups at hour "
                        f"{hours[worst]:g}, more than all {mentions[worst]:.0f} mentions; raise the mentions "
                        "or lower the cases",
                    )
                ]
        return []

    def curve(self, size_u: float | None = None) -> Curve:
        """The multiple of the base over time, at the likely size or at quantile `size_u` of it."""
        return Curve(surges=self.surges, size_u=size_u)

    @property
    def window_s(self) -> tuple[float, float]:
        """Start and end of the window, in seconds from onset."""
        return self.window_h[0] * 3600.0, self.window_h[1] * 3600.0

    def clock(self, t_s: float, zone: str | None = None) -> datetime:
        """Local clock time at `t_s` seconds from onset, in the scenario's zone or another."""
        return local_time(self.onset_local, self.timezone, t_s, zone)

    @classmethod
    def load(cls, name_or_path: str | Path) -> Scenario:
        """The scenario of this name in the library, or in this file; see `scenarios.library.load`."""
        from scenarios import library  # it imports this module

        return library.load(name_or_path)
