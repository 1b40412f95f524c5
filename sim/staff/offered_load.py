"""Offered load under a rate that changes: how many would be at work at each time if nobody had to wait.

With arrivals at rate l and service times S the number at work is Poisson with mean m(t), the integral of
l(t - u) P(S > u) over u: the whole law counts, not its mean alone. A case of several turns is at work in
pieces, with the customer's thinking and other departments in between; `thread` lays out when. Put into a
stationary formula instead of the load of the moment, m(t) is the *modified* offered load. Sources: Eick, Massey
and Whitt (1993), Management Science 39(2), 241-252; Jennings, Mandelbaum, Massey and Whitt (1996), Management
Science 42(10); Yom-Tov and Mandelbaum (2014), Manufacturing & Service Operations Management 16(2) for customers
who return during their service.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scenarios.arrivals import QUARTER_S, Grid, Traffic
from scenarios.laws import Law
from scenarios.mixes import Mixes
from scenarios.model import Scenario
from scenarios.names import NEVER_CASES, Language, Topic, members
from sim.desk import Desk
from sim.staff.tails import jumps, tail

FloatArray = NDArray[np.float64]
Rate = Callable[[FloatArray], FloatArray]
MINUTE_S, HOUR_S = 60.0, 3600.0
NODES, WEIGHTS = np.polynomial.legendre.leggauss(24)
FIRST, GROWTH = 1e-3, 1.25  # of the mean: first panel of the quadrature, and how much wider each next one is
LEAST_TAIL = 1e-13
STEP_S = 60.0  # of the grid on which threads are laid out
INSIDE = (np.arange(8) + 0.5) / 8.0  # points in a cell of that grid: at its ends a law that ends there counts by half
THREAD_H = 72.0  # what is at work later than that after the post is left out
"""Back office replies and thinking have long tails; of an ordinary case less than one part in a hundred is later."""


def mean_busy(rate: Rate, law: Law, at: FloatArray, breaks: Sequence[float] = ()) -> FloatArray:
    """Mean number at work at each time, for arrivals at a rate that has gone on for ever.

    Parameters
    ----------
    rate : callable, (n,) times -> (n,) arrivals in a unit of time
    law : Law
        Of the service time, in the same unit.
    at : (n,) float64
    breaks : sequence of float
        Times at which the rate jumps or has a corner.

    Returns
    -------
    (n,) float64

    Notes
    -----
    Gauss-Legendre over panels that are split at the breaks and at the law's own; some 1e-9 of the value.
    """
    mean = law.mean()
    edges, width = [0.0], FIRST * mean
    while float(tail(law, np.array([edges[-1]]))[0]) > LEAST_TAIL and len(edges) < 500:
        edges.append(edges[-1] + width)
        width *= GROWTH
    out = np.empty(at.size)
    for i, t in enumerate(at.tolist()):
        cuts = np.array([*edges, *jumps(law), *(t - b for b in breaks)])
        panel = np.unique(np.clip(cuts, 0.0, edges[-1]))
        half, middle = np.diff(panel) / 2.0, (panel[1:] + panel[:-1]) / 2.0
        u = middle[:, None] + half[:, None] * NODES
        values = rate((t - u).ravel()) * tail(law, u.ravel())
        out[i] = float(np.sum(values.reshape(u.shape) * WEIGHTS * half[:, None]))
    return out


def thread(scenario: Scenario, topic: Topic) -> FloatArray:
    """How many agents a case of this topic keeps at work in each minute after its post: (n,) float64.

    All turns, with the customer's thinking and the back office between them; each begins as soon as it is
    there. Posts written while waiting, reopened cases and escalations are left out: they depend on waiting.
    """
    b = scenario.behaviour
    step = STEP_S / MINUTE_S
    n = round(THREAD_H * HOUR_S / STEP_S)
    grid = step * np.arange(n + 1, dtype=np.float64)
    think = _density(b.think_min, grid)
    office = _density(b.back_office.delay_h, grid / 60.0)
    whole = b.handling(topic)
    out = np.zeros(n)
    for turns, share in enumerate(b.turns, start=1):
        if share == 0.0:
            continue
        # The work of a case is split over its turns, alike on average.
        inside = (grid[:-1, None] + step * INSIDE) * turns
        alive = tail(whole, inside.ravel()).reshape(inside.shape).mean(axis=1)
        work = _density(whole, grid * turns)
        begins = np.zeros(n)
        begins[0] = 1.0  # of the turn: how likely in each minute after the post
        for k in range(turns):
            out += share * _convolved(begins, alive)
            pause = think if k else (1.0 - b.back_office.share) * think + b.back_office.share * office
            begins = _convolved(_convolved(begins, work), pause)
    return out


def _density(law: Law, grid: FloatArray) -> FloatArray:
    """Probability of each cell between the points of a grid."""
    out: FloatArray = -np.diff(tail(law, grid))
    out[0] += 1.0 - float(tail(law, grid[:1])[0])
    return out


def _convolved(a: FloatArray, b: FloatArray) -> FloatArray:
    """First n terms of a convolution, by Fourier transform."""
    n = a.size
    size = 2 * n
    out: FloatArray = np.fft.irfft(np.fft.rfft(a, size) * np.fft.rfft(b, size), size)[:n]
    return np.maximum(out, 0.0)


def offered_load(scenario: Scenario, desk: Desk, size_u: float | None = None) -> FloatArray:
    """Modified offered load of a scenario by language and quarter of an hour, from its curves.

    Returns
    -------
    (languages, intervals) float64
        In erlangs, by `scenarios.names.Language`: answering, and reading where people read. Noise is at its mean; the
        levers of a plan, faults, and what waiting brings about are left out (`sim.staff.workload` plays them).
    """
    start_s, end_s = scenario.window_s
    grid = Grid.over(scenario, start_s - THREAD_H * HOUR_S, end_s)
    traffic = Traffic(scenario, grid, size_u)
    hours = grid.middles_h
    curve = traffic.curve
    cases_per_s = scenario.base.cases_per_h * curve.rate(hours, "cases") / HOUR_S
    mentions_per_s = scenario.base.mentions_per_h * curve.rate(hours, "mentions") / HOUR_S
    cases = traffic.languages * cases_per_s[:, None]  # (quarters, languages) per second
    topics = Mixes(scenario, hours).shares("topics")
    out = np.zeros((len(members(Language)), grid.n))
    per_quarter = round(QUARTER_S / STEP_S)
    for number, topic in enumerate(members(Topic)):
        if topic in NEVER_CASES or not topics[:, number].any():
            continue
        kernel = thread(scenario, topic).reshape(-1, per_quarter).sum(axis=1) * STEP_S
        for language in range(out.shape[0]):
            out[language] += _causal(cases[:, language] * topics[:, number], kernel)
    if desk.triage.mode == "people":
        reading = desk.triage.reading_s.mean()
        out += (traffic.languages * mentions_per_s[:, None]).T * reading
    first = int((start_s - grid.start_s) // QUARTER_S)
    return out[:, first : first + int(np.ceil((end_s - start_s) / QUARTER_S - 1e-9))]


def _causal(rate: FloatArray, kernel: FloatArray) -> FloatArray:
    out: FloatArray = np.convolve(rate, kernel)[: rate.size]
    return out
