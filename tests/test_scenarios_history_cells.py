"""Numbers, lengths and clock times as people write them, on both clock changes."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from scenarios.history.cells import after, in_order, moments, number, seconds

AMSTERDAM = ZoneInfo("Europe/Amsterdam")


def utc(*parts: int) -> float:
    return datetime(*parts, tzinfo=UTC).timestamp()  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("12", True, 12.0),
        ("12,5", True, 12.5),
        ("12.5", True, 12.5),
        ("1.234,5", True, 1234.5),
        ("1,234.5", True, 1234.5),
        ("1,234", False, 1234.0),
        ("1 234,5", True, 1234.5),
        ("1.234.567", True, 1234567.0),
        ("-3", True, -3.0),
    ],
)
def test_a_number_is_read_with_its_decimal_sign(text: str, comma: bool, value: float) -> None:
    assert number(text, comma) == value


@pytest.mark.parametrize("text", ["", "x", "1;2", "nan", "inf", "=1+1", "1.2.3,4,5x"])
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no number"):
        number(text)


def test_a_length_is_a_number_of_units_or_a_clock() -> None:
    assert seconds("2,5", 60.0) == 150.0
    assert seconds("1:02:03", 60.0) == 3723.0
    assert seconds("02:03", 60.0) == 123.0
    with pytest.raises(ValueError, match="below 0"):
        seconds("-1", 60.0)


@pytest.mark.parametrize(
    ("text", "dates", "time"),
    [
        ("2025-12-05 06:12", "day_first", utc(2025, 12, 5, 5, 12)),
        ("2025-12-05T06:12:30.5", "day_first", utc(2025, 12, 5, 5, 12, 30) + 0.5),
        ("2025-12-05T06:12:30Z", "day_first", utc(2025, 12, 5, 6, 12, 30)),
        ("2025-12-05T06:12+05:30", "day_first", utc(2025, 12, 5, 0, 42)),
        ("2025-12-05 06:12 UTC", "day_first", utc(2025, 12, 5, 6, 12)),
        ("5.12.2025 06:12", "day_first", utc(2025, 12, 5, 5, 12)),
        ("5/12/2025 6:12", "day_first", utc(2025, 12, 5, 5, 12)),
        ("12/5/2025 6:12 PM", "month_first", utc(2025, 12, 5, 17, 12)),
        ("12/5/2025, 12:12 am", "month_first", utc(2025, 12, 4, 23, 12)),
        ("2025-07-05 06:12", "day_first", utc(2025, 7, 5, 4, 12)),
        ("2025-12-05", "day_first", utc(2025, 12, 4, 23, 0)),
    ],
)
def test_a_time_is_read(text: str, dates: str, time: float) -> None:
    read = moments([text, ""], AMSTERDAM, dates)  # type: ignore[arg-type]
    assert read.faults == []
    assert read.utc_s[0] == time
    assert np.isnan(read.utc_s[1])


@pytest.mark.parametrize(
    "text", ["soon", "2025-13-05 06:00", "13/13/2025 06:00", "2025-12-05 25:00", "13:00 PM", "46000"]
)
def test_what_is_no_time_is_refused_in_its_row(text: str) -> None:
    read = moments(["2025-12-05 06:12", text], AMSTERDAM)
    assert [row for row, _ in read.faults] == [1]


def test_an_hour_that_the_clocks_jumped_over_did_not_exist() -> None:
    # On 30 March 2025 02:00 became 03:00.
    read = moments(["2025-03-30 01:59", "2025-03-30 02:30", "2025-03-30 03:00"], AMSTERDAM)
    assert [(row, "did not exist" in what) for row, what in read.faults] == [(1, True)]
    assert read.utc_s[2] - read.utc_s[0] == 60.0


def test_rows_in_order_tell_the_two_runs_of_an_hour_apart() -> None:
    # On 26 October 2025 03:00 became 02:00: 02:10 and 02:50 came twice.
    clock = ["01:50", "02:10", "02:50", "02:10", "02:40", "03:10"]
    read = moments([f"2025-10-26 {each}" for each in clock], AMSTERDAM)
    assert read.twice.tolist() == [False, True, True, True, True, False]
    hours = (in_order(read, AMSTERDAM) - utc(2025, 10, 25, 23, 50)) / 60.0
    assert hours.tolist() == [0.0, 20.0, 60.0, 80.0, 110.0, 140.0]


def test_rows_in_no_order_are_taken_for_the_first_run() -> None:
    clock = ["03:10", "02:50", "02:10", "01:50"]
    read = moments([f"2025-10-26 {each}" for each in clock], AMSTERDAM)
    assert np.array_equal(in_order(read, AMSTERDAM), read.utc_s)


def test_an_answer_in_that_hour_comes_after_its_post() -> None:
    posts = moments(["2025-10-26 02:50", "2025-10-26 02:10"], AMSTERDAM)
    replies = moments(["2025-10-26 02:20", "2025-10-26 02:20"], AMSTERDAM)
    waited = after(replies, posts.utc_s, AMSTERDAM) - posts.utc_s
    assert waited.tolist() == [1800.0, 600.0]


def test_cells_with_an_offset_never_come_twice() -> None:
    read = moments(["2025-10-26T02:30:00+02:00", "2025-10-26T02:30:00+01:00"], AMSTERDAM)
    assert not read.twice.any()
    assert read.utc_s[1] - read.utc_s[0] == 3600.0
