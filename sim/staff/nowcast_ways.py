"""The ways to act from now on: nobody called, the ladder called now, in part, or later; those called in sent home.

All but the plan as it is written have the crisis declared now, so that levers do the same and only people differ.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scenarios.errors import Fault, InputError
from scenarios.laws import Constant
from sim.desk import Desk
from sim.levers import Trigger
from sim.plan import Group, Plan, Rung

AT_ONCE = Trigger(signal="posts_per_h", enter=1e-9, leave=0.0)
DELAYS_H = (0.0, 1.0, 2.0, 4.0, 8.0)
PARTS = (0.25, 0.5, 0.75)
"""Of the heads on the ladder, taken in its order: to find out how many of them are needed."""
HOME_H = (0.0, 1.0, 2.0, 4.0, 8.0)

CalledIn = Mapping[str, int]
"""Heads who were called in and are at work, by the name of their rung."""


@dataclass(frozen=True)
class Way:
    """A way to act.

    Attributes
    ----------
    name : str
    desk : Desk
    delay_h : float or None
        How much later the whole ladder is called; None in all other ways.
    asked : tuple of Rung
        Whom of the ladder, where only a part of it is called, now.
    home_h : float or None
        When those who were called in go home; None: they stay.
    """

    name: str
    desk: Desk
    delay_h: float | None = None
    asked: tuple[Rung, ...] = ()
    home_h: float | None = None


def ways(desk: Desk, called_in: CalledIn | None = None, delays_h: Sequence[float] = DELAYS_H) -> tuple[Way, ...]:
    """As the plan is written; nobody called in; the ladder called now, and later; a part of it; people sent home.

    Without a ladder there is nothing but the plan. With people called in the crisis is on in every way.
    """
    plan = desk.plan
    if plan is None or not plan.ladder:
        return (Way("plan", desk),)
    look_h = plan.interval_min / 60.0
    rest, here = _parted(plan.ladder, called_in or {})
    at_once = plan.model_copy(update={"triggers": (AT_ONCE,), "declaration_min": 0.0})

    def of(*rungs: Rung) -> Desk:
        return desk.with_plan(at_once.model_copy(update={"ladder": rungs}))

    def asked(rungs: Sequence[Rung], delay_h: float) -> list[Rung]:
        return [
            rung.model_copy(update={"when": (), "after_h": max(rung.after_h + delay_h - look_h, 0.0)}) for rung in rungs
        ]

    out = [Way("plan", of(*here, *rest) if here else desk), Way("nobody", of(*here))]
    if rest:
        out += [Way(f"+{h:g} h" if h else "now", of(*here, *asked(rest, h)), h) for h in delays_h]
        for heads in dict.fromkeys(round(part * sum(rung.heads for rung in rest)) for part in PARTS):
            some = first_of(rest, heads)
            if some:
                out.append(Way(f"{heads} heads", of(*here, *asked(some, 0.0)), asked=some))
    if here:
        for h in HOME_H:
            stay = [rung.model_copy(update={"for_h": h - look_h}) for rung in here] if h > look_h else []
            out.append(Way(f"home +{h:g} h" if h else "home now", of(*stay), home_h=h))
    return tuple(out)


def first_of(ladder: Sequence[Rung], heads: int) -> tuple[Rung, ...]:
    """The first so many heads of a ladder, from its lowest rung on; of the last rung a part of each group."""
    out = []
    for rung in ladder:
        n = min(heads, rung.heads)
        if n:
            out.append(rung.model_copy(update={"groups": share_out(rung.groups, n)}))
        heads -= n
    return tuple(out)


def share_out(groups: Sequence[Group], heads: int) -> tuple[Group, ...]:
    """So many heads of some groups, by their sizes (largest remainders); groups without heads are left out."""
    total = sum(group.heads for group in groups)
    exact = [group.heads * heads / total for group in groups]
    got = [int(x) for x in exact]
    for at in sorted(range(len(got)), key=lambda i: got[i] - exact[i])[: heads - sum(got)]:
        got[at] += 1
    return tuple(g.model_copy(update={"heads": n}) for g, n in zip(groups, got, strict=True) if n)


def _parted(ladder: Sequence[Rung], called_in: CalledIn) -> tuple[tuple[Rung, ...], tuple[Rung, ...]]:
    """Those of the ladder who can still be asked, and those who are at work already."""
    rest, here = [], []
    for rung in ladder:
        n = min(called_in.get(rung.name, 0), rung.heads)
        if n:
            now = {"lead_h": Constant(value=0.0), "acceptance": 1.0, "ramp_up_h": 0.0, "after_h": 0.0, "when": ()}
            mine = share_out(rung.groups, n)
            here.append(rung.model_copy(update={**now, "name": f"{rung.name}, at work", "groups": mine, "for_h": None}))
        if n < rung.heads:
            rest.append(rung.model_copy(update={"groups": share_out(rung.groups, rung.heads - n)}))
    return tuple(rest), tuple(here)


def read_called_in(text: str, plan: Plan | None) -> dict[str, int]:
    """Heads by rung, of a word like ``volunteers=30,off-duty=12``: a rung by its name or the beginning of it.

    Raises
    ------
    InputError
        With all that is wrong.
    """
    rungs = {} if plan is None else {rung.name: rung.heads for rung in plan.ladder}
    found: dict[str, int] = {}
    wrong = []
    for part in [part.strip() for part in text.split(",")] if text.strip() else []:
        name, _, number = (word.strip() for word in part.partition("="))
        fits = [rung for rung in rungs if rung.lower().startswith(name.lower())] if name else []
        if not rungs:
            wrong.append("names people who were called in, but the desk has no ladder; name its plan")
        elif len(fits) != 1:
            how = "fits more than one rung" if fits else "is no rung of the ladder"
            wrong.append(f"{name[:40] or 'nothing'} {how}; there are {', '.join(rungs)}")
        elif not re.fullmatch(r"\d{1,6}", number):
            wrong.append(f"{part[:40]} is no number of heads; write it like {name}=12")
        elif fits[0] in found:
            wrong.append(f"{fits[0]} stands there twice")
        elif int(number) > rungs[fits[0]]:
            wrong.append(f"{part} is more than the {rungs[fits[0]]} heads of '{fits[0]}'")
        else:
            found[fits[0]] = int(number)
    if wrong:
        raise InputError(None, [Fault("--called-in", what) for what in dict.fromkeys(wrong)])
    return {name: n for name, n in found.items() if n}
