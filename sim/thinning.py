"""Contacts that a crisis plan keeps from being made, and those of them who come after all (rule 8)."""

from __future__ import annotations

from scenarios.behaviour import Onward
from scenarios.names import NONE, PostKind, Sentiment, code
from sim.cases import Case
from sim.clock import Clock
from sim.crisis import HOUR_S, MINUTE_S, POSTS
from sim.customers import CAME_AFTER_ALL, REOPENS, RETURNS, Customers
from sim.draws import Stream
from sim.levers import ArrivalsLever
from sim.outcome import CaseState
from sim.world import World

CASE, FOLLOW_UP, CALL = code(PostKind.CASE), code(PostKind.FOLLOW_UP), code(PostKind.CALL)
WAVES = 4096  # a lever's messages are numbered below


class Thinning:
    """Rows of the trace that never happen because a lever on arrivals is in force."""

    def __init__(self, world: World, clock: Clock, customers: Customers) -> None:
        self.world, self.clock, self.customers = world, clock, customers
        self.effects = customers.effects
        self.rows: list[tuple[int, int]] = []  # row, lever
        t = world.trace
        names = ("kind", "case", "parent", "topic", "language", "platform", "visibility")
        self.kind, self.case, self.parent, *self.where = (t[name].tolist() for name in names)
        self.gone: dict[int, int] = {}  # row -> lever

    def suppresses(self, row: int) -> bool:
        """Whether a row is not made; asked once, when it is due."""
        follows = self.kind[row] == FOLLOW_UP
        lever = self.gone.get(self.parent[row]) if follows else self._lever(row)
        if lever is None:
            return False
        self.gone[row] = lever
        self.rows.append((row, lever))
        if self.kind[row] == CASE:
            self._keep_away(self.customers.cases[self.case[row]], lever)
        return True

    def _lever(self, row: int) -> int | None:
        """The first lever that keeps this row from being made: each has a uniform of its own for each row."""
        crisis = self.world.crisis
        if crisis is None:
            return None
        topic, language, platform, visibility = (column[row] for column in self.where)
        cls = self._cls(row)
        for i in self.effects.since:
            lever = self.effects.levers[i]
            if not isinstance(lever, ArrivalsLever) or self.kind[row] not in POSTS[lever.posts]:
                continue
            if crisis.who[i].fits(topic, cls, language, platform, visibility):
                u = self.customers.u(Stream.THIN, row, i)
                if u < self.effects.strength(i, self.clock.now):
                    return i
        return None

    def _cls(self, row: int) -> int:
        if self.kind[row] == CASE:
            return int(self.world.case_class[self.case[row]])
        return int(self.world.call_class[row]) if self.kind[row] == CALL else NONE

    def _keep_away(self, case: Case, lever: int) -> None:
        case.state, case.kept_by = CaseState.SUPPRESSED, lever
        found = self.customers.onward(f"lever_{lever}", case.subject, lever, Stream.COMES_BACK, Stream.COMES_BACK_DELAY)
        if found is not None and found[0].to != "phone":
            self._will_come(case, *found)

    def _will_come(self, case: Case, onward: Onward | None, delay: float) -> None:
        case.returning, case.onward = True, onward
        self.customers.will(case, RETURNS, delay, self._comes)

    def _comes(self, case: Case) -> None:
        """The post is written after all, now."""
        if case.onward is not None:
            if case.onward.to == "public":
                case.sentiment, case.escalated = code(Sentiment.NEGATIVE), True
            self.customers.moves(case, case.onward)
        case.version += 1
        case.posted = self.clock.now
        case.due = case.posted + self.world.desk.classes[case.cls].promise_min * MINUTE_S
        case.state, case.returning = CaseState.UNREAD, False
        self.customers.posts_again(case, CAME_AFTER_ALL, lambda: self.customers.open(case))

    def message_was_wrong(self, i: int, n: int) -> bool:
        """Whether the `n`-th message of lever `i` is wrong; if it is, a wave of people comes back."""
        lever = self.effects.levers[i]
        if not isinstance(lever, ArrivalsLever) or lever.wrong is None:
            return False
        if self.customers.u(Stream.WRONG, i, n) >= lever.wrong.probability:
            return False
        now, k = self.clock.now, i * WAVES + n
        for case in list(self.customers.cases):
            kept = case.state is CaseState.SUPPRESSED and case.kept_by == i
            resolved = case.state is CaseState.RESOLVED and case.closed >= now - lever.wrong.back_h * HOUR_S
            if not kept and not (resolved and self.effects.concerns(i, case)):
                continue
            if self.customers.u(Stream.WAVE, case.subject, k) < lever.wrong.wave:
                delay = self.customers.law(f"wave_{i}", Stream.WAVE_DELAY, case.subject, k)
                if kept:
                    self._will_come(case, None, delay)
                else:
                    self.customers.will(case, REOPENS, delay, lambda case: self.customers.reopen(case, self.clock.now))
        return True
