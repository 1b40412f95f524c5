"""What simulated customers and agents share: the fast clock, the service, and the cases with what became of them."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from loadtests.answers import Done
from loadtests.chances import Chances
from loadtests.ledger import Ledger
from loadtests.operations import Operation
from loadtests.talk import Talk
from scenarios.names import Language, Platform, Topic
from scenarios.text import handle, person

OPENED = "opened"
"""What a target file calls the case that a post belongs to, if the service tells it at once (`maybe` of `post`)."""


class Clock:
    """Scenario time that runs `speed` times as fast as the clock on the wall.

    Parameters
    ----------
    start_s : float
        Scenario seconds at the beginning.
    speed : float
    """

    def __init__(self, start_s: float, speed: float) -> None:
        self.speed, self._start_s, self._begun_s = speed, start_s, time.monotonic()

    @property
    def now_s(self) -> float:
        return self._start_s + (time.monotonic() - self._begun_s) * self.speed

    async def until(self, scenario_s: float) -> None:
        """Sleep until a scenario time; at once if it is past."""
        await asyncio.sleep(max(0.0, (scenario_s - self.now_s) / self.speed))

    async def sleep(self, scenario_s: float) -> None:
        await asyncio.sleep(max(0.0, scenario_s / self.speed))


class State(StrEnum):
    """How a case stands with its customer; each ends in one of these."""

    WAITING = "waiting"
    TALKING = "talking"  # answered, and the customer will write on
    DONE = "done"
    SILENT = "silent"  # left without a word; the service does not know
    GAVE_UP = "gave_up"


@dataclass
class CaseOf:
    """A case of the trace as its customer lives it; times are scenario seconds, None: never."""

    number: int
    topic: Topic
    language: Language
    values: dict[str, Any]  # what templates may use of the customer and his last post
    posted_s: float
    turns_s: list[float]
    state: State = State.WAITING
    first_reply_s: float | None = None
    replies: int = 0
    posts: int = 1
    escalated: bool = False
    taken: int = 0  # turns that agents took in hand
    known: bool = False  # the service has taken a post of it
    seen: bool = False  # the service has said which case of its own it belongs to
    in_hand: bool = False
    left_s: float | None = None  # work that is left in a turn that was handed back, at normal speed
    answered: asyncio.Event = field(default_factory=asyncio.Event)


class Floor:
    """Customers, agents and the service between them."""

    def __init__(self, talk: Talk, chances: Chances, clock: Clock, run: str) -> None:
        self.talk, self.chances, self.clock, self.run = talk, chances, clock, run
        self.cases: dict[int, CaseOf] = {}
        self.closing = asyncio.Event()
        self.ledger = Ledger()
        self._of_post: dict[str, int] = {}
        self._posts = 0

    async def open_until(self, scenario_s: float) -> bool:
        """Sleep until a scenario time; False, and earlier, if the desk closes before."""
        left_s = max(0.0, (scenario_s - self.clock.now_s) / self.clock.speed)
        try:
            async with asyncio.timeout(None if math.isinf(left_s) else left_s):
                await self.closing.wait()
        except TimeoutError:
            return True
        return False

    def waits(self, case: CaseOf) -> None:
        """From now on its customer waits for an answer, and nobody has it in hand."""
        case.in_hand = False
        self.ledger.waits(case.number, self.clock.now_s)

    def waits_no_more(self, case: CaseOf) -> None:
        """An agent has it in hand, or its customer is gone and has said so."""
        self.ledger.waits_no_more(case.number, self.clock.now_s)

    def customer(self, author: int, language: Language, platform: Platform, followers: int) -> dict[str, Any]:
        """What templates may use of somebody who writes."""
        return {
            "author": f"{self.run}-{author}", "handle": handle(language, author), "name": person(language, author),
            "language": language.value, "platform": platform.value, "followers": followers,
        }  # fmt: skip

    async def write(
        self, values: dict[str, Any], text: str, public: bool, post: str, parent: str | None, case: int | None
    ) -> Done:
        """A post: a customer is made known and a conversation opened before the first one, if the service wants it.

        What was shed, or nobody took, is tried again as often as it takes, as a platform would.
        """
        if case is not None:
            self._of_post[post] = case
        values |= {"text": text, "public": public, "post": post, "parent": parent, "posted_at": _now()}
        for operation in (Operation.CUSTOMER, Operation.CASE):
            if self.talk.has(operation) and operation not in values:
                done = await self.talk.surely(operation, values)
                if not done.ok:
                    return done
                values |= {**done.taken, operation: True}
        done = await self.talk.surely(Operation.POST, values)
        if done.ok and case in self.cases:
            self.cases[case].known = True
            self.cases[case].seen |= OPENED in done.taken
        return done

    def next_post(self) -> str:
        """Id of a post that is not in the trace."""
        self._posts += 1
        return f"{self.run}-w{self._posts}"

    def of_post(self, post: Any) -> CaseOf | None:
        """The case that a post belongs to."""
        number = self._of_post.get(str(post))
        return None if number is None else self.cases.get(number)

    def replied(self, case: CaseOf) -> None:
        """A platform brings an answer to its customer."""
        case.replies += 1
        if case.first_reply_s is None:
            case.first_reply_s = self.clock.now_s
        case.answered.set()


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
