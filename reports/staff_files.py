"""The files of a staffing plan: requirement and reachable plan by interval as CSV, and a desk to simulate."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports import roster_files
from reports.desk_toml import desk_toml
from reports.staff_words import shrinkage_of
from reports.staffed import Staffed
from sim.desk import Pool
from sim.staff.duty import safe
from sim.staff.reachable import Reachable
from sim.staff.rules import Rules
from sim.staff.seats import HOUR_S, QUARTER_S

REQUIREMENT, REACHABLE, DESK = "requirement.csv", "reachable.csv", "requirement.toml"
TIMES = ("start_local", "start_utc", "hours_from_onset")


def files(told: Staffed) -> dict[str, bytes]:
    """Content by name of the file."""
    out = {REQUIREMENT: _csv(requirement(told)), DESK: desk_file(told)}
    if told.reachable is not None:
        out[REACHABLE] = _csv(reached(told, told.reachable))
    if told.roster is not None:
        out |= roster_files.files(told.roster, told.question.scenario.name)
    return out


def _csv(rows: Iterable[list[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


def requirement(told: Staffed) -> Iterator[list[Any]]:
    """Rows of the requirement: seats at work, and paid heads with breaks and absence, by pool and interval."""
    desk, seats = told.question.desk, told.requirement.seats
    names = [safe(pool.name) for pool in desk.pools]
    yield [
        *TIMES, "seats_total", "paid_total", "shrinkage_of",
        *(f"seats {name}" for name in names), *(f"paid {name}" for name in names),
    ]  # fmt: skip
    paid, whose = paid_heads(told), safe(shrinkage_of(told))
    for i in range(seats.heads.shape[1]):
        yield [
            *_times(told, seats.start_s + i * seats.interval_s),
            int(seats.heads[:, i].sum()), round(float(paid[:, i].sum()), 2), whose,
            *seats.heads[:, i].tolist(), *(round(float(value), 2) for value in paid[:, i]),
        ]  # fmt: skip


def reached(told: Staffed, found: Reachable) -> Iterator[list[Any]]:
    """Rows of the reachable plan: who is at the desk, means over the days; and the most who were called in at once."""
    yield [*TIMES, "own_mean", "called_in_mean", "called_in_most"]
    start_s = told.requirement.seats.start_s
    for i, (own, ladder, most) in enumerate(zip(found.own, found.ladder, found.most, strict=True)):
        yield [*_times(told, start_s + i * QUARTER_S), round(float(own), 2), round(float(ladder), 2), int(most)]


def _times(told: Staffed, at_s: float) -> list[str]:
    """Cells of the columns `TIMES`."""
    scenario, zone = told.question.scenario, told.question.desk.timezone
    clocks = (scenario.clock(at_s, name).isoformat(timespec="minutes") for name in (zone, "UTC"))
    return [*clocks, f"{at_s / HOUR_S:g}"]


def paid_heads(told: Staffed) -> NDArray[np.float64]:
    """(pools, intervals) heads on the payroll for so many at work: breaks and absence added, see `shrinkage_of`."""
    heads, desk = told.requirement.seats.heads, told.question.desk
    if told.roster is not None:
        out: NDArray[np.float64] = heads / by_rules(told.roster.rules)
    else:
        out = heads / np.array([[at_work(pool)] for pool in desk.pools])
    return out


def at_work(pool: Pool) -> float:
    """Share of paid time in which somebody of a pool is at the desk: absence and breaks taken out."""
    hours = [
        (shift.heads * shift.length_h, sum(b.minutes for b in shift.breaks) / 60.0 * shift.heads)
        for shift in pool.shifts
    ]
    paid, rest = (sum(column) for column in zip(*hours, strict=True)) if hours else (1.0, 0.0)
    return (1.0 - pool.absent_share) * (1.0 - (rest / paid if paid else 0.0))


def by_rules(rules: Rules) -> float:
    """The same by rules of working time: holidays, sickness, and the breaks of its shifts on average."""
    rest = np.mean([sum(b.minutes for b in rules.breaks if n >= b.from_h) / 60.0 / n for n in rules.lengths_h])
    return float((1.0 - rules.planned_share) * (1.0 - rules.unplanned_share) * (1.0 - rest))


def desk_file(told: Staffed) -> bytes:
    """The requirement as a desk file."""
    desk = told.requirement.seats.desk(told.question.desk)
    named = desk.model_copy(update={
        "name": f"{desk.name}-requirement",
        "title": f"{desk.title}: seats for {told.question.scenario.name}, as if all stood ready",
        "assumed": (),
    })  # fmt: skip
    return desk_toml(named)
