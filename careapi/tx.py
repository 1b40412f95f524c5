"""What a job of the desk sees of a store: one transaction, its time, the rules.

Replies, payment links, notices and the like are written once, as plain functions over a `Tx`, in SQL
that all stores take (see `careapi/database.py`). Flags are 0 and 1 in INTEGER columns; those of the first
migration may be BOOLEAN, so they are never compared. A value is never bare beside ``IS NULL``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, cast

from careapi import cases, journal
from careapi.database import Database
from careapi.model import Case, EventKind, Rules
from scenarios.names import Language

T = TypeVar("T")
Row = tuple[Any, ...]


class Tx:
    """One transaction, lent to a job; all that the job did is undone if it raises.

    Attributes
    ----------
    now_s : float
        The time of the transaction in seconds of the Unix clock; never before that of an earlier one.
    rules : Rules
        Promises and times.
    """

    def __init__(self, db: Database, rules: Rules, now_s: float) -> None:
        self.db, self.rules, self.now_s = db, rules, now_s

    def rows(self, sql: str, *values: object) -> list[Row]:
        """All rows of a query, or of a change that is RETURNING some."""
        return self.db.execute(sql, values).fetchall()

    def row(self, sql: str, *values: object) -> Row | None:
        """The first row, or None."""
        found = self.db.execute(sql, values).fetchall()  # all, so that no statement stays open
        return cast(Row, found[0]) if found else None

    def run(self, sql: str, *values: object) -> int:
        """Change rows; returns how many."""
        return self.db.execute(sql, values).rowcount

    def note(self, case_id: int | None, kind: EventKind, actor: str = journal.SERVICE, data: str = "") -> None:
        """Append an event, numbered without gaps."""
        journal.note(self.db, case_id, kind, self.now_s, actor, data)

    def case(self, case_id: int) -> Case | None:
        """A case as it stands."""
        return cases.case(self.db, case_id)

    def claim(self, agent: str, languages: Sequence[Language], capacity: int) -> Case | None:
        """As `Store.claim`, inside this transaction."""
        return cases.claim(self.db, agent, languages, capacity, self.rules, self.now_s)


Job = Callable[[Tx], T]
