"""How long a turn takes: fixed when it starts (rule 6)."""

from __future__ import annotations

from scenarios.behaviour import CrmFault, PaymentFault
from scenarios.names import code
from sim.effects import Effects
from sim.outcome import TurnKind
from sim.turns import Seat, Turn
from sim.world import HOUR_S, World


class Work:
    """Handling times of one run, and the faults and levers that change them."""

    def __init__(self, world: World, effects: Effects) -> None:
        self.effects = effects
        plan = world.given.plan
        self.ramp_up_s = (
            {
                agent: rung.ramp_up_h * HOUR_S
                for rung, agents in zip(plan.ladder, world.crisis.seats, strict=True)
                for agent in agents
                if rung.ramp_up_h > 0
            }
            if plan is not None and world.crisis is not None
            else {}
        )
        self.fatigue = world.desk.fatigue
        self.silent_cost = world.scenario.behaviour.silent_cost
        self.crm: list[CrmFault] = []  # in force, in the order of the scenario
        self.payment: list[PaymentFault] = []

    def seconds(self, turn: Turn, seat: Seat, factor: float, now: float) -> float:
        """Time that this agent needs; `factor` is that of the queue. What was handed back keeps what is left."""
        if turn.remaining:
            return turn.base_s
        spec = seat.spec
        time = turn.base_s * factor * self._tired(seat, now)
        if seat.number in self.ramp_up_s:
            time *= 2.0 - min((now - seat.first_on) / self.ramp_up_s[seat.number], 1.0)
        time *= spec.concurrency[min(len(seat.active), len(spec.concurrency) - 1)]
        if turn.kind is TurnKind.ANSWER:
            for crm in self.crm:
                time *= crm.factor
            for payment in self.payment:
                if concerns(payment, turn.topic):
                    time *= payment.factor
            if turn.case is not None:
                time = self.effects.changed("handling", time, turn.case, now)
            time *= 1.0 + turn.extra
            if turn.ghost:
                time *= self.silent_cost
        return time

    def _tired(self, seat: Seat, now: float) -> float:
        rule = self.fatigue
        if seat.stretch is None or (rule.per_h == 0 and rule.beyond_8h_per_h == 0):
            return 1.0
        hours = (seat.stretch.worked_s + now - seat.stretch.on_s) / HOUR_S
        return 1.0 + rule.per_h * min(hours, 8.0) + rule.beyond_8h_per_h * max(hours - 8.0, 0.0)


def concerns(fault: PaymentFault, topic: int) -> bool:
    """Whether turns on this topic meet the fault."""
    return topic in [code(each) for each in fault.topics]
