"""What holds for the application on SQLite holds on PostgreSQL: the same tests, once more."""

from __future__ import annotations

import asyncio
from pathlib import Path

import care_client
import pytest
import test_careapi_agents
import test_careapi_app
import test_careapi_customers
import test_careapi_hostile
import test_careapi_lead
import test_careapi_loop

from careapi import commands, hub, routes_hot
from careapi.migrations import scripts
from careapi.store import Store
from careapi.store_pg import PostgresStore

MODULES = (
    test_careapi_agents,
    test_careapi_app,
    test_careapi_customers,
    test_careapi_hostile,
    test_careapi_lead,
    test_careapi_loop,
)
ELSEWHERE = {
    "test_deliveries_in_any_order_and_twice_end_in_the_same_state",  # many stores; see test_careapi_conformance
    "test_erasing_leaves_no_text_and_no_name_in_the_bytes_of_the_store",  # looks into the files
}

for module in MODULES:
    tests = {name: thing for name, thing in vars(module).items() if name.startswith("test_")}
    globals().update({name: thing for name, thing in tests.items() if name not in ELSEWHERE})


@pytest.fixture(autouse=True)
def on_postgresql(pg_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every application have the database of the test for its store."""
    monkeypatch.setattr(care_client, "STORE", pg_url)


def test_an_agent_who_waits_at_one_process_is_woken_by_a_post_at_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (hub, routes_hot):
        monkeypatch.setattr(module, "LOOK_AGAIN_S", 1000.0)  # so that nothing but the word of the other can wake him

    async def day() -> None:
        async with care_client.running(tmp_path) as here, care_client.running(tmp_path) as there:
            body = {"agent": "a1", "langs": ["en"], "max": 1}
            waiting = asyncio.create_task(here.ask("POST", "/v1/claims?wait=30", body))
            store = here.care.store
            assert isinstance(store, PostgresStore)
            while store.claimer.jobs < 2 or await listeners(store) < 2 or here.care.hub._committed.is_set():
                await asyncio.sleep(0.001)  # he has looked before and after he took his place among those who wait
            await there.bring(care_client.post("1"))
            async with asyncio.timeout(15.0):  # half of the time after which he looks once more by himself
                assert (await waiting).status_code == 200

    asyncio.run(day())


async def listeners(store: Store) -> int:
    """How many connections to the database listen."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'LISTEN %'"
    row = await store.read(lambda tx: tx.row(query))
    assert row is not None
    return int(row[0])


def test_a_database_is_migrated_and_checked_by_the_command(pg_url: str) -> None:
    assert commands.migrate(pg_url)["version"] == max(scripts("postgresql"))
    found = commands.check(pg_url)
    assert found["broken"] == [] and found["store"].startswith("postgresql://")
