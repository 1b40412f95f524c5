"""Runs of the benchmark: the service in a process of its own, a load on it, and a look into the store afterwards."""

from __future__ import annotations

import asyncio
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from careapi.bench_client import Load, load
from careapi.bench_requests import Claims, Noops, Posts, fill, pool
from careapi.stores import open_store
from scenarios import library
from scenarios.generate import generate

WARM_UP_S = 1.0
_COUNT = "SELECT (SELECT count(*) FROM mention), (SELECT count(*) FROM \"case\" WHERE status = 'assigned')"


class Kind(StrEnum):
    """What is measured."""

    NOOP = "GET that does nothing"
    SQLITE = "intake of one post, SQLite"
    POSTGRES = "intake of one post, PostgreSQL"
    CLAIMS = "claim, SQLite"


@dataclass(frozen=True)
class Plan:
    """How much is measured, and on what.

    Attributes
    ----------
    seconds : float
        Length of a run.
    rounds : int
        Runs of each kind, the kinds in turns.
    connections : int
        Requests under way at once.
    cases : int
        Open cases behind the claims.
    postgres : str or None
        An empty database; None leaves it out.
    service_core : int or None
        The core of the service; None: any.
    """

    seconds: float
    rounds: int
    connections: int
    cases: int
    postgres: str | None
    service_core: int | None


@dataclass
class Row:
    """One kind of requests over all rounds."""

    kind: Kind
    loads: list[Load] = field(default_factory=list)
    cpu_us: list[float] = field(default_factory=list)  # of the service, a request

    @property
    def rate_per_s(self) -> float:
        """Median of the rounds."""
        return statistics.median(load.rate_per_s for load in self.loads)

    def wait_ms(self, q: float) -> float:
        """A quantile over all rounds together."""
        waits = sorted(wait for load in self.loads for wait in load.waits_s)
        return 1000.0 * waits[min(len(waits) - 1, int(q * len(waits)))]


class Broken(Exception):
    """A run that measures nothing: wrong answers, or a store that does not hold what was acknowledged."""


def measure(plan: Plan, folder: Path, say: Callable[[str], None]) -> dict[Kind, Row]:
    """All rounds of all kinds, in turns; raises `Broken`."""
    said = pool(generate(library.load("quiet_week"), 1, 0, None, 24.0))
    requests: dict[Kind, Noops | Posts | Claims] = {
        Kind.NOOP: Noops(), Kind.SQLITE: Posts(said), Kind.POSTGRES: Posts(said), Kind.CLAIMS: Claims(),
    }  # fmt: skip
    stores = {kind: f"sqlite:{folder}/{kind.name}.db" for kind in Kind}
    if plan.postgres is None:
        del stores[Kind.POSTGRES]
    else:
        stores[Kind.POSTGRES] = plan.postgres
    say(f"opening {plan.cases} cases")
    asyncio.run(fill(stores[Kind.CLAIMS], plan.cases))
    rows = {kind: Row(kind) for kind in stores}
    for number in range(plan.rounds):
        for kind, store in stores.items():
            say(f"round {number + 1} of {plan.rounds}: {kind}")
            _run(rows[kind], store, requests[kind], plan)
    return rows


def _run(row: Row, store: str, requests: Noops | Posts | Claims, plan: Plan) -> None:
    """Warm up, measure, stop the service, count."""
    before = asyncio.run(_counted(store))
    with _served(store, plan.service_core) as (url, pid):
        warm = load(url, requests.next, plan.connections, min(WARM_UP_S, plan.seconds))
        used_s = _cpu_s(pid)
        done = load(url, requests.next, plan.connections, plan.seconds)
        used_s = _cpu_s(pid) - used_s
    for each in (warm, done):
        if set(each.statuses) != {requests.status} or each.broken:
            raise Broken(f"{row.kind}: answers {each.statuses}, {each.broken} broken; all should be {requests.status}")
    answered = warm.statuses[requests.status] + done.statuses[requests.status]
    grown = tuple(late - early for early, late in zip(before, asyncio.run(_counted(store)), strict=True))
    if grown != requests.leaves(answered):
        raise Broken(f"{row.kind}: {answered} acknowledged, but the store has {grown} more posts, cases in hand")
    row.loads.append(done)
    row.cpu_us.append(1e6 * used_s / done.statuses[requests.status])


@contextmanager
def _served(store: str, core: int | None) -> Iterator[tuple[str, int]]:
    """The service in a process of its own; gives its address and process number."""
    command = [sys.executable, "-m", "careapi.bench_server", store, *([] if core is None else [str(core)])]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise Broken("the service did not start; its last words are above")
        yield url, process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(20.0)
        process.stdout.close()


def _cpu_s(pid: int) -> float:
    """Seconds of a core that a process has used; NaN where the system does not tell."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def _counted(url: str) -> tuple[int, ...]:
    """Posts, and cases in hand."""
    store = await open_store(url)
    try:
        counts = await store.read(lambda tx: tx.row(_COUNT))
        assert counts is not None
        return counts
    finally:
        await store.close()
