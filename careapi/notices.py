"""Closing the loop with the crew: notices for a flight, and things lost and found on it."""

from __future__ import annotations

from typing import Any

from careapi.model import EventKind
from careapi.problems import Refused
from careapi.tx import Tx
from careapi.views import named, page
from careapi.work import found

NOTICE = "id, flight, date, seat, case_id, agent, text, created_s, seen_s, seen_by"
ITEM = "id, kind, case_id, airport, flight, date, seat, description, created_s, matched_id"


def add(tx: Tx, flight: str, date: str, agent: str, text: str, seat: str | None, case_id: int | None) -> dict[str, Any]:
    """Tell the crew of a flight about a passenger aboard."""
    if case_id is not None:
        found(tx, case_id)
    row = tx.row(
        "INSERT INTO notice (flight, date, seat, case_id, agent, text, created_s) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        flight, date, seat, case_id, agent, text, tx.now_s,
    )  # fmt: skip
    assert row is not None
    tx.note(case_id, EventKind.NOTICE_MADE, agent, f"{row[0]} {flight} {date}")
    return _notice(tx, int(row[0]))


def of_flight(tx: Tx, flight: str, date: str) -> dict[str, Any]:
    """What the purser should know: the unseen first, then by seat."""
    rows = tx.rows(
        f"SELECT {NOTICE} FROM notice WHERE flight = ? AND date = ? ORDER BY seen_s IS NOT NULL, seat, id LIMIT 500",
        flight, date,
    )  # fmt: skip
    return {"flight": flight, "date": date, "items": [named(NOTICE, row) for row in rows]}


def acknowledge(tx: Tx, notice_id: int, agent: str) -> dict[str, Any]:
    """The crew has seen it; the first who says so is kept."""
    notice = _notice(tx, notice_id)
    if notice["seen_s"] is None:
        tx.run("UPDATE notice SET seen_s = ?, seen_by = ? WHERE id = ?", tx.now_s, agent, notice_id)
        tx.note(notice["case_id"], EventKind.NOTICE_SEEN, agent, str(notice_id))
    return _notice(tx, notice_id)


def _notice(tx: Tx, notice_id: int) -> dict[str, Any]:
    row = tx.row(f"SELECT {NOTICE} FROM notice WHERE id = ?", notice_id)
    if row is None:
        raise Refused("not-found", f"there is no notice {notice_id}")
    return named(NOTICE, row)


def add_item(tx: Tx, agent: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Keep what a customer lost, or what was found."""
    if asked["case_id"] is not None:
        found(tx, asked["case_id"])
    columns = ("kind", "case_id", "airport", "flight", "date", "seat", "description")
    row = tx.row(
        f"INSERT INTO lost_item ({', '.join(columns)}, created_s) VALUES (?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        *[asked[name] for name in columns], tx.now_s,
    )  # fmt: skip
    assert row is not None
    tx.note(asked["case_id"], EventKind.LOST_ITEM, agent, f"{row[0]} {asked['kind']}")
    return item(tx, int(row[0]))


def items(tx: Tx, kind: str | None, matched: bool | None, after: int, limit: int) -> dict[str, Any]:
    """Things lost and found, by number."""
    where, values = ["id > ?"], [after]  # type: list[str], list[object]
    if kind is not None:
        where.append("kind = ?")
        values.append(kind)
    if matched is not None:
        where.append(f"matched_id IS {'NOT ' if matched else ''}NULL")
    rows = tx.rows(f"SELECT {ITEM} FROM lost_item WHERE {' AND '.join(where)} ORDER BY id LIMIT ?", *values, limit)
    return page([named(ITEM, row) for row in rows], limit)


def item(tx: Tx, item_id: int) -> dict[str, Any]:
    """One of them."""
    row = tx.row(f"SELECT {ITEM} FROM lost_item WHERE id = ?", item_id)
    if row is None:
        raise Refused("not-found", f"there is no lost or found item {item_id}")
    return named(ITEM, row)


def match(tx: Tx, item_id: int, other_id: int, agent: str) -> dict[str, Any]:
    """What was lost is what was found; each of them only once."""
    one, other = item(tx, item_id), item(tx, other_id)
    if one["matched_id"] == other_id and other["matched_id"] == item_id:
        return one
    if {one["kind"], other["kind"]} != {"lost", "found"}:
        raise Refused("not-now", "one of the two must be lost, the other found")
    if one["matched_id"] is not None or other["matched_id"] is not None:
        raise Refused("not-now", "one of the two is matched already")
    tx.run("UPDATE lost_item SET matched_id = ? WHERE id = ?", other_id, item_id)
    tx.run("UPDATE lost_item SET matched_id = ? WHERE id = ?", item_id, other_id)
    lost = one if one["kind"] == "lost" else other
    tx.note(lost["case_id"], EventKind.LOST_ITEM, agent, f"{item_id}={other_id}")
    return item(tx, item_id)
