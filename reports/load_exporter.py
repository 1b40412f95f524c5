"""Tells Prometheus how a load test goes, from the process that looks on: those that send are not disturbed."""

from __future__ import annotations

import errno
import io
import ipaddress
import socket
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from socketserver import ThreadingMixIn
from typing import Any, TextIO
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from prometheus_client import make_wsgi_app

from loadtests.health import Verdict
from loadtests.runner import Blind, Watch
from loadtests.slo import Check
from reports.load_metrics import Seen, Told, of_status, registry
from scenarios.errors import Fault, InputError

PORT, HOST = "--exporter-port", "--exporter-host"
HERE = "127.0.0.1"
PATIENCE_S, POLL_S = 10.0, 0.1  # with who has connected and asks nothing; until the end is noticed


@dataclass(frozen=True)
class Address:
    """Where to listen; port 0: any that is free."""

    port: int
    host: str = HERE

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65535:
            raise InputError(None, [Fault(PORT, f"is {self.port}; it should be 1 to 65535, or 0 for any free one")])

    @property
    def open(self) -> bool:
        """Whether other machines may ask."""
        try:
            return not ipaddress.ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"


class Exporter:
    """Looks on while another one does (`loadtests.runner.Watch`), and remembers what was told last."""

    def __init__(self, seen: Seen) -> None:
        self.told = Told(seen)
        self._watch: Watch = Blind()

    def beside(self, watch: Watch, about: Mapping[str, str]) -> Watch:
        """Look on beside another one; `about` of `reports.load_metrics.described`."""
        self._watch = watch
        self.told.seen = replace(self.told.seen, about=about)
        return self

    def status(self, status: Mapping[str, Any]) -> None:
        self.told.seen = of_status(self.told.seen, status)
        self._watch.status(status)

    def stopped(self) -> str:
        return self._watch.stopped()

    def judged(self, verdict: Verdict, checks: Sequence[Check]) -> None:
        """It is over."""
        self.told.seen = replace(self.told.seen, verdict=verdict, checks=checks)


class _Server(ThreadingMixIn, WSGIServer):
    """A thread a request; who goes away in the middle is no matter for the terminal."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


class _Server6(_Server):
    address_family = socket.AF_INET6


class _Request(WSGIRequestHandler):
    timeout = PATIENCE_S

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def get_stderr(self) -> TextIO:
        return io.StringIO()


@contextmanager
def serving(address: Address | None, seen: Seen, say: Callable[[str], None]) -> Iterator[Exporter]:
    """Serve the metrics until the block is left; without an address nobody is served.

    Raises
    ------
    InputError
        If nobody can listen there.
    """
    exporter = Exporter(seen)
    if address is None:
        yield exporter
        return
    v6 = ":" in address.host
    try:
        server = make_server(
            address.host, address.port, make_wsgi_app(registry(exporter.told)), _Server6 if v6 else _Server, _Request
        )
    except OSError as error:
        raise InputError(None, [_fault(address, error)]) from None
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,), daemon=True)
    thread.start()
    host = f"[{address.host}]" if v6 else address.host
    say(f"metrics of this run, for Prometheus: http://{host}:{server.server_port}/metrics")
    if address.open:
        say(f"note: whoever reaches {address.host} can read them, without a password")
    try:
        yield exporter
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _fault(address: Address, error: OSError) -> Fault:
    where = f"{PORT} {address.port}"
    if error.errno == errno.EADDRINUSE:
        return Fault(where, "is taken by another program; choose another port, or 0 for any free one")
    if error.errno == errno.EACCES:
        return Fault(where, "may not be used by you; choose one above 1023, or 0 for any free one")
    return Fault(f"{HOST} {address.host}", f"is no address of this machine ({error.strerror or error})")
