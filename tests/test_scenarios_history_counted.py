"""Counts by interval: totals through both clock changes, and a sentence for all that is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import openpyxl
import pytest

from scenarios.errors import InputError
from scenarios.history.columns import Map
from scenarios.history.histories import Gaps, read_history
from scenarios.history.series import History
from scenarios.names import Language, Topic, code

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
PLAIN = Map.load("plain")
Rows = list[tuple[str, int]]


def quarters(first: datetime, last: datetime, minutes: int = 60) -> Rows:
    """A row for each interval that there really was, local times, counts all different."""
    at, end = (moment.replace(tzinfo=AMSTERDAM).timestamp() for moment in (first, last))
    rows: Rows = []
    while at < end:
        rows.append((f"{datetime.fromtimestamp(at, AMSTERDAM):%Y-%m-%d %H:%M}", 5 + len(rows) % 23))
        at += 60 * minutes
    return rows


def written(path: Path, rows: Rows, head: str = "created;contacts") -> Path:
    path.write_text("\n".join([head, *(f"{time};{n}" for time, n in rows)]), "utf-8")
    return path


def read(path: Path, gaps: Gaps = "refuse", given: Map = PLAIN) -> History:
    return read_history(path, given, zone="Europe/Amsterdam", gaps=gaps)


def told(path: Path, gaps: Gaps = "refuse", given: Map = PLAIN) -> str:
    with pytest.raises(InputError) as caught:
        read(path, gaps, given)
    return str(caught.value)


SPRING = datetime(2025, 3, 20), datetime(2025, 4, 10)
AUTUMN = datetime(2025, 10, 16), datetime(2025, 11, 6)


@pytest.mark.parametrize("minutes", [15, 30, 60])
@pytest.mark.parametrize(("span", "hours"), [(SPRING, 21 * 24 - 1), (AUTUMN, 21 * 24 + 1)])
def test_totals_and_times_are_kept_exactly_through_a_clock_change(
    tmp_path: Path, span: tuple[datetime, datetime], hours: int, minutes: int
) -> None:
    rows = quarters(*span, minutes)
    series = read(written(tmp_path / "a.csv", rows)).series
    assert series.n == hours * 60 // minutes == len(rows)
    assert series.counts.sum() == sum(n for _, n in rows)
    assert series.total.tolist() == [n for _, n in rows]
    assert series.known.all()
    # Each interval lies in the local hour that its row names.
    assert [int(x) for x in series.slot % 24] == [int(time[11:13]) for time, _ in rows]


def test_both_changes_within_a_year_keep_every_count(tmp_path: Path) -> None:
    rows = quarters(datetime(2025, 1, 1), datetime(2026, 1, 1))
    series = read(written(tmp_path / "a.csv", rows)).series
    assert series.n == 365 * 24 == len(rows)
    assert series.total.tolist() == [n for _, n in rows]
    assert series.days == 365.0
    assert series.day[-1] == 364


def test_a_zero_for_the_hour_that_does_not_exist_is_left_out(tmp_path: Path) -> None:
    rows = quarters(*SPRING)
    at = [time for time, _ in rows].index("2025-03-30 03:00")
    history = read(written(tmp_path / "a.csv", [*rows[:at], ("2025-03-30 02:00", 0), *rows[at:]]))
    assert history.series.total.tolist() == [n for _, n in rows]
    assert "1 rows of 0 lie in an hour that did not exist: left out" in history.notes
    wrong = told(written(tmp_path / "b.csv", [*rows[:at], ("2025-03-30 02:00", 3), *rows[at:]]))
    assert f"line {at + 2}, created" in wrong and "did not exist" in wrong


def test_an_hour_that_came_twice_but_is_there_once_is_shared_between_both(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    at = [time for time, _ in rows].index("2025-10-26 02:00")
    assert rows[at + 1][0] == "2025-10-26 02:00"
    both = rows[at][1] + rows[at + 1][1]
    history = read(written(tmp_path / "a.csv", [*rows[:at], ("2025-10-26 02:00", both), *rows[at + 2 :]]))
    total = history.series.total
    assert total.sum() == sum(n for _, n in rows)
    assert total[at] + total[at + 1] == both and abs(total[at] - total[at + 1]) <= 1
    assert history.series.known.all()
    assert any("in the table once: shared out" in note for note in history.notes)


def test_times_with_an_offset_say_themselves_which_run_they_are(tmp_path: Path) -> None:
    start = datetime(2025, 10, 16, tzinfo=ZoneInfo("UTC"))
    rows = [((start + timedelta(hours=i)).isoformat(), i % 7) for i in range(21 * 24)]
    series = read_history(written(tmp_path / "a.csv", rows), PLAIN, local="Europe/Amsterdam").series
    assert series.total.tolist() == [n for _, n in rows]
    assert series.zone == AMSTERDAM and series.slot[0] % 24 == 2


def test_languages_and_topics_add_up_in_any_order_of_their_blocks(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    head = "Start;Offered;Language;Topic;Handling_min;Wait_min;Abandoned"
    lines = [f"{time};{n};en;baggage;10,5;2;0" for time, n in rows] + [f"{time};2;nl;info;20;4;1" for time, _ in rows]
    path = tmp_path / "a.csv"
    path.write_text("\n".join([head, *lines]), "cp1252")
    history = read(path)
    counts = history.series.counts
    assert counts[:, code(Language.EN)].tolist() == [n for _, n in rows]
    assert (counts[:, code(Language.NL)] == 2).all()
    english = sum(n for _, n in rows)
    assert history.mixes["topic"][code(Topic.BAGGAGE)] == english
    assert history.means.handled == english + 2 * len(rows)
    assert history.means.handling_s == pytest.approx(60 * (10.5 * english + 20 * 2 * len(rows)))
    assert history.means.wait_s == pytest.approx(60 * (2 * english + 4 * 2 * len(rows)))
    assert history.means.abandoned == len(rows)


def test_a_workbook_reads_as_its_csv_does(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Interval start", "Contacts"])
    for time, n in rows:
        sheet.append([datetime.fromisoformat(time), n])
    book.save(tmp_path / "a.xlsx")
    assert read(tmp_path / "a.xlsx").series.total.tolist() == [n for _, n in rows]


def test_gaps_are_refused_or_taken_as_one_says(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    path = written(tmp_path / "a.csv", rows[:100] + rows[104:200] + rows[201:])
    wrong = told(path)
    assert "2025-10-20 04:00 to 2025-10-20 08:00: has no row (4 intervals)" in wrong or (
        "2025-10-20 04:00 to 2025-10-20 08:00 has no row (4 intervals)" in wrong
    )
    assert "--gaps zero" in wrong and "(1 intervals)" in wrong
    zero, unknown = read(path, "zero").series, read(path, "unknown").series
    assert zero.known.all() and zero.total.sum() == unknown.total.sum()
    assert np.flatnonzero(~unknown.known).tolist() == [100, 101, 102, 103, 200]


def test_all_that_is_wrong_is_told_at_once_with_its_line(tmp_path: Path) -> None:
    rows = [(time, str(n)) for time, n in quarters(*AUTUMN)]
    for line, cell in ((10, "-3"), (20, "=1+1"), (30, ""), (40, "2.5"), (50, "<script>alert(1)</script>")):
        rows[line - 2] = (rows[line - 2][0], cell)
    rows[60 - 2] = ("31-31-2025", "1")
    rows[70 - 2] = ("jan@example.org", "1")
    wrong = told(written(tmp_path / "a.csv", rows))  # type: ignore[arg-type]
    lines = wrong.splitlines()
    assert [line.split(":")[1].strip().split(" is")[0] for line in lines] == [
        *(f"line {n}, contacts" for n in (10, 20, 30, 40, 50)),
        "line 60, created",
        "line 70, created",
    ]
    assert "below 0" in lines[0] and "no number" in lines[1] and "write 0" in lines[2] and "whole number" in lines[3]
    assert "jan" not in wrong


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda rows: [*rows[:50], rows[49], *rows[50:]], "line 52, created is there twice, also in line 51"),
        (lambda rows: [*rows[:50], rows[51], rows[50], *rows[52:]], "is before the row above it"),
        (lambda rows: [(time, 0) for time, _ in rows], "has no contact at all"),
        (lambda rows: rows[: 24 * 7], "tells of 7.0 days; two weeks are needed"),
        (lambda rows: rows[:1], "has a single interval"),
        (lambda rows: [(f"2025-10-16 00:{i % 60:02}", 1) for i in range(60)], "15, 30 or 60 min"),
        (lambda rows: [*rows, ("2125-11-06 00:00", 1)], "look for a wrong date"),
        (lambda rows: [*rows, ("2025-11-06 00:10", 1)], "min"),
    ],
)
def test_what_cannot_be_a_history_is_refused_in_words(tmp_path: Path, change: object, said: str) -> None:
    rows = change(quarters(*AUTUMN))  # type: ignore[operator]
    assert said in told(written(tmp_path / "a.csv", rows))


def test_posts_hold_the_contacts(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["created,contacts,mentions", *(f"{t},{n},{3 * n}" for t, n in rows)]), "utf-8")
    series = read(path).series
    assert series.mentions is not None and series.mentions.sum() == 3 * series.total.sum()
    path.write_text("\n".join(["created,contacts,mentions", *(f"{t},{n},{n - 1}" for t, n in rows)]), "utf-8")
    assert "fewer than the 5 contacts in it" in told(path)


def test_more_abandoned_than_came_is_a_fault(tmp_path: Path) -> None:
    rows = quarters(*AUTUMN)
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["created,contacts,abandoned", *(f"{t},{n},{n + 1}" for t, n in rows)]), "utf-8")
    assert "more than the 5 contacts of the interval" in told(path)


def test_days_of_zeros_are_a_hole_in_the_table_unless_one_says_otherwise(tmp_path: Path) -> None:
    rows = [(time, 0 if "2025-10-22" <= time < "2025-10-24" else n) for time, n in quarters(*AUTUMN)]
    path = written(tmp_path / "a.csv", rows)
    wrong = told(path)
    assert "2025-10-22 00:00 to 2025-10-24 00:00 has no contact, where" in wrong and "--gaps unknown" in wrong
    assert read(path, "zero").series.known.all()
    unknown = read(path, "unknown")
    assert np.count_nonzero(~unknown.series.known) == 48
    assert "48 h have no contact where many are usual: taken as unknown" in unknown.notes


def test_a_desk_that_closes_every_night_and_weekend_has_no_holes(tmp_path: Path) -> None:
    rows = [
        (time, n if 8 <= int(time[11:13]) < 18 and datetime.fromisoformat(time).weekday() < 5 else 0)
        for time, n in quarters(*AUTUMN)
    ]
    series = read(written(tmp_path / "a.csv", rows)).series
    assert series.known.all() and series.total.sum() == sum(n for _, n in rows)


def test_an_export_of_genesys_and_one_of_zendesk_are_read_by_their_maps(tmp_path: Path) -> None:
    start = datetime(2025, 10, 16, tzinfo=ZoneInfo("UTC"))
    times = [(start + timedelta(minutes=30 * i)).strftime("%Y-%m-%dT%H:%M:%S.000Z") for i in range(48 * 15)]
    genesys, zendesk = tmp_path / "g.csv", tmp_path / "z.csv"
    lines = [f"{time},message,{i % 5},{i % 5 // 4},65.5,300" for i, time in enumerate(times)]
    genesys.write_text("\n".join(["Interval Start,Media Type,Offer,Abandon,Avg Wait,Avg Handle", *lines]), "utf-8")
    read_g = read_history(genesys, Map.load("genesys"), local="Europe/Amsterdam")
    assert read_g.series.total.sum() == sum(i % 5 for i in range(len(times))) == read_g.means.handled
    assert read_g.means.abandoned == len(times) // 5 and read_g.means.handling_s == 300 * read_g.means.handled
    tickets = [f"{i},{time},Twitter DM,nl-NL,Refund,12" for i, time in enumerate(times)]
    head = "Ticket ID,Created at,Ticket channel,Requester language,Topic,Handle time (min)"
    zendesk.write_text("\n".join([head, *tickets]), "utf-8")
    read_z = read_history(zendesk, Map.load("zendesk"), local="Europe/Amsterdam")
    assert read_z.series.counts[:, code(Language.NL)].sum() == len(times)
    assert read_z.handling is not None and read_z.handling.value_s.mean() == 720.0
