"""The tables that the compiled engine reads: posts, queues, agents, classes, faults, agenda, out of a `World`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.behaviour import CrmFault, HeldFault, NoAnswer, Onward, PaymentFault, RuleChange, SiteDark
from scenarios.names import NONE, Language, Platform, Topic, Visibility, code, members
from sim.clock import Kind, order
from sim.desk import Pool, WaitingLimit
from sim.kernel_crisis import crisis, levers_of_rules
from sim.kernel_memory import Record
from sim.kernel_tables import (
    AGENDA,
    BEGIN_FAULT,
    CHANGE_RULES,
    CLASS,
    COME,
    CRM,
    END_FAULT,
    FAULT,
    FEWEST_SKILLS,
    FLOAT,
    GO,
    GO_DARK,
    HELD,
    INT,
    LIMIT,
    LINE,
    LONGEST_IDLE,
    NO_ANSWER,
    ONWARD,
    ORDERED,
    PAYMENT,
    PHONE,
    PLATFORM,
    POOL,
    PUBLIC,
    QUEUE,
    RANDOM,
    RULES,
    SAME,
    SEAT,
    SERVES,
    SET_LEVEL,
    SPILL,
    TOPIC,
    WORD,
)
from sim.roster import dark_s, free_until_s
from sim.turns import ROOM
from sim.world import HOUR_S, MINUTE_S, World, private_share

Table = NDArray[Any]
Tables = dict[str, Table]
INF = float("inf")
ORDERS = {"fewest_skills": FEWEST_SKILLS, "longest_idle": LONGEST_IDLE, "ordered": ORDERED, "random": RANDOM}
LISTS = "abandoned", "blocked", "call_blocked", "call_abandoned"
LAST_ORDER = (1 << 63) - 1
PAYING = Topic.PAYMENT, Topic.REBOOKING
POST_NAMES = "time", "departure", "case", "kind", "language", "platform", "visibility", "topic", "tier", "sentiment"


def table(of: Record, values: Sequence[tuple[Any, ...]] = (), n: int = 0, **columns: Any) -> Table:
    """A table from rows, or of `n` rows from columns; what is not given is 0."""
    made = np.zeros(len(values) or n, dtype=of.dtype)
    if values:
        made[:] = values
    for name, column in columns.items():
        made[name] = column
    return made


def plain(values: Sequence[int]) -> Table:
    """A table of whole numbers."""
    return table(INT, n=len(values), v=values)


def bits(codes: Sequence[int]) -> int:
    """A set of small numbers as one."""
    return sum(1 << each for each in set(codes))


def contents(world: World) -> Tables:
    """All tables that are known before the run."""
    return {
        **_posts(world),
        **_queues(world),
        **_agents(world),
        **_customers(world),
        **_faults(world),
        **crisis(world),
        "agenda": _agenda(world),
    }


def _posts(world: World) -> Tables:
    """Columns of the trace as they are, and what is not in it."""
    trace, n = world.trace, len(world.trace)
    names = {"time": "time_s", "departure": "departure_h"}
    made = {f"post_{name}": trace[names.get(name, name)] for name in POST_NAMES}
    holds = any(isinstance(fault, HeldFault) for fault in world.scenario.faults)
    return {
        **made,
        "post_class": world.call_class,
        "post_held": np.full(n if holds else 1, NONE, dtype=np.int16),
        "post_parent": trace["parent"],
        "case_rows": world.case_row,
        "case_classes": world.case_class,
    }


# ---- queues ---------------------------------------------------------------------------------------


def _queues(world: World) -> Tables:
    """Queues with those who serve them, their overflow rules and limits, and which turns stand in which."""
    desk = world.desk
    private = 2 * len(world.roster.pool_of) if desk.routing.sticky_min > 0 else 0
    made = table(QUEUE, n=len(world.queues) + private)
    lines = table(LINE, n=2 * made.size, key=INF, head=NONE, first=NONE, last=NONE, root=NONE, owner=NONE)
    lines["owner"][2 * len(world.queues) :] = np.arange(2 * private) // 4
    made["deferred"][len(world.queues) :] = np.arange(private) % 2
    serves: list[tuple[Any, ...]] = []
    spills: list[tuple[Any, ...]] = []
    limits: list[int] = []
    by = levers_of_rules(world)
    where = {number: place for place, number in world.answer_queue.items()}
    for q, spec in enumerate(world.queues):
        made[q]["deferred"], made[q]["route"] = spec.deferred, spec.route
        made[q]["serves"], made[q]["spills"], made[q]["limits"] = len(serves), len(spills), len(limits)
        serves += [(factor, pool, q) for pool, factor in spec.factor.items()]
        if q in where:
            language, visibility, group, _ = where[q]
            spills += [
                (desk.routing.overflow[i].after_min * MINUTE_S, i, world.overflow_queues[(i, *where[q])], by[i])
                for i in world.rules_of[language]
            ]
            limits += _limits(world, language, visibility, group)
        made[q]["serves_end"], made[q]["spills_end"], made[q]["limits_end"] = len(serves), len(spills), len(limits)
    return {
        "queues": made,
        "lines": lines,
        "queue_serves": table(SERVES, serves),
        "spills": table(SPILL, spills, n=1),
        "queue_limits": plain(limits or [0]),
        "limits": table(
            LIMIT,
            [(x.balk, NONE if x.places is None else x.places, 0) for x in desk.routing.limits],
            n=1,
        ),
        "reading_queue": plain([world.reading_queue.get(code(x), NONE) for x in members(Language)]),
        "answer_queue": plain(_answer_queues(world)),
    }


def _limits(world: World, language: int, visibility: int, group: int) -> list[int]:
    names = tuple(world.desk.routing.topic_groups) or ("all",)

    def counts(limit: WaitingLimit) -> bool:
        return (
            (not limit.languages or language in [code(each) for each in limit.languages])
            and (not limit.groups or names[group] in limit.groups)
            and (limit.visibility is None or code(limit.visibility) == visibility)
        )

    return [i for i, limit in enumerate(world.desk.routing.limits) if counts(limit)]


def _answer_queues(world: World) -> list[int]:
    """By language, visibility, topic and class: the queue, NONE if there is none."""
    return [
        world.answer_queue.get((code(language), code(visibility), world.group_of[code(topic)], cls.deferred), NONE)
        for language in members(Language)
        for visibility in members(Visibility)
        for topic in members(Topic)
        for cls in world.desk.classes
    ]


# ---- agents ---------------------------------------------------------------------------------------


def _agents(world: World) -> Tables:
    """Pools, their queues, seats; all seats empty."""
    pool_of = np.array(world.roster.pool_of, dtype=np.int64)
    pools = table(POOL, n=len(world.desk.pools))
    serves: list[tuple[Any, ...]] = []
    concurrency: list[float] = []
    for p, pool in enumerate(world.desk.pools):
        it = pools[p]
        it["capacity"], it["active"], it["waiting"] = pool.capacity, pool.weights.active, pool.weights.waiting
        it["speed"], it["reserve"], it["skills"] = pool.speed, pool.reserve, world.skills[p]
        it["hands_back"], it["head_count"] = pool.shift_end == "hand_back", pool.head_count
        it["first"], it["n"] = np.searchsorted(pool_of, p), np.count_nonzero(pool_of == p)
        it["concurrency"], it["concurrency_n"] = len(concurrency), len(pool.concurrency)
        concurrency += pool.concurrency
        it["serves"] = len(serves)
        serves += [(world.queues[q].factor[p], p, q) for q in world.pool_queues[p]]
        it["serves_end"] = len(serves)
    n = pool_of.size
    seats = table(SEAT, n=n, pool=pool_of, off_s=INF, present_from=INF, idle_since=-INF, place=NONE)
    seats["first"] = seats["last"] = seats["rung"] = NONE
    seats["first_on"], seats["free_from"] = INF, -INF
    for r, agents in enumerate(world.crisis.seats if world.crisis is not None else ()):
        seats["rung"][list(agents)] = r
    return {
        **_free_bits(world, pools),
        "pools": pools,
        "pool_serves": table(SERVES, serves, n=1),
        "concurrency": table(FLOAT, n=len(concurrency), v=concurrency),
        "seats": seats,
        "orders": plain([ORDERS[name] for name in orders(world)]),
        "idle": plain([NONE] * max(n, 1)),
        "found": plain([NONE] * max(n, 1)),
        "settling": plain([NONE] * max(n, 1)),
    }


def orders(world: World) -> list[str]:
    """The desk's orders of idle agents, up to a random choice: what follows that decides nothing."""
    idle: list[str] = list(world.desk.routing.idle)
    return idle[: idle.index("random") + 1] if "random" in idle else idle


def most_in_hand(pool: Pool) -> int:
    """How many turns at a time fit into an agent's capacity."""
    return int((pool.capacity + ROOM) / pool.weights.active * (1 + ROOM))


def _free_bits(world: World, pools: Table) -> Tables:
    """Room for the bits of the free, where chance decides: for each pool a row of words a number of turns in hand."""
    words = counts = 0
    for p, pool in enumerate(world.desk.pools if "random" in orders(world) else ()):
        levels, it = most_in_hand(pool), pools[p]
        it["words"], it["words_n"], it["levels"], it["levels_n"] = words, (int(it["n"]) + 63) // 64, counts, levels
        words, counts = words + levels * int(it["words_n"]), counts + levels
    return {"free_words": table(WORD, n=max(words, 1)), "free_counts": plain([0] * max(counts, 1))}


# ---- customers and faults --------------------------------------------------------------------------


def _customers(world: World) -> Tables:
    """Promises, topics, numbers of turns, where customers turn next."""
    chance = world.chance
    onwards: list[tuple[Any, ...]] = []
    ends = [0]
    levers = len(world.crisis.who) if world.crisis is not None else 0
    for name in (*LISTS, *(f"lever_{i}" for i in range(levers))):
        onwards += [(o.probability, law, *_leads(world, o)) for o, law in chance.onward.get(name, ())]
        ends.append(len(onwards))
    promises = [
        (c.promise_min * MINUTE_S, (c.promise_min if c.next_min is None else c.next_min) * MINUTE_S, c.deferred)
        for c in world.desk.classes
    ]
    patience = [NONE if law is None else law for law in chance.patience]
    pays = [topic in PAYING for topic in members(Topic)]
    return {
        "classes": table(CLASS, promises),
        "topics": table(TOPIC, n=len(patience), handling=chance.handling, patience=patience, pays=pays),
        "edges": table(FLOAT, n=world.turn_edges.size, v=world.turn_edges),
        "onwards": table(ONWARD, onwards, n=1),
        "onward_lists": plain(ends),
    }


def _leads(world: World, onward: Onward) -> tuple[int, int, int]:
    """Where to, on which platform, in which kind of channel."""
    match onward.to:
        case "same":
            return SAME, NONE, NONE
        case "phone":
            return PHONE, NONE, NONE
        case "public":
            return PUBLIC, NONE, code(Visibility.PUBLIC)
        case Platform() as platform:
            private = private_share(world.scenario, platform) >= 0.5
            return PLATFORM, code(platform), code(Visibility.PRIVATE if private else Visibility.PUBLIC)


def _faults(world: World) -> Tables:
    faults, pools = world.scenario.faults, world.desk.pools
    made = table(FAULT, n=max(len(faults), 1), kind=NONE)
    dark = np.zeros((max(len(faults), 1), len(pools)), dtype=np.int64)
    for f, fault in enumerate(faults):
        it = made[f]
        match fault:
            case CrmFault():
                it["kind"], it["factor"], it["duplicates"] = CRM, fault.factor, fault.duplicates
            case PaymentFault():
                it["kind"], it["factor"], it["fails"] = PAYMENT, fault.factor, fault.fails
                it["topics"] = bits([code(topic) for topic in fault.topics])
            case HeldFault():
                it["kind"], it["platforms"] = HELD, bits([code(platform) for platform in fault.platforms])
            case NoAnswer():
                it["kind"], it["topics"] = NO_ANSWER, bits([code(topic) for topic in fault.topics])
            case RuleChange():
                it["kind"], it["back_s"], it["share"] = RULES, fault.back_h * HOUR_S, fault.wrong_share
                it["law"] = world.chance.number[f"rule_change_{f}"]
            case SiteDark():
                dark[f] = [pool.site in fault.sites for pool in pools]
    return {
        "faults": made,
        "fault_lists": plain([NONE] * (RULES * made.size)),
        "fault_counts": plain([0] * RULES),
        "dark": plain(dark.ravel().tolist()),
    }


def _agenda(world: World) -> Table:
    """What is known beforehand, in order of time, and something that never comes."""
    made = [(INF, 0.0, 0.0, LAST_ORDER, NONE, NONE, 0)]
    shift_ends = {(shift.agent, shift.end_s) for shift in world.roster.shifts}
    dark = [dark_s(pool, world.scenario) for pool in world.desk.pools]
    for seat, stretches in enumerate(world.roster.stretches):
        for n, each in enumerate(stretches):
            made.append((each.on_s, each.off_s, each.worked_s, order(Kind.STAFF_ON, seat), COME, seat, 0))
            if each.off_s < world.until_s:
                # Of an end: until when he could stay, whether it is that of a shift, the number of the stretch.
                again = free_until_s(stretches, n, dark[world.roster.pool_of[seat]])
                ends = float((seat, each.off_s) in shift_ends)
                made.append((each.off_s, again, ends, order(Kind.STAFF_OFF, seat), GO, seat, n))
    pool_of = world.roster.pool_of
    for p, levels in enumerate(world.roster.levels):
        before = 0
        for time, heads in levels if p in pool_of else ():
            kind = Kind.STAFF_ON if heads > before else Kind.STAFF_OFF
            made.append((time, 0.0, 0.0, order(kind, pool_of.index(p)), SET_LEVEL, p, heads))
            before = heads
    for f, fault in enumerate(world.scenario.faults):
        where = order(Kind.FAULT, f)
        if isinstance(fault, RuleChange):
            if fault.at_h * HOUR_S >= world.start_s:
                made.append((fault.at_h * HOUR_S, 0.0, 0.0, where, CHANGE_RULES, f, 0))
        elif isinstance(fault, SiteDark):
            if fault.from_h * HOUR_S >= world.start_s:
                made.append((fault.from_h * HOUR_S, 0.0, 0.0, where, GO_DARK, f, 0))
        elif isinstance(fault, CrmFault | HeldFault | PaymentFault | NoAnswer):
            begin = max(fault.from_h * HOUR_S, world.start_s)
            if fault.to_h * HOUR_S > begin:
                made.append((begin, 0.0, 0.0, where, BEGIN_FAULT, f, 0))
                made.append((fault.to_h * HOUR_S, 0.0, 0.0, where, END_FAULT, f, 0))
    agenda = table(AGENDA, made)
    return agenda[np.lexsort((agenda["order"], agenda["time"]))]
