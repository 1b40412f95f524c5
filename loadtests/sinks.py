"""Servers that are no bottleneck, for `loadtests.bench`: in C where there is a compiler, in Python over TLS."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("sink.c")
BODY = b'{"accepted":1,"duplicates":0,"rejected":[]}'
REPLY = b"HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)


class Talk(asyncio.Protocol):
    """One connection: as many answers as whole requests."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._to, self._said = transport, b""

    def data_received(self, data: bytes) -> None:
        said = self._said + data
        while (end := said.find(b"\r\n\r\n")) >= 0:
            size = said.find(b"Content-Length: ", 0, end)
            whole = end + 4 + (int(said[size + 16 : said.find(b"\r", size)]) if size >= 0 else 0)
            if len(said) < whole:
                break
            said = said[whole:]
            self._to.write(REPLY)
        self._said = said


async def serve(certificates: Sequence[str]) -> None:
    """Listen on a free port of 127.0.0.1 and print it; over TLS with a certificate and its key."""
    context = None
    if certificates:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*certificates)
    server = await asyncio.get_running_loop().create_server(Talk, "127.0.0.1", 0, ssl=context, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def built(folder: Path) -> list[str]:
    """The words that start a plain sink: that in C, or where no compiler is, that in Python."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is not None:
        program = folder / "sink"
        done = subprocess.run([compiler, "-O2", "-o", str(program), str(SOURCE)], capture_output=True)
        if done.returncode == 0:
            return [str(program)]
    return [sys.executable, "-m", "loadtests.sinks"]


def certificate(folder: Path) -> tuple[Path, Path] | None:
    """A certificate for 127.0.0.1 and its key, made by openssl; None where it is not there."""
    if shutil.which("openssl") is None:
        return None
    made, key = folder / "cert.pem", folder / "key.pem"
    words = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days",
             "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out",
             str(made)]  # fmt: skip
    return (made, key) if subprocess.run(words, capture_output=True).returncode == 0 else None


@contextmanager
def running(words: Sequence[str], cores: set[int]) -> Iterator[int]:
    """Start a sink on some processors; yields its port."""
    root = str(Path(__file__).parent.parent)
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, cwd=root) as process:
        assert process.stdout is not None
        try:
            _pin(process.pid, cores)
            yield int(process.stdout.readline())
        finally:
            process.kill()


def _pin(pid: int, cores: set[int]) -> None:
    import os

    if cores and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(pid, cores)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1:]))
