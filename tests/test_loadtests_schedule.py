"""Schedules: each post due when it was posted, cut and amplified, and refused when they are not in order."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from commands import TINY

from loadtests import schedule
from loadtests.target import Target
from scenarios import library
from scenarios.errors import InputError, TraceError
from scenarios.generate import generate
from scenarios.names import PostKind, code
from scenarios.traces import Trace

SCENARIO = library.load(TINY)
TRACES = [generate(SCENARIO, 1, number) for number in range(3)]


def test_each_post_is_due_when_it_was_posted() -> None:
    found = schedule.of_traces(TRACES[:1], speed=60.0)
    posts = TRACES[0]["time_s"][TRACES[0]["kind"] != code(PostKind.CALL)]
    assert len(found) == TRACES[0].mentions
    assert found["due_s"] == pytest.approx((posts + 3600.0) / 60.0)  # the window opens an hour before onset


def test_a_cut_holds_the_posts_of_its_hours() -> None:
    found = schedule.of_traces(TRACES[:1], 1.0, from_h=0.0, to_h=1.0)
    assert ((found["time_s"] >= 0.0) & (found["time_s"] < 3600.0)).all()
    assert 0 < len(found) < TRACES[0].mentions
    assert found["due_s"] == pytest.approx(found["time_s"])


def test_amplified_traffic_is_further_rows_of_the_same_scenario() -> None:
    found = schedule.of_traces(TRACES, 1.0)
    assert len(found) == sum(trace.mentions for trace in TRACES)
    assert set(found["replication"]) == {0, 1, 2}
    for trace in TRACES:
        own = found["replication"] == trace.about["replication"]
        assert (found["text"][own] == trace["text"][found["row"][own]]).all()
    assert (np.diff(found["due_s"]) >= 0.0).all()


def test_phases_are_cut_and_played_at_the_same_speed() -> None:
    phases = [("before", -1.0, 0.0), ("storm", 0.0, 2.0), ("later", 4.0, 5.0)]
    found = schedule.of_traces(TRACES[:1], 60.0, -0.5, 1.0, phases)
    assert found.about["phases"] == [
        {"name": "before", "from_s": 0.0, "to_s": 30.0},
        {"name": "storm", "from_s": 30.0, "to_s": 90.0},
    ]


def test_all_faults_of_a_cut_are_told_together() -> None:
    with pytest.raises(InputError) as caught:
        schedule.of_traces(TRACES[:1], 0.0, from_h=9.0, to_h=3.0)
    told = str(caught.value)
    assert "--speed is 0; it should be above 0" in told
    assert "--from is 9, not before --to, which is 3" in told
    assert "the scenario has -1 to 5" in told


def test_an_unsorted_trace_is_refused_with_its_row() -> None:
    columns = {name: column.copy() for name, column in TRACES[0].columns.items()}
    columns["time_s"][7] = columns["time_s"][6] - 1.0
    with pytest.raises(TraceError, match="row 7 of the trace lies before the row above it"):
        schedule.of_traces([Trace(columns, TRACES[0].about)], 1.0)


@pytest.mark.parametrize(("due_s", "told"), [([0.0, 2.0, 1.0], "row 2 is due at 1.0 s, before"), ([-1.0], "0 or more"),
                                             ([0.0, float("nan")], "row 1 is due at nan")])  # fmt: skip
def test_due_times_that_go_back_are_refused(due_s: list[float], told: str) -> None:
    with pytest.raises(TraceError, match=told):
        schedule.at_times(np.array(due_s), "steps")


def test_a_schedule_is_stored_whole(tmp_path: Path) -> None:
    made = schedule.of_traces(TRACES, 10.0)
    made.save(tmp_path / "schedule.npz")
    assert schedule.load(tmp_path / "schedule.npz").digest == made.digest


def test_the_peak_is_the_fullest_second() -> None:
    assert schedule.at_times(np.array([0.0, 0.5, 0.9, 1.2, 5.0]), "steps").peak_per_s() == 3.0
    assert schedule.at_times(np.full(100, 2.0), "steps").peak_per_s() == 100.0
    assert schedule.at_times(np.empty(0), "steps").peak_per_s() == 0.0


@pytest.mark.parametrize(("url", "told"), [
    ("ftp://host", "is no address"), ("127.0.0.1:8000", "is no address"), ("http://", "is no address"),
    ("http://host:x", "is no address"), ("http://host:99999", "is no address"), ("http://host:0", "port 0"),
    ("http://me:word@host", "holds a name or a password"), ("http://host/?a=1", "without ?"),
    ("http://host/a b", "spaces"),
])  # fmt: skip
def test_an_address_that_is_none_is_refused(url: str, told: str) -> None:
    with pytest.raises(InputError) as caught:
        Target(url)
    assert told in str(caught.value)
    assert "word" not in str(caught.value).replace("password", "")


def test_an_address_is_taken_apart() -> None:
    target = Target("https://care.example/api/", path="/v1/mentions")
    assert (target.tls, target.host, target.port, target.local) == (True, "care.example", 443, False)
    assert target.full_path == "/api/v1/mentions"
    assert Target("http://127.0.0.1:81").local
