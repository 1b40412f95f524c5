"""Outcomes before the auditor: as they are, and with something wrong in them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from auditor import audit

from scenarios.model import Scenario
from scenarios.traces import Trace
from sim import draws
from sim.crisis import expand
from sim.desk import Desk
from sim.outcome import Outcome, TurnState
from sim.roster import realise


def wrong(outcome: Outcome, scenario: Scenario, desk: Desk, trace: Trace, drain_h: float = 0.0) -> list[str]:
    """What the auditor says of a run."""
    start_s, end_s = trace.about["window_s"]
    key = draws.key(outcome.about["seed"], outcome.about["replication"])
    roster = realise(expand(desk), scenario, key, start_s, end_s + drain_h * 3600)
    return audit(outcome, trace, scenario, desk, roster)


def changed(outcome: Outcome, table: str, **columns: Any) -> Outcome:
    """The outcome with other values in some places: column=(rows, values)."""
    new = {name: column.copy() for name, column in getattr(outcome, table).items()}
    for name, (rows, values) in columns.items():
        new[name][rows] = values
    tables: dict[str, Any] = {table: new}
    return replace(outcome, **tables)


def more(outcome: Outcome, table: str, row: int, **values: Any) -> Outcome:
    """The outcome with a row of a table a second time, with other values in it."""
    new = {name: np.append(column, column[row]) for name, column in getattr(outcome, table).items()}
    for name, value in values.items():
        new[name][-1] = value
    tables: dict[str, Any] = {table: new}
    return replace(outcome, **tables)


def done(outcome: Outcome, language: int | None = None) -> Any:
    """Turns that were done, in one language or in all."""
    t = outcome.turns
    mine = t["state"] == TurnState.DONE
    if language is not None:
        mine &= t["language"] == language
    return np.flatnonzero(mine)
