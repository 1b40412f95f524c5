"""A case as the reference engine holds it, and how things that come out of it are named for draws."""

from __future__ import annotations

from collections.abc import Sequence

from scenarios.behaviour import Onward
from scenarios.names import NONE
from sim.outcome import CaseState
from sim.turns import INF, Seat, Turn
from sim.world import HOUR_S, MINUTE_S, World

MASK = (1 << 62) - 1


def child_subject(parent: int, j: int) -> int:
    """Name, for draws, of the `j`-th thing that came out of `parent`: a mix that hardly ever meets another."""
    x = (parent * 0x9E3779B97F4A7C15 + j * 0xBF58476D1CE4E5B9 + 0x94D049BB133111EB) & 0xFFFFFFFFFFFFFFFF
    x = ((x ^ (x >> 31)) * 0xD6E8FEB86659FD93) & 0xFFFFFFFFFFFFFFFF
    return ((x ^ (x >> 32)) & MASK) | (1 << 62)


class Case:
    """One case of one customer: one row of the outcome."""

    __slots__ = (
        "attempts", "back_office", "base", "closed", "cls", "departure", "due", "escalated", "extra_posts",
        "first_reply", "first_start", "holder", "k", "kept_by", "language", "last_seat", "left", "number", "onward",
        "origin", "parked", "pay", "pending", "planned", "platform", "posted", "promise", "recontacts", "reopened",
        "returning", "row", "seen", "sentiment", "state", "subject", "tests", "tier", "topic", "turn", "turns",
        "version", "visibility", "waits", "work",
    )  # fmt: skip

    def __init__(self, number: int, subject: int, row: int, posted: float) -> None:
        self.number, self.subject, self.row, self.posted = number, subject, row, posted
        self.origin = NONE
        self.language = self.platform = self.visibility = self.topic = self.tier = self.sentiment = self.cls = 0
        self.due = self.departure = self.seen = self.first_start = self.first_reply = self.closed = self.left = INF
        self.state = CaseState.UNREAD
        self.turns = self.attempts = self.recontacts = self.reopened = 0
        self.escalated = False
        self.work = self.pay = 0.0
        self.turn: Turn | None = None  # the one that waits or is in hand
        self.k = 0  # number of the next turn
        self.planned = 0
        self.base: list[float] = []
        self.waits = 0  # waits so far: each has a patience of its own
        self.tests = 0  # chances taken to write again
        self.extra_posts = 0
        self.pending = INF  # when the first message was written that came while a turn was in hand
        self.back_office = False
        self.parked = False
        self.returning = False  # has given up, but is going to try again
        self.onward: Onward | None = None  # where the customer comes back who was kept from writing; None: as before
        self.kept_by = NONE  # the lever that kept the customer from writing
        self.promise: Sequence[int] = ()  # class by the classes of each lever that changes promises
        self.version = 0  # of what the customer is about to do: an older plan is void
        self.holder: Seat | None = None
        self.last_seat: Seat | None = None

    def starts(self, turn: Turn) -> None:
        """An agent takes the turn in hand; who has left without a sign does not notice."""
        if self.first_start == INF:
            self.first_start = turn.start
        if not turn.ghost:
            self.state = CaseState.IN_HAND


def of_trace(world: World) -> list[Case]:
    """The cases that the posts of a trace open, in order of their numbers; nobody has read them yet."""
    rows, trace = world.case_row, world.trace
    names = ("language", "platform", "visibility", "topic", "tier", "sentiment")
    columns = {name: trace[name][rows].tolist() for name in names}
    times, departure = trace["time_s"][rows].tolist(), trace["departure_h"][rows].tolist()
    promise = world.crisis.promise.T.tolist() if world.crisis is not None else [()] * len(times)
    cases = []
    for i, row in enumerate(rows.tolist()):
        case = Case(i, i, row, times[i])
        for name, column in columns.items():
            setattr(case, name, column[i])
        case.cls, case.promise = int(world.case_class[i]), promise[i]
        case.departure = times[i] + departure[i] * HOUR_S
        case.due = times[i] + world.desk.classes[case.cls].promise_min * MINUTE_S
        cases.append(case)
    return cases
