"""Claims on PostgreSQL: agents of several processes take cases side by side, none twice.

One look at the head of each queue, whatever the backlog; a head that another transaction has just taken is
passed over. Between claims of different processes the order may slip by as many places as there are processes.
"""

from __future__ import annotations

from collections.abc import Sequence

from careapi.cases import COLUMNS, as_case
from careapi.model import Case, EventKind, Rules
from careapi.pg_bridge import PgDatabase
from careapi.tx import Tx
from scenarios.names import Language

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


class PassedOver(Exception):
    """Something waits for the agent, but others had locked it; undoes what the job did."""


class SideBySide(Tx):
    """A transaction that others of its kind run beside; only its claims change cases."""

    def __init__(self, db: PgDatabase, rules: Rules, now_s: float) -> None:
        super().__init__(db, rules, now_s)
        self._db = db

    def claim(self, agent: str, languages: Sequence[Language], capacity: int) -> Case | None:
        """As `Store.claim`; raises `PassedOver`."""
        spoken = [language.value for language in dict.fromkeys(languages)]
        rows = self._db.fetch(_CLAIM, spoken, agent, capacity, self.now_s + self.rules.lease_s)
        if not rows:
            ((waiting,),) = self._db.fetch(_WAITING, spoken, agent, capacity)
            if waiting:
                raise PassedOver
            return None
        case = as_case(tuple(rows[0]))
        self.note(case.id, EventKind.ASSIGNED, agent)
        return case
