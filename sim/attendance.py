"""Who comes to the desk and goes, as events of the reference engine (rule 5, shift ends of rule 6)."""

from __future__ import annotations

from typing import Any

from scenarios.behaviour import SiteDark
from sim import draws
from sim.clock import Clock, Kind, order
from sim.draws import Stream
from sim.floor import Floor
from sim.levers import HeadsLever
from sim.outcome import CaseState, TurnState
from sim.roster import PaidShift, Stretch, dark_s, free_until_s
from sim.turns import INF, Seat, Turn
from sim.world import HOUR_S, World


class Attendance:
    """Plays a roster: switches agents on and off, hands turns back, keeps the rows of attendance."""

    def __init__(self, world: World, clock: Clock, floor: Floor) -> None:
        self.world, self.clock, self.floor = world, clock, floor
        self.rows: list[tuple[int, int, float, float]] = []
        self.level = [0] * len(world.desk.pools)  # heads wanted, head-count pools
        self.paid: list[PaidShift] = []  # over and above the roster: called in, or staying longer
        self.shift_ends = {(shift.agent, shift.end_s) for shift in world.roster.shifts}
        floor.on_done = self._done
        self._schedule_staff()
        self.dark = [dark_s(pool, world.scenario) for pool in world.desk.pools]
        self._schedule_dark()

    def _schedule_staff(self) -> None:
        for seat in self.floor.seats:
            for n, stretch in enumerate(self.world.roster.stretches[seat.number]):
                self.clock.at(stretch.on_s, order(Kind.STAFF_ON, seat.number), self._comes, (seat, stretch))
                if stretch.off_s < self.world.until_s:
                    self.clock.at(stretch.off_s, order(Kind.STAFF_OFF, seat.number), self._stretch_ends, (seat, n))
        for p, levels in enumerate(self.world.roster.levels):
            before = 0
            for time, heads in levels if self.floor.members[p] else ():
                kind = Kind.STAFF_ON if heads > before else Kind.STAFF_OFF
                self.clock.at(time, order(kind, self.floor.members[p][0].number), self._set_level, (p, heads))
                before = heads

    def _schedule_dark(self) -> None:
        for f, fault in enumerate(self.world.scenario.faults):
            if isinstance(fault, SiteDark) and fault.from_h * HOUR_S >= self.world.start_s:
                self.clock.at(fault.from_h * HOUR_S, order(Kind.FAULT, f), self._go_dark, fault)

    def _go_dark(self, event: Any) -> None:
        """Whatever the agents of a site have in hand is handed back; the roster sends them away."""
        for seat in self.floor.seats:
            if seat.spec.site in event.value.sites and seat.active:
                if seat.on:
                    self.floor.busy[seat.pool] -= 1
                for turn in list(seat.active):
                    self._hand_back(turn, seat)
                self._done(seat)
                self.floor.update(seat)

    def _comes(self, event: Any) -> None:
        self.come(*event.value)

    def come(self, seat: Seat, stretch: Stretch) -> None:
        """An agent sits down for a stretch."""
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

    def _stretch_ends(self, event: Any) -> None:
        seat, n = event.value
        until = self._stays_until(seat, n)
        if until is None:
            self.go(seat)
            return
        seat.off_s = until
        paid = PaidShift(seat.number, self.clock.now, min(until, self.world.until_s), True)
        self.paid.append(paid)
        self.clock.at(until, order(Kind.STAFF_OFF, seat.number), lambda _: self.go(seat), None)
        self.floor.settle_later(agents=(seat.number,))

    def _stays_until(self, seat: Seat, n: int) -> float | None:
        """When somebody goes who stays beyond his shift, None: he goes now (levers on `heads`)."""
        stretches, effects = self.world.roster.stretches[seat.number], self.floor.effects
        off = stretches[n].off_s
        if (seat.number, off) not in self.shift_ends:
            return None
        for i in effects.since:
            lever = effects.levers[i]
            if not isinstance(lever, HeadsLever) or (lever.pools and seat.spec.name not in lever.pools):
                continue
            until = off + lever.extend_h * HOUR_S
            free = free_until_s(stretches, n, self.dark[seat.pool]) > until
            u = draws.uniform(self.world.key, Stream.STAY, seat.number, n * 64 + i)
            if free and u < lever.effect[1]:
                return until
        return None

    def go(self, seat: Seat) -> None:
        """An agent gets up."""
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
        for queue in seat.private:
            for turn in sorted(queue.emptied(), key=Turn.place):
                self.floor.open(turn)
                self.floor.settle_later(everybody=True)

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
        case = turn.case
        if case is not None:
            case.turn = again
            case.work += now - turn.start
            if not turn.ghost:
                case.state = CaseState.WAITING
        self.floor.wait_for_settling(again)

    def _set_level(self, event: Any) -> None:
        p, heads = event.value
        self.level[p] = heads
        for seat in self.floor.members[p]:
            if self.floor.on[p] >= heads:
                break
            if not seat.on:  # one who is about to leave may be among them: he stays
                self._switch_on(seat, INF)
        surplus = self.floor.on[p] - heads
        if surplus > 0:
            idle = [s for s in self.floor.members[p] if s.on and not s.active]
            for seat in reversed(idle[-surplus:]):
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

    def _done(self, seat: Seat) -> None:
        """The agent has ended a turn: do too many heads work, is this the end of his shift?"""
        if seat.spec.head_count and seat.on and self.floor.on[seat.pool] > self.level[seat.pool]:
            self._switch_off(seat)
        if not seat.on and not seat.active:
            self._leave(seat)

    def close(self) -> None:
        """The run stops: whoever is still at the desk has been there until now."""
        for seat in self.floor.seats:
            if seat.present_from < INF:
                self._leave(seat)
