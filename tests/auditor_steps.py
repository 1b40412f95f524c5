"""The auditor's view of what the plan decides: signals read off the rows, and the steps that they allow."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from auditor_plan import INF, Diary, FloatArray, Mask
from auditor_posts import SWITCHED, Posts

from scenarios.names import NONE, Language, code
from sim.crisis import HOUR_S, MINUTE_S, lead_s
from sim.levers import ArrivalsLever, Trigger
from sim.outcome import Outcome, PlanStep, TurnKind, TurnState
from sim.plan import Plan

CALM, DECIDED, DECLARED = range(3)


class Value(NamedTuple):
    """(looks,) what a signal is at least and at most: rows do not tell what of an instant comes before a look."""

    low: FloatArray
    high: FloatArray


class Held(NamedTuple):
    """What may be true of a lever or rung: whether its triggers hold, since when it is wanted, whether it is on."""

    holds: bool
    wanted: float
    on: bool


class Steps:
    """Checks of the plan's table against what the desk could see."""

    def __init__(self, outcome: Outcome, diary: Diary, posts: Posts) -> None:
        self.outcome, self.diary, self.posts = outcome, diary, posts
        self.end_s = diary.end_s
        start_s = float(outcome.about["window_s"][0])
        plan = diary.plan if diary.plan is not None else Plan(name="none")
        self.plan, self.interval_s = plan, plan.interval_min * MINUTE_S
        n = int((self.end_s - start_s) / self.interval_s) + 2
        looks: FloatArray = start_s + np.arange(1, n).astype(np.float64) * self.interval_s
        self.looks: FloatArray = looks[looks < self.end_s] if diary.plan is not None else looks[:0]
        hour = round(HOUR_S / self.interval_s)
        self.hour_ago: FloatArray = np.concatenate([np.full(hour, -INF), self.looks])[: self.looks.size]
        self.declared = list(diary.stretches(NONE, PlanStep.DECLARED, PlanStep.LEFT))
        self.known_values: dict[tuple[str, Language | None], Value] = {}

    # ---- signals ------------------------------------------------------------------------------------------

    def _value(self, trigger: Trigger) -> Value:
        name = trigger.signal, trigger.language
        if name not in self.known_values:
            self.known_values[name] = self._worked_out(*name)
        return self.known_values[name]

    def _worked_out(self, signal: str, language: Language | None) -> Value:
        match signal:
            case "backlog":
                return self._waiting((TurnKind.ANSWER,), language)
            case "unread":
                return self._waiting((TurnKind.READING, TurnKind.DISMISS), language)
            case "oldest_wait_min":
                return self._oldest(language)
        posts = self._posts(language)
        if signal == "posts_per_h":
            return posts
        cases = self._cases(language)
        return Value(posts.low / np.maximum(cases.high, 1), posts.high / np.maximum(cases.low, 1))

    def _stretches(self, kinds: tuple[TurnKind, ...], language: Language | None) -> tuple[FloatArray, FloatArray]:
        """From when until when turns wait; what waits for no time may yet do so while somebody looks."""
        t = self.outcome.turns
        mine = np.isin(t["kind"], kinds)
        if language is not None:
            mine &= t["language"] == code(language)
        queued, start, end = (t[name][mine] for name in ("queued_s", "start_s", "end_s"))
        until = np.where(np.isfinite(start), start, np.where(t["state"][mine] == TurnState.WAITING, INF, end))
        return queued, until

    def _waiting(self, kinds: tuple[TurnKind, ...], language: Language | None) -> Value:
        queued, until = self._stretches(kinds, language)
        came, went = np.sort(queued), np.sort(until)
        at = np.searchsorted(came, self.looks, "right") - np.searchsorted(went, self.looks, "left")
        long = until > queued
        came, went = np.sort(queued[long]), np.sort(until[long])
        through = np.searchsorted(came, self.looks, "left") - np.searchsorted(went, self.looks, "right")
        return Value(through.astype(np.float64), at.astype(np.float64))

    def _oldest(self, language: Language | None) -> Value:
        """Minutes; 0 where nobody waits."""
        queued, until = self._stretches((TurnKind.ANSWER,), language)
        order = np.argsort(queued, kind="stable")
        queued, until = queued[order], until[order]
        low, high = np.zeros(self.looks.size), np.zeros(self.looks.size)
        for n, look in enumerate(self.looks.tolist()):
            came = int(np.searchsorted(queued, look, "right"))
            for out, waits in ((low, until[:came] > look), (high, until[:came] >= look)):
                if waits.any():
                    out[n] = (look - queued[int(np.argmax(waits))]) / MINUTE_S
        return Value(low, high)

    def _posts(self, language: Language | None) -> Value:
        """Posts seen in the last hour; of a case that has moved it is open where its posts were written."""
        p, e = self.posts, self.outcome.extra
        mine: Mask = p.comes if language is None else p.comes & (p.trace["language"] == code(language))
        own = self._since(p.seen_s[mine & ~p.early]) + self._since(p.seen_s[mine & p.early], early=True)
        late, case = e["time_s"], e["case"]
        spoken = np.ones(late.size, dtype=bool) if language is None else p.cases["language"][case] == code(language)
        moved = np.isin(case, case[e["kind"] == SWITCHED])
        watched = np.isin(p.cases["platform"][case], p.watched)
        surely = own + self._since(late[spoken & watched & ~moved])
        return Value(surely, surely + self._since(late[spoken & moved]))

    def _cases(self, language: Language | None) -> Value:
        """Cases that became known in the last hour."""
        cases = self.outcome.cases
        mine = np.isfinite(cases["seen_s"])
        if language is not None:
            mine &= cases["language"] == code(language)
        seen = cases["seen_s"][mine]
        one, other = self._since(seen), self._since(seen, early=True)
        at_look = [np.count_nonzero(seen[:, None] == edge[None, :], axis=0) for edge in (self.looks, self.hour_ago)]
        middle = (one + other) / 2.0
        slack = sum(at_look) / 2.0
        return Value(middle - slack, middle + slack)

    def _since(self, times: FloatArray, early: bool = False) -> FloatArray:
        """How many lie in the hour before each look; `early` ones come before a look of their instant."""
        ordered, side = np.sort(times), "right" if early else "left"
        at, before = (np.searchsorted(ordered, edge, side) for edge in (self.looks, self.hour_ago))  # type: ignore[call-overload]
        out: FloatArray = (at - before).astype(np.float64)
        return out

    # ---- steps --------------------------------------------------------------------------------------------

    def the_crisis_is_declared_by_its_signals(self) -> Iterator[str]:
        """Decided when a trigger is entered, declared after the delay, left when all triggers are left."""
        if any(a.at > b.at for a, b in pairwise(self.diary.steps)):
            yield "steps are not in order of time"
        left = Counter((s.at, s.step) for s in self.diary.steps if s.number == NONE)
        values = [(trigger, self._value(trigger)) for trigger in self.plan.triggers]
        state, since = CALM, 0.0

        def happens(look: float, step: PlanStep, must: bool, may: bool) -> Iterator[str]:
            yes = left[look, step] > 0
            left[look, step] -= yes
            if yes and not may:
                yield f"{step.name} at {look}: no signal says so"
            elif must and not yes:
                yield f"not {step.name} at {look}, as the signals say"

        for n, look in enumerate(self.looks.tolist()):
            before = state
            if state == CALM:
                state, since = (DECIDED, look) if left[look, PlanStep.DECIDED] else (state, since)
                must, may = (any(v[end][n] >= x.enter for x, v in values) for end in (0, 1))
                yield from happens(look, PlanStep.DECIDED, must, may)
            if state == DECIDED and look >= since + self.plan.declaration_min * MINUTE_S:
                state = DECLARED
                yield from happens(look, PlanStep.DECLARED, True, True)
            elif before == DECLARED:
                state = CALM if left[look, PlanStep.LEFT] else state
                must, may = (all(v[end][n] <= x.leave for x, v in values) for end in (1, 0))
                yield from happens(look, PlanStep.LEFT, must, may)
        for at, step in +left:
            yield f"{PlanStep(step).name} at {at}, when that is not decided"

    def levers_and_rungs_follow_the_plan(self) -> Iterator[str]:
        """Each is wanted while the crisis is declared, its time has come and its triggers hold; then it acts.

        A lever acts after its lead, a rung is asked at once; both stop at once. What rows leave open is followed
        in all ways that they allow.
        """
        for i, lever in enumerate(self.plan.levers):
            lead = lead_s(lever.lead_min, self.interval_s)
            given = self._switches(i, PlanStep.LEVER_ON, PlanStep.LEVER_OFF)
            yield from self._follow(f"lever {i}", lever.when, lever.after_h * HOUR_S, lead, given)
        for r, rung in enumerate(self.plan.ladder):
            given = self._switches(r, PlanStep.CALLED, PlanStep.STOOD_DOWN)
            yield from self._follow(f"rung {r}", rung.when, rung.after_h * HOUR_S, 0.0, given)

    def _switches(self, number: int, on: PlanStep, off: PlanStep) -> dict[float, bool]:
        return {s.at: s.step == on for s in self.diary.steps if s.number == number and s.step in (on, off)}

    def _follow(
        self, what: str, when: tuple[Trigger, ...], after_s: float, lead: float, given: dict[float, bool]
    ) -> Iterator[str]:
        values = [(trigger, self._value(trigger)) for trigger in when]
        states, before = {Held(False, INF, False)}, -INF
        for n, look in enumerate([*self.looks.tolist(), INF]):
            between = {at: on for at, on in given.items() if before < at < look}
            states = {
                state._replace(on=state.on or bool(between))
                for state in states
                if between == _due(state, lead, min(look, self.end_s))
            }
            if look < INF:
                declared = max((a for a, b in self.declared if a <= look < b), default=INF)
                states = {
                    new
                    for state in states
                    for holds in (_holds(state.holds, values, n) if declared < INF else (False,))
                    for new, step in [_looked(state, holds, holds and look >= declared + after_s, look, lead)]
                    if step == given.get(look)
                }
            if not states:
                yield f"{what} is not switched as the plan says, at {look} or before it, after {before}"
                return
            before = look

    def messages_go_out(self) -> Iterator[str]:
        """A message may be wrong when a lever is switched on and when it is renewed, and at no other time."""
        for i, lever in enumerate(self.plan.levers):
            given = [s.at for s in self.diary.steps if s.step == PlanStep.WRONG and s.number == i]
            chance = lever.wrong.probability if isinstance(lever, ArrivalsLever) and lever.wrong is not None else 0.0
            sent: list[float] = []
            for begin, end in self.diary.on[i]:
                at, again = begin, getattr(lever, "renew_h", None)
                while at < min(end, self.end_s):
                    sent.append(at)
                    at = at + again * HOUR_S if again is not None else INF
            if not set(given) <= set(sent) or (given and chance == 0.0) or (chance == 1.0 and given != sent):
                yield f"messages of lever {i} are wrong at {given}; they went out at {sent}"


def _holds(held: bool, values: list[tuple[Trigger, Value]], n: int) -> set[bool]:
    """Whether the triggers hold at a look: both, where rows leave it open."""
    if held:
        sure = all(v.low[n] > trigger.leave for trigger, v in values)
        maybe = all(v.high[n] > trigger.leave for trigger, v in values)
    else:
        sure = all(v.low[n] >= trigger.enter for trigger, v in values)
        maybe = all(v.high[n] >= trigger.enter for trigger, v in values)
    return {sure, maybe}


def _due(state: Held, lead: float, until: float) -> dict[float, bool]:
    """The switching on that comes before a look, if any."""
    at = state.wanted + lead
    return {at: True} if not state.on and at < until else {}


def _looked(state: Held, holds: bool, wanted: bool, look: float, lead: float) -> tuple[Held, bool | None]:
    """What follows a look, and what is switched by it: on, off, or nothing (None)."""
    if not wanted:
        return Held(holds, INF, False), False if state.on else None
    since = min(state.wanted, look)
    on = state.on or since + lead == look
    return Held(holds, since, on), True if on and not state.on else None
