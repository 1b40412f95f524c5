"""The open loop: every request is sent at its due time, whatever the server does.

No greenlet and no thread a request: a timer of the kernel and the sockets call back, and each callback
sends whatever is due by then. So neither a stall of the server nor a burst of answers keeps rows back. What
is due when no connection is left, or beyond the budget, is dropped and counted, never sent late in silence.
"""

from __future__ import annotations

import gc
import math
import ssl
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from loadtests.alarm import Alarm, Loop
from loadtests.result import Outcome
from loadtests.target import Options, Target
from loadtests.terms import BEYOND, USUAL, Terms
from loadtests.wire import IDLE, REJECTED, Connection

BURST = 64  # rows sent in one callback at most: above, answers would go unread
KEEP_S = 4.0  # idle connections older than this may be closed by the server at any moment
NO_CONNECTION = "generator out of connections"
TIMEOUT = "no answer in time"
TAKEN = "hostile post was taken"

now = time.monotonic


class Ended(NamedTuple):
    """A row that has ended; times by the clock of `time.monotonic`."""

    place: int
    sent_s: float
    first_s: float
    done_s: float
    status: int
    outcome: Outcome
    error: str
    length: int


class Sender:
    """Sends requests at their due times and collects what becomes of their rows in `results`.

    Parameters
    ----------
    loop : Loop
        Of events; all happens in its callbacks.
    endpoint : Endpoint
        Where to.
    due_s : sequence of float
        When each request is, by the clock of `time.monotonic`, ascending.
    request : callable
        Its bytes by its place in `due_s`; each place is asked for once.
    options : Options
    terms : Terms, optional
        Which rows a request carries, how many a second, and what counts as success.

    Attributes
    ----------
    results : deque of Ended
        Whoever reads them takes them out.
    sent : int
        Number of requests that are under way or behind: the next one to be sent.
    """

    def __init__(
        self,
        loop: Loop,
        endpoint: Endpoint,
        due_s: Sequence[float],
        request: Callable[[int], bytes],
        options: Options,
        terms: Terms = USUAL,
    ) -> None:
        self.loop = loop
        self.family, self.address, self.host, self.tls = endpoint
        self.results: deque[Ended] = deque()
        self.sent = 0
        self.halted = False
        self._due, self._request, self._options, self._terms = due_s, request, options, terms
        self._idle: deque[Connection] = deque()
        self._flying: dict[Connection, None] = {}  # in the order of their sending
        self._open = 0
        self._pumping = False
        self._next_s = due_s[0] if due_s else math.inf
        self._alarm = Alarm(loop, self.pump)

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    @property
    def finished(self) -> bool:
        """Whether every request has been sent and has ended."""
        return self.sent >= len(self._due) and not self._flying

    @property
    def next_due_s(self) -> float:
        """When the next request is due, inf if there is none."""
        return self._next_s

    def warm(self) -> None:
        """Open connections ahead, so that the first rows need not wait for them."""
        if self._options.connections == "pool":
            for _ in range(min(self._options.warm, self._options.max_connections, len(self._due))):
                if (connection := self._opened()) is not None:
                    self._idle.append(connection)

    def start(self) -> None:
        """Begin."""
        hold_garbage()
        if self._due:
            self._alarm.at(self._next_s)

    def pump(self) -> None:
        """Send what is due; called by the alarm and after every answer."""
        if self._pumping or self.halted or now() < self._next_s:
            return
        self._pumping = True
        try:
            self._send_due()
        finally:
            self._pumping = False
        due = self._due
        self._next_s = due[self.sent] if self.sent < len(due) else math.inf
        if self.sent < len(due):
            self._alarm.at(self._next_s)

    def _send_due(self) -> None:
        due, n, budget = self._due, min(len(self._due), self.sent + BURST), self._terms.budget
        t = now()
        while self.sent < n:
            if due[self.sent] > t:
                t = now()
                if due[self.sent] > t:
                    return
            place = self.sent
            self.sent = place + 1
            if budget is not None and not budget.allows(place, now() - due[place]):
                self._drop(place, BEYOND)
                continue
            connection = self._connection()
            if connection is None:
                self._drop(place, NO_CONNECTION)
                continue
            self._flying[connection] = None
            connection.send(self._request(place), place)

    def _drop(self, place: int, why: str) -> None:
        t = now()
        for row in self._terms.rows(place):
            self.results.append(Ended(row, math.nan, math.nan, t, 0, Outcome.DROPPED, why, 0))

    def _connection(self) -> Connection | None:
        """The one that was used last, or a new one; None if there are too many."""
        while self._idle:
            connection = self._idle.pop()
            if now() - connection.idle_s < KEEP_S:
                return connection
            self._close(connection)
        return self._opened() if self._open < self._options.max_connections else None

    def _opened(self) -> Connection | None:
        """A new connection; None if the system has no more of them."""
        try:
            connection = Connection(self)
        except OSError:
            return None
        self._open += 1
        return connection

    def _close(self, connection: Connection) -> None:
        self._open -= 1
        connection.close()

    # What connections tell.

    def ended(self, connection: Connection, status: int, error: str, shed: bool, keep: bool) -> None:
        """A request has ended: success is an answer, 429 and 503 with Retry-After are shed, all else has failed."""
        t = now()
        place, connection.place = connection.place, IDLE
        del self._flying[connection]
        if error in ("", REJECTED) and t - self._due[place] > self._options.timeout_s:  # nobody has looked since then
            status, error, shed = 0, TIMEOUT, False
        terms, rows = self._terms, self._terms.rows(place)
        success, rejected = terms.success(status), [at for at in connection.rejected if 0 <= at < len(rows)]
        for at, row in enumerate(rows):
            taken = error == REJECTED and rejected and at not in rejected
            outcome, what = judged(status, "" if taken else error, shed, terms.hostile(row), success)
            self.results.append(
                Ended(row, connection.sent_s, connection.first_s, t, status, outcome, what, connection.length)
            )
        if keep and self._options.connections == "pool" and not self.halted:
            connection.idle_s = t
            self._idle.append(connection)
        else:
            self._close(connection)
        self.pump()

    def gone(self, connection: Connection) -> None:
        """A connection that nobody used is closed."""
        self._open -= 1
        if connection in self._idle:
            self._idle.remove(connection)

    # Ends.

    def expire(self) -> None:
        """End what has waited too long since it was due."""
        limit_s = now() - self._options.timeout_s
        for connection in list(self._flying):
            if self._due[connection.place] > limit_s:
                return
            connection.expire(TIMEOUT)

    def halt(self) -> list[tuple[int, float]]:
        """Stop; (place, sent_s) of each row whose answer is given up. The others were never sent."""
        self.halted = True
        self._alarm.close()
        rows = self._terms.rows
        given_up = [(row, connection.sent_s) for connection in self._flying for row in rows(connection.place)]
        for connection in (*self._flying, *self._idle):
            connection.close()
        self._flying.clear()
        self._idle.clear()
        self._next_s = math.inf
        return given_up


def hold_garbage() -> None:
    """Garbage is hardly collected while rows are due, as that takes milliseconds."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(200_000, 20, 100)


def judged(status: int, error: str, shed: bool, hostile: bool, success: bool) -> tuple[Outcome, str]:
    """What an answer means, and what is wrong with it; a hostile post has to be refused."""
    good = success and not error
    if hostile and not shed:
        if error == REJECTED or (400 <= status < 500 and not error):
            return Outcome.ANSWERED, ""
        return Outcome.FAILED, TAKEN if good else error or f"HTTP {status} to a hostile post"
    if good:
        return Outcome.ANSWERED, ""
    return (Outcome.SHED if shed else Outcome.FAILED), error or f"HTTP {status}"


class Endpoint(NamedTuple):
    """An address to connect to, looked up once."""

    family: int
    address: Any
    host: str
    tls: ssl.SSLContext | None


def context(target: Target) -> ssl.SSLContext | None:
    """Whom to trust for TLS, None if it is plain; raises `OSError` or `ssl.SSLError` for a bad file."""
    if not target.tls:
        return None
    made = ssl.create_default_context()
    if target.ca is not None:
        made.load_verify_locations(cafile=target.ca)
    return made
