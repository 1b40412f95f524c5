"""Turns, the queues in which they wait, and the agents who take them, as the reference engine holds them."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from scenarios.names import NONE
from sim.desk import Pool
from sim.outcome import TurnKind, TurnState
from sim.roster import Stretch
from sim.world import QueueSpec

if TYPE_CHECKING:
    from sim.cases import Case

INF = float("inf")
EXTRA_FROM = 1 << 33  # posts that the trace does not hold are numbered by their case, behind all rows
ROOM = 1e-9  # weights are sums of decimals: a turn fits if it does up to rounding


class Turn:
    """One wait for an agent and the work that follows it: one row of the outcome."""

    __slots__ = (
        "agent", "arrival", "base_s", "case", "due", "end", "extra", "k", "key", "kind", "language", "late", "left",
        "limits", "number", "patience_left", "post", "queued", "remaining", "route", "standing", "start", "state",
        "sticky", "subject", "then", "topic", "wait", "wait_no",
    )  # fmt: skip

    def __init__(self, kind: TurnKind, language: int, queued: float, arrival: float, key: float, number: int) -> None:
        self.kind = kind
        self.language = language
        self.queued = queued
        self.arrival = arrival
        self.key = key
        self.number = number  # of its case; of its post where there is no case, see `EXTRA_FROM`
        self.subject = number  # by which its draws are named
        self.case: Case | None = None
        self.post = NONE
        self.k = 0
        self.topic = NONE
        self.start = self.end = self.wait = self.left = INF
        self.agent = NONE
        self.route = 0
        self.state = TurnState.WAITING
        self.base_s = 0.0
        self.remaining = False
        self.standing = False
        self.extra = 0.0
        self.patience_left: float | None = None  # None: not drawn yet
        self.wait_no = 0  # of the case's waits, by which patience is named
        self.sticky: Seat | None = None  # the only one who may take it
        self.due: tuple[int, ...] = ()  # overflow rules whose time came meanwhile
        self.limits: tuple[int, ...] = ()
        self.late = False
        self.then: Callable[[], None] | None = None

    @property
    def ghost(self) -> bool:
        """Whether the customer has left without a sign."""
        return self.left < INF

    def place(self) -> tuple[float, float, int, int]:
        """Where it stands in a queue: key, then arrival, case or post, turn."""
        return self.key, self.arrival, self.number, self.k


Entry = tuple[tuple[float, float, int, int], int, Turn]


class Queue:
    """Turns by key. What has left is dropped when it comes to the head; overdue ones may stand apart.

    A queue without `spec` is the private one of its `owner`: turns that only this agent may take.
    """

    def __init__(self, spec: QueueSpec | None, deferred: bool, owner: Seat | None = None) -> None:
        self.spec, self.deferred, self.owner = spec, deferred, owner
        self.fresh: list[Entry] = []
        self.overdue: list[Entry] = []
        self._n = 0

    def push(self, turn: Turn) -> None:
        self._n += 1
        heappush(self.fresh, (turn.place(), self._n, turn))

    def _holds(self, turn: Turn) -> bool:
        return turn.state is TurnState.WAITING and (self.owner is None or turn.sticky is self.owner)

    def _head(self, heap: list[Entry]) -> Entry | None:
        while heap:
            if self._holds(heap[0][2]):
                return heap[0]
            heappop(heap)
        return None

    def emptied(self) -> list[Turn]:
        """All that waits here; the queue is empty afterwards."""
        turns = [turn for _, _, turn in self.fresh + self.overdue if self._holds(turn)]
        self.fresh, self.overdue = [], []
        return turns

    def regroup(self) -> None:
        """Overdue turns stand with the others again: the rule about them changes."""
        for entry in self.overdue:
            heappush(self.fresh, entry)
        self.overdue = []

    def first(self) -> Entry | None:
        """The turn with the smallest key."""
        return self._head(self.fresh)

    def first_fresh(self, now: float) -> Entry | None:
        """The turn with the smallest key that is not overdue."""
        head = self._head(self.fresh)
        while head is not None and head[0][0] < now:
            heappush(self.overdue, heappop(self.fresh))
            head = self._head(self.fresh)
        return head

    def first_overdue(self) -> Entry | None:
        """The overdue turn with the smallest key; call `first_fresh` before."""
        return self._head(self.overdue)


class Seat:
    """An agent, or a head of a head-count pool."""

    __slots__ = (
        "active",
        "first_on",
        "held",
        "idle_since",
        "number",
        "off_s",
        "on",
        "pool",
        "present_from",
        "private",
        "skills",
        "spec",
        "started",
        "stretch",
    )  # fmt: skip

    def __init__(self, number: int, pool: int, spec: Pool, skills: int) -> None:
        self.number = number
        self.pool = pool
        self.spec = spec
        self.skills = skills
        self.on = False
        self.present_from = INF  # inf: not at the desk
        self.off_s = INF
        self.first_on = INF  # when somebody who was called in first sat down
        self.stretch: Stretch | None = None
        self.idle_since = -INF
        self.active: list[Turn] = []
        self.held: set[Case] = set()
        self.started = 0  # turns so far
        self.private = Queue(None, False, self), Queue(None, True, self)

    @property
    def in_hand(self) -> int:
        return len(self.active)

    def room(self) -> bool:
        """Whether a turn more fits into the capacity."""
        w = self.spec.weights
        return w.active * (len(self.active) + 1) + w.waiting * len(self.held) <= self.spec.capacity + ROOM
