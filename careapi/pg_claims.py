"""Claims on PostgreSQL: agents of several processes take cases side by side, none twice.

One look at the head of each queue, whatever the backlog; a head that another transaction has just taken is
passed over. Between claims of different processes the order may slip by as many places as there are processes.
"""

from __future__ import annotations

from careapi.cases import COLUMNS, as_case
from careapi.journal import note
from careapi.model import Case, EventKind
from careapi.pg_bridge import PgDatabase

_AGENTS = """
SELECT pg_advisory_xact_lock(1, code) FROM (
    SELECT DISTINCT hashtext(agent) AS code FROM unnest($1::text[]) AS agent ORDER BY code
) AS codes"""
_WAITING = """
SELECT EXISTS (SELECT 1 FROM "case" WHERE status = 'open' AND lang = ANY($1::text[]))
    AND (SELECT count(*) FROM "case" WHERE status = 'assigned' AND agent = $2) < $3"""
_CLAIM = f"""
WITH first AS (
    SELECT head.id AS first_id FROM unnest($1::text[]) AS spoken (lang)
    CROSS JOIN (VALUES (false), (true)) AS kind (private)
    CROSS JOIN LATERAL (
        SELECT id, due_s, waiting_since_s FROM "case"
        WHERE status = 'open' AND lang = spoken.lang AND private = kind.private
        ORDER BY due_s, waiting_since_s, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) AS head
    WHERE (SELECT count(*) FROM "case" WHERE status = 'assigned' AND agent = $2) < $3
    ORDER BY head.due_s, head.waiting_since_s, head.id LIMIT 1
)
UPDATE "case" SET status = 'assigned', agent = $2, lease_until_s = $4, version = version + 1
FROM first WHERE id = first_id RETURNING {COLUMNS}"""


def lock_agents(db: PgDatabase, agents: list[str]) -> None:
    """Let no other process give these agents anything until the commit: nobody gets more than he can hold."""
    db.fetch(_AGENTS, agents)


def claim(db: PgDatabase, agent: str, languages: list[str], capacity: int, lease_s: float, now_s: float) -> Case | bool:
    """Give an agent what is due first over the queues that he may serve.

    Returns
    -------
    case : Case or bool
        False if nothing waits or his hands are full; True if something waits that others had locked.
    """
    rows = db.fetch(_CLAIM, languages, agent, capacity, now_s + lease_s)
    if not rows:
        ((waiting,),) = db.fetch(_WAITING, languages, agent, capacity)
        return bool(waiting)
    case = as_case(tuple(rows[0]))
    note(db, case.id, EventKind.ASSIGNED, now_s, agent)
    return case
