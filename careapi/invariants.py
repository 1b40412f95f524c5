"""What must hold in a store at any moment, each as a sentence and a query that finds what breaks it."""

from __future__ import annotations

from careapi.database import Database

INVARIANTS = {
    "every post is there once": "SELECT platform || ':' || external_id FROM mention"
    " GROUP BY platform, external_id HAVING count(*) > 1",
    "every query has a case": "SELECT id FROM mention WHERE kind = 'query' AND case_id IS NULL",
    "every case has a post": "SELECT id FROM \"case\" WHERE closed_reason IS DISTINCT FROM 'merged'"
    " AND id NOT IN (SELECT case_id FROM mention WHERE case_id IS NOT NULL)",
    "a customer has one case at a time in a thread": "SELECT min(id) FROM \"case\" WHERE status <> 'resolved'"
    " GROUP BY customer_id, thread HAVING count(*) > 1",
    "a post lies in a case of its own thread and customer": "SELECT m.id FROM mention m"
    ' JOIN "case" c ON c.id = m.case_id JOIN handle h ON h.id = m.handle_id'
    " WHERE c.thread <> m.thread OR c.customer_id <> h.customer_id",
    "only assigned cases have an agent": "SELECT id FROM \"case\" WHERE (agent IS NULL) = (status = 'assigned')",
    "no wait is below zero": 'SELECT id FROM "case" WHERE waiting_since_s < opened_s OR resolved_s < opened_s',
    "what was paid is paid once": "SELECT id FROM paylink WHERE (state = 'paid') <> (paid_s IS NOT NULL)",
    "every payment that the provider reported is booked": "SELECT p.id FROM paylink p JOIN payment_event e"
    " ON e.provider_ref = p.provider_ref WHERE e.kind = 'paid' AND p.state <> 'paid'",
    "an offered case is in the hands of whom it is offered to": 'SELECT o.id FROM offer o JOIN "case" c'
    " ON c.id = o.case_id WHERE o.state = 'open' AND (c.status <> 'assigned' OR c.agent <> o.agent)",
    "events are numbered without gaps": "SELECT seq FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS n"
    " FROM event) AS e WHERE seq <> n",
    "events are in the order of time": "SELECT seq FROM (SELECT seq, at_s, lag(at_s) OVER (ORDER BY seq) AS before"
    " FROM event) AS e WHERE at_s < before",
    "a case was opened once": "SELECT case_id FROM event WHERE kind = 'opened' GROUP BY case_id HAVING count(*) > 1",
    "nobody was given a case that another held": "SELECT seq FROM (SELECT seq, kind, lag(kind) OVER"
    " (PARTITION BY case_id ORDER BY seq) AS before FROM event WHERE kind IN ('assigned', 'released', 'lease_ended',"
    " 'resolved', 'reopened', 'merged', 'transferred', 'waiting')) AS e"
    " WHERE kind = 'assigned' AND before = 'assigned'",
}


def broken(db: Database) -> list[str]:
    """The invariants that do not hold, with up to five of the rows that break each; empty if all is well."""
    faults = []
    for sentence, query in INVARIANTS.items():
        rows = [str(row[0]) for row in db.execute(f"{query} LIMIT 5")]
        if rows:
            faults.append(f"not so: {sentence} (see {', '.join(rows)})")
    return faults
