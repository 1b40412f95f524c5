"""Random small worlds for Hypothesis: a scenario, a desk and a trace of some hours that fit together."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from small import desk, scenario, trace

from scenarios.model import Scenario
from scenarios.traces import Trace
from sim.desk import Desk

HOURS = (-1, 5)
TOPICS = ["info", "rebooking", "baggage", "payment", "refund", "care"]
REST = ["checkin", "assistance", "lost_item", "complaint", "praise"]
GROUPS = {"talk": ["info", "baggage", "care", *REST], "money": ["payment", "refund", "rebooking"]}
PLATFORMS = ["x", "facebook", "whatsapp"]
OF_POSTS: dict[str, list[Any]] = {  # what a post may carry; what stands twice is twice as likely
    "kind": ["case", "case", "case", "follow_up", "chatter", "call"],
    "language": ["en", "en", "nl", "de"],
    "topic": TOPICS,
    "platform": PLATFORMS,
    "visibility": ["public", "private"],
    "sentiment": ["negative", "neutral"],
    "departure_h": [3.0, 50.0, float("inf")],
}
World = tuple[Scenario, Desk, Trace]

share = st.sampled_from([0.0, 0.0, 0.3, 1.0])
minutes = st.integers(-60, 300)
some = st.booleans()


def law(median: float) -> st.SearchStrategy[Any]:
    return st.sampled_from(
        [median, {"kind": "exponential", "mean": median}, {"kind": "gamma", "mean": median, "cv": 2.0}]
    )


def clock(minute: int) -> str:
    """Weekly clock time of a minute from onset, which is Monday 00:00."""
    day = "mon" if minute >= 0 else "sun"
    return f"{day} {minute // 60 % 24:02d}:{minute % 60:02d}"


@st.composite
def staff(draw: st.DrawFn) -> dict[str, Any]:
    """Who is in a pool, and when: heads in steps, agents by name, or shifts with breaks."""
    kind = draw(st.sampled_from(["steps", "agents", "shifts"]))
    if kind == "steps":
        times = sorted(draw(st.sets(minutes, min_size=1, max_size=4)))
        return {"steps": [(minute / 60, draw(st.integers(0, 4))) for minute in times]}
    if kind == "agents":
        people = []
        for _ in range(draw(st.integers(1, 3))):
            starts = draw(st.sets(st.sampled_from(range(-60, 300, 30)), min_size=1, max_size=3))
            lengths = [draw(st.sampled_from([10, 30, 45, 120, 300])) for _ in starts]
            spans = [f"{clock(a)}-{clock(a + n)[4:]}" for a, n in zip(sorted(starts), lengths, strict=True)]
            people.append({"code": str(draw(st.uuids())), "shifts": spans})
        return {"agents": people}
    pauses = [{"after_h": 0.5, "minutes": 15.0, "jitter_min": draw(st.sampled_from([0.0, 20.0]))}]
    shift = {"name": "s", "start": "00:00", "heads": draw(st.integers(1, 3)), "length_h": 4.0, "days_on": 7}
    return {"shifts": [{**shift, "breaks": pauses if draw(some) else []}]}


@st.composite
def pools(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three pools; the last one serves everything, so that nobody is left out."""
    rows = []
    n = draw(st.integers(1, 3))
    for i in range(n):
        last = i == n - 1
        rows.append(
            {
                "name": f"pool-{i}",
                "site": draw(st.sampled_from(["A", "B"])),
                "languages": {"en": 1.0, "nl": 0.8} if last else {draw(st.sampled_from(["en", "nl", "de"])): 1.25},
                "topics": [] if last or draw(some) else [draw(st.sampled_from(list(GROUPS)))],
                "reads": last or draw(some),
                "capacity": draw(st.sampled_from([1.0, 1.0, 2.0, 3.0])),
                "weights": {"active": 1.0, "waiting": draw(st.sampled_from([0.0, 0.0, 0.5, 1.0]))},
                "concurrency": draw(st.sampled_from([[1.0], [1.0, 1.3, 1.7]])),
                "shift_end": draw(st.sampled_from(["finish", "hand_back"])),
                "reserve": draw(st.sampled_from([0, 0, 1])),
                "absent_share": draw(st.sampled_from([0.0, 0.3])),
                **draw(staff()),
            }
        )
    return rows


@st.composite
def routings(draw: st.DrawFn, names: list[str]) -> dict[str, Any]:
    routing: dict[str, Any] = {
        "idle": draw(
            st.sampled_from([["ordered"], ["random"], ["fewest_skills", "longest_idle"], ["longest_idle", "random"]])
        ),
        "topic_groups": GROUPS,
        "overdue": {"mode": draw(st.sampled_from(["keep", "keep", "fresh_first", "own_lane"])), "seats": 1},
        "sticky_min": draw(st.sampled_from([0.0, 0.0, 10.0, 60.0])),
        "unserved": "bridge",
        "limits": [],
        "overflow": [],
    }
    if draw(some):
        target: dict[str, Any] = draw(
            st.sampled_from([{"to_pools": [names[0]]}, {"to_language": "en"}, {"to_language": "de"}])
        )
        after = draw(st.sampled_from([0.0, 5.0, 30.0]))
        routing["overflow"] = [{"languages": ["nl"], "after_min": after, **target}, {"after_min": 20.0, **target}]
    if draw(some):
        places = draw(st.sampled_from([0, 1, 5, None]))
        narrow: dict[str, Any] = draw(
            st.sampled_from([{}, {"groups": ["money"]}, {"languages": ["en"]}, {"visibility": "public"}])
        )
        routing["limits"] = [{"places": places, "balk": draw(share) / 2, **narrow}, {"places": 20}]
    return routing


@st.composite
def desks(draw: st.DrawFn) -> Desk:
    rows = draw(pools())
    classes = [
        {"name": "soon", "when": {"departure_below_h": 6.0}, "promise_min": 10.0, "next_min": 5.0},
        {"name": "later", "when": {"topics": ["refund", "info"]}, "promise_min": 90.0, "deferred": True},
        {"name": "rest", "promise_min": 30.0},
    ]
    triage = {
        "mode": draw(st.sampled_from(["people", "automatic", "none"])),
        "reading_s": draw(law(40.0)),
        "promise_min": 5.0,
        "recall": draw(st.sampled_from([0.7, 1.0])),
        "false_positive": draw(share),
        "delay_s": draw(st.sampled_from([0.0, 60.0, 300.0])),
    }
    return desk(
        *rows,
        routing=draw(routings([row["name"] for row in rows])),
        classes=draw(st.sampled_from([classes, classes[2:]])),
        triage=triage,
        platforms=draw(st.sampled_from([[], [], ["x", "facebook"]])),
        fatigue=draw(st.sampled_from([{}, {"per_h": 0.05, "beyond_8h_per_h": 0.1}])),
    )


@st.composite
def faults(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Up to three faults, on the same quarters of an hour as shifts and posts."""
    rows = []
    for kind in draw(
        st.lists(
            st.sampled_from(
                ["crm", "platform_held", "payment", "site_dark", "staff_absent", "no_answer", "rule_change"]
            ),
            max_size=3,
        )
    ):
        begin = draw(st.sampled_from(range(-90, 300, 15))) / 60
        window = {"from_h": begin, "to_h": begin + draw(st.sampled_from([0.25, 1.0, 3.0]))}
        more: dict[str, dict[str, Any]] = {
            "crm": {**window, "factor": 1.5, "duplicates": draw(share)},
            "platform_held": {**window, "platforms": draw(st.sampled_from([["x"], ["x", "facebook"]]))},
            "payment": {**window, "factor": 2.0, "fails": draw(share)},
            "site_dark": {**window, "sites": ["A"]},
            "staff_absent": {**window, "share": draw(share), "late_h": draw(st.sampled_from([None, 0.25]))},
            "no_answer": {**window, "topics": ["care", "refund"]},
            "rule_change": {"at_h": begin, "wrong_share": draw(share), "delay_h": draw(law(0.5))},
        }
        rows.append({"kind": kind, **more[kind]})
    return rows


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    def elsewhere() -> list[dict[str, Any]]:
        if draw(some):
            return []
        tos = draw(st.lists(st.sampled_from(["same", "public", "phone", "whatsapp"]), min_size=1, max_size=2))
        return [{"to": to, "probability": 0.5, "delay_min": draw(law(10.0))} for to in tos]

    phone = {
        "calls_per_h": 1.0,
        "lines": 3,
        "agents": draw(st.integers(0, 2)),
        "on_blocked": elsewhere(),
        "on_abandoned": elsewhere(),
    }
    return scenario(
        handling=draw(law(draw(st.sampled_from([2.0, 10.0])))),
        faults=draw(faults()),
        phone=phone,
        turns=draw(st.sampled_from([[1.0], [0.3, 0.4, 0.3], [0.0, 1.0]])),
        turn_sd_log=0.4,
        think_min=draw(law(10.0)),
        back_office={"share": draw(share), "delay_h": 0.5},
        patience_h=draw(st.one_of(st.just("endless"), law(0.75), law(0.25))),
        silent_share=draw(share),
        recontact={"after_h": 0.25, "probability": 0.5, "gap_min": 5.0, "separate_share": draw(share)},
        after_abandoned=elsewhere(),
        after_blocked=elsewhere(),
        max_attempts=3,
        reopening={"probability": draw(share) / 2, "delay_h": draw(law(0.5)), "within_days": 0.05},
        payment_share=0.5,
    )


def posts(seed: int, n: int, grid_s: int) -> list[dict[str, Any]]:
    """`n` posts, calls among them, at multiples of `grid_s` seconds (0: any time)."""
    rng = np.random.default_rng(seed)
    start, end = HOURS[0] * 3600, HOURS[1] * 3600
    times = np.sort(rng.uniform(start, end - 60, n))
    if grid_s:
        times = np.floor(times / grid_s) * grid_s
    drawn = {name: rng.integers(len(values), size=n).tolist() for name, values in OF_POSTS.items()}
    joins = rng.random(n).tolist()
    rows: list[dict[str, Any]] = []
    opened: list[dict[str, Any]] = []
    for i, time in enumerate(times.tolist()):
        row = {name: OF_POSTS[name][numbers[i]] for name, numbers in drawn.items()}
        row |= {"minute": time / 60, "case": None}
        if row["kind"] == "case":
            opened.append(row)
        elif row["kind"] == "follow_up" and opened:
            row["case"] = int(joins[i] * len(opened))
            row["platform"] = opened[row["case"]]["platform"]
        rows.append(row)
    return rows


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """A small world of six hours, with 20 to 150 posts."""
    rows = posts(draw(st.integers(0, 2**32 - 1)), draw(st.integers(20, 150)), draw(st.sampled_from([0, 1, 60, 300])))
    return draw(scenarios()), draw(desks()), trace(rows, (HOURS[0] * 60, HOURS[1] * 60))
