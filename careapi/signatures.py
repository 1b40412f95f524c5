"""Was this sent by who shares our secret? Signatures over the raw bytes of a request.

Everything is compared as bytes: a header may hold any byte, and the comparison of two `str` raises
on letters beyond ASCII. `x` and `meta` sign no time, so there the unique id of a mention is what
guards against replays; `standard` refuses what is older or newer than five minutes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from careapi.platforms import Family

TOLERANCE_S = 300.0
_HEADER = {Family.X: b"x-twitter-webhooks-signature", Family.META: b"x-hub-signature-256"}
_ID, _TIME, _SIGNATURES = b"webhook-id", b"webhook-timestamp", b"webhook-signature"
_PAYMENT = b"payment-signature"


def signed(family: Family, secret: bytes, headers: Mapping[bytes, bytes], body: bytes, now_s: float) -> bool:
    """Say whether a request carries a valid signature.

    Parameters
    ----------
    family : Family
        How the sender signs.
    secret : bytes
        What sender and service share; not empty.
    headers : mapping of bytes to bytes
        Names in small letters. A missing one makes the answer False.
    body : bytes
        The body as it came, before any decoding.
    now_s : float
        Seconds since the epoch, for the family that signs its time.

    Returns
    -------
    valid : bool
        In a time that does not depend on where a wrong signature differs.
    """
    if not secret:
        return False  # an empty secret is one that everybody knows
    if family is Family.STANDARD:
        return _standard(secret, headers, body, now_s)
    given = headers.get(_HEADER[family], b"")
    return hmac.compare_digest(given, _expected(family, secret, body))


def sign(family: Family, secret: bytes, body: bytes, message_id: str = "", now_s: float = 0.0) -> dict[str, str]:
    """Headers that make `signed` true: for senders, load tests and our own callbacks.

    `message_id` and `now_s` (seconds since the epoch, cut to whole ones) matter to `standard` alone.
    """
    if family is not Family.STANDARD:
        return {_HEADER[family].decode(): _expected(family, secret, body).decode()}
    identity, time = message_id.encode(), str(int(now_s)).encode()
    mark = _mark(secret, identity, time, body)
    return {_ID.decode(): message_id, _TIME.decode(): time.decode(), _SIGNATURES.decode(): mark.decode()}


def answer_x(secret: bytes, crc_token: str) -> str:
    """What X wants back for its challenge: ``sha256=`` and the base64 HMAC of the token."""
    return _expected(Family.X, secret, crc_token.encode("utf-8", "surrogatepass")).decode()


def answer_meta(verify_token: bytes, given: str, challenge: str) -> str | None:
    """What Meta wants back, its challenge, if it knows the token that was agreed; else None."""
    known = bool(verify_token) and hmac.compare_digest(given.encode("utf-8", "surrogatepass"), verify_token)
    return challenge if known else None


def _expected(family: Family, secret: bytes, body: bytes) -> bytes:
    digest = hmac.new(secret, body, hashlib.sha256).digest()
    return b"sha256=" + (base64.b64encode(digest) if family is Family.X else binascii.hexlify(digest))


def _mark(secret: bytes, identity: bytes, time: bytes, body: bytes) -> bytes:
    return b"v1," + base64.b64encode(hmac.new(secret, b".".join((identity, time, body)), hashlib.sha256).digest())


def _standard(secret: bytes, headers: Mapping[bytes, bytes], body: bytes, now_s: float) -> bool:
    identity, time = headers.get(_ID, b""), headers.get(_TIME, b"")
    if not identity or not (time.isdigit() and len(time) <= 12) or abs(now_s - int(time)) > TOLERANCE_S:
        return False
    want = _mark(secret, identity, time, body)
    given = headers.get(_SIGNATURES, b"").split(b" ")  # several while a secret is being changed
    return any([hmac.compare_digest(each, want) for each in given])


def sign_payment(secret: bytes, body: bytes, now_s: float) -> dict[str, str]:
    """Headers of a payment provider: time and body signed together, ``t=...,v1=...``."""
    time = str(int(now_s))
    return {_PAYMENT.decode(): f"t={time},v1={_payment_mark(secret, time.encode(), body).decode()}"}


def payment_signed(secret: bytes, headers: Mapping[bytes, bytes], body: bytes, now_s: float) -> bool:
    """Say whether the payment provider sent this, at most five minutes ago; see `signed`."""
    parts = [part.partition(b"=") for part in headers.get(_PAYMENT, b"").split(b",")]
    times = [value for name, _, value in parts if name.strip() == b"t"]
    time = times[0] if len(times) == 1 else b""
    if not secret or not (time.isdigit() and len(time) <= 12) or abs(now_s - int(time)) > TOLERANCE_S:
        return False
    want = _payment_mark(secret, time, body)
    return any([hmac.compare_digest(value, want) for name, _, value in parts if name.strip() == b"v1"])


def _payment_mark(secret: bytes, time: bytes, body: bytes) -> bytes:
    return binascii.hexlify(hmac.new(secret, time + b"." + body, hashlib.sha256).digest())
