"""What X and Meta send, in the forms of their public documentation, and back again."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careapi.bodies import BadBody, Rejected
from careapi.bodies_meta import MOST_UPDATES
from careapi.deliveries import read_delivery
from careapi.model import Mention
from careapi.platforms import CALLERS, Challenge, Family, Form
from scenarios.names import Language, Platform, Visibility
from scenarios.wire import ACCOUNT, Post, delivery

META = (Platform.FACEBOOK, Platform.MESSENGER, Platform.INSTAGRAM, Platform.WHATSAPP)
TEXT = "Where is my bag? I have been waiting for two hours & nobody knows <anything>."


def body(value: object) -> bytes:
    return json.dumps(value).encode()


def only(platform: Platform, value: object) -> Mention:
    (post,) = read_delivery(platform, body(value))
    assert isinstance(post, Mention)
    return post


def tweet(**change: Any) -> dict[str, Any]:
    post = {
        "created_at": "Thu Apr 15 03:00:00 +0000 2010", "id": 12189309, "id_str": "12189309",
        "text": "Waar is mijn koffer?", "truncated": False, "source": "web", "in_reply_to_status_id_str": None,
        "user": {"id": 77, "id_str": "77", "name": "Ann", "screen_name": "ann7", "followers_count": 3},
        "lang": "nl", "timestamp_ms": "1271300400000",
    }  # fmt: skip
    return {**post, **change}


def message(sender: str = "3001969357", **change: Any) -> dict[str, Any]:
    return {
        "type": "message_create", "id": "954491830116155396", "created_timestamp": "1516403560557",
        "message_create": {
            "target": {"recipient_id": "4337869213"}, "sender_id": sender, "source_app_id": "13090192",
            "message_data": {"text": "Hello World!", "entities": {"hashtags": [], "urls": []}},
        },
        **change,
    }  # fmt: skip


def page(*updates: Any, key: str = "messaging", which: str = "page") -> dict[str, Any]:
    return {"object": which, "entry": [{"id": "1", "time": 1458692752478, key: list(updates)}]}


def said(**change: Any) -> dict[str, Any]:
    return {
        "sender": {"id": "psid7"}, "recipient": {"id": "1"}, "timestamp": 1458692752478,
        "message": {"mid": "mid.1457764197618:41d102a3e1ae206a38", "text": "hello, world!"}, **change,
    }  # fmt: skip


def feed(**change: Any) -> dict[str, Any]:
    value = {
        "from": {"id": "7", "name": "Cinderella Hoover"}, "item": "post", "post_id": "1_8", "verb": "add",
        "created_time": 1520544814, "is_hidden": False, "message": "It's Thursday and I want to eat cake.",
    }  # fmt: skip
    return {"field": "feed", "value": {**value, **change}}


def test_every_platform_has_a_signature_a_body_and_a_challenge() -> None:
    assert set(CALLERS) == set(Platform)
    assert {caller.family for caller in CALLERS.values()} == set(Family)
    assert {caller.form for caller in CALLERS.values()} == set(Form)
    assert {caller.challenge for caller in CALLERS.values()} == set(Challenge)


def test_a_post_of_x_is_read() -> None:
    post = only(Platform.X, {"for_user_id": "1", "tweet_create_events": [tweet(in_reply_to_status_id_str="5")]})
    assert post == Mention(
        Platform.X,
        "12189309",
        "77",
        "Waar is mijn koffer?",
        Language.NL,
        Visibility.PUBLIC,
        1_271_300_400.0,
        "Ann",
        "5",
    )


def test_a_direct_message_of_x_is_read_with_its_name() -> None:
    users = {"3001969357": {"id": "3001969357", "name": "Jordan Brinks", "screen_name": "furiouscamper"}}
    post = only(Platform.X, {"for_user_id": "4337869213", "direct_message_events": [message()], "users": users})
    assert post == Mention(
        Platform.X, "954491830116155396", "3001969357", "Hello World!", Language.EN, Visibility.PRIVATE,
        1_516_403_560.557, "Jordan Brinks",
    )  # fmt: skip


def test_a_long_post_of_x_is_read_whole_and_its_escapes_are_undone() -> None:
    long = tweet(text="cut…", truncated=True, extended_tweet={"full_text": "a &amp;lt; b &lt; c &gt; d"})
    assert only(Platform.X, {"for_user_id": "1", "tweet_create_events": [long]}).text == "a &lt; b < c > d"


@pytest.mark.parametrize(
    "activity",
    [
        {"tweet_create_events": [tweet(user={"id_str": "1", "name": "Us"})]}, {"direct_message_events": [message("1")]},
        {"favorite_events": [{"id": "1"}]}, {"direct_message_indicate_typing_events": [{"sender_id": "7"}]},
        {"direct_message_events": [message(type="message_read", message_create=None)]},
    ],
)  # fmt: skip
def test_what_the_account_itself_did_and_what_says_nothing_is_no_mention(activity: dict[str, Any]) -> None:
    assert read_delivery(Platform.X, body({"for_user_id": "1", **activity})) == []


def test_a_private_message_to_a_page_is_one_of_messenger_at_any_address() -> None:
    for address in META:
        assert only(address, page(said())) == Mention(
            Platform.MESSENGER, "mid.1457764197618:41d102a3e1ae206a38", "psid7", "hello, world!", Language.EN,
            Visibility.PRIVATE, 1_458_692_752.478,
        )  # fmt: skip


def test_a_message_on_instagram_is_one_of_instagram() -> None:
    assert only(Platform.INSTAGRAM, page(said(), which="instagram")).platform is Platform.INSTAGRAM


def test_a_post_and_a_comment_on_a_page_are_read() -> None:
    comment = feed(item="comment", comment_id="8_9", parent_id="1_8", message="Ik ook!")
    post, reply = read_delivery(Platform.FACEBOOK, body(page(feed(), comment, key="changes")))
    assert post == Mention(
        Platform.FACEBOOK, "1_8", "7", "It's Thursday and I want to eat cake.", Language.EN, Visibility.PUBLIC,
        1_520_544_814.0, "Cinderella Hoover",
    )  # fmt: skip
    assert isinstance(reply, Mention)
    assert (reply.external_id, reply.parent_external_id) == ("8_9", "1_8")


def test_a_comment_on_instagram_hangs_on_its_picture_or_on_another_comment() -> None:
    value = {"id": "17", "from": {"id": "7", "username": "ann"}, "text": "Nice!", "media": {"id": "99"}}
    first = {"field": "comments", "value": value}
    second = {"field": "comments", "value": {**value, "id": "18", "parent_id": "17"}}
    read = read_delivery(Platform.INSTAGRAM, body(page(first, second, key="changes", which="instagram")))
    assert [post.parent_external_id for post in read if isinstance(post, Mention)] == ["99", "17"]


def test_messages_of_whatsapp_are_read_with_their_names() -> None:
    chat = {"from": "16315551234", "timestamp": "1603059201"}
    value = {
        "messaging_product": "whatsapp", "metadata": {"phone_number_id": "1"},
        "contacts": [{"profile": {"name": "Kerry Fisher"}, "wa_id": "16315551234"}],
        "messages": [
            {**chat, "id": "wamid.A", "type": "text", "text": {"body": "Hello?"}},
            {**chat, "id": "wamid.B", "type": "image", "image": {"caption": "My bag"}},
            {**chat, "id": "wamid.C", "type": "reaction", "reaction": {"emoji": "x"}},
        ],
    }  # fmt: skip
    which = "whatsapp_business_account"
    hello, picture = read_delivery(
        Platform.WHATSAPP, body(page({"field": "messages", "value": value}, key="changes", which=which))
    )
    assert hello == Mention(
        Platform.WHATSAPP, "wamid.A", "16315551234", "Hello?", Language.EN, Visibility.PRIVATE, 1_603_059_201.0,
        "Kerry Fisher",
    )  # fmt: skip
    assert isinstance(picture, Mention) and picture.text == "My bag"


@pytest.mark.parametrize(
    "update",
    [
        page(said(message={"mid": "m", "text": "We are on it", "is_echo": True})), page(said(message=None)),
        page({"sender": {"id": "7"}, "timestamp": 1, "read": {"watermark": 1}}),
        page(feed(item="reaction", message=None), key="changes"), page(feed(verb="edited"), key="changes"),
        page(feed(**{"from": {"id": "1", "name": "Us"}}), key="changes"), page(feed(message=""), key="changes"),
        page({"field": "leadgen", "value": 7}, key="changes"),
        page({"field": "messages", "value": {"statuses": [{"id": "1"}]}}, key="changes"),
        page({"field": "mentions", "value": {"media_id": "7"}}, key="changes", which="instagram"),
    ],
)  # fmt: skip
def test_echoes_likes_edits_and_receipts_are_no_mentions(update: dict[str, Any]) -> None:
    assert read_delivery(Platform.MESSENGER, body(update)) == []


@pytest.mark.parametrize(
    ("platform", "bad", "good"),
    [
        (Platform.X, tweet(id_str=5), tweet()), (Platform.X, tweet(text="\0"), tweet()), (Platform.X, 7, tweet()),
        (Platform.X, tweet(timestamp_ms="soon"), tweet()), (Platform.X, tweet(user=None), tweet()),
        (Platform.X, tweet(timestamp_ms="1\n"), tweet()), (Platform.X, tweet(text="x" * 40_001), tweet()),
        (Platform.MESSENGER, said(timestamp="now"), said()), (Platform.MESSENGER, said(sender={}), said()),
        (Platform.MESSENGER, said(message={"mid": "", "text": "x"}), said()), (Platform.MESSENGER, [], said()),
        (Platform.MESSENGER, said(message={"mid": "1", "text": "\0"}), said()),
    ],
)  # fmt: skip
def test_one_bad_post_does_not_spoil_the_others(platform: Platform, bad: Any, good: Any) -> None:
    x = platform is Platform.X
    value = {"for_user_id": "1", "tweet_create_events": [good, bad, good]} if x else page(good, bad, good)
    first, wrong, last = read_delivery(platform, body(value))
    assert isinstance(first, Mention) and first == last
    assert isinstance(wrong, Rejected) and wrong.place == 1 and wrong.why


def test_one_bad_entry_or_change_does_not_spoil_the_others() -> None:
    good = page(said())["entry"][0]
    updates = [{"id": 7}, {"id": "1", "changes": [feed(created_time=-1), 7, feed(**{"from": None})]}, good]
    read = read_delivery(Platform.FACEBOOK, body({"object": "page", "entry": updates}))
    assert [type(post) for post in read] == [Rejected] * 4 + [Mention]
    assert [post.place for post in read if isinstance(post, Rejected)] == [0, 1, 2, 3]


@pytest.mark.parametrize("platform", [Platform.X, *META, Platform.GENERIC])
@pytest.mark.parametrize(
    "bad",
    [
        b"", b"null", b"[]", b"{}", b"\xff\xfe", b'{"for_user_id":7}', b'{"object":"user","entry":[]}',
        b'{"object":"page","entry":[]}', b'{"object":"page","entry":7}', b'{"for_user_id":"1","users":7}',
        b'{"for_user_id":"1","tweet_create_events":[NaN]}', b'{"object":"page","entry":["\\ud800"]}',
        b"[" * 100_000, body({"object": "page", "entry": [{"id": "1"}] * (MOST_UPDATES + 1)}),
    ],
)  # fmt: skip
def test_what_is_no_delivery_of_the_form_is_a_bad_body(platform: Platform, bad: bytes) -> None:
    with pytest.raises(BadBody):
        read_delivery(platform, bad)


def test_the_hook_of_a_relayed_platform_takes_its_own_posts_only() -> None:
    posts = delivery([post(Platform.VK)])
    (mine,), (other,) = read_delivery(Platform.VK, posts), read_delivery(Platform.KAKAO, posts)
    assert isinstance(mine, Mention) and mine.platform is Platform.VK
    assert isinstance(other, Rejected)


def post(platform: Platform, visibility: Visibility = Visibility.PUBLIC, **change: Any) -> Post:
    values: dict[str, Any] = {
        "external_id": "m1", "author": "7", "text": TEXT, "language": Language.EN, "posted_s": 1_271_300_400.0,
        "handle": "ann7", "name": "Ann", "followers": 3, "parent": "m0",
    }  # fmt: skip
    return Post(platform, visibility=visibility, **(values | change))


@pytest.mark.parametrize("visibility", Visibility)
@pytest.mark.parametrize("platform", Platform)
def test_what_is_written_as_a_platform_sends_it_is_read_as_it_was(platform: Platform, visibility: Visibility) -> None:
    sent = post(platform, visibility)
    private = not sent.public
    (got,) = read_delivery(platform, delivery([sent]))
    assert isinstance(got, Mention)
    direct = private and CALLERS[platform].form is not Form.GENERIC  # then the thread is who writes
    assert got.platform is (Platform.MESSENGER if private and platform is Platform.FACEBOOK else platform)
    assert (got.external_id, got.external_user, got.text) == ("m1", "7", TEXT)
    assert (got.language, got.posted_s) == (Language.EN, 1_271_300_400.0)
    assert got.visibility is (Visibility.PRIVATE if private else Visibility.PUBLIC)
    assert got.parent_external_id == (None if direct else "m0")


@pytest.mark.parametrize("platform", Platform)
def test_several_posts_come_in_one_call_in_their_order(platform: Platform) -> None:
    posts = [post(platform, external_id=f"m{k}", parent=None) for k in range(5)]
    read = read_delivery(platform, delivery(posts))
    assert [got.external_id for got in read if isinstance(got, Mention)] == [f"m{k}" for k in range(5)]


def test_posts_of_different_platforms_cannot_come_in_one_call() -> None:
    for platforms in (
        (Platform.X, Platform.FACEBOOK),
        (Platform.INSTAGRAM, Platform.FACEBOOK),
        (Platform.VK, Platform.KAKAO),
        (),
    ):
        with pytest.raises(ValueError, match="one platform at a time"):
            delivery([post(platform) for platform in platforms])
    both = delivery([post(Platform.FACEBOOK), post(Platform.MESSENGER, external_id="m2")])
    assert len(read_delivery(Platform.FACEBOOK, both)) == 2


def test_what_we_write_ourselves_is_no_mention() -> None:
    for platform in (Platform.X, Platform.FACEBOOK, Platform.INSTAGRAM):
        assert read_delivery(platform, delivery([post(platform, author=ACCOUNT)])) == []


_NAMES = st.sampled_from(["id", "id_str", "text", "from", "message", "value", "field", "messaging", "changes", "user"])
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner),
)


@given(_JSON, st.sampled_from(Platform))
def test_any_post_is_read_or_rejected_and_nothing_else(inner: Any, platform: Platform) -> None:
    entry = {"id": "1", "messaging": [inner], "changes": [inner, {"field": "feed", "value": inner}]}
    both = {
        "for_user_id": "1", "tweet_create_events": [inner], "direct_message_events": [inner],
        "object": "page", "entry": [inner, entry],
    }  # fmt: skip
    try:
        read = read_delivery(platform, json.dumps(both).encode())
    except BadBody:
        return
    assert all(isinstance(each, Mention | Rejected) for each in read)
