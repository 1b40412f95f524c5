"""What came out of sizing the staff, as one frozen value: worked out once; worded, drawn and stored later."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from reports.roster_words import roster_facts
from reports.staff_finals import earlier_facts, finals_facts
from reports.staff_worlds import worlds_facts
from scenarios.digest import digest
from sim.estimate import LEVEL, Estimate
from sim.staff.baselines import Baseline
from sim.staff.earlier import Earlier
from sim.staff.finalists import Finals
from sim.staff.reachable import Hour, Reachable
from sim.staff.rostering import Roster
from sim.staff.sizing import Question, Sized
from sim.staff.standing import Group
from sim.staff.unknown_size import Table, TwoStage
from sim.staff.worlds_advice import WorldsAdvice

HOUR_S = 3600.0


@dataclass(frozen=True)
class Staffed:
    """A staffing plan with its alternatives.

    Attributes
    ----------
    question : Question
    size : str
        Size of the surges that the requirement is made for.
    requirement : Sized
    others : tuple of Sized
        Cheaper and safer ones; empty if the search was ended early.
    reachable : Reachable or None
    hour : Hour or None
        What an hour's delay of all calls costs; None if nobody is called in.
    table : Table or None
        Plans under sizes from the smallest to the largest; None where no surge is open.
    stages : TwoStage or None
    usual : tuple of Baseline
    version : str
    miss_eur : float
    roster : Roster or None
        None if none was asked for.
    worlds : WorldsAdvice or None
        What becomes of the advice where assumed parameters are drawn; None if that was not asked for.
    finals : Finals or None
        Which plan was selected; None if the search was ended early.
    earlier : tuple of Earlier
        What it is worth to have everybody of the ladder there earlier; empty if nobody is called in.
    """

    question: Question
    size: str
    requirement: Sized
    others: tuple[Sized, ...]
    reachable: Reachable | None
    hour: Hour | None
    table: Table | None
    stages: TwoStage | None
    usual: tuple[Baseline, ...]
    version: str
    miss_eur: float
    roster: Roster | None = None
    worlds: WorldsAdvice | None = None
    finals: Finals | None = None
    earlier: tuple[Earlier, ...] = ()

    @property
    def plans(self) -> tuple[Sized, ...]:
        """All plans, the cheapest first."""
        return tuple(sorted((self.requirement, *self.others), key=self.cost))

    def cost(self, sized: Sized) -> float:
        """What a plan's seats cost, in euros."""
        return sized.seats.cost(self.question.desk)

    def clock(self, time_s: float) -> str | None:
        """Local time of the desk, ISO 8601; None for never."""
        if not math.isfinite(time_s):
            return None
        return self.question.scenario.clock(time_s, self.question.desk.timezone).isoformat(timespec="minutes")

    def to_dict(self) -> dict[str, Any]:
        """Everything, ready for JSON."""
        asked = self.question
        return {
            "scenario": asked.scenario.name,
            "scenario_digest": digest(asked.scenario),
            "desk": asked.desk.name,
            "desk_digest": digest(asked.desk),
            "plan": None if asked.desk.plan is None else asked.desk.plan.name,
            "promises": [{"text": str(p), "share": p.share, "within_s": p.within_s} for p in asked.promises],
            "per_language": asked.per_language,
            "seed": asked.seed,
            "size": self.size,
            "level": LEVEL,
            "fresh_days": self.requirement.effort.fresh,
            "version": self.version,
            "miss_eur": self.miss_eur,
            "requirement": self._sized(self.requirement),
            "alternatives": [self._sized(each) for each in self.others],
            "reachable": self._reachable(),
            "an_hour_later": None if self.hour is None else {
                "missed": estimate_of(self.hour.missed), "cost": estimate_of(self.hour.cost)
            },
            "earlier": earlier_facts(self.earlier),
            "selection": None if self.finals is None else finals_facts(self.finals),
            "roster": None if self.roster is None else roster_facts(self.roster, self.cost(self.requirement)),
            "assumed_ranges": None if self.worlds is None else worlds_facts(self.worlds),
            "unknown_size": self._table(),
            "two_stage": None if self.stages is None else {
                "first": self.stages.first, "known_h": self.stages.known_h, "lead_h": self.stages.lead_h,
                "mean_eur": self.stages.mean, "saved_eur": self.stages.saved,
            },
            "usual_ways": [
                {"name": each.name, "hours": estimate_of(each.hours), "cost": estimate_of(each.cost),
                 "saving": estimate_of(each.saving), "batches": each.batches,
                 "factor": each.factor if math.isfinite(each.factor) else None}
                for each in self.usual
            ],
        }  # fmt: skip

    def _sized(self, sized: Sized) -> dict[str, Any]:
        heads = sized.seats.heads.sum(axis=0)
        return {
            "name": sized.name,
            "promises": [str(promise) for promise in sized.promises],
            "size": sized.size,
            "keeps": sized.keeps,
            "finished": sized.finished,
            "searched_days": sized.effort.mend,
            "agent_hours": sized.seats.hours,
            "cost": self.cost(sized),
            "peak_heads": int(heads.max(initial=0)),
            "mean_heads": float(heads.mean()),
            "groups": groups_of(sized.groups),
            "occupancy": estimate_of(sized.measure("occupancy")),
            "recovery_s": estimate_of(sized.measure("time_to_recover_s")),
            "one_fewer": self._one_fewer(sized),
        }

    @staticmethod
    def _one_fewer(sized: Sized) -> dict[str, Any] | None:
        if sized.binding is None:
            return None
        before, after = sized.binding.worst
        return {
            "pool": sized.binding.pool,
            "group": after.name,
            "promise": str(after.promise),
            "before": before.share,
            "after": after.share,
            "difference": estimate_of(sized.binding.loss()),
            "fails": sized.binding.fails,
        }

    def _reachable(self) -> dict[str, Any] | None:
        found = self.reachable
        if found is None:
            return None
        return {
            "keeps": found.keeps,
            "groups": groups_of(found.groups),
            "kept_from_h": found.kept_from_s / HOUR_S if math.isfinite(found.kept_from_s) else None,
            "kept_from": self.clock(found.kept_from_s),
            "missed_before": estimate_of(found.missed_before),
            "cost": estimate_of(found.cost),
            "ladder_heads": found.heads,
            "most_called": found.most_called,
            "first_called_h": found.first_ladder_s / HOUR_S if math.isfinite(found.first_ladder_s) else None,
            "first_called": self.clock(found.first_ladder_s),
            "stood_down": self.clock(found.stood_down_s),
            "peak_heads": float((found.own + found.ladder).max(initial=0.0)),
        }

    def _table(self) -> dict[str, Any] | None:
        if self.table is None:
            return None
        t = self.table
        return {
            "sizes": list(t.sizes),
            "plans": [
                {"name": name, "missed": t.missed[i].tolist(), "staff_eur": float(t.staff[i, 0]),
                 "regret_eur": t.regret[i].tolist(), "mean_eur": float(t.mean[i]), "cvar_eur": float(t.cvar[i])}
                for i, name in enumerate(t.plans)
            ],
            "best": t.plans[t.best],
            "perfect_information_eur": t.perfect_information,
        }  # fmt: skip


def estimate_of(found: Estimate) -> dict[str, Any]:
    """An estimate, ready for JSON."""
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def groups_of(found: Sequence[Group]) -> list[dict[str, Any]]:
    """All cases and languages with their intervals, and the parts of the window in one line."""
    out = []
    for group in found:
        if group.kind != "part":
            e = group.estimate()
            cases = float(group.cases.mean())
            out.append({"name": group.name, "promise": str(group.promise), "cases": cases, "share": e.mean,
                        "low": e.low, "high": e.high})  # fmt: skip
    parts = np.array([group.share for group in found if group.kind == "part"])
    if parts.size:
        below = sum(1 for group in found if group.kind == "part" and group.margin < 0.0)
        out.append({"name": "parts of the window", "number": int(parts.size), "least": float(parts.min()),
                    "median": float(np.median(parts)), "below": below})  # fmt: skip
    return out
