"""What it would be worth to have those who are called in there earlier: misses saved by hours, on the same days.

Earlier means: asked earlier where a rung is asked some time after the declaration, and with a shorter lead time where
it is asked at once. Nobody comes before the declaration.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scenarios.laws import Constant, Empirical, Exponential, Gamma, Law, Lognormal, Mixture, Uniform, Weibull
from sim.desk import Desk
from sim.estimate import Estimate, estimate
from sim.plan import Plan, Rung
from sim.staff.days import Days
from sim.staff.promise import Promise
from sim.staff.reachable import Attended, attend, missed

HOURS = (1.0, 2.0, 4.0)
POINTS = 101  # of the quantiles of a lead time that begins earlier than now in part


@dataclass(frozen=True)
class Earlier:
    """Everybody who is called in is there so many hours earlier.

    Attributes
    ----------
    hours : float
    comes : float
        Hours by which they come earlier on average; fewer where a lead time is too short to be shortened as much.
    saved : Estimate
        Cases a run fewer whose promise is missed.
    cost : Estimate
        Euros a run more.
    """

    hours: float
    comes: float
    saved: Estimate
    cost: Estimate

    @property
    def per_hour(self) -> float | None:
        """Misses saved for each hour; None if nobody can come earlier."""
        return None if self.saved.mean is None or self.comes <= 0.0 else self.saved.mean / self.comes


def value_of_earlier(
    days: Days,
    desk: Desk,
    promises: Sequence[Promise],
    runs: Sequence[Attended],
    hours: Sequence[float] = HOURS,
) -> tuple[Earlier, ...]:
    """Paired differences between the plan and the same with everybody there earlier; none if nobody is called in.

    `runs` are the days as they are, in the same order.
    """
    if desk.plan is None or not any(np.isfinite(run.first_ladder_s) for run in runs):
        return ()
    out = []
    for h in hours:
        sooner = attend(days, desk.with_plan(called_earlier(desk.plan, h)), promises)
        saved = [missed(a.kept) - missed(b.kept) for a, b in zip(runs, sooner, strict=True)]
        cost = [(b.row["cost"] or 0.0) - (a.row["cost"] or 0.0) for a, b in zip(runs, sooner, strict=True)]
        out.append(Earlier(h, _comes(desk.plan, h), estimate(saved), estimate(cost)))
    return tuple(out)


def called_earlier(plan: Plan, hours: float) -> Plan:
    """The same plan, in which everybody of the ladder is there so many hours earlier, as far as that is possible."""
    return plan.model_copy(update={"ladder": tuple(_sooner(rung, hours) for rung in plan.ladder)})


def _sooner(rung: Rung, hours: float) -> Rung:
    asked = min(rung.after_h, hours)
    return rung.model_copy(update={"after_h": rung.after_h - asked, "lead_h": shorter(rung.lead_h, hours - asked)})


def _comes(plan: Plan, hours: float) -> float:
    """Hours that the heads of the ladder come earlier, on average."""
    heads = [rung.heads for rung in plan.ladder]
    gains = [rung.after_h + rung.lead_h.mean() for rung in plan.ladder]
    less = [rung.after_h + rung.lead_h.mean() for rung in called_earlier(plan, hours).ladder]
    return float(np.dot(heads, np.subtract(gains, less)) / max(sum(heads), 1))


def shorter(law: Law, hours: float) -> Law:
    """A lead time that is shorter by so many hours, and never below 0.

    Constant, uniform and empirical laws are moved, and cut at 0; of others the mean is shorter by as much, and the
    form stays.
    """
    if hours <= 0.0:
        return law
    match law:
        case Constant():
            return Constant(value=max(law.value - hours, 0.0))
        case Uniform() if law.low >= hours:
            return Uniform(kind="uniform", low=law.low - hours, high=law.high - hours)
        case Uniform():
            return _cut(np.linspace(law.low, law.high, POINTS).tolist(), hours)
        case Empirical():
            return _cut(law.quantiles, hours)
        case Mixture():
            parts = [
                {"weight": part.weight, "law": shorter(part.law, hours).model_dump(by_alias=True)} for part in law.parts
            ]
            return Mixture.model_validate({"kind": "mixture", "parts": parts})
    return _scaled(law, max(law.mean() - hours, 0.0) / law.mean())


def _cut(quantiles: Sequence[float], hours: float) -> Empirical:
    return Empirical(kind="empirical", quantiles=tuple(max(q - hours, 0.0) for q in quantiles))


def _scaled(law: Exponential | Gamma | Lognormal | Weibull, factor: float) -> Law:
    """The law of a time, multiplied."""
    if factor <= 0.0:
        return Constant(value=0.0)
    data = law.model_dump(by_alias=True)
    scaled = {name: data[name] * factor for name in ("mean", "median") if data.get(name) is not None}
    return type(law).model_validate({**data, **scaled})
