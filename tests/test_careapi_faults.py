"""The service as a process while things go wrong: killed, without disk, besieged, asked for five times what it can."""

from __future__ import annotations

import asyncio
import random
import resource
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest
from care_client import TOKEN, post
from care_process import AUTH, Service, bring, signed, started
from open_loop import offered

from careapi.pg_cluster import Server
from careapi.stores import open_store
from careapi.tx import Tx

pytestmark = [pytest.mark.slow, pytest.mark.alone]
ROUNDS, SENDERS = 8, 12


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_killed_again_and_again_it_loses_nothing_that_it_acknowledged(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = f"sqlite:{tmp_path / 'care.db'}" if kind == "sqlite" else str(request.getfixturevalue("pg_url"))
    acked, sent = set[str](), 0
    unsure: list[str] = []
    dice = random.Random(20100415)

    async def besiege(service: Service, enough: int) -> None:
        nonlocal sent
        got = 0
        async with httpx.AsyncClient(base_url=service.url, timeout=10.0) as http:

            async def send() -> None:
                nonlocal sent, got
                while True:
                    if unsure:
                        number = unsure.pop()
                    else:
                        sent, number = sent + 1, str(sent + 1)
                    body, headers = signed(post(number, external_user=f"u{int(number) % 50}"))
                    try:
                        told = await http.post("/v1/mentions", content=body, headers=headers)
                    except httpx.TransportError:
                        unsure.append(number)
                        return
                    assert told.status_code == 202
                    acked.add(number)
                    got += 1
                    if got == enough:
                        service.process.send_signal(signal.SIGKILL)

            await asyncio.gather(*[send() for _ in range(SENDERS)])

    for _ in range(ROUNDS):
        with started(url) as service:
            asyncio.run(besiege(service, dice.randint(40, 120)))
            assert service.process.wait(timeout=20) == -signal.SIGKILL
    kept, broken = asyncio.run(_kept(url))
    assert len(acked) >= ROUNDS * 40
    assert acked - set(kept) == set()
    assert len(kept) == len(set(kept)) <= sent
    assert broken == []


def test_a_restart_of_the_database_costs_each_connection_at_most_one_request(pg_server: Server, pg_url: str) -> None:
    if not pg_server.control:
        pytest.skip("only a server of our own can be restarted")

    async def send(http: httpx.AsyncClient, name: str, stop: asyncio.Event) -> tuple[int, int]:
        done = failed = 0
        while not stop.is_set():
            body, headers = signed(post(f"{name}-{done + failed}", external_user=name))
            told = await http.post("/v1/mentions", content=body, headers=headers)
            done, failed = done + (told.status_code == 202), failed + (told.status_code == 503)
            assert told.status_code in (202, 503)
        return done, failed

    async def besiege(url: str) -> list[tuple[int, int]]:
        stop = asyncio.Event()
        async with httpx.AsyncClient(base_url=url, timeout=20.0) as http:
            senders = [asyncio.create_task(send(http, f"u{n}", stop)) for n in range(SENDERS)]
            await asyncio.to_thread(pg_server.restart)
            for number in range(50):  # back to normal: none of these is refused
                body, headers = signed(post(f"after-{number}"))
                assert (await http.post("/v1/mentions", content=body, headers=headers)).status_code == 202
            stop.set()
            return await asyncio.gather(*senders)

    with started(pg_url) as service:
        counts = asyncio.run(besiege(service.url))
        assert service.end() == 0
    assert all(done > 0 and failed <= 1 for done, failed in counts)
    kept, broken = asyncio.run(_kept(pg_url))
    assert len(kept) == len(set(kept)) >= 50 + sum(done for done, _ in counts)
    assert broken == []


async def _kept(url: str) -> tuple[list[str], list[str]]:
    store = await open_store(url)

    def numbers(tx: Tx) -> list[str]:
        return [str(row[0]) for row in tx.rows("SELECT external_id FROM mention")]

    try:
        return await store.read(numbers), await store.broken()
    finally:
        await store.close()


@pytest.fixture
def small(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)], capture_output=True)
    if done.returncode != 0:
        pytest.skip("no file system can be mounted here; the limit of the size of a file is tested in its place")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill(http: httpx.Client) -> int:
    """Bring posts, many large ones at a time, then single small ones, until nothing more fits; how many were taken."""
    taken = 0
    for number, text in ((20, "Where is my bag? " + "x" * 2000), (1, "Where is my bag?")):
        for n in range(4000):
            told = bring(http, *[post(f"{number}-{n}-{k}", text=text) for k in range(number)])
            if told.status_code == 503:
                assert told.headers["retry-after"] == "1"
                break
            assert told.status_code == 202
            taken += number
        else:
            raise AssertionError("the disk was never full")
    return taken


def _full_and_over(service: Service, http: httpx.Client, mend: object) -> None:
    taken = _fill(http)
    assert http.get("/v1/cases", headers=AUTH).status_code == 200
    assert http.get("/readyz").status_code == 503
    assert http.get("/healthz").status_code == 200
    assert callable(mend)
    mend()
    assert bring(http, post("after")).status_code == 202
    assert http.get("/readyz").status_code == 200
    assert taken > 0 and service.end() == 0


def test_on_a_full_disk_it_reads_on_and_recovers_alone(small: Path) -> None:
    ballast = small / "ballast"
    ballast.write_bytes(b"x" * 2_000_000)
    with started(small / "care.db") as service, httpx.Client(base_url=service.url, timeout=10.0) as http:
        _full_and_over(service, http, ballast.unlink)
    kept, broken = asyncio.run(_kept(f"sqlite:{small / 'care.db'}"))
    assert "after" in kept and broken == []


def test_when_a_file_may_not_grow_it_reads_on_and_recovers_alone(tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service, httpx.Client(base_url=service.url, timeout=10.0) as http:
        pid, (_, most) = service.process.pid, resource.prlimit(service.process.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (1_000_000, most))
        _full_and_over(service, http, lambda: resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most)))
    kept, broken = asyncio.run(_kept(f"sqlite:{tmp_path / 'care.db'}"))
    assert "after" in kept and broken == []


def test_half_open_and_dripping_connections_are_closed_and_good_clients_served(tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service:
        held = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(150)]
        for n, each in enumerate(held):
            if n % 3:  # the others never say a word
                each.sendall(b"POST /v1/mentions HTTP/1.1\r\nHost: care\r\n")
        until_s = time.monotonic() + 2.5
        served = 0
        with httpx.Client(base_url=service.url, timeout=5.0) as http:
            while time.monotonic() < until_s:
                for each in held[1::3]:
                    try:
                        each.sendall(b"X-Drip: 1\r\n")
                    except OSError:
                        continue
                assert bring(http, post(str(served))).status_code == 202
                served += 1
                time.sleep(0.05)
        assert served >= 10
        for each in held:
            with closing(each):
                each.settimeout(3.0)
                with suppress(ConnectionResetError):
                    assert each.recv(100) == b""
        with closing(socket.create_connection(("127.0.0.1", service.port))) as slow:
            slow.sendall(b"POST /v1/mentions HTTP/1.1\r\nHost: care\r\nContent-Length: 1000\r\n\r\n{")
            slow.settimeout(5.0)
            assert slow.recv(100).startswith(b"HTTP/1.1 408")
        assert service.end() == 0


@pytest.mark.parametrize("head", ["Content-Length: 8000000", "Transfer-Encoding: chunked"])
def test_what_is_too_large_is_refused_before_it_has_come(head: str, tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service:
        with closing(socket.create_connection(("127.0.0.1", service.port))) as large:
            large.settimeout(5.0)
            line = f"POST /v1/cases/1/reply HTTP/1.1\r\nHost: care\r\nAuthorization: Bearer {TOKEN}\r\n{head}\r\n\r\n"
            large.sendall(line.encode())
            if "chunked" in head:
                large.sendall(b"10000\r\n" + b"x" * 0x10000 + b"\r\n1000\r\n" + b"x" * 0x1000 + b"\r\n")
            assert large.recv(100).startswith(b"HTTP/1.1 413")
        assert httpx.get(f"{service.url}/healthz").status_code == 200


def test_asked_for_five_times_what_it_can_it_does_as_much_as_before(tmp_path: Path) -> None:
    # A post waits for the commit in hand and for its own: 32 of them in 200 ms are 160 a second.
    knobs = ("--max-inflight", "32", "--commit-delay-ms", "100")
    with started(tmp_path / "care.db", *knobs) as service:
        once, twice, five = (asyncio.run(offered(service.port, rate, 3.0, f"r{rate}-")) for rate in (150, 300, 750))
        assert httpx.get(f"{service.url}/readyz").status_code == 200
        assert service.end() == 0
    assert once.taken >= 250
    assert twice.taken >= 0.9 * once.taken and five.taken >= 0.9 * once.taken
    assert five.turned_away > five.taken
    assert once.failed == twice.failed == five.failed == 0
    assert max(twice.p99_s, five.p99_s) < 1.0
