"""What can be turned while the service runs: capacity, for shows of saturation, and faults, for drills."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass
class Knobs:
    """Limits of the service.

    Attributes
    ----------
    max_inflight : int
        Requests in hand at once; from a share of it on reads are turned away, then agents, intake last.
    commit_delay_s : float
        Each commit takes at least so long, as on a slow disk.
    most_waiting : int
        Writes that may wait for a transaction before everything is turned away.
    timeout_s : float
        After so long a request is given up with 503; streams and long polls have their own times.
    """

    max_inflight: int = 256
    commit_delay_s: float = 0.0
    most_waiting: int = 2000
    timeout_s: float = 10.0


@dataclass
class Faults:
    """What is broken on purpose.

    Attributes
    ----------
    crm : "ok", "slow" or "down"
        Customer data come late, or not at all; cases go on without.
    payments : "ok", "slow", "failing" or "duplicate"
        The provider takes its time, refuses orders, or reports each thing twice.
    disk : "ok" or "full"
        Nothing can be written.
    platform : "ok" or "held"
        Replies stay here until the platform takes them again, then go out in order.
    delay_s : float
        How slow *slow* is.
    """

    crm: Literal["ok", "slow", "down"] = "ok"
    payments: Literal["ok", "slow", "failing", "duplicate"] = "ok"
    disk: Literal["ok", "full"] = "ok"
    platform: Literal["ok", "held"] = "ok"
    delay_s: float = 2.0


def told(value: Knobs | Faults) -> dict[str, Any]:
    """Knobs or faults as JSON has them."""
    return asdict(value)
