"""A protocol of uvicorn that closes what does not come to the point: slow headers, silence after connecting.

uvicorn has no such limit of its own: a client that sends a header a second holds a connection for ever.
"""

from __future__ import annotations

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADERS_S = 2.0
WHOLE_S = 3.0
"""For headers and body; longer than the body has by the guard inside, so that slow bodies get their 408."""


class Deadline(HttpToolsProtocol):
    """Gives a request two seconds for its headers and three for all of it, then closes the connection."""

    _timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: who connects has something to say."""
        super().connection_made(transport)
        self._start(HEADERS_S)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Start the clock for the next request of the connection."""
        self._start(HEADERS_S)
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """Leave some more time for the body."""
        self._start(WHOLE_S)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """Stop the clock: what takes time from here on is ours."""
        self._stop()
        super().on_message_complete()

    def _start(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self._expire)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _expire(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self.transport.close()
