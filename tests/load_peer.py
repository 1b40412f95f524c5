"""A small server for tests of the load harness, in a process of its own: it answers as it is told to.

    python tests/load_peer.py BEHAVIOUR [CERTIFICATE]

prints its port, then answers every POST. Behaviours: ``ok``; ``status-N``; ``shed`` (503 with Retry-After);
``never`` (accepts and says nothing); ``endless`` (a body without end); ``ssh`` (no HTTP); ``close`` (an answer
without a length, ended by the connection); ``half`` (closes in the middle); ``chunked``; ``signed-SECRET`` (401
if a post is not signed with it); ``silent``, ``garbled`` and ``reject-PLACE`` take the look beforehand, and are so with
posts. A GET of ``/stats`` tells how many posts with mentions it took, how many ids, on how many connections.
"""

from __future__ import annotations

import asyncio
import base64
import hmac
import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data"
LOCALHOST, ELSEWHERE = DATA / "localhost.pem", DATA / "elsewhere.pem"  # for tests alone: their keys are in them
JSON = b"Content-Type: application/json\r\n"


class Peer:
    """A server that was started."""

    def __init__(self, process: subprocess.Popen[str], port: int, scheme: str) -> None:
        self.process, self.port, self.url = process, port, f"{scheme}://127.0.0.1:{port}"

    def stats(self) -> Any:
        with urllib.request.urlopen(f"{self.url}/stats", timeout=5.0) as answer:
            return json.loads(answer.read())

    def freeze(self) -> None:
        os.kill(self.process.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.process.pid, signal.SIGCONT)


@contextmanager
def peer(behaviour: str = "ok", certificate: Path | None = None) -> Iterator[Peer]:
    """Start a server, and end it."""
    words = [sys.executable, __file__, behaviour, *([] if certificate is None else [str(certificate)])]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Peer(process, int(process.stdout.readline()), "https" if certificate else "http")
        finally:
            process.kill()


def answer(status: int, body: bytes = b"{}", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d Said\r\n%s%sContent-Length: %d\r\n\r\n%s" % (status, more, JSON, len(body), body)


class Talk(asyncio.Protocol):
    """One connection."""

    behaviour = "ok"
    posts = connections = 0
    ids: set[str] = set()  # noqa: RUF012

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._to, self._unread = transport, b""
        Talk.connections += 1
        if self.behaviour == "ssh":
            self._to.write(b"SSH-2.0-OpenSSH_9.2\r\n")

    def data_received(self, data: bytes) -> None:
        self._unread += data
        while (end := self._unread.find(b"\r\n\r\n")) >= 0:
            head = self._unread[:end]
            lines = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
            size = int(lines.get(b"Content-Length", b"0"))
            if len(self._unread) < end + 4 + size:
                return
            body, self._unread = self._unread[end + 4 : end + 4 + size], self._unread[end + 4 + size :]
            self._reply(head, {name.lower(): value for name, value in lines.items()}, body)

    def _reply(self, head: bytes, lines: dict[bytes, bytes], body: bytes) -> None:
        if head.startswith(b"GET /stats"):
            told = {"posts": Talk.posts, "ids": len(Talk.ids), "connections": Talk.connections}
            self._to.write(answer(200, json.dumps(told).encode()))
            return
        if head.startswith(b"GET "):
            self._to.write(answer(404))
            return
        mentions = json.loads(body)["mentions"]
        if not mentions and self.behaviour not in ("never", "ssh"):
            said = self.behaviour.partition("-")[2] if self.behaviour.startswith("signed-") else ""
            self._to.write(answer(422 if not said or _signed(said, lines, body) else 401))
        elif mentions:
            Talk.posts += 1
            Talk.ids.update(post["external_id"] for post in mentions)
            self._behave(lines, body)

    def _behave(self, lines: dict[bytes, bytes], body: bytes) -> None:
        kind, _, word = self.behaviour.partition("-")
        if kind == "status":
            self._to.write(answer(int(word)))
        elif kind == "signed":
            self._to.write(answer(202 if _signed(word, lines, body) else 401))
        elif kind == "shed":
            self._to.write(answer(503, more=b"Retry-After: 1\r\n"))
        elif kind == "endless":
            self._to.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            self._drip()
        elif kind == "garbled":
            self._to.write(b"SSH-2.0-OpenSSH_9.2\r\n")
        elif kind == "close":
            self._to.write(b"HTTP/1.1 200 OK\r\n\r\nas long as it lasts")
            self._to.close()
        elif kind == "half":
            self._to.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
            self._to.close()
        elif kind == "chunked":
            self._to.write(
                b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}"
            )
            self._to.write(b"\r\n0\r\n\r\n")
        elif kind in ("ok", "reject"):
            rejected = b"" if kind == "ok" else b'{"place":%d,"why":"no"}' % int(word)
            self._to.write(answer(202, b'{"accepted":1,"duplicates":0,"rejected":[%s]}' % rejected))

    def _drip(self) -> None:
        if not self._to.is_closing():
            self._to.write(b"1\r\nx\r\n")
            asyncio.get_running_loop().call_later(0.05, self._drip)


def _signed(secret: str, lines: dict[bytes, bytes], body: bytes) -> bool:
    told = b".".join((lines.get(b"webhook-id", b""), lines.get(b"webhook-timestamp", b""), body))
    mark = b"v1," + base64.b64encode(hmac.digest(secret.encode(), told, "sha256"))
    return hmac.compare_digest(mark, lines.get(b"webhook-signature", b""))


async def _serve(certificates: list[str]) -> None:
    context = None
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificates[0])
    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0, ssl=context, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    Talk.behaviour = sys.argv[1]
    asyncio.run(_serve(sys.argv[2:]))
