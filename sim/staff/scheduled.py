"""A desk of those who were there: pools by languages and site, agents by code, times as they were.

Up to a week the agents are named, each time at the desk a span of the week. A longer schedule cannot be said
in weekly spans: its pools have heads over time, in hours from an onset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from scenarios.history.schedule import HOUR_S, Member, Schedule, local_clock
from scenarios.model import Assumption
from scenarios.names import Language
from sim.desk import DAYS, Agent, Desk, Pool, Routing, Triage

WEEK = timedelta(days=7)
MOST = timedelta(hours=12)  # a longer span is written as several that touch
ASSUMED = (
    Assumption(what="triage", reason="every contact is known to be a case at once; tickets tell of no reading"),
    Assumption(
        what="routing.unserved", reason="the schedule does not say who answers in a language that nobody speaks"
    ),
    Assumption(what="classes", reason="the schedule tells of no promises: one hour for all"),
    Assumption(what="pools.languages", reason="everybody is taken to be equally quick in all languages"),
)


def desk_of(schedule: Schedule, name: str, onset: datetime | None = None) -> tuple[Desk, str]:
    """The desk of a schedule, and a sentence on its times.

    Parameters
    ----------
    schedule : Schedule
    name : str
    onset : datetime, optional
        Local time from which a schedule of more than a week counts its hours; by default the midnight before
        its first row. It must be that of the trace, or the scenario, that is played.
    """
    groups: dict[tuple[tuple[Language, ...], str], list[Member]] = {}
    for member in schedule.members:
        groups.setdefault((member.languages, member.site), []).append(member)
    first, last = _ends(schedule)
    weekly = last - first <= WEEK
    zero = onset or datetime(first.year, first.month, first.day)
    names = _names(list(groups))
    pools = tuple(
        _pool(names[i], group, members, schedule, None if weekly else zero)
        for i, (group, members) in enumerate(groups.items())
    )
    common = Counter(each for member in schedule.members for each in member.languages)
    bridge = Language.EN if Language.EN in common else common.most_common(1)[0][0]
    desk = Desk(
        name=name, title=f"Those who were there from {first:%Y-%m-%d} to {last:%Y-%m-%d}", timezone=schedule.zone.key,
        pools=pools, triage=Triage(mode="none"), routing=Routing(unserved="bridge", bridge_language=bridge),
        assumed=ASSUMED,
    )  # fmt: skip
    if weekly:
        return desk, "agents are named; the desk repeats this week in all others"
    return desk, f"more than a week: heads over time, hour 0 is {zero:%Y-%m-%dT%H:%M}, as that of the trace must be"


def _ends(schedule: Schedule) -> tuple[datetime, datetime]:
    """First and last local time at the desk, as the clock on the wall has them."""
    first = min(member.spans[0][0] for member in schedule.members)
    last = max(member.spans[-1][1] for member in schedule.members)
    a, b = (local_clock(t, schedule.zone).replace(tzinfo=None) for t in (first, last))
    return a, b


def _names(groups: Sequence[tuple[tuple[Language, ...], str]]) -> list[str]:
    """A name for each pool: its languages, with a number where several have the same."""
    plain = ["-".join(languages) for languages, _ in groups]
    return [name if plain.count(name) == 1 else f"{name} {plain[: i + 1].count(name)}" for i, name in enumerate(plain)]


def _pool(
    name: str, group: tuple[tuple[Language, ...], str], members: Sequence[Member], schedule: Schedule,
    zero: datetime | None,
) -> Pool:  # fmt: skip
    """Those who share languages and site: named without `zero`, else heads from that local time on."""
    languages, site = group
    speeds = dict.fromkeys(languages, 1.0)
    if zero is not None:
        steps = _steps(members, zero.replace(tzinfo=schedule.zone).astimezone(UTC).timestamp())
        return Pool(name=name, site=site, languages=speeds, steps=steps)
    agents = [Agent(code=each.code, shifts=_week(each, schedule)) for each in members]
    return Pool(name=name, site=site, languages=speeds, agents=tuple(agents))


def _week(member: Member, schedule: Schedule) -> tuple[str, ...]:
    """Weekly spans, to the minute, cut where they are longer than the half of a day."""
    out = []
    for span in member.spans:
        at, end = (_minute(local_clock(t, schedule.zone).replace(tzinfo=None)) for t in span)
        while at < end:
            until = min(end, at + MOST)
            out.append(f"{DAYS[at.weekday()]} {at:%H:%M}-{until:%H:%M}")
            at = until
    return tuple(out)


def _minute(local: datetime) -> datetime:
    return (local + timedelta(seconds=30)).replace(second=0, microsecond=0)


def _steps(members: Sequence[Member], zero_s: float) -> tuple[tuple[float, int], ...]:
    """Heads at the desk from each hour from onset at which their number changes."""
    change: Counter[float] = Counter()
    for member in members:
        for a, b in member.spans:
            change[a] += 1
            change[b] -= 1
    out, heads = [], 0
    for t in sorted(change):
        if change[t]:
            heads += change[t]
            out.append(((t - zero_s) / HOUR_S, heads))
    return tuple(out)
