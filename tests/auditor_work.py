"""Rows of an outcome as the auditor compares them: stretches of waiting and of work, and what to do with stretches."""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
from auditor_plan import Diary, FloatArray, IntArray, Mask

from scenarios.names import NONE, Topic, members
from sim.outcome import Outcome, TurnKind, TurnState


@dataclass(frozen=True)
class Work:
    """Rows that wait for agents or are worked on by them, as columns; calls are left out."""

    case: IntArray
    key: FloatArray
    queued: FloatArray
    start: FloatArray
    until: FloatArray  # end of the wait: started, left, or the end of the run
    end: FloatArray  # end of the work
    agent: IntArray
    route: IntArray
    opens: FloatArray  # from here on every agent of the own queue may take it
    language: IntArray
    visibility: IntArray
    group: IntArray  # NONE: reading
    deferred: Mask
    moved: Mask  # whether its case has moved: the kind of channel at the end need not be that of this turn
    goes_on: Mask  # whether it was handed back before: it is never turned away
    state: IntArray


def worked(outcome: Outcome, diary: Diary) -> Work:
    """The rows of an outcome, in their order."""
    t, cases, routing = outcome.turns, outcome.cases, diary.desk.routing
    mine = t["kind"] != TurnKind.CALL
    column = {name: values[mine] for name, values in t.items()}
    answer = column["kind"] == TurnKind.ANSWER
    case = np.where(answer, column["case"], 0)
    lookup = {name: np.append(cases[name], 0)[case] for name in ("topic", "visibility", "cls")}
    groups = list(routing.topic_groups.values())
    group_of = np.array([next((g for g, topics in enumerate(groups) if x in topics), 0) for x in members(Topic)])
    deferred = np.array([cls.deferred for cls in diary.desk.classes])
    started = np.isfinite(column["start_s"])
    until = np.where(started, column["start_s"], np.minimum(column["end_s"], diary.end_s))
    sticky = routing.sticky_min * 60.0 * (answer & (column["k"] > 0))
    back = answer & (column["state"] == TurnState.HANDED_BACK)
    handed = set(zip(column["case"][back].tolist(), column["end_s"][back].tolist(), strict=True))
    pairs = zip(column["case"].tolist(), column["queued_s"].tolist(), strict=True)
    return Work(
        case=column["case"].astype(np.int64),
        key=column["key_s"],
        queued=column["queued_s"],
        start=column["start_s"],
        until=until,
        end=np.minimum(column["end_s"], diary.end_s),
        agent=column["agent"].astype(np.int64),
        route=column["route"].astype(np.int64),
        opens=column["queued_s"] + sticky,
        language=column["language"].astype(np.int64),
        visibility=np.where(answer, lookup["visibility"], NONE).astype(np.int64),
        group=np.where(answer, group_of[lookup["topic"]], NONE).astype(np.int64),
        deferred=answer & deferred[lookup["cls"]],
        moved=answer & np.isin(column["case"], outcome.extra["case"][np.isin(outcome.extra["kind"], (1, 2))]),
        goes_on=answer & np.array([pair in handed for pair in pairs], dtype=bool),
        state=column["state"].astype(np.int64),
    )


class Line:
    """Rows that wait, to ask at ascending times which goes first."""

    def __init__(self) -> None:
        self.fresh: list[tuple[float, float, int]] = []  # key, until, row
        self.late: list[tuple[float, float, int]] = []  # whose key has passed

    def add(self, key: float, until: float, row: int) -> None:
        heapq.heappush(self.fresh, (key, until, row))

    def first_before(self, key: float, now: float, apart: bool) -> int | None:
        """A row that waits now and goes before a turn with this key; `apart`: what is late goes last."""
        while self.fresh and self.fresh[0][0] < now:
            heapq.heappush(self.late, heapq.heappop(self.fresh))
        for line in (self.fresh, self.late):
            while line and line[0][1] <= now:
                heapq.heappop(line)
        before = [line[0] for line in (self.fresh, self.late) if line and line[0][0] < key]
        if apart:
            late = key < now
            ahead = self.fresh[:1] if late else []
            before = ahead + [line[0] for line in (self.late if late else self.fresh,) if line and line[0][0] < key]
        return before[0][2] if before else None


def in_hand(at: FloatArray, start: FloatArray, end: FloatArray) -> IntArray:
    """How many stretches [start, end) are under way at each time; those of no length are not."""
    long = end > start
    begun = np.searchsorted(np.sort(start[long]), at, side="right")
    done = np.searchsorted(np.sort(end[long]), at, side="right")
    out: IntArray = (begun - done).astype(np.int64)
    return out


def common(a: FloatArray, b: FloatArray) -> FloatArray:
    """(n, 2) stretches that lie in both."""
    out = [(max(x, u), min(y, v)) for x, y in a for u, v in b if max(x, u) < min(y, v)]
    return np.array(sorted(out)).reshape(-1, 2)


def without(a: FloatArray, holes: FloatArray) -> FloatArray:
    """(n, 2) stretches less the holes."""
    out: list[tuple[float, float]] = []
    gaps = sorted(map(tuple, holes.tolist()))
    for x, y in a.tolist():
        at = x
        for u, v in gaps:
            if v <= at or u >= y:
                continue
            if u > at:
                out.append((at, u))
            at = max(at, v)
        if at < y:
            out.append((at, y))
    return np.array(out).reshape(-1, 2)


def length(stretches: FloatArray) -> float:
    """Seconds of all together."""
    return float(np.sum(stretches[:, 1] - stretches[:, 0])) if stretches.size else 0.0
