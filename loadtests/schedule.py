"""What is to be sent when: rows of traces with their due times, checked, frozen, and split among workers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from scenarios.errors import Fault, InputError, TraceError
from scenarios.generate import made_by
from scenarios.names import Platform, PostKind, code
from scenarios.stored import Kept, Stored
from scenarios.traces import Trace

FORMAT = 3
HOUR_S = 3600.0
FloatArray = NDArray[np.float64]
Rows = dict[str, NDArray[Any]]
Hold = tuple[Sequence[Platform], float, float]
"""Platforms, and the hours from onset between which what is posted there is not delivered."""

OF_TRACE = (
    "author", "parent", "language", "platform", "visibility", "topic", "form", "influence", "text", "case"
)  # fmt: skip
"""Columns of a trace that a body is made of."""

COLUMNS: Mapping[str, type[np.generic]] = MappingProxyType(
    {
        "due_s": np.float64,  # seconds from the start of the replay, ascending
        "time_s": np.float64,  # of the post, seconds from the scenario's onset
        "replication": np.int32,
        "row": np.int32,  # in the trace of that replication
        "author": np.int32,
        "parent": np.int32,  # row of the same trace, NONE: none
        "language": np.int8,
        "platform": np.int8,
        "visibility": np.int8,
        "topic": np.int8,
        "form": np.int8,
        "influence": np.float32,
        "text": np.int32,
        "case": np.int32,  # number of its case in the trace, NONE for chatter
        "hostile": np.int8,  # how it is spoilt, see `loadtests.hostile`; 0: not at all
        "request": np.int32,  # number of the request that carries it, from 0 and ascending; see `loadtests.batches`
    }
)

FILE = Stored(
    "_schedule", FORMAT, COLUMNS,
    version="a schedule of format",
    absent="a replay writes one",
    other="is no schedule of ashcloud",
    damaged="no schedule",
    remedy="begin the replay anew",
)  # fmt: skip


@dataclass(frozen=True)
class Schedule(Kept):
    """Rows to send, in the order of their due times.

    Attributes
    ----------
    columns : mapping of str to (n,) array
        As in `COLUMNS`, read-only.
    about : mapping, ready for JSON
        `scenario`, `scenario_digest`, `traces` (a digest each), `seed`, `version`, `speed`, `times`,
        `window_h`, `phases` (name, from_s, to_s by due time).

    Raises
    ------
    TraceError
        If due times are not finite, below 0, or go back, or requests are not numbered in their order.
    """

    KIND: ClassVar[Stored] = FILE

    def __post_init__(self) -> None:
        super().__post_init__()
        _ascending(self["due_s"])
        _numbered(self["request"], self["due_s"])

    @property
    def span_s(self) -> float:
        """Due time of the last row, 0 if there is none."""
        return float(self["due_s"][-1]) if len(self) else 0.0

    @property
    def requests(self) -> int:
        """How many requests carry the rows."""
        return int(self["request"][-1]) + 1 if len(self) else 0

    def of_part(self, part: int, parts: int, by_author: bool = False) -> NDArray[np.int64]:
        """(k,) Rows that one of several workers sends: every `parts`-th request, from request `part` on.

        `by_author`: all rows of every `parts`-th author, so that what a service said of him stays in one place.
        """
        whose = self.authors() if by_author else self["request"]
        out: NDArray[np.int64] = np.flatnonzero(whose % parts == part)
        return out

    def authors(self) -> NDArray[np.int64]:
        """(n,) Number of the person who writes, over all replications: from 0, without gaps."""
        each = (self["replication"].astype(np.int64) << 32) | self["author"]
        out: NDArray[np.int64] = np.unique(each, return_inverse=True)[1].reshape(-1)
        return out

    def peak_per_s(self) -> float:
        """Most rows due in any second, counted from each row on; 0 if there is none."""
        due = self["due_s"]
        ends = np.searchsorted(due, due + 1.0, side="left")
        return float((ends - np.arange(due.size)).max(initial=0))


def load(path: Path) -> Schedule:
    """Read a schedule; raises `TraceError` if it is missing, something else, damaged, or not in order."""
    return Schedule.read(path)


def of_traces(
    traces: Iterable[Trace],
    speed: float,
    from_h: float | None = None,
    to_h: float | None = None,
    phases: Sequence[tuple[str, float, float]] = (),
    holds: Sequence[Hold] = (),
) -> Schedule:
    """The posts of traces, each due when it was posted, or when its platform lets it go.

    Parameters
    ----------
    traces : iterable of Trace
        One, or several replications of the same scenario: all of them are sent, so two are twice the load.
        They may be made one by one: of each only the rows of the cut are held.
    speed : float
        Scenario seconds in a second, > 0.
    from_h, to_h : float, optional
        Hours from onset to cut from and to; by default the window of the traces.
    phases : sequence of (name, from_h, to_h)
        Parts of the scenario; the part of each that lies inside is kept.
    holds : sequence of Hold
        What is posted meanwhile comes at one instant at the end, in the order of the trace, as rule 9 has it. It is
        of the cut if that instant is.

    Returns
    -------
    Schedule
        Calls are left out: nobody sends them over HTTP. Due times count from the first moment of the cut.

    Raises
    ------
    InputError
        If the speed is not above 0, or the cut is empty or holds no posts.
    """
    parts: list[Rows] = []
    about: dict[str, Any] = {}
    for trace in traces:
        if not about:
            first_s, last_s = _window(trace, speed, from_h, to_h)
            about = {name: trace.about[name] for name in ("scenario", "scenario_digest", "seed")} | {"traces": []}
        parts.append(_cut(trace, first_s, last_s, holds))
        about["traces"].append(trace.digest)
    rows = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    if rows["row"].size == 0:
        raise InputError(None, [Fault("--from/--to", "holds no posts; take more hours")])
    order = np.argsort(rows["due_s"], kind="stable")
    rows = {name: column[order] for name, column in rows.items()}
    rows["due_s"] = (rows["due_s"] - first_s) / speed
    rows |= {"hostile": np.zeros(rows["row"].size, dtype=np.int8), "request": np.arange(rows["row"].size)}
    kept = [(name, max(a * HOUR_S, first_s), min(b * HOUR_S, last_s)) for name, a, b in phases]
    about |= {
        "version": made_by(),
        "speed": speed,
        "times": len(parts),
        "window_h": [first_s / HOUR_S, last_s / HOUR_S],
        "phases": [
            {"name": name, "from_s": (a - first_s) / speed, "to_s": (b - first_s) / speed}
            for name, a, b in kept
            if a < b
        ],
    }
    return Schedule(rows, about)


def at_times(due_s: FloatArray, name: str, seed: int = 1) -> Schedule:
    """Made-up posts, due at given times: for steps of a search, benchmarks and tests.

    Parameters
    ----------
    due_s : (n,) float64
        Seconds from the start, ascending.
    name : str
        Goes into the place of the scenario's.
    seed : int
        Of what the posts say: English and plain, from different authors.
    """
    due = np.asarray(due_s, dtype=np.float64)
    n = due.size
    zeros = np.zeros(n, dtype=np.int8)
    rows: dict[str, NDArray[Any]] = dict.fromkeys(OF_TRACE, zeros)
    rows |= {"due_s": due, "time_s": due, "replication": zeros, "row": np.arange(n), "author": np.arange(n)}
    rows |= {"hostile": zeros, "parent": np.full(n, -1), "text": np.random.default_rng(seed).integers(0, 2**31, n)}
    rows["request"] = np.arange(n)
    about = {"scenario": name, "scenario_digest": "", "seed": seed, "version": made_by(), "traces": []}
    return Schedule(rows, {**about, "speed": 1.0, "times": 1, "window_h": [0.0, 0.0], "phases": []})


def _cut(trace: Trace, first_s: float, last_s: float, holds: Sequence[Hold]) -> Rows:
    """Rows of a trace that come between two times; `due_s` is when, in seconds from onset."""
    times = trace["time_s"]
    if times.size and not (np.diff(times) >= 0.0).all():
        row = int(np.flatnonzero(~(np.diff(times) >= 0.0))[0]) + 1
        raise TraceError(f"row {row} of the trace lies before the row above it; generate the trace anew")
    comes_s = times.copy()
    for platforms, from_h, to_h in sorted(holds, key=lambda hold: hold[1]):
        there = np.isin(trace["platform"], [code(platform) for platform in platforms])
        comes_s[there & (comes_s >= from_h * HOUR_S) & (comes_s < to_h * HOUR_S)] = to_h * HOUR_S
    rows = np.flatnonzero((comes_s >= first_s) & (comes_s < last_s) & (trace["kind"] != code(PostKind.CALL)))
    number = np.full(rows.size, trace.about["replication"], dtype=np.int32)
    found = {name: trace[name][rows] for name in ("time_s", *OF_TRACE)}
    return found | {"row": rows, "replication": number, "due_s": comes_s[rows]}


def _window(trace: Trace, speed: float, from_h: float | None, to_h: float | None) -> tuple[float, float]:
    start_s, end_s = trace.about["window_s"]
    first_s = start_s if from_h is None else from_h * HOUR_S
    last_s = end_s if to_h is None else to_h * HOUR_S
    _check(speed, first_s, last_s, start_s, end_s)
    return first_s, last_s


def _ascending(due_s: FloatArray) -> None:
    steps = np.diff(due_s)
    bad = np.flatnonzero(~np.isfinite(due_s) | (due_s < 0.0))
    back = np.flatnonzero(~(steps >= 0.0)) + 1
    if bad.size:
        raise TraceError(f"row {int(bad[0])} is due at {due_s[bad[0]]} s; due times are 0 or more")
    if back.size:
        at = int(back[0])
        raise TraceError(f"row {at} is due at {due_s[at]} s, before the row above it ({due_s[at - 1]} s); sort them")


def _numbered(request: NDArray[np.int32], due_s: FloatArray) -> None:
    steps = np.diff(request, prepend=-1)
    bad = np.flatnonzero((steps < 0) | (steps > 1))
    if request.size and steps[0] != 1:
        raise TraceError(f"row 0 is of request {int(request[0])}; requests are numbered from 0")
    if bad.size:
        raise TraceError(
            f"row {int(bad[0])} is of request {int(request[bad[0]])}; requests are numbered in their order"
        )
    apart = np.flatnonzero((steps[1:] == 0) & (np.diff(due_s) > 0.0)) + 1
    if apart.size:
        at = int(apart[0])
        raise TraceError(f"row {at} is due later than row {at - 1} of the same request; they are sent at one moment")


def _check(speed: float, first_s: float, last_s: float, start_s: float, end_s: float) -> None:
    wrong = []
    if not (math.isfinite(speed) and speed > 0.0):
        wrong.append(Fault("--speed", f"is {speed:g}; it should be above 0: 60 plays an hour in a minute"))
    if not first_s < last_s:
        wrong.append(Fault("--from", f"is {first_s / HOUR_S:g}, not before --to, which is {last_s / HOUR_S:g}"))
    if not (start_s <= first_s < end_s and start_s < last_s <= end_s):
        wrong.append(
            Fault(
                "--from/--to",
                f"is {first_s / HOUR_S:g} to {last_s / HOUR_S:g} hours from onset, "
                f"the scenario has {start_s / HOUR_S:g} to {end_s / HOUR_S:g}",
            )
        )
    if wrong:
        raise InputError(None, wrong)
