"""What the benchmark sends: requests as bytes, drawn from posts of a quiet week, none of them twice."""

from __future__ import annotations

import json
import random
import time
from itertools import count

from careapi.bench_server import SECRET, TOKEN
from careapi.model import Mention, Receipt
from careapi.platforms import Family
from careapi.signatures import sign
from careapi.stores import open_store
from scenarios.names import NONE, Language, Platform, Topic, Visibility, members
from scenarios.text import render
from scenarios.traces import Trace

POOL = 2000
QUERY = "Where is my bag? Booking XK4Q7Z"  # in any language, by its sign and code
AGENTS = 500
CHUNK = 1024


class Noops:
    """A GET that does nothing."""

    status = 200

    def next(self) -> bytes:
        """The next request."""
        return _request("GET", "/noop", b"", {})

    def leaves(self, acknowledged: int) -> tuple[int, int]:
        """How many posts, and cases in hand, a store has more after so many."""
        return 0, 0


class Posts:
    """One signed post a request; languages, texts, and how many answer another, as in a quiet week.

    Parameters
    ----------
    pool : list of (text, language, public, answers another)
        What is said, over and over, by somebody else each time.
    """

    status = 202

    def __init__(self, pool: list[tuple[str, str, bool, bool]]) -> None:
        self._pool, self._numbers = pool, count(1)

    def next(self) -> bytes:
        """The next request."""
        number = next(self._numbers)
        text, language, public, answers = self._pool[number % len(self._pool)]
        post = {
            "platform": "generic", "external_id": str(number), "external_user": f"u{number}", "text": text,
            "lang": language, "public": public, "posted_at": "2010-04-15T03:00:00Z",
        }  # fmt: skip
        if answers and number > POOL:
            post["parent_external_id"] = str(number - POOL // 2)
        body = json.dumps({"mentions": [post]}).encode()
        headers = sign(Family.STANDARD, SECRET.encode(), body, f"msg_{number}", time.time())
        return _request("POST", "/v1/mentions", body, headers)

    def leaves(self, acknowledged: int) -> tuple[int, int]:
        """How many posts, and cases in hand, a store has more after so many."""
        return acknowledged, 0


class Claims:
    """Agents of two or three languages ask for a case, one after the other."""

    status = 200

    def __init__(self, seed: int = 1) -> None:
        rng = random.Random(seed)
        languages = [language.value for language in Language]
        spoken = [rng.sample(languages, rng.choice((2, 3))) for _ in range(AGENTS)]
        asked = [{"agent": f"a{n}", "langs": each, "max": 1000} for n, each in enumerate(spoken)]
        headers = {"Authorization": f"Bearer {TOKEN}"}
        self._requests = [_request("POST", "/v1/claims", json.dumps(each).encode(), headers) for each in asked]
        self._numbers = count()

    def next(self) -> bytes:
        """The next request."""
        return self._requests[next(self._numbers) % AGENTS]

    def leaves(self, acknowledged: int) -> tuple[int, int]:
        """How many posts, and cases in hand, a store has more after so many."""
        return 0, acknowledged


def pool(trace: Trace) -> list[tuple[str, str, bool, bool]]:
    """What the first posts of a trace say, in which language, whether in public, whether to another post."""
    found = []
    for row in range(min(POOL, len(trace["time_s"]))):
        language, topic = members(Language)[trace["language"][row]], members(Topic)[trace["topic"][row]]
        text = render(
            language, topic, int(trace["form"][row]), int(trace["text"][row]), bool(trace["case"][row] != NONE)
        )
        public = members(Visibility)[trace["visibility"][row]] is Visibility.PUBLIC
        found.append((text, language.value, public, int(trace["parent"][row]) != NONE))
    return found


async def fill(url: str, cases: int) -> None:
    """Put so many open cases into a new store, spread over all languages."""
    store = await open_store(url)
    languages = list(Language)
    for start in range(0, cases, CHUNK):
        posts = [
            Mention(
                Platform.GENERIC, str(number), f"u{number}", QUERY, languages[number % len(languages)],
                Visibility.PUBLIC, 0.0,
            )
            for number in range(start, min(cases, start + CHUNK))
        ]  # fmt: skip
        for told in await store.add_mentions(posts):
            assert isinstance(told, Receipt) and told.case_id is not None, told
    await store.close()


def _request(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body
