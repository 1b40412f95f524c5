"""Streams as real senders make them: repeated, late, hostile; and what a service should say to that."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from careapi.bodies import BadBody, read
from careapi.model import Mention
from careapi.platforms import Family
from careapi.signatures import signed
from loadtests import schedule
from loadtests.bodies import Bodies
from loadtests.disturb import AGAIN_S, LATE_S, Disturbance, disturbed, parse
from loadtests.hostile import FORGED, NAMES, spoilt_body
from loadtests.result import Outcome
from loadtests.sender import TAKEN, judged
from loadtests.target import Target
from loadtests.wire import REJECTED
from scenarios.errors import InputError

N = 4000
PLAIN = schedule.at_times(np.arange(N) / 100.0, "plain")
# Standard error of a share of 10 % among 4,000 is sqrt(0.1 * 0.9 / 4000) = 0.0047; five of them are 0.024.
NEAR = pytest.approx(0.10, abs=0.024)


def test_words_are_read_and_all_faults_told() -> None:
    assert parse("redeliver=5%, hostile = 0.5%") == Disturbance(0.05, 0.0, 0.005)
    with pytest.raises(InputError) as caught:
        parse("late=5,rude=1%,late=1%,late=2%,hostile=101%")
    assert [fault.place for fault in caught.value.faults] == [
        "--disturb late=5", "--disturb rude=1%", "--disturb late=2%", "--disturb hostile=101%"
    ]  # fmt: skip


def test_nothing_asked_changes_no_row() -> None:
    same = disturbed(PLAIN, Disturbance(), 1)
    assert all((same[name] == PLAIN[name]).all() for name in PLAIN.columns)


def test_rows_are_repeated_with_the_same_id_and_later() -> None:
    found = disturbed(PLAIN, Disturbance(redeliver=0.1), 1)
    assert (len(found) - N) / N == NEAR
    bodies = Bodies(found, slice(None), Target("http://127.0.0.1:1"), "r")
    ids = Counter(bodies.identity(place) for place in range(len(found)))
    assert set(ids.values()) == {1, 2}
    assert found["due_s"].max() <= PLAIN["due_s"].max() + AGAIN_S


def test_late_rows_come_out_of_order() -> None:
    found = disturbed(PLAIN, Disturbance(late=0.1), 1)
    held = found["due_s"] > found["time_s"]
    assert held.mean() == NEAR
    assert (found["due_s"] - found["time_s"]).max() <= LATE_S
    assert (np.diff(found["row"]) < 0).any()


def test_the_same_seed_disturbs_the_same() -> None:
    how = Disturbance(0.1, 0.1, 0.1)
    assert disturbed(PLAIN, how, 1).digest == disturbed(PLAIN, how, 1).digest
    assert disturbed(PLAIN, how, 1).digest != disturbed(PLAIN, how, 2).digest


def test_hostile_rows_are_of_every_kind() -> None:
    kinds = disturbed(PLAIN, Disturbance(hostile=0.1), 1)["hostile"]
    assert (kinds > 0).mean() == NEAR
    assert set(kinds) == set(range(len(NAMES) + 1))


@pytest.mark.parametrize("name", NAMES)
def test_the_service_refuses_what_is_hostile(name: str) -> None:
    number = NAMES.index(name) + 1
    rows = dict(PLAIN.columns) | {"hostile": np.full(N, number)}
    made = Bodies(schedule.Schedule(rows, PLAIN.about), slice(None), Target("http://127.0.0.1:1", secret="word"), "r")
    assert made.hostile(0)
    head, _, body = made.take(0).partition(b"\r\n\r\n")
    lines = {name.lower(): value for name, value in (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])}
    at_s = float(lines[b"webhook-timestamp"])
    assert signed(Family.STANDARD, b"word", lines, body, at_s) is (name != FORGED)
    if name == FORGED:
        return
    try:
        taken = [post for post in read(body) if isinstance(post, Mention)]
    except BadBody:
        taken = []
    assert taken == []


def test_spoiling_leaves_other_posts_alone() -> None:
    body = Bodies(PLAIN, slice(None), Target("http://127.0.0.1:1"), "r").body(0)
    assert spoilt_body(NAMES.index(FORGED) + 1, body) == body


@pytest.mark.parametrize(
    ("status", "error", "shed", "hostile", "outcome", "told"),
    [
        (202, "", False, False, Outcome.ANSWERED, ""),
        (202, "", False, True, Outcome.FAILED, TAKEN),
        (202, REJECTED, False, False, Outcome.FAILED, REJECTED),
        (202, REJECTED, False, True, Outcome.ANSWERED, ""),
        (401, "", False, False, Outcome.FAILED, "HTTP 401"),
        (401, "", False, True, Outcome.ANSWERED, ""),
        (500, "", False, True, Outcome.FAILED, "HTTP 500 to a hostile post"),
        (0, "connection reset by peer", False, True, Outcome.FAILED, "connection reset by peer"),
        (503, "", True, True, Outcome.SHED, "HTTP 503"),
        (429, "", True, False, Outcome.SHED, "HTTP 429"),
    ],
)
def test_what_an_answer_means_depends_on_what_was_sent(
    status: int, error: str, shed: bool, hostile: bool, outcome: Outcome, told: str
) -> None:
    assert judged(status, error, shed, hostile, 200 <= status < 300) == (outcome, told)
