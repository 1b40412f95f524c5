"""What Prometheus is told of a load test: read by Prometheus' own parsers, adds up, never goes back, where it may."""

from __future__ import annotations

import itertools
import random
import socket
import struct
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import numpy as np
import pytest
from click.testing import CliRunner
from commands import TINY
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import parser as text_form
from scraped import Samples, adds_up, flat, samples, total, went_back
from test_reports_load import HERE, OPTIONS, answered, result

from ashcloud import main
from loadtests import health
from loadtests.chief import Chief
from loadtests.collect import Packer
from loadtests.histogram import Histogram
from loadtests.result import LATER, TIMES, LoadResult, Outcome
from loadtests.schedule import Schedule, at_times
from loadtests.sender import Ended
from loadtests.work import SCHEDULE
from reports import load_metrics
from reports.load_ask import question
from reports.load_exporter import Address, Exporter, serving
from scenarios.errors import InputError

OPEN_METRICS = {"Accept": "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"}


def of(found: LoadResult, words: str | None = None) -> Samples:
    answer = answered(found, words)
    return samples(load_metrics.text(load_metrics.of_result(answer.result, answer.checks, answer.verdict)))


# --- the file that a run leaves -----------------------------------------------------------------


def test_the_file_is_open_metrics_and_adds_up() -> None:
    outcome = np.array([Outcome.ANSWERED] * 390 + [Outcome.FAILED, Outcome.SHED] * 5)
    told = of(result(outcome=outcome), "p99<5ms")
    adds_up(told)
    assert total(told, "ashcloud_load_rows_total") == 400 == told["ashcloud_load_due_total", frozenset()]
    assert total(told, "ashcloud_load_rows_total", phase="peak", outcome="failed") == 5
    assert told["ashcloud_load_slo_kept", frozenset({("phase", "peak"), ("slo", "p99<5ms")})] == 0
    assert told["ashcloud_load_generator_in_order", frozenset()] == 1
    assert total(told, "ashcloud_load_info", scenario="tiny", speed="60", target=HERE.url, workers="1") == 1
    percentile = total(told, "ashcloud_load_latency_percentile_seconds", phase="peak", percentile="99")
    assert percentile == pytest.approx(0.01, rel=0.011)


def test_what_cannot_be_measured_is_not_told_as_in_order() -> None:
    found = result()
    blind = LoadResult(found.columns, {**found.about, "workers": [{"number": 0, "wall_s": 4.0, "waited_s": None}]})
    assert ("ashcloud_load_generator_in_order", frozenset()) not in of(blind)


def test_without_phases_all_rows_are_one_and_those_behind_the_last_phase_have_their_own() -> None:
    found = result()
    assert total(of(LoadResult(found.columns, {**found.about, "phases": []})), "ashcloud_load_rows_total",
                 phase="all", outcome="answered") == 400  # fmt: skip
    early = found.about["phases"][:1]
    told = of(LoadResult(found.columns, {**found.about, "phases": early}))
    assert total(told, "ashcloud_load_planned_rows", phase=LATER) == 200 == total(told, "ashcloud_load_rows_total",
                                                                                  phase=LATER)  # fmt: skip
    adds_up(told)


@given(times=st.lists(st.floats(0.0, 100.0), max_size=200), bounds=st.lists(st.floats(1e-5, 200.0), min_size=1))
def test_a_bucket_leaves_out_at_most_what_lies_1_percent_below_its_bound(
    times: list[float], bounds: list[float]
) -> None:
    counted = Histogram.of(times)
    bounds.sort()
    below = counted.below(bounds)
    assert below == sorted(below)
    for bound, told in zip(bounds, below, strict=True):
        # A time has its bucket by a logarithm, so a bound that is an edge itself may fall on either side.
        surely = sum(time < bound / 1.0101 for time in times)
        assert surely <= told <= sum(time <= bound * (1.0 + 1e-9) for time in times)


# --- while it runs ------------------------------------------------------------------------------


def phased(n: int, later: bool) -> Schedule:
    made = at_times(np.arange(float(n)) / 1e6, "rows")  # all due at once, for a chief that has just begun
    middle, end = n / 2e6, n / 1e6 + (-2e-6 if later else 1.0)
    phases = [{"name": "early", "from_s": 0.0, "to_s": middle}, {"name": "late", "from_s": middle, "to_s": end}]
    return Schedule(made.columns, {**made.about, "phases": phases})


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(4, 40), workers=st.integers(1, 3), lost=st.integers(-1, 2), stop=st.booleans(),
       later=st.booleans(), seed=st.integers(0, 999))  # fmt: skip
def test_in_every_scrape_the_counts_add_up_and_none_goes_back(
    rows: int, workers: int, lost: int, stop: bool, later: bool, seed: int
) -> None:
    """Workers send, drop, tell, are lost and stop in any order."""
    schedule, dice = phased(rows, later), random.Random(seed)
    exporter = Exporter(load_metrics.unbegun(schedule, 0.01))
    seen = [flat(load_metrics.families(exporter.told.seen))]

    def scrape() -> None:
        exporter.status(chief.status())
        seen.append(flat(load_metrics.families(exporter.told.seen)))

    with TemporaryDirectory() as folder:
        schedule.save(Path(folder) / SCHEDULE)
        chief = Chief(Path(folder), workers)
        for part in range(workers):
            chief.ready(part)
        assert chief.start_s is not None
        chief.start_s -= 3.0  # so all are due
        parts = [Sending(len(range(part, rows, workers)), dice) for part in range(workers)]
        for _ in range(2 * rows):
            part = dice.randrange(workers)
            parts[part].step()
            if dice.random() < 0.3:
                chief.rows(part, parts[part].told())
                scrape()
        if 0 <= lost < workers:
            chief.lost(lost)
            scrape()
        for part, sending in enumerate(parts):
            sending.end(Outcome.ABANDONED if stop else Outcome.ANSWERED)
            chief.rows(part, sending.told())
            chief.done(part, {})
            scrape()
        chief.write()
        scrape()
    for told in seen:
        adds_up(told)
    assert [went_back(*pair) for pair in itertools.pairwise(seen)] == [[]] * (len(seen) - 1)
    assert total(seen[-1], "ashcloud_load_rows_total") == rows
    assert seen[-1]["ashcloud_load_in_flight", frozenset()] == 0


class Sending:
    """A worker as the chief knows it: sends its rows in order, some are dropped, answers come in any order."""

    def __init__(self, rows: int, dice: random.Random) -> None:
        self._rows, self._dice, self._packer = rows, dice, Packer(0.0)
        self._sent, self._flying = 0, list[int]()

    def step(self) -> None:
        if self._sent < self._rows and self._dice.random() < 0.6:
            if self._dice.random() < 0.2:
                self._packer.add(_ended(self._sent, Outcome.DROPPED))
            else:
                self._flying.append(self._sent)
            self._sent += 1
        elif self._flying:
            place = self._flying.pop(self._dice.randrange(len(self._flying)))
            self._packer.add(_ended(place, self._dice.choice([Outcome.ANSWERED, Outcome.FAILED, Outcome.SHED])))

    def end(self, outcome: Outcome) -> None:
        """What is under way ends so."""
        for place in self._flying:
            self._packer.add(_ended(place, outcome))
        self._flying.clear()

    def told(self) -> dict[str, Any]:
        return {**self._packer.take(), "in_flight": len(self._flying), "handed": self._sent}


def _ended(place: int, outcome: Outcome) -> Ended:
    sent_s = 0.001 * (place + 1)  # after it was due, as none is sent before
    if outcome is Outcome.DROPPED:
        return Ended(place, float("nan"), float("nan"), sent_s, 0, outcome, "", 0)
    done_s = float("nan") if outcome is Outcome.ABANDONED else sent_s + 0.01
    return Ended(place, sent_s, done_s, done_s, 200, outcome, "", 10)


def status(lag_s: float, dropped: int = 0, lost: int = 0) -> dict[str, Any]:
    """Two phases of a hundred rows, the second sent so late."""
    times = {name: Histogram.of([0.001] * 100).to_dict() for name in TIMES}
    none = {outcome.name.lower(): 0 for outcome in Outcome} | {"answered": 100, "dropped": dropped}
    late = {**times, "lag": Histogram.of([lag_s] * 100).to_dict()}
    tallies = [{"name": name, **none, **own} for name, own in (("all", late), ("rise", times), ("peak", late))]
    return {"at_s": 2.0, "due": 210, "handed": 205, "in_flight": 5, "lost": lost, "tallies": tallies, "later": None}


@pytest.mark.parametrize(
    ("told", "doubts"),
    [
        (status(0.001), set()), (status(0.5), {"late"}), (status(0.001, dropped=1), {"dropped"}),
        (status(0.001, lost=1), {"lost worker"}),
    ],
)  # fmt: skip
def test_a_doubt_about_the_generator_is_told_at_once_and_a_verdict_only_at_the_end(
    told: dict[str, Any], doubts: set[str]
) -> None:
    exporter = Exporter(load_metrics.unbegun(planned(), health.LAG_P99_S))
    exporter.status(told)
    found = samples(load_metrics.text(exporter.told.seen))
    assert {dict(has)["why"] for (name, has), value in found.items() if name.endswith("doubt") and value} == doubts
    verdict = ("ashcloud_load_generator_in_order", frozenset[tuple[str, str]]())
    assert verdict not in found
    exporter.judged(health.Verdict("invalid", ("late",)), ())
    found = samples(load_metrics.text(exporter.told.seen))
    assert found[verdict] == 0
    assert not any("latency" in name or "service" in name for name, _ in found)


def planned() -> Schedule:
    found = result()
    return Schedule(at_times(found["due_s"], "tiny").columns, {**at_times(found["due_s"], "tiny").about,
                                                                "phases": found.about["phases"]})  # fmt: skip


# --- where it listens ---------------------------------------------------------------------------


def ask(url: str, **headers: str) -> tuple[str, str]:
    with urlopen(Request(url, headers=headers), timeout=5.0) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def test_each_form_is_told_to_whoever_asks_for_it_and_to_this_machine_alone() -> None:
    said: list[str] = []
    with serving(Address(0), load_metrics.unbegun(planned(), 0.01), said.append) as exporter:
        (line,) = said
        url = line.partition(": ")[2]
        assert url.startswith("http://127.0.0.1:")
        exporter.status(status(0.001))
        kind, plain = ask(url)
        assert kind.startswith("text/plain; version=0.0.4")
        kind, modern = ask(url, **OPEN_METRICS)
        assert kind.startswith("application/openmetrics-text; version=1.0.0")
        first, second = flat(text_form.text_string_to_metric_families(plain)), samples(modern)
        assert first == second
        adds_up(first)
    with pytest.raises(URLError):
        urlopen(url, timeout=1.0)


def test_who_asks_badly_or_goes_away_is_no_matter_for_the_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    said: list[str] = []
    bad = (b"GET /metrics HTTP/1.1\r\n\r\n", b"\x16\x03\x01no TLS here\r\n\r\n", b"", b"GET /" + 70_000 * b"a",
           b"GET / HTTP/1.1\r\nAccept: application/openmetrics-text;version=none\r\n\r\n")  # fmt: skip
    with serving(Address(0), load_metrics.unbegun(planned(), 0.01), said.append):
        url = said[0].partition(": ")[2]
        for words in bad:
            for linger in (struct.pack("ii", 1, 0), None):  # go away at once, or wait for the answer
                with socket.create_connection(("127.0.0.1", int(url.split(":")[2].split("/")[0])), 5.0) as hasty:
                    hasty.sendall(words)
                    if linger is not None:
                        hasty.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
                    elif words:
                        hasty.shutdown(socket.SHUT_WR)
                        with suppress(ConnectionResetError):
                            hasty.recv(1)
        some = samples(ask(f"{url}?name[]=ashcloud_load_due_total", **OPEN_METRICS)[1])
        assert {name for name, _ in some} == {"ashcloud_load_due_total"}
    assert capfd.readouterr().err == ""


def test_an_address_for_others_is_warned_about() -> None:
    said: list[str] = []
    with serving(Address(0, "0.0.0.0"), load_metrics.unbegun(planned(), 0.01), said.append):
        assert "note: whoever reaches 0.0.0.0 can read them, without a password" in said
    assert [Address(1, host).open for host in ("127.0.0.2", "::1", "localhost", "192.0.2.1", "desk")] == [
        False, False, False, True, True
    ]  # fmt: skip


def test_a_port_that_cannot_be_had_is_told_before_anything_is_sent(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        words = [
            "load",
            TINY,
            "--target",
            "http://127.0.0.1:9",
            "--exporter-port",
            port,
            "--out",
            str(tmp_path / "kept"),
        ]
        ran = CliRunner().invoke(main, words)
    assert ran.exit_code == 2  # not 3, as nobody listens at the target
    assert (
        f"--exporter-port {port} is taken by another program; choose another port, or 0 for any free one" in ran.stderr
    )
    assert not (tmp_path / "kept").exists()
    elsewhere = ["load", TINY, "--target", "http://127.0.0.1:9", "--exporter-port", "0", "--exporter-host", "192.0.2.1"]
    ran = CliRunner().invoke(main, elsewhere)
    assert ran.exit_code == 2
    assert "--exporter-host 192.0.2.1 is no address of this machine" in ran.stderr


def test_a_port_out_of_range_is_told_with_all_other_faults() -> None:
    with pytest.raises(InputError) as caught:
        question(TINY, "", **OPTIONS | {"workers": 0}, exporter_port=70_000)
    for part in ("--exporter-port is 70000; it should be 1 to 65535, or 0 for any free one", "--workers is 0"):
        assert part in str(caught.value)
    with pytest.raises(InputError, match="--exporter-host needs --exporter-port"):
        question(TINY, "", **OPTIONS, exporter_host="127.0.0.1")
    assert question(TINY, "", **OPTIONS).exporter is None
    assert question(TINY, "", **OPTIONS, exporter_port=0).exporter == Address(0)
