"""Alternatives on the same days: what differs between them is the alternative, not the luck.

For each run one trace is drawn, with a surge of its own size, and every alternative plays it with the
same seed: the same customers with the same work and the same patience. So differences are taken run by
run, and most of the chance falls out of them. Runs in worlds (see `sim.worlds`) go the same way.
Source: Law (2015), Simulation Modeling and Analysis, chapter 11.2, common random numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from scenarios.generate import generate
from scenarios.model import Scenario
from sim.cluster import Cluster
from sim.crew import Tick, Watch, each
from sim.desk import Desk
from sim.engines import EngineName, engine, prepare
from sim.measures import MEASURES, Measure, Row, measure
from sim.replicate import Size, executor_named, size_u
from sim.worlds import World

MISSED = Measure(
    "missed_promise_share", "share", "Missed promises",
    "Share of all cases without a first answer within the promise of their class; those never answered "
    "count as missed.",
    "service", "low", lambda rows: 1.0 - MEASURES["answered_within_promise_share"].function(rows),
)  # fmt: skip

COMPARED: Mapping[str, Measure] = MappingProxyType({MISSED.id: MISSED, **MEASURES})
"""All measures that are compared."""

KEY = (
    "missed_promise_share", "first_response_p50_s", "first_response_p90_s", "promise_recover_s", "time_to_recover_s",
    "cost",
)  # fmt: skip
"""Measures on which alternatives are ranked in words, the one that decides first."""


@dataclass(frozen=True)
class Alternative:
    """A desk, with the plan that it follows, under a name."""

    name: str
    desk: Desk


@dataclass(frozen=True)
class Day:
    """One trace, played by every alternative: what came out, without the rows.

    Attributes
    ----------
    number : int
        Of the run; with the seed it names all its chance.
    world : int or None
        The world in which it was played; None: everything as the files say.
    size_u : float or None
        Quantile of the size of the surges, None for the likely size.
    trace : str
        Digest.
    outcomes : tuple of str
        Digests, one an alternative.
    rows : tuple of dict
        Values of `COMPARED` by id, one an alternative.
    """

    number: int
    world: int | None
    size_u: float | None
    trace: str
    outcomes: tuple[str, ...]
    rows: tuple[Row, ...]


def play(
    scenario: Scenario,
    alternatives: Sequence[Alternative],
    runs: int,
    seed: int,
    *,
    hours: float | None = None,
    drain_h: float = 0.0,
    size: Size = "drawn",
    engine: EngineName = "compiled",
    workers: int | None = None,
    executor: str | None = None,
    worlds: Sequence[World] = (),
    runs_each: int = 2,
    watch: Watch | None = None,
) -> Iterator[Day]:
    """Play the runs, then `runs_each` runs in each world, and hand them over in that order.

    Parameters
    ----------
    scenario : Scenario
    alternatives : sequence of Alternative
        At least one.
    runs, seed : int
        As for `sim.replicate.replicate`; so are `hours`, `drain_h`, `size`, `engine`, `workers`,
        `executor`, `watch`.
    worlds : sequence of World
        With a desk for each alternative. World w plays the runs numbered from ``w * runs_each`` on, so
        that no two worlds share their luck.

    Raises
    ------
    ScenarioError, DeskError
        As `scenarios.generate.generate` and the engine raise them.
    WorkersLostError
        If worker processes are ended from outside again and again.

    Notes
    -----
    The same arguments give the same digests whatever the number of workers. Memory: one trace and one
    outcome a process; only measures are kept.
    """
    desks = tuple(each.desk for each in alternatives)
    pieces = [_Piece(number, None) for number in range(runs)]
    pieces += [_Piece(w * runs_each + r, w) for w in range(len(worlds)) for r in range(runs_each)]
    job = _Job(scenario, desks, tuple(worlds), tuple(pieces), seed, hours, drain_h, size, engine)
    place, heard = executor_named(executor, workers, engine), watch or Watch()
    if not isinstance(place, Cluster):
        prepare(engine, heard.notice)
    return each(job, len(pieces), place, heard)


@dataclass(frozen=True)
class _Piece:
    number: int
    world: int | None


@dataclass(frozen=True)
class _Job:
    scenario: Scenario
    desks: tuple[Desk, ...]
    worlds: tuple[World, ...]
    pieces: tuple[_Piece, ...] = field(repr=False)
    seed: int
    hours: float | None
    drain_h: float
    size: Size
    engine: EngineName

    def __call__(self, place: int, tick: Tick) -> Day:
        """One trace, played by one alternative after the other."""
        piece = self.pieces[place]
        world = None if piece.world is None else self.worlds[piece.world]
        scenario, desks = (self.scenario, self.desks) if world is None else (world.scenario, world.desks)
        u = size_u(self.size, self.seed, piece.number)
        trace = generate(scenario, self.seed, piece.number, u, self.hours)
        play = engine(self.engine)
        digests, rows = [], []
        for at, desk in enumerate(desks):

            def progress(share: float, at: int = at) -> None:
                tick((at + share) / len(desks))

            outcome = play(scenario, desk, trace, self.seed, piece.number, self.drain_h, progress=progress)
            digests.append(outcome.digest)
            rows.append(_row(measure(outcome)))
        number = None if world is None else world.number
        return Day(piece.number, number, u, trace.digest, tuple(digests), tuple(rows))


def _row(row: Row) -> Row:
    """With the share of missed promises, which is what the share kept leaves."""
    kept = row["answered_within_promise_share"]
    return {MISSED.id: None if kept is None else 1.0 - kept, **row}
