"""Decisions of a desk as small pure functions: class of a case, choice of an idle agent.

A policy of one's own for the reference engine is any function with the signature of `IdleOrder`:
it gives each free agent a value, the smallest takes the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scenarios.names import code
from sim.precedence import CaseClass, When


class AgentView(Protocol):
    """What a policy may see of a free agent."""

    @property
    def number(self) -> int: ...
    @property
    def pool(self) -> int: ...
    @property
    def skills(self) -> int: ...
    @property
    def idle_since(self) -> float: ...
    @property
    def in_hand(self) -> int: ...


IdleOrder = Callable[[AgentView], float]
"""Value of a free agent for the turn to be given out; the smallest value takes it."""


def fewest_skills(agent: AgentView) -> float:
    """Keep those who speak many languages free."""
    return agent.skills


def longest_idle(agent: AgentView) -> float:
    """Share the load: who has waited longest for a turn goes first."""
    return agent.idle_since


def ordered(agent: AgentView) -> float:
    """Pools in the order of the desk file."""
    return agent.pool


IDLE_ORDERS: dict[str, IdleOrder] = {
    "fewest_skills": fewest_skills,
    "longest_idle": longest_idle,
    "ordered": ordered,
}


def choose(free: Sequence[AgentView], orders: Sequence[IdleOrder | None], u: float) -> AgentView:
    """The agent who takes a new turn, out of `free`, which is not empty.

    Agents with fewer turns in hand go first; then each order narrows the choice; None among the
    orders is a random choice by `u`, in [0, 1); ties that are left go to the lowest number.
    """
    least = min(agent.in_hand for agent in free)
    rest = sorted((agent for agent in free if agent.in_hand == least), key=lambda agent: agent.number)
    for order in orders:
        if len(rest) == 1:
            break
        if order is None:
            return rest[int(u * len(rest))]
        best = min(order(agent) for agent in rest)
        rest = [agent for agent in rest if order(agent) == best]
    return rest[0]


def classify(classes: Sequence[CaseClass], columns: dict[str, NDArray[Any]]) -> NDArray[np.int8]:
    """Number of the class of each case: the first one whose conditions hold; the last one holds for all.

    `columns` holds (n,) arrays departure_h, tier, topic, sentiment, language, visibility, influence,
    as in a trace.
    """
    n = columns["topic"].size
    out = np.full(n, len(classes) - 1, dtype=np.int8)
    free = np.ones(n, dtype=bool)
    for number, cls in enumerate(classes):
        fits = free & _holds(cls.when, columns)
        out[fits] = number
        free &= ~fits
    return out


def _holds(when: When, columns: dict[str, NDArray[Any]]) -> NDArray[np.bool_]:
    ok = np.ones(columns["topic"].size, dtype=bool)
    if when.departure_below_h is not None:
        ok &= columns["departure_h"] < when.departure_below_h
    if when.influence_from is not None:
        ok &= columns["influence"] >= when.influence_from
    if when.visibility is not None:
        ok &= columns["visibility"] == code(when.visibility)
    lists: tuple[tuple[str, Sequence[Any]], ...] = (
        ("tier", when.tiers),
        ("topic", when.topics),
        ("sentiment", when.sentiments),
        ("language", when.languages),
    )
    for name, allowed in lists:
        if allowed:
            ok &= np.isin(columns[name], [code(member) for member in allowed])
    return ok
