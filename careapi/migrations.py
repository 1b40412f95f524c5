"""Numbered SQL files, applied once each, in order, all that are missing in one transaction."""

from __future__ import annotations

import sqlite3
from importlib import resources

from careapi.model import StoreError

_VERSION = "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, at_s REAL NOT NULL)"


def scripts(dialect: str) -> dict[int, str]:
    """Number and text of each migration, in order; the dialect names the folder, such as ``sqlite``."""
    folder = resources.files("careapi") / "schema" / dialect
    found = {int(file.name[:3]): file.read_text("utf-8") for file in folder.iterdir() if file.name.endswith(".sql")}
    return dict(sorted(found.items()))


def migrate(db: sqlite3.Connection, now_s: float) -> list[int]:
    """Apply what is missing and return those numbers.

    Raises
    ------
    StoreError
        If the store has migrations that this version does not know.
    """
    known = scripts("sqlite")
    db.execute("BEGIN IMMEDIATE")
    try:
        db.execute(_VERSION)
        there = {version for (version,) in db.execute("SELECT version FROM schema_version")}
        if newer := there - known.keys():
            raise StoreError(
                f"the store has version {max(newer)}, this program knows {max(known)}; use a later ashcloud"
            )
        missing = [version for version in known if version not in there]
        for version in missing:
            for statement in _statements(known[version]):
                db.execute(statement)
            db.execute("INSERT INTO schema_version VALUES (?, ?)", (version, now_s))
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
    return missing


def _statements(script: str) -> list[str]:
    """Cut a script where SQLite sees a complete statement (its own runner would commit in between)."""
    found, part = [], ""
    for line in script.splitlines(keepends=True):
        part += line
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    return found
