"""Who is called in, comes, works, rests and comes again in the compiled engine, as `sim.ladder` (rule 8)."""

from __future__ import annotations

from typing import Any

from sim.codecache import part
from sim.kernel_chance import STREAM, law, uniform
from sim.kernel_events import COME_IN, GET_UP, SIT_DOWN, STAFF_OFF, STAFF_ON, about, order, push
from sim.kernel_memory import row
from sim.kernel_staff import come, go, pay
from sim.kernel_tables import REST, RUNG, SEAT, WORK
from sim.turns import INF


@part
def call_in(s: Any, number: Any) -> Any:
    """Ask everybody of a rung; says how many accept."""
    r = row(s.rungs, number, RUNG)
    k = r.calls
    r.calls += 1
    r.until = s.now + r.for_s
    accepted = 0
    for seat in range(r.seats, r.seats_end):
        if uniform(s, STREAM.CALL_IN, seat, k) < r.acceptance:
            accepted += 1
            a = row(s.seats, seat, SEAT)
            if not a.here:
                lead = law(s, r.law, STREAM.CALL_IN_LEAD, seat, k)
                if lead == 0.0:
                    lead = s.interval_s
                _come_at(s, seat, max(s.now + lead, a.free_from))
    return accepted


@part
def stand_down(s: Any, number: Any) -> Any:
    """Nobody of a rung begins any more; who is at the desk stays to the end of his time."""
    r = row(s.rungs, number, RUNG)
    r.until = -INF
    for seat in range(r.seats, r.seats_end):
        a = row(s.seats, seat, SEAT)
        if not a.here:
            a.coming += 1


@part
def _come_at(s: Any, seat: Any, at: Any) -> Any:
    a = row(s.seats, seat, SEAT)
    a.coming += 1
    if at <= row(s.rungs, a.rung, RUNG).until and at < s.until_s:
        push(s, WORK, at, order(STAFF_ON, seat, 1), about(COME_IN, seat, a.coming))


@part
def come_in(s: Any, seat: Any, version: Any) -> Any:
    """Somebody who was called in comes, and sits down for the first time today."""
    a = row(s.seats, seat, SEAT)
    if a.coming != version:
        return
    r = row(s.rungs, a.rung, RUNG)
    a.here = 1
    a.first_on = min(a.first_on, s.now)
    begin, end = s.now, s.now + r.max_s
    pay(s, seat, begin, min(end, s.until_s))
    at, worked, place = begin, 0.0, 0
    for i in range(r.rests, r.rests_end):
        pause = row(s.rests, i, REST)
        leaves, back = begin + pause.after_s, begin + pause.after_s + pause.length_s
        if leaves > at:
            _sit(s, seat, place, at, leaves, worked)
            worked += leaves - at
            place += 1
        at = max(at, back)
    if end > at:
        _sit(s, seat, place, at, end, worked)
        place += 1
    a.stays = place


@part
def _sit(s: Any, seat: Any, place: Any, on: Any, off: Any, worked: Any) -> Any:
    """A stretch of today: it begins now if it is the first one."""
    a = row(s.seats, seat, SEAT)
    if place == 0:
        come(s, seat, off, worked)
    else:
        push(s, WORK, on, order(STAFF_ON, seat, 0), about(SIT_DOWN, seat, place))
    push(s, WORK, off, order(STAFF_OFF, seat, 0), about(GET_UP, seat, place))
    if place == 0:
        a.today = s.now


@part
def sit_down(s: Any, seat: Any, wanted: Any) -> Any:
    """A break of somebody who was called in is over."""
    a = row(s.seats, seat, SEAT)
    r = row(s.rungs, a.rung, RUNG)
    begin, end = a.today, a.today + r.max_s
    at, worked, place = begin, 0.0, 0
    for i in range(r.rests, r.rests_end):
        pause = row(s.rests, i, REST)
        leaves, back = begin + pause.after_s, begin + pause.after_s + pause.length_s
        if leaves > at:
            if place == wanted:
                come(s, seat, leaves, worked)
                return
            worked += leaves - at
            place += 1
        at = max(at, back)
    come(s, seat, end, worked)


@part
def get_up(s: Any, seat: Any, place: Any) -> Any:
    """A stretch of somebody who was called in ends; after the last one he rests, and comes again."""
    go(s, seat)
    a = row(s.seats, seat, SEAT)
    if place == a.stays - 1:
        a.here = 0
        a.free_from = s.now + row(s.rungs, a.rung, RUNG).rest_s
        _come_at(s, seat, a.free_from)
