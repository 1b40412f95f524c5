"""Several posts in one request: who shares one, when it leaves, what the service reads, and the end of each row."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from commands import TINY
from hypothesis import given
from hypothesis import strategies as st
from load_peer import peer
from small_loop import SmallLoop

from careapi.bodies import Rejected, read
from careapi.deliveries import read_delivery
from careapi.model import Mention
from careapi.platforms import FAMILY, Family
from careapi.signatures import signed
from loadtests import schedule, wire
from loadtests.batches import batched
from loadtests.bodies import Bodies
from loadtests.collect import Collector, Packer
from loadtests.disturb import Disturbance, disturbed
from loadtests.hostile import FIELDS, NAMES, WHOLE, alone
from loadtests.preflight import look
from loadtests.result import Outcome
from loadtests.schedule import Schedule
from loadtests.sender import TAKEN, Ended, Sender
from loadtests.target import Options, Target
from loadtests.terms import Terms
from loadtests.wire import REJECTED
from scenarios import library
from scenarios.errors import InputError, TraceError
from scenarios.generate import generate
from scenarios.names import Platform, Visibility, code

NOON_S = 1_800_000_000.0
TARGET = Target("http://care.example", secret="word")
HOOKS = Target("http://care.example", path="/hooks/{platform}", secret="word")
CRISIS = schedule.of_traces([generate(library.load(TINY), 1)], 600.0)


def at(*due_s: float, **columns: Any) -> Schedule:
    made = schedule.at_times(np.array(due_s), "some")
    return Schedule({**made.columns, **{name: np.array(each) for name, each in columns.items()}}, made.about)


def requests(rows: Schedule) -> list[list[int]]:
    """The rows of each request, by their number in the trace."""
    return [rows["row"][rows["request"] == number].tolist() for number in range(rows.requests)]


def test_a_full_request_leaves_with_its_last_row_and_others_when_the_first_has_waited() -> None:
    found = batched(at(0.0, 0.1, 0.2, 0.3, 1.5, 9.0), 3, 1.0)
    assert requests(found) == [[0, 1, 2], [3], [4], [5]]
    assert found["due_s"].tolist() == pytest.approx([0.2, 0.2, 0.2, 1.3, 2.5, 10.0])
    assert found.about["batched"] == {"most": 3, "wait_s": 1.0, "requests": 4}


def test_without_a_wait_only_rows_of_one_moment_share_a_request() -> None:
    assert requests(batched(at(0.0, 0.0, 0.0, 0.1), 2, 0.0)) == [[0, 1], [2], [3]]


@given(
    gaps=st.lists(st.sampled_from([0.0, 0.01, 0.2, 0.9, 3.0]), min_size=1, max_size=60), most=st.integers(1, 100),
    wait_s=st.sampled_from([0.0, 0.3, 1.0]), own_form=st.booleans(), seed=st.integers(0, 99),
)  # fmt: skip
def test_every_row_is_in_one_request_that_leaves_in_time(
    gaps: list[float], most: int, wait_s: float, own_form: bool, seed: int
) -> None:
    rng, n = np.random.default_rng(seed), len(gaps)
    plain = at(
        *np.cumsum(gaps), platform=rng.integers(0, 3, n), visibility=rng.integers(0, 2, n),
        hostile=np.where(rng.random(n) < 0.2, rng.integers(1, len(NAMES) + 1, n), 0),
    )  # fmt: skip
    found = batched(plain, most, wait_s, own_form)
    order = np.argsort(found["row"])
    assert (found["row"][order] == plain["row"]).all()
    held_s = found["due_s"][order] - plain["due_s"]
    assert held_s.min() >= 0.0
    assert held_s.max() <= wait_s + 1e-9
    for rows in requests(found):
        of = np.isin(found["row"], rows)
        assert len(rows) <= most
        assert len(set(found["due_s"][of])) == 1
        if own_form:
            assert len(set(zip(found["platform"][of], found["visibility"][of], strict=True))) == 1
        if len(rows) > 1:
            assert not any(bool(each) if own_form else alone(each) for each in found["hostile"][of].tolist())


def test_what_cannot_be_a_batch_is_told_together() -> None:
    with pytest.raises(InputError) as caught:
        batched(CRISIS, 101, float("nan"))
    assert [fault.place for fault in caught.value.faults] == ["--batch", "--batch-wait"]


@pytest.mark.parametrize(
    ("request_", "words"),
    [([1, 2], "row 0 is of request 1"), ([0, 2], "row 1 is of request 2"), ([0, 0], "row 1 is due later than row 0")],
)
def test_a_schedule_whose_requests_are_not_in_order_is_refused(request_: list[int], words: str) -> None:
    with pytest.raises(TraceError, match=words):
        at(0.0, 0.5, request=request_)


def test_the_service_reads_all_posts_of_a_request_in_their_order() -> None:
    rows = batched(CRISIS, 100, 5.0)
    assert rows.requests < len(rows) / 4
    made = Bodies(rows, slice(None), TARGET, "r1")
    made.begin(NOON_S)
    for place in range(rows.requests):
        head, _, body = made.take(place).partition(b"\r\n\r\n")
        lines = {name.lower(): value for name, value in (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])}
        assert signed(Family.STANDARD, b"word", lines, body, NOON_S + rows["due_s"][made.first[place]])
        read_ids = [post.external_id for post in read(body) if isinstance(post, Mention)]
        assert read_ids == [made.identity(row) for row in made.rows(place)]


@pytest.mark.parametrize("platform", list(Platform))
@pytest.mark.parametrize("public", [True, False])
def test_each_platform_batches_in_its_own_form(platform: Platform, public: bool) -> None:
    n = len(CRISIS)
    columns: dict[str, Any] = {**CRISIS.columns, "platform": np.full(n, code(platform))}
    columns["visibility"] = np.full(n, code(Visibility.PUBLIC if public else Visibility.PRIVATE))
    rows = batched(Schedule(columns, CRISIS.about), 10, 5.0, own_form=True)
    made = Bodies(rows, slice(None), HOOKS, "r1")
    made.begin(NOON_S)
    assert max(map(len, requests(rows))) == 10
    for place in range(min(rows.requests, 30)):
        head, _, body = made.take(place).partition(b"\r\n\r\n")
        lines = {name.lower(): value for name, value in (line.split(b": ", 1) for line in head.split(b"\r\n")[1:])}
        assert signed(FAMILY[platform], b"word", lines, body, NOON_S + rows["due_s"][made.first[place]])
        posts = read_delivery(platform, body)
        assert [post.external_id for post in posts if isinstance(post, Mention)] == [
            made.identity(row) for row in made.rows(place)
        ]


def test_platforms_do_not_share_a_request_at_their_hooks() -> None:
    rows = batched(CRISIS, 100, 5.0, own_form=True)
    for number in range(rows.requests):
        assert len(set(rows["platform"][rows["request"] == number])) == 1


@pytest.mark.parametrize("name", FIELDS)
def test_a_hostile_post_is_rejected_at_its_place_and_the_others_are_taken(name: str) -> None:
    rows = batched(at(0.0, 0.0, 0.0, hostile=[0, NAMES.index(name) + 1, 0]), 3, 0.0)
    made = Bodies(rows, slice(None), TARGET, "r1")
    first, wrong, last = read(made.body(0))
    assert isinstance(first, Mention)
    assert isinstance(last, Mention)
    assert isinstance(wrong, Rejected)
    assert wrong.place == 1


def test_what_spoils_a_whole_delivery_goes_alone() -> None:
    kinds = [0, *(NAMES.index(name) + 1 for name in WHOLE), 0]
    rows = batched(at(*[0.0] * len(kinds), hostile=kinds), 100, 0.0)
    assert sorted(map(len, requests(rows))) == [1] * len(WHOLE) + [2]


@pytest.mark.parametrize(
    ("behaviour", "hostile", "ends"),
    [
        ("ok", [], [(Outcome.ANSWERED, "")] * 3),
        ("ok", [1], [(Outcome.ANSWERED, ""), (Outcome.FAILED, TAKEN), (Outcome.ANSWERED, "")]),
        ("reject-1", [], [(Outcome.ANSWERED, ""), (Outcome.FAILED, REJECTED), (Outcome.ANSWERED, "")]),
        ("reject-1", [1], [(Outcome.ANSWERED, "")] * 3),
        ("reject-1", [2], [(Outcome.ANSWERED, ""), (Outcome.FAILED, REJECTED), (Outcome.FAILED, TAKEN)]),
        ("reject-7", [], [(Outcome.FAILED, REJECTED)] * 3),  # a place that the request does not have
        ("status-500", [], [(Outcome.FAILED, "HTTP 500")] * 3),
        ("shed", [1], [(Outcome.SHED, "HTTP 503")] * 3),
        ("status-422", [1], [(Outcome.FAILED, "HTTP 422"), (Outcome.ANSWERED, ""), (Outcome.FAILED, "HTTP 422")]),
    ],
)
def test_each_row_of_a_request_has_an_end_of_its_own(
    behaviour: str, hostile: list[int], ends: list[tuple[Outcome, str]]
) -> None:
    with peer(behaviour) as server:
        found = sent(server.url, Terms(lambda place: range(3), lambda row: row in hostile))
    assert [row.place for row in found] == [0, 1, 2]
    assert [(row.outcome, row.error) for row in found] == ends
    assert len({(row.sent_s, row.done_s) for row in found}) == 1


BODY = b'{"mentions":[{"external_id":"a"}]}'
WHOLE_REQUEST = b"POST /v1/mentions HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


def sent(url: str, terms: Terms) -> list[Ended]:
    """One request, sent; the ends of its rows."""
    loop = SmallLoop()
    sender = Sender(loop, look(Target(url)), [time.monotonic()], lambda place: WHOLE_REQUEST, Options(warm=1), terms)
    sender.start()
    loop.run(lambda: sender.finished)
    sender.halt()
    return list(sender.results)


def test_a_request_that_is_stopped_or_dropped_takes_all_its_rows_along() -> None:
    loop, terms = SmallLoop(), Terms(lambda place: range(3 * place, 3 * place + 3))
    with peer("silent") as server:
        due_s = [time.monotonic()] * 2 + [time.monotonic() + 60.0]
        options = Options(warm=1, max_connections=1)
        sender = Sender(loop, look(Target(server.url)), due_s, lambda place: WHOLE_REQUEST, options, terms)
        sender.warm()
        sender.start()
        loop.run(lambda: sender.sent == 2)
        assert [row for row, _ in sender.halt()] == [0, 1, 2]
    assert [(row.place, row.outcome) for row in sender.results] == [(place, Outcome.DROPPED) for place in (3, 4, 5)]


@given(seed=st.integers(0, 99), workers=st.integers(1, 4), most=st.integers(1, 9))
def test_the_rows_of_all_workers_come_to_their_places(seed: int, workers: int, most: int) -> None:
    rng = np.random.default_rng(seed)
    rows = batched(at(*np.sort(rng.random(40))), most, 0.05)
    book = Collector(rows, workers)
    seen = []
    for worker in range(workers):
        packer, mine = Packer(0.0), rows.of_part(worker, workers)
        for place, row in enumerate(mine.tolist()):
            packer.add(Ended(place, float(row), float(row), float(row), 200, Outcome.ANSWERED, "", 1))
        book.add(worker, packer.take())
        seen += sorted(set(rows["request"][mine].tolist()))
    assert sorted(seen) == list(range(rows.requests))  # no request is split among workers
    assert book.columns()["sent_s"].tolist() == list(range(len(rows)))


def test_repeated_posts_fall_into_other_requests_with_the_same_id() -> None:
    rows = batched(disturbed(CRISIS, Disturbance(redeliver=0.2), 1), 20, 0.5)
    made = Bodies(rows, slice(None), TARGET, "r1")
    deliveries = [made.take(place).split(b"webhook-id: ")[1].split(b"\r\n")[0] for place in range(rows.requests)]
    ids = [made.identity(row) for row in range(len(rows))]
    assert len(set(ids)) == len(CRISIS) < len(ids)
    several = [each for place, each in enumerate(deliveries) if len(made.rows(place)) > 1]
    assert len(set(several)) == len(several)


@pytest.mark.parametrize(
    "answer", [b'{"rejected":[{"place":1e999}]}', b'{"rejected":[{"place":' + b"[" * 30_000 + b"]" * 30_000 + b"}]}"]
)
def test_places_that_cannot_be_read_reject_the_whole_request(answer: bytes) -> None:
    assert wire._places(answer) == ()


def test_what_was_dropped_makes_room_for_what_comes() -> None:
    made = Bodies(at(*[0.0] * 9), slice(None), TARGET, "r1")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("loadtests.bodies.AHEAD_ROWS", 3)
        made.prepare(0, 0.0, 9.0)
        made.prepare(3, 0.0, 9.0)  # none of the first three was taken
    for place in (3, 4, 5):
        made.take(place)
    assert made.late == 0
