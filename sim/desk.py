"""A desk: who answers and how, as a planner writes it in a TOML file.

Hours (`_h`) count from onset, clock times are local to the pool's zone. A pool is either *named*
(agents with shifts and breaks) or *head-count* (steps `[hour, heads]`, interchangeable seats).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from scenarios.errors import DeskError, Faults
from scenarios.laws import Constant, Count, Frozen, Law, NonNegative, Number, Positive, Share
from scenarios.model import Assumption, ZoneName
from scenarios.names import NEVER_CASES, Language, Platform, Topic, Visibility
from sim.levers import HeadsLever, OverflowLever
from sim.plan import Plan, PlanOrName, Speeds
from sim.precedence import CaseClass, OverdueRule, Overflow, When

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")
_SPAN = re.compile(r"(\w+) (\S+?)-(\S+)")


def clock_s(text: str) -> int:
    """Seconds after midnight of a clock time like 07:30; ValueError if it is none."""
    match = _CLOCK.fullmatch(text)
    if match is None:
        raise ValueError(f"is {text!r}, which is no clock time; write it like 07:30, from 00:00 to 23:59")
    return int(match[1]) * 3600 + int(match[2]) * 60


def span_s(text: str) -> tuple[int, int]:
    """Start and end of a weekly shift like `mon 22:00-07:00`, in seconds after Monday 00:00.

    An end at or before the start lies on the next day.
    """
    match = _SPAN.fullmatch(text)
    if match is None or match[1] not in DAYS:
        raise ValueError(f"is {text!r}, outside the week; write a shift like 'mon 07:00-16:00', days {' '.join(DAYS)}")
    start, end = clock_s(match[2]), clock_s(match[3])
    base = DAYS.index(match[1]) * 86_400
    return base + start, base + end + (86_400 if end <= start else 0)


def _clock(value: str) -> str:
    clock_s(value)
    return value


def _span(value: str) -> str:
    span_s(value)
    return value


Clock = Annotated[str, Field(strict=True), BeforeValidator(lambda v: _clock(v) if isinstance(v, str) else v)]
Span = Annotated[str, Field(strict=True), BeforeValidator(lambda v: _span(v) if isinstance(v, str) else v)]


class Break(Frozen):
    """A break of `minutes`, `after_h` hours into the shift, give or take `jitter_min` a head and day."""

    after_h: NonNegative
    minutes: Positive
    jitter_min: NonNegative = 0.0


class Shift(Frozen):
    """`heads` agents who start at `start` and stay `length_h`, `days_on` days in a row of `of_days`.

    First days are spread evenly over the cycle inside the pool and start.
    """

    name: str
    start: Clock
    heads: Count
    length_h: Annotated[float, Field(strict=True, gt=0, le=24)] = 9.0
    days_on: Annotated[int, Field(strict=True, ge=1, le=28)] = 4
    of_days: Annotated[int, Field(strict=True, ge=1, le=28)] = 7
    breaks: tuple[Break, ...] = ()

    @model_validator(mode="after")
    def _fits(self) -> Shift:
        faults = []
        if self.days_on > self.of_days:
            faults.append(("days_on", f"is {self.days_on}, more than the {self.of_days} days of the cycle"))
        faults += [
            (
                f"breaks[{i}]",
                f"ends {b.after_h + b.minutes / 60:g} h after the start of a shift of {self.length_h:g} h",
            )
            for i, b in enumerate(self.breaks)
            if b.after_h + b.minutes / 60 > self.length_h
        ]
        if faults:
            raise Faults(faults)
        return self


class Agent(Frozen):
    """One agent by code, with weekly shifts like `mon 07:00-16:00`."""

    code: str
    shifts: tuple[Span, ...]


class Weights(Frozen):
    """What a turn in hand and a conversation that waits for the customer take of an agent's capacity."""

    active: Positive = 1.0
    waiting: NonNegative = 0.0


class Pool(Frozen):
    """Agents with the same skills, at one site.

    `languages` has a speed for each language (2 is twice as fast); `speed` multiplies all of them.
    `topics` names topic groups of the desk, empty for all. `concurrency` is the factor on handling
    time with 1, 2, ... turns in hand, the last one for more. `reserve` heads are kept free of
    deferred turns. `absent_share` of the shifts is not worked.
    """

    name: str
    site: str = ""
    timezone: ZoneName | None = None
    languages: Speeds = Field(min_length=1)
    topics: tuple[str, ...] = ()
    reads: bool = True
    shifts: tuple[Shift, ...] = ()
    agents: tuple[Agent, ...] = ()
    steps: tuple[tuple[Number, Count], ...] = ()
    speed: Positive = 1.0
    capacity: Positive = 1.0
    weights: Weights = Weights()
    concurrency: tuple[Positive, ...] = (1.0,)
    shift_end: Literal["finish", "hand_back"] = "finish"
    reserve: Count = 0
    absent_share: Share = 0.0
    cost_per_h: NonNegative = 30.0

    @model_validator(mode="after")
    def _one_kind(self) -> Pool:
        faults: list[tuple[str, str]] = []
        if bool(self.steps) == bool(self.shifts or self.agents):
            faults.append(("", "needs either steps (head-count) or shifts and agents (named)"))
        hours = [step[0] for step in self.steps]
        faults += [
            (f"steps[{i + 1}]", f"starts at {b:g} h, not after {a:g} h of the step before")
            for i, (a, b) in enumerate(pairwise(hours))
            if b <= a
        ]
        if self.weights.active > self.capacity:
            faults.append(("weights.active", f"is {self.weights.active:g}, above the capacity of {self.capacity:g}"))
        if faults:
            raise Faults(faults)
        return self

    @property
    def head_count(self) -> bool:
        """Whether the pool is a head-count pool."""
        return bool(self.steps)

    @property
    def heads(self) -> int:
        """Agents on the payroll; of a head-count pool the most that any step has."""
        return max((n for _, n in self.steps), default=0) + sum(s.heads for s in self.shifts) + len(self.agents)


class Fatigue(Frozen):
    """Handling time grows with paid hours since the shift's start, breaks out: a share per hour."""

    per_h: NonNegative = 0.0
    beyond_8h_per_h: NonNegative = 0.0


class Triage(Frozen):
    """How cases are found among the mentions.

    By `people`: each post is first read by an agent of its language, with a promise of its own.
    `automatic`: a filter with `recall`, `false_positive` and `delay_s`; what it takes wrongly for
    a case is looked at and put aside (`reading_s`). `none`: every case is known at once.
    """

    mode: Literal["people", "automatic", "none"] = "people"
    reading_s: Law = Constant(value=30.0)
    promise_min: Positive = 10.0
    recall: Share = 1.0
    false_positive: Share = 0.0
    delay_s: NonNegative = 0.0


class WaitingLimit(Frozen):
    """At most `places` turns wait in the queues named (empty: all); a further one is blocked.

    With `balk` a turn that would have to wait gives up at once with that probability.
    """

    languages: tuple[Language, ...] = ()
    groups: tuple[str, ...] = ()
    visibility: Visibility | None = None
    places: Count | None = None
    balk: Share = 0.0


class Routing(Frozen):
    """How turns and agents meet. `idle` orders the free agents; ties go to the lowest number."""

    topic_groups: dict[str, tuple[Topic, ...]] = Field(default={})
    idle: tuple[Literal["fewest_skills", "longest_idle", "random", "ordered"], ...] = (
        "fewest_skills",
        "longest_idle",
    )
    overdue: OverdueRule = OverdueRule()
    overflow: tuple[Overflow, ...] = ()
    limits: tuple[WaitingLimit, ...] = ()
    sticky_min: NonNegative = 0.0
    unserved: Literal["error", "bridge"] = "error"
    bridge_language: Language = Language.EN
    bridge_factor: Positive = 1.3

    @model_validator(mode="after")
    def _groups(self) -> Routing:
        faults: list[tuple[str, str]] = []
        seen: dict[Topic, str] = {}
        for name, topics in self.topic_groups.items():
            for topic in topics:
                if topic in NEVER_CASES:
                    faults.append((f"topic_groups.{name}", f"has {topic.value}, which is never a case"))
                if topic in seen:
                    faults.append((f"topic_groups.{name}", f"has {topic.value}, which is in {seen[topic]} already"))
                seen[topic] = name
        if self.topic_groups:
            missing = [t.value for t in Topic if t not in seen and t not in NEVER_CASES]
            if missing:
                faults.append(("topic_groups", f"leave out {', '.join(missing)}; each topic of a case needs a group"))
        faults += [
            (
                f"limits[{i}].groups",
                f"names {name!r}, which is no group; there are {', '.join(self.topic_groups) or 'none'}",
            )
            for i, limit in enumerate(self.limits)
            for name in limit.groups
            if name not in self.topic_groups
        ]
        if faults:
            raise Faults(faults)
        return self


class Desk(Frozen):
    """Who answers and how: pools, classes and promises, triage, routing, fatigue, plan.

    `platforms` are those that the desk watches, empty for all; posts elsewhere stay unread.
    """

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_\-]*$")]
    title: str
    story: str = ""
    sources: tuple[str, ...] = ()
    timezone: ZoneName = "Europe/Amsterdam"
    platforms: tuple[Platform, ...] = ()
    pools: tuple[Pool, ...] = Field(min_length=1)
    classes: tuple[CaseClass, ...] = (CaseClass(name="all", promise_min=60.0),)
    triage: Triage = Triage()
    routing: Routing = Routing()
    fatigue: Fatigue = Fatigue()
    plan: PlanOrName = None
    assumed: tuple[Assumption, ...] = ()

    @model_validator(mode="after")
    def _checked(self) -> Desk:
        faults: list[tuple[str, str]] = []
        names = [pool.name for pool in self.pools]
        faults += [(f"pools[{i}].name", f"is {n!r} a second time") for i, n in enumerate(names) if n in names[:i]]
        groups = self.routing.topic_groups
        for i, pool in enumerate(self.pools):
            faults += [
                (
                    f"pools[{i}].topics",
                    f"names {name!r}, which is no topic group; there are {', '.join(groups) or 'none'}",
                )
                for name in pool.topics
                if name not in groups
            ]
        faults += [
            (
                f"routing.overflow[{i}].to_pools",
                f"names {name!r}, which is no pool; there are {', '.join(names)}",
            )
            for i, rule in enumerate(self.routing.overflow)
            for name in rule.to_pools
            if name not in names
        ]
        if self.classes[-1].when != When():
            faults.append(
                (
                    f"classes[{len(self.classes) - 1}]",
                    "is the last class and must hold for all: leave out its when",
                )
            )
        if self.plan is not None:
            faults += [(f"plan.{place}", what) for place, what in self._faults_of(self.plan)]
        codes = [agent.code for pool in self.pools for agent in pool.agents]
        faults += [
            ("pools", f"have the agent code {c!r} twice") for c in sorted({c for c in codes if codes.count(c) > 1})
        ]
        if faults:
            raise Faults(faults)
        return self

    @property
    def languages(self) -> frozenset[Language]:
        """Languages that somebody speaks."""
        return frozenset(language for pool in self.pools for language in pool.languages)

    @property
    def heads(self) -> int:
        """Agents on the payroll."""
        return sum(pool.heads for pool in self.pools)

    def with_plan(self, plan: Plan | None) -> Desk:
        """The same desk with another crisis plan, or none.

        Raises
        ------
        DeskError
            With all that the plan names and the desk does not have.
        """
        faults = [] if plan is None else self._faults_of(plan)
        if plan is not None and faults:
            raise DeskError(
                "\n".join(f"plan {plan.name} on desk {self.name}: {place} {what}" for place, what in faults)
            )
        return self.model_copy(update={"plan": plan})

    def _faults_of(self, plan: Plan) -> list[tuple[str, str]]:
        """What a plan names that this desk does not have."""
        groups, pools = self.routing.topic_groups, [pool.name for pool in self.pools]
        classes = [cls.name for cls in self.classes]
        faults: list[tuple[str, str]] = []

        def missing(place: str, names: tuple[str, ...], known: Iterable[str], what: str) -> None:
            listed = ", ".join(known) or "none"
            faults.extend(
                (place, f"names {n!r}, which is no {what}; there are {listed}") for n in names if n not in known
            )

        for i, rung in enumerate(plan.ladder):
            for j, group in enumerate(rung.groups):
                missing(f"ladder[{i}].groups[{j}].topics", group.topics, tuple(groups), "topic group")
        for i, lever in enumerate(plan.levers):
            contacts = getattr(lever, "contacts", None)
            if contacts is not None:
                missing(f"levers[{i}].contacts.classes", contacts.classes, classes, "class")
            if isinstance(lever, HeadsLever):
                missing(f"levers[{i}].pools", lever.pools, pools, "pool")
            if isinstance(lever, OverflowLever):
                missing(f"levers[{i}].overflow.to_pools", lever.overflow.to_pools, pools, "pool")
        return faults

    def zone(self, pool: Pool) -> str:
        """Time zone in which a pool's clock times are meant."""
        return pool.timezone or self.timezone

    @classmethod
    def load(cls, name_or_path: str | Path) -> Desk:
        """The desk of this name in the library, or in this file; see `sim.library.load`."""
        from sim import library  # it imports this module

        return library.load(name_or_path)
