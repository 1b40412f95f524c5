"""Writes the posts of a trace when they are due, and lets each case live from its first post on."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests.customers import live
from loadtests.floor import CaseOf, Floor
from loadtests.result import Outcome
from scenarios.model import Scenario
from scenarios.names import NONE, Language, Platform, PostKind, Topic, Visibility, code, members
from scenarios.text import render
from scenarios.traces import Trace


@dataclass
class Prepared:
    """A post, made before the clock starts: texts, names and laws take their time the first time."""

    due_s: float
    values: dict[str, Any]
    text: str
    public: bool
    post: str
    parent: str | None
    case: int | None
    opens: CaseOf | None


class Posting:
    """Writes the posts of a trace when they are due, and lets each case live from its first one on."""

    def __init__(
        self, floor: Floor, trace: Trace, scenario: Scenario, until_s: float, due_s: NDArray[np.float64] | None
    ) -> None:
        self._floor, self._trace, self._scenario, self._until_s = floor, trace, scenario, until_s
        self._columns = {name: trace[name].tolist() for name in trace.columns}
        self._due_s = (trace["time_s"] if due_s is None else due_s).tolist()
        written = (trace["kind"] != code(PostKind.CALL)) & np.isfinite(self._due_s)
        rows = sorted(np.flatnonzero(written).tolist(), key=lambda row: (self._due_s[row], row))
        self._posts = [self._prepared(row) for row in rows]
        self.lives: list[asyncio.Task[None]] = []
        self.lags_s: list[float] = []
        self.sending: set[asyncio.Task[None]] = set()
        self.posts = self.failed = 0

    async def all(self) -> None:
        """Every post at its time; a slow answer keeps none of the next ones back."""
        clock, sending = self._floor.clock, self.sending
        for post in self._posts:
            await clock.until(post.due_s)
            self.lags_s.append((clock.now_s - post.due_s) / clock.speed)
            task = asyncio.create_task(self._one(post))
            sending.add(task)
            task.add_done_callback(self._sent)

    def _sent(self, task: asyncio.Task[None]) -> None:
        """Forget it, unless it has failed: whoever looks at the drill has to see that."""
        if task.cancelled() or task.exception() is None:
            self.sending.discard(task)

    async def _one(self, post: Prepared) -> None:
        floor, taken = self._floor, False
        if post.opens is not None:
            floor.cases[post.opens.number] = post.opens
        if post.case in floor.cases and not floor.cases[post.case].in_hand:
            floor.waits(floor.cases[post.case])
        try:
            done = await floor.write(post.values, post.text, post.public, post.post, post.parent, post.case)
            taken = done.outcome is Outcome.ANSWERED
        finally:  # the drill may end before the service takes it
            self.posts += 1
            self.failed += not taken
        if post.opens is not None and taken:
            self.lives.append(asyncio.create_task(live(floor, post.opens, self._until_s)))

    def _prepared(self, row: int) -> Prepared:
        c, floor = self._columns, self._floor
        language, topic = members(Language)[c["language"][row]], members(Topic)[c["topic"][row]]
        number = int(c["case"][row])
        platform = members(Platform)[c["platform"][row]]
        values = floor.customer(c["author"][row], language, platform, int(c["influence"][row]))
        opens = None
        if c["kind"][row] == code(PostKind.CASE):
            values |= self._flight(row)
            work_s = floor.chances.turns_s(topic, number)
            opens = CaseOf(number, topic, language, values, c["time_s"][row], work_s)
        return Prepared(
            due_s=self._due_s[row],
            values=values,
            text=render(language, topic, c["form"][row], c["text"][row], asks=number != NONE),
            public=c["visibility"][row] == code(Visibility.PUBLIC),
            post=f"{floor.run}-{row}",
            parent=None if c["parent"][row] == NONE else f"{floor.run}-{c['parent'][row]}",
            case=None if number == NONE else number,
            opens=opens,
        )

    def _flight(self, row: int) -> dict[str, str]:
        """The flight that a customer is on, if he is on one that is still to go."""
        flight, departure_h = self._columns["flight"][row], self._columns["departure_h"][row]
        if flight == NONE or not 0.0 < departure_h < 1e4:
            return {}
        leaves = self._scenario.clock(self._columns["time_s"][row]) + timedelta(hours=departure_h)
        return {"flight": f"KL{1000 + flight % 9000}", "day": f"{leaves:%Y-%m-%d}"}
