"""Simulated customers: they wait, write again, read what is answered, think, go public, or give up."""

from __future__ import annotations

import asyncio
import contextlib
import math

from loadtests.floor import CaseOf, Floor, State
from loadtests.operations import Operation
from scenarios.names import TextForm, code
from scenarios.text import render

POLL_S = 0.2  # on the wall, between two looks at a service that has to be asked for replies
HOUR_S = 3600.0


async def live(floor: Floor, case: CaseOf, until_s: float) -> None:
    """The life of a case from its first post on, until it ends or the scenario does.

    Parameters
    ----------
    floor : Floor
    case : CaseOf
        Its first post has been written.
    until_s : float
        Scenario seconds beyond which nobody acts.
    """
    watching = asyncio.create_task(_look(floor, case)) if floor.talk.has(Operation.REPLIES) else None
    try:
        await _talk(floor, case, until_s)
    finally:
        if watching is not None:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching


async def _talk(floor: Floor, case: CaseOf, until_s: float) -> None:
    wait = attempts = 0
    while floor.clock.now_s < until_s:
        case.state = State.WAITING
        answered = await _wait(floor, case, wait, until_s)
        wait += 1
        if answered:
            attempts = 0
            if case.replies >= len(case.turns_s):
                case.state = State.DONE
                return
            case.state = State.TALKING
            thinks_s = floor.chances.thinks_s(case.number, case.replies)
            await floor.clock.until(min(floor.clock.now_s + thinks_s, until_s))
            if floor.clock.now_s < until_s:
                floor.waits(case)
                await _write(floor, case)
        elif floor.clock.now_s < until_s:
            if floor.chances.leaves_silently(case.number, wait - 1):
                case.state = State.SILENT
                return
            attempts += 1
            floor.waits_no_more(case)
            if not await _turns_elsewhere(floor, case, attempts, until_s):
                case.state = State.GAVE_UP
                return


async def _wait(floor: Floor, case: CaseOf, wait: int, until_s: float) -> bool:
    """Wait for an answer, writing again at times; False when patience or the scenario is over."""
    chances, clock = floor.chances, floor.clock
    begun_s = clock.now_s
    end_s = min(until_s, begun_s + chances.patience_s(case.topic, case.number, wait))
    j, again_s = 0, begun_s + chances.behaviour.recontact.after_h * HOUR_S
    again_s += chances.writes_again_s(case.number, j)
    while True:
        wake_s = min(end_s, again_s)
        left_s = None if math.isinf(wake_s) else max(0.0, (wake_s - clock.now_s) / clock.speed)
        try:
            async with asyncio.timeout(left_s):
                await case.answered.wait()
            case.answered.clear()
            return True
        except TimeoutError:
            if clock.now_s >= end_s:
                return False
            await _write(floor, case)
            j += 1
            again_s = clock.now_s + chances.writes_again_s(case.number, j)


async def _write(floor: Floor, case: CaseOf, public: bool | None = None) -> None:
    """Write on: in the same conversation, or in public."""
    case.posts += 1
    text = render(case.language, case.topic, code(TextForm.SHORT), case.number * 64 + case.posts)
    seen = bool(case.values["public"]) if public is None else public
    await floor.write(case.values, text, seen, floor.next_post(), case.values["post"], case.number)


async def _turns_elsewhere(floor: Floor, case: CaseOf, attempts: int, until_s: float) -> bool:
    """Who gave up aloud tries once more, goes public, changes the platform; False if he is gone for good."""
    onward = floor.chances.turns_to(case.number, attempts)
    if onward is None or onward[0].to == "phone" or attempts >= floor.chances.behaviour.max_attempts:
        return False
    row, delay_s = onward
    await floor.clock.until(min(floor.clock.now_s + delay_s, until_s))
    if row.to == "public":
        case.escalated = True
    elif row.to != "same":
        case.values["platform"] = str(row.to)
        case.values["parent"] = None
    floor.waits(case)
    await _write(floor, case, True if row.to == "public" else None)
    return True


async def _look(floor: Floor, case: CaseOf) -> None:
    """Ask the service for replies, as an app would that the customer has open."""
    seen = 0
    while True:
        await asyncio.sleep(POLL_S)
        done = await floor.talk.do(Operation.REPLIES, case.values)
        found = done.taken.get("replies") if done.ok else None
        theirs = len(found) - case.posts if isinstance(found, list) else 0
        for _ in range(seen, theirs):
            floor.replied(case)
        seen = max(seen, theirs)
