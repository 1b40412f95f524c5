"""The engines by name: one semantics, so that whoever runs something need not know which one plays it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol, get_args

from scenarios.model import Scenario
from scenarios.traces import Trace
from sim.desk import Desk
from sim.outcome import Outcome

EngineName = Literal["compiled", "reference"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class Engine(Protocol):
    """What both engines are: see `sim.reference.run`."""

    def __call__(
        self,
        scenario: Scenario,
        desk: Desk,
        trace: Trace,
        seed: int,
        replication: int = 0,
        drain_h: float = 0.0,
        *,
        progress: Callable[[float], None] | None = None,
    ) -> Outcome: ...


def engine(name: EngineName) -> Engine:
    """The engine of that name; what it needs is loaded only now."""
    if name == "compiled":
        from sim import compiled

        return compiled.run
    from sim import reference

    return reference.run


def prepare(name: EngineName, tell: Callable[[str], None]) -> None:
    """Have the engine ready before work is shared out: if it must be compiled, once, and with a word about it."""
    if name == "compiled":
        from sim import compiled

        compiled.prepare(tell)
