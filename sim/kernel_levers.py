"""Levers in force in the compiled engine: what they change about a turn, a customer, a post, as `sim.effects`."""

from __future__ import annotations

from typing import Any

from scenarios.names import NONE
from sim import draws
from sim.codecache import part
from sim.crisis import EVERYBODY
from sim.kernel_chance import STREAM, uniform
from sim.kernel_memory import row
from sim.kernel_tables import BYTE, CLASS, LEVER, PARK, PROMISE


@part
def strength(s: Any, lever: Any) -> Any:
    """Effect of a lever that fades, at this moment."""
    return draws.faded(lever.effect, s.now - lever.since, lever.half_s, lever.renew_s)


@part
def fits(lever: Any, topic: Any, cls: Any, language: Any, platform: Any, visibility: Any) -> Any:
    """Whether a lever concerns a contact, as `sim.crisis.Who.fits`."""
    return (
        (lever.topics >> topic) & 1 == 1
        and (lever.classes == EVERYBODY or (cls != NONE and (lever.classes >> cls) & 1 == 1))
        and (lever.languages >> language) & 1 == 1
        and (lever.platforms >> platform) & 1 == 1
        and (lever.visibility >> visibility) & 1 == 1
    )


@part
def concerns_case(lever: Any, c: Any) -> Any:
    """Whether a lever concerns a case as it is now."""
    return fits(lever, c.topic, c.cls, c.language, c.platform, c.visibility)


@part
def any_on(s: Any, what: Any) -> Any:
    """Whether a lever of a kind is on: most of the time none is."""
    return (s.levers_on >> what) & 1 == 1


@part
def changed(s: Any, what: Any, value: Any, c: Any) -> Any:
    """A number of a case as the levers that concern it make it."""
    if not any_on(s, what):
        return value
    for i in range(s.levers_n):
        lever = row(s.levers, i, LEVER)
        if lever.on and lever.changes == what and concerns_case(lever, c):
            if lever.up:
                value *= 1.0 + strength(s, lever)
            else:
                value *= 1.0 - strength(s, lever)
    return value


@part
def promise_s(s: Any, c: Any) -> Any:
    """Time within which the next turn of a case is to be answered: by the last lever that says so, or the desk."""
    promise = row(s.classes, c.cls, CLASS)
    for i in range(s.levers_n if any_on(s, PROMISE) else 0):
        lever = row(s.levers, i, LEVER)
        if lever.on and lever.changes == PROMISE:
            promise = row(s.lever_classes, lever.promises + _class_of(s, lever, c), CLASS)
    return promise.next_s if c.k > 0 else promise.promise_s


@part
def _class_of(s: Any, lever: Any, c: Any) -> Any:
    """The case's class by the classes of a lever."""
    if c.like >= 0:
        return row(s.lever_promise, lever.promise * s.case_rows_n + c.like, BYTE).v
    return row(s.call_promise, lever.promise * s.post_time_n - 1 - c.like, BYTE).v


@part
def parked_by(s: Any, c: Any) -> Any:
    """The lever that puts the case's next turn aside, NONE: it may be answered."""
    for i in range(s.levers_n if any_on(s, PARK) else 0):
        lever = row(s.levers, i, LEVER)
        concerned = lever.on and lever.changes == PARK and concerns_case(lever, c)
        if concerned and uniform(s, STREAM.PARK, c.subject, c.k * 64 + i) < lever.effect:
            return i
    return NONE
