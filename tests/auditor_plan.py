"""What the rows say of the crisis plan: which lever was on when, who was called, and whether both were kept."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scenarios.behaviour import HeldFault
from scenarios.model import Scenario
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace
from sim.crisis import HOUR_S, expand
from sim.desk import Desk
from sim.levers import FilterLever, HeadsLever, OverdueLever, OverflowLever, ParkLever
from sim.outcome import CaseState, Outcome, PlanStep
from sim.precedence import OverdueRule
from sim.roster import Roster, without_breaks

INF = float("inf")
SOON = 1e-6
CAME_AFTER_ALL = 4  # kind of an extra post: kept away by a lever at first
FloatArray = NDArray[np.float64]
Span = tuple[float, float]


class Diary:
    """The plan's steps as stretches of time, and checks of what they allow.

    `desk` is the one with the ladder's seats and the levers' rules behind its own; `own_pools` and
    `own_rules` say how many of each the file itself has.
    """

    def __init__(self, outcome: Outcome, scenario: Scenario, given: Desk, roster: Roster) -> None:
        self.outcome, self.scenario, self.desk, self.roster = outcome, scenario, expand(given), roster
        self.plan, self.end_s = given.plan, float(outcome.about["end_s"])
        self.own_pools, self.own_rules = len(given.pools), len(given.routing.overflow)
        columns = (outcome.plan[name].tolist() for name in ("time_s", "step", "number", "heads"))
        self.steps: list[tuple[float, int, int, int]] = list(zip(*columns, strict=True))
        self.levers = self.plan.levers if self.plan is not None else ()
        self.on = [self._stretches(i, PlanStep.LEVER_ON, PlanStep.LEVER_OFF) for i in range(len(self.levers))]
        self.pool = np.array(roster.pool_of, dtype=np.int64)

    # ---- levers -------------------------------------------------------------------------------------------

    def _stretches(self, number: int, begins: PlanStep, ends: PlanStep) -> list[Span]:
        out: list[Span] = []
        since = INF
        for at, step, which, _ in self.steps:
            if which == number and step == begins:
                since = at
            elif which == number and step == ends:
                out.append((since, at))
                since = INF
        return [*out, (since, INF)] if since < INF else out

    def is_on(self, number: int, at: float) -> bool:
        """Whether a lever is on, its first and its last instant included."""
        return any(a <= at <= b for a, b in self.on[number])

    def switches(self, kind: type) -> FloatArray:
        """Instants at which a lever of this kind is switched."""
        times = [
            t for i, lever in enumerate(self.levers) if isinstance(lever, kind) for span in self.on[i] for t in span
        ]
        return np.array(sorted({t for t in times if t < INF}))

    def has(self, kind: type) -> bool:
        """Whether a lever of this kind is ever on."""
        return any(isinstance(lever, kind) and self.on[i] for i, lever in enumerate(self.levers))

    def mode_at(self, at: float) -> str:
        """How cases are found among posts that come then; a switch comes before posts of its instant."""
        last: str = self.desk.triage.mode
        for i, lever in enumerate(self.levers):
            if isinstance(lever, FilterLever) and any(a <= at < b for a, b in self.on[i]):
                last = "automatic"
        return last

    def overdue_at(self, at: float) -> OverdueRule:
        """What holds for overdue turns; at the instant of a switch it cannot be told."""
        rule = self.desk.routing.overdue
        for i, lever in enumerate(self.levers):
            if isinstance(lever, OverdueLever) and any(a <= at < b for a, b in self.on[i]):
                rule = lever.overdue
        return rule

    @property
    def overdue_rules(self) -> list[OverdueRule]:
        """All rules for overdue turns that hold at some time."""
        more = [x.overdue for i, x in enumerate(self.levers) if isinstance(x, OverdueLever) and self.on[i]]
        return [self.desk.routing.overdue, *more]

    def lever_of_route(self, route: int) -> int | None:
        """The lever that opens an overflow rule, None for a rule of the desk."""
        if route - 2 < self.own_rules:
            return None
        opening = [i for i, lever in enumerate(self.levers) if isinstance(lever, OverflowLever)]
        return opening[route - 2 - self.own_rules]

    def lets_in(self) -> bool:
        """Whether something puts turns into queues beyond their places."""
        return self.has(ParkLever)

    # ---- who is there -------------------------------------------------------------------------------------

    def planned(self, agent: int) -> list[Span]:
        """When somebody is to be at the desk: by the roster, by a lever that keeps him, or called in."""
        shifts = self.outcome.shifts
        mine = (shifts["agent"] == agent) & shifts["worked"]
        spans = list(zip(shifts["start_s"][mine].tolist(), shifts["end_s"][mine].tolist(), strict=True))
        if self.pool[agent] >= self.own_pools:
            rung = self._rung_of(agent)
            assert self.plan is not None
            cuts = [
                (p.after_h * HOUR_S, p.minutes * 60.0)
                for p in sorted(self.plan.ladder[rung].breaks, key=lambda p: p.after_h)
            ]
            pieces = [without_breaks(a, b, [(a + t, a + t + n) for t, n in cuts]) for a, b in spans]
            return [(s.on_s, s.off_s) for piece in pieces for s in piece]
        own = [(s.on_s, s.off_s) for s in self.roster.stretches[agent]]
        # A shift of which he is absent may begin just when he is kept beyond the one before.
        offs = {off for _, off in own} - {s.start_s for s in self.roster.shifts if s.agent == agent and s.worked}
        return sorted(own + ([span for span in spans if span[0] in offs] if self.has(HeadsLever) else []))

    def _rung_of(self, agent: int) -> int:
        assert self.plan is not None
        pool = self.own_pools
        for r, rung in enumerate(self.plan.ladder):
            pool += sum(group.heads > 0 for group in rung.groups)
            if self.pool[agent] < pool:
                return r
        raise AssertionError("no rung")

    def only_those_called_in_come(self) -> Iterator[str]:
        """Who is called in comes after the call, not after he is stood down, works and rests as the rung says."""
        shifts = self.outcome.shifts
        for r, rung in enumerate(self.plan.ladder if self.plan is not None else ()):
            members = [a for a in np.flatnonzero(self.pool >= self.own_pools).tolist() if self._rung_of(a) == r]
            calls = [(t, h) for t, s, n, h in self.steps if s == PlanStep.CALLED and n == r]
            downs = [t for t, s, n, _ in self.steps if s == PlanStep.STOOD_DOWN and n == r]
            came: set[int] = set()
            for agent in members:
                mine = shifts["agent"] == agent
                free = -INF
                for begin, end in zip(shifts["start_s"][mine].tolist(), shifts["end_s"][mine].tolist(), strict=True):
                    came.add(agent)
                    called = [t for t, _ in calls if t <= begin]
                    if not called or any(called[-1] < down < begin for down in downs):
                        yield f"agent {agent} of rung {r} comes at {begin} and was not called"
                    elif rung.for_h is not None and begin > called[-1] + rung.for_h * HOUR_S:
                        yield f"agent {agent} of rung {r} comes at {begin}, too late after the call"
                    if end - begin > rung.max_h * HOUR_S + SOON:
                        yield f"agent {agent} of rung {r} works for more than {rung.max_h} h"
                    if begin < free - SOON:
                        yield f"agent {agent} of rung {r} comes at {begin} before he has rested"
                    free = end + rung.rest_h * HOUR_S
            if len(came) > sum(heads for _, heads in calls):
                yield f"{len(came)} of rung {r} came, more than accepted"

    def nobody_stays_without_a_lever(self) -> Iterator[str]:
        """Shifts beyond the roster are those of levers on heads, as long as those say, in the pools that they name."""
        shifts = self.outcome.shifts
        keeping = [(i, x) for i, x in enumerate(self.levers) if isinstance(x, HeadsLever)]
        for agent in np.flatnonzero(self.pool < self.own_pools).tolist():
            offs = {s.off_s for s in self.roster.stretches[agent]}
            mine = (shifts["agent"] == agent) & shifts["worked"]
            starts = {s.start_s for s in self.roster.shifts if s.agent == agent and s.worked}
            for begin, end in zip(shifts["start_s"][mine].tolist(), shifts["end_s"][mine].tolist(), strict=True):
                if begin in starts or begin not in offs:
                    continue
                name = self.desk.pools[self.pool[agent]].name
                fits = any(
                    self.is_on(i, begin)
                    and (not lever.pools or name in lever.pools)
                    and end <= begin + lever.extend_h * HOUR_S + SOON
                    for i, lever in keeping
                )
                if not fits:
                    yield f"agent {agent} stays at {begin} to {end}, and no lever says so"

    # ---- what was kept away -------------------------------------------------------------------------------

    def the_suppressed_are_out(self, trace: Trace) -> Iterator[str]:
        """A case is suppressed if its post is; nobody works on it. A post is suppressed by a lever that was on."""
        gone = self.outcome.suppressed
        cases, turns = self.outcome.cases, self.outcome.turns
        marked = cases["state"] == CaseState.SUPPRESSED
        rows = cases["row"][marked]
        asked = gone["row"][trace["kind"][gone["row"]] == code(PostKind.CASE)]
        extra = self.outcome.extra
        after_all = cases["row"][extra["case"][extra["kind"] == CAME_AFTER_ALL]]
        if sorted([*rows.tolist(), *after_all.tolist()]) != sorted(asked.tolist()):
            yield "suppressed cases are not the suppressed posts"
        if np.isin(turns["case"], np.flatnonzero(marked)).any():
            yield "a suppressed case has turns"
        if np.isin(turns["post"][turns["post"] != NONE], gone["row"]).any():
            yield "a suppressed post was read"
        if np.isfinite(cases["seen_s"][marked]).any() or np.isfinite(cases["first_reply_s"][marked]).any():
            yield "a suppressed case was seen"
        held = any(isinstance(fault, HeldFault) for fault in self.scenario.faults)
        for row, lever in zip(gone["row"].tolist(), gone["lever"].tolist(), strict=True):
            follows = trace["kind"][row] == code(PostKind.FOLLOW_UP)  # goes with the post that it follows
            if not follows and not held and not self.is_on(lever, float(trace["time_s"][row])):
                yield f"row {row} is suppressed by lever {lever}, which is off"
