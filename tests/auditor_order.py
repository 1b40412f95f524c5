"""The auditor's view of queues: who goes first, what is reserved, how many may wait."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from auditor_floor import Floor
from auditor_plan import Mask
from auditor_work import Line, in_hand

from scenarios.behaviour import HeldFault, NoAnswer
from scenarios.names import NONE, code
from sim.crisis import HOUR_S
from sim.desk import WaitingLimit
from sim.levers import ParkLever
from sim.outcome import TurnState


class Order:
    """Checks of the order in which turns were taken, and of lanes and limits."""

    def __init__(self, floor: Floor) -> None:
        self.floor, self.diary, self.desk, self.work = floor, floor.diary, floor.desk, floor.work

    def keys_are_kept(self) -> Iterator[str]:
        """Nobody starts a turn while one that goes before it waits that he could have taken.

        At the instant at which the rule about overdue turns is switched any order may be right that one of the
        rules asks for.
        """
        w, floor = self.work, self.floor
        for pool, spec in enumerate(self.desk.pools):
            since = floor.reach[pool]
            taken = np.flatnonzero(floor.by_pool == pool)
            if not taken.size:
                continue
            order = np.flatnonzero(since < w.until)
            order = order[np.argsort(since[order], kind="stable")]
            lines = {late: Line() for late in (False, True)}  # by whether the class is deferred
            comes = 0
            for i in taken[np.argsort(w.start[taken], kind="stable")].tolist():
                now = float(w.start[i])
                while comes < order.size and since[order[comes]] < now:
                    row = int(order[comes])
                    lines[bool(w.deferred[row])].add(float(w.key[row]), float(w.until[row]), row)
                    comes += 1
                rule = self.diary.overdue_at(now)
                ways = (False, True) if rule is None else (rule.mode != "keep",)
                mine = [lines[False]] if spec.reserve and not w.deferred[i] else list(lines.values())
                for line in mine:
                    first = [line.first_before(float(w.key[i]), now, apart) for apart in ways]
                    if None not in first:
                        yield f"row {i} starts at {now} before row {first[0]}, which goes first"

    def reserves_are_kept(self) -> Iterator[str]:
        """A turn of a deferred class starts only while fewer than all but the reserve are busy.

        Who starts at the same instant is not counted as busy, who comes or goes then is counted as there.
        """
        w, staff = self.work, self.floor.outcome.staff
        for pool, spec in enumerate(self.desk.pools):
            mine = (self.floor.by_pool == pool) & (w.end > w.start)
            there = staff["pool"] == pool
            for i in np.flatnonzero(mine & w.deferred).tolist() if spec.reserve else ():
                now = w.start[i]
                busy = np.unique(w.agent[mine & (w.start < now) & (w.end > now)]).size
                on = np.unique(staff["agent"][there & (staff["on_s"] <= now) & (staff["off_s"] >= now)]).size
                if busy >= on - spec.reserve:
                    yield f"row {i} is deferred and starts at {now} with {busy} of {on} busy"

    def lanes_hold(self) -> Iterator[str]:
        """Nobody starts an overdue turn when as many are in hand as the lane has seats, while there is one."""
        w = self.work
        late = (w.start > w.key) & (w.agent != NONE)
        start, end = w.start[late], w.end[late]
        for at, n in zip(start.tolist(), in_hand(start, start, end).tolist(), strict=True):
            rule = self.diary.overdue_at(at)
            if rule is not None and rule.mode == "own_lane" and n > rule.seats:
                yield f"{n} overdue turns in hand at {at}"

    def limits_hold(self) -> Iterator[str]:
        """Whoever is queued finds a waiting place; who is blocked found none.

        What is handed back, and what a fault or a lever releases, is let in whatever the limit: others of that
        instant are not judged. Turns of cases that have moved are not counted where a kind of channel is.
        """
        w, limits = self.work, self.desk.routing.limits
        away = np.isin(w.state, (TurnState.BLOCKED, TurnState.BALKED))
        if not limits and np.any(away):
            yield "turned away without a limit"
        forced = set(w.queued[w.goes_on].tolist()) | self._releases()
        judged = np.array([at not in forced for at in w.queued.tolist()], dtype=bool)
        waits = (w.group != NONE) & (w.until > w.queued)
        for limit in limits:
            mine = waits & self._counts(limit)
            of_limit = mine & ~w.moved if limit.visibility is not None else mine
            queued, until = w.queued[of_limit], w.until[of_limit]
            at = w.queued[of_limit & judged]
            for now, n in zip(at.tolist(), in_hand(at, queued, until).tolist(), strict=True):
                if limit.places is not None and n > limit.places:
                    yield f"{n} wait at {now} for {limit.places} places"
        waits = (w.group != NONE) & ~away
        for i in np.flatnonzero((w.state == TurnState.BLOCKED) & ~w.moved).tolist():
            if not any(self._is_full(limit, i, waits) for limit in limits if self._counts(limit)[i]):
                yield f"row {i} is blocked at {w.queued[i]} and there are places"

    def _is_full(self, limit: WaitingLimit, row: int, waits: Mask) -> bool:
        """Whether so many may wait at the instant at which a row comes, those who come or go then included."""
        w, now = self.work, self.work.queued[row]
        mine = waits & (self._counts(limit) | w.moved)
        there = np.count_nonzero(mine & (w.queued <= now) & (w.until >= now))
        return limit.places is not None and bool(there >= limit.places)

    def _counts(self, limit: WaitingLimit) -> Mask:
        """Rows that stand in the queues of a limit, as far as the end of the run tells."""
        w, groups = self.work, self.floor.groups
        mine = np.ones(w.key.size, dtype=bool)
        if limit.languages:
            mine &= np.isin(w.language, [code(x) for x in limit.languages])
        if limit.groups:
            mine &= np.isin(w.group, [groups.index(name) for name in limit.groups])
        if limit.visibility is not None:
            mine &= w.visibility == code(limit.visibility)
        return mine

    def _releases(self) -> set[float]:
        faults = {f.to_h * HOUR_S for f in self.floor.scenario.faults if isinstance(f, HeldFault | NoAnswer)}
        levers = [self.diary.on[i] for i, lever in enumerate(self.diary.levers) if isinstance(lever, ParkLever)]
        return faults | {end for spans in levers for _, end in spans}
