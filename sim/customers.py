"""The customers' side of the reference engine: conversations, patience, what follows it (rules 3, 6, 7).

Cases are numbered in the order of the trace; those made by the simulation follow in the order of
their making, but their draws are named by where they came from, so that no draw depends on order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from scenarios.behaviour import NoAnswer, Onward
from scenarios.names import NONE, Platform, Sentiment, Topic, Visibility, code
from sim import cases, draws
from sim.cases import Case, child_subject
from sim.clock import Clock, Kind, order
from sim.draws import Stream
from sim.floor import Floor
from sim.outcome import CaseState, TurnKind, TurnState
from sim.turns import EXTRA_FROM, INF, Seat, Turn
from sim.work import concerns
from sim.world import HOUR_S, MINUTE_S, World, private_share

RECONTACTED, ESCALATED, SWITCHED, FROM_PHONE, CAME_AFTER_ALL = range(5)  # kinds of extra posts
THINKS, REPEATS, REOPENS, RETURNS = range(4)  # kinds of a customer's actions, for the order of events

Read = Callable[[TurnKind, int, int, int, float, int, Callable[[], None] | None], None]


def _nobody_reads(*_: Any) -> None:
    raise RuntimeError("nobody triages: make a Triage first")


class Customers:
    """Everybody with a case: what they do while they wait, when they are answered, when they are not."""

    def __init__(self, world: World, clock: Clock, floor: Floor) -> None:
        self.world, self.clock, self.floor = world, clock, floor
        self.behaviour, self.chance, self.key = world.scenario.behaviour, world.chance, world.key
        self.effects = floor.effects
        self.paying = {code(Topic.PAYMENT), code(Topic.REBOOKING)}
        self.extra: list[tuple[float, int, int]] = []
        self.cases = cases.of_trace(world)
        watched = world.desk.platforms
        self.unwatched = {code(p) for p in Platform if watched and p not in watched}
        self.no_answer: list[tuple[NoAnswer, list[Turn]]] = []
        self.put_aside: dict[int, list[Turn]] = {}  # by the lever that did so
        self.read: Read = _nobody_reads
        floor.on_patience, floor.patience_s = self._patience_ends, self._patience_s
        floor.on_wait, floor.on_end = self._waits, self._turn_ends

    def u(self, stream: int, subject: int, k: int = 0) -> float:
        """The uniform of a named draw."""
        return float(draws.uniform(self.key, stream, subject, k))

    def law(self, name: int | str, stream: int, subject: int, k: int = 0) -> float:
        """The value of a law for a named draw, in seconds."""
        number = self.chance.number[name] if isinstance(name, str) else name
        return float(draws.draw(self.chance.laws, number, self.key, stream, subject, k))

    # ---- conversation ---------------------------------------------------------------------------

    def open(self, case: Case) -> None:
        """A case becomes known: its first turn is due from the time of the post."""
        case.seen = self.clock.now
        self.floor.signals.known(case.language)
        if case.planned == 0:
            self._plan(case)
        self._ask(case, case.posted)

    def _plan(self, case: Case) -> None:
        """How many turns the case will take and the work in each."""
        edges = self.world.turn_edges
        u = self.u(Stream.TURNS, case.subject)
        n = 1
        while n < len(edges) and u >= edges[n - 1]:
            n += 1
        work = self.law(self.chance.handling[case.topic], Stream.HANDLING, case.subject)
        sd = self.behaviour.turn_sd_log
        parts = [float(draws.lognormal_share(self.key, Stream.SHARES, case.subject, j, sd)) for j in range(n)]
        whole = 0.0
        for part in parts:
            whole += part
        case.planned, case.base = n, [work * part / whole for part in parts]

    def _ask(self, case: Case, arrival: float, goes_on: bool = False) -> None:
        """The case's next turn wants an agent, with the promise counted from `arrival`.

        A conversation that `goes_on` after an answer prefers its last agent and counts attempts anew.
        """
        if goes_on:
            case.attempts = 0
        key = arrival + self.effects.promise_s(case)
        turn = Turn(TurnKind.ANSWER, case.language, self.clock.now, arrival, key, case.number)
        turn.subject, turn.case, turn.k, turn.topic = case.subject, case, case.k, case.topic
        if case.k < len(case.base):
            turn.base_s = case.base[case.k]
        else:
            turn.base_s = self.law("extra_turn", Stream.EXTRA_TURN, case.subject, case.k)
        case.turn = turn
        case.version += 1
        if not self.parks(turn, case):
            self.queue(turn, case, case.last_seat if goes_on else None)

    def parks(self, turn: Turn, case: Case) -> bool:
        for fault, parked in self.no_answer:
            if case.topic in [code(t) for t in fault.topics]:
                parked.append(turn)
                case.state, case.parked = CaseState.PARKED, True
                return True
        lever = self.effects.parked_by(case, turn.k)
        if lever is not None:
            self.put_aside.setdefault(lever, []).append(turn)
            case.state, case.parked = CaseState.PARKED, True
        return lever is not None

    def queue(self, turn: Turn, case: Case, last: Seat | None) -> None:
        case.parked = False
        turn.wait_no = case.waits
        case.waits += 1
        case.state = CaseState.WAITING
        if self.floor.enqueue(turn, last) in (TurnState.BLOCKED, TurnState.BALKED):
            self._turned_away(case, "blocked")

    def message(self, case: Case, arrival: float, row: int) -> None:
        """The customer writes again: it joins the case, whatever state that is in (rule 3)."""
        if self._duplicates(row):
            self.open(self._split(case, arrival))
            return
        match case.state:
            case CaseState.WAITING | CaseState.PARKED:
                return  # merged, the key stays
            case CaseState.IN_HAND:
                case.pending = min(case.pending, arrival)
            case CaseState.WITH_CUSTOMER:
                if not case.back_office:
                    self._next(case, arrival)
            case CaseState.RESOLVED:
                if arrival - case.closed <= self.behaviour.reopening.within_days * 24 * HOUR_S:
                    self.reopen(case, arrival)
            case CaseState.GAVE_UP:
                self._ask(case, arrival)
            case CaseState.SILENT if case.turn is None:
                self._ask(case, arrival)  # what was answered met nobody, but here is the customer again
            case CaseState.SILENT if case.turn is not None and case.turn.state is TurnState.IN_HAND:
                case.pending = min(case.pending, arrival)
            case _:
                return  # a silent leaver's turn stands in the queue already

    def _duplicates(self, subject: int) -> bool:
        faults = self.floor.work.crm
        return any(fault.duplicates > 0 and self.u(Stream.DUPLICATE, subject) < fault.duplicates for fault in faults)

    def _next(self, case: Case, arrival: float) -> None:
        """The customer's next message: the next turn is wanted."""
        case.back_office = False
        with self.floor.turning(self.floor.let_go(case)):
            self._ask(case, arrival, goes_on=True)

    def _turn_ends(self, turn: Turn, seat: Seat) -> None:
        if turn.then is not None:
            turn.then()
        case = turn.case
        if case is None:
            return
        now = self.clock.now
        case.turns += 1
        case.work += turn.end - turn.start
        case.turn, case.last_seat = None, seat
        case.k += 1
        case.first_reply = min(case.first_reply, now)
        if not turn.ghost:
            self._payment(case, turn)
        if case.pending < INF:
            arrival, case.pending = case.pending, INF
            self._ask(case, arrival, goes_on=True)
        elif turn.ghost:
            case.state = CaseState.SILENT
        elif case.k < case.planned:
            self._wait_for_customer(case, seat)
        else:
            self._resolve(case)

    def _payment(self, case: Case, turn: Turn) -> None:
        """The last planned turn may ask for a payment by link; a failing provider costs a turn more."""
        for fault in self.floor.work.payment:
            if concerns(fault, case.topic) and self.u(Stream.PAYMENT, case.subject, 64 + turn.k) < fault.fails:
                case.planned = max(case.planned, case.k) + 1
                return
        asks = case.k == case.planned and case.topic in self.paying and case.pay == 0.0
        if asks and self.u(Stream.PAYMENT, case.subject) < self.behaviour.payment_share:
            case.pay = self.behaviour.payment_eur

    def _wait_for_customer(self, case: Case, seat: Seat) -> None:
        b = self.behaviour
        case.state = CaseState.WITH_CUSTOMER
        case.version += 1
        if case.k == 1 and self.u(Stream.BACK_OFFICE, case.subject) < b.back_office.share:
            case.back_office = True
            delay = self.law("back_office", Stream.BACK_OFFICE_DELAY, case.subject)
        else:
            delay = self.law("think", Stream.THINK, case.subject, case.k)
            self.floor.hold(case, seat)
        self.will(case, THINKS, delay, self._thought)

    def will(self, case: Case, what: int, delay: float, call: Callable[[Case], None]) -> None:
        """The customer will do something, unless something else happens to the case before."""
        version = case.version

        def act(_: Any) -> None:
            if case.version == version:
                call(case)

        self.clock.at(self.clock.now + delay, order(Kind.CUSTOMER, case.number, what), act, None)

    def _thought(self, case: Case) -> None:
        self._next(case, self.clock.now)

    def _resolve(self, case: Case) -> None:
        case.state, case.closed = CaseState.RESOLVED, self.clock.now
        case.version += 1
        if self.u(Stream.REOPEN, case.subject, case.reopened) < self.behaviour.reopening.probability:
            delay = self.law("reopen", Stream.REOPEN_DELAY, case.subject, case.reopened)
            self.will(case, REOPENS, delay, lambda case: self.reopen(case, self.clock.now))

    def reopen(self, case: Case, arrival: float) -> None:
        case.reopened += 1
        case.closed = INF
        self._ask(case, arrival, goes_on=True)

    @property
    def wait(self) -> bool:
        """Whether a case will go on without a turn that waits: the customer or a department is to move."""
        return any(
            case.state in (CaseState.WITH_CUSTOMER, CaseState.PARKED)
            or (case.state in (CaseState.GAVE_UP, CaseState.SUPPRESSED) and case.returning)
            or (case.state is CaseState.UNREAD and case.platform not in self.unwatched)
            for case in self.cases
        )

    # ---- patience -------------------------------------------------------------------------------

    def _patience_s(self, turn: Turn) -> float:
        law = self.chance.patience[turn.topic] if turn.kind is TurnKind.ANSWER else None
        if law is None or turn.case is None:
            return INF
        patience = self.law(law, Stream.PATIENCE, turn.subject, turn.wait_no)
        return self.effects.changed("patience", patience, turn.case, self.clock.now)

    def _waits(self, turn: Turn) -> None:
        if turn.case is not None and not turn.ghost:
            self._may_repeat(turn.case, turn, turn.queued + self.behaviour.recontact.after_h * HOUR_S)

    def _may_repeat(self, case: Case, turn: Turn, since: float) -> None:
        """Whoever waits beyond `since` may write again, after a gap."""
        r = self.behaviour.recontact
        j = case.tests
        case.tests += 1
        p = self.effects.changed("recontact", r.probability, case, self.clock.now)
        if self.u(Stream.RECONTACT, case.subject, j) < p:
            at = since + self.law("recontact_gap", Stream.RECONTACT_GAP, case.subject, j)
            self.clock.at(at, order(Kind.CUSTOMER, case.number, REPEATS), self._repeats, (case, turn, j))

    def _repeats(self, event: Any) -> None:
        case, turn, j = event.value
        if turn.state is not TurnState.WAITING or turn.ghost:
            return
        now, r = self.clock.now, self.behaviour.recontact
        case.recontacts += 1
        share = self.effects.changed("separate", r.separate_share, case, now)
        apart = self.u(Stream.RECONTACT_SEPARATE, case.subject, j) < share
        if apart or self._duplicates(child_subject(case.subject, 1 << 20 | j)):
            new = self._split(case, now)
            self.posts_again(new, RECONTACTED, lambda: self.open(new))
        else:
            turn.extra += r.extra_work
            self.posts_again(case, RECONTACTED, None)
        self._may_repeat(case, turn, now)

    def _split(self, case: Case, posted: float) -> Case:
        """A case of its own with one turn, out of a post that should have joined this one."""
        case.extra_posts += 1
        subject = child_subject(case.subject, case.extra_posts)
        new = self._make(subject, posted, case)
        new.origin = case.number
        new.planned, new.base = 1, [self.law("extra_turn", Stream.EXTRA_TURN, subject)]
        return new

    def _make(self, subject: int, posted: float, like: Case) -> Case:
        new = Case(len(self.cases), subject, NONE, posted)
        for name in ("language", "platform", "visibility", "topic", "tier", "sentiment", "cls", "departure", "promise"):
            setattr(new, name, getattr(like, name))
        new.due = posted + self.world.desk.classes[new.cls].promise_min * MINUTE_S
        self.cases.append(new)
        return new

    def posts_again(self, case: Case, kind: int, then: Callable[[], None] | None) -> None:
        """A post that the trace does not hold: it is counted, read if people read, then `then` happens.

        Where the desk does not look, nobody reads it and nothing happens.
        """
        self.extra.append((self.clock.now, case.number, kind))
        if case.platform in self.unwatched:
            case.returning = False
            return
        self.floor.signals.posted(case.language)
        reading = self.effects.reading
        if reading.mode == "people":
            case.extra_posts += 1
            subject = child_subject(case.subject, case.extra_posts)
            self.read(TurnKind.READING, EXTRA_FROM + case.number, NONE, case.language, self.clock.now, subject, then)
        elif then is not None:
            if reading.mode == "automatic" and reading.delay_s > 0:
                at = self.clock.now + reading.delay_s
                self.clock.at(at, order(Kind.CUSTOMER, case.number, RETURNS), lambda _: then(), None)
            else:
                then()

    def _patience_ends(self, event: Any) -> None:
        turn: Turn = event.value
        case = turn.case
        if turn.state is not TurnState.WAITING or case is None:
            return
        now = self.clock.now
        if case.left == INF:
            case.left = now
        if self.u(Stream.SILENT, case.subject, case.waits) < self.behaviour.silent_share:
            turn.left = now
            case.state = CaseState.SILENT
            return
        self.floor.leave_queue(turn, TurnState.ABANDONED)
        turn.end, turn.wait = now, now - turn.queued
        self._turned_away(case, "abandoned")

    def _turned_away(self, case: Case, how: str) -> None:
        """Blocked, balked or tired of waiting: the customer gives up or turns elsewhere."""
        case.turn = None
        case.state = CaseState.GAVE_UP
        case.attempts += 1
        case.version += 1
        found = self.onward(how, case.subject, case.waits)
        case.returning = found is not None and case.attempts < self.behaviour.max_attempts
        if found is not None and case.returning:
            onward, delay = found
            self.will(case, RETURNS, delay, lambda case: self._returns(case, onward))

    def onward(
        self, how: str, subject: int, k: int, stream: int = Stream.ONWARD, delay: int = Stream.ONWARD_DELAY
    ) -> tuple[Onward, float] | None:
        """Where somebody turns next and after how many seconds; None: nowhere."""
        u = self.u(stream, subject, k)
        total = 0.0
        for row, law in self.chance.onward[how]:
            total += row.probability
            if u < total:
                return row, self.law(law, delay, subject, k)
        return None

    def _returns(self, case: Case, onward: Onward) -> None:
        if onward.to == "phone":
            case.returning = False
            return  # the phone has it now; the case stays given up
        now = self.clock.now
        case.recontacts += 1
        kind = RECONTACTED
        if onward.to == "public":
            case.sentiment = code(Sentiment.NEGATIVE)
            case.escalated, kind = True, ESCALATED
        elif isinstance(onward.to, Platform):
            kind = SWITCHED
        self.moves(case, onward)
        version = case.version
        self.posts_again(case, kind, lambda: self._ask(case, now) if case.version == version else None)

    def moves(self, case: Case, onward: Onward) -> None:
        """The case goes on in public, or on another platform in the kind of channel that is usual there."""
        if onward.to == "public":
            case.visibility = code(Visibility.PUBLIC)
        elif isinstance(onward.to, Platform):
            case.platform = code(onward.to)
            private = private_share(self.world.scenario, onward.to) >= 0.5
            case.visibility = code(Visibility.PRIVATE if private else Visibility.PUBLIC)
