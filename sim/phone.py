"""The phone line in front of the desk: lines, agents, patience; whoever fails turns elsewhere."""

from __future__ import annotations

from collections import deque
from typing import Any

from scenarios.behaviour import Onward, Phone
from scenarios.names import NONE
from sim.cases import Case, child_subject
from sim.clock import Clock, Kind, order
from sim.customers import FROM_PHONE, Customers
from sim.draws import Stream
from sim.floor import Floor
from sim.outcome import TurnKind, TurnState
from sim.triage import Triage
from sim.turns import Turn
from sim.world import HOUR_S, MINUTE_S, World

CALLS_FROM = 1 << 34  # calls come behind all cases and agents in the order of events


class PhoneLine:
    """M/G/n+G with a limit of lines and retrials, first come first served."""

    def __init__(
        self, phone: Phone, world: World, clock: Clock, floor: Floor, customers: Customers, triage: Triage
    ) -> None:
        self.phone, self.world, self.clock, self.floor, self.customers = phone, world, clock, floor, customers
        self.busy = 0
        self.coming = 0  # callers who will call again or write
        self.queue: deque[Turn] = deque()
        self.waiting = 0
        self.languages = triage.languages
        triage.on_call = self.call

    def call(self, row: int, attempt: int) -> None:
        """Somebody calls, for the first time (attempt 0) or again."""
        now = self.clock.now
        turn = Turn(TurnKind.CALL, self.languages[row], now, now, now, CALLS_FROM + row)
        turn.subject, turn.post, turn.k = row, row, attempt
        self.floor.rows.append(turn)
        if self.busy + self.waiting >= self.phone.lines:
            turn.state, turn.end, turn.wait = TurnState.BLOCKED, now, 0.0
            self._turn_elsewhere(turn, "call_blocked")
        elif self.busy < self.phone.agents:
            self._start(turn)
        else:
            self.queue.append(turn)
            self.waiting += 1
            ends = now + self.customers.law("call_patience", Stream.CALL_PATIENCE, row, attempt)
            self.clock.at(ends, order(Kind.PATIENCE, turn.number, attempt), self._hangs_up, turn)

    def _start(self, turn: Turn) -> None:
        now = self.clock.now
        self.busy += 1
        turn.state, turn.start, turn.wait = TurnState.IN_HAND, now, now - turn.queued
        turn.end = now + self.customers.law("call_handling", Stream.CALL_HANDLING, turn.post, turn.k)
        self.clock.at(turn.end, order(Kind.TURN_END, turn.number, turn.k), self._ends, turn)

    def _ends(self, event: Any) -> None:
        event.value.state = TurnState.DONE
        self.busy -= 1
        while self.queue:
            turn = self.queue.popleft()
            if turn.state is TurnState.WAITING:
                self.waiting -= 1
                self._start(turn)
                return

    def _hangs_up(self, event: Any) -> None:
        turn: Turn = event.value
        if turn.state is TurnState.WAITING:
            self.waiting -= 1
            now = self.clock.now
            turn.state, turn.end, turn.wait = TurnState.ABANDONED, now, now - turn.queued
            self._turn_elsewhere(turn, "call_abandoned")

    def _turn_elsewhere(self, turn: Turn, how: str) -> None:
        row, attempt = turn.post, turn.k
        subject = child_subject(row, -1)
        found = self.customers.onward(how, subject, attempt)
        if found is None or attempt + 1 >= self.phone.max_attempts:
            return
        onward, delay = found
        self.coming += 1

        def act(_: Any) -> None:
            self.coming -= 1
            if onward.to in ("same", "phone"):
                self.call(row, attempt + 1)
            else:
                self._writes(row, subject, onward)

        self.clock.at(self.clock.now + delay, order(Kind.CUSTOMER, turn.number, attempt), act, None)

    def _writes(self, row: int, subject: int, onward: Onward) -> None:
        """A caller who did not get through writes instead."""
        trace, customers = self.world.trace, self.customers
        case = Case(len(customers.cases), subject, NONE, self.clock.now)
        for name in ("language", "platform", "visibility", "topic", "tier", "sentiment"):
            setattr(case, name, int(trace[name][row]))
        case.origin = row
        case.departure = float(trace["time_s"][row]) + float(trace["departure_h"][row]) * HOUR_S
        customers.moves(case, onward)
        case.cls = int(self.world.call_class[row])
        if self.world.crisis is not None:
            case.promise = self.world.crisis.call_promise[:, row].tolist()
        case.due = case.posted + self.world.desk.classes[case.cls].promise_min * MINUTE_S
        customers.cases.append(case)
        customers.posts_again(case, FROM_PHONE, lambda: customers.open(case))
