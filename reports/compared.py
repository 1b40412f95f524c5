"""What came out of a comparison, as one frozen value: worked out once; worded, drawn and stored later."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Annotated, Any

from pydantic import Field

from scenarios.digest import digest
from scenarios.laws import Frozen
from scenarios.model import Scenario
from sim.compare import COMPARED, KEY, MISSED, Alternative, Day
from sim.differences import BEST_IN, Best, Difference, best, comparisons, differences
from sim.engines import EngineName
from sim.estimate import LEVEL, summarise
from sim.replicate import Size
from sim.worlds import Assumed, World

WORLD_RUNS = 2


class CompareSettings(Frozen):
    """What was asked for beside the scenario and the alternatives; `worlds` is 0 for none.

    The others are those of `reports.manifest.Settings`.
    """

    runs: Annotated[int, Field(ge=1)] = 40
    seed: int = 1
    hours: float | None = None
    drain_h: float = 0.0
    size: Size = "drawn"
    worlds: Annotated[int, Field(ge=0)] = 0
    workers: int | None = None
    executor: str | None = None
    engine: EngineName = "compiled"

    @property
    def runs_each(self) -> int:
        """Runs in each world: together about as many as outside of them, at least two."""
        return max(WORLD_RUNS, -(-self.runs // self.worlds)) if self.worlds else 0

    @property
    def days(self) -> int:
        """Traces that are played in all."""
        return self.runs + self.worlds * self.runs_each


@dataclass(frozen=True)
class Compared:
    """A comparison.

    Attributes
    ----------
    scenario : Scenario
    alternatives : tuple of Alternative
        The first one is the baseline.
    settings : CompareSettings
    days : tuple of Day
        Those that have finished, outside of worlds; at least one.
    world_days : dict of int to tuple of Day
        By world, those worlds of which every run has finished.
    assumed : Assumed or None
        What was drawn in the worlds, and what could not be.
    worlds : tuple of World
        All worlds that were drawn.
    version : str
    """

    scenario: Scenario
    alternatives: tuple[Alternative, ...]
    settings: CompareSettings
    days: tuple[Day, ...]
    world_days: Mapping[int, tuple[Day, ...]]
    assumed: Assumed | None
    worlds: tuple[World, ...]
    version: str

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the alternatives."""
        return tuple(each.name for each in self.alternatives)

    @cached_property
    def differences(self) -> Mapping[str, tuple[Difference, ...]]:
        """By measure, all pairs; see `sim.differences.differences`."""
        return differences(self.days)

    @cached_property
    def summaries(self) -> tuple[Mapping[str, Mapping[str, Any]], ...]:
        """By alternative: mean and interval of each measure, see `sim.estimate.summarise`."""
        return tuple(_summary([day.rows[at] for day in self.days]) for at in range(len(self.alternatives)))

    @cached_property
    def best(self) -> Mapping[str, Best]:
        """By key measure, in how many worlds each alternative is the best."""
        return {name: best(name, self.world_days) for name in KEY}

    def pair(self, name: str, alternative: int, against: int) -> Difference:
        """One alternative against another."""
        for found in self.differences[name]:
            if (found.alternative, found.against) == (alternative, against):
                return found
            if (found.against, found.alternative) == (alternative, against):
                return found.reversed()
        raise KeyError((alternative, against))

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        return {
            "scenario": self.scenario.name,
            "scenario_digest": digest(self.scenario),
            "version": self.version,
            **self.settings.model_dump(exclude={"workers"}),
            "finished": len(self.days),
            "level": LEVEL,
            "joint": {"level": LEVEL, "method": "Bonferroni", "comparisons": comparisons(len(self.alternatives))},
            "baseline": self.names[0],
            "alternatives": [
                {
                    "name": each.name,
                    "desk": each.desk.name,
                    "plan": None if each.desk.plan is None else each.desk.plan.name,
                    "digest": digest(each.desk),
                    "measures": dict(summary),
                }
                for each, summary in zip(self.alternatives, self.summaries, strict=True)
            ],
            "key_measures": list(KEY),
            "differences": {
                name: [self._difference(found) for found in rows] for name, rows in self.differences.items()
            },
            "over_worlds": self._over_worlds(),
            "replications": [_day(day) for day in self.days],
        }

    def _difference(self, found: Difference) -> dict[str, Any]:
        good = COMPARED[found.measure].better
        words = {True: "better", False: "worse"}
        verdict = found.order if found.better is None else words[found.better]
        out = {
            "alternative": self.names[found.alternative],
            "against": self.names[found.against],
            "mean": found.mean,
            "low": found.low,
            "high": found.high,
            "joint_low": None if found.joint is None else found.joint[0],
            "joint_high": None if found.joint is None else found.joint[1],
            "runs": found.runs,
            "both": found.both,
            "lower_share": _part(found.lower, found.runs),
            "higher_share": _part(found.higher, found.runs),
            "same_share": _part(found.same + found.neither, found.runs),
            "neither_share": _part(found.neither, found.runs),
            "judged_by": found.by,
            "verdict": verdict,
        }
        if good is not None:
            better, worse = (found.lower, found.higher) if good == "low" else (found.higher, found.lower)
            out |= {"better_share": _part(better, found.runs), "worse_share": _part(worse, found.runs)}
        return out

    def _over_worlds(self) -> dict[str, Any] | None:
        if self.assumed is None:
            return None
        return {
            "finished": len(self.world_days),
            "runs_each": self.settings.runs_each,
            "best_in": BEST_IN,
            "drawn": [
                {"where": r.where, "what": r.what, "low": r.low, "likely": r.likely, "high": r.high}
                for r in self.assumed.ranges
            ],
            "not_drawn": [asdict(left) for left in self.assumed.left_out],
            "drawn_again": sum(world.attempt > 0 for world in self.worlds),
            "best": {name: self._best(found) for name, found in self.best.items()},
            "each": [
                {
                    "world": world.number,
                    "values": list(world.values),
                    "replications": [_day(day) for day in self.world_days[world.number]],
                }
                for world in self.worlds
                if world.number in self.world_days
            ],
        }

    def _best(self, found: Best) -> dict[str, Any]:
        shares = {name: _part(wins, found.worlds) for name, wins in zip(self.names, found.wins, strict=False)}
        first = None if found.first is None or not found.clear else self.names[found.first]
        return {"worlds": found.worlds, "shares": shares, "tied_share": _part(found.tied, found.worlds), "best": first}


def _summary(rows: Sequence[Mapping[str, float | None]]) -> dict[str, dict[str, Any]]:
    """As `summarise`, with the missed promises: what the share kept leaves."""
    found = summarise(rows)
    kept = found["answered_within_promise_share"]

    def left(name: str) -> float | None:
        return None if kept[name] is None else 1.0 - kept[name]

    return {MISSED.id: {**kept, "mean": left("mean"), "low": left("high"), "high": left("low")}, **found}


def _part(count: int, whole: int) -> float | None:
    return count / whole if whole else None


def _day(day: Day) -> dict[str, Any]:
    return {
        "number": day.number,
        "size_u": day.size_u,
        "trace": day.trace,
        "outcomes": list(day.outcomes),
        "measures": [dict(row) for row in day.rows],
    }
