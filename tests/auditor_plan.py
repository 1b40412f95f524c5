"""What the rows say of the crisis plan: which lever was on when, and what held while it was."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim import policies
from sim.crisis import expand
from sim.desk import Desk
from sim.levers import AnyLever, Contacts, FilterLever, OverdueLever, OverflowLever
from sim.outcome import Outcome, PlanStep
from sim.precedence import OverdueRule

INF = float("inf")
MODES = ("people", "automatic", "none")
FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
Mask = NDArray[np.bool_]
Span = tuple[float, float]


class Step(NamedTuple):
    """A row of the plan's table."""

    at: float
    step: int
    number: int
    heads: int


class Reading(NamedTuple):
    """How cases are found among posts: (n,) columns, `mode` by its place in `MODES`."""

    mode: IntArray
    recall: FloatArray
    false_positive: FloatArray
    delay_s: FloatArray


class Diary:
    """The steps of the plan as stretches of time.

    A lever is switched in the middle of an instant: after turns that end, faults and shifts (`early`), before
    whatever opens, patience, customers and posts. `desk` has the ladder's seats and the levers' overflow rules
    behind its own; `own_pools` and `own_rules` say how many of each the file itself has.
    """

    def __init__(self, outcome: Outcome, trace: Trace, given: Desk) -> None:
        self.desk, self.plan, self.end_s = expand(given), given.plan, float(outcome.about["end_s"])
        self.own_pools, self.own_rules = len(given.pools), len(given.routing.overflow)
        columns = (outcome.plan[name].tolist() for name in ("time_s", "step", "number", "heads"))
        self.steps = [Step(*row) for row in zip(*columns, strict=True)]
        self.levers: tuple[AnyLever, ...] = self.plan.levers if self.plan is not None else ()
        self.on = [list(self.stretches(i, PlanStep.LEVER_ON, PlanStep.LEVER_OFF)) for i in range(len(self.levers))]
        opening = [i for i, lever in enumerate(self.levers) if isinstance(lever, OverflowLever)]
        self.opens: dict[int, int] = dict(enumerate(opening, start=self.own_rules))
        """Lever of each overflow rule that is one's."""
        self.cls = classes_of(given, trace)
        self._overdue = self._overdue_rules()

    def stretches(self, number: int, begins: PlanStep, ends: PlanStep) -> Iterator[Span]:
        """From each step of one kind until the next of another, inf: it did not come."""
        since: float | None = None
        for at, step, which, _ in self.steps:
            if which == number and step == begins:
                since = at
            elif which == number and step == ends and since is not None:
                yield since, at
                since = None
        if since is not None:
            yield since, INF

    def is_on(self, lever: int, at: Any, early: Any = False) -> Mask:
        """Whether a lever is on at these times; see the class for `early`."""
        out: Mask = np.zeros(np.shape(at), dtype=bool)
        for a, b in self.on[lever]:
            out |= np.where(early, (a < at) & (at <= b), (a <= at) & (at < b))
        return out

    def concerns(self, lever: int, columns: dict[str, NDArray[Any]]) -> Mask:
        """Whom a lever concerns, of contacts with topic, cls, language, platform, visibility; `NONE`: no class."""
        contacts: Contacts = getattr(self.levers[lever], "contacts", Contacts())
        fits: Mask = np.ones(columns["topic"].size, dtype=bool)
        for name, chosen in (
            ("topic", contacts.topics),
            ("language", contacts.languages),
            ("platform", contacts.platforms),
            ("visibility", () if contacts.visibility is None else (contacts.visibility,)),
        ):
            if chosen:
                fits &= np.isin(columns[name], [code(each) for each in chosen])
        if contacts.classes:
            names = [cls.name for cls in self.desk.classes]
            fits &= np.isin(columns["cls"], [names.index(each) for each in contacts.classes])
        return fits

    def reading(self, at: FloatArray, early: Mask) -> Reading:
        """How cases are found at these times: as the desk does, or by the last filter that is on."""
        triage, n = self.desk.triage, at.size
        out = Reading(
            np.full(n, MODES.index(triage.mode)),
            np.full(n, triage.recall),
            np.full(n, triage.false_positive),
            np.full(n, triage.delay_s),
        )
        for i, lever in enumerate(self.levers):
            if isinstance(lever, FilterLever):
                on = self.is_on(i, at, early)
                values = (MODES.index("automatic"), lever.effect[1], lever.false_positive, lever.delay_s)
                for column, value in zip(out, values, strict=True):
                    column[on] = value
        return out

    # ---- overdue turns ------------------------------------------------------------------------------------

    def _overdue_rules(self) -> tuple[list[float], list[OverdueRule]]:
        ruling = [(i, lever) for i, lever in enumerate(self.levers) if isinstance(lever, OverdueLever)]
        switched = sorted({t for i, _ in ruling for span in self.on[i] for t in span if t < INF})
        rules = []
        for at in (-INF, *switched):
            on = [lever.overdue for i, lever in ruling if self.is_on(i, at)]
            rules.append(on[-1] if on else self.desk.routing.overdue)
        return switched, rules

    @property
    def overdue(self) -> list[tuple[Span, OverdueRule]]:
        """What becomes of overdue turns, stretch by stretch."""
        switched, rules = self._overdue
        edges = [-INF, *switched, INF]
        return [((a, b), rule) for a, b, rule in zip(edges, edges[1:], rules, strict=False)]

    def overdue_at(self, at: float) -> OverdueRule | None:
        """The rule at a time; None at the instant of a switch, when rows do not tell which one held."""
        switched, rules = self._overdue
        return None if at in switched else rules[bisect(switched, at)]


def classes_of(desk: Desk, trace: Trace) -> IntArray:
    """(rows,) class of the case that a post opens or a call may become; `NONE`: neither."""
    return np.where(_asks(trace), policies.classify(desk.classes, dict(trace.columns)), NONE)


def _asks(trace: Trace) -> Mask:
    out: Mask = np.isin(trace["kind"], [code(PostKind.CASE), code(PostKind.CALL)])
    return out
