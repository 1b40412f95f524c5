"""Posts as they come in: which platforms are watched, who reads, what the filter finds (rule 3)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from scenarios.behaviour import HeldFault
from scenarios.names import NONE, PostKind, code
from sim.clock import Clock, Kind, order
from sim.customers import Customers
from sim.draws import Stream
from sim.floor import Floor
from sim.outcome import CaseState, TurnKind
from sim.thinning import Thinning
from sim.turns import Turn
from sim.world import MINUTE_S, World

CASE, FOLLOW_UP, CALL = code(PostKind.CASE), code(PostKind.FOLLOW_UP), code(PostKind.CALL)


class Triage:
    """Turns rows of the trace into cases that the desk knows of."""

    def __init__(self, world: World, clock: Clock, floor: Floor, customers: Customers) -> None:
        self.clock, self.floor, self.customers = clock, floor, customers
        self.rule, self.effects = world.desk.triage, customers.effects
        self.filtering = 0  # posts that the filter has found and not passed on yet
        self.thinning = Thinning(world, clock, customers)
        self.held: list[tuple[HeldFault, list[int]]] = []
        self.on_call: Callable[[int, int], None] = lambda row, attempt: None
        t = world.trace
        self.kinds, self.case_of, self.times = t["kind"].tolist(), t["case"].tolist(), t["time_s"].tolist()
        self.languages, self.platforms = t["language"].tolist(), t["platform"].tolist()
        customers.read = self.read

    def post(self, row: int) -> None:
        """A row of the trace is due; a lever may keep it from being made."""
        if not self.thinning.suppresses(row):
            self.happens(row)

    def happens(self, row: int) -> None:
        """A row of the trace happens, or is no longer held."""
        if self.kinds[row] == CALL:
            self.on_call(row, 0)
            return
        if self.platforms[row] in self.customers.unwatched:
            return  # the desk does not look there
        for fault, rows in self.held:
            if self.platforms[row] in [code(p) for p in fault.platforms]:
                rows.append(row)
                return
        self._triage(row)

    def _triage(self, row: int) -> None:
        kind, reading = self.kinds[row], self.effects.reading
        mode = reading.mode
        self.floor.signals.posted(self.languages[row])
        asks = kind == CASE or (kind == FOLLOW_UP and self.case_of[row] != NONE)
        if mode == "people":
            self._read(TurnKind.READING, row, partial(self._known, row))
        elif mode == "none":
            if asks:
                self._known(row)
        elif asks and self.customers.u(Stream.FILTER, row) >= reading.recall:
            case = self.customers.cases[self.case_of[row]]
            if case.state is CaseState.UNREAD:
                case.state = CaseState.MISSED
        elif asks or self.customers.u(Stream.FILTER, row) < reading.false_positive:
            self._after_filter(row, asks, reading.delay_s)

    def _after_filter(self, row: int, asks: bool, delay_s: float) -> None:
        def found(_: Any) -> None:
            self.filtering -= 1
            if asks:
                self._known(row)
            else:
                self._read(TurnKind.DISMISS, row, None)

        self.filtering += 1
        if delay_s > 0:
            self.clock.at(self.clock.now + delay_s, order(Kind.POST, row), found, None)
        else:
            found(None)

    def _read(self, kind: TurnKind, row: int, then: Callable[[], None] | None) -> None:
        self.read(kind, row, row, self.languages[row], self.times[row], row, then)

    def read(
        self,
        kind: TurnKind,
        number: int,
        row: int,
        language: int,
        posted: float,
        subject: int,
        then: Callable[[], None] | None,
    ) -> None:
        """A post waits to be read (or to be put aside), then `then` happens; `row` is NONE outside the trace."""
        turn = Turn(kind, language, self.clock.now, posted, posted + self.rule.promise_min * MINUTE_S, number)
        turn.subject, turn.post, turn.k, turn.then = subject, row, -1, then
        stream = Stream.READING if kind is TurnKind.READING else Stream.DISMISS
        turn.base_s = self.customers.law("reading", stream, subject)
        self.floor.enqueue(turn)

    def _known(self, row: int) -> None:
        """The desk knows what this post is."""
        number = self.case_of[row]
        if number == NONE:
            return
        case = self.customers.cases[number]
        if case.state in (CaseState.UNREAD, CaseState.MISSED):
            self.customers.open(case)
        elif self.kinds[row] == FOLLOW_UP:
            self.customers.message(case, self.times[row], row)

    @property
    def waits(self) -> bool:
        """Whether posts are held, or with the filter."""
        return self.filtering > 0 or any(rows for _, rows in self.held)

    def close(self) -> None:
        """The run stops: posts still held were never seen."""
        for _, rows in self.held:
            for row in rows:
                case = self.customers.cases[self.case_of[row]] if self.kinds[row] == CASE else None
                if case is not None and case.state in (CaseState.UNREAD, CaseState.MISSED):
                    case.state = CaseState.PARKED
