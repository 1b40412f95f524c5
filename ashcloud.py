"""The front door: the command ``ashcloud``, and the library.

The commands are in ``reports.commands``, by trade. A program begins with
``from ashcloud import Scenario, Desk, simulate, compare``; what it takes is imported when it is asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.commands import benching, history, loading, serving, shelves, simulating, staffing, tracing
from reports.commands.group import main

if TYPE_CHECKING:
    from reports.front import compare, simulate
    from scenarios.model import Scenario
    from sim.desk import Desk

__all__ = ["Desk", "Scenario", "compare", "main", "simulate"]

COMMANDS = (benching, history, loading, serving, shelves, simulating, staffing, tracing)  # each adds its own to main
FRONT = {  # what a program may import from here, and where it is
    "Scenario": "scenarios.model",
    "Desk": "sim.desk",
    "simulate": "reports.front",
    "compare": "reports.front",
}


def __getattr__(name: str) -> Any:
    if name not in FRONT:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(FRONT[name]), name)


if __name__ == "__main__":
    main()
