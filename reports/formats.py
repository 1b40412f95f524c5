"""How numbers and times are written for people: few digits, one unit for a value and its interval."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime

from sim.measures import Unit

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0
DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True)
class Scale:
    """Divisor, signs before and behind, and decimals with which a value is written."""

    divisor: float = 1.0
    before: str = ""
    behind: str = ""
    decimals: int = 0

    def number(self, value: float) -> str:
        """The bare number, with commas; large ones to three digits."""
        scaled = value / self.divisor
        if self.decimals == 0 and abs(scaled) >= 10_000:
            scaled = _three_digits(scaled)
        text = f"{scaled:,.{self.decimals}f}"
        if float(text.replace(",", "")) != 0 or scaled <= 0:
            return text.removeprefix("-") if scaled > -0.5 * 10.0**-self.decimals else text
        return f"<{10.0**-self.decimals:g}"

    def one(self, value: float) -> str:
        """A single value with its unit."""
        return f"{self.before}{self.number(value)}{self.behind}"

    def span(self, low: float, high: float) -> str:
        """Two values with one unit: 36–42 %; a single one if they read the same."""
        first, last = self.number(low), self.number(high)
        return self.one(low) if first == last else f"{self.before}{first}–{last}{self.behind}"


def scale(unit: Unit, value: float) -> Scale:
    """The scale in which a value of this unit reads best."""
    if unit == "share":
        return Scale(0.01, "", f"{NBSP}%", 0 if value in (0.0, 1.0) or 0.0095 <= value < 0.9905 else 1)
    if unit == "s":
        return _time_scale(value)
    if unit == "EUR":
        return _money_scale(value)
    if unit == "per_case":
        return Scale(decimals=2)
    whole = value >= 10 or value == int(value)
    return Scale(behind=f"{NBSP}h" if unit == "hours" else "", decimals=0 if whole else 1)


def _time_scale(value_s: float) -> Scale:
    for limit_s, divisor, name in (
        (90.0, 1.0, "s"),
        (90 * MINUTE_S, MINUTE_S, "min"),
        (48 * HOUR_S, HOUR_S, "h"),
        (math.inf, DAY_S, "days"),
    ):
        if value_s < limit_s:
            fine = divisor > 1.0 and value_s / divisor < 9.95
            return Scale(divisor, "", f"{NBSP}{name}", int(fine and value_s > 0))
    raise ValueError("a time must be a number")


def _money_scale(value: float) -> Scale:
    sign = f"EUR{NBSP}"
    if value >= 999_500:
        return Scale(1e6, sign, f"{NBSP}M", 2)
    return Scale(1.0, sign, "", 2 if 0 < value < 100 else 0)


def _three_digits(value: float) -> float:
    step = 10.0 ** (math.floor(math.log10(abs(value))) - 2)
    return round(value / step) * step


def share(value: float) -> str:
    """A share as a percentage."""
    return scale("share", value).one(value)


def duration(seconds: float) -> str:
    """A length of time in the unit that reads best."""
    return _time_scale(seconds).one(seconds)


def count(value: float) -> str:
    """A number of things."""
    return scale("count", value).one(value)


def about(value: float) -> str:
    """A number of things, to three digits at most."""
    return count(_three_digits(value) if value >= 1000 else value)


def clock(at: datetime, year: bool = False) -> str:
    """Thu 15 Apr, 19:00, in English whatever the machine's language."""
    date = f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]}{f' {at.year}' if year else ''}"
    return f"{date}, {at.hour:02d}:{at.minute:02d}".replace(" ", NBSP)


def hours_from_onset(seconds: float) -> str:
    """134 h after onset; 6 h before onset."""
    hours = round(seconds / HOUR_S)
    if hours == 0:
        return "at onset"
    return f"{abs(hours):,}{NBSP}h {'after' if hours > 0 else 'before'} onset"


def listed(words: list[str]) -> str:
    """a, b and c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"


POINTS = f"{NBSP}points"


def differences_scale(unit: Unit, *values: float) -> Scale:
    """The scale for a difference and the ends of its interval: two digits of the largest of them.

    Shares differ by points of a hundred.
    """
    largest = max(map(abs, values))
    if unit == "share":
        base = Scale(0.01, "", POINTS)
    elif unit in ("s", "EUR"):
        base = scale(unit, largest)
    else:
        base = Scale(behind=f"{NBSP}h" if unit == "hours" else "")
    scaled = largest / base.divisor
    decimals = 0 if scaled == 0 else min(max(1 - math.floor(math.log10(scaled) + 1e-9), 0), 4)
    return Scale(base.divisor, base.before, base.behind, decimals)


def signed(how: Scale, value: float, unit: bool = True) -> str:
    """A difference with its sign, +4.2 points or −4.2 points; nothing is 0."""
    size = Scale(how.divisor, "", "", how.decimals).number(round(abs(value), 12))
    if size.startswith("<") or float(size.replace(",", "")) == 0:
        size, sign = "0", ""
    else:
        sign = MINUS if value < 0 else "+"
    return f"{how.before}{sign}{size}{how.behind}" if unit else f"{sign}{size}"


def signed_span(how: Scale, low: float, high: float) -> str:
    """An interval of differences, with one unit: −1.2 to +0.4 points."""
    first, last = signed(how, low, unit=False), signed(how, high, unit=False)
    return signed(how, low) if first == last else f"{how.before}{first} to {last}{how.behind}"
