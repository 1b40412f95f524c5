"""What can be turned while the service runs: capacity, for shows of saturation, and faults, for drills."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal

from scenarios.names import Platform


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
        The provider takes its time, refuses orders, or reports each thing twice: every time.
    payments_slow, payments_failing, payments_duplicate : float
        Shares of the orders, 0 to 1, with which it does so beside that. An order is always with the same ones.
    disk : "ok" or "full"
        Nothing can be written.
    platform : "ok" or "held"
        Replies to any platform stay here until it takes them again, then go out in order.
    platforms : tuple of Platform
        Those to which replies stay here beside that.
    delay_s : float
        How slow *slow* is.
    """

    crm: Literal["ok", "slow", "down"] = "ok"
    payments: Literal["ok", "slow", "failing", "duplicate"] = "ok"
    payments_slow: float = 0.0
    payments_failing: float = 0.0
    payments_duplicate: float = 0.0
    disk: Literal["ok", "full"] = "ok"
    platform: Literal["ok", "held"] = "ok"
    platforms: tuple[Platform, ...] = ()
    delay_s: float = 2.0

    def payment(self, how: Literal["slow", "failing", "duplicate"], ref: str) -> bool:
        """Whether the provider is so with the order of a number, whenever and in whatever process it is asked."""
        share = 1.0 if self.payments == how else float(getattr(self, f"payments_{how}"))
        return share > 0.0 and _place(how, ref) < share

    @property
    def held(self) -> tuple[Platform, ...]:
        """Platforms that take no replies."""
        return self.platforms if self.platform == "ok" else tuple(Platform)

    def differing(self) -> str:
        """What is broken, in words for the audit; empty if nothing is."""
        found = ((each.name, getattr(self, each.name), each.default) for each in fields(self))
        return ",".join(f"{name}={_word(value)}" for name, value, usual in found if value != usual)


def _place(how: str, ref: str) -> float:
    """Where an order stands between 0 and 1."""
    return int.from_bytes(hashlib.sha256(f"{how} {ref}".encode()).digest()[:7]) / 2.0**56


def _word(value: object) -> str:
    return "+".join(value) if isinstance(value, tuple) else str(value)


def told(value: Knobs | Faults) -> dict[str, Any]:
    """Knobs or faults as JSON has them."""
    return {name: list(each) if isinstance(each, tuple) else each for name, each in asdict(value).items()}
