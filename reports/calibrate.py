"""A history in, a scenario file out, and how far it is to be trusted."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from reports import formats as fm
from reports.make import Voice
from reports.tables import show
from reports.traces import checked_times
from scenarios.digest import digest
from scenarios.errors import Fault, InputError
from scenarios.history.calibrate import Calibrated, calibrated
from scenarios.history.columns import Map
from scenarios.history.durations import FittedLaw
from scenarios.history.histories import Gaps, read_history
from scenarios.history.told import FEWEST_GONE, Window
from scenarios.history.written import toml_of
from scenarios.laws import Exponential
from scenarios.names import Language, members
from scenarios.storage import write_atomic

ENDING = ".toml"
FIGURES = (".png", ".svg")
LEVEL = 0.05
NOISE_WORDS = {
    "day_sd": "noise from day to day",
    "day_ar": "its correlation with the next day",
    "hour_sd": "noise from hour to hour",
    "hour_memory_h": "its memory, hours",
}


@dataclass(frozen=True)
class CalibrateAnswer:
    """What came out, and the file it is in."""

    done: Calibrated
    out: Path

    def clock(self, hours: float) -> datetime:
        """Local time at so many hours from the start of the history."""
        series = self.done.fit.series
        return datetime.fromtimestamp(series.start_s + 3600.0 * hours, UTC).astimezone(series.zone)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        done = self.done
        fit, errors, series = done.fit, done.errors, done.fit.series
        total = series.counts.sum(axis=0)
        return {
            "scenario": done.scenario.name,
            "file": str(self.out),
            "digest": digest(done.scenario),
            "source": done.history.digest,
            "rows": done.history.rows,
            "contacts": int(total.sum()),
            "mentions": None if series.mentions is None else int(series.mentions.sum()),
            "by_language": {str(x): int(total[i]) for i, x in enumerate(members(Language)) if total[i]},
            "timezone": series.zone.key,
            "start_local": self.clock(0.0).isoformat(),
            "end_local": self.clock(series.n * series.step_h).isoformat(),
            "interval_min": series.step_s / 60.0,
            "hours_known": float(np.count_nonzero(series.known)) * series.step_h,
            "hours_held_out": float(np.count_nonzero(series.known & ~fit.used)) * series.step_h,
            "cases_per_h": {
                "value": float(fit.base.week.per_h.sum()) * fit.base.level.now,
                "error": errors.cases_per_h,
            },
            "level": {"smoothing": fit.base.level.smoothing, "now": fit.base.level.now},
            "noise": {
                name: {"value": float(getattr(fit.noise, name)), "error": errors.noise[name]} for name in NOISE_WORDS
            },
            "surges": [self._surge(i) for i in range(len(fit.pulses))],
            "handling_min": _law(done.handling),
            "handling_min_by_topic": {str(topic): _law(law) for topic, law in done.by_topic.items()},
            "patience_h": _law(done.patience),
            "means": {words: {"value": mean, "error": error or None} for words, mean, error in means(done)},
            "held_back": None if done.held_back is None else asdict(done.held_back),
            "chance_wape": errors.chance_wape,
            "rescaled": None if done.rescaled is None else asdict(done.rescaled),
            "notes": list(done.notes),
        }

    def _surge(self, place: int) -> dict[str, Any]:
        done, each = self.done, self.done.fit.pulses[place]
        names = ("at_h", "rise_h", "plateau_h", "tau_h", "excess")
        fit = done.fit
        edges = np.arange(fit.series.n + 1, dtype=np.float64) * fit.series.step_h
        more = float((each.mean(edges) * fit.expected * fit.series.known).sum())
        return {
            "start_local": self.clock(each.at_h).isoformat(timespec="minutes"),
            **{name: getattr(each, name) for name in names},
            "cases": 1.0 + each.excess,
            "mentions": 1.0 + float(done.mentions[place]),
            "contacts": more,
            "errors": dict(zip(names, done.errors.pulses[place].tolist(), strict=True)),
        }


def write(
    history: Path, given: str, out: Path, zone: str | None, local: str | None, gaps: Gaps, window: Window, seed: int,
    figure: Path | None, voice: Voice,
) -> CalibrateAnswer:  # fmt: skip
    """Fit a scenario to a history and write it, and the figure if one is wanted.

    Raises
    ------
    AshcloudError
        With all that is wrong in the table or the map, or if the file cannot be written.
    """
    wrong = [] if out.suffix == ENDING else [Fault(f"--out {out}", f"should end in {ENDING}")]
    if figure is not None and figure.suffix not in FIGURES:
        wrong.append(Fault(f"--figure {figure}", f"should end in {' or '.join(FIGURES)}"))
    _, more = checked_times(zone, local, None)
    if wrong or more:
        raise InputError(None, [*wrong, *more])
    voice.say(f"reading {history}")
    read = read_history(history, Map.load(given), zone, local, gaps)
    name = re.sub(r"[^a-z0-9_\-]+", "-", out.stem.casefold()).strip("-_") or "history"
    done = calibrated(read, name, window, seed, watch=voice.say)
    content = toml_of(done)
    if figure is not None:
        from reports import calibrate_figure  # matplotlib takes a second
        from reports.drawing import alone

        drawing, png = calibrate_figure.drawn(done)
        write_atomic(figure, png if figure.suffix == ".png" else alone(drawing).encode())
    write_atomic(out, content)
    return CalibrateAnswer(done, out)


def draw(console: Console, told: CalibrateAnswer) -> None:
    """Print what was estimated, how well it foretells, and what to know."""
    facts = told.to_dict()
    done = told.done
    first, last = (datetime.fromisoformat(facts[key]) for key in ("start_local", "end_local"))
    console.print(f"scenario  {facts['scenario']} in {facts['file']}", soft_wrap=True)
    console.print(
        f"history   {facts['contacts']:,} contacts in {facts['rows']:,} rows, {fm.clock(first, year=True)} to "
        f"{fm.clock(last, year=True)}, {facts['timezone']}".replace(fm.NBSP, " "),
        soft_wrap=True,
    )
    console.print()
    rows = [("contacts an hour", _number(facts["cases_per_h"]["value"]), _number(facts["cases_per_h"]["error"]))]
    rows += [
        (words, _number(facts["noise"][name]["value"]), _number(facts["noise"][name]["error"]))
        for name, words in NOISE_WORDS.items()
    ]
    rows += [*_law_rows("work on a case, minutes", done.handling), *_law_rows("patience, hours", done.patience)]
    rows += [(words, _number(mean), _number(error) if error else "") for words, mean, error in means(done)]
    show(console, ("estimate", "value", "+-"), rows, (1, 2))
    _surges(console, facts)
    console.print()
    for line in (*sentences(facts), *(f"note: {note}" for note in done.notes)):
        console.print(line.replace(fm.NBSP, " "), soft_wrap=True)


def _surges(console: Console, facts: Mapping[str, Any]) -> None:
    if not facts["surges"]:
        return
    rows = [
        (
            fm.clock(datetime.fromisoformat(each["start_local"]), year=True).replace(fm.NBSP, " "),
            *(f"{_number(each[name])} +- {_number(each['errors'][name])}" for name in ("rise_h", "plateau_h", "tau_h")),
            f"{_number(each['cases'])} +- {_number(each['errors']['excess'])}",
            f"{each['contacts']:,.0f}",
        )
        for each in facts["surges"]
    ]
    console.print()
    columns = ("surge began", "rise h", "plateau h", "decay h", "times the base", "more contacts")
    show(console, columns, rows, (1, 2, 3, 4, 5))


def sentences(facts: Mapping[str, Any]) -> list[str]:
    """What the checks say."""
    out = []
    held, test = facts["held_back"], facts["rescaled"]
    if held is None:
        out.append("Held-back weeks: the history is too short for a forecast to be checked.")
    else:
        weeks = "the last week" if held["weeks"] == 1 else f"the last {held['weeks']} weeks"
        mean = (
            f"the mean of the same weekday's last {held['behind']} weeks" if held["behind"] > 1 else "the week before"
        )
        out.append(
            f"Held back, {weeks}, {held['hours']:,} hours outside of surges: WAPE {_percent(held['model']['wape'])}, "
            f"bias {_signed(held['model']['bias'])}; {mean} has WAPE {_percent(held['baseline']['wape'])}, bias "
            f"{_signed(held['baseline']['bias'])}. Chance alone makes a WAPE of {_percent(facts['chance_wape'])}."
        )
    if test is None:
        out.append("Time-rescaled residuals: the last third has too few contacts for a test.")
    else:
        verdict = "come as the model says" if test["p"] >= LEVEL else "do not come as the model says"
        out.append(
            f"Time-rescaled residuals of the last third: its {test['n']:,} contacts {verdict} (KS distance "
            f"{test['distance']:.4f}, p = {test['p']:.3f}; serial correlation {test['serial']:+.3f})."
        )
    return out


def means(done: Calibrated) -> list[tuple[str, float, float]]:
    """Means of laws where the history has sums only: words, mean, and its error where it is known, else 0."""
    told, behaviour = done.history.means, done.scenario.behaviour
    out = []
    if done.handling is None and told.handled > 0:
        out.append(("work on a case, minutes: mean", behaviour.handling_min["default"].mean(), 0.0))
    law = behaviour.patience_h
    if done.patience is None and told.abandoned >= FEWEST_GONE and isinstance(law, Exponential):
        out.append(("patience, hours: mean", law.mean(), law.mean() / math.sqrt(told.abandoned)))
    return out


def _law_rows(words: str, law: FittedLaw | None) -> list[tuple[str, str, str]]:
    if law is None:
        return []
    return [(f"{words}: {name}", _number(value), _number(law.errors[name])) for name, value in law.numbers.items()]


def _law(law: FittedLaw | None) -> dict[str, Any] | None:
    if law is None:
        return None
    return {
        "kind": law.law.kind, **law.numbers, "errors": law.errors, "lengths": law.n, "ended": law.ended, "gap": law.gap,
    }  # fmt: skip


def _number(value: float) -> str:
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _signed(share: float) -> str:
    return f"{100 * share:+.1f} %"
