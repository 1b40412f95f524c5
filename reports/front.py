"""The front door of the library: simulate and compare from a program or a notebook.

    >>> from ashcloud import Desk, Scenario, compare, simulate
    >>> week, desk = Scenario.load("quiet_week"), Desk.load("klm_2015")
    >>> found = simulate(week, desk, runs=2, hours=6)
    >>> found
    <quiet_week on klm_2015: 2 runs, seed 1, first 6 hours>
    >>> found.measures["cases"]["runs"]
    2

Scenarios, desks and plans may also be given by their names in the library, or by their files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from reports.alternatives import OWN_PLAN, alternatives, choose, with_plan
from reports.compare import gather, set_up, work_out
from reports.compared import CompareSettings
from reports.manifest import Settings
from reports.results import ComparisonResult, Simulated
from scenarios.model import Scenario
from sim.compare import Alternative, Day
from sim.crew import Watch
from sim.desk import Desk
from sim.engines import EngineName
from sim.plan import Plan
from sim.replicate import Size, replicate

THREADS = "threads"  # processes would want a guarded __main__ in the program that calls


def simulate(
    scenario: Scenario | str | Path,
    desk: Desk | str | Path = "klm_2015",
    *,
    runs: int = 4,
    seed: int = 1,
    hours: float | None = None,
    drain_h: float = 0.0,
    size: Size = "drawn",
    plan: Plan | str | Path = OWN_PLAN,
    engine: EngineName = "compiled",
    workers: int | None = None,
) -> Simulated:
    """Play a scenario on a desk some times.

    Parameters
    ----------
    scenario, desk : values, names of the library, or files
    runs, seed : int
        Number of runs, >= 1; root of all chance. The same arguments give the same numbers.
    hours : float, optional
        Cut the window to its first hours.
    drain_h : float
        Hours beyond the window that a run may go on while anything waits.
    size : {"drawn", "likely", "low", "high"}
        Size of the surges: a draw a run, or the same for all.
    plan : value, name or file
        The crisis plan; "own" is that of the desk, "none" to have none.
    engine : {"compiled", "reference"}
    workers : int, optional
        Threads at most, by default one a core.

    Raises
    ------
    scenarios.errors.AshcloudError
        With everything that is wrong with what was given.

    Examples
    --------
    >>> from ashcloud import simulate
    >>> found = simulate("quiet_week", runs=2, hours=6)
    >>> sorted(found.measures["cost"])
    ['high', 'low', 'mean', 'runs']
    >>> found.to_columns()["value"].dtype
    dtype('float64')
    """
    settings = Settings(
        runs=runs, seed=seed, hours=hours, drain_h=drain_h, size=size, engine=engine, workers=workers, executor=THREADS
    )
    who = with_plan(_desk(desk), choose(plan))
    what = _scenario(scenario)
    return Simulated(what, who, settings, tuple(replicate(what, who, **settings.asked())))


def compare(
    scenario: Scenario | str | Path,
    desks: Mapping[str, Desk | str | Path] | Iterable[Desk | str | Path] = ("klm_2015",),
    *,
    plans: Iterable[Plan | str | Path] = (),
    runs: int = 40,
    seed: int = 1,
    hours: float | None = None,
    drain_h: float = 0.0,
    size: Size = "drawn",
    worlds: int = 0,
    engine: EngineName = "compiled",
    workers: int | None = None,
) -> ComparisonResult:
    """Play a scenario on several desks, or with several plans, on the same days.

    Parameters
    ----------
    scenario : value, name of the library, or file
    desks : mapping of name to desk, or several desks
        Without names they go by those in their files. The first one is the baseline.
    plans : values, names or files
        Every desk follows each of them; "none" is to have none, "own" that of the desk. Without any each
        desk follows its own.
    worlds : int
        Draw what scenario, desks and plans assume so many times, see `sim.worlds`; 0 for not at all.

    The other parameters are those of `simulate`.

    Raises
    ------
    scenarios.errors.AshcloudError
        With everything that is wrong with what was given, or if there is only one alternative.

    Examples
    --------
    >>> from ashcloud import compare
    >>> found = compare("quiet_week", ["klm_2015", "klm_2015"], runs=2, hours=6)
    >>> found.names
    ('klm_2015', 'klm_2015 (2)')
    >>> found.words.headline
    "No difference between 'klm_2015' and 'klm_2015 (2)': they miss the same promises in every run."
    >>> found.difference("cost", "klm_2015 (2)")["mean"]
    0.0
    """
    settings = CompareSettings(
        runs=runs,
        seed=seed,
        hours=hours,
        drain_h=drain_h,
        size=size,
        worlds=worlds,
        engine=engine,
        workers=workers,
        executor=THREADS,
    )
    setup = set_up(_scenario(scenario), _alternatives(desks, plans), settings)
    days: list[Day] = []
    gather(setup, Watch(), days.append)
    told = work_out(setup, days)
    assert told is not None
    return ComparisonResult(told)


def _alternatives(
    desks: Mapping[str, Desk | str | Path] | Iterable[Desk | str | Path], plans: Iterable[Plan | str | Path]
) -> tuple[Alternative, ...]:
    chosen = [(_word(plan), choose(plan)) for plan in plans]
    if not isinstance(desks, Mapping):
        return alternatives([(_word(desk), _desk(desk)) for desk in desks], chosen)
    return alternatives([(name, _desk(desk)) for name, desk in desks.items()], chosen, tuple(desks))


def _word(given: Desk | Plan | str | Path) -> str:
    return given.name if isinstance(given, Desk | Plan) else str(given)


def _scenario(given: Scenario | str | Path) -> Scenario:
    return given if isinstance(given, Scenario) else Scenario.load(given)


def _desk(given: Desk | str | Path) -> Desk:
    return given if isinstance(given, Desk) else Desk.load(given)
