"""Mishaps as they are played: switches in order, once more after a restart, mended at the end; an absent service."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from loadtests.mischief import Mischief
from loadtests.mishaps import Mishap
from loadtests.runner import Blind
from scenarios.errors import ComponentError

LONG_S = 20.0


def crm(state: str, from_s: float, to_s: float) -> Mishap:
    return Mishap(f"crm {state}", from_s, to_s, {"crm": state})


DOWN, SLOW = crm("down", 0.02, 0.06), crm("slow", 0.06, 0.1)


class Peer:
    """A service of which only the switches and the process are told; it remembers all that was done to it."""

    def __init__(self, url: str) -> None:
        self.url, self.token = url, "word"
        self.done: list[str] = []
        self.status, self.starts = 200, True
        self.here = threading.Event()
        self.here.set()
        self._changed = threading.Condition()

    def turned(self, state: str) -> None:
        with self._changed:
            self.done.append(state)
            self._changed.notify_all()

    def wait_for(self, times: int) -> None:
        """Until the switches have been turned so often."""
        with self._changed:
            found = self._changed.wait_for(
                lambda: sum(each in ("ok", "slow", "down") for each in self.done) >= times, LONG_S
            )
            assert found, self.done

    def start(self) -> None:
        self.done.append("start")
        if not self.starts:
            raise ComponentError("the service did not start")

    def kill(self) -> None:
        self.done.append("kill")

    def end(self) -> None:
        self.done.append("end")

    def freeze(self) -> None:
        self.done.append("freeze")

    def thaw(self) -> None:
        self.done.append("thaw")


class Notes:
    """What was said, and a way to wait for a word."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self._changed = threading.Condition()

    def __call__(self, text: str) -> None:
        with self._changed:
            self.said.append(text)
            self._changed.notify_all()

    def wait_for(self, word: str) -> None:
        with self._changed:
            assert self._changed.wait_for(lambda: any(word in text for text in self.said), LONG_S), self.said


@pytest.fixture
def peer() -> Iterator[Peer]:
    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if not found.here.is_set():
                return  # the connection closes without an answer
            assert (self.path, self.headers["Authorization"]) == ("/v1/faults", "Bearer word")
            found.turned(body.get("crm", "ok"))
            self.send_response(found.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        found = Peer(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield found
        server.shutdown()
        thread.join()


@contextmanager
def playing(peer: Peer, *mishaps: Mishap) -> Iterator[tuple[Mischief, Notes]]:
    notes = Notes()
    with Mischief(mishaps, peer, Blind(), notes) as mischief:
        mischief.status({"at_s": 0.0})
        yield mischief, notes


def test_switches_are_turned_in_order_and_mended(peer: Peer) -> None:
    with playing(peer, DOWN, SLOW) as (mischief, notes):
        notes.wait_for("crm slow ended")
    # At 0.06 s one begins as the other ends: in between the worse one still holds, or both are told at once.
    assert [state for n, state in enumerate(peer.done) if state != peer.done[n - 1]] == ["down", "slow", "ok"]
    down, slow = mischief.told()
    assert (down["name"], down["error"]) == ("crm down", "")
    assert 0.02 <= down["began_s"] < down["ended_s"]
    assert slow["began_s"] <= slow["ended_s"]


def test_nothing_happens_before_the_start_is_known(peer: Peer) -> None:
    notes = Notes()
    with Mischief([Mishap("kill", 0.0, 0.0)], peer, Blind(), notes) as mischief:
        mischief.status({"at_s": -0.6})
    assert (peer.done, notes.said) == ([], [])
    assert mischief.told()[0]["began_s"] is None


def test_what_was_broken_is_broken_in_the_new_process_too(peer: Peer) -> None:
    down = crm("down", 0.0, LONG_S)
    with playing(peer, down, Mishap("kill", 0.3, 0.3), Mishap("restart", 0.6, 0.6)) as (mischief, notes):
        notes.wait_for("restart ended")
        peer.wait_for(3)
    assert [each for each in peer.done if each not in ("down", "ok")] == ["kill", "start", "end", "start"]
    after = peer.done[peer.done.index("end") :]
    assert after == ["end", "start", "down", "ok"]
    assert [each["ended_s"] is None for each in mischief.told()] == [True, False, False]


def test_a_service_that_does_not_answer_is_told_again_and_its_time_is_the_true_one(peer: Peer) -> None:
    peer.here.clear()
    with playing(peer, crm("down", 0.0, LONG_S), Mishap("freeze", 0.01, 0.4)) as (mischief, notes):
        notes.wait_for("freeze ended")
        peer.here.set()
        notes.wait_for("crm down began")
    assert mischief.told()[0]["began_s"] >= 0.4
    assert peer.done == ["freeze", "thaw", "down", "ok"]


def test_a_service_that_is_frozen_at_the_end_goes_on(peer: Peer) -> None:
    with playing(peer, Mishap("freeze", 0.0, LONG_S)) as (mischief, notes):
        notes.wait_for("freeze began")
    assert peer.done == ["freeze", "thaw"]
    assert mischief.told()[0]["ended_s"] is None


def test_a_refused_switch_and_a_service_that_does_not_come_back_are_told(peer: Peer) -> None:
    peer.status, peer.starts = 403, False
    with playing(peer, crm("down", 0.0, LONG_S), Mishap("kill", 0.1, 0.1)) as (mischief, notes):
        notes.wait_for("kill failed")
    told = mischief.told()
    assert [each["error"] for each in told] == [
        "the service answers 403 to PUT /v1/faults", "the service did not start"
    ]  # fmt: skip
    assert told[1]["ended_s"] is None
