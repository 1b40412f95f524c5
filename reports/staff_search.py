"""The parts of a staffing answer, one after the other, each within its share of the time."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal

from reports import manifest as manifests
from reports.make import Voice
from reports.staff_manifest import StaffSettings
from reports.staffed import Staffed
from scenarios import library as scenario_library
from scenarios.errors import Fault, InputError
from sim.crew import Watch
from sim.engines import prepare
from sim.executors import StoppedError
from sim.staff.baselines import Baseline, at_service, proportional, stationary
from sim.staff.budget import Budget
from sim.staff.earlier import value_of_earlier
from sim.staff.finalists import finals
from sim.staff.need import Need
from sim.staff.possible import Ceiling, impossible
from sim.staff.promise import Promise
from sim.staff.reachable import an_hour_later, attend, reachable
from sim.staff.rostering import make
from sim.staff.rules import Rules
from sim.staff.sizing import HASTY, Question, Sized, judged, size_plan
from sim.staff.trim import Judge
from sim.staff.unknown_size import Table, TwoStage, play_sizes, two_stage
from sim.staff.worlds_advice import advise

Status = Literal["finished", "interrupted"]
STEPS = 8  # what a run is made of, for the bar of progress
LARGER = (("80 % surge", 0.8), ("95 % surge", 0.95))
LESS, MORE = 0.10, 0.10  # by how much the promise of the cheaper and of the safer plan differs, where no size is open
SHARES = (0.54, 0.34)  # of the time for the requirement and for its alternatives
OPEN_SIZE = (0.38, 0.15)  # the same where the plans are played under sizes too, which takes its time
WORLDS, FINALS = 0.08, 0.04  # of the time, for worlds drawn from the assumed ranges and for the choice among plans
EARLIER_DAYS = 16  # at most, of those on which the plan is judged, to see what an hour is worth
ROSTER = 0.5  # of the time, on top, for a roster
KNOWN_H, LEAD_H = 12.0, 8.0


def search(
    asked: Question, settings: StaffSettings, rules: Rules | None, seconds: float, voice: Voice
) -> tuple[Status, Staffed]:
    """All parts of the answer, in `seconds` for what searches; playing what was found comes on top.

    Raises
    ------
    InputError
        If there are promises that nobody can keep: all of them.
    """
    desk, promises = asked.desk, asked.promises
    first, rest = OPEN_SIZE if asked.size_is_open else SHARES
    with voice.waiting(f"{asked.scenario.name}, staff", STEPS) as watch:
        prepare("compiled", watch.notice)
        watch.progress(0.0, 0)
        if beyond := impossible(asked, settings.size):
            raise InputError(None, [_beyond(each) for each in beyond])
        main = size_plan("requirement", asked, Budget(first * seconds, watch), size=settings.size)
        watch.progress(1 / STEPS, 1)
        fresh = min(main.effort.fresh, HASTY) if watch.stopped() else main.effort.fresh
        days = asked.days(fresh, settings.size, fresh=True)
        runs_as_is = attend(days, desk, promises)
        reached = reachable(days, desk, promises, asked.per_language, runs_as_is)
        some = min(EARLIER_DAYS, main.effort.mend)
        few, as_is = days.part(0, some), runs_as_is[:some]
        called = any(math.isfinite(run.first_ladder_s) for run in as_is)
        hour = an_hour_later(few, desk, promises, as_is) if called and not watch.stopped() else None
        earlier = () if watch.stopped() else value_of_earlier(few, desk, promises, as_is)
        watch.progress(2 / STEPS, 2)
        others = [] if watch.stopped() else _others(asked, main, rest * seconds, watch, settings)
        watch.progress(3 / STEPS, 3)
        if not watch.stopped():
            main = _no_dearer(asked, main, others, settings)
        chosen = None
        if others and not watch.stopped():
            size = "drawn" if asked.size_is_open else settings.size
            chosen = finals(asked, [main, *others], size, settings.miss_eur, Budget(FINALS * seconds, watch))
        watch.progress(4 / STEPS, 4)
        table = stages = None
        if asked.size_is_open and others and not watch.stopped():
            with suppress(StoppedError):
                table, stages = _open_size(asked, main, others, Budget(watch=watch), settings)
        watch.progress(5 / STEPS, 5)
        worlds = None
        if settings.worlds and others and not watch.stopped():
            worlds = advise(asked, main, others, reached, Budget(WORLDS * seconds, watch), settings.worlds)
        watch.progress(6 / STEPS, 6)
        usual = () if settings.baselines == 0 else _baselines(asked, main, settings, watch)
        watch.progress(7 / STEPS, 7)
        roster = None
        if rules is not None and not watch.stopped():
            most = [pool.heads for pool in desk.pools] if settings.roster_heads == "own" else None
            roster = make(asked, main, rules, Budget(ROSTER * seconds, watch), most)
        watch.progress(1.0, STEPS)
        stopped = watch.stopped()
    told = Staffed(
        asked, settings.size, main, tuple(others), reached, hour, table, stages, usual,
        manifests.versions()["ashcloud"], settings.miss_eur, roster, worlds, chosen, earlier,
    )  # fmt: skip
    return "interrupted" if stopped else "finished", told


def _beyond(found: Ceiling) -> Fault:
    """What to say of a promise that nobody can keep."""
    whom = "" if found.name == "all" else f" in {found.name}"
    what = (
        f"'{found.promise}' cannot be kept{whom} by any number of people: where nobody waits "
        f"{100.0 * found.share:.0f}% have an answer in time"
    )
    if math.isfinite(found.within_s):
        minutes = math.ceil(found.within_s / 60.0)
        return Fault("promise", f"{what}, as answers take their time; give at least {minutes} min for that share")
    return Fault("promise", f"{what}, and so many never have one; give a smaller share")


def _others(asked: Question, main: Sized, seconds: float, watch: Watch, settings: StaffSettings) -> list[Sized]:
    """A cheaper and a safer plan: for larger surges, or for smaller and larger promises where none is open."""
    if asked.size_is_open:
        wanted: list[tuple[str, Any, Sequence[Promise] | None]] = [(name, u, None) for name, u in LARGER]
    else:
        less, more = zip(*(_less_and_more(promise) for promise in asked.promises), strict=True)
        wanted = [("cheaper", settings.size, less), ("safer", settings.size, more)]
    found: list[Sized] = []
    for name, size, promises in wanted:
        if watch.stopped():
            break
        budget = Budget(seconds / len(wanted), watch)
        begin = _begin(main, size)
        found.append(
            size_plan(
                name, asked, budget, size=size, promises=promises, begin=begin, effort=main.effort.half, candidates=1
            )
        )
    return found


def _less_and_more(promise: Promise) -> tuple[Promise, Promise]:
    """A smaller and a larger share in the same time; the larger one halves what is missing, if that is less."""
    less, more = max(promise.share - LESS, promise.share / 2.0), promise.share + min(MORE, (1.0 - promise.share) / 2.0)
    return Promise(less, promise.within_s), Promise(more, promise.within_s)


def _no_dearer(asked: Question, main: Sized, others: Sequence[Sized], settings: StaffSettings) -> Sized:
    """The requirement with the seats of an alternative, if these cost less and keep its promises on the search's days.

    That happens where the time ended the search for the one and not for the other.
    """
    cheaper = [each for each in others if each.seats.cost(asked.desk) < main.seats.cost(asked.desk)]
    if not cheaper:
        return main
    days = asked.days(main.effort.mend, settings.size, first=main.effort.find)
    keeps = Judge(days, asked.desk, asked.promises, asked.per_language).keeps
    for each in sorted(cheaper, key=lambda sized: sized.seats.cost(asked.desk)):
        if keeps(each.seats):
            fresh = asked.days(main.effort.fresh, settings.size, fresh=True)
            return judged(
                main.name, asked, asked.promises, main.size, each.seats, each.need, fresh, main.effort, main.finished
            )
    return main


def _begin(main: Sized, size: Any) -> Need | None:
    """What to begin another search with: the seats that were found, or none where the load is another."""
    return main.need if size == main.size else None


def _open_size(
    asked: Question, main: Sized, others: Sequence[Sized], whole: Budget, settings: StaffSettings
) -> tuple[Table, TwoStage]:
    plans = {each.name: each.seats for each in (main, *others)}
    made_for = {main.name: (0.5, main.seats), **{each.name: (float(each.size), each.seats) for each in others}}
    seed = asked.seed + 7
    table = play_sizes(
        asked.scenario, asked.desk, plans, asked.promises, settings.miss_eur, seed, whole, hours=asked.hours
    )
    stages = two_stage(
        asked.scenario, asked.desk, made_for, table, asked.promises, seed, whole,
        known_h=KNOWN_H, lead_h=LEAD_H, hours=asked.hours,
    )  # fmt: skip
    return table, stages


def _baselines(asked: Question, main: Sized, settings: StaffSettings, watch: Watch) -> tuple[Baseline, ...]:
    if watch.stopped():
        return ()
    days = asked.days(settings.baselines, settings.size, first=main.effort.fresh, fresh=True)
    size_u = days.traces[0].about["size_u"]
    quiet = scenario_library.load("quiet_week")
    ways = {
        "stationary Erlang": stationary(asked.desk, asked.scenario, asked.promises, days, size_u),
        "today's desk": proportional(asked.desk, quiet, asked.scenario, days, size_u),
    }
    found: list[Baseline] = []
    with suppress(StoppedError):
        for name, way in ways.items():
            found.append(at_service(name, way, main.seats, days, asked.desk, asked.promises, watch=watch))
    return tuple(found)
