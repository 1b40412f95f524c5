"""Rows that hang on earlier answers, without a network: what is chosen and refused, who waits, what is told."""

from __future__ import annotations

import json
import threading
from collections import Counter, deque
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from commands import TINY

from loadtests import target_file
from loadtests.bodies import Bodies
from loadtests.chain import Chain, Event, Late, NoPlace
from loadtests.client import Answer, NoAnswer
from loadtests.collect import Collector
from loadtests.flows import MOST_PER_S, chosen, fitted, peak_per_s, requests
from loadtests.health import judge
from loadtests.operations import Operation
from loadtests.result import LoadResult, Outcome
from loadtests.schedule import Schedule, at_times, of_traces
from loadtests.stepping import Steppers
from loadtests.target import Options, Target
from loadtests.target_file import TargetFile
from loadtests.templated import target_of
from loadtests.terms import BEYOND, Window
from reports.load_plan import LoadQuestion, plan
from scenarios import library
from scenarios.errors import InputError
from scenarios.generate import generate

CHATWOOT = target_of("chatwoot")
LEAN = Target("http://127.0.0.1:1")


def rows(*authors: int, cases: tuple[int, ...] = ()) -> Schedule:
    """A row a second, by such authors."""
    made = at_times(np.arange(float(len(authors))), "rows")
    columns = {name: made[name].copy() for name in made.columns}
    columns["author"] = np.array(authors)
    columns["case"] = np.array(cases or [0] * len(authors))
    return Schedule(columns, made.about)


class Inbox:
    """Says what a service would, and keeps what it was asked; `says` may be changed."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.lines = 0
        self.says: dict[str, Answer | Exception] = {}

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
        self.asked.append((path, dict(headers), body))
        what = path.rsplit("/", 1)[1]
        said = self.says.get(what)
        if isinstance(said, Exception):
            raise said
        if said is not None:
            return said
        number = len(self.asked)
        told = {"source_id": f"c{number}"} if what == "contacts" else {"id": number}
        return Answer(200, {}, json.dumps(told).encode())

    def line(self) -> None:
        self.lines += 1

    @property
    def made(self) -> Counter[str]:
        return Counter(path.rsplit("/", 1)[1] for path, _, _ in self.asked)


def chain_of(schedule: Schedule, file: TargetFile | None = None) -> tuple[Chain, deque[Event]]:
    events: deque[Event] = deque()
    bodies = Bodies(schedule, slice(None), CHATWOOT, "run")
    return Chain(file or target_file.load("chatwoot"), bodies, {}, threading.Lock, events), events


def changed(operation: Operation, **what: Any) -> TargetFile:
    file = target_file.load("chatwoot")
    return file.model_copy(
        update={"operations": {**file.operations, operation: file.operations[operation].model_copy(update=what)}}
    )


def test_an_author_is_made_known_once_and_each_conversation_opened_once() -> None:
    chain, events = chain_of(rows(7, 7, 8, 7, cases=(-1, -1, -1, 3)))
    inbox = Inbox()
    ends = [chain.play(place, inbox) for place in range(4)]
    assert {(end.outcome, end.status, end.error) for end in ends} == {(Outcome.ANSWERED, 200, "")}
    assert inbox.made == {"contacts": 2, "conversations": 3, "messages": 4}
    paths = [path.partition("/contacts/")[2] for path, _, _ in inbox.asked if path.endswith("/messages")]
    assert paths[0] == paths[1] == "c1/conversations/2/messages"
    assert paths[2].startswith("c5/") and paths[3].startswith("c1/") and paths[3] != paths[0]
    assert [event.name for event in events] == ["customer", "case", "customer", "case", "case"]
    assert {name: count.answered for name, count in chain.counts.items()} == {"customer": 2, "case": 3, "post": 4}


def test_what_has_failed_before_the_post_is_said_and_the_next_row_tries_again() -> None:
    chain, events = chain_of(rows(7, 7, 7, 7, 7))
    inbox = Inbox()
    told: list[tuple[Any, ...]] = []
    for what, said in (
        ("contacts", Answer(500, {}, b"")),
        ("contacts", Answer(200, {}, b'{"other": 1}')),
        ("conversations", Answer(503, {"retry-after": "1"}, b"")),
        ("conversations", NoAnswer("connection refused")),
        ("", Answer(200, {}, b"")),
    ):
        inbox.says = {what: said}
        told.append(chain.play(len(told), inbox)[:3])
    assert told == [
        (Outcome.FAILED, 500, "customer: HTTP 500"),
        (Outcome.FAILED, 200, "customer: answer without /source_id"),
        (Outcome.SHED, 503, "case: HTTP 503"),
        (Outcome.FAILED, 0, "case: connection refused"),
        (Outcome.ANSWERED, 200, ""),
    ]
    assert inbox.made == {"contacts": 3, "conversations": 3, "messages": 1}
    assert [event.error for event in events if event.error] == [
        "HTTP 500", "answer without /source_id", "HTTP 503", "connection refused"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "outcome", "error"),
    [
        (Answer(429, {}, b""), Outcome.SHED, "HTTP 429"),
        (Answer(500, {}, b""), Outcome.FAILED, "HTTP 500"),
        (Answer(200, {}, b"<html>"), Outcome.FAILED, "answer without JSON"),
        (Answer(200, {}, b""), Outcome.ANSWERED, ""),
        (NoAnswer("answer is not HTTP"), Outcome.FAILED, "answer is not HTTP"),
        (NoPlace("generator out of connections"), Outcome.DROPPED, "generator out of connections"),
        (Late("no answer in time"), Outcome.FAILED, "no answer in time"),
    ],
)
def test_a_post_is_judged_as_in_conversations(said: Answer | Exception, outcome: Outcome, error: str) -> None:
    chain, _ = chain_of(rows(7))
    inbox = Inbox()
    inbox.says = {"messages": said}
    assert chain.play(0, inbox)[::2] == (outcome, error)


def test_rows_of_an_author_stand_in_line_until_he_is_known_and_others_do_not() -> None:
    chain, _ = chain_of(rows(7, 7, 7, 8))
    held, first = threading.Event(), threading.Event()

    class Slow(Inbox):
        def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Answer:
            if path.endswith("/contacts") and not first.is_set():
                first.set()
                assert held.wait(10.0)
            return super().ask(method, path, headers, body)

        def line(self) -> None:
            super().line()
            if self.lines == 2:
                assert chain.play(3, other).outcome is Outcome.ANSWERED  # another author meanwhile
                held.set()

    inbox, other = Slow(), Inbox()
    with ThreadPoolExecutor(3) as pool:
        begun = pool.submit(chain.play, 0, inbox)
        assert first.wait(10.0)
        ends = [begun, *(pool.submit(chain.play, place, inbox) for place in (1, 2))]
        assert {end.result(10.0).outcome for end in ends} == {Outcome.ANSWERED}
    assert inbox.made == {"contacts": 1, "conversations": 1, "messages": 3}
    assert other.made == {"contacts": 1, "conversations": 1, "messages": 1}


def test_who_has_stood_in_line_for_too_long_has_failed_at_what_he_waited_for() -> None:
    class Stuck:
        def locked(self) -> bool:
            return True

        def __enter__(self) -> None:
            raise Late("no answer in time")

        def __exit__(self, *_: object) -> None: ...

    bodies = Bodies(rows(7), slice(None), CHATWOOT, "run")
    chain = Chain(target_file.load("chatwoot"), bodies, {}, Stuck, deque())
    inbox = Inbox()
    assert chain.play(0, inbox)[:3] == (Outcome.FAILED, 0, "customer: no answer in time")
    assert (inbox.lines, inbox.asked) == (1, [])


@pytest.mark.parametrize(
    ("operation", "error"), [(Operation.CUSTOMER, f"customer: {BEYOND}"), (Operation.POST, BEYOND)]
)
def test_what_is_beyond_the_budget_of_any_operation_is_dropped_and_makes_the_run_invalid(
    operation: Operation, error: str
) -> None:
    schedule = rows(1, 2, 3)
    chain, _ = chain_of(schedule, changed(operation, budget_per_s=2.0))
    ends = [chain.play(place, Inbox()) for place in range(3)]
    assert [end.outcome for end in ends] == [Outcome.ANSWERED, Outcome.ANSWERED, Outcome.DROPPED]
    assert ends[2].error == error
    books = Collector(schedule, 1)
    books.errors.append(error)
    columns = books.columns()
    columns["outcome"][:] = [end.outcome for end in ends]
    columns["error"][2] = 0
    verdict = judge(LoadResult(columns, {**schedule.about, "errors": books.errors, "workers": []}))
    assert verdict.reasons[0].startswith(f"1 rows were {BEYOND}")


def test_a_window_allows_what_was_planned_in_step_but_for_a_tenth_of_lateness() -> None:
    window = Window(10.0)
    at_s = [0.1 * i + (0.05 if i == 0 else 0.0) for i in range(30)]
    assert all(window.allows(each) for each in at_s)
    window = Window(0.5)
    assert [window.allows(each) for each in (0.0, 1.7, 1.85, 3.6, 3.66)] == [True, False, True, False, True]


def test_each_row_is_in_one_share_and_an_author_with_all_of_his() -> None:
    schedule = of_traces([generate(library.load(TINY), 1, replication) for replication in (0, 1)], 60.0)
    split = [schedule.of_part(part, 3, by_author=True) for part in range(3)]
    assert sorted(np.concatenate(split).tolist()) == list(range(len(schedule)))
    assert all((np.diff(part) > 0).all() for part in split)
    who = schedule.authors()
    assert len(set(who.tolist())) == len(set(zip(schedule["replication"], schedule["author"], strict=True)))
    owners = [set(who[part].tolist()) for part in split]
    assert not (owners[0] & owners[1] or owners[0] & owners[2] or owners[1] & owners[2])
    assert max(map(len, split)) < 1.2 * min(map(len, split))
    books = Collector(schedule, 3, by_author=True)
    for worker, part in enumerate(split):
        assert (books.columns()["worker"][part] == worker).all()


def test_requests_are_counted_by_who_has_to_be_made_known() -> None:
    schedule = rows(7, 7, 8, 7, cases=(-1, -1, -1, 3))
    needed = requests(schedule, CHATWOOT, Options(sender="session"))
    assert needed.tolist() == [3, 1, 3, 2]
    assert requests(schedule, LEAN, Options(sender="lean")).tolist() == [1] * 4
    assert peak_per_s(np.array([0.0, 0.5, 0.9, 1.0]), needed) == 7.0
    assert peak_per_s(np.array([]), np.array([], dtype=np.int64)) == 0.0


def test_the_way_is_chosen_by_what_the_file_needs_or_as_it_is_named() -> None:
    assert chosen(CHATWOOT, Options()).sender == "session"
    assert chosen(LEAN, Options()).sender == "lean"
    assert chosen(target_of_ours(), Options()).sender == "lean"
    assert chosen(target_of_ours(), Options(sender="session")).sender == "session"
    with pytest.raises(InputError, match=r"needs \{contact\} of an earlier answer.*send it with --sender session"):
        chosen(CHATWOOT, Options(sender="lean"))
    with pytest.raises(InputError, match="--sender is session, which plays target files"):
        chosen(LEAN, Options(sender="session"))


def target_of_ours() -> Target:
    return Target("http://127.0.0.1:1", file="ashcloud")


def test_a_search_by_steps_names_the_other_way() -> None:
    with pytest.raises(InputError, match=r"needs \{contact\}.*play a shape such as ramp:5,50,60s with `ashcloud load`"):
        Steppers(CHATWOOT, Options())


def test_more_than_sessions_hold_is_refused_with_what_would_do() -> None:
    one_s = at_times(np.linspace(0.0, 0.99, 200), "even")
    assert MOST_PER_S < 600
    said = "600 requests are due in one second at one worker, which holds 500 in sessions; take --workers 2, or"
    with pytest.raises(InputError, match=f"even: {said} send fewer a second"):
        fitted(one_s, CHATWOOT, Options())
    of_trace = Schedule(one_s.columns, {**one_s.about, "traces": ["a digest"]})
    with pytest.raises(InputError, match=f"--speed is 1, so that {said} lower it to about 0.833, or send fewer"):
        fitted(of_trace, CHATWOOT, Options())
    assert fitted(one_s, CHATWOOT, Options(2)).sender == "session"
    with pytest.raises(InputError, match=r"--connections is new, but sessions keep theirs open"):
        fitted(rows(1), CHATWOOT, Options(connections="new"))


def test_a_budget_is_held_by_one_worker_alone(tmp_path: Path) -> None:
    path = tmp_path / "ours.toml"
    path.write_text('extends = "chatwoot"\nname = "ours"\n[operations.customer]\nbudget_per_s = 2\n')
    with pytest.raises(InputError, match="--workers is 2, but one worker alone can hold the budget_per_s of customer"):
        fitted(rows(1), target_of(str(path)), Options(2))
    with pytest.raises(InputError, match=r"allows 2 customers a second, and \d+ of \d+ rows are due beyond that"):
        plan(LoadQuestion("soak:5,10s", target_of(str(path)), seed=1))


def test_a_plan_tells_requests_and_bytes_of_whole_chains() -> None:
    told = plan(LoadQuestion("soak:5,10s", CHATWOOT, seed=1)).to_dict()
    assert (told["sender"], told["requests"]) == ("session", 3 * told["rows"])
    assert told["peak_requests_per_s"] == 3 * told["peak_per_s"]
    assert 200 < told["bytes_a_request"] < 1000
    with pytest.raises(InputError, match=r"--max-requests is \d+, but there are \d+ requests"):
        plan(LoadQuestion("soak:5,10s", CHATWOOT, seed=1, most_requests=told["rows"]))
