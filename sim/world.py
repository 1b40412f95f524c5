"""All that an engine reads, laid out before the run: queues, pools, laws, cases, faults, roster.

A world is made from (scenario, desk, trace, seed) and shared by the engines, so that they differ in
nothing but the way they walk through it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.behaviour import Onward
from scenarios.errors import DeskError
from scenarios.laws import Law
from scenarios.model import BASE_MIX, Scenario
from scenarios.names import NEVER_CASES, Language, Platform, PostKind, Topic, Visibility, code, members
from scenarios.traces import Trace
from sim import draws, policies
from sim.crisis import Crisis, expand, lay_out, reads
from sim.desk import Desk, Pool
from sim.levers import ArrivalsLever
from sim.precedence import Overflow
from sim.roster import Roster, realise

HOUR_S = 3600.0
MINUTE_S = 60.0
OWN, BRIDGE, STICKY = 0, 1, -2  # routes; 2 + i is overflow rule i

CASE_COLUMNS = [
    "language",
    "platform",
    "visibility",
    "topic",
    "stage",
    "sentiment",
    "tier",
    "customer",
    "influence",
    "departure_h",
    "flight",
]


@dataclass(frozen=True)
class QueueSpec:
    """One queue: what stands in it, who may serve it, and how much longer it takes them.

    `reading` queues hold posts to be read or put aside, in one language; the others hold turns of
    cases by language, visibility, topic group and whether the class is deferred. `route` is `OWN`,
    `BRIDGE` or 2 + the number of an overflow rule. `factor[pool]` multiplies the handling time.
    """

    name: tuple[Any, ...]
    reading: bool
    deferred: bool
    route: int
    factor: dict[int, float]


@dataclass(frozen=True)
class Chance:
    """Laws of a scenario and desk as arrays, and the number of each law."""

    laws: draws.Laws
    handling: tuple[int, ...]  # by topic
    patience: tuple[int | None, ...]  # by topic; None: nobody leaves
    number: dict[str, int]
    onward: dict[str, tuple[tuple[Onward, int], ...]]  # by list: what may follow, and its delay law


@dataclass(frozen=True)
class World:
    """Everything that is fixed before the first event of a run."""

    scenario: Scenario
    desk: Desk  # with the seats and rules of its crisis plan
    given: Desk  # as it is in its file
    trace: Trace
    key: np.uint64
    start_s: float
    end_s: float
    until_s: float
    chance: Chance
    queues: tuple[QueueSpec, ...]
    reading_queue: dict[int, int]  # language -> queue
    answer_queue: dict[tuple[int, int, int, bool], int]  # language, visibility, group, deferred -> queue
    overflow_queues: dict[tuple[int, int, int, int, bool], int]  # rule, then as above -> queue
    group_of: tuple[int, ...]  # topic -> group
    rules_of: dict[int, tuple[int, ...]]  # language -> overflow rules
    pool_queues: tuple[tuple[int, ...], ...]  # queues that each pool serves, ascending
    skills: tuple[int, ...]  # of each pool: languages times topic groups
    case_row: NDArray[np.int64]  # row of the trace that opens each case
    case_class: NDArray[np.int8]
    call_class: NDArray[np.int8]  # by row of the trace: class of the case that a call may become
    turn_edges: NDArray[np.float64]  # cumulative probabilities of 1, 2, ... turns
    roster: Roster
    crisis: Crisis | None


def build(scenario: Scenario, given: Desk, trace: Trace, seed: int, replication: int, drain_h: float) -> World:
    """Lay out one run.

    Raises
    ------
    DeskError
        If posts come in a language, or on a topic in a language, that no agent serves, and the
        desk does not bridge.
    """
    start_s, end_s = trace.about["window_s"]
    desk = expand(given)
    key = draws.key(seed, replication)
    until_s = end_s + drain_h * HOUR_S
    queues = _Queues(desk, len(given.pools), _languages(scenario, desk, trace), _topics(scenario, trace))
    rows = np.flatnonzero(trace["kind"] == code(PostKind.CASE))
    order = np.argsort(trace["case"][rows], kind="stable")
    case_row = rows[order].astype(np.int64)
    call_row = np.flatnonzero(trace["kind"] == code(PostKind.CALL))
    cases, calls = ({name: trace[name][of] for name in CASE_COLUMNS} for of in (case_row, call_row))
    call_class = np.zeros(len(trace), dtype=np.int8)
    call_class[call_row] = _classes(desk, calls)
    roster = realise(desk, scenario, key, start_s, until_s)
    return World(
        scenario, desk, given, trace, key, start_s, end_s, until_s,
        _chance(scenario, desk),
        tuple(queues.specs), queues.reading, queues.answer, queues.overflow, queues.group_of, queues.rules_of,
        tuple(tuple(q for q, spec in enumerate(queues.specs) if p in spec.factor) for p in range(len(desk.pools))),
        tuple(len(p.languages) * (len(p.topics) or len(queues.groups)) for p in desk.pools),
        case_row, _classes(desk, cases), call_class,
        np.cumsum(np.array(scenario.behaviour.turns)),
        roster, lay_out(given, roster.pool_of, cases, calls, call_row, len(trace)),
    )  # fmt: skip


def _classes(desk: Desk, columns: dict[str, NDArray[Any]]) -> NDArray[np.int8]:
    """Class of the cases that some rows open."""
    if len(desk.classes) == 1:
        return np.zeros(columns["topic"].size, dtype=np.int8)
    return policies.classify(desk.classes, columns)


class _Queues:
    """Builds the queues of a desk and who serves them."""

    def __init__(self, desk: Desk, own_pools: int, languages: set[int], topics: set[int]) -> None:
        self.desk, self.routing = desk, desk.routing
        self.own_pools = own_pools  # behind them stand those of the ladder, who are there in a crisis alone
        self.groups = tuple(desk.routing.topic_groups) or ("all",)
        self.group_of = tuple(self._group(topic) for topic in members(Topic))
        self.specs: list[QueueSpec] = []
        self.reading: dict[int, int] = {}
        self.answer: dict[tuple[int, int, int, bool], int] = {}
        self.overflow: dict[tuple[int, int, int, int, bool], int] = {}
        self.rules_of: dict[int, tuple[int, ...]] = {}
        deferred = sorted({cls.deferred for cls in desk.classes})
        missing: list[str] = []
        for language in (members(Language)[number] for number in sorted(languages)):
            if reads(desk):
                self._reading(language, missing)
            self.rules_of[code(language)] = tuple(
                i for i, rule in enumerate(self.routing.overflow) if not rule.languages or language in rule.languages
            )
            for group in range(len(self.groups)):
                if not any(self.group_of[topic] == group for topic in topics):
                    continue
                for visibility in members(Visibility):
                    for late in deferred:
                        self._answer(language, code(visibility), group, late, missing)
        if missing:
            raise DeskError(
                f"desk {desk.name} serves nobody in: {', '.join(dict.fromkeys(missing))}; "
                f"give a pool that language, or set routing.unserved = 'bridge'"
            )

    def _group(self, topic: Topic) -> int:
        for number, topics in enumerate(self.routing.topic_groups.values()):
            if topic in topics:
                return number
        return 0

    def _add(self, spec: QueueSpec) -> int:
        self.specs.append(spec)
        return len(self.specs) - 1

    def _serving(self, language: Language, group: int | None) -> tuple[int, dict[int, float]]:
        """Route and time factors of the pools that serve a language and group (None: read it)."""
        own = self._speakers(language, group)
        if any(p < self.own_pools for p in own):
            return OWN, own
        if self.routing.unserved == "error":
            return OWN, {}
        bridge = self._speakers(self.routing.bridge_language, group)
        if not any(p < self.own_pools for p in bridge):
            return BRIDGE, {}
        return BRIDGE, dict(sorted({**{p: f * self.routing.bridge_factor for p, f in bridge.items()}, **own}.items()))

    def _speakers(self, language: Language, group: int | None) -> dict[int, float]:
        return {
            p: 1.0 / (pool.speed * pool.languages[language])
            for p, pool in enumerate(self.desk.pools)
            if language in pool.languages and self._takes(pool, group)
        }

    def _takes(self, pool: Pool, group: int | None) -> bool:
        if group is None:
            return pool.reads
        return not pool.topics or self.groups[group] in pool.topics

    def _reading(self, language: Language, missing: list[str]) -> None:
        route, factor = self._serving(language, None)
        if not factor:
            missing.append(f"{language.value} (reading)")
        self.reading[code(language)] = self._add(QueueSpec(("read", language), True, False, route, factor))

    def _answer(self, language: Language, visibility: int, group: int, late: bool, missing: list[str]) -> None:
        route, factor = self._serving(language, group)
        if not factor:
            missing.append(language.value if len(self.groups) == 1 else f"{language.value} ({self.groups[group]})")
        where = (code(language), visibility, group, late)
        self.answer[where] = self._add(QueueSpec(("answer", *where), False, late, route, factor))
        for i in self.rules_of[code(language)]:
            others = self._others(self.routing.overflow[i], group, set(factor))
            spec = QueueSpec(("overflow", i, *where), False, late, 2 + i, others)
            self.overflow[(i, *where)] = self._add(spec)

    def _others(self, rule: Overflow, group: int, native: set[int]) -> dict[int, float]:
        """Pools that take a turn by an overflow rule; those who serve it anyway are left out."""
        out = {}
        for p, pool in enumerate(self.desk.pools):
            if p in native or not self._takes(pool, group):
                continue
            if rule.to_language is not None and rule.to_language in pool.languages:
                out[p] = rule.factor / (pool.speed * pool.languages[rule.to_language])
            elif pool.name in rule.to_pools:
                out[p] = rule.factor / pool.speed
        return out


def _languages(scenario: Scenario, desk: Desk, trace: Trace) -> set[int]:
    """Languages in which posts may come: those of the scenario's mixes and what the trace holds besides."""
    lists = [scenario.mix.languages or BASE_MIX.languages or {}]
    lists += [change.languages for change in scenario.mix_changes if change.languages]
    seen = trace["language"] if reads(desk) else trace["language"][_asking(trace)]
    return {code(x) for shares in lists for x, share in shares.items() if share > 0} | _different(seen)


def _topics(scenario: Scenario, trace: Trace) -> set[int]:
    """Topics on which there may be cases, in the same way."""
    lists = [scenario.mix.topics or BASE_MIX.topics or {}]
    lists += [change.topics for change in scenario.mix_changes if change.topics]
    mixed = {code(t) for shares in lists for t, share in shares.items() if share > 0 and t not in NEVER_CASES}
    return mixed | _different(trace["topic"][_asking(trace)])


def _different(codes: NDArray[np.int8]) -> set[int]:
    """The numbers, none below 0, that occur at all."""
    return set(np.flatnonzero(np.bincount(codes)).tolist())


def _asking(trace: Trace) -> NDArray[np.intp]:
    """Rows that open a case, or may become one."""
    kind = trace["kind"]
    return np.flatnonzero((kind == code(PostKind.CASE)) | (kind == code(PostKind.CALL)))


def _chance(scenario: Scenario, desk: Desk) -> Chance:
    """Every law of the run in one table."""
    b = scenario.behaviour
    rows: list[tuple[Law, float]] = [(b.handling(topic), MINUTE_S) for topic in members(Topic)]
    handling = tuple(range(len(rows)))
    number: dict[str, int] = {}

    def add(name: str, law: Law, unit: float) -> int:
        number[name] = len(rows)
        rows.append((law, unit))
        return number[name]

    add("extra_turn", b.extra_turn_min, MINUTE_S)
    add("think", b.think_min, MINUTE_S)
    add("back_office", b.back_office.delay_h, HOUR_S)
    patience: list[int | None] = []
    for topic in members(Topic):
        law = b.patience(topic)
        patience.append(None if law is None else add("patience", law, HOUR_S))
    add("recontact_gap", b.recontact.gap_min, MINUTE_S)
    add("reopen", b.reopening.delay_h, HOUR_S)
    add("reading", desk.triage.reading_s, 1.0)
    onward = {
        "abandoned": tuple((o, add("onward", o.delay_min, MINUTE_S)) for o in b.after_abandoned),
        "blocked": tuple((o, add("onward", o.delay_min, MINUTE_S)) for o in b.after_blocked),
    }
    if scenario.phone is not None:
        add("call_handling", scenario.phone.handling_min, MINUTE_S)
        add("call_patience", scenario.phone.patience_min, MINUTE_S)
        onward["call_blocked"] = tuple((o, add("onward", o.delay_min, MINUTE_S)) for o in scenario.phone.on_blocked)
        onward["call_abandoned"] = tuple((o, add("onward", o.delay_min, MINUTE_S)) for o in scenario.phone.on_abandoned)
    for f, fault in enumerate(scenario.faults):
        if fault.kind == "rule_change":
            add(f"rule_change_{f}", fault.delay_h, HOUR_S)
    for i, lever in enumerate(desk.plan.levers if desk.plan is not None else ()):
        if isinstance(lever, ArrivalsLever):
            onward[f"lever_{i}"] = tuple((o, add("onward", o.delay_min, MINUTE_S)) for o in lever.returns)
            if lever.wrong is not None:
                add(f"wave_{i}", lever.wrong.delay_min, MINUTE_S)
    for r, rung in enumerate(desk.plan.ladder if desk.plan is not None else ()):
        add(f"lead_{r}", rung.lead_h, HOUR_S)
    return Chance(draws.encode(rows), handling, tuple(patience), number, onward)


def private_share(scenario: Scenario, platform: Platform) -> float:
    """Share of a platform's posts that nobody else sees."""
    table = scenario.mix.private if scenario.mix.private is not None else BASE_MIX.private
    return (table or {}).get(platform, 0.0)
