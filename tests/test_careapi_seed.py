from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from careapi.commands import check, fill
from careapi.model import StoreError
from careapi.seed import SeedClock
from careapi.stores import open_store
from scenarios import library
from scenarios.generate import generate

HOURS = 12.0


def test_a_seeded_store_has_the_posts_of_the_trace_and_about_as_many_cases(tmp_path: Path) -> None:
    store = f"sqlite:{tmp_path}/care.db"
    told = fill(store, "quiet_week", 1, HOURS)
    trace = generate(library.load("quiet_week"), 1, 0, None, HOURS)
    assert (told["mentions"], told["duplicates"]) == (trace.mentions, 0)
    # Nine of ten queries are found and nine of ten found are queries, and some follow-ups open the case of their own
    # that the first post missed: a fifth to either side.
    assert trace.cases > 200
    assert told["cases"] == pytest.approx(trace.cases, rel=0.2)
    found = check(store)
    assert (found["broken"], found["mentions"], found["cases"]) == ([], told["mentions"], told["cases"])
    with pytest.raises(StoreError, match="seed a new one"):
        fill(store, "quiet_week", 1, HOURS)


def test_the_posts_of_a_seeded_store_came_until_now(tmp_path: Path) -> None:
    async def play() -> None:
        store = await open_store(f"sqlite:{tmp_path}/care.db", clock=SeedClock())
        times = await store.read(lambda tx: tx.rows("SELECT min(received_s), max(received_s) FROM mention"))
        now_s = SeedClock()()
        assert 0.0 <= now_s - times[0][1] < 3600.0 and times[0][1] - times[0][0] > 3 * 3600.0
        await store.close()

    fill(f"sqlite:{tmp_path}/care.db", "quiet_week", 1, 4.0)
    asyncio.run(play())
