"""What the rules of the service need of a database, so that they are written once for all stores.

The SQL in those modules is what SQLite and PostgreSQL both understand: `?` for values, `RETURNING id` for
the number of a new row, `IS DISTINCT FROM`, a name for each query inside `FROM`. Times are float seconds,
and of two of them `min(a, b)` and `max(a, b)` are there in both.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol


class Rows(Protocol):
    """What a statement gave back."""

    @property
    def rowcount(self) -> int:
        """How many rows an INSERT, UPDATE or DELETE touched."""

    def fetchone(self) -> Any:
        """The next row, or None."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one at a time."""


class Database(Protocol):
    """A connection inside a transaction: `sqlite3.Connection` is one."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""
