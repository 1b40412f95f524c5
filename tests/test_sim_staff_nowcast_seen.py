"""The hours seen, as people write them: clock times, dates, hours from onset, CSV files, and all that can be wrong."""

from pathlib import Path

import pytest

from scenarios.errors import InputError
from scenarios.model import Scenario
from sim.staff.nowcast_seen import Seen, see

VOLCANO = Scenario.load("volcano")  # its onset: Thursday 15 April 2010, 19:00 in Amsterdam
HOURS = "05:00=120/18 06:00=340/41"


def told(seen: Seen) -> list[tuple[float, float, int, int]]:
    """Start from now and length of each hour, mentions, cases."""
    return [((h.from_s - seen.now_s) / 3600, (h.to_s - h.from_s) / 3600, h.mentions, h.cases) for h in seen.hours]


def faults(now: str, so_far: str, onset: str | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        see(VOLCANO, now, so_far, onset)
    return str(caught.value).splitlines()


def test_clock_times_lie_on_the_day_after_the_scenarios_onset() -> None:
    seen = see(VOLCANO, "07:00", HOURS)
    assert told(seen) == [(-2.0, 1.0, 120, 18), (-1.0, 1.0, 340, 41)]
    assert (seen.now_s - VOLCANO.clock(0.0).timestamp()) / 3600 == 12.0
    assert seen.onset_s is None


def test_the_running_hour_is_seen_only_up_to_now() -> None:
    assert told(see(VOLCANO, "06:30", HOURS)) == [(-1.5, 1.0, 120, 18), (-0.5, 0.5, 340, 41)]


def test_hours_go_past_midnight() -> None:
    assert [row[0] for row in told(see(VOLCANO, "01:30", "23:00=5/1 00:00=5/1 01:00=5/1"))] == [-2.5, -1.5, -0.5]


def test_hours_from_onset_state_the_onset() -> None:
    seen = see(VOLCANO, "+6h", "+0h=1/1; +1h=?/?; +2h=4/2")
    assert seen.onset_s == VOLCANO.clock(0.0).timestamp() == seen.now_s - 6 * 3600
    assert [row[0] for row in told(seen)] == [-6.0, -4.0]
    later = see(VOLCANO, "2026-01-05T10:00", "+1h=4/2", "2026-01-05T08:00")
    assert told(later) == [(-1.0, 1.0, 4, 2)]


def test_dates_need_no_scenario_day() -> None:
    for onset in ("2026-01-05T04:00", "04:00"):
        seen = see(VOLCANO, "2026-01-05T07:00", "05:00=5/1 2026-01-05T06:00=5/1", onset)
        assert [row[0] for row in told(seen)] == [-2.0, -1.0]
        assert seen.onset_s == seen.now_s - 3 * 3600


def test_an_hour_comes_twice_when_the_clocks_are_put_back() -> None:
    # 31 October 2010: 03:00 is 02:00 again
    assert [row[0] for row in told(see(VOLCANO, "2010-10-31T04:00", "01:00=1/1 02:00=2/1 02:00=3/1 03:00=4/1"))] == [
        -4.0, -3.0, -2.0, -1.0,
    ]  # fmt: skip
    dated = "2010-10-31T02:00=2/1 2010-10-31T02:00=3/1"
    assert [row[0] for row in told(see(VOLCANO, "2010-10-31T04:00", dated))] == [-3.0, -2.0]
    spelt = "2010-10-31T02:00+02:00=2/1 2010-10-31T02:00+01:00=3/1"
    assert [row[0] for row in told(see(VOLCANO, "2010-10-31T04:00", spelt))] == [-3.0, -2.0]


def test_an_hour_is_left_out_when_the_clocks_are_put_forward() -> None:
    # 28 March 2010: there is no 02:00, and from 01:00 to 03:00 is one hour
    assert [row[0] for row in told(see(VOLCANO, "2010-03-28T04:00", "01:00=1/1 03:00=4/1"))] == [-2.0, -1.0]
    for word in ("02:30", "2010-03-28T02:30"):
        assert "which no clock in Europe/Amsterdam showed" in faults("2010-03-28T04:00", f"{word}=1/1")[0]
    assert "--now is 2010-03-28 02:30, which no clock" in faults("2010-03-28T02:30", "01:00=1/1")[0]


def test_what_is_older_than_three_days_is_left_out() -> None:
    so_far = " ".join(f"+{hour}h=9/2" for hour in range(100))
    seen = see(VOLCANO, "+100h", so_far)
    assert (len(seen.hours), seen.left_out) == (72, 28)


def test_an_hour_that_nobody_counted_is_no_zero() -> None:
    assert told(see(VOLCANO, "08:00", "05:00=5/1 06:00=?/? 07:00=-/-")) == [(-3.0, 1.0, 5, 1)]
    assert told(see(VOLCANO, "08:00", "05:00=5/1 06:00=?/? 07:00=6/2"))[1] == (-1.0, 1.0, 6, 2)
    assert faults("08:00", "05:00=5/1 06:00=?/3 07:00=6/2") == ["--so-far 06:00 has '?' mentions; give a whole number"]


def test_a_gap_is_refused_unless_it_is_said_to_be_one() -> None:
    (found,) = faults("09:00", "05:00=5/1 08:00=6/2")
    assert found.startswith("--so-far 08:00 has a gap of 2 h before it, from 2010-04-16 06:00 on; give these hours")
    # what has not been counted yet is no gap
    assert len(told(see(VOLCANO, "09:00", "05:00=5/1 06:00=6/2"))) == 2


def test_all_faults_are_said_at_once() -> None:
    so_far = "05:00=12/18 06:00=-3/1 06:00=4/1 03:00=1/1 06:20=2/1 09:00=3/1 x=1/1 08:00=z/1 10:00=4/1"
    found = faults("08:30", so_far, "02:15")
    for words in (
        "--so-far x is 'x', no time; write it like 06:30",
        "--so-far 05:00 has 18 cases, more than its 12 mentions; each case is a mention",
        "--so-far 06:00 has -3 mentions; a count cannot be below 0",
        "--so-far 08:00 has 'z' mentions; give a whole number",
        "--so-far 08:00 has a gap of 1 h before it, from 2010-04-16 07:00 on",
        "--so-far 10:00 is after now",
        "--so-far 06:00 stands there twice; give each hour once",
        "--so-far 03:00 stands after 06:00 and lies before it; put the hours in order of time",
        "--so-far 06:20 begins less than an hour after 06:00; each entry is a whole hour",
        "--so-far 09:00 is after now, 2010-04-16 08:30: nothing of it can have been seen",
    ):
        assert [line for line in found if words in line], words
    assert len(found) == 10


@pytest.mark.parametrize(
    ("now", "so_far", "onset", "words"),
    [
        ("25:00", HOURS, None, "--now is '25:00', no time; write it like 06:30, 2026-01-05T06:30, or +6h"),
        ("soon", HOURS, "later", "--onset is 'later', no time"),
        ("07:00", "05:00:120/18", None, "05:00:120/18: no such file; hours are written like 05:00=120/18"),
        ("07:00", "05:00=120", None, "--so-far 05:00=120 cannot be read; write it like 06:00=340/41"),
        ("07:00", " ", None, "--so-far is empty"),
        ("07:00", "05:00=1/1", "06:00", "--so-far 05:00 ends before the onset, 2010-04-16 06:00; leave it out"),
        ("+2h", "-3h=1/1", None, "--so-far -3h ends before the onset"),
        ("-2h", "+0h=1/1", None, "--now is 2010-04-15 17:00, before the onset, 2010-04-15 19:00"),
        ("07:00", HOURS, "+1h", "--onset is +1h, counted from itself"),
        ("07:00", "07:00=1/1", None, "--so-far 07:00 is after now"),
        ("07:00", "05:00=99999999/1", None, "more than 10,000,000 in an hour cannot be"),
    ],
)  # fmt: skip
def test_a_wrong_word_has_a_hint(now: str, so_far: str, onset: str | None, words: str) -> None:
    assert [line for line in faults(now, so_far, onset) if words in line]


@pytest.mark.parametrize(
    "text",
    [
        "time,mentions,cases\n05:00,120,18\n06:00,340,41\n",
        "05:00,120,18\n06:00,340,41\n",
        "\ufeffcases;time;mentions\r\n18;2010-04-16 05:00;120\r\n41;2010-04-16T06:00;340\r\n",
        'time\tmentions\tcases\n"04:00"\t\t\n"05:00"\t120\t18\n\n06:00\t340\t41\n',
    ],
)  # fmt: skip
def test_a_csv_file_says_the_same_as_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "hours.csv"
    path.write_text(text, "utf-8", newline="")
    assert see(VOLCANO, "07:00", str(path)) == see(VOLCANO, "07:00", HOURS)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty; it needs lines like 05:00,120,18"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "is no CSV file"),
        (b"time,mentions\n05:00,120\n", "line 1 has no cases; the columns are time, mentions, cases"),
        (b"05:00,120,18\n06:00,340\n", "line 2 has 2 columns; it needs time, mentions and cases"),
        (b"time,mentions,cases\n", "has names, but no hours below them"),
        (b"05:00,120,18\n06:00,340,many\n", "line 2 has 'many' cases; give a whole number"),
    ],
)
def test_a_file_that_is_no_table_of_hours_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    path = tmp_path / "hours.csv"
    path.write_bytes(content)
    assert words in faults("07:00", str(path))[0]
