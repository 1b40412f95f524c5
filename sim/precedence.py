"""What goes first and who else may take it: classes with their promises, overdue turns, overflow.

A desk file says these for ordinary days, a crisis plan may say them anew for as long as a lever is on.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from scenarios.laws import Count, Frozen, NonNegative, Positive
from scenarios.names import Language, Sentiment, Tier, Topic, Visibility


class When(Frozen):
    """Which cases belong to a class: all conditions given must hold."""

    departure_below_h: Positive | None = None
    tiers: tuple[Tier, ...] = ()
    topics: tuple[Topic, ...] = ()
    sentiments: tuple[Sentiment, ...] = ()
    languages: tuple[Language, ...] = ()
    visibility: Visibility | None = None
    influence_from: NonNegative | None = None


class CaseClass(Frozen):
    """A class of cases with its promise: minutes from the post to the answer; the first that fits holds.

    `next_min` is the promise for later turns. `deferred` turns leave the reserve of a pool alone.
    """

    name: str
    when: When = When()
    promise_min: Positive
    next_min: Positive | None = None
    deferred: bool = False


class OverdueRule(Frozen):
    """What becomes of turns past their key: `keep` the order, `fresh_first`, or a lane of `seats`."""

    mode: Literal["keep", "fresh_first", "own_lane"] = "keep"
    seats: Count = 0


class Overflow(Frozen):
    """After `after_min` of waiting a turn may also be taken by others, at `factor` of the time.

    Others are the pools named, or the pools that speak `to_language` (a second language, a bridge).
    """

    languages: tuple[Language, ...] = ()
    after_min: NonNegative
    to_pools: tuple[str, ...] = ()
    to_language: Language | None = None
    factor: Positive = 1.25

    @model_validator(mode="after")
    def _one_target(self) -> Overflow:
        if bool(self.to_pools) == (self.to_language is not None):
            raise ValueError("needs either to_pools or to_language")
        return self
