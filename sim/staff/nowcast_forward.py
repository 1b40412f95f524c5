"""From what is believed to the desk: draws of the surge are played on from now, with the cases that wait already.

Each draw is a scenario that goes on where the hours seen have left it: its surge, its onset, and the
busyness of today as the counts suggest it. Every way to act plays the same draws, so that what differs
between two of them is the way, not the luck.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import HOUR_S, Grid
from scenarios.carried import carry_in
from scenarios.generate import generate
from scenarios.laws import FloatArray
from scenarios.model import Scenario
from scenarios.names import Language, members
from scenarios.traces import Trace
from sim import compiled
from sim.crew import Tick, Watch, each
from sim.engines import prepare
from sim.measures import measure
from sim.outcome import CaseState, Outcome
from sim.replicate import executor_named
from sim.staff.nowcast_fan import chosen, pulled
from sim.staff.nowcast_law import covariance
from sim.staff.nowcast_posterior import Posterior, spread_of
from sim.staff.nowcast_shape import SIZE, surge_at
from sim.staff.nowcast_ways import Way
from sim.waits import Rows, under_way

IntArray = NDArray[np.int64]
LANGUAGES = members(Language)
_MEASURES = ("called_in_hours", "cost", "time_to_recover_s")


@dataclass(frozen=True)
class Played:
    """What came of one draw by one way to act.

    Attributes
    ----------
    cases, missed : int
        Cases of the window with those that waited before it; of those the ones without an answer in time.
    by_language : (2, languages) int64
        Both, by language.
    called_in_hours, cost : float
    recovered_h : float
        Hours from now until the queue is back to normal; 0: it never was long, inf: not within the window.
    backlog : (hours + 1,) int64
        Cases that wait for their first answer at each full hour from now, unread ones included.
    """

    cases: int
    missed: int
    by_language: IntArray
    called_in_hours: float
    cost: float
    recovered_h: float
    backlog: IntArray

    @property
    def share(self) -> float:
        """Share of the cases with a first answer within their promise; 1 if there are none."""
        return 1.0 - self.missed / self.cases if self.cases else 1.0


@dataclass(frozen=True)
class Draw:
    """One draw: the number of the surge in the posterior, its cases in the window, what each way made of it."""

    which: int
    cases: int
    played: tuple[Played, ...]


def play_on(
    posterior: Posterior,
    now_h: float,
    hours: int,
    backlog: Mapping[Language, int],
    ways: Sequence[Way],
    draws: int,
    seed: int,
    watch: Watch,
) -> list[Draw]:
    """Play draws of what is believed from now on, each by every way to act.

    Parameters
    ----------
    posterior : Posterior
    now_h : float
        Hours from the onset of the posterior's scenario.
    hours : int
        Length of the window.
    backlog : mapping of Language to int
        Cases that wait now.
    ways : sequence of Way
    draws, seed : int
    watch : Watch
        Hears of the progress; may stop it: then only draws that have finished come back.

    Raises
    ------
    ScenarioError, DeskError
        If cases wait in a language that the scenario does not bring, or that nobody serves.
    """
    prepare("compiled", watch.notice)
    rng = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(seed, spawn_key=(3_000_002,))))
    which = chosen(posterior.weight, draws, rng)
    job = _Job(_Onward(posterior, seed), now_h, hours, dict(backlog), tuple(ways), which, seed)
    return list(each(job, draws, executor_named(None, None, "compiled"), watch))


@dataclass(frozen=True)
class _Job:
    onward: _Onward
    now_h: float
    hours: int
    backlog: Mapping[Language, int]
    ways: tuple[Way, ...]
    which: IntArray
    seed: int

    def __call__(self, place: int, tick: Tick) -> Draw:
        scenario, trace = self._day(place)
        played = []
        for at, way in enumerate(self.ways):
            longest = max(cls.promise_min for cls in way.desk.classes) / 60.0
            outcome = compiled.run(scenario, way.desk, trace, self.seed, place, longest + 1.0)
            played.append(told(outcome, self.hours))
            tick((at + 1) / len(self.ways))
        waited = sum(self.backlog.values())
        return Draw(int(self.which[place]), trace.cases - waited, tuple(played))

    def _day(self, place: int) -> tuple[Scenario, Trace]:
        """The scenario of a draw, its window from now on, and its posts."""
        which = int(self.which[place])
        posterior = self.onward.posterior
        if which == posterior.variant.size:
            scenario, u = _ordinary(posterior.prior.variants[0]), None
            later_s = 0.0
        else:
            scenario, later_s = surge_at(posterior.prior, posterior.points[which], int(posterior.variant[which]))
            u = float(posterior.points[which, SIZE])
        later_s = float(round(later_s))
        start_h = self.now_h - later_s / HOUR_S
        onset = scenario.clock(later_s).replace(tzinfo=None)
        moved = scenario.model_copy(update={"onset_local": onset, "window_h": (start_h, start_h + self.hours)})
        trace = generate(moved, self.seed, place, u, noise=lambda grid: self.onward.busy(which, place, grid))
        return moved, carry_in(moved, trace, self.backlog, self.seed, place)


def _ordinary(scenario: Scenario) -> Scenario:
    """The same airline on a day on which nothing happens."""
    return scenario.model_copy(update={"surges": (), "faults": (), "mix_changes": ()})


def told(outcome: Outcome, hours: int) -> Played:
    """Count what came of a run."""
    rows = Rows(outcome)
    language = rows.cases["language"].astype(np.int64)
    every = np.bincount(language, minlength=len(LANGUAGES))
    missed = np.bincount(language[~rows.kept], minlength=len(LANGUAGES))
    found = measure(rows, _MEASURES)
    start_s = rows.window_s[0]
    recovered = found["time_to_recover_s"]
    at_s = start_s + HOUR_S * np.arange(hours + 1, dtype=np.float64)
    return Played(
        int(every.sum()),
        int(missed.sum()),
        np.stack([every, missed]),
        found["called_in_hours"] or 0.0,
        found["cost"] or 0.0,
        float("inf") if recovered is None else max(recovered - start_s, 0.0) / HOUR_S if recovered else 0.0,
        under_way(*_unanswered(rows), at_s),
    )


def _unanswered(rows: Rows) -> tuple[FloatArray, FloatArray]:
    """From when and until when each case waits for somebody to begin its first answer, or is given up.

    What the filter takes for chatter is left out: nobody at the desk knows of it.
    """
    cases = rows.cases
    known = cases["state"] != CaseState.MISSED
    gone = np.where(cases["state"] == CaseState.GAVE_UP, cases["left_s"], np.inf)
    return cases["posted_s"][known], np.minimum(cases["first_start_s"], gone)[known]


class _Onward:
    """Busyness that goes on from the hours seen: drawn together with what strayed in them, then pulled to it."""

    def __init__(self, posterior: Posterior, seed: int) -> None:
        self.posterior, self._seed = posterior, seed
        n, seen = len(posterior.law.bins), posterior.counts.seen
        self._past = np.concatenate([np.arange(seen), n + np.arange(seen)])
        self._known: dict[tuple[int, int], tuple[FloatArray, FloatArray, FloatArray]] = {}

    def busy(self, which: int, place: int, grid: Grid) -> FloatArray:
        """Factor on all rates in each five minutes of a grid, for one draw."""
        posterior, past = self.posterior, self._past
        rng = np.random.Generator(np.random.PCG64DXSM(np.random.SeedSequence(self._seed, spawn_key=(3_000_003, place))))
        root, across, variance = self._laid_out(grid)
        drawn = root @ rng.standard_normal(root.shape[0])
        steps = variance.size
        log = drawn[:steps] - variance / 2.0
        if past.size:
            mean = posterior.means_of(np.array([which]))[:, :, : posterior.counts.seen]
            among = spread_of(posterior.law, mean, posterior.counts.seen)
            shared = posterior.law.noise[np.ix_(past, past)]
            apart = np.linalg.cholesky(among[0] - shared + 1e-9 * np.eye(past.size))
            strayed = drawn[steps:] + apart @ rng.standard_normal(past.size) - np.diag(among[0]) / 2.0
            log = log + pulled(posterior, np.array([which]), across[None], among, strayed[None, None], rng)[0, 0]
        return np.exp(log)

    def _laid_out(self, grid: Grid) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Root of the covariance of steps and hours seen together, the part across, the variance of steps."""
        key = round(grid.onset_utc_s + grid.start_s), grid.n
        if key not in self._known:
            law, past = self.posterior.law, self._past
            scenario = self.posterior.prior.variants[0]
            noise, zone = scenario.base.noise, scenario.timezone
            own = covariance(noise, zone, grid, grid)
            across = law.across(noise, zone, grid)[:, past]
            whole = np.block([[own, across], [across.T, law.noise[np.ix_(past, past)]]])
            whole[np.diag_indices_from(whole)] += 1e-6
            self._known[key] = np.linalg.cholesky(whole), across, np.diag(own).copy()
        return self._known[key]
