"""From the raw bytes of a delivery to mentions: the generic form, one post at a time.

One bad post does not spoil the others, because a sender that is told "no" sends all of them again.
What no store could keep or no agent answer is refused here: NUL, unknown languages. What is no JSON, such
as NaN or half a surrogate, makes the whole delivery a bad body.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, TypeVar

import msgspec

from careapi.model import Mention
from scenarios.names import Language, Platform, Visibility

MOST_POSTS = 100
MOST_NUMBER = 2**53 - 1  # what every reader of JSON can hold
BAD = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises for bytes that are not what was asked for."""

_KEPT: dict[str, object] = {"pattern": r"^[^\x00]*$"}  # told, and looked at by `unkept` with words of its own
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200, extra_json_schema=_KEPT)]
_Text = Annotated[str, msgspec.Meta(max_length=20_000, extra_json_schema=_KEPT)]
_Name = Annotated[str, msgspec.Meta(max_length=200, extra_json_schema=_KEPT)]
_Time = Annotated[datetime, msgspec.Meta(tz=True)]
T = TypeVar("T")


class Generic(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One post in the generic form; unknown fields, languages and platforms are refused."""

    platform: Platform
    external_id: _Id
    external_user: _Id
    text: _Text
    lang: Language
    public: bool
    posted_at: _Time
    handle: _Name = ""
    name: _Name = ""
    followers: Annotated[int, msgspec.Meta(ge=0, le=10**12)] = 0
    parent_external_id: _Id | None = None


class Delivery(msgspec.Struct, forbid_unknown_fields=True):
    """Posts in the generic form; each is read by itself."""

    mentions: Annotated[list[msgspec.Raw], msgspec.Meta(min_length=1, max_length=MOST_POSTS)]


@dataclass(frozen=True)
class Rejected:
    """A post that cannot be kept: its place in the delivery, from 0, and why."""

    place: int
    why: str


class BadBody(Exception):
    """A body that is no delivery at all."""


def _whole(letters: str) -> float:
    value = float(letters)
    return int(value) if value.is_integer() and abs(value) <= MOST_NUMBER else value


ANY = msgspec.json.Decoder(float_hook=_whole)
"""Reads any JSON; 3.0 is a whole number, as JSON has it."""
_delivery = msgspec.json.Decoder(Delivery)
_generic = msgspec.json.Decoder(Generic)


def read(body: bytes, platform: Platform | None = None) -> list[Mention | Rejected]:
    """Read a delivery in the generic form.

    Parameters
    ----------
    body : bytes
        JSON, ``{"mentions": [...]}`` with 1 to 100 posts.
    platform : Platform, optional
        Whose posts these have to be; posts of any if None.

    Returns
    -------
    posts : list of Mention or Rejected
        In the order of the delivery.

    Raises
    ------
    BadBody
        If the body is not JSON, not UTF-8, nested too deeply, or no delivery; never anything else.
    """
    posts = decoded(_delivery, body).mentions
    return [_read_one(place, bytes(raw), platform) for place, raw in enumerate(posts)]


def decoded(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a whole body; raises `BadBody` and nothing else."""
    try:
        return decoder.decode(body)
    except BAD as fault:
        raise BadBody(str(fault)) from None


def as_said(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """Decode a body; what does not fit is read once more with 3.0 as the whole number that JSON takes it for."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        return msgspec.convert(ANY.decode(body), decoder.type)


def unkept(said: Iterable[str]) -> str | None:
    """Why texts cannot be kept, or None if they can."""
    if any("\0" in each for each in said):
        return "a text holds a zero character, which no store keeps; leave it out"
    return None


def _read_one(place: int, raw: bytes, platform: Platform | None) -> Mention | Rejected:
    try:
        post = as_said(_generic, raw)
    except BAD as fault:
        return Rejected(place, str(fault))
    if platform is not None and post.platform != platform:
        return Rejected(place, f"platform is {post.platform}, sent to the hook of {platform}; send it to its own")
    said = (post.external_id, post.external_user, post.text, post.handle, post.name, post.parent_external_id or "")
    if (why := unkept(said)) is not None:
        return Rejected(place, why)
    return Mention(
        platform=post.platform,
        external_id=post.external_id,
        external_user=post.external_user,
        text=post.text,
        language=post.lang,
        visibility=Visibility.PUBLIC if post.public else Visibility.PRIVATE,
        posted_s=post.posted_at.timestamp(),
        name=post.name or post.handle,
        parent_external_id=post.parent_external_id,
    )
