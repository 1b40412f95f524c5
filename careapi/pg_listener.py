"""Hears of the commits of all processes that serve one database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import asyncpg

from careapi.model import Unavailable
from careapi.pg_link import Link, Lost
from careapi.pg_writer import CHANNEL

_PAUSE_S = 0.5
_ALIVE_S = 15.0


class Listener:
    """Calls `poke` after each commit anywhere; also after it was deaf for a while, since something may have happened.

    Parameters
    ----------
    dsn : str
        The database.
    """

    def __init__(self, dsn: str) -> None:
        self._link = Link(dsn)
        self._task: asyncio.Task[None] | None = None

    def start(self, poke: Callable[[], None]) -> None:
        """Begin to listen on the running loop; a second call replaces the first."""
        if self._task is not None:
            self._task.cancel()
        self._task = asyncio.get_running_loop().create_task(self._run(poke), name="care-listener")

    async def close(self) -> None:
        """Stop."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._link.close()

    async def _run(self, poke: Callable[[], None]) -> None:
        while True:
            try:
                await self._listen(poke)
            except (Lost, Unavailable, OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._link.drop()
                await asyncio.sleep(_PAUSE_S)

    async def _listen(self, poke: Callable[[], None]) -> None:
        await self._link.ready()
        gone = asyncio.Event()
        self._link.connection.add_termination_listener(lambda _: gone.set())
        await self._link.connection.add_listener(CHANNEL, lambda *_: poke())
        poke()
        while True:
            with suppress(TimeoutError):  # not wait_for: before Python 3.12 that may swallow a cancellation
                async with asyncio.timeout(_ALIVE_S):
                    await gone.wait()
            if gone.is_set():
                raise Lost("the server has closed it")
            await self._link.run("SELECT 1")  # a peer that vanished without a word shows by this
