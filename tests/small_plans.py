"""Random crisis plans for Hypothesis: every kind of lever, ladders, triggers that small desks do enter."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from sim.desk import Desk
from sim.plan import Plan

share = st.sampled_from([0.2, 0.5, 1.0])
minutes = st.sampled_from([0.0, 5.0, 20.0])
some = st.booleans()
CLASSES = [
    {"name": "rest first", "when": {"topics": ["care", "baggage"]}, "promise_min": 5.0, "next_min": 200.0},
    {"name": "others", "promise_min": 300.0},
]


@st.composite
def triggers(draw: st.DrawFn) -> list[dict[str, Any]]:
    rows = []
    for _ in range(draw(st.integers(1, 2))):
        signal = draw(st.sampled_from(["backlog", "oldest_wait_min", "unread", "posts_per_h", "mention_to_case_ratio"]))
        enter = draw(st.sampled_from([1.0, 3.0, 8.0]))
        language = draw(st.sampled_from([None, None, "en", "nl"]))
        rows.append({"signal": signal, "enter": enter, "leave": enter * draw(st.sampled_from([0.0, 0.5, 1.0]))})
        rows[-1] |= {"language": language} if language else {}
    return rows


def contacts() -> st.SearchStrategy[dict[str, Any]]:
    return st.sampled_from(
        [
            {},
            {},
            {"topics": ["info", "rebooking"]},
            {"languages": ["en"]},
            {"platforms": ["x"], "visibility": "public"},
            {"classes": ["rest"]},
        ]
    )


@st.composite
def levers(draw: st.DrawFn, number: int) -> dict[str, Any]:
    changes = draw(
        st.sampled_from(
            ["arrivals", "arrivals", "recontact", "separate", "handling", "patience", "promise", "heads", "filter",
             "overdue", "overflow", "park"]
        )
    )  # fmt: skip
    lever: dict[str, Any] = {"name": f"lever {number}", "changes": changes, "lead_min": draw(minutes)}
    lever["after_h"] = draw(st.sampled_from([0.0, 0.0, 0.5]))
    lever["when"] = draw(st.one_of(st.just([]), triggers()))
    fading = {"half_life_h": draw(st.sampled_from([None, 0.5])), "renew_h": draw(st.sampled_from([None, 0.25]))}
    fading = {key: each for key, each in fading.items() if each is not None}
    match changes:
        case "arrivals":
            tos = draw(st.sampled_from([[], ["same"], ["public", "phone"], ["whatsapp"]]))
            lever |= {"effect": draw(share), "contacts": draw(contacts()), **fading}
            lever["posts"] = draw(st.sampled_from(["cases", "chatter", "all"]))
            lever["returns"] = [{"to": to, "probability": 0.4, "delay_min": 10.0} for to in tos]
            if draw(some):
                lever["wrong"] = {"probability": draw(share), "wave": draw(share), "delay_min": 5.0}
        case "recontact" | "separate" | "handling" | "patience":
            lever |= {"effect": draw(share), "contacts": draw(contacts()), **fading}
            # More posts of those who wait, with cases of their own, would double the queue every few minutes.
            grows = changes in ("handling", "patience")
            lever["direction"] = draw(st.sampled_from(["down", "up"])) if grows else "down"
        case "promise":
            lever["classes"] = CLASSES
        case "heads":
            lever |= {"effect": draw(share), "extend_h": draw(st.sampled_from([0.25, 1.0]))}
        case "filter":
            lever |= {"effect": draw(share), "false_positive": draw(share), "delay_s": draw(minutes) * 12}
        case "overdue":
            lever["overdue"] = {"mode": draw(st.sampled_from(["keep", "fresh_first", "own_lane"])), "seats": 1}
        case "overflow":
            lever["overflow"] = {"after_min": draw(minutes), "to_language": draw(st.sampled_from(["en", "de"]))}
        case "park":
            lever |= {"effect": draw(share), "contacts": draw(contacts())}
    return lever


@st.composite
def rungs(draw: st.DrawFn, number: int) -> dict[str, Any]:
    return {
        "name": f"rung {number}",
        "groups": [
            {"heads": draw(st.integers(0, 2)), "languages": draw(st.sampled_from([["en"], ["nl", "en"], ["de"]]))}
            for _ in range(draw(st.integers(1, 2)))
        ],
        "when": draw(st.one_of(st.just([]), triggers())),
        "after_h": draw(st.sampled_from([0.0, 0.0, 0.5])),
        "lead_h": draw(st.sampled_from([0.0, 0.25, {"kind": "uniform", "low": 0.0, "high": 1.0}])),
        "acceptance": draw(st.sampled_from([0.5, 1.0])),
        "ramp_up_h": draw(st.sampled_from([0.0, 0.5])),
        "max_h": draw(st.sampled_from([0.5, 1.0, 3.0])),
        "rest_h": draw(st.sampled_from([0.0, 0.25, 1.0])),
        "breaks": draw(st.sampled_from([[], [{"after_h": 0.2, "minutes": 6.0}]])),
        "reads": draw(some),
        "speed": draw(st.sampled_from([1.0, 0.6])),
        **draw(st.sampled_from([{}, {"for_h": 1.5}])),
    }


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan with one to four levers and at most two rungs."""
    return Plan.model_validate(
        {
            "name": "random",
            "interval_min": draw(st.sampled_from([5.0, 15.0])),
            "declaration_min": draw(st.sampled_from([0.0, 5.0, 20.0])),
            "triggers": draw(triggers()),
            "levers": [draw(levers(i)) for i in range(draw(st.integers(1, 4)))],
            "ladder": [draw(rungs(i)) for i in range(draw(st.integers(0, 2)))],
        }
    )


def with_plan(desk: Desk, plan: Plan) -> Desk:
    """The desk with the plan, if it has what the plan names; without it otherwise."""
    names = {cls.name for cls in desk.classes}
    wanted = {name for x in plan.levers if hasattr(x, "contacts") for name in x.contacts.classes}
    return desk.with_plan(plan) if wanted <= names else desk
