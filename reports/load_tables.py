"""A load test on the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from reports.load import LoadAnswer
from reports.load_files import reached
from reports.tables import show

TELLING_S = 10.0  # from here on whole seconds say enough


def answer(console: Console, told: LoadAnswer) -> None:
    """The sentence, the rows by phase, the objectives."""
    console.print(told.headline, soft_wrap=True)
    console.print()
    head, *rows = told.table()
    show(console, head, rows)
    if told.checks and told.verdict.valid:
        console.print()
        cells = [(c.objective.text, c.phase, reached(c), c.state) for c in told.checks]
        show(console, ("objective", "phase", "reached", "verdict"), cells, numbers=(2,))


def dry_run(console: Console, told: Mapping[str, Any]) -> None:
    """What would be sent."""
    digits = 0 if told["seconds"] >= TELLING_S else 1
    span = f"{told['seconds']:,.{digits}f} s"
    console.print(f"rows      {told['rows']:,} of {told['scenario']} in {span}", soft_wrap=True)
    if told["requests"] < told["rows"]:
        console.print(f"requests  {told['requests']:,}, {told['rows'] / told['requests']:,.1f} rows in each on average")
    if told["sender"] == "session":
        most = f"{told['peak_requests_per_s']:,.0f} a second at most"
        console.print(f"requests  {told['requests']:,} in sessions, {most}")
    mean = f"{told['mean_per_s']:,.1f} on average, " if told["seconds"] >= 1.0 else ""  # of less there is none
    console.print(f"a second  {mean}{told['peak_per_s']:,.0f} at most")
    console.print(f"bytes     {told['bytes']:,} in all, about {told['bytes_a_request']:,} a request")
    for phase in told["phases"]:
        span = f"{phase['from_s']:,.{digits}f} to {phase['to_s']:,.{digits}f} s"
        console.print(f"phase     {phase['name']}, {span}: {_rows(phase['rows'])}")
    if told["phases"] and (later := told["rows"] - sum(phase["rows"] for phase in told["phases"])):
        console.print(f"later     held back beyond the last phase: {_rows(later)}")
    for each in told["mishaps"]:
        console.print(f"goes wrong {each['name']}, {each['from_s']:,.1f} to {each['to_s']:,.1f} s", soft_wrap=True)
    if told["not_played"]:
        console.print(f"not played {', '.join(told['not_played'])}: it happens to people", soft_wrap=True)
    console.print("nothing was sent")


def _rows(number: int) -> str:
    return f"{number:,} row{'s' * (number != 1)}"
