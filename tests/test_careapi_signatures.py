from __future__ import annotations

import base64
import hashlib
import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from careapi.platforms import FAMILY, Family
from careapi.signatures import TOLERANCE_S, answer_meta, answer_x, sign, signed
from scenarios.names import Platform

SECRET, BODY, NOW_S = b"a secret", '{"text":"hé"}'.encode(), 1_271_300_000.0

each_family = pytest.mark.parametrize("family", Family)


def headers(family: Family, body: bytes = BODY, now_s: float = NOW_S) -> dict[bytes, bytes]:
    return {k.encode(): v.encode() for k, v in sign(family, SECRET, body, "msg_1", now_s).items()}


def test_every_platform_has_a_way_of_signing() -> None:
    assert set(FAMILY) == set(Platform)
    assert set(FAMILY.values()) == set(Family)


@each_family
def test_what_is_signed_is_taken(family: Family) -> None:
    assert signed(family, SECRET, headers(family), BODY, NOW_S)


@each_family
def test_another_body_or_secret_is_refused(family: Family) -> None:
    assert not signed(family, SECRET, headers(family), BODY + b" ", NOW_S)
    assert not signed(family, b"another", headers(family), BODY, NOW_S)
    assert not signed(family, b"", headers(family), BODY, NOW_S)


@each_family
def test_missing_cut_and_non_ascii_headers_are_refused(family: Family) -> None:
    good = headers(family)
    for name in good:
        rest = {key: value for key, value in good.items() if key != name}
        for bad in (None, b"", good[name][:-1], b"\xff\xfe", "sha256=é".encode(), b"-1", b"\xb2" * 3):
            assert not signed(family, SECRET, rest if bad is None else {**rest, name: bad}, BODY, NOW_S)


@given(st.sampled_from(Family), st.dictionaries(st.binary(), st.binary()), st.binary())
def test_no_bytes_raise(family: Family, noise: dict[bytes, bytes], body: bytes) -> None:
    names = (b"webhook-id", b"webhook-timestamp", b"webhook-signature", b"x-hub-signature-256")
    named = dict(zip(names, noise.values(), strict=False))
    assert not signed(family, SECRET, {**noise, **named}, body, NOW_S)


@pytest.mark.parametrize("shift_s", [-TOLERANCE_S - 1, TOLERANCE_S + 1])
def test_a_standard_signature_is_good_for_five_minutes(shift_s: float) -> None:
    assert signed(Family.STANDARD, SECRET, headers(Family.STANDARD, now_s=NOW_S + shift_s * 0.99), BODY, NOW_S)
    assert not signed(Family.STANDARD, SECRET, headers(Family.STANDARD, now_s=NOW_S + shift_s), BODY, NOW_S)


def test_one_of_several_signatures_is_enough_while_a_secret_changes() -> None:
    good = headers(Family.STANDARD)
    good[b"webhook-signature"] = b"v1,old " + good[b"webhook-signature"]
    assert signed(Family.STANDARD, SECRET, good, BODY, NOW_S)


def test_the_headers_are_those_of_the_platforms() -> None:
    digest = hmac.new(SECRET, BODY, hashlib.sha256)
    assert sign(Family.META, SECRET, BODY) == {"x-hub-signature-256": "sha256=" + digest.hexdigest()}
    mark = "sha256=" + base64.b64encode(digest.digest()).decode()
    assert sign(Family.X, SECRET, BODY) == {"x-twitter-webhooks-signature": mark}
    assert answer_x(SECRET, BODY.decode()) == mark


def test_meta_gets_its_challenge_back_only_for_the_right_token() -> None:
    assert answer_meta(b"token", "token", "42") == "42"
    assert answer_meta(b"token", "tokén\ud800", "42") is None
    assert answer_meta(b"", "", "42") is None
