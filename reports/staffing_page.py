"""The section of a report on staff, as texts that its template lays out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from reports import formats as fm
from reports import staffing_words
from reports.data import ReportData
from reports.names import LANGUAGES


@dataclass(frozen=True)
class TableView:
    """Names of columns and rows of texts; the first column names the row."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def section(data: ReportData) -> dict[str, Any]:
    """What the section on staff shows."""
    told, scenario = data.staffing, data.scenario
    names = tuple(LANGUAGES[language] for language in told.languages)
    blocks = staffing_words.block_rows(told, scenario) if names else []
    return {
        "sentence": staffing_words.sentence(told, scenario),
        "short": staffing_words.short_words(),
        "method": staffing_words.method(told),
        "languages": TableView(
            "Heads by language, each in its tightest block.",
            staffing_words.LANGUAGE_TITLES,
            tuple(staffing_words.language_rows(told, scenario)),
        ),
        "blocks": TableView(
            "Heads at the desk of heads needed, in the busiest hour of each block.", ("block", *names), tuple(blocks)
        ),
        "pools": TableView(
            "Means over the window and the runs; breaks and absence are out of those at the desk.",
            ("pool", "scheduled", "at the desk", "most at the desk", "fewest"),
            tuple(staffing_words.pool_rows(told)),
        ),
    }


def hours(data: ReportData) -> TableView:
    """All languages together by hour; every fourth hour of a long window."""
    told = data.staffing
    pick = range(0, told.load.size, 1 if told.load.size <= 96 else 4)
    rows = tuple(
        (
            fm.clock(data.clock(float(told.blocks.hours_s[i]))),
            fm.count(round(float(told.load[i]), 1)),
            fm.count(round(float(told.desk[i]), 1)),
            fm.count(int(told.needed[i])),
        )
        for i in pick
    )
    return TableView("", ("hour from", "load (erlangs)", "heads at the desk", "heads needed"), rows)
