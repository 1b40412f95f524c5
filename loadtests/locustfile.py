"""What Locust runs: one user a worker, in which the whole replay happens; its table, CSV and page are true.

With what it imports (`loadtests.lead`, `loadtests.panel`, `loadtests.session`) the only module that imports Locust, as
that replaces sockets and threads; so it has processes of its own, which `loadtests.runner` starts. Alone, a process is
chief and worker at once. With workers, the master is the chief and talks to them over Locust's own messages. Every
process ends when its control socket closes.
"""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable
from typing import Any, cast

import gevent
from gevent.event import AsyncResult, Event
from locust import User, events, runners, task
from locust.env import Environment
from locust.exception import StopUser
from locust.runners import MasterRunner, WorkerRunner

from loadtests.clock import Offset
from loadtests.lead import TELL_S, Control, Lead, beat_s, folder
from loadtests.result import Outcome
from loadtests.work import SECRET, Work

PARTS = "ASHCLOUD_LOAD_PARTS"
SHARE_S = 0.0007  # of a look at the results: what is due meanwhile waits no longer than that
REST_S = 0.004
BREATH_S = 0.001  # after a long slice a sleep of 0 would let no timer run, so no heartbeat either
MISSED_BEATS = 6  # a worker that died is told by its process; this is for one that hangs
PINGS = 8
PING_S, ANSWER_S = 0.03, 10.0  # between two; how long to wait for the first answer

now = time.monotonic
log = logging.getLogger("ashcloud")


class Failed(Exception):
    """Why a row has failed, for Locust's table of errors."""


class Local(Lead):
    """Chief and worker in one process."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment, 1)
        self._work: Work | None = None

    def play(self, user: User) -> None:
        self._work = work = Work(gevent.get_hub().loop, folder(), 0, 1, os.environ.get(SECRET, ""))
        while work.prepare() and not self._chief.halted:
            gevent.sleep(BREATH_S)
        if self._chief.ready(0) and self._chief.start_s is not None and not self._chief.halted:
            work.start(self._chief.start_s)
            drive(work, user, self._tell)
        self._chief.done(0, work.spent())
        gevent.spawn(self._finish)  # it ends the greenlet of this user

    def failed(self, words: str) -> None:
        self._control.tell(failed=words)

    def _tell(self, message: dict[str, Any]) -> None:
        self._chief.rows(0, message)
        self._tell_all()

    def _halt_all(self) -> None:
        if self._work is not None:
            self._work.halt()

    def _sending(self) -> list[int]:
        return [os.getpid()]


class Master(Lead):
    """The chief of several workers."""

    def __init__(self, environment: Environment) -> None:
        self._parts: dict[str, int] = {}
        self._processes: dict[str, int] = {}
        super().__init__(environment, int(os.environ[PARTS]))
        for name, handler in {
            "ready": self._ready, "rows": self._rows, "done": self._done, "ping": self._ping, "failed": self._failed
        }.items():  # fmt: skip
            self._runner.register_message(f"ashcloud_{name}", handler)
        starts: Any = environment.events.test_start
        starts.add_listener(lambda **_: gevent.spawn(self._lead))

    def _lead(self) -> None:
        for part, node in enumerate(sorted(client.id for client in self._runner.clients.all)):
            self._parts[node] = part
        for node, part in self._parts.items():
            self._send(node, "plan", {"part": part, "parts": len(self._parts)})
        if self._chief.halted:  # before anybody was there to be told
            self._halt_all()
        while not self._chief.finished:
            gevent.sleep(TELL_S if self._chief.start_s is None else beat_s(self._chief.start_s, now(), 0.5) - now())
            there = {client.id for client in self._runner.clients.all} - {c.id for c in self._runner.clients.missing}
            for node in self._parts.keys() - there:
                self._lose(node)
            self._tell_all()
        self._finish()

    def _lose(self, node: str) -> None:
        if self._chief.lost(self._parts[node]):
            self._go()

    def _go(self) -> None:
        for node in self._parts:
            self._send(node, "go", {"start_s": self._chief.start_s})

    def _halt_all(self) -> None:
        for node in self._parts:
            self._send(node, "halt", {})

    def _send(self, node: str, name: str, data: dict[str, Any]) -> None:
        try:
            self._runner.send_message(f"ashcloud_{name}", data, client_id=node)
        except Exception:  # a worker that died a moment ago is not known any more; it is booked as lost elsewhere
            log.warning("worker %s cannot be reached", node)

    def _ready(self, msg: Any, **_: Any) -> None:
        self._processes[msg.node_id] = msg.data["process"]
        if self._chief.ready(self._parts[msg.node_id]):
            self._go()

    def _rows(self, msg: Any, **_: Any) -> None:
        self._chief.rows(self._parts[msg.node_id], msg.data)

    def _done(self, msg: Any, **_: Any) -> None:
        self._chief.done(self._parts[msg.node_id], msg.data)

    def _ping(self, msg: Any, **_: Any) -> None:
        self._send(msg.node_id, "pong", {"asked_s": msg.data["asked_s"], "here_s": now()})

    def _failed(self, msg: Any, **_: Any) -> None:
        self._control.tell(failed=msg.data["words"])

    def _gone(self, process: int) -> None:
        for node in [node for node, each in self._processes.items() if each == process]:
            self._lose(node)

    def _sending(self) -> list[int]:
        return list(self._processes.values())


class Worker:
    """One of several workers; its clock is set against that of the master."""

    def __init__(self, environment: Environment) -> None:
        self._runner: Any = cast(Any, environment.runner)
        self._plan: AsyncResult[dict[str, int]] = AsyncResult()
        self._start_s: AsyncResult[float | None] = AsyncResult()
        self._work: Work | None = None
        self._halted, self._played = False, False
        self._clock, self._asked = Offset(), Event()
        self._control = Control(lambda word: self._halt() if word == "halt" else None)
        handlers: dict[str, Callable[..., None]] = {
            "plan": self._planned, "go": self._go, "pong": self._pong, "halt": self._halt
        }  # fmt: skip
        for name, handler in handlers.items():
            self._runner.register_message(f"ashcloud_{name}", handler)

    def play(self, user: User) -> None:
        if self._played:  # Locust gives the user of a lost worker to another one: its rows are booked already
            Event().wait()
        self._played = True
        plan = self._plan.get()
        self._work = work = Work(gevent.get_hub().loop, folder(), plan["part"], plan["parts"],
                                 os.environ.get(SECRET, ""))  # fmt: skip
        while work.prepare() and not self._halted:
            gevent.sleep(BREATH_S)
        self._set_clock()
        self._tell("ready", {"process": os.getpid()})
        start_s = self._start_s.get()
        if start_s is not None and not self._halted:
            work.start(start_s - self._clock.offset_s)
            drive(work, user, lambda message: self._tell("rows", message))
        self._runner._send_stats()
        self._tell("done", {**work.spent(), **self._clock.to_dict()})
        Event().wait()  # until the master says that it is over

    def failed(self, words: str) -> None:
        self._tell("failed", {"words": words})

    def _tell(self, name: str, data: dict[str, Any]) -> None:
        self._runner.send_message(f"ashcloud_{name}", data)

    def _set_clock(self) -> None:
        """Ask for the master's time some times; without any answer no common start is possible."""
        for _ in range(PINGS):
            self._tell("ping", {"asked_s": now()})
            gevent.sleep(PING_S)
        if not self._asked.wait(ANSWER_S) and not self._halted:
            raise TimeoutError(f"the master has not told its time within {ANSWER_S:g} s")

    def _pong(self, msg: Any, **_: Any) -> None:
        self._clock.answered(msg.data["asked_s"], msg.data["here_s"], now())
        self._asked.set()

    def _planned(self, msg: Any, **_: Any) -> None:
        self._plan.set(msg.data)

    def _go(self, msg: Any, **_: Any) -> None:
        self._start_s.set(msg.data["start_s"])

    def _halt(self, **_: Any) -> None:
        self._halted = True
        if not self._start_s.ready():
            self._start_s.set(None)
        if self._work is not None:
            self._work.halt()


def drive(work: Work, user: User, tell: Callable[[dict[str, Any]], None]) -> None:
    """Until all rows have ended: hand results to Locust, make bodies ahead, tell the chief, all at the same moments."""
    next_s = work.start_s
    while not work.finished:
        more = _report(work, user)
        work.tend()
        gevent.sleep(0 if more else REST_S)
        if now() >= next_s:
            next_s = beat_s(work.start_s, now())
            work.expire()
            tell(work.told())
    work.close()
    tell(work.told())


def _report(work: Work, user: User) -> bool:
    """Fire Locust's event for rows that have ended, for a moment at most; whether there are more."""
    fire = user.environment.events.request.fire
    until_s = now() + SHARE_S
    while (found := work.ended()) is not None:
        row, due_s = found
        exception = None
        if row.outcome is not Outcome.ANSWERED:
            exception = Failed(f"shed: {row.error}" if row.outcome is Outcome.SHED else row.error)
        fire(
            request_type="POST", name=work.name, response_time=1e3 * (row.done_s - due_s), response_length=row.length,
            exception=exception, context={}, start_time=due_s, response=None, url=work.name,
        )  # fmt: skip
        if now() > until_s:
            return True
    while (event := work.event()) is not None:
        fire(
            request_type=event.method, name=event.name, response_time=1e3 * event.took_s,
            response_length=event.length, exception=Failed(event.error) if event.error else None, context={},
            start_time=event.begun_s, response=None, url=event.name,
        )  # fmt: skip
        if now() > until_s:
            return True
    return False


_role: Local | Master | Worker


def _begin(environment: Environment, **_: Any) -> None:
    global _role
    hub = gevent.get_hub()
    if KeyboardInterrupt not in hub.NOT_ERROR:
        hub.NOT_ERROR = (*hub.NOT_ERROR, KeyboardInterrupt)
    if isinstance(environment.runner, MasterRunner):
        _role = Master(environment)
    else:
        _role = Worker(environment) if isinstance(environment.runner, WorkerRunner) else Local(environment)
    runners.HEARTBEAT_LIVENESS = MISSED_BEATS
    environment.process_exit_code = 0  # what failed is told by the rows, not by the exit code


_init: Any = events.init
_init.add_listener(_begin)


class Replay(User):
    """The one user of a worker."""

    @task
    def replay(self) -> None:
        try:
            assert not isinstance(_role, Master)
            _role.play(self)
        except Exception as fault:
            log.error("".join(traceback.format_exception(fault)))
            words = f"{type(fault).__name__}: {fault}"
            if not isinstance(_role, Master):
                _role.failed(words)
        raise StopUser()
