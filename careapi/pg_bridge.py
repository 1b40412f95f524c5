"""The rules of the service, written as plain functions of a `Database`, run over an asyncpg connection.

Such a function runs in a greenlet: when it executes a statement, the greenlet stands still while the event
loop awaits the answer. No thread is involved; a statement costs one trip to the server and a few microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator, Sequence
from functools import cache
from typing import Any, TypeVar, cast

import greenlet

from careapi.journal import APPEND
from careapi.pg_link import Link

T = TypeVar("T")
_PARTS = re.compile(r"('(?:[^']|'')*'|\"[^\"]*\")|\?")


async def bridged(job: Callable[..., T], *given: Any) -> T:
    """Run a plain function that may call `wait`; its result is the function's."""
    worker = greenlet.greenlet(job)
    asked = worker.switch(*given)
    while not worker.dead:
        try:
            answer = await asked
        except BaseException as fault:
            asked = worker.throw(fault)
        else:
            asked = worker.switch(answer)
    return cast(T, asked)


def wait(doing: Awaitable[T]) -> T:
    """Inside a bridged function: let the loop await something, and return its result."""
    parent = greenlet.getcurrent().parent
    assert parent is not None, "only a bridged function can wait"
    return cast(T, parent.switch(doing))


class PgRows:
    """What a statement gave back; see `careapi.database.Rows`."""

    def __init__(self, rows: list[Any], status: str) -> None:
        self._rows = iter(rows)
        self._status = status

    @property
    def rowcount(self) -> int:
        """How many rows were touched, as the status line says."""
        count = self._status.rpartition(" ")[2]
        return int(count) if count.isdecimal() else -1

    def fetchone(self) -> Any:
        """The next row, or None."""
        row = next(self._rows, None)
        return None if row is None else tuple(row)

    def fetchall(self) -> list[Any]:
        """The rows that are left."""
        return [tuple(row) for row in self._rows]

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one at a time."""
        return (tuple(row) for row in self._rows)


class PgDatabase:
    """A `Database` for bridged functions: one connection, inside a transaction.

    Events are kept back in `events`; the writer numbers and stores them last, just before the commit.
    """

    def __init__(self, link: Link) -> None:
        self.link = link
        self.events: list[Sequence[Any]] = []

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> PgRows:
        """Run one statement with `?` for its values."""
        if sql == APPEND:
            self.events.append(parameters)
            return PgRows([], "INSERT 0 1")
        return PgRows(*wait(self.link.call(numbered(sql), parameters)))

    def fetch(self, sql: str, *values: Any) -> list[Any]:
        """Run one statement in PostgreSQL's own words, with `$1` and so on for its values."""
        return wait(self.link.fetch(sql, values))


@cache
def numbered(sql: str) -> str:
    """The same statement with `$1`, `$2` ... in place of each `?` that is not inside quotes."""
    count = 0

    def put(found: re.Match[str]) -> str:
        nonlocal count
        if found[1] is not None:
            return found[1]
        count += 1
        return f"${count}"

    return _PARTS.sub(put, sql)
