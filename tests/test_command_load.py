"""`ashcloud load` against a real server: exit codes, files, what is said; several at once, as most of it is waiting."""

from __future__ import annotations

import itertools
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import Request, urlopen

import psutil
import pytest
from commands import TINY
from load_peer import LOCALHOST, peer
from scraped import Samples, adds_up, samples, went_back

from loadtests.result import load

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]
AT_ONCE = 3  # more, and a service on two cores has no time to answer in
FAST = ("--speed", "7200", "--max-lag", "2000")  # six hours in three seconds; a busy machine is no fault here


class Done(NamedTuple):
    code: int
    out: str
    told: str
    folder: Path


def command(folder: Path, *words: str, secret: str = "", interrupt: bool = False) -> Done:
    line = [sys.executable, "-m", "ashcloud", "load", *words, "--out", "kept"]
    pipe, settings = subprocess.PIPE, {**os.environ, "ASHCLOUD_SECRET": secret}
    with subprocess.Popen(line, cwd=folder, env=settings, stdout=pipe, stderr=pipe, text=True) as process:
        told = ""
        if interrupt:
            assert process.stderr is not None
            told = process.stderr.readline()
            process.send_signal(signal.SIGINT)
        out, rest = process.communicate(timeout=120)
    return Done(process.returncode, out, told + rest, folder / "kept")


def _kept(folder: Path) -> Done:
    with peer("signed-s3cret", LOCALHOST) as server:
        words = ("--target", server.url, "--ca", str(LOCALHOST), "--slo", "errors<1%,p50<30s", "--connections", "new")
        return command(folder, TINY, *FAST, *words, secret="s3cret")


def _broken(folder: Path) -> Done:
    with peer("status-500") as server:
        slow = ("--speed", "360", "--max-lag", "2000", "--json", "--workers", "2")
        return command(folder, TINY, *slow, "--target", server.url, "--slo", "errors<50%", "--abort-on-slo")


def _late(folder: Path) -> Done:
    with peer() as server:
        return command(folder, TINY, *FAST[:2], "--target", server.url, "--max-lag", "0.000001", "--slo", "p50<1s")


def _interrupted(folder: Path) -> Done:
    with peer() as server:
        words = ("--speed", "60", "--max-lag", "2000", "--target", server.url)
        return command(folder, TINY, *words, interrupt=True)


def _served(folder: Path) -> Done:
    return command(folder, TINY, *FAST, "--serve", "--slo", "errors<1%")


def _batched(folder: Path) -> Done:
    words = ("--workers", "2", "--batch", "20", "--batch-wait", "0.2", "--disturb", "redeliver=10%,hostile=10%")
    return command(folder, TINY, *FAST, "--serve", *words)


def _scraped(folder: Path) -> tuple[Done, list[Samples]]:
    """A run, and all that Prometheus would have been told, from the first line that it says to its end."""
    line = [sys.executable, "-m", "ashcloud", "load", TINY, *FAST, "--slo", "errors<1%", "--out", "kept"]
    with peer() as server:
        words = [*line, "--target", server.url, "--exporter-port", "0", "--workers", "2"]
        with subprocess.Popen(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            url = process.stderr.readline().split(": ", 1)[1].strip()
            seen = []
            with suppress(OSError):  # until nobody listens any more
                while True:
                    with urlopen(Request(url, headers={"Accept": "application/openmetrics-text"}), timeout=5.0) as told:
                        seen.append(samples(told.read()))
                    time.sleep(0.1)
            out, rest = process.communicate(timeout=120)
    return Done(process.returncode, out, rest, folder / "kept"), seen


CASES: dict[str, Callable[[Path], Any]] = {
    "served": _served, "scraped": _scraped, "kept": _kept, "broken": _broken, "late": _late,
    "interrupted": _interrupted, "batched": _batched,
}  # fmt: skip
Ran = Callable[[str], Any]


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ran]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        found = {name: pool.submit(case, tmp_path_factory.mktemp(name)) for name, case in CASES.items()}
        yield lambda name: found[name].result()


def test_a_run_that_keeps_its_objectives_ends_with_0_and_a_folder(ran: Ran) -> None:
    code, out, told, folder = ran("kept")
    assert code == 0, told
    assert "all " in out.splitlines()[0]
    assert "objectives are kept" in out
    assert "Traceback" not in told
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "manifest.json", "scenario.json", "scenario.toml", "load.npz", "load.json", "load.svg", "load.png", "junit.xml",
        "summary.json", "summary.md", "metrics.txt", "locust.html", "locust_stats.csv", "locust_failures.csv",
        "locust_history.csv",
    }  # fmt: skip
    result = load(folder / "load.npz")
    assert result.counts()["answered"] == len(result) > 300
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert (manifest["kind"], manifest["result"], manifest["exit_code"]) == ("load", result.digest, 0)
    assert not any("s3cret" in path.read_text("utf-8", "replace") for path in folder.glob("*.json"))


def test_our_own_service_is_started_measured_and_ended(ran: Ran) -> None:
    code, _, told, folder = ran("served")
    assert code == 0, told
    result = load(folder / "load.npz")
    counts = result.counts()
    assert counts["answered"] == counts["rows"]
    with sqlite3.connect(folder / "care.db") as store:
        (kept,) = store.execute("SELECT COUNT(*) FROM mention").fetchone()
    store.close()
    assert kept == counts["rows"]
    server = result.about["server"]
    assert server["times_s"]
    assert any(name.startswith("care_mentions_total") for name in server["series"])
    with pytest.raises(URLError):
        urlopen(result.about["target"]["url"], timeout=1.0)


def test_posts_in_batches_are_all_taken_and_hostile_ones_rejected_at_their_places(ran: Ran) -> None:
    done = ran("batched")
    assert done.code == 0, done.told
    result = load(done.folder / "load.npz")
    counts = result.counts()
    assert counts["rows"] == counts["sent"] == counts["answered"]
    requests = len(set(zip(result["sent_s"].tolist(), result["worker"].tolist(), strict=True)))
    assert result.about["batched"] == {"most": 20, "wait_s": 0.2, "requests": requests}
    assert requests < counts["rows"] / 3
    with closing(sqlite3.connect(done.folder / "care.db")) as store:
        kept = [each for (each,) in store.execute("SELECT external_id FROM mention")]
    run = result.about["run"]
    ids = {f"{run}-{replication}-{row}" for replication, row in zip(result["replication"], result["row"], strict=True)}
    # A tenth of the posts is hostile: five standard errors of a share are sqrt(0.1 * 0.9 / n) * 5.
    assert 1.0 - len(kept) / len(ids) == pytest.approx(0.1, abs=5.0 * (0.09 / len(ids)) ** 0.5)
    assert len(set(kept)) == len(kept)
    assert set(kept) <= ids


def test_prometheus_sees_the_run_from_its_first_row_to_what_its_file_says(ran: Ran) -> None:
    (code, _, told, folder), seen = ran("scraped")
    assert code == 0, told
    for each in seen:
        adds_up(each)
    assert [went_back(*pair) for pair in itertools.pairwise(seen)] == [[]] * (len(seen) - 1)
    assert seen[0]["ashcloud_load_due_total", frozenset()] == 0
    assert any(0 < each["ashcloud_load_due_total", frozenset()] < len(load(folder / "load.npz")) for each in seen)
    assert seen[-1] == pytest.approx(samples((folder / "metrics.txt").read_bytes()))


def test_a_broken_objective_ends_the_run_with_1(ran: Ran) -> None:
    code, out, told, folder = ran("broken")
    assert code == 1, told
    figures = json.loads(out, parse_constant=lambda word: pytest.fail(word))
    assert figures["status"] == "aborted"
    assert figures["exit_code"] == 1
    assert figures["unsent"] > 0
    assert "it was ended, as an objective was broken" in told
    assert "HTTP 500" in told
    assert "<failure" in (folder / "junit.xml").read_text("utf-8")


def test_a_late_generator_ends_the_run_with_4_and_no_times_of_the_server(ran: Ran) -> None:
    code, out, told, folder = ran("late")
    assert code == 4, told
    kept = json.loads((folder / "load.json").read_text("utf-8"))
    assert kept["latency_ms"]["p99"] is None and kept["service_ms"]["p99"] is None and kept["lag_ms"]["p99"] > 0.0
    assert set(kept["histograms"]) == {"lag"}
    assert json.loads((folder / "summary.json").read_text("utf-8"))["metrics"]["http_req_duration"] == {}
    assert "latency" not in (folder / "metrics.txt").read_text("utf-8")
    assert "<failure" not in (folder / "junit.xml").read_text("utf-8")
    assert out.startswith("The run is invalid: the generator was not in order")
    assert "reached" not in out
    assert "generator: 1 % of the rows were sent" in told


def test_ctrl_c_keeps_what_had_ended(ran: Ran) -> None:
    code, _, told, folder = ran("interrupted")
    assert code == 130, told
    assert "Traceback" not in told
    result = load(folder / "load.npz")
    counts = result.counts()
    assert result.about["status"] == "interrupted"
    assert counts["unsent"] > 0
    assert counts["sent"] + counts["abandoned"] + counts["unsent"] + counts["dropped"] == counts["rows"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_killed_command_leaves_no_service_behind(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "ashcloud", "load", TINY, "--speed", "60", "--serve", "--out", "kept"]
    own = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(words, cwd=tmp_path, env=own, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("load: ")
        children = psutil.Process(process.pid).children()
        assert len(children) == 2  # Locust and the service
        process.kill()
    _, alive = psutil.wait_procs(children, timeout=20.0)
    assert alive == []


def test_a_wrong_secret_and_a_target_that_is_down_are_told_at_once(tmp_path: Path) -> None:
    with peer("signed-word") as server:
        wrong = command(tmp_path, TINY, *FAST, "--target", server.url, secret="other")
    assert (wrong.code, wrong.out) == (2, "")
    assert "the secret is not the one that the service has; set ASHCLOUD_SECRET to it" in wrong.told
    down = command(tmp_path, TINY, *FAST, "--target", server.url)
    assert (down.code, down.out) == (3, "")
    assert "nobody listens there" in down.told
    assert os.listdir(tmp_path) == []
