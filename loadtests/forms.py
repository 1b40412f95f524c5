"""The forms in which platforms deliver a post, and how they sign: X, Meta's four, and the generic one.

X and Meta call by themselves, each in its own form. The others are sent in the generic form, as a relay would.
Sources: those named in `docs/care.md`; only the fields that say who wrote what are sent.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Mapping, Sequence
from typing import Any

from scenarios.names import Platform

US = "1"  # the number of our own account, which no author has
META = frozenset({Platform.FACEBOOK, Platform.MESSENGER, Platform.INSTAGRAM, Platform.WHATSAPP})
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})

Post = Mapping[str, Any]


def delivery(posts: Sequence[Post], own_form: bool) -> dict[str, Any]:
    """A delivery of some posts, ready for JSON.

    Parameters
    ----------
    posts : sequence of mapping
        One or more, in the generic form; `posted_at` is a `datetime`. In `own_form` they are all of one platform, and
        all public or all private.
    own_form : bool
        Whether they come in the form of their platform, or in the generic one.
    """
    platform = Platform(posts[0]["platform"])
    if own_form and platform is Platform.X:
        return _together([_x(post) for post in posts])
    if own_form and platform in META:
        return _together([_meta(post, platform) for post in posts])
    return {"mentions": posts}


def _together(deliveries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Deliveries of one kind as one: lists are joined, so are the people in them."""
    first, *others = deliveries
    for other in others:
        for name, value in other.items():
            if isinstance(value, list):
                first[name] += value
            elif isinstance(value, dict):
                first[name] |= value
    return first


def signed(platform: Platform | None, secret: bytes, identity: bytes, at_s: int, body: bytes) -> bytes:
    """Lines of a request's head that sign its body: as the platform does, or for None as Standard Webhooks do."""
    if platform is Platform.X:
        mark = base64.b64encode(hmac.digest(secret, body, "sha256"))
        return b"x-twitter-webhooks-signature: sha256=%s\r\n" % mark
    if platform in META:
        return b"x-hub-signature-256: sha256=%s\r\n" % hmac.new(secret, body, "sha256").hexdigest().encode()
    mark = base64.b64encode(hmac.digest(secret, b"%s.%d.%s" % (identity, at_s, body), "sha256"))
    return b"webhook-id: %s\r\nwebhook-timestamp: %d\r\nwebhook-signature: v1,%s\r\n" % (identity, at_s, mark)


def _x(post: Post) -> dict[str, Any]:
    millis = str(int(1000 * post["posted_at"].timestamp()))
    text, author = post["text"].translate(_ESCAPES), post["external_user"]
    if not post["public"]:
        created = {"sender_id": author, "message_data": {"text": text}}
        message = {"id": post["external_id"], "type": "message_create", "created_timestamp": millis}
        people = {author: {"id": author, "name": post["name"], "screen_name": post["handle"]}}
        return {"for_user_id": US, "direct_message_events": [message | {"message_create": created}], "users": people}
    user = {"id_str": author, "name": post["name"], "screen_name": post["handle"], "followers_count": post["followers"]}
    written = {"id_str": post["external_id"], "text": text, "user": user, "timestamp_ms": millis, "lang": post["lang"]}
    if "parent_external_id" in post:
        written["in_reply_to_status_id_str"] = post["parent_external_id"]
    return {"for_user_id": US, "tweet_create_events": [written]}


def _meta(post: Post, platform: Platform) -> dict[str, Any]:
    at_s = int(post["posted_at"].timestamp())
    kind = {Platform.INSTAGRAM: "instagram", Platform.WHATSAPP: "whatsapp_business_account"}.get(platform, "page")
    entry: dict[str, Any] = {"id": US, "time": at_s}
    author = {"id": post["external_user"], "name": post["name"]}
    if platform is Platform.WHATSAPP:
        chat = {"from": author["id"], "id": post["external_id"], "timestamp": str(at_s), "type": "text",
                "text": {"body": post["text"]}}  # fmt: skip
        contact = {"wa_id": author["id"], "profile": {"name": author["name"]}}
        entry["changes"] = [{"field": "messages", "value": {"contacts": [contact], "messages": [chat]}}]
    elif platform is Platform.MESSENGER or not post["public"]:
        message = {"mid": post["external_id"], "text": post["text"]}
        entry["messaging"] = [{"sender": author, "timestamp": 1000 * at_s, "message": message}]
    elif platform is Platform.INSTAGRAM:
        comment = {"id": post["external_id"], "from": author, "text": post["text"], "media": {"id": f"{US}-media"}}
        if "parent_external_id" in post:
            comment["parent_id"] = post["parent_external_id"]
        entry["changes"] = [{"field": "comments", "value": comment}]
    else:
        entry["changes"] = [{"field": "feed", "value": _on_page(post, author, at_s)}]
    return {"object": kind, "entry": [entry]}


def _on_page(post: Post, author: Mapping[str, str], at_s: int) -> dict[str, Any]:
    written = {"verb": "add", "from": author, "message": post["text"], "created_time": at_s}
    parent = post.get("parent_external_id")
    if parent is None:
        return {"item": "status", "post_id": post["external_id"], **written}
    return {"item": "comment", "post_id": parent, "parent_id": parent, "comment_id": post["external_id"], **written}
