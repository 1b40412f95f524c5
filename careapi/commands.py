"""What the commands around a store do: bring its tables up to date, fill it, look whether all is well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any, TypeVar

from rich.console import Console

from careapi.seed import SeedClock, seed
from careapi.serve import shown
from careapi.store import Store
from careapi.stores import open_store
from careapi.tx import Tx

T = TypeVar("T")


def migrate(store: str) -> dict[str, Any]:
    """Bring the tables of a store up to date, made if it is not there; returns the version that it has then."""
    return {"store": shown(store), "version": _within(store, lambda opened: opened.read(_version))}


def check(store: str) -> dict[str, Any]:
    """Look whether every invariant holds; returns what does not, and how much there is."""

    async def look(opened: Store) -> dict[str, Any]:
        return {"store": shown(store), "broken": await opened.broken(), **await opened.read(_counts)}

    return _within(store, look)


def fill(
    store: str, scenario: str, root: int, hours: float | None, watch: Callable[[float], None] = lambda share: None
) -> dict[str, Any]:
    """Put the posts of a scenario into an empty store, as if they had come until now."""
    clock = SeedClock()

    async def put(opened: Store) -> dict[str, Any]:
        return {"store": shown(store), **asdict(await seed(opened, clock, scenario, root, hours, watch))}

    return _within(store, put, clock)


def draw(console: Console, told: dict[str, Any]) -> None:
    """Print what a command tells, a line each."""
    for name, value in told.items():
        if isinstance(value, list):
            console.print(f"{name:11} {len(value) or 'nothing'}")
            for each in value:
                console.print(f"  {each}", soft_wrap=True)
        else:
            console.print(f"{name:11} {value}", soft_wrap=True)


def _within(store: str, what: Callable[[Store], Awaitable[T]], clock: SeedClock | None = None) -> T:
    async def run() -> T:
        opened = await open_store(store, clock=clock or SeedClock())
        try:
            return await what(opened)
        finally:
            await opened.close()

    return asyncio.run(run())


def _version(tx: Tx) -> int:
    row = tx.row("SELECT max(version) FROM schema_version")
    assert row is not None
    return int(row[0])


def _counts(tx: Tx) -> dict[str, int]:
    found = {}
    for name in ("mention", '"case"', "event"):
        row = tx.row(f"SELECT count(*) FROM {name}")
        assert row is not None
        found[name.strip('"') + "s"] = int(row[0])
    return found
