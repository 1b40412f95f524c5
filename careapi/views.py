"""What is read: lists by number, a case with its posts and replies, the audit."""

from __future__ import annotations

from typing import Any

from careapi.cases import listed
from careapi.model import Status
from careapi.shapes import case_out
from careapi.tx import Row, Tx
from careapi.work import found
from scenarios.names import Language

POST = (
    "m.id, h.platform, m.external_id, m.lang, m.text, m.private, m.posted_s, m.received_s, m.kind, m.label,"
    " m.score, m.case_id"
)
REPLY = "id, case_id, agent, text, sent_s, delivered_s"
EVENT = "seq, case_id, kind, at_s, actor, data"
JOINED = (  # a case and all that were joined to it, by way of others too
    '(WITH RECURSIVE part (id) AS (SELECT CAST(? AS bigint) UNION SELECT c.id FROM "case" c'
    " JOIN part ON c.merged_into = part.id) SELECT id FROM part)"
)


def cases(
    tx: Tx, status: Status | None, language: Language | None, agent: str | None, after: int, limit: int
) -> dict[str, Any]:
    """Cases numbered above `after`, by number."""
    where, values = ["id > ?"], [after]  # type: list[str], list[object]
    for column, value in (("status", status), ("lang", language), ("agent", agent)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(str(value))
    found = listed(tx.db, f"{' AND '.join(where)} ORDER BY id LIMIT ?", [*values, limit])
    return page([case_out(case) for case in found], limit)


def posts(tx: Tx, language: Language | None, kind: str | None, after: int, limit: int) -> dict[str, Any]:
    """Posts numbered above `after`, by number; `kind` is what a person says, else the machine."""
    where, values = ["m.id > ?"], [after]  # type: list[str], list[object]
    if language is not None:
        where.append("m.lang = ?")
        values.append(language.value)
    if kind is not None:
        where.append("coalesce(m.label, m.kind) = ?")
        values.append(kind)
    rows = tx.rows(
        f"SELECT {POST} FROM mention m JOIN handle h ON h.id = m.handle_id WHERE {' AND '.join(where)}"
        " ORDER BY m.id LIMIT ?", *values, limit,
    )  # fmt: skip
    return page([post(row) for row in rows], limit)


def case(tx: Tx, case_id: int) -> dict[str, Any]:
    """A case with its posts and replies, those of cases that were joined to it included."""
    own = case_out(found(tx, case_id))
    more = tx.row('SELECT topic, stage, first_reply_s, closed_reason, merged_into FROM "case" WHERE id = ?', case_id)
    assert more is not None
    heard = tx.rows(
        f"SELECT {POST} FROM mention m JOIN handle h ON h.id = m.handle_id WHERE m.case_id IN {JOINED} ORDER BY m.id",
        case_id,
    )  # fmt: skip
    said = tx.rows(f"SELECT {REPLY} FROM reply WHERE case_id IN {JOINED} ORDER BY id", case_id)
    return {
        **own,
        **dict(zip(("topic", "stage", "first_reply_s", "closed_reason", "merged_into"), more, strict=True)),
        "posts": [post(row) for row in heard],
        "replies": [named(REPLY, row) for row in said],
    }


def around(tx: Tx, case_id: int) -> dict[str, Any]:
    """What goes on because of a case and those joined to it: payment links, notices, lost items, tickets."""
    tables = {
        "paylinks": "id, amount_minor, currency, state, expires_s, paid_s, refund_check",
        "notices": "id, flight, date, seat, text, created_s, seen_s",
        "lost_items": "id, kind, description, matched_id",
        "tickets": "id, department, title, state",
    }
    found = {}
    for name, columns in tables.items():
        rows = tx.rows(f"SELECT {columns} FROM {name[:-1]} WHERE case_id IN {JOINED} ORDER BY id", case_id)
        found[name] = [named(columns, row) for row in rows]
    return found


def events(tx: Tx, after: int, limit: int, case_id: int | None = None, actor: str | None = None) -> dict[str, Any]:
    """What happened, by number: the audit."""
    where, values = ["seq > ?"], [after]  # type: list[str], list[object]
    for column, value in (("case_id", case_id), ("actor", actor)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    rows = tx.rows(f"SELECT {EVENT} FROM event WHERE {' AND '.join(where)} ORDER BY seq LIMIT ?", *values, limit)
    return page([named(EVENT, row) for row in rows], limit, "seq")


def post(row: Row) -> dict[str, Any]:
    """A post as JSON has it."""
    told = named(POST.replace("m.", "").replace("h.", ""), row)
    return {**told, "private": bool(told["private"])}


def named(columns: str, row: Row) -> dict[str, Any]:
    """A row with the names of its columns."""
    return dict(zip(columns.split(", "), row, strict=True))


def page(items: list[dict[str, Any]], limit: int, key: str = "id") -> dict[str, Any]:
    """A page, and after which number the next one begins."""
    return {"items": items, "next": items[-1][key] if len(items) == limit else None}
