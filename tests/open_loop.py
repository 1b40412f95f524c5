"""A small open-loop sender: requests at due times, whatever becomes of those before."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass, field

from care_client import post
from care_process import signed


@dataclass
class Offered:
    """What became of what was offered; times from the due time to the answer."""

    taken: int = 0
    turned_away: int = 0
    failed: int = 0
    times_s: list[float] = field(default_factory=list)

    @property
    def p99_s(self) -> float:
        """Of those that were taken."""
        return sorted(self.times_s)[int(0.99 * (len(self.times_s) - 1))]


async def offered(port: int, rate_per_s: float, length_s: float, mark: str, connections: int = 64) -> Offered:
    """Offer posts at an even rate for so long, over connections that stay open."""
    found, due = Offered(), asyncio.Queue[tuple[int, float]]()
    workers = [asyncio.create_task(_work(port, due, found, mark)) for _ in range(connections)]
    start_s = time.monotonic() + 0.2
    for n in range(int(rate_per_s * length_s)):
        due_s = start_s + n / rate_per_s
        wait_s = due_s - time.monotonic()
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        due.put_nowait((n, due_s))
    await due.join()
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    return found


async def _work(port: int, due: asyncio.Queue[tuple[int, float]], found: Offered, mark: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        while True:
            n, due_s = await due.get()
            body, headers = signed(post(f"{mark}{n}"))
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            line = f"POST /v1/mentions HTTP/1.1\r\nHost: care\r\n{head}Content-Length: {len(body)}\r\n\r\n"
            writer.write(line.encode() + body)
            answer = (await reader.readuntil(b"\r\n\r\n")).lower()
            length = int(answer.partition(b"content-length:")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            status = int(answer.split(b" ", 2)[1])
            if status == 202:
                found.taken += 1
                found.times_s.append(time.monotonic() - due_s)
            elif status == 503:
                found.turned_away += 1
            else:
                found.failed += 1
            due.task_done()
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
