"""The same request, sent again with its key, is done once and gets the same answer.

The key is kept in the transaction of the work itself: what was not kept may be tried again, and of two that
come in the same instant one waits for the other. What was refused is not remembered.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from careapi.problems import Refused
from careapi.tx import Tx

KEPT_S = 86_400.0


@dataclass(frozen=True)
class Kept:
    """An answer: its status, its body as JSON, and whether it was given before."""

    status: int
    body: str
    replayed: bool = False


def digest(body: bytes) -> str:
    """What tells one request from another under the same key."""
    return hashlib.sha256(body).hexdigest()


def once(tx: Tx, scope: str, key: str | None, of: str, work: Callable[[Tx], Kept]) -> Kept:
    """Do `work`, or give back what it gave the first time.

    Parameters
    ----------
    scope : str
        Who asks and for what; keys of different scopes have nothing to do with each other.
    key : str or None
        None: without a memory.
    of : str
        `digest` of the request.

    Raises
    ------
    Refused
        ``key-reused`` if the key came before with another request.
    """
    if key is None:
        return work(tx)
    new = tx.run(
        "INSERT INTO idem (scope, key, digest, at_s) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
        scope, key, of, tx.now_s,
    )  # fmt: skip
    if not new:
        row = tx.row("SELECT digest, status, body FROM idem WHERE scope = ? AND key = ?", scope, key)
        assert row is not None
        if row[0] != of:
            raise Refused("key-reused", "use a new Idempotency-Key for a new request")
        return Kept(int(row[1]), str(row[2]), replayed=True)
    done = work(tx)
    tx.run("UPDATE idem SET status = ?, body = ? WHERE scope = ? AND key = ?", done.status, done.body, scope, key)
    return done


def forget(tx: Tx) -> int:
    """Drop keys that are older than a day; returns how many."""
    return tx.run("DELETE FROM idem WHERE at_s < ?", tx.now_s - KEPT_S)
