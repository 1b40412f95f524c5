"""A comparison in sentences: who is better, who cannot be told apart, whether it survives the assumptions.

What is said of several alternatives and measures holds together; see `sim.differences`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from reports import formats as fm
from reports.compared import Compared
from sim.compare import COMPARED, KEY
from sim.differences import BEST_IN, Best, Difference, comparisons
from sim.estimate import LEVEL

VERBS: Mapping[str, str] = {
    "missed_promise_share": "misses fewer than",
    "first_response_p50_s": "answers sooner than",
    "first_response_p90_s": "answers sooner than",
    "promise_recover_s": "is back sooner than",
    "time_to_recover_s": "is back sooner than",
    "cost": "costs less than",
}
FEW_RUNS = 10


@dataclass(frozen=True)
class Words:
    """What to take away.

    Attributes
    ----------
    headline : who misses the fewest promises, or that it cannot be told
    rankings : a sentence for each key measure
    worlds : whether that survives the assumed ranges: a sentence for each key measure; empty without worlds
    sure : how sure that is, and by which method
    cautions : what a reader must know before quoting any of it
    """

    headline: str
    rankings: tuple[str, ...]
    worlds: tuple[str, ...]
    sure: str
    cautions: tuple[str, ...]


def words(told: Compared) -> Words:
    """Put a comparison into words."""
    return Words(
        headline=headline(told),
        rankings=tuple(ranking(told, name) for name in KEY),
        worlds=_worlds(told),
        sure=_sure(told),
        cautions=_cautions(told),
    )


def headline(told: Compared) -> str:
    """Who misses the fewest promises."""
    name = KEY[0]
    means = [summary[name]["mean"] for summary in told.summaries]
    if None in means:
        return "There was no case to answer, so there is nothing to compare."
    order = sorted(range(len(means)), key=lambda at: means[at])
    lead, others = order[0], order[1:]
    found = {at: told.pair(name, lead, at) for at in others}
    equal = [at for at in others if found[at].order == "same"]
    open_ = [at for at in others if found[at].order == "unclear" or found[at].better is False]
    beaten = [at for at in others if found[at].better]
    leaders = _names(told, [lead, *equal])
    if open_:
        rivals = _either(told, open_)
        rest = f"; {_names(told, beaten)} {'misses' if len(beaten) == 1 else 'miss'} more" if beaten else ""
        return f"Cannot tell {leaders} from {rivals} on missed promises{rest}."
    if not beaten:
        run = "the one run" if len(told.days) == 1 else "every run"
        return f"No difference between {leaders}: they miss the same promises in {run}."
    verb = "miss" if equal else "misses"
    against = fm.listed([f"{fm.share(means[at])} with {_quoted(told, at)}" for at in beaten])
    return f"{leaders} {verb} the fewest promises: {fm.share(means[lead])} of the cases, against {against}."


def ranking(told: Compared, name: str) -> str:
    """What can be said of all pairs in one measure."""
    parts = [*_clear(told, name), *_same(told, name), *_unclear(told, name)]
    return f"{COMPARED[name].title}: {'; '.join(parts)}."


def _clear(told: Compared, name: str) -> list[str]:
    count = range(len(told.names))
    pairs = {at: [f for b in count if b != at and (f := told.pair(name, at, b)).better] for at in count}
    ordered = sorted(pairs, key=lambda at: -len(pairs[at]))
    return [
        f"{_quoted(told, at)} {VERBS[name]} "
        + fm.listed([f"{_quoted(told, f.against)} ({amount(f)})" for f in pairs[at]])
        for at in ordered
        if pairs[at]
    ]


def amount(found: Difference) -> str:
    """By how much, with the joint interval; or in how many runs, where somebody did not reach it."""
    if found.by == "signs" or found.mean is None or found.joint is None:
        behind, ahead = sorted((found.lower, found.higher))
        return f"in {ahead} of {found.runs} runs" + (f", the other way round in {behind}" if behind else "")
    low, high = sorted(map(abs, found.joint))
    unit = COMPARED[found.measure].unit
    how = fm.differences_scale(unit, found.mean, low, high)
    texts = [how.number(abs(value)) for value in (found.mean, low, high)]
    by = f"by {how.before}{texts[0]}{how.behind}"
    return by if texts[1] == texts[2] else f"{by}, {texts[1]} to {texts[2]}"


def _same(told: Compared, name: str) -> list[str]:
    groups: list[list[int]] = []
    for at in range(len(told.names)):
        home = next((g for g in groups if told.pair(name, at, g[0]).order == "same"), None)
        groups.append([at]) if home is None else home.append(at)
    return [_equal(told, name, group) for group in groups if len(group) > 1]


def _equal(told: Compared, name: str, group: Sequence[int]) -> str:
    found = told.pair(name, group[0], group[1])
    if found.neither == found.runs:
        return f"not reached in any run with {_either(told, group)}"
    return f"no difference between {_names(told, group)}"


def _unclear(told: Compared, name: str) -> list[str]:
    open_ = [found for found in told.differences[name] if found.order == "unclear"]
    if open_ and not any(found.runs for found in open_):
        return ["nothing to compare"]
    if len(told.differences[name]) == 1:
        (found,) = open_ or (None,)
        return [] if found is None else [f"cannot tell {_pair(told, found)} ({_undecided(found)})"]
    groups: dict[int, list[int]] = {}
    for found in open_:
        groups.setdefault(found.against, []).append(found.alternative)
    parts = [f"{_quoted(told, at)} from {_either(told, others)}" for at, others in groups.items()]
    return [f"cannot tell {', nor '.join(parts)}"] if parts else []


def _pair(told: Compared, found: Difference) -> str:
    return f"{_quoted(told, found.alternative)} from {_quoted(told, found.against)}"


def _undecided(found: Difference) -> str:
    if found.by == "signs":
        return f"sooner in {found.lower} of {found.runs} runs, later in {found.higher}"
    if found.mean is None or found.joint is None:
        return "one run has no interval"
    how = fm.differences_scale(COMPARED[found.measure].unit, found.mean, *found.joint)
    return f"{fm.signed(how, found.mean)}, {fm.signed_span(how, *found.joint)}"


# --- worlds -------------------------------------------------------------------------------------


def _worlds(told: Compared) -> tuple[str, ...]:
    if told.assumed is None:
        return ()
    if not told.world_days:
        return ("Whether that survives the assumed ranges is not known: no world was finished.",)
    first = told.best[KEY[0]]
    return (
        f"{_survival(told, first)}: {in_worlds(told, first)}.",
        *(f"{COMPARED[name].title}: {in_worlds(told, told.best[name])}." for name in KEY[1:]),
    )


def _survival(told: Compared, found: Best) -> str:
    """Whether the winner outside of worlds is the winner in them."""
    winner = _winner(told)
    if winner is None or not any(found.wins):
        return "Over the assumed ranges"
    return f"This {'survives' if found.clear and found.first == winner else 'does not survive'} the assumed ranges"


def _winner(told: Compared) -> int | None:
    for at in range(len(told.names)):
        if all(told.pair(KEY[0], at, other).better for other in range(len(told.names)) if other != at):
            return at
    return None


def in_worlds(told: Compared, found: Best) -> str:
    """Who is best in how many of the worlds; below four of five nobody is called so."""
    n = f"{found.worlds} worlds" if found.worlds != 1 else "1 world"
    if not found.worlds:
        return "no world could be judged"
    if found.first is None:
        return f"no difference between the best in any of the {n}"
    if found.tied >= BEST_IN * found.worlds:
        return f"no difference between the best in {fm.share(found.tied / found.worlds)} of the {n}"
    order = sorted(range(len(found.wins)), key=lambda at: -found.wins[at])
    shares = [f"{_quoted(told, at)} in {fm.share(found.wins[at] / found.worlds)}" for at in order[1:] if found.wins[at]]
    if found.tied:
        shares.append(f"the best are equal in {fm.share(found.tied / found.worlds)}")
    best = f"{_quoted(told, order[0])} is best in {fm.share(found.share)} of the {n}"
    if found.clear:
        return best
    return ", ".join([f"cannot tell {_quoted(told, order[0])} from {_rivals(told, found, order)}; {best}", *shares])


def _rivals(told: Compared, found: Best, order: Sequence[int]) -> str:
    """Those who together with the first make up four of five worlds; at least one."""
    rivals = [order[1]]
    for at in order[2:]:
        if sum(found.wins[k] for k in (order[0], *rivals)) >= BEST_IN * (found.worlds - found.tied):
            break
        rivals.append(at)
    return _either(told, rivals)


# --- how sure -----------------------------------------------------------------------------------


def _sure(told: Compared) -> str:
    n, pairs = len(told.days), comparisons(len(told.names))
    if n == 1:
        return "One run has no interval and tells nothing apart; play at least ten."
    level, each = fm.share(LEVEL), _percent(1.0 - (1.0 - LEVEL) / pairs)
    text = (
        f"{n} runs; in each all alternatives meet the same posts and the same luck. The sentences hold together with "
        f"{level}: they stand on {pairs} comparisons, each made at {each} (Bonferroni), "
        f"and the intervals in them are those. Tables have the {level} interval of each difference alone."
    )
    counted = any(found.by == "signs" and found.runs for name in KEY for found in told.differences[name])
    if counted:
        text += (
            " A time that is not reached before the end counts as later than any other: such pairs are judged by the "
            "number of runs (sign test), and mean differences are over the runs in which both are reached."
        )
    if told.world_days:
        # Twice the standard error of a share of n, at most 0.5 / sqrt(n).
        off = 100.0 / math.sqrt(len(told.world_days))
        text += f" A share of {len(told.world_days)} worlds may be off by {off:.0f} points."
    return text


def _percent(level: float) -> str:
    return f"{100.0 * level:.2f}".rstrip("0").rstrip(".") + f"{fm.NBSP}%"


def _cautions(told: Compared) -> tuple[str, ...]:
    out = []
    if 1 < len(told.days) < FEW_RUNS:
        out.append(f"{len(told.days)} runs are few: with more of them, what cannot be told apart may be.")
    again = sum(world.attempt > 0 for world in told.worlds)
    if again:
        out.append(f"{again} of {len(told.worlds)} worlds were drawn again because their values did not fit together.")
    if told.settings.size != "drawn" and told.scenario.surges:
        out.append(f"Every run has the surge at its {told.settings.size} size: that it may be another is left out.")
    fitted = sorted({each.desk.name for each in told.alternatives if each.desk.name.startswith("klm")})
    if fitted:
        out.append(
            f"{fm.listed(fitted)}: fitted to public figures, not validated; ashcloud is not affiliated with KLM."
        )
    return tuple(out)


# --- small things -------------------------------------------------------------------------------


def cell(name: str, row: Mapping[str, Any]) -> str:
    """The mean of one alternative, and in how many runs it was reached."""
    beyond = row.get("beyond_window", 0.0)
    if row["mean"] is None:
        return "not reached" if beyond else "no such cases"
    text = fm.scale(COMPARED[name].unit, row["mean"]).one(row["mean"])
    reached = row["runs"] - round(beyond * row["runs"])
    return f"{text} in {reached} of {row['runs']} runs" if beyond else text


def gap(found: Difference) -> tuple[str, str]:
    """A difference and its 95 % interval alone; empty where there is none."""
    if found.mean is None:
        return "", ""
    ends = () if found.low is None or found.high is None else (found.low, found.high)
    how = fm.differences_scale(COMPARED[found.measure].unit, found.mean, *ends)
    return fm.signed(how, found.mean), fm.signed_span(how, *ends) if ends else ""


def counts(found: Difference) -> str:
    """Runs better, same and worse (lower, same and higher where neither is better), and what is special."""
    good = COMPARED[found.measure].better
    first, last = (found.higher, found.lower) if good == "high" else (found.lower, found.higher)
    if not found.runs:
        return "no such cases"
    text = f"{first} / {found.same + found.neither} / {last}"
    if found.both < found.runs:
        text += f", both reached in {found.both} of {found.runs}"
    return text


def _quoted(told: Compared, at: int) -> str:
    return f"'{told.names[at]}'"


def _names(told: Compared, places: Sequence[int]) -> str:
    return fm.listed([_quoted(told, at) for at in sorted(places)])


def _either(told: Compared, places: Sequence[int]) -> str:
    return " or ".join(_quoted(told, at) for at in sorted(places))
