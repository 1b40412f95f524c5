"""What every store of the care service can do, whatever lies beneath."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from careapi.model import Case, Event, Mention, Receipt
from scenarios.names import Language


class Store(Protocol):
    """Writes are on disk when they return. All methods raise `Unavailable` if nothing was kept."""

    async def add_mentions(self, mentions: Sequence[Mention]) -> list[Receipt | Exception]:
        """Keep mentions; one result each, in order. A bad one does not hold up the others."""

    async def claim(self, agent: str, languages: Sequence[Language], capacity: int = 1) -> Case | None:
        """Give an agent what is due first over his queues; None if nothing waits or his hands are full."""

    async def release(self, case_id: int, agent: str, version: int) -> Case:
        """Put a case back with its age; raises `Stale`."""

    async def resolve(self, case_id: int, agent: str, version: int, reason: str) -> Case:
        """Close a case; raises `Stale`."""

    async def end_leases(self) -> int:
        """Put back the cases of agents who were not heard of; returns how many."""

    async def case(self, case_id: int) -> Case | None:
        """A case as it stands."""

    async def events_after(self, seq: int, limit: int = 200) -> list[Event]:
        """Events numbered above `seq`, in order, at most `limit`."""

    async def broken(self) -> list[str]:
        """The invariants that do not hold, one sentence each; empty if all is well."""

    async def close(self) -> None:
        """Finish what was begun, then let go of the store."""
