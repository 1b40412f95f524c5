"""The crisis switch: other promises for what is new, languages that others help out with, agreed words only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from careapi.model import EventKind, Rules
from careapi.tx import Tx
from scenarios.names import Language, Visibility

NAME = "crisis"


class Crisis(msgspec.Struct, frozen=True):
    """The state of the switch; all but `on` may be set ahead.

    `open_cases` and `oldest_wait_s` are thresholds: beyond either of them a crisis is advised. `promise_s`
    is by kind of channel, for cases opened while it is on. Who speaks English serves the `relaxed` languages
    too. With `templates_only` a reply must be one of the `templates`.
    """

    on: bool = False
    open_cases: int | None = None
    oldest_wait_s: float | None = None
    promise_s: dict[str, float] = {}
    relaxed: list[Language] = []
    templates_only: bool = False
    templates: list[str] = []


@dataclass(frozen=True)
class Level:
    """The switch, and whether it should be on as the queues stand."""

    crisis: Crisis
    advised: bool


def load(tx: Tx) -> Crisis:
    """The switch as it is kept."""
    row = tx.row("SELECT value FROM setting WHERE name = ?", NAME)
    return Crisis() if row is None else msgspec.json.decode(str(row[0]), type=Crisis)


def level(tx: Tx) -> Level:
    """The switch, and whether the thresholds are passed."""
    crisis = load(tx)
    row = tx.row("SELECT count(*), min(waiting_since_s) FROM \"case\" WHERE status = 'open'")
    number, oldest_s = (0, None) if row is None else (int(row[0]), row[1])
    many = crisis.open_cases is not None and number >= crisis.open_cases
    late = crisis.oldest_wait_s is not None and oldest_s is not None and tx.now_s - oldest_s >= crisis.oldest_wait_s
    return Level(crisis, many or late)


def save(tx: Tx, crisis: Crisis, agent: str) -> None:
    """Keep the switch; who turned it is in the audit."""
    value = msgspec.json.encode(crisis).decode()
    changed = tx.run("UPDATE setting SET value = ?, at_s = ?, actor = ? WHERE name = ?", value, tx.now_s, agent, NAME)
    if not changed:
        tx.run("INSERT INTO setting (name, value, at_s, actor) VALUES (?, ?, ?, ?)", NAME, value, tx.now_s, agent)
    tx.note(None, EventKind.CRISIS, agent, "on" if crisis.on else "off")


def rules(usual: Rules, crisis: Crisis) -> Rules:
    """The times by which the service works now."""
    if not crisis.on or not crisis.promise_s:
        return usual
    changed = {Visibility(kind): promise_s for kind, promise_s in crisis.promise_s.items()}
    return replace(usual, promise_s={**usual.promise_s, **changed})


def served(crisis: Crisis, languages: Sequence[Language]) -> list[Language]:
    """The languages that an agent serves now."""
    if not crisis.on or Language.EN not in languages:
        return list(languages)
    return list(dict.fromkeys([*languages, *crisis.relaxed]))


def told(crisis: Crisis) -> dict[str, Any]:
    """The switch as JSON has it."""
    return dict(msgspec.to_builtins(crisis))
