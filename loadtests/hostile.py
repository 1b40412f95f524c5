"""Posts that no service should take, and none should fall over: each is spoilt in one way.

A service is right to refuse them, with 4xx or as rejected posts in its answer; it is wrong to take one, to answer 5xx,
or to hang up.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

FORGED = "forged"


def _field(name: str, value: object) -> Callable[[bytes], bytes]:
    def spoil(body: bytes) -> bytes:
        delivery = msgspec.json.decode(body)
        delivery["mentions"][0][name] = value
        return msgspec.json.encode(delivery)

    return spoil


def _crowd(body: bytes) -> bytes:
    delivery = msgspec.json.decode(body)
    return msgspec.json.encode({"mentions": delivery["mentions"] * 101})


SPOILT: dict[str, Callable[[bytes], bytes]] = {
    FORGED: lambda body: body,  # rightly written, wrongly signed
    "no JSON": lambda body: body[:-3],
    "no UTF-8": lambda body: body.replace(b'"text":"', b'"text":"\xff\xfe', 1),
    "half a surrogate": lambda body: body.replace(b'"text":"', b'"text":"\\ud800', 1),
    "not a number": lambda body: body.replace(b'"followers":', b'"followers":NaN,"x":', 1),
    "zero character": _field("text", "end\0less"),
    "unknown language": _field("lang", "xx"),
    "unknown field": _field("colour", "red"),
    "no time": _field("posted_at", "yesterday"),
    "too long": _field("text", "a" * 20_001),
    "deep": lambda body: b'{"mentions":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    "a crowd": _crowd,
}
"""What is done to the body, by name; a schedule holds the place of the name, from 1."""

NAMES = tuple(SPOILT)


def spoilt(number: int, body: bytes) -> bytes:
    """A generic delivery of one post, spoilt in the way of this number, from 1."""
    return SPOILT[NAMES[number - 1]](body)


def forged(number: int) -> bool:
    """Whether its signature is wrong, not its body."""
    return NAMES[number - 1] == FORGED
