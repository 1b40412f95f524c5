"""What the panel of a replay is told: no count is lost between samples, and what nobody knows is never healthy."""

from __future__ import annotations

import json
from typing import Any

import pytest

from loadtests.backlog import KNOWN, Backlog
from loadtests.histogram import Histogram
from loadtests.scrape import read
from loadtests.track import ENDS, MOST, Track
from scenarios.errors import InputError

ABOUT = {"name": "volcano", "target": "http://127.0.0.1:1/v1/mentions", "rows": 10_000, "span_s": 20.0, "workers": 2,
         "max_lag_s": 0.010, "rows_of": {"all": 10_000, "peak": 8000, "later": 2000}}  # fmt: skip
AT = "http://127.0.0.1:1/metrics"


def status(at_s: float, answered: int, lag_s: float = 0.001, **more: Any) -> dict[str, Any]:
    """As the chief tells it: so many rows answered, sent so late each."""
    lag = Histogram.of([lag_s] * answered).to_dict()
    whole = {"name": "all", **dict.fromkeys(ENDS, 0), "answered": answered, "lag": lag,
             "latency": Histogram.of([0.2] * answered).to_dict()}  # fmt: skip
    return {
        "at_s": at_s, "told_s": at_s, "due": answered + 9, "told_due": answered + 7, "handed": answered + 5,
        "in_flight": 5, "lost": 0, "tallies": [whole, {**whole, "name": "peak"}], "later": None, **more,
    }  # fmt: skip


def told(track: Track, since: int = 0) -> Any:
    return json.loads(track.told(since))


def test_samples_are_joined_over_a_long_replay_and_lose_no_row() -> None:
    track = Track({**ABOUT, "span_s": 4000.0})
    for beat in range(8000):
        track.add(status(0.5 * beat, beat * 3, in_flight=500 if beat == 4001 else 5))
    samples = told(track)["samples"]
    assert MOST / 2 <= len(samples) <= MOST + 1
    assert samples[-1]["answered"] == 7999 * 3
    assert [each["at_s"] for each in samples] == sorted({each["at_s"] for each in samples})
    assert max(each["in_flight"] for each in samples) == 500


def test_a_reader_takes_up_where_it_was() -> None:
    track = Track(ABOUT)
    for beat in range(1, 5):
        track.add(status(0.5 * beat, 100 * beat))
    whole = told(track)["samples"]
    track.add(status(2.5, 500))
    later = told(track, len(whole) - 1)
    assert later["from"] == len(whole) - 1
    assert [*whole[:-1], *later["samples"]] == told(track)["samples"]
    assert told(track, 1_000_000)["samples"] == []
    assert told(track, -3)["samples"] == told(track)["samples"]


def test_what_is_due_and_what_is_sent_are_of_the_same_moment() -> None:
    track = Track(ABOUT)
    track.add(status(3.2, 100, told_s=3.0))
    (sample,) = told(track)["samples"]
    assert (sample["at_s"], sample["due"], sample["sent"], sample["answered"]) == (3.0, 107, 105, 100)


def test_rows_of_no_phase_have_a_row_of_their_own() -> None:
    track = Track(ABOUT)
    one = status(1.0, 200)
    track.add({**one, "later": {**one["tallies"][0], "name": "later", "answered": 50}})
    table = {row["name"]: (row["rows"], row["answered"]) for row in told(track)["phases"]}
    assert table == {"peak": (8000, 200), "later": (2000, 50), "all": (10_000, 200)}


def test_a_late_generator_tells_no_time_of_the_service() -> None:
    track = Track(ABOUT)
    assert told(track)["generator"]["state"] == "nothing sent yet"
    track.add(status(1.0, 200))
    assert told(track)["generator"]["state"] == "in order so far"
    assert told(track)["phases"][-1]["p99_ms"] == pytest.approx(200.0, rel=0.01)
    track.add(status(1.5, 200, lag_s=0.5))
    late = told(track)
    assert late["generator"]["state"] == "not in order"
    assert "above 10 ms" in late["generator"]["reasons"][0]
    assert {row["p99_ms"] for row in late["phases"]} == {None}
    assert late["phases"][-1]["lag_ms"] == pytest.approx(500.0, rel=0.01)


@pytest.mark.parametrize("fault", ["dropped", "lost"])
def test_dropped_rows_and_lost_workers_are_no_order(fault: str) -> None:
    track, one = Track(ABOUT), status(1.0, 200)
    if fault == "lost":
        one["lost"] = 1
    else:
        one["tallies"][0]["dropped"] = 3
    track.add(one)
    assert told(track)["generator"]["state"] == "not in order"


def test_what_cannot_be_measured_is_said_at_the_end() -> None:
    track = Track(ABOUT)
    track.add(status(21.0, 10_000), ended=True)
    track.judged({"state": "not measurable", "reasons": [], "unknown": ["whether it waited"], "headline": "Done."})
    end = told(track)
    assert end["stage"] == "ended"
    assert end["generator"] == {"state": "not measurable", "reasons": [], "unknown": ["whether it waited"]}
    track.judged({"state": "invalid", "reasons": ["late"], "unknown": [], "headline": "Invalid."})
    assert told(track)["generator"]["state"] == "not in order"


# --- what waits at the server -------------------------------------------------------------------


OURS = read('care_inflight 3.0\ncare_writes_waiting 4\ncare_open_cases{lang="de"} 5\ncare_open_cases{lang="en"} 6\n')


def test_the_reference_service_is_known_and_languages_are_added_up() -> None:
    assert Backlog().of(AT, 1, OURS) == {
        "state": "told", "values": {"requests in hand": 3.0, "writes waiting": 4.0, "cases waiting": 11.0}, "asked": 1,
    }  # fmt: skip
    assert list(Backlog().of(AT, 1, OURS)["values"]) == list(KNOWN.values())


def test_a_chosen_series_is_one_or_the_sum_of_its_name() -> None:
    values = Backlog(('care_open_cases{lang="de"}', "care_open_cases", "none_such")).of(AT, 1, OURS)["values"]
    assert values == {'care_open_cases{lang="de"}': 5.0, "care_open_cases": 11.0}


@pytest.mark.parametrize(
    ("url", "asked", "sample", "state"),
    [
        (None, 0, None, "no metrics"),
        (AT, 0, None, "not asked"),
        (AT, 2, None, "silent"),
        (AT, 2, {"other_queue": 7.0}, "not known"),
    ],
)
def test_a_backlog_that_is_not_told_has_no_value(
    url: str | None, asked: int, sample: dict[str, float] | None, state: str
) -> None:
    assert Backlog().of(url, asked, sample) == {"state": state, "values": {}, "asked": asked}
    track = Track(ABOUT)
    track.server(Backlog().of(url, asked, sample))
    track.add(status(1.0, 10))
    assert told(track)["samples"][0]["server"] is None


def test_what_is_no_name_of_a_series_is_refused() -> None:
    with pytest.raises(InputError, match="--backlog queue length is no name of a series"):
        Backlog(("queue length", "jobs", "9lives"))
