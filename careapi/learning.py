"""What the house learns from cases: tags, improvement tickets, insights; and one text that answers many."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from careapi import work
from careapi.model import EventKind
from careapi.problems import Refused
from careapi.tx import Tx
from careapi.views import named, page
from scenarios.names import Platform

TICKET = "id, case_id, agent, department, title, text, state, created_s, done_s"
BROADCAST = "id, lang, topic, text, agent, created_s, closed"
COLUMNS = ("topic", "stage", "lang", "cases", "answered", "resolved", "first_response_mean_s", "tickets")
UNTAGGED = "untagged"
BATCH = 200


def tag(tx: Tx, case_id: int, agent: str, topic: str | None, stage: str | None) -> dict[str, Any]:
    """Say what a case is about and in which phase of the journey; what is not named stays."""
    work.found(tx, case_id)
    for name, value in (("topic", topic), ("stage", stage)):
        if value is not None:
            tx.run(f'UPDATE "case" SET {name} = ?, version = version + 1 WHERE id = ?', value, case_id)
            tx.note(case_id, EventKind.TAGGED, agent, f"{name}={value}")
    row = tx.row('SELECT id, topic, stage, version FROM "case" WHERE id = ?', case_id)
    assert row is not None
    return named("id, topic, stage, version", row)


def insights(tx: Tx, window_s: float) -> list[dict[str, Any]]:
    """Cases opened in the last `window_s` seconds by topic, stage of the journey and language, most first."""
    rows = tx.rows(
        "SELECT coalesce(topic, 'untagged'), coalesce(stage, 'untagged'), lang, count(*), count(first_reply_s),"
        " count(resolved_s), avg(first_reply_s - opened_s),"
        ' sum((SELECT count(*) FROM ticket t WHERE t.case_id = "case".id))'
        " FROM \"case\" WHERE opened_s >= ? AND coalesce(closed_reason, '') <> 'merged'"
        " GROUP BY coalesce(topic, 'untagged'), coalesce(stage, 'untagged'), lang ORDER BY 4 DESC, 1, 2, 3",
        tx.now_s - window_s,
    )
    found = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    return [{**each, "tickets": int(each["tickets"] or 0)} for each in found]


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """Insights as a table; all words in it are ours, so that none can be a formula."""
    file = io.StringIO()
    writer = csv.DictWriter(file, COLUMNS, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue()


def raise_ticket(tx: Tx, case_id: int, agent: str, department: str, title: str, text: str) -> dict[str, Any]:
    """Tell a department what to improve, out of a case."""
    work.found(tx, case_id)
    row = tx.row(
        "INSERT INTO ticket (case_id, agent, department, title, text, state, created_s)"
        " VALUES (?, ?, ?, ?, ?, 'open', ?) RETURNING id",
        case_id, agent, department, title, text, tx.now_s,
    )  # fmt: skip
    assert row is not None
    tx.note(case_id, EventKind.TICKET, agent, f"{row[0]} {department}")
    return ticket(tx, int(row[0]))


def ticket(tx: Tx, ticket_id: int) -> dict[str, Any]:
    """One of them."""
    row = tx.row(f"SELECT {TICKET} FROM ticket WHERE id = ?", ticket_id)
    if row is None:
        raise Refused("not-found", f"there is no ticket {ticket_id}")
    return named(TICKET, row)


def tickets(tx: Tx, state: str | None, department: str | None, after: int, limit: int) -> dict[str, Any]:
    """Tickets by number."""
    where, values = ["id > ?"], [after]  # type: list[str], list[object]
    for column, value in (("state", state), ("department", department)):
        if value is not None:
            where.append(f"{column} = ?")
            values.append(value)
    rows = tx.rows(f"SELECT {TICKET} FROM ticket WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", *values, limit)
    return page([named(TICKET, row) for row in rows], limit)


def finish_ticket(tx: Tx, ticket_id: int, agent: str) -> dict[str, Any]:
    """It was improved; said twice it stays as it was."""
    found = ticket(tx, ticket_id)
    if found["state"] == "open":
        tx.run("UPDATE ticket SET state = 'done', done_s = ? WHERE id = ?", tx.now_s, ticket_id)
        tx.note(found["case_id"], EventKind.TICKET, agent, f"{ticket_id} done")
    return ticket(tx, ticket_id)


def broadcast(tx: Tx, agent: str, texts: Mapping[str, str], topic: str | None) -> dict[str, Any]:
    """Keep one text a language for all who ask the same."""
    made = []
    for language, text in sorted(texts.items()):
        row = tx.row(
            "INSERT INTO broadcast (lang, topic, text, agent, created_s) VALUES (?, ?, ?, ?, ?) RETURNING id",
            language, topic, text, agent, tx.now_s,
        )  # fmt: skip
        assert row is not None
        made.append(int(row[0]))
        tx.note(None, EventKind.BROADCAST, agent, f"{row[0]} {language} {topic or 'all'}")
    return {"ids": made}


def close_by(tx: Tx, broadcast_id: int) -> int:
    """Close up to a batch of waiting cases that a broadcast answers; returns how many. A new one may come later.

    Only cases opened before it. No first answer is noted: a text for all stops nobody's clock.
    """
    row = tx.row("SELECT lang, topic, agent, created_s FROM broadcast WHERE id = ?", broadcast_id)
    assert row is not None
    language, topic, agent, created_s = row
    about, values = ("", []) if topic is None else (" AND topic = ?", [topic])  # type: str, list[object]
    rows = tx.rows(
        f"SELECT id FROM \"case\" WHERE status = 'open' AND lang = ? AND opened_s <= ?{about} ORDER BY id LIMIT ?",
        language, created_s, *values, BATCH,
    )  # fmt: skip
    for (case_id,) in rows:
        tx.run(
            "UPDATE \"case\" SET status = 'resolved', resolved_s = ?, closed_reason = 'broadcast',"
            " version = version + 1 WHERE id = ?", tx.now_s, case_id,
        )  # fmt: skip
        tx.note(int(case_id), EventKind.RESOLVED, agent, f"broadcast {broadcast_id}")
    tx.run("UPDATE broadcast SET closed = closed + ? WHERE id = ?", len(rows), broadcast_id)
    return len(rows)


def broadcasts(tx: Tx, after: int, limit: int) -> dict[str, Any]:
    """Broadcasts by number."""
    rows = tx.rows(f"SELECT {BROADCAST} FROM broadcast WHERE id > ? ORDER BY id LIMIT ?", after, limit)
    return page([named(BROADCAST, row) for row in rows], limit)


def deliver(tx: Tx, held: Sequence[Platform] = ()) -> int:
    """Hand replies that were kept to the platforms (played here), in order; returns how many.

    A reply goes where its customer has written last; what would go to a platform that is held stays here.
    """
    last = "SELECT platform FROM mention WHERE mention.case_id = reply.case_id ORDER BY id DESC LIMIT 1"
    apart = f" AND COALESCE(({last}), '') NOT IN ({', '.join('?' * len(held))})" if held else ""
    return tx.run(
        "UPDATE reply SET delivered_s = ? WHERE id IN"
        f" (SELECT id FROM reply WHERE delivered_s IS NULL{apart} ORDER BY id LIMIT 1000)", tx.now_s, *held,
    )  # fmt: skip
