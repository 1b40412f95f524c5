"""Posts as the webhooks of their platforms would send them: X's form, Meta's, and the generic one.

The other way round from the readers of `careapi`: for load tests, for drills, and for anybody who wants
to see what a platform sends. What a form cannot say is lost, as it is in reality: Meta tells no
language, and a private message to a Facebook page is one of Messenger.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from scenarios.names import NONE, Language, Platform, Topic, Visibility, members
from scenarios.text import handle, person, render
from scenarios.traces import Trace

ACCOUNT = "100000000000001"
"""Who we are on X, Facebook and Instagram: what this account writes is no mention."""

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_META = {
    Platform.FACEBOOK: "page",
    Platform.MESSENGER: "page",
    Platform.INSTAGRAM: "instagram",
    Platform.WHATSAPP: "whatsapp_business_account",
}
_ALWAYS_PRIVATE = frozenset({Platform.MESSENGER, Platform.WHATSAPP})
_Json = dict[str, Any]


@dataclass(frozen=True)
class Post:
    """What somebody wrote. `posted_s` is seconds of the Unix clock; `parent` the post replied to."""

    platform: Platform
    external_id: str
    author: str
    text: str
    language: Language
    visibility: Visibility
    posted_s: float
    handle: str = ""
    name: str = ""
    followers: int = 0
    parent: str | None = None

    @property
    def public(self) -> bool:
        return self.visibility is Visibility.PUBLIC and self.platform not in _ALWAYS_PRIVATE


def post_of(trace: Trace, row: int, onset_s: float, run: str = "t") -> Post:
    """What the person of a row wrote.

    Parameters
    ----------
    trace : Trace
    row : int
        Of the trace; not that of a call.
    onset_s : float
        Onset of the scenario in seconds of the Unix clock.
    run : str
        In front of every number: a service tells repeated posts by their ids, so no two runs may share it.

    Returns
    -------
    post : Post
        Posts that set off others are their parents only where the same person goes on: who is set off by
        others writes on his own.
    """
    c = {name: column[row] for name, column in trace.columns.items()}
    language, author, parent = members(Language)[c["language"]], int(c["author"]), int(c["parent"])
    goes_on = parent != NONE and trace["author"][parent] == author
    return Post(
        platform=members(Platform)[c["platform"]],
        external_id=f"{run}{row}",
        author=f"{run}{author}",
        text=render(language, members(Topic)[c["topic"]], c["form"], c["text"], asks=bool(c["case"] != NONE)),
        language=language,
        visibility=members(Visibility)[c["visibility"]],
        posted_s=onset_s + float(c["time_s"]),
        handle=handle(language, author),
        name=person(language, author),
        followers=int(c["influence"]),
        parent=f"{run}{parent}" if goes_on else None,
    )


def delivery(posts: Sequence[Post]) -> bytes:
    """Write one call of a platform's webhook.

    Parameters
    ----------
    posts : sequence of Post
        At least one, all of one platform; Facebook and Messenger, which share a page, count as one.

    Returns
    -------
    body : bytes
        JSON in UTF-8, to be signed as it is.

    Raises
    ------
    ValueError
        If the posts cannot come in one call.
    """
    platforms = {post.platform for post in posts}
    if platforms == {Platform.X}:
        body = _x(posts)
    elif len(objects := {_META.get(platform) for platform in platforms}) == 1 and None not in objects:
        body = _meta(posts, str(*objects))
    elif len(platforms) == 1:
        body = {"mentions": [_generic(post) for post in posts]}
    else:
        named = ", ".join(sorted(platforms)) or "none"
        raise ValueError(f"posts of {named} in one call; send those of one platform at a time")
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()


def _generic(post: Post) -> _Json:
    at = datetime.fromtimestamp(post.posted_s, UTC)
    return {
        "platform": post.platform.value,
        "external_id": post.external_id,
        "external_user": post.author,
        "handle": post.handle,
        "name": post.name,
        "followers": post.followers,
        "text": post.text,
        "lang": post.language.value,
        "public": post.public,
        "parent_external_id": post.parent,
        "posted_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
    }


def _x(posts: Sequence[Post]) -> _Json:
    public = [post for post in posts if post.public]
    private = [post for post in posts if not post.public]
    body: _Json = {"for_user_id": ACCOUNT}
    if public:
        body["tweet_create_events"] = [_tweet(post) for post in public]
    if private:
        body["direct_message_events"] = [_direct(post) for post in private]
        body["users"] = {post.author: {"id": post.author, **_user(post)} for post in private}
    return body


def _tweet(post: Post) -> _Json:
    at = datetime.fromtimestamp(post.posted_s, UTC)
    long = len(post.text) > 140
    tweet: _Json = {
        "created_at": f"{_DAYS[at.weekday()]} {_MONTHS[at.month - 1]} {at:%d %H:%M:%S} +0000 {at.year}",
        "id_str": post.external_id,
        "text": _escaped(post.text[:139] + "…" if long else post.text),
        "truncated": long,
        "in_reply_to_status_id_str": post.parent,
        "user": {"id_str": post.author, **_user(post)},
        "lang": post.language.value,
        "timestamp_ms": str(_ms(post)),
    }
    if long:
        tweet["extended_tweet"] = {"full_text": _escaped(post.text)}
    return tweet


def _direct(post: Post) -> _Json:
    return {
        "type": "message_create",
        "id": post.external_id,
        "created_timestamp": str(_ms(post)),
        "message_create": {
            "target": {"recipient_id": ACCOUNT},
            "sender_id": post.author,
            "message_data": {"text": _escaped(post.text), "entities": {"hashtags": [], "urls": []}},
        },
    }


def _user(post: Post) -> _Json:
    return {"name": post.name, "screen_name": post.handle, "followers_count": post.followers}


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _meta(posts: Sequence[Post], which: str) -> _Json:
    return {"object": which, "entry": [_entry(post) for post in posts]}


def _entry(post: Post) -> _Json:
    entry: _Json = {"id": ACCOUNT, "time": math.floor(post.posted_s)}
    if post.platform is Platform.WHATSAPP:
        return {**entry, "changes": [{"field": "messages", "value": _whatsapp(post)}]}
    if not post.public:
        return {**entry, "time": _ms(post), "messaging": [_messaging(post)]}
    if post.platform is Platform.INSTAGRAM:
        return {**entry, "changes": [{"field": "comments", "value": _comment(post)}]}
    return {**entry, "changes": [{"field": "feed", "value": _feed(post)}]}


def _messaging(post: Post) -> _Json:
    return {
        "sender": {"id": post.author},
        "recipient": {"id": ACCOUNT},
        "timestamp": _ms(post),
        "message": {"mid": post.external_id, "text": post.text},
    }


def _feed(post: Post) -> _Json:
    value: _Json = {
        "from": {"id": post.author, "name": post.name},
        "item": "post" if post.parent is None else "comment",
        "verb": "add",
        "post_id": post.external_id if post.parent is None else post.parent,
        "created_time": math.floor(post.posted_s),
        "message": post.text,
    }
    return value if post.parent is None else {**value, "comment_id": post.external_id, "parent_id": post.parent}


def _comment(post: Post) -> _Json:
    """A comment hangs on a picture of ours; a trace knows no pictures, so each has one of its own."""
    value: _Json = {
        "id": post.external_id,
        "from": {"id": post.author, "username": post.handle or post.name},
        "media": {"id": f"picture-{post.parent or post.external_id}", "media_product_type": "FEED"},
        "text": post.text,
    }
    return value if post.parent is None else {**value, "parent_id": post.parent}


def _whatsapp(post: Post) -> _Json:
    return {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": ACCOUNT, "phone_number_id": ACCOUNT},
        "contacts": [{"profile": {"name": post.name}, "wa_id": post.author}],
        "messages": [
            {
                "from": post.author,
                "id": post.external_id,
                "timestamp": str(math.floor(post.posted_s)),
                "type": "text",
                "text": {"body": post.text},
            }
        ],
    }


def _ms(post: Post) -> int:
    return round(post.posted_s * 1000)
