"""One history, three stores: SQLite, PostgreSQL and the model do the same and end alike."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from care_model import Model
from care_posts import RULES, SPOKEN, Clock
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from postgres import Server
from test_careapi_store import agents, posts

from careapi.model import Case, Mention, Receipt, Stale, StoreError
from careapi.store import Store
from careapi.stores import open_store
from scenarios.names import Language

T = TypeVar("T")


class Alike(RuleBasedStateMachine):
    """Does the same to the model and to each store; whatever they return or raise is the same."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self.urls, self.clock, self.model = urls, Clock(), Model(RULES)
        self.runner = asyncio.Runner()
        self.stores = [self.opened(url) for url in urls]
        self.held: list[Case] = []

    def opened(self, url: str) -> Store:
        return self.runner.run(open_store(url, RULES, self.clock))

    def each(self, do: Callable[[Store], T]) -> list[T]:
        return [do(store) for store in self.stores]

    @rule(mentions=st.lists(posts, min_size=1, max_size=6))
    def add(self, mentions: list[Mention]) -> None:
        expected = [Receipt(*self.model.add(mention, self.clock.now_s)) for mention in mentions]
        for told in self.each(lambda store: self.runner.run(store.add_mentions(mentions))):
            assert told == expected

    @rule(agent=agents, languages=st.lists(st.sampled_from(SPOKEN), max_size=2), capacity=st.integers(1, 2))
    def claim(self, agent: str, languages: list[Language], capacity: int) -> None:
        expected = self.model.claim(agent, languages, capacity, self.clock.now_s)
        taken = self.each(lambda store: self.runner.run(store.claim(agent, languages, capacity)))
        assert [case and case.id for case in taken] == [expected] * len(taken)
        self.held += [case for case in taken[:1] if case]

    @precondition(lambda self: self.held)
    @rule(data=st.data(), agent=agents, resolved=st.booleans())
    def give_up(self, data: st.DataObject, agent: str, resolved: bool) -> None:
        case = data.draw(st.sampled_from(self.held))

        def give(store: Store) -> str:
            try:
                if resolved:
                    self.runner.run(store.resolve(case.id, agent, case.version, "answered"))
                else:
                    self.runner.run(store.release(case.id, agent, case.version))
            except Stale:
                return "stale"
            return "done"

        try:
            self.model.give_up(case.id, agent, case.version, resolved, self.clock.now_s)
        except Stale:
            assert set(self.each(give)) == {"stale"}
        else:
            assert set(self.each(give)) == {"done"}

    @rule(step_s=st.sampled_from([1.0, 30.0, 60.0, 600.0]))
    def wait(self, step_s: float) -> None:
        self.clock.now_s += step_s

    @rule()
    def end_leases(self) -> None:
        expected = self.model.end_leases(self.clock.now_s)
        assert set(self.each(lambda store: self.runner.run(store.end_leases()))) == {expected}

    @rule()
    def open_again(self) -> None:
        self.each(lambda store: self.runner.run(store.close()))
        self.stores = [self.opened(url) for url in self.urls]

    @invariant()
    def all_cases_are_alike(self) -> None:
        for row in self.model.cases:
            for case in self.each(lambda store: self.runner.run(store.case(row.id))):  # noqa: B023
                assert case is not None
                assert (case.status, case.agent, case.version) == (row.status, row.agent, row.version)
                assert (case.thread, case.opened_s, case.due_s) == (row.thread, row.opened_s, row.due_s)
                assert (case.language, case.private) == (row.language, row.private)
                assert case.waiting_since_s == row.waiting_since_s

    def teardown(self) -> None:
        try:
            histories = self.each(lambda store: self.runner.run(store.events_after(0, 10_000)))
            assert all(history == histories[0] for history in histories)
            assert self.each(lambda store: self.runner.run(store.broken())) == [[]] * len(self.stores)
        finally:
            self.each(lambda store: self.runner.run(store.close()))
            self.runner.close()


FEW = settings(max_examples=30, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))


def test_any_history_ends_alike_on_sqlite_postgresql_and_the_model(
    pg_server: Server, pg_url: str, tmp_path: Path
) -> None:
    count = 0

    def fresh() -> Alike:
        nonlocal count
        count += 1
        pg_server.empty(pg_url)
        return Alike([f"sqlite:{tmp_path / str(count)}.db", pg_url])

    run_state_machine_as_test(fresh, settings=FEW)  # type: ignore[arg-type]  # it takes whatever makes one


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite://x", "mysql://x", "postgresql:x", "care.db"])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="write one of them"):
        asyncio.run(open_store(url))
