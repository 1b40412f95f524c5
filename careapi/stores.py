"""Opens the store that an address names."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from careapi.model import Rules, StoreError
from careapi.store import Store
from careapi.store_sqlite import SqliteStore


async def open_store(url: str, rules: Rules | None = None, clock: Callable[[], float] = time.time) -> Store:
    """Open ``sqlite:PATH`` or ``postgresql://USER:PASSWORD@HOST:PORT/DATABASE``, and bring its tables up to date.

    Raises
    ------
    StoreError
        If it is neither, it cannot be used, or the extra ``postgres`` is not installed.
    """
    kind, _, rest = url.partition(":")
    if kind == "sqlite" and rest and not rest.startswith("//"):
        return SqliteStore(Path(rest), rules, clock)
    if kind in ("postgresql", "postgres") and rest.startswith("//"):
        try:
            from careapi.store_pg import PostgresStore
        except ModuleNotFoundError as missing:
            raise StoreError(
                f"{kind}: needs {missing.name}, which is not installed; pip install 'ashcloud[postgres]'"
            ) from None
        return await PostgresStore.open(url, rules, clock)
    raise StoreError(f"store {url!r} is neither sqlite:PATH nor postgresql://USER@HOST/DATABASE; write one of them")
