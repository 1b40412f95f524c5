"""What is sent: posts, rendered from the codes of a schedule and signed, ahead of their due time.

They come in the generic form at one path, or, if the path holds ``{platform}``, in the form of their platform at
its own; one a request, or as many as the schedule says.

A signature holds the time, and a service may refuse one that is five minutes old: so posts are made for the
moment at which they are due, and two minutes ahead at most.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from loadtests.forms import delivery, signed
from loadtests.hostile import forged, spoilt_body, spoilt_post
from loadtests.schedule import Schedule
from loadtests.target import HOOK, Target
from loadtests.templated import Templated
from loadtests.terms import Budget, Terms
from scenarios.names import NONE, Language, Platform, Topic, Visibility, code, members
from scenarios.text import handle, person, render

PLATFORM = HOOK
AHEAD_ROWS = 150_000
AHEAD_BYTES = 160_000_000
AHEAD_S = 120.0
_PUBLIC = code(Visibility.PUBLIC)
_encode = msgspec.json.Encoder().encode

Rows = slice | NDArray[np.int64]


class Bodies:
    """Requests of some rows of a schedule, made when asked for or ahead.

    Parameters
    ----------
    schedule : Schedule
    rows : slice or (k,) array of int
        Of the schedule; all of each request. Row 0 is the first of them, request 0 the one that carries it, and so on.
    target : Target
    run : str
        In front of every id: a service tells repeated posts by it, so no two runs may share one.

    Attributes
    ----------
    terms : Terms
        On which they are sent.
    first : list of int
        The first row of each request, and behind them the number of all rows.
    late : int
        Requests that were not made ahead.
    """

    def __init__(self, schedule: Schedule, rows: Rows, target: Target, run: str) -> None:
        # Lists of Python numbers: numpy hands out its own one by one at ten times the cost.
        self._columns: dict[str, list[Any]] = {
            name: schedule[name][rows].tolist() for name in schedule.columns if name not in ("time_s", "request")
        }
        request = schedule["request"][rows]
        self.first: list[int] = [*np.flatnonzero(np.diff(request, prepend=-1)).tolist(), request.size]
        self._run = run
        self._secret = target.secret.encode()
        self._own_form = PLATFORM in target.path and target.file is None
        self._template = None if target.file is None else Templated(target)
        self.terms = self._terms(schedule, rows)
        self._heads = [_head(target, platform.value) for platform in members(Platform)]
        self._begun_s = 0.0
        self._due_s = [self._columns["due_s"][row] for row in self.first[:-1]]
        self._made: list[bytes | None] = [None] * len(self._due_s)
        self._next, self._passed, self._held, self._held_bytes = 0, 0, 0, 0
        self.late = 0

    def _terms(self, schedule: Schedule, rows: Rows) -> Terms:
        if self._template is None:
            return Terms(self.rows, self.hostile)
        per_s = self._template.budget_per_s
        budget = None if per_s is None else Budget(schedule["due_s"], per_s, rows)
        return Terms(self.rows, self.hostile, self._template.counts, budget)

    def __len__(self) -> int:
        """How many requests there are."""
        return len(self._made)

    def rows(self, place: int) -> range:
        """The rows that the request of a place carries."""
        return range(self.first[place], self.first[place + 1])

    def hostile(self, row: int) -> bool:
        """Whether a service should refuse it."""
        return bool(self._columns["hostile"][row])

    def begin(self, wall_s: float) -> None:
        """Say at what time of day (seconds since the epoch) the replay starts; before the first `prepare`."""
        self._begun_s = wall_s

    def prepare(self, place: int, at_s: float, budget_s: float) -> bool:
        """Make requests ahead for at most `budget_s` seconds.

        Parameters
        ----------
        place : int
            First request that has not been asked for.
        at_s : float
            Seconds since the start of the replay: what is due much later waits.
        budget_s : float

        Returns
        -------
        more : bool
            Whether it could have gone on.
        """
        until = time.perf_counter() + budget_s
        while self._passed < min(place, self._next):  # what was dropped was never taken
            if self._made[self._passed] is not None:
                self._forget(self._passed)
            self._passed += 1
        self._next = max(self._next, place)
        due = self._due_s
        while self._next < len(due) and due[self._next] <= at_s + AHEAD_S:
            if self._held >= AHEAD_ROWS or self._held_bytes >= AHEAD_BYTES:
                return False
            made = self._request(self._next)
            self._made[self._next] = made
            self._next += 1
            self._held += 1
            self._held_bytes += len(made)
            if time.perf_counter() > until:
                return True
        return False

    def take(self, place: int) -> bytes:
        """The request of a place: the one made ahead, else made now, and counted in `late`."""
        made = self._made[place]
        if made is None:
            self.late += 1
            return self._request(place)
        self._forget(place)
        return made

    def _forget(self, place: int) -> None:
        made = self._made[place]
        assert made is not None
        self._made[place] = None
        self._held -= 1
        self._held_bytes -= len(made)

    def _request(self, place: int) -> bytes:
        rows = self.rows(place)
        if self._template is not None:
            return self._templated(self._template, rows[0])
        c = self._columns
        hostile = c["hostile"][rows[0]] if len(rows) == 1 else 0
        own_form = self._own_form and not hostile
        body, number, secret = self.body(place), c["platform"][rows[0]], self._secret
        if hostile:
            body, number = spoilt_body(hostile, body), code(Platform.GENERIC)
            secret = secret and (b"not " + secret if forged(hostile) else secret)
        lines = b""
        if secret:
            at_s = int(self._begun_s + self._due_s[place])
            platform = members(Platform)[number] if own_form else None
            lines = signed(platform, secret, self._delivery(rows).encode(), at_s, body)
        return b"%s%sContent-Length: %d\r\n\r\n%s" % (self._heads[number], lines, len(body), body)

    def _delivery(self, rows: range) -> str:
        """Id of a delivery: that of its post, or of its first one with their number, as that may come again alone."""
        identity = self.identity(rows[0])
        return identity if len(rows) == 1 else f"{identity}+{len(rows) - 1}"

    def identity(self, place: int, row: int | None = None) -> str:
        """Id of the post of a row, or of another row of the same replication by its place in the trace."""
        columns = self._columns
        return f"{self._run}-{columns['replication'][place]}-{columns['row'][place] if row is None else row}"

    def _templated(self, template: Templated, place: int) -> bytes:
        """The request that a target file makes of the post of a place."""
        return template.made(self.values(place))

    def thread(self, place: int) -> tuple[int, int, int]:
        """Who writes (replication, author), and in which conversation: each of his cases is one, all else another."""
        c = self._columns
        return c["replication"][place], c["author"][place], c["case"][place]

    def values(self, place: int) -> dict[str, Any]:
        """What a target file may use of the post of a row."""
        at_s = self._begun_s + self._columns["due_s"][place]
        post = self._post(place)
        values: dict[str, Any] = {
            **{name: post[name] for name in ("platform", "text", "public", "posted_at", "handle", "name", "followers")},
            "author": post["external_user"], "language": post["lang"], "post": post["external_id"],
            "parent": post.get("parent_external_id"), "run": self._run, "key": self.identity(place), "now_s": int(at_s),
        }  # fmt: skip
        values["now"] = values["posted_at"] = post["posted_at"].isoformat().replace("+00:00", "Z")
        return values

    def body(self, place: int) -> bytes:
        """The delivery of a request: JSON with its posts."""
        rows, hostile = self.rows(place), self._columns["hostile"]
        own_form = self._own_form and not hostile[rows[0]]
        return _encode(delivery([spoilt_post(hostile[row], self._post(row)) for row in rows], own_form))

    def _post(self, place: int) -> dict[str, Any]:
        c = self._columns
        language = members(Language)[c["language"][place]]
        author, parent = c["author"][place], c["parent"][place]
        at = datetime.fromtimestamp(self._begun_s + c["due_s"][place], UTC)
        post = {
            "platform": members(Platform)[c["platform"][place]].value,
            "external_id": self.identity(place),
            "external_user": f"{self._run}-{c['replication'][place]}-{author}",
            "text": render(
                language,
                members(Topic)[c["topic"][place]],
                c["form"][place],
                c["text"][place],
                c["case"][place] != NONE,
            ),
            "lang": language.value,
            "public": c["visibility"][place] == _PUBLIC,
            "posted_at": at,
            "handle": handle(language, author),
            "name": person(language, author),
            "followers": int(c["influence"][place]),
        }
        if parent != NONE:
            post["parent_external_id"] = self.identity(place, parent)
        return post


def probe(target: Target, wall_s: float) -> bytes:
    """A delivery without posts, rightly signed: a service refuses it for its body, not for its signature.

    A service that a target file describes is only asked whether it speaks HTTP.
    """
    if target.file is not None:
        lines = f"GET {target.prefix}/ HTTP/1.1\r\nHost: {target.netloc}\r\nConnection: close\r\n\r\n"
        return lines.encode()
    body = b'{"mentions":[]}'
    head = _head(target, Platform.GENERIC.value).replace(b"keep-alive", b"close")
    if target.secret:
        head += signed(None, target.secret.encode(), b"probe", int(wall_s), body)
    return b"%sContent-Length: %d\r\n\r\n%s" % (head, len(body), body)


def _head(target: Target, platform: str) -> bytes:
    path = target.full_path.replace(PLATFORM, platform)
    return (
        f"POST {path} HTTP/1.1\r\nHost: {target.netloc}\r\nContent-Type: application/json\r\n"
        "User-Agent: ashcloud\r\nConnection: keep-alive\r\n"
    ).encode()
