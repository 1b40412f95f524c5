"""What a customer will do and how much work he is, by the same named draws as in the simulation.

Case 17 takes the same work in the same turns, thinks as long and loses patience at the same moment
here and there, so the two can be laid side by side.
"""

from __future__ import annotations

import numpy as np

from scenarios.behaviour import CrmFault, Onward, PaymentFault
from scenarios.laws import Law
from scenarios.model import Scenario
from scenarios.names import Topic
from sim import draws
from sim.draws import Stream

MINUTE_S, HOUR_S = 60.0, 3600.0


class Chances:
    """Draws of one replication of a scenario; `subject` is the number of the case.

    Parameters
    ----------
    scenario : Scenario
    seed, replication : int
        Of the trace.
    """

    def __init__(self, scenario: Scenario, seed: int, replication: int = 0) -> None:
        self.behaviour = scenario.behaviour
        self._slowing = [fault for fault in scenario.faults if isinstance(fault, CrmFault | PaymentFault)]
        self._key = draws.key(seed, replication)
        self._laws: dict[tuple[Law, float], draws.Laws] = {}
        self._edges = np.cumsum(self.behaviour.turns)[:-1].tolist()

    def u(self, stream: int, subject: int, k: int = 0) -> float:
        """The uniform in (0, 1) of a named draw."""
        return float(draws.uniform(self._key, stream, subject, k))

    def _draw(self, law: Law, unit_s: float, stream: int, subject: int, k: int = 0) -> float:
        laws = self._laws.get((law, unit_s))
        if laws is None:
            laws = self._laws[law, unit_s] = draws.encode([(law, unit_s)])
        return float(draws.draw(laws, 0, self._key, stream, subject, k))

    def warm(self) -> None:
        """Draw each thing once: the first time, its code has to be loaded."""
        self.patience_s(Topic.INFO, 0, 0)
        self.leaves_silently(0, 0)
        self.writes_again_s(0, 0)
        self.thinks_s(0, 1)
        self.turns_to(0, 0)
        self.extra_turn_s(0, 0)

    def turns_s(self, topic: Topic, subject: int) -> list[float]:
        """Work in each turn of a case at normal speed, in seconds."""
        u, n = self.u(Stream.TURNS, subject), 1
        while n <= len(self._edges) and u >= self._edges[n - 1]:
            n += 1
        work_s = self._draw(self.behaviour.handling(topic), MINUTE_S, Stream.HANDLING, subject)
        sd = self.behaviour.turn_sd_log
        parts = [float(draws.lognormal_share(self._key, Stream.SHARES, subject, j, sd)) for j in range(n)]
        return [work_s * part / sum(parts) for part in parts]

    def extra_turn_s(self, subject: int, k: int) -> float:
        """Work in a turn beyond the planned ones."""
        return self._draw(self.behaviour.extra_turn_min, MINUTE_S, Stream.EXTRA_TURN, subject, k)

    def slowed(self, topic: Topic, at_s: float) -> float:
        """How many times as long a turn takes that begins then, by the faults that are in force."""
        factor = 1.0
        for fault in self._slowing:
            concerned = isinstance(fault, CrmFault) or topic in fault.topics
            if concerned and fault.from_h * HOUR_S <= at_s < fault.to_h * HOUR_S:
                factor *= fault.factor
        return factor

    def patience_s(self, topic: Topic, subject: int, wait: int) -> float:
        """How long he waits this time; inf: without end."""
        law = self.behaviour.patience(topic)
        return np.inf if law is None else self._draw(law, HOUR_S, Stream.PATIENCE, subject, wait)

    def leaves_silently(self, subject: int, wait: int) -> bool:
        return self.u(Stream.SILENT, subject, wait) < self.behaviour.silent_share

    def writes_again_s(self, subject: int, j: int) -> float:
        """Seconds from when he may until he writes again while he waits, for the j-th time; inf: he does not."""
        recontact = self.behaviour.recontact
        if self.u(Stream.RECONTACT, subject, j) >= recontact.probability:
            return np.inf
        return self._draw(recontact.gap_min, MINUTE_S, Stream.RECONTACT_GAP, subject, j)

    def thinks_s(self, subject: int, k: int) -> float:
        """From an answer until he writes on: the other department's time after the first of some cases."""
        office = self.behaviour.back_office
        if k == 1 and self.u(Stream.BACK_OFFICE, subject) < office.share:
            return self._draw(office.delay_h, HOUR_S, Stream.BACK_OFFICE_DELAY, subject)
        return self._draw(self.behaviour.think_min, MINUTE_S, Stream.THINK, subject, k)

    def turns_to(self, subject: int, attempt: int) -> tuple[Onward, float] | None:
        """Where somebody who gave up turns next, and after how many seconds; None: nowhere."""
        u, total = self.u(Stream.ONWARD, subject, attempt), 0.0
        for row in self.behaviour.after_abandoned:
            total += row.probability
            if u < total:
                return row, self._draw(row.delay_min, MINUTE_S, Stream.ONWARD_DELAY, subject, attempt)
        return None

    def pays(self, topic: Topic, subject: int) -> bool:
        """Whether the last turn ends in a payment link."""
        paying = topic in (Topic.PAYMENT, Topic.REBOOKING)
        return paying and self.u(Stream.PAYMENT, subject) < self.behaviour.payment_share
