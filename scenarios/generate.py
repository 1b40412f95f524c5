"""From a scenario and a seed to a trace: who posts when.

Two streams of exogenous contacts are drawn: cases, and chatter for all that the mentions hold
beyond the posts of cases. Their rates are the scenario's curves divided by the mean size of the
cluster that a contact sets off, times the profile of each language, times noise that all languages
and both streams share. So the expected number of posts is the integral of the curve: clusters and
noise add nothing, they bunch. Children, follow-ups and reposts come later than what sets them off,
so a steep curve is followed a little late and a little flatter.

Contacts start long enough before the window for it to be stationary from its first second; only
what falls into it is kept. A follow-up whose case opened before the window is kept as a follow-up
of chatter: so the mentions stay complete, and nobody joins a case that the trace lacks.

Chance comes by name: each column of each stream has numbers of its own, made from the seed, the
replication and the column's place in `DRAWS`. A new column never shifts an old one.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from scenarios import clusters as cl
from scenarios.arrivals import Flow, Grid, Traffic, busyness
from scenarios.digest import digest
from scenarios.errors import ScenarioError
from scenarios.laws import FloatArray
from scenarios.mixes import choose
from scenarios.model import Scenario
from scenarios.names import NONE, PostKind, code
from scenarios.posts import Columns, Part, Talk, describe
from scenarios.traces import COLUMNS, Trace

MAX_ROWS = 100_000_000

Stream = Literal["all", "case", "chatter", "call"]
STREAMS: tuple[Stream, ...] = ("all", "case", "chatter", "call")

# In the order of their numbers: append only, else every trace changes.
DRAWS = (
    "day_noise", "step_noise", "count", "time", "thinning", "language", "batch", "children", "follow_up",
    "gap", "reposts", "repost_delay", "platform", "visibility", "topic", "stage", "sentiment", "tier", "form",
    "customer", "influence", "booked", "departure", "flight", "text", "fake", "copy", "again_sentiment",
    "again_form", "again_text",
)  # fmt: skip


def generate(
    scenario: Scenario,
    seed: int,
    replication: int = 0,
    size_u: float | None = None,
    hours: float | None = None,
    noise: Callable[[Grid], FloatArray] | None = None,
) -> Trace:
    """Draw the posts and calls of a scenario.

    Parameters
    ----------
    scenario : Scenario
    seed, replication : int
        Root of all chance, both >= 0. The same arguments give the same bytes with the same build
        of numpy.
    size_u : float, optional
        Quantile in [0, 1] of the size of the surges; None is the likely size.
    hours : float, optional
        Length to cut the window to, from its start, in hours, > 0.
    noise : callable, optional
        The factor on all rates in each five minutes of the grid that it is given, (3 n,), in the place of one
        drawn here: so that noise can go on from what was seen before the window.

    Returns
    -------
    Trace
        In order of time; cases are numbered in order of opening, people in that of their first post.

    Raises
    ------
    ScenarioError
        If the cases with their follow-ups would be more than the mentions, if more than 100 million
        rows are expected, or if an argument is out of its range.

    Notes
    -----
    Time and memory grow with the number of rows; `tests/test_bench_trace.py` measures both.
    """
    window_s = _window(scenario, seed, replication, size_u, hours)
    rng = Chance(seed, replication)
    ratios, reposted = scenario.clusters.children, scenario.clusters.reposts.mean > 0
    case_lead_s = cl.lead_s(scenario.clusters, ratios.case_ratio, False)
    chatter_lead_s = cl.lead_s(scenario.clusters, ratios.ratio, reposted)
    grid = Grid.over(scenario, window_s[0] - max(case_lead_s, chatter_lead_s), window_s[1])
    if noise is None:
        draws = rng("all", "day_noise"), rng("all", "step_noise")
        busy = busyness(scenario.base.noise, scenario.timezone, grid, *draws)
    else:
        busy = noise(grid)
    streams = _Streams(Traffic(scenario, grid, size_u, busy), window_s, rng)
    early, cases = streams.cases(case_lead_s).split(window_s[0])
    parts = [
        streams.part("case", PostKind.CASE, cases),
        streams.part("chatter", PostKind.CHATTER, streams.chatter(chatter_lead_s).joined(early)),
    ]
    if scenario.phone is not None:
        parts.append(streams.part("call", PostKind.CALL, streams.calls(scenario.phone.calls_per_h)))
    about = {
        "scenario": scenario.name,
        "scenario_digest": digest(scenario),
        "seed": int(seed),
        "replication": int(replication),
        "size_u": None if size_u is None else float(size_u),
        "window_s": list(window_s),
        "timezone": scenario.timezone,
        "onset_local": scenario.onset_local.isoformat(),
        "version": made_by(),
    }
    return Trace(assembled(parts), about)


class Chance:
    """Generators by name: one for each column of each stream of a replication."""

    def __init__(self, seed: int, replication: int) -> None:
        self._seed, self._replication = seed, replication

    def __call__(self, stream: Stream, name: str) -> np.random.Generator:
        number = len(STREAMS) * DRAWS.index(name) + STREAMS.index(stream)
        source = np.random.SeedSequence(self._seed, spawn_key=(self._replication, number))
        return np.random.Generator(np.random.PCG64DXSM(source))


class _Streams:
    """Draws the conversations of each stream, with numbers of its own."""

    def __init__(self, traffic: Traffic, window_s: tuple[float, float], rng: Chance) -> None:
        self._traffic, self._window_s, self._rng = traffic, window_s, rng
        self._scenario = traffic.scenario

    def cases(self, lead_s: float) -> Talk:
        clusters = self._scenario.clusters
        ratio = clusters.children.case_ratio
        alone = (1.0 - ratio) / clusters.batch_factor
        flow = self._traffic.cases(self._scenario.base.cases_per_h * alone)
        return self._clusters("case", flow, ratio, lead_s)

    def chatter(self, lead_s: float) -> Talk:
        clusters = self._scenario.clusters
        talk = self._clusters("chatter", self._traffic.chatter(), clusters.children.ratio, lead_s)
        counts = cl.repost_counts(talk.time_s.size, clusters.reposts, self._rng("chatter", "reposts"))
        of = np.repeat(np.arange(talk.time_s.size, dtype=np.int32), counts)
        delay_s = cl.repost_delays(of.size, clusters.reposts, self._rng("chatter", "repost_delay"))
        return Talk(
            talk.time_s,
            talk.parent,
            talk.language,
            talk.again_of,
            talk.again_s,
            of,
            talk.time_s[of] + delay_s,
        )

    def calls(self, calls_per_h: float) -> Talk:
        time_s, language = self._first("call", self._traffic.cases(calls_per_h), 0.0)
        nobody, never = np.empty(0, dtype=np.int32), np.empty(0)
        alone = np.full(time_s.size, NONE, dtype=np.int32)
        return Talk(time_s, alone, language, nobody, never, nobody, never)

    def part(self, stream: Stream, kind: PostKind, talk: Talk) -> Part:
        traffic = self._traffic
        return describe(
            talk,
            kind,
            self._window_s,
            traffic.grid,
            traffic.mixes,
            self._scenario.people,
            lambda name: self._rng(stream, name),
        )

    def _first(self, stream: Stream, flow: Flow, lead_s: float) -> tuple[Any, Any]:
        """Exogenous contacts: times and languages."""
        names = ("count", "time", "thinning")
        time_s = self._traffic.draw(flow, self._window_s[0] - lead_s, *(self._rng(stream, name) for name in names))
        u = self._rng(stream, "language").random(time_s.size)
        return time_s, choose(self._traffic.languages, self._traffic.grid.at(time_s), u)

    def _clusters(self, stream: Stream, flow: Flow, ratio: float, lead_s: float) -> Talk:
        law, end_s = self._scenario.clusters, self._window_s[1]
        alone_s, language = self._first(stream, flow, lead_s)
        first_s, origin = cl.gather(alone_s, law.batches, self._rng(stream, "batch"))
        delay = cl.minutes(law.children.delay_min)
        contacts = cl.grow(first_s, ratio, delay, self._rng(stream, "children"), end_s)
        numbers, gaps = self._rng(stream, "follow_up"), self._rng(stream, "gap")
        again_of, again_s = cl.follow_ups(contacts.time_s, law.follow_ups, numbers, gaps, end_s)
        return Talk(
            contacts.time_s,
            contacts.parent,
            language[origin[contacts.root]],
            again_of,
            again_s,
            np.empty(0, dtype=np.int32),
            np.empty(0),
        )


def assembled(parts: list[Part]) -> Columns:
    """Put parts in order of time, and point rows at rows: all columns of a trace."""
    starts = np.cumsum([0, *(part.parent.size for part in parts)])
    ahead = np.cumsum([0, *(part.people for part in parts)])
    order = _by_time(np.concatenate([part.columns["time_s"] for part in parts]))
    columns: Columns = {}
    for name in list(parts[0].columns):  # taken out one by one, so that memory does not hold all of them twice
        columns[name] = np.concatenate([part.columns.pop(name) for part in parts])[order]
    row = np.empty(order.size + 1, dtype=np.int32)
    row[order] = np.arange(order.size, dtype=np.int32)
    row[-1] = NONE
    parent = np.concatenate(
        [np.where(p.parent == NONE, NONE, p.parent + start) for p, start in zip(parts, starts, strict=False)]
    )
    columns["parent"] = row[parent[order]]
    author = np.concatenate([part.author + first for part, first in zip(parts, ahead, strict=False)])
    columns["author"] = _by_first_post(author[order], int(ahead[-1]))
    columns["case"] = _case_numbers(columns["kind"], columns["parent"])
    return {name: columns[name] for name in COLUMNS}


def _by_time(time_s: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places in order of time, equal ones in the order of their places.

    A stable sort takes three times as long, and equal times are few.
    """
    order = np.argsort(time_s)
    ordered = time_s[order]
    same = ordered[1:] == ordered[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        order[tied] = order[tied][np.lexsort((order[tied], ordered[tied]))]
    return order


def _by_first_post(author: NDArray[Any], people: int) -> NDArray[np.int32]:
    """Number people anew, in the order of their first posts."""
    rows = np.arange(author.size, dtype=np.int32)
    first = np.empty(people, dtype=np.int32)
    first[author[::-1]] = rows[::-1]  # of several entries the last one stays: the earliest row
    is_first = first[author] == rows
    number: NDArray[np.int32] = (np.cumsum(is_first, dtype=np.int32) - 1)[first[author]]
    return number


def _case_numbers(kind: NDArray[Any], parent: NDArray[Any]) -> NDArray[np.int32]:
    """Number the cases in order of opening; follow-ups take the number of theirs."""
    opens = kind == code(PostKind.CASE)
    number = np.where(opens, np.cumsum(opens, dtype=np.int32) - 1, NONE)
    again = np.flatnonzero((kind == code(PostKind.FOLLOW_UP)) & (parent != NONE))
    number[again] = number[parent[again]]
    return number


def _window(
    scenario: Scenario, seed: int, replication: int, size_u: float | None, hours: float | None
) -> tuple[float, float]:
    if seed < 0 or replication < 0:
        raise ScenarioError(f"seed {seed}, replication {replication}: neither may be below 0")
    if size_u is not None and not 0.0 <= size_u <= 1.0:
        raise ScenarioError(f"size_u is {size_u:g}, should be a quantile between 0 and 1")
    if hours is not None and not 0.0 < hours < math.inf:
        raise ScenarioError(f"hours is {hours:g}, should be above 0")
    start_s, end_s = scenario.window_s
    if hours is not None:
        end_s = min(end_s, start_s + hours * 3600.0)
    curve, calls = scenario.curve(size_u), scenario.phone.calls_per_h if scenario.phone is not None else 0.0
    rows = scenario.base.mentions_per_h * curve.total(start_s / 3600.0, end_s / 3600.0, "mentions")
    rows += calls * curve.total(start_s / 3600.0, end_s / 3600.0, "cases")
    if rows > MAX_ROWS:
        raise ScenarioError(
            f"{scenario.name}: {rows:.3g} posts and calls are expected, more than the {MAX_ROWS:,} that fit; "
            "lower the rates or cut the window with hours"
        )
    return start_s, end_s


@cache
def made_by() -> str:
    """The version of ashcloud that is at work."""
    try:
        return version("ashcloud")
    except PackageNotFoundError:  # run from a checkout that nobody installed
        return "0+unknown"
