"""A history read from a table: counts by interval where it has a column of counts, else one row a contact."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Literal, get_args
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.errors import Fault, InputError
from scenarios.history.columns import Map
from scenarios.history.contacts import THINGS
from scenarios.history.counted import read_counted
from scenarios.history.series import SLOTS, History, Series
from scenarios.history.single import read_single
from scenarios.history.table import read_table

Gaps = Literal["refuse", "zero", "unknown"]
GAPS: tuple[Gaps, ...] = get_args(Gaps)
MORE = ("contacts", "mentions", "wait_s", "wait_min", "abandoned")
SHORTEST_D = 14
HOLE_H, HOLE_CONTACTS = 6.0, 100.0
TOLD = 20
HINT = "has times without any contact; if nothing came then, say --gaps zero, if the table lacks it, --gaps unknown"


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
    return _without_holes(table.path, history, gaps)


def _without_holes(path: Path, history: History, gaps: Gaps) -> History:
    """Refuse long times without any contact where many are usual, or take them as one says."""
    series = history.series
    found = _holes(series)
    if not found or gaps == "zero":
        return history
    if gaps == "refuse":
        raise InputError(path, [*(_hole(series, *each) for each in found[:TOLD]), Fault("", HINT)])
    known = series.known.copy()
    for a, b, _ in found:
        known[a:b] = False
    hours = float(sum(b - a for a, b, _ in found)) * series.step_h
    note = f"{hours:,.0f} h have no contact where many are usual: taken as unknown"
    return replace(history, series=replace(series, known=known), notes=(*history.notes, note))


def _holes(series: Series) -> list[tuple[int, int, float]]:
    """Stretches without a contact: first interval, end, and how many come in these hours of other weeks."""
    empty = series.known & (series.total == 0)
    edge = np.flatnonzero(np.diff(np.concatenate([[False], empty, [False]]).astype(np.int8)))
    long = [
        (a, b)
        for a, b in zip(edge[::2].tolist(), edge[1::2].tolist(), strict=True)
        if (b - a) * series.step_h >= HOLE_H
    ]
    if not long:
        return []
    order = np.argsort(series.slot[series.known], kind="stable")
    parts = np.split(
        series.total[series.known][order], np.cumsum(np.bincount(series.slot[series.known], minlength=SLOTS))[:-1]
    )
    usual = np.array([np.quantile(part, 0.75) if part.size else 0.0 for part in parts])[series.slot]
    due = [(a, b, float(usual[a:b].sum())) for a, b in long]
    return [each for each in due if each[2] >= HOLE_CONTACTS]


def _hole(series: Series, a: int, b: int, usual: float) -> Fault:
    begin, end = (datetime.fromtimestamp(series.start_s + i * series.step_s, series.zone) for i in (a, b))
    return Fault(f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}", f"has no contact, where {usual:,.0f} are usual")
