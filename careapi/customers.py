"""Customers over all their channels: who they are, what they wrote, joined, exported, erased."""

from __future__ import annotations

from typing import Any

from careapi.model import Case, EventKind, Status
from careapi.problems import Refused
from careapi.tx import Tx
from careapi.views import EVENT, POST, REPLY, named, post
from careapi.work import found, withdraw_offers

MOST_HISTORY = 50
_PAYLINK = "id, case_id, agent, amount_minor, currency, state, created_s, expires_s, paid_s, refund_check"
_NOTICE = "id, flight, date, seat, case_id, agent, text, created_s, seen_s, seen_by"
_ITEM = "id, kind, case_id, airport, flight, date, seat, description, created_s, matched_id"
_TICKET = "id, case_id, agent, department, title, text, state, created_s, done_s"


def profile(tx: Tx, customer_id: int) -> dict[str, Any]:
    """A customer with status, booking, accounts and the latest cases over all channels."""
    row = tx.row("SELECT id, created_s, erased_s, tier, booking FROM customer WHERE id = ?", customer_id)
    if row is None:
        raise Refused("not-found", f"there is no customer {customer_id}")
    handles = tx.rows("SELECT id, platform, external_user, name FROM handle WHERE customer_id = ? ORDER BY id", row[0])
    cases = tx.rows(
        'SELECT id, lang, private, status, opened_s, resolved_s, topic FROM "case" WHERE customer_id = ?'
        " ORDER BY id DESC LIMIT ?", customer_id, MOST_HISTORY,
    )  # fmt: skip
    return {
        **named("id, created_s, erased_s, tier, booking", row),
        "handles": [named("id, platform, external_user, name", each) for each in handles],
        "cases": [
            {**named("id, lang, private, status, opened_s, resolved_s, topic", each), "private": bool(each[2])}
            for each in cases
        ],
    }


def link(
    tx: Tx, customer_id: int, agent: str, other: int | None, tier: str | None, booking: str | None
) -> dict[str, Any]:
    """Note status and booking of a customer; let what belongs to another one, the same person, be his."""
    profile(tx, customer_id)
    if tier is not None:
        tx.run("UPDATE customer SET tier = ? WHERE id = ?", tier, customer_id)
    if booking is not None:
        tx.run("UPDATE customer SET booking = ? WHERE id = ?", booking, customer_id)
    if other is not None:
        _join(tx, customer_id, other, agent)
    tx.note(None, EventKind.CUSTOMER, agent, f"{customer_id}" if other is None else f"{customer_id}<{other}")
    return profile(tx, customer_id)


def _join(tx: Tx, customer_id: int, other: int, agent: str) -> None:
    if other == customer_id:
        raise Refused("not-now", "a customer is not joined with himself")
    profile(tx, other)
    both = tx.rows(
        'SELECT a.id, b.id FROM "case" a JOIN "case" b ON b.thread = a.thread WHERE a.customer_id = ?'
        " AND b.customer_id = ? AND a.status <> 'resolved' AND b.status <> 'resolved' ORDER BY a.id",
        customer_id, other,
    )  # fmt: skip
    for one, two in both:
        _merge(tx, found(tx, int(one)), found(tx, int(two)), agent)
    tx.run("UPDATE handle SET customer_id = ? WHERE customer_id = ?", customer_id, other)
    tx.run('UPDATE "case" SET customer_id = ?, version = version + 1 WHERE customer_id = ?', customer_id, other)
    tx.run(  # loose posts of one account in a thread where the other one has a case
        'UPDATE mention SET case_id = (SELECT c.id FROM "case" c WHERE c.customer_id = ? AND c.thread = mention.thread'
        " AND c.status <> 'resolved') WHERE case_id IS NULL"
        " AND handle_id IN (SELECT id FROM handle WHERE customer_id = ?)",
        customer_id, customer_id,
    )  # fmt: skip


def _merge(tx: Tx, one: Case, two: Case, agent: str) -> None:
    """One person has two cases in one thread: the one in hand stays, else the one due first."""
    kept, gone = sorted((one, two), key=lambda case: (case.status is not Status.ASSIGNED, case.due_s, case.id))
    if gone.status is Status.ASSIGNED:
        raise Refused("not-now", f"cases {one.id} and {two.id} of one thread are both in hand; give one back first")
    tx.run(
        "UPDATE \"case\" SET status = 'resolved', agent = NULL, lease_until_s = NULL, resolved_s = ?,"
        " closed_reason = 'merged', merged_into = ?, version = version + 1 WHERE id = ?",
        tx.now_s, kept.id, gone.id,
    )  # fmt: skip
    tx.run(
        'UPDATE "case" SET opened_s = ?, waiting_since_s = ?, due_s = ?, version = version + 1 WHERE id = ?',
        min(kept.opened_s, gone.opened_s), min(kept.waiting_since_s, gone.waiting_since_s),
        min(kept.due_s, gone.due_s), kept.id,
    )  # fmt: skip
    # The posts follow when the accounts have one owner; until then the case of the other holds none of them.
    tx.run("UPDATE mention SET case_id = ? WHERE case_id = ?", kept.id, gone.id)
    tx.note(gone.id, EventKind.MERGED, agent, str(kept.id))
    withdraw_offers(tx, gone.id)


def export(tx: Tx, customer_id: int, agent: str) -> dict[str, Any]:
    """All that is kept about a customer, ready for JSON; that it was asked for is kept too."""
    told = profile(tx, customer_id)
    of = '(SELECT id FROM "case" WHERE customer_id = ?)'

    def rows(columns: str, table: str) -> list[dict[str, Any]]:
        found = tx.rows(f"SELECT {columns} FROM {table} WHERE case_id IN {of}", customer_id)
        return sorted((named(columns, row) for row in found), key=lambda row: int(row["id"]))

    posts = tx.rows(
        f"SELECT {POST} FROM mention m JOIN handle h ON h.id = m.handle_id WHERE h.customer_id = ? ORDER BY m.id",
        customer_id,
    )
    events = tx.rows(f"SELECT {EVENT} FROM event WHERE case_id IN {of} ORDER BY seq", customer_id)
    tx.note(None, EventKind.EXPORTED, agent, str(customer_id))
    return {
        "customer": told,
        "posts": [post(row) for row in posts],
        "replies": rows(REPLY, "reply"),
        "paylinks": rows(_PAYLINK, "paylink"),
        "notices": rows(_NOTICE, "notice"),
        "lost_items": rows(_ITEM, "lost_item"),
        "tickets": rows(_TICKET, "ticket"),
        "events": [named(EVENT, row) for row in events],
    }


def erase(tx: Tx, customer_id: int, agent: str) -> dict[str, Any]:
    """Take out every text and name of a customer; numbers, times and sums stay. His open cases are closed."""
    profile(tx, customer_id)
    of = '(SELECT id FROM "case" WHERE customer_id = ?)'
    open_cases = tx.rows("SELECT id FROM \"case\" WHERE customer_id = ? AND status <> 'resolved'", customer_id)
    for (case_id,) in open_cases:
        tx.run(
            "UPDATE \"case\" SET status = 'resolved', agent = NULL, lease_until_s = NULL, resolved_s = ?,"
            " closed_reason = 'erased', version = version + 1 WHERE id = ?", tx.now_s, case_id,
        )  # fmt: skip
        tx.note(int(case_id), EventKind.RESOLVED, agent, "erased")
        withdraw_offers(tx, int(case_id))
    for handle_id, platform, user in tx.rows(
        "SELECT id, platform, external_user FROM handle WHERE customer_id = ?", customer_id
    ):
        was, now = f"{platform}:direct:{user}", f"{platform}:direct:erased-{handle_id}"
        tx.run('UPDATE "case" SET thread = ? WHERE thread = ?', now, was)
        tx.run("UPDATE mention SET thread = ? WHERE thread = ?", now, was)
        tx.run("UPDATE handle SET external_user = ?, name = '' WHERE id = ?", f"erased-{handle_id}", handle_id)
        tx.run("UPDATE mention SET text = '' WHERE handle_id = ?", handle_id)
    tx.run(f"UPDATE reply SET text = '' WHERE case_id IN {of}", customer_id)
    tx.run(f"UPDATE notice SET text = '', seat = NULL WHERE case_id IN {of}", customer_id)
    tx.run(f"UPDATE lost_item SET description = '', seat = NULL WHERE case_id IN {of}", customer_id)
    tx.run(f"UPDATE ticket SET title = '', text = '' WHERE case_id IN {of}", customer_id)
    for (case_id,) in tx.rows('SELECT id FROM "case" WHERE customer_id = ?', customer_id):
        tx.run("DELETE FROM idem WHERE body LIKE ?", f'%"case_id":{case_id},%')  # answers repeat what was written
    tx.run("UPDATE customer SET erased_s = ?, booking = NULL WHERE id = ?", tx.now_s, customer_id)
    tx.note(None, EventKind.ERASED, agent, str(customer_id))
    return {"id": customer_id, "erased_s": tx.now_s, "cases_closed": len(open_cases)}
