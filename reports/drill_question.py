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
