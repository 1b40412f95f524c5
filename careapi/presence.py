"""Agents sign in, go away and come back; who is in push mode is offered cases, one look at the queues at a time.

An offered case is in the hands of whom it is offered to, for a short while: nobody else can take it, and if
he says no or nothing it goes back with its age. Who said nothing is away; who said no is left in peace a moment.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from careapi import work
from careapi.model import Case, EventKind, Status
from careapi.problems import Refused
from careapi.shapes import case_out
from careapi.tx import Tx
from careapi.views import named
from scenarios.names import Language

OFFER_S = 20.0
PEACE_S = 10.0  # after a decline
SPARE_S = 60.0  # the lease of an offered case outlasts the offer, so that the offer ends first
MOST_OFFERS = 200  # of one pass
_AGENT = "id, langs, presence, mode, capacity, seen_s"
_OFFER = "id, case_id, agent, offered_s, expires_s, state"


def sign_in(
    tx: Tx, agent: str, presence: str, languages: Sequence[Language], capacity: int, mode: str
) -> dict[str, Any]:
    """Set an agent's presence; being heard of keeps his cases, being offline gives them back."""
    langs = ",".join(dict.fromkeys(language.value for language in languages))
    before = tx.row("SELECT presence FROM agent WHERE id = ?", agent)
    values = (langs, presence, mode, capacity, tx.now_s, agent)
    if before is None:
        tx.run("INSERT INTO agent (langs, presence, mode, capacity, seen_s, id) VALUES (?, ?, ?, ?, ?, ?)", *values)
    else:
        tx.run("UPDATE agent SET langs = ?, presence = ?, mode = ?, capacity = ?, seen_s = ? WHERE id = ?", *values)
    if before is None or before[0] != presence:
        tx.note(None, EventKind.PRESENCE, agent, presence)
    if presence == "offline":
        for case in _held(tx, agent):
            _give_back(tx, case, agent, "withdrawn")
    else:
        tx.run(
            "UPDATE \"case\" SET lease_until_s = ? WHERE status = 'assigned' AND agent = ?"
            " AND id NOT IN (SELECT case_id FROM offer WHERE state = 'open')",
            tx.now_s + tx.rules.lease_s, agent,
        )  # fmt: skip
    return read(tx, agent)


def read(tx: Tx, agent: str) -> dict[str, Any]:
    """An agent's presence, and the numbers of the cases in his hands."""
    row = tx.row(f"SELECT {_AGENT} FROM agent WHERE id = ?", agent)
    if row is None:
        raise Refused("not-found", f"agent {agent} never signed in")
    told = named(_AGENT, row)
    return {**told, "langs": told["langs"].split(","), "held": [case.id for case in _held(tx, agent)]}


def offers(tx: Tx, agent: str) -> dict[str, Any]:
    """What is offered to an agent now."""
    rows = tx.rows(f"SELECT {_OFFER} FROM offer WHERE agent = ? AND state = 'open' ORDER BY id", agent)
    return {"items": [named(_OFFER, row) for row in rows]}


def accept(tx: Tx, offer_id: int, agent: str) -> dict[str, Any]:
    """Take what was offered; returns the case."""
    case = _offered(tx, offer_id, agent)
    work.withdraw_offers(tx, case.id, "accepted")
    tx.run(
        'UPDATE "case" SET lease_until_s = ?, version = version + 1 WHERE id = ?',
        tx.now_s + tx.rules.lease_s, case.id,
    )  # fmt: skip
    tx.note(case.id, EventKind.OFFER_ENDED, agent, f"{offer_id} accepted")
    return case_out(work.found(tx, case.id))


def decline(tx: Tx, offer_id: int, agent: str) -> dict[str, Any]:
    """Say no to what was offered; it goes back with its age."""
    case = _offered(tx, offer_id, agent)
    tx.note(case.id, EventKind.OFFER_ENDED, agent, f"{offer_id} declined")
    _give_back(tx, case, agent, "declined")
    return case_out(work.found(tx, case.id))


def push(tx: Tx, served: Callable[[Sequence[Language]], list[Language]]) -> int:
    """End offers whose time is over, then offer what is due first to who has a hand free; returns how many.

    `served` says which languages somebody serves who speaks these (others help out in a crisis).
    """
    _time_out(tx)
    free = [
        (str(agent), served([Language(each) for each in langs.split(",")]), int(capacity))
        for agent, langs, capacity in tx.rows(
            "SELECT id, langs, capacity FROM agent WHERE presence = 'online' AND mode = 'push' AND seen_s > ?"
            " AND id NOT IN (SELECT agent FROM offer WHERE state = 'declined' AND expires_s > ?)"
            " ORDER BY (SELECT count(*) FROM \"case\" c WHERE c.status = 'assigned' AND c.agent = agent.id), id",
            tx.now_s - tx.rules.lease_s, tx.now_s,
        )
    ]  # fmt: skip
    made = 0
    while free and made < MOST_OFFERS:  # one each, round after round, so that nobody gets all
        free = [each for each in free if _offer(tx, *each)]
        made += len(free)
    return made


def _offer(tx: Tx, agent: str, languages: list[Language], capacity: int) -> bool:
    case = tx.claim(agent, languages, capacity)
    if case is None:
        return False
    tx.run('UPDATE "case" SET lease_until_s = ? WHERE id = ?', tx.now_s + OFFER_S + SPARE_S, case.id)
    row = tx.row(
        "INSERT INTO offer (case_id, agent, offered_s, expires_s, state) VALUES (?, ?, ?, ?, 'open') RETURNING id",
        case.id, agent, tx.now_s, tx.now_s + OFFER_S,
    )  # fmt: skip
    assert row is not None
    tx.note(case.id, EventKind.OFFERED, agent, str(row[0]))
    return True


def _time_out(tx: Tx) -> None:
    for offer_id, case_id, agent in tx.rows(
        "SELECT id, case_id, agent FROM offer WHERE state = 'open' AND expires_s <= ? ORDER BY id", tx.now_s
    ):
        case = work.found(tx, int(case_id))
        tx.run("UPDATE agent SET presence = 'away' WHERE id = ? AND presence = 'online'", agent)
        if case.status is Status.ASSIGNED and case.agent == agent:
            tx.note(case.id, EventKind.OFFER_ENDED, data=f"{offer_id} timed_out")
            _give_back(tx, case, "service", "timed_out")
        else:
            work.withdraw_offers(tx, case.id)


def _offered(tx: Tx, offer_id: int, agent: str) -> Case:
    row = tx.row("SELECT case_id, agent, state, expires_s FROM offer WHERE id = ?", offer_id)
    if row is None:
        raise Refused("not-found", f"there is no offer {offer_id}")
    if row[1] != agent or row[2] != "open" or row[3] <= tx.now_s:
        raise Refused("not-now", f"offer {offer_id} is over, or was made to somebody else")
    return work.held(tx, int(row[0]), agent, None)


def _held(tx: Tx, agent: str) -> list[Case]:
    rows = tx.rows("SELECT id FROM \"case\" WHERE status = 'assigned' AND agent = ? ORDER BY id", agent)
    return [work.found(tx, int(row[0])) for row in rows]


def _give_back(tx: Tx, case: Case, actor: str, state: str) -> None:
    """Put a case back with its age. A decline keeps its agent from the next offers for a moment."""
    until_s = tx.now_s + PEACE_S if state == "declined" else tx.now_s
    tx.run("UPDATE offer SET state = ?, expires_s = ? WHERE case_id = ? AND state = 'open'", state, until_s, case.id)
    tx.run(
        "UPDATE \"case\" SET status = 'open', agent = NULL, lease_until_s = NULL, version = version + 1 WHERE id = ?",
        case.id,
    )
    tx.note(case.id, EventKind.RELEASED, actor)
