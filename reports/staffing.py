"""Who would be needed and who is there: by language and block of hours, out of some runs, without playing anew.

Blocks are of the local clock: six hours each, a day each where the window is long. A language is looked at in that hour
of a block in which most of its work comes. *Needed* is a formula on the modified offered load (`sim.staff.quick`), *at
the desk* a mean over the runs with breaks and absence out and those who were called in. Whether a block was *short* the
runs say: it was where fewer cases than promised had their answer in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.model import Scenario
from scenarios.names import Language
from sim.crisis import expand
from sim.desk import Desk
from sim.intervals import edges_of
from sim.measures import FEW_CASES, PROMISE_SHARE
from sim.outcome import Outcome
from sim.staff.baselines import mean_turn_s
from sim.staff.days import LANGUAGES
from sim.staff.offered_load import offered_load
from sim.staff.quick import Sharing, heads_needed
from sim.waits import Rows, seconds_within

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
HOUR_S, QUARTER_S, PER_HOUR = 3600.0, 900.0, 4
BLOCK_H, LONG_BLOCK_H, LONG_WINDOW_H = 6, 24, 400.0
FEW_IN_A_BLOCK = 10.0  # cases a run: with fewer a share says nothing
MOST_SIZES = 9  # of a surge, out of those that the runs drew
SHORT = 0.5  # more of the runs miss the promise: the block counts as short


@dataclass(frozen=True)
class Blocks:
    """How the window is cut.

    Attributes
    ----------
    hours_s : (hours + 1,) float64
        Ends of the hours, in seconds from onset.
    first : (blocks,) int64
        First hour of each block.
    length_h : int
        Of a block that is whole.
    """

    hours_s: FloatArray
    first: IntArray
    length_h: int

    @classmethod
    def of(cls, scenario: Scenario, window_s: tuple[float, float]) -> Blocks:
        """Cut at the local clock."""
        hours_s = edges_of(*window_s, HOUR_S)
        length = BLOCK_H if (window_s[1] - window_s[0]) / HOUR_S <= LONG_WINDOW_H else LONG_BLOCK_H
        clocks = [scenario.clock(at) for at in hours_s[:-1].tolist()]
        names = [(at.date(), at.hour // length) for at in clocks]
        first = [i for i, name in enumerate(names) if i == 0 or name != names[i - 1]]
        return cls(hours_s, np.array(first, dtype=np.int64), length)

    @property
    def edges_s(self) -> FloatArray:
        """(blocks + 1,) ends of the blocks."""
        return np.append(self.hours_s[self.first], self.hours_s[-1])


@dataclass(frozen=True)
class Seen:
    """What one run says: cases and kept promises, heads at the desk, heads on the schedule.

    Attributes
    ----------
    cases, kept : (languages, blocks) int64
        By time of the post; only cases whose promise ended before the run did, or that were answered.
    desk, scheduled : (pools, hours) float64
        Mean heads; those of pools of head-counts are the same.
    promises : mapping of seconds to int
        Cases with so long a promise.
    """

    cases: IntArray
    kept: IntArray
    desk: FloatArray
    scheduled: FloatArray
    promises: Mapping[float, int]


def look(outcome: Outcome, blocks: Blocks) -> Seen:
    """Count a run out."""
    rows, edges = Rows(outcome, whole=True), blocks.edges_s
    posted, due = rows.cases["posted_s"], rows.cases["due_s"]
    known = (np.minimum(due, rows.cases["first_reply_s"]) <= rows.end_s) & (posted >= edges[0]) & (posted <= edges[-1])
    place = np.minimum(np.searchsorted(edges, posted, side="right") - 1, edges.size - 2)
    cell = rows.cases["language"].astype(np.int64) * (edges.size - 1) + place
    shape = (len(LANGUAGES), edges.size - 1)
    cases, kept = (
        np.bincount(cell[which], minlength=shape[0] * shape[1]).reshape(shape) for which in (known, known & rows.kept)
    )
    promised, counts = np.unique(np.round(due - posted, 3), return_counts=True)
    staff, shifts = outcome.staff, outcome.shifts
    desk, scheduled = [], []
    for p in range(len(outcome.about["pools"])):
        here, paid = staff["pool"] == p, shifts["pool"] == p
        desk.append(_mean(staff["on_s"][here], np.minimum(staff["off_s"][here], rows.end_s), blocks.hours_s))
        plan = _mean(shifts["start_s"][paid], shifts["end_s"][paid], blocks.hours_s)
        scheduled.append(plan if paid.any() else desk[-1])
    promises = {float(s): int(n) for s, n in zip(promised, counts, strict=True) if np.isfinite(s)}
    return Seen(cases, kept, np.array(desk), np.array(scheduled), promises)


def _mean(from_s: FloatArray, until_s: FloatArray, edges_s: FloatArray) -> FloatArray:
    out: FloatArray = seconds_within(from_s, until_s, edges_s) / np.diff(edges_s)
    return out


@dataclass(frozen=True)
class Cell:
    """A language in a block, in the hour in which most of its work comes.

    Attributes
    ----------
    language : Language
    block : int
    hour : int
    load : float
        Erlangs: how many would be at work if nobody had to wait.
    desk : float
        Heads that it can have while the other languages' work is covered as far as it can be.
    needed : int
        Heads, by formula.
    cases : float
        Posted in the whole block, a run.
    p_short : float or None
        Share of the runs in which the block missed the promise; None: too few cases to say.
    """

    language: Language
    block: int
    hour: int
    load: float
    desk: float
    needed: int
    cases: float
    p_short: float | None

    @property
    def change(self) -> int:
        """Whole heads to add to those at the desk; negative: to spare."""
        return int(np.ceil(self.needed - self.desk - 1e-6))

    @property
    def occupancy(self) -> float | None:
        """Work for each head that it can have; above 1: more than they can do. None: nobody is there."""
        return self.load / self.desk if self.desk > 1e-6 else None

    @property
    def is_short(self) -> bool:
        """Whether most runs miss the promise and heads are lacking."""
        return self.p_short is not None and self.p_short > SHORT and self.change > 0


@dataclass(frozen=True)
class Staffing:
    """See the module.

    Attributes
    ----------
    blocks : Blocks
    cells : tuple of Cell
        By language, those with most work first, then by block.
    load, needed, desk : (hours,) float64
        Of all languages together; needed as if everybody spoke all of them.
    pools : tuple of (name, (hours,) float64, (hours,) float64)
        Heads on the schedule and at the desk, by pool; those of the call-in ladder behind the others.
    work_s : float
        Mean work on a turn.
    mix : tuple of (share of the cases, promise in seconds)
    runs : int
    few : tuple of Language
        Left out: with fewer than 20 cases a run.
    """

    blocks: Blocks
    cells: tuple[Cell, ...]
    load: FloatArray
    needed: FloatArray
    desk: FloatArray
    pools: tuple[tuple[str, FloatArray, FloatArray], ...]
    work_s: float
    mix: tuple[tuple[float, float], ...]
    runs: int
    few: tuple[Language, ...]

    @property
    def languages(self) -> tuple[Language, ...]:
        """Those looked at, in order."""
        return tuple(dict.fromkeys(cell.language for cell in self.cells))

    def of(self, language: Language) -> list[Cell]:
        """The blocks of a language."""
        return [cell for cell in self.cells if cell.language is language]

    @property
    def worst(self) -> Cell | None:
        """The short block in which most heads are lacking, None: there is none."""
        short = [cell for cell in self.cells if cell.is_short]
        return max(short, key=lambda cell: (cell.change, cell.p_short or 0.0, -cell.block)) if short else None


def staffing(
    scenario: Scenario, desk: Desk, blocks: Blocks, seen: Sequence[Seen], sizes: Sequence[float | None]
) -> Staffing:
    """Put the runs together.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
    blocks : Blocks
    seen : sequence of Seen
        One a run.
    sizes : sequence of float or None
        Quantile of the surge's size of each run; the load is the mean over at most nine of them.
    """
    hours = blocks.hours_s.size - 1
    quarters = np.mean([offered_load(scenario, desk, size) for size in _sizes(sizes)], axis=0)
    skipped = round((float(blocks.hours_s[0]) - scenario.window_s[0]) / QUARTER_S)
    load = _hourly(quarters[:, max(skipped, 0) :], hours)
    pools = expand(desk).pools[: len(seen[0].desk)]
    heads = np.mean([run.desk for run in seen], axis=0)
    scheduled = np.mean([run.scheduled for run in seen], axis=0)
    mix, work_s = _mix(seen, desk), mean_turn_s(scenario)
    sharing = Sharing(pools)
    known: dict[int, FloatArray] = {}
    total = np.mean([run.cases.sum(axis=1) for run in seen], axis=0)
    there = [n for n in np.argsort(-load.sum(axis=1), kind="stable").tolist() if total[n] > 0 or load[n].sum() > 0]
    ends = [*blocks.first.tolist()[1:], hours]
    cells = []
    for number in there:
        if total[number] < FEW_CASES:
            continue
        for block, (first, end) in enumerate(zip(blocks.first.tolist(), ends, strict=True)):
            hour = first + int(np.argmax(load[number, first:end]))
            if hour not in known:
                known[hour] = sharing.heads(heads[:, hour], load[:, hour])
            cases, p_short = _short(
                [run.cases[number, block] for run in seen], [run.kept[number, block] for run in seen]
            )
            cells.append(Cell(
                LANGUAGES[number], block, hour, float(load[number, hour]), float(known[hour][number]),
                heads_needed(float(load[number, hour]), work_s, mix, PROMISE_SHARE), cases, p_short,
            ))  # fmt: skip
    whole = load.sum(axis=0)
    return Staffing(
        blocks=blocks,
        cells=tuple(cells),
        load=whole,
        needed=np.array([heads_needed(float(value), work_s, mix, PROMISE_SHARE) for value in whole], dtype=np.float64),
        desk=heads.sum(axis=0),
        pools=tuple((pool.name, scheduled[p], heads[p]) for p, pool in enumerate(pools)),
        work_s=work_s,
        mix=mix,
        runs=len(seen),
        few=tuple(LANGUAGES[n] for n in there if total[n] < FEW_CASES),
    )


def _sizes(sizes: Sequence[float | None]) -> list[float | None]:
    """At most nine sizes that stand for all of them."""
    drawn = sorted(size for size in sizes if size is not None)
    if not drawn:
        return [None]
    if len(drawn) <= MOST_SIZES:
        return list(drawn)
    return [float(q) for q in np.quantile(drawn, (np.arange(MOST_SIZES) + 0.5) / MOST_SIZES)]


def _hourly(quarters: FloatArray, hours: int) -> FloatArray:
    """Means of each hour; the last one may be shorter."""
    first = np.arange(hours) * PER_HOUR
    used = quarters[:, : hours * PER_HOUR]
    if used.shape[1] <= first[-1]:  # nothing is known of what comes then
        used = np.pad(used, ((0, 0), (0, hours * PER_HOUR - used.shape[1])))
    out: FloatArray = np.add.reduceat(used, first, axis=1) / np.diff(np.append(first, used.shape[1]))
    return out


def _mix(seen: Sequence[Seen], desk: Desk) -> tuple[tuple[float, float], ...]:
    """Shares of the cases by promise; the desk's last class if there were no cases."""
    counts: dict[float, int] = {}
    for run in seen:
        for seconds, number in run.promises.items():
            counts[seconds] = counts.get(seconds, 0) + number
    whole = sum(counts.values())
    if not whole:
        return ((1.0, desk.classes[-1].promise_min * 60.0),)
    return tuple((counts[seconds] / whole, seconds) for seconds in sorted(counts))


def _short(cases: Sequence[int], kept: Sequence[int]) -> tuple[float, float | None]:
    """Mean cases a run, and the share of the runs with cases in which the promise was missed."""
    mean = float(np.mean(cases))
    some = [(n, k) for n, k in zip(cases, kept, strict=True) if n > 0]
    if mean < FEW_IN_A_BLOCK or not some:
        return mean, None
    return mean, sum(bool(k < PROMISE_SHARE * n - 1e-9) for n, k in some) / len(some)
