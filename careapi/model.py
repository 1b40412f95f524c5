"""What the care service keeps and hands out, as values, and the errors of its stores."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from scenarios.errors import AshcloudError
from scenarios.names import Language, Platform, Visibility


class Status(StrEnum):
    """Where a case stands: open -> assigned -> (waiting_customer <-> open) -> resolved."""

    OPEN = "open"
    ASSIGNED = "assigned"
    WAITING_CUSTOMER = "waiting_customer"
    RESOLVED = "resolved"


class EventKind(StrEnum):
    """What can happen to a case; the table of events is audit, promises and stream in one.

    `data` holds codes and numbers, never a text or a name of a customer.
    """

    OPENED = "opened"
    APPENDED = "appended"
    REOPENED = "reopened"
    ASSIGNED = "assigned"
    RELEASED = "released"
    LEASE_ENDED = "lease_ended"
    RESOLVED = "resolved"
    MERGED = "merged"
    REPLIED = "replied"
    WAITING = "waiting"
    TRANSFERRED = "transferred"
    TAGGED = "tagged"
    LABELLED = "labelled"
    PRESENCE = "presence"
    OFFERED = "offered"
    OFFER_ENDED = "offer_ended"
    PAYLINK_MADE = "paylink_made"
    PAYMENT = "payment"
    NOTICE_MADE = "notice_made"
    NOTICE_SEEN = "notice_seen"
    LOST_ITEM = "lost_item"
    TICKET = "ticket"
    BROADCAST = "broadcast"
    CRISIS = "crisis"
    CUSTOMER = "customer"
    EXPORTED = "exported"
    ERASED = "erased"
    FAULTS = "faults"


@dataclass(frozen=True)
class Mention:
    """A post as a platform brought it, checked.

    `posted_s` is the sender's word, in seconds of the Unix clock: stored, never trusted for order.
    """

    platform: Platform
    external_id: str
    external_user: str
    text: str
    language: Language
    visibility: Visibility
    posted_s: float
    name: str = ""
    parent_external_id: str | None = None


@dataclass(frozen=True)
class Receipt:
    """What became of one mention: its case, if it has one, and whether it was there before."""

    case_id: int | None
    duplicate: bool


@dataclass(frozen=True)
class Case:
    """A case as it stands. Times are seconds of the Unix clock; None is never happened."""

    id: int
    customer_id: int
    thread: str
    language: Language
    private: bool
    status: Status
    agent: str | None
    version: int
    opened_s: float
    waiting_since_s: float
    due_s: float
    resolved_s: float | None


@dataclass(frozen=True)
class Event:
    """One thing that happened, numbered without gaps from 1."""

    seq: int
    case_id: int | None
    kind: EventKind
    at_s: float
    actor: str
    data: str


@dataclass(frozen=True)
class Rules:
    """The times by which the service works, in seconds."""

    promise_s: dict[Visibility, float] = field(
        default_factory=lambda: {Visibility.PUBLIC: 3600.0, Visibility.PRIVATE: 3600.0}
    )
    reopen_within_s: float = 7 * 86400.0
    lease_s: float = 1800.0


class StoreError(AshcloudError):
    """A store that cannot be used: taken by another process, of another version, not a store."""


class Unavailable(Exception):
    """The store could not write just now (disk full, lock held): nothing of the job was kept."""


class Stale(Exception):
    """A case was changed since it was read, is not the caller's, or stands where this cannot be done."""
