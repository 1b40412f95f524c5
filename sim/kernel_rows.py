"""From the tables of the compiled engine to the tables of an `Outcome`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scenarios.names import NONE
from sim.kernel_books import write_cases, write_turns
from sim.kernel_layout import Memory
from sim.kernel_memory import CACHE_LINE, Record
from sim.kernel_tables import CASE_COLUMNS, TURN_COLUMNS
from sim.outcome import CASES, EXTRA, PLAN, SHIFTS, STAFF, TURNS
from sim.roster import PaidShift
from sim.world import World

Columns = dict[str, NDArray[Any]]


def turns(memory: Memory) -> Columns:
    """All turns in the order of queueing. This is the last time that the table of turns is read."""
    columns, addresses = _empty(TURNS, len(memory.made("turns")), TURN_COLUMNS)
    write_turns(memory.address, addresses.ctypes.data)
    memory.give_back("turns")
    return columns


def cases(memory: Memory) -> Columns:
    """All cases in the order of their numbers."""
    columns, addresses = _empty(CASES, len(memory.made("cases")), CASE_COLUMNS)
    write_cases(memory.address, addresses.ctypes.data)
    return columns


def _empty(kinds: Mapping[str, type[np.generic]], n: int, record: Record) -> tuple[Columns, NDArray[Any]]:
    """Columns of `n` rows, and their addresses. They share one piece of memory, given by the system in large pages."""
    columns: Columns = {}
    addresses = np.zeros(1, dtype=record.dtype)
    widths = {name: -(-n * np.dtype(kind).itemsize // CACHE_LINE) * CACHE_LINE for name, kind in kinds.items()}
    whole, at = np.empty(sum(widths.values()), dtype=np.uint8), 0
    for name, kind in kinds.items():
        columns[name] = whole[at : at + n * np.dtype(kind).itemsize].view(kind)
        addresses[name] = columns[name].ctypes.data
        at += widths[name]
    return columns, addresses


def staff(memory: Memory) -> Columns:
    """Attendance by agent and time."""
    rows = memory.made("staff")
    rows = rows[np.lexsort((rows["off_s"], rows["on_s"], rows["agent"]))]
    return {name: rows[name].astype(kind) for name, kind in STAFF.items()}


def extra(memory: Memory) -> Columns:
    """Posts that the simulation made, in order of time."""
    rows = memory.made("extra")
    return {name: rows[{"time_s": "time"}.get(name, name)].astype(kind) for name, kind in EXTRA.items()}


def suppressed(memory: Memory) -> Columns:
    """Rows of the trace that a lever kept from being made, in order of time: they are asked in the trace's order."""
    gone = memory.tables["post_gone"]
    rows = np.flatnonzero(gone != NONE)
    return {"row": rows.astype(np.int32), "lever": gone[rows].astype(np.int8)}


def plan(memory: Memory) -> Columns:
    """What happened to the crisis plan, in order of time."""
    rows = memory.made("plan")
    return {name: rows[{"time_s": "time"}.get(name, name)].astype(kind) for name, kind in PLAN.items()}


def shifts(world: World, memory: Memory, end_s: float) -> Columns:
    """Paid shifts up to the end of the run, by agent and time."""
    pool_of = world.roster.pool_of
    paid = [PaidShift(int(r["agent"]), float(r["start_s"]), float(r["end_s"]), True) for r in memory.made("paid")]
    rows = sorted(
        (s.agent, pool_of[s.agent], s.start_s, min(s.end_s, end_s), s.worked)
        for s in (*world.roster.shifts, *paid)
        if s.start_s < end_s
    )
    columns = list(zip(*rows, strict=True)) or [()] * len(SHIFTS)
    return {name: np.array(column) for name, column in zip(SHIFTS, columns, strict=True)}
