"""What a row asks for, one after the other: to make its author known, to open the conversation, to write the post.

An author is made known once and a conversation opened once, by the first row of theirs. Rows that come while that
is under way stand in line for it, and for nothing else: posts of one conversation do not wait for each other. If it
fails the row has failed, and says at what; the next row tries again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from loadtests.answers import Done, judged
from loadtests.bodies import Bodies
from loadtests.client import Answer, NoAnswer
from loadtests.entry import let_in
from loadtests.flows import CHAIN, FIRST
from loadtests.operations import Operation
from loadtests.result import Outcome
from loadtests.talk import Count, written
from loadtests.target_file import TargetFile
from loadtests.terms import BEYOND, Window
from scenarios.errors import AshcloudError

AHEAD_ROWS = 10_000  # 2 kB each
NOTHING = "said that there is nothing"

now = time.monotonic


class NoPlace(NoAnswer):
    """It was not sent, and that is the generator's own doing."""


class Late(NoAnswer):
    """The row has waited too long since it was due; thrown into it wherever it is."""


class Lock(AbstractContextManager[Any], Protocol):
    """One at a time, in whatever way rows wait."""

    def locked(self) -> bool: ...


class Tokens(Protocol):
    """Where tokens come from."""

    def token(self, refused: str = "") -> str:
        """One that holds, and is not the one that was refused; raises `AshcloudError`."""


class Asks(Protocol):
    """What sends requests for a row."""

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send and wait for the answer; raises `NoAnswer`."""

    def line(self) -> None:
        """The row stands in line now behind another one of its author."""


class End(NamedTuple):
    """How a row has ended."""

    outcome: Outcome
    status: int
    error: str
    length: int = 0


class Event(NamedTuple):
    """A request beside the post of a row, for Locust's table; `error` is empty for a success."""

    method: str
    name: str
    begun_s: float
    took_s: float
    length: int
    error: str


@dataclass
class _Known:
    """What the service has said of an author, or of a conversation; None: not yet."""

    lock: Lock
    done: Done | None = None


class Chain:
    """Operations of a target file for the rows of one worker.

    Parameters
    ----------
    file : TargetFile
    bodies : Bodies
        What each row says, and whose it is.
    tokens : mapping
        By the name of the table below ``[auth]``, for those that are OAuth2.
    lock : callable
        Makes a lock.
    events : deque of Event
        Where requests beside the posts are told.

    Attributes
    ----------
    counts : mapping
        How each operation went; the time of one is from its own request to its answer.
    """

    def __init__(
        self, file: TargetFile, bodies: Bodies, tokens: Mapping[str, Tokens], lock: Callable[[], Lock],
        events: deque[Event],
    ) -> None:  # fmt: skip
        self._file, self._bodies, self._tokens, self._lock, self._events = file, bodies, tokens, lock, events
        mine = [operation for operation in CHAIN if operation in file.operations]
        self.counts = {operation: Count() for operation in mine}
        budgets = {operation: file.operations[operation].budget_per_s for operation in mine}
        self._windows = {operation: Window(per_s) for operation, per_s in budgets.items() if per_s is not None}
        self._known: dict[tuple[int, ...], _Known] = {}
        self._made: dict[int, dict[str, Any]] = {}
        self._next = self._passed = 0

    def prepare(self, place: int, at_s: float, budget_s: float) -> bool:
        """Put into words what rows say, ahead of their due time; as `loadtests.bodies.Bodies.prepare`."""
        until_s, last = now() + budget_s, min(len(self._bodies), place + AHEAD_ROWS)
        while self._passed < min(place, self._next):  # what was dropped was never played
            self._made.pop(self._passed, None)
            self._passed += 1
        self._next = max(self._next, place)
        while self._next < last:
            self._made[self._next] = self._bodies.values(self._next)
            self._next += 1
            if now() > until_s:
                return True
        return False

    def play(self, place: int, asks: Asks) -> End:
        """Do what the row at a place needs, until its post is answered or something has failed."""
        made = self._made.pop(place, None)
        values = {**self._file.values, **(self._bodies.values(place) if made is None else made)}
        thread = self._bodies.thread(place)
        for operation, key in zip(FIRST, (thread[:2], thread), strict=True):
            if operation not in self._file.operations:
                continue
            try:
                done = self._once(operation, key, values, asks)
            except NoAnswer as why:
                return _unsent(why, f"{operation}: ")
            if not done.ok:
                outcome = Outcome.SHED if done.outcome is Outcome.SHED else Outcome.FAILED
                return End(outcome, done.status, f"{operation}: {_words(done)}")
            values |= done.taken
        try:
            done, length = self._done(Operation.POST, values, asks)
        except NoAnswer as why:
            return _unsent(why, "")
        return End(done.outcome, done.status, "" if done.outcome is Outcome.ANSWERED else _words(done), length)

    def _once(self, operation: Operation, key: tuple[int, ...], values: Mapping[str, Any], asks: Asks) -> Done:
        """What the service has said when it was asked before, else what it says now."""
        known = self._known.get(key)
        if known is None:
            known = self._known[key] = _Known(self._lock())
        if known.done is None:
            if known.lock.locked():
                asks.line()
            with known.lock:
                if known.done is None:
                    done, _ = self._done(operation, {**values, "key": f"{values['key']}-{operation}"}, asks)
                    if not done.ok:
                        return done
                    known.done = done
        return known.done

    def _done(self, operation: Operation, values: Mapping[str, Any], asks: Asks) -> tuple[Done, int]:
        """Do an operation, count it, and give the length of its answer; raises `NoPlace` if it was not sent."""
        begun_s, length = now(), 0
        try:
            answer = self._asked(operation, values, asks)
            done, length = judged(self._file.operations[operation], answer), len(answer.body)
        except NoPlace:
            raise
        except (NoAnswer, AshcloudError) as why:
            done = Done(Outcome.FAILED, 0, error=str(why))
        took_s = now() - begun_s
        self.counts[operation].book(done, took_s)
        if operation in FIRST:
            error = "" if done.outcome is Outcome.ANSWERED else _words(done)
            method = self._file.operations[operation].method
            self._events.append(Event(method, str(operation), begun_s, took_s, length, error))
        return done, length

    def _asked(self, operation: Operation, values: Mapping[str, Any], asks: Asks) -> Answer:
        """The answer; where a token is refused, that to the same request with a new one."""
        request = self._file.operations[operation]
        path, headers, body = written(request, values)
        auth, tokens, token = self._file.auth.get(request.auth), self._tokens.get(request.auth), ""
        for again in (False, True):
            token = "" if tokens is None else tokens.token(token)
            if operation in self._windows and not self._windows[operation].allows(now()):
                raise NoPlace(BEYOND)
            answer = asks.ask(request.method, path, {**headers, **let_in(auth, values, body, token)}, body)
            if answer.status != 401 or tokens is None or again:
                break
        return answer


def _unsent(why: NoAnswer, at: str) -> End:
    """The end of a row that was dropped, or that has stood in line for too long."""
    return End(Outcome.DROPPED if isinstance(why, NoPlace) else Outcome.FAILED, 0, f"{at}{why}")


def _words(done: Done) -> str:
    if done.nothing:
        return NOTHING
    return done.error or f"HTTP {done.status}"
