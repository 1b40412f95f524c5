"""From X's account activity to mentions: posts and direct messages, one at a time.

X adds fields without notice, so unknown ones are passed over; the ones that are read are read strictly.
What needs no answer is left out without a word: what the account itself wrote, likes, follows, typing.

Source: docs.x.com, account activity API, "data object structure": `tweet_create_events` hold posts in the
form of API 1.1 (`&`, `<` and `>` escaped, long ones in `extended_tweet`), `direct_message_events` hold
messages, their people apart in `users`.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from careapi.bodies import BAD, Rejected, decoded, unkept
from careapi.language import language_of
from careapi.model import Mention
from scenarios.names import Platform, Visibility

_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Text = Annotated[str, msgspec.Meta(max_length=40_000)]
_Name = Annotated[str, msgspec.Meta(max_length=1_000)]
_Millis = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,15}\Z")]


class _User(msgspec.Struct):
    id_str: _Id
    name: _Name = ""
    screen_name: _Name = ""


class _Extended(msgspec.Struct):
    full_text: _Text


class _Post(msgspec.Struct):
    id_str: _Id
    text: _Text
    user: _User
    timestamp_ms: _Millis
    lang: str | None = None
    in_reply_to_status_id_str: _Id | None = None
    extended_tweet: _Extended | None = None


class _Data(msgspec.Struct):
    text: _Text


class _Created(msgspec.Struct):
    sender_id: _Id
    message_data: _Data


class _Message(msgspec.Struct):
    id: _Id
    type: str
    created_timestamp: _Millis
    message_create: _Created | None = None


class _Sender(msgspec.Struct):
    name: _Name = ""
    screen_name: _Name = ""


class _Activity(msgspec.Struct):
    for_user_id: _Id
    tweet_create_events: list[msgspec.Raw] = []
    direct_message_events: list[msgspec.Raw] = []
    users: dict[str, _Sender] = {}


_activity = msgspec.json.Decoder(_Activity)
_post = msgspec.json.Decoder(_Post)
_message = msgspec.json.Decoder(_Message)


def read_x(body: bytes) -> list[Mention | Rejected]:
    """Read a delivery of X; a place counts posts first, then messages. Raises `BadBody` alone."""
    activity = decoded(_activity, body)
    items = [(raw, True) for raw in activity.tweet_create_events]
    items += [(raw, False) for raw in activity.direct_message_events]
    read: list[Mention | Rejected] = []
    for place, (raw, public) in enumerate(items):
        try:
            mention = _posted(bytes(raw), activity) if public else _sent(bytes(raw), activity)
        except BAD as fault:
            read.append(Rejected(place, str(fault)))
            continue
        if mention is None:
            continue
        why = unkept((mention.external_id, mention.external_user, mention.text, mention.name))
        read.append(mention if why is None else Rejected(place, why))
    return read


def _posted(raw: bytes, activity: _Activity) -> Mention | None:
    post = _post.decode(raw)
    if post.user.id_str == activity.for_user_id:
        return None
    text = _plain(post.extended_tweet.full_text if post.extended_tweet else post.text)
    return Mention(
        platform=Platform.X,
        external_id=post.id_str,
        external_user=post.user.id_str,
        text=text,
        language=language_of(text, post.lang),
        visibility=Visibility.PUBLIC,
        posted_s=int(post.timestamp_ms) / 1000.0,
        name=post.user.name or post.user.screen_name,
        parent_external_id=post.in_reply_to_status_id_str,
    )


def _sent(raw: bytes, activity: _Activity) -> Mention | None:
    message = _message.decode(raw)
    created = message.message_create
    if created is None or created.sender_id == activity.for_user_id:
        return None
    text = _plain(created.message_data.text)
    sender = activity.users.get(created.sender_id, _Sender())
    return Mention(
        platform=Platform.X,
        external_id=message.id,
        external_user=created.sender_id,
        text=text,
        language=language_of(text),
        visibility=Visibility.PRIVATE,
        posted_s=int(message.created_timestamp) / 1000.0,
        name=sender.name or sender.screen_name,
    )


def _plain(text: str) -> str:
    """Undo the three escapes of X, the ampersand last."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
