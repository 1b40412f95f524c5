"""All that a report says about some runs, as one frozen value: worked out once, drawn and worded later."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from reports.crisis import PlanStory, Steps, steps_of, story
from reports.series import HOUR_S, Series, Tally, Work, overlay, tally, weigh
from reports.staffing import Blocks, Seen, Staffing, look, staffing
from scenarios.errors import RunError
from scenarios.model import Scenario
from scenarios.names import Language, members
from scenarios.traces import Trace
from sim.desk import Desk
from sim.estimate import LEVEL, summarise
from sim.intervals import Intervals, intervals
from sim.measures import GROUP_MEASURES, Row, bottleneck, by_class, by_language, measure
from sim.outcome import Outcome

DAY_H = 24.0
Summary = Mapping[str, Mapping[str, Any]]
"""As `sim.estimate.summarise` gives it."""


@dataclass(frozen=True)
class Gap:
    """The day (or the whole window, if shorter) in which work and heads lie furthest apart.

    `needed` heads would be busy all the time with the work that comes in from `from_s` on; `staffed`
    heads are at the desk on average. A lower bound by arithmetic: nobody waits, nobody idles.
    """

    from_s: float
    hours: float
    needed: float
    staffed: float


@dataclass(frozen=True)
class Origin:
    """Where one run came from."""

    replication: int
    seed: int
    size_u: float | None
    engine: str
    version: str
    trace: str
    outcome: str


@dataclass(frozen=True)
class ReportData:
    """What a report says.

    Attributes
    ----------
    scenario, desk, manifest
        What was run; the manifest as it is in the run folder, in any depth.
    rows : tuple of Row
        Measures of each run.
    summary : Summary
        Mean and interval (at `level`) of each measure.
    languages, classes : mapping of language, class to Summary
        Of those that have cases.
    bottleneck : (language, share within 60 minutes) or None
        Among the languages with at least 20 cases a run.
    plan : PlanStory or None
        What the crisis plan did, None without one.
    series, work, gap
        By the clock, the weight of the work, and where it exceeds the heads most.
    staffing : Staffing
        Who would be needed and who is there, by language and block of hours.
    window_s : (float, float)
        Of the runs, in seconds from onset: that of the scenario, or what is left of it after a cut.
    origins : tuple of Origin
    """

    scenario: Scenario
    desk: Desk
    manifest: Mapping[str, Any]
    level: float
    rows: tuple[Row, ...]
    summary: Summary
    languages: Mapping[Language, Summary]
    classes: Mapping[str, Summary]
    bottleneck: tuple[Language, float] | None
    plan: PlanStory | None
    series: Series
    work: Work
    gap: Gap
    staffing: Staffing
    window_s: tuple[float, float]
    origins: tuple[Origin, ...]

    @property
    def runs(self) -> int:
        return len(self.rows)

    def mean(self, name: str) -> float | None:
        """Mean of a measure over the runs that have it."""
        value = self.summary[name]["mean"]
        return None if value is None else float(value)

    def clock(self, t_s: float) -> datetime:
        """Local time at so many seconds from onset."""
        return self.scenario.clock(t_s)


def collect(
    scenario: Scenario,
    desk: Desk,
    outcomes: Sequence[Outcome],
    traces: Sequence[Trace],
    manifest: Mapping[str, Any],
    level: float = LEVEL,
) -> ReportData:
    """Work out everything that a report says about runs of one scenario against one desk.

    Parameters
    ----------
    scenario, desk : Scenario, Desk
    outcomes : sequence of Outcome
        One a replication, at least one.
    traces : sequence of Trace
        One an outcome in the same order, or none: then figures of posts are left out.
    manifest : mapping
        Of the run folder, shown as it is.
    level : float
        Of the intervals.

    Raises
    ------
    RunError
        If there is no outcome, or if one is of another scenario, desk, window or trace.

    Notes
    -----
    Outcomes and traces are taken once each, in order, so they may be read from disk as they come.
    """
    if not outcomes:
        raise RunError("there is no outcome to report on; run at least one replication")
    if traces and len(traces) != len(outcomes):
        raise RunError(f"there are {len(traces)} traces for {len(outcomes)} outcomes; give one each, or none")
    paired: Iterable[Trace | None] = traces if traces else [None] * len(outcomes)
    runs = [_seen(scenario, desk, i, o, t) for i, (o, t) in enumerate(zip(outcomes, paired, strict=True))]
    window_s = runs[0].window_s
    if any(run.window_s != window_s for run in runs):
        raise RunError("the outcomes have different windows; report on one at a time")
    languages = _grouped([run.languages for run in runs], members(Language), level)
    classes = _grouped([run.classes for run in runs], [c.name for c in desk.classes], level)
    work = weigh([run.tally for run in runs], scenario.behaviour)
    series = overlay([run.intervals for run in runs], work)
    means = {language: {name: each[name]["mean"] for name in each} for language, each in languages.items()}
    rows = tuple(run.row for run in runs)
    return ReportData(
        scenario=scenario,
        desk=desk,
        manifest=manifest,
        level=level,
        rows=rows,
        summary=summarise(rows, level),
        languages=languages,
        classes=classes,
        bottleneck=bottleneck(means),
        plan=story(desk.plan, [run.steps for run in runs]),
        series=series,
        work=work,
        gap=_gap(series, work, window_s[1] / HOUR_S),
        staffing=staffing(
            scenario,
            desk,
            Blocks.of(scenario, window_s),
            [run.staff for run in runs],
            [run.origin.size_u for run in runs],
        ),
        window_s=window_s,
        origins=tuple(run.origin for run in runs),
    )


@dataclass(frozen=True)
class _Seen:
    """What a report keeps of one run: its rows are looked at once and let go."""

    row: Row
    languages: Mapping[Language, Row]
    classes: Mapping[str, Row]
    intervals: Intervals
    tally: Tally
    steps: Steps
    staff: Seen
    window_s: tuple[float, float]
    origin: Origin


def _seen(scenario: Scenario, desk: Desk, i: int, outcome: Outcome, trace: Trace | None) -> _Seen:
    about = outcome.about
    for what, name in (("scenario", scenario.name), ("desk", desk.name)):
        if about[what] != name:
            raise RunError(f"outcome {i} is of {what} {about[what]}, not of {name}; report on one at a time")
    if trace is not None and about["trace"] != trace.digest:
        raise RunError(f"outcome {i} is of trace {about['trace'][:12]}, not of {trace.digest[:12]}; pair them")
    start_s, end_s = about["window_s"]
    return _Seen(
        row=measure(outcome),
        languages=by_language(outcome),
        classes=by_class(outcome),
        intervals=intervals(outcome, trace),
        tally=tally(outcome),
        steps=steps_of(outcome),
        staff=look(outcome, Blocks.of(scenario, (float(start_s), float(end_s)))),
        window_s=(float(start_s), float(end_s)),
        origin=_origin(outcome),
    )


def _grouped(tables: Sequence[Mapping[Any, Row]], keys: Sequence[Any], level: float) -> dict[Any, Summary]:
    """Summaries by key; a run without a case there counts as one with 0 cases."""
    nothing: Row = {**dict.fromkeys(GROUP_MEASURES), "cases": 0.0, "peak_backlog": 0.0}
    return {
        key: summarise([table.get(key, nothing) for table in tables], level)
        for key in keys
        if any((table.get(key, nothing)["cases"] or 0) > 0 for table in tables)
    }


def _gap(series: Series, work: Work, end_h: float) -> Gap:
    """Slide a day over the window, in steps of its intervals."""
    inside = series.edges_h[:-1] < end_h
    length = series.lengths_h[inside]
    load_s = work.seconds(series.cases[inside] * length, series.to_read[inside] * length)
    heads_s = series.staffed[inside] * length * HOUR_S
    day = max(min(round(DAY_H / length[0]), length.size), 1)
    window = np.ones(day)
    hours = np.convolve(length, window, "valid")
    needed = np.convolve(load_s, window, "valid") / hours / HOUR_S
    staffed = np.convolve(heads_s, window, "valid") / hours / HOUR_S
    worst = int(np.argmax(needed - staffed))
    return Gap(float(series.edges_h[worst]) * HOUR_S, float(hours[worst]), float(needed[worst]), float(staffed[worst]))


def _origin(outcome: Outcome) -> Origin:
    about = outcome.about
    return Origin(
        replication=int(about["replication"]),
        seed=int(about["seed"]),
        size_u=about.get("size_u"),
        engine=str(about["engine"]),
        version=str(about["version"]),
        trace=str(about["trace"]),
        outcome=outcome.digest,
    )
