"""Who is called in, comes, works, rests and comes again: the ladder of a crisis plan (rule 8)."""

from __future__ import annotations

from typing import Any

from sim import draws
from sim.attendance import Attendance
from sim.clock import Clock, Kind, order
from sim.crisis import HOUR_S, MINUTE_S, Crisis, lead_s
from sim.draws import Stream
from sim.plan import Rung
from sim.roster import PaidShift, Stretch, without_breaks
from sim.turns import INF, Seat
from sim.world import World


class Ladder:
    """The rungs of a plan: each is asked as a whole, each head answers for himself."""

    def __init__(self, crisis: Crisis, world: World, clock: Clock, attendance: Attendance) -> None:
        self.crisis, self.world, self.clock, self.attendance = crisis, world, clock, attendance
        self.seats = attendance.floor.seats
        self.rung_of = {agent: r for r, agents in enumerate(crisis.seats) for agent in agents}
        self.calls = [0] * len(crisis.seats)  # how often each rung was asked
        self.until = [-INF] * len(crisis.seats)  # after this nobody of a rung begins
        self.free_from = dict.fromkeys(self.rung_of, -INF)  # rested
        self.coming: dict[int, int] = dict.fromkeys(self.rung_of, 0)  # version of what somebody is about to do
        self.here = dict.fromkeys(self.rung_of, False)

    def call(self, r: int) -> int:
        """Ask everybody of a rung; says how many accept."""
        rung, now = self.crisis.plan.ladder[r], self.clock.now
        k = self.calls[r]
        self.calls[r] += 1
        self.until[r] = INF if rung.for_h is None else now + rung.for_h * HOUR_S
        accepted = 0
        for agent in self.crisis.seats[r]:
            if draws.uniform(self.world.key, Stream.CALL_IN, agent, k) < rung.acceptance:
                accepted += 1
                if not self.here[agent]:
                    self._comes_at(agent, max(now + self._lead_s(r, agent, k), self.free_from[agent]))
        return accepted

    def _lead_s(self, r: int, agent: int, k: int) -> float:
        chance = self.world.chance
        law = chance.number[f"lead_{r}"]
        drawn = float(draws.draw(chance.laws, law, self.world.key, Stream.CALL_IN_LEAD, agent, k))
        return drawn or lead_s(0.0, self.crisis.interval_s)

    def stand_down(self, r: int) -> None:
        """Nobody of a rung begins any more; who is at the desk stays to the end of his time."""
        self.until[r] = -INF
        for agent in self.crisis.seats[r]:
            if not self.here[agent]:
                self.coming[agent] += 1

    def _comes_at(self, agent: int, at: float) -> None:
        self.coming[agent] += 1
        if at <= self.until[self.rung_of[agent]] and at < self.world.until_s:
            self.clock.at(at, order(Kind.STAFF_ON, agent, 1), self._comes, (agent, self.coming[agent]))

    def _comes(self, event: Any) -> None:
        agent, version = event.value
        if self.coming[agent] != version:
            return
        seat, now = self.seats[agent], self.clock.now
        r = self.rung_of[agent]
        rung = self.crisis.plan.ladder[r]
        self.here[agent] = True
        seat.first_on = min(seat.first_on, now)
        end = now + rung.max_h * HOUR_S
        self.attendance.paid.append(PaidShift(agent, now, min(end, self.world.until_s), True))
        stretches = self._stretches(rung, now, end)
        for place, stretch in enumerate(stretches):
            last = place == len(stretches) - 1
            if place == 0:
                self.attendance.come(seat, stretch)
            else:
                self.clock.at(stretch.on_s, order(Kind.STAFF_ON, agent), self._sits_down, (seat, stretch))
            self.clock.at(stretch.off_s, order(Kind.STAFF_OFF, agent), self._gets_up, (seat, last))

    @staticmethod
    def _stretches(rung: Rung, now: float, end: float) -> list[Stretch]:
        """The time at the desk, breaks cut out, in order."""
        pauses = sorted(rung.breaks, key=lambda pause: pause.after_h)
        begins = [now + pause.after_h * HOUR_S for pause in pauses]
        cuts = [(begin, begin + p.minutes * MINUTE_S) for begin, p in zip(begins, pauses, strict=True)]
        return without_breaks(now, end, cuts)

    def _sits_down(self, event: Any) -> None:
        self.attendance.come(*event.value)

    def _gets_up(self, event: Any) -> None:
        seat, last = event.value
        self.attendance.go(seat)
        if last:
            self._rests(seat)

    def _rests(self, seat: Seat) -> None:
        agent, now = seat.number, self.clock.now
        r = self.rung_of[agent]
        self.here[agent] = False
        self.free_from[agent] = now + self.crisis.plan.ladder[r].rest_h * HOUR_S
        self._comes_at(agent, self.free_from[agent])
