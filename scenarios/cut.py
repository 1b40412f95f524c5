"""A part of a trace as a trace of its own: what lies between two times, as if nothing had been before."""

from __future__ import annotations

import numpy as np

from scenarios.errors import Fault, InputError
from scenarios.names import NONE, PostKind, code
from scenarios.traces import Trace

HOUR_S = 3600.0


def cut(trace: Trace, from_h: float | None = None, to_h: float | None = None, calls: bool = True) -> Trace:
    """Take the rows of a trace between two times.

    Parameters
    ----------
    trace : Trace
    from_h, to_h : float, optional
        Hours from onset; by default the window of the trace.
    calls : bool
        Keep attempts on the phone line.

    Returns
    -------
    Trace
        With cases numbered anew in their order. Whose case was opened before writes on as chatter, so nobody joins a
        case that is not there; what set a post off before is forgotten.

    Raises
    ------
    InputError
        If the hours are not in their order or not inside the window, or hold no posts.
    """
    start_s, end_s = trace.about["window_s"]
    first_s = start_s if from_h is None else from_h * HOUR_S
    last_s = end_s if to_h is None else to_h * HOUR_S
    _check(first_s, last_s, start_s, end_s)
    times, kinds = trace["time_s"], trace["kind"]
    here = (times >= first_s) & (times < last_s) & (calls | (kinds != code(PostKind.CALL)))
    rows = np.flatnonzero(here)
    if not (kinds[rows] != code(PostKind.CALL)).any():
        raise InputError(None, [Fault("--from/--to", "holds no posts; take more hours")])
    columns = {name: trace[name][rows] for name in trace.columns}
    new_row = np.full(len(trace), NONE, dtype=np.int32)
    new_row[rows] = np.arange(rows.size)
    parent = columns["parent"]
    columns["parent"] = np.where(parent == NONE, NONE, new_row[parent])
    opened = columns["case"][columns["kind"] == code(PostKind.CASE)]
    place = np.searchsorted(opened, columns["case"])
    known = (columns["case"] != NONE) & np.isin(columns["case"], opened)
    orphaned = (columns["case"] != NONE) & ~known
    columns["case"] = np.where(known, place, NONE)
    columns["kind"] = np.where(orphaned, code(PostKind.CHATTER), columns["kind"])
    return Trace(columns, {**trace.about, "window_s": [first_s, last_s], "cut_of": trace.digest})


def _check(first_s: float, last_s: float, start_s: float, end_s: float) -> None:
    wrong = []
    if not first_s < last_s:
        wrong.append(Fault("--from", f"is {first_s / HOUR_S:g}, not before --to, which is {last_s / HOUR_S:g}"))
    if not (start_s <= first_s < end_s and start_s < last_s <= end_s):
        here = f"is {first_s / HOUR_S:g} to {last_s / HOUR_S:g} hours from onset"
        wrong.append(Fault("--from/--to", f"{here}, the scenario has {start_s / HOUR_S:g} to {end_s / HOUR_S:g}"))
    if wrong:
        raise InputError(None, wrong)
