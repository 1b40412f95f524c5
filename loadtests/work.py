"""A worker's part of a replay, without Locust: prepare, send, report, stop; every row has one end."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from loadtests import target_file
from loadtests.alarm import Loop
from loadtests.bodies import Bodies
from loadtests.chain import Event
from loadtests.collect import Packer
from loadtests.health import Meter
from loadtests.result import Outcome
from loadtests.schedule import load
from loadtests.sender import Ended, Endpoint, Sender, context
from loadtests.target import Options, Target

if TYPE_CHECKING:
    from loadtests.session import Service

SECRET = "ASHCLOUD_LOAD_SECRET"
PLAN, SCHEDULE = "plan.json", "schedule.npz"
SLICE_S = 0.0005
SPARE_FILES = 200
CALM_S = 0.002  # bodies are made only if nothing is due so soon

now = time.monotonic


@dataclass(frozen=True)
class Plan:
    """What all processes of a replay are told; the secret comes through the environment."""

    target: dict[str, Any]
    options: dict[str, Any]
    run: str
    endpoint: tuple[int, Any]

    def save(self, folder: Path) -> None:
        (folder / PLAN).write_bytes(msgspec.json.encode(self))


def by_author(folder: Path) -> bool:
    """Whether rows of one author have to go to one worker, by the plan in a folder."""
    plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    return Options(**plan.options).sender == "session"


def read_plan(folder: Path, secret: str) -> tuple[Target, Options, str, Endpoint]:
    """The plan in a folder: target, options, run, and the address that was found to listen."""
    plan = msgspec.json.decode((folder / PLAN).read_bytes(), type=Plan)
    ca = plan.target.pop("ca", None)
    target = Target(**plan.target, ca=None if ca is None else Path(ca), secret=secret)
    family, address = plan.endpoint
    where = Endpoint(family, tuple(address), target.host, context(target))
    return target, Options(**plan.options), plan.run, where


def allow_files(number: int) -> None:
    """Ask the system for as many open files as connections may need; it may give fewer."""
    try:
        import resource
    except ImportError:
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    want = number + SPARE_FILES if hard == resource.RLIM_INFINITY else min(number + SPARE_FILES, hard)
    if want > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (want, hard))


class Sends(Protocol):
    """What sends rows: `loadtests.sender.Sender`, or `loadtests.session.Sessions`."""

    results: deque[Ended]
    sent: int
    halted: bool

    @property
    def in_flight(self) -> int: ...
    @property
    def finished(self) -> bool: ...
    @property
    def next_due_s(self) -> float: ...
    def warm(self) -> None: ...
    def start(self) -> None: ...
    def expire(self) -> None: ...
    def halt(self) -> list[tuple[int, float]]: ...


class Work:
    """Sends the part of a schedule that is a worker's, see `Schedule.of_part`.

    Parameters
    ----------
    loop : Loop
    folder : Path
        With plan and schedule.
    part, parts : int
    secret : str

    Attributes
    ----------
    name : str
        What requests are called in Locust's table: the same for all, else its percentiles creep.
    start_s : float
        When the first moment of the schedule is, by the clock of `time.monotonic`; from `start` on.
    """

    def __init__(self, loop: Loop, folder: Path, part: int, parts: int, secret: str) -> None:
        target, self._options, run, self._endpoint = read_plan(folder, secret)
        schedule = load(folder / SCHEDULE)
        mine = schedule.of_part(part, parts, self._options.sender == "session")
        self.name = target.full_path
        self._loop = loop
        self._due_s = schedule["due_s"][mine]
        self._bodies = Bodies(schedule, mine, target, run)
        self._bodies.begin(time.time())
        self._sender: Sends | None = None
        self._meter = Meter()
        self._halted = False
        self._ended = 0
        allow_files(self._options.max_connections)
        self._service = self._opened(target) if self._options.sender == "session" else None
        self._ahead = self._bodies if self._service is None else self._service.chain

    def _opened(self, target: Target) -> Service:
        """What plays whole chains of requests, with its tokens; Locust is imported where that is needed alone."""
        from loadtests.session import Service

        assert target.file is not None
        file = target_file.load(target.file)
        return Service(target, file, self._options, self._endpoint.tls, self._bodies)

    @property
    def rows(self) -> int:
        return int(self._due_s.size)

    def prepare(self) -> bool:
        """Make bodies ahead for a moment, before the start; whether there are more to make."""
        return self._ahead.prepare(0, 0.0, 0.02)

    def start(self, start_s: float) -> None:
        """Begin at a moment to come, by the clock of `time.monotonic`."""
        self.start_s = start_s
        self._packer = Packer(start_s)
        due_s = (start_s + self._due_s[self._bodies.first[:-1]]).tolist()
        take, terms = self._bodies.take, self._bodies.terms
        if self._service is None:
            self._sender = Sender(self._loop, self._endpoint, due_s, take, self._options, terms)
        else:
            self._sender = self._service.sender(self._loop, due_s)
        self._sender.warm()
        self._sender.start()
        self._meter.start()

    @property
    def finished(self) -> bool:
        """Whether all rows have ended and were taken out."""
        sender = self._sender
        told = sender is not None and not sender.results and not (self._service and self._service.events)
        return told and sender is not None and (sender.halted or sender.finished)

    def close(self) -> None:
        """Ask nothing more of the service: no token is renewed."""
        if self._service is not None:
            self._service.close()

    def ended(self) -> tuple[Ended, float] | None:
        """The next row that has ended, with its due time, packed for the collector; None if there is none now."""
        assert self._sender is not None
        if not self._sender.results:
            return None
        row = self._sender.results.popleft()
        self._packer.add(row)
        self._ended += 1
        return row, self.start_s + float(self._due_s[row.place])

    def event(self) -> Event | None:
        """The next request that was made beside the posts, None if there is none now."""
        if self._service is None or not self._service.events:
            return None
        return self._service.events.popleft()

    def tend(self) -> None:
        """Between two looks at the results: bodies for what is due later, if there is time."""
        sender = self._sender
        assert sender is not None
        calm_s = sender.next_due_s - now()
        if calm_s > CALM_S and not math.isinf(calm_s):
            self._ahead.prepare(sender.sent, now() - self.start_s, SLICE_S)

    def expire(self) -> None:
        """End what has waited for its answer too long."""
        assert self._sender is not None
        self._sender.expire()

    def told(self) -> dict[str, Any]:
        """What is new, as a message to the chief; what has ended but is not told here yet counts as in flight."""
        sender = self._sender
        assert sender is not None
        handed = self._bodies.first[sender.sent]
        in_flight = len(sender.results) if self._halted else handed - self._ended
        return {**self._packer.take(), "in_flight": in_flight, "handed": handed}

    def halt(self) -> None:
        """Stop: what is under way is abandoned, the rest stays unsent."""
        if self._halted or self._sender is None:
            return
        self._halted = True
        for place, sent_s in self._sender.halt():
            row = Ended(place, sent_s, math.nan, math.nan, 0, Outcome.ABANDONED, "", 0)
            self._packer.add(row)

    def spent(self) -> dict[str, Any]:
        """What it took, at the end."""
        spent = {"rows": self.rows, "late_bodies": self._bodies.late, **self._meter.spent().to_dict()}
        if self._service is not None:
            spent["operations"] = {str(name): count.to_dict() for name, count in self._service.chain.counts.items()}
        return spent
