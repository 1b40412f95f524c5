"""Which of the last few plans was selected, and what an hour of the ladder is worth: in words, and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from reports import formats as fm
from sim.estimate import Estimate
from sim.staff.earlier import Earlier
from sim.staff.finalists import Finals


def finals_facts(found: Finals) -> dict[str, Any]:
    """Everything on the selection, ready for JSON."""
    chosen = found.selection
    return {
        "method": "Kim and Nelson (2001), common random numbers",
        "finalists": [
            {"name": name, "mean_eur": mean, "days": days, "left": i in chosen.alive}
            for i, (name, mean, days) in enumerate(zip(found.plans, found.means, found.played, strict=True))
        ],
        "best": found.plans[chosen.best],
        "decided": chosen.decided,
        "days": chosen.days,
        "confidence": chosen.confidence,
        "indifference_eur": chosen.indifference,
        "miss_eur": found.miss_eur,
    }


def finals_lines(found: Finals) -> list[str]:
    """Who was selected, and with what guarantee."""
    chosen = found.selection
    best, sure = found.plans[chosen.best], fm.share(chosen.confidence)
    worth = f"EUR {chosen.indifference:,.0f}"
    of = f"Ranking and selection (Kim and Nelson) among {len(found.plans)} plans, all on the same fresh days"
    price, mean = f"with a missed case at EUR {found.miss_eur:g}", f"EUR {found.means[chosen.best]:,.0f} a run"
    if chosen.decided:
        return [
            f"{of}: {price} '{best}' costs least, {mean}, decided after {chosen.days} days. If the best is cheaper "
            f"than each other one by {worth} or more, this is it with a probability of at least {sure}."
        ]
    left = fm.listed([f"'{found.plans[i]}'" for i in chosen.alive])
    return [
        f"{of}: {price} one cannot tell after {chosen.days} days which of {left} costs least; '{best}' has the least "
        f"mean, {mean}. The time was over, so the guarantee of {sure} for differences of {worth} or more does not "
        "hold; give a larger --budget."
    ]


def earlier_facts(found: Sequence[Earlier]) -> list[dict[str, Any]]:
    """What it is worth to have everybody there earlier, ready for JSON."""
    return [
        {
            "hours": each.hours,
            "comes_h": each.comes,
            "missed_saved": {
                "mean": each.saved.mean,
                "low": each.saved.low,
                "high": each.saved.high,
                "n": each.saved.n,
            },
            "per_hour": each.per_hour,
            "cost": _estimate(each.cost),
        }
        for each in found
    ]


def _estimate(found: Estimate) -> dict[str, Any]:
    return {"mean": found.mean, "low": found.low, "high": found.high, "n": found.n}


def earlier_lines(found: Sequence[Earlier]) -> list[str]:
    """The same in words; nothing if nobody is called in, or nobody can come earlier."""
    some = [each for each in found if each.comes > 0.0]
    if not some:
        return []
    first, *rest = some
    text = f"Were all who are called in there {_hours(first)} earlier, {_span(first)} fewer promises would be missed"
    text += "".join(f"; {_hours(each)} earlier: {_span(each)}" for each in rest)
    if rest and (per := some[-1].per_hour) is not None and (one := first.per_hour) is not None:
        text += f". That is {one:,.0f} for the first hour and {per:,.0f} an hour over {_hours(some[-1])}"
    short = [each for each in some if each.comes < each.hours - 1e-9]
    if short:
        at = f"{short[-1].comes:.1f} h of {_hours(short[-1])} on average"
        text += f" ({at}: some lead times are too short to be shortened as much)"
    return [f"{text}."]


def earlier_rows(found: Sequence[Earlier]) -> list[tuple[str, ...]]:
    """Cells of a table: hours, hours on average, misses saved, their interval, for each hour, euros."""
    out = []
    for each in found:
        saved, per = each.saved, each.per_hour
        span = "" if saved.low is None or saved.high is None else f"{saved.low:,.0f} to {saved.high:,.0f}"
        cells = [_hours(each), f"{each.comes:.1f}{fm.NBSP}h", f"{saved.mean or 0.0:,.0f}", span]
        cells += ["" if per is None else f"{per:,.0f}", f"{each.cost.mean or 0.0:+,.0f}"]
        out.append(tuple(cell.replace("-", fm.MINUS) for cell in cells))
    return out


def _hours(each: Earlier) -> str:
    return f"{each.hours:g}{fm.NBSP}h"


def _span(each: Earlier) -> str:
    saved = each.saved
    assert saved.mean is not None  # there is always a run
    if saved.low is None or saved.high is None:
        return f"{saved.mean:,.0f}".replace("-", fm.MINUS)
    return f"{saved.mean:,.0f} ({saved.low:,.0f} to {saved.high:,.0f})".replace("-", fm.MINUS)
