"""Which platform calls how: one table from ten platforms to three ways of signing."""

from __future__ import annotations

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


FAMILY = {
    Platform.X: Family.X,
    Platform.FACEBOOK: Family.META,
    Platform.MESSENGER: Family.META,
    Platform.INSTAGRAM: Family.META,
    Platform.WHATSAPP: Family.META,
    Platform.WECHAT: Family.STANDARD,
    Platform.VK: Family.STANDARD,
    Platform.KAKAO: Family.STANDARD,
    Platform.LINKEDIN: Family.STANDARD,
    Platform.GENERIC: Family.STANDARD,
}
