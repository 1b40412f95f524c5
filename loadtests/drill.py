"""A drill: the customers of a trace and the agents of a desk work against a live service, on a fast clock.

Open at the front (every post of the trace is written when it is due, whatever the service does), closed
behind (what customers and agents do next hangs on what came before).
"""

from __future__ import annotations

import asyncio
import math
import os
import ssl
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from loadtests.agents import Duty, Worked, work
from loadtests.chances import Chances
from loadtests.client import Client
from loadtests.drilled import Drilled, Status, told
from loadtests.floor import Clock, Floor
from loadtests.operations import Operation
from loadtests.posting import Posting
from loadtests.refusals import refused
from loadtests.runner import Blind, Watch
from loadtests.talk import Talk
from loadtests.target_file import TargetFile
from scenarios.errors import AshcloudError, ComponentError, Fault, InputError
from scenarios.model import Scenario
from scenarios.names import PostKind, code
from scenarios.traces import Trace

LOOK_S = 0.25
CLOSE_S = 15.0  # on the wall, in which what is under way at the end comes home
REFUSED_S = 2.0  # the same where the service did not let us in
MOST_PER_S = 500  # posts a second on the wall at the peak that conversations can hold; above, replay instead

Tasks = set[asyncio.Task[None]]


def play(
    trace: Trace, scenario: Scenario, duties: Sequence[Duty], file: TargetFile, speed: float, drain_h: float = 0.0,
    watch: Watch | None = None, most_requests: int | None = None, tls: ssl.SSLContext | None = None,
    due_s: NDArray[np.float64] | None = None,
) -> Drilled:  # fmt: skip
    """Play a trace against a service with the agents of a desk.

    Parameters
    ----------
    trace : Trace
        All of it is played; cut it before.
    scenario : Scenario
        How customers behave, and how long work takes; faults of the customer system and of payments slow it.
    duties : sequence of Duty
        Who is there when.
    file : TargetFile
    speed : float
        Scenario seconds in a second.
    drain_h : float
        Hours beyond the window in which agents and customers go on.
    watch : Watch, optional
        Told `at_s` (seconds since the start, on the wall), `scenario_s`, `posts`, `replies`, `waiting` (cases),
        `at_work` and `there` (agents), `failed` (requests).
    most_requests : int, optional
        The drill ends when so many were made; what is in hand then is handed back within them.
    tls : ssl.SSLContext, optional
        Whom to trust; by default whom the system does.
    due_s : (n,) float64, optional
        When each row of the trace comes to the service, in scenario seconds; inf: not at all. By default when it is
        written.

    Returns
    -------
    Drilled
        Also if it was stopped, or if something failed on the way: then with a status that says so.

    Raises
    ------
    InputError
        If the speed is not above 0, or so high that the peak is beyond what conversations can hold; if the service
        does not let posts or agents in.
    ComponentError
        If what answers is no service, or gives no token.
    """
    check(trace, speed)
    most = math.inf if most_requests is None else most_requests
    drill = _Drill(trace, scenario, duties, file, speed, drain_h, watch or Blind(), most, tls, due_s)
    return asyncio.run(drill.played())


def check(trace: Trace, speed: float) -> None:
    """Refuse what cannot be held."""
    if not speed > 0.0:
        raise InputError(None, [Fault("speed", f"is {speed:g}, should be above 0")])
    times = trace["time_s"][trace["kind"] != code(PostKind.CALL)]
    peak = float((np.searchsorted(times, times + speed) - np.arange(times.size)).max(initial=0))
    if peak > MOST_PER_S:
        apart_s = float((times[MOST_PER_S:] - times[:-MOST_PER_S]).min())  # so many are never due in less
        digits = 10.0 ** (math.floor(math.log10(apart_s)) - 2) if apart_s > 0.0 else 1.0
        most = math.floor(apart_s / digits) * digits
        what = f"is {speed:g}: {peak:,.0f} posts are due in one second, at most {MOST_PER_S} can be held"
        less = f"take {most:g} or less, or replay" if most > 0.0 else "replay"
        raise InputError(None, [Fault("speed", f"{what}; {less} with `ashcloud load`")])


class _Drill:
    """One drill: begun, looked after, and closed so that nothing is left in anybody's hands."""

    def __init__(
        self, trace: Trace, scenario: Scenario, duties: Sequence[Duty], file: TargetFile, speed: float,
        drain_h: float, watch: Watch, most: float, tls: ssl.SSLContext | None, due_s: NDArray[np.float64] | None,
    ) -> None:  # fmt: skip
        self._due_s = due_s
        self._trace, self._scenario, self._duties, self._file = trace, scenario, duties, file
        self._speed, self._watch, self._most, self._tls = speed, watch, most, tls
        self._start_s, end_s = trace.about["window_s"]
        self._until_s = end_s + drain_h * 3600.0
        self._done = [(duty.code, Worked()) for duty in duties]

    async def played(self) -> Drilled:
        async with Client(self._file.base_url, self._tls) as client:
            await self._begin(client)
            status, why = await self._watched()
            at_s = min(self._floor.clock.now_s, self._until_s)
            await self._close(status == "finished")
            window_s = (self._start_s, self._until_s if status == "finished" else at_s)
            return told(self._floor, self._posting, self._done, window_s, status, why)

    async def _begin(self, client: Client) -> None:
        run = os.urandom(4).hex()
        chances = Chances(self._scenario, int(self._trace.about["seed"]), int(self._trace.about["replication"]))
        talk = Talk(self._file, client, run, most=self._most)
        await talk.enter()
        self._floor = floor = Floor(talk, chances, Clock(self._start_s, self._speed), run)
        self._posting = Posting(floor, self._trace, self._scenario, self._until_s, self._due_s)
        chances.warm()
        floor.clock = Clock(self._start_s, self._speed)  # what was made until here has taken its time
        pairs = zip(self._duties, self._done, strict=True)
        self._agents = {asyncio.create_task(work(floor, duty, each)) for duty, (_, each) in pairs}
        self._whole = asyncio.create_task(self._all())

    async def _all(self) -> None:
        await self._posting.all()
        await self._floor.clock.until(self._until_s)

    async def _watched(self) -> tuple[Status, str]:
        """Look on until it is over, and say how it ended."""
        talk = self._floor.talk
        while True:
            over, _ = await asyncio.wait({self._whole}, timeout=LOOK_S)
            fault = refused(talk)
            if fault is not None:
                await self._close(False, 0.0 if isinstance(fault, ComponentError) else REFUSED_S)
                raise fault
            if over:
                self._whole.result()
                return "at the limit" if talk.spent else "finished", ""
            self._watch.status(self._status())
            if talk.spent:
                return "at the limit", ""
            if self._watch.stopped():
                return "interrupted", ""
            if why := _fallen((*self._agents, *self._posting.lives, *self._posting.sending)):
                return "failed", why

    def _status(self) -> dict[str, float]:
        floor, counts = self._floor, self._floor.talk.counts
        return {
            "at_s": (floor.clock.now_s - self._start_s) / self._speed,
            "scenario_s": floor.clock.now_s,
            "posts": self._posting.posts,
            "replies": counts[Operation.REPLY].answered if Operation.REPLY in counts else 0,
            "waiting": floor.ledger.waiting,
            "at_work": sum(done.at_work for _, done in self._done),
            "there": sum(done.there for _, done in self._done),
            "failed": sum(count.failed for count in counts.values()),
        }

    async def _close(self, whole: bool, patient_s: float = CLOSE_S) -> None:
        """Agents hand back what they have in hand, what was sent comes home; customers write no more."""
        floor, posting = self._floor, self._posting
        floor.talk.last_s = floor.talk.now_s + patient_s
        floor.closing.set()
        self._whole.cancel()
        lives = set(posting.lives)
        for life in lives if not whole else ():
            life.cancel()
        homing: Tasks = {*self._agents, *posting.sending, *(lives if whole else ())}
        if homing:
            await asyncio.wait(homing, timeout=patient_s)
        left: Tasks = {self._whole, *homing, *posting.sending, *posting.lives}
        for task in left:
            task.cancel()
        for told_ in await asyncio.gather(*left, return_exceptions=True):
            if isinstance(told_, Exception) and not isinstance(told_, AshcloudError):
                raise told_


def _fallen(tasks: Iterable[asyncio.Task[None]]) -> str:
    """Why the first of the tasks ended that should not have; empty: none did. Raises what is a fault of ours."""
    for task in tasks:
        fault = task.exception() if task.done() and not task.cancelled() else None
        if isinstance(fault, AshcloudError):
            return str(fault)
        if fault is not None:
            raise fault
    return ""


def has_agents(file: TargetFile) -> bool:
    """Whether agents can work there at all."""
    return {Operation.CLAIM, Operation.REPLY} <= file.operations.keys()
