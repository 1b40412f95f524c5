"""Call in or not, whom first, when at the latest, and what would change the answer: numbers, no words.

A call is needed if the promise is missed without one with a probability above one in five, and if something has
happened: a surge with a probability above one in five, or a long queue. What is missed on any ordinary day is for the
roster. A call is of use if it brings a point or more of the share answered in time, and its paired interval lies
above 0.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from scenarios.laws import FloatArray
from scenarios.names import Language
from sim.desk import Desk
from sim.estimate import Estimate, estimate
from sim.measures import BACKLOG_BACK, FEW_CASES, PROMISE_SHARE
from sim.plan import Group, Rung
from sim.quantiles import share_interval
from sim.staff.nowcast_fan import Ahead, Learnt
from sim.staff.nowcast_forward import LANGUAGES, Draw
from sim.staff.nowcast_ways import Way

RISK = 0.2
"""A call is needed if the promise is missed without it with more than this probability."""
MATERIAL = 0.01
"""Of the share answered in time: what is less is no reason to call, or to hurry."""
_LEADS = 2_000

Reason = Literal["calm", "usual", "needed", "no use", "no ladder"]


@dataclass(frozen=True)
class Call:
    """What comes of the ladder being called so much later, beside it being called now.

    `gained` and `lost` are paired over the draws: the share in time over that without a call, and the cases
    missed more than if it were called now.
    """

    delay_h: float
    share: float
    gained: Estimate
    lost: Estimate
    called_in_hours: float
    cost: float


@dataclass(frozen=True)
class Step:
    """A rung of the ladder, if it is called now: who is asked when, and when they come.

    `first_h` and `most_h` are hours from now at which one in fifty and nine in ten of them have come; `heads_first`
    are those who speak the language that needs them most.
    """

    name: str
    heads: int
    acceptance: float
    asked_h: float
    first_h: float
    most_h: float
    heads_first: int


@dataclass(frozen=True)
class Level:
    """What comes of only a part of the ladder being called, now.

    `asked` and `languages` count heads, all of them and those who speak each language; `need` is the share of the
    draws in which the promise is missed.
    """

    asked: int
    languages: Mapping[Language, int]
    share: float
    need: float


@dataclass(frozen=True)
class Home:
    """What comes of those who were called in going home at a time: share in time, and share of draws that miss."""

    after_h: float
    share: float
    need: float


@dataclass(frozen=True)
class Advice:
    """What to do, and on what it stands.

    Attributes
    ----------
    reason : {"calm", "usual", "needed", "no use", "no ladder"}
        Why there is a call, or none. Usual: what is missed is missed on ordinary days as well; with no ladder there
        is nobody to call.
    risk : float
        Probability that the promise is missed without a call: that of more cases than `limit` in the forecast, or
        `need` where the draws give no limit.
    need : float
        Share of the draws in which the promise is missed without a call.
    need_interval : (float, float)
        What `need` may be, given that there are only so many draws.
    share : Estimate
        Share in time without a call, its mean over the draws.
    first : Language or None
        Language that misses most without a call, of those with enough cases.
    first_share : float
        Share of its cases in time.
    most : Language or None
        Language that has most of the missed cases.
    most_missed : float
        Its part of all missed cases.
    steps : tuple of Step
    calls : tuple of Call
        Called now, and later.
    levels : tuple of Level
        A part of the ladder called, and all of it; ascending.
    asked : Level or None
        The fewest heads that keep the promise, or all but a point of what the whole ladder brings; None without a call.
    homes : tuple of Home
        Those who were called in sent home, sooner and later; empty if nobody was.
    home_h : float or None
        When they can go home; None if they are to stay, or there are none.
    latest_h : float or None
        How much later the call may be without losing a point; None if there is no call.
    limit : float or None
        Cases in the window above which the promise is missed without a call; None if the draws do not tell.
    flips_at : int or None
        Cases of the next hour at which the answer changes; None if no likely number changes it.
    """

    reason: Reason
    risk: float
    need: float
    need_interval: tuple[float, float]
    share: Estimate
    first: Language | None
    first_share: float
    most: Language | None
    most_missed: float
    steps: tuple[Step, ...]
    calls: tuple[Call, ...]
    levels: tuple[Level, ...]
    asked: Level | None
    homes: tuple[Home, ...]
    home_h: float | None
    latest_h: float | None
    limit: float | None
    flips_at: int | None

    @property
    def call(self) -> bool:
        """Whether to call in now, or by `latest_h`."""
        return self.reason == "needed"


def advise(
    desk: Desk,
    ways: Sequence[Way],
    draws: Sequence[Draw],
    ahead: Ahead,
    learnt: Learnt,
    surge_share: float,
    waiting: int,
) -> Advice:
    """What the draws say about calling in.

    Parameters
    ----------
    desk : Desk
    ways : sequence of Way
    draws : sequence of Draw
        Played by all the ways; at least 2.
    ahead : Ahead
        The forecast: many more futures than could be played.
    learnt : Learnt
    surge_share : float
        Probability that this is a surge.
    waiting : int
        Cases that wait now.
    """
    nobody = next((at for at, way in enumerate(ways) if way.name == "nobody"), 0)
    without = np.array([draw.played[nobody].share for draw in draws])
    missed = without < PROMISE_SHARE
    calls = tuple(_call(way.delay_h, at, nobody, draws) for at, way in enumerate(ways) if way.delay_h is not None)
    need = float(missed.mean())
    (first, first_share), (most, most_missed) = _languages(draws, nobody)
    limit = _limit(np.array([draw.cases for draw in draws], dtype=np.float64), missed)
    risk = need if limit is None else float(np.mean(ahead.cases.sum(axis=1) > limit))
    levels, homes = _levels(ways, draws), _homes(ways, draws)
    is_long = waiting > BACKLOG_BACK
    reason = _reason(risk, calls, surge_share > RISK or is_long)
    asked = _fewest([level for level, _ in levels]) if reason == "needed" and levels else None
    rungs = next((rungs for level, rungs in levels if level is asked), levels[-1][1] if levels else ())
    return Advice(
        reason,
        risk,
        need,
        share_interval(int(missed.sum()), len(draws)),
        estimate(without.tolist(), bounds=(0.0, 1.0)),
        first,
        first_share,
        most,
        most_missed,
        _steps(desk, rungs, first),
        calls,
        tuple(level for level, _ in levels),
        asked,
        homes,
        _home(homes, reason, estimate(without.tolist()).mean or 0.0),
        _latest(calls) if reason == "needed" else None,
        limit,
        _flips(learnt, limit, reason not in ("calm", "usual"), is_long),
    )


def _reason(risk: float, calls: Sequence[Call], has_happened: bool) -> Reason:
    if risk <= RISK:
        return "calm"
    if not has_happened:
        return "usual"
    if not calls:
        return "no ladder"
    helps = any((call.gained.mean or 0.0) >= MATERIAL and (call.gained.low or 0.0) > 0.0 for call in calls)
    return "needed" if helps else "no use"


def _call(delay_h: float, at: int, nobody: int, draws: Sequence[Draw]) -> Call:
    now = nobody + 1  # ways stand in the order of their delays
    gained = [draw.played[at].share - draw.played[nobody].share for draw in draws]
    lost = [float(draw.played[at].missed - draw.played[now].missed) for draw in draws]
    return Call(
        delay_h,
        float(np.mean([draw.played[at].share for draw in draws])),
        estimate(gained, bounds=(-1.0, 1.0)),
        estimate(lost),
        float(np.mean([draw.played[at].called_in_hours for draw in draws])),
        float(np.mean([draw.played[at].cost for draw in draws])),
    )


def _outcome(at: int, draws: Sequence[Draw]) -> tuple[float, float]:
    """Share in time by a way, and share of the draws that miss the promise."""
    shares = np.array([draw.played[at].share for draw in draws])
    return float(shares.mean()), float((shares < PROMISE_SHARE).mean())


def _levels(ways: Sequence[Way], draws: Sequence[Draw]) -> list[tuple[Level, tuple[Rung, ...]]]:
    """What comes of each part of the ladder, and the rungs of that part; ascending."""
    out = []
    for at, way in enumerate(ways):
        rungs = way.asked
        if way.delay_h == 0.0 and way.desk.plan is not None:  # the whole ladder
            here = {rung.name for rung in _nobody(ways).desk.plan.ladder}  # type: ignore[union-attr]
            rungs = tuple(rung for rung in way.desk.plan.ladder if rung.name not in here)
        if rungs:
            heads = sum(rung.heads for rung in rungs)
            out.append((Level(heads, _spoken(rungs), *_outcome(at, draws)), rungs))
    return sorted(out, key=lambda pair: pair[0].asked)


def _nobody(ways: Sequence[Way]) -> Way:
    return next(way for way in ways if way.name == "nobody")


def _spoken(rungs: Sequence[Rung]) -> dict[Language, int]:
    """How many heads of some rungs speak each language, most first."""
    spoken: Counter[Language] = Counter()
    for group in (group for rung in rungs for group in rung.groups):
        spoken.update(dict.fromkeys(group.languages, group.heads))
    return dict(spoken.most_common())


def _fewest(levels: Sequence[Level]) -> Level:
    """The fewest heads that keep the promise; if none do, those with all but a point of what all bring."""
    whole = levels[-1]
    kept = next((level for level in levels if level.need <= RISK), None)
    return kept or next(level for level in levels if whole.share - level.share < MATERIAL)


def _homes(ways: Sequence[Way], draws: Sequence[Draw]) -> tuple[Home, ...]:
    return tuple(Home(way.home_h, *_outcome(at, draws)) for at, way in enumerate(ways) if way.home_h is not None)


def _home(homes: Sequence[Home], reason: Reason, stayed: float) -> float | None:
    """When those who were called in can go home: from when on nobody who goes is missed."""
    if reason == "usual" and homes:
        return 0.0
    if reason != "calm":
        return None
    found = None
    for home in reversed(homes):
        if home.need > RISK and stayed - home.share >= MATERIAL:
            break
        found = home.after_h
    return found


def _latest(calls: Sequence[Call]) -> float:
    """The last delay up to which no delay loses a point against calling now."""
    latest = calls[0].delay_h
    for call in calls[1:]:
        if calls[0].share - call.share >= MATERIAL:
            break
        latest = call.delay_h
    return latest


Told = tuple[Language | None, float]


def _languages(draws: Sequence[Draw], nobody: int) -> tuple[Told, Told]:
    """The language with the lowest share in time, of those with enough cases, and that with most missed cases."""
    every, missed = np.sum([draw.played[nobody].by_language for draw in draws], axis=0).astype(np.float64)
    enough = np.flatnonzero(every >= FEW_CASES * len(draws))
    if not enough.size or not missed.sum():
        return (None, 1.0), (None, 0.0)
    worst = int(enough[np.argmax(missed[enough] / every[enough])])
    most = int(np.argmax(missed))
    return (LANGUAGES[worst], float(1.0 - missed[worst] / every[worst])), (
        LANGUAGES[most],
        float(missed[most] / missed.sum()),
    )


def _steps(desk: Desk, rungs: Sequence[Rung], first: Language | None) -> tuple[Step, ...]:
    """Who of the ladder is asked, with the hours at which its plan has them asked."""
    asked_h = {} if desk.plan is None else {rung.name: rung.after_h for rung in desk.plan.ladder}
    return tuple(_step(rung.model_copy(update={"after_h": asked_h[rung.name]}), first) for rung in rungs)


def _step(rung: Rung, first: Language | None) -> Step:
    leads = np.sort(rung.lead_h.draw(np.random.Generator(np.random.PCG64DXSM(0)), _LEADS))
    speaking = [group for group in rung.groups if _speaks(group, first)]
    return Step(
        rung.name,
        rung.heads,
        rung.acceptance,
        rung.after_h,
        rung.after_h + float(leads[_LEADS // 50]),
        rung.after_h + float(leads[_LEADS * 9 // 10]),
        sum(group.heads for group in speaking),
    )


def _speaks(group: Group, language: Language | None) -> bool:
    return language is not None and language in group.languages


def _limit(cases: FloatArray, missed: np.ndarray) -> float | None:
    """Number of cases that best parts the draws that miss the promise from those that keep it."""
    if missed.all() or not missed.any():
        return None
    order = np.argsort(cases, kind="stable")
    ordered, late = cases[order], missed[order]
    # wrong below the cut: those that miss; wrong above it: those that keep
    wrong = np.concatenate([[0], np.cumsum(late)]) + np.concatenate([np.cumsum((~late)[::-1])[::-1], [0]])
    at = int(np.argmin(wrong))
    if at in (0, ordered.size):
        return None
    return float((ordered[at - 1] + ordered[at]) / 2.0)


def _flips(learnt: Learnt, limit: float | None, is_needed: bool, is_long: bool) -> int | None:
    """Cases of the next hour that part the futures in which the answer stays from those in which it changes."""
    if limit is None:
        return None
    over = np.array([float(np.mean(totals > limit)) > RISK for totals in learnt.totals])
    need = over & ((learnt.surge_shares > RISK) | is_long)
    if (need == is_needed).all():
        return None
    split = _limit(learnt.cases, need)
    return None if split is None else round(split)
