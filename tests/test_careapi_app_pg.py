"""What holds for the application on SQLite holds on PostgreSQL: the same tests, once more."""

from __future__ import annotations

import care_client
import pytest
import test_careapi_agents
import test_careapi_app
import test_careapi_customers
import test_careapi_hostile
import test_careapi_lead
import test_careapi_loop

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
