"""The auditor's view of the floor: who was there, who worked on what, who should have."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from auditor_plan import Diary
from numpy.typing import NDArray

from scenarios.behaviour import HeldFault, NoAnswer, SiteDark
from scenarios.model import Scenario
from scenarios.names import NONE, Language, Topic, code, members
from sim.desk import Pool
from sim.levers import OverdueLever
from sim.outcome import Outcome, TurnKind, TurnState
from sim.roster import Roster

INF = float("inf")
ROOM = 1e-9
FloatArray = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Work:
    """Rows that wait for agents or are worked on by them, as columns; calls are left out."""

    case: NDArray[np.int64]
    key: FloatArray
    queued: FloatArray
    start: FloatArray
    until: FloatArray  # end of the wait: started, left, or the end of the run
    end: FloatArray  # end of the work
    agent: NDArray[np.int64]
    route: NDArray[np.int64]
    opens: FloatArray  # from here on every agent of the own queue may take it
    language: NDArray[np.int64]
    visibility: NDArray[np.int64]
    group: NDArray[np.int64]  # NONE: reading
    deferred: Mask
    sure: Mask  # whether its queue can be told from the rows


class Floor:
    """Checks of one outcome against desk and roster."""

    def __init__(self, outcome: Outcome, scenario: Scenario, diary: Diary, roster: Roster) -> None:
        self.outcome, self.scenario, self.desk, self.roster = outcome, scenario, diary.desk, roster
        self.diary, desk = diary, diary.desk
        self.routing, self.end_s = desk.routing, float(outcome.about["end_s"])
        self.groups = tuple(desk.routing.topic_groups) or ("all",)
        self.work = self._work()
        self.pool = np.array(roster.pool_of, dtype=np.int64)
        self.by_pool = np.append(self.pool, NONE)[self.work.agent]  # of each row, NONE: nobody took it
        self._planned = cache(diary.planned)
        self._delay_s = cache(self._worked_out_delay_s)
        self._not_too_many = cache(self._worked_out_not_too_many)
        self.there = [self._stretches(agent) for agent in range(self.pool.size)]
        self.free = [self._free(agent) for agent in range(self.pool.size)]
        self.reach = [self._reach(pool) for pool in range(len(desk.pools))]

    def _work(self) -> Work:
        t, cases = self.outcome.turns, self.outcome.cases
        mine = t["kind"] != TurnKind.CALL
        column = {name: values[mine] for name, values in t.items()}
        answer = column["kind"] == TurnKind.ANSWER
        case = np.where(answer, column["case"], 0)
        lookup = {name: np.append(cases[name], 0)[case] for name in ("topic", "visibility", "cls")}
        group_of = np.array([self._group(topic) for topic in members(Topic)])
        deferred = np.array([cls.deferred for cls in self.desk.classes])
        moved = np.isin(column["case"], self.outcome.extra["case"][np.isin(self.outcome.extra["kind"], (1, 2))])
        started = np.isfinite(column["start_s"])
        until = np.where(started, column["start_s"], np.minimum(column["end_s"], self.end_s))
        sticky = self.routing.sticky_min * 60.0 * (answer & (column["k"] > 0))
        return Work(
            case=column["case"].astype(np.int64),
            key=column["key_s"],
            queued=column["queued_s"],
            start=column["start_s"],
            until=until,
            end=np.minimum(column["end_s"], self.end_s),
            agent=column["agent"].astype(np.int64),
            route=column["route"].astype(np.int64),
            opens=column["queued_s"] + sticky,
            language=column["language"].astype(np.int64),
            visibility=np.where(answer, lookup["visibility"], NONE).astype(np.int64),
            group=np.where(answer, group_of[lookup["topic"]], NONE),
            deferred=answer & deferred[lookup["cls"]],
            sure=~(answer & moved),
        )

    def _group(self, topic: Topic) -> int:
        names = [i for i, name in enumerate(self.groups) if topic in self.routing.topic_groups.get(name, ())]
        return names[0] if names else 0

    # ---- who is there and has a hand free ---------------------------------------------------------------

    def _stretches(self, agent: int) -> FloatArray:
        """(n, 2) times at the desk, those after the end of a shift included."""
        staff = self.outcome.staff
        mine = staff["agent"] == agent
        return np.column_stack([staff["on_s"][mine], staff["off_s"][mine]])

    def _on(self, agent: int) -> FloatArray:
        """(n, 2) times in which new turns may be taken."""
        spec = self.desk.pools[self.pool[agent]]
        if not spec.head_count:
            return np.array(self._planned(agent)).reshape(-1, 2)
        return _common(self.there[agent], self._not_too_many(int(self.pool[agent])))

    def _worked_out_not_too_many(self, pool: int) -> FloatArray:
        """Times in which no more heads of a head-count pool are there than wanted."""
        levels = (*self.roster.levels[pool], (INF, 0))
        staff = self.outcome.staff
        mine = staff["pool"] == pool
        edges = np.unique(np.concatenate([staff["on_s"][mine], staff["off_s"][mine], [t for t, _ in levels]]))
        out = []
        for a, b in pairwise(edges):
            there = np.count_nonzero(mine & (staff["on_s"] <= a) & (staff["off_s"] >= b))
            wanted = [heads for t, heads in levels if t <= a]
            if wanted and there <= wanted[-1]:
                out.append((a, b))
        return np.array(out).reshape(-1, 2)

    def _free(self, agent: int) -> FloatArray:
        """(n, 2) times in which a further turn would fit."""
        spec, w = self.desk.pools[self.pool[agent]], self.work
        mine = w.agent == agent
        start, end = w.start[mine], w.end[mine]
        times = np.unique(np.concatenate([start, end, self.there[agent].ravel()]))
        full = []
        for (a, b), n in zip(pairwise(times), _in_hand(times[:-1], start, end).tolist(), strict=True):
            if spec.weights.active * (n + 1) > spec.capacity + ROOM:
                full.append((a, b))
        return _without(self._on(agent), np.array(full).reshape(-1, 2))

    def attendance_follows_the_roster(self) -> Iterator[str]:
        """Named agents come when the roster says; heads are as many as wanted, or more while they finish."""
        for agent, there in enumerate(self.there):
            spec = self.desk.pools[self.pool[agent]]
            if np.any(np.diff(there.ravel()) < 0):
                yield f"agent {agent} is there twice"
            if spec.head_count:
                continue
            spans = [(on, min(off, self.end_s)) for on, off in self._planned(agent) if on < self.end_s]
            planned = np.array(spans).reshape(-1, 2)
            if _length(_without(planned, there)) > 0:
                yield f"agent {agent} is not there when the roster says"
            for on, off in _without(there, planned):
                busy = (self.work.agent == agent) & (self.work.start < on) & (self.work.end >= off)
                if not busy.any():
                    yield f"agent {agent} stays without a turn"
        for pool, spec in enumerate(self.desk.pools):
            if spec.head_count:
                yield from self._heads(pool)

    def _heads(self, pool: int) -> Iterator[str]:
        staff, levels = self.outcome.staff, self.roster.levels[pool]
        mine = staff["pool"] == pool
        ends = [t for t, _ in levels[1:]] + [self.end_s]
        for (begin, heads), end in zip(levels, ends, strict=True):
            stop = min(end, self.end_s)
            for at in np.unique(np.concatenate([[begin], staff["on_s"][mine], staff["off_s"][mine]])):
                if begin <= at < stop:
                    there = np.count_nonzero(mine & (staff["on_s"] <= at) & (staff["off_s"] > at))
                    if there < heads:
                        yield f"pool {pool} has {there} of {heads} heads at {at}"

    # ---- who worked on what -------------------------------------------------------------------------------

    def nobody_works_beyond_capacity(self) -> Iterator[str]:
        """The weights of what is in hand fit into the capacity at every time."""
        w = self.work
        for agent in range(self.pool.size):
            spec = self.desk.pools[self.pool[agent]]
            mine = w.agent == agent
            start, end = w.start[mine], w.end[mine]
            for at, n in zip(start.tolist(), _in_hand(start, start, end).tolist(), strict=True):
                if n * spec.weights.active > spec.capacity + ROOM:
                    yield f"agent {agent} has {n} turns in hand at {at}"

    def _speaks(self, pool: Pool, language: int, group: int) -> bool:
        takes = pool.reads if group == NONE else not pool.topics or self.groups[group] in pool.topics
        return takes and members(Language)[language] in pool.languages

    def _worked_out_delay_s(self, language: int, group: int, pool: int) -> float:
        """After how much waiting a pool may take turns of a queue: 0 its own, inf never."""
        desk = self.desk
        native = [p for p, spec in enumerate(desk.pools) if self._speaks(spec, language, group)]
        if not any(p < self.diary.own_pools for p in native) and desk.routing.unserved == "bridge":
            bridge = code(desk.routing.bridge_language)
            native += [p for p, spec in enumerate(desk.pools) if self._speaks(spec, bridge, group)]
        if pool in native:
            return 0.0
        # Rules of levers are left out: whether one was open at an instant is judged where a turn was taken by it.
        rules = desk.routing.overflow[: self.diary.own_rules] if group != NONE else ()
        waits = [rule.after_min * 60.0 for rule in rules if self._helps(rule, desk.pools[pool], language, group)]
        return min(waits, default=INF)

    def _reach(self, pool: int) -> FloatArray:
        """Time from which on each row may be taken by this pool, inf: never."""
        w = self.work
        since = np.full(w.key.size, INF)
        for rows in self._by_queue():
            delay = self._delay_s(int(w.language[rows[0]]), int(w.group[rows[0]]), pool)
            since[rows] = np.maximum(w.opens[rows], w.queued[rows] + delay)
        return since

    def _helps(self, rule: Any, pool: Pool, language: int, group: int) -> bool:
        if rule.languages and members(Language)[language] not in rule.languages:
            return False
        if pool.topics and self.groups[group] not in pool.topics:
            return False
        return pool.name in rule.to_pools or rule.to_language in pool.languages

    def work_is_done_by_those_who_can_and_are_there(self) -> Iterator[str]:
        """Nobody starts before he comes, after he goes, or without the skill; work stays with who is there."""
        w = self.work
        last: dict[int, int] = {}  # rows of a case are in order of time
        for i in np.flatnonzero(w.agent != NONE).tolist():
            agent, pool = int(w.agent[i]), int(self.pool[w.agent[i]])
            since, before = self.reach[pool][i], last.get(int(w.case[i]), NONE)
            if w.group[i] != NONE:
                last[int(w.case[i])] = agent
            there = self.there[agent]
            if not np.any((there[:, 0] <= w.start[i]) & (w.end[i] <= there[:, 1])):
                yield f"agent {agent} works at {w.start[i]} and is not there"
            if w.route[i] == -2:
                if before != agent:
                    yield f"agent {agent} is not the last of case {w.case[i]}"
            elif (lever := self.diary.lever_of_route(int(w.route[i]))) is not None:
                rule = self.routing.overflow[w.route[i] - 2]
                if not self.diary.is_on(lever, float(w.start[i])):
                    yield f"row {i} overflowed by lever {lever}, which is off"
                if w.sure[i] and not self._helps(rule, self.desk.pools[pool], int(w.language[i]), int(w.group[i])):
                    yield f"agent {agent} has no skill for row {i}"
            elif since == INF and w.sure[i]:
                yield f"agent {agent} has no skill for row {i}"
            elif w.route[i] >= 2 and w.start[i] < w.queued[i] + (since - w.opens[i]) and w.sure[i]:
                yield f"row {i} overflowed too early"
            spec = self.desk.pools[pool]
            if not spec.head_count and not any(a <= w.start[i] < b for a, b in self._planned(agent)):
                yield f"agent {agent} starts at {w.start[i]}, outside of his shift"

    # ---- who should have ----------------------------------------------------------------------------------

    def _by_queue(self) -> Iterator[NDArray[np.int64]]:
        """Rows by what decides who may take them."""
        names = np.column_stack([self.work.language, self.work.group])
        for name in np.unique(names, axis=0):
            yield np.flatnonzero((names == name).all(axis=1))

    def nobody_is_idle_while_a_turn_waits(self) -> Iterator[str]:
        """While a turn waits, everybody who may take it has his hands full."""
        w = self.work
        until = w.until
        if any(rule.mode == "own_lane" for rule in self.diary.overdue_rules):
            until = np.minimum(until, np.maximum(w.key, w.queued))
        for pool, spec in enumerate(self.desk.pools):
            if spec.weights.waiting > 0:
                continue  # who is kept for a customer cannot be told from the rows
            since = self.reach[pool]
            mine = np.flatnonzero(w.sure & (since < until) & ~(w.deferred & (spec.reserve > 0)))
            for agent in np.flatnonzero(self.pool == pool).tolist():
                yield from self._idle(agent, mine, since[mine], until[mine])
        yield from self._last_agents(until)

    def _last_agents(self, until: FloatArray) -> Iterator[str]:
        """Whoever answered last may take the next turn at once, if his pool serves its queue at all."""
        w = self.work
        last: dict[int, int] = {}
        for i in np.flatnonzero(w.group != NONE).tolist():  # rows of a case are in order of time
            agent = last.get(int(w.case[i]), NONE)
            if agent != NONE and w.sure[i] and w.queued[i] < until[i]:
                pool, spec = int(self.pool[agent]), self.desk.pools[self.pool[agent]]
                kept = spec.weights.waiting > 0 or (w.deferred[i] and spec.reserve > 0)
                if not kept and self._delay_s(int(w.language[i]), int(w.group[i]), pool) == 0.0:
                    yield from self._idle(agent, np.array([i]), w.queued[[i]], until[[i]])
            if w.agent[i] != NONE:
                last[int(w.case[i])] = int(w.agent[i])

    def _idle(self, agent: int, rows: NDArray[np.int64], since: FloatArray, until: FloatArray) -> Iterator[str]:
        free = self.free[agent]
        if not free.size:
            return
        next_free = np.minimum(np.searchsorted(free[:, 1], since, side="right"), free.shape[0] - 1)
        low, high = np.maximum(free[next_free, 0], since), np.minimum(free[next_free, 1], until)
        for i in rows[high > low].tolist():
            yield f"agent {agent} is idle while row {i} of case {self.work.case[i]} waits from {self.work.queued[i]}"

    def keys_are_kept(self) -> Iterator[str]:
        """Nobody starts a turn while one that goes before it waits that he could have taken."""
        w, switched = self.work, self.diary.switches(OverdueLever)
        for pool, spec in enumerate(self.desk.pools):
            since = self.reach[pool]
            order = np.flatnonzero(w.sure & (since < w.until))
            order = order[np.argsort(since[order], kind="stable")]
            taken = np.flatnonzero(self.by_pool == pool)
            lines = {late: _Line() for late in (False, True)}  # by whether the class is deferred
            comes = 0
            for i in taken[np.argsort(w.start[taken], kind="stable")].tolist():
                now = float(w.start[i])
                while comes < order.size and since[order[comes]] < now:
                    row = int(order[comes])
                    lines[bool(w.deferred[row])].add(float(w.key[row]), float(w.until[row]), row)
                    comes += 1
                if now in switched:
                    continue  # before the switch or after it: the rows do not tell
                mode = self.diary.overdue_at(now).mode
                mine = [lines[False]] if spec.reserve and not w.deferred[i] else list(lines.values())
                for line in mine:
                    first = line.first_before(float(w.key[i]), now, mode != "keep")
                    if first is not None:
                        yield f"row {i} starts at {now} before row {first}, which goes first"

    def reserves_are_kept(self) -> Iterator[str]:
        """A turn of a deferred class starts only while fewer than all but the reserve are busy.

        Who starts at the same instant is not counted as busy, who comes or goes then is counted as there.
        """
        w, staff = self.work, self.outcome.staff
        for pool, spec in enumerate(self.desk.pools):
            mine = (self.by_pool == pool) & (w.end > w.start)
            there = staff["pool"] == pool
            for i in np.flatnonzero(mine & w.deferred).tolist() if spec.reserve else ():
                now = w.start[i]
                busy = np.unique(w.agent[mine & (w.start < now) & (w.end > now)]).size
                on = np.unique(staff["agent"][there & (staff["on_s"] <= now) & (staff["off_s"] >= now)]).size
                if busy >= on - spec.reserve:
                    yield f"row {i} is deferred and starts at {now} with {busy} of {on} busy"

    def lanes_and_limits_hold(self) -> Iterator[str]:
        """No more overdue turns in hand than the lane has seats, no more waiting than places."""
        w, routing, switched = self.work, self.routing, self.diary.switches(OverdueLever)
        late = (w.start > w.key) & (w.agent != NONE)
        start, end = w.start[late], w.end[late]
        for at, n in zip(start.tolist(), _in_hand(start, start, end).tolist(), strict=True):
            rule = self.diary.overdue_at(at)
            if rule.mode == "own_lane" and at not in switched and n > rule.seats:
                yield f"{n} overdue turns in hand at {at}"
        lets_in = any(isinstance(f, HeldFault | NoAnswer | SiteDark) for f in self.scenario.faults) or any(
            pool.shift_end == "hand_back" for pool in self.desk.pools
        )
        lets_in |= self.diary.lets_in()
        state = self.outcome.turns["state"]
        away = np.isin(state, (TurnState.BLOCKED, TurnState.BALKED)) & (self.outcome.turns["kind"] != TurnKind.CALL)
        if not routing.limits and np.any(away):
            yield "turned away without a limit"
        for limit in () if lets_in else routing.limits:
            mine = (w.group != NONE) & w.sure & (w.until > w.queued)
            if limit.languages:
                mine &= np.isin(w.language, [code(x) for x in limit.languages])
            if limit.groups:
                mine &= np.isin(w.group, [self.groups.index(name) for name in limit.groups])
            if limit.visibility is not None:
                mine &= w.visibility == code(limit.visibility)
            queued, until = w.queued[mine], w.until[mine]
            for at, n in zip(queued.tolist(), _in_hand(queued, queued, until).tolist(), strict=True):
                if limit.places is not None and n > limit.places:
                    yield f"{n} wait at {at} for {limit.places} places"


class _Line:
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


def _in_hand(at: FloatArray, start: FloatArray, end: FloatArray) -> NDArray[np.int64]:
    """How many stretches [start, end) are under way at each time; those of no length are not."""
    long = end > start
    begun = np.searchsorted(np.sort(start[long]), at, side="right")
    done = np.searchsorted(np.sort(end[long]), at, side="right")
    return begun - done


def _common(a: FloatArray, b: FloatArray) -> FloatArray:
    out = [(max(x, u), min(y, v)) for x, y in a for u, v in b if max(x, u) < min(y, v)]
    return np.array(sorted(out)).reshape(-1, 2)


def _without(a: FloatArray, holes: FloatArray) -> FloatArray:
    """(n, 2) stretches less the holes."""
    out: list[tuple[float, float]] = []
    for x, y in a:
        at = x
        for u, v in sorted(map(tuple, holes)):
            if v <= at or u >= y:
                continue
            if u > at:
                out.append((at, u))
            at = max(at, v)
        if at < y:
            out.append((at, y))
    return np.array(out).reshape(-1, 2)


def _length(stretches: FloatArray) -> float:
    return float(np.sum(stretches[:, 1] - stretches[:, 0])) if stretches.size else 0.0
