"""What a load test would send: the question as it is asked, and the rows, objectives and mishaps that follow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loadtests import disturb, health, mishaps, shapes, slo
from loadtests.batches import batched
from loadtests.bodies import PLATFORM, Bodies
from loadtests.flows import beyond_budgets, fitted, mean_bytes, peak_per_s, requests
from loadtests.mishaps import Mishap
from loadtests.phases import phases
from loadtests.schedule import Schedule, at_times, of_traces
from loadtests.slo import Objective
from loadtests.target import Options, Target, Way
from reports.load_exporter import Address
from reports.traces import ENDING
from scenarios import library
from scenarios.errors import Fault, InputError
from scenarios.generate import generate
from scenarios.model import Scenario
from scenarios.traces import Trace
from scenarios.traces import load as load_trace
from sim.replicate import Size, size_u

SAMPLE = 400
WAIT_S = 1.0  # of the first post of a batch, if nobody says otherwise


@dataclass(frozen=True)
class LoadQuestion:
    """What was asked; `source` is a scenario, a trace by a name that ends in .npz, or a shape such as ramp:10,200,60s.

    `serve`: start a service.
    """

    source: str
    target: Target
    options: Options = field(default_factory=Options)
    speed: float = 1.0
    times: int = 1
    from_h: float | None = None
    to_h: float | None = None
    seed: int = 1
    size: Size = "likely"
    slo: str | None = None
    abort: bool = False
    lag_ms: float = 1e3 * health.LAG_P99_S
    most_requests: int | None = None
    mine: bool = False
    serve: bool = False
    disturb: str | None = None
    batch: int = 1
    batch_wait_s: float | None = None
    faults: bool = False
    disturb_service: str | None = None
    exporter: Address | None = None
    command: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = []
        if not self.target.local and not (self.mine and self.most_requests):
            what = "is not on this machine; if it is yours, say --i-own-this-host and --max-requests N"
            wrong.append(Fault(f"--target {self.target.host}", what))
        if self.times < 1:
            wrong.append(Fault("--times", f"is {self.times}; it should be 1 or more"))
        if self.times > 1 and self.source.endswith(ENDING):
            wrong.append(Fault("--times", "needs a scenario to draw further rows from; a trace holds its own only"))
        if shapes.is_shape(self.source) and (self.speed, self.times, self.from_h, self.to_h) != (1.0, 1, None, None):
            wrong.append(
                Fault("--speed, --times, --from, --to", "are for scenarios; a shape has its own times and rates")
            )
        if self.batch_wait_s is not None and self.batch == 1:
            wrong.append(Fault("--batch-wait", "needs --batch, which says how many posts a request may hold"))
        if self.target.file is not None and self.batch > 1:
            wrong.append(Fault("--batch", "is for the service's own form; a target file says what one post is"))
        if self.abort and self.slo is None:
            wrong.append(Fault("--abort-on-slo", "needs objectives; give them with --slo"))
        if self.faults and (self.source.endswith(ENDING) or shapes.is_shape(self.source)):
            wrong.append(Fault("--faults", "needs a scenario; a trace or a shape has no faults of its own"))
        for name, given in (("--faults", self.faults), (mishaps.OPTION, self.disturb_service is not None)):
            if given and not self.serve:
                wrong.append(Fault(name, "needs --serve: only a service that was started for it is broken on purpose"))
        if wrong:
            raise InputError(None, wrong)

    def settings(self) -> dict[str, Any]:
        """What may be written down of it."""
        kept = (
            "speed",
            "times",
            "from_h",
            "to_h",
            "seed",
            "size",
            "slo",
            "abort",
            "lag_ms",
            "most_requests",
            "serve",
            "disturb",
            "batch",
            "batch_wait_s",
            "faults",
            "disturb_service",
        )
        return {name: getattr(self, name) for name in kept} | {
            "target": self.target.told(), "options": asdict(self.options)
        }  # fmt: skip


@dataclass(frozen=True)
class Planned:
    """What would be sent: the rows, the scenario they are of (None: a trace file), the objectives, what goes wrong.

    `body_bytes` are those of a request; `sender` is the way; `needed` are the requests of each row (None: one each);
    `not_played` names faults of the scenario that are no matter of a service.
    """

    schedule: Schedule
    scenario: Scenario | None
    objectives: tuple[Objective, ...]
    body_bytes: float
    mishaps: tuple[Mishap, ...] = ()
    sender: Way = "lean"
    needed: NDArray[np.int64] | None = None
    not_played: tuple[str, ...] = ()

    @property
    def rows(self) -> dict[str, int]:
        """Rows that are due in each phase; without phases all of them, as one."""
        due = self.schedule["due_s"]
        parts = [(str(p["name"]), (due >= p["from_s"]) & (due < p["to_s"])) for p in self.schedule.about["phases"]]
        return {name: int(np.count_nonzero(where)) for name, where in parts} or {slo.ALL: len(self.schedule)}

    def to_dict(self) -> dict[str, Any]:
        """The facts of a dry run."""
        s = self.schedule
        n = s.requests if self.needed is None else int(self.needed.sum())
        return {
            "scenario": s.about["scenario"],
            "rows": len(s),
            "requests": n,
            "seconds": s.span_s,
            "mean_per_s": len(s) / max(s.span_s, 1e-9),
            "peak_per_s": s.peak_per_s(),
            "sender": self.sender,
            "peak_requests_per_s": s.peak_per_s() if self.needed is None else peak_per_s(s["due_s"], self.needed),
            "bytes": round(self.body_bytes * n),
            "bytes_a_request": round(self.body_bytes),
            "traces": list(s.about["traces"])[:1],
            "schedule": s.digest,
            "phases": [{**p, "rows": self.rows[p["name"]]} for p in s.about["phases"]],
            "slo": [objective.text for objective in self.objectives],
            "mishaps": [mishap.to_dict() for mishap in self.mishaps],
            "not_played": list(self.not_played),
        }


def plan(question: LoadQuestion) -> Planned:
    """Draw the rows and check what was asked.

    Raises
    ------
    AshcloudError
        If the scenario or the trace is not usable, a limit or an objective is not right, or there are more
        rows than `most_requests` or the budget of the target file allow.
    """
    q = question
    shape = shapes.read(q.source) if shapes.is_shape(q.source) else None
    scenario = None if shape is not None or q.source.endswith(ENDING) else library.load(q.source)
    parts = () if scenario is None else phases(scenario, size_u(q.size, q.seed, 0))
    how = None if q.disturb is None else disturb.parse(q.disturb)
    if how is not None and how.hostile and q.target.file is not None:
        raise InputError(
            None,
            [Fault("--disturb", "has hostile, which spoils the service's own form; leave it out for a target file")],
        )
    if shape is None:
        holds = mishaps.holds(scenario.faults) if q.faults and scenario is not None else ()
        schedule = of_traces(_traces(q, scenario), q.speed, q.from_h, q.to_h, parts, holds)
    else:
        schedule = at_times(shape.due_s("poisson", np.random.default_rng(q.seed)), shape.name, q.seed)
    schedule = schedule if how is None else disturb.disturbed(schedule, how, q.seed)
    if q.batch != 1:
        schedule = batched(
            schedule, q.batch, WAIT_S if q.batch_wait_s is None else q.batch_wait_s, own_form=PLATFORM in q.target.path
        )
    names = [str(phase["name"]) for phase in schedule.about["phases"]] or [slo.ALL]
    objectives = () if q.slo is None else slo.parse(q.slo, names)
    options = fitted(schedule, q.target, q.options)
    needed = requests(schedule, q.target, options)
    if q.most_requests is not None and needed.sum() > q.most_requests:
        what = f"is {q.most_requests:,}, but there are {needed.sum():,} requests; take fewer hours, or raise it"
        raise InputError(None, [Fault("--max-requests", what)])
    if beyond := list(beyond_budgets(schedule, q.target, options)):
        raise InputError(None, beyond)
    size = _request_bytes(schedule, q.target, options)
    left_out = mishaps.not_played(scenario.faults, schedule) if q.faults and scenario is not None else ()
    found = _mishaps(q, scenario, schedule)
    return Planned(schedule, scenario, objectives, size, found, options.sender, needed, tuple(left_out))


def _request_bytes(schedule: Schedule, target: Target, options: Options) -> float:
    """Bytes of a request on average, judged by some of them."""
    some = schedule.of_part(0, max(1, schedule.requests // SAMPLE))
    bodies = Bodies(schedule, some, target, "00000000")
    if options.sender == "session":
        return mean_bytes(schedule, target, [bodies.values(place) for place in range(len(bodies))])
    return float(np.mean([len(bodies.take(place)) for place in range(len(bodies))]))


def _mishaps(q: LoadQuestion, scenario: Scenario | None, schedule: Schedule) -> tuple[Mishap, ...]:
    found: list[Mishap] = []
    if q.faults and scenario is not None:
        found += mishaps.of_scenario(scenario.faults, schedule)
    if q.disturb_service is not None:
        found += mishaps.of_words(q.disturb_service, schedule)
    return tuple(found)


def _traces(q: LoadQuestion, scenario: Scenario | None) -> Iterator[Trace]:
    if scenario is None:
        yield load_trace(Path(q.source))
        return
    start_h, end_h = scenario.window_h
    to_h = end_h if q.to_h is None else q.to_h
    short_h = to_h - start_h if start_h < to_h < end_h else None
    for number in range(q.times):
        hours = short_h if number else None  # the first is the trace that `simulate` plays, the others are only more
        yield generate(scenario, q.seed, number, size_u(q.size, q.seed, number), hours)
