"""Both engines on the same run: their rows have to be the same bytes."""

from __future__ import annotations

from scenarios.model import Scenario
from scenarios.traces import Trace
from sim import compiled, reference
from sim.desk import Desk
from sim.outcome import Outcome
from sim.policies import IdleOrder


def run_both(
    scenario: Scenario, desk: Desk, trace: Trace, seed: int, drain_h: float = 0.0, idle: IdleOrder | None = None
) -> Outcome:
    """What the reference engine gives; the compiled one has to give the same, unless the policy is one's own."""
    outcome = reference.run(scenario, desk, trace, seed, drain_h=drain_h, idle=idle)
    if idle is None:
        assert compiled.run(scenario, desk, trace, seed, drain_h=drain_h).differences(outcome) == []
    return outcome
