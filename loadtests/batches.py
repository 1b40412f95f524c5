"""Several posts in one request, as a relay or a platform delivers them when much is written.

A sender that batches holds posts back until there are enough of them, or the first has waited long enough. So all rows
of a request are due at the moment at which it leaves: what they have waited until then is the sender's doing, as is all
that `loadtests.disturb` does, and neither the service's nor the generator's.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from loadtests.hostile import NAMES, alone
from loadtests.schedule import Schedule
from scenarios.errors import Fault, InputError

MOST = 100  # posts in a delivery, as the reference service has it


def batched(schedule: Schedule, most: int, wait_s: float, own_form: bool = False) -> Schedule:
    """The same rows in fewer requests.

    Parameters
    ----------
    schedule : Schedule
        A request a row.
    most : int
        Rows in a request, 1 to `MOST`.
    wait_s : float
        Replay seconds for which the first row of a request is held back at most.
    own_form : bool
        Posts go out in the forms of their platforms: only those of one platform, in public or in private, share a
        request, and hostile ones share none. In the generic form only what spoils a whole delivery goes alone.

    Raises
    ------
    InputError
        If there are too many in a request, or the time is not 0 or more.
    """
    wrong = []
    if not 1 <= most <= MOST:
        wrong.append(Fault("--batch", f"is {most}; should be 1 to {MOST} posts a request"))
    if not (math.isfinite(wait_s) and wait_s >= 0.0):
        wrong.append(Fault("--batch-wait", f"is {wait_s:g}; should be 0 seconds or more"))
    if wrong:
        raise InputError(None, wrong)
    request, leaves_s = _gathered(schedule["due_s"].tolist(), _kinds(schedule, own_form), most, wait_s)
    order = np.lexsort((np.arange(request.size), request, leaves_s[request]))
    rows = {name: column[order] for name, column in schedule.columns.items()}
    rows["due_s"] = leaves_s[request[order]]
    rows["request"] = np.cumsum(np.diff(request[order], prepend=request[order][:1]) != 0)
    told = {"most": most, "wait_s": wait_s, "requests": leaves_s.size}
    return Schedule(rows, {**schedule.about, "batched": told})


def _kinds(schedule: Schedule, own_form: bool) -> list[int]:
    """Which rows may share a request: those of the same number; below 0: none."""
    kinds = np.zeros(len(schedule), dtype=np.int64)
    if own_form:
        kinds += 2 * schedule["platform"] + schedule["visibility"]
    lonely = np.array([False, *(own_form or alone(number) for number in range(1, len(NAMES) + 1))])
    out: list[int] = np.where(lonely[schedule["hostile"]], -1, kinds).tolist()
    return out


def _gathered(
    due_s: Sequence[float], kinds: Sequence[int], most: int, wait_s: float
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """(n,) request of each row, (k,) when each request leaves: when it is full, else when its first row has waited."""
    request = np.empty(len(due_s), dtype=np.int64)
    leaves_s: list[float] = []
    room: dict[int, tuple[int, int]] = {}  # by kind: the request that still takes some, and how many
    for row, (at_s, kind) in enumerate(zip(due_s, kinds, strict=True)):
        number, left = room.get(kind, (-1, 0))
        if kind < 0 or left == 0 or at_s > leaves_s[number]:
            number, left = len(leaves_s), most
            leaves_s.append(at_s if kind < 0 else at_s + wait_s)
        request[row] = number
        room[kind] = (number, left - 1)
        if left == 1:
            leaves_s[number] = at_s
    return request, np.array(leaves_s, dtype=np.float64)
