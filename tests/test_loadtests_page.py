"""Locust's page for a replay, in Chromium and by HTTP: it is true, it harms nothing, and its Stop is a clean stop."""

from __future__ import annotations

import json
import os
import re
import socket
import threading
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psutil
import pytest
from browsing import Visit, chromium, grave_faults
from load_peer import peer
from playwright.sync_api import Browser, expect
from test_loadtests_runner import Eye, even, table

from loadtests.backlog import Backlog
from loadtests.page import Page
from loadtests.result import LoadResult
from loadtests.runner import replay
from loadtests.target import Options, Target
from loadtests.track import ENDS
from scenarios.errors import InputError

FINDING = re.compile(r"Rows a second, in the end: .* due, .* sent, .* answered")
real = [pytest.mark.slow, pytest.mark.alone, pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")]
VERDICT = {"state": "not measurable", "reasons": [], "unknown": ["whether it waited for the processor"],
           "status": "finished", "headline": "So it was.", "remarks": ["every row is accounted for"], "exit_code": 0,
           "folder": "runs/kept"}  # fmt: skip


def ask(url: str, body: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    asked = urllib.request.Request(url, body, {name.replace("_", "-"): value for name, value in headers.items()})
    try:
        with urllib.request.urlopen(asked, timeout=20.0) as answer:
            return answer.status, answer.read()
    except HTTPError as refused:
        with refused:
            return refused.code, refused.read()


def state(page: Page, since: int = 0) -> Any:
    return json.loads(ask(f"{page.panel_url}/state?since={since}")[1])


def same(result: LoadResult, told: Any) -> None:
    """The panel tells, of all and of each phase, what the result has."""
    counts = result.counts()
    assert counts["sent"] + counts["unsent"] + counts["abandoned"] + counts["dropped"] == counts["rows"] == len(result)
    assert told["stage"] == "ended"
    assert {name: told["totals"][name] for name in ENDS} == {name: counts[name] for name in ENDS}
    assert told["totals"]["sent"] == counts["sent"] + counts["abandoned"]
    assert told["phases"][-1]["lag_ms"] == pytest.approx(1e3 * result.histograms()["lag"].quantile_s(0.99), abs=1e-3)
    last = told["samples"][-1]
    assert (last["answered"], last["failed"]) == (counts["answered"], counts["failed"])


# --- ports --------------------------------------------------------------------------------------


def test_a_port_that_is_taken_or_none_is_refused_before_anything_is_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(InputError, match=f"--web {port} is taken by another program; take another port, or 0"):
            Page(port)
    for port in (-1, 65536):
        with pytest.raises(InputError, match="is no port"):
            Page(port)


def test_it_listens_on_this_machine_alone() -> None:
    with Page() as page:
        assert page.url.startswith("http://127.0.0.1:")
        with socket.socket(fileno=os.dup(page.fileno())) as listening:
            assert listening.getsockname()[0] == "127.0.0.1"


# --- whole replays ------------------------------------------------------------------------------


def _whole(folder: Path) -> Any:
    """One worker: looked at in the middle, tampered with there, read after the end, closed."""
    seen: dict[str, Any] = {}

    def look() -> None:
        seen["middle"] = state(page)
        seen["swarm"] = ask(f"{page.url}/swarm", b"user_count=50&spawn_rate=50&host=http://127.0.0.1:9")
        seen["reset"] = ask(f"{page.url}/stats/reset", b"")
        seen["user"] = ask(f"{page.url}/user", b'{"user_class_name": "Replay", "fixed_count": 9}')
        seen["foreign"] = ask(f"{page.url}/stop", b"", Origin="http://elsewhere.example")
        seen["rebound"] = ask(f"{page.panel_url}/state", Host="elsewhere.example")
        seen["own"] = ask(f"{page.url}/stats/requests")

    eye = Eye(1.5, look)
    with peer() as server, Page() as page:
        result = replay(even(200.0, 4.0), Target(server.url), watch=eye, keep=folder, page=page)
        page.judged(VERDICT)
        while not (told := state(page))["verdict"]:
            pass
        seen["taken"] = server.stats()["posts"]
    page.read(lambda: False)  # the process is gone, so nothing is waited for
    return result, seen, told, eye


def _stopped(folder: Path) -> Any:
    """Two workers, ended by Locust's own button."""
    eye = Eye(1.5, lambda: ask(f"{page.url}/stop", b""))
    with peer() as server, Page() as page:
        result = replay(even(300.0, 60.0), Target(server.url), Options(2), watch=eye, keep=folder, page=page)
        told = state(page)
    return result, told, eye, page


def _foreign(folder: Path) -> Any:
    """A server that tells other series than ours, of which one was chosen."""
    eye = Eye(1.5)
    with peer() as server, Page(backlog=Backlog(("jobs",))) as page:
        target = Target(server.url, metrics_url=f"{server.url}/stats")
        replay(even(50.0, 2.0), target, watch=eye, page=page)
        return state(page)


CASES: dict[str, Callable[[Path], Any]] = {"whole": _whole, "stopped": _stopped, "foreign": _foreign}
Played = Callable[[str], tuple[Any, Path]]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folders = {name: tmp_path_factory.mktemp(name) for name in CASES}
    with ThreadPoolExecutor(len(CASES)) as pool:
        found = {name: pool.submit(play, folders[name]) for name, play in CASES.items()}
        yield lambda name: (found[name].result(), folders[name])


class TestReplays:
    pytestmark = real

    def test_the_panel_tells_what_the_result_has(self, played: Played) -> None:
        (result, seen, told, _), _ = played("whole")
        same(result, told)
        assert result.counts()["answered"] == len(result) == 800 == seen["taken"]
        middle = seen["middle"]
        assert middle["stage"] == "running"
        assert 0 < middle["totals"]["answered"] <= middle["totals"]["sent"] <= middle["totals"]["due"] < 800
        assert middle["server"]["state"] == "no metrics"
        assert told["verdict"] == VERDICT
        assert told["generator"]["state"] == "not measurable"

    def test_nothing_on_the_page_starts_edits_or_resets_a_replay(self, played: Played) -> None:
        (result, seen, _, _), folder = played("whole")
        assert seen["swarm"][0] == 200
        refused = json.loads(seen["swarm"][1])
        assert refused["success"] is False
        assert "it began by itself and cannot be edited" in refused["message"]
        assert seen["reset"][0] == seen["user"][0] == 409
        assert seen["foreign"][0] == seen["rebound"][0] == 403
        assert result.about["status"] == "finished"
        assert int(table(folder)["Request Count"]) == 800

    def test_locusts_files_are_written_at_once_and_its_page_knows_the_replay(self, played: Played) -> None:
        (_, seen, _, _), folder = played("whole")
        names = {"locust.html", "locust_stats.csv", "locust_failures.csv", "locust_history.csv"}
        assert {path.name for path in folder.iterdir()} == names
        assert "/v1/mentions" in (folder / "locust.html").read_text("utf-8")
        assert (folder / "locust_history.csv").read_text("utf-8").count("\n") > 3
        (extended,) = json.loads(seen["own"][1])["extended_stats"]
        assert [row["name"] for row in extended["data"]] == ["all"]

    def test_the_stop_of_the_page_is_a_clean_stop_with_two_workers(self, played: Played) -> None:
        (result, told, eye, page), folder = played("stopped")
        same(result, told)
        counts = result.counts()
        assert page.stopped
        assert result.about["status"] == "interrupted"
        assert counts["rows"] == 18_000
        assert counts["unsent"] > 9_000
        assert int(table(folder)["Request Count"]) == counts["sent"]
        sending = {process for status in eye.seen for process in status["processes"]}
        assert len(sending) == 2
        assert not any(psutil.pid_exists(process) for process in sending)

    def test_a_foreign_server_whose_series_are_not_known_has_no_backlog(self, played: Played) -> None:
        told, _ = played("foreign")
        assert {sample["server"] for sample in told["samples"]} == {None}


# --- in Chromium --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


class TestInChromium:
    pytestmark = real

    def test_the_panel_is_for_all_and_the_stop_of_locusts_page_ends_the_replay(self, browser: Browser) -> None:
        end = threading.Event()
        with peer() as server, Page() as page, ThreadPoolExecutor(1) as pool:
            eye = Eye(1e9)
            eye.stopped = lambda: "interrupted" if end.is_set() else ""  # type: ignore[method-assign]
            going = pool.submit(replay, even(100.0, 60.0), Target(server.url), watch=eye, page=page)
            try:
                self._looked_at(browser, page)
                result = going.result(timeout=30.0)
                assert page.stopped
                self._read(browser, page, result)
            finally:
                end.set()

    def _looked_at(self, browser: Browser, page: Page) -> None:
        visit = Visit(browser.new_context(viewport={"width": 1280, "height": 900}), page.url)
        panel = visit.open("/ashcloud")
        expect(panel.locator("#stage")).to_contain_text("Running")
        expect(panel.locator("#answered")).not_to_have_text("0")
        expect(panel.locator("#server")).to_contain_text("Not measurable here")
        expect(panel.locator("#rates svg")).to_have_attribute("aria-label", FINDING)
        assert grave_faults(panel) == []
        panel.keyboard.press("Tab")
        expect(panel.locator(".skip")).to_be_focused()
        locust = visit.open("/")
        expect(locust.locator(".ashcloud-strip")).to_contain_text("not measurable here")
        expect(locust.get_by_role("tab", name="Replay")).to_be_visible()
        for button in ("Edit", "New", "Reset"):
            expect(locust.get_by_role("button", name=button, exact=True)).to_have_count(0)
        locust.get_by_role("button", name="Stop", exact=True).click()
        expect(panel.locator("#stage")).to_contain_text("Ended")
        assert visit.strangers == []
        assert visit.complaints == []
        visit.context.close()

    def _read(self, browser: Browser, page: Page, result: LoadResult) -> None:
        page.judged({**VERDICT, "status": "interrupted"})
        visit = Visit(browser.new_context(color_scheme="dark", viewport={"width": 400, "height": 900}), page.url)
        panel = visit.open("/ashcloud")
        expect(panel.locator("#stage")).to_have_text("Stopped")
        expect(panel.locator("#headline")).to_have_text("So it was.")
        expect(panel.locator("#generator-state")).to_have_text("Not measurable here")
        expect(panel.locator("#answered")).to_have_text(f"{result.counts()['answered']:,}")
        expect(panel.locator("#stop")).to_be_hidden()
        assert panel.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert grave_faults(panel) == []
        assert visit.complaints == []
        visit.context.close()


def test_the_panel_has_the_colours_of_the_other_pages() -> None:
    root = Path(__file__).parent.parent
    ours, theirs = (
        (root / name).read_text("utf-8") for name in ("loadtests/static/panel.css", "careapi/static/base.css")
    )
    colours = theirs[theirs.index(":root {") : theirs.index("*, *::before")]
    assert colours in ours


def test_the_panel_is_told_what_is_replayed(tmp_path: Path) -> None:
    with Page(max_lag_s=0.02) as page:
        page.describe(tmp_path, even(10.0, 2.0), Target("http://127.0.0.1:9"), Options(3))
    told = json.loads((tmp_path / "panel.json").read_text("utf-8"))
    assert (told["rows"], told["workers"], told["max_lag_s"]) == (20, 3, 0.02)
    assert told["span_s"] == pytest.approx(1.9)
