"""Which platform calls how: one table from ten platforms to a signature, a body and a challenge.

X and Meta call by themselves. WeChat (XML), VK, Kakao and LinkedIn have forms of their own that this
service does not speak: a relay that the airline runs turns their calls into the generic signed form,
as it does for any other network.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from scenarios.names import Platform


class Family(StrEnum):
    """How a platform signs what it sends.

    `x` puts a base64 HMAC-SHA256 of the body in `x-twitter-webhooks-signature`; `meta` a hexadecimal
    one in `x-hub-signature-256`; `standard` signs id, time and body together, as Standard Webhooks do.
    """

    X = "x"
    META = "meta"
    STANDARD = "standard"


class Form(StrEnum):
    """What the body of a delivery looks like: X's account activity, Meta's entries, or our own posts."""

    X = "x"
    META = "meta"
    GENERIC = "generic"


class Challenge(StrEnum):
    """What a platform asks by GET before it sends: a token to sign, a token to echo, or nothing."""

    CRC = "crc_token"
    HUB = "hub.challenge"
    NONE = ""


@dataclass(frozen=True)
class Caller:
    """How one platform calls."""

    family: Family
    form: Form
    challenge: Challenge


_X = Caller(Family.X, Form.X, Challenge.CRC)
_META = Caller(Family.META, Form.META, Challenge.HUB)
_RELAYED = Caller(Family.STANDARD, Form.GENERIC, Challenge.NONE)

CALLERS = {
    Platform.X: _X,
    Platform.FACEBOOK: _META,
    Platform.MESSENGER: _META,
    Platform.INSTAGRAM: _META,
    Platform.WHATSAPP: _META,
    Platform.WECHAT: _RELAYED,
    Platform.VK: _RELAYED,
    Platform.KAKAO: _RELAYED,
    Platform.LINKEDIN: _RELAYED,
    Platform.GENERIC: _RELAYED,
}
FAMILY = {platform: caller.family for platform, caller in CALLERS.items()}
