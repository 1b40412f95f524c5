"""The table of events: appended inside the transaction that it tells of, read in order."""

from __future__ import annotations

from careapi.database import Database
from careapi.model import Event, EventKind

SERVICE = "service"
APPEND = "INSERT INTO event (case_id, kind, at_s, actor, data) VALUES (?, ?, ?, ?, ?)"


def note(
    db: Database, case_id: int | None, kind: EventKind, now_s: float, actor: str = SERVICE, data: str = ""
) -> None:
    """Append one event; `actor` is an agent's code or the service itself."""
    db.execute(APPEND, (case_id, kind, now_s, actor, data))


def events_after(db: Database, seq: int, limit: int) -> list[Event]:
    """At most `limit` events numbered above `seq`, in order."""
    rows = db.execute(
        "SELECT seq, case_id, kind, at_s, actor, data FROM event WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit)
    )
    return [Event(row[0], row[1], EventKind(row[2]), *row[3:]) for row in rows]
