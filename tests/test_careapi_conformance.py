"""One history, three stores: SQLite, PostgreSQL and the model do the same and end alike."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from care_around import Around
from care_model import CannotBeDone, Model
from care_model import Row as CaseRow
from care_posts import QUERY, RULES, SPOKEN, Clock, post
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from postgres import empty
from test_careapi_store import agents, posts

from careapi import notices, payments, work
from careapi.cases import listed
from careapi.kpis import kpis
from careapi.migrations import migrate
from careapi.model import Case, Mention, Receipt, Stale, Status, StoreError
from careapi.payments import Report
from careapi.problems import Refused
from careapi.store import Store
from careapi.stores import open_store
from careapi.tx import Row, Tx
from careapi.work import KEEP, RESOLVE, WAIT
from scenarios.names import Language

T = TypeVar("T")
EVER_S = 1e10
kinds = st.sampled_from(["paid", "failed", "expired"])


def tables() -> dict[str, str]:
    """The columns of each table, as SQL."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    migrate(db, 0.0)
    names = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {name: ", ".join(row[1] for row in db.execute(f"PRAGMA table_info('{name}')")) for name in names}
    db.close()
    return columns


TABLES = tables()


def contents(tx: Tx) -> dict[str, list[Row]]:
    """All rows of all tables."""
    return {table: tx.rows(f'SELECT {columns} FROM "{table}" ORDER BY 1, 2') for table, columns in TABLES.items()}


def all_cases(tx: Tx) -> list[tuple[Case, int | None]]:
    into: dict[int, int | None] = dict(tx.rows('SELECT id, merged_into FROM "case"'))
    return [(case, into[case.id]) for case in listed(tx.db, "id > 0 ORDER BY id", ())]


def links_and_notices(tx: Tx) -> tuple[list[Row], list[Row]]:
    links = tx.rows("SELECT provider_ref, state, paid_s, refund_check FROM paylink ORDER BY id")
    return links, tx.rows("SELECT seen_s, seen_by FROM notice ORDER BY id")


class Alike(RuleBasedStateMachine):
    """Does the same to the model and to each store; whatever they return or raise is the same."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self.urls, self.clock, self.model = urls, Clock(), Model(RULES)
        self.around = Around(self.model)
        self.runner = asyncio.Runner()
        self.stores = [self.opened(url) for url in urls]

    def opened(self, url: str) -> Store:
        return self.runner.run(open_store(url, RULES, self.clock))

    def each(self, do: Callable[[Store], T]) -> list[T]:
        return [do(store) for store in self.stores]

    @initialize(number=st.integers(0, 3))
    def some_cases(self, number: int) -> None:
        self.add([post(f"0{n}", user="u1", text=QUERY) for n in range(number + 1)])

    @rule(mentions=st.lists(posts, min_size=1, max_size=6))
    def add(self, mentions: list[Mention]) -> None:
        expected = [Receipt(*self.model.add(mention, self.clock.now_s)) for mention in mentions]
        for told in self.each(lambda store: self.runner.run(store.add_mentions(mentions))):
            assert told == expected

    @rule(agent=agents, languages=st.sampled_from([[], SPOKEN[:1], SPOKEN, SPOKEN]), capacity=st.integers(1, 3))
    def claim(self, agent: str, languages: list[Language], capacity: int) -> None:
        expected = self.model.claim(agent, languages, capacity, self.clock.now_s)
        taken = self.each(lambda store: self.runner.run(store.claim(agent, languages, capacity)))
        assert [case and case.id for case in taken] == [expected] * len(taken)

    def pick(self, data: st.DataObject, *wanted: Status) -> tuple[int, str, int]:
        """A case that stands so, its agent (or any) and its version; now and then a wrong one of these."""
        row = data.draw(st.sampled_from(self.standing(*wanted)))
        agent, version = row.agent or data.draw(agents), row.version
        wrong = data.draw(st.sampled_from([None] * 7 + ["case", "agent", "version"]))
        if wrong == "case":
            return len(self.model.cases) + 1, agent, version
        if wrong == "agent":
            return row.id, data.draw(agents), version
        return row.id, agent, version - (wrong == "version")

    def standing(self, *wanted: Status) -> list[CaseRow]:
        return [row for row in self.model.cases if not wanted or row.status in wanted]

    def same(self, expected: Callable[[], object], job: Callable[[Tx], object]) -> None:
        """The model refuses what the stores refuse, and those return the same."""
        try:
            expected()
        except CannotBeDone:
            refused = True
        else:
            refused = False

        def told(store: Store) -> object:
            try:
                return self.runner.run(store.write(job))
            except (Stale, Refused) as fault:
                return str(fault)

        for one in (results := self.each(told)):
            assert one == results[0]
            assert isinstance(one, str) == refused

    @precondition(lambda self: self.standing(Status.ASSIGNED))
    @rule(data=st.data(), then=st.sampled_from([WAIT, RESOLVE, KEEP]))
    def reply(self, data: st.DataObject, then: str) -> None:
        case, agent, version = self.pick(data, Status.ASSIGNED)
        self.same(
            lambda: self.model.reply(case, agent, version, then, self.clock.now_s),
            lambda tx: work.reply(tx, case, agent, version, "Dear you", then),
        )

    @precondition(lambda self: self.standing(Status.ASSIGNED))
    @rule(data=st.data())
    def release(self, data: st.DataObject) -> None:
        case, agent, version = self.pick(data, Status.ASSIGNED)
        self.same(
            lambda: self.model.release(case, agent, version),
            lambda tx: work.release(tx, case, agent, version),
        )

    @precondition(lambda self: self.standing(Status.ASSIGNED, Status.WAITING_CUSTOMER))
    @rule(data=st.data())
    def resolve(self, data: st.DataObject) -> None:
        case, agent, version = self.pick(data, Status.ASSIGNED, Status.WAITING_CUSTOMER)
        self.same(
            lambda: self.model.resolve(case, agent, version, self.clock.now_s),
            lambda tx: work.resolve(tx, case, agent, version, "answered"),
        )

    @precondition(lambda self: self.standing(Status.ASSIGNED))
    @rule(data=st.data(), to=st.sampled_from(["a1", "a2", *SPOKEN]))
    def transfer(self, data: st.DataObject, to: str | Language) -> None:
        case, agent, version = self.pick(data, Status.ASSIGNED)
        language = to if isinstance(to, Language) else None
        other = None if isinstance(to, Language) else to
        self.same(
            lambda: self.model.transfer(case, agent, version, other, language, self.clock.now_s),
            lambda tx: work.transfer(tx, case, agent, version, other, language),
        )

    @precondition(lambda self: self.standing(Status.RESOLVED, Status.WAITING_CUSTOMER))
    @rule(data=st.data())
    def reopen(self, data: st.DataObject) -> None:
        case, agent, version = self.pick(data, Status.RESOLVED, Status.WAITING_CUSTOMER)
        self.same(
            lambda: self.model.reopen(case, version, self.clock.now_s),
            lambda tx: work.reopen(tx, case, agent, version),
        )

    @precondition(lambda self: self.standing(Status.OPEN, Status.ASSIGNED, Status.WAITING_CUSTOMER))
    @rule(data=st.data())
    def merge(self, data: st.DataObject) -> None:
        case, agent, version = self.pick(data, Status.OPEN, Status.ASSIGNED, Status.WAITING_CUSTOMER)
        customer = self.model.cases[min(case, len(self.model.cases)) - 1].customer
        theirs = [row for row in self.standing() if row.customer == customer and row.status is not Status.RESOLVED]
        into = data.draw(st.sampled_from([row.id for row in theirs] * 3 + [row.id for row in self.standing()]))
        self.same(
            lambda: self.model.merge(case, agent, version, into, self.clock.now_s),
            lambda tx: work.merge(tx, case, agent, version, into),
        )

    def case_number(self, data: st.DataObject) -> int:
        """Of some case, or of one that is not there."""
        return data.draw(st.integers(1, len(self.model.cases) + 1))

    @rule(data=st.data(), amount_minor=st.integers(1, 99_999), lasts_s=st.sampled_from([60.0, 1800.0]))
    def order(self, data: st.DataObject, amount_minor: int, lasts_s: float) -> None:
        case, ref = self.case_number(data), f"p{len(self.around.links) + 1}"
        self.same(
            lambda: self.around.order(case, ref, amount_minor, self.clock.now_s, lasts_s),
            lambda tx: payments.make(tx, case, "a1", amount_minor, "EUR", lasts_s, ref),
        )

    @rule(
        number=st.integers(1, 12), ref=st.integers(1, 5), kind=kinds,
        ago_s=st.sampled_from([0.0, 45.0, 700.0]),
    )  # fmt: skip
    def report(self, number: int, ref: int, kind: str, ago_s: float) -> None:
        told = Report(f"e{number}", f"p{ref}", kind, self.clock.now_s - ago_s)
        expected = self.around.report(told, self.clock.now_s)
        for known in self.each(lambda store: self.runner.run(store.write(lambda tx: payments.report(tx, told)))):
            assert known == expected

    @rule()
    def expire(self) -> None:
        expected = self.around.expire(self.clock.now_s)
        assert set(self.each(lambda store: self.runner.run(store.write(payments.expire)))) == {expected}

    @rule(data=st.data(), moments=st.lists(st.tuples(st.sampled_from([0.0, 45.0, 700.0]), kinds), max_size=4))
    def pay(self, data: st.DataObject, moments: list[tuple[float, str]]) -> None:
        self.order(data=data, amount_minor=2_500, lasts_s=60.0)
        for later_s, kind in moments:
            self.clock.now_s += later_s
            number, ref = data.draw(st.integers(1, 12)), len(self.around.links)
            self.report(number=number, ref=ref, kind=kind, ago_s=0.0)

    @rule(data=st.data(), of_case=st.booleans(), seen_by=st.lists(agents, max_size=2))
    def tell_crew(self, data: st.DataObject, of_case: bool, seen_by: list[str]) -> None:
        case = self.case_number(data) if of_case else None
        self.same(
            lambda: self.around.tell_crew(case),
            lambda tx: notices.add(tx, "KL1001", "2015-06-01", "a1", "Broken wrist", "12A", case),
        )
        for agent in seen_by:
            self.clock.now_s += 1.0
            notice, now_s = data.draw(st.integers(1, len(self.around.seen) + 1)), self.clock.now_s
            self.same(
                lambda: self.around.acknowledge(notice, agent, now_s),  # noqa: B023
                lambda tx: notices.acknowledge(tx, notice, agent),  # noqa: B023
            )

    @rule()
    def measure(self) -> None:
        found = self.each(lambda store: self.runner.run(store.read(lambda tx: kpis(tx, EVER_S))))
        assert all(each == found[0] for each in found)
        told, expected = found[0]["by_language"]["all"], self.around.measures()
        assert {name: told[name] for name in expected} == pytest.approx(expected)

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
        for found in self.each(lambda store: self.runner.run(store.read(all_cases))):
            assert len(found) == len(self.model.cases)
            for (case, into), row in zip(found, self.model.cases, strict=True):
                assert (case.id, case.status, case.agent, case.version) == (row.id, row.status, row.agent, row.version)
                assert (case.thread, case.opened_s, case.due_s) == (row.thread, row.opened_s, row.due_s)
                assert (case.language, case.private) == (row.language, row.private)
                assert (case.waiting_since_s, into) == (row.waiting_since_s, row.merged_into)

    @invariant()
    def links_and_notices_are_alike(self) -> None:
        links = [(ref, link.state, link.paid_s, link.refund_check) for ref, link in self.around.links.items()]
        seen = [each or (None, None) for each in self.around.seen]
        for rows, told in self.each(lambda store: self.runner.run(store.read(links_and_notices))):
            assert [(ref, state, paid_s, bool(check)) for ref, state, paid_s, check in rows] == links
            assert [tuple(row) for row in told] == seen

    def teardown(self) -> None:
        try:
            kept = self.each(lambda store: self.runner.run(store.read(contents)))
            assert all(each == kept[0] for each in kept)
            assert self.each(lambda store: self.runner.run(store.broken())) == [[]] * len(self.stores)
        finally:
            self.each(lambda store: self.runner.run(store.close()))
            self.runner.close()


FEW = settings(max_examples=15, stateful_step_count=40, deadline=None, suppress_health_check=list(HealthCheck))


def test_any_history_ends_alike_on_sqlite_postgresql_and_the_model(pg_url: str, tmp_path: Path) -> None:
    count = 0

    def fresh() -> Alike:
        nonlocal count
        count += 1
        empty(pg_url)
        return Alike([f"sqlite:{tmp_path / str(count)}.db", pg_url])

    run_state_machine_as_test(fresh, settings=FEW)  # type: ignore[arg-type]  # it takes whatever makes one


@pytest.mark.parametrize("url", ["", "sqlite:", "sqlite://x", "mysql://x", "postgresql:x", "care.db"])
def test_an_address_that_names_no_store_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="write one of them"):
        asyncio.run(open_store(url))
