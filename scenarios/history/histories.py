"""A history read from a table: counts by interval where it has a column of counts, else one row a contact."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

from scenarios.errors import Fault, InputError
from scenarios.history.columns import Map
from scenarios.history.contacts import THINGS
from scenarios.history.counted import read_counted
from scenarios.history.series import History
from scenarios.history.single import read_single
from scenarios.history.table import read_table

Gaps = Literal["refuse", "zero", "unknown"]
GAPS: tuple[Gaps, ...] = get_args(Gaps)
MORE = ("contacts", "mentions", "wait_s", "wait_min", "abandoned")
SHORTEST_D = 14


def read_history(
    path: Path | str, given: Map, zone: str | None = None, local: str | None = None, gaps: Gaps = "refuse"
) -> History:
    """Read a history of contacts.

    Parameters
    ----------
    path : Path or str
        As for `scenarios.history.table.read_table`.
    given : Map
        Which column is what. With a column of `contacts` a row is an interval that begins at `created`; without
        one a row is a contact, as for `scenarios.history.tickets.read_tickets`.
    zone : str, optional
        Zone of times without an offset, in the place of that of the map.
    local : str, optional
        Zone in which people read the clock, in the place of that of the map; by default that of the times.
    gaps : str
        What an interval without a row means.

    Raises
    ------
    InputError
        With all that is wrong in the table; also if it has less than two weeks, or no contact at all.
    """
    clocks = ZoneInfo(zone or given.zone)
    here = ZoneInfo(local or given.local or clocks.key)
    table = read_table(path, given.keeps((*THINGS, *MORE)))
    if given.find(table, "contacts") is not None:
        history = read_counted(table, given, clocks, here, gaps)
    else:
        history = read_single(table, given, clocks, here)
    series = history.series
    if not series.counts.any():
        raise InputError(table.path, [Fault("", "has no contact at all: every count is 0")])
    days = float(series.known.sum()) * series.step_s / 86_400.0
    if days < SHORTEST_D - 1:  # rows of contacts begin and end within a day
        what = f"tells of {days:.1f} days; two weeks are needed to tell a weekday from chance, five to check a forecast"
        raise InputError(table.path, [Fault("", what)])
    return history
