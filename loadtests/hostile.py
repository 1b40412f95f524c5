"""Posts that no service should take, and none should fall over: each is spoilt in one way.

A service is right to refuse them, with 4xx or as rejected posts in its answer; it is wrong to take one, to answer 5xx,
or to hang up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

FORGED = "forged"


def _crowd(body: bytes) -> bytes:
    delivery = msgspec.json.decode(body)
    return msgspec.json.encode({"mentions": delivery["mentions"] * 101})


WHOLE: dict[str, Callable[[bytes], bytes]] = {
    FORGED: lambda body: body,  # rightly written, wrongly signed
    "no JSON": lambda body: body[:-3],
    "no UTF-8": lambda body: body.replace(b'"text":"', b'"text":"\xff\xfe', 1),
    "half a surrogate": lambda body: body.replace(b'"text":"', b'"text":"\\ud800', 1),
    "not a number": lambda body: body.replace(b'"followers":', b'"followers":NaN,"x":', 1),
    "deep": lambda body: b'{"mentions":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a crowd": _crowd,
}
"""What is done to the body of a delivery, by name: all that is in it is to be refused."""

FIELDS: dict[str, tuple[str, object]] = {
    "zero character": ("text", "end\0less"),
    "unknown language": ("lang", "xx"),
    "unknown field": ("colour", "red"),
    "no time": ("posted_at", "yesterday"),
    "too long": ("text", "a" * 20_001),
}
"""What is done to a post alone: a field and its value. Others in the same delivery are to be taken all the same."""

NAMES = (*WHOLE, *FIELDS)
"""All ways; a schedule holds the place of the name, from 1."""


def alone(number: int) -> bool:
    """Whether the way of this number, 0: none, spoils a whole delivery, with all that is in it."""
    return number > 0 and NAMES[number - 1] in WHOLE


def spoilt_post(number: int, post: Mapping[str, Any]) -> Mapping[str, Any]:
    """A post in the generic form, spoilt in the way of this number; as it is for 0, and for a way of deliveries."""
    if number == 0 or alone(number):
        return post
    name, value = FIELDS[NAMES[number - 1]]
    return {**post, name: value}


def spoilt_body(number: int, body: bytes) -> bytes:
    """A generic delivery of one post, spoilt in the way of this number; as it is for 0, and for a way of posts."""
    return WHOLE[NAMES[number - 1]](body) if alone(number) else body


def forged(number: int) -> bool:
    """Whether its signature is wrong, not its body."""
    return number > 0 and NAMES[number - 1] == FORGED
