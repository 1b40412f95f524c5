"""What the numbers say, in sentences: was the promise kept, when was it worst, what to do, how sure.

Sentences give the mean over runs and, in brackets, its interval. What was not reached before the end
of a run is said so, never given as a number.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from reports import formats as fm
from reports.data import ReportData
from reports.names import LANGUAGES
from sim.measures import BACKLOG_BACK, FEW_CASES, MEASURES, PROMISE_SHARE
from sim.sizes import of_size as sizes_of

Tone = Literal["kept", "missed", "unclear"]
MUCH_READING = 0.3
STANDS_OUT = 0.05
SHORT_QUEUE = float(BACKLOG_BACK)
PROMISE = "answered_within_promise_share"
MATERIAL = 0.25


@dataclass(frozen=True)
class Verdict:
    """What to take away.

    Attributes
    ----------
    tone : whether the promise was kept, missed, or cannot be told
    headline : one sentence
    advice : one to three sentences that begin with a verb
    findings : what happened, the worst time, the bottleneck, when it was back to normal
    sure : how sure that is
    cautions : what a reader must know before quoting any of it
    """

    tone: Tone
    headline: str
    advice: str
    findings: tuple[str, ...]
    sure: str
    cautions: tuple[str, ...]


def verdict(data: ReportData) -> Verdict:
    """Put a report into words."""
    tone = judged(data.summary["answered_within_promise_share"])
    return Verdict(
        tone=tone,
        headline=_headline(data, tone),
        advice=_advice(data, tone),
        findings=(
            _happened(data),
            _worst(data),
            _lost(data),
            *_plan(data),
            *_reachable(data),
            _bottleneck(data),
            *_back(data),
        ),
        sure=_sure(data),
        cautions=cautions(data),
    )


def judged(share: Mapping[str, Any]) -> Tone:
    """Whether a share of cases answered in time keeps the promise, by both ends of its interval."""
    if share["mean"] is None:
        return "unclear"
    low = share["mean"] if share["low"] is None else share["low"]
    high = share["mean"] if share["high"] is None else share["high"]
    if low >= PROMISE_SHARE:
        return "kept"
    return "missed" if high < PROMISE_SHARE else "unclear"


def valued(name: str, summary: Mapping[str, Any]) -> str:
    """A measure with its interval: 39 % (36–42 %); in words where there is no number."""
    if summary["mean"] is None:
        return "not reached" if summary.get("beyond_window") else "no such cases"
    scale = fm.scale(MEASURES[name].unit, summary["mean"])
    text = scale.one(summary["mean"])
    return text if summary["low"] is None else f"{text} ({scale.span(summary['low'], summary['high'])})"


def promised(data: ReportData) -> str:
    """within the promised 60 minutes; within the promise of their class."""
    classes = data.desk.classes
    if len({cls.promise_min for cls in classes}) == 1:
        return f"within the promised {fm.duration(classes[0].promise_min * 60.0).replace('min', 'minutes')}"
    return "within the promise of their class"


def _headline(data: ReportData, tone: Tone) -> str:
    name = "answered_within_promise_share"
    if data.mean(name) is None:
        return "There was no case to answer, so there is no promise to judge."
    answered = f"{valued(name, data.summary[name])} of the cases are answered {promised(data)}"
    mark = fm.share(PROMISE_SHARE)
    alone = "In the one run played, the" if data.runs == 1 else "The"
    if tone == "kept":
        return f"{alone} desk keeps its promise: {answered}."
    if tone == "missed":
        return f"{alone} desk misses its promise: {answered}; {mark} would keep it."
    return f"Whether the desk keeps its promise cannot be told yet: {answered}; {mark} would keep it."


def _advice(data: ReportData, tone: Tone) -> str:
    if data.mean("answered_within_promise_share") is None:
        return "Check the scenario: it brings no cases."
    if tone == "unclear":
        return "Play more runs before deciding: the interval lies on both sides of the mark."
    weak = data.bottleneck
    if tone == "kept":
        busy = f"agents are busy {fm.share(data.mean('occupancy') or 0.0)} of their time at the desk"
        if weak is not None and weak[1] < PROMISE_SHARE:
            return (
                f"Keep the number of heads ({busy}), but look at {LANGUAGES[weak[0]]}: only {fm.share(weak[1])} of "
                "its cases are answered within 60 minutes."
            )
        return f"Leave the desk as it is: {busy}."
    return " ".join(_what_to_do(data))


def _what_to_do(data: ReportData) -> list[str]:
    steps = []
    gap, weak = data.gap, data.bottleneck
    if data.work.reading_share >= MUCH_READING:
        steps.append(
            f"Let a filter read the posts: reading takes {fm.share(data.work.reading_share)} of all work while cases "
            "wait."
        )
    if gap.needed > gap.staffed:
        stretch = "24 hours" if round(gap.hours) == 24 else f"{gap.hours:.0f} hours"
        also = "Even so, bring" if steps else "Bring"
        steps.append(
            f"{also} more people to the desk: the work of the worst {stretch}, from "
            f"{fm.clock(data.clock(gap.from_s))}, would keep at least {gap.needed:,.0f} heads busy, "
            f"and {gap.staffed:,.0f} are there."
        )
    elif weak is not None:
        steps.append(
            "Move people rather than add them: over any day there are heads enough for the work, but not in "
            "every language and at every hour."
        )
    if weak is not None and stands_out(data):
        steps.append(f"Start with {LANGUAGES[weak[0]]}, where {fm.share(weak[1])} are answered within 60 minutes.")
    return steps or ["Look at the hours in which the queue grows: over the whole there are heads enough."]


def stands_out(data: ReportData) -> bool:
    """Whether the bottleneck language is much worse off than the others."""
    overall = data.mean("answered_within_60min_share") or 0.0
    return data.bottleneck is not None and data.bottleneck[1] < overall - STANDS_OUT


def _happened(data: ReportData) -> str:
    start_s, end_s = data.window_s
    cases = data.series.cases
    top = int(np.argmax(cases))
    ordinary = data.scenario.base.cases_per_h
    when = fm.clock(data.clock(data.series.edges_h[top] * fm.HOUR_S))
    text = (
        f"In the {(end_s - start_s) / fm.HOUR_S:,.0f} hours from {fm.clock(data.clock(start_s), year=True)}, "
        f"{fm.about(data.mean('mentions') or 0.0)} posts come in, and {fm.about(data.mean('cases') or 0.0)} of them "
        "are cases that need an answer."
    )
    if cases[top] <= 0:
        return text
    times = f", {cases[top] / ordinary:.1f} times an ordinary one" if ordinary > 0 else ""
    return f"{text} The busiest time, around {when}, brings {fm.count(round(cases[top]))} cases an hour{times}."


def worst_time_s(data: ReportData) -> float:
    """When the queue is longest on average over the runs, in seconds from onset."""
    return float(data.series.edges_h[int(np.argmax(data.series.backlog.mean))]) * fm.HOUR_S


def _worst(data: ReportData) -> str:
    at_s = worst_time_s(data)
    peak = valued("peak_backlog", data.summary["peak_backlog"])
    if (data.mean("peak_backlog") or 0.0) < SHORT_QUEUE:
        return f"The queue stays short: at most {peak} case turns wait at once."
    text = (
        f"The queue is longest around {fm.clock(data.clock(at_s))} ({fm.hours_from_onset(at_s)}); at most {peak} case "
        "turns wait at once"
    )
    unread = data.mean("peak_unread") or 0.0
    if unread >= SHORT_QUEUE:
        text += f", and at most {fm.about(unread)} posts lie unread"
    return f"{text}."


def _lost(data: ReportData) -> str:
    never, gave_up = data.summary["unanswered_share"], data.summary["gave_up_share"]
    if never["mean"] is None:
        return "No case came in."
    first = data.summary["first_response_p50_s"]
    half = (
        f"Half of the cases have their first answer within {valued('first_response_p50_s', first)}"
        if first["mean"] is not None and not first.get("beyond_window")
        else "Fewer than half of the cases have an answer before the run ends"
        + (f" in {fm.share(first['beyond_window'])} of the runs" if 0 < first.get("beyond_window", 0.0) < 1 else "")
    )
    return (
        f"{half}; {valued('unanswered_share', never)} are never answered, and in "
        f"{valued('gave_up_share', gave_up)} the customer gives up waiting."
    )


def _plan(data: ReportData) -> list[str]:
    """What the crisis plan does, and when."""
    if data.plan is None or not data.plan.levers + data.plan.rungs:
        return []
    declared = data.plan.declared
    if declared is None:
        return [f"The crisis plan {data.plan.name} is not needed: none of its triggers is entered for long enough."]
    levers = [action for action in data.plan.actions if action.what == "lever"]
    rungs = [action for action in data.plan.actions if action.what == "rung"]
    some = f" in {declared.runs} of {data.runs} runs," if declared.runs < data.runs else ""
    text = (
        f"A crisis is declared{some} around {fm.clock(data.clock(declared.first_s))} "
        f"({fm.hours_from_onset(declared.first_s)}), for {fm.count(round(declared.hours))} hours"
    )
    did = [f"{len(levers)} of {data.plan.levers} levers act"] if data.plan.levers else []
    if rungs:
        hours = fm.about(round(data.mean("called_in_hours") or 0.0))
        did.append(f"{fm.count(round(sum(a.heads for a in rungs)))} people agree to come and work {hours} hours")
    return [f"{text}; {fm.listed(did)}." if did else f"{text}."]


def _reachable(data: ReportData) -> list[str]:
    """If a plan does not reach the mark within the hour: that it does not, and what can be reached."""
    name = "answered_within_60min_share"
    share, plan = data.mean(name), data.plan
    if plan is None or plan.declared is None or share is None or share >= PROMISE_SHARE:
        return []
    done = (
        "With all its levers on and everybody on its ladder asked" if plan.whole else "With what was switched on of it"
    )
    likely = all(origin.size_u is None for origin in data.origins)
    size = "at the likely size of the surge" if likely else "at the sizes of the surge that were drawn"
    text = (
        f"{done}, the plan {plan.name} brings {valued(name, data.summary[name])} of the cases an answer "
        f"within 60 minutes {size}: all of it together does not reach {fm.share(PROMISE_SHARE)}, and so "
        "no set of its levers does."
    )
    shares = {
        cls: float(summary[name]["mean"])
        for cls, summary in data.classes.items()
        if (summary["cases"]["mean"] or 0.0) >= FEW_CASES and summary[name]["mean"] is not None
    }
    reach = [cls for cls in shares if shares[cls] >= share + STANDS_OUT]
    if reach:
        parts = fm.listed([f"{fm.share(shares[cls])} of the class '{cls}'" for cls in reach])
        text += f" Reachable within 60 minutes are {parts}."
    return [text]


def _bottleneck(data: ReportData) -> str:
    if data.bottleneck is None:
        return f"No language has the {FEW_CASES} cases a run that it takes to name a bottleneck."
    language, share = data.bottleneck
    overall = data.mean("answered_within_60min_share") or 0.0
    if not stands_out(data):
        return (
            f"No language stands out: the lowest, {LANGUAGES[language]}, has {fm.share(share)} of its cases answered "
            f"within 60 minutes, and all together {fm.share(overall)}."
        )
    return (
        f"The bottleneck is {LANGUAGES[language]}: {fm.share(share)} of its cases are answered within 60 minutes, "
        f"against {fm.share(overall)} of all."
    )


def _back(data: ReportData) -> tuple[str, str]:
    full = f"{BACKLOG_BACK} turns"
    return (
        recovered(data, "promise_recover_s", "the promise", "kept again", "no day misses the promise"),
        recovered(data, "time_to_recover_s", "the queue", f"below {full} for a day", f"the queue never holds {full}"),
    )


def recovered(data: ReportData, name: str, what: str, back: str, calm: str) -> str:
    """When something was back to normal: by the clock, or that it was not in so many runs."""
    values = [row[name] for row in data.rows]
    late = [value for value in values if value]
    out, quiet, runs = values.count(None), values.count(0.0), data.runs
    if quiet == runs:
        return f"{calm[0].upper()}{calm[1:]}{' in any run' if runs > 1 else ''}."
    begin = f"In {quiet} of {runs} runs {calm}; in the rest {what} is" if quiet else f"{what[0].upper()}{what[1:]} is"
    if not late:
        where = "the run" if runs == 1 else f"any of the {runs} runs" if not quiet else "the run"
        return f"{begin} not {back} before the end of {where}."
    mean_s = float(np.mean(late))
    text = f"{begin} {back} from {_hour(data, mean_s)} ({fm.hours_from_onset(mean_s)})"
    if len(late) > 1:
        text += f" on average, earliest {_hour(data, min(late))}, latest {_hour(data, max(late))}"
    return f"{text}; in {out} of {runs} runs it is not before the end." if out else f"{text}."


def _hour(data: ReportData, t_s: float) -> str:
    """Clock time to the hour: the minutes of a mean say nothing."""
    return fm.clock(data.clock(round(t_s / fm.HOUR_S) * fm.HOUR_S))


def _sure(data: ReportData) -> str:
    if data.runs == 1:
        return (
            "This is a single run: one course of events drawn by chance, without an interval. Play at least ten "
            "before deciding."
        )
    name = "answered_within_promise_share"
    values = [value for row in data.rows if (value := row[name]) is not None]
    text = f"{data.runs} runs; brackets hold {data.level:.0%} intervals of the mean over runs.".replace(
        "%", f"{fm.NBSP}%"
    )
    if values:
        scale = fm.scale("share", float(np.mean(values)))
        text += f" In single runs, which vary more, the share in time is {scale.span(min(values), max(values))}."
    sizes = [o.size_u for o, row in zip(data.origins, data.rows, strict=True) if row[name] is not None]
    drawn = [size for size in sizes if size is not None]
    found = sizes_of(drawn, values, data.level) if len(drawn) == len(values) else None
    if found is not None and (said := of_size(found.share, found.low, found.high)):
        text += f" {said}"
    return text + (" Two runs are too few for bands in the figures." if data.runs == 2 else "")


def of_size(share: float, low: float, high: float) -> str:
    """What the unknown size of the surge has to do with the difference between runs; nothing if that is little."""
    if share < MATERIAL or low <= 0.0:
        return ""
    scale = fm.scale("share", share)
    return (
        f"Of the variance of that share between runs {scale.one(share)} ({scale.span(low, high)}) comes from the "
        "unknown size of the surge, the rest from chance: more runs do not make it smaller."
    )


def cautions(data: ReportData) -> tuple[str, ...]:
    """What a reader must know before quoting a number."""
    out = []
    if data.desk.name.startswith("klm"):
        out.append(
            f"The desk {data.desk.name} is fitted to public figures, not validated; ashcloud is not affiliated with "
            "KLM."
        )
        if data.scenario.surges:
            out.append(
                "Fitted are the desk's heads, its work and an ordinary week. Nothing was fitted to how a crisis went: "
                "backlog, waits and recovery follow from the surge that the scenario's sources describe and from "
                "assumptions on patience, levers and call-in."
            )
    plan = data.desk.plan
    if plan is not None:
        out.append(
            f"The crisis plan {plan.name} ({len(plan.levers)} levers, {len(plan.ladder)} rungs of call-in) is part of "
            "the desk. How much its levers do, and who comes when called, are assumptions; see below."
        )
    settings = data.manifest.get("settings", {})
    if settings.get("warm_up_h"):
        out.append(f"The first {settings['warm_up_h']:g} hours of the window are simulated, but not measured.")
    if settings.get("backlog"):
        out.append(f"Cases wait already when the window opens: {settings['backlog']}. They count as all others.")
    if all(origin.size_u is None for origin in data.origins) and data.scenario.surges:
        out.append(
            "Every run has the surge at its likely size: that it may be smaller or larger is not in the intervals."
        )
    return tuple(out)
