"""The auditor's view of the floor: who was there, who worked on what, who stood idle."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import pairwise

import numpy as np
from auditor_plan import INF, Diary, FloatArray, IntArray
from auditor_staff import Staff
from auditor_work import Work, common, in_hand, length, without

from scenarios.behaviour import SiteDark
from scenarios.model import Scenario
from scenarios.names import NONE, Language, code, members
from sim.crisis import HOUR_S
from sim.desk import Pool
from sim.outcome import Outcome
from sim.precedence import Overflow
from sim.roster import Roster

ROOM = 1e-9


class Floor:
    """Checks of one outcome against desk, roster and plan."""

    def __init__(
        self, outcome: Outcome, scenario: Scenario, diary: Diary, staff: Staff, work: Work, roster: Roster
    ) -> None:
        self.outcome, self.scenario, self.diary, self.staff, self.roster = outcome, scenario, diary, staff, roster
        self.desk, self.routing, self.end_s, self.work = diary.desk, diary.desk.routing, diary.end_s, work
        self.groups = tuple(self.routing.topic_groups) or ("all",)
        self.pool = staff.pool
        self.by_pool = np.append(self.pool, NONE)[work.agent]  # of each row, NONE: nobody took it
        self._planned = cache(staff.planned)
        self._native = cache(self._worked_out_native)
        self._helps = cache(self._worked_out_helps)
        self._not_too_many = cache(self._worked_out_not_too_many)
        self.there = [self._stretches(agent) for agent in range(self.pool.size)]
        self.free = [self._free(agent) for agent in range(self.pool.size)]
        self.queues = list(self._queues())
        self.reach = [self._reach(pool) for pool in range(len(self.desk.pools))]

    # ---- who is there and has a hand free -----------------------------------------------------------------

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
        return common(self.there[agent], self._not_too_many(int(self.pool[agent])))

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
        full = spec.weights.active * (in_hand(times[:-1], start, end) + 1) > spec.capacity + ROOM
        return without(self._on(agent), np.column_stack([times[:-1][full], times[1:][full]]))

    def attendance_follows_the_roster(self) -> Iterator[str]:
        """Named agents come when roster or plan say; heads are as many as wanted, or more while they finish."""
        for agent, there in enumerate(self.there):
            spec = self.desk.pools[self.pool[agent]]
            if np.any(np.diff(there.ravel()) < 0):
                yield f"agent {agent} is there twice"
            if spec.head_count:
                continue
            spans = [(on, min(off, self.end_s)) for on, off in self._planned(agent) if on < self.end_s]
            planned = np.array(spans).reshape(-1, 2)
            if length(without(planned, there)) > 0:
                yield f"agent {agent} is not there when he is to be"
            for on, off in without(there, planned):
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

    # ---- who may take what --------------------------------------------------------------------------------

    def _speaks(self, pool: Pool, language: int, group: int) -> bool:
        takes = pool.reads if group == NONE else not pool.topics or self.groups[group] in pool.topics
        return takes and members(Language)[language] in pool.languages

    def _worked_out_native(self, language: int, group: int) -> frozenset[int]:
        """Pools that serve a queue: who speaks the language, and over the bridge if nobody of the desk does."""
        desk = self.desk
        native = [p for p, spec in enumerate(desk.pools) if self._speaks(spec, language, group)]
        if not any(p < self.diary.own_pools for p in native) and desk.routing.unserved == "bridge":
            bridge = code(desk.routing.bridge_language)
            native += [p for p, spec in enumerate(desk.pools) if self._speaks(spec, bridge, group)]
        return frozenset(native)

    def _worked_out_helps(self, rule: int, pool: int, language: int, group: int) -> bool:
        """Whether a pool takes turns of a queue by an overflow rule."""
        spec, way = self.desk.pools[pool], self._rule(rule)
        if group == NONE or (way.languages and members(Language)[language] not in way.languages):
            return False
        if (spec.topics and self.groups[group] not in spec.topics) or pool in self._native(language, group):
            return False
        return spec.name in way.to_pools or way.to_language in spec.languages

    def _rule(self, rule: int) -> Overflow:
        return self.routing.overflow[rule]

    def _opened(self, rule: int, rows: IntArray) -> FloatArray:
        """From when rows stand open by an overflow rule: one of a lever opens while that is on, and stays open."""
        due: FloatArray = self.work.queued[rows] + self._rule(rule).after_min * 60.0
        if rule not in self.diary.opens:
            return due
        out = np.full(rows.size, INF)
        for a, b in reversed(self.diary.on[self.diary.opens[rule]]):
            out = np.where(due < b, np.maximum(due, a), out)
        return out

    def _queues(self) -> Iterator[tuple[int, int, IntArray]]:
        """Rows by what decides who may take them: language and topic group."""
        w = self.work
        for language in np.unique(w.language).tolist():
            for group in np.unique(w.group[w.language == language]).tolist():
                yield language, group, np.flatnonzero((w.language == language) & (w.group == group))

    def _reach(self, pool: int) -> FloatArray:
        """Time from which on each row may be taken by this pool, inf: never."""
        w = self.work
        since = np.full(w.key.size, INF)
        for language, group, rows in self.queues:
            if pool in self._native(language, group):
                since[rows] = w.opens[rows]
                continue
            for rule in range(len(self.routing.overflow)):
                if self._helps(rule, pool, language, group):
                    since[rows] = np.minimum(since[rows], np.maximum(w.opens[rows], self._opened(rule, rows)))
        return since

    def work_is_done_by_those_who_can_and_are_there(self) -> Iterator[str]:
        """Nobody starts before he comes, after he goes, or without the skill; work stays with who is there."""
        w = self.work
        last: dict[int, int] = {}  # rows of a case are in order of time
        for i in np.flatnonzero(w.agent != NONE).tolist():
            agent, pool, route = int(w.agent[i]), int(self.pool[w.agent[i]]), int(w.route[i])
            language, group = int(w.language[i]), int(w.group[i])
            before = last.get(int(w.case[i]), NONE)
            if group != NONE:
                last[int(w.case[i])] = agent
            there = self.there[agent]
            if not np.any((there[:, 0] <= w.start[i]) & (w.end[i] <= there[:, 1])):
                yield f"agent {agent} works at {w.start[i]} and is not there"
            if route == -2:
                if before != agent:
                    yield f"agent {agent} is not the last of case {w.case[i]}"
            elif route < 2:
                if pool not in self._native(language, group):
                    yield f"agent {agent} has no skill for row {i}"
            elif not self._helps(route - 2, pool, language, group):
                yield f"agent {agent} has no skill for row {i} by rule {route - 2}"
            elif w.start[i] < self._opened(route - 2, np.array([i]))[0]:
                yield f"row {i} overflowed at {w.start[i]}, when rule {route - 2} was not open for it"
            spec = self.desk.pools[pool]
            if not spec.head_count and not any(a <= w.start[i] < b for a, b in self._planned(agent)):
                yield f"agent {agent} starts at {w.start[i]}, outside of his shift"

    def nobody_works_beyond_capacity(self) -> Iterator[str]:
        """The weights of what is in hand fit into the capacity at every time."""
        w = self.work
        for agent in range(self.pool.size):
            spec = self.desk.pools[self.pool[agent]]
            mine = w.agent == agent
            start, end = w.start[mine], w.end[mine]
            for at, n in zip(start.tolist(), in_hand(start, start, end).tolist(), strict=True):
                if n * spec.weights.active > spec.capacity + ROOM:
                    yield f"agent {agent} has {n} turns in hand at {at}"

    def nobody_works_in_the_dark(self) -> Iterator[str]:
        """Where a site is dark nobody works, whether he is kept longer or not."""
        w = self.work
        site = np.array([pool.site for pool in self.desk.pools] + [""])[self.by_pool]
        for fault in self.scenario.faults:
            if isinstance(fault, SiteDark):
                begin, end = fault.from_h * HOUR_S, fault.to_h * HOUR_S
                dark = np.isin(site, fault.sites) & (np.maximum(w.start, begin) < np.minimum(w.end, end))
                for i in np.flatnonzero(dark & (w.agent != NONE)).tolist():
                    yield f"agent {w.agent[i]} works from {w.start[i]} to {w.end[i]} at a dark site"

    # ---- who should have ----------------------------------------------------------------------------------

    def nobody_is_idle_while_a_turn_waits(self) -> Iterator[str]:
        """While a turn waits, everybody who may take it has his hands full.

        Who is kept for a customer cannot be told from the rows, nor whether a reserve left a deferred turn alone.
        An overdue turn waits while the lane is full.
        """
        w = self.work
        for pool, spec in enumerate(self.desk.pools):
            if spec.weights.waiting > 0:
                continue
            since = self.reach[pool]
            mine = np.flatnonzero((since < w.until) & ~(w.deferred & (spec.reserve > 0)))
            windows = self._may_be_taken(mine, since[mine])
            for agent in np.flatnonzero(self.pool == pool).tolist():
                yield from self._idle(agent, *windows)
        yield from self._last_agents()

    def _may_be_taken(self, rows: IntArray, since: FloatArray) -> tuple[IntArray, FloatArray, FloatArray]:
        """Rows with stretches of their wait, from a time on, in which a free agent has to take them."""
        full = self._lane_is_full()
        until = self.work.until[rows]
        if not full.size:
            return rows, since, until
        late = np.maximum(self.work.key[rows], since)
        pieces = [(since, np.minimum(until, late))]
        pieces += [(np.maximum(late, a), np.minimum(until, b)) for a, b in without(np.array([[-INF, INF]]), full)]
        low, high = (np.concatenate(edges) for edges in zip(*pieces, strict=True))
        return np.tile(rows, len(pieces)), low, high

    def _lane_is_full(self) -> FloatArray:
        """(n, 2) times in which as many overdue turns are in hand as the rule that holds has seats."""
        w = self.work
        late = (w.start > w.key) & (w.agent != NONE)
        start, end = w.start[late], w.end[late]
        out: list[tuple[float, float]] = []
        for (a, b), rule in self.diary.overdue:
            if rule.mode != "own_lane":
                continue
            inside = np.unique(np.concatenate([start, end, [a, b]]).clip(a, b))
            full = in_hand(inside, start, end) >= rule.seats
            out += [(x, y) for (x, y), shut in zip(pairwise(inside.tolist()), full, strict=False) if shut]
        return np.array(out).reshape(-1, 2)

    def _last_agents(self) -> Iterator[str]:
        """Whoever answered last may take the next turn at once, if his pool serves its queue at all."""
        w = self.work
        last: dict[int, int] = {}
        asked: dict[int, list[int]] = {}  # rows by the agent who had the turn before
        for i in np.flatnonzero(w.group != NONE).tolist():  # rows of a case are in order of time
            agent = last.get(int(w.case[i]), NONE)
            if agent != NONE and w.queued[i] < w.until[i]:
                pool, spec = int(self.pool[agent]), self.desk.pools[self.pool[agent]]
                kept = spec.weights.waiting > 0 or (w.deferred[i] and spec.reserve > 0)
                if not kept and pool in self._native(int(w.language[i]), int(w.group[i])):
                    asked.setdefault(agent, []).append(i)
            if w.agent[i] != NONE:
                last[int(w.case[i])] = int(w.agent[i])
        for agent, numbers in asked.items():
            rows = np.array(numbers, dtype=np.int64)
            yield from self._idle(agent, *self._may_be_taken(rows, w.queued[rows]))

    def _idle(self, agent: int, rows: IntArray, since: FloatArray, until: FloatArray) -> Iterator[str]:
        free = self.free[agent]
        if not free.size:
            return
        next_free = np.minimum(np.searchsorted(free[:, 1], since, side="right"), free.shape[0] - 1)
        low, high = np.maximum(free[next_free, 0], since), np.minimum(free[next_free, 1], until)
        for i in rows[high > low].tolist():
            yield f"agent {agent} is idle while row {i} of case {self.work.case[i]} waits from {self.work.queued[i]}"
