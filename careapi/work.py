"""What agents do with cases beyond taking them: reply, pass on, give back, close, open again, join.

Each is a job of one transaction. A case that was changed since it was read, or is in other hands, is
left alone: `Refused("stale")`.
"""

from __future__ import annotations

from careapi.model import Case, EventKind, Status
from careapi.problems import Refused
from careapi.tx import Tx
from scenarios.names import Language, Visibility

WAIT, RESOLVE, KEEP = "wait", "resolve", "keep"


def found(tx: Tx, case_id: int) -> Case:
    """The case, or `Refused`."""
    case = tx.case(case_id)
    if case is None:
        raise Refused("not-found", f"there is no case {case_id}")
    return case


def held(tx: Tx, case_id: int, agent: str, version: int | None) -> Case:
    """The case if it is in that agent's hands and, where a version is named, in that version."""
    case = found(tx, case_id)
    if case.status is not Status.ASSIGNED or case.agent != agent:
        raise Refused("stale", f"case {case_id} is not in the hands of {agent}; read it again", version=case.version)
    return _same(case, version)


def reply(tx: Tx, case_id: int, agent: str, version: int | None, text: str, then: str) -> tuple[int, Case]:
    """Answer the customer; then wait for him, close the case or keep it.

    Returns
    -------
    reply_id : int
    case : Case
        As it stands afterwards.
    """
    case = held(tx, case_id, agent, version)
    row = tx.row(
        "INSERT INTO reply (case_id, agent, text, sent_s) VALUES (?, ?, ?, ?) RETURNING id",
        case_id, agent, text, tx.now_s,
    )  # fmt: skip
    assert row is not None
    _set(tx, case, "first_reply_s = coalesce(first_reply_s, ?)", tx.now_s)
    tx.note(case_id, EventKind.REPLIED, agent, str(row[0]))
    if then == RESOLVE:
        _close(tx, case, agent, "answered")
    elif then == WAIT:
        _set(tx, case, "status = 'waiting_customer', agent = NULL, lease_until_s = NULL")
        tx.note(case_id, EventKind.WAITING, agent)
        withdraw_offers(tx, case_id)
    else:
        _set(tx, case, "lease_until_s = ?", tx.now_s + tx.rules.lease_s)
        withdraw_offers(tx, case_id, "accepted")
    return int(row[0]), found(tx, case_id)


def release(tx: Tx, case_id: int, agent: str, version: int) -> Case:
    """Put a case back with its age."""
    case = held(tx, case_id, agent, version)
    _set(tx, case, "status = 'open', agent = NULL, lease_until_s = NULL")
    tx.note(case_id, EventKind.RELEASED, agent)
    withdraw_offers(tx, case_id)
    return found(tx, case_id)


def transfer(
    tx: Tx, case_id: int, agent: str, version: int, to_agent: str | None, to_language: Language | None
) -> Case:
    """Pass a case to another agent, or to the queue of another language, with its age."""
    case = held(tx, case_id, agent, version)
    if to_agent is not None:
        _set(tx, case, "agent = ?, lease_until_s = ?", to_agent, tx.now_s + tx.rules.lease_s)
    if to_language is not None:
        _set(tx, case, "lang = ?", to_language.value)
    if to_agent is None:
        _set(tx, case, "status = 'open', agent = NULL, lease_until_s = NULL")
    tx.note(case_id, EventKind.TRANSFERRED, agent, to_agent or (to_language.value if to_language else ""))
    withdraw_offers(tx, case_id)
    return found(tx, case_id)


def resolve(tx: Tx, case_id: int, agent: str, version: int, reason: str) -> Case:
    """Close a case that the agent holds, or one that waits for its customer."""
    case = found(tx, case_id)
    if case.status is Status.WAITING_CUSTOMER:
        _same(case, version)
    else:
        held(tx, case_id, agent, version)
    _close(tx, case, agent, reason)
    return found(tx, case_id)


def reopen(tx: Tx, case_id: int, agent: str, version: int) -> Case:
    """Put a closed or waiting case into its queue once more, with a new promise."""
    case = _same(found(tx, case_id), version)
    if case.status not in (Status.RESOLVED, Status.WAITING_CUSTOMER):
        raise Refused("not-now", f"case {case_id} is {case.status}; only a closed or waiting case is opened again")
    other = tx.row(
        "SELECT id FROM \"case\" WHERE customer_id = ? AND thread = ? AND status <> 'resolved' AND id <> ?",
        case.customer_id, case.thread, case_id,
    )  # fmt: skip
    if other is not None:
        raise Refused("not-now", f"case {other[0]} of the same customer and thread is open; work on that one")
    if tx.row("SELECT id FROM mention WHERE case_id = ? LIMIT 1", case_id) is None:
        raise Refused("not-now", f"all posts of case {case_id} went to the case that it was joined to; open that one")
    promise_s = tx.rules.promise_s[Visibility.PRIVATE if case.private else Visibility.PUBLIC]
    _set(
        tx, case,
        "status = 'open', resolved_s = NULL, closed_reason = NULL, merged_into = NULL, waiting_since_s = ?, due_s = ?",
        tx.now_s, tx.now_s + promise_s,
    )  # fmt: skip
    tx.note(case_id, EventKind.REOPENED, agent)
    return found(tx, case_id)


def merge(tx: Tx, case_id: int, agent: str, version: int, into: int) -> Case:
    """Close a case into another one of the same customer, which takes the earlier key; returns the kept one."""
    case, kept = found(tx, case_id), found(tx, into)
    _same(case, version)
    if case_id == into or case.customer_id != kept.customer_id:
        raise Refused("not-now", "only two cases of one customer are joined; link the customers first")
    for each in (case, kept):
        if each.status is Status.RESOLVED or (each.status is Status.ASSIGNED and each.agent != agent):
            raise Refused("not-now", f"case {each.id} is closed or in other hands")
    _close(tx, case, agent, "merged", EventKind.MERGED, str(into))
    _set(tx, case, "merged_into = ?", into)
    _set(
        tx, kept, "opened_s = ?, waiting_since_s = ?, due_s = ?", min(case.opened_s, kept.opened_s),
        min(case.waiting_since_s, kept.waiting_since_s), min(case.due_s, kept.due_s),
    )  # fmt: skip
    return found(tx, into)


def withdraw_offers(tx: Tx, case_id: int, state: str = "withdrawn") -> None:
    """A case that left the hands of whom it was offered to is offered no more."""
    tx.run("UPDATE offer SET state = ? WHERE case_id = ? AND state = 'open'", state, case_id)


def _close(tx: Tx, case: Case, agent: str, reason: str, kind: EventKind = EventKind.RESOLVED, data: str = "") -> None:
    _set(
        tx, case, "status = 'resolved', agent = NULL, lease_until_s = NULL, resolved_s = ?, closed_reason = ?",
        tx.now_s, reason,
    )  # fmt: skip
    tx.note(case.id, kind, agent, data)
    withdraw_offers(tx, case.id)


def _set(tx: Tx, case: Case, what: str, *values: object) -> None:
    """Change a row that was read in this transaction; the version tells readers that it changed."""
    tx.run(f'UPDATE "case" SET {what}, version = version + 1 WHERE id = ?', *values, case.id)


def _same(case: Case, version: int | None) -> Case:
    if version is not None and case.version != version:
        raise Refused("stale", f"case {case.id} has version {case.version}, not {version}", version=case.version)
    return case
