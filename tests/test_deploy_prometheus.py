"""A real Prometheus, set up as in deploy/, reads a real load test and answers every expression of the board."""

from __future__ import annotations

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit
from urllib.request import urlopen

import numpy as np
import pytest
from commands import TINY
from test_deploy import DEPLOY, expressions, of_load

from loadtests.result import load
from reports.load_serve import running

PROGRAM, TOOL = shutil.which("prometheus"), shutil.which("promtool")
AT_THE_END = ("generator_in_order", "slo_kept")  # for a second or two: a Prometheus may miss them
pytestmark = [pytest.mark.slow, pytest.mark.skipif(PROGRAM is None, reason="no prometheus here; the gate installs it")]


class Seen(NamedTuple):
    """Where to ask Prometheus, from when to when the run was, and its folder."""

    url: str
    from_s: float
    to_s: float
    folder: Path

    def ask(self, expression: str) -> list[list[float]]:
        """The values of each series, second by second."""
        words = {"query": expression, "start": self.from_s, "end": self.to_s, "step": 1}
        with urlopen(f"{self.url}/api/v1/query_range?{urlencode(words)}", timeout=10.0) as told:
            found = json.loads(told.read())
        assert found["status"] == "success"
        return [[float(value) for _, value in series["values"]] for series in found["data"]["result"]]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def prometheus(folder: Path, care: str, load_port: int) -> Iterator[str]:
    """One with the configuration of deploy/, its addresses changed to those of this machine, asking each second."""
    text = (DEPLOY / "prometheus.yml").read_text("utf-8")
    here = {"care:8080": care, "host.docker.internal:9646": f"127.0.0.1:{load_port}", "scrape_interval: 5s":
            "scrape_interval: 1s"}  # fmt: skip
    for there, own in here.items():
        assert there in text
        text = text.replace(there, own)
    (folder / "prometheus.yml").write_text(text, "utf-8")
    address = f"127.0.0.1:{free_port()}"
    words = [str(PROGRAM), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'series'}",
             f"--web.listen-address={address}"]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(words, stdout=log, stderr=log) as process:
        try:
            _wait(f"http://{address}", folder / "log")
            yield f"http://{address}"
        finally:
            process.kill()


def _wait(url: str, log: Path) -> None:
    """Until it has asked both, the service and the load test that is not there yet."""
    until_s = time.monotonic() + 30.0
    while time.monotonic() < until_s:
        with suppress(OSError), urlopen(f"{url}/api/v1/query?query=up", timeout=1.0) as told:
            if len(json.loads(told.read())["data"]["result"]) == 2:
                return
        time.sleep(0.1)
    pytest.fail(f"Prometheus is not ready:\n{log.read_text('utf-8')}")


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    with running(folder) as service, prometheus(folder, urlsplit(service.url).netloc, port) as url:
        words = ["load", TINY, "--target", service.url, "--speed", "3600", "--max-lag", "5000", "--slo", "p99<30s",
                 "--exporter-port", str(port), "--out", "kept"]  # fmt: skip
        settings, from_s = {**os.environ, "ASHCLOUD_SECRET": service.secret}, time.time()
        ran = subprocess.run([sys.executable, "-m", "ashcloud", *words], cwd=folder, env=settings, capture_output=True,
                             text=True, timeout=120)  # fmt: skip
        assert ran.returncode == 0, ran.stderr
        yield Seen(url, from_s, time.time(), folder / "kept")


def test_the_configuration_is_one() -> None:
    assert TOOL is not None
    subprocess.run([TOOL, "check", "config", DEPLOY / "prometheus.yml"], check=True, capture_output=True)


@pytest.mark.parametrize("expression", expressions())
def test_prometheus_answers_what_the_board_asks(expression: str, seen: Seen) -> None:
    found = seen.ask(expression)  # of the service some things are told only when they happen
    if "ashcloud_load" in expression and not any(word in expression for word in AT_THE_END):
        assert any(math.isfinite(value) for values in found for value in values)


def test_no_counter_of_a_load_test_is_ever_reset_and_none_of_its_rows_is_missed(seen: Seen) -> None:
    counters = [name for name in of_load() if name.endswith(("_total", "_bucket", "_count", "_sum"))]
    assert len(counters) == 13
    for name in counters:
        assert {value for values in seen.ask(f"resets({name}[1m])") for value in values} == {0.0}
    (ended,) = seen.ask("sum(ashcloud_load_rows_total)")
    (due,) = seen.ask("ashcloud_load_due_total")
    assert ended[0] == due[0] == 0.0  # it is asked before the first row is due
    assert ended == sorted(ended)
    # What is told is half a second old at most, Prometheus asks each second, and a busy machine keeps both waiting.
    due_s = load(seen.folder / "load.npz")["due_s"]
    assert np.count_nonzero(due_s < due_s[-1] - 3.0) <= ended[-1] <= due[-1] <= due_s.size
