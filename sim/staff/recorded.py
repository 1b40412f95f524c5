"""A recorded past made ready to be played again: what its rows hold already is not made a second time.

The rows of a trace that was imported hold every case that there was: also those that customers opened
because they had waited too long, or had hung up the phone. So a run makes no cases of its own. What is
said within a conversation after it was opened stays with the model, as it depends on when the desk
answers: later messages of a case are left out of play, the scenario's customers make their own. Levers
that keep people from writing are left out of the desk's plan: who did not write has no row.
"""

from __future__ import annotations

from datetime import datetime

import numpy as np

from scenarios.model import BASE_MIX, Mix, Scenario
from scenarios.names import NONE, Language, PostKind, code, members
from scenarios.traces import Trace
from sim.desk import Desk
from sim.levers import ArrivalsLever


def posts(trace: Trace) -> Trace:
    """The trace without later messages of its cases."""
    keep = ~((trace["kind"] == code(PostKind.FOLLOW_UP)) & (trace["case"] != NONE))
    if keep.all():
        return trace
    row = np.where(keep, np.cumsum(keep) - 1, NONE)
    parent = trace["parent"][keep]
    columns = {name: column[keep] for name, column in trace.columns.items()}
    columns["parent"] = np.where(parent == NONE, NONE, row[parent])
    return Trace(columns, trace.about)


def behaviour(scenario: Scenario, trace: Trace) -> Scenario:
    """The customers of a scenario on the days of a trace, with its languages, and no cases of their own."""
    start_s, end_s = trace.about["window_s"]
    kept = scenario.behaviour.model_copy(
        update={
            "recontact": scenario.behaviour.recontact.model_copy(update={"separate_share": 0.0}),
            "after_abandoned": (),
            "after_blocked": (),
        }
    )
    languages = np.bincount(trace["language"], minlength=len(Language)) / max(len(trace), 1)
    mix = Mix(
        languages={each: float(languages[code(each)]) for each in members(Language) if languages[code(each)] > 0}
        or BASE_MIX.languages
    )
    return scenario.model_copy(
        update={
            "behaviour": kept,
            "timezone": trace.about["timezone"],
            "onset_local": datetime.fromisoformat(trace.about["onset_local"]),
            "window_h": (start_s / 3600.0, end_s / 3600.0),
            "surges": (),
            "mix": mix,
            "mix_changes": (),
            "phone": None,
        }
    )


def staff(desk: Desk) -> Desk:
    """The desk without the levers of its plan that keep people from writing."""
    if desk.plan is None:
        return desk
    levers = tuple(lever for lever in desk.plan.levers if not isinstance(lever, ArrivalsLever))
    return desk.model_copy(update={"plan": desk.plan.model_copy(update={"levers": levers})})
