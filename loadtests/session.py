"""Rows that hang on earlier answers, sent through Locust's FastHttpSession: a greenlet for each row in flight.

It has the face of `loadtests.sender.Sender`. Every row begins when it is due, in a greenlet of its own, so a service
that stalls keeps no other row back. What is due when too many are in flight is dropped and counted. Beside the
locustfile the only module that imports Locust; `loadtests.work` imports it where it is needed, inside a function.
"""

from __future__ import annotations

import errno
import math
import os
import re
import ssl
import time
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, cast

import gevent
from gevent.lock import BoundedSemaphore
from geventhttpclient.client import HTTPClientPool
from geventhttpclient.response import HTTPConnectionClosed, HTTPParseError
from locust.contrib.fasthttp import FastHttpSession

from loadtests.alarm import Alarm, Loop
from loadtests.bodies import Bodies
from loadtests.chain import Chain, End, Event, Late, NoPlace
from loadtests.client import Answer, NoAnswer
from loadtests.entry import Token, asking, given, no_token
from loadtests.flows import CHAIN
from loadtests.result import Outcome
from loadtests.sender import BURST, NO_CONNECTION, TIMEOUT, Ended, hold_garbage
from loadtests.target import Options, Target
from loadtests.target_file import OAuth2, TargetFile
from loadtests.wire import MOST_ANSWER, NO_ANSWER, NOT_HTTP, TOO_LONG
from scenarios.errors import AshcloudError

NO_QUEUE = 1_000_000  # connections: as many as rows are in flight, which are limited before
ANSWERS = (Outcome.ANSWERED, Outcome.SHED)
AGAIN_S = 0.2  # between two tokens at least, whatever lives they have, and until the next try where none was to be had
_CHUNK = 65536
_CUT_OFF = re.compile("incomplete|connection closed", re.IGNORECASE)
_OURS = frozenset({errno.EMFILE, errno.ENFILE, errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})

now = time.monotonic


class _Pool(HTTPClientPool):
    """Clients that send a request once: by itself one sends what may be repeated as often as it has connections."""

    def get_client(self, url: Any) -> Any:
        client = super().get_client(url)
        client._connection_pool.size = -1
        return client


class _Told:
    """In the place of Locust's event: remembers what went wrong. What Locust is told is told elsewhere, once."""

    def fire(self, *, exception: BaseException | None, context: dict[str, Any], **_: Any) -> None:
        context["exception"] = exception


class Service:
    """A service behind a FastHttpSession, tokens for it, and what it has said to the rows of this worker.

    Parameters
    ----------
    target : Target
    file : TargetFile
    options : Options
    tls : ssl.SSLContext, optional
    bodies : Bodies
        Of the rows of this worker.

    Attributes
    ----------
    events : deque of Event
        Requests beside the posts; whoever reads them takes them out.

    Raises
    ------
    AshcloudError
        If a token is needed and none is to be had.
    """

    def __init__(
        self, target: Target, file: TargetFile, options: Options, tls: ssl.SSLContext | None, bodies: Bodies
    ) -> None:
        self._options = options
        wait_s = options.timeout_s
        pool = _Pool(
            concurrency=NO_QUEUE, connection_timeout=wait_s, network_timeout=wait_s, insecure=False,
            ssl_context_factory=lambda **_: tls or ssl.create_default_context(),
        )  # fmt: skip
        session = FastHttpSession(
            target.url.rstrip("/"), _Told(), None, insecure=False, client_pool=pool, max_retries=0, max_redirects=0
        )
        self._session = cast(Any, session)
        agent = cast(Any, session.client)
        agent.valid_response_codes = frozenset(range(1000))  # what a status means is for others to say
        agent.cookiejar = None  # one for all customers would make them one
        self.events: deque[Event] = deque()
        needed = {file.operations[operation].auth for operation in CHAIN if operation in file.operations}
        self.tokens = {
            name: Tokens(auth, self, file.base_url)
            for name, auth in file.auth.items()
            if isinstance(auth, OAuth2) and name in needed
        }
        self.chain = Chain(file, bodies, self.tokens, BoundedSemaphore, self.events)

    def sender(self, loop: Loop, due_s: Sequence[float]) -> Sessions:
        """What sends the rows of this worker."""
        return Sessions(loop, self, due_s, self._options)

    def ask(self, method: str, url: str, headers: Mapping[str, str], body: bytes, row: Row | None = None) -> Answer:
        """Send and wait for the answer; raises `NoAnswer`."""
        told: dict[str, Any] = {}
        lines = {"User-Agent": "ashcloud", "Accept-Encoding": "identity", **headers}
        response = self._session.request(method, url, data=body, headers=lines, stream=True, context=told)
        try:
            if (fault := told.get("exception")) is not None:
                raise fault
            if row is not None:
                row.first_s = now()
            content = bytearray()
            while part := response.read(_CHUNK):
                content += part
                if len(content) > MOST_ANSWER:
                    raise NoAnswer(TOO_LONG)
        except Exception as fault:
            raise _no_answer(fault) from None
        finally:
            if response.headers is not None:
                response.release()
        found = {name.lower(): str(value) for name, value in response.headers.items()}
        return Answer(response.status_code, found, bytes(content))

    def close(self) -> None:
        for tokens in self.tokens.values():
            tokens.close()
        self._session.client.close()


def _no_answer(found: BaseException) -> NoAnswer:
    """Why there is none, in the words of the lean way."""
    if isinstance(found, NoAnswer):
        return found
    fault = getattr(found, "original", None) or found  # what is wrapped as one that was not tried again
    if isinstance(fault, HTTPConnectionClosed):
        return NoAnswer(NO_ANSWER)
    if isinstance(fault, HTTPParseError):
        return NoAnswer(NO_ANSWER if _CUT_OFF.search(str(fault)) else NOT_HTTP)
    if isinstance(fault, TimeoutError):
        return NoAnswer(TIMEOUT)
    if isinstance(fault, OSError):
        if fault.errno in _OURS:
            return NoPlace(NO_CONNECTION)
        return NoAnswer((os.strerror(fault.errno) if fault.errno and fault.errno > 0 else str(fault)).lower())
    return NoAnswer(f"{type(fault).__name__}: {fault}")


class Tokens:
    """A token of OAuth2 that is there before it is needed, and renewed in the background before it ends."""

    def __init__(self, auth: OAuth2, service: Service, base_url: str) -> None:
        self._auth, self._service, self._base_url = auth, service, base_url
        self._lock = BoundedSemaphore()
        self._token = self._asked()
        self._keeper = gevent.spawn(self._keep)

    def token(self, refused: str = "") -> str:
        """The token, a new one if this was refused; raises `AshcloudError`."""
        if refused and self._token.text == refused:
            with self._lock:
                if self._token.text == refused:
                    self._token = self._asked()
        return self._token.text

    def close(self) -> None:
        self._keeper.kill(block=False)

    def _keep(self) -> None:
        while True:
            gevent.sleep(max(AGAIN_S, self._token.until_s - now()))
            try:
                with self._lock:
                    if now() >= self._token.until_s:
                        self._token = self._asked()
            except AshcloudError:
                gevent.sleep(AGAIN_S)  # the old one may hold for a while; if not, the rows say so

    def _asked(self) -> Token:
        asked, begun_s, error = asking(self._auth, self._base_url), now(), ""
        try:
            answer = self._service.ask("POST", asked.origin + asked.path, asked.headers, asked.body)
            return given(self._auth, answer, begun_s)
        except NoAnswer as why:
            error = str(why)
            raise no_token(self._auth, why) from None
        except AshcloudError as why:
            error = str(why)
            raise
        finally:
            self._service.events.append(Event("POST", "token", begun_s, now() - begun_s, 0, error))


class Row:
    """A row in flight: since when it is on its way, whether anything of it was sent, when its last answer began."""

    __slots__ = ("_service", "asked", "begun", "first_s", "greenlet", "place", "sent_s")

    def __init__(self, place: int, service: Service) -> None:
        self.place, self._service = place, service
        self.sent_s = self.first_s = math.nan
        self.begun = self.asked = False
        self.greenlet: Any = None

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.line()
        self.asked = True
        return self._service.ask(method, path, headers, body, self)

    def line(self) -> None:
        """From now on it waits for the service, or for what another row of its author asks of the service."""
        if math.isnan(self.sent_s):
            self.sent_s = now()


class Sessions:
    """Begins rows at their due times and collects what becomes of them in `results`; see `Sender`.

    Parameters
    ----------
    loop : Loop
    service : Service
    due_s : sequence of float
        When, by the clock of `time.monotonic`, ascending.
    options : Options
    """

    def __init__(self, loop: Loop, service: Service, due_s: Sequence[float], options: Options) -> None:
        self.results: deque[Ended] = deque()
        self.sent = 0
        self.halted = False
        self._service, self._due, self._chain, self._options = service, due_s, service.chain, options
        self._flying: dict[int, Row] = {}  # in the order of their due times
        self._next_s = due_s[0] if due_s else math.inf
        self._alarm = Alarm(loop, self.pump)

    @property
    def in_flight(self) -> int:
        return len(self._flying)

    @property
    def finished(self) -> bool:
        return self.sent >= len(self._due) and not self._flying

    @property
    def next_due_s(self) -> float:
        return self._next_s

    def warm(self) -> None:
        """Nothing: connections are opened when they are needed, each in the greenlet that needs it."""

    def start(self) -> None:
        hold_garbage()
        if self._due:
            self._alarm.at(self._next_s)

    def pump(self) -> None:
        """Begin what is due; called by the alarm."""
        due, t = self._due, now()
        n = min(len(due), self.sent + BURST)
        while not self.halted and self.sent < n and due[self.sent] <= t:
            place = self.sent
            self.sent = place + 1
            if len(self._flying) >= self._options.max_connections:
                self.results.append(Ended(place, math.nan, math.nan, t, 0, Outcome.DROPPED, NO_CONNECTION, 0))
                continue
            self._flying[place] = row = Row(place, self._service)
            row.greenlet = gevent.spawn(self._play, row)
        if self.halted:
            return
        self._next_s = due[self.sent] if self.sent < len(due) else math.inf
        if self.sent < len(due):
            self._alarm.at(self._next_s)

    def _play(self, row: Row) -> None:
        row.begun = True
        try:
            end = self._chain.play(row.place, row)
        except gevent.GreenletExit:
            return
        except Exception as fault:
            row.line()
            end = End(Outcome.FAILED, 0, f"{type(fault).__name__}: {fault}")
        if self.halted:
            return
        t, dropped = now(), end.outcome is Outcome.DROPPED
        if end.outcome in ANSWERS and t - self._due[row.place] > self._options.timeout_s:
            end = End(Outcome.FAILED, 0, TIMEOUT)  # nobody has looked since its time was up
        sent_s, first_s = (math.nan, math.nan) if dropped else (row.sent_s, row.first_s)
        del self._flying[row.place]
        self.results.append(Ended(row.place, sent_s, first_s, t, end.status, end.outcome, end.error, end.length))

    def expire(self) -> None:
        """End what has waited too long since it was due."""
        limit_s = now() - self._options.timeout_s
        for row in list(self._flying.values()):
            if self._due[row.place] > limit_s:
                return
            if row.begun:
                row.greenlet.kill(Late(TIMEOUT), block=False)

    def halt(self) -> list[tuple[int, float]]:
        """Stop; (place, sent_s) of each row whose answer is given up. Of the rest nothing was ever sent."""
        self.halted = True
        self._alarm.close()
        given_up = [(row.place, row.sent_s) for row in self._flying.values() if row.asked]
        for row in self._flying.values():
            row.greenlet.kill(block=False)
        self._flying.clear()
        self._service.close()
        self._next_s = math.inf
        return given_up
