"""What a staffing plan says in words: what to do, from when it is enough, what it costs, how sure that is."""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports import formats as fm
from reports.staff_finals import earlier_lines, finals_lines
from reports.staff_worlds import worlds_lines
from reports.staffed import Staffed
from sim.estimate import Estimate
from sim.staff.baselines import Baseline
from sim.staff.sizing import Sized
from sim.staff.standing import Group

EUR = "EUR"
FIRST_GUESS = 2  # rounds: one to find seats, one to mend them


@dataclass(frozen=True)
class Words:
    """Sentences; `headline` is the first thing to read.

    Attributes
    ----------
    headline, reach : str
        The requirement, and what can be reached.
    findings : tuple of str
        On alternatives, unknown size, usual ways.
    ladder : tuple of str
        On who is called in, and what an hour is worth; empty if nobody is.
    worlds : tuple of str
        Whether the advice survives the assumed ranges.
    sure : str
    cautions : tuple of str
    """

    headline: str
    reach: str
    findings: tuple[str, ...]
    ladder: tuple[str, ...]
    worlds: tuple[str, ...]
    sure: str
    cautions: tuple[str, ...]


def words(told: Staffed) -> Words:
    """All sentences on a plan."""
    return Words(
        headline(told),
        reach(told),
        tuple(_findings(told)),
        tuple(_ladder(told)),
        () if told.worlds is None else tuple(worlds_lines(told.worlds)),
        _sure(told),
        tuple(_cautions(told)),
    )


def promised(told: Staffed) -> str:
    """80 % in 60 min and 95 % in 240 min, in each language."""
    texts = [f"{100 * p.share:g}{fm.NBSP}% in {p.within_s / 60:g}{fm.NBSP}min" for p in told.question.promises]
    return fm.listed(texts) + (" in each language" if told.question.per_language else "")


def headline(told: Staffed) -> str:
    """How many it takes, as if all stood ready."""
    best = told.requirement
    heads = best.seats.heads.sum(axis=0)
    verb = "take" if best.keeps else "would take more than the search found:"
    return (
        f"{promised(told)} {verb} {heads.mean():.0f} people at work on average and {heads.max()} at the peak: "
        f"{fm.about(best.seats.hours)} agent hours, {euros(told.cost(best))}, breaks and absence not counted."
    )


def reach(told: Staffed) -> str:
    """What the desk and its ladder can do, and from when that is enough."""
    found = told.reachable
    if found is None:
        return "What can be reached was not played."
    who = f"The desk's own {told.question.desk.heads} heads"
    who += f" and {found.heads} of the ladder" if found.heads else ""
    if found.keeps:
        return f"{who} keep the promise over the whole window."
    share = _worst(found.groups)
    part = f"of all cases {fm.share(share.share)} are answered in time" if share.name == "all" else (
        f"in {share.name} {fm.share(share.share)} are answered in time"
    )  # fmt: skip
    missed = _mean(found.missed_before)
    if math.isinf(found.kept_from_s):
        return f"{who} do not keep the promise at any time in the window; {part}, and {missed} cases are missed."
    when = _clock(told, found.kept_from_s)
    return f"{who} keep it only from {when} on; {missed} cases are missed before, and over the whole window {part}."


def _clock(told: Staffed, time_s: float) -> str:
    return fm.clock(told.question.scenario.clock(time_s, told.question.desk.timezone))


def _worst(groups: tuple[Group, ...]) -> Group:
    return min((group for group in groups if group.kind != "part"), key=lambda group: group.margin)


def _findings(told: Staffed) -> list[str]:
    out = []
    fewer = _one_fewer(told.requirement)
    if fewer:
        out.append(fewer)
    for other in told.others:
        heads = other.seats.heads.sum(axis=0)
        more = told.cost(other) - told.cost(told.requirement)
        what = fm.listed([f"{100 * p.share:g}{fm.NBSP}% in {p.within_s / 60:g}{fm.NBSP}min" for p in other.promises])
        verb = "keep" if other.keeps else "do not keep"
        out.append(
            f"{_name(other)}: {heads.max()} people at the peak {verb} {what}; that is {euros(abs(more))} "
            f"{'more' if more >= 0 else 'less'}."
        )
    out += [] if told.finals is None else finals_lines(told.finals)
    out += _unknown(told)
    for usual in told.usual:
        if usual.saving.mean is None:
            out.append(f"{usual.name[0].upper()}{usual.name[1:]}: no scale up to eight keeps as much of the promise.")
        else:
            out.append(
                f"{usual.name[0].upper()}{usual.name[1:]}, scaled to the same service, takes {_mean(usual.hours)} "
                f"agent hours: the requirement saves {_share(usual.saving)}{_where(usual)}."
            )
    return out


def _ladder(told: Staffed) -> list[str]:
    out = []
    if told.reachable is not None and math.isfinite(told.reachable.first_ladder_s):
        out.append(_called(told))
    if told.hour is not None and told.hour.missed.mean is not None:
        out.append(f"Calling everybody an hour later changes missed promises by {_signed(told.hour.missed)} cases.")
    return out + earlier_lines(told.earlier)


def _where(usual: Baseline) -> str:
    """In which batches of days a usual way gives as much, if not in all."""
    if usual.saving.n == usual.batches:
        return ""
    return f", on {usual.saving.n} of {usual.batches} batches of days; on the others no scale up to eight keeps as much"


def _called(told: Staffed) -> str:
    found = told.reachable
    assert found is not None
    first = _clock(told, found.first_ladder_s)
    gone = (
        f"; the last has gone by {_clock(told, found.stood_down_s)} on average"
        if math.isfinite(found.stood_down_s)
        else "; some are there to the end of the window"
    )
    return (
        f"The first who is called in sits down on {first}, at most {found.most_called} of {found.heads} at once{gone}."
    )


def _one_fewer(sized: Sized) -> str:
    if sized.binding is None:
        return ""
    before, after = sized.binding.worst
    whom = "all cases" if after.name == "all" else after.name
    verdict = "misses the promise" if sized.binding.fails else "still keeps it"
    text = (
        f"One seat fewer in pool {sized.binding.pool} {verdict}: {whom} {fm.share(before.share)} to "
        f"{fm.share(after.share)} on the same {before.cases.size} fresh days"
    )
    if sized.binding.fails and after.margin >= 0.0:
        missed = sized.binding.parts
        text += f", but {missed[1]} parts of the window miss it beyond chance, {missed[0]} with the seat"
    return f"{text}."


def _unknown(told: Staffed) -> list[str]:
    t = told.table
    if t is None:
        return []
    best, worst = t.best, int(t.cvar.argmin())
    out = [
        f"Over {len(t.sizes)} sizes, each as likely as the others, '{t.plans[best]}' costs least on average, "
        f"{euros(float(t.mean[best]))} with missed cases; its worst fifth of sizes costs {euros(float(t.cvar[best]))}."
    ]
    if worst != best:
        out.append(f"Against the worst fifth of sizes '{t.plans[worst]}' is best: {euros(float(t.cvar[worst]))} there.")
    out.append(f"To know the size beforehand would be worth {euros(t.perfect_information)} on average.")
    s = told.stages
    if s is not None:
        change = "saves" if s.saved > 0 else "costs"
        out.append(
            f"To begin with '{s.first}' and change {s.known_h:g} h after onset, when the size shows, with others there "
            f"{s.lead_h:g} h later, {change} {euros(abs(s.saved))} against the best plan that is not changed."
        )
    return out


def _sure(told: Staffed) -> str:
    sized = told.requirement
    low = next(group.estimate() for group in sized.groups if group.kind == "all")
    assert low.low is not None and low.high is not None
    text = (
        f"Judged on {sized.effort.fresh} fresh days that had no part in finding it, seed {told.question.seed}: "
        f"of all cases {fm.share(sized.groups[0].share)} in time ({100 * low.low:.1f}-{100 * low.high:.1f}{fm.NBSP}%, "
        f"95{fm.NBSP}% interval)."
    )
    if not sized.finished and sized.rounds is not None and sized.rounds <= FIRST_GUESS:
        text += " The time was enough for a first guess alone: give a larger --budget."
    elif not sized.finished:
        text += " The search was ended by its budget: with more time it may find a cheaper plan."
    return text


def _cautions(told: Staffed) -> list[str]:
    out = ["The requirement is as if all stood ready; shifts, rest and notice come on top."]
    out.append(f"Paid heads in requirement.csv have breaks and absence of {shrinkage_of(told)} on top of the seats.")
    if told.question.size_is_open:
        out.append(f"It is made for the {told.size} size of the surge; other sizes are below.")
    if told.table is not None:
        out.append(f"The price of a missed case, {euros(told.miss_eur)}, is an assumption: --miss-cost changes it.")
    return out


def shrinkage_of(told: Staffed) -> str:
    """Whose breaks and absence make paid heads of seats: those of the roster's rules, else those of the desk."""
    if told.roster is not None:
        return f"the rules {told.roster.rules.name}"
    return f"the desk {told.question.desk.name}"


def _name(sized: Sized) -> str:
    return sized.name[0].upper() + sized.name[1:]


def euros(value: float) -> str:
    """EUR 96k."""
    return f"{EUR}{fm.NBSP}{fm.about(value)}"


def _mean(found: Estimate) -> str:
    if found.mean is None:
        return "no"
    span = "" if found.low is None or found.high is None else f" ({fm.about(found.low)}-{fm.about(found.high)})"
    return f"{fm.about(found.mean)}{span}"


def _signed(found: Estimate) -> str:
    assert found.mean is not None
    span = "" if found.low is None or found.high is None else f" ({found.low:+,.0f} to {found.high:+,.0f})"
    return f"{found.mean:+,.0f}{span}".replace("-", fm.MINUS)


def _share(found: Estimate) -> str:
    assert found.mean is not None
    span = "" if found.low is None or found.high is None else f" ({100 * found.low:.1f} to {100 * found.high:.1f})"
    return f"{100 * found.mean:.1f}{fm.NBSP}%{span}".replace("-", fm.MINUS)
