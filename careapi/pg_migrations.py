"""The numbered SQL files of PostgreSQL, applied once each, all that are missing in one transaction."""

from __future__ import annotations

import asyncpg

from careapi.migrations import scripts
from careapi.model import StoreError
from careapi.pg_link import Link

_LOCK = 7_203_002  # of several processes that start at once, one brings the tables up to date
_VERSION = "CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY, at_s DOUBLE PRECISION NOT NULL)"


async def migrate(link: Link, now_s: float) -> list[int]:
    """Apply what is missing and return those numbers.

    Raises
    ------
    StoreError
        If the store has migrations that this version does not know, or its tables are not ours.
    """
    known = scripts("postgresql")
    await link.run(f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})")
    try:
        await link.run(_VERSION)
        there = {version for (version,) in await link.fetch("SELECT version FROM schema_version")}
        if newer := there - known.keys():
            raise StoreError(
                f"the store has version {max(newer)}, this program knows {max(known)}; use a later ashcloud"
            )
        missing = [version for version in known if version not in there]
        for version in missing:
            await link.run(known[version])
            await link.fetch("INSERT INTO schema_version VALUES ($1, $2)", (version, now_s))
        await link.run("COMMIT")
    except asyncpg.PostgresError as fault:
        await link.drop()
        raise StoreError(f"the database is not a store: {fault}; name an empty one") from fault
    except BaseException:
        await link.drop()
        raise
    return missing
