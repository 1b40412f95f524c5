from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careapi.bodies import MOST_POSTS, BadBody, Rejected, read
from careapi.model import Mention
from scenarios.names import Language, Platform, Visibility

POST: dict[str, Any] = {
    "platform": "generic", "external_id": "1", "external_user": "7", "handle": "ann7", "name": "Ann", "followers": 3,
    "text": "Where is my bag?", "lang": "en", "public": True, "parent_external_id": None,
    "posted_at": "2010-04-15T03:00:00.000Z",
}  # fmt: skip


def body(*posts: object) -> bytes:
    return json.dumps({"mentions": posts}).encode()


def test_a_post_is_read_as_it_was_sent() -> None:
    (post,) = read(body(POST))
    assert post == Mention(
        Platform.GENERIC, "1", "7", "Where is my bag?", Language.EN, Visibility.PUBLIC, 1_271_300_400.0, "Ann"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"lang": "xx"}, {"platform": "myspace"}, {"text": "a\0b"}, {"external_id": ""},
        {"external_id": 5}, {"external_id": "x" * 201}, {"public": 1}, {"posted_at": "2010-04-15T03:00:00"},
        {"followers": -1}, {"followers": 10**400}, {"unknown": 1}, {"name": "\0"},
        {"text": "x" * 20_001}, {"parent_external_id": ""},
    ],
)  # fmt: skip
def test_a_bad_post_is_refused_and_does_not_spoil_the_others(change: dict[str, Any]) -> None:
    first, bad, last = read(body(POST, {**POST, **change}, POST))
    assert isinstance(first, Mention) and isinstance(last, Mention)
    assert isinstance(bad, Rejected) and bad.place == 1 and bad.why


@pytest.mark.parametrize(
    "bad",
    [
        b"", b"null", b"[]", b"{}", b'{"mentions":[]}', b'{"mentions":null}', b"\xff\xfe", body(POST)[:-3],
        b'{"mentions":' + b"[" * 100_000 + b"]" * 100_000 + b"}", body(*[POST] * (MOST_POSTS + 1)),
        b'{"mentions":[1],"more":2}',
        # Not JSON at all, so the posts beside it cannot be told from it:
        body(POST, {**POST, "text": "half \ud800"}), body(POST, {**POST, "followers": float("nan")}),
    ],
)  # fmt: skip
def test_what_is_no_delivery_is_a_bad_body(bad: bytes) -> None:
    with pytest.raises(BadBody):
        read(bad)


@given(st.binary() | st.text().map(lambda text: body({**POST, "text": text})))
def test_bytes_give_posts_or_a_bad_body_and_nothing_else(noise: bytes) -> None:
    try:
        posts = read(noise)
    except BadBody:
        return
    assert all(isinstance(post, Mention | Rejected) for post in posts)
