"""One connection: a request out, its answer in, driven by callbacks of the loop; plain or over TLS.

Sockets are those of `_socket`, which nobody patches: Locust replaces the ones of `socket` by its own, which
would switch greenlets where nothing may wait.
"""

from __future__ import annotations

import _socket
import errno
import json
import math
import os
import re
import ssl
import time
from typing import Any, Protocol

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from loadtests.alarm import READ, WRITE, Loop

MOST_ANSWER = 16_000_000  # bytes; a server that goes on without end is cut off
IDLE = -1
_CHUNK = 65536
_LOOKED_AT = 65536  # bytes of an answer in which a rejection is looked for
_AGAIN = frozenset({errno.EAGAIN, errno.EINPROGRESS, errno.ENOTCONN, errno.EINTR})
_NONE_LEFT = frozenset({errno.EADDRNOTAVAIL, errno.ENOBUFS, errno.ENOMEM})  # of ports, or of memory for them
_LENGTH = re.compile(rb"\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)
_RETRY_AFTER = re.compile(rb"\nretry-after[ \t]*:", re.IGNORECASE)
_REJECTED = re.compile(rb'"rejected"\s*:\s*\[\s*[^\]\s]')

now = time.monotonic

NO_ANSWER = "connection closed before the answer was complete"
NOT_HTTP = "answer is not HTTP"
TOO_LONG = f"answer is longer than {MOST_ANSWER // 1_000_000} MB"
REJECTED = "post was rejected in the answer"


class Owner(Protocol):
    """Whom a connection tells."""

    loop: Loop
    family: int
    address: Any
    host: str
    tls: ssl.SSLContext | None

    def ended(self, connection: Connection, status: int, error: str, shed: bool, keep: bool) -> None:
        """The answer is complete, or there will be none: then `error` says why."""

    def gone(self, connection: Connection) -> None:
        """It was closed while nothing was asked of it."""


class Connection:
    """A socket and what is under way on it.

    Attributes
    ----------
    place : int
        Row whose answer it waits for, `IDLE` if none.
    sent_s, first_s : float
        When the request was handed over, and the first byte of the answer came (nan: not yet).
    idle_s : float
        Since when it has been idle.
    rejected : tuple of int
        Places, in the request, of the posts that the answer rejects; empty if it does not say which.
    """

    __slots__ = (
        "_body", "_cipher_in", "_cipher_out", "_coded", "_complete", "_head", "_headed", "_keep", "_open",
        "_outgoing", "_owner", "_parser", "_queued", "_socket", "_watcher", "_writing", "first_s", "idle_s",
        "length", "place", "rejected", "sent_s",
    )  # fmt: skip

    def __init__(self, owner: Owner) -> None:
        """Begin to connect; raises OSError if this machine has no socket or no port left for it."""
        self._owner = owner
        self.place, self.sent_s, self.first_s, self.idle_s, self.length = IDLE, math.nan, math.nan, now(), 0
        self.rejected: tuple[int, ...] = ()
        self._open, self._outgoing, self._queued, self._writing = False, b"", b"", True
        self._coded: ssl.SSLObject | None = None
        self._parser = HttpResponseParser(self)
        self._complete, self._headed, self._head, self._body = 0, False, b"", b""
        self._socket = _socket.socket(owner.family, _socket.SOCK_STREAM)
        self._socket.setblocking(False)
        self._socket.setsockopt(_socket.IPPROTO_TCP, _socket.TCP_NODELAY, 1)
        fault = self._socket.connect_ex(owner.address)
        if fault in _NONE_LEFT:
            self._socket.close()
            raise OSError(fault, os.strerror(fault))
        self._watcher = owner.loop.io(self._socket.fileno(), WRITE)
        self._watcher.start(self._writable)

    # --- out ------------------------------------------------------------------------------------

    def send(self, request: bytes, place: int) -> None:
        """Ask; `sent_s` is when the first bytes were handed over, or were queued behind the connect."""
        self.place, self.first_s, self.length, self.rejected = place, math.nan, 0, ()
        self._complete, self._headed, self._head, self._body = 0, False, b"", b""
        self.sent_s = now()
        if self._writing or (self._coded is not None and not self._open):
            self._queued = request
        else:
            self._push(request if self._coded is None else self._code(request))

    def _push(self, data: bytes) -> None:
        try:
            n = self._socket.send(data)
        except OSError as fault:
            if fault.errno not in _AGAIN:
                self._fail(_words(fault))
                return
            n = 0
        if n < len(data):
            self._outgoing = data[n:]
            self._watch(WRITE)

    def _writable(self) -> None:
        if not self._open and self._coded is None:
            fault = self._socket.getsockopt(_socket.SOL_SOCKET, _socket.SO_ERROR)
            if fault:
                self._fail(_words(OSError(fault, os.strerror(fault))))
                return
            self._connected()
            return
        self._watch(READ)
        data, self._outgoing = self._outgoing, b""
        self._push(data)

    def _connected(self) -> None:
        self._watch(READ)
        if self._owner.tls is None:
            self._open = True
            self._flush_queue()
            return
        self._cipher_in, self._cipher_out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._coded = self._owner.tls.wrap_bio(self._cipher_in, self._cipher_out, server_hostname=self._owner.host)
        self._shake()

    def _flush_queue(self) -> None:
        data, self._queued = self._queued, b""
        if data:
            self._push(data if self._coded is None else self._code(data))

    def _watch(self, events: int) -> None:
        writing = events == WRITE
        if writing == self._writing:
            return
        self._writing = writing
        self._watcher.stop()
        self._watcher.events = events
        self._watcher.start(self._writable if writing else self._readable)

    # --- TLS ------------------------------------------------------------------------------------

    def _shake(self) -> None:
        assert self._coded is not None
        try:
            self._coded.do_handshake()
            self._open = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as fault:
            self._fail(f"TLS: {getattr(fault, 'verify_message', '') or fault.reason or 'no handshake'}")
            return
        hello = self._cipher_out.read()
        if hello:
            self._push(hello)
        if self._open:
            self._flush_queue()

    def _code(self, data: bytes) -> bytes:
        assert self._coded is not None
        self._coded.write(data)
        return self._cipher_out.read()

    def _decoded(self, data: bytes) -> bytes:
        assert self._coded is not None
        self._cipher_in.write(data)
        if not self._open:
            self._shake()
            if not self._open:
                return b""
        plain = b""
        try:
            while part := self._coded.read(_CHUNK):
                plain += part
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as fault:
            self._fail(f"TLS: {fault.reason}")
        return plain

    # --- in -------------------------------------------------------------------------------------

    def _readable(self) -> None:
        try:
            data = self._socket.recv(_CHUNK)
        except OSError as fault:
            if fault.errno not in _AGAIN:
                self._fail(_words(fault))
            return
        if not data:
            self._closed_by_peer()
            return
        if self._coded is not None:
            data = self._decoded(data)
            if not data:
                return
        if self.place == IDLE:
            self.close()
            self._owner.gone(self)
            return
        self._take(data)

    def _take(self, data: bytes) -> None:
        if math.isnan(self.first_s):
            self.first_s = now()
        if not self._headed:
            self._head += data
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            if not self._complete:  # what follows a whole answer only costs the connection
                self._fail(NOT_HTTP)
                return
            self._complete += 1
        if self._complete:
            self._answered(self._complete == 1 and not self._outgoing and self._keep)
        elif self.length > MOST_ANSWER:
            self._fail(TOO_LONG)

    def _answered(self, keep: bool) -> None:
        status = self._parser.get_status_code()
        shed = status == 429 or (status == 503 and _RETRY_AFTER.search(self._head) is not None)
        error = ""
        if status < 300 and _REJECTED.search(self._body):
            error, self.rejected = REJECTED, _places(self._body)
        self._end(status, error, shed, keep)

    def _closed_by_peer(self) -> None:
        if self.place == IDLE:
            self.close()
            self._owner.gone(self)
        elif self._headed and not _LENGTH.search(self._head):
            self._answered(False)  # without a length the end of the connection ends it
        else:
            self._fail(NO_ANSWER)

    # What the parser calls.

    def on_headers_complete(self) -> None:
        self._headed = True

    def on_body(self, body: bytes) -> None:
        if self.length < _LOOKED_AT:
            self._body += body
        self.length += len(body)

    def on_message_complete(self) -> None:
        if self._complete or self._parser.get_status_code() >= 200:
            self._complete += 1
            self._keep = self._parser.should_keep_alive()  # asked later it would say no
        else:
            self._headed = False  # an early hint; the answer is still to come

    # --- the end --------------------------------------------------------------------------------

    def expire(self, error: str) -> None:
        """Give up waiting for the answer."""
        self._fail(error)

    def _fail(self, error: str) -> None:
        self.close()
        if self.place == IDLE:
            self._owner.gone(self)
        else:
            self._end(0, error, False, False)

    def _end(self, status: int, error: str, shed: bool, keep: bool) -> None:
        if not keep:
            self.close()
        self._owner.ended(self, status, error, shed, keep)

    def close(self) -> None:
        """Close the socket; nothing is told. Closing twice does no harm."""
        if self._socket.fileno() >= 0:
            self._watcher.stop()
            self._watcher.close()
            self._socket.close()


def _places(body: bytes) -> tuple[int, ...]:
    """Which posts an answer rejects, by their place in the request; empty if it cannot be read."""
    try:
        return tuple(int(each["place"]) for each in json.loads(body)["rejected"])
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return ()


def _words(fault: OSError) -> str:
    """What went wrong on a socket, the same for each of its kind."""
    return (os.strerror(fault.errno) if fault.errno else str(fault)).lower()
