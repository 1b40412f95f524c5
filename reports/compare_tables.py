"""A comparison on the terminal: key measures first, what it means, then all the others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console

from reports import formats as fm
from reports.compare_words import cell, counts, gap, words
from reports.compared import Compared
from reports.tables import show
from sim.compare import COMPARED, KEY
from sim.estimate import LEVEL

RUNS = "runs better / same / worse"
INTERVAL = f"{fm.share(LEVEL)} interval".replace(fm.NBSP, " ")


def comparison(console: Console, told: Compared) -> None:
    """Print the whole comparison."""
    settings = told.settings
    runs = "1 run" if len(told.days) == 1 else f"{len(told.days)} runs"
    hours = "" if settings.hours is None else f", first {settings.hours:g} hours"
    names = fm.listed([f"'{name}'" for name in told.names])
    about = f"{runs}, seed {settings.seed}{hours}; differences from '{told.names[0]}'"
    console.print(f"{told.scenario.name}: {names}; {about}", soft_wrap=True)
    _table(console, told, KEY)
    said = words(told)
    _lines(console, (said.headline, *said.rankings))
    _lines(console, said.worlds)
    _drawn(console, told)
    _table(console, told, [name for name in COMPARED if name not in KEY])
    _lines(console, (said.sure, *said.cautions))


def _table(console: Console, told: Compared, names: Iterable[str]) -> None:
    if not console.is_terminal:  # tables on a terminal bring their own
        console.print()
    if len(told.names) == 2:
        show(console, ("", *told.names, "difference", INTERVAL, RUNS), _lone(told, names), numbers=(1, 2, 3, 4))
    else:
        rows = [row for name in names for row in _measure(told, name)]
        show(console, ("", "mean", "difference", INTERVAL, RUNS), rows, numbers=(1, 2, 3))


def _lone(told: Compared, names: Iterable[str]) -> list[tuple[str, ...]]:
    """One alternative beside the baseline: a line a measure."""
    rows = []
    for name in names:
        found = told.pair(name, 1, 0)
        means = (cell(name, summary[name]) for summary in told.summaries)
        rows.append((COMPARED[name].title, *means, *gap(found), counts(found)))
    return rows


def _measure(told: Compared, name: str) -> Iterator[tuple[str, ...]]:
    """Several: a line for the measure, and one for each alternative."""
    yield COMPARED[name].title, "", "", "", ""
    for at, who in enumerate(told.names):
        found = told.pair(name, at, 0) if at else None
        rest = ("", "", "") if found is None else (*gap(found), counts(found))
        yield f"  {who}", cell(name, told.summaries[at][name]), *rest


def _lines(console: Console, lines: Iterable[str]) -> None:
    listed = list(lines)
    if listed:
        console.print()
    for line in listed:
        console.print(line.replace(fm.NBSP, " "), soft_wrap=not console.is_terminal)


def _drawn(console: Console, told: Compared) -> None:
    """What the worlds draw, and what they cannot."""
    if told.assumed is None:
        return
    ranges = [f"{each.what} ({each.low:g} to {each.high:g})" for each in told.assumed.ranges]
    lines = [f"Drawn in the worlds: {', '.join(ranges)}."]
    reasons: dict[str, list[str]] = {}
    for left in told.assumed.left_out:
        reasons.setdefault(left.why, []).append(left.what)
    lines += [f"Not drawn, because it {why}: {', '.join(whats)}." for why, whats in reasons.items()]
    _lines(console, lines)
