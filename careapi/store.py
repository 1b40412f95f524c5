"""What every store of the care service can do, whatever lies beneath.

Three groups. *Hot*: intake and claims, written for each database apart, because they carry the load.
*Jobs*: everything else is written once (`careapi/work.py` and the like) as functions over a
`Tx`; a store only has to run them. *Housekeeping*: leases, checks, opening and closing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from careapi.model import Case, Event, Mention, Receipt, Rules
from careapi.tx import Job
from scenarios.names import Language

T = TypeVar("T")


class Store(Protocol):
    """Writes are on disk when they return. All methods raise `Unavailable` if nothing was kept."""

    rules: Rules
    """Promises and times; may be replaced while the store is open, for what comes after."""

    # Hot: written for each database.

    async def add_mentions(self, mentions: Sequence[Mention]) -> list[Receipt | Exception]:
        """Keep mentions; one result each, in order. A bad one does not hold up the others."""

    async def claim(self, agent: str, languages: Sequence[Language], capacity: int = 1) -> Case | None:
        """Give an agent what is due first over his queues; None if nothing waits or his hands are full."""

    async def release(self, case_id: int, agent: str, version: int) -> Case:
        """Put a case back with its age; raises `Stale`."""

    async def resolve(self, case_id: int, agent: str, version: int, reason: str) -> Case:
        """Close a case; raises `Stale`."""

    async def case(self, case_id: int) -> Case | None:
        """A case as it stands."""

    async def events_after(self, seq: int, limit: int = 200) -> list[Event]:
        """Events numbered above `seq`, in order, at most `limit`."""

    # Jobs: written once, run by each store.

    async def write(self, job: Job[T]) -> T:
        """Run a job in a transaction of its own (or a savepoint); what it raises is raised here.

        The job may be run again from its start if the database asks for it, so it changes nothing outside.
        """

    async def hand_out(self, agent: str, job: Job[T]) -> T:
        """Like `write`, for a job that changes no case but by `Tx.claim` for that agent.

        Where several processes serve one store, such jobs of theirs run side by side.
        """

    async def read(self, job: Job[T]) -> T:
        """Run a job that only reads, on one state of the store; `now_s` is the clock's."""

    # Housekeeping.

    def listen(self, poke: Callable[[], None]) -> None:
        """Call `poke` on the running loop soon after each commit, of this process or another; it must be quick."""

    def measure(self, told: Callable[[int, float], None]) -> None:
        """Call `told` with writes and seconds of each transaction that writes, from any thread."""

    def waiting(self) -> int:
        """Number of writes that no transaction has taken up yet."""

    def slow_down(self, commit_s: float) -> None:
        """Let each commit take at least so long, as on a slow disk."""

    async def end_leases(self) -> int:
        """Put back the cases of agents who were not heard of; returns how many."""

    async def broken(self) -> list[str]:
        """The invariants that do not hold, one sentence each; empty if all is well."""

    async def vacuum(self) -> None:
        """Leave nothing of what was erased in the files; others wait meanwhile."""

    async def close(self) -> None:
        """Finish what was begun, then let go of the store."""
