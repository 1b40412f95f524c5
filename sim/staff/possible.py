"""Promises that no number of people can keep: an answer takes its time even where nobody waits for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.outcome import Outcome
from sim.replicate import Size
from sim.staff.days import LANGUAGES, Kept, count, drain_h
from sim.staff.promise import Promise
from sim.staff.sizing import Question
from sim.staff.standing import groups
from sim.staff.workload import ample
from sim.waits import Rows

FloatArray = NDArray[np.float64]
CODES = [language.value for language in LANGUAGES]
CASES, MOST_DAYS = 4_000, 16  # of all days that are played to see what is possible
ERRORS = 4.0  # standard errors by which a share has to fall short: days differ


@dataclass(frozen=True)
class Ceiling:
    """The best that is possible for some cases, which is less than what is promised.

    Attributes
    ----------
    name : str
        ``all``, or the code of a language.
    promise : Promise
    share : float
        Of these cases that has an answer in time where nobody waits.
    within_s : float
        Seconds within which the promised share would have one then; inf: never.
    """

    name: str
    promise: Promise
    share: float
    within_s: float


def impossible(question: Question, size: Size | float) -> list[Ceiling]:
    """Promises that cannot be kept, by all cases and languages; plays some days with more people than are needed."""
    few = question.days(2, size)
    many = int(np.clip(round(CASES / max(few.traces[0].cases, 1)), 2, MOST_DAYS))
    days = question.days(many, size)
    seen = days.each(ample(few, question.desk), _Look(question.promises, days.intervals), drain_h(question.promises))
    found = groups([kept for kept, _, _ in seen], question.promises, question.per_language)
    language, response_s = (np.concatenate([one[k] for one in seen]) for k in (1, 2))
    out = []
    for group in found:
        if group.kind == "part" or group.margin + ERRORS * group.error >= 0.0:
            continue
        mine = slice(None) if group.name == "all" else language == CODES.index(group.name)
        ordered = np.sort(response_s[mine])
        place = min(int(np.ceil(group.promise.share * ordered.size)), ordered.size) - 1
        out.append(Ceiling(group.name, group.promise, group.share, float(ordered[place])))
    return out


@dataclass(frozen=True)
class _Look:
    """What to keep of an outcome: see `sim.staff.days.count`, then the language and the response of each case."""

    promises: tuple[Promise, ...]
    intervals: int

    def __call__(self, outcome: Outcome) -> tuple[Kept, NDArray[np.int64], FloatArray]:
        rows = Rows(outcome)
        return count(outcome, self.promises, self.intervals), rows.cases["language"].astype(np.int64), rows.response_s
