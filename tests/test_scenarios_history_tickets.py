"""Tickets become a trace that an engine can play, and what became of them lies beside it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import december
import numpy as np
import pytest

from scenarios.errors import InputError
from scenarios.history.columns import Map
from scenarios.history.tickets import Imported, read_tickets
from scenarios.names import NONE, Language, Platform, PostKind, Topic, Visibility, code
from scenarios.traces import load

HEADER = "created,first_reply,closed,language,platform,topic,ticket,author,agent,handling_min"
ROWS = [
    "2025-12-05 06:10,2025-12-05 06:40,2025-12-05 07:00,nl,whatsapp,rebooking,T1,jan@example.org,Piet,12",
    "2025-12-05 06:00,,2025-12-05 09:00,en-GB,Twitter,info,T2,ann@example.org,,",
    "2025-12-05 06:50,2025-12-05 06:40,,nl,whatsapp,rebooking,T1,jan@example.org,Piet,12",
    "2025-12-05 23:50,2025-12-06 00:20,,German,facebook,baggage,T3,ann@example.org,Kees,8.5",
]


def read(tmp_path: Path, rows: list[str], header: str = HEADER, given: Map | None = None, **more: object) -> Imported:
    path = tmp_path / "tickets.csv"
    path.write_text("\n".join([header, *rows]) + "\n", "utf-8")
    return read_tickets(path, given or Map(), **more)  # type: ignore[arg-type]


def faults(tmp_path: Path, rows: list[str], header: str = HEADER, given: Map | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read(tmp_path, rows, header, given)
    return [str(fault) for fault in caught.value.faults]


def test_rows_become_posts_in_order_of_time(tmp_path: Path) -> None:
    trace = read(tmp_path, ROWS).trace
    assert (trace["time_s"] / 60.0).tolist() == [360.0, 370.0, 410.0, 1430.0]
    assert trace["kind"].tolist() == [code(PostKind(kind)) for kind in ("case", "case", "follow_up", "case")]
    assert trace["case"].tolist() == [0, 1, 1, 2]
    assert trace["parent"].tolist() == [NONE, NONE, 1, NONE]
    assert trace["author"].tolist() == [0, 1, 1, 0]
    languages = [Language.EN, Language.NL, Language.NL, Language.DE]
    assert trace["language"].tolist() == [code(each) for each in languages]
    platforms = [Platform.X, Platform.WHATSAPP, Platform.WHATSAPP, Platform.FACEBOOK]
    assert trace["platform"].tolist() == [code(each) for each in platforms]
    assert trace["visibility"].tolist() == [code(Visibility(v)) for v in ("public", "private", "private", "public")]
    assert trace["topic"][3] == code(Topic.BAGGAGE)


def test_the_window_is_from_the_midnight_before_to_the_quarter_after_the_last_row(tmp_path: Path) -> None:
    about = read(tmp_path, ROWS).trace.about
    assert about["window_s"] == [0.0, 86_400.0]
    assert (about["timezone"], about["onset_local"]) == ("UTC", "2025-12-05T00:00:00")
    told = read(tmp_path, ROWS, local="Europe/Amsterdam", onset=datetime(2025, 12, 5, 5, 0)).trace
    assert told.about["window_s"] == [-5 * 3600.0, 20 * 3600.0]  # the last row is at 00:50 in Amsterdam
    assert told["time_s"][0] == 2 * 3600.0
    assert told.about["timezone"] == "Europe/Amsterdam"


def test_what_became_of_the_cases_lies_beside(tmp_path: Path) -> None:
    imported = read(tmp_path, ROWS)
    actual = imported.actual
    assert actual.about["trace"] == imported.trace.digest
    assert (actual["first_reply_s"] / 60.0).tolist() == [np.inf, 400.0, 1460.0]
    assert (actual["closed_s"] / 60.0).tolist() == [540.0, 420.0, np.inf]
    assert actual["handling_s"].tolist()[1:] == [720.0, 510.0]  # the same on both rows: it is that of the ticket
    assert np.isnan(actual["handling_s"][0])
    assert actual["agent"].tolist() == [NONE, 0, 1]
    assert actual.knows("first_reply_s") and not actual.knows("left_s")


def test_times_of_messages_add_up(tmp_path: Path) -> None:
    actual = read(tmp_path, [ROWS[0], ROWS[2].replace(",12", ",5")]).actual
    assert actual["handling_s"].tolist() == [17 * 60.0]


def test_a_first_reply_may_be_told_as_minutes(tmp_path: Path) -> None:
    imported = read(tmp_path, ["2025-12-05 06:00;12,5", "2025-12-05 07:00;"], "created;first_reply_min")
    assert imported.actual["first_reply_s"].tolist() == [6 * 3600.0 + 750.0, np.inf]


def test_no_name_and_no_address_goes_on(tmp_path: Path) -> None:
    imported = read(tmp_path, ROWS)
    for value, name in ((imported.trace, "t.npz"), (imported.actual, "a.npz")):
        value.save(tmp_path / name)
        with np.load(tmp_path / name) as stored:
            content = b"".join(stored[each].tobytes() for each in stored.files)
        for word in (b"example", b"jan", b"Piet", b"tickets.csv"):
            assert word not in content
    assert load(tmp_path / "t.npz").digest == imported.trace.digest


def test_all_words_that_mean_nothing_are_listed_with_what_to_do(tmp_path: Path) -> None:
    rows = [
        "2025-12-05 06:00,,,Klingon,,,,,,",
        "2025-12-05 06:01,,,Klingon,pigeon,,,,,",
        "2025-12-05 06:02,,,,,write to me@example.org,,,,",
    ]
    told = faults(tmp_path, rows)
    assert len(told) == 3
    assert "line 2 has the language 'Klingon' (2 rows)" in told[0] and "[values.language]" in told[0]
    assert "'pigeon' (1 row)" in told[1]
    assert "me@example.org" not in "".join(told)


def test_a_map_gives_them_a_meaning(tmp_path: Path) -> None:
    given = Map(
        columns={"created": ("When",), "language": ("Tongue",)}, values={"language": {"Klingon": "de"}},
        other={"language": "fr"}, defaults={"platform": "x"},
    )  # fmt: skip
    imported = read(tmp_path, ["2025-12-05 06:00,klingon", "2025-12-05 06:01,Elvish"], "when,TONGUE", given)
    assert imported.trace["language"].tolist() == [code(Language.DE), code(Language.FR)]
    assert imported.trace["platform"].tolist() == [code(Platform.X)] * 2
    assert any("no column says the platform: all rows are taken as x" in note for note in imported.notes)


def test_a_wrong_map_is_told_apart_from_a_wrong_table(tmp_path: Path) -> None:
    given = Map(values={"language": {"Klingon": "tlh"}}, defaults={"topic": "weather"})
    told = faults(tmp_path, ["2025-12-05 06:00"], "created", given)
    assert any("the map's values.language.Klingon is 'tlh'" in each for each in told)
    assert any("the map's defaults.topic is 'weather'" in each for each in told)


def test_a_table_without_times_says_what_it_has(tmp_path: Path) -> None:
    told = faults(tmp_path, ["1,2"], "Opened,Sprache")
    assert told == [
        "created has no column; the file has 'Opened', 'Sprache'. Name it in the map: [columns] created = \"...\""
    ]


def test_what_cannot_have_happened_is_told_with_its_line(tmp_path: Path) -> None:
    rows = [
        "2025-12-05 06:00,2025-12-05 05:00,,en,x,info,,,,",
        ",,,en,x,info,,,,",
        "yesterday,,,en,x,info,,,,",
        "2025-12-05 06:00,,,en,x,info,,,,-5",
    ]
    told = faults(tmp_path, rows)
    assert [each.split(" ")[1].rstrip(",") for each in told] == ["2", "3", "4", "5"]
    assert "is answered 60 min before it was posted" in told[0]
    assert "is empty" in told[1] and "is no time" in told[2] and "below 0" in told[3]


def test_clocks_of_two_systems_may_differ_by_seconds(tmp_path: Path) -> None:
    actual = read(tmp_path, ["2025-12-05 06:00:10,2025-12-05 06:00:00,,en,x,info,,,,"]).actual
    assert actual["first_reply_s"].tolist() == [6 * 3600.0 + 10.0]


def test_a_wrong_year_is_found(tmp_path: Path) -> None:
    assert "look for a wrong date" in faults(tmp_path, ["2025-12-05 06:00", "2205-12-05 06:00"], "created")[0]


def test_both_clock_changes_keep_every_row(tmp_path: Path) -> None:
    # A post every ten minutes from midnight to noon UTC, written in local time: 73 rows, 600 s apart, on the days
    # on which the clocks go back and forward.
    from datetime import UTC, timedelta
    from zoneinfo import ZoneInfo

    zone = ZoneInfo("Europe/Amsterdam")
    for day in (datetime(2025, 10, 25, 22, tzinfo=UTC), datetime(2025, 3, 29, 23, tzinfo=UTC)):
        times = [day + timedelta(minutes=10 * i) for i in range(73)]
        rows = [time.astimezone(zone).strftime("%Y-%m-%d %H:%M") for time in times]
        trace = read(tmp_path, rows, "created", zone="Europe/Amsterdam").trace
        assert np.diff(trace["time_s"]).tolist() == [600.0] * 72
        assert trace["time_s"][0] == 0.0


def test_rows_that_want_no_answer_are_no_cases(tmp_path: Path) -> None:
    imported = read(tmp_path, ["2025-12-05 06:00,chatter", "2025-12-05 06:01,case"], "created,kind")
    assert imported.trace["case"].tolist() == [NONE, 0]
    assert len(imported.actual) == 1
    with pytest.raises(InputError, match="no row that opens a case"):
        read(tmp_path, ["2025-12-05 06:00,chatter"], "created,kind")


@pytest.mark.parametrize("name", ["genesys", "plain", "zendesk"])
def test_the_maps_that_come_along_are_right(name: str) -> None:
    assert Map.load(name).title


def test_the_tickets_of_a_simulated_december_come_back_as_they_were(tmp_path: Path) -> None:
    trace, outcome = december.happened(3)
    n = december.write_tickets(tmp_path / "t.csv", outcome)
    imported = read_tickets(tmp_path / "t.csv", Map.load("plain"), local="Europe/Amsterdam")
    order = np.argsort(outcome.cases["posted_s"], kind="stable")
    assert imported.trace.cases == n == order.size
    # Times are written to the microsecond.
    assert np.allclose(imported.trace["time_s"], outcome.cases["posted_s"][order], atol=2e-6)
    replies = outcome.cases["first_reply_s"][order]
    assert np.allclose(imported.actual["first_reply_s"], replies, atol=2e-6)
    assert np.array_equal(imported.trace["topic"], outcome.cases["topic"][order])
    assert imported.trace.about["timezone"] == "Europe/Amsterdam"
    assert december.cases_of(trace) <= n
