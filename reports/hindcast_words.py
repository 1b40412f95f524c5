"""A hindcast in words: whether to trust the model, where not and by how much, and what the reason may be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from reports import formats as fm
from reports.names import LANGUAGES
from scenarios.names import Language, members
from sim.staff.agreement import Part, Stretch
from sim.staff.hindcast import FEWEST_CASES, Hindcast

Clock = Callable[[float], datetime]
EARLY_H = 12.0
MANY_NEVER = 0.1
OTHER_WORK = 0.1


@dataclass(frozen=True)
class Words:
    """The verdict in a sentence, where it fails, what may be the reason, and what to bear in mind."""

    headline: str
    where: tuple[str, ...]
    why: tuple[str, ...]
    notes: tuple[str, ...]


def words(found: Hindcast, clock: Clock) -> Words:
    """Say what came out."""
    heads = {"trust": _trust, "do not trust": _distrust, "cannot tell": _unsure}
    failed = found.verdict == "do not trust"
    return Words(
        heads[found.verdict](found),
        tuple(_where(found, clock)) if failed else (),
        tuple(_why(found)) if failed else (),
        tuple(_notes(found)),
    )


def _trust(found: Hindcast) -> str:
    whole = found.agreement.part("backlog")
    return (
        f"Trust: what happened could be one more run of the model. {_level(whole, whole.actual)} on average; the model "
        f"has {amount(whole, whole.simulated)} ({amount(whole, whole.low)} to {amount(whole, whole.high)})."
    )


def _distrust(found: Hindcast) -> str:
    worst = found.agreement.fails[0]
    return (
        f"Do not trust: {_level(worst, worst.actual)} on average, the model has "
        f"{amount(worst, worst.simulated)} ({amount(worst, worst.low)} to {amount(worst, worst.high)})."
    )


def _unsure(found: Hindcast) -> str:
    cases = int(found.clock.counts().sum())
    if cases < FEWEST_CASES:
        return f"Cannot tell: {cases} cases are too few to tell a good model from a bad one."
    seen = f"{round(10 * (found.seen or 0.0))} of 10"
    return (
        "Cannot tell: what happened could be one more run of the model, but a desk with a fifth of the heads less "
        f"would have been told apart in {seen} runs only. Take a longer or a busier time."
    )


def _where(found: Hindcast, clock: Clock) -> list[str]:
    out = []
    for stretch in found.stretches:
        out.append(_stretch(found, stretch, clock))
    for what, title in (("backlog", "Backlog"), ("response", "Response")):
        failed = [part for part in found.agreement.fails if part.what == what and part.language is not None]
        if failed:
            each = [f"{name(part)} ({amount(part, part.actual)}, model {amount(part, part.simulated)})"
                    for part in sorted(failed, key=lambda part: -abs(part.bias))]  # fmt: skip
            out.append(f"{title} by language: {fm.listed(each)}.")
    missed = found.agreement.part("backlog")
    if missed.wape < float("inf"):
        out.append(
            f"The backlog is missed by {percent(missed.wape)} of its size (WAPE), where chance makes "
            f"{percent(missed.by_chance)}; it lies inside the 80 % band in {fm.share(found.covered['backlog', 0.8])} "
            f"of the intervals, inside the 95 % band in {fm.share(found.covered['backlog', 0.95])}."
        )
    return out


def _stretch(found: Hindcast, stretch: Stretch, clock: Clock) -> str:
    edges = found.clock.edges_s
    begin, end = (fm.clock(clock(float(edges[at]))) for at in (stretch.first, stretch.last + 1))
    return f"From {begin} to {end}: {_one(stretch.actual)} waiting, the model has {_one(stretch.simulated)} on average."


def _why(found: Hindcast) -> list[str]:
    """Reasons that the numbers suggest, the likeliest first."""
    out = []
    whole = found.agreement.part("backlog")
    explains = found.as_if
    if explains is not None and abs(explains.factor - 1.0) >= 0.02:
        out.append(_explained(found))
    elif explains is not None:
        out.append("No number of heads explains it: look at the shifts, and at the languages named above.")
    if found.work_s is not None:
        real, model = found.work_s
        if abs(real / model - 1.0) >= OTHER_WORK:
            out.append(
                f"The rows tell of {fm.duration(real)} of work on a case, the model has {fm.duration(model)}: "
                "calibrate the handling times."
            )
    first = found.stretches[0] if found.stretches else None
    early_s = found.clock.edges_s[0] + EARLY_H * 3600.0
    if first is not None and found.clock.edges_s[first.first] < early_s and first.actual > first.simulated:
        out.append("It begins at the start: what waited before the first row is not in the rows. Try --warm-up 24.")
    if found.chatter_read and whole.bias < 0:
        out.append(
            "The desk reads every post, but the trace has none that are no cases: the reading is missing in the model."
        )
    return out


def _explained(found: Hindcast) -> str:
    a = found.as_if
    assert a is not None
    missing = abs(1.0 - a.factor) * found.heads
    few = "missing" if a.factor < 1.0 else "there beside those of the model"
    share = f"{a.factor:.2f} times its heads" if not a.beyond else f"{a.factor:.2f} times its heads, or further from 1,"
    took = f"{1.0 / a.factor:.2f} times as long"
    return (
        f"The model meets the backlog with {share} ({a.low:.2f} to {a.high:.2f} over the runs): as if about "
        f"{_one(missing)} of {_one(found.heads)} heads at the desk were {few}, or a case took {took}."
    )


def _notes(found: Hindcast) -> list[str]:
    out = []
    if found.never >= MANY_NEVER:
        out.append(
            f"{fm.share(found.never)} of the cases have no answer in the rows; those that were closed wait no longer, "
            "the others wait to the end. If they were answered elsewhere, leave them out."
        )
    if found.agreement.p <= 0.05 and found.verdict != "do not trust":
        out.append("The difference is more than chance makes, but too small to matter.")
    return out


def _level(part: Part, value: float) -> str:
    if part.what == "backlog":
        return f"{_one(value)} cases{_spoken(part)} were waiting"
    return f"{fm.duration(value)} was the wait for the first answer{_spoken(part)}"


def _spoken(part: Part) -> str:
    return "" if part.language is None else f" in {name(part)}"


def amount(part: Part, value: float) -> str:
    """A level of this part with its unit: cases, or a time."""
    return _one(value) if part.what == "backlog" else fm.duration(value)


def name(part: Part) -> str:
    """The language of a part."""
    assert part.language is not None
    return LANGUAGES[members(Language)[part.language]]


def _one(value: float) -> str:
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"


def percent(share: float) -> str:
    """A share that may be above 1."""
    return f"{100 * share:,.0f} %"
