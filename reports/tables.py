"""Tables and lines for the terminal; plain where nobody looks at one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table

from reports import formats as fm
from reports.make import Answer
from reports.names import LANGUAGES, PILLARS
from reports.rerun import Comparison
from reports.runs import REPORT
from reports.words import PROMISE, Verdict, of_size
from scenarios.names import Language
from sim.measures import MEASURES

LANGUAGE_COLUMNS = (
    ("cases", "cases"),
    ("answered_within_60min_share", "within 60 min"),
    ("unanswered_share", "never answered"),
    ("first_response_p50_s", "median first response"),
    ("gave_up_share", "gave up"),
)


def show(
    console: Console, columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] | None = None
) -> None:
    """Print a table: columns of `numbers` (by default all but the first) to the right; words in the last one wrap."""
    right = range(1, len(columns)) if numbers is None else numbers
    cells = [[cell.replace(fm.NBSP, " ") for cell in row] for row in rows]
    if not console.is_terminal:
        for line in _plain([list(columns), *cells], right):
            console.print(line, soft_wrap=True)
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for i, name in enumerate(columns):
        wraps = i == len(columns) - 1 and i not in right
        table.add_column(name, justify="right" if i in right else "left", no_wrap=not wraps, overflow="fold")
    for row in cells:
        table.add_row(*row)
    console.print(table)


def _plain(rows: Sequence[Sequence[str]], right: Collection[int]) -> Iterator[str]:
    """Columns of equal width as they look, without a frame and without spaces at the end."""
    widths = [max(cell_len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        space = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        yield "  ".join(space[i] + cell if i in right else cell + space[i] for i, cell in enumerate(row)).rstrip()


def figures(console: Console, told: Mapping[str, Any]) -> None:
    """Print what `reports.summary.summary` gives: measures by pillar, languages, the bottleneck."""
    runs = "1 run" if told["finished"] == 1 else f"{told['finished']} runs"
    head = f"{told['scenario']} on {told['desk']}: {runs}, seed {told['seed']}, {_asked(told)}"
    console.print(head, soft_wrap=True)
    for pillar, title in PILLARS.items():
        rows = [
            (f"  {each.title}", *_value(name, told["measures"][name]))
            for name, each in MEASURES.items()
            if each.pillar == pillar and name in told["measures"]
        ]
        _gap(console)
        show(console, (title, "mean", f"{told['level']:.0%} interval", ""), rows, numbers=(1, 2))
    _gap(console)
    show(console, ("Language", *(title for _, title in LANGUAGE_COLUMNS)), _languages(told))
    _gap(console)
    console.print(bottleneck(told))
    judged = told["measures"].get(PROMISE, {}).get("of_size")
    if judged is not None and (said := of_size(judged["share"], judged["low"], judged["high"])):
        console.print(said.replace(fm.NBSP, " "))


def _gap(console: Console) -> None:
    if not console.is_terminal:  # tables on a terminal bring their own
        console.print()


def answer(console: Console, told: Answer) -> None:
    """Print the figures, then what the page says and where it is."""
    if told.figures is not None:
        figures(console, told.figures)
    if told.verdict is not None and told.folder is not None:
        console.print()
        verdict(console, told.verdict, told.folder)


def verdict(console: Console, told: Verdict, run: Path) -> None:
    """Print what the page of a run folder says first, and where it is."""
    for line in (told.headline, told.advice, *told.findings, told.sure):
        console.print(line.replace(fm.NBSP, " "), soft_wrap=not console.is_terminal)
    console.print(f"report: {run / REPORT}", soft_wrap=True)


def bottleneck(told: Mapping[str, Any]) -> str:
    """The language that fares worst, in a sentence."""
    found = told["bottleneck"]
    if found is None:
        return "No language has cases enough to name a bottleneck."
    share = fm.share(found["answered_within_60min_share"]).replace(fm.NBSP, " ")
    return f"Bottleneck language: {LANGUAGES[Language(found['language'])]}, {share} answered within 60 minutes."


def _asked(told: Mapping[str, Any]) -> str:
    words = [f"surge size {told['size']}"]
    words += [f"first {told['hours']:g} hours"] if told["hours"] is not None else []
    words += [f"up to {told['drain_h']:g} hours beyond the end"] if told["drain_h"] else []
    words += [f"measured after {told['warm_up_h']:g} hours"] if told.get("warm_up_h") else []
    words += [f"waiting at the start {told['backlog']}"] if told.get("backlog") else []
    return ", ".join([*words, f"{told['engine']} engine"])


def _value(name: str, row: Mapping[str, Any]) -> tuple[str, str, str]:
    """Mean, interval, and what else there is to say."""
    beyond = row.get("beyond_window", 0.0)
    if row["mean"] is None:
        return "not reached" if beyond else "no such cases", "", ""
    scale = fm.scale(MEASURES[name].unit, row["mean"])
    interval = "" if row["low"] is None else scale.span(row["low"], row["high"])
    return scale.one(row["mean"]), interval, f"not reached in {fm.share(beyond)} of runs" if beyond else ""


def _languages(told: Mapping[str, Any]) -> list[tuple[str, ...]]:
    rows = sorted(told["by_language"].items(), key=lambda item: -(item[1]["cases"]["mean"] or 0.0))
    return [
        (f"  {LANGUAGES[Language(name)]}", *(_value(each, row[each])[0] for each, _ in LANGUAGE_COLUMNS))
        for name, row in rows
    ]


def comparison(console: Console, told: Comparison) -> None:
    """Print what a rerun found."""
    for file, columns in told.differences.items():
        console.print(f"{file}: {', '.join(columns)}", soft_wrap=True)
    if told.compared < told.stored:
        console.print(
            f"{told.folder}: interrupted, {told.compared} of {told.stored} runs were compared", soft_wrap=True
        )
    elif told.differences:
        console.print(f"{told.folder}: {_files(len(told.differences))} not as they were", soft_wrap=True)
    else:
        runs = "its run" if told.compared == 1 else f"all {told.compared} runs"
        console.print(f"{told.folder}: {runs} gave the same rows again", soft_wrap=True)


def _files(n: int) -> str:
    return "1 file is" if n == 1 else f"{n} files are"
