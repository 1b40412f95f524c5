"""What people's exports are like: gaps, repeats, no order, cells that hold more than they should."""

from __future__ import annotations

import io
import tracemalloc
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import openpyxl
import pytest

from scenarios.errors import InputError
from scenarios.history.columns import Map
from scenarios.history.tickets import Imported, read_tickets
from scenarios.names import Language, Platform, Topic, code

DAY_S = 86_400.0


def read(path: Path, content: str | bytes, given: str | Map = "plain", **more: str) -> Imported:
    path = path / "tickets.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_tickets(path, Map.load(given) if isinstance(given, str) else given, **more)  # type: ignore[arg-type]


def lines(*rows: str) -> str:
    return "\n".join(rows) + "\n"


# --- times --------------------------------------------------------------------------------------


def test_a_gap_of_days_is_kept_as_a_gap(tmp_path: Path) -> None:
    trace = read(tmp_path, lines("created", "2025-12-01 10:00", "2025-12-04 10:00")).trace
    assert np.diff(trace["time_s"]).tolist() == [3 * DAY_S]
    assert trace.about["window_s"] == [0.0, 3 * DAY_S + 10.25 * 3600.0]


def test_posts_of_the_same_second_are_all_kept_in_the_order_of_the_file(tmp_path: Path) -> None:
    rows = ("created;language", "2025-12-01 10:00;nl", "2025-12-01 10:00;de", "2025-12-01 10:00;nl")
    imported = read(tmp_path, lines(*rows))
    assert imported.trace.cases == 3
    assert imported.trace["language"].tolist() == [code(Language(each)) for each in ("nl", "de", "nl")]


def test_the_order_of_the_rows_makes_no_difference(tmp_path: Path) -> None:
    head = "created;first_reply;language"
    rows = [f"2025-12-01 {h:02}:00;2025-12-01 {h:02}:30;{('nl', 'de')[h % 2]}" for h in range(20)]
    there, back = (read(tmp_path, lines(head, *order)) for order in (rows, rows[::-1]))
    assert np.array_equal(there.trace["time_s"], back.trace["time_s"])
    assert np.array_equal(there.trace["language"], back.trace["language"])
    assert np.array_equal(there.actual["first_reply_s"], back.actual["first_reply_s"])


def test_an_hour_that_did_not_exist_and_one_that_came_twice_are_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="line 2, created is '2025-03-30 02:30', which did not exist"):
        read(tmp_path, lines("created", "2025-03-30 02:30"), zone="Europe/Amsterdam")
    rows = ("created", "2025-10-26 02:30", "2025-10-26 02:10", "2025-10-26 04:00")
    imported = read(tmp_path, lines(*rows), zone="Europe/Amsterdam")
    assert any("2 rows lie in the hour that came twice" in note and "their order" in note for note in imported.notes)
    assert np.diff(imported.trace["time_s"]).tolist() == [2400.0, 6600.0]


def test_a_wait_over_a_clock_change_is_as_long_as_it_was(tmp_path: Path) -> None:
    rows = ("created;first_reply", "2025-10-26 01:30;2025-10-26 03:30", "2025-03-30 01:30;2025-03-30 03:30")
    imported = read(tmp_path, lines(*rows), zone="Europe/Amsterdam")
    waited = imported.actual["first_reply_s"] - imported.trace["time_s"]
    assert waited.tolist() == [3600.0, 3 * 3600.0]  # spring first: the trace is in order of time


# --- counts and lengths -------------------------------------------------------------------------


def test_lengths_below_zero_are_all_told(tmp_path: Path) -> None:
    rows = ("created;handling_min;first_reply_min", "2025-12-01 10:00;-1;5", "2025-12-01 11:00;2;-3")
    with pytest.raises(InputError) as caught:
        read(tmp_path, lines(*rows))
    assert [fault.place for fault in caught.value.faults] == ["line 2, handling_min", "line 3, first_reply_min"]
    assert all("below 0" in fault.what for fault in caught.value.faults)


def test_lengths_of_zero_are_lengths(tmp_path: Path) -> None:
    rows = ("created;handling_min;first_reply_min", *(f"2025-12-01 1{i}:00;0;0" for i in range(3)))
    actual = read(tmp_path, lines(*rows)).actual
    assert actual["handling_s"].tolist() == [0.0, 0.0, 0.0]
    assert actual["first_reply_s"].tolist() == [36_000.0, 39_600.0, 43_200.0]


def test_a_single_week_and_a_single_row_are_enough_for_a_trace(tmp_path: Path) -> None:
    week = [f"2025-12-{day:02} 12:00" for day in range(1, 8)]
    assert read(tmp_path, lines("created", *week)).trace.cases == 7
    assert read(tmp_path, lines("created", week[0])).trace.cases == 1


def test_a_decimal_comma_is_one_where_the_comma_does_not_part_cells(tmp_path: Path) -> None:
    actual = read(tmp_path, lines("created;handling_min", "2025-12-01 10:00;2,5")).actual
    assert actual["handling_s"].tolist() == [150.0]
    actual = read(tmp_path, lines("created,handling_s", '2025-12-01 10:00,"1,200"')).actual
    assert actual["handling_s"].tolist() == [1200.0]


# --- cells --------------------------------------------------------------------------------------


def test_formulas_scripts_and_addresses_go_nowhere(tmp_path: Path) -> None:
    secrets = ('=HYPERLINK("http://evil.example")', "<script>alert(1)</script>", "jan.k@example.org", "@SUM(1+1)")
    rows = [f"2025-12-01 1{i}:00\t{cell}\t{cell}\t{cell}\t{cell}" for i, cell in enumerate(secrets)]
    imported = read(tmp_path, lines("created\tauthor\tagent\tticket\tbody", *rows))
    imported.trace.save(tmp_path / "t.npz")
    imported.actual.save(tmp_path / "a.npz")
    written = b""
    for name in ("t.npz", "a.npz"):
        with np.load(tmp_path / name) as stored:
            written += b"".join(stored[each].tobytes() for each in stored.files)
    for word in (b"evil", b"script", b"jan.k", b"SUM"):
        assert word not in written
    assert not any(word in note for note in imported.notes for word in ("evil", "script", "jan", "SUM"))


def test_a_message_hides_addresses_and_shows_no_escape_codes(tmp_path: Path) -> None:
    rows = ("created;language", "2025-12-01 10:00;jan.k@example.org", "2025-12-01 10:00;\x1b[31mred")
    with pytest.raises(InputError) as caught:
        read(tmp_path, lines(*rows))
    assert "jan.k" not in str(caught.value) and "\x1b" not in str(caught.value)


def test_windows_text_and_a_byte_order_mark_read_alike(tmp_path: Path) -> None:
    text = lines("created;language", "2025-12-01 10:00;Français", "2025-12-01 11:00;español")
    for encoding in ("utf-8", "utf-8-sig", "cp1252", "utf-16"):
        trace = read(tmp_path, text.encode(encoding)).trace
        assert trace["language"].tolist() == [code(Language.FR), code(Language.ES)]


def test_a_workbook_reads_like_the_same_table(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    assert book.active is not None
    for row in [("created", "handling_min"), (datetime(2025, 12, 1, 10), 2.5), (datetime(2025, 12, 1, 11), None)]:
        book.active.append(row)
    file = io.BytesIO()
    book.save(file)
    sheet = read(tmp_path, file.getvalue())
    table = read(tmp_path, lines("created;handling_min", "2025-12-01 10:00;2,5", "2025-12-01 11:00;"))
    assert np.array_equal(sheet.trace["time_s"], table.trace["time_s"])
    assert np.array_equal(sheet.actual["handling_s"], table.actual["handling_s"], equal_nan=True)


# --- what comes along ---------------------------------------------------------------------------


def test_a_zendesk_export_is_read(tmp_path: Path) -> None:
    rows = (
        "Ticket ID,Ticket created - Timestamp,First reply time (min),Requester,Assignee,Ticket channel,Locale,Topic",
        "1,2025-12-01T10:00:00Z,12,Jan <jan@example.org>,Piet,X (formerly Twitter),en-US,info",
        "2,2025-12-01T10:05:00Z,,Ann,Kees,WhatsApp,nl,Baggage",
    )
    imported = read(tmp_path, lines(*rows), "zendesk")
    assert imported.trace["platform"].tolist() == [code(Platform.X), code(Platform.WHATSAPP)]
    assert imported.trace["language"].tolist() == [code(Language.EN), code(Language.NL)]
    assert imported.trace["topic"].tolist() == [code(Topic.INFO), code(Topic.BAGGAGE)]
    assert (imported.actual["first_reply_s"] / 60.0).tolist() == [612.0, np.inf]
    assert imported.actual["agent"].tolist() == [0, 1]


def test_a_genesys_export_is_read(tmp_path: Path) -> None:
    rows = (
        "Conversation ID;Conversation Start;Conversation End;Media Type;Language;Total Handle;Users;Abandon Time",
        "a-1;01/12/2025 10:00:00;01/12/2025 10:30:00;message;Dutch;00:12:30;Piet;",
        "a-2;01/12/2025 10:05:00;01/12/2025 10:40:00;callback;German;;;01/12/2025 10:40:00",
    )
    imported = read(tmp_path, lines(*rows), "genesys")
    assert imported.trace["language"].tolist() == [code(Language.NL), code(Language.DE)]
    assert imported.actual["handling_s"].tolist()[0] == 750.0
    assert (imported.actual["left_s"] / 60.0).tolist() == [np.inf, 640.0]


# --- size ---------------------------------------------------------------------------------------


def test_a_long_table_costs_a_kilobyte_a_row_whatever_its_texts_hold(tmp_path: Path) -> None:
    rows, at = 20_000, datetime(2025, 12, 1)
    table = []
    for i in range(rows):
        posted = at + timedelta(seconds=20 * i)
        table.append(f"T{i};{posted};{posted + timedelta(minutes=10)};nl;x;p{i}@example.org;{'x' * 400}")
    content = lines("ticket;created;first_reply;language;platform;author;body", *table)
    tracemalloc.start()
    imported = read(tmp_path, content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert imported.trace.cases == rows
    # The bytes are there twice, as the test writes them and as they are read, and once more as text while their
    # encoding is sought; then cells and columns. The texts of the last column alone would be as much again.
    assert most < 2 * len(content) + 1_000 * rows
