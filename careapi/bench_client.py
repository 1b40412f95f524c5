"""A client that costs little: plain sockets and one loop, each connection with one request under way.

It lives on the core that the service does not have, beside the database, so what it takes must be small: some
20 us a request, a tenth of what the service takes.
"""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass
class Load:
    """What a run of requests came to; times are of requests that ended inside it."""

    seconds: float = 0.0
    statuses: dict[int, int] = field(default_factory=dict)
    waits_s: list[float] = field(default_factory=list)
    broken: int = 0

    @property
    def rate_per_s(self) -> float:
        """Answers a second."""
        return len(self.waits_s) / self.seconds


@dataclass(slots=True)
class _Line:
    """A connection: since when it waits for which answer, and what came of that so far."""

    socket: socket.socket
    sent_s: float = 0.0
    got: bytes = b""


def load(url: str, request: Callable[[], bytes], connections: int, seconds: float) -> Load:
    """Ask as fast as answers come.

    Parameters
    ----------
    url : str
        ``http://127.0.0.1:8080``.
    request : callable
        The next request, whole, as bytes; HTTP/1.1 that keeps the connection.
    connections : int
        How many at once.
    seconds : float
        How long; what is under way then is awaited and not counted among the times, but among the statuses.

    Returns
    -------
    load : Load
        ``broken`` counts connections that the other side closed.
    """
    host, port = urlsplit(url).hostname, urlsplit(url).port
    done = Load()
    with selectors.DefaultSelector() as waiting:
        for _ in range(connections):
            each = socket.create_connection((host, port), timeout=10.0)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            line = _Line(each)
            waiting.register(each, selectors.EVENT_READ, line)
            _ask(line, request)
        begin_s = time.perf_counter()
        end_s = begin_s + seconds
        under_way = connections
        while under_way:
            events = waiting.select(10.0)
            if not events:
                break  # nobody answers any more: what is under way stays without a status
            for key, _ in events:
                line = key.data
                status = _answer(line)
                if status is None:
                    continue
                now_s = time.perf_counter()
                if status > 0:
                    done.statuses[status] = done.statuses.get(status, 0) + 1
                    if now_s <= end_s:
                        done.waits_s.append(now_s - line.sent_s)
                if status > 0 and now_s < end_s:
                    _ask(line, request)
                else:
                    done.broken += status < 0
                    under_way -= 1
                    waiting.unregister(line.socket)
                    line.socket.close()
        done.broken += under_way
        for left in list(waiting.get_map().values()):
            left.data.socket.close()
    done.seconds = seconds
    return done


def _ask(line: _Line, request: Callable[[], bytes]) -> None:
    data = request()
    line.got = b""
    line.sent_s = time.perf_counter()
    line.socket.sendall(data)


def _answer(line: _Line) -> int | None:
    """The status of a whole answer, None while there is more to come, -1 if the connection broke."""
    try:
        part = line.socket.recv(65536)
    except OSError:
        return -1
    if not part:
        return -1
    line.got += part
    head = line.got.find(_END)
    if head < 0:
        return None
    at = line.got.lower().find(_LENGTH, 0, head)
    length = int(line.got[at + len(_LENGTH) : line.got.find(b"\r", at)]) if at >= 0 else 0
    return int(line.got[9:12]) if len(line.got) >= head + len(_END) + length else None
