"""A small HTTP client for conversations: connections are kept, a request waits for its answer, nothing is retried.

The replay has a sender of its own; this one is for customers and agents, whose next step hangs on the
answer to the last.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from httptools import HttpParserError, HttpResponseParser

MOST_ANSWER = 4_000_000
_CHUNK = 65536


class NoAnswer(Exception):
    """There is none, and why: refused, closed, too long, not HTTP, not in time."""


class NotSent(NoAnswer):
    """Nobody took the connection, so nothing was sent."""


@dataclass(frozen=True)
class Answer:
    """What came back; names of headers are in small letters."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Client:
    """Requests to one service; use it as an asynchronous context."""

    def __init__(self, base_url: str, tls: ssl.SSLContext | None = None) -> None:
        parts = urlsplit(base_url)
        self._host, self._netloc = parts.hostname or "", parts.netloc
        self.tls = (tls or ssl.create_default_context()) if parts.scheme == "https" else None
        self._port = parts.port or (443 if self.tls else 80)
        self._prefix = parts.path.rstrip("/")
        self._idle: deque[_Link] = deque()

    async def __aenter__(self) -> Client:
        return self

    async def __aexit__(self, *_: object) -> None:
        while self._idle:
            link = self._idle.pop()
            link.close()
            with contextlib.suppress(OSError):
                await link.writer.wait_closed()

    async def request(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"", timeout_s: float = 10.0
    ) -> Answer:
        """Ask and wait; raises `NoAnswer`."""
        lines = [f"{method} {self._prefix}{path} HTTP/1.1", f"Host: {self._netloc}", "User-Agent: ashcloud"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        if body or method not in ("GET", "DELETE"):
            lines.append(f"Content-Length: {len(body)}")
        data = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        try:
            async with asyncio.timeout(timeout_s):
                return await self._ask(data)
        except TimeoutError:
            raise NoAnswer("no answer in time") from None

    async def _ask(self, data: bytes) -> Answer:
        """On a kept connection; if that was closed in the meantime, before a byte came back, on a new one."""
        while self._idle:
            link = self._idle.pop()
            answer = await self._on(link, data)
            if answer is not None:
                return answer
        answer = await self._on(await self._opened(), data)
        if answer is None:
            raise NoAnswer("connection closed before the answer was complete")
        return answer

    async def _on(self, link: _Link, data: bytes) -> Answer | None:
        whole = False
        try:
            answer = await link.ask(data)
            whole = answer is not None
        except HttpParserError:
            raise NoAnswer("answer is not HTTP") from None
        except OSError as fault:
            if link.touched:
                raise NoAnswer(_words(fault)) from None
            return None
        finally:
            if whole and link.keep:
                self._idle.append(link)
            else:
                link.close()
        return answer

    async def _opened(self) -> _Link:
        try:
            reader, writer = await asyncio.open_connection(self._host, self._port, ssl=self.tls)
        except OSError as fault:
            raise NotSent(_words(fault)) from None
        return _Link(reader, writer)


@dataclass
class _Link:
    """A connection; `touched` once a byte of the present answer has come."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    touched: bool = False
    keep: bool = False
    _headers: dict[str, str] = field(default_factory=dict)
    _body: bytearray = field(default_factory=bytearray)
    _complete: bool = False

    async def ask(self, data: bytes) -> Answer | None:
        """The answer; None if the connection was closed before any of it."""
        self.touched = self._complete = False
        self._headers, self._body = {}, bytearray()
        parser = HttpResponseParser(self)
        self.writer.write(data)
        await self.writer.drain()
        while not self._complete:
            part = await self.reader.read(_CHUNK)
            if not part:
                return self._at_the_end(parser)
            self.touched = True
            parser.feed_data(part)
            if len(self._body) > MOST_ANSWER:
                raise NoAnswer(f"answer is longer than {MOST_ANSWER // 1_000_000} MB")
        self.keep = parser.should_keep_alive()
        return Answer(parser.get_status_code(), self._headers, bytes(self._body))

    def _at_the_end(self, parser: HttpResponseParser) -> Answer | None:
        if not self.touched:
            return None
        if self._headers and not {"content-length", "transfer-encoding"} & self._headers.keys():
            self.keep = False
            return Answer(parser.get_status_code(), self._headers, bytes(self._body))
        raise NoAnswer("connection closed before the answer was complete")

    def close(self) -> None:
        self.writer.close()

    # What the parser calls.

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_body(self, body: bytes) -> None:
        self._body += body

    def on_message_complete(self) -> None:
        self._complete = True


def _words(fault: OSError) -> str:
    return (os.strerror(fault.errno) if fault.errno and fault.errno > 0 else str(fault) or type(fault).__name__).lower()
