"""A service with a known capacity: N requests at a time, each for a fixed time; real, or worked out on paper.

``python tests/seats.py SEATS SERVICE_S`` listens on a free port of 127.0.0.1 and prints it.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import subprocess
import sys
from collections.abc import Iterator

import numpy as np

from loadtests.result import COLUMNS, LoadResult, Outcome
from loadtests.schedule import Schedule


class OnPaper:
    """Takes a schedule and says what the service would have done: first come, first served, nothing is late."""

    def __init__(self, seats: int, service_s: float, lag_s: float = 0.0, waiting: int | None = None) -> None:
        self._seats, self._service_s, self._lag_s, self._waiting = seats, service_s, lag_s, waiting
        self.sent: list[Schedule] = []

    def send(self, schedule: Schedule) -> LoadResult:
        self.sent.append(schedule)
        n = len(schedule)
        columns = {name: np.zeros(n, dtype=kind) for name, kind in COLUMNS.items()}
        columns["due_s"] = schedule["due_s"]
        columns["sent_s"] = schedule["due_s"] + self._lag_s
        columns["done_s"], columns["outcome"] = self._answers(columns["sent_s"])
        workers = [{"number": 0, "wall_s": 1.0, "cpu_s": 0.1, "waited_s": 0.0, "held_back_s": 0.0}]
        return LoadResult(columns, {**schedule.about, "schedule": schedule.digest, "workers": workers})

    def _answers(self, sent_s: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        free = [0.0] * self._seats
        done = np.empty(sent_s.size)
        outcome = np.full(sent_s.size, Outcome.ANSWERED)
        for i, at in enumerate(sent_s.tolist()):
            begun = max(at, free[0])
            if self._waiting is not None and (begun - at) * self._seats / self._service_s > self._waiting:
                done[i], outcome[i] = at, Outcome.SHED
                continue
            done[i] = begun + self._service_s
            heapq.heapreplace(free, done[i])
        return done, outcome


@contextlib.contextmanager
def listening(seats: int, service_s: float) -> Iterator[str]:
    """The real service in a process of its own; gives its URL."""
    words = [sys.executable, __file__, str(seats), str(service_s)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.kill()


async def _serve(seats: int, service_s: float) -> None:
    free = asyncio.Semaphore(seats)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                await reader.readexactly(int(head.partition(b"content-length:")[2].split(b"\r\n")[0] or b"0"))
                async with free:
                    await asyncio.sleep(service_s)
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), float(sys.argv[2])))
