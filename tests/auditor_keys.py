"""The auditor's view of promises: what each turn is due by, as the desk says it or a lever meanwhile."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from auditor_plan import Diary, IntArray, classes_of
from auditor_posts import FROM_PHONE

from scenarios.behaviour import NoAnswer
from scenarios.model import Scenario
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim.crisis import HOUR_S, MINUTE_S
from sim.levers import ParkLever, PromiseLever
from sim.outcome import Outcome, TurnKind, TurnState
from sim.precedence import CaseClass


class Keys:
    """Checks of classes, due times and keys of one outcome."""

    def __init__(self, outcome: Outcome, trace: Trace, scenario: Scenario, diary: Diary) -> None:
        self.outcome, self.trace, self.scenario, self.diary = outcome, trace, scenario, diary
        self.cases, self.turns, self.extra = outcome.cases, outcome.turns, outcome.extra
        self.desk = diary.desk
        self.root = self._roots()
        self.cls = classes_of(self.desk, trace)[self.root]
        self.promising = [
            (i, lever.classes, classes_of(self.desk.model_copy(update={"classes": lever.classes}), trace)[self.root])
            for i, lever in enumerate(diary.levers)
            if isinstance(lever, PromiseLever)
        ]
        self.switched = {t for i, _, _ in self.promising for span in diary.on[i] for t in span}

    def _roots(self) -> IntArray:
        """(cases,) row of the trace by which each case has its class: its post, its call, or those of its origin."""
        rows, origin = self.cases["row"].tolist(), self.cases["origin"].tolist()
        called = set(self.extra["case"][self.extra["kind"] == FROM_PHONE].tolist())
        roots: list[int] = []
        for number, row in enumerate(rows):  # an origin has a smaller number
            if row != NONE:
                roots.append(row)
            else:
                roots.append(origin[number] if number in called else roots[origin[number]])
        return np.array(roots, dtype=np.int64)

    def classes_are_those_of_the_desk(self) -> Iterator[str]:
        """What is measured is the desk's promise, whatever levers are on."""
        if np.any(self.cases["cls"] != self.cls):
            yield "cls is not the first of the desk's classes that fits"
        promise_s = np.array([cls.promise_min * MINUTE_S for cls in self.desk.classes])
        if np.any(self.cases["due_s"] != self.cases["posted_s"] + promise_s[self.cases["cls"]]):
            yield "due_s is not the time of the post and the promise of the class"

    def keys_are_promises(self) -> Iterator[str]:
        """A turn is due by the promise that held when it was asked for, from a time at which its customer wrote.

        At the instant of a switch both may have held. A turn that was put aside was asked for earlier: it is
        judged only if it is the first one, and by all promises that held until then.
        """
        t = self.turns
        wrote = self._wrote()
        released = self._releases()
        handed: set[tuple[int, float]] = set()
        begun: set[int] = set()
        columns = [t[name].tolist() for name in ("case", "k", "kind", "queued_s", "key_s", "end_s", "state")]
        for case, k, kind, queued, key, end, state in zip(*columns, strict=True):
            if kind != TurnKind.ANSWER:
                continue
            goes_on = (case, queued) in handed
            if state == TurnState.HANDED_BACK:
                handed.add((case, end))
            first = case not in begun
            begun.add(case)
            aside = queued in released
            if goes_on or (aside and not first):
                continue
            since = {float(self.cases["posted_s"][case])}
            since |= set() if first else {queued, *wrote.get(case, ())}
            promises = self._promises(case, k, since if aside else {queued}, queued)
            if key not in {at + promise for at in since for promise in promises}:
                yield f"turn {k} of case {case}, queued at {queued}, is due at {key}: no promise says so"

    def _promises(self, case: int, k: int, asked: set[float], until: float) -> set[float]:
        """Seconds that may have been promised, asked for then, or at any time from then on."""
        out: set[float] = set()
        times = asked | {t for t in self.switched if min(asked) <= t <= until}
        for at, early in ((at, early) for at in times for early in (False, True)):
            classes: tuple[CaseClass, ...] = self.desk.classes
            number = int(self.cls[case])
            for i, others, which in self.promising:
                if self.diary.is_on(i, at, early):
                    classes, number = others, int(which[case])
            later = classes[number].next_min if k > 0 else None
            out.add((classes[number].promise_min if later is None else later) * MINUTE_S)
        return out

    def _wrote(self) -> dict[int, set[float]]:
        """When the customer of each case wrote again."""
        out: dict[int, set[float]] = {}
        follows = np.flatnonzero(self.trace["kind"] == code(PostKind.FOLLOW_UP))
        pairs: list[tuple[Any, Any]] = [
            (self.trace["case"][follows], self.trace["time_s"][follows]),
            (self.extra["case"], self.extra["time_s"]),
        ]
        for cases, times in pairs:
            for case, at in zip(cases.tolist(), times.tolist(), strict=True):
                out.setdefault(case, set()).add(at)
        return out

    def _releases(self) -> set[float]:
        """Instants at which turns that were put aside are queued."""
        faults = {f.to_h * HOUR_S for f in self.scenario.faults if isinstance(f, NoAnswer)}
        parking = [self.diary.on[i] for i, lever in enumerate(self.diary.levers) if isinstance(lever, ParkLever)]
        return faults | {end for spans in parking for _, end in spans}

    def posts_are_to_be_read_in_time(self) -> Iterator[str]:
        """A post is due to be read by the desk's promise for that, counted from when it was written."""
        t = self.turns
        mine = np.isin(t["kind"], (TurnKind.READING, TurnKind.DISMISS))
        promise_s = self.desk.triage.promise_min * MINUTE_S
        own = mine & (t["post"] != NONE)
        if np.any(t["key_s"][own] != self.trace["time_s"][t["post"][own]] + promise_s):
            yield "a post is not to be read by its promise"
        written = self.extra["time_s"] + promise_s
        if not np.isin(t["key_s"][mine & ~own], written).all():
            yield "an extra post is not to be read by its promise"
