from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from care_model import Model
from care_posts import OTHER, PRIVATE, PUBLIC, QUERY, RULES, SPOKEN, Clock, post
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from careapi import work
from careapi.model import Case, EventKind, Mention, Receipt, Stale, Status
from careapi.problems import Refused
from careapi.store import Store
from careapi.store_sqlite import SqliteStore
from careapi.stores import open_store
from scenarios.names import Language

posts = st.builds(
    post,
    number=st.sampled_from("123456"),
    parent=st.sampled_from([None, None, *"123456"]),
    user=st.sampled_from(["u1", "u2"]),
    text=st.sampled_from([QUERY, OTHER]),
    language=st.sampled_from(SPOKEN),
    visibility=st.sampled_from([PUBLIC, PUBLIC, PRIVATE]),
)
agents = st.sampled_from(["a1", "a2"])


class SameAsTheModel(RuleBasedStateMachine):
    """Any sequence of things done to the store and to the model leaves both alike."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.clock, self.model = Clock(), Model(RULES)
        self.runner = asyncio.Runner()
        self.path = Path(self.folder.name) / "care.db"
        self.store = SqliteStore(self.path, RULES, self.clock)
        self.held: list[Case] = []

    @rule(mentions=st.lists(posts, min_size=1, max_size=4))
    def add(self, mentions: list[Mention]) -> None:
        told = self.runner.run(self.store.add_mentions(mentions))
        expected = [Receipt(*self.model.add(mention, self.clock.now_s)) for mention in mentions]
        assert told == expected

    @rule(agent=agents, languages=st.lists(st.sampled_from(SPOKEN), max_size=2), capacity=st.integers(1, 2))
    def claim(self, agent: str, languages: list[Language], capacity: int) -> None:
        case = self.runner.run(self.store.claim(agent, languages, capacity))
        assert (case and case.id) == self.model.claim(agent, languages, capacity, self.clock.now_s)
        self.held += [case] if case else []

    @precondition(lambda self: self.held)
    @rule(data=st.data(), agent=agents, resolved=st.booleans())
    def give_up(self, data: st.DataObject, agent: str, resolved: bool) -> None:
        case = data.draw(st.sampled_from(self.held))
        try:
            self.model.give_up(case.id, agent, case.version, resolved, self.clock.now_s)
        except Stale:
            with pytest.raises(Stale):
                self._give_up(case, agent, resolved)
        else:
            self._give_up(case, agent, resolved)

    def _give_up(self, case: Case, agent: str, resolved: bool) -> None:
        if resolved:
            self.runner.run(self.store.resolve(case.id, agent, case.version, "answered"))
        else:
            self.runner.run(self.store.release(case.id, agent, case.version))

    @rule(step_s=st.sampled_from([1.0, 30.0, 60.0, 600.0]))
    def wait(self, step_s: float) -> None:
        self.clock.now_s += step_s

    @rule()
    def end_leases(self) -> None:
        assert self.runner.run(self.store.end_leases()) == self.model.end_leases(self.clock.now_s)

    @rule()
    def open_again(self) -> None:
        self.runner.run(self.store.close())
        self.store = SqliteStore(self.path, RULES, self.clock)

    @invariant()
    def both_are_alike(self) -> None:
        for row in self.model.cases:
            case = self.runner.run(self.store.case(row.id))
            assert case is not None
            assert (case.status, case.agent, case.version) == (row.status, row.agent, row.version)
            assert (case.thread, case.opened_s, case.waiting_since_s) == (row.thread, row.opened_s, row.waiting_since_s)
            assert (case.due_s, case.language, case.private) == (row.due_s, row.language, row.private)
        assert self.runner.run(self.store.case(len(self.model.cases) + 1)) is None

    def teardown(self) -> None:
        try:
            assert self.runner.run(self.store.broken()) == []
        finally:
            self.runner.run(self.store.close())
            self.runner.close()
            self.folder.cleanup()


TestSameAsTheModel = SameAsTheModel.TestCase
TestSameAsTheModel.settings = settings(
    max_examples=40, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, clock: Clock, runner: asyncio.Runner) -> Iterator[Store]:
    url = f"sqlite:{tmp_path}/care.db" if request.param == "sqlite" else request.getfixturevalue("pg_url")
    store = runner.run(open_store(url, RULES, clock))
    yield store
    runner.run(store.close())


def test_a_thread_is_the_same_whatever_comes_first(store: Store, runner: asyncio.Runner) -> None:
    for turn, order in enumerate(itertools.permutations(range(4))):
        one, two, three, four = (f"{turn}-{n}" for n in range(4))
        chain = [post(one, text=OTHER), post(two, one), post(three, two, text=OTHER), post(four, three)]
        for place in order:
            runner.run(store.add_mentions([chain[place]]))
        again = runner.run(store.add_mentions(chain))
        assert all(isinstance(receipt, Receipt) and receipt.duplicate for receipt in again), order
        (number,) = {receipt.case_id for receipt in again if isinstance(receipt, Receipt)}
        assert number is not None, order
        case = runner.run(store.case(number))
        assert case is not None and case.thread == f"x:{one}", order
    assert runner.run(store.broken()) == []


def test_the_same_post_delivered_fifty_times_at_once_is_kept_once(store: Store, runner: asyncio.Runner) -> None:
    async def deliver() -> list[list[Receipt | Exception]]:
        return await asyncio.gather(*[store.add_mentions([post("1")]) for _ in range(50)])

    receipts = [receipt for (receipt,) in runner.run(deliver())]
    assert receipts.count(Receipt(1, duplicate=False)) == 1
    assert receipts.count(Receipt(1, duplicate=True)) == 49


def test_fifty_agents_share_a_backlog_and_nobody_gets_a_case_twice(store: Store, runner: asyncio.Runner) -> None:
    runner.run(store.add_mentions([post(str(n), user=f"u{n}") for n in range(300)]))

    async def drain(agent: str) -> list[int]:
        taken = []
        while (case := await store.claim(agent, SPOKEN, 300)) is not None:
            taken.append(case.id)
        return taken

    async def all_drain() -> list[list[int]]:
        return await asyncio.gather(*[drain(f"a{n}") for n in range(50)])

    taken = [number for each in runner.run(all_drain()) for number in each]
    assert sorted(taken) == list(range(1, 301))
    assert runner.run(store.broken()) == []


def test_a_bad_mention_does_not_hold_up_the_others(store: Store, runner: asyncio.Runner) -> None:
    bad = post("2", user="u2", text="half a letter \ud800?")  # no UTF-8 can hold it
    told = runner.run(store.add_mentions([post("1"), bad, post("3", user="u3")]))
    assert [isinstance(each, Receipt) for each in told] == [True, False, True]
    assert [event.case_id for event in runner.run(store.events_after(0))] == [1, 2]


def test_time_does_not_run_backwards_for_a_store(store: Store, clock: Clock, runner: asyncio.Runner) -> None:
    runner.run(store.add_mentions([post("1")]))
    clock.now_s -= 500.0
    runner.run(store.add_mentions([post("2", "1")]))
    assert [event.at_s for event in runner.run(store.events_after(0))] == [1000.0, 1000.0]


def test_a_lease_that_ends_gives_the_case_back_with_its_age(store: Store, clock: Clock, runner: asyncio.Runner) -> None:
    runner.run(store.add_mentions([post("1")]))
    before = runner.run(store.claim("a1", SPOKEN))
    clock.now_s += RULES.lease_s
    assert runner.run(store.end_leases()) == 1
    after = runner.run(store.claim("a2", SPOKEN))
    assert before is not None and after is not None
    assert (after.id, after.due_s, after.waiting_since_s) == (before.id, before.due_s, before.waiting_since_s)
    kinds = [event.kind for event in runner.run(store.events_after(1))]
    assert kinds == [EventKind.ASSIGNED, EventKind.LEASE_ENDED, EventKind.ASSIGNED]


def test_a_case_whose_posts_all_went_to_another_is_not_opened_again(store: Store, runner: asyncio.Runner) -> None:
    runner.run(store.add_mentions([post("1"), post("3", "2"), post("2", "1")]))  # 2 joins the case of 3 to that of 1
    kept = runner.run(store.claim("a1", SPOKEN))
    assert kept is not None and kept.id == 1
    runner.run(store.resolve(1, "a1", kept.version, "answered"))
    gone = runner.run(store.case(2))
    assert gone is not None and gone.status is Status.RESOLVED
    with pytest.raises(Refused, match="joined"):
        runner.run(store.write(lambda tx: work.reopen(tx, 2, "a1", gone.version)))
    assert runner.run(store.broken()) == []
