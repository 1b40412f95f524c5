"""Whole replays through Locust, in processes of their own: every row has one end, and Locust's own table is true."""

from __future__ import annotations

import csv
import itertools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from commands import TINY
from load_peer import peer
from scraped import adds_up, flat, total, went_back

from loadtests import schedule
from loadtests.result import LoadResult, Outcome
from loadtests.runner import Status, replay
from loadtests.target import Options, Target
from reports import load_metrics
from scenarios import library
from scenarios.errors import ComponentError
from scenarios.generate import generate

pytestmark = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]


class Eye:
    """Looks on, does something once when a moment of the replay has come, and may stop it."""

    def __init__(self, at_s: float = 1e9, do: Callable[[], object] = lambda: None, stop: bool = False) -> None:
        self.at_s, self.do, self.stop = at_s, do, stop
        self.seen: list[Status] = []
        self._done = threading.Event()

    def status(self, status: Status) -> None:
        self.seen.append(status)
        if status["at_s"] >= self.at_s and not self._done.is_set():
            self._done.set()
            self.do()

    def stopped(self) -> str:
        return "interrupted" if self.stop and self._done.is_set() else ""


def even(rate_per_s: float, seconds: float) -> schedule.Schedule:
    return schedule.at_times(np.arange(0.0, seconds, 1.0 / rate_per_s), "even")


def table(folder: Path) -> dict[str, Any]:
    """The line of all requests in Locust's own table."""
    with (folder / "locust_stats.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))[-1]


def _trace(folder: Path) -> Any:
    trace = generate(library.load(TINY), 1)
    rows = schedule.of_traces([trace], 5400.0)  # six hours in four seconds
    eye = Eye()
    with peer("signed-word") as server:
        result = replay(rows, Target(server.url, secret="word"), watch=eye, keep=folder)
        return rows, result, eye, server.stats()


def _stalled(folder: Path, workers: int) -> LoadResult:
    with peer() as server:

        def stall() -> None:
            server.freeze()
            threading.Timer(2.0, server.thaw).start()

        return replay(even(200.0, 10.0), Target(server.url), Options(workers), watch=Eye(3.0, stall), keep=folder)


def _stopped(folder: Path, workers: int) -> Any:
    eye = Eye(1.5, stop=True)
    with peer() as server:
        result = replay(even(300.0, 60.0), Target(server.url), Options(workers), watch=eye, keep=folder)
        return result, server.stats()["posts"], eye


def _bereaved(folder: Path, number: signal.Signals) -> Any:
    eye = Eye(1.5, lambda: os.kill(eye.seen[-1]["processes"][0], number))
    with peer() as server:
        result = replay(even(200.0, 5.0), Target(server.url), Options(2), watch=eye)
        return result, server.stats()["posts"], eye


def _left_alone(folder: Path) -> LoadResult:
    with peer() as server:
        return replay(even(100.0, 3.0), Target(server.url), watch=Eye(1.0, server.process.kill), keep=folder)


CASES: dict[str, Callable[[Path], Any]] = {
    "stalled-1": lambda folder: _stalled(folder, 1),
    "stalled-2": lambda folder: _stalled(folder, 2),
    "killed": lambda folder: _bereaved(folder, signal.SIGKILL),
    "frozen": lambda folder: _bereaved(folder, signal.SIGSTOP),
    "stopped-1": lambda folder: _stopped(folder, 1),
    "stopped-2": lambda folder: _stopped(folder, 2),
    "trace": _trace,
    "alone": _left_alone,
}


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], tuple[Any, Path]]]:
    """What the replays of `CASES` gave, and their folders.

    Most of their time is waiting, so they run side by side; but those whose times are held to the truth run first,
    one by one.
    """
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    timed = [name for name in CASES if name.startswith("stalled")]
    with ThreadPoolExecutor(1) as pool:
        found = {name: pool.submit(CASES[name], folders[name]) for name in timed}
    with ThreadPoolExecutor(4) as pool:
        found |= {name: pool.submit(play, folders[name]) for name, play in CASES.items() if name not in timed}
        yield lambda name: (found[name].result(), folders[name])


Played = Callable[[str], tuple[Any, Path]]


def _adds_up(result: LoadResult) -> dict[str, int]:
    counts = result.counts()
    assert counts["sent"] + counts["unsent"] + counts["abandoned"] + counts["dropped"] == counts["rows"] == len(result)
    return counts


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stalled_server_is_charged_to_all_who_were_due_meanwhile(workers: int, played: Played) -> None:
    """200/s for 10 s, stopped for 2 s: what is due in the stall waits for its end.

    So 400 of 2,000 rows wait for 0 to 2 s, evenly: the mean over all is 0.2 s, the 95th percentile, the
    100th of them from the top, 1.5 s. A closed loop reports 0.02 s there.
    """
    result, folder = played(f"stalled-{workers}")
    assert result.counts()["answered"] == 2000
    times = result.histograms()["latency"]
    assert times.mean_s == pytest.approx(0.2, rel=0.1)
    assert times.quantile_s(0.95) == pytest.approx(1.5, rel=0.1)
    told = table(folder)
    assert int(told["Request Count"]) == 2000
    assert float(told["Average Response Time"]) == pytest.approx(200.0, rel=0.1)
    assert float(told["95%"]) == pytest.approx(1500.0, rel=0.1)


def test_every_row_is_sent_once_signed_and_counted_the_same_by_all(played: Played) -> None:
    (rows, result, eye, taken), folder = played("trace")
    assert (taken["posts"], taken["ids"]) == (len(rows), len(rows))
    counts = _adds_up(result)
    assert counts["answered"] == len(rows)
    assert (result["row"] == rows["row"]).all()
    assert (result["worker"] == 0).all()
    assert (result.lag_s >= 0.0).all()
    assert (result["first_byte_s"] >= result["sent_s"]).all()
    assert (result["done_s"] >= result["first_byte_s"]).all()
    told = table(folder)
    assert (int(told["Request Count"]), int(told["Failure Count"])) == (len(rows), 0)
    assert float(told["Average Response Time"]) == pytest.approx(1e3 * np.nanmean(result.latency_s), rel=1e-3)
    assert "/v1/mentions" in (folder / "locust.html").read_text("utf-8")
    assert eye.seen[-1]["tallies"][0]["answered"] == len(rows)
    assert result.about["status"] == "finished"
    assert "word" not in str(result.about)


def test_two_workers_of_one_machine_find_that_they_have_one_clock(played: Played) -> None:
    (result, _, _), _ = played("stopped-2")
    for worker in result.about["workers"]:
        assert worker["clock_answers"] >= 1
        assert abs(worker["clock_offset_s"]) <= worker["clock_bound_s"]


@pytest.mark.parametrize("workers", [1, 2])
def test_after_a_stop_every_row_is_accounted_for(workers: int, played: Played) -> None:
    (result, taken, eye), folder = played(f"stopped-{workers}")
    counts = _adds_up(result)
    assert result.about["status"] == "interrupted"
    assert counts["rows"] == 18_000
    assert counts["unsent"] > 9_000
    assert counts["sent"] <= taken <= counts["sent"] + counts["abandoned"]
    assert int(table(folder)["Request Count"]) == counts["sent"]
    sending = {process for status in eye.seen for process in status.get("processes", [])}
    assert len(sending) == workers
    assert not any(psutil.pid_exists(process) for process in sending)


@pytest.mark.parametrize(
    ("case", "rows"), [("stopped-1", 18_000), ("stopped-2", 18_000), ("killed", 1000), ("frozen", 1000)]
)
def test_what_is_told_meanwhile_adds_up_and_never_goes_back(case: str, rows: int, played: Played) -> None:
    (result, _, eye), _ = played(case)
    assert _scraped(schedule.at_times(np.arange(float(rows)), "rows"), eye) == result.about["due"]


def _scraped(rows: schedule.Schedule, eye: Eye) -> float:
    """How many rows were due at last, if what Prometheus is told at each word of the chief is right."""
    seen = [load_metrics.unbegun(rows, 0.01)]
    for status in eye.seen:
        seen.append(load_metrics.of_status(seen[-1], status))
    told = [flat(load_metrics.families(each)) for each in seen]
    for each in told:
        adds_up(each)
    assert [went_back(*pair) for pair in itertools.pairwise(told)] == [[]] * len(eye.seen)
    assert total(told[-1], "ashcloud_load_rows_total") == len(rows)
    return told[-1]["ashcloud_load_due_total", frozenset()]


@pytest.mark.parametrize("workers", [1, 2])
def test_a_stop_before_the_first_row_sends_none(workers: int) -> None:
    class Rash(Eye):
        def stopped(self) -> str:
            return "interrupted"

    with peer() as server:
        result = replay(even(10.0, 60.0), Target(server.url), Options(workers), watch=Rash())
        assert server.stats()["ids"] == 0
    assert _adds_up(result)["unsent"] == 600
    assert result.about["status"] == "interrupted"


@pytest.mark.parametrize("fate", ["killed", "frozen"])
def test_a_lost_worker_is_reported_with_its_rows(fate: str, played: Played) -> None:
    (result, taken, eye), _ = played(fate)
    counts = _adds_up(result)
    (lost,) = [worker for worker in result.about["workers"] if worker.get("lost")]
    assert lost["lost_rows"] == counts["abandoned"] + counts["unsent"]
    left = result["worker"] != lost["number"]
    assert (result["outcome"][left] == Outcome.ANSWERED).all()
    assert 0 < counts["abandoned"] + counts["unsent"] <= 500
    assert counts["sent"] <= taken <= counts["sent"] + counts["abandoned"]
    assert not any(psutil.pid_exists(process) for process in eye.seen[-2]["processes"])


def test_a_server_that_dies_leaves_failed_rows(played: Played) -> None:
    result, folder = played("alone")
    counts = _adds_up(result)
    assert counts["failed"] > 100
    assert counts["answered"] > 50
    assert "connection refused" in result.about["errors"]
    assert int(table(folder)["Failure Count"]) == counts["failed"]


def test_a_hundred_thousand_rows_at_one_instant_all_have_an_end() -> None:
    rows = schedule.at_times(np.full(100_000, 0.2), "at once")
    eye = Eye()
    with peer() as server:
        result = replay(rows, Target(server.url), Options(max_connections=300), watch=eye)
    assert _scraped(rows, eye) == 100_000
    counts = _adds_up(result)
    assert counts["dropped"] + counts["answered"] + counts["failed"] == 100_000
    assert counts["dropped"] > 0
    assert counts["answered"] >= 300


def test_locust_that_cannot_start_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = tmp_path / "locustfile.py"
    broken.write_text("raise SystemExit('no locust today')\n", "utf-8")
    monkeypatch.setattr("loadtests.processes.LOCUSTFILE", broken)
    with peer() as server, pytest.raises(ComponentError, match="no locust today"):
        replay(even(10.0, 1.0), Target(server.url))


def test_a_port_that_is_taken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with peer() as server:
        monkeypatch.setattr("loadtests.processes._free_port", lambda: server.port)
        with pytest.raises(ComponentError, match="Locust ended without results"):
            replay(even(10.0, 1.0), Target(server.url), Options(2))


def test_locust_is_imported_in_its_own_processes_only() -> None:
    assert "locust" not in sys.modules
    assert "gevent" not in sys.modules


def test_a_killed_parent_leaves_no_process_behind(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\nfrom loadtests import schedule, runner\n"
        "from loadtests.target import Options, Target\n"
        "class Eye(runner.Blind):\n    def status(self, status):\n        print(status['at_s'], flush=True)\n"
        "rows = schedule.at_times(np.arange(0, 60, 0.1), 'even')\n"
        "runner.replay(rows, Target(sys.argv[1]), Options(2), watch=Eye())\n"
    )
    with peer() as server:
        words = [sys.executable, "-c", code, server.url]
        own = {**os.environ, "TMPDIR": str(tmp_path)}  # nobody is left to tidy up
        parent = psutil.Popen(words, stdout=-1, cwd=Path(__file__).parent.parent, env=own)
        assert parent.stdout.readline()
        children = parent.children()
        assert len(children) == 3
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        parent.stdout.close()
        _, alive = psutil.wait_procs(children, timeout=20.0)
    assert alive == []
