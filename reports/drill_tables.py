"""A drill on the console."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from reports.drill_answer import DrillAnswer
from reports.tables import show


def drill(console: Console, answer: DrillAnswer) -> None:
    """Print the finding, answers and waits by language beside the simulation, and requests by operation."""
    console.print(answer.headline, soft_wrap=True)
    if answer.difference:
        console.print(answer.difference, soft_wrap=True)
    console.print()
    columns = ("", "cases", "answered", "sim.", "waiting", "sim.", "median min", "sim.", "90 % min", "sim.")
    show(console, columns, [
        (row["language"], f"{row['cases']:,}",
         f"{row['answered']:,}", f"{row['simulated_answered']:,}",
         f"{row['waiting']:,}", f"{row['simulated_waiting']:,}",
         *(_minutes(row[f"{of}first_response_{q}_s"]) for q in ("p50", "p90") for of in ("", "simulated_")))
        for row in answer.rows()
    ])  # fmt: skip
    console.print("sim.: the simulation of the same posts and desk; waiting: at the end", soft_wrap=True)
    console.print()
    shown = [(name, count) for name, count in answer.drilled.operations.items() if any(_counts(count))]
    show(console, ("requests", "answered", "nothing", "failed", "shed", "p99 ms"), [
        (name, *(f"{n:,}" for n in _counts(count)),
         "-" if count["p99_s"] is None or not answer.valid else f"{1e3 * count['p99_s']:,.1f}")
        for name, count in shown
    ])  # fmt: skip


def dry_run(console: Console, told: Mapping[str, Any]) -> None:
    """What would be played."""
    hours = f"{told['from_h']:g} to {told['to_h']:g} h from onset, in {told['seconds']:,.0f} s"
    median = told["simulated_first_response_p50_s"]
    within = "" if median is None else f", half of them within {median / 60.0:,.1f} min"
    console.print(f"hours     {hours}", soft_wrap=True)
    console.print(f"posts     {told['posts']:,} of {told['scenario']}, {told['peak_per_s']:,.0f} a second at most")
    console.print(f"cases     {told['cases']:,}; simulated: {told['simulated_answered']:,} answered{within}")
    console.print(f"agents    {told['agents']:,} of {told['desk']}, {told['simulated_turns']:,} turns")
    console.print(f"requests  {told['requests']:,} or more", soft_wrap=True)
    for each in told["mishaps"]:
        console.print(f"goes wrong {each['name']}, {each['from_s']:,.1f} to {each['to_s']:,.1f} s", soft_wrap=True)
    console.print("nothing was sent")


def _counts(count: dict[str, int]) -> tuple[int, ...]:
    return tuple(count[name] for name in ("answered", "nothing", "failed", "shed"))


def _minutes(time_s: float | None) -> str:
    return "-" if time_s is None else f"{time_s / 60.0:,.1f}"
