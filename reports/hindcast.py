"""A recorded past against the model: files in, verdict, table by interval, figure out."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reports import drafts, hindcast_figure
from reports.drawing import alone
from reports.hindcast_words import Words, words
from reports.make import Voice
from reports.summary import to_json
from scenarios import library as scenario_library
from scenarios.clocks import local_time
from scenarios.digest import digest
from scenarios.history import actual as actuals
from scenarios.model import Scenario
from scenarios.names import Language, members
from scenarios.storage import write_atomic
from scenarios.traces import Trace, load
from sim import library as desk_library
from sim.desk import Desk
from sim.staff import recorded
from sim.staff.agreement import Part, band
from sim.staff.curves import LIMITS_S, Curves
from sim.staff.hindcast import Hindcast, hindcast, mean_wait_s

FloatArray = NDArray[np.float64]
RESULTS, TABLE = "hindcast.json", "intervals.csv"
HOUR_S = 3600.0


@dataclass(frozen=True)
class HindcastQuestion:
    """What was asked: files and names, and how it is played."""

    trace: Path
    desk: str
    scenario: str = "quiet_week"
    actual: Path | None = None
    runs: int = 39
    seed: int = 1
    interval_min: int = 15
    warm_up_h: float = 0.0
    workers: int | None = None


@dataclass(frozen=True)
class HindcastAnswer:
    """What came out, with what it was made of; `folder` is None if nothing was kept."""

    question: HindcastQuestion
    found: Hindcast
    trace: Trace
    actual: actuals.Actual
    scenario: Scenario
    desk: Desk
    folder: Path | None = None

    @property
    def code(self) -> int:
        """Exit code: 1 if the model is not to be trusted, else 0."""
        return 1 if self.found.verdict == "do not trust" else 0

    @property
    def days(self) -> Scenario:
        """The scenario on the days of the trace."""
        return recorded.behaviour(self.scenario, self.trace)

    def clock(self, t_s: float) -> datetime:
        """Local time at so many seconds from onset."""
        about = self.trace.about
        return local_time(datetime.fromisoformat(about["onset_local"]), about["timezone"], t_s)

    @property
    def words(self) -> Words:
        return words(self.found, self.clock)

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        found, said = self.found, self.words
        return {
            "verdict": found.verdict,
            "headline": said.headline,
            "where": list(said.where),
            "why": list(said.why),
            "desk": self.desk.name,
            "desk_digest": digest(self.desk),
            "scenario": self.scenario.name,
            "scenario_digest": digest(self.scenario),
            "trace_digest": self.trace.digest,
            "actual_digest": self.actual.digest,
            "version": self.actual.about["version"],
            "runs": len(found.runs),
            "seed": self.question.seed,
            "interval_min": self.question.interval_min,
            "warm_up_h": self.question.warm_up_h,
            "p": found.agreement.p,
            "parts": [_part(part) for part in found.agreement.parts],
            "coverage": {
                f"{what}_{round(100 * share)}": _number(value) for (what, share), value in found.covered.items()
            },
            "by_language": {
                _language(code): {"backlog_80": _number(inner), "backlog_95": _number(outer)}
                for code, (inner, outer) in found.by_language.items()
            },
            "outside": [
                {
                    "from": self.clock(float(found.clock.edges_s[s.first])).isoformat(timespec="minutes"),
                    "to": self.clock(float(found.clock.edges_s[s.last + 1])).isoformat(timespec="minutes"),
                    "actual": s.actual,
                    "simulated": s.simulated,
                }
                for s in found.stretches
            ],
            "heads": found.heads,
            "as_if": None if found.as_if is None else {
                "factor": found.as_if.factor, "low": found.as_if.low, "high": found.as_if.high,
                "beyond": found.as_if.beyond,
            },
            "seen_with_a_fifth_less": found.seen,
            "intervals": list(self.rows()),
        }  # fmt: skip

    def rows(self) -> Iterator[dict[str, Any]]:
        """A row an interval: what came, what really happened, and mean and bands of the runs."""
        found, edges = self.found, self.found.clock.edges_s
        cases = found.clock.counts().sum(axis=0)
        columns = {
            name: (one, np.stack([pick(past) for past in found.runs]))
            for name, pick in self._picks().items()
            for one in [pick(found.actual)]
        }
        bands = {name: [band(runs, share) for share in (0.8, 0.95)] for name, (_, runs) in columns.items()}
        means = {name: runs.mean(axis=0) for name, (_, runs) in columns.items()}
        for i in range(found.clock.intervals):
            row: dict[str, Any] = {
                "start_local": self.clock(float(edges[i])).isoformat(timespec="minutes"),
                "hours_from_onset": float(edges[i]) / HOUR_S,
                "cases": int(cases[i]),
            }
            for name, (one, _) in columns.items():
                row[f"{name}_actual"], row[f"{name}_simulated"] = _number(one[i]), _number(means[name][i])
                for share, (low, high) in zip((80, 95), bands[name], strict=True):
                    row[f"{name}_low_{share}"], row[f"{name}_high_{share}"] = _number(low[i]), _number(high[i])
            yield row

    def _picks(self) -> dict[str, Any]:
        """How to get each curve of the table, by its name."""
        clock = self.found.clock
        cases = clock.counts().sum(axis=0)

        def share(limit: int) -> Any:
            late = clock.edges_s[1:] + (LIMITS_S[limit] if limit < len(LIMITS_S) else 0.0) > clock.edges_s[-1]

            def pick(past: Curves) -> FloatArray:
                out = np.full(cases.size, np.nan)
                known = (cases > 0) & ~late
                np.divide(past.within[limit].sum(axis=0), cases, out=out, where=known)
                return out

            return pick

        def backlog(past: Curves) -> FloatArray:
            out: FloatArray = past.backlog.sum(axis=0).astype(np.float64)
            return out

        def median(past: Curves) -> FloatArray:
            return past.median_s

        return {
            "backlog": backlog,
            "wait_mean_s": lambda past: mean_wait_s(clock, past),
            "response_median_s": median,
            "within_20min": share(0),
            "within_60min": share(1),
            "within_promise": share(2),
        }


def ask(question: HindcastQuestion, out: Path | None, voice: Voice) -> HindcastAnswer:
    """Play a recorded past again; with a folder table, JSON and figure are kept there.

    Raises
    ------
    AshcloudError
        With what is wrong with a file, or if the folder cannot be made; nothing is left behind.
    """
    trace = load(question.trace)
    actual = actuals.load(question.actual or actuals.beside(question.trace), trace)
    scenario, desk = scenario_library.load(question.scenario), desk_library.load(question.desk)
    if out is None:
        return _played(question, trace, actual, scenario, desk, voice)
    with drafts.Draft(out, "hindcast", datetime.now()) as draft:
        answer = _played(question, trace, actual, scenario, desk, voice)
        for name, content in files(answer).items():
            write_atomic(draft.folder / name, content)
        return HindcastAnswer(question, answer.found, trace, actual, scenario, desk, draft.finish(latest=False))


def _played(
    question: HindcastQuestion, trace: Trace, actual: actuals.Actual, scenario: Scenario, desk: Desk, voice: Voice
) -> HindcastAnswer:
    found = hindcast(
        trace,
        actual,
        scenario,
        desk,
        runs=question.runs,
        seed=question.seed,
        step_s=60.0 * question.interval_min,
        warm_up_h=question.warm_up_h,
        workers=question.workers,
        watching=voice.waiting,
    )
    return HindcastAnswer(question, found, trace, actual, scenario, desk)


def files(answer: HindcastAnswer) -> dict[str, bytes]:
    """Content by name of the file."""
    rows = list(answer.rows())
    text = io.StringIO()
    table = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    table.writeheader()
    table.writerows(rows)
    drawing, png = hindcast_figure.drawn(answer.found, answer.days)
    return {
        RESULTS: to_json(answer.to_dict()).encode() + b"\n",
        TABLE: text.getvalue().encode(),
        "hindcast.svg": alone(drawing).encode(),
        "hindcast.png": png,
    }


def _part(part: Part) -> dict[str, Any]:
    return {
        "what": part.what,
        "language": None if part.language is None else _language(part.language),
        "unit": "cases" if part.what == "backlog" else "s",
        "actual": part.actual,
        "simulated": part.simulated,
        "low": part.low,
        "high": part.high,
        "bias": part.bias,
        "wape": _number(part.wape),
        "wape_by_chance": _number(part.by_chance),
        "p": part.p,
        "matters": bool(part.matters),
        "fails": bool(part.fails),
    }


def _language(code: int) -> str:
    return str(members(Language)[code])


def _number(value: Any) -> float | None:
    return float(value) if math.isfinite(value) else None
