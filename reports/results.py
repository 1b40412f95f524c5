"""What the front door of the library hands out: results with columns for a data frame and a calm table."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports import formats as fm
from reports.compare_words import Words, cell, counts, gap, words
from reports.compared import Compared, CompareSettings
from reports.manifest import Settings
from reports.names import PILLARS
from scenarios.model import Scenario
from sim.compare import COMPARED, KEY, Day
from sim.desk import Desk
from sim.differences import value
from sim.estimate import LEVEL, summarise
from sim.measures import MEASURES, Measure
from sim.replicate import Replication

Columns = dict[str, NDArray[Any]]
"""Columns of the same length; ``pandas.DataFrame(columns)`` and ``polars.DataFrame(columns)`` take them."""

STYLE = "text-align:right;padding:.2em .8em;font-variant-numeric:tabular-nums"


@dataclass(frozen=True)
class Simulated:
    """Some runs of a scenario on a desk.

    Attributes
    ----------
    scenario, desk : Scenario, Desk
        The desk has the plan that was played.
    settings : Settings
    replications : tuple of Replication
        One a run: digests, and measures in all, by language and by promise class.
    """

    scenario: Scenario
    desk: Desk
    settings: Settings
    replications: tuple[Replication, ...]

    @cached_property
    def measures(self) -> dict[str, dict[str, Any]]:
        """By id: `mean`, `low` and `high` of its 95 % interval, `runs`; see `sim.estimate.summarise`."""
        return summarise([run.row for run in self.replications])

    def to_columns(self) -> Columns:
        """One row a run and measure: `run`, `measure`, `unit`, `value`.

        `value` is float64: inf where a time was not reached before the end of the run, nan where a measure
        has no meaning (no such cases). Shares are 0 to 1, times are in seconds.
        """
        rows = [(run.number, each, value(each, run.row)) for run in self.replications for each in MEASURES.values()]
        return {
            "run": np.array([number for number, _, _ in rows], dtype=np.int64),
            "measure": np.array([each.id for _, each, _ in rows]),
            "unit": np.array([each.unit for _, each, _ in rows]),
            "value": np.array([number for _, _, number in rows], dtype=np.float64),
        }

    def __repr__(self) -> str:
        return f"<{self.scenario.name} on {self.desk.name}: {_runs(len(self.replications), self.settings)}>"

    def _repr_html_(self) -> str:
        """A table of the means with their intervals, for notebooks."""
        head = ("", "mean", f"{fm.share(LEVEL)} interval")
        body: list[tuple[str, ...]] = []
        for pillar, title in PILLARS.items():
            body.append((title,))
            body += [
                (each.title, cell(name, row := self.measures[name]), _span(each, row))
                for name, each in MEASURES.items()
                if each.pillar == pillar
            ]
        return _table(f"{self!r}"[1:-1], head, body)


@dataclass(frozen=True, repr=False)
class ComparisonResult:
    """Alternatives on the same days; the first one is the baseline."""

    compared: Compared

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the alternatives."""
        return self.compared.names

    @cached_property
    def words(self) -> Words:
        """Who is better and who cannot be told apart; see `reports.compare_words.Words`."""
        return words(self.compared)

    @property
    def measures(self) -> dict[str, dict[str, dict[str, Any]]]:
        """By alternative and measure: mean and interval, as `Simulated.measures`."""
        return {
            name: {each: dict(row) for each, row in summary.items()}
            for name, summary in zip(self.names, self.compared.summaries, strict=True)
        }

    def difference(self, measure: str, alternative: str, against: str | None = None) -> dict[str, Any]:
        """The paired difference of one alternative from another, by default from the baseline.

        Returns
        -------
        dict
            The fields of `sim.differences.Difference`: `mean`, `low`, `high`, `joint`, counts of runs, `order`.

        Raises
        ------
        KeyError
            If there is no such measure or alternative.
        """
        return asdict(self.compared.pair(measure, self._place(alternative), self._place(against or self.names[0])))

    def _place(self, name: str) -> int:
        if name not in self.names:
            raise KeyError(f"{name!r} is no alternative; there are {', '.join(self.names)}")
        return self.names.index(name)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; as `ashcloud compare --json` prints it."""
        return self.compared.to_dict()

    def to_columns(self) -> Columns:
        """One row a run, alternative and measure: `run`, `world`, `alternative`, `measure`, `unit`, `value`.

        `world` is -1 for runs in which everything is as the files say. `value` as for `Simulated.to_columns`.
        """
        rows = [
            (day.number, -1 if day.world is None else day.world, name, each, value(each, row))
            for day in self._days()
            for name, row in zip(self.names, day.rows, strict=True)
            for each in COMPARED.values()
        ]
        return {
            "run": np.array([row[0] for row in rows], dtype=np.int64),
            "world": np.array([row[1] for row in rows], dtype=np.int64),
            "alternative": np.array([row[2] for row in rows]),
            "measure": np.array([row[3].id for row in rows]),
            "unit": np.array([row[3].unit for row in rows]),
            "value": np.array([row[4] for row in rows], dtype=np.float64),
        }

    def _days(self) -> Iterator[Day]:
        yield from self.compared.days
        for days in self.compared.world_days.values():
            yield from days

    def __repr__(self) -> str:
        told = self.compared
        return f"<{told.scenario.name}: {' / '.join(self.names)}, {_runs(len(told.days), told.settings)}>"

    def _repr_html_(self) -> str:
        """The key measures of all alternatives and their differences from the baseline, for notebooks."""
        body: list[tuple[str, ...]] = []
        for name in KEY:
            body.append((COMPARED[name].title,))
            for at, who in enumerate(self.names):
                found = self.compared.pair(name, at, 0) if at else None
                rest = ("", "", "") if found is None else (*gap(found), counts(found))
                body.append((who, cell(name, self.compared.summaries[at][name]), *rest))
        head = ("", "mean", "difference", f"{fm.share(LEVEL)} interval", "runs better / same / worse")
        said = "".join(f"<p>{html.escape(line)}</p>" for line in (self.words.headline, *self.words.worlds[:1]))
        return _table(f"{self!r}"[1:-1], head, body) + said


def _runs(count: int, settings: Settings | CompareSettings) -> str:
    hours = "" if settings.hours is None else f", first {settings.hours:g} hours"
    return f"{count} run{'s' if count != 1 else ''}, seed {settings.seed}{hours}"


def _span(measure: Measure, row: Mapping[str, Any]) -> str:
    if row["mean"] is None or row["low"] is None:
        return ""
    return fm.scale(measure.unit, row["mean"]).span(row["low"], row["high"])


def _table(caption: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """An HTML table; a row of one text is a heading."""

    def cells(tag: str, texts: Sequence[str]) -> str:
        first = f'<{tag} style="text-align:left;padding:.2em .8em .2em 0">{html.escape(texts[0])}</{tag}>'
        return first + "".join(f'<{tag} style="{STYLE}">{html.escape(text)}</{tag}>' for text in texts[1:])

    title = f'<tr><th colspan="{len(head)}" style="text-align:left;padding:.7em 0 .2em">'
    lines = [
        f"<tr>{cells('td', row)}</tr>" if len(row) > 1 else f"{title}{html.escape(row[0])}</th></tr>" for row in body
    ]
    return (
        f"<table><caption style='text-align:left'>{html.escape(caption)}</caption>"
        f"<thead><tr>{cells('th', head)}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
    )
