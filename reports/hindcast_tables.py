"""A hindcast on the console."""

from __future__ import annotations

import math

from rich.console import Console

from reports import formats as fm
from reports.hindcast import HindcastAnswer
from reports.hindcast_words import amount, name, percent
from reports.tables import show
from sim.staff.agreement import Part


def hindcast(console: Console, told: HindcastAnswer) -> None:
    """Print the table of parts, how much the bands cover, the verdict, and what else there is to say."""
    said = told.words
    columns = ("cases", "", "actual", "model", "95 % of runs", "WAPE", "by chance", "")
    show(console, columns, [_line(part) for part in told.found.agreement.parts], (2, 3, 4, 5, 6))
    console.print()
    for what in ("backlog", "response"):
        inner, outer = (_share(told.found.covered[what, level]) for level in (0.8, 0.95))
        console.print(
            f"{what}: inside the 80 % band in {inner} of the intervals, inside the 95 % band in {outer}", soft_wrap=True
        )
    console.print()
    for line in (said.headline, *said.where, *said.why, *said.notes):
        console.print(line.replace(fm.NBSP, " "), soft_wrap=True)


def _line(part: Part) -> tuple[str, ...]:
    return (
        "all" if part.language is None else name(part),
        part.what,
        amount(part, part.actual),
        amount(part, part.simulated),
        f"{amount(part, part.low)} to {amount(part, part.high)}",
        percent(part.wape) if math.isfinite(part.wape) else "",
        percent(part.by_chance) if math.isfinite(part.by_chance) else "",
        "fails" if part.fails else "",
    )


def _share(value: float) -> str:
    return fm.share(value).replace(fm.NBSP, " ") if math.isfinite(value) else "none"
