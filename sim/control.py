"""The crisis plan at work in the reference engine: triggers, declaration, levers, ladder (rule 8).

Everything is decided at the ends of control intervals and acts later: a lever after its lead time, a head
who is called in after a lead time of his own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sim.attendance import Attendance
from sim.breakdowns import Breakdowns
from sim.clock import Clock, Kind, order
from sim.crisis import HOUR_S, Crisis, lead_s
from sim.customers import Customers
from sim.floor import Floor
from sim.ladder import Ladder
from sim.levers import ArrivalsLever, OverdueLever, OverflowLever, ParkLever, Trigger
from sim.outcome import PlanStep
from sim.thinning import Thinning
from sim.world import World

CALM, DECIDED, DECLARED = range(3)


@dataclass
class Item:
    """A lever or a rung: whether its own triggers hold, whether it is wanted, how often it was switched."""

    when: tuple[Trigger, ...]
    after_s: float
    holds: bool = False
    wanted: bool = False
    on: bool = False
    version: int = 0
    messages: int = 0


class Control:
    """Looks at the signals at the end of every control interval, and does what the plan says."""

    def __init__(
        self,
        crisis: Crisis,
        world: World,
        clock: Clock,
        floor: Floor,
        customers: Customers,
        breakdowns: Breakdowns,
        attendance: Attendance,
        thinning: Thinning,
    ) -> None:
        self.crisis, self.plan, self.world, self.clock, self.floor = crisis, crisis.plan, world, clock, floor
        self.customers, self.breakdowns, self.thinning = customers, breakdowns, thinning
        self.signals, self.effects = floor.signals, customers.effects
        self.ladder = Ladder(crisis, world, clock, attendance)
        self.rows: list[tuple[float, int, int, int]] = []  # time, step, lever or rung, heads
        self.state, self.since = CALM, 0.0
        self.entered = [False] * len(self.plan.triggers)
        self.levers = [Item(lever.when, lever.after_h * HOUR_S) for lever in self.plan.levers]
        self.rungs = [Item(rung.when, rung.after_h * HOUR_S) for rung in self.plan.ladder]
        self.interval = 0
        self._arm()

    def _arm(self) -> None:
        self.interval += 1
        at = self.world.start_s + self.interval * self.crisis.interval_s
        if at < self.world.until_s:
            self.clock.at(at, order(Kind.CONTROL, 0), self._look, None)

    def _note(self, step: PlanStep, number: int = -1, heads: int = 0) -> None:
        self.rows.append((self.clock.now, int(step), number, heads))

    def _look(self, _: Any) -> None:
        """The end of a control interval."""
        now = self.clock.now
        values = [self.signals.value(trigger, now) for trigger in self.plan.triggers]
        pairs = list(zip(self.plan.triggers, values, strict=True))
        if self.state == CALM and any(value >= trigger.enter for trigger, value in pairs):
            self.state, self.since = DECIDED, now
            self._note(PlanStep.DECIDED)
        if self.state == DECIDED and now >= self.since + self.plan.declaration_min * 60.0:
            self.state, self.since = DECLARED, now
            self._note(PlanStep.DECLARED)
        elif self.state == DECLARED and all(value <= trigger.leave for trigger, value in pairs):
            self.state = CALM
            self._note(PlanStep.LEFT)
        for i, item in enumerate(self.levers):
            self._lever(i, item, self._is_wanted(item, now))
        for r, item in enumerate(self.rungs):
            self._rung(r, item, self._is_wanted(item, now))
        self.signals.interval_ends()
        self._arm()

    def _is_wanted(self, item: Item, now: float) -> bool:
        if self.state != DECLARED:
            item.holds = False
            return False
        values = [(trigger, self.signals.value(trigger, now)) for trigger in item.when]
        if item.holds:
            item.holds = all(value > trigger.leave for trigger, value in values)
        else:
            item.holds = all(value >= trigger.enter for trigger, value in values)
        return item.holds and now >= self.since + item.after_s

    # ---- levers ---------------------------------------------------------------------------------

    def _lever(self, i: int, item: Item, wanted: bool) -> None:
        if wanted == item.wanted:
            return
        item.wanted = wanted
        item.version += 1
        if wanted:
            at = self.clock.now + lead_s(self.plan.levers[i].lead_min, self.crisis.interval_s)
            self.clock.at(at, order(Kind.CONTROL, 1 + i, 0), self._acts, (i, item.version))
        elif item.on:
            item.on = False
            self._switch(i, None)

    def _acts(self, event: Any) -> None:
        i, version = event.value
        item = self.levers[i]
        if item.version == version:
            item.on = True
            self._switch(i, self.clock.now)

    def _switch(self, i: int, since: float | None) -> None:
        lever = self.plan.levers[i]
        self.effects.switch(i, since)
        self._note(PlanStep.LEVER_OFF if since is None else PlanStep.LEVER_ON, i)
        if isinstance(lever, OverdueLever):
            self.floor.rules_change()
        elif isinstance(lever, OverflowLever) and since is not None:
            self.floor.rule_opens(self.crisis.rules[i])
        elif isinstance(lever, ParkLever):
            if since is None:
                self.breakdowns.release(self.customers.put_aside.pop(i, []))
        elif isinstance(lever, ArrivalsLever) and lever.wrong is not None and since is not None:
            self._message(i)

    def _message(self, i: int) -> None:
        """A message goes out: now, and again at each renewal."""
        item, lever = self.levers[i], self.plan.levers[i]
        assert isinstance(lever, ArrivalsLever)
        if self.thinning.message_was_wrong(i, item.messages):
            self._note(PlanStep.WRONG, i)
        item.messages += 1
        if lever.renew_h is not None:
            at = self.clock.now + lever.renew_h * HOUR_S
            self.clock.at(at, order(Kind.CONTROL, 1 + i, 1), self._renews, (i, item.version))

    def _renews(self, event: Any) -> None:
        i, version = event.value
        if self.levers[i].version == version:
            self._message(i)

    # ---- ladder ---------------------------------------------------------------------------------

    def _rung(self, r: int, item: Item, wanted: bool) -> None:
        if wanted == item.wanted:
            return
        item.wanted = wanted
        if wanted:
            self._note(PlanStep.CALLED, r, self.ladder.call(r))
        else:
            self.ladder.stand_down(r)
            self._note(PlanStep.STOOD_DOWN, r)
