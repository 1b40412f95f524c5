from __future__ import annotations

import asyncio
import sqlite3
import threading
from concurrent.futures import Future
from functools import partial
from pathlib import Path

import pytest
from care_posts import RULES, SPOKEN, Clock, post

from careapi import invariants
from careapi.migrations import migrate, scripts
from careapi.model import Stale, StoreError, Unavailable
from careapi.store_sqlite import READERS, SqliteStore, _connect
from careapi.tx import Tx
from careapi.writer import MOST_JOBS, Writer


def close(store: SqliteStore) -> None:
    asyncio.run(store.close())


def test_a_second_process_cannot_have_the_store(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "care.db")
    with pytest.raises(StoreError, match="in use by another process"):
        SqliteStore(tmp_path / "care.db")
    close(store)
    close(SqliteStore(tmp_path / "care.db"))


def test_a_file_that_is_no_store_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database, only a text of some length " * 50)
    with pytest.raises(StoreError, match="is not a store"):
        SqliteStore(path)
    assert path.read_text().startswith("not a database")
    with pytest.raises(StoreError, match="cannot be used"):
        SqliteStore(tmp_path / "no" / "folder.db")


def test_a_store_of_a_later_version_is_refused(tmp_path: Path) -> None:
    close(SqliteStore(tmp_path / "care.db"))
    db = _connect(tmp_path / "care.db")
    db.execute("INSERT INTO schema_version VALUES (999, 0)")
    db.close()
    with pytest.raises(StoreError, match="version 999"):
        SqliteStore(tmp_path / "care.db")


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    db = _connect(tmp_path / "care.db")
    assert migrate(db, 0.0) == list(scripts("sqlite")) == list(range(1, len(scripts("sqlite")) + 1))
    assert migrate(db, 0.0) == []
    db.close()


def test_a_commit_is_on_disk_before_it_is_told(tmp_path: Path) -> None:
    db = _connect(tmp_path / "care.db")
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)  # FULL
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    db.close()


def test_readers_cannot_write(tmp_path: Path) -> None:
    close(SqliteStore(tmp_path / "care.db"))
    db = _connect(tmp_path / "care.db", read_only=True)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        db.execute("INSERT INTO customer (created_s) VALUES (0)")
    db.close()


def test_a_closed_store_has_no_reader_left(tmp_path: Path) -> None:
    store, both = SqliteStore(tmp_path / "care.db"), threading.Barrier(READERS)

    async def read_at_once_and_close() -> None:
        await asyncio.gather(*(store._read(lambda db: both.wait(30.0)) for _ in range(READERS)))
        await store.close()

    asyncio.run(read_at_once_and_close())
    assert not (tmp_path / "care.db-wal").exists()  # the last connection that closes takes it away


def insert(value: object, db: sqlite3.Connection, now_s: float) -> float:
    db.execute("INSERT INTO t VALUES (?)", (value,))
    return now_s


def fail(db: sqlite3.Connection, now_s: float) -> None:
    db.execute("INSERT INTO t VALUES (-1)")
    raise ValueError("this job alone")


def writer(path: Path) -> Writer:
    db = _connect(path)
    db.execute("CREATE TABLE t (x INTEGER NOT NULL)")
    db.close()
    return Writer(partial(_connect, path), lambda: 5.0)


def rows(path: Path) -> list[int]:
    db = _connect(path)
    found = [x for (x,) in db.execute("SELECT x FROM t ORDER BY x")]
    db.close()
    return found


def test_jobs_share_commits_and_a_failed_one_takes_nothing_along(tmp_path: Path) -> None:
    hand = writer(tmp_path / "w.db")
    first: Future[None] = Future()
    hand.put(lambda db, now_s: first.result())  # holds the thread until all the others stand behind it
    futures = [hand.put(partial(insert, n)) for n in range(2 * MOST_JOBS)]
    bad = hand.put(fail)
    wrong = hand.put(partial(insert, None))
    first.set_result(None)
    hand.close()
    assert {future.result() for future in futures} == {5.0}
    assert isinstance(bad.exception(), ValueError)
    assert isinstance(wrong.exception(), sqlite3.IntegrityError)
    assert rows(tmp_path / "w.db") == list(range(2 * MOST_JOBS))
    assert hand.batches <= 4  # the first job, alone or not, and 130 more in transactions of 64


def test_nothing_of_a_batch_is_kept_if_the_disk_is_full_and_the_writer_recovers(tmp_path: Path) -> None:
    hand = writer(tmp_path / "w.db")
    hand.put(lambda db, now_s: db.execute("PRAGMA max_page_count = 3").fetchone()).result()
    full = hand.put(lambda db, now_s: insert("x" * 100_000, db, now_s))
    assert isinstance(full.exception(), Unavailable)
    hand.put(lambda db, now_s: db.execute("PRAGMA max_page_count = 1000000").fetchone()).result()
    assert hand.put(partial(insert, 7)).result() == 5.0
    hand.close()
    assert rows(tmp_path / "w.db") == [7]


def test_a_closed_writer_refuses(tmp_path: Path) -> None:
    hand = writer(tmp_path / "w.db")
    hand.close()
    hand.close()
    assert isinstance(hand.put(partial(insert, 1)).exception(), Unavailable)


BREAK = {
    "every query has a case": "UPDATE mention SET case_id = NULL",
    "every case has a post": "DELETE FROM mention",
    "a post lies in a case of its own thread and customer": "UPDATE mention SET thread = 'another'",
    "no wait is below zero": 'UPDATE "case" SET waiting_since_s = opened_s - 1',
    "events are numbered without gaps": "DELETE FROM event WHERE seq = 1",
    "events are in the order of time": "UPDATE event SET at_s = at_s + 10 WHERE seq = 1",
    "a case was opened once": "INSERT INTO event (case_id, kind, at_s, actor, data)"
    " SELECT case_id, kind, at_s, actor, data FROM event WHERE seq = 1",
    "nobody was given a case that another held": "UPDATE event SET kind = 'assigned' WHERE case_id = 1",
}


@pytest.mark.parametrize("sentence", BREAK)
def test_the_check_finds_what_was_broken(sentence: str, tmp_path: Path) -> None:
    async def fill(store: SqliteStore) -> None:
        await store.add_mentions([post("1"), post("2", user="u2")])
        await store.claim("a1", SPOKEN)
        await store.close()

    asyncio.run(fill(SqliteStore(tmp_path / "care.db", RULES, Clock())))
    db = _connect(tmp_path / "care.db")
    assert invariants.broken(db) == []
    db.execute("PRAGMA foreign_keys = OFF")
    db.execute(BREAK[sentence])
    assert [fault for fault in invariants.broken(db) if fault.startswith(f"not so: {sentence} (see ")]
    db.close()


def test_a_job_that_raises_leaves_nothing_and_keeps_the_others(tmp_path: Path) -> None:
    async def play() -> None:
        store = SqliteStore(tmp_path / "care.db")

        def bad(tx: Tx) -> None:
            tx.run("INSERT INTO setting VALUES ('bad', '1', 0.0, 'x')")
            raise Stale("no")

        def good(tx: Tx) -> int:
            return tx.run("INSERT INTO setting VALUES ('good', '1', 0.0, 'x')")

        told = await asyncio.gather(store.write(bad), store.write(good), return_exceptions=True)
        assert isinstance(told[0], Stale) and told[1] == 1
        assert await store.read(names) == ["good"]
        await store.close()

    def names(tx: Tx) -> list[str]:
        return [row[0] for row in tx.rows("SELECT name FROM setting ORDER BY name")]

    asyncio.run(play())


def test_who_listens_is_told_of_a_commit(tmp_path: Path) -> None:
    async def play() -> None:
        store, told = SqliteStore(tmp_path / "care.db"), asyncio.Event()
        store.listen(told.set)
        await store.end_leases()
        await asyncio.wait_for(told.wait(), 5.0)
        await store.close()

    asyncio.run(play())


def test_vacuum_leaves_nothing_of_what_was_taken_out(tmp_path: Path) -> None:
    def put(tx: Tx) -> None:
        tx.run("INSERT INTO setting VALUES ('s', 'a long secret word', 0.0, 'x')")

    def take(tx: Tx) -> None:
        tx.run("DELETE FROM setting")

    async def play() -> None:
        store = SqliteStore(tmp_path / "care.db")
        await store.write(put)
        await store.write(take)
        await store.vacuum()
        files = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"long secret" not in files
        await store.close()

    asyncio.run(play())
