"""What customers do, the phone line in front, and what breaks: parts of a scenario.

Everything here acts in the simulation and in the drill, never in the trace: a frozen reaction
would make staffing change nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from scenarios.laws import (
    SUM_SLACK,
    Constant,
    Count,
    Frozen,
    Law,
    Lognormal,
    NonNegative,
    Number,
    Positive,
    Share,
    SumToOne,
)
from scenarios.names import Platform, Topic

Destination = Literal["same", "public", "phone"] | Platform
"""Where somebody turns who was not helped: the same channel again, a public post, the phone, a platform."""


class Onward(Frozen):
    """One thing that may follow a blocked or abandoned attempt: where to, how likely, how soon."""

    to: Destination
    probability: Share
    delay_min: Law = Constant(value=20.0)


def _at_most_one(rows: tuple[Onward, ...]) -> tuple[Onward, ...]:
    total = sum(row.probability for row in rows)
    if total > 1 + SUM_SLACK:
        raise ValueError(f"the probabilities sum to {total:g}; together they are at most 1")
    return rows


Onwards = Annotated[tuple[Onward, ...], AfterValidator(_at_most_one)]


def _has_default(laws: dict[Any, Any]) -> dict[Any, Any]:
    if "default" not in laws:
        raise ValueError("has no default; add default = {...} for the topics not named")
    return laws


class Recontact(Frozen):
    """Writing again while still waiting.

    Each wait longer than `after_h` makes the customer write again with `probability`, and again
    after each such post; the gap is counted from `after_h`, then from the post before. A share
    `separate_share` opens a one-turn case of its own; the others join the open case and add
    `extra_work` of the turn's handling time.
    """

    after_h: NonNegative = 1.0
    probability: Annotated[float, Field(strict=True, ge=0, lt=0.95)] = 0.35
    gap_min: Law = Lognormal(kind="lognormal", median=22.0, sd_log=1.4)
    separate_share: Share = 0.15
    extra_work: NonNegative = 0.10


class BackOffice(Frozen):
    """After the first turn a share of the cases waits for another department."""

    share: Share = 0.25
    delay_h: Law = Lognormal(kind="lognormal", median=4.0, sd_log=0.8)


class Reopening(Frozen):
    """A resolved case comes back on its own; a post within `within_days` reopens it in any case."""

    probability: Share = 0.0
    delay_h: Law = Lognormal(kind="lognormal", median=8.0, sd_log=1.2)
    within_days: Positive = 7.0


class Behaviour(Frozen):
    """Patience and what follows it, conversation, work per case."""

    handling_min: Annotated[dict[Topic | Literal["default"], Law], AfterValidator(_has_default)] = Field(
        default={"default": Lognormal(kind="lognormal", mean=20.0, cv=0.9)}
    )
    turns: Annotated[tuple[Share, ...], SumToOne] = (0.0, 0.15, 0.35, 0.35, 0.15)
    turn_sd_log: NonNegative = 0.4
    extra_turn_min: Law = Lognormal(kind="lognormal", mean=5.0, cv=0.9)
    think_min: Law = Lognormal(kind="lognormal", median=15.0, sd_log=1.2)
    back_office: BackOffice = BackOffice()
    patience_h: Law | Literal["endless"] = Lognormal(kind="lognormal", median=6.0, sd_log=1.2)
    patience_by_topic_h: dict[Topic, Law | Literal["endless"]] = Field(default={})
    silent_share: Share = 0.71
    silent_cost: NonNegative = 0.6
    recontact: Recontact = Recontact()
    after_abandoned: Onwards = ()
    after_blocked: Onwards = ()
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=1000)] = 4
    reopening: Reopening = Reopening()
    payment_share: Share = 0.43  # of rebooking and payment cases, so that a week brings EUR 80,000
    payment_eur: NonNegative = 120.0

    def patience(self, topic: Topic) -> Law | None:
        """Law of the patience for one wait on this topic, in hours; None: nobody leaves."""
        law = self.patience_by_topic_h.get(topic, self.patience_h)
        return None if law == "endless" else law

    def handling(self, topic: Topic) -> Law:
        """Law of the work on a case of this topic, in minutes, all turns together."""
        law = self.handling_min.get(topic)
        return law if law is not None else self.handling_min["default"]


class Phone(Frozen):
    """The phone line in front of the desk; its calls follow the curve of the cases.

    Calls beyond `lines` are blocked; those that wait longer than their patience are abandoned. Both
    turn elsewhere as the two lists say, and so make posts that the trace does not hold.
    """

    calls_per_h: NonNegative
    lines: Count
    agents: Count
    handling_min: Law = Lognormal(kind="lognormal", mean=6.0, cv=0.8)
    patience_min: Law = Lognormal(kind="lognormal", median=5.0, sd_log=1.0)
    on_blocked: Onwards = ()
    on_abandoned: Onwards = ()
    max_attempts: Annotated[int, Field(strict=True, ge=1, le=1000)] = 4

    @model_validator(mode="after")
    def _sane(self) -> Phone:
        if self.lines < self.agents:
            raise ValueError(f"{self.lines} lines are fewer than {self.agents} agents; a call in hand holds a line")
        return self


class _Window(Frozen):
    from_h: Number
    to_h: Number

    @model_validator(mode="after")
    def _ordered(self) -> _Window:
        if self.to_h <= self.from_h:
            raise ValueError(f"to_h is {self.to_h:g}, not after from_h, which is {self.from_h:g}")
        return self


class CrmFault(_Window):
    """The customer system is slow or down: work takes `factor` as long.

    While it is down nobody sees the open case: a share `duplicates` of the posts that would join
    one opens a case of its own.
    """

    kind: Literal["crm"]
    factor: Annotated[float, Field(strict=True, ge=1)]
    duplicates: Share = 0.0


class HeldFault(_Window):
    """A platform's API is held: its posts are seen at one instant, in trace order, at the end."""

    kind: Literal["platform_held"]
    platforms: tuple[Platform, ...] = Field(min_length=1)


class PaymentFault(_Window):
    """The payment provider is slow, fails, or calls back twice, for turns on `topics`.

    Work on such a turn takes `factor` as long; a share `fails` of them needs one more turn; a
    share `duplicates` of the callbacks comes twice (the care service has to tell).
    """

    kind: Literal["payment"]
    topics: tuple[Topic, ...] = (Topic.PAYMENT, Topic.REBOOKING)
    factor: Annotated[float, Field(strict=True, ge=1)] = 1.0
    fails: Share = 0.0
    duplicates: Share = 0.0


class SiteDark(_Window):
    """Nobody at these sites can work."""

    kind: Literal["site_dark"]
    sites: tuple[str, ...] = Field(min_length=1)


class StaffAbsent(_Window):
    """A share of the shifts that start in the window is not worked, or starts late.

    With `late_h` the share comes late instead; `sites` empty means all sites. Of the head-count
    pools the share is taken off the heads.
    """

    kind: Literal["staff_absent"]
    share: Share
    late_h: Law | None = None
    sites: tuple[str, ...] = ()


class NoAnswer(_Window):
    """Cases on `topics` cannot be answered: they are parked and queued at one instant at the end."""

    kind: Literal["no_answer"]
    topics: tuple[Topic, ...] = Field(min_length=1)


class RuleChange(Frozen):
    """At `at_h` the rules change: a share of the cases resolved in the `back_h` before comes back."""

    kind: Literal["rule_change"]
    at_h: Number
    back_h: Positive = 24.0
    wrong_share: Share
    delay_h: Law = Lognormal(kind="lognormal", median=3.0, sd_log=1.0)


Fault = Annotated[
    CrmFault | HeldFault | PaymentFault | SiteDark | StaffAbsent | NoAnswer | RuleChange,
    Field(discriminator="kind"),
]
