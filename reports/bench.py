"""How fast the engines are, beside other tools on the same models, and whether all give the same answer.

Each time is CPU time of the thread, the collector of garbage off, the median of rounds in which all tools take
turns; only the test of threads looks at the clock on the wall. Both engines are measured over the same span,
from a trace and a desk to a finished `Outcome`, and over their loop alone.
"""

from __future__ import annotations

import gc
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

from reports import bench_ciw, bench_models, bench_peers
from reports.bench_answers import same_answer
from reports.bench_models import SEED, Model
from reports.bench_process import bytes_a_turn, compile_times
from reports.manifest import versions
from sim.crew import Watch, cores
from sim.engines import EngineName, engine
from sim.outcome import Outcome

MODELS = ("mm105", "multiskill", "quiet_week", "volcano")
ROUNDS = 3
ENOUGH_S, MANY = 0.4, 5  # a tool plays once a round, or up to so often if that is over before
JOBS, THREAD_ROUNDS = 6, 10  # runs that the threads share, and how often
OWN_LOAD = 1.5  # load average up to which the benchmark itself explains it
OURS: tuple[EngineName, ...] = ("compiled", "reference")
IN_WORDS = "cannot without being told: reading, shifts, breaks, re-contacts, phone and faults are rules of a desk"


@dataclass(frozen=True)
class Sizes:
    """How much of each model is played."""

    arrivals: int
    days: int
    agents: int
    quiet_h: float | None
    volcano_h: float
    ciw_arrivals: int
    growth: int  # arrivals at 105 servers, a tenth of those at 1050
    compiles: bool = False


FULL = Sizes(200_000, 3, 150, None, 72.0, 50_000, 100_000, True)
QUICK = Sizes(20_000, 1, 50, 24.0, 24.0, 10_000, 20_000)


@dataclass
class Player:
    """A tool that plays a model, and what came of it."""

    name: str
    play: Callable[[], Any] | None
    customers: int = 0
    cannot: str = ""
    seconds: list[float] = field(default_factory=list)
    loops: list[float] = field(default_factory=list)
    answer: Any = None


class StoppedError(Exception):
    """The user has had enough; what is finished counts."""


class Loop:
    """Measures the loop of an engine by what it tells of its progress."""

    begun = ended = 0.0

    def __call__(self, share: float) -> None:
        self.ended = time.thread_time()
        if share == 0.0:
            self.begun = self.ended


def bench(sizes: Sizes, only: str | None, watch: Watch) -> dict[str, Any]:
    """Measure; what has finished when `watch` stops it is there, the rest is not.

    Returns
    -------
    dict
        Ready for JSON: `models` by name, each with `title`, `customers`, `turns`, `tools` (see `_told`) and
        `times_reference`; `growth`, `threads`, `memory`, `compile` if all models were asked for; `bars`; `all_same`
        (whether all tools gave the same answers); `made_with` (versions, cores); `quick`; `status`.
    """
    names = MODELS if only is None else (only,)
    found: dict[str, Any] = {"status": "finished", "quick": sizes != FULL, "made_with": _made_with(), "models": {}}
    alone: dict[str, Callable[[], Any]] = {} if only else {
        "growth": lambda: growth(sizes),
        "threads": lambda: {name: threads(model(name, FULL)) for name in ("mm105", "volcano")},
        "memory": lambda: bytes_a_turn(sizes.volcano_h),
        "compile": lambda: compile_times() if sizes.compiles else None,
    }  # fmt: skip
    try:
        for i, name in enumerate(names):
            found["models"][name] = measure(model(name, sizes), sizes, _ticks(watch, i, pieces(only)))
        for i, (name, job) in enumerate(alone.items()):
            _ticks(watch, len(names) + i, pieces(only))(0.0)
            found[name] = job()
    except StoppedError:
        found["status"] = "interrupted"
    tools = [tool for it in found["models"].values() for tool in it["tools"]]
    all_same = all(tool["answer"]["same"] for tool in tools if "answer" in tool)
    return {**found, "all_same": all_same, "bars": bars(found)}


def _made_with() -> dict[str, Any]:
    ciw = {"ciw": version("ciw")} if bench_ciw.is_installed() else {}
    return {
        **versions(), **ciw, "python": platform.python_version(), "platform": platform.platform(), "cores": cores()
    }  # fmt: skip


def pieces(only: str | None) -> int:
    """How many things `bench` does one after the other."""
    return len(MODELS) + 4 if only is None else 1


def model(name: str, sizes: Sizes) -> Model:
    """A model of the benchmark."""
    if name == "mm105":
        return bench_models.erlang_a(105, sizes.arrivals)
    if name == "multiskill":
        return bench_models.multi_skill(sizes.days, sizes.agents)
    return bench_models.window(name, sizes.quiet_h if name == "quiet_week" else sizes.volcano_h)


def _ticks(watch: Watch, at: int, models: int) -> Callable[[float], None]:
    def tick(share: float) -> None:
        watch.progress((at + share) / models, at)
        if watch.stopped():
            raise StoppedError

    return tick


# ---- one model --------------------------------------------------------------------------------------


@contextmanager
def _all_so_far_set_aside() -> Iterator[None]:
    """Garbage is looked for among what is made from here on: all that was there before need not be gone through."""
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@_all_so_far_set_aside()
def measure(it: Model, sizes: Sizes, tick: Callable[[float], None], rounds: int = ROUNDS) -> dict[str, Any]:
    """Let all tools play a model in turns and hold their answers against each other."""
    players = [*(_engine(it, name) for name in OURS), *_peers(it, sizes)]
    able = [player for player in players if player.play is not None]
    _run(it, "compiled")  # loads what was compiled, or compiles
    for turn in range(rounds):
        for i, player in enumerate(able):
            tick((turn + i / len(able)) / rounds)
            _play(player)
            while sum(player.seconds) < ENOUGH_S * (turn + 1) and len(player.seconds) < MANY * (turn + 1):
                _play(player)  # what is over in a moment is measured more often
    tick(1.0)
    ours: Outcome = players[0].answer
    cases, turns = int(ours.cases["row"].size), int(ours.turns["case"].size)
    simpy = next((_each_s(p) for p in able if p.name == "SimPy"), None)
    compiled, reference = players[:2]
    return {
        "title": it.title,
        "customers": cases,
        "turns": turns,
        "times_reference": {
            "whole": _median(reference.seconds) / _median(compiled.seconds),
            "loop": _median(reference.loops) / _median(compiled.loops),
        },
        "tools": [_told(it, player, ours, turns, simpy) for player in players],
    }


def _engine(it: Model, name: EngineName) -> Player:
    n = it.trace.cases if it.customers is None else it.customers.arrival_s.size
    return Player(name, partial(_run, it, name), int(n))


def _run(it: Model, name: EngineName) -> tuple[Outcome, float]:
    loop = Loop()
    outcome = engine(name)(it.scenario, it.desk, it.trace, SEED, drain_h=it.drain_h, progress=loop)
    return outcome, loop.ended - loop.begun


def _peers(it: Model, sizes: Sizes) -> list[Player]:
    """Other tools: what plays the model, or why nothing does."""
    c = it.customers
    if c is None:
        return [Player(name, None, cannot=IN_WORDS) for name in ("SimPy", "plain Python", "Ciw")]
    n = c.arrival_s.size
    if it.has_skills:
        return [
            Player("SimPy", partial(bench_peers.simpy_skills, c), n),
            Player("plain Python", partial(bench_peers.loop_skills, c), n),
            Player("Ciw", None, cannot=bench_ciw.NO_SKILLS),
        ]
    few = c.first(min(n, sizes.ciw_arrivals))
    ciw = partial(bench_ciw.play, few) if bench_ciw.is_installed() else None
    return [
        Player("SimPy", partial(bench_peers.simpy_resource, c), n),
        Player("SimPy, lean", partial(bench_peers.simpy_lean, c), n),
        Player("plain Python", partial(bench_peers.plain_loop, c), n),
        Player("Ciw", ciw, few.arrival_s.size, cannot="" if ciw else bench_ciw.INSTALL),
    ]


def _play(player: Player) -> None:
    """Measure one run. The answer of the first one is kept."""
    assert player.play is not None
    with _collector_off():
        begun = time.thread_time()
        answer = player.play()
        player.seconds.append(time.thread_time() - begun)
    if player.name in OURS:
        answer, loop_s = answer
        player.loops.append(loop_s)
    if player.answer is None:
        player.answer = answer


@contextmanager
def _collector_off() -> Iterator[None]:
    """For all tools alike: looking for garbage among what one of them keeps would be charged to the next."""
    gc.collect()
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _each_s(player: Player) -> float:
    return _median(player.seconds) / player.customers


def _told(it: Model, player: Player, ours: Outcome, turns: int, simpy_s: float | None) -> dict[str, Any]:
    """What one tool did. `answer` says how it compares with the compiled engine's; `cannot` why it did not play."""
    if player.play is None:
        return {"tool": player.name, "cannot": player.cannot}
    told: dict[str, Any] = {
        "tool": player.name,
        "customers": player.customers,
        "seconds": _median(player.seconds),
        "rounds_s": player.seconds,
        "us_per_customer": _each_s(player) * 1e6,
        "customers_per_second": 1.0 / _each_s(player),
        "times_simpy": None if simpy_s is None else simpy_s / _each_s(player),
        "answer": same_answer(it, ours, player.answer),
    }
    if player.name in OURS:
        told |= {
            "turns_per_second": turns / _median(player.seconds),
            "loop_seconds": _median(player.loops),
            "loop_turns_per_second": turns / _median(player.loops),
        }
    return told


# ---- the compiled engine alone ------------------------------------------------------------------------


@_all_so_far_set_aside()
def growth(sizes: Sizes, idle: str = "ordered", rounds: int = MANY) -> dict[str, Any]:
    """CPU time a turn of M/M/s+M, and with ten times the arrivals and ten times the servers."""
    both = [bench_models.erlang_a(105 * x, sizes.growth * x, idle) for x in (1, 10)]
    players = [_engine(it, "compiled") for it in both]
    for player in players * rounds:
        _play(player)
    ns = [_median(p.seconds) / p.customers * 1e9 for p in players]
    loop = [_median(p.loops) / p.customers * 1e9 for p in players]
    return {
        "arrivals": [p.customers for p in players],
        "servers": [105, 1050],
        "ns_per_turn": ns,
        "loop_ns_per_turn": loop,
        "ratio": ns[1] / ns[0],
        "loop_ratio": loop[1] / loop[0],
    }


def threads(it: Model, rounds: int = THREAD_ROUNDS) -> dict[str, Any] | None:
    """Wall time of the same runs by one thread and by two, the least of rounds in turns; None on a single core.

    `busy` says that others used the machine, so that two threads had no two cores.
    """
    if cores() < 2:
        return None

    def job(_: int) -> None:
        _run(it, "compiled")  # and forget it: who keeps all outcomes measures how fast the system gives memory

    def wall_s(many: int) -> float:
        with ThreadPoolExecutor(many) as pool:
            list(pool.map(job, range(2 * many)))  # each has its memory from here on
            begun = time.perf_counter()
            list(pool.map(job, range(JOBS)))
            return time.perf_counter() - begun

    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
    both = [(wall_s(1), wall_s(2)) for _ in range(rounds)]
    one, two = (min(times) for times in zip(*both, strict=True))
    busy = load is not None and load > cores() - 2 + OWN_LOAD
    return {"runs": JOBS, "one_s": one, "two_s": two, "ratio": one / two, "load_average": load, "busy": busy}


# ---- bars ---------------------------------------------------------------------------------------------


def bars(found: dict[str, Any]) -> list[dict[str, Any]]:
    """What was aimed at and what was found, of all that was measured."""
    out = []

    def bar(what: str, value: float, least: float | None = None, most: float | None = None) -> None:
        met = value >= least if least is not None else value <= (most if most is not None else value)
        out.append({"what": what, "value": value, "at_least": least, "at_most": most, "met": bool(met)})

    models = found["models"]
    if "volcano" in models:
        it = models["volcano"]
        bar("volcano: times as fast as the reference engine", it["times_reference"]["whole"], least=60.0)
        bar("volcano: turns a second on one core", it["tools"][0]["turns_per_second"], least=500_000.0)
    if "mm105" in models:
        bar("M/M/105+M: customers a second on one core", models["mm105"]["tools"][0]["customers_per_second"], 1.5e6)
    for name, told in found.get("threads", {}).items():
        if told is not None and not told["busy"]:
            bar(f"{name}: two threads, times as fast as one", told["ratio"], least=1.7)
    if found.get("growth"):
        bar("time a turn, volume and heads times ten", found["growth"]["ratio"], most=1.5)
    if found.get("memory"):
        bar("volcano: bytes a turn", found["memory"]["bytes_per_turn"], most=400.0)
    return out
