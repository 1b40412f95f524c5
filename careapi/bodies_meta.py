"""From Meta's webhooks to mentions: Facebook, Messenger, Instagram and WhatsApp, several entries a call.

Meta adds fields without notice, so unknown ones are passed over; the ones that are read are read
strictly. What needs no answer is left out without a word: echoes of what the page itself wrote, likes,
edits, receipts, statuses. A mention on Instagram comes without its text and is left out too.

One app gets the posts and the messages of a page at one address, so what a call holds is told by
the call, not by the address.

Source: developers.facebook.com, webhooks of pages (`feed`), Messenger (`messaging`), Instagram (`comments`,
`messaging`) and the WhatsApp cloud API (`messages`). A call holds at most 1,000 updates.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal, TypeVar

import msgspec

from careapi.bodies import BAD, Rejected, decoded, unkept
from careapi.language import language_of
from careapi.model import Mention
from scenarios.names import Platform, Visibility

MOST_UPDATES = 1000
_Id = Annotated[str, msgspec.Meta(min_length=1, max_length=500)]
_Text = Annotated[str, msgspec.Meta(max_length=40_000)]
_Name = Annotated[str, msgspec.Meta(max_length=1_000)]
_Seconds = Annotated[int, msgspec.Meta(ge=0, le=10**12)]
_Millis = Annotated[int, msgspec.Meta(ge=0, le=10**15)]
_Digits = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{1,12}\Z")]
_Raws = Annotated[list[msgspec.Raw], msgspec.Meta(max_length=MOST_UPDATES)]
T = TypeVar("T")


class _Envelope(msgspec.Struct):
    object: Literal["page", "instagram", "whatsapp_business_account"]
    entry: Annotated[_Raws, msgspec.Meta(min_length=1)]


class _Entry(msgspec.Struct):
    id: _Id
    time: _Millis = 0
    messaging: _Raws = []
    changes: _Raws = []


class _Party(msgspec.Struct):
    id: _Id
    name: _Name = ""
    username: _Name = ""


class _Message(msgspec.Struct):
    mid: _Id
    text: _Text = ""
    is_echo: bool = False


class _Messaging(msgspec.Struct):
    timestamp: _Millis
    sender: _Party
    message: _Message | None = None


class _Change(msgspec.Struct):
    field: str
    value: msgspec.Raw


class _Feed(msgspec.Struct):
    item: str = ""
    verb: str = ""


class _Written(msgspec.Struct):
    sender: _Party = msgspec.field(name="from")
    post_id: _Id
    created_time: _Seconds
    message: _Text = ""
    comment_id: _Id | None = None
    parent_id: _Id | None = None


class _Media(msgspec.Struct):
    id: _Id


class _Comment(msgspec.Struct):
    id: _Id
    sender: _Party = msgspec.field(name="from")
    text: _Text
    media: _Media
    parent_id: _Id | None = None


class _Profile(msgspec.Struct):
    name: _Name = ""


class _Contact(msgspec.Struct):
    wa_id: _Id
    profile: _Profile = msgspec.field(default_factory=_Profile)


class _Chats(msgspec.Struct):
    contacts: list[_Contact] = []
    messages: _Raws = []


class _Body(msgspec.Struct):
    body: _Text


class _Captioned(msgspec.Struct):
    caption: _Text = ""


class _Chat(msgspec.Struct):
    sender: _Id = msgspec.field(name="from")
    id: _Id
    timestamp: _Digits
    type: str
    text: _Body | None = None
    image: _Captioned | None = None
    video: _Captioned | None = None
    document: _Captioned | None = None


_envelope = msgspec.json.Decoder(_Envelope)
_entry = msgspec.json.Decoder(_Entry)
_messaging = msgspec.json.Decoder(_Messaging)
_change = msgspec.json.Decoder(_Change)
_feed = msgspec.json.Decoder(_Feed)
_written = msgspec.json.Decoder(_Written)
_comment = msgspec.json.Decoder(_Comment)
_chats = msgspec.json.Decoder(_Chats)
_chat = msgspec.json.Decoder(_Chat)
_WRITTEN = frozenset({"post", "status", "comment", "photo", "video", "share"})
_SPOKEN = frozenset({"text", "image", "video", "document"})


def read_meta(body: bytes) -> list[Mention | Rejected]:
    """Read a delivery of Meta; a place counts the updates of all entries. Raises `BadBody` alone."""
    envelope = decoded(_envelope, body)
    read: list[Mention | Rejected] = []
    for place, found in enumerate(_updates(envelope)):
        if isinstance(found, Exception):
            read.append(Rejected(place, str(found)))
        elif found is not None:
            said = (found.external_id, found.external_user, found.text, found.name, found.parent_external_id or "")
            why = unkept(said)
            read.append(found if why is None else Rejected(place, why))
    return read


_Found = Mention | Exception | None
"""A mention, why there is none, or None for what is none."""


def _updates(envelope: _Envelope) -> Iterator[_Found]:
    direct = Platform.INSTAGRAM if envelope.object == "instagram" else Platform.MESSENGER
    for raw in envelope.entry:
        entry = _tried(_entry, raw)
        if not isinstance(entry, _Entry):
            yield entry
            continue
        for each in entry.messaging:
            message = _tried(_messaging, each)
            yield _direct(message, direct) if isinstance(message, _Messaging) else message
        for each in entry.changes:
            change = _tried(_change, each)
            if isinstance(change, _Change):
                yield from _changed(change, entry)
            else:
                yield change


def _tried(decoder: msgspec.json.Decoder[T], raw: msgspec.Raw) -> T | Exception:
    try:
        return decoder.decode(bytes(raw))
    except BAD as fault:
        return fault


def _direct(update: _Messaging, platform: Platform) -> Mention | None:
    message = update.message
    if message is None or message.is_echo:
        return None
    return Mention(
        platform=platform,
        external_id=message.mid,
        external_user=update.sender.id,
        text=message.text,
        language=language_of(message.text),
        visibility=Visibility.PRIVATE,
        posted_s=update.timestamp / 1000.0,
        name=update.sender.name or update.sender.username,
    )


def _changed(change: _Change, entry: _Entry) -> Iterator[_Found]:
    if change.field in ("feed", "mention"):
        yield _on_page(change.value, entry)
    elif change.field in ("comments", "live_comments"):
        comment = _tried(_comment, change.value)
        yield _on_picture(comment, entry) if isinstance(comment, _Comment) else comment
    elif change.field == "messages":
        chats = _tried(_chats, change.value)
        if not isinstance(chats, _Chats):
            yield chats
            return
        names = {contact.wa_id: contact.profile.name for contact in chats.contacts}
        for raw in chats.messages:
            chat = _tried(_chat, raw)
            yield _chatted(chat, names) if isinstance(chat, _Chat) else chat


def _on_page(raw: msgspec.Raw, entry: _Entry) -> _Found:
    kind = _tried(_feed, raw)
    if not isinstance(kind, _Feed) or kind.item not in _WRITTEN or kind.verb != "add":
        return kind if isinstance(kind, Exception) else None
    post = _tried(_written, raw)
    if not isinstance(post, _Written):
        return post
    if post.sender.id == entry.id or not post.message:
        return None
    return Mention(
        platform=Platform.FACEBOOK,
        external_id=post.comment_id or post.post_id,
        external_user=post.sender.id,
        text=post.message,
        language=language_of(post.message),
        visibility=Visibility.PUBLIC,
        posted_s=float(post.created_time),
        name=post.sender.name,
        parent_external_id=(post.parent_id or post.post_id) if post.comment_id else None,
    )


def _on_picture(comment: _Comment, entry: _Entry) -> Mention | None:
    if comment.sender.id == entry.id:
        return None
    return Mention(
        platform=Platform.INSTAGRAM,
        external_id=comment.id,
        external_user=comment.sender.id,
        text=comment.text,
        language=language_of(comment.text),
        visibility=Visibility.PUBLIC,
        posted_s=float(entry.time),
        name=comment.sender.name or comment.sender.username,
        parent_external_id=comment.parent_id or comment.media.id,
    )


def _chatted(chat: _Chat, names: dict[str, str]) -> Mention | None:
    if chat.type not in _SPOKEN:
        return None
    captioned = chat.image or chat.video or chat.document or _Captioned()
    text = chat.text.body if chat.text else captioned.caption
    return Mention(
        platform=Platform.WHATSAPP,
        external_id=chat.id,
        external_user=chat.sender,
        text=text,
        language=language_of(text),
        visibility=Visibility.PRIVATE,
        posted_s=float(int(chat.timestamp)),
        name=names.get(chat.sender, ""),
    )
