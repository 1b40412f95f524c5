"""What a history tells, put into a scenario; what it does not tell stays that of the ordinary week, marked as such."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal

import numpy as np

from scenarios import library
from scenarios.clocks import midnight_s
from scenarios.history.durations import FittedLaw
from scenarios.history.fitting import Fit
from scenarios.history.series import History, Series
from scenarios.history.shape import Found
from scenarios.laws import Exponential, FloatArray, Law, Lognormal
from scenarios.model import Assumption, Scenario
from scenarios.names import NEVER_CASES, Language, Platform, Topic, members

Window = Literal["surge", "week", "history"]
ORDINARY = "quiet_week"
DIGITS = 4
HANDLING_CV = 0.9
BEFORE_H, AFTER_H, WEEK_H = 24.0, 24.0, 168.0
LONGEST_H = 24.0 * 365
FEWEST_GONE = 30


@dataclass(frozen=True)
class Told:
    """What the history tells, to be put into a scenario."""

    history: History
    fit: Fit
    handling: FittedLaw | None
    by_topic: Mapping[Topic, FittedLaw]
    patience: FittedLaw | None
    mentions: FloatArray

    def scenario(self, name: str, window: Window) -> Scenario:
        series, ordinary = self.fit.series, library.load(ORDINARY)
        start_s, window_h, pulses = self._window(window)
        shift_h = (series.start_s - start_s) / 3600.0
        data: dict[str, Any] = {
            "name": name,
            "title": f"Calibrated to {series.days:,.0f} days of history",
            "story": self._story(),
            "sources": [f"a table of {self.history.rows:,} rows, SHA-256 {self.history.digest}"],
            "timezone": series.zone.key,
            "onset_local": datetime.fromtimestamp(start_s, series.zone).replace(tzinfo=None).isoformat(),
            "window_h": window_h,
            "base": self._base(),
            "surges": [_rounded(self.fit.pulses[i].pulse(shift_h, float(self.mentions[i]))) for i in pulses],
            "mix": self._mix(),
            "behaviour": self._behaviour(ordinary),
            "assumed": [row.model_dump() for row in self._assumed(ordinary)],
        }
        return Scenario.model_validate(data)

    def _story(self) -> str:
        n = len(self.fit.pulses)
        surges = "no surge" if n == 0 else "1 surge" if n == 1 else f"{n} surges"
        return (
            f"{int(self.fit.series.total.sum()):,} contacts, {surges} found in them and held out of the ordinary week."
        )

    def _window(self, window: Window) -> tuple[float, tuple[float, float], list[int]]:
        """Second 0 of the scenario, its hours, and the pulses that it plays."""
        series, pulses = self.fit.series, self.fit.pulses
        every = list(range(len(pulses)))
        if window == "history":
            zero = midnight_s(series.start_s, series.zone)
            ahead = (series.start_s - zero) / 3600.0
            hours = min(series.n * series.step_h, LONGEST_H)
            return zero, (ahead, ahead + hours), [i for i in every if pulses[i].at_h < hours]
        if window == "week" or not pulses:
            return _monday(series), (0.0, WEEK_H), []
        largest = max(every, key=lambda i: _more(pulses[i]))
        first = pulses[largest]
        onset = series.start_s + math.floor(first.at_h) * 3600.0
        mine = [i for i in every if pulses[i].end_h > first.at_h - BEFORE_H and pulses[i].at_h < first.end_h + AFTER_H]
        end = max(pulses[i].end_h for i in mine) - first.at_h + AFTER_H
        return onset, (-BEFORE_H, float(min(max(math.ceil(end), WEEK_H - BEFORE_H), LONGEST_H))), mine

    def _base(self) -> dict[str, Any]:
        base, noise = self.fit.base, self.fit.noise
        week = base.week
        cases = _digits(base.now_per_h)
        data: dict[str, Any] = {
            "cases_per_h": cases,
            "mentions_per_h": max(_digits(cases * self._posts()), cases),
            "hours": [_digits(x) for x in week.all_hours.tolist()],
            "weekdays": [_digits(x) for x in week.all_weekdays.tolist()],
            "noise": {key: _digits(float(value)) for key, value in noise.model_dump().items()},
            "week": _crossed(week.all_hours, week.all_weekdays, week.all_cross),
            "profiles": {
                str(language): {
                    "hours": [_digits(x) for x in week.hours[i].tolist()],
                    "weekdays": [_digits(x) for x in week.weekdays[i].tolist()],
                    "week": _crossed(week.hours[i], week.weekdays[i], week.cross[i]),
                }
                for i, language in enumerate(members(Language))
                if week.own[i] and np.count_nonzero(week.per_h) > 1
            },
        }
        return data

    def _posts(self) -> float:
        """Posts for each contact in the ordinary week."""
        series, used = self.fit.series, self.fit.used
        if series.mentions is None:
            return 1.0
        return float(series.mentions[used].sum() / max(series.total[used].sum(), 1.0))

    def _mix(self) -> dict[str, Any]:
        mixes = self.history.mixes
        per_h = self.fit.base.week.per_h
        every = self.fit.series.counts.sum(axis=0).astype(np.float64)
        data: dict[str, Any] = {"languages": _shares(Language, per_h if per_h.sum() > 0 else every)}
        if "platform" in mixes and mixes["platform"].sum() > 0:
            data["case_platforms"] = _shares(Platform, mixes["platform"])
        if "topic" in mixes:
            topics = mixes["topic"].copy()
            for i, topic in enumerate(members(Topic)):
                topics[i] = 0.0 if topic in NEVER_CASES else topics[i]
            if topics.sum() > 0:
                data["topics"] = _shares(Topic, topics)
        if "seen" in mixes:
            seen, private = mixes["seen"], mixes["private"]
            data["private"] = {
                str(platform): _digits(float(private[i] / seen[i]))
                for i, platform in enumerate(members(Platform))
                if seen[i] > 0
            }
        return data

    def _behaviour(self, ordinary: Scenario) -> dict[str, Any]:
        data = ordinary.behaviour.model_dump(mode="json", by_alias=True, exclude_none=True)
        law = self._handling_law()
        if law is not None:
            laws: dict[str, Law] = {"default": law, **{str(t): each.law for t, each in self.by_topic.items()}}
            data["handling_min"] = {topic: _rounded(each) for topic, each in laws.items()}
        patience = self._patience_law()
        if patience is not None:
            data["patience_h"], data["silent_share"] = _rounded(patience), 0.0
        return data

    def _handling_law(self) -> Law | None:
        if self.handling is not None:
            return self.handling.law
        means = self.history.means
        if means.handled > 0 and means.handling_s > 0:
            mean = means.handling_s / means.handled / 60.0
            return Lognormal.model_validate({"kind": "lognormal", "mean": mean, "cv": HANDLING_CV})
        return None

    def _patience_law(self) -> Law | None:
        if self.patience is not None:
            return self.patience.law
        means = self.history.means
        if means.waited > 0 and means.abandoned >= FEWEST_GONE:
            mean = means.wait_s / means.abandoned / 3600.0
            return Exponential.model_validate({"kind": "exponential", "mean": mean}) if mean > 0 else None
        return None

    def _assumed(self, ordinary: Scenario) -> list[Assumption]:
        """What the history does not tell: that of the ordinary week stays marked, and what was done to make up."""
        measured = {"base.hours", "base.weekdays", "base.zones", "mix.languages"}
        measured |= {f"base.noise.{name}" for name in ("day_sd", "hour_sd", "day_ar")}
        measured |= {row.what for row in ordinary.assumed if row.what.startswith(("clusters.", "mix.chatter"))}
        data = self._mix()
        measured |= {f"mix.{name}" for name in data}
        if self._handling_law() is not None:
            measured.add("behaviour.handling_min.default.mean")
        if self._patience_law() is not None:
            measured |= {"behaviour.patience_h.median", "behaviour.silent_share"}
        rows = [row for row in ordinary.assumed if row.what not in measured]
        return [*self._own(), *rows]

    def _own(self) -> list[Assumption]:
        out = [
            ("base.zones", "the history does not tell where people live: profiles are in the desk's own time"),
            ("clusters", "counts do not tell posts that set off others from busy hours: all of it is in the noise"),
        ]
        if self.fit.series.mentions is None:
            out.append(("base.mentions_per_h", "the history has contacts only: no other posts are made"))
        if not self.fit.noise.hour_sd:
            out.append(("base.noise.hour_memory_h", "the hours' noise cannot be told from none, so neither its memory"))
        if self.fit.pulses:
            out.append(
                ("surges", "as large as they were in the history; how large the next one will be it does not tell")
            )
        if self.handling is None and self._handling_law() is not None:
            out.append(
                ("behaviour.handling_min.default.cv", "the history has means only; 0.9 is that of the ordinary week")
            )
        if self._patience_law() is not None:
            out.append(
                (
                    "behaviour.silent_share",
                    "the history has those who were seen to leave: the law is theirs, nobody leaves silently",
                )
            )
            if self.patience is None:
                out.append(
                    (
                        "behaviour.patience_h",
                        "the history has sums only: an exponential law, of the same rate of leaving",
                    )
                )
        return [Assumption(what=what, reason=reason) for what, reason in out]

    def notes(self) -> list[str]:
        """What is worth to be known beside the numbers."""
        fit, out = self.fit, []
        if fit.base.level.smoothing:
            now = fit.base.level.now
            out.append(
                f"the level of the weeks moves: it stands at {now:.2f} of its mean at the end, which is taken on"
            )
        for where, words in (
            (fit.surges.dips, "far below the ordinary week (holidays, outages)"),
            (fit.surges.odd, "far above the ordinary week in a shape that no pulse explains"),
        ):
            hours = np.count_nonzero(where & fit.series.known) * fit.series.step_h
            if hours:
                out.append(f"{hours:,.0f} h are {words}: held out, not modelled")
        if any((each != 1.0).any() for each in (fit.base.week.all_cross, *fit.base.week.cross)):
            out.append("hours differ between weekdays: each hour of the week has a value of its own (week)")
        few = [
            str(x) for i, x in enumerate(members(Language)) if fit.base.week.per_h[i] > 0 and not fit.base.week.own[i]
        ]
        if few:
            out.append(f"too few contacts for a profile of their own: {', '.join(few)}; they have that of all")
        for what, law in (("handling times", self.handling), ("patience", self.patience)):
            if law is not None and law.gap > 0.05:
                out.append(f"the law of the {what} is {law.gap:.1%} off at its worst: it is of another shape")
        if self.history.patience is not None and self.patience is None:
            out.append("too few are seen to give up to tell patience: that of the ordinary week is taken")
        return out


def _crossed(hours: FloatArray, weekdays: FloatArray, cross: FloatArray) -> list[float] | None:
    """Each hour of the week relative to their mean, where hours differ between weekdays."""
    if (cross == 1.0).all():
        return None
    shape = (np.outer(weekdays, hours) * cross).ravel()
    return [_digits(x) for x in (shape / shape.mean()).tolist()]


def _more(each: Found) -> float:
    """What a pulse adds over all, in hours of the base."""
    return each.excess * (each.rise_h / 2.0 + each.plateau_h + each.tau_h)


def _monday(series: Series) -> float:
    """The Monday midnight of the last whole week."""
    last = int(np.flatnonzero(series.slot == 0)[-1]) if (series.slot == 0).any() else 0
    end = series.start_s + last * series.step_s
    return midnight_s(end - 3.0 * 86_400.0 if last == 0 else end, series.zone)


def _digits(value: float) -> float:
    """A value to four digits."""
    return float(f"{value:.{DIGITS}g}")


def _rounded(value: Any) -> dict[str, Any]:
    """A law or surge as a table, its numbers to four digits, those of time to a hundredth."""
    data: dict[str, Any] = value.model_dump(mode="json", by_alias=True, exclude_defaults=True, exclude_none=True)
    data["kind"] = value.kind
    for key, x in data.items():
        if isinstance(x, float):
            data[key] = round(x, 2) if key == "at_h" else _digits(x)
    return data


def _shares(kind: type[StrEnum], count: FloatArray) -> dict[str, float]:
    """Shares that sum to 1 with five decimals; those of nothing are left out."""
    names = [str(member) for member in members(kind)]
    shares = {name: round(float(x), 5) for name, x in zip(names, count / count.sum(), strict=True) if x > 0}
    shares = {name: x for name, x in shares.items() if x > 0}
    largest = max(shares, key=lambda name: shares[name])
    shares[largest] = round(shares[largest] + 1.0 - sum(shares.values()), 5)
    return shares
