"""What a run left behind: one row a case, one a turn, one a stretch of attendance; in `.npz`.

Cases come in the order of the trace (by the number of the case), those that the simulation made
behind them in the order of their making. Times are seconds from onset; what never happened is
`inf`; an index with nothing to point at is `NONE`.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import RunError
from scenarios.files import write_atomic

FORMAT = 2


class CaseState(IntEnum):
    """The one state in which a case ends."""

    RESOLVED = 0  # every turn answered
    GAVE_UP = 1  # patience ended and the customer said so, or was turned away for good
    SILENT = 2  # patience ended without a sign; what was answered later met nobody
    WAITING = 3  # a turn still waits at the end
    IN_HAND = 4  # a turn is being worked on at the end
    WITH_CUSTOMER = 5  # the desk waits for the customer, or another department, at the end
    PARKED = 6  # held by a fault at the end: unseen or not to be answered yet
    UNREAD = 7  # nobody has read the post that opened it
    MISSED = 8  # the filter took it for chatter
    SUPPRESSED = 9  # a lever of the crisis plan kept the customer from writing: outside every service level


class TurnKind(IntEnum):
    """What an agent does in a turn."""

    READING = 0  # reading a post to see whether it is a case
    ANSWER = 1  # answering a case
    DISMISS = 2  # putting aside what the filter took for a case
    CALL = 3  # a call on the phone line


class TurnState(IntEnum):
    """How a turn ended. Each wait is a row: one handed back goes on in a row of its own."""

    DONE = 0
    GHOST = 1  # answered after the customer had left without a sign
    ABANDONED = 2  # patience ended, the customer said so and left the queue
    BLOCKED = 3  # no waiting place
    BALKED = 4  # would have had to wait
    HANDED_BACK = 5  # begun, then returned to the queue at a shift's end
    WAITING = 6  # still waits at the end
    IN_HAND = 7  # in hand at the end


class PlanStep(IntEnum):
    """What happened to the crisis plan."""

    DECIDED = 0  # a trigger was entered
    DECLARED = 1
    LEFT = 2  # all triggers were left
    LEVER_ON = 3
    LEVER_OFF = 4
    CALLED = 5  # a rung was asked; `heads` accepted
    STOOD_DOWN = 6
    WRONG = 7  # a message of a lever was wrong


CASES: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "row": np.int32,  # row of the trace that opened it, NONE: made by the simulation
        "origin": np.int32,  # row of the call, or case, that it came from, NONE: from the trace
        "language": np.int8,
        "platform": np.int8,
        "visibility": np.int8,  # at the end: an escalation makes a case public
        "topic": np.int8,
        "tier": np.int8,
        "sentiment": np.int8,
        "cls": np.int8,  # number of the promise class
        "posted_s": np.float64,
        "due_s": np.float64,  # posted_s + the promise of its class
        "departure_s": np.float64,  # inf: no booking
        "seen_s": np.float64,  # when the desk knew of it
        "first_start_s": np.float64,  # start and end of the first human turn, whether the customer was still there
        "first_reply_s": np.float64,
        "closed_s": np.float64,  # end of the last turn of a resolved case
        "left_s": np.float64,  # when patience first ended
        "turns": np.int16,  # human turns done
        "attempts": np.int16,  # that failed, of the turn last waited for
        "recontacts": np.int16,  # posts written while waiting
        "reopened": np.int16,
        "escalated": np.bool_,
        "work_s": np.float64,
        "pay_eur": np.float32,  # payments by link asked for in this case
        "state": np.int8,
    }
)

TURNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "case": np.int32,  # NONE: reading of chatter, calls
        "post": np.int32,  # row of the trace that is read, or the call; NONE otherwise
        "k": np.int16,  # number of the turn within the case, from 0
        "kind": np.int8,
        "language": np.int8,
        "queued_s": np.float64,
        "key_s": np.float64,  # due time by which queues are ordered
        "start_s": np.float64,
        "end_s": np.float64,  # end of work, or of the wait
        "wait_s": np.float64,  # start_s - queued_s; of the abandoned the time waited; inf: still waits
        "left_s": np.float64,  # when patience ended without a sign, inf: it did not
        "agent": np.int32,  # NONE: nobody
        "route": np.int8,  # 0 own queue, 1 bridge, 2 + i overflow rule i, -2 sticky
        "state": np.int8,
    }
)

STAFF: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "agent": np.int32,
        "pool": np.int16,
        "on_s": np.float64,  # at the desk from here, breaks out
        "off_s": np.float64,
    }
)

SHIFTS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "agent": np.int32,
        "pool": np.int16,
        "start_s": np.float64,  # paid from here, breaks in
        "end_s": np.float64,
        "worked": np.bool_,  # False: absent, not worked (still paid if planned: see measures)
    }
)

EXTRA: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "time_s": np.float64,
        "case": np.int32,
        # 0 re-contact, 1 escalation, 2 switch of channel, 3 overflow from the phone, 4 kept away, came after all
        "kind": np.int8,
    }
)
"""Posts that the simulation made: mentions over and above those of the trace."""

SUPPRESSED: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "row": np.int32,  # of the trace
        "lever": np.int8,
    }
)
"""Rows of the trace that a lever of the crisis plan kept from being made, in order of time."""

PLAN: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "time_s": np.float64,
        "step": np.int8,  # PlanStep
        "number": np.int16,  # of the lever or rung, NONE: the plan as a whole
        "heads": np.int32,  # who accepted, where a rung was asked
    }
)
"""What happened to the crisis plan, in order of time."""

TABLES = MappingProxyType(
    {
        "cases": CASES, "turns": TURNS, "staff": STAFF, "shifts": SHIFTS, "extra": EXTRA, "suppressed": SUPPRESSED,
        "plan": PLAN,
    }
)  # fmt: skip
Table = Mapping[str, NDArray[Any]]


@dataclass(frozen=True)
class Outcome:
    """Rows of one run, and where they came from.

    Attributes
    ----------
    cases, turns, staff, shifts, extra, suppressed, plan : mapping of str to (n,) array
        As in `CASES`, `TURNS`, `STAFF`, `SHIFTS`, `EXTRA`, `SUPPRESSED`, `PLAN`; read-only. A calendar of
        agents and pools is in `about`.
    about : mapping
        `trace` (digest), `scenario`, `desk`, `desk_digest`, `seed`, `replication`, `engine`, `version`,
        `window_s`, `end_s` (when the run stopped), `mentions`, `calls`, `pools` (list of name, site,
        cost_per_h, heads), `classes` (list of name, promise_min), `agents` (number in all), `plan` (None, or
        its name, levers and rungs),
        `timezone`, `onset_local`.
    digest : str
        SHA-256 over all of it, in hexadecimal; made when it is first asked for.
    """

    cases: Table
    turns: Table
    staff: Table
    shifts: Table
    extra: Table
    suppressed: Table
    plan: Table
    about: Mapping[str, Any]

    def __post_init__(self) -> None:
        for table, kinds in TABLES.items():
            columns = {}
            for name, kind in kinds.items():
                column = np.ascontiguousarray(getattr(self, table)[name], dtype=kind)
                column.flags.writeable = False
                columns[name] = column
            object.__setattr__(self, table, MappingProxyType(columns))
        object.__setattr__(self, "about", MappingProxyType(dict(self.about)))

    @cached_property
    def digest(self) -> str:
        h = hashlib.sha256(json.dumps([FORMAT, dict(self.about)], sort_keys=True).encode())
        for table in TABLES:
            for name, column in getattr(self, table).items():
                h.update(f"{table}.{name}".encode())
                h.update(column.data if column.size else b"")
        return h.hexdigest()

    def save(self, path: Path) -> None:
        """Write as `.npz`: whole, under a new name, then renamed."""
        head = {"format": FORMAT, "digest": self.digest, "about": dict(self.about)}
        arrays = {f"{t}.{n}": c for t in TABLES for n, c in getattr(self, t).items()}

        def write(file: BinaryIO) -> None:
            text = np.frombuffer(json.dumps(head, sort_keys=True).encode(), dtype=np.uint8)
            np.savez_compressed(file, **{"_head": text}, **arrays)  # type: ignore[arg-type]

        write_atomic(path, write)

    def differences(self, other: Outcome) -> list[str]:
        """Columns that differ, by name like `turns.wait_s`; empty if the rows are the same bytes."""
        return [
            f"{table}.{name}"
            for table, kinds in TABLES.items()
            for name in kinds
            if getattr(self, table)[name].tobytes() != getattr(other, table)[name].tobytes()
        ]


def load(path: Path) -> Outcome:
    """Read an outcome and check that it is whole.

    Raises
    ------
    RunError
        If the file is missing, no outcome, of another format, or damaged.
    """
    if not path.is_file():
        raise RunError(f"{path}: no such file")
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            head = json.loads(bytes(stored["_head"]).decode())
            if head["format"] != FORMAT:
                raise RunError(f"{path}: is of format {head['format']}, this version reads {FORMAT}; run it anew")
            tables = {t: {n: stored[f"{t}.{n}"] for n in kinds} for t, kinds in TABLES.items()}
        parts: dict[str, Any] = {**tables, "about": head["about"]}
        outcome, digest = Outcome(**parts), head["digest"]
    except (OSError, ValueError, TypeError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise RunError(f"{path}: is damaged or no outcome ({error}); run it anew") from error
    if outcome.digest != digest:
        raise RunError(f"{path}: is damaged, its digest does not match its rows; run it anew")
    return outcome
