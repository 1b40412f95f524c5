"""Times as people write them in a crisis, and what they mean: clock times, dates, hours from the onset."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from zoneinfo import ZoneInfo

from scenarios.arrivals import DAY_S, HOUR_S
from scenarios.errors import Fault
from scenarios.model import Scenario

SOON_S = 6 * HOUR_S  # a clock time so far after now is meant to be after it, not on the day before
HOW = "write it like 06:30, 2026-01-05T06:30, or +6h from the onset"


@dataclass(frozen=True)
class Moment:
    """A time as it was written: hours from the onset, a clock time, or both date and clock time."""

    from_onset_h: float | None = None
    clock: clock_time | None = None
    full: datetime | None = None

    @property
    def is_dated(self) -> bool:
        """Whether it says its day."""
        return self.full is not None


def read_time(text: str) -> Moment:
    """Read a time; raises `ValueError` with what to write instead."""
    word = text.strip()
    if found := re.fullmatch(r"([+-]\d{1,4}(?:\.\d{1,4})?)\s*h?", word):
        return Moment(from_onset_h=float(found[1]))
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}", word):
            return Moment(clock=clock_time.fromisoformat(word.zfill(5)))
        if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", word):
            return Moment(full=datetime.fromisoformat(word))
    except ValueError:
        pass
    raise ValueError(f"is {word[:30]!r}, no time; {HOW}")


@dataclass(frozen=True)
class Clock:
    """Puts times on the Unix clock.

    Attributes
    ----------
    zone : str
    now_s : float
    onset_s : float or None
        As it was stated.
    from_s : float
        What hours from the onset count from.
    """

    zone: str
    now_s: float
    onset_s: float | None
    from_s: float

    @classmethod
    def of(
        cls, scenario: Scenario, now: Moment, onset: Moment | None, others: Sequence[Moment], wrong: list[Fault]
    ) -> Clock | None:
        """The clock that fits what was given; None, with faults, if now lies before the onset or is no time.

        A day that nobody names is that of the scenario's onset, or the day after it.
        """
        zone, own_s = scenario.timezone, scenario.clock(0.0).timestamp()
        if onset is not None and onset.from_onset_h is not None:
            wrong.append(
                Fault("--onset", f"is {onset.from_onset_h:+g}h, counted from itself; give a clock time or a date")
            )
            return None
        counted = any(moment.from_onset_h is not None for moment in (now, *others))
        begin = _absolute(onset, zone, own_s, "--onset", wrong) if onset is not None else own_s if counted else None
        dated = [moment for moment in others if moment.is_dated]
        base = begin if begin is not None else _absolute(dated[-1], zone, own_s, "", []) if dated else own_s
        if now.from_onset_h is not None and begin is not None:
            now_s: float | None = begin + now.from_onset_h * HOUR_S
        else:
            now_s = _absolute(now, zone, base if base is not None else own_s, "--now", wrong)
        if onset is not None and onset.clock is not None and now.is_dated and now_s is not None:
            begin = _last_before(onset.clock, zone, now_s)
        if now_s is None or (onset is not None and begin is None):
            return None
        if begin is not None and now_s < begin:
            early = f"is {_shown(now_s, zone)}, before the onset, {_shown(begin, zone)}"
            wrong.append(Fault("--now", f"{early}: there is nothing to look back on"))
            return None
        return cls(zone, now_s, begin, begin if begin is not None else own_s)

    def at(self, place: str, moment: Moment, before: tuple[float, str] | None, wrong: list[Fault]) -> float | None:
        """Where an entry lies; a clock time without a date lies within the 18 hours before now, or just after it.

        Where the clocks are put back the second of two equal times is the later one.
        """
        if moment.from_onset_h is not None:
            return self.from_s + moment.from_onset_h * HOUR_S
        found: float | None
        if moment.clock is not None:
            found = _last_before(moment.clock, self.zone, self.now_s + SOON_S)
            late = found + HOUR_S
            if found <= self.now_s + SOON_S - DAY_S - 2.0 * HOUR_S:  # not even on a day of 25 hours
                text = f"is {moment.clock:%H:%M}, which no clock in {self.zone} showed that day: they were put forward"
                wrong.append(Fault(place, f"{text}; give another hour"))
                return None
        else:
            found = _absolute(moment, self.zone, 0.0, place, wrong)
            late = _later(moment, self.zone)
        if (
            found is not None
            and before is not None
            and found == before[0]
            and _reads(late, self.zone) == _reads(found, self.zone)
        ):
            return late
        return found

    def shown(self, at_s: float) -> str:
        """A time as people read it."""
        return _shown(at_s, self.zone)


def _shown(at_s: float, zone: str) -> str:
    return f"{datetime.fromtimestamp(at_s, ZoneInfo(zone)):%Y-%m-%d %H:%M}"


def _reads(at_s: float, zone: str) -> datetime:
    return datetime.fromtimestamp(at_s, ZoneInfo(zone)).replace(tzinfo=None, fold=0)


def _later(moment: Moment, zone: str) -> float:
    """The second of two equal clock times."""
    assert moment.full is not None
    if moment.full.tzinfo is not None:
        return moment.full.timestamp()
    return moment.full.replace(tzinfo=ZoneInfo(zone), fold=1).timestamp()


def _absolute(moment: Moment, zone: str, from_s: float, place: str, wrong: list[Fault]) -> float | None:
    """A dated time, or the first such clock time from `from_s` on; None, with a fault, if it never was."""
    if moment.full is not None:
        if moment.full.tzinfo is not None:
            return moment.full.timestamp()
        at_s = moment.full.replace(tzinfo=ZoneInfo(zone)).timestamp()
        if _reads(at_s, zone) != moment.full.replace(fold=0):
            text = f"is {moment.full:%Y-%m-%d %H:%M}, which no clock in {zone} showed: they were put forward"
            wrong.append(Fault(place, f"{text}; give another hour"))
            return None
        return at_s
    assert moment.clock is not None
    days = (_on_day(moment.clock, zone, from_s, day) for day in range(3))
    return next((at_s for at_s in days if at_s is not None and at_s >= from_s - 1e-6), None)


def _last_before(clock: clock_time, zone: str, until_s: float) -> float:
    """The last such clock time at or before `until_s`."""
    for day in range(4):
        at_s = _on_day(clock, zone, until_s, -day)
        if at_s is not None and at_s <= until_s:
            return at_s
    return until_s - DAY_S


def _on_day(clock: clock_time, zone: str, near_s: float, days: int) -> float | None:
    """A clock time on the local day of `near_s`, or some days off; None if the clocks left it out."""
    local = datetime.fromtimestamp(near_s, ZoneInfo(zone)).date() + timedelta(days=days)
    wanted = datetime.combine(local, clock)
    at = wanted.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)
    return at.timestamp() if _reads(at.timestamp(), zone) == wanted else None
