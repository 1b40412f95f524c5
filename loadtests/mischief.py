"""Lets mishaps happen while a replay runs: turns the switches of the service, and kills, restarts or freezes it.

A thread of its own, so that a service that is slow to come back holds up nobody who watches the replay. It says
when each thing really happened, which may be later than planned: a frozen service takes no orders.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlsplit

from loadtests.chief import LEAD_S
from loadtests.mishaps import FREEZE, KILL, PROCESS, RESTART, Mishap, switches
from loadtests.runner import Status, Watch
from scenarios.errors import AshcloudError

SWITCHES = "/v1/faults"
ASK_S, AGAIN_S = 1.0, 0.1

now = time.monotonic


class Service(Protocol):
    """A service that we have started ourselves."""

    url: str
    token: str

    def start(self) -> None:
        """Start it, on the same port and store if it ran before, and wait until it is ready."""

    def kill(self) -> None:
        """End it at once, as `kill -9` does."""

    def end(self) -> None:
        """Ask it to end, and wait until it has."""

    def freeze(self) -> None:
        """Stop it where it is."""

    def thaw(self) -> None:
        """Let it go on."""


class Mischief:
    """Plays mishaps while it looks on for another one (`loadtests.runner.Watch`); use it as a context.

    Parameters
    ----------
    mishaps : sequence of Mishap
    service : Service
    watch : Watch
        Whoever looks on otherwise.
    say : callable
        Told each thing in a sentence when it happens.
    """

    def __init__(self, mishaps: Sequence[Mishap], service: Service, watch: Watch, say: Callable[[str], None]) -> None:
        self._service, self._watch, self._say = service, watch, say
        steps = [(each.from_s, False, n) for n, each in enumerate(mishaps)]
        steps += [(each.to_s, True, n) for n, each in enumerate(mishaps) if each.name != RESTART]
        self._steps = sorted(steps)
        self._mishaps = mishaps
        self._happened: list[dict[str, Any]] = [
            {**each.to_dict(), "began_s": None, "ended_s": None, "error": ""} for each in mishaps
        ]
        self._active: set[int] = set()
        self._unsaid: list[tuple[int, str]] = []  # what the service has not taken yet: (mishap, which time it is)
        self._turned, self._zero_s = False, 0.0
        self._begun, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Mischief:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing more happens; what is frozen goes on, and what is broken is mended."""
        self._over.set()
        self._begun.set()
        self._thread.join()

    def status(self, status: Status) -> None:
        if status["at_s"] > -LEAD_S:  # before that the moment of the start is not known yet
            self._zero_s = now() - status["at_s"]
            self._begun.set()
        self._watch.status(status)

    def stopped(self) -> str:
        return self._watch.stopped()

    def told(self) -> list[dict[str, Any]]:
        """A mapping a mishap, ready for JSON.

        `name`; `from_s`, `to_s` as planned; `began_s`, `ended_s` as it was, in seconds from the start of the
        replay: when the service took the order, or was down and ready again. None: it did not come to that.
        `error`: why not, if it is known.
        """
        return [dict(each) for each in self._happened]

    # --- the thread -----------------------------------------------------------------------------

    def _run(self) -> None:
        # It lasts as long as the replay: the service ends with the thread that has started it again.
        self._begun.wait()
        while not self._over.wait(self._rest_s()):
            while self._steps and self._steps[0][0] <= self._at_s and not self._over.is_set():
                _, ends, number = self._steps.pop(0)
                self._step(number, ends)
            if self._unsaid:
                self._turn()
        self._mend()

    @property
    def _at_s(self) -> float:
        return now() - self._zero_s

    def _rest_s(self) -> float | None:
        next_s = max(0.0, self._steps[0][0] - self._at_s) if self._steps else None
        if self._unsaid:
            return AGAIN_S if next_s is None else min(AGAIN_S, next_s)
        return next_s

    def _step(self, number: int, ends: bool) -> None:
        mishap, key = self._mishaps[number], "ended_s" if ends else "began_s"
        if mishap.name not in PROCESS:
            (self._active.discard if ends else self._active.add)(number)
            self._unsaid.append((number, key))
            return
        try:
            self._act(mishap.name, number, ends)
        except AshcloudError as fault:
            self._wrong(number, str(fault))

    def _act(self, what: str, number: int, ends: bool) -> None:
        if not ends:
            self._note(number, "began_s")
            {KILL: self._service.kill, RESTART: self._service.end, FREEZE: self._service.freeze}[what]()
        if what == FREEZE and ends:
            self._service.thaw()
            self._note(number, "ended_s")
        elif ends or what == RESTART:
            self._service.start()
            self._note(number, "ended_s")
            if self._active:  # what was broken in the process has gone with it
                self._unsaid.extend((each, "began_s") for each in sorted(self._active))

    def _turn(self) -> None:
        """Tell the service what is broken now; if it does not answer, later."""
        states = switches(self._mishaps[each] for each in self._active)
        soon_s = self._steps[0][0] - self._at_s if self._steps else ASK_S
        try:
            status = self._put(states, min(ASK_S, max(soon_s, AGAIN_S)))
        except (OSError, http.client.HTTPException):
            return
        told, self._unsaid = self._unsaid, []
        for number, key in told:
            if status == 200:
                self._turned = True
                self._note(number, key)
            else:
                self._wrong(number, f"the service answers {status} to PUT {SWITCHES}")

    def _put(self, states: dict[str, Any], timeout_s: float) -> int:
        parts = urlsplit(self._service.url)
        link = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=timeout_s)
        headers = {"Authorization": f"Bearer {self._service.token}", "Content-Type": "application/json"}
        try:
            link.request("PUT", SWITCHES, json.dumps(states), headers)
            answer = link.getresponse()
            answer.read()
            return answer.status
        finally:
            link.close()

    def _mend(self) -> None:
        for number, mishap in enumerate(self._mishaps):
            began, ended = (self._happened[number][key] is not None for key in ("began_s", "ended_s"))
            if mishap.name == FREEZE and began and not ended:
                self._service.thaw()
        if self._turned:
            try:
                self._put(switches(()), ASK_S)
            except (OSError, http.client.HTTPException):
                return  # a process that is gone has nothing to mend

    def _note(self, number: int, key: str) -> None:
        told = self._happened[number]
        if told[key] is not None:
            return  # turned once more in a new process
        told[key] = round(self._at_s, 3)
        self._say(f"note: {told['name']} {'began' if key == 'began_s' else 'ended'} at {told[key]:.1f} s")

    def _wrong(self, number: int, why: str) -> None:
        told = self._happened[number]
        told["error"] = told["error"] or why
        self._say(f"note: {told['name']} failed: {why}")
