"""The clock of the compiled engine: two heaps of what will happen, ordered by time, order, insertion.

`WORK` holds the ends of turns, few and soon; `LATER` what customers will do, many and mostly void by
then. What happens is a number: the operation, and up to two things that it is about.
"""

from __future__ import annotations

from typing import Any

from sim.clock import Kind
from sim.codecache import part
from sim.kernel_memory import row
from sim.kernel_tables import ENTRY, HEAP, NO_ROOM, SLOT
from sim.turns import INF

TURN_END, STAFF_ON, STAFF_OFF, CONTROL, OPENING, PATIENCE, CUSTOMER, POST_EVENT = (
    int(kind) for kind in Kind if kind is not Kind.FAULT
)
# Operations. (turn), (call), (), (turn), (turn, rule), (turn), (call), (case, version) x 3, (turn, test), (case),
# (case, version), (row, asks), (call, onward), (case, version), (), (lever, version) x 2, (seat, version),
# (seat, stretch) x 2, (seat)
(
    END_TURN, END_CALL, SETTLE, UNSTICK, OVERFLOW, END_PATIENCE, HANG_UP, THINK, REOPEN, RETURN, REPEAT, OPEN_LATER,
    ASK_LATER, FOUND, CALL_AGAIN, COME_AFTER_ALL, LOOK, ACT, RENEW, COME_IN, SIT_DOWN, GET_UP, GO_HOME,
) = range(23)  # fmt: skip


@part
def order(kind: Any, subject: Any, k: Any) -> Any:
    """Order of an event among those of the same time, as `sim.clock.order`."""
    return (kind << 56) | (subject << 20) | k


@part
def about(operation: Any, first: Any, second: Any) -> Any:
    """What happens, as one number: `first` below 2^32, `second` below 2^24."""
    return (operation << 56) | (second << 32) | first


@part
def _before(h: Any, time: Any, order: Any, seq: Any, entry: Any) -> Any:
    if time != entry.time:
        return time < entry.time
    slot = row(h.slots, entry.slot, SLOT)
    if order != slot.order:
        return order < slot.order
    return seq < slot.seq


@part
def push(s: Any, which: Any, time: Any, order: Any, what: Any) -> Any:
    """Something will happen at `time`."""
    h = row(s.heaps, which, HEAP)
    if h.n >= h.room:
        s.stopped = NO_ROOM
        return
    place = h.free
    if place >= 0:
        h.free = row(h.slots, place, SLOT).seq
    else:
        place = h.used
        h.used += 1
    slot = row(h.slots, place, SLOT)
    slot.order, slot.seq, slot.what = order, h.seq, what
    h.seq += 1
    if h.hole:
        h.hole = 0
        _sink(h, time, place)
        return
    at = h.n
    h.n += 1
    while at > 0:
        above = (at - 1) >> 2
        parent = row(h.entries, above, ENTRY)
        if not _before(h, time, order, slot.seq, parent):
            break
        child = row(h.entries, at, ENTRY)
        child.time, child.slot = parent.time, parent.slot
        at = above
    entry = row(h.entries, at, ENTRY)
    entry.time, entry.slot = time, place


@part
def pop(s: Any, which: Any) -> Any:
    """Take the first event out and say what happens; the heap is not empty and has no hole.

    Most events make another: its place is left open for that, until `fill`.
    """
    h = row(s.heaps, which, HEAP)
    gone = row(h.entries, 0, ENTRY).slot
    slot = row(h.slots, gone, SLOT)
    what = slot.what
    slot.seq = h.free
    h.free = gone
    h.hole = 1
    return what


@part
def earliest(h: Any) -> Any:
    """When the first event of a heap is, inf: there is none. Its place may be open, see `pop`."""
    if not h.hole:
        return row(h.entries, 0, ENTRY).time if h.n > 0 else INF
    time = INF
    for at in range(1, min(5, h.n)):
        time = min(time, row(h.entries, at, ENTRY).time)
    return time


@part
def fill(h: Any) -> Any:
    """Close the hole at the top: the heap says again what comes first."""
    h.hole = 0
    h.n -= 1
    if h.n > 0:
        last = row(h.entries, h.n, ENTRY)
        _sink(h, last.time, last.slot)


@part
def _sink(h: Any, time: Any, place: Any) -> Any:
    """Put an entry where the first one was, and down to its place."""
    slot = row(h.slots, place, SLOT)
    order, seq = slot.order, slot.seq
    at, entries, n = 0, h.entries, h.n
    while True:
        first = 4 * at + 1
        if first >= n:
            break
        least = _least(h, first) if first + 3 < n else _least_of_few(h, first)
        small = row(entries, least, ENTRY)
        if _before(h, time, order, seq, small):
            break
        here = row(entries, at, ENTRY)
        here.time, here.slot = small.time, small.slot
        at = least
    here = row(entries, at, ENTRY)
    here.time, here.slot = time, place


@part
def _least(h: Any, first: Any) -> Any:
    """Which of the four entries from `first` comes first. Without branches that nobody could predict."""
    a, b = row(h.entries, first, ENTRY).time, row(h.entries, first + 1, ENTRY).time
    c, d = row(h.entries, first + 2, ENTRY).time, row(h.entries, first + 3, ENTRY).time
    ab, cd = min(a, b), min(c, d)
    if a == b or c == d or ab == cd:
        return _least_of_few(h, first)
    in_ab, in_cd = first + int(b < a), first + 2 + int(d < c)
    return in_cd if cd < ab else in_ab


@part
def _least_of_few(h: Any, first: Any) -> Any:
    """The same of up to four, equal times included."""
    least = first
    small = row(h.entries, first, ENTRY)
    for other in range(first + 1, min(first + 4, h.n)):
        entry = row(h.entries, other, ENTRY)
        o = row(h.slots, entry.slot, SLOT)
        if _before(h, entry.time, o.order, o.seq, small):
            least, small = other, entry
    return least
