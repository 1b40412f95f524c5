"""The auditor's view of who is to be there: by the roster, kept longer by a lever, called in by the ladder."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from auditor_plan import INF, Diary, FloatArray, IntArray, Span

from scenarios.behaviour import SiteDark
from scenarios.laws import Constant, Law, Uniform
from scenarios.model import Scenario
from sim.crisis import HOUR_S, MINUTE_S, lead_s
from sim.levers import HeadsLever
from sim.outcome import Outcome, PlanStep
from sim.plan import Rung
from sim.roster import Roster, without_breaks


class Call(NamedTuple):
    """A rung was asked: when, how many accepted, until when they may begin."""

    at: float
    heads: int
    until: float  # stood down, or `for_h` is over
    down: float


class Duty(NamedTuple):
    """Somebody works: from, to, and from when he has rested; `end` may lie behind the run's end."""

    begin: float
    end: float
    rested: float


class Staff:
    """Shifts of one outcome against roster and plan."""

    def __init__(self, outcome: Outcome, scenario: Scenario, diary: Diary, roster: Roster) -> None:
        self.diary, self.desk, self.roster = diary, diary.desk, roster
        self.faults = scenario.faults
        self.end_s, self.pool = diary.end_s, np.array(roster.pool_of, dtype=np.int64)
        s = outcome.shifts
        columns = (s[name].tolist() for name in ("agent", "pool", "start_s", "end_s", "worked"))
        rows = Counter(zip(*columns, strict=True))
        planned = Counter(
            (x.agent, roster.pool_of[x.agent], x.start_s, min(x.end_s, self.end_s), x.worked)
            for x in roster.shifts
            if x.start_s < self.end_s
        )
        self.missing = sorted((planned - rows).elements())
        more = sorted((rows - planned).elements())
        self.unpaid = [row for row in more if not row[4]]
        self.longer: dict[int, list[Span]] = {}  # beyond the roster, of agents of the desk
        self.duties: dict[int, list[Duty]] = {}  # of those who were called in
        self.rungs = self._rungs()
        self.rung_of = {agent: r for r, agents in enumerate(self.rungs) for agent in agents}
        for agent, _, begin, end, _ in more:
            if agent in self.rung_of:
                self.duties.setdefault(agent, []).append(self._duty(self.rung_of[agent], begin))
            else:
                self.longer.setdefault(agent, []).append((begin, end))
        self.ends = {(agent, begin): end for agent, _, begin, end, _ in more}

    def _rungs(self) -> list[IntArray]:
        """Agents of each rung: its groups with heads have a pool each, behind those of the desk."""
        pool, out = self.diary.own_pools, []
        for rung in self.ladder:
            many = sum(group.heads > 0 for group in rung.groups)
            out.append(np.flatnonzero((self.pool >= pool) & (self.pool < pool + many)))
            pool += many
        return out

    @property
    def ladder(self) -> tuple[Rung, ...]:
        """Rungs of the plan, none without one."""
        return self.diary.plan.ladder if self.diary.plan is not None else ()

    def _duty(self, r: int, begin: float) -> Duty:
        end = begin + self.ladder[r].max_h * HOUR_S
        return Duty(begin, end, end + self.ladder[r].rest_h * HOUR_S)

    @staticmethod
    def _at_the_desk(rung: Rung, begin: float, end: float) -> list[Span]:
        pauses = sorted(rung.breaks, key=lambda pause: pause.after_h)
        starts = [begin + pause.after_h * HOUR_S for pause in pauses]
        cuts = [(at, at + pause.minutes * MINUTE_S) for at, pause in zip(starts, pauses, strict=True)]
        return [(s.on_s, s.off_s) for s in without_breaks(begin, end, cuts)]

    def planned(self, agent: int) -> list[Span]:
        """When an agent of a named pool is to be at the desk."""
        if agent in self.rung_of:
            rung = self.ladder[self.rung_of[agent]]
            return [span for duty in self.duties.get(agent, ()) for span in self._at_the_desk(rung, *duty[:2])]
        own = [(s.on_s, s.off_s) for s in self.roster.stretches[agent]]
        return sorted([*own, *self.longer.get(agent, ())])

    def _dark(self, agent: int) -> FloatArray:
        """(n, 2) times at which the site of an agent is dark; the roster leaves them out already."""
        site = self.desk.pools[self.pool[agent]].site
        dark = [
            (f.from_h * HOUR_S, f.to_h * HOUR_S) for f in self.faults if isinstance(f, SiteDark) and site in f.sites
        ]
        return np.array(dark).reshape(-1, 2)

    # ---- shifts -------------------------------------------------------------------------------------------

    def shifts_are_those_of_the_roster(self) -> Iterator[str]:
        """Each shift of the roster is there; what is there besides was worked, as long as its rung says."""
        for agent, _, begin, _, _ in self.missing:
            yield f"the shift of agent {agent} at {begin} is missing"
        for agent, _, begin, _, _ in self.unpaid:
            yield f"agent {agent} is absent at {begin} from a shift that nobody planned"
        for agent, duties in self.duties.items():
            for duty in duties:
                if self.ends[agent, duty.begin] != min(duty.end, self.end_s):
                    yield f"agent {agent} is paid from {duty.begin} to {self.ends[agent, duty.begin]}"

    def who_stays_longer_is_kept_by_a_lever(self) -> Iterator[str]:
        """At the end of a shift, as long as a lever on heads says that is on, unless he comes again, or his site goes
        dark, before.

        Where a lever keeps all, nobody goes; where it keeps a share, rows do not tell who.
        """
        ends = {(shift.agent, shift.end_s) for shift in self.roster.shifts}
        for agent in np.flatnonzero(self.pool < self.diary.own_pools).tolist():
            longer = dict(self.longer.get(agent, ()))
            stretches = self.roster.stretches[agent]
            for n, stretch in enumerate(stretches):
                off, again = stretch.off_s, stretches[n + 1].on_s if n + 1 < len(stretches) else INF
                again = min([again, *(begin for begin, _ in self._dark(agent).tolist() if begin >= off)])
                may = self._kept(agent, off, again) if (agent, off) in ends and off < self.end_s else {}
                if off in longer:
                    if longer.pop(off) not in may:
                        yield f"agent {agent} stays beyond {off}, and no lever says so"
                elif any(may.values()):
                    yield f"agent {agent} goes at {off}, when all are to stay"
            for begin in longer:
                yield f"agent {agent} has a shift at {begin} that nobody planned"

    def _kept(self, agent: int, off: float, again: float) -> dict[float, bool]:
        """Until when levers may keep somebody who would go, and whether they keep all."""
        out: dict[float, bool] = {}
        name = self.desk.pools[self.pool[agent]].name
        for i, lever in enumerate(self.diary.levers):
            if not isinstance(lever, HeadsLever) or (lever.pools and name not in lever.pools):
                continue
            until = off + lever.extend_h * HOUR_S
            if again > until and lever.effect[1] > 0.0 and self.diary.is_on(i, off, early=True):
                out[min(until, self.end_s)] = out.get(min(until, self.end_s), False) or lever.effect[1] == 1.0
        return out

    # ---- the ladder ---------------------------------------------------------------------------------------

    def _calls(self, r: int) -> list[Call]:
        heads = {at: n for at, step, number, n in self.diary.steps if step == PlanStep.CALLED and number == r}
        for_h = self.ladder[r].for_h
        return [
            Call(at, heads[at], min(down, INF if for_h is None else at + for_h * HOUR_S), down)
            for at, down in self.diary.stretches(r, PlanStep.CALLED, PlanStep.STOOD_DOWN)
        ]

    def who_was_called_comes_and_rests(self) -> Iterator[str]:
        """Who was called comes in his lead time, or comes again when he has rested; nobody else comes.

        Law and acceptance are chance: rows tell who accepted only by who comes, and when only within the law.
        """
        for r, rung in enumerate(self.ladder):
            calls, lead = self._calls(r), _lead(rung.lead_h, self.diary.plan.interval_min if self.diary.plan else 0.0)
            came: Counter[float] = Counter()
            for agent in self.rungs[r].tolist():
                before = Duty(-INF, -INF, -INF)
                for duty in self.duties.get(agent, ()):
                    call = _called(duty.begin, before, calls, lead)
                    if call is not None:
                        came[call.at] += 1
                    elif duty.begin != before.rested or not _comes_again(before, calls):
                        yield f"agent {agent} of rung {r} comes at {duty.begin}, not called or not rested"
                    if _comes_again(before, calls) and before.rested < duty.begin:
                        yield f"agent {agent} of rung {r} comes at {duty.begin}, and had rested at {before.rested}"
                    before = duty
                if _comes_again(before, calls) and before.rested < self.end_s:
                    yield f"agent {agent} of rung {r} does not come again at {before.rested}"
            for call in calls:
                yield from self._as_many_come(r, call, came[call.at], lead[1])

    def _as_many_come(self, r: int, call: Call, came: int, latest_s: float) -> Iterator[str]:
        """No more come than accepted, and all of them if there was time; who is there already need not."""
        rung, agents = self.ladder[r], self.rungs[r].tolist()
        if not len(agents) * (rung.acceptance == 1.0) <= call.heads <= len(agents) * (rung.acceptance > 0.0):
            yield f"{call.heads} of rung {r} accept at {call.at}"
        duties = [duty for agent in agents for duty in self.duties.get(agent, ()) if duty.begin <= call.at]
        here = sum(call.at < duty.end for duty in duties)
        last = max([call.at + latest_s, *(duty.rested for duty in duties)])
        if came > call.heads or (came < call.heads - here and last <= call.until and last < self.end_s):
            yield f"{came} of rung {r} come when called at {call.at}; {call.heads} accepted, {here} were there"


def _lead(law: Law, interval_min: float) -> Span:
    """Shortest and longest time from a call until somebody comes, as far as the law says so."""
    if isinstance(law, Constant):
        at = lead_s(0.0, interval_min * MINUTE_S) if law.value == 0.0 else law.value * HOUR_S
        return at, at
    if isinstance(law, Uniform):
        return law.low * HOUR_S, max(law.high, interval_min / 60.0) * HOUR_S
    return 0.0, INF


def _called(begin: float, before: Duty, calls: list[Call], lead: Span) -> Call | None:
    """The call that somebody answers who was not there when it came, and comes then; None: he was not called."""
    for call in calls:
        earliest, latest = call.at + lead[0], call.at + lead[1]
        in_time = max(earliest, before.rested) <= begin <= max(latest, before.rested)
        if before.end <= call.at < begin <= call.until and in_time:
            return call
    return None


def _comes_again(before: Duty, calls: list[Call]) -> bool:
    """Whether somebody whose time is over comes again when he has rested, as he has not been stood down."""
    return any(call.at < before.end and before.rested <= call.until for call in calls)
