"""What can be wrong with a request, each with a name that does not change: problem+json, RFC 9457."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

URN = "urn:ashcloud:care:"
MEDIA = "application/problem+json"
PROBLEMS: dict[str, tuple[int, str]] = {
    "bad-body": (422, "The body is not what this address takes"),
    "bad-request": (422, "A part of the request is not what it should be"),
    "nothing-kept": (422, "None of the posts can be kept"),
    "bad-signature": (401, "The signature is missing, wrong or too old"),
    "bad-token": (401, "The token is missing or not known"),
    "not-allowed": (403, "The token does not allow this"),
    "not-found": (404, "There is no such thing"),
    "no-such-address": (404, "There is no such address"),
    "wrong-method": (405, "This address does not take this method"),
    "too-slow": (408, "The request did not come in time"),
    "stale": (409, "It was changed since it was read, or is not yours"),
    "not-now": (409, "This cannot be done as things stand"),
    "key-reused": (409, "The key was used for another request"),
    "too-large": (413, "The body is too large"),
    "precondition-required": (428, "A header that guards against lost changes is missing"),
    "too-many": (429, "This token asks too often"),
    "internal": (500, "The service failed"),
    "payment-provider": (502, "The payment provider did not take the order"),
    "unavailable": (503, "Nothing can be written just now"),
    "overloaded": (503, "There is more to do than can be done"),
    "crm-down": (503, "Customer data cannot be read just now"),
}


class Refused(Exception):
    """A request that is refused, by the name of the problem; jobs raise it, all they did is undone.

    Parameters
    ----------
    slug : str
        A key of `PROBLEMS`.
    detail : str
        What is wrong and what to do, without a text or a name of a customer.
    more : mapping
        Further members of the problem.
    """

    def __init__(self, slug: str, detail: str = "", **more: Any) -> None:
        self.slug, self.detail, self.more = slug, detail, more
        self.status = PROBLEMS[slug][0]
        super().__init__(detail or PROBLEMS[slug][1])


def encoded(slug: str, detail: str = "", more: Mapping[str, Any] | None = None) -> bytes:
    """The body of a problem."""
    status, title = PROBLEMS[slug]
    told = {"type": URN + slug, "title": title, "status": status}
    if detail:
        told["detail"] = detail
    return msgspec.json.encode({**told, **(more or {})})


def headers(slug: str, retry_after_s: int = 1) -> dict[str, str]:
    """Headers that go with a problem: when to come again, how to sign in."""
    status = PROBLEMS[slug][0]
    if status in (429, 503):
        return {"Retry-After": str(retry_after_s)}
    return {"WWW-Authenticate": "Bearer"} if slug == "bad-token" else {}
