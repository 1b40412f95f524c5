"""In the middle of a crisis: from the hours seen to what is coming, what the desk makes of it, and what to do.

The parts have modules of their own: what was seen (`nowcast_seen`), the law of the counts (`nowcast_law`), which
surges are possible (`nowcast_shape`) and how likely they are (`nowcast_posterior`), the hours ahead
(`nowcast_fan`), the desk played on (`nowcast_forward`), and the advice (`nowcast_advice`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np

from scenarios.arrivals import HOUR_S
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import Language
from sim.crew import Watch
from sim.desk import Desk
from sim.staff.nowcast_advice import Advice, advise
from sim.staff.nowcast_fan import Ahead, Learnt, look_ahead, one_more_hour
from sim.staff.nowcast_forward import Draw, play_on
from sim.staff.nowcast_law import Bins, law
from sim.staff.nowcast_posterior import Counts, Posterior, believe
from sim.staff.nowcast_seen import Seen
from sim.staff.nowcast_shape import means, prior
from sim.staff.nowcast_ways import CalledIn, Way, ways

STATED_H = (-0.5, 0.5)
"""Span of the onset around the time that somebody stated."""
EARLIER_H = 4.0
"""How long before the first hour seen an unknown onset may lie: so long a slow rise can go unnoticed."""
MOST_DRAWS, LEAST_DRAWS, DRAW_HOURS = 30, 12, 720
SURE = 0.5  # of a surge, for its onset to be named


@dataclass(frozen=True)
class Nowcast:
    """What is believed, what is coming, what the desk makes of it, what to do.

    Attributes
    ----------
    scenario : Scenario
        Its onset at the one stated, or at the first hour seen.
    desk : Desk
    seen : Seen
    backlog : mapping of Language to int
    hours : int
        Length of the look ahead.
    now_h : float
        Hours from the onset of `scenario`.
    posterior : Posterior
    ahead : Ahead
    learnt : Learnt
    called_in : mapping of str to int
    ways : tuple of Way
    draws : tuple of Draw
    advice : Advice
    """

    scenario: Scenario
    desk: Desk
    seen: Seen
    backlog: Mapping[Language, int]
    hours: int
    now_h: float
    posterior: Posterior
    ahead: Ahead
    learnt: Learnt
    called_in: CalledIn
    ways: tuple[Way, ...]
    draws: tuple[Draw, ...]
    advice: Advice

    @property
    def stated(self) -> bool:
        """Whether somebody stated the onset."""
        return self.seen.onset_s is not None

    def clock(self, from_now_h: float) -> datetime:
        """Local time so many hours from now."""
        return self.scenario.clock((self.now_h + from_now_h) * HOUR_S)

    def ordinary(self, what: str) -> FloatArray:
        """Cases or mentions expected in each bin, those seen first, if nothing were going on: (n,)."""
        found = self.posterior.means.ordinary
        out: FloatArray = found[0] if what == "cases" else found.sum(axis=0)
        return out

    def way(self, name: str) -> int | None:
        """Place of a way to act."""
        return next((at for at, way in enumerate(self.ways) if way.name == name), None)


def usual_draws(hours: int, is_called_in: bool = False) -> int:
    """Draws that are played on by default: fewer for more hours or ways, so that the time is the same."""
    budget = DRAW_HOURS * (2 if is_called_in else 3) // 3
    return max(min(MOST_DRAWS, budget // hours), LEAST_DRAWS)


def forecast(scenario: Scenario, seen: Seen, hours: int, seed: int) -> tuple[Scenario, float, Posterior, Ahead]:
    """What is believed after the hours seen, and the counts ahead, without a desk.

    Returns
    -------
    scenario : Scenario
        Its onset at the one stated, or at the first hour seen.
    now_h : float
        Hours from there.
    posterior : Posterior
    ahead : Ahead
    """
    zero_s = seen.onset_s if seen.onset_s is not None else seen.hours[0].from_s if seen.hours else seen.now_s
    onset = datetime.fromtimestamp(zero_s, ZoneInfo(scenario.timezone)).replace(tzinfo=None)
    here = scenario.model_copy(update={"onset_local": onset})
    now_h = (seen.now_s - zero_s) / HOUR_S
    past_h = [((hour.from_s - zero_s) / HOUR_S, (hour.to_s - zero_s) / HOUR_S) for hour in seen.hours]
    ahead_h = [(now_h + i, now_h + i + 1) for i in range(hours)]
    bins = np.array([*past_h, *ahead_h], dtype=np.float64)
    counts = np.array([[hour.cases, hour.mentions - hour.cases] for hour in seen.hours], dtype=np.float64)
    rules = law(here, Bins(bins[:, 0], bins[:, 1]))
    span = STATED_H if seen.onset_s is not None else (-EARLIER_H, now_h)
    table = means(prior(here, span, seed), rules)
    stated = seen.onset_s is not None
    posterior = believe(rules, table, Counts(counts.reshape(-1, 2).T), seed, stated)
    return here, now_h, posterior, look_ahead(posterior, seed=seed)


def nowcast(
    scenario: Scenario,
    desk: Desk,
    seen: Seen,
    backlog: Mapping[Language, int],
    hours: int,
    draws: int,
    seed: int,
    watch: Watch,
    called_in: CalledIn | None = None,
) -> Nowcast | None:
    """Look ahead, play the desk on, and advise; None if it was stopped before two draws had been played.

    Parameters
    ----------
    scenario : Scenario
        Whatever its onset: that of the hours seen counts.
    desk : Desk
        With the plan that it follows.
    seen : Seen
    backlog : mapping of Language to int
        Cases that wait now.
    hours : int
        Length of the look ahead, 24 to 72.
    draws : int
        Played on, at least 2; see `usual_draws`.
    seed : int
    watch : Watch
    called_in : mapping of str to int, optional
        Heads who were called in already and are at work, by the name of their rung.

    Raises
    ------
    ScenarioError, DeskError
        If cases wait in a language that the scenario does not bring, or that nobody serves.
    """
    here, now_h, posterior, ahead = forecast(scenario, seen, hours, seed)
    learnt = one_more_hour(posterior, ahead, seed, seen.onset_s is not None)
    acts = ways(desk, called_in)
    played = play_on(posterior, now_h, hours, backlog, acts, draws, seed, watch)
    if len(played) < 2:
        return None
    advice = advise(desk, acts, played, ahead, learnt, posterior.surge_share, sum(backlog.values()))
    return Nowcast(
        here, desk, seen, dict(backlog), hours, now_h, posterior, ahead, learnt, dict(called_in or {}), acts,
        tuple(played), advice,
    )  # fmt: skip
