"""Payment links: made for a case, paid, failed or expired by what the provider reports, in any order.

The state follows from the set of reports alone: paid wins over expired, expired over failed. Who pays after
the link had expired has paid, and somebody looks whether it must be given back.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass
from typing import Any

from careapi.knobs import Faults
from careapi.model import EventKind
from careapi.problems import Refused
from careapi.tx import Tx
from careapi.views import named
from careapi.work import found

LEAST_S, MOST_S = 1800.0, 86_400.0
PROVIDER = "https://pay.example/"  # which is played here: a name that belongs to nobody
LINK = "id, case_id, agent, amount_minor, currency, state, provider_ref, created_s, expires_s, paid_s, refund_check"


@dataclass(frozen=True)
class Report:
    """What the provider says happened to an order, at its own time."""

    id: str
    ref: str
    kind: str
    at_s: float


async def order(faults: Faults, scope: str, key: str) -> str:
    """Ask the provider (which is played here) for a link; the same key gives the same number.

    Raises
    ------
    Refused
        ``payment-provider`` if it does not take orders.
    """
    ref = "pay_" + hashlib.sha256(f"{scope} {key}".encode()).hexdigest()[:24]
    if faults.payment("slow", ref):
        await asyncio.sleep(faults.delay_s)
    if faults.payment("failing", ref):
        raise Refused("payment-provider", "the provider refused the order; nothing was made")
    return ref


def make(
    tx: Tx, case_id: int, agent: str, amount_minor: int, currency: str, lasts_s: float, ref: str
) -> dict[str, Any]:
    """Keep a link; what the provider reported before it is applied."""
    found(tx, case_id)
    row = tx.row(
        "INSERT INTO paylink (case_id, agent, amount_minor, currency, state, provider_ref, created_s, expires_s)"
        " VALUES (?, ?, ?, ?, 'open', ?, ?, ?) RETURNING id",
        case_id, agent, amount_minor, currency, ref, tx.now_s, tx.now_s + lasts_s,
    )  # fmt: skip
    assert row is not None
    tx.note(case_id, EventKind.PAYLINK_MADE, agent, str(row[0]))
    _settle(tx, ref)
    return read(tx, int(row[0]))


def read(tx: Tx, link_id: int) -> dict[str, Any]:
    """A link as it stands."""
    row = tx.row(f"SELECT {LINK} FROM paylink WHERE id = ?", link_id)
    if row is None:
        raise Refused("not-found", f"there is no payment link {link_id}")
    told = named(LINK, row)
    return {**told, "refund_check": bool(row[-1]), "url": PROVIDER + str(told["provider_ref"])}


def report(tx: Tx, told: Report) -> bool:
    """Take in what the provider says; returns whether it was said before. The link may come later."""
    new = tx.run(
        "INSERT INTO payment_event (id, provider_ref, kind, at_s, received_s) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT DO NOTHING",
        told.id, told.ref, told.kind, told.at_s, tx.now_s,
    )  # fmt: skip
    if new:
        _settle(tx, told.ref)
    return not new


def expire(tx: Tx) -> int:
    """Let links end whose time is over; returns how many."""
    rows = tx.rows(
        "SELECT provider_ref FROM paylink WHERE state IN ('open', 'failed') AND expires_s <= ? LIMIT 200", tx.now_s
    )
    for (ref,) in rows:
        _settle(tx, str(ref))
    return len(rows)


def _settle(tx: Tx, ref: str) -> None:
    """Work out the state of a link from all that was reported and from the time."""
    link = tx.row("SELECT id, case_id, state, expires_s FROM paylink WHERE provider_ref = ?", ref)
    if link is None:
        return
    link_id, case_id, was, expires_s = int(link[0]), int(link[1]), str(link[2]), float(link[3])
    said = tx.rows("SELECT kind, at_s FROM payment_event WHERE provider_ref = ?", ref)
    times = {kind: [float(at_s) for each, at_s in said if each == kind] for kind in ("paid", "expired", "failed")}
    paid_s = min(times["paid"], default=None)
    over_s = min([*times["expired"], expires_s])
    if paid_s is not None:
        state = "paid"
    elif times["expired"] or tx.now_s >= expires_s:
        state = "expired"
    else:
        state = "failed" if times["failed"] else "open"
    refund_check = int(paid_s is not None and paid_s > over_s)
    tx.run(
        "UPDATE paylink SET state = ?, paid_s = ?, refund_check = ? WHERE id = ?", state, paid_s, refund_check, link_id
    )
    if state != was:
        tx.note(case_id, EventKind.PAYMENT, data=f"{link_id} {state}")
