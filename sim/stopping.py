"""When to stop: as soon as the intervals of some measures are narrow enough.

The rule looks at the runs in the order of their numbers, from the tenth on after each one, so that it
stops at the same run whatever the number of workers. Stopping when the interval happens to be narrow
makes it a little too narrow: with ten runs to begin with, 95 % intervals hold the true mean in some
93 % of the sweeps (Law 2015, Simulation Modeling and Analysis, section 9.4; measured in
`tests/test_sim_stopping.py`).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from dataclasses import dataclass

from scenarios.errors import Fault, InputError
from sim.estimate import LEVEL, estimate
from sim.measures import MEASURES, Row

FIRST = 10
MAX_RUNS = 200
UNITS = {
    "s": {"s": 1.0, "min": 60.0, "h": 3600.0},
    "hours": {"h": 1.0, "hours": 1.0},
    "share": {"": 1.0, "pp": 0.01},
    "count": {"": 1.0},
    "per_case": {"": 1.0},
    "EUR": {"EUR": 1.0},
}
"""By unit of a measure: how an absolute half-width may be written, and what that is worth."""

_WORD = re.compile(r"(?P<measure>\w+)=(?P<number>\d+(\.\d*)?|\.\d+) ?(?P<unit>%|[A-Za-z]*)")


@dataclass(frozen=True)
class Target:
    """A half-width that the interval of a measure should have at most.

    `half` is in the unit of the measure, or a share of its mean if `relative`.
    """

    measure: str
    half: float
    relative: bool

    def look(self, rows: Sequence[Row], level: float = LEVEL) -> Look:
        """How wide the interval over these runs is, and whether that will do.

        It never will while a run has not reached the measure before its end: then there is no mean.
        """
        values = [value for row in rows if (value := row.get(self.measure)) is not None]
        reached = len(values) == len(rows) or not MEASURES[self.measure].open_ended
        found = estimate(values, level)
        if found.n < 2 or found.mean is None or found.high is None or not reached:
            return Look(self, len(rows), None, None, False)
        half = found.high - found.mean
        wanted = self.half * abs(found.mean) if self.relative else self.half
        return Look(self, len(rows), half, wanted, len(values) >= FIRST and half <= wanted)


@dataclass(frozen=True)
class Look:
    """What a target says after so many runs; `half` and `wanted` in the unit of the measure, None: no mean yet."""

    target: Target
    runs: int
    half: float | None
    wanted: float | None
    settled: bool


def targets(words: Sequence[str]) -> tuple[Target, ...]:
    """Read words like ``wait_mean_s=5%``, ``wait_mean_s=30s``, ``unanswered_share=0.5pp``.

    Raises
    ------
    InputError
        With what is wrong in any of them.
    """
    found: list[Target] = []
    wrong: list[Fault] = []
    for word in words:
        read = _read(word)
        if isinstance(read, str):
            wrong.append(Fault(f"--until {word}", read))
        else:
            found.append(read)
    if wrong:
        raise InputError(None, wrong)
    return tuple(found)


def _read(word: str) -> Target | str:
    """The target, or what is wrong with it."""
    match = _WORD.fullmatch(word.strip())
    if match is None:
        return "is no half-width; write it like wait_mean_s=5% or wait_mean_s=30s"
    name, number, unit = match["measure"], float(match["number"]), match["unit"]
    if name not in MEASURES:
        near = difflib.get_close_matches(name, MEASURES, n=1)
        return (
            f"names no measure; did you mean {near[0]}?" if near else "names no measure; `simulate --json` lists them"
        )
    if number <= 0.0:
        return "has no width; give it one above 0"
    if unit == "%":
        return Target(name, number / 100.0, True)
    units = UNITS[MEASURES[name].unit]
    if unit not in units:
        ways = ", ".join(f"{name}={match['number']}{known}" for known in units)
        return f"has not the unit of that measure; write {ways}, or {name}=5% of its mean"
    return Target(name, number * units[unit], False)


def enough(wanted: Sequence[Target], rows: Sequence[Row], first: int = FIRST) -> bool:
    """Whether these runs, the first ones by number, will do for all targets."""
    return len(rows) >= first and all(target.look(rows).settled for target in wanted)
