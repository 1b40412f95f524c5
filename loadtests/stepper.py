"""A process that lays one step of load after the other on a service, as it is told on standard input.

It sends with the same sender as a replay, without Locust, so a step of two seconds takes little more
than two seconds. `loadtests.stepping` starts such processes and talks to them. Messages are MessagePack
with their length in front.

    in   {folder, part, parts}      a plan and a schedule to prepare
    out  {ready: true}              bodies are made, connections will be opened ahead
    in   {start_s}                  when the schedule begins, by time.monotonic
    out  {rows, errors, spent}      what became of them (see `loadtests.collect.Packer`)
"""

from __future__ import annotations

import os
import signal
import struct
import time
from pathlib import Path
from typing import Any, BinaryIO

import msgspec

from loadtests.loop import SelectorLoop
from loadtests.work import SECRET, Work

_LENGTH = struct.Struct("<I")
LOOK_S = 0.01  # between two looks at time-outs and results

now = time.monotonic


def write(file: BinaryIO, message: dict[str, Any]) -> None:
    """Send a message."""
    data = msgspec.msgpack.encode(message)
    file.write(_LENGTH.pack(len(data)) + data)
    file.flush()


def read(file: BinaryIO) -> dict[str, Any] | None:
    """Wait for a message; None if there will be no more."""
    head = file.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (size,) = _LENGTH.unpack(head)
    data = file.read(size)
    found: dict[str, Any] | None = msgspec.msgpack.decode(data) if len(data) == size else None
    return found


def serve(commands: BinaryIO, answers: BinaryIO, secret: str) -> None:
    """Do what is asked until there is nothing more to read."""
    while (asked := read(commands)) is not None:
        loop = SelectorLoop()
        work = Work(loop, Path(asked["folder"]), asked["part"], asked["parts"], secret)
        while work.prepare():
            pass
        write(answers, {"ready": True})
        go = read(commands)
        if go is None:
            return
        write(answers, _step(loop, work, go["start_s"]))
        loop.close()


def _step(loop: SelectorLoop, work: Work, start_s: float) -> dict[str, Any]:
    """Send everything and wait until all of it has ended."""
    work.start(start_s)
    look_s = now() + LOOK_S
    while not work.finished:
        loop.once(max(0.0, look_s - now()))
        if now() >= look_s:
            while work.ended() is not None:
                pass
            work.tend()
            work.expire()
            look_s = now() + LOOK_S
    work.halt()
    spent = work.spent()
    return {**work.told(), "spent": spent}


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever started us ends us by closing our input
    commands, answers = os.fdopen(0, "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints by accident goes where nobody parses it
    serve(commands, answers, os.environ.pop(SECRET, ""))


if __name__ == "__main__":
    main()
