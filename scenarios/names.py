"""The enumerations of the traffic, each written once.

A trace stores a member as its position in the enumeration (`code`), so members are only ever
appended, never reordered.
"""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from typing import TypeVar

NONE = -1  # an index column (case, parent) with nothing to point at


class Language(StrEnum):
    """ISO 639-1 codes of the fourteen languages that the model desk answered in 2015."""

    EN = "en"
    NL = "nl"
    ES = "es"
    PT = "pt"
    DE = "de"
    FR = "fr"
    IT = "it"
    ZH = "zh"
    RU = "ru"
    TR = "tr"
    JA = "ja"
    KO = "ko"
    NO = "no"
    TH = "th"


class Platform(StrEnum):
    """Where a post is made; `generic` is any other network behind a signed webhook."""

    X = "x"
    FACEBOOK = "facebook"
    MESSENGER = "messenger"
    INSTAGRAM = "instagram"
    WHATSAPP = "whatsapp"
    WECHAT = "wechat"
    VK = "vk"
    KAKAO = "kakao"
    LINKEDIN = "linkedin"
    GENERIC = "generic"


class Visibility(StrEnum):
    """The kind of channel: everybody reads along, or nobody else does."""

    PUBLIC = "public"
    PRIVATE = "private"


class Topic(StrEnum):
    """What a post is about; the last three are never cases."""

    INFO = "info"
    REBOOKING = "rebooking"
    BAGGAGE = "baggage"
    CHECKIN = "checkin"
    PAYMENT = "payment"
    REFUND = "refund"
    CARE = "care"
    ASSISTANCE = "assistance"
    LOST_ITEM = "lost_item"
    COMPLAINT = "complaint"
    PRAISE = "praise"
    JOKE = "joke"
    OUTRAGE = "outrage"
    REPOST = "repost"


NEVER_CASES = frozenset({Topic.JOKE, Topic.OUTRAGE, Topic.REPOST})


class Stage(StrEnum):
    """Phase of the journey that the customer is in."""

    PLAN = "plan"
    PURCHASE = "purchase"
    ENJOY = "enjoy"


class Sentiment(StrEnum):
    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


class Tier(StrEnum):
    """Frequent-flyer tier."""

    NONE = "none"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


class PostKind(StrEnum):
    """What a row of the trace is.

    `case` opens a case; `follow_up` is the same author writing again (of a case or of chatter);
    `chatter` needs no answer; `repost` repeats another post; `fake` is a bot's; `call` is an
    attempt on the phone line, counted apart from the mentions.
    """

    CASE = "case"
    FOLLOW_UP = "follow_up"
    CHATTER = "chatter"
    REPOST = "repost"
    FAKE = "fake"
    CALL = "call"


class TextForm(StrEnum):
    """`mixed` posts borrow words of another language, `short` ones have two words or so."""

    PLAIN = "plain"
    MIXED = "mixed"
    SHORT = "short"


E = TypeVar("E", bound=StrEnum)


@cache
def _positions(kind: type[StrEnum]) -> dict[StrEnum, int]:
    return {member: position for position, member in enumerate(kind)}


def code(member: StrEnum) -> int:
    """Position of a member in its enumeration, as traces store it."""
    return _positions(type(member))[member]


@cache
def members(kind: type[E]) -> tuple[E, ...]:
    """Members of an enumeration in the order of their codes."""
    return tuple(kind)
