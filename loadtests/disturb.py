"""What real senders do to a stream: deliver again, deliver late and out of order, and now and then send rubbish."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from loadtests.hostile import NAMES
from loadtests.schedule import Schedule
from scenarios.errors import Fault, InputError

LATE_S = 30.0
AGAIN_S = 10.0
_TERM = re.compile(r"(redeliver|late|hostile)\s*=\s*(\d+(?:\.\d+)?)\s*%")


@dataclass(frozen=True)
class Disturbance:
    """Shares of the rows.

    Attributes
    ----------
    redeliver : float
        Are sent once more, with the same id, up to 10 s later.
    late : float
        Are held back for up to 30 s, so that answers come before what they answer.
    hostile : float
        Are spoilt, see `loadtests.hostile`.
    """

    redeliver: float = 0.0
    late: float = 0.0
    hostile: float = 0.0


def parse(words: str) -> Disturbance:
    """Read ``redeliver=5%,late=2%,hostile=1%``; raises `InputError` with all that is wrong."""
    found: dict[str, float] = {}
    wrong = []
    for part in [part.strip() for part in words.split(",") if part.strip()]:
        match = _TERM.fullmatch(part)
        if match is None:
            what = "reads like redeliver=5%, late=2% or hostile=1%"
            wrong.append(Fault(f"--disturb {part}", what))
        elif match[1] in found:
            wrong.append(Fault(f"--disturb {part}", "stands there twice"))
        elif float(match[2]) > 100.0:
            wrong.append(Fault(f"--disturb {part}", "is above all; a share is at most 100 %"))
        else:
            found[match[1]] = float(match[2]) / 100.0
    if wrong:
        raise InputError(None, wrong)
    return Disturbance(**found)


def disturbed(schedule: Schedule, how: Disturbance, seed: int) -> Schedule:
    """A schedule of a request a row as real senders would deliver it; the same seed does the same to the same rows."""
    n = len(schedule)
    held, again, spoilt = (np.random.default_rng([seed, stream]) for stream in range(3))
    rows: dict[str, Any] = {name: column.copy() for name, column in schedule.columns.items()}
    rows["due_s"] += np.where(held.random(n) < how.late, LATE_S * held.random(n), 0.0)
    kinds = spoilt.integers(1, len(NAMES) + 1, n)
    rows["hostile"] = np.where(spoilt.random(n) < how.hostile, kinds, 0)
    repeated = np.flatnonzero(again.random(n) < how.redeliver)
    copies = {name: column[repeated] for name, column in rows.items()}
    copies["due_s"] = copies["due_s"] + AGAIN_S * again.random(repeated.size)
    rows = {name: np.concatenate([column, copies[name]]) for name, column in rows.items()}
    order = np.argsort(rows["due_s"], kind="stable")
    about = {**schedule.about, "disturbed": vars(how)}
    rows = {name: column[order] for name, column in rows.items()} | {"request": np.arange(order.size)}
    return Schedule(rows, about)
