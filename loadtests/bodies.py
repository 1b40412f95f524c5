"""What is sent: posts, rendered from the codes of a schedule and signed, ahead of their due time.

They come in the generic form at one path, or, if the path holds ``{platform}``, each in the form of its platform at
its platform's own.

A signature holds the time, and a service may refuse one that is five minutes old: so posts are made for the
moment at which they are due, and two minutes ahead at most.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from loadtests.forms import delivery, signed
from loadtests.hostile import forged, spoilt
from loadtests.schedule import Schedule
from loadtests.target import Target
from loadtests.templated import Templated
from loadtests.terms import Budget, Terms
from scenarios.names import NONE, Language, Platform, Topic, Visibility, code, members
from scenarios.text import handle, person, render

PLATFORM = "{platform}"
AHEAD_ROWS = 150_000
AHEAD_BYTES = 160_000_000
AHEAD_S = 120.0
_PUBLIC = code(Visibility.PUBLIC)
_encode = msgspec.json.Encoder().encode


class Bodies:
    """Requests of some rows of a schedule, made when asked for or ahead.

    Parameters
    ----------
    schedule : Schedule
    rows : slice
        Of the schedule; place 0 is its first row, and so on.
    target : Target
    run : str
        In front of every id: a service tells repeated posts by it, so no two runs may share one.

    Attributes
    ----------
    terms : Terms
        On which the rows are sent.
    late : int
        Requests that were not made ahead.
    """

    def __init__(self, schedule: Schedule, rows: slice, target: Target, run: str) -> None:
        # Lists of Python numbers: numpy hands out its own one by one at ten times the cost.
        self._columns: dict[str, list[Any]] = {
            name: schedule[name][rows].tolist() for name in schedule.columns if name != "time_s"
        }
        self._run = run
        self._secret = target.secret.encode()
        self._own_form = PLATFORM in target.path and target.file is None
        self._template = None if target.file is None else Templated(target)
        self.terms = self._terms(schedule, rows)
        self._heads = [_head(target, platform.value) for platform in members(Platform)]
        self._begun_s = 0.0
        self._made: list[bytes | None] = [None] * len(self._columns["due_s"])
        self._next, self._held, self._held_bytes = 0, 0, 0
        self.late = 0

    def _terms(self, schedule: Schedule, rows: slice) -> Terms:
        if self._template is None:
            return Terms(self.hostile)
        per_s = self._template.budget_per_s
        budget = None if per_s is None else Budget(schedule["due_s"], per_s, rows)
        return Terms(self.hostile, self._template.counts, budget)

    def hostile(self, place: int) -> bool:
        """Whether a service should refuse it."""
        return bool(self._columns["hostile"][place])

    def begin(self, wall_s: float) -> None:
        """Say at what time of day (seconds since the epoch) the replay starts; before the first `prepare`."""
        self._begun_s = wall_s

    def prepare(self, place: int, at_s: float, budget_s: float) -> bool:
        """Make requests ahead for at most `budget_s` seconds.

        Parameters
        ----------
        place : int
            First place that has not been asked for.
        at_s : float
            Seconds since the start of the replay: what is due much later waits.
        budget_s : float

        Returns
        -------
        more : bool
            Whether it could have gone on.
        """
        until = time.perf_counter() + budget_s
        self._next = max(self._next, place)
        due = self._columns["due_s"]
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
        self._made[place] = None
        self._held -= 1
        self._held_bytes -= len(made)
        return made

    def _request(self, place: int) -> bytes:
        if self._template is not None:
            return self._templated(self._template, place)
        body, number, hostile = self.body(place), self._columns["platform"][place], self._columns["hostile"][place]
        platform, secret = members(Platform)[number] if self._own_form else None, self._secret
        if hostile:
            body, platform, number = spoilt(hostile, body), None, code(Platform.GENERIC)
            secret = secret and (b"not " + secret if forged(hostile) else secret)
        lines = b""
        if secret:
            at_s = int(self._begun_s + self._columns["due_s"][place])
            lines = signed(platform, secret, self.identity(place).encode(), at_s, body)
        return b"%s%sContent-Length: %d\r\n\r\n%s" % (self._heads[number], lines, len(body), body)

    def identity(self, place: int, row: int | None = None) -> str:
        """Id of the post of a place, or of another row of the same replication."""
        columns = self._columns
        return f"{self._run}-{columns['replication'][place]}-{columns['row'][place] if row is None else row}"

    def _templated(self, template: Templated, place: int) -> bytes:
        """The request that a target file makes of the post of a place."""
        hostile, at_s = self._columns["hostile"][place], self._begun_s + self._columns["due_s"][place]
        post = self._post(place)
        values = {
            **{name: post[name] for name in ("platform", "text", "public", "posted_at", "handle", "name", "followers")},
            "author": post["external_user"], "language": post["lang"], "post": post["external_id"],
            "parent": post.get("parent_external_id"), "run": self._run, "key": self.identity(place), "now_s": int(at_s),
        }  # fmt: skip
        values["now"] = values["posted_at"] = post["posted_at"].isoformat().replace("+00:00", "Z")
        return template.made(values, lambda body: spoilt(hostile, body) if hostile else body)

    def body(self, place: int) -> bytes:
        """The delivery of a place: JSON with its one post."""
        hostile = self._columns["hostile"][place]
        return _encode(delivery(self._post(place), self._own_form and not hostile))

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
