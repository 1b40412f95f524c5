"""`ashcloud load --web`: a page at once, still there when the results are written, gone when it is asked to go."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from click.testing import CliRunner
from commands import TINY
from load_peer import peer

from ashcloud import main
from loadtests.result import load

real = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]
FAST = ("--speed", "7200", "--max-lag", "2000")  # six hours in three seconds; a busy machine is no fault here
HERE = ("--target", "http://127.0.0.1:9")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (("--web", "TAKEN"), "--web TAKEN is taken by another program; take another port, or 0 for any that is free"),
        (("--web=65536",), "65536 is not in the range 0<=x<=65535"),
        (("--web", "volcano"), "volcano is no port; write --web=PORT, or --web behind everything else"),
        (("--backlog", "jobs"), "--backlog is for the page; say --web too"),
        (("--backlog", "no name", "--web", "0"), "--backlog no name is no name of a series"),
    ],
)
def test_what_is_wrong_with_the_page_is_said_before_anything_is_sent(
    words: tuple[str, ...], hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        asked = [word.replace("TAKEN", port) for word in words]
        told = CliRunner().invoke(main, ["load", TINY, *HERE, *asked], prog_name="ashcloud")
    assert (told.exit_code, told.stdout) == (2, "")
    assert hint.replace("TAKEN", port) in told.stderr
    assert os.listdir(tmp_path) == []


def test_a_dry_run_opens_no_page() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        told = CliRunner().invoke(main, ["load", TINY, *HERE, "--dry-run", "--web", port])
    assert told.exit_code == 0
    assert "--dry-run sends nothing, so it opens no page" in told.stderr


class Command:
    """The command while it runs."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.url = self.until(r"page: (\S+)/ashcloud")

    def until(self, pattern: str) -> str:
        """Read what is said on standard error up to a line; what is in its brackets."""
        assert self.process.stderr is not None
        for line in self.process.stderr:
            if found := re.search(pattern, line):
                return found[found.lastindex or 0]
        raise AssertionError(f"it ended without {pattern}")

    def end(self) -> tuple[int, str]:
        out, _ = self.process.communicate(timeout=60)
        return self.process.returncode, out

    @property
    def family(self) -> list[psutil.Process]:
        found: list[psutil.Process] = psutil.Process(self.process.pid).children(recursive=True)
        return found


@contextmanager
def command(folder: Path, *words: str) -> Iterator[Command]:
    line = [sys.executable, "-m", "ashcloud", "load", TINY, *words, "--web", "0", "--out", "kept"]
    pipe, own = subprocess.PIPE, {**os.environ, "TMPDIR": str(folder), "ASHCLOUD_SECRET": ""}
    with subprocess.Popen(line, cwd=folder, env=own, stdout=pipe, stderr=pipe, text=True) as process:
        try:
            yield Command(process)
        finally:
            process.kill()


def gone(family: list[psutil.Process], url: str) -> bool:
    _, alive = psutil.wait_procs(family, timeout=20.0)
    with pytest.raises(URLError):
        urlopen(url, timeout=1.0)
    return not alive


class TestReal:
    pytestmark = real

    def test_the_results_are_written_while_the_page_stays_and_it_ends_with_the_code_of_the_run(
        self, tmp_path: Path
    ) -> None:
        with command(tmp_path, *FAST, "--serve", "--workers", "2") as going:
            url = going.until(r"the page stays open at (\S+) until Ctrl-C")
            result = load(tmp_path / "kept" / "load.npz")
            assert {"manifest.json", "load.json", "locust.html", "locust_history.csv"} <= set(
                os.listdir(tmp_path / "kept")
            )
            told = json.loads(urlopen(f"{url}/state", timeout=10.0).read())
            assert told["totals"]["answered"] == result.counts()["answered"] == len(result)
            assert set(told["server"]["values"]) == {"requests in hand", "writes waiting", "cases waiting"}
            assert (told["verdict"]["exit_code"], told["verdict"]["folder"]) == (0, "kept")
            family = going.family
            assert len(family) == 1  # the chief: workers and service are gone
            going.process.send_signal(signal.SIGTERM)
            code, out = going.end()
        assert code == 0
        assert "rows were answered" in out
        assert gone(family, going.url)
        assert os.listdir(tmp_path) == ["kept"]

    def test_ctrl_c_while_it_runs_ends_the_page_too(self, tmp_path: Path) -> None:
        with peer() as server, command(tmp_path, "--speed", "60", "--target", server.url, "--max-lag", "2000") as going:
            urlopen(f"{going.url}/ashcloud/state", timeout=20.0).close()
            going.process.send_signal(signal.SIGINT)
            code, _ = going.end()
        assert code == 130
        assert load(tmp_path / "kept" / "load.npz").about["status"] == "interrupted"

    def test_a_killed_command_leaves_neither_page_nor_process(self, tmp_path: Path) -> None:
        with peer() as server, command(tmp_path, *FAST, "--target", server.url) as going:
            going.until("the page stays open")
            family = going.family
            assert len(family) == 1
            going.process.kill()
            going.process.wait()
            assert gone(family, going.url)
