"""Worlds: what nobody has measured, drawn from the range that the files give it.

A scenario and a desk name the parameters that have no source, most of them with a range; a crisis plan
says of each lever what it does at least, likely and at most. A world sets all of them to a value drawn
by name, so that every alternative meets the same world: the same place of two desks, the same lever of
two plans, stands at the same part of its range.
"""

from __future__ import annotations

import copy
import hashlib
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from pydantic import BaseModel

from scenarios.checks import check
from scenarios.errors import InputError, ScenarioError
from scenarios.model import Assumption, Scenario
from scenarios.places import Key, place_text, split_place
from sim.desk import Desk
from sim.levers import effect_of

ATTEMPTS = 100
WORLD_DRAW = 2_000_000  # far from the numbers of traces and of sizes
ALL = "*"
_SIZE = re.compile(r"surges\[\d+\]\.size")

M = TypeVar("M", bound=BaseModel)
Place = tuple[Key, ...]


@dataclass(frozen=True)
class Range:
    """A parameter that is drawn: uniform from `low` to `high`, or triangular if `likely` is given.

    `where` says whose it is ("scenario", "desk klm_2015", "plan crisis"), `what` is its place or the name
    of the lever; `label` names its chance. `whole` numbers stay whole.
    """

    where: str
    what: str
    low: float
    high: float
    likely: float | None
    label: str
    whole: bool = False

    def value(self, u: float) -> float:
        """The value at a uniform number, 0 <= u < 1."""
        if self.whole:
            return float(min(math.floor(self.low + u * (self.high - self.low + 1)), self.high))
        width = self.high - self.low
        if self.likely is None or width == 0.0:
            return self.low + u * width
        turn = (self.likely - self.low) / width
        if u < turn:
            return self.low + math.sqrt(u * width * (self.likely - self.low))
        return self.high - math.sqrt((1.0 - u) * width * (self.high - self.likely))


@dataclass(frozen=True)
class LeftOut:
    """A parameter without a source that cannot be drawn, and why."""

    where: str
    what: str
    why: str


@dataclass(frozen=True)
class World:
    """One world: the scenario and the desks as they are in it.

    `values` has what was drawn, in the order of `Assumed.ranges`; `attempt` is 0 unless the first draws
    did not fit together.
    """

    number: int
    values: tuple[float, ...]
    scenario: Scenario
    desks: tuple[Desk, ...]
    attempt: int


@dataclass(frozen=True)
class Assumed:
    """What of a scenario and of the desks can be drawn, and what cannot."""

    scenario: Scenario
    desks: tuple[Desk, ...]
    ranges: tuple[Range, ...]
    left_out: tuple[LeftOut, ...]
    places: tuple[tuple[tuple[int, tuple[Place, ...]], ...], ...]
    """By range: which models (0 the scenario, then the desks) and which places in them it sets."""

    def draw(self, seed: int, count: int) -> tuple[World, ...]:
        """Draw so many worlds.

        A world whose values do not fit together (more cases than posts, say) is drawn again, up to 100
        times, so that values are uniform over what fits.

        Raises
        ------
        ScenarioError
            If there is nothing to draw, or if no draw fits.
        """
        if not self.ranges:
            raise ScenarioError(
                "nothing to draw worlds from: no [[assumed]] entry of the scenario or of a desk has low and high, "
                "and no plan has levers; leave --worlds out"
            )
        return tuple(self._world(seed, number) for number in range(count))

    def _world(self, seed: int, number: int) -> World:
        for attempt in range(ATTEMPTS):
            values = tuple(each.value(_uniform(seed, number, attempt, each.label)) for each in self.ranges)
            try:
                models = [self._model(at, values) for at in range(1 + len(self.desks))]
            except InputError as error:
                clash = error
                continue
            scenario, desks = models[0], models[1:]
            assert isinstance(scenario, Scenario)
            return World(number, values, scenario, tuple(d for d in desks if isinstance(d, Desk)), attempt)
        raise ScenarioError(
            f"the assumed ranges do not fit together: {ATTEMPTS} draws of world {number} were refused, the last "
            f"because {clash.faults[0]}; narrow the ranges"
        )

    def _model(self, at: int, values: Sequence[float]) -> Scenario | Desk:
        changes = [
            (place, _kept_whole(self.ranges[i], values[i]))
            for i, sets in enumerate(self.places)
            for model, places in sets
            if model == at
            for place in places
        ]
        return _changed(self.scenario if at == 0 else self.desks[at - 1], changes)


def survey(scenario: Scenario, desks: Sequence[Desk]) -> Assumed:
    """Find out what can be drawn: entries with low and high at a number, and the effects of levers.

    An entry is applied at its place: ``pools[0].absent_share`` of the first pool, ``pools[*].absent_share``
    of all. A place that holds a law is applied if the law is a constant. Both ends of a range are tried:
    if the scenario or the desk would be refused there, the entry is left out.
    """
    found: dict[tuple[str, str], tuple[Range, list[tuple[int, tuple[Place, ...]]]]] = {}
    left: dict[tuple[str, str], LeftOut] = {}
    models: tuple[Scenario | Desk, ...] = (scenario, *desks)
    for at, model in enumerate(models):
        for result, places in _of_model(model, model.model_dump(mode="json", by_alias=True)):
            key = result.where, result.what
            if isinstance(result, LeftOut):
                left.setdefault(key, result)
            else:
                found.setdefault(key, (result, []))[1].append((at, places))
    ranges = tuple(entry for entry, _ in found.values())
    return Assumed(scenario, tuple(desks), ranges, tuple(left.values()), tuple(tuple(at) for _, at in found.values()))


def _of_model(model: Scenario | Desk, data: Mapping[str, Any]) -> Iterator[tuple[Range | LeftOut, tuple[Place, ...]]]:
    kind = "scenario" if isinstance(model, Scenario) else "desk"
    where = kind if isinstance(model, Scenario) else f"desk {model.name}"
    for row in model.assumed:
        yield _tried(model, *_entry(kind, where, row, data))
    plan = None if isinstance(model, Scenario) else model.plan
    for i, lever in enumerate(() if plan is None else plan.levers):
        assert plan is not None
        found = effect_of(lever)
        if found is None:
            continue
        low, likely, high = found
        drawn = Range(f"plan {plan.name}", lever.name, low, high, likely, f"lever:{lever.changes}:{lever.name}")
        effect: Place = ("plan", "levers", i, "effect")
        yield _tried(model, drawn, tuple((*effect, part) for part in range(3)))


def _entry(
    kind: str, where: str, row: Assumption, data: Mapping[str, Any]
) -> tuple[Range | LeftOut, tuple[Place, ...]]:
    def leave(why: str) -> tuple[LeftOut, tuple[Place, ...]]:
        return LeftOut(where, row.what, why), ()

    if row.low is None or row.high is None:
        drawn = " of its own; it is drawn for each run" if _SIZE.fullmatch(row.what) else ""
        return leave(f"has no range{drawn}")
    keys = split_place(row.what)
    places = tuple(_places(data, (), keys)) if keys else ()
    if not places:
        return leave("names no place of the file")
    held = [_at(data, place) for place in places]
    if all(isinstance(value, Mapping) and value.get("kind") == "constant" for value in held):
        places = tuple((*place, "value") for place in places)
        held = [value["value"] for value in held]
    if any(isinstance(value, bool) or not isinstance(value, int | float) for value in held):
        return leave("is not a single number")
    if row.high < row.low:
        return leave(f"has low {row.low:g} above high {row.high:g}")
    whole = all(isinstance(value, int) for value in held)
    low, high = (math.ceil(row.low), math.floor(row.high)) if whole else (row.low, row.high)
    if high < low:
        return leave(f"has no whole number from {row.low:g} to {row.high:g}")
    return Range(where, row.what, low, high, None, f"{kind}:{row.what}", whole), places


def _tried(
    model: Scenario | Desk, result: Range | LeftOut, places: tuple[Place, ...]
) -> tuple[Range | LeftOut, tuple[Place, ...]]:
    """The same, or left out if the model refuses an end of the range."""
    for end in (result.low, result.high) if isinstance(result, Range) else ():
        try:
            _changed(model, [(place, _kept_whole(result, end)) for place in places])
        except InputError as error:
            return LeftOut(result.where, result.what, f"cannot be {end:g}: {error.faults[0]}"), ()
    return result, places


def _kept_whole(drawn: Range | LeftOut, value: float) -> float:
    return int(value) if isinstance(drawn, Range) and drawn.whole else float(value)


def _places(data: Any, above: Place, rest: Place) -> Iterator[Place]:
    """Places in the data that a text means; ``*`` is every entry of a list. None if there is none."""
    if not rest:
        yield above
        return
    keys: Iterable[Key] = range(len(data)) if rest[0] == ALL and isinstance(data, list) else rest[:1]
    for key in keys:
        there = key in data if isinstance(data, Mapping) else isinstance(data, list) and key in range(len(data))
        if there:
            yield from _places(data[key], (*above, key), rest[1:])


def _at(data: Any, place: Place) -> Any:
    for key in place:
        data = data[key]
    return data


def _changed(model: M, changes: Sequence[tuple[Place, float]]) -> M:
    """The model with other numbers at some places, checked; raises `InputError`."""
    if not changes:
        return model
    data = copy.deepcopy(model.model_dump(mode="json", by_alias=True))
    for place, value in changes:
        _at(data, place[:-1])[place[-1]] = value
    return check(type(model), data, place_text(changes[0][0]))


def _uniform(seed: int, world: int, attempt: int, label: str) -> float:
    """A uniform number named by what it is for."""
    words = np.frombuffer(hashlib.sha256(label.encode()).digest(), dtype="<u4").tolist()
    source = np.random.SeedSequence(seed, spawn_key=(WORLD_DRAW, world, attempt, *words))
    return float(np.random.Generator(np.random.PCG64DXSM(source)).random())
