"""A nowcast on the console: what to do first, then the hours ahead, then the calls beside each other."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from reports import formats as fm
from reports.nowcast import NowcastAnswer
from reports.nowcast_words import Words, words
from reports.tables import show
from sim.staff.nowcast import Nowcast
from sim.staff.nowcast_fan import band

EVERY_H = (1, 2, 3, 4, 6, 9, 12, 18, 24, 36, 48, 60, 72)


def nowcast(console: Console, answer: NowcastAnswer) -> None:
    """Print the whole nowcast; nothing if it was stopped too early."""
    told = answer.told
    if told is None:
        return
    said = words(told)
    now = fm.clock(told.clock(0.0), year=True)
    head = f"{told.scenario.name} on {told.desk.name}, {now} ({told.scenario.timezone})"
    waiting = sum(told.backlog.values())
    seen = f"{len(told.seen.hours)} hours seen, {waiting:,} cases wait, {len(told.draws)} draws played on"
    _lines(console, (f"{head}: {seen}", ""))
    _lines(console, (said.headline, *said.why, ""))
    show(console, ("until", "cases", "50 %", "80 %", "95 %", "mentions, 80 %"), _ahead(told))
    _lines(console, ("", *said.forecast, *said.desk, ""))
    if told.advice.calls:
        columns = ("ladder called", "in time", "more than without", "missed more than now", "hours called in", "EUR")
        show(console, columns, _calls(told))
        console.print()
    _rest(console, said)


def _rest(console: Console, said: Words) -> None:
    _lines(console, (*said.change, "", *said.cautions))


def _lines(console: Console, lines: Iterable[str]) -> None:
    for line in lines:
        console.print(line.replace(fm.NBSP, " "), soft_wrap=not console.is_terminal)


def _ahead(told: Nowcast) -> list[tuple[str, ...]]:
    """Totals from now until some hours."""
    rows = []
    for hours in [hour for hour in EVERY_H if hour <= told.hours]:
        cases, mentions = (band(told.ahead.of(what)[:, :hours].sum(axis=1)) for what in ("cases", "mentions"))
        spans = [_span(*(float(end) for end in cases.ends[level])) for level in (0.5, 0.8, 0.95)]
        when = fm.clock(told.clock(float(hours)))
        of_mentions = _span(*(float(end) for end in mentions.ends[0.8]))
        rows.append((when, fm.about(round(float(cases.median))), *spans, of_mentions))
    return rows


def _span(low: float, high: float) -> str:
    return f"{fm.about(round(low))} to {fm.about(round(high))}"


def _calls(told: Nowcast) -> list[tuple[str, ...]]:
    without = told.advice.share.mean or 0.0
    nobody = told.way("nobody") or 0
    cost = sum(draw.played[nobody].cost for draw in told.draws) / len(told.draws)
    rows: list[tuple[str, ...]] = [("nobody", fm.share(without), "", "", "0", f"{cost:,.0f}")]
    for call in told.advice.calls:
        gained, lost = call.gained, call.lost
        gain = loss = ""
        if gained.mean is not None and gained.low is not None and gained.high is not None:
            how = fm.differences_scale("share", gained.mean, gained.low, gained.high)
            gain = f"{fm.signed(how, gained.mean)} ({fm.signed_span(how, gained.low, gained.high)})"
        if call.delay_h and lost.mean is not None and lost.low is not None and lost.high is not None:
            how = fm.Scale()
            loss = f"{fm.signed(how, lost.mean)} ({fm.signed_span(how, lost.low, lost.high)})"
        when = f"{told.clock(call.delay_h):%H:%M}" + (" (now)" if call.delay_h == 0 else "")
        rows.append((when, fm.share(call.share), gain, loss, f"{call.called_in_hours:,.0f}", f"{call.cost:,.0f}"))
    return rows
