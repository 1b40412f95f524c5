"""A connection to PostgreSQL that is made anew when it was lost, and a few of them to share.

Statements are prepared once a connection. Which faults mean that the connection is gone, and may be met
by doing the same again on a new one, is said here once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from careapi.model import Unavailable

PATIENCE_S = 3.0  # how long a call waits for a database that restarts
SETTINGS = {
    "application_name": "ashcloud",
    "synchronous_commit": "on",  # a commit is on disk before it is told
    "lock_timeout": "5000",
    "idle_in_transaction_session_timeout": "10000",  # a stopped process must not hold up the others
    "jit": "off",
}


class Lost(Exception):
    """The connection broke: what was begun on it is undone, unless it was being committed."""


class Link:
    """One connection of one user at a time.

    Parameters
    ----------
    dsn : str
        ``postgresql://...``, as libpq reads it.
    """

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._connection: Any = None
        self._prepared: dict[str, Any] = {}
        self._failed = False
        self.opened = 0

    async def ready(self) -> None:
        """Connect if need be; raises `Unavailable` if that cannot be done.

        A database that just went away is waited for, up to `PATIENCE_S`; one that stays away is not.
        """
        if self._connection is not None and not self._connection.is_closed():
            return
        end_s, pause_s = time.monotonic() + (0.0 if self._failed else PATIENCE_S), 0.02
        while True:
            try:
                self._connection = await asyncpg.connect(
                    self._dsn, server_settings=SETTINGS, command_timeout=30.0, timeout=5.0, statement_cache_size=0
                )
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
                if time.monotonic() + pause_s > end_s or not is_lost(fault):
                    self._failed = True
                    raise Unavailable(f"no connection to the database: {fault}") from fault
                await asyncio.sleep(pause_s)
                pause_s = min(2 * pause_s, 0.4)
            else:
                self._prepared.clear()
                self._failed = False
                self.opened += 1
                return

    async def run(self, script: str) -> str:
        """Run statements without values, in one trip; returns the status line of the last."""
        return str(await self._guarded(self._connection.execute(script)))

    async def fetch(self, sql: str, values: Sequence[Any] = ()) -> list[Any]:
        """Run one statement with values ``$1``, ``$2`` ... and return its rows."""
        return (await self.call(sql, values))[0]

    async def call(self, sql: str, values: Sequence[Any] = ()) -> tuple[list[Any], str]:
        """Like `fetch`, with the status line, such as ``UPDATE 3``."""
        statement = self._prepared.get(sql)
        if statement is None:
            statement = self._prepared[sql] = await self._guarded(self._connection.prepare(sql))
        kinds = statement.get_parameters()
        fit = [_FIT.get(kind.name, _same)(value) for kind, value in zip(kinds, values, strict=True)]
        rows = await self._guarded(statement.fetch(*fit))
        return rows, statement.get_statusmsg()

    async def drop(self) -> None:
        """Let go of the connection, whatever state it is in."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.terminate()

    async def close(self) -> None:
        """Say goodbye to the server."""
        connection, self._connection = self._connection, None
        if connection is not None and not connection.is_closed():
            await connection.close(timeout=5.0)

    @property
    def connection(self) -> Any:
        """The asyncpg connection, for what only that can do."""
        return self._connection

    async def _guarded(self, doing: Any) -> Any:
        try:
            return await doing
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as fault:
            if is_lost(fault) or self._connection.is_closed():
                await self.drop()
                raise Lost(str(fault)) from fault
            raise


def is_lost(fault: BaseException) -> bool:
    """Whether a fault says that the connection is gone or that the server is on its way down or up."""
    gone = (
        OSError,
        asyncpg.PostgresConnectionError,
        asyncpg.OperatorInterventionError,
        asyncpg.InternalClientError,  # a goodbye that came while nothing was asked leaves asyncpg in this state
    )
    return isinstance(fault, gone) and not isinstance(fault, asyncpg.QueryCanceledError)


class Links:
    """A few connections that readers share; opened when first needed, the last used first."""

    def __init__(self, dsn: str, size: int) -> None:
        self._all = [Link(dsn) for _ in range(size)]
        self._free: asyncio.LifoQueue[Link] = asyncio.LifoQueue()
        for link in reversed(self._all):
            self._free.put_nowait(link)

    @asynccontextmanager
    async def one(self) -> AsyncIterator[Link]:
        """A connection for the length of the block."""
        link = await self._free.get()
        try:
            yield link
        finally:
            self._free.put_nowait(link)

    async def close(self) -> None:
        """Wait until all are given back, and close them."""
        for _ in self._all:
            await (await self._free.get()).close()


def _same(value: Any) -> Any:
    return value


def _float(value: Any) -> Any:
    return None if value is None else float(value)


def _bool(value: Any) -> Any:
    return None if value is None else bool(value)


def _int(value: Any) -> Any:
    return None if value is None else int(value)


_FIT = {"float8": _float, "bool": _bool, "int8": _int, "int4": _int}
"""SQLite takes 1 for true and 5 for 5.0; asyncpg is told."""
