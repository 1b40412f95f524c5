"""What a report says of who is needed and who is there: a sentence, tables, and the same as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from reports import formats as fm
from reports.names import LANGUAGES
from reports.staffing import FEW_IN_A_BLOCK, SHORT, Cell, Staffing
from scenarios.model import Scenario
from sim.measures import PROMISE_SHARE
from sim.staff.duty import safe

FILE = "staffing.csv"
COLUMNS = (
    "kind", "name", "start_local", "start_utc", "hours", "busiest_hour_local", "load_erlangs", "heads_scheduled",
    "heads_at_desk", "heads_needed", "change", "occupancy", "cases_per_run", "p_short",
)  # fmt: skip
WORDS = {6: "six hours", 24: "a day"}


def sentence(told: Staffing, scenario: Scenario) -> str:
    """Who is short, when, by how much."""
    block = WORDS[told.blocks.length_h]
    worst = told.worst
    if worst is not None:
        hour = scenario.clock(float(told.blocks.hours_s[worst.hour]))
        return (
            f"Most short: {LANGUAGES[worst.language]}, {when(told, scenario, worst.block)}, by "
            f"{heads(worst.change)}. {worst.needed:,} are needed at {hour:%H:%M} and "
            f"{fm.about(round(worst.desk, 1))} can be there for it; {_missed(worst, told)}."
        )
    judged = [cell for cell in told.cells if cell.p_short is not None]
    if not judged:
        return "No language has cases enough to judge."
    missed = sum((cell.p_short or 0.0) > SHORT for cell in judged)
    if missed:
        blocks = "block" if missed == 1 else "blocks"
        return (
            "Nobody is short of heads by the formula, yet most runs miss the promise in "
            f"{missed:,} {blocks} of {block}: what waits from before, faults and chance are not in the formula."
        )
    return f"Nobody is short: no language misses its promise in a block of {block} in most of the runs."


def heads(number: int) -> str:
    """1 head, 14 heads."""
    return f"{number:,} head{'' if number == 1 else 's'}"


def _missed(cell: Cell, told: Staffing) -> str:
    if told.runs == 1:
        return "the promise is missed in the one run"
    return f"the promise is missed in {fm.share(cell.p_short or 0.0)} of the runs"


def when(told: Staffing, scenario: Scenario, block: int) -> str:
    """Tue 20 Apr, 06:00–12:00."""
    start, end = (scenario.clock(float(at)) for at in told.blocks.edges_s[block : block + 2])
    return f"{fm.clock(start)}–{end:%H:%M}"


def method(told: Staffing) -> str:
    """How all of it is worked out, in a few sentences."""
    limits = fm.listed([fm.duration(seconds) for _, seconds in told.mix])
    left_out = ""
    if told.few:
        names = fm.listed([LANGUAGES[each] for each in told.few])
        left_out = f" Left out, with too few cases: {names}."
    return (
        "By formula, not played: needed is Erlang C on the modified offered load of the scenario's curves, for "
        f"{fm.share(PROMISE_SHARE)} answered within the promise ({limits}) at {fm.duration(told.work_s)} of work "
        "a turn; it knows no queue from before, no levers of a plan, no faults, no posts that waiting brings "
        "about, nobody who gives up. At the desk is a mean over the runs, with breaks and absence out and those "
        "called in; who speaks several languages counts for one only as far as the others' work leaves them "
        "free. Each block is looked at in its busiest hour. Colours: heads that lack by formula, the most at "
        f"the right.{left_out}"
    )


def short_words() -> str:
    """What P(short) is."""
    return (
        f"P(short): share of the runs in which fewer than {fm.share(PROMISE_SHARE)} of the cases posted in the block "
        f"had their answer within their promise; a dash: fewer than {FEW_IN_A_BLOCK:g} cases a run. Occupancy: load "
        "for each head at the desk; above 100 % the queue grows."
    )


LANGUAGE_TITLES = (
    "language", "tightest block", "load (erlangs)", "at the desk", "needed", "change", "occupancy", "P(short)",
    "blocks short",
)  # fmt: skip


def language_rows(told: Staffing, scenario: Scenario) -> list[tuple[str, ...]]:
    """A row a language, at its tightest block: a short one before others, then the largest change."""
    out = []
    for language in told.languages:
        cells = told.of(language)
        worst = max(cells, key=lambda cell: (cell.is_short, cell.p_short is not None, cell.change, -cell.block))
        short = sum(cell.is_short for cell in cells)
        row = (LANGUAGES[language], when(told, scenario, worst.block), *_numbers(worst), f"{short} of {len(cells)}")
        out.append(row)
    return out


def _numbers(cell: Cell) -> tuple[str, ...]:
    return (
        fm.count(round(cell.load, 1)),
        fm.count(round(cell.desk, 1)),
        fm.count(cell.needed),
        change(cell.change),
        "nobody there" if cell.occupancy is None else f"{100 * cell.occupancy:,.0f}{fm.NBSP}%",
        "–" if cell.p_short is None else fm.share(cell.p_short),
    )


def change(number: int) -> str:
    """+14, −3, 0."""
    return f"{'+' if number > 0 else fm.MINUS if number < 0 else ''}{abs(number):,}"


def block_rows(told: Staffing, scenario: Scenario) -> list[tuple[str, ...]]:
    """A row a block: at the desk of needed, by language."""
    columns = [told.of(language) for language in told.languages]
    return [
        (
            when(told, scenario, block),
            *(f"{fm.count(round(column[block].desk, 1))} of {fm.count(column[block].needed)}" for column in columns),
        )
        for block in range(told.blocks.first.size)
    ]


def pool_rows(told: Staffing) -> list[tuple[str, ...]]:
    """A row a pool: mean heads on the schedule and at the desk, the most and the fewest at the desk in an hour."""
    return [
        (name, *(fm.count(round(float(value), 1)) for value in (plan.mean(), desk.mean(), desk.max(), desk.min())))
        for name, plan, desk in told.pools
    ]


def table(told: Staffing, scenario: Scenario, plan: Sequence[tuple[int, int, int, float | None, float]] = ()) -> bytes:
    """All of it as CSV: a row a language and block, all languages together, and each pool.

    `plan` are the blocks of a staffing plan, see `reports.staff_run_words.blocks`: rows of the kind ``requirement``.
    """
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS, *_rows(told, scenario, plan)])
    return text.getvalue().encode()


def _rows(
    told: Staffing, scenario: Scenario, plan: Sequence[tuple[int, int, int, float | None, float]]
) -> Iterator[tuple[Any, ...]]:
    blocks = told.blocks
    ends = [*blocks.first.tolist()[1:], blocks.hours_s.size - 1]

    def clock(at_s: float, zone: str | None = None) -> str:
        return scenario.clock(at_s, zone).isoformat(timespec="minutes")

    def head(kind: str, name: str, block: int) -> tuple[Any, ...]:
        start, end = (float(at) for at in blocks.edges_s[block : block + 2])
        return kind, name, clock(start), clock(start, "UTC"), f"{(end - start) / fm.HOUR_S:g}"

    for cell in told.cells:
        yield (
            *head("language", cell.language.value, cell.block), clock(float(blocks.hours_s[cell.hour])),
            f"{cell.load:.4f}", "", f"{cell.desk:.3f}", cell.needed, cell.change,
            "" if cell.occupancy is None else f"{cell.occupancy:.4f}", f"{cell.cases:.2f}",
            "" if cell.p_short is None else f"{cell.p_short:.4f}",
        )  # fmt: skip
    for block, (first, end) in enumerate(zip(blocks.first.tolist(), ends, strict=True)):
        hour = first + int(np.argmax(told.load[first:end]))
        load, desk, needed = (float(column[hour]) for column in (told.load, told.desk, told.needed))
        yield (
            *head("all", "", block), clock(float(blocks.hours_s[hour])), f"{load:.4f}", "", f"{desk:.3f}", int(needed),
            int(np.ceil(needed - desk - 1e-6)), f"{load / desk:.4f}" if desk > 1e-6 else "", "", "",
        )  # fmt: skip
    for block, hour, seats, _, here in plan:
        lack = int(np.ceil(seats - here - 1e-6))
        at = clock(float(blocks.hours_s[hour]))
        yield (*head("requirement", "", block), at, "", "", f"{here:.3f}", seats, lack, "", "", "")
    for name, paid, desk_heads in told.pools:
        for block, (first, end) in enumerate(zip(blocks.first.tolist(), ends, strict=True)):
            scheduled, there = f"{paid[first:end].mean():.3f}", f"{desk_heads[first:end].mean():.3f}"
            yield (*head("pool", safe(name), block), "", "", scheduled, there, "", "", "", "", "")
