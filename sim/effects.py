"""Levers in force: what they change about a turn, a customer, a post, as the reference engine asks (rule 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from sim import draws
from sim.crisis import HOUR_S, MINUTE_S, Crisis
from sim.desk import Desk
from sim.draws import Stream
from sim.levers import AnyLever, ArrivalsLever, FilterLever, OverdueLever, ParkLever, PromiseLever, StrengthLever
from sim.precedence import OverdueRule

if TYPE_CHECKING:
    from sim.cases import Case

INF = float("inf")


class Reading(NamedTuple):
    """How cases are found among the posts at the moment."""

    mode: str
    recall: float
    false_positive: float
    delay_s: float


class Effects:
    """The levers that are on, in the order of the plan, with the time since when."""

    def __init__(self, crisis: Crisis | None, desk: Desk, key: object) -> None:
        self.crisis, self.desk, self.key = crisis, desk, key
        self.levers: tuple[AnyLever, ...] = crisis.plan.levers if crisis is not None else ()
        self.since: dict[int, float] = {}
        self.overdue: OverdueRule = desk.routing.overdue
        triage = desk.triage
        self.reading = Reading(triage.mode, triage.recall, triage.false_positive, triage.delay_s)

    def switch(self, i: int, since: float | None) -> None:
        """Lever `i` acts from now on, or no more (None)."""
        if since is None:
            del self.since[i]
        else:
            self.since = dict(sorted({**self.since, i: since}.items()))
        self.overdue, triage = self.desk.routing.overdue, self.desk.triage
        self.reading = Reading(triage.mode, triage.recall, triage.false_positive, triage.delay_s)
        for lever in (self.levers[j] for j in self.since):
            if isinstance(lever, OverdueLever):
                self.overdue = lever.overdue
            elif isinstance(lever, FilterLever):
                self.reading = Reading("automatic", lever.effect[1], lever.false_positive, lever.delay_s)

    def strength(self, i: int, now: float) -> float:
        """Effect of a lever that fades, at this moment."""
        lever = self.levers[i]
        assert isinstance(lever, ArrivalsLever | StrengthLever)
        half = INF if lever.half_life_h is None else lever.half_life_h * HOUR_S
        renew = INF if lever.renew_h is None else lever.renew_h * HOUR_S
        return float(draws.faded(lever.effect[1], now - self.since[i], half, renew))

    def changed(self, what: str, value: float, case: Case, now: float) -> float:
        """A number of a case as the levers that concern it make it."""
        for i in self.since:
            lever = self.levers[i]
            if isinstance(lever, StrengthLever) and lever.changes == what and self.concerns(i, case):
                strength = self.strength(i, now)
                value *= 1.0 - strength if lever.direction == "down" else 1.0 + strength
        return value

    def concerns(self, i: int, case: Case) -> bool:
        """Whether a lever concerns a case as it is now."""
        assert self.crisis is not None
        return self.crisis.who[i].fits(case.topic, case.cls, case.language, case.platform, case.visibility)

    def promise_s(self, case: Case) -> float:
        """Time within which the next turn of a case is to be answered: by the last lever that says so, or the desk."""
        cls = self.desk.classes[case.cls]
        for i in self.since:
            lever = self.levers[i]
            if isinstance(lever, PromiseLever):
                assert self.crisis is not None
                cls = lever.classes[case.promise[self.crisis.places[i]]]
        minutes = cls.promise_min
        if case.k > 0 and cls.next_min is not None:
            minutes = cls.next_min
        return minutes * MINUTE_S

    def parked_by(self, case: Case, k: int) -> int | None:
        """The lever that puts a case's turn aside, None: it may be answered."""
        for i in self.since:
            lever = self.levers[i]
            if isinstance(lever, ParkLever) and self.concerns(i, case):
                u = draws.uniform(self.key, Stream.PARK, case.subject, k * 64 + i)
                if u < lever.effect[1]:
                    return i
        return None
