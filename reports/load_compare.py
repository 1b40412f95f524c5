"""Two load tests held against each other: files in, intervals and a verdict out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from loadtests.compare import LEVEL, Compared, Difference, Margins, compare
from loadtests.health import Verdict, judge
from loadtests.result import LoadResult, load
from reports.load_live import ms
from reports.tables import show
from scenarios.errors import Fault, InputError

RESULT = "load.npz"
INVALID = 4


@dataclass(frozen=True)
class CompareAnswer:
    """Both runs, whether their generators were in order, and the comparison."""

    names: tuple[str, str]
    verdicts: tuple[Verdict, Verdict]
    told: Compared

    @property
    def valid(self) -> bool:
        return all(verdict.valid for verdict in self.verdicts)

    @property
    def code(self) -> int:
        """Exit code: 4 if a generator was not in order, 1 if the second run is worse by more than a margin."""
        return INVALID if not self.valid else 1 if self.told.worse else 0

    @property
    def headline(self) -> str:
        """The one sentence."""
        if not self.valid:
            wrong = [name for name, verdict in zip(self.names, self.verdicts, strict=True) if not verdict.valid]
            return f"Invalid: the generator was not in order in {' and '.join(wrong)}."
        worse, unsure = self.told.worse, [d for d in self.told.differences if d.verdict == "cannot tell"]
        if worse:
            return f"{self.names[1]} is worse: {', '.join(d.measure.title for d in worse)}."
        told = f"{self.names[1]} is not worse than {self.names[0]} by more than the margins"
        if unsure:
            return f"{told}, as far as can be told: {', '.join(d.measure.title for d in unsure)} may be."
        return f"{told}."

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON; of a run that is not valid no difference is told."""
        told = self.told.to_dict() if self.valid else {**self.told.to_dict(), "differences": [], "worse": []}
        generators = [verdict.to_dict() for verdict in self.verdicts]
        return {"runs": list(self.names), "headline": self.headline, "generators": generators, **told}


def ask(first: Path, second: Path, margins: Margins, seed: int) -> CompareAnswer:
    """Compare two runs: folders of `ashcloud load`, or their ``load.npz``.

    Raises
    ------
    AshcloudError
        If one is missing, damaged, too short, or was ended before all was sent.
    """
    results = _read(first), _read(second)
    wrong = [
        Fault(str(path), f"was {result.about['status']} before all was sent, so it is no measure; run it to its end")
        for path, result in zip((first, second), results, strict=True)
        if result.about["status"] != "finished"
    ]
    if wrong:
        raise InputError(None, wrong)
    told = compare(*results, margins, np.random.default_rng(seed))
    verdicts = judge(results[0]), judge(results[1])
    return CompareAnswer((str(first), str(second)), verdicts, told)


def _read(path: Path) -> LoadResult:
    return load(path / RESULT if path.is_dir() else path)


def draw(console: Console, answer: CompareAnswer) -> None:
    """Print the table and the verdict."""
    if answer.valid:
        columns = ("", *answer.names, "change", f"{100 * LEVEL:.0f} % interval", "margin", "verdict")
        show(console, columns, [_row(each) for each in answer.told.differences], (1, 2, 3, 4, 5))
        console.print()
    console.print(answer.headline, soft_wrap=True)
    for name, verdict in zip(answer.names, answer.verdicts, strict=True):
        for reason in verdict.reasons:
            console.print(f"{name}: {reason}", soft_wrap=True)
    told = answer.told
    pairs = "the same blocks in both" if told.paired else "each run by itself"
    console.print(f"Intervals by drawing blocks of {told.block_s:.3g} s anew, {pairs}.", soft_wrap=True)


def _row(each: Difference) -> tuple[str, ...]:
    latency = each.measure.kind == "latency"

    def value(number: float | None) -> str:
        if number is None:
            return "-"
        return ms(number) if latency else f"{number:.2%}"

    def change(number: float | None) -> str:
        if number is None:
            return "-"
        return f"{number:+.1%}" if latency else f"{100 * number:+.2f} pt"

    interval = "-" if each.low is None else f"{change(each.low)} to {change(each.high)}"
    margin = f"{each.margin:.0%}" if latency else f"{100 * each.margin:g} pt"
    return (
        each.measure.title,
        value(each.first),
        value(each.second),
        change(each.change),
        interval,
        margin,
        each.verdict,
    )
