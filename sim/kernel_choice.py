"""Who takes what in the compiled engine: the next turn of an agent, the agent of a new turn (rules 4 and 5)."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim.codecache import part
from sim.kernel_bits import free_by_number, how_many_free, mark
from sim.kernel_chance import STREAM, uniform
from sim.kernel_idle import has_room, may_start, ranks_before, ranks_equal, somebody_leaves_now
from sim.kernel_memory import row
from sim.kernel_queues import first, part_overdue, stands_before
from sim.kernel_tables import (
    ALL_AT_RANDOM,
    BY_LOOKING,
    BY_RANK,
    FEWEST_SKILLS,
    INT,
    KEEP,
    LINE,
    LONGEST_IDLE,
    ORDERED,
    OWN_LANE,
    POOL,
    QUEUE,
    RANDOM,
    SEAT,
    SERVES,
    TURN,
)
from sim.turns import INF


@part
def _smallest(s: Any, pool: Any, seat: Any, overdue: Any) -> Any:
    """The turn with the smallest place among the heads of an agent's queues, and through what he serves it.

    `seat` NONE leaves the private queues out. Returns (turn, row of `pool_serves` or NONE if private).
    """
    p = row(s.pools, pool, POOL)
    kept_free = p.reserve > 0 and p.busy >= p.on - p.reserve
    best, through, key = NONE, NONE, INF
    parts = s.overdue != KEEP and not overdue
    for i in range(p.serves, p.serves_end):
        queue = row(s.pool_serves, i, SERVES).queue
        if parts:
            part_overdue(s, queue)
        q = row(s.lines, 2 * queue + overdue, LINE)
        if q.head == NONE or q.key > key:  # most queues: it pays to ask here already
            continue
        found = _goes_first(s, queue, overdue, kept_free, best, key)
        if found != NONE:
            best, through, key = found, i, row(s.turns, found, TURN).key
    if seat != NONE and p.private > 0:
        for queue in range(s.private_queues + 2 * seat, s.private_queues + 2 * seat + 2):
            if parts:
                part_overdue(s, queue)
            found = _goes_first(s, queue, overdue, kept_free, best, key)
            if found != NONE:
                best, through, key = found, NONE, row(s.turns, found, TURN).key
    return best, through


@part
def _goes_first(s: Any, queue: Any, overdue: Any, kept_free: Any, best: Any, key: Any) -> Any:
    """The head of a queue if it goes before `best`, whose key is `key`; NONE otherwise."""
    line = 2 * queue + overdue
    q = row(s.lines, line, LINE)
    if q.head == NONE or q.key > key or (kept_free and row(s.queues, queue, QUEUE).deferred):
        return NONE
    turn = first(s, line)
    return turn if turn != NONE and (best == NONE or stands_before(s, turn, best)) else NONE


@part
def next_turn(s: Any, pool: Any, seat: Any) -> Any:
    """What an agent of a pool takes next, as `_smallest` gives it."""
    best, through = _smallest(s, pool, seat, False)
    if best != NONE or s.overdue == KEEP or (s.overdue == OWN_LANE and s.lane >= s.lane_seats):
        return best, through
    return _smallest(s, pool, seat, True)


@part
def takes(s: Any, seat: Any, turn: Any) -> Any:
    """Whether a new turn may go straight to an agent, as far as what waits already does not go before it."""
    a = row(s.seats, seat, SEAT)
    if not a.on or s.now >= a.off_s or not has_room(s, seat) or not may_start(s, turn, a.pool):
        return False
    if a.turning == 0 and not _is_kept(s, row(s.pools, a.pool, POOL)):
        return True
    other, _ = next_turn(s, a.pool, seat)
    return other == NONE or _goes_before(s, turn, other)


@part
def _is_kept(s: Any, p: Any) -> Any:
    """Whether a reserve or a full lane may have kept agents who are free from what waits."""
    return p.reserve > 0 or s.overdue == OWN_LANE


@part
def _goes_before(s: Any, turn: Any, other: Any) -> Any:
    """By place, and unless the desk keeps the order, overdue ones last."""
    if s.overdue != KEEP:
        late = row(s.turns, other, TURN).key < s.now
        if (row(s.turns, turn, TURN).key < s.now) != late:
            return late
    return stands_before(s, turn, other)


@part
def factor_in(s: Any, queue: Any, pool: Any) -> Any:
    """Factor on the time of a turn that a pool takes from a queue; nan if it does not serve it."""
    q = row(s.queues, queue, QUEUE)
    for i in range(q.serves, q.serves_end):
        served = row(s.queue_serves, i, SERVES)
        if served.pool == pool:
            return served.factor
    return float("nan")


@part
def chosen(s: Any, turn: Any, queue: Any) -> Any:
    """The free agent who takes a new turn through a queue, NONE if nobody may."""
    if s.agents_free == 0 and s.turning == NONE:
        return NONE
    if s.choice == BY_LOOKING or somebody_leaves_now(s):
        return _by_looking_at_all(s, turn, queue)
    best = NONE
    for seat in (s.turning, s.other_turning):
        if seat != NONE and (best == NONE or ranks_before(s, seat, best)) and _serves(s, queue, seat):
            best = seat if takes(s, seat, turn) else best
    q = row(s.queues, queue, QUEUE)
    for i in range(q.serves, q.serves_end):
        pool = row(s.queue_serves, i, SERVES).pool
        p = row(s.pools, pool, POOL)
        if p.idle > 0 and may_start(s, turn, pool):
            seat = _first_free(s, p, pool, turn)
            if seat != NONE and (best == NONE or ranks_before(s, seat, best)):
                best = seat
    if s.choice == BY_RANK or best == NONE:
        return best
    if s.choice == ALL_AT_RANDOM:
        return _at_random(s, turn, queue, best)
    return best if _is_alone(s, best, q) else _by_looking_at_all(s, turn, queue)


@part
def _serves(s: Any, queue: Any, seat: Any) -> Any:
    factor = factor_in(s, queue, row(s.seats, seat, SEAT).pool)
    return factor == factor  # it is not nan


@part
def _first_free(s: Any, p: Any, pool: Any, turn: Any) -> Any:
    """The free agent of a pool who takes a new turn, NONE if what waits goes before it."""
    first = row(s.idle, p.first, INT).v
    if not _is_kept(s, p):
        return first
    if p.private == 0:
        other, _ = next_turn(s, pool, NONE)
        return first if other == NONE or _goes_before(s, turn, other) else NONE
    best = NONE
    for seat in range(p.first, p.first + p.n):
        may = row(s.seats, seat, SEAT).place != NONE and takes(s, seat, turn)
        if may and (best == NONE or ranks_before(s, seat, best)):
            best = seat
    return best


@part
def _is_alone(s: Any, best: Any, q: Any) -> Any:
    """Whether chance has nothing to decide: no other free agent of these pools ranks with the best."""
    for seat in (s.turning, s.other_turning):
        if seat not in (NONE, best) and ranks_equal(s, seat, best):
            return False
    for i in range(q.serves, q.serves_end):
        p = row(s.pools, row(s.queue_serves, i, SERVES).pool, POOL)
        for at in range(min(p.idle, 3)):  # the first and those right below him in the heap
            seat = row(s.idle, p.first + at, INT).v
            if seat != best and ranks_equal(s, seat, best):
                return False
    return True


@part
def _at_random(s: Any, turn: Any, queue: Any, best: Any) -> Any:
    """One of all who rank with the best, by the bits of the free."""
    in_hand = row(s.seats, best, SEAT).in_hand
    one = _joins(s, s.turning, turn, queue, best)
    other = NONE if s.other_turning == s.turning else _joins(s, s.other_turning, turn, queue, best)
    q = row(s.queues, queue, QUEUE)
    n = 0
    for i in range(q.serves, q.serves_end):
        n += _rivals(s, row(s.queue_serves, i, SERVES).pool, in_hand, best)
    t = row(s.turns, turn, TURN)
    j = int(uniform(s, STREAM.IDLE_CHOICE, t.subject, t.k) * n)
    found = NONE
    for i in range(q.serves, q.serves_end):
        pool = row(s.queue_serves, i, SERVES).pool
        rivals = _rivals(s, pool, in_hand, best)
        if found == NONE and j < rivals:
            found = free_by_number(s, row(s.pools, pool, POOL), in_hand, j)
        j -= rivals
    for seat in (one, other):
        if seat != NONE:
            mark(s, seat, False)
    return found


@part
def _joins(s: Any, seat: Any, turn: Any, queue: Any, best: Any) -> Any:
    """One who has just got a hand free is among the free for this turn, if he may take it and ranks with the best."""
    if seat == NONE or not ranks_equal(s, seat, best) or not _serves(s, queue, seat) or not takes(s, seat, turn):
        return NONE
    mark(s, seat, True)
    return seat


@part
def _rivals(s: Any, pool: Any, in_hand: Any, best: Any) -> Any:
    """How many free agents of a pool rank with the best, if its agents do so at all."""
    its = row(s.seats, best, SEAT).pool
    for i in range(s.orders_n):
        order = row(s.orders, i, INT).v
        if order == ORDERED and pool != its:
            return 0
        if order == FEWEST_SKILLS and row(s.pools, pool, POOL).skills != row(s.pools, its, POOL).skills:
            return 0
    return how_many_free(s, row(s.pools, pool, POOL), in_hand)


@part
def _by_looking_at_all(s: Any, turn: Any, queue: Any) -> Any:
    """The same where a pool's first free agent does not tell: a random choice, or some leave in this instant."""
    q = row(s.queues, queue, QUEUE)
    n, least = 0, 1 << 30
    for i in range(q.serves, q.serves_end):
        p = row(s.pools, row(s.queue_serves, i, SERVES).pool, POOL)
        for seat in range(p.first, p.first + p.n):
            a = row(s.seats, seat, SEAT)
            if (a.place != NONE or a.turning > 0) and takes(s, seat, turn):
                row(s.found, n, INT).v = seat
                least = min(least, a.in_hand)
                n += 1
    if n == 0:
        return NONE
    n = _narrowed(s, n, NONE, least)
    for i in range(s.orders_n):
        order = row(s.orders, i, INT).v
        if n == 1:
            break
        if order == RANDOM:
            t = row(s.turns, turn, TURN)
            return row(s.found, int(uniform(s, STREAM.IDLE_CHOICE, t.subject, t.k) * n), INT).v
        smallest = float("inf")
        for j in range(n):
            smallest = min(smallest, _value(s, order, row(s.found, j, INT).v))
        n = _narrowed(s, n, order, smallest)
    return row(s.found, 0, INT).v


@part
def _value(s: Any, order: Any, seat: Any) -> Any:
    a = row(s.seats, seat, SEAT)
    if order == NONE:
        return float(a.in_hand)
    if order == FEWEST_SKILLS:
        return float(row(s.pools, a.pool, POOL).skills)
    if order == LONGEST_IDLE:
        return a.idle_since
    return float(a.pool)


@part
def _narrowed(s: Any, n: Any, order: Any, smallest: Any) -> Any:
    """Keep those of the first `n` found who have the smallest value: how many are left."""
    kept = 0
    for j in range(n):
        seat = row(s.found, j, INT).v
        if _value(s, order, seat) == smallest:
            row(s.found, kept, INT).v = seat
            kept += 1
    return kept
