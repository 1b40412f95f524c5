"""A mention comes in: kept once, put into its thread, and opened as a case if it is a query.

What is left at the end does not depend on the order of arrival: a reply that comes before its parent
waits in the parent's thread, and a thread that turns out to be part of another is joined to it.
All of this runs inside one transaction of the one writer.
"""

from __future__ import annotations

from careapi.database import Database
from careapi.journal import note
from careapi.model import EventKind, Mention, Receipt, Rules, Status
from careapi.queries import judge
from scenarios.names import Visibility


def take_in(db: Database, mention: Mention, rules: Rules, now_s: float) -> Receipt:
    """Store one mention and do what follows from it.

    Returns
    -------
    receipt : Receipt
        With `duplicate` set and nothing changed if the platform brought this mention before.
    """
    known = db.execute(
        "SELECT case_id FROM mention WHERE platform = ? AND external_id = ?", (mention.platform, mention.external_id)
    ).fetchone()
    if known is not None:
        return Receipt(known[0], duplicate=True)
    handle_id, customer_id = _writer(db, mention, now_s)
    thread = _thread(db, mention)
    verdict = judge(mention.text, mention.language, mention.visibility)
    private = mention.visibility is Visibility.PRIVATE
    db.execute(
        "INSERT INTO mention (platform, external_id, handle_id, thread, parent_external_id, lang, text, private,"
        " posted_s, received_s, kind, score) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (mention.platform, mention.external_id, handle_id, thread, mention.parent_external_id, mention.language,
         mention.text, private, mention.posted_s, now_s, "query" if verdict.query else "other", verdict.score),
    )  # fmt: skip
    _file(db, mention, customer_id, thread, verdict.query, rules, now_s)
    own = f"{mention.platform}:{mention.external_id}"
    if thread != own and not private:
        _join(db, own, thread, now_s)
    (case_id,) = db.execute(
        "SELECT case_id FROM mention WHERE platform = ? AND external_id = ?", (mention.platform, mention.external_id)
    ).fetchone()
    return Receipt(case_id, duplicate=False)


def _writer(db: Database, mention: Mention, now_s: float) -> tuple[int, int]:
    """Handle and customer of the author, made when first seen."""
    key = (mention.platform, mention.external_user)
    found = db.execute("SELECT id, customer_id FROM handle WHERE platform = ? AND external_user = ?", key).fetchone()
    if found is not None:
        return int(found[0]), int(found[1])
    (customer,) = db.execute("INSERT INTO customer (created_s) VALUES (?) RETURNING id", (now_s,)).fetchone()
    (handle,) = db.execute(
        "INSERT INTO handle (platform, external_user, name, customer_id) VALUES (?, ?, ?, ?) RETURNING id",
        (*key, mention.name, customer),
    ).fetchone()
    return int(handle), int(customer)


def _thread(db: Database, mention: Mention) -> str:
    """The conversation: all that one author says in private, or all that hangs on one public post."""
    if mention.visibility is Visibility.PRIVATE:
        return f"{mention.platform}:direct:{mention.external_user}"
    if mention.parent_external_id is None:
        return f"{mention.platform}:{mention.external_id}"
    parent = db.execute(
        "SELECT thread FROM mention WHERE platform = ? AND external_id = ? AND NOT private",
        (mention.platform, mention.parent_external_id),
    ).fetchone()
    return str(parent[0]) if parent else f"{mention.platform}:{mention.parent_external_id}"


def _file(
    db: Database, mention: Mention, customer_id: int, thread: str, query: bool, rules: Rules, now_s: float
) -> None:
    """Append to the customer's case in this thread, open it again, or open the first."""
    last = db.execute(
        'SELECT id, status, resolved_s FROM "case" WHERE customer_id = ? AND thread = ?'
        " ORDER BY status = 'resolved', resolved_s DESC, id DESC LIMIT 1",
        (customer_id, thread),
    ).fetchone()
    due_s = now_s + rules.promise_s[mention.visibility]
    if last is not None and last[1] != Status.RESOLVED:
        case_id = int(last[0])
        _append(db, case_id, last[1], due_s, now_s)
    elif last is not None and now_s - last[2] <= rules.reopen_within_s:
        case_id = int(last[0])
        _requeue(db, case_id, due_s, now_s)
        note(db, case_id, EventKind.REOPENED, now_s)
    elif query:
        case_id = _open(db, mention, customer_id, thread, due_s, now_s)
    else:
        return
    db.execute(  # what this customer said here before it became a case belongs to it as well
        "UPDATE mention SET case_id = ? WHERE case_id IS NULL AND thread = ?"
        " AND handle_id IN (SELECT id FROM handle WHERE customer_id = ?)",
        (case_id, thread, customer_id),
    )


def _append(db: Database, case_id: int, status: str, due_s: float, now_s: float) -> None:
    """A waiting turn keeps its key, an agent goes on; a case that waited for its customer waits for us."""
    if status == Status.WAITING_CUSTOMER:
        _requeue(db, case_id, due_s, now_s)
    else:
        db.execute('UPDATE "case" SET version = version + 1 WHERE id = ?', (case_id,))
    note(db, case_id, EventKind.APPENDED, now_s)


def _requeue(db: Database, case_id: int, due_s: float, now_s: float) -> None:
    db.execute(
        "UPDATE \"case\" SET status = 'open', resolved_s = NULL, closed_reason = NULL, merged_into = NULL,"
        " waiting_since_s = ?, due_s = ?, version = version + 1 WHERE id = ?",
        (now_s, due_s, case_id),
    )


def _open(db: Database, mention: Mention, customer_id: int, thread: str, due_s: float, now_s: float) -> int:
    (case_id,) = db.execute(
        'INSERT INTO "case" (customer_id, thread, lang, private, status, opened_s, waiting_since_s, due_s)'
        " VALUES (?, ?, ?, ?, 'open', ?, ?, ?) RETURNING id",
        (customer_id, thread, mention.language, mention.visibility is Visibility.PRIVATE, now_s, now_s, due_s),
    ).fetchone()
    note(db, case_id, EventKind.OPENED, now_s)
    return int(case_id)


def _join(db: Database, part: str, whole: str, now_s: float) -> None:
    """Put a thread that began with a reply into the one where it belongs, and its cases with it."""
    moved = db.execute("UPDATE mention SET thread = ? WHERE thread = ?", (whole, part)).rowcount
    if not moved:
        return
    for case_id, customer_id, status in db.execute(
        'SELECT id, customer_id, status FROM "case" WHERE thread = ? ORDER BY id', (part,)
    ).fetchall():
        other = db.execute(
            "SELECT id FROM \"case\" WHERE customer_id = ? AND thread = ? AND status <> 'resolved'",
            (customer_id, whole),
        ).fetchone()
        if other is None or status == Status.RESOLVED:
            db.execute('UPDATE "case" SET thread = ?, version = version + 1 WHERE id = ?', (whole, case_id))
        else:
            _merge(db, *_keeper(db, case_id, other[0]), whole, now_s)
    _gather(db, whole)


def _keeper(db: Database, one: int, other: int) -> tuple[int, int]:
    """Which of two cases stays: the one in an agent's hands, else the one due first."""
    ordered = db.execute(
        "SELECT id FROM \"case\" WHERE id IN (?, ?) ORDER BY status <> 'assigned', due_s, id", (one, other)
    ).fetchall()
    return int(ordered[0][0]), int(ordered[1][0])


def _merge(db: Database, kept: int, gone: int, thread: str, now_s: float) -> None:
    """Close one case into another: the kept one takes posts, replies and the earlier key."""
    db.execute(
        "UPDATE \"case\" SET status = 'resolved', agent = NULL, lease_until_s = NULL, resolved_s = ?, thread = ?,"
        " closed_reason = 'merged', merged_into = ?, version = version + 1 WHERE id = ?",
        (now_s, thread, kept, gone),
    )
    db.execute("UPDATE offer SET state = 'withdrawn' WHERE case_id = ? AND state = 'open'", (gone,))
    db.execute(
        'UPDATE "case" SET thread = ?, version = version + 1, opened_s = min(opened_s, other.o),'
        " waiting_since_s = min(waiting_since_s, other.w), due_s = min(due_s, other.d)"
        ' FROM (SELECT opened_s AS o, waiting_since_s AS w, due_s AS d FROM "case" WHERE id = ?) AS other'
        ' WHERE "case".id = ?',
        (thread, gone, kept),
    )
    db.execute("UPDATE mention SET case_id = ? WHERE case_id = ?", (kept, gone))
    note(db, gone, EventKind.MERGED, now_s, data=str(kept))


def _gather(db: Database, thread: str) -> None:
    """Give each loose post of a thread to the open case that its author has there."""
    db.execute(
        'UPDATE mention SET case_id = (SELECT c.id FROM "case" c JOIN handle h ON h.customer_id = c.customer_id'
        " WHERE h.id = mention.handle_id AND c.thread = mention.thread AND c.status <> 'resolved')"
        " WHERE thread = ? AND case_id IS NULL",
        (thread,),
    )
