"""What a person says that a post is, over what the rules took it for."""

from __future__ import annotations

from typing import Any

from careapi.model import EventKind
from careapi.problems import Refused
from careapi.tx import Tx
from careapi.views import POST, post
from scenarios.names import Visibility


def label(tx: Tx, post_id: int, agent: str, kind: str) -> dict[str, Any]:
    """Correct the kind of a post; a query without a case is put into its author's case of the thread, or a new one."""
    row = tx.row(
        "SELECT m.case_id, m.thread, m.lang, m.private, h.customer_id FROM mention m"
        " JOIN handle h ON h.id = m.handle_id WHERE m.id = ?", post_id,
    )  # fmt: skip
    if row is None:
        raise Refused("not-found", f"there is no post {post_id}")
    case_id, thread, language, private, customer_id = row
    tx.run("UPDATE mention SET label = ? WHERE id = ?", kind, post_id)
    tx.note(case_id, EventKind.LABELLED, agent, f"{post_id} {kind}")
    if kind == "query" and case_id is None:
        case_id = _case_of(tx, int(customer_id), str(thread)) or _open(tx, customer_id, thread, language, private)
        tx.run(
            "UPDATE mention SET case_id = ? WHERE case_id IS NULL AND thread = ?"
            " AND handle_id IN (SELECT id FROM handle WHERE customer_id = ?)",
            case_id, thread, customer_id,
        )  # fmt: skip
    told = tx.row(f"SELECT {POST} FROM mention m JOIN handle h ON h.id = m.handle_id WHERE m.id = ?", post_id)
    assert told is not None
    return post(told)


def _case_of(tx: Tx, customer_id: int, thread: str) -> int | None:
    row = tx.row(
        "SELECT id FROM \"case\" WHERE customer_id = ? AND thread = ? AND status <> 'resolved'", customer_id, thread
    )
    return None if row is None else int(row[0])


def _open(tx: Tx, customer_id: int, thread: str, language: str, private: object) -> int:
    promise_s = tx.rules.promise_s[Visibility.PRIVATE if private else Visibility.PUBLIC]
    row = tx.row(
        'INSERT INTO "case" (customer_id, thread, lang, private, status, opened_s, waiting_since_s, due_s)'
        " VALUES (?, ?, ?, ?, 'open', ?, ?, ?) RETURNING id",
        customer_id, thread, language, private, tx.now_s, tx.now_s, tx.now_s + promise_s,
    )  # fmt: skip
    assert row is not None
    tx.note(int(row[0]), EventKind.OPENED)
    return int(row[0])
