"""Who comes to the desk and goes, as events of the reference engine (rule 5, shift ends of rule 6)."""

from __future__ import annotations

from typing import Any

from sim.clock import Clock, Kind, order
from sim.floor import Floor
from sim.outcome import TurnState
from sim.turns import INF, Queue, Seat, Turn
from sim.world import World


class Attendance:
    """Plays a roster: switches agents on and off, hands turns back, keeps the rows of attendance."""

    def __init__(self, world: World, clock: Clock, floor: Floor) -> None:
        self.world, self.clock, self.floor = world, clock, floor
        self.rows: list[tuple[int, int, float, float]] = []
        self.level = [0] * len(world.desk.pools)  # heads wanted, head-count pools
        floor.on_empty = self._empty
        self._schedule_staff()

    def _schedule_staff(self) -> None:
        for seat in self.floor.seats:
            for stretch in self.world.roster.stretches[seat.number]:
                self.clock.at(stretch.on_s, order(Kind.STAFF_ON, seat.number), self._come, (seat, stretch))
                if stretch.off_s < self.world.until_s:
                    self.clock.at(stretch.off_s, order(Kind.STAFF_OFF, seat.number), self._go, seat)
        for p, levels in enumerate(self.world.roster.levels):
            before = 0
            for time, heads in levels:
                kind = Kind.STAFF_ON if heads > before else Kind.STAFF_OFF
                self.clock.at(time, order(kind, self.floor.members[p][0].number), self._set_level, (p, heads))
                before = heads

    def _come(self, event: Any) -> None:
        seat, stretch = event.value
        seat.stretch = stretch
        self._switch_on(seat, stretch.off_s)

    def _switch_on(self, seat: Seat, off_s: float) -> None:
        now = self.clock.now
        seat.on, seat.off_s = True, off_s
        if seat.present_from == INF:
            seat.present_from = now
            seat.idle_since = now
        self.floor.on[seat.pool] += 1
        if seat.active:
            self.floor.busy[seat.pool] += 1
        self.floor.update(seat)
        reserve = self.floor.free[seat.pool] if seat.spec.reserve else ()
        self.floor.settle_later(agents=(seat.number, *reserve))

    def _go(self, event: Any) -> None:
        seat: Seat = event.value
        self._switch_off(seat)
        if seat.spec.shift_end == "hand_back":
            for turn in list(seat.active):
                self._hand_back(turn, seat)
        if not seat.active:
            self._leave(seat)

    def _switch_off(self, seat: Seat) -> None:
        seat.on = False
        self.floor.on[seat.pool] -= 1
        if seat.active:
            self.floor.busy[seat.pool] -= 1
        for case in seat.held:
            case.holder = None
        seat.held.clear()
        self.floor.update(seat)
        for _, _, turn in sorted(seat.private.fresh + seat.private.overdue, key=lambda entry: entry[0]):
            if turn.state is TurnState.WAITING and turn.sticky is seat:
                self.floor.open(turn)
                self.floor.settle_later(everybody=True)
        seat.private = Queue(None)

    def _leave(self, seat: Seat) -> None:
        """The seat is empty from now on."""
        self.rows.append((seat.number, seat.pool, seat.present_from, self.clock.now))
        seat.present_from = INF

    def _hand_back(self, turn: Turn, seat: Seat) -> None:
        now = self.clock.now
        left = turn.end - now
        seat.active.remove(turn)
        self.floor.drop_lane(turn)
        turn.state, turn.end = TurnState.HANDED_BACK, now
        again = Turn(turn.kind, turn.language, now, turn.arrival, turn.key, turn.number)
        again.subject = turn.subject
        again.case, again.post, again.k, again.topic, again.then = (
            turn.case,
            turn.post,
            turn.k,
            turn.topic,
            turn.then,
        )
        again.base_s, again.remaining, again.left = left, True, turn.left
        again.patience_left, again.wait_no = turn.patience_left, turn.wait_no
        if again.case is not None:
            again.case.turn = again
        self.floor.wait_for_settling(again)

    def _set_level(self, event: Any) -> None:
        p, heads = event.value
        self.level[p] = heads
        for seat in self.floor.members[p]:
            if self.floor.on[p] >= heads:
                break
            if not seat.on and seat.present_from == INF:
                self._switch_on(seat, INF)
        surplus = self.floor.on[p] - heads
        if surplus > 0:
            idle = [s for s in self.floor.members[p] if s.on and not s.active]
            for seat in reversed(idle[-surplus:] if surplus < len(idle) else idle):
                self._switch_off(seat)
                self._leave(seat)
        if self.floor.on[p] > heads and self.world.desk.pools[p].shift_end == "hand_back":
            busy = [s for s in self.floor.members[p] if s.on]
            busy.sort(key=lambda s: (max(t.start for t in s.active), s.number), reverse=True)
            for seat in busy[: self.floor.on[p] - heads]:
                self._switch_off(seat)
                for turn in list(seat.active):
                    self._hand_back(turn, seat)
                self._leave(seat)

    def _empty(self, seat: Seat) -> None:
        """The agent's hands are empty: does the shift end here, or do too many heads work?"""
        if seat.spec.head_count:
            if self.floor.on[seat.pool] > self.level[seat.pool]:
                self._switch_off(seat)
                self._leave(seat)
        elif not seat.on:
            self._leave(seat)

    def close(self) -> None:
        """The run stops: whoever is still at the desk has been there until now."""
        for seat in self.floor.seats:
            if seat.present_from < INF:
                self._leave(seat)
