"""Faults as events of the reference engine: what breaks, and what is released when it is mended."""

from __future__ import annotations

from typing import Any

from scenarios.behaviour import CrmFault, HeldFault, NoAnswer, PaymentFault, RuleChange
from sim.clock import Clock, Kind, order
from sim.customers import REOPENS, Customers
from sim.draws import Stream
from sim.floor import Floor
from sim.outcome import CaseState
from sim.triage import Triage
from sim.turns import Turn
from sim.world import HOUR_S, World


class Breakdowns:
    """Starts and ends the scenario's faults; those of the staff are in the roster already."""

    def __init__(self, world: World, clock: Clock, floor: Floor, customers: Customers, triage: Triage) -> None:
        self.world, self.clock, self.floor = world, clock, floor
        self.customers, self.triage = customers, triage
        self.active: set[int] = set()
        self._schedule()

    def _schedule(self) -> None:
        w = self.world
        for f, fault in enumerate(w.scenario.faults):
            if isinstance(fault, RuleChange):
                if fault.at_h * HOUR_S >= w.start_s:
                    self.clock.at(fault.at_h * HOUR_S, order(Kind.FAULT, f), self._rules_change, (f, fault))
            elif isinstance(fault, CrmFault | HeldFault | PaymentFault | NoAnswer):
                begin = max(fault.from_h * HOUR_S, w.start_s)
                if fault.to_h * HOUR_S > begin:
                    self.clock.at(begin, order(Kind.FAULT, f), self._fault_starts, f)
                    self.clock.at(fault.to_h * HOUR_S, order(Kind.FAULT, f), self._fault_ends, f)

    def _fault_starts(self, event: Any) -> None:
        fault = self.world.scenario.faults[event.value]
        self.active.add(event.value)
        if isinstance(fault, HeldFault):
            self.triage.held.append((fault, []))
        elif isinstance(fault, NoAnswer):
            self.customers.no_answer.append((fault, []))
        else:
            self._stretch_work()

    def _stretch_work(self) -> None:
        """Factors multiply in the order of the scenario, whenever the faults began."""
        faults = [self.world.scenario.faults[f] for f in sorted(self.active)]
        self.floor.work.crm = [fault for fault in faults if isinstance(fault, CrmFault)]
        self.floor.work.payment = [fault for fault in faults if isinstance(fault, PaymentFault)]

    def _fault_ends(self, event: Any) -> None:
        fault = self.world.scenario.faults[event.value]
        self.active.remove(event.value)
        if isinstance(fault, HeldFault):
            rows = next(rows for other, rows in self.triage.held if other is fault)
            self.triage.held = [pair for pair in self.triage.held if pair[0] is not fault]
            with self.floor.released():
                for row in sorted(rows):
                    self.triage.happens(row)
        elif isinstance(fault, NoAnswer):
            turns = next(turns for other, turns in self.customers.no_answer if other is fault)
            self.customers.no_answer = [pair for pair in self.customers.no_answer if pair[0] is not fault]
            self.release(turns)
        else:
            self._stretch_work()

    def release(self, turns: list[Turn]) -> None:
        """Turns that were parked are queued at this instant, by key, unless something else parks them."""
        with self.floor.released():
            for turn in sorted(turns, key=Turn.place):
                case = turn.case
                if case is not None and case.turn is turn and case.parked and not self.customers.parks(turn, case):
                    turn.queued = self.clock.now
                    case.seen = min(case.seen, self.clock.now)
                    self.customers.queue(turn, case, None)

    def _rules_change(self, event: Any) -> None:
        f, fault = event.value
        now = self.clock.now
        for case in list(self.customers.cases):
            recent = case.state is CaseState.RESOLVED and case.closed >= now - fault.back_h * HOUR_S
            if recent and self.customers.u(Stream.RULE_CHANGE, case.subject, f) < fault.wrong_share:
                delay = self.customers.law(f"rule_change_{f}", Stream.RULE_CHANGE_DELAY, case.subject, f)
                self.customers.will(case, REOPENS, delay, lambda case: self.customers.reopen(case, self.clock.now))
