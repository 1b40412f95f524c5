from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from care_posts import RULES, SPOKEN, post
from care_worker import Worker
from postgres import run
from test_careapi_store_sqlite import BREAK

from careapi import migrations, pg_link
from careapi.model import Receipt, StoreError, Unavailable
from careapi.pg_bridge import bridged, numbered, wait
from careapi.pg_cluster import Server
from careapi.pg_link import Link, Lost
from careapi.pg_writer import TOGETHER, PgWriter
from careapi.store_pg import POOL, PostgresStore
from careapi.store_sqlite import SqliteStore
from careapi.stores import open_store

TERMINATE = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE application_name = 'ashcloud' AND datname = current_database()"
)


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def store(pg_url: str, runner: asyncio.Runner) -> Iterator[PostgresStore]:
    store = runner.run(PostgresStore.open(pg_url, RULES))
    yield store
    runner.run(store.close())


async def sql(url: str, statement: str) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement))
    finally:
        await connection.close()


# What it is made of.


def test_question_marks_become_numbers_but_not_those_inside_quotes() -> None:
    assert numbered("SELECT ?, '?', \"a?\", 'it''s ?' WHERE x = ?") == "SELECT $1, '?', \"a?\", 'it''s ?' WHERE x = $2"


def test_a_plain_function_waits_while_others_go_on(runner: asyncio.Runner) -> None:
    async def both() -> list[str]:
        said: list[str] = []
        gate = asyncio.Event()

        def plain() -> int:
            said.append("asked")
            wait(gate.wait())
            said.append("answered")
            return 7

        async def other() -> None:
            said.append("meanwhile")
            gate.set()

        result, _ = await asyncio.gather(bridged(plain), other())
        return [*said, str(result)]

    assert runner.run(both()) == ["asked", "meanwhile", "answered", "7"]


def test_a_fault_of_the_loop_is_raised_where_the_function_waits(runner: asyncio.Runner) -> None:
    async def fail() -> None:
        raise KeyError("x")

    def plain() -> str:
        try:
            wait(fail())
        except KeyError:
            return "caught"
        return "missed"

    assert runner.run(bridged(plain)) == "caught"


def test_both_databases_have_the_same_tables_and_columns(
    store: PostgresStore, pg_url: str, tmp_path: Path, runner: asyncio.Runner
) -> None:
    assert list(migrations.scripts("postgresql")) == list(migrations.scripts("sqlite"))
    runner.run(SqliteStore(tmp_path / "care.db").close())
    db = sqlite3.connect(tmp_path / "care.db")
    tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    here = {
        (table, row[1], bool(row[3] or row[5]))
        for table in tables
        for row in db.execute(f"PRAGMA table_info('{table}')")
    }
    db.close()
    there = {
        (row["table_name"], row["column_name"], row["is_nullable"] == "NO")
        for row in runner.run(sql(pg_url, "SELECT * FROM information_schema.columns WHERE table_schema = 'public'"))
    }
    assert {row for row in there if row[0] != "journal"} == here


def test_processes_that_start_at_once_migrate_once(pg_url: str, runner: asyncio.Runner) -> None:
    async def start() -> None:
        stores = await asyncio.gather(*[PostgresStore.open(pg_url) for _ in range(4)])
        for store in stores:
            await store.close()

    runner.run(start())
    rows = runner.run(sql(pg_url, "SELECT version FROM schema_version ORDER BY version"))
    assert [row[0] for row in rows] == list(migrations.scripts("postgresql"))


def test_a_database_that_is_no_store_is_refused_and_left_alone(
    pg_url: str, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    runner.run(sql(pg_url, "CREATE TABLE mention (mine int)"))
    with pytest.raises(StoreError, match="is not a store"):
        runner.run(PostgresStore.open(pg_url))
    tables = runner.run(sql(pg_url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
    assert [row[0] for row in tables] == ["mention"]
    monkeypatch.setattr(pg_link, "PATIENCE_S", 0.0)
    with pytest.raises(StoreError, match="the database exists"):
        runner.run(PostgresStore.open(pg_url.replace("/care_", "/other_")))


def test_a_store_of_a_later_version_is_refused(store: PostgresStore, pg_url: str, runner: asyncio.Runner) -> None:
    runner.run(sql(pg_url, "INSERT INTO schema_version VALUES (999, 0)"))
    with pytest.raises(StoreError, match="version 999"):
        runner.run(PostgresStore.open(pg_url))


def test_a_commit_is_on_disk_before_it_is_told(store: PostgresStore, runner: asyncio.Runner) -> None:
    settings = "SELECT current_setting('synchronous_commit') || current_setting('fsync')"
    assert runner.run(store.read(lambda tx: tx.row(settings))) == ("onon",)


@pytest.mark.parametrize("sentence", BREAK)
def test_the_check_finds_what_was_broken(
    sentence: str, store: PostgresStore, runner: asyncio.Runner, pg_url: str
) -> None:
    runner.run(store.add_mentions([post("1"), post("2", user="u2")]))
    runner.run(store.claim("a1", SPOKEN))
    assert runner.run(store.broken()) == []
    again = "SELECT 100, case_id, kind, at_s, actor, data FROM event WHERE seq = 1"
    change = BREAK[sentence]
    if change.startswith("INSERT INTO event"):
        change = f"INSERT INTO event (seq, case_id, kind, at_s, actor, data) {again}"
    runner.run(sql(pg_url, change))
    assert [fault for fault in runner.run(store.broken()) if fault.startswith(f"not so: {sentence} (see ")]


def test_a_value_that_cannot_be_kept_is_not_named_in_the_fault(store: PostgresStore, runner: asyncio.Runner) -> None:
    told = runner.run(store.add_mentions([post("1"), post("2", user="u2", text="secret\x00?"), post("3", user="u3")]))
    assert [isinstance(each, Receipt) for each in told] == [True, False, True]
    assert "secret" not in repr(told)


# Lost connections.


def test_a_restart_of_the_database_costs_at_most_one_request_a_connection(
    store: PostgresStore, pg_server: Server, runner: asyncio.Runner
) -> None:
    if not pg_server.control:
        pytest.skip("only a server of our own can be restarted")
    failed = 0

    async def client(number: int, stop: asyncio.Event) -> int:
        nonlocal failed
        done = 0
        while not stop.is_set():
            key = f"{number}-{done}"
            try:
                await store.add_mentions([post(key, user=f"u{key}")])
                await store.claim(f"a{number}", SPOKEN, 1_000_000)
                await store.events_after(0, 1)
                done += 1
            except Unavailable:
                failed += 1
        return done

    async def load() -> list[int]:
        stop = asyncio.Event()
        clients = [asyncio.create_task(client(number, stop)) for number in range(16)]
        await asyncio.to_thread(pg_server.restart)
        before = failed
        calm = [await store.add_mentions([post(f"after-{n}", user=f"v{n}")]) for n in range(50)]
        assert len(calm) == 50 and failed == before
        stop.set()
        return await asyncio.gather(*clients)

    done = runner.run(load())
    assert min(done) > 0
    assert failed <= POOL
    assert runner.run(store.broken()) == []


def test_connections_that_are_terminated_are_made_anew_and_nobody_notices(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner
) -> None:
    async def load() -> None:
        for turn in range(5):
            adding = [store.add_mentions([post(f"{turn}-{n}", user=f"u{turn}-{n}")]) for n in range(100)]
            claiming = [store.claim(f"a{n}", SPOKEN, 100) for n in range(20)]
            reading = [store.events_after(0, 5) for _ in range(20)]
            _, *results = await asyncio.gather(sql(pg_url, TERMINATE), *adding, *claiming, *reading)
            assert len(results) == 140

    runner.run(load())
    assert runner.run(store.read(lambda tx: tx.row("SELECT count(*) FROM mention"))) == (500,)
    assert runner.run(store.broken()) == []


@pytest.mark.parametrize("reached", [True, False])
def test_a_commit_without_an_answer_is_not_done_twice(
    reached: bool, store: PostgresStore, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = Link.run
    cut: list[str] = []

    async def run_and_break(link: Link, script: str) -> str:
        if script == "COMMIT" and not cut:
            cut.append(script)
            if reached:
                await really(link, script)
            await link.drop()
            raise Lost("cut by the test")
        return await really(link, script)

    runner.run(store.add_mentions([post("1"), post("2", user="u2")]))
    monkeypatch.setattr(Link, "run", run_and_break)
    case = runner.run(store.claim("a1", SPOKEN, capacity=9))
    assert cut and case is not None and case.id == 1
    cut.clear()
    told = runner.run(store.add_mentions([post("3", user="u3")]))
    assert [isinstance(each, Receipt) and each.duplicate for each in told] == [False]
    held = "SELECT count(*) FROM \"case\" WHERE status = 'assigned'"
    assert runner.run(store.read(lambda tx: tx.row(held))) == (1,)
    assert [event.seq for event in runner.run(store.events_after(0))] == [1, 2, 3, 4]


def test_while_the_database_is_away_requests_fail_soon_and_later_all_is_well(
    pg_url: str, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pg_link, "PATIENCE_S", 0.05)

    async def play() -> None:
        link = Link(pg_url)
        store = PgWriter(link, lambda: 5.0)
        await asyncio.gather(link.ready())
        await link.fetch("CREATE TABLE journal (seq bigint, at_s float8)")
        await link.fetch("INSERT INTO journal VALUES (0, 0)")
        good, link._dsn = link._dsn, pg_url + "/nowhere"
        await link.drop()
        for _ in range(3):
            with pytest.raises(Unavailable, match="no connection"):
                await store.put(lambda db, now_s: now_s)
        link._dsn = good
        assert await store.put(lambda db, now_s: now_s) == 5.0
        await store.close()

    runner.run(play())


def test_what_shares_a_transaction_with_a_full_disk_is_not_acknowledged(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner
) -> None:
    full = """CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        RAISE EXCEPTION 'no space left on device' USING ERRCODE = 'disk_full'; END $$;
        CREATE TRIGGER full_disk BEFORE INSERT ON mention FOR EACH ROW WHEN (NEW.text LIKE 'last drop%')
        EXECUTE FUNCTION full_disk()"""
    run(pg_url, full)

    async def play() -> None:
        posts = [post(f"{n}", user=f"u{n}", text="last drop" if n == 7 else "Where is my bag?") for n in range(9)]
        setting = store.write(lambda tx: tx.run("INSERT INTO setting VALUES ('a', '1', ?, 'me')", tx.now_s))
        told = await asyncio.gather(setting, *[store.add_mentions([each]) for each in posts], return_exceptions=True)
        kept = await store.read(lambda tx: tx.row("SELECT count(*) FROM mention"))
        assert kept == (sum(isinstance(each, list) for each in told),)
        assert isinstance(told[8], Unavailable)
        await asyncio.to_thread(run, pg_url, "DROP TRIGGER full_disk ON mention")
        for each in posts:
            await store.add_mentions([each])
        assert await store.read(lambda tx: tx.row("SELECT count(*) FROM mention")) == (9,)
        assert await store.broken() == []

    runner.run(play())


# Several processes.


def test_two_posts_of_a_customer_50_ms_apart_on_three_processes_open_one_case(
    pg_url: str, runner: asyncio.Runner
) -> None:
    async def play() -> None:
        workers = [await Worker.start(pg_url) for _ in range(3)]
        for turn in range(8):  # a direct conversation by posts that answer the first, each at another process
            first = f"{turn}-0"

            async def one(place: int, worker: Worker, first: str = first, turn: int = turn) -> Any:
                await asyncio.sleep(0.05 * place if turn % 2 else 0.0)  # 50 ms apart, or all at once
                parent = None if place == 0 else first
                return await worker.ask("add", f"{turn}-{place}", f"u{turn}", parent)

            told = await asyncio.gather(*[one(place, worker) for place, worker in enumerate(workers)])
            again = [await workers[0].ask("add", f"{turn}-{place}", f"u{turn}", None) for place in range(3)]
            assert [duplicate for _, duplicate in told] == [False] * 3
            assert len({case for case, _ in again}) == 1 and {duplicate for _, duplicate in again} == {True}
        for worker in workers:
            await worker.close()
        store = await PostgresStore.open(pg_url)
        live = "SELECT count(*), count(DISTINCT customer_id) FROM \"case\" WHERE status <> 'resolved'"
        assert await store.read(lambda tx: tx.row(live)) == (8, 8)
        assert await store.broken() == []
        await store.close()

    runner.run(play())


def test_fifty_agents_at_three_processes_drain_1500_cases_and_nobody_gets_one_twice(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner
) -> None:
    async def play() -> None:
        for start in range(0, 1500, 100):
            await store.add_mentions([post(f"{n}", user=f"u{n}") for n in range(start, start + 100)])
        workers = [await Worker.start(pg_url) for _ in range(3)]
        agents = [[f"a{n}" for n in range(50) if n % 3 == place] for place in range(3)]
        taken = await asyncio.gather(*[w.ask("drain", a) for w, a in zip(workers, agents, strict=True)])
        cases = [case for process in taken for agent in process for case in agent]
        assert sorted(cases) == list(range(1, 1501))
        assert all(process for process in taken)
        for worker in workers:
            await worker.close()

    runner.run(play())
    assert runner.run(store.broken()) == []


def test_a_claim_that_finds_all_heads_locked_waits_for_its_turn(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner
) -> None:
    async def play() -> None:
        await store.add_mentions([post("1")])
        other = Link(pg_url)  # a claim at another process, which has looked and not yet decided
        await other.ready()
        await other.run(TOGETHER)
        await other.fetch('SELECT id FROM "case" FOR UPDATE')
        claiming = asyncio.create_task(store.claim("a1", SPOKEN))
        stands = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND NOT granted"
        async with asyncio.timeout(20.0):
            while not await sql(pg_url, stands):
                assert not claiming.done()
        await other.run("ROLLBACK")
        case = await claiming
        assert case is not None and case.id == 1
        await other.close()

    runner.run(play())


def test_whoever_follows_the_events_of_several_processes_misses_none(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner
) -> None:
    async def play() -> None:
        pokes = asyncio.Event()
        store.listen(pokes.set)
        workers = [await Worker.start(pg_url) for _ in range(2)]
        adding = [workers[n % 2].ask("add", f"{n}", f"u{n}", None) for n in range(300)]
        claiming = [workers[n % 2].ask("claim", f"a{n}") for n in range(200)]
        working = asyncio.gather(
            *[each for pair in zip(adding, claiming, strict=False) for each in pair], *adding[200:]
        )
        seen: list[int] = []
        while len(seen) < 300 or not working.done():
            pokes.clear()
            seen += [event.seq for event in await store.events_after(seen[-1] if seen else 0, 17)]
            if seen and working.done():
                break
            if len(seen) % 17:
                poked = asyncio.ensure_future(pokes.wait())
                either: set[asyncio.Future[Any]] = {poked, working}
                await asyncio.wait(either, timeout=20.0, return_when=asyncio.FIRST_COMPLETED)
                assert poked.done() or working.done(), "nobody told of what happened"
                poked.cancel()
        await working
        seen += [event.seq for event in await store.events_after(seen[-1], 10_000)]
        assert seen == list(range(1, len(seen) + 1)) and len(seen) > 300
        for worker in workers:
            await worker.close()

    runner.run(play())
    assert runner.run(store.broken()) == []


def test_a_process_that_stands_still_in_a_transaction_does_not_stop_the_others(
    store: PostgresStore, pg_url: str, runner: asyncio.Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(pg_link.SETTINGS, "idle_in_transaction_session_timeout", "300")

    async def play() -> None:
        held = Link(pg_url)
        await held.ready()
        await held.run("BEGIN; SELECT pg_advisory_xact_lock(7203001)")  # and then nothing more
        assert await store.add_mentions([post("1")]) == [Receipt(1, duplicate=False)]
        with pytest.raises(Lost):
            await held.run("COMMIT")

    runner.run(play())


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_kill_9_under_load_loses_nothing_that_was_acknowledged_and_doubles_nothing(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path, runner: asyncio.Runner
) -> None:
    url = f"sqlite:{tmp_path}/care.db" if kind == "sqlite" else request.getfixturevalue("pg_url")
    runner.run(_kill_rounds(url, rounds=8, clients=32))


async def _kill_rounds(url: str, rounds: int, clients: int) -> None:
    """Clients post and claim; after some acknowledgements the process is killed; what had no answer is sent again."""
    acked: dict[str, int] = {}
    claimed: dict[str, int] = {}
    waiting: list[str] = []  # sent, not answered
    posted = 0

    async def client(worker: Worker, again: list[str], enough: asyncio.Event) -> None:
        nonlocal posted
        while True:
            if again:
                number = again.pop()
            else:
                posted += 1
                number = str(posted)
            agent = f"a{number}"
            try:
                case, _ = await worker.ask("add", number, f"u{number}", None)
                acked[number] = case
                got = await worker.ask("claim", agent)
                if got is not None:
                    claimed[agent] = got
            except ConnectionError:
                if number not in acked:
                    waiting.append(number)
                return
            if len(acked) >= goal:
                enough.set()

    for round_number in range(rounds):
        worker = await Worker.start(url)
        goal, again, enough = len(acked) + 40 + 17 * round_number, waiting[:], asyncio.Event()
        waiting.clear()
        running = [asyncio.create_task(client(worker, again, enough)) for _ in range(clients)]
        await enough.wait()
        await worker.kill()
        await asyncio.gather(*running)
        waiting += again
    store = await open_store(url)
    for number, case in acked.items():
        assert await store.add_mentions([post(number, user=f"u{number}")]) == [Receipt(case, duplicate=True)]
    rows = 'SELECT count(*), count(DISTINCT external_id), (SELECT count(*) FROM "case") FROM mention'
    counts = await store.read(lambda tx: tx.row(rows))
    assert counts is not None and len(acked) <= counts[0] == counts[1] == counts[2] <= len(acked) + clients
    for agent, case in claimed.items():
        taken = await store.case(case)
        assert taken is not None and taken.agent == agent
    assert len(set(claimed.values())) == len(claimed)
    assert await store.broken() == []
    await store.close()
