"""A small desk and a half day of three languages, for tests of staffing."""

from __future__ import annotations

from scenarios.model import Scenario
from sim.desk import Desk
from sim.plan import Plan
from sim.staff.promise import Promise
from sim.staff.sizing import Question

PROMISE = Promise.read("80% in 30 min")
HOURS = 12.0


def scenario() -> Scenario:
    """A quiet week in English, Dutch and Spanish, three times as busy as the model desk's."""
    quiet = Scenario.load("quiet_week")
    data = quiet.model_dump(by_alias=True)
    data["base"] |= {"cases_per_h": 120.0, "mentions_per_h": 400.0}
    data["mix"] |= {"languages": {"en": 0.7, "nl": 0.25, "es": 0.05}}
    return Scenario.model_validate({**data, "name": "small"})


def desk(plan: Plan | None = None) -> Desk:
    """English alone is cheap; Dutch and Spanish agents speak English as well."""
    pools = [
        {"name": "english", "languages": ["en"], "cost_per_h": 10.0, "steps": [(0, 4)]},
        {"name": "dutch", "languages": ["nl", "en"], "cost_per_h": 30.0, "steps": [(0, 3)]},
        {"name": "spanish", "languages": ["es", "en"], "cost_per_h": 20.0, "steps": [(0, 1)]},
    ]
    data = {"name": "small", "title": "three pools", "triage": {"mode": "none"}, "pools": pools}
    made = Desk.model_validate(data)
    return made if plan is None else made.with_plan(plan)


def question() -> Question:
    """What seats the half day takes."""
    return Question(scenario(), desk(), (PROMISE,), True, seed=3, hours=HOURS)
