"""Agents take cases, give them back and close them; leases take back what an agent left lying.

All of this runs inside one transaction of the one writer, so nobody is ever given a case twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from careapi.database import Database
from careapi.journal import note
from careapi.model import Case, EventKind, Rules, Stale, Status
from scenarios.names import Language

COLUMNS = "id, customer_id, thread, lang, private, status, agent, version, opened_s, waiting_since_s, due_s, resolved_s"
_HEAD = (
    "SELECT * FROM (SELECT id, due_s, waiting_since_s FROM \"case\" WHERE status = 'open' AND lang = ? AND private = ?"
    " ORDER BY due_s, waiting_since_s, id LIMIT 1) AS head"
)


def case(db: Database, case_id: int) -> Case | None:
    """A case as it stands, or None if there is none of that number."""
    row = db.execute(f'SELECT {COLUMNS} FROM "case" WHERE id = ?', (case_id,)).fetchone()
    return None if row is None else as_case(row)


def listed(db: Database, where: str, values: Sequence[object]) -> list[Case]:
    """The cases that a condition (and an order, a limit) finds."""
    return [as_case(row) for row in db.execute(f'SELECT {COLUMNS} FROM "case" WHERE {where}', values)]


def claim(
    db: Database, agent: str, languages: Sequence[Language], capacity: int, rules: Rules, now_s: float
) -> Case | None:
    """Give an agent what is due first over the queues that he may serve.

    Parameters
    ----------
    agent : str
        Code of the agent.
    languages : sequence of Language
        What he speaks; private and public cases of each are a queue of their own.
    capacity : int
        How many cases he may hold at once.

    Returns
    -------
    case : Case or None
        None if nothing waits or his hands are full.

    Notes
    -----
    One look at the head of each queue, whatever the backlog: equal due times go by who waited longer,
    then by number.
    """
    queues = [(language.value, private) for language in dict.fromkeys(languages) for private in (0, 1)]
    (held,) = db.execute("SELECT count(*) FROM \"case\" WHERE status = 'assigned' AND agent = ?", (agent,)).fetchone()
    if not queues or held >= capacity:
        return None
    heads = " UNION ALL ".join([_HEAD] * len(queues))
    first = db.execute(
        f"SELECT id FROM ({heads}) AS heads ORDER BY due_s, waiting_since_s, id LIMIT 1",
        [value for queue in queues for value in queue],
    ).fetchone()
    if first is None:
        return None
    row = db.execute(
        "UPDATE \"case\" SET status = 'assigned', agent = ?, lease_until_s = ?, version = version + 1"
        f" WHERE id = ? RETURNING {COLUMNS}",
        (agent, now_s + rules.lease_s, first[0]),
    ).fetchone()
    note(db, first[0], EventKind.ASSIGNED, now_s, agent)
    return as_case(row)


def release(db: Database, case_id: int, agent: str, version: int, now_s: float) -> Case:
    """Put a case back where it was, with its age; raises `Stale` if it is not that agent's version of it."""
    _held(db, case_id, agent, version)
    row = db.execute(
        "UPDATE \"case\" SET status = 'open', agent = NULL, lease_until_s = NULL, version = version + 1"
        f" WHERE id = ? RETURNING {COLUMNS}",
        (case_id,),
    ).fetchone()
    note(db, case_id, EventKind.RELEASED, now_s, agent)
    return as_case(row)


def resolve(db: Database, case_id: int, agent: str, version: int, reason: str, now_s: float) -> Case:
    """Close a case; raises `Stale` if it is not that agent's version of it."""
    _held(db, case_id, agent, version)
    row = db.execute(
        "UPDATE \"case\" SET status = 'resolved', agent = NULL, lease_until_s = NULL, resolved_s = ?,"
        f" closed_reason = ?, version = version + 1 WHERE id = ? RETURNING {COLUMNS}",
        (now_s, reason, case_id),
    ).fetchone()
    note(db, case_id, EventKind.RESOLVED, now_s, agent)
    return as_case(row)


def end_leases(db: Database, now_s: float) -> int:
    """Put back every case whose agent was not heard of until its lease ended; returns how many."""
    rows = db.execute(
        "SELECT id, agent FROM \"case\" WHERE status = 'assigned' AND lease_until_s <= ? ORDER BY id", (now_s,)
    ).fetchall()
    for case_id, agent in rows:
        db.execute(
            "UPDATE \"case\" SET status = 'open', agent = NULL, lease_until_s = NULL, version = version + 1"
            " WHERE id = ?",
            (case_id,),
        )
        note(db, case_id, EventKind.LEASE_ENDED, now_s, data=agent)
    return len(rows)


def _held(db: Database, case_id: int, agent: str, version: int) -> None:
    now = case(db, case_id)
    if now is None or now.status is not Status.ASSIGNED or now.agent != agent or now.version != version:
        raise Stale(f"case {case_id} is not version {version} in the hands of {agent}; read it again")


def as_case(row: tuple[Any, ...]) -> Case:
    values = dict(zip(COLUMNS.split(", "), row, strict=True))
    language, private, status = Language(values.pop("lang")), bool(values.pop("private")), Status(values.pop("status"))
    return Case(language=language, private=private, status=status, **values)
