"""What simulated customers and agents can do, whatever the service calls it, and what is known when they do it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum


class Operation(StrEnum):
    """One thing that is asked of a service. Customers do the first four, agents the others."""

    CUSTOMER = "customer"  # make a customer known, once each; many services need none
    CASE = "case"  # open a conversation, once each; many services open it by the post
    POST = "post"  # write something
    REPLIES = "replies"  # look whether somebody has answered
    ON_DUTY = "on_duty"
    CLAIM = "claim"  # ask for work
    READ = "read"  # look at the case
    REPLY = "reply"
    TRANSFER = "transfer"  # to the queue of another language
    RELEASE = "release"  # back to the queue where it came from
    PAYMENT_LINK = "payment_link"
    CREW_NOTICE = "crew_notice"
    OFF_DUTY = "off_duty"


_ALWAYS = ("run", "now", "now_s", "key")
_OF_CUSTOMER = ("author", "handle", "name", "language", "platform", "followers")
_OF_POST = ("text", "post", "public", "posted_at", "parent")
_OF_AGENT = ("agent", "agent_token", "languages", "capacity")

GIVEN: Mapping[Operation, tuple[str, ...]] = {
    Operation.CUSTOMER: (*_ALWAYS, *_OF_CUSTOMER),
    Operation.CASE: (*_ALWAYS, *_OF_CUSTOMER, "post"),
    Operation.POST: (*_ALWAYS, *_OF_CUSTOMER, *_OF_POST),
    Operation.REPLIES: (*_ALWAYS, *_OF_CUSTOMER, "post"),
    Operation.ON_DUTY: (*_ALWAYS, *_OF_AGENT),
    Operation.CLAIM: (*_ALWAYS, *_OF_AGENT),
    Operation.READ: (*_ALWAYS, *_OF_AGENT),
    Operation.REPLY: (*_ALWAYS, *_OF_AGENT, "text", "last"),
    Operation.TRANSFER: (*_ALWAYS, *_OF_AGENT, "to_language"),
    Operation.RELEASE: (*_ALWAYS, *_OF_AGENT),
    Operation.PAYMENT_LINK: (*_ALWAYS, *_OF_AGENT, "amount_minor", "currency"),
    Operation.CREW_NOTICE: (*_ALWAYS, *_OF_AGENT, "text", "flight", "day"),
    Operation.OFF_DUTY: (*_ALWAYS, *_OF_AGENT),
}
"""Names that a template may use, beside those of ``[values]`` and what earlier operations took."""

_OPENED = (Operation.CUSTOMER, Operation.CASE, Operation.POST)
_HELD = (Operation.ON_DUTY, Operation.CLAIM, Operation.READ)

BEFORE: Mapping[Operation, tuple[Operation, ...]] = {
    Operation.CUSTOMER: (),
    Operation.CASE: _OPENED[:1],
    Operation.POST: _OPENED[:2],
    Operation.REPLIES: _OPENED,
    Operation.ON_DUTY: (),
    Operation.CLAIM: _HELD[:1],
    Operation.READ: _HELD[:2],
    Operation.REPLY: _HELD,
    Operation.TRANSFER: (*_HELD, Operation.REPLY),
    Operation.RELEASE: (*_HELD, Operation.REPLY),
    Operation.PAYMENT_LINK: (*_HELD, Operation.REPLY),
    Operation.CREW_NOTICE: (*_HELD, Operation.REPLY),
    Operation.OFF_DUTY: _HELD[:1],
}
"""Operations that have been done by then, if the service has them: what they took may be used."""

TAKEN_AS: Mapping[Operation, tuple[str, ...]] = {
    Operation.CLAIM: ("case",),
    Operation.REPLIES: ("replies",),
}
"""What must be taken from an answer, else nothing can be done with it."""
