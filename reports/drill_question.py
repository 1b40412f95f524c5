"""A drill as it is asked for, and what follows from that before anything is sent."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests import mishaps
from loadtests.agents import Duty
from loadtests.drill import check
from loadtests.mishaps import Mishap
from loadtests.schedule import of_traces
from reports import drill_beside
from reports.duties import duties
from scenarios import library
from scenarios.cut import cut
from scenarios.errors import Fault, InputError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.storage import redact
from scenarios.traces import Trace
from sim import library as desks
from sim.desk import Desk
from sim.outcome import Outcome
from sim.replicate import Size, size_u

HOUR_S = 3600.0
REQUESTS_A_TURN = 3  # claim, read, answer; agents who find nothing to do ask besides
MAX_LAG_S = 0.25  # on the wall, in which the agents' next steps are late as well


@dataclass(frozen=True)
class DrillQuestion:
    """What was asked; `target` is an address of a service like ours, or a target file; None: one that is started.

    `hours` are the first ones of the scenario, `from_h` to `to_h` any others, in hours from onset.
    """

    scenario: str
    desk: str
    target: str | None
    speed: float = 600.0
    hours: float | None = None
    from_h: float | None = None
    to_h: float | None = None
    drain_h: float = 0.0
    seed: int = 1
    size: Size = "likely"
    max_lag_s: float = MAX_LAG_S
    most_requests: int | None = None
    mine: bool = False
    ca: Path | None = None
    faults: bool = False
    disturb_service: str | None = None
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = []
        if self.hours is not None and (self.from_h, self.to_h) != (None, None):
            wrong.append(Fault("--hours", "does not go with --from and --to; give the hours one way"))
        for name, given in (("--faults", self.faults), (mishaps.OPTION, self.disturb_service is not None)):
            if given and self.target is not None:
                wrong.append(Fault(name, "needs --serve: only a service that was started for it is broken on purpose"))
        if wrong:
            raise InputError(None, wrong)

    def settings(self) -> dict[str, Any]:
        """What may be written down of it, ready for JSON."""
        kept = {each.name: getattr(self, each.name) for each in fields(self) if each.name != "command"}
        target = None if self.target is None else redact(self.target)
        return {**kept, "target": target, "ca": None if self.ca is None else str(self.ca)}


@dataclass(frozen=True)
class Planned:
    """What will be played.

    Attributes
    ----------
    scenario, played : Scenario
        As it was asked for, and as far as it is played.
    trace : Trace
        Without calls.
    due_s : (n,) float64
        When each row of it comes to the service, in scenario seconds; inf: not in these hours.
    agents : tuple of Duty
    outcome : Outcome
        Of the simulation beside it.
    mishaps : tuple of Mishap
        What goes wrong on purpose.
    """

    scenario: Scenario
    played: Scenario
    desk: Desk
    trace: Trace
    due_s: NDArray[np.float64]
    agents: tuple[Duty, ...]
    outcome: Outcome
    mishaps: tuple[Mishap, ...]

    @property
    def span_s(self) -> tuple[float, float]:
        """From when to when posts are written, in scenario seconds."""
        start_s, end_s = self.trace.about["window_s"]
        return float(start_s), float(end_s)


def dry_run(q: DrillQuestion, planned: Planned) -> dict[str, Any]:
    """What would be played, and what the simulation expects of it; ready for JSON."""
    start_s, end_s = planned.span_s
    outcome, comes_s = planned.outcome, np.sort(planned.due_s[np.isfinite(planned.due_s)])
    waits_s = outcome.cases["first_reply_s"] - outcome.cases["posted_s"]
    answered = waits_s[np.isfinite(waits_s)]
    turns = int(np.isfinite(outcome.turns["start_s"]).sum())
    return {
        "scenario": planned.scenario.name,
        "desk": planned.desk.name,
        "from_h": start_s / HOUR_S,
        "to_h": end_s / HOUR_S,
        "seconds": (end_s - start_s + q.drain_h * HOUR_S) / q.speed,
        "posts": comes_s.size,
        "cases": planned.trace.cases,
        "peak_per_s": float((np.searchsorted(comes_s, comes_s + q.speed) - np.arange(comes_s.size)).max(initial=0)),
        "agents": len(planned.agents),
        "requests": comes_s.size + int(outcome.extra["time_s"].size) + REQUESTS_A_TURN * turns,
        "simulated_turns": turns,
        "simulated_answered": int(answered.size),
        "simulated_first_response_p50_s": float(np.median(answered)) if answered.size else None,
        "trace": planned.trace.digest,
        "mishaps": [each.to_dict() for each in planned.mishaps],
    }


def plan(q: DrillQuestion) -> Planned:
    """Draw the posts and the roster, and simulate them; raises `AshcloudError` with what is wrong."""
    scenario, desk = library.load(q.scenario), desks.load(q.desk)
    whole = generate(scenario, q.seed, 0, size_u(q.size, q.seed, 0), q.hours)
    trace = cut(whole, q.from_h, q.to_h, calls=False)
    check(trace, q.speed)
    holds = mishaps.holds(scenario.faults) if q.faults else ()
    schedule = of_traces([trace], q.speed, holds=holds)
    wrong = [
        *(mishaps.of_scenario(scenario.faults, schedule) if q.faults else ()),
        *(mishaps.of_words(q.disturb_service, schedule) if q.disturb_service is not None else ()),
    ]
    start_s, end_s = trace.about["window_s"]
    due_s = np.full(len(trace), np.inf)
    due_s[schedule["row"]] = start_s + schedule["due_s"] * q.speed
    agents = duties(desk, scenario, q.seed, start_s, end_s + q.drain_h * HOUR_S)
    played = drill_beside.alike(scenario, q.faults)
    outcome = drill_beside.simulated(played, desk, trace, q.drain_h)
    return Planned(scenario, played, desk, trace, due_s, tuple(agents), outcome, tuple(wrong))
