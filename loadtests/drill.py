"""A drill: the customers of a trace and the agents of a desk work against a live service, on a fast clock.

Open at the front (every post of the trace is written when it is due, whatever the service does), closed
behind (what customers and agents do next hangs on what came before).
"""

from __future__ import annotations

import asyncio
import math
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from loadtests.agents import Duty, Worked, work
from loadtests.chances import Chances
from loadtests.client import Client
from loadtests.customers import live
from loadtests.floor import CaseOf, Clock, Floor, State
from loadtests.histogram import Histogram
from loadtests.operations import Operation
from loadtests.result import Outcome
from loadtests.talk import Talk
from loadtests.target_file import TargetFile
from scenarios.errors import Fault, InputError
from scenarios.model import Scenario
from scenarios.names import NONE, Language, Platform, PostKind, Topic, Visibility, code, members
from scenarios.text import render
from scenarios.traces import Trace

Status = Literal["finished", "interrupted", "at the limit"]
LOOK_S = 0.25
MOST_PER_S = 500.0  # posts a second on the wall at the peak that conversations can hold; above, replay instead


@dataclass(frozen=True)
class Drilled:
    """What came of a drill.

    Attributes
    ----------
    number : (n,) int64
        Of the cases that were opened, ascending, as in the trace.
    first_response_s : (n,) float64
        From the post to the first answer, in scenario seconds; inf: never.
    states : tuple of State
    posts, failed_posts : int
        Of the trace, written, and those that the service did not take.
    lag_p99_s : float
        From due time to send, on the wall: the error of the drill itself.
    agents : tuple of (code, Worked)
    operations : mapping
        Counts and times of each operation, see `loadtests.talk.Count`.
    recontacts, escalated : int
        Posts that customers wrote on their own while they waited; cases that went public.
    languages : tuple of Language
        Of the cases.
    status : str
        ``finished``, or why it ended before: ``interrupted``, or ``at the limit`` of its requests.
    """

    number: NDArray[np.int64]
    first_response_s: NDArray[np.float64]
    states: tuple[State, ...]
    posts: int
    failed_posts: int
    lag_p99_s: float
    agents: tuple[tuple[str, Worked], ...]
    operations: dict[str, Any]
    recontacts: int
    escalated: int
    languages: tuple[Language, ...] = ()
    status: Status = "finished"

    def to_dict(self) -> dict[str, Any]:
        """Figures, ready for JSON."""
        answered = np.isfinite(self.first_response_s)
        waits = self.first_response_s[answered]
        return {
            "status": self.status,
            "cases": int(self.number.size),
            "answered": int(answered.sum()),
            "first_response_mean_s": float(waits.mean()) if waits.size else None,
            "first_response_p50_s": float(np.median(waits)) if waits.size else None,
            "states": dict(sorted(Counter(str(state) for state in self.states).items())),
            "posts": self.posts,
            "failed_posts": self.failed_posts,
            "recontacts": self.recontacts,
            "escalated": self.escalated,
            "lag_p99_s": self.lag_p99_s,
            "turns": sum(done.turns for _, done in self.agents),
            "transfers": sum(done.transfers for _, done in self.agents),
            "payment_links": sum(done.links for _, done in self.agents),
            "crew_notices": sum(done.notices for _, done in self.agents),
            "operations": self.operations,
        }


class Watch(Protocol):
    """Looks on, and may end a drill."""

    def look(self, at_s: float, posts: int, replies: int, failed: int) -> None:
        """How far it is: scenario seconds, and what was done so far."""

    def stopped(self) -> bool:
        """Whether to end."""


class Blind:
    """Nobody looks on."""

    def look(self, at_s: float, posts: int, replies: int, failed: int) -> None:
        """See `Watch`."""

    def stopped(self) -> bool:
        """See `Watch`."""
        return False


def play(
    trace: Trace, scenario: Scenario, duties: Sequence[Duty], file: TargetFile, speed: float, drain_h: float = 0.0,
    watch: Watch | None = None, most_requests: int | None = None,
) -> Drilled:  # fmt: skip
    """Play a trace against a service with the agents of a desk.

    Parameters
    ----------
    trace : Trace
        All of it is played; cut it before.
    scenario : Scenario
        How customers behave, and how long work takes.
    duties : sequence of Duty
        Who is there when.
    file : TargetFile
    speed : float
        Scenario seconds in a second.
    drain_h : float
        Hours beyond the window in which agents and customers go on.
    watch : Watch, optional
    most_requests : int, optional
        The drill ends when so many were made.

    Raises
    ------
    InputError
        If the speed is not above 0, or so high that the peak is beyond what conversations can hold.
    """
    check(trace, speed)
    most = math.inf if most_requests is None else most_requests
    return asyncio.run(_played(trace, scenario, duties, file, speed, drain_h, watch or Blind(), most))


def check(trace: Trace, speed: float) -> None:
    """Refuse what cannot be held."""
    if not speed > 0.0:
        raise InputError(None, [Fault("speed", f"is {speed:g}, should be above 0")])
    times = trace["time_s"][trace["kind"] != code(PostKind.CALL)] / speed
    peak = float((np.searchsorted(times, times + 1.0) - np.arange(times.size)).max(initial=0))
    if peak > MOST_PER_S:
        most = speed * MOST_PER_S / peak
        what = f"is {speed:g}: {peak:,.0f} posts are due in one second, at most {MOST_PER_S:g} can be held"
        raise InputError(None, [Fault("speed", f"{what}; take {most:.3g} or less, or replay with `ashcloud load`")])


async def _played(
    trace: Trace, scenario: Scenario, duties: Sequence[Duty], file: TargetFile, speed: float, drain_h: float,
    watch: Watch, most: float,
) -> Drilled:  # fmt: skip
    start_s, end_s = trace.about["window_s"]
    until_s = end_s + drain_h * 3600.0
    run = os.urandom(4).hex()
    async with Client(file.base_url) as client:
        chances = Chances(scenario, int(trace.about["seed"]), int(trace.about["replication"]))
        floor = Floor(Talk(file, client, run, most=most), chances, Clock(start_s, speed), run)
        posting = _Posting(floor, trace, scenario, until_s)
        chances.warm()
        floor.clock = Clock(start_s, speed)  # what was made until here has taken its time
        done = [(duty.code, Worked()) for duty in duties]
        agents = [asyncio.create_task(work(floor, duty, each)) for duty, (_, each) in zip(duties, done, strict=True)]
        whole = asyncio.create_task(_whole(floor, posting, agents, until_s))
        status: Status = "finished"
        try:
            while not (await asyncio.wait({whole}, timeout=LOOK_S))[0]:
                _look(watch, floor, posting)
                if floor.talk.spent or watch.stopped():
                    status = "at the limit" if floor.talk.spent else "interrupted"
                    break
            else:
                await whole
        finally:
            tasks = (whole, *posting.sending, *agents, *posting.lives)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return _told(floor, posting, done, status)


async def _whole(floor: Floor, posting: _Posting, agents: Sequence[asyncio.Task[None]], until_s: float) -> None:
    """All posts, the time until the end, and what customers and agents have in hand then."""
    await posting.all()
    await floor.clock.until(until_s)
    await asyncio.gather(*posting.lives)
    await asyncio.wait_for(asyncio.gather(*agents), timeout=60.0)


def _look(watch: Watch, floor: Floor, posting: _Posting) -> None:
    counts = floor.talk.counts
    replies = counts[Operation.REPLY].answered if Operation.REPLY in counts else 0
    watch.look(floor.clock.now_s, posting.posts, replies, sum(count.failed for count in counts.values()))


@dataclass
class _Prepared:
    """A post, made before the clock starts: texts, names and laws take their time the first time."""

    due_s: float
    values: dict[str, Any]
    text: str
    public: bool
    post: str
    parent: str | None
    case: int | None
    opens: CaseOf | None


class _Posting:
    """Writes the posts of a trace when they are due, and lets each case live from its first one on."""

    def __init__(self, floor: Floor, trace: Trace, scenario: Scenario, until_s: float) -> None:
        self._floor, self._trace, self._scenario, self._until_s = floor, trace, scenario, until_s
        self._columns = {name: trace[name].tolist() for name in trace.columns}
        rows = np.flatnonzero(trace["kind"] != code(PostKind.CALL)).tolist()
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
            task.add_done_callback(sending.discard)
        await asyncio.gather(*sending)

    async def _one(self, post: _Prepared) -> None:
        floor = self._floor
        if post.opens is not None:
            floor.cases[post.opens.number] = post.opens
        done = await floor.write(post.values, post.text, post.public, post.post, post.parent, post.case)
        self.posts += 1
        self.failed += done.outcome is not Outcome.ANSWERED
        if post.opens is not None and done.outcome is Outcome.ANSWERED:
            self.lives.append(asyncio.create_task(live(floor, post.opens, self._until_s)))

    def _prepared(self, row: int) -> _Prepared:
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
        return _Prepared(
            due_s=c["time_s"][row],
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


def _told(floor: Floor, posting: _Posting, done: list[tuple[str, Worked]], status: Status) -> Drilled:
    cases = [floor.cases[number] for number in sorted(floor.cases)]
    first = [np.inf if c.first_reply_s is None else c.first_reply_s - c.posted_s for c in cases]
    return Drilled(
        number=np.array([c.number for c in cases], dtype=np.int64),
        first_response_s=np.array(first, dtype=np.float64),
        states=tuple(c.state for c in cases),
        posts=posting.posts,
        failed_posts=posting.failed,
        lag_p99_s=Histogram.of(posting.lags_s).quantile_s(0.99) if posting.lags_s else 0.0,
        agents=tuple(done),
        operations=floor.talk.to_dict(),
        recontacts=sum(c.posts - 1 for c in cases),
        escalated=sum(c.escalated for c in cases),
        languages=tuple(c.language for c in cases),
        status=status,
    )


def has_agents(file: TargetFile) -> bool:
    """Whether agents can work there at all."""
    return {Operation.CLAIM, Operation.REPLY} <= file.operations.keys()
