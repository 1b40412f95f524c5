"""The desk's side of the reference engine: queues, agents, who takes what (rules 4 to 6)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sim import draws, policies
from sim.clock import LAST, Clock, Kind, order
from sim.draws import Stream
from sim.effects import Effects
from sim.outcome import TurnKind, TurnState
from sim.places import Places
from sim.policies import AgentView, IdleOrder
from sim.signals import Signals
from sim.turns import INF, Entry, Queue, Seat, Turn
from sim.work import Work
from sim.world import MINUTE_S, STICKY, QueueSpec, World

if TYPE_CHECKING:
    from sim.cases import Case


class Floor:
    """Queues and agents of one run."""

    def __init__(self, world: World, clock: Clock, idle: IdleOrder | None) -> None:
        self.world, self.clock, self.desk = world, clock, world.desk
        self.rules = world.desk.routing
        self.queues = [Queue(spec, spec.deferred) for spec in world.queues]
        pools = world.desk.pools
        self.seats = [Seat(n, p, pools[p], world.skills[p]) for n, p in enumerate(world.roster.pool_of)]
        self.members = [[s for s in self.seats if s.pool == p] for p in range(len(world.desk.pools))]
        self.free: list[set[int]] = [set() for _ in world.desk.pools]
        self.on = [0] * len(world.desk.pools)  # agents on shift, by pool
        self.busy = [0] * len(world.desk.pools)  # of them, those with a turn in hand
        self.rows: list[Turn] = []
        self.effects = Effects(world.crisis, world.desk, world.key)
        self.signals = Signals(world.crisis.buckets if world.crisis is not None else 1)
        self.lever_of = {rule: i for i, rule in enumerate(world.crisis.rules)} if world.crisis is not None else {}
        self.places, self.work = Places(world), Work(world, self.effects)
        self.lane = 0  # overdue turns in hand
        self.orders: list[IdleOrder | None] = (
            [idle] if idle else [policies.IDLE_ORDERS.get(name) for name in self.rules.idle]
        )
        self.on_end: Callable[[Turn, Seat], None] = lambda turn, seat: None
        self.on_done: Callable[[Seat], None] = lambda seat: None
        self.on_wait: Callable[[Turn], None] = lambda turn: None
        self.on_patience: Callable[[Any], None] = lambda event: None
        self.patience_s: Callable[[Turn], float] = lambda turn: INF
        self._turning: list[Seat] = []  # have a hand free and have not looked at the queues yet
        self._releasing = False
        self._settle_all = False
        self._settle: set[int] = set()
        self._settling = False

    # ---- settling ------------------------------------------------------------------------------------------

    def settle_later(self, everybody: bool = False, agents: Iterable[int] = ()) -> None:
        """Once all of this instant's faults and shift changes are applied, agents look at the queues."""
        self._settle_all |= everybody
        self._settle.update(agents)
        if not self._settling:
            self._settling = True
            self.clock.at(self.clock.now, order(Kind.STAFF_OFF, LAST), self._settle_now, None)

    def _settle_now(self, _: Any) -> None:
        numbers = {n for free in self.free for n in free} if self._settle_all else self._settle
        self._settle_all, self._settle, self._settling = False, set(), False
        self._all_look(numbers)

    # ---- turns --------------------------------------------------------------------------------

    def enqueue(self, turn: Turn, sticky: Seat | None = None) -> TurnState:
        """A new turn: an agent takes it, or it waits, or it is turned away; says which.

        Blocked and balked turns are rows too; what follows them is the customer's affair.
        """
        if sticky is not None and self.rules.sticky_min > 0 and sticky.on:
            turn.sticky = sticky
        if self._releasing:
            self.wait_for_settling(turn)
            return TurnState.WAITING
        turn.limits = self.places.of(turn)
        self.rows.append(turn)
        if turn.sticky is not None:
            if self._takes(turn.sticky, turn):
                self._start(turn, turn.sticky, STICKY, self._factor(turn, turn.sticky))
                return TurnState.IN_HAND
        elif self._give_out(turn):
            return TurnState.IN_HAND
        refused = self.places.refused(turn)
        if refused is not None:
            turn.state, turn.end, turn.wait = refused, self.clock.now, 0.0
            return refused
        self._wait(turn)
        return TurnState.WAITING

    @contextmanager
    def released(self) -> Iterator[None]:
        """Turns queued in here wait until this instant's faults and shift changes are all applied."""
        self._releasing = True
        yield
        self._releasing = False
        self.settle_later(everybody=True)

    def wait_for_settling(self, turn: Turn) -> None:
        """What is released or handed back waits, whatever the limits, until agents look at the queues."""
        turn.limits = self.places.of(turn)
        self.rows.append(turn)
        self._wait(turn)
        self.settle_later(everybody=True)

    def _wait(self, turn: Turn) -> None:
        now = self.clock.now
        turn.standing = True
        self.places.count(turn, 1)
        self.signals.waits(turn)
        if turn.sticky is not None:
            turn.sticky.private[self._where(turn)[3]].push(turn)
            opens = now + self.rules.sticky_min * MINUTE_S
            self.clock.at(opens, order(Kind.OPENING, turn.number, turn.k * 64), self._unstick, turn)
        else:
            self.open(turn)
        if turn.kind is TurnKind.ANSWER:
            for i in self.world.rules_of.get(turn.language, ()):
                opens = now + self.rules.overflow[i].after_min * MINUTE_S
                where = order(Kind.OPENING, turn.number, turn.k * 64 + 1 + i)
                self.clock.at(opens, where, self._overflow, (turn, i))
        if turn.patience_left is None:
            turn.patience_left = self.patience_s(turn)
        if turn.patience_left < INF and not turn.ghost:
            ends = now + turn.patience_left
            self.clock.at(ends, order(Kind.PATIENCE, turn.number, turn.k), self.on_patience, turn)
        self.on_wait(turn)

    def _own_queue(self, turn: Turn) -> int:
        if turn.kind is not TurnKind.ANSWER:
            return self.world.reading_queue[turn.language]
        return self.world.answer_queue[self._where(turn)]

    def _where(self, turn: Turn) -> tuple[int, int, int, bool]:
        case = turn.case
        assert case is not None
        deferred = self.desk.classes[case.cls].deferred
        return case.language, case.visibility, self.world.group_of[case.topic], deferred

    def open(self, turn: Turn) -> None:
        """It stands in its own queue from now on, and in those to which it has overflowed meanwhile."""
        turn.sticky = None
        self.queues[self._own_queue(turn)].push(turn)
        for rule in turn.due:
            self.queues[self._overflow_queue(turn, rule)].push(turn)

    def _overflow_queue(self, turn: Turn, rule: int) -> int:
        return self.world.overflow_queues[(rule, *self._where(turn))]

    def _unstick(self, event: Any) -> None:
        turn: Turn = event.value
        if turn.state is not TurnState.WAITING or turn.sticky is None:
            return
        turn.sticky = None
        if not self._give_out(turn) and not any(self._spills(turn, rule) for rule in turn.due):
            self.open(turn)

    def _overflow(self, event: Any) -> None:
        turn, rule = event.value
        if self.lever_of.get(rule, None) in (None, *self.effects.since):  # a rule of the desk, or of a lever that is on
            self._opens(turn, rule)

    def _opens(self, turn: Turn, rule: int) -> None:
        if turn.state is not TurnState.WAITING:
            return
        if turn.sticky is not None:
            turn.due = tuple(sorted((*turn.due, rule)))  # later: so far it is for one agent alone
        elif not self._spills(turn, rule):
            self.queues[self._overflow_queue(turn, rule)].push(turn)

    def rule_opens(self, rule: int) -> None:
        """An overflow rule of a lever is in force from now on: for those, too, who have waited long enough."""
        after, now = self.rules.overflow[rule].after_min * MINUTE_S, self.clock.now
        waiting = (t for t in self.rows if t.state is TurnState.WAITING and t.kind is TurnKind.ANSWER)
        late = [t for t in waiting if t.queued + after < now and rule in self.world.rules_of.get(t.language, ())]
        for turn in sorted(late, key=Turn.place):
            self._opens(turn, rule)

    def rules_change(self) -> None:
        """What is overdue is treated in another way from now on; everybody looks at the queues anew."""
        for queue in [*self.queues, *(queue for seat in self.seats for queue in seat.private)]:
            queue.regroup()
        self.settle_later(everybody=True)

    def _spills(self, turn: Turn, rule: int) -> bool:
        """Whether one of those who take it by an overflow rule is free and starts it."""
        spec = self.world.queues[self._overflow_queue(turn, rule)]
        seat = self._chosen(turn, spec)
        if seat is None:
            return False
        self._start(turn, seat, spec.route, spec.factor[seat.pool])
        return True

    def _give_out(self, turn: Turn) -> bool:
        spec = self.world.queues[self._own_queue(turn)]
        seat = self._chosen(turn, spec)
        if seat is None:
            return False
        self._start(turn, seat, spec.route, spec.factor[seat.pool])
        return True

    def _chosen(self, turn: Turn, spec: QueueSpec) -> Seat | None:
        """The free agent who takes a new turn, by the desk's order of idle agents."""
        found: list[AgentView] = [
            self.seats[n] for p in spec.factor for n in self.free[p] if self._takes(self.seats[n], turn)
        ]
        if not found:
            return None
        u = 0.0
        if None in self.orders:
            u = draws.uniform(self.world.key, Stream.IDLE_CHOICE, turn.subject, turn.k)
        return self.seats[policies.choose(found, self.orders, u).number]

    def _takes(self, seat: Seat, turn: Turn) -> bool:
        """Whether a new turn may go straight to this agent.

        A free agent has nothing else to do, except one who has just got a hand free, or whom a reserve or a
        full lane has kept from what waits: of that, what stands before it goes first.
        """
        if not seat.on or not seat.room() or self.clock.now >= seat.off_s or not self._may_start(turn, seat.pool):
            return False
        held_up = seat in self._turning or seat.spec.reserve > 0 or self.effects.overdue.mode == "own_lane"
        if not held_up:
            return True
        first = self._pick(seat)
        return first is None or self._before(turn, first[0])

    def _before(self, turn: Turn, other: Turn) -> bool:
        """Whether `turn` goes first: by place, and unless the desk keeps the order, overdue ones last."""
        if self.effects.overdue.mode != "keep":
            now = self.clock.now
            if (turn.key < now) != (other.key < now):
                return other.key < now
        return turn.place() < other.place()

    def _may_start(self, turn: Turn, pool: int) -> bool:
        """Whether reserve and lane leave room for this turn in this pool."""
        if turn.case is not None and turn.kind is TurnKind.ANSWER:
            reserve = self.desk.pools[pool].reserve
            deferred = self.desk.classes[turn.case.cls].deferred
            if reserve and deferred and self.busy[pool] >= self.on[pool] - reserve:
                return False
        overdue = self.effects.overdue
        return not (overdue.mode == "own_lane" and turn.key < self.clock.now and self.lane >= overdue.seats)

    def leave_queue(self, turn: Turn, state: TurnState) -> None:
        """The turn no longer waits; what of it still stands in queues is dropped there."""
        turn.state = state
        if turn.standing:
            turn.standing = False
            self.places.count(turn, -1)
            self.signals.waits_no_more(turn)

    # ---- agents -------------------------------------------------------------------------------

    def offer(self, seat: Seat) -> None:
        """The agent takes turns with the smallest keys as long as they fit."""
        while seat.on and seat.room() and self.clock.now < seat.off_s:
            found = self._pick(seat)
            if found is None:
                return
            turn, spec = found
            if spec is None:
                route, factor = STICKY, self._factor(turn, seat)
            else:
                route, factor = spec.route, spec.factor[seat.pool]
            self._start(turn, seat, route, factor)

    def _pick(self, seat: Seat) -> tuple[Turn, QueueSpec | None] | None:
        queues = [self.queues[q] for q in self.world.pool_queues[seat.pool]]
        queues += [queue for queue in seat.private if queue.fresh or queue.overdue]
        reserve = seat.spec.reserve
        if reserve and self.busy[seat.pool] >= self.on[seat.pool] - reserve:
            queues = [queue for queue in queues if not queue.deferred]
        mode = self.effects.overdue.mode
        if mode == "keep":
            return self._smallest([(q.first(), q) for q in queues])
        now = self.clock.now
        best = self._smallest([(q.first_fresh(now), q) for q in queues])
        if best is not None or (mode == "own_lane" and self.lane >= self.effects.overdue.seats):
            return best
        return self._smallest([(q.first_overdue(), q) for q in queues])

    @staticmethod
    def _smallest(heads: list[tuple[Entry | None, Queue]]) -> tuple[Turn, QueueSpec | None] | None:
        best: Entry | None = None
        where: Queue | None = None
        for head, queue in heads:
            if head is not None and (best is None or head[0] < best[0]):
                best, where = head, queue
        if best is None or where is None:
            return None
        return best[2], where.spec

    def _factor(self, turn: Turn, seat: Seat) -> float:
        """Time factor for a sticky turn: as in the queue through which this agent serves it."""
        spec = self.world.queues[self._own_queue(turn)]
        if seat.pool in spec.factor:
            return spec.factor[seat.pool]
        for i in self.world.rules_of.get(turn.language, ()):
            others = self.world.queues[self.world.overflow_queues[(i, *self._where(turn))]].factor
            if seat.pool in others:
                return others[seat.pool]
        return 1.0 / seat.spec.speed

    def _start(self, turn: Turn, seat: Seat, route: int, factor: float) -> None:
        now = self.clock.now
        self.leave_queue(turn, TurnState.IN_HAND)
        turn.start, turn.wait = now, now - turn.queued
        if turn.patience_left is not None:
            turn.patience_left -= turn.wait
        turn.agent, turn.route = seat.number, route
        turn.end = now + self.work.seconds(turn, seat, factor, now)
        if not seat.active and seat.on:
            self.busy[seat.pool] += 1
        seat.active.append(turn)
        seat.started += 1
        turn.late = turn.key < now
        self.lane += turn.late
        self.update(seat)
        if turn.case is not None:
            turn.case.starts(turn)
        self.clock.at(turn.end, order(Kind.TURN_END, seat.number, seat.started), self._end, (turn, seat))

    def _end(self, event: Any) -> None:
        turn, seat = event.value
        if turn.state is not TurnState.IN_HAND:
            return  # handed back
        freed_lane = turn.late
        seat.active.remove(turn)
        self.drop_lane(turn)
        turn.state = TurnState.GHOST if turn.ghost else TurnState.DONE
        if not seat.active and seat.on:
            self.busy[seat.pool] -= 1
        seat.idle_since = self.clock.now
        self.on_done(seat)
        self.update(seat)
        with self.turning(seat):
            self.on_end(turn, seat)
        if freed_lane and self.effects.overdue.mode == "own_lane":
            self._all_look(n for free in self.free for n in free)
        elif seat.spec.reserve:
            self._all_look(self.free[seat.pool])

    def _all_look(self, numbers: Iterable[int]) -> None:
        for number in sorted(numbers):
            self.offer(self.seats[number])

    @contextmanager
    def turning(self, seat: Seat | None) -> Iterator[None]:
        """A hand of this agent is free: what is queued in here meets what waits already, then he looks."""
        if seat is None:
            yield
            return
        self._turning.append(seat)
        yield
        self._turning.remove(seat)
        if self._releasing:
            self.settle_later(agents=(seat.number,))
        else:
            self.offer(seat)

    def drop_lane(self, turn: Turn) -> None:
        self.lane -= turn.late
        turn.late = False

    def update(self, seat: Seat) -> None:
        if seat.on and seat.room():
            self.free[seat.pool].add(seat.number)
        else:
            self.free[seat.pool].discard(seat.number)

    def hold(self, case: Case, seat: Seat) -> None:
        """A conversation waits for its customer and takes the stated weight of its agent."""
        if seat.on and seat.spec.weights.waiting > 0:
            seat.held.add(case)
            case.holder = seat
            self.update(seat)

    def let_go(self, case: Case) -> Seat | None:
        """The conversation no longer waits for the customer: the agent whose capacity that frees, if any."""
        seat = case.holder
        if seat is not None:
            case.holder = None
            seat.held.discard(case)
            self.update(seat)
        return seat
