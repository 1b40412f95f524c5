from __future__ import annotations

import json
import socket
import threading

import pytest

from careapi import bench
from careapi.bench_client import Load, load
from careapi.bench_runs import Kind, Row
from careapi.pg_cluster import programs


def answering(answers: list[bytes]) -> str:
    """A server that gives one connection these answers, one a request, and closes it."""
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listening.accept()
        with connection, listening:
            for answer in answers:
                if not connection.recv(1000):
                    return
                connection.sendall(answer)

    threading.Thread(target=serve, daemon=True).start()
    return f"http://127.0.0.1:{listening.getsockname()[1]}"


def request() -> bytes:
    return b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_the_client_counts_whole_answers_by_status_and_connections_that_break() -> None:
    long = b"HTTP/1.1 202 Accepted\r\nContent-Length: 70000\r\n\r\n" + b"x" * 70000  # comes in more than one part
    url = answering([b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", long, b"HTTP/1.1 503 Busy\r\n\r\n"])
    done = load(url, request, 1, 30.0)
    assert done.statuses == {200: 1, 202: 1, 503: 1}
    assert done.broken == 1
    assert len(done.waits_s) == 3


def rows(**rates: float) -> dict[Kind, Row]:
    return {Kind[name]: Row(Kind[name], [Load(1.0, {}, [0.001] * int(rate))], [200.0]) for name, rate in rates.items()}


@pytest.mark.parametrize(
    ("rates", "missed"),
    [
        ({"NOOP": 3000, "SQLITE": 1500, "POSTGRES": 900, "CLAIMS": 900}, []),
        ({"NOOP": 3000, "SQLITE": 1500, "CLAIMS": 900}, []),
        ({"NOOP": 3000, "SQLITE": 950, "POSTGRES": 900, "CLAIMS": 900}, ["intake on SQLite a second"]),
        ({"NOOP": 6000, "SQLITE": 1500, "POSTGRES": 700, "CLAIMS": 700}, ["share", "claims", "PostgreSQL"]),
    ],
)
def test_a_bar_that_is_missed_is_named(rates: dict[str, float], missed: list[str]) -> None:
    found = [bar.name for bar in bench.bars(rows(**rates)) if not bar.holds]
    assert len(found) == len(missed)
    assert all(word in name for word, name in zip(missed, found, strict=True))


@pytest.mark.slow
@pytest.mark.skipif(programs() is None, reason="no PostgreSQL is installed")
def test_the_benchmark_measures_all_kinds_and_finds_in_the_stores_what_was_acknowledged(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code = bench.main(["--seconds", "0.3", "--rounds", "1", "--connections", "8", "--cases", "3000", "--json"])
    told = json.loads(capsys.readouterr().out)
    assert code in (0, 1)  # 3 would be a store without what was acknowledged
    assert set(told["rows"]) == {"noop", "sqlite", "postgres", "claims"}
    assert all(row["per_s"] > 0 for row in told["rows"].values())


@pytest.mark.bench
def test_the_service_reaches_its_bars() -> None:
    assert bench.main([]) == 0
