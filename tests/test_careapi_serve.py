from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from care_client import SECRET, TOKEN, post
from care_process import AUTH, bring, started

from careapi.access import Access, Scope
from careapi.platforms import Family
from careapi.workers import SOON_S
from scenarios.errors import InputError

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_says_where_it_is_serves_and_ends_well(how: int, tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service, httpx.Client(base_url=service.url) as http:
        assert service.told == {
            "url": service.url, "store": f"sqlite:{tmp_path}/care.db", "pid": service.process.pid, "token": TOKEN,
            "secret": SECRET,
        }  # fmt: skip
        assert bring(http, post("1")).status_code == 202
        claimed = http.post("/v1/claims", json={"agent": "a1", "langs": ["en"]}, headers=AUTH)
        assert claimed.json()["id"] == 1
        assert service.end(how) == 0
    done = subprocess.run(
        [sys.executable, "-m", "ashcloud", "care", "check", "--store", f"sqlite:{tmp_path}/care.db", "--json"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0
    assert json.loads(done.stdout)["broken"] == [] and json.loads(done.stdout)["mentions"] == 1


def test_who_waits_is_sent_home_when_it_ends(tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service, socket.create_connection(("127.0.0.1", service.port)) as waiting:
        body = b'{"agent":"a1","langs":["en"]}'
        head = f"POST /v1/claims?wait=30 HTTP/1.1\r\nHost: care\r\nAuthorization: Bearer {TOKEN}\r\n"
        waiting.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        httpx.get(f"{service.url}/healthz")
        assert service.end() == 0
        assert waiting.recv(100).startswith(b"HTTP/1.1 204")


def test_what_the_user_got_wrong_is_told_in_a_line(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text('[[tokens]]\nname = "a b"\nsha256 = "00"\nscopes = ["boss"]\n')
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for words, told in (
            (["--port", str(taken.getsockname()[1])], "choose another --port"),
            (["--tokens", str(tokens)], "tokens.toml"),
            (["--store", "mysql:x"], "mysql"),
            (["--store", f"sqlite:{tmp_path}/no/care.db"], "cannot be used"),
            (["--workers", "2"], "one process"),
        ):
            line = [sys.executable, "-m", "ashcloud", "serve", "--port", "0", "--store", f"sqlite:{tmp_path}/a.db"]
            done = subprocess.run([*line, *words], capture_output=True, text=True, timeout=30)
            assert (done.returncode, done.stdout) == (2, "")
            assert told in done.stderr and "Traceback" not in done.stderr


def test_tokens_are_read_from_a_file_with_all_faults_at_once(tmp_path: Path) -> None:
    file = tmp_path / "tokens.toml"
    file.write_text(f'[[tokens]]\nname = "desk"\nsha256 = "{"0" * 64}"\nscopes = ["agent:work"]\n[secrets]\nx = "s"\n')
    access = Access.load(file)
    assert access.tokens[b"\0" * 32].scopes == {Scope.WORK}
    assert (access.secrets[Family.X], access.secrets[Family.META]) == (b"s", b"")
    file.write_text('[[tokens]]\nname = "a b"\nsha256 = "00"\nscopes = ["boss"]\n')
    with pytest.raises(InputError) as told:
        Access.load(file)
    assert len(told.value.faults) == 3


def test_what_happens_is_streamed_and_resumed(tmp_path: Path) -> None:
    with started(tmp_path / "care.db") as service, httpx.Client(base_url=service.url, timeout=10.0) as http:
        assert bring(http, post("1")).status_code == 202
        with http.stream("GET", "/v1/events", headers={**AUTH, "Last-Event-ID": "0"}) as stream:
            lines = stream.iter_lines()
            assert next(line for line in lines if line.startswith("id:")) == "id: 1"
        with http.stream("GET", "/v1/events", headers=AUTH) as stream:
            lines = stream.iter_lines()
            assert next(lines) == "retry: 2000"
            assert bring(http, post("2")).status_code == 202
            assert next(line for line in lines if line.startswith("id:")) == "id: 2"
            assert next(lines) == "event: opened"
            assert service.end() == 0


def test_several_processes_serve_one_store_and_one_that_dies_is_started_anew(pg_url: str) -> None:
    with started(pg_url, "--workers", "2") as service:
        children = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children")
        before = set(children.read_text().split())
        assert len(before) == 2
        with httpx.Client(base_url=service.url, timeout=10.0) as http:
            for n in range(20):
                http.headers["connection"] = "close"  # so that both get some
                assert bring(http, post(str(n))).status_code == 202
            assert len(http.get("/v1/cases", headers=AUTH).json()["items"]) == 20
            time.sleep(SOON_S)  # younger ones are thought to die again
            os.kill(int(min(before)), signal.SIGKILL)
            until_s = time.monotonic() + 20.0
            while len(now := set(children.read_text().split())) < 2 or now == before:
                assert time.monotonic() < until_s
                time.sleep(0.05)
            for n in range(20):
                assert bring(http, post(str(n))).json()["duplicates"] == 1
        assert service.end() == 0
